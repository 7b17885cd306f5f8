/*
 * weft-agent: starts the parts, waits for signals and for Envoy, stops the parts. The socket is there before Envoy
 * starts; Envoy waits for its secrets, however long the certificate takes.
 */
#include "agent/agent_manual.h"
#include "agent/bootstrap.h"
#include "agent/envoy_admin.h"
#include "agent/envoy_process.h"
#include "agent/proxy_node.h"
#include "agent/small_file.h"
#include "agent/status.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LABELS_FILE "./etc/istio/pod/labels" /* where Istio's injector mounts them */
#define KILL_AFTER_S 5                       /* Envoy was told to end */
#define DRAIN_LOOK_S 1
#define QUIET_LOOKS 2 /* so often nobody was connected: nobody comes any more */

enum exit_code { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct agent {
	const struct agent_options *options;
	struct arena *arena;
	envoy_node *node;
	char host[OPTION_HOST_MAX];
	struct sds *sds;
	struct sds_server *server;
	struct workload_identity *identity;
	struct status *status;
	pid_t envoy; /* 0: none */
};

/* ---- start ---- */

static bool agent_node(struct agent *agent, struct error *error)
{
	const struct agent_options *options = agent->options;
	CLEANUP(text_done) struct text labels = {0};
	const char *path = options->labels_file;
	if (!path && !access(LABELS_FILE, R_OK))
		path = LABELS_FILE;
	if (path && !small_file_read(path, &labels, error))
		return error_wrap(error, "the pod's labels");
	agent->node = proxy_node_build(agent->arena, options, environ, path ? text_get(&labels) : NULL, error);
	return agent->node != NULL;
}

static bool agent_bootstrap(struct agent *agent, struct error *error)
{
	const struct agent_options *options = agent->options;
	CLEANUP(text_done) struct text out = {0};
	bootstrap_print(options, agent->node, &out);
	return small_file_write(options->bootstrap_file, out.s, out.n, options->socket_owner, error) ||
	       error_wrap(error, "Envoy's bootstrap");
}

static void on_sds_change(void *context)
{
	struct agent *agent = context;
	workload_identity_wake(agent->identity);
}

static bool agent_start(struct agent *agent, struct error *error)
{
	const struct agent_options *options = agent->options;
	if (!agent_node(agent, error) || !agent_bootstrap(agent, error))
		return false;
	agent->sds = sds_new(&(struct sds_options){.on_change = on_sds_change, .context = agent});
	agent->identity = workload_identity_new(&(struct workload_identity_options){
	    .options = options,
	    .node = agent->node,
	    .server_name = bootstrap_server_name(options, agent->host),
	    .sds = agent->sds,
	});
	agent->server = sds_server_new(agent->sds, options->socket_path, options->socket_owner, error);
	if (!agent->server)
		return false;
	agent->status = status_new(
	    &(struct status_options){.address = options->status_address,
	                             .admin_address = options->is_without_envoy ? NULL : options->admin_address,
	                             .identity = agent->identity,
	                             .sds = agent->sds},
	    error);
	if (!agent->status)
		return false;
	workload_identity_start(agent->identity, agent->server);
	if (options->is_without_envoy)
		return true;
	pid_t pid = envoy_process_start(options, error);
	agent->envoy = pid > 0 ? pid : 0;
	return pid > 0;
}

/* Whatever of it exists. Envoy has ended. */
static void agent_stop(struct agent *agent)
{
	status_free(agent->status);
	if (agent->identity)
		workload_identity_stop(agent->identity); /* it uses the server, whose callbacks wake it */
	sds_server_free(agent->server);
	workload_identity_free(agent->identity);
	sds_free(agent->sds);
	arena_free(agent->arena);
}

/* ---- Envoy's end ---- */

/* Whether Envoy has ended; *code is its exit status then. */
static bool has_ended(struct agent *agent, int *code)
{
	int status;
	if (!agent->envoy || waitpid(agent->envoy, &status, WNOHANG) != agent->envoy)
		return false;
	agent->envoy = 0;
	*code = envoy_process_exit_code(status);
	return true;
}

/* A signal, or 0 after so many seconds. Envoy's end is a signal too. */
static int wait_for_signal(const sigset_t *signals, int64_t s)
{
	const struct timespec timeout = {.tv_sec = s};
	int number = sigtimedwait(signals, NULL, &timeout);
	return number > 0 ? number : 0;
}

/* Returns early when nobody is connected any more, when Envoy has ended, or at another signal to stop. */
static bool drain(struct agent *agent, const sigset_t *signals)
{
	const struct agent_options *options = agent->options;
	struct error error;
	unsigned quiet = 0;
	int code;
	if (!envoy_admin_drain(options->admin_address, &error)) {
		log_warn("main", "%s; ending it without draining", error.message);
		return true;
	}
	for (int64_t s = 0; s < options->drain_s && quiet < QUIET_LOOKS; s += DRAIN_LOOK_S) {
		uint64_t n = 0;
		int number = wait_for_signal(signals, DRAIN_LOOK_S);
		if (has_ended(agent, &code))
			return true;
		if (number == SIGTERM || number == SIGINT)
			return false;
		quiet = envoy_admin_connections(options->admin_address, &n, &error) && n == 0 ? quiet + 1 : 0;
	}
	return true;
}

static void end_envoy(struct agent *agent, const sigset_t *signals, bool is_patient)
{
	int code;
	if (agent->envoy)
		kill(agent->envoy, is_patient ? SIGTERM : SIGKILL);
	for (int64_t s = 0; agent->envoy && !has_ended(agent, &code); s++) {
		if (s == KILL_AFTER_S) {
			log_warn("main", "Envoy does not end within %d s; killing it", KILL_AFTER_S);
			kill(agent->envoy, SIGKILL);
		}
		wait_for_signal(signals, 1);
	}
}

/* ---- life ---- */

/* Returns the exit status. */
static int agent_wait(struct agent *agent, const sigset_t *signals)
{
	int code = EXIT_STOPPED, number;
	do {
		number = wait_for_signal(signals, 60);
		if (has_ended(agent, &code)) {
			log_error("main", "Envoy ended by itself, with status %d; ending too", code);
			return code ? code : EXIT_FAILED;
		}
	} while (number != SIGTERM && number != SIGINT);
	log_info("main", "SIG%s: stopping%s", sigabbrev_np(number), agent->envoy ? ", Envoy drains" : "");
	status_set_draining(agent->status);
	if (agent->envoy)
		end_envoy(agent, signals, drain(agent, signals));
	return EXIT_STOPPED;
}

/* Blocked here and so in every thread made later: the main thread waits for them. */
static void signals_take(sigset_t *signals)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

/* Neither a core file nor a debugger of the same user has the key. The leak checker is such a debugger. */
static void keep_memory_private(void)
{
#ifndef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int agent_run(const struct agent_options *options)
{
	struct agent agent = {.options = options, .arena = arena_new()};
	struct error error;
	sigset_t signals;
	int code = EXIT_FAILED;

	signals_take(&signals);
	keep_memory_private();
	envoy_admin_init();
	if (agent_start(&agent, &error)) {
		log_info("main", "weft-agent " WEFT_VERSION ": %s, control plane %s, status on %s (port %u)%s",
		         agent.node->id, options->control_plane, options->status_address, status_port(agent.status),
		         options->is_without_envoy ? ", without Envoy" : "");
		code = agent_wait(&agent, &signals);
	} else {
		log_error("main", "%s", error.message);
	}
	agent_stop(&agent);
	if (code == EXIT_STOPPED)
		log_info("main", "stopped");
	return code;
}

int main(int argc, char **argv)
{
	static struct agent_options options;
	struct error error;
	CLEANUP(text_done) struct text manual = {0};

	switch (agent_options_parse(argc, argv, environ, &options, &error)) {
	case OPTIONS_HELP:
		agent_manual_print(&manual);
		fputs(text_get(&manual), stdout);
		return fflush(stdout) ? EXIT_FAILED : EXIT_STOPPED;
	case OPTIONS_VERSION:
		puts("weft-agent " WEFT_VERSION);
		return fflush(stdout) ? EXIT_FAILED : EXIT_STOPPED;
	case OPTIONS_USAGE:
		fprintf(stderr, "weft-agent: %s\nTry 'weft-agent --help'.\n", error.message);
		return EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	log_init(options.log_level, options.is_log_json);
	return agent_run(&options);
}

#include "server/source/kube/kube_exec.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMPLAINT_MAX 300 /* bytes of its standard error that are quoted: the last */
#define END_STEP_MS 5     /* between two looks whether it has ended, once it has closed its outputs */
#define INFO_VARIABLE "KUBERNETES_EXEC_INFO"

/* ---- what it prints ---- */

/* "+05:30" */
static bool parse_offset(const char *s, int64_t *offset_s)
{
	static const char digits[] = "0123456789";
	bool is_offset = strlen(s) == 6 && (s[0] == '+' || s[0] == '-') && strspn(s + 1, digits) == 2 && s[3] == ':' &&
	                 strspn(s + 4, digits) == 2;
	if (!is_offset)
		return false;
	int hours = (s[1] - '0') * 10 + s[2] - '0', minutes = (s[4] - '0') * 10 + s[5] - '0';
	*offset_s = (s[0] == '-' ? -60 : 60) * (hours * 60 + minutes);
	return hours < 24 && minutes < 60;
}

/* RFC 3339, as Kubernetes prints it: 2026-01-02T03:04:05Z, or with an offset. */
static bool parse_time(const char *s, int64_t *seconds)
{
	struct tm parts = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &parts);
	int64_t offset_s = 0;

	if (!rest)
		return false;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (strcmp(rest, "Z") != 0 && !parse_offset(rest, &offset_s))
		return false;
	*seconds = (int64_t)timegm(&parts) - offset_s;
	return true;
}

bool kube_exec_parse(struct arena *arena, const char *s, size_t n, struct kube_exec_credential *ret,
                     struct error *error)
{
	struct error parsing;
	const struct json *document = json_parse(arena, s, n, &parsing);
	const struct json *status = json_get(document, "status");
	const char *expires = json_get_string(status, "expirationTimestamp");

	*ret = (struct kube_exec_credential){
	    .token = json_get_string(status, "token"),
	    .cert = json_get_string(status, "clientCertificateData"),
	    .key = json_get_string(status, "clientKeyData"),
	};
	if (!document) /* what was printed may be a secret, so it is not quoted */
		return error_set(error, "it printed no JSON");
	if (!text_equal(json_get_string(document, "kind"), "ExecCredential"))
		return error_set(error, "it printed no ExecCredential");
	if (text_is_empty(ret->token))
		ret->token = NULL;
	if (!ret->cert != !ret->key)
		return error_set(error, "it gave a certificate without its key, or a key without it");
	if (!ret->token && !ret->cert)
		return error_set(error, "it gave neither a token nor a certificate");
	if ((ret->token && strlen(ret->token) > KUBE_TOKEN_BYTES_MAX) ||
	    (ret->cert && (strlen(ret->cert) > KUBE_PEM_BYTES_MAX || strlen(ret->key) > KUBE_PEM_BYTES_MAX)))
		return error_set(error, "it gave a token or a certificate that is too long");
	if (ret->token && !kube_token_is_fit(ret->token, strlen(ret->token)))
		return error_set(error, "it gave a token with a line end or another control character in it");
	if (expires && !parse_time(expires, &ret->expires_s))
		return error_set(error, "its expirationTimestamp is no time such as 2026-01-02T15:04:05Z");
	return true;
}

/* ---- running it ---- */

/* The cluster, for plugins that want to know which one the credential is for. */
static void print_info(const struct kube_config *config, struct text *out)
{
	text_printf(out,
	            INFO_VARIABLE "={\"apiVersion\":\"%s\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false",
	            config->exec->api_version);
	if (config->exec->wants_cluster_info) {
		text_add(out, ",\"cluster\":{\"server\":");
		text_add_json_string(out, config->server, strlen(config->server));
		text_printf(out, ",\"insecure-skip-tls-verify\":%s}", config->is_insecure ? "true" : "false");
	}
	text_add(out, "}}");
}

static bool has_name(const char *variable, const char *other)
{
	size_t n = strcspn(variable, "=");
	return strncmp(variable, other, n + 1) == 0;
}

/* Ours, with the plugin's on top. */
static char **build_environment(struct arena *arena, const struct kube_config *config)
{
	CLEANUP(text_done) struct text info = {0};
	VEC(const char *) variables = {0};

	print_info(config, &info);
	for (const char *const *own = config->exec->environment; *own; own++)
		VEC_PUSH(arena, &variables, *own);
	VEC_PUSH(arena, &variables, arena_strdup(arena, text_get(&info)));
	size_t n_own = variables.n;
	for (char *const *inherited = config->environment; inherited && *inherited; inherited++) {
		bool is_replaced = false;
		for (size_t i = 0; i < n_own; i++)
			is_replaced |= has_name(variables.v[i], *inherited);
		if (!is_replaced)
			VEC_PUSH(arena, &variables, *inherited);
	}
	VEC_PUSH(arena, &variables, NULL);
	return (char **)(uintptr_t)variables.v;
}

/* A plugin that runs: its process group, and the ends of its pipes that are ours (-1: closed). */
struct plugin {
	pid_t pid;
	int out, err;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Nothing of ours but the two pipes reaches it, and no signal of ours is blocked in it. */
static int spawn(struct arena *arena, const struct kube_config *config, int out, int err, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	char **arguments = (char **)(uintptr_t)config->exec->arguments;
	int failure = posix_spawnp(pid, config->exec->command, &actions, &attributes, arguments,
	                           build_environment(arena, config));
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failure;
}

static bool start(struct arena *arena, const struct kube_config *config, struct plugin *plugin, struct error *error)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return error_set_errno(error, errno, "a pipe");
	if (pipe2(err, O_CLOEXEC) < 0) {
		int failure = errno;
		close(out[0]);
		close(out[1]);
		return error_set_errno(error, failure, "a pipe");
	}
	int failure = spawn(arena, config, out[1], err[1], &plugin->pid);
	close(out[1]);
	close(err[1]);
	plugin->out = out[0];
	plugin->err = err[0];
	if (!failure)
		return true;
	close_fd(&plugin->out);
	close_fd(&plugin->err);
	const char *hint = config->exec->install_hint;
	error_set_errno(error, failure, "it cannot be started");
	return hint ? error_wrap(error, "%s", hint) : false;
}

/* Takes what waits at an end. False: above the cap. */
static bool drain(int *fd, struct text *into, size_t max)
{
	char bytes[4096];
	ssize_t n = read(*fd, bytes, sizeof bytes);
	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			close_fd(fd);
		return true;
	}
	text_add_n(into, bytes, (size_t)n);
	return into->n <= max;
}

/* Its complaints: only the last are kept. */
static void keep_end(struct text *text)
{
	if (text->n <= COMPLAINT_MAX)
		return;
	memmove(text->s, text->s + text->n - COMPLAINT_MAX, COMPLAINT_MAX + 1);
	text->n = COMPLAINT_MAX;
}

/* What is left of them to quote: whole characters, without the ends of lines after them. */
static const char *quotable(struct text *text)
{
	const char *s = text_get(text);
	for (int i = 0; i < 3 && (*s & 0xc0) == 0x80; i++)
		s++; /* the rest of a character that was cut */
	while (text->n > 0 && strchr(" \t\r\n", text->s[text->n - 1]))
		text->s[--text->n] = '\0';
	return text_is_utf8(s, strlen(s)) ? s : "";
}

/* Reads until both ends are closed. */
static bool read_all(struct plugin *plugin, int64_t until_ns, struct text *out, struct text *err, struct error *error)
{
	while (plugin->out >= 0 || plugin->err >= 0) {
		struct pollfd fds[] = {{.fd = plugin->out, .events = POLLIN}, {.fd = plugin->err, .events = POLLIN}};
		int64_t left_ms = (until_ns - clock_now_ns(clock_system())) / CLOCK_MS;
		if (left_ms <= 0)
			return error_set(error, "it did not end in time");
		if (poll(fds, 2, (int)left_ms) < 0 && errno != EINTR)
			return error_set_errno(error, errno, "waiting for it");
		if (fds[0].revents && !drain(&plugin->out, out, KUBE_EXEC_BYTES_MAX))
			return error_set(error, "it printed more than %u bytes", KUBE_EXEC_BYTES_MAX);
		if (fds[1].revents)
			drain(&plugin->err, err, SIZE_MAX);
		keep_end(err);
	}
	return true;
}

/* It may have closed both ends and still run. */
static bool await_end(const struct plugin *plugin, int64_t until_ns, struct error *error)
{
	siginfo_t info = {0};
	while (waitid(P_PID, (id_t)plugin->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0) {
		if (clock_now_ns(clock_system()) >= until_ns)
			return error_set(error, "it did not end in time");
		poll(NULL, 0, END_STEP_MS);
	}
	return true;
}

/* Ends it, if it has not ended, and all that it started; its wait status. */
static int finish(struct plugin *plugin, bool is_done)
{
	int status = 0;
	close_fd(&plugin->out);
	close_fd(&plugin->err);
	if (!is_done)
		kill(-plugin->pid, SIGKILL);
	while (waitpid(plugin->pid, &status, 0) < 0 && errno == EINTR) {
	}
	return status;
}

static bool run(struct arena *arena, const struct kube_config *config, int deadline_ms, struct text *out,
                struct error *error)
{
	struct plugin plugin = {.out = -1, .err = -1};
	CLEANUP(text_done) struct text err = {0};
	int64_t until_ns = clock_now_ns(clock_system()) + deadline_ms * CLOCK_MS;

	if (!start(arena, config, &plugin, error))
		return false;
	bool is_done = read_all(&plugin, until_ns, out, &err, error) && await_end(&plugin, until_ns, error);
	int status = finish(&plugin, is_done);
	if (!is_done)
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	const char *complaint = quotable(&err);
	if (WIFEXITED(status))
		return error_set(error, "it ended with %d%s%s", WEXITSTATUS(status), *complaint ? ": " : "", complaint);
	return error_set(error, "it was ended by signal %d", WTERMSIG(status));
}

bool kube_exec_run(struct arena *arena, const struct kube_config *config, int deadline_ms,
                   struct kube_exec_credential *ret, struct error *error)
{
	CLEANUP(text_done) struct text out = {0};
	bool is_done =
	    run(arena, config, deadline_ms, &out, error) && kube_exec_parse(arena, text_get(&out), out.n, ret, error);
	return is_done || error_wrap(error, "exec plugin %s", config->exec->command);
}

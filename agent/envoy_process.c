#include "agent/envoy_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NO_EXEC 127
#define NUMBER_TEXT 24

/*
 * argv points into number and the options. No --drain-time-s: by it Envoy also bounds how long a TCP connection may
 * outlive a change of its listener, and a change of policy must cut none. How long the end takes is the agent's to
 * count (main.c).
 */
static bool make_arguments(const struct agent_options *options, char *argv[ENVOY_ARGUMENTS_MAX + 1],
                           char number[NUMBER_TEXT], struct error *error)
{
	const char *fixed[] = {options->envoy_path,
	                       "--config-path",
	                       options->bootstrap_file,
	                       "--disable-hot-restart",
	                       "--drain-strategy",
	                       "immediate",
	                       "--local-address-ip-version",
	                       strchr(options->instance_ip, ':') && !strchr(options->instance_ip, '.') ? "v6" : "v4",
	                       options->concurrency ? "--concurrency" : NULL,
	                       number};
	size_t n = 0;
	snprintf(number, NUMBER_TEXT, "%lld", (long long)options->concurrency);
	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && fixed[i]; i++) {
		union { /* execvp does not write to them */
			const char *constant;
			char *plain;
		} argument = {.constant = fixed[i]};
		argv[n++] = argument.plain;
	}
	for (char *const *argument = options->envoy_arguments; argument && *argument; argument++) {
		if (n == ENVOY_ARGUMENTS_MAX)
			return error_set(error, "more than %d arguments for Envoy", ENVOY_ARGUMENTS_MAX);
		argv[n++] = *argument;
	}
	argv[n] = NULL;
	return true;
}

static bool become(int64_t user)
{
	if (user < 0 || geteuid() != 0)
		return true;
	return !setgroups(0, NULL) && !setgid((gid_t)user) && !setuid((uid_t)user);
}

/* In the child, which has only this thread: says by the pipe what went wrong, if anything did. */
static void child(const struct agent_options *options, char *const *argv, int report)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (become(options->socket_owner) && !prctl(PR_SET_PDEATHSIG, SIGTERM))
		execvp(options->envoy_path, argv);
	int reason = errno;
	ssize_t ignored = write(report, &reason, sizeof reason);
	(void)ignored;
	_exit(EXIT_NO_EXEC);
}

pid_t envoy_process_start(const struct agent_options *options, struct error *error)
{
	char *argv[ENVOY_ARGUMENTS_MAX + 1], number[NUMBER_TEXT];
	int report[2], reason = 0;
	if (!make_arguments(options, argv, number, error))
		return -1;
	if (pipe2(report, O_CLOEXEC)) {
		error_set_errno(error, errno, "starting Envoy");
		return -1;
	}
	pid_t pid = fork();
	if (pid == 0)
		child(options, argv, report[1]);
	int fork_errno = errno;
	close(report[1]);
	bool has_failed = pid < 0 || read(report[0], &reason, sizeof reason) > 0;
	close(report[0]);
	if (!has_failed)
		return pid;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	error_set_errno(error, pid < 0 ? fork_errno : reason, "starting Envoy: %s", options->envoy_path);
	return -1;
}

int envoy_process_exit_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

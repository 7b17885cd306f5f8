/* weftd: starts the parts, waits for signals, stops the parts. */
#include "base/log.h"
#include "server/daemon.h"
#include "server/manual.h"
#include "server/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRIM_INTERVAL_S 3

enum exit_code { EXIT_STOPPED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Returns when told to stop. */
static void wait_for_end(struct daemon *daemon, const struct options *options, const sigset_t *signals)
{
	const struct timespec interval = {.tv_sec = TRIM_INTERVAL_S};

	for (;;) {
		int signal_number = sigtimedwait(signals, NULL, &interval);
		if (signal_number < 0) {
			if (errno == EAGAIN)
				daemon_trim(daemon);
		} else if (signal_number == SIGHUP) {
			daemon_reload(daemon);
		} else {
			log_info("main", "SIG%s: stopping, proxies get %lld s to leave", sigabbrev_np(signal_number),
			         (long long)options->drain_s);
			return;
		}
	}
}

/* Blocked here and so in every thread made later: the main thread waits for them. */
static void signals_take(sigset_t *signals)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	sigprocmask(SIG_BLOCK, signals, NULL);
}

static int run(const struct options *options)
{
	struct error error;
	sigset_t signals;

	signals_take(&signals);
	if (!process_raise_file_limit(&error))
		log_warn("main", "%s; going on with what there is", error.message);
	struct daemon *daemon = daemon_new(options, &error);
	if (!daemon) {
		log_error("main", "%s", error.message);
		return EXIT_FAILED;
	}
	wait_for_end(daemon, options, &signals);
	sigdelset(&signals, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &signals, NULL); /* a second one ends us as the system does it */
	daemon_stop(daemon, options->drain_s * 1000);
	log_info("main", "stopped");
	return EXIT_STOPPED;
}

int main(int argc, char **argv)
{
	static struct options options;
	struct error error;
	CLEANUP(text_done) struct text manual = {0};

	switch (options_parse(argc, argv, environ, &options, &error)) {
	case OPTIONS_HELP:
		manual_print(&manual);
		fputs(text_get(&manual), stdout);
		return fflush(stdout) ? EXIT_FAILED : EXIT_STOPPED;
	case OPTIONS_VERSION:
		puts("weftd " WEFT_VERSION);
		return fflush(stdout) ? EXIT_FAILED : EXIT_STOPPED;
	case OPTIONS_USAGE:
		fprintf(stderr, "weftd: %s\nTry 'weftd --help'.\n", error.message);
		return EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	log_init(options.log_level, options.is_log_json);
	return run(&options);
}

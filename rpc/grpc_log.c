#include "rpc/grpc_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "rpc/grpc_handshake.h"

#include <grpc/support/log.h>
#include <stdatomic.h>
#include <string.h>

#define GRPC_LOG_LINES_MAX 20 /* in GRPC_LOG_PERIOD_S */
#define GRPC_LOG_PERIOD_S 10

static _Atomic uint64_t accept_failures;
static _Atomic int64_t period_start_s;
static _Atomic unsigned period_lines;

static bool may_write(void)
{
	int64_t now_s = clock_now_ns(clock_system()) / CLOCK_S, start_s = atomic_load(&period_start_s);

	if (now_s - start_s >= GRPC_LOG_PERIOD_S && atomic_compare_exchange_strong(&period_start_s, &start_s, now_s))
		atomic_store(&period_lines, 0);
	return atomic_fetch_add(&period_lines, 1) < GRPC_LOG_LINES_MAX;
}

/* On any thread. */
static void grpc_log_line(gpr_log_func_args *args)
{
	if (strstr(args->message, "Failed accept4")) {
		atomic_fetch_add(&accept_failures, 1);
		log_error("xds", "the listener stopped accepting: %s; a restart is needed", args->message);
		return;
	}
	grpc_handshake_note(args->message);
	if (args->severity == GPR_LOG_SEVERITY_ERROR && may_write())
		log_warn("grpc", "%s", args->message);
}

void grpc_log_install(void)
{
	gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
	gpr_set_log_function(grpc_log_line);
	grpc_handshake_watch();
}

uint64_t grpc_log_accept_failures(void)
{
	return atomic_load(&accept_failures);
}

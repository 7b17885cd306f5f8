/* The mesh's access log: where it goes. */
#include "translator/envoy/access_log.h"

#include "base/text.h"

#include <string.h>

#define STDOUT_PATH "/dev/stdout"

bool access_log_is_of_denials(const struct emit *emit)
{
	return text_is_empty(emit->mesh->access_log_file);
}

/* An unprivileged proxy may not open /dev/stdout as a file, so that one has a logger of its own. */
static google_any *logger(const struct emit *emit, enum access_log_side side, char **name)
{
	struct arena *arena = emit->arena;
	if (access_log_is_of_denials(emit) || strcmp(emit->mesh->access_log_file, STDOUT_PATH) == 0) {
		*name = borrow(NAME_STDOUT_ACCESS_LOG);
		envoy_stdout_access_log *out = envoy_stdout_access_log_new(arena);
		out->access_log_format_case =
		    ENVOY__EXTENSIONS__ACCESS_LOGGERS__STREAM__V3__STDOUT_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT;
		out->log_format = access_log_format(emit, side);
		return pack_any(arena, &out->base);
	}
	*name = borrow(NAME_FILE_ACCESS_LOG);
	envoy_file_access_log *out = envoy_file_access_log_new(arena);
	out->path = borrow(emit->mesh->access_log_file);
	out->access_log_format_case =
	    ENVOY__EXTENSIONS__ACCESS_LOGGERS__FILE__V3__FILE_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT;
	out->log_format = access_log_format(emit, side);
	return pack_any(arena, &out->base);
}

size_t access_logs(const struct emit *emit, enum access_log_side side, envoy_access_log ***logs)
{
	bool is_of_denials = access_log_is_of_denials(emit);
	envoy_access_log_filter *filter = is_of_denials                 ? access_log_denials(emit, side)
	                                  : side == ACCESS_LOG_LISTENER ? access_log_unroutable(emit->arena)
	                                                                : NULL;
	if (is_of_denials && !filter)
		return 0;
	envoy_access_log *log = envoy_access_log_new(emit->arena);
	log->config_type_case = ENVOY__CONFIG__ACCESSLOG__V3__ACCESS_LOG__CONFIG_TYPE_TYPED_CONFIG;
	log->typed_config = logger(emit, side, &log->name);
	log->filter = filter;
	*logs = arena_memdup(emit->arena, &log, sizeof(envoy_access_log *));
	return 1;
}

void access_log_listener(const struct emit *emit, envoy_listener *listener)
{
	listener->n_access_log = access_logs(emit, ACCESS_LOG_LISTENER, &listener->access_log);
}

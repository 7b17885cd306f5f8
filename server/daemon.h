#pragma once
/*
 * The parts of weftd, and who tells whom. All ports are open from the beginning, so that a proxy that comes early waits
 * on its stream and not in a retry; it gets nothing before the configuration has been read once (/readyz says when).
 */
#include "server/options.h"

#include <stdint.h>

struct daemon;

/* Running; NULL when a part cannot be had. options: borrowed. */
struct daemon *daemon_new(const struct options *options, struct error *error);
/* Reads configuration files again. */
void daemon_reload(struct daemon *daemon);
/*
 * After a burst (many proxies at once, a large change) much of the heap is free but not given back. Trimming costs some
 * milliseconds, so it is done once things have been quiet from one call to the next.
 */
void daemon_trim(struct daemon *daemon);
/*
 * The admin pages stop asking the xDS server; then nothing new is published; then the proxies are let go, which get so
 * long to leave.
 */
void daemon_stop(struct daemon *daemon, int64_t grace_ms);

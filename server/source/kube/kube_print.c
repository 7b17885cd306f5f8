#include "server/source/kube/kube_print.h"

#include <string.h>

static const char *const health_names[] = {
    [KUBE_SYNCING] = "syncing",
    [KUBE_LIVE] = "live",
    [KUBE_STALE] = "stale",
};

static const char *const state_names[] = {
    [KUBE_WATCH_LISTING] = "listing",
    [KUBE_WATCH_WATCHING] = "watching",
    [KUBE_WATCH_ABSENT] = "not served",
};

struct counter {
	const char *name;
	size_t at; /* offset in struct kube_watch_status, a uint64_t */
};

#define AT(field) offsetof(struct kube_watch_status, field)

static const struct counter counters[] = {
    {"objects", AT(n_objects)}, {"events", AT(events)},         {"lists", AT(lists)},
    {"watches", AT(watches)},   {"expiredWatches", AT(gone)},   {"listChanges", AT(repairs)},
    {"failures", AT(failures)}, {"unreadable", AT(unreadable)},
};

static void print_kind(const struct kube_kind_stats *stats, enum kind kind, int64_t now_ns, struct text *out)
{
	const struct kube_watch_status *status = &stats->status;

	text_printf(
	    out, "{\"kind\":\"%s\",\"state\":\"%s\",\"synced\":%s,\"live\":%s,\"heardSecondsAgo\":", kinds[kind].kind,
	    state_names[status->state], status->is_synced ? "true" : "false", status->is_live ? "true" : "false");
	if (status->heard_ns)
		text_printf(out, "%.3f", (double)(now_ns - status->heard_ns) / 1e9);
	else
		text_add(out, "null");
	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		const void *at = (const char *)status + counters[i].at;
		text_printf(out, ",\"%s\":%llu", counters[i].name, (unsigned long long)*(const uint64_t *)at);
	}
	if (*stats->error.message) {
		text_add(out, ",\"error\":");
		text_add_json_string(out, stats->error.message, strlen(stats->error.message));
	}
	text_add_char(out, '}');
}

void kube_print(const struct kube_source_stats *stats, int64_t now_ns, struct text *out)
{
	bool is_first = true;

	text_printf(out,
	            "{\"health\":\"%s\",\"requests\":%llu,\"failedRequests\":%llu,\"connections\":%llu,"
	            "\"leader\":%s,\"statusWrites\":%llu,\"kinds\":[",
	            health_names[stats->health], (unsigned long long)stats->http.requests,
	            (unsigned long long)stats->http.failures, (unsigned long long)stats->http.connections,
	            stats->is_leader ? "true" : "false", (unsigned long long)stats->writes.writes);
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (!kube_source_reads((enum kind)i))
			continue;
		text_add(out, is_first ? "\n" : ",\n");
		print_kind(&stats->kinds[i], (enum kind)i, now_ns, out);
		is_first = false;
	}
	text_add(out, "\n]}\n");
}

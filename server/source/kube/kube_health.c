#include "server/source/kube/kube_private.h"

#include "base/log.h"

#include <string.h>

#define EPISODE_FAILURES 2 /* failures of a kind in a row that are worth a line in the log */

/* ---- the kube thread ---- */

/* When the kind was last heard of: a watch that lives is as good as the connection it is on. */
static int64_t kind_heard_ns(const struct kube_watch_status *status, const struct kube_http_stats *http)
{
	return status->is_live && http->last_byte_ns > status->heard_ns ? http->last_byte_ns : status->heard_ns;
}

void kube_health_publish(struct kube_source *source)
{
	bool is_synced = true;

	pthread_mutex_lock(&source->lock);
	kube_http_stats(source->http, &source->stats.http);
	kube_status_stats(source->status, &source->stats.writes);
	source->stats.is_leader = source->is_leader;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct kube_kind_stats *stats = &source->stats.kinds[i];
		if (!source->kinds[i].watch)
			continue;
		kube_watch_status(source->kinds[i].watch, &stats->status);
		stats->status.heard_ns = kind_heard_ns(&stats->status, &source->stats.http);
		if (strcmp(stats->error.message, stats->status.error) != 0)
			error_set(&stats->error, "%s", stats->status.error);
		stats->status.error = stats->error.message;
		is_synced &= stats->status.is_synced || !kube_is_needed((enum kind)i);
	}
	pthread_mutex_unlock(&source->lock);
	if (is_synced && !source->is_synced) {
		source->is_synced = true;
		kube_feed_wake(source->feed);
	}
}

void kube_health_log(struct kube_source *source)
{
	const struct kube_kind_stats *worst = NULL;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_kind_stats *stats = &source->stats.kinds[i];
		if (!*stats->error.message || stats->status.n_failures < EPISODE_FAILURES)
			continue;
		if (!worst || stats->status.n_failures > worst->status.n_failures) {
			worst = stats;
			at = i;
		}
		n++;
	}
	if (worst && !source->is_unwell)
		log_warn("kube", "%s: %s: %s (%zu kinds cannot be read); %s, retrying", source->config->server,
		         kinds[at].plural, worst->error.message, n,
		         source->is_synced ? "keeping last state" : "nothing is sent to proxies yet");
	else if (!worst && source->is_unwell)
		log_info("kube", "%s: all kinds are being watched again", source->config->server);
	source->is_unwell = worst != NULL;
}

void kube_health_log_synced(const struct kube_source *source)
{
	CLEANUP(text_done) struct text absent = {0}, forbidden = {0};
	uint64_t n_objects = 0, n_kinds = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_watch_status *status = &source->stats.kinds[i].status;
		if (!source->kinds[i].watch)
			continue;
		n_objects += status->n_objects;
		n_kinds += status->state != KUBE_WATCH_ABSENT && !status->is_forbidden;
		if (status->is_forbidden)
			text_printf(&forbidden, "%s%s", forbidden.n ? ", " : "", kinds[i].plural);
		if (status->state == KUBE_WATCH_ABSENT)
			text_printf(&absent, "%s%s", absent.n ? ", " : "", kinds[i].plural);
	}
	log_info("kube", "%llu objects of %llu kinds from %s%s%s%s%s", (unsigned long long)n_objects,
	         (unsigned long long)n_kinds, source->config->server,
	         absent.n ? "; not served there, waited for: " : "", text_get(&absent),
	         forbidden.n ? "; not allowed to read, done without: " : "", text_get(&forbidden));
}

/* ---- any thread ---- */

/* The kind that was not heard of for the longest, if that is too long. */
static bool find_stale(const struct kube_source *source, size_t *stale, int64_t *age_ns)
{
	int64_t now = kube_now_ns();
	*age_ns = source->stale_ns;
	bool is_found = false;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		int64_t kind_age_ns = now - source->stats.kinds[i].status.heard_ns;
		if (!kube_is_needed((enum kind)i) || kind_age_ns <= *age_ns)
			continue;
		*age_ns = kind_age_ns;
		*stale = i;
		is_found = true;
	}
	return is_found;
}

static enum kube_health health(const struct kube_source *source, struct error *note)
{
	size_t kind = 0;
	int64_t age_ns;

	note->message[0] = '\0';
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kube_kind_stats *stats = &source->stats.kinds[i];
		if (!kube_is_needed((enum kind)i) || stats->status.is_synced)
			continue;
		error_set(note, "waiting for %s of %s%s%s", kinds[i].plural, source->config->server,
		          *stats->error.message ? ": " : "", stats->error.message);
		return KUBE_SYNCING;
	}
	if (!find_stale(source, &kind, &age_ns))
		return KUBE_LIVE;
	const char *why = source->stats.kinds[kind].error.message;
	error_set(note, "nothing heard of %s at %s for %lld s%s%s; keeping last state", kinds[kind].plural,
	          source->config->server, (long long)(age_ns / CLOCK_S), *why ? ": " : "", why);
	return KUBE_STALE;
}

enum kube_health kube_source_health(struct kube_source *source, struct error *note)
{
	pthread_mutex_lock(&source->lock);
	enum kube_health result = health(source, note);
	pthread_mutex_unlock(&source->lock);
	return result;
}

void kube_source_stats(struct kube_source *source, struct kube_source_stats *stats)
{
	struct error note;
	pthread_mutex_lock(&source->lock);
	*stats = source->stats;
	stats->health = health(source, &note);
	for (size_t i = 0; i < KIND_COUNT; i++)
		stats->kinds[i].status.error = stats->kinds[i].error.message;
	pthread_mutex_unlock(&source->lock);
}

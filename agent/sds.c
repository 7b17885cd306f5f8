#include "agent/sds_private.h"

#include "base/heap.h"
#include "base/text.h"
#include "base/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const sds_methods[SDS_METHODS] = {
    [SDS_STREAM] = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
    [SDS_DELTA] = "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets",
};

/* ---- names ---- */

static struct sds_entry *entry_find(struct sds *sds, const char *name)
{
	struct sds_entry *entry = sds->entries;
	while (entry && strcmp(entry->name, name) != 0)
		entry = entry->next;
	return entry;
}

struct sds_entry *sds_entry_need(struct sds *sds, const char *name)
{
	struct sds_entry *entry = entry_find(sds, name);
	if (entry || sds->n_entries == SDS_TABLE_MAX)
		return entry;
	entry = HEAP_NEW(struct sds_entry);
	entry->name = heap_strdup(name);
	entry->next = sds->entries;
	sds->entries = entry;
	sds->n_entries++;
	return entry;
}

void sds_entry_settle(struct sds *sds, struct sds_entry *entry)
{
	bool is_own = !strcmp(entry->name, SDS_CERTIFICATE) || !strcmp(entry->name, SDS_ROOTS);
	struct sds_entry **link = &sds->entries;
	if (entry->n_subscriptions || is_own)
		return;
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	sds->n_entries--;
	sds_secret_unref(entry->secret);
	free(entry->name);
	free(entry);
}

/* ---- what others ask ---- */

void sds_put(struct sds *sds, const char *name, struct sds_secret *secret)
{
	struct sds_secret *former = secret;
	pthread_mutex_lock(&sds->lock);
	struct sds_entry *entry = sds_entry_need(sds, name);
	if (entry) {
		former = entry->secret;
		entry->secret = secret;
	}
	pthread_mutex_unlock(&sds->lock);
	sds_secret_unref(former);
}

static bool has_acknowledged(const struct sds_stream *stream, const struct sds_entry *entry, struct digest digest)
{
	for (size_t i = 0; i < stream->n_subscriptions; i++)
		if (stream->subscriptions[i].entry == entry &&
		    !digest_equal(stream->subscriptions[i].acknowledged, digest))
			return false;
	return true;
}

bool sds_is_acknowledged(struct sds *sds, const char *name, struct digest digest)
{
	pthread_mutex_lock(&sds->lock);
	const struct sds_entry *entry = entry_find(sds, name);
	bool is_acknowledged = entry && entry->secret && digest_equal(entry->secret->digest, digest) &&
	                       (entry->n_subscriptions || !entry->had_subscription);
	for (const struct sds_stream *stream = sds->streams; stream && is_acknowledged; stream = stream->next)
		is_acknowledged = has_acknowledged(stream, entry, digest);
	pthread_mutex_unlock(&sds->lock);
	return is_acknowledged;
}

struct sds_names sds_subscribed(struct sds *sds, const char *prefix, struct arena *arena)
{
	VEC(const char *) names = {0};
	pthread_mutex_lock(&sds->lock);
	for (const struct sds_entry *entry = sds->entries; entry; entry = entry->next)
		if (entry->n_subscriptions && text_has_prefix(entry->name, prefix))
			VEC_PUSH(arena, &names, arena_strdup(arena, entry->name));
	pthread_mutex_unlock(&sds->lock);
	return (struct sds_names){names.v, names.n};
}

void sds_stats(struct sds *sds, struct sds_stats *stats)
{
	pthread_mutex_lock(&sds->lock);
	*stats = sds->stats;
	pthread_mutex_unlock(&sds->lock);
}

/* ---- the transport's calls ---- */

static void *on_open(void *context, struct transport_stream *transport, unsigned method)
{
	struct sds *sds = context;
	pthread_mutex_lock(&sds->lock);
	struct sds_stream *stream = sds_stream_new(sds, transport, (enum sds_method)method);
	pthread_mutex_unlock(&sds->lock);
	return stream;
}

static void on_message(void *stream_context, const uint8_t *data, size_t n)
{
	struct sds_stream *stream = stream_context;
	struct sds *sds = stream->sds;
	pthread_mutex_lock(&sds->lock);
	bool is_news = sds_stream_message(stream, data, n);
	pthread_mutex_unlock(&sds->lock);
	if (is_news && sds->options.on_change)
		sds->options.on_change(sds->options.context);
}

static void on_ready(void *stream_context)
{
	struct sds_stream *stream = stream_context;
	pthread_mutex_lock(&stream->sds->lock);
	stream->is_sending = false;
	pthread_mutex_unlock(&stream->sds->lock);
}

static void on_close(void *stream_context)
{
	struct sds_stream *stream = stream_context;
	struct sds *sds = stream->sds;
	pthread_mutex_lock(&sds->lock);
	sds_stream_free(stream);
	pthread_mutex_unlock(&sds->lock);
	if (sds->options.on_change)
		sds->options.on_change(sds->options.context);
}

static int64_t on_work(void *context)
{
	struct sds *sds = context;
	pthread_mutex_lock(&sds->lock);
	for (struct sds_stream *stream = sds->streams; stream; stream = stream->next)
		sds_stream_work(stream);
	pthread_mutex_unlock(&sds->lock);
	return INT64_MAX;
}

struct transport_handler sds_handler(struct sds *sds)
{
	return (struct transport_handler){
	    .open = on_open,
	    .message = on_message,
	    .ready = on_ready,
	    .close = on_close,
	    .work = on_work,
	    .context = sds,
	};
}

/* ---- life ---- */

struct sds *sds_new(const struct sds_options *options)
{
	struct sds *sds = HEAP_NEW(struct sds);
	sds->options = *options;
	pthread_mutex_init(&sds->lock, NULL);
	return sds;
}

void sds_free(struct sds *sds)
{
	if (!sds)
		return;
	assert(!sds->streams);
	while (sds->entries) {
		struct sds_entry *entry = sds->entries;
		sds->entries = entry->next;
		sds_secret_unref(entry->secret);
		free(entry->name);
		free(entry);
	}
	pthread_mutex_destroy(&sds->lock);
	free(sds);
}

#pragma once
/*
 * The inside of the secrets' server, for sds.c (names, what others ask) and sds_stream.c (streams). Everything here
 * happens with the lock held.
 */
#include "agent/sds.h"

#include <pthread.h>

struct sds_entry {
	char *name;
	struct sds_secret *secret; /* NULL: none */
	unsigned n_subscriptions;
	bool had_subscription; /* ever */
	struct sds_entry *next;
};

struct sds_subscription {
	struct sds_entry *entry;
	struct digest sent, acknowledged; /* zero: none */
	uint64_t nonce;                   /* of the response with which it was sent */
};

struct sds_stream {
	struct sds *sds;
	struct transport_stream *transport;
	enum sds_method method;
	struct sds_subscription subscriptions[SDS_NAMES_MAX];
	size_t n_subscriptions;
	uint64_t nonce; /* of the last response */
	bool is_sending, is_finished;
	struct sds_stream *next, **link;
};

struct sds {
	struct sds_options options;
	pthread_mutex_t lock;
	struct sds_entry *entries;
	size_t n_entries;
	struct sds_stream *streams;
	struct sds_stats stats;
};

/* The entry, made when there is none; NULL when there are too many. */
struct sds_entry *sds_entry_need(struct sds *sds, const char *name);
/* Goes when nobody needs it. */
void sds_entry_settle(struct sds *sds, struct sds_entry *entry);

struct sds_stream *sds_stream_new(struct sds *sds, struct transport_stream *transport, enum sds_method method);
void sds_stream_free(struct sds_stream *stream);
/* Returns whether others may want to know. */
bool sds_stream_message(struct sds_stream *stream, const uint8_t *data, size_t n);
void sds_stream_work(struct sds_stream *stream); /* sends what is due */

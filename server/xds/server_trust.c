/* Who has taken the mesh's roots. */
#include "base/heap.h"
#include "server/xds/server_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOTS "ROOTCA" /* the name by which they are asked for */

/* By node id. */
static int compare_streams(const void *a, const void *b)
{
	const struct stream *x = *(const struct stream *const *)a, *y = *(const struct stream *const *)b;
	return strcmp(x->node->node.id, y->node->node.id);
}

static bool has_asked(const struct stream *stream)
{
	const struct subscription *sub = &stream->subs[RESOURCE_SECRET];
	return sub->is_open && (sub->is_wildcard || name_list_has(sub->names, ROOTS));
}

static bool has_acknowledged(const struct stream *stream, struct digest version)
{
	const struct subscription *sub = &stream->subs[RESOURCE_SECRET];
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		const struct resource *roots = sub->acked[i] ? resource_set_get(sub->acked[i], ROOTS) : NULL;
		if (roots && digest_equal(roots->version, version))
			return true;
	}
	return false;
}

/* The streams of one proxy. */
static void count_proxy(const struct stream *const *streams, size_t n, struct digest version, struct xds_trust *trust)
{
	bool is_verified = false, is_asking = false, is_acknowledged = false;

	for (size_t i = 0; i < n; i++)
		is_verified |= streams[i]->node->node.is_verified;
	for (size_t i = 0; i < n; i++) {
		if (is_verified && !streams[i]->node->node.is_verified)
			continue;
		is_asking |= has_asked(streams[i]);
		is_acknowledged |= has_acknowledged(streams[i], version);
	}
	trust->proxies++;
	trust->acknowledged += is_acknowledged;
	trust->unaware += !is_acknowledged && !is_asking;
	if (is_acknowledged || !is_asking)
		return;
	if (trust->n_waiting < XDS_TRUST_NAMES)
		snprintf(trust->waiting[trust->n_waiting], sizeof trust->waiting[0], "%s", streams[0]->node->node.id);
	trust->n_waiting++;
}

void xds_server_trust(struct xds_server *server, struct digest version, struct xds_trust *trust)
{
	size_t n = 0;

	*trust = (struct xds_trust){0};
	pthread_mutex_lock(&server->lock);
	const struct stream **streams = HEAP_NEW_N(const struct stream *, server->stats.streams);
	for (struct server_stream *entry = server->streams; entry; entry = entry->next) {
		if (entry->is_identified)
			streams[n++] = entry->stream;
	}
	qsort(streams, n, sizeof *streams, compare_streams);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && compare_streams(&streams[from], &streams[to]) == 0;)
			to++;
		count_proxy(streams + from, to - from, version, trust);
	}
	free(streams);
	pthread_mutex_unlock(&server->lock);
}

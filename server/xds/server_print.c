#include "base/heap.h"
#include "server/xds/reply.h"
#include "server/xds/server_private.h"

#include <stdlib.h>
#include <string.h>

/* By node id; streams of one id in the order of their connection. */
static int compare_streams(const void *a, const void *b)
{
	const struct stream *x = *(const struct stream *const *)a, *y = *(const struct stream *const *)b;
	int order = strcmp(x->node->node.id, y->node->node.id);
	return order ? order : (x->opened_ns > y->opened_ns) - (x->opened_ns < y->opened_ns);
}

static void print_version(struct text *out, const char *key, struct resource_set *const sets[SUBSCRIPTION_PARTS])
{
	struct digest version = subscription_version(sets);
	char hex[DIGEST_HEX];

	digest_hex(version, hex);
	text_add_json_member(out, key, digest_is_zero(version) ? "" : hex);
}

static void print_nack(struct text *out, const struct nack *nack)
{
	text_add(out, ",\"nack\":{");
	text_add_json_member(out, "resource", nack->resource);
	text_add_json_member(out, "message", nack->message);
	text_add_json_member(out, "version", nack->version);
	text_add_char(out, '}');
}

static void print_subscription(struct text *out, const struct subscription *sub)
{
	char nonce[REPLY_NONCE_MAX];

	text_printf(out, "\"%s\":{", resource_types[sub->type].short_name);
	print_version(out, "version", sub->sent);
	print_version(out, "acknowledged", sub->acked);
	reply_nonce(sub->nonce, nonce);
	text_add_json_member(out, "nonce", sub->nonce ? nonce : "");
	text_printf(out, ",\"resources\":%zu,\"subscribed\":", set_count(sub->acked[0]) + set_count(sub->acked[1]));
	if (sub->is_wildcard)
		text_add(out, "\"*\"");
	else
		text_printf(out, "%zu", sub->names ? sub->names->n : 0);
	if (sub->nack)
		print_nack(out, sub->nack);
	text_add_char(out, '}');
}

static void print_stream(struct text *out, const struct stream *stream, int64_t now_ns)
{
	char identity[SPIFFE_ID_TEXT] = "";
	bool is_first = true;

	text_add_char(out, '{');
	text_add_json_member(out, "id", stream->node->node.id);
	text_printf(out, ",\"connected_s\":%lld,\"protocol\":\"%s\",",
	            (long long)((now_ns - stream->opened_ns) / CLOCK_S),
	            stream->method->form == REQUEST_DELTA ? "delta" : "sotw");
	if (stream->transport->caller)
		spiffe_id_print(stream->transport->caller, identity);
	text_add_json_member(out, "identity", identity);
	text_add(out, ",\"types\":{");
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		if (!stream->subs[i].is_open)
			continue;
		text_add(out, is_first ? "" : ",");
		print_subscription(out, &stream->subs[i]);
		is_first = false;
	}
	text_add(out, "}}");
}

void xds_server_print_proxies(struct xds_server *server, struct text *out)
{
	size_t n = 0;

	pthread_mutex_lock(&server->lock);
	const struct stream **streams = HEAP_NEW_N(const struct stream *, server->stats.streams);
	for (struct server_stream *entry = server->streams; entry; entry = entry->next) {
		if (entry->is_identified)
			streams[n++] = entry->stream;
	}
	qsort(streams, n, sizeof(struct stream *), compare_streams);
	int64_t now_ns = clock_now_ns(server->clock);
	text_add_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		text_add(out, i ? ",\n" : "");
		print_stream(out, streams[i], now_ns);
	}
	text_add_char(out, ']');
	free(streams);
	pthread_mutex_unlock(&server->lock);
}

void xds_server_stats(struct xds_server *server, struct xds_stats *stats)
{
	pthread_mutex_lock(&server->lock);
	*stats = server->stats;
	pthread_mutex_unlock(&server->lock);
	if (server->transport)
		grpc_transport_stats(server->transport, &stats->transport);
}

#include "server/xds/server.h"

#include "base/heap.h"
#include "base/log.h"
#include "server/xds/server_private.h"

#include <assert.h>
#include <stdlib.h>

#define ACK_WAIT_MS 5000
#define ROSTER_GAP_MS 5      /* between two rosters: a thousand proxies that come at once are not a thousand rosters */
#define DEADLINE_GRAIN_MS 20 /* deadlines are looked through no more often */

/* ---- streams ---- */

static void server_time(struct server_stream *entry, bool is_timed)
{
	struct xds_server *server = entry->server;

	if (is_timed == entry->is_timed)
		return;
	entry->is_timed = is_timed;
	if (is_timed) {
		entry->timed_previous = NULL;
		entry->timed_next = server->timed;
		if (entry->timed_next)
			entry->timed_next->timed_previous = entry;
		server->timed = entry;
		return;
	}
	*(entry->timed_previous ? &entry->timed_previous->timed_next : &server->timed) = entry->timed_next;
	if (entry->timed_next)
		entry->timed_next->timed_previous = entry->timed_previous;
}

static void server_leave_wave(struct server_stream *entry)
{
	struct xds_server *server = entry->server;

	if (!entry->wave)
		return;
	waves_leave(&server->waves, entry->wave, clock_now_ns(server->clock), &server->stats);
	entry->wave = 0;
}

/* After anything that happened to the stream. */
static void server_settle(struct server_stream *entry)
{
	struct xds_server *server = entry->server;
	struct stream *stream = entry->stream;

	if (stream->node && !entry->is_identified) {
		entry->is_identified = true;
		server->is_roster_changed = true;
		struct proxy_config *config =
		    server->generation ? generation_config(server->generation, stream->node) : NULL;
		if (config)
			stream_set_config(stream, config);
	}
	if (stream->is_settled)
		server_leave_wave(entry);
	server_time(entry, stream->deadline_ns != INT64_MAX);
	if (stream->deadline_ns < server->timed_ns)
		server->timed_ns = stream->deadline_ns;
}

static void *server_open(void *context, struct transport_stream *transport, unsigned method)
{
	struct xds_server *server = context;
	struct server_stream *entry = HEAP_NEW(struct server_stream);

	pthread_mutex_lock(&server->lock);
	assert(method < STREAM_METHODS);
	entry->server = server;
	entry->stream = stream_new(&server->env, transport, &stream_methods[method]);
	entry->next = server->streams;
	if (entry->next)
		entry->next->previous = entry;
	server->streams = entry;
	server->stats.streams++;
	server->stats.streams_total++;
	pthread_mutex_unlock(&server->lock);
	return entry;
}

static void server_message(void *context, const uint8_t *data, size_t n)
{
	struct server_stream *entry = context;
	struct xds_server *server = entry->server;

	pthread_mutex_lock(&server->lock);
	stream_message(entry->stream, data, n);
	server_settle(entry);
	pthread_mutex_unlock(&server->lock);
}

static void server_ready(void *context)
{
	struct server_stream *entry = context;
	struct xds_server *server = entry->server;

	pthread_mutex_lock(&server->lock);
	stream_ready(entry->stream);
	server_settle(entry);
	pthread_mutex_unlock(&server->lock);
}

static void server_close(void *context)
{
	struct server_stream *entry = context;
	struct xds_server *server = entry->server;

	pthread_mutex_lock(&server->lock);
	server_leave_wave(entry);
	server_time(entry, false);
	*(entry->previous ? &entry->previous->next : &server->streams) = entry->next;
	if (entry->next)
		entry->next->previous = entry->previous;
	server->is_roster_changed |= entry->is_identified;
	server->stats.streams--;
	stream_free(entry->stream);
	free(entry);
	pthread_mutex_unlock(&server->lock);
}

/* ---- what is due ---- */

static void server_take_generation(struct xds_server *server, struct generation *generation)
{
	bool is_measured = generation->event_ns != 0;

	generation_unref(server->generation);
	server->generation = generation;
	if (is_measured)
		waves_begin(&server->waves, generation->event_ns, &server->stats);
	for (struct server_stream *entry = server->streams; entry; entry = entry->next) {
		if (!entry->is_identified)
			continue;
		/* who joined after it was made keeps what it has until the next */
		struct proxy_config *config = generation_config(generation, entry->stream->node);
		if (!config)
			continue;
		stream_set_config(entry->stream, config);
		if (is_measured && !entry->stream->is_settled)
			entry->wave = waves_join(&server->waves, entry->wave);
		server_settle(entry);
	}
	if (is_measured)
		waves_close(&server->waves, clock_now_ns(server->clock), &server->stats);
}

static void server_send_roster(struct xds_server *server)
{
	size_t n = 0;
	struct roster_node **nodes = HEAP_NEW_N(struct roster_node *, server->stats.streams);

	for (struct server_stream *entry = server->streams; entry; entry = entry->next) {
		if (entry->is_identified)
			nodes[n++] = entry->stream->node;
	}
	struct roster *roster = roster_new(nodes, n);
	free(nodes);
	if (server->options.on_roster)
		server->options.on_roster(server->options.context, roster);
	else
		roster_unref(roster);
}

/* Returns when the next roster may go. */
static int64_t server_work_roster(struct xds_server *server, int64_t now_ns)
{
	int64_t gap_ns = ROSTER_GAP_MS * CLOCK_MS;

	if (!server->is_roster_changed)
		return INT64_MAX;
	if (now_ns - server->roster_ns < gap_ns)
		return server->roster_ns + gap_ns;
	server->is_roster_changed = false;
	server->roster_ns = now_ns;
	server_send_roster(server);
	return INT64_MAX;
}

/* Returns the next deadline. */
static int64_t server_work_timed(struct xds_server *server, int64_t now_ns)
{
	if (now_ns < server->timed_ns)
		return server->timed_ns;
	server->timed_ns = INT64_MAX;
	for (struct server_stream *entry = server->timed, *next; entry; entry = next) {
		next = entry->timed_next;
		if (entry->stream->deadline_ns <= now_ns)
			stream_work(entry->stream);
		server_settle(entry);
	}
	int64_t soonest_ns = now_ns + DEADLINE_GRAIN_MS * CLOCK_MS;
	if (server->timed_ns < soonest_ns)
		server->timed_ns = soonest_ns;
	return server->timed_ns;
}

static int64_t server_work(void *context)
{
	struct xds_server *server = context;

	pthread_mutex_lock(&server->lock);
	struct generation *generation = slot_take(server->published);
	if (generation)
		server_take_generation(server, generation);
	int64_t now_ns = clock_now_ns(server->clock);
	int64_t next_ns = server_work_timed(server, now_ns);
	int64_t roster_ns = server_work_roster(server, now_ns);
	int64_t sweep_ns = set_cache_sweep(server->env.shared.sets);
	pthread_mutex_unlock(&server->lock);
	next_ns = roster_ns < next_ns ? roster_ns : next_ns;
	return sweep_ns < next_ns ? sweep_ns : next_ns;
}

/* ---- life ---- */

static void generation_drop(void *generation)
{
	generation_unref(generation);
}

struct xds_server *xds_server_new(const struct xds_server_options *options)
{
	struct xds_server *server = HEAP_NEW(struct xds_server);
	struct name_table *names = name_table_new();

	server->options = *options;
	server->clock = clock_system();
	server->published = slot_new(generation_drop);
	server->handler = (struct transport_handler){.open = server_open,
	                                             .message = server_message,
	                                             .ready = server_ready,
	                                             .close = server_close,
	                                             .work = server_work,
	                                             .context = server};
	pthread_mutex_init(&server->lock, NULL);
	server->timed_ns = INT64_MAX;
	waves_init(&server->waves);
	server->env = (struct stream_env){
	    .clock = server->clock,
	    .shared = {.sets = set_cache_new(server->clock, names), .names = names},
	    .ack_wait_ns = (options->ack_wait_ms ? options->ack_wait_ms : ACK_WAIT_MS) * CLOCK_MS,
	    .stats = &server->stats,
	};
	return server;
}

void xds_server_free(struct xds_server *server)
{
	if (!server)
		return;
	assert(!server->streams);
	set_cache_free(server->env.shared.sets);
	name_table_free(server->env.shared.names);
	slot_free(server->published);
	generation_unref(server->generation);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

void xds_server_methods(struct xds_server *server, struct transport_method methods[XDS_METHODS])
{
	static_assert(XDS_METHODS == STREAM_METHODS, "each method of a stream is served");
	for (unsigned i = 0; i < XDS_METHODS; i++)
		methods[i] =
		    (struct transport_method){.path = stream_methods[i].path, .handler = &server->handler, .method = i};
}

void xds_server_attach(struct xds_server *server, struct grpc_transport *transport)
{
	server->transport = transport;
}

void xds_server_publish(struct xds_server *server, struct generation *generation)
{
	slot_put(server->published, generation);
	grpc_transport_wake(server->transport);
}

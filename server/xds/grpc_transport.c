#include "server/xds/grpc_transport.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/xds/grpc_log.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define EVENTS_MAX 256 /* handled before the handler's work is done */
#define KEEPALIVE_TIME_MS 30000
#define KEEPALIVE_TIMEOUT_MS 10000
#define MIN_PING_INTERVAL_MS 5000
#define CONNECTION_AGE_GRACE_MS 30000

/* What an event of the completion queue is about. */
enum tag_kind { TAG_ACCEPT, TAG_RECEIVE, TAG_SEND, TAG_CLOSE, TAG_FINISH, TAG_WAKE, TAG_SHUTDOWN };

struct tag {
	enum tag_kind kind;
	void *owner;
};

/* One waiting place for a call of one method. */
struct acceptor {
	struct tag tag;
	struct grpc_transport *transport;
	unsigned method;
	void *registered;
	grpc_call *call;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	bool is_armed;
};

enum send_state { SEND_NONE, SEND_QUEUED, SEND_FRESH, SEND_SLOW, SEND_STATES };

struct grpc_stream {
	struct transport_stream base;
	struct grpc_transport *transport;
	void *context; /* the handler's; NULL once it was told of the end */
	grpc_call *call;
	struct tag receive, send, close, finish;
	unsigned n_tags; /* on their way; the stream lives at least as long */
	bool is_finished, is_closed;
	grpc_byte_buffer *received, *sending;
	int cancelled;
	enum send_state send_state;
	bool has_place; /* among SENDS_MAX */
	size_t send_bytes;
	int64_t send_ns;
	struct grpc_stream *next, *previous;           /* of all */
	struct grpc_stream *send_next, *send_previous; /* of those in the same state */
};

struct send_line {
	struct grpc_stream *first, *last;
};

struct grpc_transport {
	struct grpc_transport_options options;
	grpc_completion_queue *queue;
	grpc_server *server;
	unsigned port;
	pthread_t thread;
	bool is_started;

	struct acceptor *acceptors;
	struct grpc_stream *streams;
	unsigned n_streams, n_armed;
	struct send_line lines[SEND_STATES];
	unsigned n_places;
	size_t slow_bytes;

	grpc_channel *bell_channel;
	grpc_call *bell;
	pthread_mutex_t bell_mutex;
	struct tag wake, shutdown;
	_Atomic bool is_ringing, is_stopping;
	int64_t grace_ms;
	bool is_shutting_down, is_shut_down, is_cancelled;
	int64_t cancel_ns;

	_Atomic uint64_t stalled_streams, refused_streams;
};

static void *transport_alloc(size_t size)
{
	void *memory = calloc(1, size);
	if (!memory)
		abort();
	return memory;
}

/* ---- lines of sends ---- */

static void line_add(struct grpc_stream *stream, enum send_state state)
{
	struct send_line *line = &stream->transport->lines[state];

	stream->send_state = state;
	stream->send_next = NULL;
	stream->send_previous = line->last;
	*(line->last ? &line->last->send_next : &line->first) = stream;
	line->last = stream;
}

static void line_remove(struct grpc_stream *stream)
{
	struct send_line *line = &stream->transport->lines[stream->send_state];

	*(stream->send_previous ? &stream->send_previous->send_next : &line->first) = stream->send_next;
	*(stream->send_next ? &stream->send_next->send_previous : &line->last) = stream->send_previous;
	stream->send_state = SEND_NONE;
}

static void send_place_release(struct grpc_stream *stream)
{
	if (stream->has_place)
		stream->transport->n_places--;
	stream->has_place = false;
}

/* The message has left, or never will. */
static void send_end(struct grpc_stream *stream)
{
	if (stream->send_state == SEND_SLOW)
		stream->transport->slow_bytes -= stream->send_bytes;
	send_place_release(stream);
	line_remove(stream);
	grpc_byte_buffer_destroy(stream->sending);
	stream->sending = NULL;
}

/* ---- streams ---- */

static void stream_start(struct grpc_stream *stream, const grpc_op *ops, size_t n_ops, struct tag *tag)
{
	grpc_call_error result = grpc_call_start_batch(stream->call, ops, n_ops, tag, NULL);
	assert(result == GRPC_CALL_OK);
	stream->n_tags++;
}

static void stream_receive(struct grpc_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->received};
	stream_start(stream, &op, 1, &stream->receive);
}

static void stream_send_now(struct grpc_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->sending};

	if (stream->send_bytes > SEND_SMALL_BYTES) {
		stream->has_place = true;
		stream->transport->n_places++;
	}
	stream->send_ns = clock_now_ns(clock_system());
	line_add(stream, SEND_FRESH);
	stream_start(stream, &op, 1, &stream->send);
}

static void slice_done(void *buffer)
{
	buffer_unref(buffer);
}

static void grpc_stream_send(struct transport_stream *base, struct buffer *const *parts, size_t n_parts)
{
	struct grpc_stream *stream = (struct grpc_stream *)base;
	struct grpc_transport *transport = stream->transport;
	grpc_slice slices[TRANSPORT_PARTS_MAX];

	assert(n_parts <= TRANSPORT_PARTS_MAX && stream->send_state == SEND_NONE);
	if (stream->is_finished)
		return;
	stream->send_bytes = 0;
	for (size_t i = 0; i < n_parts; i++) {
		slices[i] =
		    grpc_slice_new_with_user_data(parts[i]->data, parts[i]->n, slice_done, buffer_ref(parts[i]));
		stream->send_bytes += parts[i]->n;
	}
	stream->sending = grpc_raw_byte_buffer_create(slices, n_parts);
	for (size_t i = 0; i < n_parts; i++)
		grpc_slice_unref(slices[i]);
	if (stream->send_bytes > SEND_SMALL_BYTES && transport->n_places >= SENDS_MAX)
		line_add(stream, SEND_QUEUED);
	else
		stream_send_now(stream);
}

static void grpc_stream_finish(struct transport_stream *base, enum transport_status status, const char *message)
{
	struct grpc_stream *stream = (struct grpc_stream *)base;
	grpc_slice details = grpc_slice_from_copied_string(message);
	const grpc_op op = {
	    .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
	    .data.send_status_from_server = {.status = (grpc_status_code)status, .status_details = &details}};

	if (!stream->is_finished && !stream->is_closed) {
		stream->is_finished = true;
		if (stream->send_state == SEND_QUEUED)
			send_end(stream);
		stream_start(stream, &op, 1, &stream->finish);
	}
	grpc_slice_unref(details);
}

static void grpc_stream_peer(struct transport_stream *base, struct text *out)
{
	struct grpc_stream *stream = (struct grpc_stream *)base;
	char *peer = grpc_call_get_peer(stream->call);

	text_add(out, peer);
	gpr_free(peer);
}

static const struct transport_ops grpc_stream_ops = {
    .send = grpc_stream_send,
    .finish = grpc_stream_finish,
    .peer = grpc_stream_peer,
};

static struct grpc_stream *grpc_stream_new(struct grpc_transport *transport, grpc_call *call)
{
	struct grpc_stream *stream = transport_alloc(sizeof *stream);

	*stream = (struct grpc_stream){
	    .base.ops = &grpc_stream_ops,
	    .transport = transport,
	    .call = call,
	    .receive = {TAG_RECEIVE, stream},
	    .send = {TAG_SEND, stream},
	    .close = {TAG_CLOSE, stream},
	    .finish = {TAG_FINISH, stream},
	    .next = transport->streams,
	};
	if (stream->next)
		stream->next->previous = stream;
	transport->streams = stream;
	transport->n_streams++;
	return stream;
}

/* A tag came back; with the last one after the end the stream goes. */
static void grpc_stream_settle(struct grpc_stream *stream)
{
	struct grpc_transport *transport = stream->transport;

	assert(stream->n_tags > 0);
	if (--stream->n_tags || !stream->is_closed)
		return;
	*(stream->previous ? &stream->previous->next : &transport->streams) = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	transport->n_streams--;
	grpc_call_unref(stream->call);
	free(stream);
}

/* ---- events ---- */

static void acceptor_arm(struct acceptor *acceptor)
{
	struct grpc_transport *transport = acceptor->transport;

	grpc_metadata_array_init(&acceptor->metadata);
	acceptor->call = NULL;
	grpc_call_error result = grpc_server_request_registered_call(
	    transport->server, acceptor->registered, &acceptor->call, &acceptor->deadline, &acceptor->metadata, NULL,
	    transport->queue, transport->queue, &acceptor->tag);
	acceptor->is_armed = result == GRPC_CALL_OK;
	transport->n_armed += acceptor->is_armed;
}

static void stream_open(struct grpc_transport *transport, grpc_call *call, unsigned method)
{
	bool is_full = transport->n_streams >= transport->options.max_streams;
	struct grpc_stream *stream = grpc_stream_new(transport, call);
	const grpc_op ops[] = {
	    {.op = GRPC_OP_SEND_INITIAL_METADATA},
	    {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &stream->cancelled}};

	stream_start(stream, ops, 2, &stream->close);
	if (is_full) {
		atomic_fetch_add(&transport->refused_streams, 1);
		grpc_stream_finish(&stream->base, TRANSPORT_RESOURCE_EXHAUSTED, "too many streams");
	} else if (transport->is_shutting_down) {
		grpc_stream_finish(&stream->base, TRANSPORT_UNAVAILABLE, "shutting down");
	} else {
		stream->context =
		    transport->options.handler.open(transport->options.handler.context, &stream->base, method);
		stream_receive(stream);
	}
}

static void on_accept(struct acceptor *acceptor, bool is_ok)
{
	struct grpc_transport *transport = acceptor->transport;
	grpc_call *call = acceptor->call;

	transport->n_armed--;
	acceptor->is_armed = false;
	grpc_metadata_array_destroy(&acceptor->metadata);
	if (!is_ok)
		return; /* shutting down */
	stream_open(transport, call, acceptor->method);
	if (!transport->is_shutting_down)
		acceptor_arm(acceptor);
}

static void on_receive(struct grpc_stream *stream)
{
	grpc_byte_buffer_reader reader;
	grpc_byte_buffer *received = stream->received;

	stream->received = NULL;
	if (received && stream->context && !stream->is_finished && grpc_byte_buffer_reader_init(&reader, received)) {
		grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
		stream->transport->options.handler.message(stream->context, GRPC_SLICE_START_PTR(slice),
		                                           GRPC_SLICE_LENGTH(slice));
		grpc_slice_unref(slice);
		grpc_byte_buffer_reader_destroy(&reader);
	}
	if (!received) /* the peer will send no more, or is gone */
		grpc_stream_finish(&stream->base, TRANSPORT_OK, "");
	grpc_byte_buffer_destroy(received);
	if (!stream->is_finished && !stream->is_closed)
		stream_receive(stream);
	grpc_stream_settle(stream);
}

static void on_send(struct grpc_stream *stream, bool is_ok)
{
	send_end(stream);
	if (is_ok && stream->context && !stream->is_finished)
		stream->transport->options.handler.ready(stream->context);
	grpc_stream_settle(stream);
}

static void on_close(struct grpc_stream *stream)
{
	void *context = stream->context;

	stream->is_closed = true;
	stream->context = NULL;
	if (stream->send_state == SEND_QUEUED)
		send_end(stream);
	if (context)
		stream->transport->options.handler.close(context);
	grpc_stream_settle(stream);
}

static void on_event(struct grpc_transport *transport, const grpc_event *event)
{
	struct tag *tag = event->tag;

	switch (tag->kind) {
	case TAG_ACCEPT:
		on_accept(tag->owner, event->success);
		break;
	case TAG_RECEIVE:
		on_receive(tag->owner);
		break;
	case TAG_SEND:
		on_send(tag->owner, event->success);
		break;
	case TAG_CLOSE:
		on_close(tag->owner);
		break;
	case TAG_FINISH:
		grpc_stream_settle(tag->owner);
		break;
	case TAG_WAKE:
		atomic_store(&transport->is_ringing, false);
		break;
	case TAG_SHUTDOWN:
		transport->is_shut_down = true;
		break;
	}
}

/* ---- what is due ---- */

static void send_queued(struct grpc_transport *transport)
{
	while (transport->n_places < SENDS_MAX && transport->lines[SEND_QUEUED].first) {
		struct grpc_stream *stream = transport->lines[SEND_QUEUED].first;
		line_remove(stream);
		stream_send_now(stream);
	}
}

/* Slow sends leave their places; stalled ones lose their streams. */
static int64_t send_watch(struct grpc_transport *transport, int64_t now_ns)
{
	int64_t stalled_ns = transport->options.stalled_stream_ms * CLOCK_MS, next_ns = INT64_MAX;
	struct grpc_stream *stream;

	while ((stream = transport->lines[SEND_FRESH].first)) {
		if (now_ns - stream->send_ns < SEND_SLOW_MS * CLOCK_MS) {
			next_ns = stream->send_ns + SEND_SLOW_MS * CLOCK_MS;
			break;
		}
		line_remove(stream);
		line_add(stream, SEND_SLOW);
		transport->slow_bytes += stream->send_bytes;
		if (transport->slow_bytes <= SENDS_SLOW_BYTES)
			send_place_release(stream);
	}
	while ((stream = transport->lines[SEND_SLOW].first)) {
		if (now_ns - stream->send_ns < stalled_ns) {
			if (stream->send_ns + stalled_ns < next_ns)
				next_ns = stream->send_ns + stalled_ns;
			break;
		}
		/* it comes back as failed, and would be cancelled once more if it did not */
		line_remove(stream);
		stream->send_ns = now_ns;
		line_add(stream, SEND_SLOW);
		if (!stream->is_closed)
			atomic_fetch_add(&transport->stalled_streams, 1);
		stream->is_finished = true;
		grpc_call_cancel_with_status(stream->call, GRPC_STATUS_UNAVAILABLE, "the peer does not read", NULL);
	}
	return next_ns;
}

static void transport_stop(struct grpc_transport *transport, int64_t now_ns)
{
	transport->is_shutting_down = true;
	transport->cancel_ns = now_ns + transport->grace_ms * CLOCK_MS;
	grpc_server_shutdown_and_notify(transport->server, transport->queue, &transport->shutdown);
	for (struct grpc_stream *stream = transport->streams; stream; stream = stream->next)
		grpc_stream_finish(&stream->base, TRANSPORT_UNAVAILABLE, "shutting down");
}

/* Returns when to look again. */
static int64_t transport_work(struct grpc_transport *transport)
{
	int64_t now_ns = clock_now_ns(clock_system());

	if (atomic_load(&transport->is_stopping) && !transport->is_shutting_down)
		transport_stop(transport, now_ns);
	if (transport->is_shutting_down && !transport->is_cancelled && now_ns >= transport->cancel_ns) {
		transport->is_cancelled = true;
		grpc_server_cancel_all_calls(transport->server);
	}
	int64_t next_ns = transport->options.handler.work(transport->options.handler.context);
	int64_t watch_ns = send_watch(transport, now_ns);
	send_queued(transport);
	if (watch_ns < next_ns)
		next_ns = watch_ns;
	if (transport->is_shutting_down && !transport->is_cancelled && transport->cancel_ns < next_ns)
		next_ns = transport->cancel_ns;
	return next_ns;
}

static gpr_timespec deadline_at(int64_t at_ns)
{
	if (at_ns == INT64_MAX)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	int64_t wait_ns = at_ns - clock_now_ns(clock_system());
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(wait_ns > 0 ? wait_ns : 0, GPR_TIMESPAN));
}

static void *transport_thread(void *argument)
{
	struct grpc_transport *transport = argument;
	int64_t next_ns = transport_work(transport);

	while (!transport->is_shut_down || transport->n_streams || transport->n_armed) {
		gpr_timespec deadline = deadline_at(next_ns);
		for (unsigned i = 0; i < EVENTS_MAX; i++) {
			grpc_event event = grpc_completion_queue_next(transport->queue, deadline, NULL);
			if (event.type != GRPC_OP_COMPLETE)
				break;
			on_event(transport, &event);
			deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC); /* what else there is, without waiting */
		}
		next_ns = transport_work(transport);
	}
	return NULL;
}

/* ---- life ---- */

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static grpc_arg integer_arg(const char *key, int value)
{
	/* gRPC copies keys and does not write to them */
	union {
		const char *constant;
		char *plain;
	} name = {.constant = key};
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = name.plain, .value.integer = value};
}

static grpc_server *transport_server(const struct grpc_transport_options *options)
{
	grpc_arg args[16];
	size_t n = 0;

	args[n++] = integer_arg(GRPC_ARG_ALLOW_REUSEPORT, 0); /* a second daemon must not bind the same port */
	args[n++] = integer_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)options->max_streams_per_connection);
	args[n++] = integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)options->max_request_bytes);
	args[n++] = integer_arg(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1);
	args[n++] = integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS);
	args[n++] = integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
	args[n++] = integer_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
	args[n++] = integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
	args[n++] = integer_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, MIN_PING_INTERVAL_MS);
	/* identity only: a small compressed request could be a large one */
	args[n++] = integer_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
	if (options->max_connection_age_ms) {
		args[n++] = integer_arg(GRPC_ARG_MAX_CONNECTION_AGE_MS, (int)options->max_connection_age_ms);
		args[n++] = integer_arg(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, CONNECTION_AGE_GRACE_MS);
	}
	assert(n <= sizeof args / sizeof args[0]);
	const grpc_channel_args channel_args = {.num_args = n, .args = args};
	return grpc_server_create(&channel_args, NULL);
}

static void transport_make_bell(struct grpc_transport *transport)
{
	grpc_slice method = grpc_slice_from_static_string("/weft/wake");

	transport->bell_channel = grpc_lame_client_channel_create("weft:wake", GRPC_STATUS_UNAVAILABLE, "a bell");
	transport->bell =
	    grpc_channel_create_call(transport->bell_channel, NULL, GRPC_PROPAGATE_DEFAULTS, transport->queue, method,
	                             NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	transport->wake = (struct tag){TAG_WAKE, transport};
	transport->shutdown = (struct tag){TAG_SHUTDOWN, transport};
	pthread_mutex_init(&transport->bell_mutex, NULL);
}

static void transport_make_acceptors(struct grpc_transport *transport)
{
	size_t n = transport->options.n_methods;

	transport->acceptors = transport_alloc(n * sizeof *transport->acceptors);
	for (size_t i = 0; i < n; i++) {
		struct acceptor *acceptor = &transport->acceptors[i];
		acceptor->tag = (struct tag){TAG_ACCEPT, acceptor};
		acceptor->transport = transport;
		acceptor->method = (unsigned)i;
		acceptor->registered = grpc_server_register_method(transport->server, transport->options.methods[i],
		                                                   NULL, GRPC_SRM_PAYLOAD_NONE, 0);
		assert(acceptor->registered);
	}
}

/* All but the thread. */
static void transport_destroy(struct grpc_transport *transport)
{
	grpc_server_destroy(transport->server);
	grpc_call_unref(transport->bell);
	grpc_channel_destroy(transport->bell_channel);
	grpc_completion_queue_shutdown(transport->queue);
	while (grpc_completion_queue_next(transport->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
	       GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(transport->queue);
	pthread_mutex_destroy(&transport->bell_mutex);
	free(transport->acceptors);
	free(transport);
	grpc_shutdown_blocking();
}

struct grpc_transport *grpc_transport_new(const struct grpc_transport_options *options, struct error *error)
{
	struct grpc_transport *transport = transport_alloc(sizeof *transport);

	raise_file_limit();
	grpc_log_install();
	grpc_init();
	transport->options = *options;
	transport->queue = grpc_completion_queue_create_for_next(NULL);
	transport->server = transport_server(options);
	grpc_server_register_completion_queue(transport->server, transport->queue, NULL);
	transport_make_bell(transport);
	transport_make_acceptors(transport);

	grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
	int port = grpc_server_add_http2_port(transport->server, options->address, credentials);
	grpc_server_credentials_release(credentials);
	if (port > 0) {
		transport->port = (unsigned)port;
		return transport;
	}
	error_set(error, "cannot listen on %s: it is in use, or not an address of this machine", options->address);
	/* a server that never started must be started before it can be destroyed */
	grpc_server_start(transport->server);
	grpc_server_shutdown_and_notify(transport->server, transport->queue, &transport->shutdown);
	grpc_completion_queue_next(transport->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	transport_destroy(transport);
	return NULL;
}

void grpc_transport_start(struct grpc_transport *transport)
{
	grpc_server_start(transport->server);
	for (size_t i = 0; i < transport->options.n_methods; i++)
		acceptor_arm(&transport->acceptors[i]);
	transport->is_started = true;
	int result = pthread_create(&transport->thread, NULL, transport_thread, transport);
	assert(result == 0);
}

void grpc_transport_free(struct grpc_transport *transport, int64_t grace_ms)
{
	if (!transport)
		return;
	if (!transport->is_started)
		grpc_transport_start(transport);
	transport->grace_ms = grace_ms;
	atomic_store(&transport->is_stopping, true);
	grpc_transport_wake(transport);
	pthread_join(transport->thread, NULL);
	transport_destroy(transport);
}

unsigned grpc_transport_port(const struct grpc_transport *transport)
{
	return transport->port;
}

void grpc_transport_wake(struct grpc_transport *transport)
{
	if (atomic_exchange(&transport->is_ringing, true))
		return;
	pthread_mutex_lock(&transport->bell_mutex);
	grpc_call_error result = grpc_call_start_batch(transport->bell, NULL, 0, &transport->wake, NULL);
	assert(result == GRPC_CALL_OK);
	pthread_mutex_unlock(&transport->bell_mutex);
}

void grpc_transport_stats(const struct grpc_transport *transport, struct grpc_transport_stats *stats)
{
	stats->stalled_streams = atomic_load(&transport->stalled_streams);
	stats->refused_streams = atomic_load(&transport->refused_streams);
	stats->accept_failures = grpc_log_accept_failures();
}

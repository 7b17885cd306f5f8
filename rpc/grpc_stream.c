#include "rpc/grpc_private.h"

#include "base/clock.h"
#include "base/heap.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <stdatomic.h>
#include <stdlib.h>

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

static void call_start(struct grpc_stream *stream, const grpc_op *ops, size_t n_ops, struct tag *tag)
{
	grpc_call_error result = grpc_call_start_batch(stream->call, ops, n_ops, tag, NULL);
	assert(result == GRPC_CALL_OK);
	stream->n_tags++;
}

static void call_receive(struct grpc_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->received};
	call_start(stream, &op, 1, &stream->receive);
}

static void call_send(struct grpc_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->sending};

	if (stream->send_bytes > SEND_SMALL_BYTES) {
		stream->has_place = true;
		stream->transport->n_places++;
	}
	stream->send_ns = clock_now_ns(clock_system());
	line_add(stream, SEND_FRESH);
	call_start(stream, &op, 1, &stream->send);
}

static void slice_done(void *buffer)
{
	buffer_unref(buffer);
}

static void ops_send(struct transport_stream *base, struct buffer *const *parts, size_t n_parts)
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
		call_send(stream);
}

void grpc_stream_finish(struct grpc_stream *stream, enum transport_status status, const char *message)
{
	grpc_slice details = grpc_slice_from_copied_string(message);
	const grpc_op op = {
	    .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
	    .data.send_status_from_server = {.status = (grpc_status_code)status, .status_details = &details}};

	if (!stream->is_finished && !stream->is_closed) {
		stream->is_finished = true;
		if (stream->send_state == SEND_QUEUED)
			send_end(stream);
		call_start(stream, &op, 1, &stream->finish);
	}
	grpc_slice_unref(details);
}

static void ops_finish(struct transport_stream *base, enum transport_status status, const char *message)
{
	grpc_stream_finish((struct grpc_stream *)base, status, message);
}

static void ops_peer(struct transport_stream *base, struct text *out)
{
	struct grpc_stream *stream = (struct grpc_stream *)base;
	char *peer = grpc_call_get_peer(stream->call);

	text_add(out, peer);
	gpr_free(peer);
}

static const struct transport_ops grpc_stream_ops = {
    .send = ops_send,
    .finish = ops_finish,
    .peer = ops_peer,
};

static struct grpc_stream *grpc_stream_new(struct grpc_transport *transport, grpc_call *call)
{
	struct grpc_stream *stream = HEAP_NEW(struct grpc_stream);

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

void grpc_stream_open(struct grpc_transport *transport, grpc_call *call, unsigned method)
{
	bool is_full = transport->n_streams >= transport->options.max_streams;
	struct grpc_stream *stream = grpc_stream_new(transport, call);
	const grpc_op ops[] = {
	    {.op = GRPC_OP_SEND_INITIAL_METADATA},
	    {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &stream->cancelled}};

	call_start(stream, ops, 2, &stream->close);
	if (method == transport->options.n_methods) {
		grpc_stream_finish(stream, TRANSPORT_UNIMPLEMENTED, "no such method");
	} else if (is_full) {
		atomic_fetch_add(&transport->refused_streams, 1);
		grpc_stream_finish(stream, TRANSPORT_RESOURCE_EXHAUSTED, "too many streams");
	} else if (transport->is_shutting_down) {
		grpc_stream_finish(stream, TRANSPORT_UNAVAILABLE, "shutting down");
	} else {
		stream->context =
		    transport->options.handler.open(transport->options.handler.context, &stream->base, method);
		call_receive(stream);
	}
}

void grpc_stream_received(struct grpc_stream *stream)
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
		grpc_stream_finish(stream, TRANSPORT_OK, "");
	grpc_byte_buffer_destroy(received);
	if (!stream->is_finished && !stream->is_closed)
		call_receive(stream);
	grpc_stream_settle(stream);
}

void grpc_stream_sent(struct grpc_stream *stream, bool is_ok)
{
	send_end(stream);
	if (is_ok && stream->context && !stream->is_finished)
		stream->transport->options.handler.ready(stream->context);
	grpc_stream_settle(stream);
}

void grpc_stream_closed(struct grpc_stream *stream)
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

void grpc_stream_finished(struct grpc_stream *stream)
{
	grpc_stream_settle(stream);
}

/* ---- what is due ---- */

static void send_queued(struct grpc_transport *transport)
{
	while (transport->n_places < SENDS_MAX && transport->lines[SEND_QUEUED].first) {
		struct grpc_stream *stream = transport->lines[SEND_QUEUED].first;
		line_remove(stream);
		call_send(stream);
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

int64_t grpc_sends_work(struct grpc_transport *transport, int64_t now_ns)
{
	int64_t next_ns = send_watch(transport, now_ns);

	send_queued(transport);
	return next_ns;
}

#include "rpc/grpc_private.h"

#include "base/clock.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <stdatomic.h>

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

void grpc_send_end(struct grpc_stream *stream)
{
	if (stream->send_state == SEND_SLOW)
		stream->transport->slow_bytes -= stream->send_bytes;
	send_place_release(stream);
	line_remove(stream);
	grpc_byte_buffer_destroy(stream->sending);
	stream->sending = NULL;
}

/* ---- sending ---- */

static void call_send(struct grpc_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->sending};

	if (stream->send_bytes > SEND_SMALL_BYTES) {
		stream->has_place = true;
		stream->transport->n_places++;
	}
	stream->send_ns = clock_now_ns(clock_system());
	line_add(stream, SEND_FRESH);
	grpc_stream_batch(stream, &op, 1, &stream->send);
}

static void slice_done(void *buffer)
{
	buffer_unref(buffer);
}

void grpc_send(struct grpc_stream *stream, struct buffer *const *parts, size_t n_parts)
{
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

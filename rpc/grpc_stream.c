#include "rpc/grpc_private.h"

#include "base/heap.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void grpc_stream_batch(struct grpc_stream *stream, const grpc_op *ops, size_t n_ops, struct tag *tag)
{
	grpc_call_error result = grpc_call_start_batch(stream->call, ops, n_ops, tag, NULL);
	assert(result == GRPC_CALL_OK);
	stream->n_tags++;
}

static void call_receive(struct grpc_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->received};
	grpc_stream_batch(stream, &op, 1, &stream->receive);
}

static void call_begin(struct grpc_stream *stream)
{
	const grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};

	stream->is_begun = true;
	grpc_stream_batch(stream, &op, 1, &stream->begin);
}

void grpc_stream_finish(struct grpc_stream *stream, enum transport_status status, const char *message)
{
	grpc_slice details = grpc_slice_from_copied_string(message);
	const grpc_op op = {
	    .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
	    .data.send_status_from_server = {.status = (grpc_status_code)status, .status_details = &details}};

	if (!stream->is_finished && !stream->is_closed) {
		stream->is_finished = true;
		grpc_guest_leave(stream);
		if (stream->send_state == SEND_QUEUED)
			grpc_send_end(stream);
		if (!stream->is_begun)
			call_begin(stream);
		grpc_stream_batch(stream, &op, 1, &stream->finish);
	}
	grpc_slice_unref(details);
}

/* ---- for handlers ---- */

static void ops_send(struct transport_stream *base, struct buffer *const *parts, size_t n_parts)
{
	grpc_send((struct grpc_stream *)base, parts, n_parts);
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

/* ---- life ---- */

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
	    .begin = {TAG_DONE, stream},
	    .finish = {TAG_DONE, stream},
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
	free(stream->caller);
	free(stream);
}

/* ---- opening ---- */

static bool is_encrypted(const grpc_auth_context *auth)
{
	grpc_auth_property_iterator it =
	    grpc_auth_context_find_properties_by_name(auth, GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
	const grpc_auth_property *property = grpc_auth_property_iterator_next(&it);

	return property && strcmp(property->value, GRPC_SSL_TRANSPORT_SECURITY_TYPE) == 0;
}

/* Whether it may go on to the door; else it has been turned away. */
static bool stream_check(struct grpc_stream *stream, bool is_full)
{
	CLEANUP(text_done) struct text message = {0};

	if (!stream->method) {
		grpc_stream_finish(stream, TRANSPORT_UNIMPLEMENTED, "no such method");
	} else if (is_full) {
		atomic_fetch_add(&stream->transport->refused_streams, 1);
		grpc_stream_finish(stream, TRANSPORT_RESOURCE_EXHAUSTED, "too many streams");
	} else if (stream->transport->is_shutting_down) {
		grpc_stream_finish(stream, TRANSPORT_UNAVAILABLE, "shutting down");
	} else if (stream->method->is_encrypted_only && !stream->is_encrypted) {
		text_printf(&message, "%s is served with TLS only, and this port is plaintext", stream->method->path);
		grpc_stream_finish(stream, TRANSPORT_UNAUTHENTICATED, text_get(&message));
	}
	return !stream->is_finished;
}

void grpc_stream_open(struct grpc_transport *transport, grpc_call *call, const struct transport_method *method,
                      const grpc_metadata_array *metadata)
{
	bool is_full = transport->n_streams >= transport->options.max_streams;
	struct grpc_stream *stream = grpc_stream_new(transport, call);
	const grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
	                    .data.recv_close_on_server.cancelled = &stream->cancelled};
	grpc_auth_context *auth = grpc_call_auth_context(call);

	stream->method = method;
	stream->is_encrypted = is_encrypted(auth);
	grpc_stream_batch(stream, &op, 1, &stream->close);
	if (stream_check(stream, is_full)) {
		if (stream->is_encrypted)
			grpc_guest_knock(stream, auth, metadata);
		else
			grpc_stream_admit(stream, NULL);
	}
	grpc_auth_context_release(auth);
}

static void stream_count(const struct grpc_stream *stream, uint64_t by)
{
	atomic_fetch_add(&stream->transport->open_streams, by);
	if (stream->is_encrypted)
		atomic_fetch_add(&stream->transport->encrypted_streams, by);
}

void grpc_stream_admit(struct grpc_stream *stream, const struct spiffe_id *caller)
{
	const struct transport_handler *handler = stream->method->handler;

	if (caller) {
		stream->caller = HEAP_NEW(struct spiffe_id);
		*stream->caller = *caller;
		stream->base.caller = stream->caller;
	}
	stream_count(stream, 1);
	call_begin(stream);
	stream->context = handler->open(handler->context, &stream->base, stream->method->method);
	assert(stream->context);
	call_receive(stream);
}

/* ---- events ---- */

static void stream_message(struct grpc_stream *stream, grpc_byte_buffer *received)
{
	grpc_byte_buffer_reader reader;

	if (!grpc_byte_buffer_reader_init(&reader, received))
		return;
	grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
	stream->method->handler->message(stream->context, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
}

/* The peer will send no more, or is gone. */
static void stream_end(struct grpc_stream *stream)
{
	stream->is_ended = true;
	if (stream->context && stream->method->handler->end && !stream->is_finished)
		stream->method->handler->end(stream->context);
	else
		grpc_stream_finish(stream, TRANSPORT_OK, "");
}

void grpc_stream_received(struct grpc_stream *stream)
{
	grpc_byte_buffer *received = stream->received;

	stream->received = NULL;
	if (!received)
		stream_end(stream);
	else if (stream->context && !stream->is_finished)
		stream_message(stream, received);
	grpc_byte_buffer_destroy(received);
	if (!stream->is_ended && !stream->is_finished && !stream->is_closed)
		call_receive(stream);
	grpc_stream_settle(stream);
}

void grpc_stream_sent(struct grpc_stream *stream, bool is_ok)
{
	grpc_send_end(stream);
	if (is_ok && stream->context && !stream->is_finished)
		stream->method->handler->ready(stream->context);
	grpc_stream_settle(stream);
}

void grpc_stream_closed(struct grpc_stream *stream)
{
	void *context = stream->context;

	stream->is_closed = true;
	stream->context = NULL;
	grpc_guest_leave(stream);
	if (stream->send_state == SEND_QUEUED)
		grpc_send_end(stream);
	if (context) {
		stream_count(stream, UINT64_MAX);
		stream->method->handler->close(context);
	}
	grpc_stream_settle(stream);
}

void grpc_stream_done(struct grpc_stream *stream)
{
	grpc_stream_settle(stream);
}

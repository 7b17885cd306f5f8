#include "rpc/grpc_transport.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "rpc/grpc_log.h"
#include "rpc/grpc_private.h"

#include <assert.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 256 /* handled before the handlers' work is done */
#define MAX_STREAMS 20000
#define MAX_STREAMS_PER_CONNECTION 100
#define MAX_GUESTS 10000
#define MAX_REQUEST_BYTES (4u << 20)
#define STALLED_STREAM_MS 60000
#define KNOCK_MS 10000

/* ---- events ---- */

static void acceptor_arm(struct acceptor *acceptor)
{
	struct grpc_transport *transport = acceptor->transport;

	grpc_metadata_array_init(&acceptor->metadata);
	grpc_call_details_init(&acceptor->details);
	acceptor->call = NULL;
	grpc_call_error result =
	    acceptor->registered
	        ? grpc_server_request_registered_call(transport->server, acceptor->registered, &acceptor->call,
	                                              &acceptor->deadline, &acceptor->metadata, NULL, transport->queue,
	                                              transport->queue, &acceptor->tag)
	        : grpc_server_request_call(transport->server, &acceptor->call, &acceptor->details, &acceptor->metadata,
	                                   transport->queue, transport->queue, &acceptor->tag);
	acceptor->is_armed = result == GRPC_CALL_OK;
	transport->n_armed += acceptor->is_armed;
}

static void on_accept(struct acceptor *acceptor, bool is_ok)
{
	struct grpc_transport *transport = acceptor->transport;
	grpc_call *call = acceptor->call;

	transport->n_armed--;
	acceptor->is_armed = false;
	if (is_ok)
		grpc_stream_open(transport, call, acceptor->method, &acceptor->metadata);
	grpc_metadata_clear(&acceptor->metadata);
	grpc_call_details_destroy(&acceptor->details);
	if (is_ok && !transport->is_shutting_down)
		acceptor_arm(acceptor);
}

static void on_event(struct grpc_transport *transport, const grpc_event *event)
{
	struct tag *tag = event->tag;

	switch (tag->kind) {
	case TAG_ACCEPT:
		on_accept(tag->owner, event->success);
		break;
	case TAG_RECEIVE:
		grpc_stream_received(tag->owner);
		break;
	case TAG_SEND:
		grpc_stream_sent(tag->owner, event->success);
		break;
	case TAG_CLOSE:
		grpc_stream_closed(tag->owner);
		break;
	case TAG_DONE:
		grpc_stream_done(tag->owner);
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

static void transport_stop(struct grpc_transport *transport, int64_t now_ns)
{
	transport->is_shutting_down = true;
	transport->cancel_ns = now_ns + transport->grace_ms * CLOCK_MS;
	grpc_server_shutdown_and_notify(transport->server, transport->queue, &transport->shutdown);
	for (struct grpc_stream *stream = transport->streams; stream; stream = stream->next)
		grpc_stream_finish(stream, TRANSPORT_UNAVAILABLE, "shutting down");
}

static void soonest(int64_t *next_ns, int64_t at_ns)
{
	if (at_ns < *next_ns)
		*next_ns = at_ns;
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
	int64_t next_ns = grpc_guests_work(transport, now_ns);
	for (size_t i = 0; i < transport->n_handlers; i++)
		soonest(&next_ns, transport->handlers[i]->work(transport->handlers[i]->context));
	soonest(&next_ns, grpc_sends_work(transport, now_ns));
	if (transport->is_shutting_down && !transport->is_cancelled)
		soonest(&next_ns, transport->cancel_ns);
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

	transport->methods = HEAP_NEW_N(struct transport_method, n);
	for (size_t i = 0; i < n; i++)
		transport->methods[i] = transport->options.methods[i];
	transport->acceptors = HEAP_NEW_N(struct acceptor, n + 1);
	for (size_t i = 0; i <= n; i++) {
		struct acceptor *acceptor = &transport->acceptors[i];
		acceptor->tag = (struct tag){TAG_ACCEPT, acceptor};
		acceptor->transport = transport;
		if (i == n)
			break;
		acceptor->method = &transport->methods[i];
		acceptor->registered = grpc_server_register_method(transport->server, acceptor->method->path, NULL,
		                                                   GRPC_SRM_PAYLOAD_NONE, 0);
		assert(acceptor->registered);
	}
}

static void transport_find_handlers(struct grpc_transport *transport)
{
	const struct grpc_transport_options *options = &transport->options;

	transport->handlers = HEAP_NEW_N(const struct transport_handler *, options->n_methods);
	for (size_t i = 0; i < options->n_methods; i++) {
		size_t seen = 0;
		while (seen < transport->n_handlers && transport->handlers[seen] != options->methods[i].handler)
			seen++;
		if (seen == transport->n_handlers)
			transport->handlers[transport->n_handlers++] = options->methods[i].handler;
	}
}

/* All but the thread. */
static void transport_destroy(struct grpc_transport *transport)
{
	grpc_lobby_leave(transport->lobby);
	grpc_server_destroy(transport->server);
	grpc_call_unref(transport->bell);
	grpc_channel_destroy(transport->bell_channel);
	grpc_completion_queue_shutdown(transport->queue);
	while (grpc_completion_queue_next(transport->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
	       GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(transport->queue);
	pthread_mutex_destroy(&transport->bell_mutex);
	grpc_shutdown_blocking();
	free(transport->handlers);
	free(transport->acceptors);
	free(transport->methods);
	free(transport);
}

static void transport_defaults(struct grpc_transport_options *options)
{
	if (!options->max_streams)
		options->max_streams = MAX_STREAMS;
	if (!options->max_streams_per_connection)
		options->max_streams_per_connection = MAX_STREAMS_PER_CONNECTION;
	if (!options->max_guests)
		options->max_guests = MAX_GUESTS;
	if (!options->max_request_bytes)
		options->max_request_bytes = MAX_REQUEST_BYTES;
	if (!options->stalled_stream_ms)
		options->stalled_stream_ms = STALLED_STREAM_MS;
	if (!options->knock_ms)
		options->knock_ms = KNOCK_MS;
}

struct grpc_transport *grpc_transport_new(const struct grpc_transport_options *options, struct error *error)
{
	struct grpc_transport *transport = HEAP_NEW(struct grpc_transport);

	grpc_log_install();
	grpc_init();
	transport->options = *options;
	transport_defaults(&transport->options);
	transport->queue = grpc_completion_queue_create_for_next(NULL);
	transport->server = grpc_listen_server(&transport->options);
	grpc_server_register_completion_queue(transport->server, transport->queue, NULL);
	transport->lobby = grpc_lobby_new(transport);
	transport_make_bell(transport);
	transport_make_acceptors(transport);
	transport_find_handlers(transport);
	if (grpc_listen(transport, error)) {
		transport->options.listeners = NULL; /* borrowed until here */
		transport->options.methods = NULL;
		return transport;
	}
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
	for (size_t i = 0; i <= transport->options.n_methods; i++)
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

unsigned grpc_transport_port(const struct grpc_transport *transport, size_t listener)
{
	assert(listener < transport->options.n_listeners);
	return transport->ports[listener];
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
	stats->streams = atomic_load(&transport->open_streams);
	stats->encrypted_streams = atomic_load(&transport->encrypted_streams);
	stats->guests = atomic_load(&transport->n_guests);
	for (size_t i = 0; i < GUEST_REFUSALS; i++)
		stats->refused_guests[i] = atomic_load(&transport->refused_guests[i]);
	stats->stalled_streams = atomic_load(&transport->stalled_streams);
	stats->refused_streams = atomic_load(&transport->refused_streams);
	stats->accept_failures = grpc_log_accept_failures();
	grpc_handshake_failures(stats->failed_handshakes);
}

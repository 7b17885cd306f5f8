#include "rpc/grpc_private.h"

#include "base/clock.h"
#include "base/heap.h"
#include "ca/certificate.h"
#include "ca/crypto_error.h"

#include <assert.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BEARER "Bearer "

/* ---- the lobby ---- */

struct grpc_lobby *grpc_lobby_new(struct grpc_transport *transport)
{
	struct grpc_lobby *lobby = HEAP_NEW(struct grpc_lobby);

	pthread_mutex_init(&lobby->mutex, NULL);
	lobby->transport = transport;
	atomic_init(&lobby->refs, 1);
	return lobby;
}

static void lobby_unref(struct grpc_lobby *lobby)
{
	if (atomic_fetch_sub(&lobby->refs, 1) > 1)
		return;
	pthread_mutex_destroy(&lobby->mutex);
	free(lobby);
}

/* ---- guests ---- */

static void guest_unref(struct grpc_guest *guest)
{
	if (!guest || atomic_fetch_sub(&guest->refs, 1) > 1)
		return;
	lobby_unref(guest->lobby);
	free(guest->message);
	arena_free(guest->arena);
	free(guest);
}

/* The answer goes to the transport's thread, with the door's reference; or nowhere, when there is none any more. */
static void guest_answer(struct grpc_guest *guest)
{
	struct grpc_lobby *lobby = guest->lobby;
	bool is_taken = false;

	atomic_fetch_add(&lobby->refs, 1); /* the guest may go meanwhile, and its reference with it */
	pthread_mutex_lock(&lobby->mutex);
	if (lobby->transport) {
		*(lobby->answered ? &lobby->answered_last->answered_next : &lobby->answered) = guest;
		lobby->answered_last = guest;
		grpc_transport_wake(lobby->transport);
		is_taken = true;
	}
	pthread_mutex_unlock(&lobby->mutex);
	if (!is_taken)
		guest_unref(guest);
	lobby_unref(lobby);
}

static void ops_admit(struct transport_guest *base, const struct spiffe_id *caller)
{
	struct grpc_guest *guest = (struct grpc_guest *)base;

	guest->is_admitted = true;
	guest->caller = *caller;
	guest_answer(guest);
}

static void ops_refuse(struct transport_guest *base, enum transport_status status, const char *message)
{
	struct grpc_guest *guest = (struct grpc_guest *)base;

	guest->status = status;
	guest->message = heap_strdup(message);
	guest_answer(guest);
}

static const struct transport_guest_ops guest_ops = {.admit = ops_admit, .refuse = ops_refuse};

/* ---- who waits ---- */

static void guest_wait(struct grpc_guest *guest, struct grpc_stream *stream)
{
	struct grpc_transport *transport = stream->transport;

	guest->stream = stream;
	stream->guest = guest;
	guest->until_ns = clock_now_ns(clock_system()) + transport->options.knock_ms * CLOCK_MS;
	guest->previous = transport->guests_last;
	*(guest->previous ? &guest->previous->next : &transport->guests) = guest;
	transport->guests_last = guest;
	atomic_fetch_add(&transport->n_guests, 1);
}

void grpc_guest_leave(struct grpc_stream *stream)
{
	struct grpc_guest *guest = stream->guest;
	struct grpc_transport *transport = stream->transport;

	if (!guest)
		return;
	*(guest->previous ? &guest->previous->next : &transport->guests) = guest->next;
	*(guest->next ? &guest->next->previous : &transport->guests_last) = guest->previous;
	atomic_fetch_sub(&transport->n_guests, 1);
	stream->guest = NULL;
	guest->stream = NULL;
	guest_unref(guest);
}

static enum guest_refusal refusal_of(enum transport_status status)
{
	if (status == TRANSPORT_UNAUTHENTICATED)
		return GUEST_UNAUTHENTICATED;
	return status == TRANSPORT_PERMISSION_DENIED ? GUEST_DENIED : GUEST_OTHER;
}

static void guest_refuse(struct grpc_stream *stream, enum guest_refusal refusal, enum transport_status status,
                         const char *message)
{
	atomic_fetch_add(&stream->transport->refused_guests[refusal], 1);
	grpc_stream_finish(stream, status, message);
}

/* ---- what a visitor shows ---- */

static struct transport_bytes property_copy(struct arena *arena, const grpc_auth_property *property)
{
	return (struct transport_bytes){arena_strndup(arena, property->value, property->value_length),
	                                property->value_length};
}

/* The first property of that name, or NULL. */
static const char *property_get(struct arena *arena, const grpc_auth_context *auth, const char *name)
{
	grpc_auth_property_iterator it = grpc_auth_context_find_properties_by_name(auth, name);
	const grpc_auth_property *property = grpc_auth_property_iterator_next(&it);
	return property ? property_copy(arena, property).s : NULL;
}

/* A resumed session brings a certificate that was looked at when the session began: so its time is looked at here. */
static bool certificate_is_in_time(const char *pem, struct error *error)
{
	int64_t begin_s, end_s, now_s = clock_wall_ns(clock_system()) / CLOCK_S;
	CLEANUP(certificates_freep)
	STACK_OF(X509) *list = certificates_read(&(struct pem_file){"the client certificate", pem, strlen(pem)}, error);

	if (!list || !certificate_times(sk_X509_value(list, 0), &begin_s, &end_s, error))
		return false;
	return now_s <= end_s || error_set(error, "the client certificate is over; get a new one and connect again");
}

static bool visitor_read_certificate(struct arena *arena, struct transport_visitor *visitor,
                                     const grpc_auth_context *auth, struct error *error)
{
	struct transport_bytes *uris = ARENA_NEW_N(arena, struct transport_bytes, TRANSPORT_URIS_MAX);
	grpc_auth_property_iterator it = grpc_auth_context_find_properties_by_name(auth, GRPC_PEER_URI_PROPERTY_NAME);
	const grpc_auth_property *property;

	visitor->uris = uris;
	visitor->certificate = property_get(arena, auth, GRPC_X509_PEM_CERT_PROPERTY_NAME);
	if (!visitor->certificate)
		return true;
	visitor->chain = property_get(arena, auth, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME);
	while ((property = grpc_auth_property_iterator_next(&it))) {
		if (visitor->n_uris == TRANSPORT_URIS_MAX)
			return error_set(error, "the client certificate has more than %d URIs", TRANSPORT_URIS_MAX);
		uris[visitor->n_uris++] = property_copy(arena, property);
	}
	return certificate_is_in_time(visitor->certificate, error);
}

static const char *metadata_copy(struct arena *arena, const grpc_metadata *entry, size_t skip)
{
	return arena_strndup(arena, (const char *)GRPC_SLICE_START_PTR(entry->value) + skip,
	                     GRPC_SLICE_LENGTH(entry->value) - skip);
}

static void visitor_read_metadata(struct arena *arena, struct transport_visitor *visitor,
                                  const grpc_metadata_array *metadata)
{
	const size_t bearer_n = sizeof BEARER - 1;

	for (size_t i = 0; i < metadata->count; i++) {
		const grpc_metadata *entry = &metadata->metadata[i];
		const char *value = (const char *)GRPC_SLICE_START_PTR(entry->value);
		bool is_bearer = GRPC_SLICE_LENGTH(entry->value) > bearer_n && !strncasecmp(value, BEARER, bearer_n);
		if (!visitor->token && is_bearer && !grpc_slice_str_cmp(entry->key, "authorization"))
			visitor->token = metadata_copy(arena, entry, bearer_n);
		else if (!visitor->cluster && !grpc_slice_str_cmp(entry->key, "clusterid"))
			visitor->cluster = metadata_copy(arena, entry, 0);
	}
}

static struct grpc_guest *guest_new(struct grpc_stream *stream)
{
	struct grpc_guest *guest = HEAP_NEW(struct grpc_guest);
	char *peer = grpc_call_get_peer(stream->call);

	guest->base.ops = &guest_ops;
	guest->lobby = stream->transport->lobby;
	atomic_fetch_add(&guest->lobby->refs, 1);
	guest->arena = arena_new();
	atomic_init(&guest->refs, 1);
	guest->base.visitor.peer = arena_strdup(guest->arena, peer);
	guest->base.visitor.path = arena_strdup(guest->arena, stream->method->path);
	gpr_free(peer);
	return guest;
}

/* ---- knocking, and what comes of it ---- */

void grpc_guest_knock(struct grpc_stream *stream, const grpc_auth_context *auth, const grpc_metadata_array *metadata)
{
	struct grpc_transport *transport = stream->transport;
	const struct transport_door *door = &transport->options.door;
	struct error error;

	if (atomic_load(&transport->n_guests) >= transport->options.max_guests) {
		guest_refuse(stream, GUEST_CROWD, TRANSPORT_RESOURCE_EXHAUSTED,
		             "too many callers wait for who they are to be found out");
		return;
	}
	struct grpc_guest *guest = guest_new(stream);
	if (!visitor_read_certificate(guest->arena, &guest->base.visitor, auth, &error)) {
		guest_refuse(stream, GUEST_UNAUTHENTICATED, TRANSPORT_UNAUTHENTICATED, error.message);
		guest_unref(guest);
		return;
	}
	visitor_read_metadata(guest->arena, &guest->base.visitor, metadata);
	atomic_fetch_add(&guest->refs, 1); /* the door's */
	guest_wait(guest, stream);
	door->knock(door->context, &guest->base);
}

static void guests_answered(struct grpc_transport *transport)
{
	struct grpc_lobby *lobby = transport->lobby;

	pthread_mutex_lock(&lobby->mutex);
	struct grpc_guest *guest = lobby->answered, *next;
	lobby->answered = lobby->answered_last = NULL;
	pthread_mutex_unlock(&lobby->mutex);
	for (; guest; guest = next) {
		struct grpc_stream *stream = guest->stream;
		next = guest->answered_next;
		if (stream) {
			grpc_guest_leave(stream);
			if (guest->is_admitted)
				grpc_stream_admit(stream, &guest->caller);
			else
				guest_refuse(stream, refusal_of(guest->status), guest->status, guest->message);
		}
		guest_unref(guest);
	}
}

int64_t grpc_guests_work(struct grpc_transport *transport, int64_t now_ns)
{
	guests_answered(transport);
	while (transport->guests && transport->guests->until_ns <= now_ns)
		guest_refuse(transport->guests->stream, GUEST_LATE, TRANSPORT_UNAVAILABLE,
		             "who you are could not be found out in time; try again");
	return transport->guests ? transport->guests->until_ns : INT64_MAX;
}

void grpc_lobby_leave(struct grpc_lobby *lobby)
{
	pthread_mutex_lock(&lobby->mutex);
	struct grpc_guest *guest = lobby->answered, *next;
	lobby->transport = NULL;
	lobby->answered = lobby->answered_last = NULL;
	pthread_mutex_unlock(&lobby->mutex);
	for (; guest; guest = next) {
		next = guest->answered_next;
		guest_unref(guest);
	}
	lobby_unref(lobby);
}

#include "server/identity/cert_service.h"

#include "base/heap.h"
#include "base/log.h"
#include "proto/istio.h"
#include "proto/pack.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* One call of the method. */
struct cert_call {
	struct cert_service *service;
	struct transport_stream *stream;
	struct signing_job *job; /* under way */
	bool is_asked, is_answered;
};

struct cert_service {
	struct cert_service_options options;
	struct transport_handler handler;
	struct signing *signing;

	/* of the transport's thread */
	struct log_gap warned;

	pthread_mutex_t mutex;
	struct cert_service_stats stats;
	struct cert_record recent[CERT_SERVICE_RECENT];
	uint64_t n_recent; /* ever */
};

static const struct rejection {
	const char *label;
	enum transport_status status;
	const char *message;
} rejections[CERT_SERVICE_REFUSALS] = {
    [CERT_SERVICE_NO_CALLER] = {"no_caller", TRANSPORT_UNAUTHENTICATED,
                                "certificates are given to callers who show a certificate of the mesh or a token"},
    [CERT_SERVICE_BAD_REQUEST] = {"bad_request", TRANSPORT_INVALID_ARGUMENT, "the request cannot be read"},
    [CERT_SERVICE_OTHER_SIGNER] = {"other_signer", TRANSPORT_INVALID_ARGUMENT,
                                   "the metadata CertSigner asks for another authority; there is one only, leave it "
                                   "out"},
    [CERT_SERVICE_IMPERSONATION] = {"impersonation", TRANSPORT_PERMISSION_DENIED,
                                    "the metadata ImpersonatedIdentity asks for another's certificate; callers get "
                                    "their own only"},
    [CERT_SERVICE_QUEUE_FULL] = {"queue_full", TRANSPORT_RESOURCE_EXHAUSTED,
                                 "too many certificates are asked for at once; try again in a moment"},
    [CERT_SERVICE_CALLER_FULL] = {"caller_full", TRANSPORT_RESOURCE_EXHAUSTED,
                                  "too many certificates are asked for with this identity at once; try again in a "
                                  "moment"},
    [CERT_SERVICE_NO_AUTHORITY] = {"no_authority", TRANSPORT_UNAVAILABLE,
                                   "the certificate authority is not ready yet; try again in a moment"},
};

const char *cert_service_label(enum cert_service_refusal refusal)
{
	assert(refusal < CERT_SERVICE_REFUSALS);
	return rejections[refusal].label;
}

/* ---- answers ---- */

static void warn(struct cert_call *call, const char *message)
{
	struct cert_service *service = call->service;
	int64_t now_ns = clock_now_ns(service->options.clock);
	uint64_t silent;
	char id[SPIFFE_ID_TEXT] = "nobody";
	CLEANUP(text_done) struct text peer = {0};

	if (!log_gap_is_over(&service->warned, now_ns, &silent))
		return;
	if (call->stream->caller)
		spiffe_id_print(call->stream->caller, id);
	call->stream->ops->peer(call->stream, &peer);
	log_warn("ca", "no certificate for %s (%s): %s; %llu more refusals since the last line", id, text_get(&peer),
	         message, (unsigned long long)silent);
}

static void fail(struct cert_call *call, enum transport_status status, const char *message)
{
	warn(call, message);
	call->is_answered = true;
	call->stream->ops->finish(call->stream, status, message);
}

/* message: NULL is the usual one. */
static void reject(struct cert_call *call, enum cert_service_refusal refusal, const char *message)
{
	struct cert_service *service = call->service;
	pthread_mutex_lock(&service->mutex);
	service->stats.rejected[refusal]++;
	pthread_mutex_unlock(&service->mutex);
	fail(call, rejections[refusal].status, message ? message : rejections[refusal].message);
}

static void refuse(struct cert_call *call, const struct refusal *refusal)
{
	struct cert_service *service = call->service;
	enum transport_status status = TRANSPORT_INVALID_ARGUMENT;

	pthread_mutex_lock(&service->mutex);
	service->stats.refused[refusal->reason]++;
	pthread_mutex_unlock(&service->mutex);
	if (refusal_is_ours(refusal->reason))
		status = refusal->reason == REFUSAL_SIGNER_EXPIRED ? TRANSPORT_UNAVAILABLE : TRANSPORT_INTERNAL;
	fail(call, status, refusal->error.message);
}

static void record(struct cert_service *service, const struct signing_job *job)
{
	pthread_mutex_lock(&service->mutex);
	struct cert_record *record = &service->recent[service->n_recent++ % CERT_SERVICE_RECENT];
	*record = (struct cert_record){.id = job->caller,
	                               .issued_s = clock_wall_ns(service->options.clock) / CLOCK_S,
	                               .not_after_s = job->issued.not_after_s};
	memcpy(record->serial, job->serial, sizeof record->serial);
	service->stats.issued++;
	pthread_mutex_unlock(&service->mutex);
}

static void log_issued(const struct signing_job *job)
{
	char id[SPIFFE_ID_TEXT], until[CLOCK_TEXT], serial[2 * TEMPLATE_SERIAL_SIZE + 1];
	spiffe_id_print(&job->caller, id);
	clock_print(job->issued.not_after_s * CLOCK_S, 0, until);
	for (size_t i = 0; i < sizeof job->serial; i++)
		snprintf(serial + 2 * i, 3, "%02x", job->serial[i]);
	log_debug("ca", "%s has a certificate until %s, serial %s", id, until, serial);
}

static void answer(struct cert_call *call, const struct signing_job *job)
{
	istio_certificate_response *response = istio_certificate_response_new(job->arena);
	struct issued issued = job->issued;

	for (size_t i = 0; i < issued.n; i++)
		BUILD_ADD(job->arena, response, cert_chain, arena_strdup(job->arena, issued.chain[i]));
	struct bytes bytes = pack(job->arena, &response->base);
	struct buffer *buffer = buffer_new(bytes.n);
	memcpy(buffer->data, bytes.data, bytes.n);
	call->is_answered = true;
	record(call->service, job);
	log_issued(job);
	call->stream->ops->send(call->stream, &buffer, 1);
	buffer_unref(buffer);
}

/* ---- requests ---- */

static bool asks_for(const istio_certificate_request *request, const char *name)
{
	for (size_t i = 0; request->metadata && i < request->metadata->n_fields; i++) {
		const Google__Protobuf__Struct__FieldsEntry *entry = request->metadata->fields[i];
		if (strcmp(entry->key, name) != 0 || !entry->value)
			continue;
		if (entry->value->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE &&
		    entry->value->string_value[0])
			return true;
	}
	return false;
}

static void queue(struct cert_call *call, const istio_certificate_request *request)
{
	struct signing_job *job =
	    signing_job_new(call->stream->caller, request->csr, strlen(request->csr), request->validity_duration, call);
	switch (signing_put(call->service->signing, job)) {
	case SIGNING_QUEUED:
		call->job = job;
		return;
	case SIGNING_FULL:
		reject(call, CERT_SERVICE_QUEUE_FULL, NULL);
		break;
	case SIGNING_CROWD:
		reject(call, CERT_SERVICE_CALLER_FULL, NULL);
		break;
	}
	signing_job_free(job);
}

static void call_message(void *context, const uint8_t *data, size_t n)
{
	struct cert_call *call = context;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;

	if (call->is_answered)
		return;
	if (call->is_asked) {
		if (call->job)
			signing_cancel(call->service->signing, call->job);
		call->job = NULL;
		reject(call, CERT_SERVICE_BAD_REQUEST, "a call has one request; a second one came");
		return;
	}
	call->is_asked = true;
	if (n > CERT_SERVICE_REQUEST_MAX) {
		error_set(&error, "the request has %zu bytes; at most %u are read", n, CERT_SERVICE_REQUEST_MAX);
		reject(call, CERT_SERVICE_BAD_REQUEST, error.message);
		return;
	}
	const istio_certificate_request *request =
	    (const istio_certificate_request *)unpack(arena, istio_certificate_request_type(), data, n, &error);
	if (!request) {
		error_wrap(&error, "the request cannot be read");
		reject(call, CERT_SERVICE_BAD_REQUEST, error.message);
	} else if (asks_for(request, "CertSigner")) {
		reject(call, CERT_SERVICE_OTHER_SIGNER, NULL);
	} else if (asks_for(request, "ImpersonatedIdentity")) {
		reject(call, CERT_SERVICE_IMPERSONATION, NULL);
	} else {
		queue(call, request);
	}
}

/* ---- the handler ---- */

static void *call_open(void *context, struct transport_stream *stream, unsigned method)
{
	struct cert_call *call = HEAP_NEW(struct cert_call);
	(void)method;
	call->service = context;
	call->stream = stream;
	if (!stream->caller)
		reject(call, CERT_SERVICE_NO_CALLER, NULL);
	return call;
}

static void call_end(void *context)
{
	struct cert_call *call = context;
	if (!call->is_asked && !call->is_answered)
		reject(call, CERT_SERVICE_BAD_REQUEST, "the call ended without a request");
}

static void call_ready(void *context)
{
	struct cert_call *call = context;
	call->stream->ops->finish(call->stream, TRANSPORT_OK, "");
}

static void call_close(void *context)
{
	struct cert_call *call = context;
	if (call->job)
		signing_cancel(call->service->signing, call->job);
	free(call);
}

static int64_t service_work(void *context)
{
	struct cert_service *service = context;
	struct signing_job *job;

	while ((job = signing_take(service->signing))) {
		struct cert_call *call = job->owner;
		call->job = NULL;
		if (job->is_unsigned)
			reject(call, CERT_SERVICE_NO_AUTHORITY, NULL);
		else if (job->is_issued)
			answer(call, job);
		else
			refuse(call, &job->refusal);
		signing_job_free(job);
	}
	return INT64_MAX;
}

static void on_done(void *context)
{
	const struct cert_service *service = context;
	service->options.wake(service->options.context);
}

struct cert_service *cert_service_new(const struct cert_service_options *options)
{
	struct cert_service *service = HEAP_NEW(struct cert_service);
	service->options = *options;
	service->handler = (struct transport_handler){
	    .open = call_open,
	    .message = call_message,
	    .end = call_end,
	    .ready = call_ready,
	    .close = call_close,
	    .work = service_work,
	    .context = service,
	};
	pthread_mutex_init(&service->mutex, NULL);
	service->signing =
	    signing_new(&(struct signing_options){.signers = options->signers, .on_done = on_done, .context = service});
	return service;
}

void cert_service_free(struct cert_service *service)
{
	if (!service)
		return;
	signing_free(service->signing);
	pthread_mutex_destroy(&service->mutex);
	free(service);
}

const struct transport_handler *cert_service_handler(const struct cert_service *service)
{
	return &service->handler;
}

void cert_service_stats(struct cert_service *service, struct cert_service_stats *stats)
{
	pthread_mutex_lock(&service->mutex);
	*stats = service->stats;
	pthread_mutex_unlock(&service->mutex);
	signing_stats(service->signing, &stats->signing);
}

size_t cert_service_recent(struct cert_service *service, struct cert_record *records, size_t max)
{
	size_t n = 0;
	pthread_mutex_lock(&service->mutex);
	for (; n < max && n < service->n_recent && n < CERT_SERVICE_RECENT; n++)
		records[n] = service->recent[(service->n_recent - 1 - n) % CERT_SERVICE_RECENT];
	pthread_mutex_unlock(&service->mutex);
	return n;
}

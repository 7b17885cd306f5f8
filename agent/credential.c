#include "agent/credential.h"

#include "base/heap.h"
#include "ca/csr_build.h"
#include "proto/istio.h"
#include "proto/pack.h"
#include "rpc/grpc_client.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_PATH "/istio.v1.auth.IstioCertificateService/CreateCertificate"

/* One call, which its thread ends and the caller waits for. */
struct exchange {
	pthread_mutex_t lock;
	pthread_cond_t is_over;
	struct text answer;
	bool has_answer, is_ended;
	enum transport_status status;
	struct error error;
};

void credential_free(struct credential *credential)
{
	if (!credential)
		return;
	issued_chain_free(credential->chain);
	text_done(&credential->chain_pem);
	private_key_wipe(&credential->key_pem);
	free(credential);
}

/* ---- the call ---- */

static void on_message(void *context, const uint8_t *data, size_t n)
{
	struct exchange *exchange = context;
	pthread_mutex_lock(&exchange->lock);
	if (!exchange->has_answer)
		text_add_n(&exchange->answer, data, n);
	exchange->has_answer = true;
	pthread_mutex_unlock(&exchange->lock);
}

static void on_end(void *context, enum transport_status status, const char *message)
{
	struct exchange *exchange = context;
	pthread_mutex_lock(&exchange->lock);
	exchange->is_ended = true;
	exchange->status = status;
	error_set(&exchange->error, "%s", message);
	pthread_cond_signal(&exchange->is_over);
	pthread_mutex_unlock(&exchange->lock);
}

static const struct grpc_client_handler handler = {.message = on_message, .end = on_end};

static struct buffer *request_buffer(struct arena *arena, const struct credential_request *request, char *csr)
{
	istio_certificate_request *message = istio_certificate_request_new(arena);
	message->csr = csr;
	message->validity_duration = request->ttl_s;
	struct bytes bytes = pack(arena, &message->base);
	struct buffer *buffer = buffer_new(bytes.n);
	memcpy(buffer->data, bytes.data, bytes.n);
	return buffer;
}

static bool wait_for_end(struct exchange *exchange, struct error *error)
{
	pthread_mutex_lock(&exchange->lock);
	while (!exchange->is_ended)
		pthread_cond_wait(&exchange->is_over, &exchange->lock);
	pthread_mutex_unlock(&exchange->lock);
	if (exchange->status != TRANSPORT_OK)
		return error_set(error, "%s (gRPC status %d)",
		                 exchange->error.message[0] ? exchange->error.message : "it says no more",
		                 exchange->status);
	return exchange->has_answer || error_set(error, "it ended the call without an answer");
}

static bool call(const struct credential_request *request, struct buffer *message, struct exchange *exchange,
                 struct error *error)
{
	const struct credential *present = request->present;
	const struct grpc_client_options options = {
	    .target = request->target,
	    .roots = request->roots,
	    .chain = present ? present->chain_pem.s : NULL,
	    .key = present ? present->key_pem.s : NULL,
	    .server_name = request->server_name,
	};
	const struct grpc_client_call_options call_options = {
	    .path = SERVICE_PATH,
	    .handler = &handler,
	    .context = exchange,
	    .token = request->token,
	    .cluster = request->cluster,
	    .deadline_ms = CREDENTIAL_DEADLINE_MS,
	};
	CLEANUP(grpc_client_freep) struct grpc_client *client = grpc_client_new(&options, error);
	return client && grpc_client_unary(client, &call_options, message, error) && wait_for_end(exchange, error);
}

/* ---- the answer ---- */

static struct issued_chain *read_answer(struct arena *arena, const struct credential_request *request, EVP_PKEY *key,
                                        const struct text *answer, struct error *error)
{
	const struct issued_chain_expected expected = {key, request->id, request->clock};
	const istio_certificate_response *response = (const istio_certificate_response *)unpack(
	    arena, istio_certificate_response_type(), (const uint8_t *)text_get(answer), answer->n, error);
	if (!response)
		return NULL;
	return issued_chain_read((const char *const *)response->cert_chain, response->n_cert_chain, &expected, error);
}

static struct issued_chain *ask(const struct credential_request *request, EVP_PKEY *key, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text csr = {0};
	struct exchange exchange = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_over = PTHREAD_COND_INITIALIZER};
	struct issued_chain *chain = NULL;
	if (!csr_build(key, request->id, &csr, error))
		return NULL;
	struct buffer *message = request_buffer(arena, request, csr.s);
	if (call(request, message, &exchange, error))
		chain = read_answer(arena, request, key, &exchange.answer, error);
	buffer_unref(message);
	text_done(&exchange.answer);
	if (!chain)
		error_wrap(error, "the certificate service at %s", request->target);
	return chain;
}

struct credential *credential_get(const struct credential_request *request, struct error *error)
{
	CLEANUP(private_key_freep) EVP_PKEY *key = private_key_generate(request->key_type, error);
	if (!key)
		return NULL;
	struct issued_chain *chain = ask(request, key, error);
	if (!chain)
		return NULL;
	struct credential *credential = HEAP_NEW(struct credential);
	credential->chain = chain;
	issued_chain_print(chain, &credential->chain_pem);
	private_key_print(key, &credential->key_pem);
	return credential;
}

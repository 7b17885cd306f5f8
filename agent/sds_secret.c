#include "agent/sds_secret.h"

#include "base/heap.h"
#include "proto/envoy.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>

static envoy_data_source *inline_bytes(struct arena *arena, const char *s)
{
	envoy_data_source *source = envoy_data_source_new(arena);
	source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_BYTES;
	source->inline_bytes.data = (uint8_t *)arena_strdup(arena, s);
	source->inline_bytes.len = strlen(s);
	return source;
}

static envoy_secret *sds_secret_message(struct arena *arena, const char *name)
{
	envoy_secret *message = envoy_secret_new(arena);
	message->name = arena_strdup(arena, name);
	return message;
}

/* Packed in place: no copy is left elsewhere. */
static struct sds_secret *sds_secret_new(const envoy_secret *message, struct digest digest)
{
	struct sds_secret *secret = HEAP_NEW(struct sds_secret);
	secret->digest = digest;
	secret->n = protobuf_c_message_get_packed_size(&message->base);
	secret->data = heap_alloc(secret->n);
	protobuf_c_message_pack(&message->base, secret->data);
	atomic_init(&secret->refs, 1);
	return secret;
}

struct sds_secret *sds_secret_certificate(const char *name, const char *chain, const char *key)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	envoy_secret *message = sds_secret_message(arena, name);
	envoy_tls_certificate *certificate = envoy_tls_certificate_new(arena);
	certificate->certificate_chain = inline_bytes(arena, chain);
	certificate->private_key = inline_bytes(arena, key);
	message->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE;
	message->tls_certificate = certificate;
	struct sds_secret *secret = sds_secret_new(message, digest_of(chain, strlen(chain)));
	OPENSSL_cleanse(certificate->private_key->inline_bytes.data, certificate->private_key->inline_bytes.len);
	return secret;
}

struct sds_secret *sds_secret_roots(const char *name, const char *roots)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	envoy_secret *message = sds_secret_message(arena, name);
	message->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_VALIDATION_CONTEXT;
	message->validation_context = envoy_certificate_validation_context_new(arena);
	message->validation_context->trusted_ca = inline_bytes(arena, roots);
	return sds_secret_new(message, digest_of(roots, strlen(roots)));
}

struct sds_secret *sds_secret_ref(struct sds_secret *secret)
{
	atomic_fetch_add_explicit(&secret->refs, 1, memory_order_relaxed);
	return secret;
}

void sds_secret_unref(struct sds_secret *secret)
{
	if (!secret)
		return;
	unsigned former = atomic_fetch_sub_explicit(&secret->refs, 1, memory_order_acq_rel);
	assert(former > 0);
	if (former > 1)
		return;
	OPENSSL_cleanse(secret->data, secret->n);
	free(secret->data);
	free(secret);
}

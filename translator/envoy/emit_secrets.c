/* Secrets: what the mesh trusts, for everybody, and what the scope lists. The one place that touches a private key. */
#include "translator/envoy/emit_parts.h"

#include <string.h>

static envoy_data_source *inline_bytes(struct arena *arena, struct blob blob)
{
	envoy_data_source *source = envoy_data_source_new(arena);
	source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_BYTES;
	source->inline_bytes.data = (uint8_t *)borrow(blob.s);
	source->inline_bytes.len = blob.n;
	return source;
}

static envoy_secret *validation_of(struct arena *arena, const char *name, struct blob ca, struct blob crl)
{
	envoy_secret *out = envoy_secret_new(arena);
	out->name = borrow(name);
	out->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_VALIDATION_CONTEXT;
	out->validation_context = envoy_certificate_validation_context_new(arena);
	out->validation_context->trusted_ca = inline_bytes(arena, ca);
	if (crl.n)
		out->validation_context->crl = inline_bytes(arena, crl);
	return out;
}

static envoy_secret *certificate_of(struct arena *arena, const char *name, const struct secret *secret)
{
	envoy_secret *out = envoy_secret_new(arena);
	out->name = borrow(name);
	out->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE;
	out->tls_certificate = envoy_tls_certificate_new(arena);
	out->tls_certificate->certificate_chain = inline_bytes(arena, secret->certificate);
	out->tls_certificate->private_key = inline_bytes(arena, secret->key);
	return out;
}

static envoy_secret *secret_of(struct arena *arena, const char *name, const struct scope_secret *secret)
{
	if (secret->is_validation)
		return validation_of(arena, name, secret->secret->ca, secret->secret->crl);
	return certificate_of(arena, name, secret->secret);
}

static void emit_one(struct emit *emit, const struct scope_secret *secret)
{
	const struct credential *credential = secret->credential;
	const char *name = name_secret(emit->arena, credential->namespace, credential->secret, secret->is_validation);
	struct digest_state state;
	emit_key_init(&state, UNIT_SECRET, secret->secret->digest);
	digest_add_str(&state, name);
	digest_add_u64(&state, secret->is_validation);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit)
		unit = emit_put(emit, key, RESOURCE_SECRET, name, &secret_of(emit->arena, name, secret)->base);
	emit_collect(emit, unit);
}

/* Public, so for whoever asks. */
static void emit_roots(struct emit *emit)
{
	const struct blob roots = emit->model->trust_roots;
	if (!roots.n)
		return;
	struct digest_state state;
	emit_key_init(&state, UNIT_TRUST_ROOTS, digest_of(roots.s, roots.n));
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit)
		unit = cache_take(emit->cache, key, emit_trust_roots(roots));
	emit_collect(emit, unit);
}

void emit_secrets(struct emit *emit)
{
	emit_roots(emit);
	emit_file_secrets(emit);
	for (size_t i = 0; i < emit->scope->n_secrets; i++)
		emit_one(emit, &emit->scope->secrets[i]);
}

struct resource *emit_trust_roots(struct blob roots)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const envoy_secret *secret = validation_of(arena, NAME_ROOT_SECRET, roots, (struct blob){0});
	struct bytes bytes = pack(arena, &secret->base);
	return resource_new(RESOURCE_SECRET, NAME_ROOT_SECRET, bytes.data, bytes.n);
}

void emit_redact(struct arena *arena, const struct resource *resource, ProtobufCMessage *message)
{
	if (message->descriptor != envoy_secret_type())
		return;
	envoy_secret *secret = (envoy_secret *)message;
	char version[DIGEST_HEX];
	digest_hex(resource->version, version);
	envoy_data_source *redacted = envoy_data_source_new(arena);
	redacted->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
	redacted->inline_string = arena_printf(arena, "[redacted; version %s]", version);
	if (secret->type_case == ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE) {
		envoy_data_source **key = &secret->tls_certificate->private_key;
		if ((*key)->specifier_case != ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_FILENAME)
			*key = redacted;
	} else if (secret->type_case == ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_GENERIC_SECRET)
		secret->generic_secret->secret = redacted;
}

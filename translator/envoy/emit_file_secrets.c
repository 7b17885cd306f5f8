/*
 * Secrets whose bytes are in files at the proxy: what this server says is the files' names, and Envoy reads and watches
 * them. So certificates that a policy names as files are renewed without an agent, and a file that is not there stops
 * the connections that need it and nothing else.
 */
#include "base/text.h"
#include "translator/envoy/emit_parts.h"

#include <string.h>

/* Where the images that Envoy comes in have them. */
#define SYSTEM_ROOTS_FILE "/etc/ssl/certs/ca-certificates.crt"

static envoy_data_source *in_file(struct arena *arena, const char *file)
{
	envoy_data_source *source = envoy_data_source_new(arena);
	source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_FILENAME;
	source->filename = borrow(file);
	return source;
}

/* The folder, since mounted Secrets are renewed by a move beside the file. */
static envoy_watched_directory *folder_of(struct arena *arena, const char *file)
{
	const char *slash = strrchr(file, '/');
	envoy_watched_directory *folder = envoy_watched_directory_new(arena);
	folder->path = !slash          ? borrow(".")
	               : slash == file ? borrow("/")
	                               : arena_strndup(arena, file, (size_t)(slash - file));
	return folder;
}

static envoy_secret *certificate_in_files(struct arena *arena, const char *name, const struct client_tls *tls)
{
	envoy_secret *out = envoy_secret_new(arena);
	out->name = borrow(name);
	out->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE;
	out->tls_certificate = envoy_tls_certificate_new(arena);
	out->tls_certificate->certificate_chain = in_file(arena, tls->certificate_file);
	out->tls_certificate->private_key = in_file(arena, tls->key_file);
	out->tls_certificate->watched_directory = folder_of(arena, tls->certificate_file);
	return out;
}

static envoy_secret *roots_in_file(struct arena *arena, const char *name, const struct client_tls *tls)
{
	const char *file = text_is_empty(tls->authorities_file) ? SYSTEM_ROOTS_FILE : tls->authorities_file;
	envoy_secret *out = envoy_secret_new(arena);
	out->name = borrow(name);
	out->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_VALIDATION_CONTEXT;
	out->validation_context = envoy_certificate_validation_context_new(arena);
	out->validation_context->trusted_ca = in_file(arena, file);
	out->validation_context->watched_directory = folder_of(arena, file);
	if (!text_is_empty(tls->crl_file))
		out->validation_context->crl = in_file(arena, tls->crl_file);
	return out;
}

/* The name says it all, so it is the key. */
static void emit_one(struct emit *emit, struct map *seen, const char *name, const struct client_tls *tls,
                     envoy_secret *(*build)(struct arena *, const char *, const struct client_tls *))
{
	struct digest_state state;
	void **slot = map_slot(emit->arena, seen, name);
	if (*slot)
		return;
	*slot = seen;
	digest_init(&state);
	digest_add_u64(&state, UNIT_FILE_SECRET);
	digest_add_str(&state, name);
	struct digest key = digest_final(&state);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit)
		unit = emit_put(emit, key, RESOURCE_SECRET, name, &build(emit->arena, name, tls)->base);
	emit_collect(emit, unit);
}

static void emit_files_of(struct emit *emit, struct map *seen, const struct client_tls *tls)
{
	bool is_own = tls->mode == CLIENT_TLS_SIMPLE || tls->mode == CLIENT_TLS_MUTUAL;
	if (!is_own || tls->credential.secret)
		return;
	if (tls->mode == CLIENT_TLS_MUTUAL && !text_is_empty(tls->certificate_file) && !text_is_empty(tls->key_file))
		emit_one(emit, seen, name_certificate_of_files(emit->arena, tls->certificate_file, tls->key_file), tls,
		         certificate_in_files);
	if (!tls->is_unverified)
		emit_one(emit, seen, name_root_of_file(emit->arena, tls->authorities_file, tls->crl_file), tls,
		         roots_in_file);
}

void emit_file_secrets(struct emit *emit)
{
	struct map seen = {0};
	for (size_t i = 0; i < emit->scope->n_services; i++) {
		const struct scope_service *service = &emit->scope->services[i];
		const struct destination_subset *subset;
		for (size_t s = 0; service->policy && (subset = cluster_subset(service, s)) != NULL; s++)
			for (size_t k = 0; k < subset->n_ports; k++)
				emit_files_of(emit, &seen, &subset->ports[k].policy->tls);
	}
}

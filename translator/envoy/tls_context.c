/* TLS contexts: who this side is, whom it believes, what both agree on. */
#include "translator/envoy/tls_context.h"

#include "base/text.h"
#include "translator/address.h"

#include <string.h>

/* For servers of the mesh: forward secrecy first. TLS 1.3 has its own, which cannot be chosen. */
static const char *const mesh_cipher_suites[] = {
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",   "AES256-GCM-SHA384",           "AES128-GCM-SHA256",
};
static const char *const alpn_http[] = {"h2", "http/1.1"};

#define STRINGS(array) ((struct strings){(array), sizeof(array) / sizeof(array)[0]})

/* ---- where secrets come from ---- */

static envoy_api_config_source *agent_source(struct arena *arena)
{
	envoy_grpc_service *service = envoy_grpc_service_new(arena);
	service->target_specifier_case = ENVOY__CONFIG__CORE__V3__GRPC_SERVICE__TARGET_SPECIFIER_ENVOY_GRPC;
	service->envoy_grpc = envoy_grpc_service_envoy_grpc_new(arena);
	service->envoy_grpc->cluster_name = borrow(NAME_SDS_CLUSTER);
	envoy_api_config_source *source = envoy_api_config_source_new(arena);
	source->api_type = ENVOY__CONFIG__CORE__V3__API_CONFIG_SOURCE__API_TYPE__GRPC;
	source->transport_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
	source->set_node_on_first_message_only = true;
	BUILD_ADD(arena, source, grpc_services, service);
	return source;
}

static envoy_config_source *secret_source(struct arena *arena, enum tls_origin origin)
{
	envoy_config_source *source = envoy_config_source_new(arena);
	source->resource_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
	if (origin == TLS_FROM_SERVER) {
		source->config_source_specifier_case =
		    ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_ADS;
		source->ads = envoy_aggregated_config_source_new(arena);
		return source;
	}
	source->config_source_specifier_case =
	    ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_API_CONFIG_SOURCE;
	source->api_config_source = agent_source(arena);
	if (origin == TLS_FROM_MESH)
		source->initial_fetch_timeout = google_duration_new(arena); /* 0: no traffic without an identity */
	return source;
}

envoy_sds_secret_config *tls_secret_config(struct arena *arena, struct tls_secret secret)
{
	envoy_sds_secret_config *config = envoy_sds_secret_config_new(arena);
	config->name = borrow(secret.name);
	config->sds_config = secret_source(arena, secret.origin);
	return config;
}

/* ---- whom this side believes ---- */

/* Envoy compares a name with those of one type, so the type is read off the name. */
static Envoy__Extensions__TransportSockets__Tls__V3__SubjectAltNameMatcher__SanType san_type(const char *value)
{
	if (strstr(value, "://"))
		return ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__URI;
	if (address_family_of(value) != ADDRESS_NONE)
		return ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__IP_ADDRESS;
	if (strchr(value, '@'))
		return ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__EMAIL;
	return ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__DNS;
}

static envoy_certificate_validation_context *validation(struct arena *arena, const struct tls_parts *parts)
{
	envoy_certificate_validation_context *out = envoy_certificate_validation_context_new(arena);
	for (size_t i = 0; i < parts->n_sans; i++) {
		envoy_subject_alt_name_matcher *san = envoy_subject_alt_name_matcher_new(arena);
		san->san_type = san_type(parts->sans[i].value);
		san->matcher = string_matcher(arena, &parts->sans[i]);
		BUILD_ADD(arena, out, match_typed_subject_alt_names, san);
	}
	for (size_t i = 0; i < parts->spki.n; i++)
		BUILD_ADD(arena, out, verify_certificate_spki, borrow(parts->spki.v[i]));
	for (size_t i = 0; i < parts->hashes.n; i++)
		BUILD_ADD(arena, out, verify_certificate_hash, borrow(parts->hashes.v[i]));
	if (parts->crl_file) {
		out->crl = envoy_data_source_new(arena);
		out->crl->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_FILENAME;
		out->crl->filename = borrow(parts->crl_file);
	}
	return out;
}

static void set_validation(struct arena *arena, envoy_common_tls_context *out, const struct tls_parts *parts)
{
	if (parts->root.name) {
		out->validation_context_type_case =
		    ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_COMBINED_VALIDATION_CONTEXT;
		out->combined_validation_context = envoy_combined_validation_context_new(arena);
		out->combined_validation_context->default_validation_context = validation(arena, parts);
		out->combined_validation_context->validation_context_sds_secret_config =
		    tls_secret_config(arena, parts->root);
	} else if (parts->spki.n || parts->hashes.n) { /* which pin a certificate, whoever signed it */
		out->validation_context_type_case =
		    ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_VALIDATION_CONTEXT;
		out->validation_context = validation(arena, parts);
	}
}

/* ---- contexts ---- */

static envoy_tls_parameters *parameters(struct arena *arena, const struct tls_parts *parts)
{
	envoy_tls_parameters *out = envoy_tls_parameters_new(arena);
	out->tls_minimum_protocol_version = parts->min;
	out->tls_maximum_protocol_version = parts->max;
	for (size_t i = 0; i < parts->cipher_suites.n; i++)
		BUILD_ADD(arena, out, cipher_suites, borrow(parts->cipher_suites.v[i]));
	return out;
}

envoy_common_tls_context *tls_common(struct arena *arena, const struct tls_parts *parts)
{
	envoy_common_tls_context *out = envoy_common_tls_context_new(arena);
	if (parts->min || parts->max || parts->cipher_suites.n)
		out->tls_params = parameters(arena, parts);
	for (size_t i = 0; i < parts->n_certificates; i++)
		BUILD_ADD(arena, out, tls_certificate_sds_secret_configs,
		          tls_secret_config(arena, parts->certificates[i]));
	set_validation(arena, out, parts);
	for (size_t i = 0; i < parts->alpn.n; i++)
		BUILD_ADD(arena, out, alpn_protocols, borrow(parts->alpn.v[i]));
	return out;
}

static envoy_transport_socket *socket_of(struct arena *arena, const char *name, const ProtobufCMessage *config)
{
	envoy_transport_socket *socket = envoy_transport_socket_new(arena);
	socket->name = borrow(name);
	socket->config_type_case = ENVOY__CONFIG__CORE__V3__TRANSPORT_SOCKET__CONFIG_TYPE_TYPED_CONFIG;
	socket->typed_config = pack_any(arena, config);
	return socket;
}

envoy_transport_socket *tls_socket(struct arena *arena, const ProtobufCMessage *context)
{
	return socket_of(arena, NAME_TLS_SOCKET, context);
}

envoy_transport_socket *tls_socket_plaintext(struct arena *arena)
{
	return socket_of(arena, NAME_PLAINTEXT_SOCKET, &envoy_raw_buffer_new(arena)->base);
}

/* ---- of the mesh ---- */

struct tls_parts tls_parts_of_mesh(void)
{
	static const struct tls_secret own = {TLS_FROM_MESH, NAME_OWN_SECRET};
	return (struct tls_parts){
	    .certificates = &own,
	    .n_certificates = 1,
	    .root = {TLS_FROM_MESH, NAME_ROOT_SECRET},
	    .min = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_2,
	    .max = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_3,
	};
}

envoy_transport_socket *tls_socket_inbound(const struct emit *emit)
{
	struct arena *arena = emit->arena;
	const struct strings *domains = &emit->mesh->trust_domains;
	struct string_match *sans = ARENA_NEW_N(arena, struct string_match, domains->n);
	for (size_t i = 0; i < domains->n; i++)
		sans[i] = (struct string_match){.type = MATCH_PREFIX,
		                                .value = arena_printf(arena, "spiffe://%s/", domains->v[i])};
	struct tls_parts parts = tls_parts_of_mesh();
	parts.sans = sans;
	parts.n_sans = domains->n;
	parts.cipher_suites = STRINGS(mesh_cipher_suites);
	if (emit->mesh->is_tls13_only)
		parts.min = parts.max;
	parts.alpn = STRINGS(alpn_http);
	envoy_downstream_tls_context *context = envoy_downstream_tls_context_new(arena);
	context->common_tls_context = tls_common(arena, &parts);
	context->require_client_certificate = build_bool(arena, true);
	return tls_socket(arena, &context->base);
}

envoy_transport_socket *tls_socket_mesh(struct arena *arena, const struct tls_client *client)
{
	struct string_match *sans = ARENA_NEW_N(arena, struct string_match, client->names.n);
	for (size_t i = 0; i < client->names.n; i++)
		sans[i] = (struct string_match){.type = MATCH_EXACT, .value = client->names.v[i]};
	struct tls_parts parts = tls_parts_of_mesh();
	parts.sans = sans;
	parts.n_sans = client->names.n;
	parts.alpn = client->alpn;
	envoy_upstream_tls_context *context = envoy_upstream_tls_context_new(arena);
	context->common_tls_context = tls_common(arena, &parts);
	context->sni = borrow(client->sni);
	return tls_socket(arena, &context->base);
}

/*
 * MeshConfig into the model. What is not said, cannot be read or is invalid keeps its default.
 */
#include "base/vec.h"
#include "ca/spiffe_id.h"
#include "crds/command_operator.h"
#include "proto/build.h"
#include "proto/codec.h"
#include "translator/istio/discovery.h"
#include "translator/istio/mesh_config.h"
#include "translator/istio/traffic_lowering.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define FIELD_PREFIX MESH_CONFIG_FIELD
#define PORT_MAX 65535
#define OUTBOUND_PORT_DEFAULT 15001
#define INBOUND_PORT_DEFAULT 15006
#define DNS_REFRESH_MS_MIN 2 /* Envoy wants more than one */
#define DUAL_STACK_KEY "ISTIO_DUAL_STACK"

/* MeshConfig fields that have their effect, or need none because proxies get them by other ways than xDS. */
static const char *const honoured_fields[] = {
    "proxy_listen_port",
    "proxy_inbound_listen_port",
    "connect_timeout",
    "protocol_detection_timeout",
    "access_log_file",
    "access_log_format",
    "access_log_encoding",
    "outbound_traffic_policy",
    "enable_auto_mtls",
    "inbound_traffic_policy",
    "tcp_keepalive",
    "trust_domain",
    "trust_domain_aliases",
    "mesh_mTLS",
    "default_service_export_to",
    "default_virtual_service_export_to",
    "default_destination_rule_export_to",
    "root_namespace",
    "discovery_selectors", /* discovery.c */
    "extension_providers", /* resolve_extension_providers.c */
    "dns_refresh_rate",
    "path_normalization",
    "default_http_retry_policy",
    "default_config", /* of the proxy's bootstrap */
    "ingress_class",  /* Ingress objects are not read */
    "ingress_service",
    "ingress_controller_mode",
    "ingress_selector",
    "enable_prometheus_merge", /* of injection and the agent */
    "config_sources",          /* where the daemon reads from is said by its options */
};

static struct mesh default_mesh(const char *root_namespace)
{
	static const char *const trust_domains[] = {"cluster.local"};
	return (struct mesh){
	    .root_namespace = root_namespace,
	    .trust_domain = trust_domains[0],
	    .trust_domains = {trust_domains, 1},
	    .domain_suffix = "cluster.local",
	    .is_outbound_allowed = true,
	    .connect_timeout_ms = 10000,
	    .protocol_detection_timeout_ms = 0,
	    .dns_refresh_ms = 60000,
	    .outbound_port = OUTBOUND_PORT_DEFAULT,
	    .inbound_port = INBOUND_PORT_DEFAULT,
	    .is_path_normalized = true,
	    .has_retry_default = true,
	    .is_auto_mtls = true,
	};
}

/* ---- reading ---- */

/* What a mistake in a selector means is told by discovery_report. */
static bool is_of_selector(const char *path)
{
	return text_has_prefix(path, FIELD_PREFIX ".discoverySelectors[") ||
	       text_has_prefix(path, FIELD_PREFIX ".discovery_selectors[");
}

static void report_issues(struct draft *draft, const struct object *object, const struct codec_issues *issues)
{
	for (size_t i = 0; i < issues->n; i++) {
		const struct codec_issue *issue = &issues->v[i];
		if (is_of_selector(issue->path))
			continue;
		report_add(draft->report, object, issue->is_unknown_field ? REPORT_WARNING : REPORT_ERROR,
		           issue->is_unknown_field ? REASON_UNKNOWN_FIELD : REASON_INVALID_VALUE, issue->path,
		           "%s; the default stands", issue->message);
	}
}

/* The message, all defaults when there is none; text that cannot be read was refused when it was decoded. *object is
 * the ConfigMap, or NULL. */
static const istio_mesh_config *read_mesh_config(struct draft *draft, const struct object **object)
{
	*object = mesh_config_object(draft->snapshot);
	struct yaml_document document;
	if (!mesh_config_parse(draft->arena, mesh_config_text(*object), &document) || !document.value)
		return istio_mesh_config_new(draft->arena);
	struct codec_issues issues = {0};
	const struct codec_options options = {.path = FIELD_PREFIX};
	const ProtobufCMessage *message =
	    codec_decode(draft->arena, istio_mesh_config_type(), document.value, &options, &issues);
	report_issues(draft, *object, &issues);
	return (const istio_mesh_config *)message;
}

/* ---- what is said but has no effect yet ---- */

/* Whether the field differs from its default. */
static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message + field->offset;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)(const void *)((const char *)message + field->quantifier_offset) > 0;
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(const void *const *)(const void *)base != NULL;
	case PROTOBUF_C_TYPE_STRING:
		return !text_is_empty(*(const char *const *)(const void *)base);
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return *(const int32_t *)(const void *)base != 0;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return *(const int64_t *)(const void *)base != 0;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)(const void *)base)->len > 0;
	}
	return false;
}

static bool is_honoured(const char *name)
{
	for (size_t i = 0; i < sizeof honoured_fields / sizeof honoured_fields[0]; i++)
		if (strcmp(honoured_fields[i], name) == 0)
			return true;
	return false;
}

/* "access_log_file" as users write it: "accessLogFile". */
static const char *json_name(struct arena *arena, const char *name)
{
	char *copy = arena_strdup(arena, name), *to = copy;
	for (; *name; name++)
		*to++ = *name == '_' && name[1] ? (char)toupper((unsigned char)*++name) : *name;
	*to = '\0';
	return copy;
}

static void report_unsupported(struct draft *draft, const struct object *object, const istio_mesh_config *config)
{
	const ProtobufCMessageDescriptor *type = istio_mesh_config_type();
	for (unsigned i = 0; i < type->n_fields; i++)
		if (is_set(&config->base, &type->fields[i]) && !is_honoured(type->fields[i].name))
			report_add(draft->report, object, REPORT_INFO, REASON_NOT_SUPPORTED,
			           arena_printf(draft->arena, FIELD_PREFIX ".%s",
			                        json_name(draft->arena, type->fields[i].name)),
			           "weft does not act on this mesh setting yet");
}

/* ---- lowering ---- */

static void set_port(struct draft *draft, const struct object *object, const char *field, int32_t value, uint32_t *port)
{
	if (value == 0)
		return;
	if (value < 0 || value > PORT_MAX)
		report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, field,
		           "%d is no port number; %u stands", value, *port);
	else
		*port = (uint32_t)value;
}

static void set_ports(struct draft *draft, const struct object *object, const istio_mesh_config *config,
                      struct mesh *mesh)
{
	static const char inbound[] = FIELD_PREFIX ".proxyInboundListenPort";
	set_port(draft, object, FIELD_PREFIX ".proxyListenPort", config->proxy_listen_port, &mesh->outbound_port);
	set_port(draft, object, inbound, config->proxy_inbound_listen_port, &mesh->inbound_port);
	if (mesh->outbound_port != mesh->inbound_port)
		return;
	report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, inbound,
	           "%u is proxyListenPort too; both keep their defaults", mesh->inbound_port);
	mesh->outbound_port = OUTBOUND_PORT_DEFAULT;
	mesh->inbound_port = INBOUND_PORT_DEFAULT;
}

/* Zero means "no limit" nowhere but for protocol detection, which checks for itself. */
static void set_duration(struct draft *draft, const struct object *object, const char *field,
                         const google_duration *value, int64_t least_ms, int64_t *ms)
{
	if (!value)
		return;
	int64_t wanted = build_duration_get_ms(value);
	if (wanted < least_ms)
		report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, field,
		           "at least %lldms is needed; %lldms stands", (long long)least_ms, (long long)*ms);
	else
		*ms = wanted;
}

static void set_outbound(struct draft *draft, const struct object *object, const istio_mesh_config *config,
                         struct mesh *mesh)
{
	const istio_mesh_config_outbound_traffic_policy *policy = config->outbound_traffic_policy;
	if (!policy)
		return;
	switch (policy->mode) {
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__OUTBOUND_TRAFFIC_POLICY__MODE__REGISTRY_ONLY:
		mesh->is_outbound_allowed = false;
		break;
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__OUTBOUND_TRAFFIC_POLICY__MODE__ALLOW_ANY_DYNAMIC_DNS:
		report_add(draft->report, object, REPORT_WARNING, REASON_NOT_SUPPORTED,
		           FIELD_PREFIX ".outboundTrafficPolicy.mode",
		           "weft does not resolve unknown hosts itself yet; ALLOW_ANY is in force");
		break;
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__OUTBOUND_TRAFFIC_POLICY__MODE__ALLOW_ANY:
	case _ISTIO__MESH__V1ALPHA1__MESH_CONFIG__OUTBOUND_TRAFFIC_POLICY__MODE_IS_INT_SIZE:
		break;
	}
}

static void set_path_normalization(const istio_mesh_config *config, struct mesh *mesh)
{
	if (!config->path_normalization)
		return;
	switch (config->path_normalization->normalization) {
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__PROXY_PATH_NORMALIZATION__NORMALIZATION_TYPE__NONE:
		mesh->is_path_normalized = false;
		break;
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__PROXY_PATH_NORMALIZATION__NORMALIZATION_TYPE__DECODE_AND_MERGE_SLASHES:
		mesh->is_slash_decoded = true;
		mesh->is_merge_slashes = true;
		break;
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__PROXY_PATH_NORMALIZATION__NORMALIZATION_TYPE__MERGE_SLASHES:
		mesh->is_merge_slashes = true;
		break;
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__PROXY_PATH_NORMALIZATION__NORMALIZATION_TYPE__DEFAULT:
	case ISTIO__MESH__V1ALPHA1__MESH_CONFIG__PROXY_PATH_NORMALIZATION__NORMALIZATION_TYPE__BASE:
	case _ISTIO__MESH__V1ALPHA1__MESH_CONFIG__PROXY_PATH_NORMALIZATION__NORMALIZATION_TYPE_IS_INT_SIZE:
		break;
	}
}

/* The model knows the default policy or none: other numbers are said to have no effect. */
static void set_retries(struct draft *draft, const struct object *object, const istio_mesh_config *config,
                        struct mesh *mesh)
{
	const istio_http_retry *retry = config->default_http_retry_policy;
	if (!retry)
		return;
	mesh->has_retry_default = retry->attempts != 0;
	if (retry->attempts != 0)
		report_add(
		    draft->report, object, REPORT_WARNING, REASON_NOT_SUPPORTED, FIELD_PREFIX ".defaultHttpRetryPolicy",
		    "weft can turn the mesh's retries off (attempts: 0) but not change them yet; 2 attempts are in "
		    "force");
}

static struct strings export_to(struct draft *draft, const struct object *object, const char *field,
                                char *const *values, size_t n)
{
	VEC(const char *) kept = {0};
	for (size_t i = 0; i < n; i++) {
		if (istio_is_export_to(values[i]))
			VEC_PUSH(draft->arena, &kept, values[i]);
		else
			report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE,
			           arena_printf(draft->arena, FIELD_PREFIX ".%s[%zu]", field, i),
			           "\"%s\" is neither a namespace nor one of \".\", \"*\", \"~\"; left out", values[i]);
	}
	if (n && !kept.n) /* something narrower than everybody was wanted */
		VEC_PUSH(draft->arena, &kept, ".");
	return (struct strings){kept.v, kept.n};
}

/* Where Istio's users say it: proxyMetadata of the proxies' default configuration. */
static bool is_dual_stack(const istio_mesh_config *config)
{
	const istio_proxy_config *proxy = config->default_config;
	for (size_t i = 0; proxy && i < proxy->n_proxy_metadata; i++)
		if (strcmp(proxy->proxy_metadata[i]->key, DUAL_STACK_KEY) == 0)
			return strcasecmp(proxy->proxy_metadata[i]->value, "true") == 0;
	return false;
}

static void set_access_log(struct draft *draft, const struct object *object, const istio_mesh_config *config,
                           struct mesh *mesh)
{
	if (!text_is_empty(config->access_log_file))
		mesh->access_log_file = config->access_log_file;
	if (!text_is_empty(config->access_log_format) && command_operators_are_known(config->access_log_format))
		mesh->access_log_format = config->access_log_format;
	else if (!text_is_empty(config->access_log_format))
		report_add(
		    draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, FIELD_PREFIX ".accessLogFormat",
		    "it has a command operator that proxies may not know: the default format stays; \"%%%%\" is the "
		    "sign itself");
	mesh->is_access_log_json =
	    config->access_log_encoding == ISTIO__MESH__V1ALPHA1__MESH_CONFIG__ACCESS_LOG_ENCODING__JSON;
}

/* Says so when it is none. */
static bool is_trust_domain(struct draft *draft, const struct object *object, const char *field, const char *value)
{
	struct error error = {0};
	if (spiffe_trust_domain_check(value, strlen(value), &error))
		return true;
	report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, field, "%s; it is left out",
	           error.message);
	return false;
}

static void set_trust_domains(struct draft *draft, const struct object *object, const istio_mesh_config *config,
                              struct mesh *mesh)
{
	if (!text_is_empty(config->trust_domain) &&
	    is_trust_domain(draft, object, FIELD_PREFIX ".trustDomain", config->trust_domain))
		mesh->trust_domain = config->trust_domain;
	VEC(const char *) domains = {0};
	VEC_PUSH(draft->arena, &domains, mesh->trust_domain);
	for (size_t i = 0; i < config->n_trust_domain_aliases; i++) {
		const char *alias = config->trust_domain_aliases[i];
		const char *field = arena_printf(draft->arena, FIELD_PREFIX ".trustDomainAliases[%zu]", i);
		if (is_trust_domain(draft, object, field, alias) && strcmp(alias, mesh->trust_domain) != 0)
			VEC_PUSH(draft->arena, &domains, alias);
	}
	mesh->trust_domains = (struct strings){domains.v, domains.n};
}

static void set_mesh_mtls(struct draft *draft, const struct object *object, const istio_mesh_config *config,
                          struct mesh *mesh)
{
	const istio_mesh_config_tls_config *tls = config->mesh_mtls;
	if (!tls)
		return;
	mesh->is_tls13_only =
	    tls->min_protocol_version == ISTIO__MESH__V1ALPHA1__MESH_CONFIG__TLSCONFIG__TLSPROTOCOL__TLSV1_3;
	if (tls->n_cipher_suites || tls->n_ecdh_curves)
		report_add(draft->report, object, REPORT_INFO, REASON_NOT_SUPPORTED, FIELD_PREFIX ".meshMTLS",
		           "weft does not act on cipherSuites and ecdhCurves yet");
}

static void set_mesh(struct draft *draft, const struct object *object, const istio_mesh_config *config,
                     struct mesh *mesh)
{
	if (!text_is_empty(config->root_namespace))
		mesh->root_namespace = config->root_namespace;
	set_trust_domains(draft, object, config, mesh);
	set_mesh_mtls(draft, object, config, mesh);
	set_outbound(draft, object, config, mesh);
	set_duration(draft, object, FIELD_PREFIX ".connectTimeout", config->connect_timeout, 1,
	             &mesh->connect_timeout_ms);
	set_duration(draft, object, FIELD_PREFIX ".protocolDetectionTimeout", config->protocol_detection_timeout, 0,
	             &mesh->protocol_detection_timeout_ms);
	set_duration(draft, object, FIELD_PREFIX ".dnsRefreshRate", config->dns_refresh_rate, DNS_REFRESH_MS_MIN,
	             &mesh->dns_refresh_ms);
	set_ports(draft, object, config, mesh);
	mesh->is_inbound_loopback = config->inbound_traffic_policy &&
	                            config->inbound_traffic_policy->mode ==
	                                ISTIO__MESH__V1ALPHA1__MESH_CONFIG__INBOUND_TRAFFIC_POLICY__MODE__LOCALHOST;
	mesh->keepalive = traffic_lower_keepalive(config->tcp_keepalive);
	mesh->is_dual_stack = is_dual_stack(config);
	mesh->is_auto_mtls = !config->enable_auto_mtls || config->enable_auto_mtls->value;
	set_access_log(draft, object, config, mesh);
	set_path_normalization(config, mesh);
	set_retries(draft, object, config, mesh);
}

static struct digest mesh_digest(const struct mesh *mesh)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, mesh->root_namespace);
	digest_add_u64(&state, mesh->trust_domains.n);
	for (size_t i = 0; i < mesh->trust_domains.n; i++)
		digest_add_str(&state, mesh->trust_domains.v[i]);
	digest_add_str(&state, mesh->domain_suffix);
	digest_add_bool(&state, mesh->is_tls13_only);
	digest_add_bool(&state, mesh->is_outbound_allowed);
	digest_add_bool(&state, mesh->is_inbound_loopback);
	traffic_digest_keepalive(&state, &mesh->keepalive);
	digest_add_bool(&state, mesh->is_dual_stack);
	digest_add_i64(&state, mesh->connect_timeout_ms);
	digest_add_i64(&state, mesh->protocol_detection_timeout_ms);
	digest_add_i64(&state, mesh->dns_refresh_ms);
	digest_add_u64(&state, mesh->outbound_port);
	digest_add_u64(&state, mesh->inbound_port);
	digest_add_str(&state, mesh->access_log_file);
	digest_add_str(&state, mesh->access_log_format);
	digest_add_bool(&state, mesh->is_access_log_json);
	digest_add_bool(&state, mesh->is_path_normalized);
	digest_add_bool(&state, mesh->is_merge_slashes);
	digest_add_bool(&state, mesh->is_slash_decoded);
	digest_add_bool(&state, mesh->has_retry_default);
	digest_add_bool(&state, mesh->is_auto_mtls);
	return digest_final(&state);
}

void resolve_mesh(struct draft *draft)
{
	const struct object *object;
	const istio_mesh_config *config = read_mesh_config(draft, &object);
	struct mesh *mesh = &draft->model->mesh;
	*mesh = default_mesh(draft->snapshot->root_namespace);
	if (object) {
		report_unsupported(draft, object, config);
		discovery_report(draft->snapshot, draft->report);
		set_mesh(draft, object, config, mesh);
	}
	mesh->digest = mesh_digest(mesh);
	struct strings *exports = draft->istio->default_export_to;
	exports[EXPORT_SERVICE] = export_to(draft, object, "defaultServiceExportTo", config->default_service_export_to,
	                                    config->n_default_service_export_to);
	exports[EXPORT_VIRTUAL_SERVICE] =
	    export_to(draft, object, "defaultVirtualServiceExportTo", config->default_virtual_service_export_to,
	              config->n_default_virtual_service_export_to);
	exports[EXPORT_DESTINATION_RULE] =
	    export_to(draft, object, "defaultDestinationRuleExportTo", config->default_destination_rule_export_to,
	              config->n_default_destination_rule_export_to);
	draft->istio->mesh_config = config;
}

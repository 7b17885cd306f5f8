#include "translator/model.h"

#include "translator/draft.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum transport transport;
	bool is_http2;
} protocols[PROTOCOL_COUNT] = {
    [PROTOCOL_AUTO] = {"AUTO", TRANSPORT_AUTO, false},
    [PROTOCOL_HTTP] = {"HTTP", TRANSPORT_HTTP, false},
    [PROTOCOL_HTTP2] = {"HTTP2", TRANSPORT_HTTP, true},
    [PROTOCOL_GRPC] = {"GRPC", TRANSPORT_HTTP, true},
    [PROTOCOL_GRPC_WEB] = {"GRPC-Web", TRANSPORT_HTTP, false},
    [PROTOCOL_HTTPS] = {"HTTPS", TRANSPORT_TCP, false},
    [PROTOCOL_TLS] = {"TLS", TRANSPORT_TCP, false},
    [PROTOCOL_TCP] = {"TCP", TRANSPORT_TCP, false},
    [PROTOCOL_MONGO] = {"Mongo", TRANSPORT_TCP, false},
    [PROTOCOL_REDIS] = {"Redis", TRANSPORT_TCP, false},
    [PROTOCOL_MYSQL] = {"MySQL", TRANSPORT_TCP, false},
    [PROTOCOL_UDP] = {"UDP", TRANSPORT_NONE, false},
};

enum transport protocol_transport(enum protocol protocol)
{
	return protocols[protocol].transport;
}

bool protocol_is_tls(enum protocol protocol)
{
	return protocol == PROTOCOL_HTTPS || protocol == PROTOCOL_TLS;
}

bool protocol_is_http2(enum protocol protocol)
{
	return protocols[protocol].is_http2;
}

const char *protocol_name(enum protocol protocol)
{
	return protocols[protocol].name;
}

/* Both are sorted: one walk. */
bool labels_match(const struct labels *selector, const struct labels *labels)
{
	size_t at = 0;
	for (size_t i = 0; i < selector->n; i++) {
		int order = 1;
		while (at < labels->n && (order = strcmp(labels->v[at].key, selector->v[i].key)) < 0)
			at++;
		if (at == labels->n || order != 0 || strcmp(labels->v[at].value, selector->v[i].value) != 0)
			return false;
	}
	return true;
}

bool visibility_allows(const struct visibility *visibility, const char *namespace)
{
	if (visibility->is_public)
		return true;
	for (size_t i = 0; i < visibility->namespaces.n; i++)
		if (strcmp(visibility->namespaces.v[i], namespace) == 0)
			return true;
	return false;
}

bool visibility_overlaps(const struct visibility *a, const struct visibility *b)
{
	if (a->is_public || b->is_public)
		return true;
	for (size_t i = 0; i < a->namespaces.n; i++)
		if (visibility_allows(b, a->namespaces.v[i]))
			return true;
	return false;
}

bool service_precedes(const struct service *a, const struct service *b)
{
	if (a->is_kubernetes != b->is_kubernetes)
		return a->is_kubernetes;
	if (a->created_s != b->created_s)
		return a->created_s < b->created_s;
	return strcmp(a->namespace, b->namespace) < 0;
}

static int compare_port_number(const void *key, const void *element)
{
	uint32_t number = *(const uint32_t *)key, other = ((const struct service_port *)element)->number;
	return (number > other) - (number < other);
}

const struct service_port *service_port_get(const struct service *service, uint32_t number)
{
	if (!service->n_ports)
		return NULL;
	return bsearch(&number, service->ports, service->n_ports, sizeof *service->ports, compare_port_number);
}

const struct traffic_policy *destination_subset_policy(const struct destination_subset *subset, uint32_t port)
{
	for (size_t i = 0; i < subset->n_ports; i++)
		if (subset->ports[i].port == port || subset->ports[i].port == 0)
			return subset->ports[i].policy;
	return NULL;
}

const struct destination_subset *destination_policy_subset(const struct destination_policy *policy, const char *name)
{
	if (!*name)
		return &policy->whole;
	for (size_t i = 0; i < policy->n_subsets; i++)
		if (strcmp(policy->subsets[i].name, name) == 0)
			return &policy->subsets[i];
	return NULL;
}

const struct secret *model_secret(const struct model *model, const char *namespace, const char *name)
{
	size_t low = 0, high = model->n_secrets;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct secret *secret = model->secrets[middle];
		int order = strcmp(secret->namespace, namespace);
		order = order ? order : strcmp(secret->name, name);
		if (order == 0)
			return secret;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct service *model_service(const struct model *model, const char *hostname)
{
	return map_get(&model->services_by_host, hostname);
}

struct services_of_host model_services_of_host(const struct model *model, const char *hostname)
{
	size_t low = 0, high = model->n_services, end;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(model->services[middle]->hostname, hostname) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < model->n_services && strcmp(model->services[end]->hostname, hostname) == 0;)
		end++;
	return (struct services_of_host){end > low ? &model->services[low] : NULL, end - low};
}

/* ---- peer authentication ---- */

enum mtls_mode model_namespace_mtls_mode(const struct model *model, const char *namespace)
{
	const struct namespace_mtls *mtls = map_get(&model->mtls_by_namespace, namespace);
	return mtls ? mtls->mode : model->mtls_mode;
}

/* Each mode that is unset, as the next wider one. */
static struct mtls_settings inherit(struct arena *arena, const struct mtls_settings *from, enum mtls_mode wider)
{
	struct mtls_port *ports = ARENA_NEW_N(arena, struct mtls_port, from->n_ports);
	struct mtls_settings settings = {from->mode ? from->mode : wider, ports, from->n_ports};
	for (size_t i = 0; i < from->n_ports; i++) {
		ports[i] = from->ports[i];
		if (!ports[i].mode)
			ports[i].mode = settings.mode;
	}
	return settings;
}

bool model_takes_mtls(const struct model *model, const char *namespace, const struct labels *labels, uint32_t port)
{
	const struct namespace_mtls *mtls = map_get(&model->mtls_by_namespace, namespace);
	enum mtls_mode mode = mtls ? mtls->mode : model->mtls_mode;
	for (size_t i = 0; mtls && i < mtls->n_rows; i++) {
		if (!labels_match(&mtls->rows[i]->selector, labels))
			continue;
		enum mtls_mode own = mtls_settings_mode(&mtls->rows[i]->settings, port);
		if (!own)
			own = mtls->rows[i]->settings.mode;
		mode = own ? own : mode;
		break;
	}
	return mode != MTLS_DISABLE;
}

struct mtls_settings model_mtls(struct arena *arena, const struct model *model, const char *namespace,
                                const struct labels *labels)
{
	const struct namespace_mtls *mtls = map_get(&model->mtls_by_namespace, namespace);
	for (size_t i = 0; mtls && i < mtls->n_rows; i++)
		if (labels_match(&mtls->rows[i]->selector, labels))
			return inherit(arena, &mtls->rows[i]->settings, mtls->mode);
	return (struct mtls_settings){.mode = mtls ? mtls->mode : model->mtls_mode};
}

enum mtls_mode mtls_settings_mode(const struct mtls_settings *settings, uint32_t port)
{
	for (size_t i = 0; i < settings->n_ports; i++)
		if (settings->ports[i].port == port)
			return settings->ports[i].mode;
	return settings->mode;
}

/* ---- digests (draft.h) ---- */

struct digest service_digest(const struct service *service)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, service->hostname);
	digest_add_str(&state, service->namespace);
	digest_add_str(&state, service->name);
	digest_add_bool(&state, service->is_kubernetes);
	digest_add_bool(&state, service->is_external);
	digest_add_bool(&state, service->is_headless);
	digest_add_bool(&state, service->has_selector);
	digest_add_u64(&state, service->resolution);
	digest_add_str(&state, service->alias);
	digest_add_strings(&state, &service->addresses);
	digest_add_strings(&state, &service->subject_alt_names);
	digest_add_u64(&state, service->n_ports);
	for (size_t i = 0; i < service->n_ports; i++) {
		digest_add_u64(&state, service->ports[i].number);
		digest_add_str(&state, service->ports[i].name);
		digest_add_u64(&state, service->ports[i].protocol);
	}
	digest_add_visibility(&state, &service->visibility);
	digest_add_i64(&state, service->created_s);
	digest_add_source(&state, &service->source);
	return digest_final(&state);
}

void digest_add_bool(struct digest_state *state, bool value)
{
	digest_add_u64(state, value);
}

void digest_add_i64(struct digest_state *state, int64_t value)
{
	digest_add_u64(state, (uint64_t)value);
}

void digest_add_strings(struct digest_state *state, const struct strings *strings)
{
	digest_add_u64(state, strings->n);
	for (size_t i = 0; i < strings->n; i++)
		digest_add_str(state, strings->v[i]);
}

void digest_add_labels(struct digest_state *state, const struct labels *labels)
{
	digest_add_u64(state, labels->n);
	for (size_t i = 0; i < labels->n; i++) {
		digest_add_str(state, labels->v[i].key);
		digest_add_str(state, labels->v[i].value);
	}
}

void digest_add_visibility(struct digest_state *state, const struct visibility *visibility)
{
	digest_add_bool(state, visibility->is_public);
	digest_add_strings(state, &visibility->namespaces);
}

void digest_add_source(struct digest_state *state, const struct source_ref *source)
{
	digest_add_str(state, source->path);
}

bool gateway_tls_is_terminated(enum gateway_tls_mode mode)
{
	return mode == GATEWAY_TLS_SIMPLE || mode == GATEWAY_TLS_OPTIONAL_MUTUAL || mode == GATEWAY_TLS_MUTUAL ||
	       mode == GATEWAY_TLS_MESH;
}

bool route_rule_has_connections(const struct route_rule *rule)
{
	return rule->is_mesh && (rule->n_tls > 0 || rule->n_tcp > 0);
}

/* ---- access control ---- */

static bool selects(const struct authz_policy *policy, const struct labels *labels)
{
	for (size_t i = 0; i < policy->selectors.n; i++)
		if (labels_match(&policy->selectors.v[i], labels))
			return true;
	return false;
}

/* The place of the namespace's first policy, or where it would be. */
static size_t first_policy(const struct model *model, const char *namespace)
{
	size_t low = 0, high = model->n_authz_policies;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(model->authz_policies[middle]->namespace, namespace) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct authz_policies model_authz(struct arena *arena, const struct model *model, const char *namespace,
                                  const struct labels *labels)
{
	const char *const namespaces[] = {model->mesh.root_namespace, namespace};
	size_t n_namespaces = strcmp(namespaces[0], namespace) == 0 ? 1 : 2;
	VEC(const struct authz_policy *) policies = {0};
	for (size_t i = 0; i < n_namespaces; i++) {
		size_t at = first_policy(model, namespaces[i]);
		for (; at < model->n_authz_policies; at++) {
			const struct authz_policy *policy = model->authz_policies[at];
			if (strcmp(policy->namespace, namespaces[i]) != 0)
				break;
			if (selects(policy, labels))
				VEC_PUSH(arena, &policies, policy);
		}
	}
	return (struct authz_policies){.v = policies.v, .n = policies.n};
}

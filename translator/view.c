/* A node boiled down to the two keys that its configuration may depend on. */
#include "translator/view.h"

#include "base/vec.h"
#include "translator/address.h"
#include "translator/authz_choice.h"
#include "translator/draft.h"

#include <string.h>

static bool has_family(const struct node *node, enum address_family family)
{
	for (size_t i = 0; i < node->addresses.n; i++)
		if (address_family_of(node->addresses.v[i]) == family)
			return true;
	return false;
}

static int compare_to_node(const struct workload *workload, const struct node *node)
{
	int order = strcmp(workload->namespace, node->namespace);
	return order ? order : strcmp(workload->name, node->name);
}

static bool has_address(const struct workload *workload, const char *address)
{
	for (size_t i = 0; i < workload->addresses.n; i++)
		if (strcmp(workload->addresses.v[i], address) == 0)
			return true;
	return false;
}

/* By name; several pods may share a host's address. */
static const struct workload *workload_by_name(const struct model *model, const struct node *node)
{
	size_t low = 0, n = model->n_workloads;
	while (n > 0) {
		size_t half = n / 2;
		if (compare_to_node(model->workloads[low + half], node) < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	for (; low < model->n_workloads && compare_to_node(model->workloads[low], node) == 0; low++)
		if (has_address(model->workloads[low], node->address))
			return model->workloads[low];
	return NULL;
}

static const struct workload *workload_of(const struct model *model, const struct node *node)
{
	const struct workload *workload = workload_by_name(model, node);
	for (size_t i = 0; !workload && i < node->addresses.n; i++) {
		workload = map_get(&model->workloads_by_address, node->addresses.v[i]);
		if (workload && (workload->is_host_network || strcmp(workload->namespace, node->namespace) != 0))
			workload = NULL; /* somebody else */
	}
	return workload;
}

/* What the registry knows of the workload counts more than what the proxy says: labels may change while it runs. */
static struct labels labels_of(const struct model *model, const struct node *node)
{
	const struct workload *workload = workload_of(model, node);
	return workload ? workload->labels : node->labels;
}

/* Of its namespace's workloads with its service account: whether there are any, and whether one has these labels. */
static bool is_known(const struct model *model, const struct node *node, const struct labels *labels, bool *has_labels)
{
	bool is_any = false;
	*has_labels = false;
	for (size_t i = 0; i < model->n_workloads && !*has_labels; i++) {
		const struct workload *workload = model->workloads[i];
		if (strcmp(workload->namespace, node->namespace) != 0 ||
		    strcmp(workload->service_account, node->service_account) != 0)
			continue;
		is_any = true;
		*has_labels = labels_match(labels, &workload->labels);
	}
	return is_any;
}

/*
 * A caller proves a namespace and a service account, no more: that it is a gateway with these labels, or that pod, it
 * only says. So where the registry knows pods of its account one of them must have what it says, lest any workload of
 * the namespace calls itself the gateway and is given its keys.
 */
static bool may_have_secrets(const struct model *model, const struct node *node, const struct labels *labels)
{
	if (!node->is_verified || !*node->service_account)
		return node->is_verified;
	const struct workload *workload = workload_of(model, node);
	if (workload && *workload->service_account)
		return strcmp(workload->service_account, node->service_account) == 0;
	bool has_labels;
	return !is_known(model, node, labels, &has_labels) || has_labels;
}

static struct labels copy_labels(struct arena *arena, const struct labels *labels, const struct strings *keys)
{
	VEC(struct label) copy = {0};
	size_t at = 0;
	for (size_t i = 0; i < labels->n; i++) {
		while (keys && at < keys->n && strcmp(keys->v[at], labels->v[i].key) < 0)
			at++;
		if (keys && (at == keys->n || strcmp(keys->v[at], labels->v[i].key) != 0))
			continue;
		VEC_PUSH(
		    arena, &copy,
		    (struct label){arena_strdup(arena, labels->v[i].key), arena_strdup(arena, labels->v[i].value)});
	}
	return (struct labels){copy.v, copy.n};
}

static struct strings copy_strings(struct arena *arena, const struct strings *strings)
{
	const char **copy = ARENA_NEW_N(arena, const char *, strings->n);
	for (size_t i = 0; i < strings->n; i++)
		copy[i] = arena_strdup(arena, strings->v[i]);
	return (struct strings){copy, strings->n};
}

/* ---- what is served at the node's addresses ---- */

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_age(const struct served_port *a, const struct served_port *b)
{
	if (a->service->created_s != b->service->created_s)
		return a->service->created_s < b->service->created_s ? -1 : 1;
	int order = strcmp(a->service->hostname, b->service->hostname);
	if (!order)
		order = strcmp(a->service->namespace, b->service->namespace);
	return order ? order : compare_numbers(a->port->number, b->port->number);
}

/* Rivals for one port of the workload stand together, the oldest service first. */
static int compare_by_target(const void *pa, const void *pb)
{
	const struct served_port *a = pa, *b = pb;
	int order = compare_numbers(a->target_port, b->target_port);
	return order ? order : compare_age(a, b);
}

static int compare_by_number(const void *pa, const void *pb)
{
	const struct served_port *a = pa, *b = pb;
	int order = compare_numbers(a->port->number, b->port->number);
	return order ? order : compare_age(a, b);
}

static struct served_ports served_by(struct arena *arena, const struct model *model, const struct node *node,
                                     int (*compare)(const void *, const void *))
{
	VEC(struct served_port) all = {0};
	for (size_t i = 0; i < node->addresses.n; i++) {
		const struct served_ports *served = map_get(&model->served_by_address, node->addresses.v[i]);
		for (size_t j = 0; served && j < served->n; j++)
			VEC_PUSH(arena, &all, served->v[j]);
	}
	VEC_SORT(&all, compare);
	return (struct served_ports){all.v, all.n};
}

/* Where the ports of the Services before a gateway lead to; of two Services with one port the oldest counts. */
static void set_gateway_ports(struct arena *arena, const struct model *model, const struct node *node,
                              struct view *view)
{
	struct served_ports served = served_by(arena, model, node, compare_by_number);
	VEC(struct port_mapping) mappings = {0};
	for (size_t i = 0; i < served.n; i++)
		if (!i || served.v[i].port->number != served.v[i - 1].port->number)
			VEC_PUSH(arena, &mappings,
			         (struct port_mapping){served.v[i].port->number, served.v[i].target_port});
	view->gateway_ports = mappings.v;
	view->n_gateway_ports = mappings.n;
}

static bool is_served(const struct workload_class *workload, uint32_t port)
{
	for (size_t i = 0; i < workload->n_ports; i++)
		if (workload->ports[i].port == port)
			return true;
	return false;
}

/* What is said of ports that no service leads to. */
static void set_other_ports(struct arena *arena, const struct mtls_settings *settings, struct workload_class *workload)
{
	VEC(struct mtls_port) others = {0};
	for (size_t i = 0; i < settings->n_ports; i++)
		if (settings->ports[i].mode != settings->mode && !is_served(workload, settings->ports[i].port))
			VEC_PUSH(arena, &others, settings->ports[i]);
	workload->other_ports = others.v;
	workload->n_other_ports = others.n;
}

/* One for each port that the workload listens on. */
static void set_inbound_ports(struct arena *arena, const struct model *model, const struct node *node,
                              struct workload_class *workload)
{
	struct served_ports served = served_by(arena, model, node, compare_by_target);
	struct mtls_settings mtls = model_mtls(arena, model, workload->namespace, &workload->labels);
	const struct service **services = ARENA_NEW_N(arena, const struct service *, served.n);
	size_t n = 0;
	VEC(struct inbound_port) ports = {0};
	for (size_t i = 0; i < served.n; i++) {
		const struct served_port *from = &served.v[i];
		bool is_first = !i || from->target_port != served.v[i - 1].target_port;
		if (is_first)
			VEC_PUSH(arena, &ports,
			         (struct inbound_port){.port = from->target_port,
			                               .mtls_mode = mtls_settings_mode(&mtls, from->target_port),
			                               .protocol = from->port->protocol,
			                               .service = from->service,
			                               .service_port = from->port,
			                               .services = &services[n]});
		if (is_first || services[n - 1] != from->service) { /* a service's ports are neighbours */
			services[n++] = from->service;
			ports.v[ports.n - 1].n_services++;
		}
	}
	workload->ports = ports.v;
	workload->n_ports = ports.n;
	workload->mtls_mode = mtls.mode;
	set_other_ports(arena, &mtls, workload);
}

/* ---- keys ---- */

static struct digest digest_of_view(const struct view *view)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_u64(&state, view->role);
	digest_add_str(&state, view->namespace);
	digest_add_str(&state, view->domain);
	digest_add_labels(&state, &view->labels);
	digest_add_u64(&state, view->n_gateway_ports);
	for (size_t i = 0; i < view->n_gateway_ports; i++) {
		digest_add_u64(&state, view->gateway_ports[i].number);
		digest_add_u64(&state, view->gateway_ports[i].target);
	}
	digest_add_strings(&state, &view->networks);
	digest_add_bool(&state, view->is_ipv4);
	digest_add_bool(&state, view->is_ipv6);
	digest_add_bool(&state, view->is_mtls_capable);
	digest_add_bool(&state, view->is_verified);
	digest_add_bool(&state, view->is_unprivileged);
	digest_add_bool(&state, view->is_http10);
	digest_add_i64(&state, view->interception);
	digest_add_bool(&state, view->is_outbound_exact_balance);
	digest_add_u64(&state, view->status_port);
	digest_add_u64(&state, view->prometheus_port);
	return digest_final(&state);
}

struct view *view_of(struct arena *arena, const struct model *model, const struct node *node)
{
	struct view *view = ARENA_NEW(arena, struct view);
	*view = (struct view){
	    .role = node->role,
	    .namespace = arena_strdup(arena, node->namespace),
	    .domain = arena_strdup(arena, node->domain),
	    .networks = copy_strings(arena, &node->networks),
	    .is_ipv4 = has_family(node, ADDRESS_IPV4),
	    .is_ipv6 = has_family(node, ADDRESS_IPV6),
	    .is_mtls_capable = node->is_mtls_capable,
	    .is_unprivileged = node->is_unprivileged,
	    .is_http10 = node->is_http10,
	    .interception = node->interception,
	    .is_outbound_exact_balance = node->is_outbound_exact_balance,
	    .status_port = node->status_port,
	    .prometheus_port = node->prometheus_port,
	};
	struct labels labels = labels_of(model, node);
	view->is_verified = may_have_secrets(model, node, &labels);
	bool is_gateway = node->role == PROXY_GATEWAY;
	view->labels = copy_labels(arena, &labels, is_gateway ? NULL : &model->client_label_keys);
	if (is_gateway)
		set_gateway_ports(arena, model, node, view);
	view->key = digest_of_view(view);
	return view;
}

static struct digest digest_of_workload(const struct workload_class *workload)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_u64(&state, workload->role);
	digest_add_str(&state, workload->namespace);
	digest_add_labels(&state, &workload->labels);
	digest_add_u64(&state, workload->n_ports);
	for (size_t i = 0; i < workload->n_ports; i++) {
		digest_add_u64(&state, workload->ports[i].port);
		digest_add_u64(&state, workload->ports[i].mtls_mode);
		digest_add_u64(&state, workload->ports[i].protocol);
		digest_add_u64(&state, workload->ports[i].service_port->number);
		digest_add_u64(&state, workload->ports[i].n_services);
		for (size_t j = 0; j < workload->ports[i].n_services; j++)
			digest_add_digest(&state, workload->ports[i].services[j]->digest);
	}
	digest_add_u64(&state, workload->mtls_mode);
	digest_add_u64(&state, workload->n_other_ports);
	for (size_t i = 0; i < workload->n_other_ports; i++) {
		digest_add_u64(&state, workload->other_ports[i].port);
		digest_add_u64(&state, workload->other_ports[i].mode);
	}
	digest_add_authz(&state, &workload->authz);
	digest_add_bool(&state, workload->is_mtls_capable);
	digest_add_bool(&state, workload->is_ipv4);
	digest_add_bool(&state, workload->is_ipv6);
	digest_add_bool(&state, workload->is_http10);
	digest_add_bool(&state, workload->is_inbound_exact_balance);
	digest_add_i64(&state, workload->interception);
	return digest_final(&state);
}

struct workload_class *workload_class_of(struct arena *arena, const struct model *model, const struct node *node)
{
	struct workload_class *workload = ARENA_NEW(arena, struct workload_class);
	*workload = (struct workload_class){
	    .role = node->role,
	    .namespace = arena_strdup(arena, node->namespace),
	    .labels = labels_of(model, node),
	    .is_mtls_capable = node->is_mtls_capable,
	    .is_ipv4 = has_family(node, ADDRESS_IPV4),
	    .is_ipv6 = has_family(node, ADDRESS_IPV6),
	    .is_http10 = node->is_http10,
	    .is_inbound_exact_balance = node->is_inbound_exact_balance,
	    .interception = node->interception,
	};
	if (node->role == PROXY_SIDECAR) {
		set_inbound_ports(arena, model, node, workload);
		workload->authz = authz_of(arena, model, workload->namespace, &workload->labels);
	}
	workload->key = digest_of_workload(workload);
	return workload;
}

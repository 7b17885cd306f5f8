#include "base/text.h"
#include "translator/istio/connection_lowering.h"
#include "translator/istio/http_lowering.h"

#include <string.h>

const char *istio_gateway_name(struct draft *draft, const char *name, const char *namespace)
{
	if (strcmp(name, "mesh") == 0)
		return NULL;
	const char *slash = strchr(name, '/');
	if (slash) {
		bool is_here = slash == name + 1 && name[0] == '.';
		return is_here ? arena_printf(draft->arena, "%s%s", namespace, slash) : name;
	}
	const char *dot = strchr(name, '.');
	if (!dot)
		return arena_printf(draft->arena, "%s/%s", namespace, name);
	/* the old form, "name.namespace" with or without ".svc.DOMAIN" */
	return arena_printf(draft->arena, "%.*s/%.*s", (int)strcspn(dot + 1, "."), dot + 1, (int)(dot - name), name);
}

static void lower_gateways(struct draft *draft, const struct object *object, const istio_virtual_service *in,
                           struct route_rule *rule)
{
	VEC(const char *) gateways = {0};
	rule->is_mesh = in->n_gateways == 0;
	for (size_t i = 0; i < in->n_gateways; i++) {
		const char *name = istio_gateway_name(draft, in->gateways[i], object->namespace);
		if (name)
			VEC_PUSH(draft->arena, &gateways, name);
		else
			rule->is_mesh = true;
	}
	rule->gateways = (struct strings){gateways.v, gateways.n};
}

static void lower_hosts(struct draft *draft, const struct object *object, const istio_virtual_service *in,
                        struct route_rule *rule)
{
	VEC(const char *) hosts = {0};
	for (size_t i = 0; i < in->n_hosts; i++)
		VEC_PUSH(draft->arena, &hosts, istio_host_fqdn(draft, in->hosts[i], object->namespace));
	rule->hosts = (struct strings){hosts.v, hosts.n};
}

static void lower_http(struct draft *draft, const struct object *object, const istio_virtual_service *in,
                       struct route_rule *rule)
{
	VEC(struct http_route) http = {0};
	for (size_t i = 0; i < in->n_http; i++) {
		struct http_lowering lowering = {.draft = draft, .object = object, .route = i};
		struct http_route route;
		if (http_lower_route(&lowering, in->http[i], &route))
			VEC_PUSH(draft->arena, &http, route);
	}
	rule->http = http.v;
	rule->n_http = http.n;
}

/* The model's rule is a function of the object and the mesh's domain. */
static struct digest rule_digest(const struct draft *draft, const struct object *object)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, "rule");
	digest_add_digest(&state, object->digest);
	digest_add_str(&state, draft->model->mesh.domain_suffix);
	return digest_final(&state);
}

static const struct route_rule *lower_virtual_service(struct draft *draft, const struct object *object)
{
	const istio_virtual_service *in = (const istio_virtual_service *)object->message;
	if (in->n_hosts == 0) {
		report_add(draft->report, object, REPORT_WARNING, REASON_NOT_SUPPORTED, "spec.hosts",
		           "without hosts it can only be a delegate, and delegates are not supported yet");
		return NULL;
	}
	struct route_rule *rule = ARENA_NEW(draft->arena, struct route_rule);
	rule->name = object->name;
	rule->namespace = object->namespace;
	rule->created_s = object->created_s;
	rule->visibility =
	    istio_visibility(draft, object, EXPORT_VIRTUAL_SERVICE, "spec.exportTo", in->export_to, in->n_export_to);
	rule->source = istio_source(draft, object, "virtual-service");
	rule->digest = rule_digest(draft, object);
	lower_hosts(draft, object, in, rule);
	lower_gateways(draft, object, in, rule);
	lower_http(draft, object, in, rule);
	connection_lower_routes(draft, object, in, rule);
	return rule;
}

/* ---- two rules for one host ---- */

static int compare_precedence(const void *a, const void *b)
{
	const struct route_rule *x = *(const struct route_rule *const *)a, *y = *(const struct route_rule *const *)b;
	if (x->created_s != y->created_s)
		return x->created_s < y->created_s ? -1 : 1;
	int order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->namespace, y->namespace);
}

/* In sidecars one rule's HTTP routes are in force for a host; the others' have no effect there, which is hard to see.
 */
static void report_conflicts(struct draft *draft, const struct route_rule **rules, size_t n)
{
	struct map owners = {0}; /* host -> place in rules */
	for (size_t i = 0; i < n; i++) {
		bool is_rival = rules[i]->is_mesh && rules[i]->n_http > 0;
		for (size_t j = 0; is_rival && j < rules[i]->hosts.n; j++) {
			const char *host = rules[i]->hosts.v[j];
			void **slot = map_slot(draft->arena, &owners, host);
			if (!*slot)
				*slot = &rules[i];
			const struct route_rule *owner = *(const struct route_rule **)*slot;
			if (owner != rules[i] && visibility_overlaps(&owner->visibility, &rules[i]->visibility))
				report_add(draft->report, rules[i]->source.object, REPORT_WARNING, REASON_CONFLICT,
				           arena_printf(draft->arena, "spec.hosts[%zu]", j),
				           "VirtualService %s/%s has \"%s\" too and comes first; sidecars that see "
				           "both follow one of them only",
				           owner->namespace, owner->name, host);
		}
	}
}

static void check_conflicts(struct draft *draft, size_t first)
{
	size_t n = draft->rules.n - first;
	const struct route_rule **rules = ARENA_NEW_N(draft->arena, const struct route_rule *, n);
	if (n)
		memcpy(rules, draft->rules.v + first, n * sizeof *rules);
	qsort(rules, n, sizeof *rules, compare_precedence);
	report_conflicts(draft, rules, n);
	connection_check_conflicts(draft, rules, n);
}

/* ---- what is read of the client ---- */

struct label_keys {
	struct draft *draft;
	VEC(const char *) v;
};

static void add_labels(struct label_keys *keys, const struct labels *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		VEC_PUSH(keys->draft->arena, &keys->v, labels->v[i].key);
}

static void add_connection_labels(struct label_keys *keys, const struct connection_route *routes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < routes[i].n_matches; j++)
			add_labels(keys, &routes[i].matches[j].source_labels);
}

static void collect_client_label_keys(struct draft *draft)
{
	struct label_keys keys = {.draft = draft};
	for (size_t i = 0; i < draft->policies.n; i++)
		add_labels(&keys, &draft->policies.v[i]->workload_selector);
	for (size_t i = 0; i < draft->rules.n; i++) {
		const struct route_rule *rule = draft->rules.v[i];
		for (size_t j = 0; j < rule->n_http; j++)
			for (size_t k = 0; k < rule->http[j].n_matches; k++)
				add_labels(&keys, &rule->http[j].matches[k].source_labels);
		add_connection_labels(&keys, rule->tls, rule->n_tls);
		add_connection_labels(&keys, rule->tcp, rule->n_tcp);
	}
	VEC_SORT(&keys.v, text_compare);
	size_t n = 0;
	for (size_t i = 0; i < keys.v.n; i++) {
		if (n == 0 || strcmp(keys.v.v[n - 1], keys.v.v[i]) != 0)
			keys.v.v[n++] = keys.v.v[i];
	}
	draft->model->client_label_keys = (struct strings){keys.v.v, n};
}

void resolve_virtual_services(struct draft *draft)
{
	const struct snapshot_kind *objects = &draft->snapshot->kinds[KIND_VIRTUAL_SERVICE];
	struct references *known = references_new(draft);
	size_t first = draft->rules.n;
	for (size_t i = 0; i < objects->n; i++) {
		const struct route_rule *rule = lower_virtual_service(draft, objects->v[i]);
		if (!rule)
			continue;
		VEC_PUSH(draft->arena, &draft->rules, rule);
		references_check(known, objects->v[i], (const istio_virtual_service *)objects->v[i]->message);
	}
	check_conflicts(draft, first);
	collect_client_label_keys(draft);
}

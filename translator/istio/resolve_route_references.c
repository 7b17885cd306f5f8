#include "base/text.h"
#include "translator/host.h"
#include "translator/istio/http_lowering.h"

#include <string.h>

struct policies {
	VEC(const struct destination_policy *) list;
};

struct references {
	struct draft *draft;
	struct host_index services; /* host -> the first service's place in draft->services */
	struct host_index policies; /* host -> struct policies */
	struct map gateways;        /* "namespace/name" -> its place in draft->gateways */
};

struct references *references_new(struct draft *draft)
{
	struct arena *arena = draft->arena;
	struct references *known = ARENA_NEW(arena, struct references);
	known->draft = draft;
	for (size_t i = 0; i < draft->services.n; i++) {
		void **slot = host_index_slot(arena, &known->services, draft->services.v[i]->hostname);
		if (!*slot)
			*slot = &draft->services.v[i];
	}
	for (size_t i = 0; i < draft->policies.n; i++) {
		const struct destination_policy *policy = draft->policies.v[i];
		void **slot = host_index_slot(arena, &known->policies, policy->host);
		if (!*slot)
			*slot = ARENA_NEW(arena, struct policies);
		struct policies *policies = *slot;
		VEC_PUSH(arena, &policies->list, policy);
	}
	for (size_t i = 0; i < draft->gateways.n; i++) {
		const struct gateway *gateway = draft->gateways.v[i];
		map_put(arena, &known->gateways, arena_printf(arena, "%s/%s", gateway->namespace, gateway->name),
		        &draft->gateways.v[i]);
	}
	return known;
}

static bool policies_have_subset(const struct policies *policies, const char *subset)
{
	for (size_t i = 0; policies && i < policies->list.n; i++) {
		if (destination_policy_subset(policies->list.v[i], subset))
			return true;
	}
	return false;
}

static bool has_subset(const struct references *known, const char *host, const char *subset)
{
	if (policies_have_subset(host_index_get(&known->policies, host), subset))
		return true;
	struct host_walk walk = host_walk_start(&known->policies, host);
	size_t n;
	for (const struct policies *policies = host_walk_next(&walk, &n); policies;
	     policies = host_walk_next(&walk, &n)) {
		if (policies_have_subset(policies, subset))
			return true;
	}
	return false;
}

/* What happens to what is sent where nothing is. */
static const char of_requests[] = "requests get 503", of_connections[] = "connections are closed";

static void check_destination(struct references *known, const struct object *object, const istio_destination *in,
                              const char *field, const char *outcome)
{
	struct draft *draft = known->draft;
	if (!in || !in->host[0])
		return;
	const char *host = istio_host_fqdn(draft, in->host, object->namespace);
	const struct service *const *found = host_index_find(&known->services, host);
	if (!found) {
		report_add(draft->report, object, REPORT_WARNING, REASON_HOST_NOT_FOUND,
		           arena_printf(draft->arena, "%s.host", field), "no service has the host \"%s\"; %s", host,
		           outcome);
		return;
	}
	const struct service *service = *found;
	if (in->port && in->port->number && service->resolution != SERVICE_ALIAS &&
	    !service_port_get(service, in->port->number))
		report_add(draft->report, object, REPORT_WARNING, REASON_PORT_NOT_FOUND,
		           arena_printf(draft->arena, "%s.port.number", field), "service \"%s\" has no port %u; %s",
		           service->hostname, in->port->number, outcome);
	if (in->subset[0] && !has_subset(known, host, in->subset))
		report_add(draft->report, object, REPORT_WARNING, REASON_SUBSET_NOT_FOUND,
		           arena_printf(draft->arena, "%s.subset", field),
		           "no DestinationRule gives host \"%s\" a subset \"%s\"; %s", host, in->subset, outcome);
}

static bool names_gateway(const istio_virtual_service *in, struct draft *draft, const char *name, const char *namespace)
{
	if (in->n_gateways == 0)
		return !name;
	for (size_t i = 0; i < in->n_gateways; i++) {
		if (text_equal(istio_gateway_name(draft, in->gateways[i], namespace), name))
			return true;
	}
	return false;
}

static void check_match(struct references *known, const struct object *object, const istio_virtual_service *in,
                        const istio_http_match_request *match, const char *field)
{
	struct draft *draft = known->draft;
	for (size_t i = 0; i < match->n_gateways; i++) {
		const char *name = istio_gateway_name(draft, match->gateways[i], object->namespace);
		if (!names_gateway(in, draft, name, object->namespace))
			report_add(draft->report, object, REPORT_WARNING, REASON_NO_EFFECT,
			           arena_printf(draft->arena, "%s.gateways[%zu]", field, i),
			           "\"%s\" is not among spec.gateways, so it never matches", match->gateways[i]);
	}
}

static void check_route(struct references *known, const struct object *object, const istio_virtual_service *in,
                        size_t route)
{
	struct arena *arena = known->draft->arena;
	const istio_http_route *http = in->http[route];
	for (size_t i = 0; i < http->n_match; i++)
		check_match(known, object, in, http->match[i],
		            arena_printf(arena, "spec.http[%zu].match[%zu]", route, i));
	for (size_t i = 0; i < http->n_route; i++)
		check_destination(known, object, http->route[i]->destination,
		                  arena_printf(arena, "spec.http[%zu].route[%zu].destination", route, i), of_requests);
	check_destination(known, object, http->mirror, arena_printf(arena, "spec.http[%zu].mirror", route),
	                  of_requests);
	for (size_t i = 0; i < http->n_mirrors; i++)
		check_destination(known, object, http->mirrors[i]->destination,
		                  arena_printf(arena, "spec.http[%zu].mirrors[%zu].destination", route, i),
		                  of_requests);
}

static void check_connections(struct references *known, const struct object *object, const char *path,
                              istio_route_destination *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_destination(known, object, v[i]->destination,
		                  arena_printf(known->draft->arena, "%s.route[%zu].destination", path, i),
		                  of_connections);
}

void references_check(struct references *known, const struct object *object, const istio_virtual_service *in)
{
	struct draft *draft = known->draft;
	for (size_t i = 0; i < in->n_gateways; i++) {
		const char *name = istio_gateway_name(draft, in->gateways[i], object->namespace);
		if (name && !map_has(&known->gateways, name))
			report_add(draft->report, object, REPORT_WARNING, REASON_GATEWAY_NOT_FOUND,
			           arena_printf(draft->arena, "spec.gateways[%zu]", i), "there is no Gateway \"%s\"",
			           name);
	}
	for (size_t i = 0; i < in->n_http; i++)
		check_route(known, object, in, i);
	for (size_t i = 0; i < in->n_tls; i++)
		check_connections(known, object, arena_printf(draft->arena, "spec.tls[%zu]", i), in->tls[i]->route,
		                  in->tls[i]->n_route);
	for (size_t i = 0; i < in->n_tcp; i++)
		check_connections(known, object, arena_printf(draft->arena, "spec.tcp[%zu]", i), in->tcp[i]->route,
		                  in->tcp[i]->n_route);
}

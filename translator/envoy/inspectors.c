/* TLS and HTTP inspectors, and the ports that they leave alone. */
#include "translator/envoy/inspectors.h"

void inspected_add(struct arena *arena, struct inspected *inspected, uint32_t port, bool is_tls, bool is_http)
{
	size_t n = inspected->ports.n;
	if (!n || inspected->ports.v[n - 1].port != port)
		VEC_PUSH(arena, &inspected->ports, (struct inspected_port){.port = port});
	struct inspected_port *last = &inspected->ports.v[inspected->ports.n - 1];
	last->is_tls = last->is_tls || is_tls;
	last->is_http = last->is_http || is_http;
}

typedef envoy_listener_filter_chain_match_predicate predicate;

static predicate *port_predicate(struct arena *arena, uint32_t port)
{
	predicate *out = envoy_listener_filter_chain_match_predicate_new(arena);
	out->rule_case =
	    ENVOY__CONFIG__LISTENER__V3__LISTENER_FILTER_CHAIN_MATCH_PREDICATE__RULE_DESTINATION_PORT_RANGE;
	out->destination_port_range = envoy_int32_range_new(arena);
	out->destination_port_range->start = (int32_t)port;
	out->destination_port_range->end = (int32_t)port + 1;
	return out;
}

/* Any of the ports that are (not) looked at. NULL: there is none. */
static predicate *ports_predicate(struct arena *arena, const struct inspected *inspected, bool is_of_tls,
                                  bool is_looked)
{
	envoy_listener_filter_chain_match_predicate_match_set *set =
	    envoy_listener_filter_chain_match_predicate_match_set_new(arena);
	for (size_t i = 0; i < inspected->ports.n; i++) {
		const struct inspected_port *port = &inspected->ports.v[i];
		if (port->port && (is_of_tls ? port->is_tls : port->is_http) == is_looked)
			BUILD_ADD(arena, set, rules, port_predicate(arena, port->port));
	}
	if (set->n_rules < 2) /* Envoy wants two rules at least in a set */
		return set->n_rules ? set->rules[0] : NULL;
	predicate *any = envoy_listener_filter_chain_match_predicate_new(arena);
	any->rule_case = ENVOY__CONFIG__LISTENER__V3__LISTENER_FILTER_CHAIN_MATCH_PREDICATE__RULE_OR_MATCH;
	any->or_match = set;
	return any;
}

static predicate *all_but(struct arena *arena, predicate *ports)
{
	predicate *out = envoy_listener_filter_chain_match_predicate_new(arena);
	out->rule_case = ENVOY__CONFIG__LISTENER__V3__LISTENER_FILTER_CHAIN_MATCH_PREDICATE__RULE_NOT_MATCH;
	out->not_match = ports;
	return out;
}

static bool looks_at_others(const struct inspected *inspected, bool is_of_tls)
{
	for (size_t i = 0; i < inspected->ports.n; i++)
		if (!inspected->ports.v[i].port)
			return is_of_tls ? inspected->ports.v[i].is_tls : inspected->ports.v[i].is_http;
	return false;
}

static void add(struct arena *arena, envoy_listener *listener, const struct inspected *inspected, bool is_of_tls)
{
	bool is_default = looks_at_others(inspected, is_of_tls);
	predicate *exceptions = ports_predicate(arena, inspected, is_of_tls, !is_default);
	if (!is_default && !exceptions)
		return;
	envoy_listener_filter *filter =
	    is_of_tls ? tls_inspector(arena)
	              : listener_filter(arena, NAME_HTTP_INSPECTOR, &envoy_http_inspector_new(arena)->base);
	filter->filter_disabled = is_default ? exceptions : all_but(arena, exceptions);
	BUILD_ADD(arena, listener, listener_filters, filter);
}

static int compare_ports(const void *a, const void *b)
{
	uint32_t pa = ((const struct inspected_port *)a)->port, pb = ((const struct inspected_port *)b)->port;
	return (pa > pb) - (pa < pb);
}

void inspectors_add(struct arena *arena, envoy_listener *listener, struct inspected *inspected)
{
	VEC_SORT(&inspected->ports, compare_ports);
	add(arena, listener, inspected, true);
	add(arena, listener, inspected, false);
}

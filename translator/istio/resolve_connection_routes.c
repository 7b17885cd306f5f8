/*
 * `tls` and `tcp` of a VirtualService. A match that cannot be kept whole is dropped, never widened, and a route that
 * loses all of its matches with it.
 */
#include "translator/istio/connection_lowering.h"

#include "base/text.h"
#include "translator/address.h"
#include "translator/istio/http_lowering.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

/* What is being lowered, for rows. */
struct lowering {
	struct draft *draft;
	const struct object *object;
	const char *path; /* "spec.tls[0]" */
	uint32_t place;   /* 0 */
	size_t *n_pairs;  /* of the VirtualService so far: see CONNECTION_PAIRS_MAX */
};

/* What the two kinds of match have in common. */
struct match_in {
	const char *part; /* "match[0]" */
	uint32_t place;   /* 0 */
	char *const *subnets;
	size_t n_subnets;
	uint32_t port;
	const char *source_subnet, *source_namespace;
	struct labels source_labels;
	char *const *gateways;
	size_t n_gateways;
};

__attribute__((format(printf, 5, 6))) static void complain(const struct lowering *lowering,
                                                           enum report_severity severity, enum report_reason reason,
                                                           const char *part, const char *format, ...)
{
	struct arena *arena = lowering->draft->arena;
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(arena, format, args);
	va_end(args);
	report_add(lowering->draft->report, lowering->object, severity, reason,
	           arena_printf(arena, "%s.%s", lowering->path, part), "%s", message);
}

static void lower_gateways(const struct lowering *lowering, const struct match_in *in, struct connection_match *out)
{
	VEC(const char *) gateways = {0};
	out->has_gateways = in->n_gateways > 0;
	for (size_t i = 0; i < in->n_gateways; i++) {
		const char *name = istio_gateway_name(lowering->draft, in->gateways[i], lowering->object->namespace);
		if (name)
			VEC_PUSH(lowering->draft->arena, &gateways, name);
		else
			out->is_mesh = true;
	}
	out->gateways = (struct strings){gateways.v, gateways.n};
}

static bool has_room(const struct lowering *lowering, const char *part, const struct connection_match *match)
{
	size_t names = match->server_names.n ? match->server_names.n : 1;
	size_t subnets = match->subnets.n ? match->subnets.n : 1;
	size_t room = CONNECTION_PAIRS_MAX - *lowering->n_pairs;
	if (names <= room / subnets) {
		*lowering->n_pairs += names * subnets;
		return true;
	}
	complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, part,
	         "sniHosts times destinationSubnets is more than %d in the VirtualService; the match is left out",
	         CONNECTION_PAIRS_MAX);
	return false;
}

static bool lower_match(const struct lowering *lowering, const struct match_in *in, struct connection_match *out)
{
	struct arena *arena = lowering->draft->arena;
	const char **subnets = ARENA_NEW_N(arena, const char *, in->n_subnets);
	if (!text_is_empty(in->source_subnet)) {
		complain(lowering, REPORT_WARNING, REASON_NOT_SUPPORTED, in->part,
		         "sourceSubnet is not supported; the match is left out");
		return false;
	}
	size_t n = 0;
	struct map seen = {0};
	for (size_t i = 0; i < in->n_subnets; i++) {
		const char *subnet = address_canonical_range(arena, in->subnets[i]);
		if (!subnet) {
			complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, in->part,
			         "\"%s\" is neither an address nor a range; the match is left out", in->subnets[i]);
			return false;
		}
		if (!map_put(arena, &seen, subnet, out))
			subnets[n++] = subnet;
	}
	out->subnets = (struct strings){subnets, n};
	out->place = in->place;
	out->port = in->port;
	out->source_labels = in->source_labels;
	out->source_namespace = text_is_empty(in->source_namespace) ? NULL : in->source_namespace;
	lower_gateways(lowering, in, out);
	return has_room(lowering, in->part, out);
}

static bool lower_destinations(const struct lowering *lowering, istio_route_destination *const *in, size_t n,
                               struct connection_route *out)
{
	struct draft *draft = lowering->draft;
	VEC(struct weighted_destination) destinations = {0};
	for (size_t i = 0; i < n; i++) {
		const istio_destination *from = in[i]->destination;
		if (!from || !from->host[0] || in[i]->weight < 0 || (n > 1 && in[i]->weight == 0))
			continue; /* refused at decoding, or without a share */
		struct weighted_destination to = {
		    .destination = {.host = istio_host_fqdn(draft, from->host, lowering->object->namespace),
		                    .subset = from->subset,
		                    .port = from->port ? from->port->number : 0},
		    .weight = (uint32_t)in[i]->weight,
		};
		VEC_PUSH(draft->arena, &destinations, to);
	}
	out->destinations = destinations.v;
	out->n_destinations = destinations.n;
	if (destinations.n == 0)
		complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "route",
		         "no destination takes any traffic; the route is left out");
	return destinations.n > 0;
}

static const char *lower_case(struct arena *arena, const char *s)
{
	char *out = arena_strdup(arena, s);
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

/* Proxies know "*" and "*.example.com", not "*-a.example.com". */
static bool is_partial_wildcard(const char *name)
{
	return name[0] == '*' && name[1] != '\0' && name[1] != '.';
}

static struct strings server_names(const struct lowering *lowering, const char *part,
                                   const istio_tls_match_attributes *in)
{
	struct arena *arena = lowering->draft->arena;
	const char **names = ARENA_NEW_N(arena, const char *, in->n_sni_hosts);
	size_t n = 0;
	for (size_t i = 0; i < in->n_sni_hosts; i++) {
		if (is_partial_wildcard(in->sni_hosts[i]))
			complain(lowering, REPORT_WARNING, REASON_NOT_SUPPORTED, part,
			         "\"%s\" is a partial wildcard, which proxies do not know; left out", in->sni_hosts[i]);
		else
			names[n++] = lower_case(arena, in->sni_hosts[i]);
	}
	return (struct strings){names, n};
}

static bool lower_tls(const struct lowering *lowering, const istio_tls_route *in, struct connection_route *out)
{
	struct arena *arena = lowering->draft->arena;
	VEC(struct connection_match) matches = {0};
	*out = (struct connection_route){.place = lowering->place};
	for (size_t i = 0; i < in->n_match; i++) {
		const istio_tls_match_attributes *from = in->match[i];
		const struct match_in fields = {
		    .part = arena_printf(arena, "match[%zu]", i),
		    .place = (uint32_t)i,
		    .subnets = from->destination_subnets,
		    .n_subnets = from->n_destination_subnets,
		    .port = from->port,
		    .source_namespace = from->source_namespace,
		    .source_labels = ISTIO_LABELS(arena, from, source_labels),
		    .gateways = from->gateways,
		    .n_gateways = from->n_gateways,
		};
		struct connection_match match = {.server_names = server_names(lowering, fields.part, from)};
		if (match.server_names.n > 0 && lower_match(lowering, &fields, &match))
			VEC_PUSH(arena, &matches, match);
	}
	out->matches = matches.v;
	out->n_matches = matches.n;
	return matches.n > 0 && lower_destinations(lowering, in->route, in->n_route, out);
}

static bool lower_tcp(const struct lowering *lowering, const istio_tcp_route *in, struct connection_route *out)
{
	struct arena *arena = lowering->draft->arena;
	VEC(struct connection_match) matches = {0};
	*out = (struct connection_route){.place = lowering->place};
	for (size_t i = 0; i < in->n_match; i++) {
		const istio_l4_match_attributes *from = in->match[i];
		const struct match_in fields = {
		    .part = arena_printf(arena, "match[%zu]", i),
		    .place = (uint32_t)i,
		    .subnets = from->destination_subnets,
		    .n_subnets = from->n_destination_subnets,
		    .port = from->port,
		    .source_subnet = from->source_subnet,
		    .source_namespace = from->source_namespace,
		    .source_labels = ISTIO_LABELS(arena, from, source_labels),
		    .gateways = from->gateways,
		    .n_gateways = from->n_gateways,
		};
		struct connection_match match = {0};
		if (lower_match(lowering, &fields, &match))
			VEC_PUSH(arena, &matches, match);
	}
	out->matches = matches.v;
	out->n_matches = matches.n;
	return (matches.n > 0 || in->n_match == 0) && lower_destinations(lowering, in->route, in->n_route, out);
}

void connection_lower_routes(struct draft *draft, const struct object *object, const istio_virtual_service *in,
                             struct route_rule *rule)
{
	VEC(struct connection_route) tls = {0}, tcp = {0};
	struct connection_route route;
	size_t n_pairs = 0;
	for (size_t i = 0; i < in->n_tls; i++) {
		struct lowering lowering = {draft, object, arena_printf(draft->arena, "spec.tls[%zu]", i), (uint32_t)i,
		                            &n_pairs};
		if (lower_tls(&lowering, in->tls[i], &route))
			VEC_PUSH(draft->arena, &tls, route);
	}
	for (size_t i = 0; i < in->n_tcp; i++) {
		struct lowering lowering = {draft, object, arena_printf(draft->arena, "spec.tcp[%zu]", i), (uint32_t)i,
		                            &n_pairs};
		if (lower_tcp(&lowering, in->tcp[i], &route))
			VEC_PUSH(draft->arena, &tcp, route);
	}
	rule->tls = tls.v;
	rule->n_tls = tls.n;
	rule->tcp = tcp.v;
	rule->n_tcp = tcp.n;
}

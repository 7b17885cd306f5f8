#include "base/text.h"
#include "crds/check.h"
#include "crds/hostname.h"
#include "crds/routing_claim.h"

#include <ctype.h>
#include <string.h>

/* SNI of connections between gateways of a mesh: "outbound_.80_.subset_.host". */
static const char sni_prefix[] = "outbound_.";
static const char mesh_gateway[] = "mesh";

static bool names_mesh(char *const *gateways, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(gateways[i], mesh_gateway) == 0)
			return true;
	return false;
}

/* Whether it is for gateways alone. */
static bool is_for_gateways(const istio_virtual_service *service)
{
	return service->n_gateways > 0 && !names_mesh(service->gateways, service->n_gateways);
}

static bool has_gateway(const istio_virtual_service *service)
{
	for (size_t i = 0; i < service->n_gateways; i++)
		if (strcmp(service->gateways[i], mesh_gateway) != 0)
			return true;
	return false;
}

static bool has_sni(const istio_virtual_service *service)
{
	for (size_t i = 0; i < service->n_tls; i++)
		for (size_t j = 0; j < service->tls[i]->n_match; j++)
			if (service->tls[i]->match[j]->n_sni_hosts > 0)
				return true;
	return false;
}

static void check_gateway_name(struct check *check, const char *name)
{
	const char *slash = strchr(name, '/');
	if (slash) {
		if (!hostname_is_label(name, (size_t)(slash - name)))
			check_error(check, NULL, "\"%.*s\" is not a namespace", (int)(slash - name), name);
		if (!hostname_is_label_string(slash + 1))
			check_error(check, NULL, "\"%s\" is not a gateway's name", slash + 1);
		return;
	}
	const char *dot = strchr(name, '.');
	if (dot) {
		size_t n = strcspn(dot + 1, ".");
		check_warn(check, NULL, "\"%s\" is the old form of a gateway's name: write \"%.*s/%.*s\"", name, (int)n,
		           dot + 1, (int)(dot - name), name);
	}
	check_fqdn(check, NULL, name);
}

void check_gateway_names(struct check *check, char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, "gateways", i);
		check_gateway_name(check, names[i]);
		check_leave(check);
	}
}

/* Between gateways, SNI hosts have a form of their own: outbound_.PORT_.SUBSET_.HOST. */
static bool is_mesh_sni(const char *host)
{
	return text_has_prefix(host, sni_prefix) && isdigit((unsigned char)host[strlen(sni_prefix)]) &&
	       strlen(host) <= HOSTNAME_MAX;
}

/* True when it can be compared with others. */
static bool check_host(struct check *check, const istio_virtual_service *service, const char *host)
{
	struct error error;
	if (is_for_gateways(service) && has_sni(service) && is_mesh_sni(host))
		return true;
	if (!hostname_check_wildcard(host, &error)) {
		if (hostname_is_ip(host))
			return true;
		check_error(check, NULL, "%s", error.message);
		return false;
	}
	if (strcmp(host, "*") == 0 && !is_for_gateways(service)) {
		check_error(check, NULL, "\"*\" is possible for gateways only, not inside the mesh");
		return false;
	}
	return true;
}

static void check_same_hosts(struct check *check, const istio_virtual_service *service)
{
	for (size_t i = 0; i < service->n_hosts; i++)
		for (size_t j = 0; j < i; j++) {
			if (!hostname_matches(service->hosts[i], service->hosts[j]))
				continue;
			check_enter_at(check, "hosts", i);
			check_error(check, NULL, "\"%s\" overlaps with \"%s\"", service->hosts[i], service->hosts[j]);
			check_leave(check);
			break;
		}
}

static void check_hosts(struct check *check, const istio_virtual_service *service)
{
	bool is_sound = service->n_hosts <= CHECK_RECORDS_MAX;
	if (!is_sound)
		check_error(check, "hosts", "lists %zu hosts, at most %d are possible", service->n_hosts,
		            CHECK_RECORDS_MAX);
	for (size_t i = 0; i < service->n_hosts; i++) {
		check_enter_at(check, "hosts", i);
		is_sound &= check_host(check, service, service->hosts[i]);
		check_leave(check);
	}
	if (is_sound)
		check_same_hosts(check, service);
}

void check_destination(struct check *check, const istio_destination *destination)
{
	if (strcmp(destination->host, "*") == 0)
		check_error(check, "host", "\"*\" is not a destination");
	else
		check_wildcard_host(check, "host", destination->host);
	if (!text_is_empty(destination->subset))
		check_subset_name(check, "subset", destination->subset);
	if (destination->port) {
		check_enter(check, "port");
		check_port(check, "number", destination->port->number);
		check_leave(check);
	}
}

static void check_sni_host(struct check *check, const istio_virtual_service *service, const char *host)
{
	struct error error;
	bool is_sound = (is_for_gateways(service) && is_mesh_sni(host)) || hostname_check_wildcard(host, &error);
	if (!is_sound && hostname_is_ip(host)) {
		check_warn(check, NULL, "\"%s\" is an IP address, which clients do not send as SNI", host);
		return;
	}
	if (!is_sound) {
		check_error(check, NULL, "%s", error.message);
		return;
	}
	for (size_t i = 0; i < service->n_hosts; i++)
		if (hostname_is_subset(host, service->hosts[i]))
			return;
	check_error(check, NULL, "\"%s\" belongs to none of the hosts of the virtual service", host);
}

static void check_subnets(struct check *check, char *const *subnets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, "destinationSubnets", i);
		check_ip_or_cidr(check, NULL, subnets[i]);
		check_leave(check);
	}
}

static void check_tls_match(struct check *check, const istio_virtual_service *service,
                            const istio_tls_match_attributes *match)
{
	if (match->n_sni_hosts == 0)
		check_error(check, "sniHosts", "at least one SNI host is required");
	for (size_t i = 0; i < match->n_sni_hosts; i++) {
		check_enter_at(check, "sniHosts", i);
		check_sni_host(check, service, match->sni_hosts[i]);
		check_leave(check);
	}
	check_subnets(check, match->destination_subnets, match->n_destination_subnets);
	if (match->port != 0)
		check_port(check, "port", match->port);
	CHECK_LABELS(check, "sourceLabels", match, source_labels);
	check_gateway_names(check, match->gateways, match->n_gateways);
}

static void check_tcp_match(struct check *check, const istio_l4_match_attributes *match)
{
	check_subnets(check, match->destination_subnets, match->n_destination_subnets);
	if (match->port != 0)
		check_port(check, "port", match->port);
	CHECK_LABELS(check, "sourceLabels", match, source_labels);
	check_gateway_names(check, match->gateways, match->n_gateways);
}

static void check_route(struct check *check, istio_route_destination *const *destinations, size_t n)
{
	int64_t total = 0;
	if (n == 0)
		check_error(check, "route", "a route is required");
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, "route", i);
		check_not_negative(check, "weight", destinations[i]->weight);
		total += destinations[i]->weight;
		if (!destinations[i]->destination) {
			check_error(check, "destination", "is required");
		} else {
			check_enter(check, "destination");
			check_destination(check, destinations[i]->destination);
			check_leave(check);
		}
		check_leave(check);
	}
	if (n > 1 && total == 0)
		check_error(check, "route", "all weights are 0");
}

static void check_tls_route(struct check *check, const istio_virtual_service *service, const istio_tls_route *route)
{
	if (route->n_match == 0)
		check_error(check, "match", "at least one match is required");
	for (size_t i = 0; i < route->n_match; i++) {
		check_enter_at(check, "match", i);
		check_tls_match(check, service, route->match[i]);
		check_leave(check);
	}
	check_route(check, route->route, route->n_route);
}

static void check_tcp_route(struct check *check, const istio_tcp_route *route)
{
	for (size_t i = 0; i < route->n_match; i++) {
		check_enter_at(check, "match", i);
		check_tcp_match(check, route->match[i]);
		check_leave(check);
	}
	check_route(check, route->route, route->n_route);
}

/* Without hosts it is a delegate: HTTP routes for others to include. */
static void check_delegate(struct check *check, const istio_virtual_service *service)
{
	if (service->n_gateways > 0)
		check_error(check, "gateways", "not possible without hosts (a delegate has those of its root)");
	if (service->n_tls > 0)
		check_error(check, "tls", "not possible without hosts (a delegate has HTTP routes only)");
	if (service->n_tcp > 0)
		check_error(check, "tcp", "not possible without hosts (a delegate has HTTP routes only)");
}

/* Tokens are read at gateways; what a sidecar sends out has no claims. */
struct claims_check {
	bool has_gateways, is_mesh; /* whom the match is for */
};

static void check_claim_name(struct check *check, const struct claims_check *claims, const char *field,
                             const char *name)
{
	if (!routing_claim_is_meant(name))
		return;
	if (!claims->has_gateways)
		check_error(check, field, "\"%s\": routing by claims of a token is possible at gateways only", name);
	else if (claims->is_mesh)
		check_warn(
		    check, field,
		    "\"%s\": routing by claims of a token is possible at gateways only; inside the mesh it is as "
		    "if no request had a token",
		    name);
}

static void check_claims(struct check *check, const istio_virtual_service *service, const istio_http_route *route)
{
	bool is_mesh = names_mesh(service->gateways, service->n_gateways);
	for (size_t i = 0; i < route->n_match; i++) {
		const istio_http_match_request *match = route->match[i];
		struct claims_check claims = {
		    .has_gateways = has_gateway(service),
		    .is_mesh = is_mesh && (match->n_gateways == 0 || names_mesh(match->gateways, match->n_gateways)),
		};
		check_enter_at(check, "match", i);
		for (size_t j = 0; j < match->n_headers; j++)
			check_claim_name(check, &claims, "headers", match->headers[j]->key);
		for (size_t j = 0; j < match->n_without_headers; j++)
			check_claim_name(check, &claims, "withoutHeaders", match->without_headers[j]->key);
		check_leave(check);
	}
}

static void check_routes(struct check *check, const istio_virtual_service *service)
{
	if (service->n_http == 0 && service->n_tls == 0 && service->n_tcp == 0)
		check_error(check, NULL, "one of http, tls and tcp is required");
	for (size_t i = 0; i < service->n_http; i++) {
		check_enter_at(check, "http", i);
		check_claims(check, service, service->http[i]);
		check_http_route(check, service->http[i], service->n_hosts == 0);
		check_leave(check);
	}
	for (size_t i = 0; i < service->n_tls; i++) {
		check_enter_at(check, "tls", i);
		check_tls_route(check, service, service->tls[i]);
		check_leave(check);
	}
	for (size_t i = 0; i < service->n_tcp; i++) {
		check_enter_at(check, "tcp", i);
		check_tcp_route(check, service->tcp[i]);
		check_leave(check);
	}
}

void check_virtual_service(struct check *check, const ProtobufCMessage *message)
{
	const istio_virtual_service *service = (const istio_virtual_service *)message;
	if (service->n_hosts == 0)
		check_delegate(check, service);
	check_gateway_names(check, service->gateways, service->n_gateways);
	check_hosts(check, service);
	check_routes(check, service);
	struct check_export_to export_to = {.values = service->export_to, .n = service->n_export_to};
	check_export_to(check, &export_to);
	check_unreachable_routes(check, service);
}

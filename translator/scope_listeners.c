/*
 * A sidecar's outbound listeners. Connections are redirected to one port and handed to the listener of the address they
 * were meant for:
 *
 *   HTTP ports      share 0.0.0.0:PORT with route table "PORT": the host decides
 *   TCP ports       VIP:PORT each; 0.0.0.0:PORT when the service has no address
 *   sniffed ports   VIP:PORT with a table of the one service, "host:PORT"; without an address as HTTP and TCP at once
 *   headless        TCP and sniffed: ENDPOINT:PORT each, since the client dials endpoints
 *   address ranges  share 0.0.0.0:PORT, told apart by the range, as TCP
 *   TLS ports       as TCP; without an address they share 0.0.0.0:PORT, told apart by the name in the handshake
 *
 * Two services may want one address and port. The oldest stands, but HTTP and TCP go together on one: the listener is
 * sniffed then. Only for protocols whose server speaks first they do not. Where TCP goes is outbound_chains.h's.
 *
 * Proxies without redirection (interception NONE) really listen, on the loopback address and for all services.
 */
#include "translator/address.h"
#include "translator/draft.h"
#include "translator/outbound_chains.h"

#include <stdint.h>
#include <string.h>

#define PRIVILEGED_PORT_MAX 1023

/* A listener under construction: its HTTP side, its TCP side, or both. */
struct listener_draft {
	const char *bind;
	uint32_t port;
	bool is_wildcard;
	enum protocol protocol;   /* of the first service: see is_exclusive */
	const char *table;        /* HTTP side */
	struct chain_list chains; /* TCP side */
};

struct listeners_draft {
	struct scope_draft *draft;
	const char *wildcard; /* of the view's address family */
	const char *loopback; /* NULL: redirected */
	VEC(struct listener_draft *) listeners;
	struct map by_address; /* "bind_port" -> struct listener_draft */
	struct visible_rules rules;
};

/* ---- one address and port ---- */

static struct listener_draft *listener_at(struct listeners_draft *ld, const char *bind, uint32_t port,
                                          enum protocol protocol)
{
	struct arena *arena = ld->draft->arena;
	void **slot = map_slot(arena, &ld->by_address, arena_printf(arena, "%s_%u", bind, port));
	if (!*slot) {
		struct listener_draft *listener = ARENA_NEW(arena, struct listener_draft);
		*listener = (struct listener_draft){
		    .bind = bind, .port = port, .is_wildcard = strcmp(bind, ld->wildcard) == 0, .protocol = protocol};
		VEC_PUSH(arena, &ld->listeners, listener);
		*slot = listener;
	}
	return *slot;
}

/* The proxy's own listeners have some ports on the wildcard address. */
static bool is_taken(const struct listeners_draft *ld, const char *bind, uint32_t port)
{
	const struct view *view = ld->draft->scope->view;
	const struct mesh *mesh = &ld->draft->scope->model->mesh;
	bool is_own = port == mesh->outbound_port || port == mesh->inbound_port || port == view->status_port ||
	              port == view->prometheus_port;
	return is_own && strcmp(bind, ld->wildcard) == 0;
}

/* The server speaks first: a proxy that waits for the client's bytes would wait for ever. */
static bool is_exclusive(enum protocol protocol)
{
	return protocol == PROTOCOL_MONGO || protocol == PROTOCOL_MYSQL;
}

static void add_chains(struct listeners_draft *ld, struct listener_draft *listener, const struct outbound_port *port)
{
	struct outbound_port from = *port;
	from.is_told_by_name = listener->is_wildcard;
	outbound_chains_add(ld->draft, &ld->rules, &from, &listener->chains);
}

static void add(struct listeners_draft *ld, const struct scope_service *service, const struct service_port *port,
                const char *bind)
{
	if (is_taken(ld, bind, port->number))
		return;
	struct listener_draft *listener = listener_at(ld, bind, port->number, port->protocol);
	if (listener->protocol != port->protocol && (is_exclusive(listener->protocol) || is_exclusive(port->protocol)))
		return;
	enum transport transport = protocol_transport(port->protocol);
	bool is_own = transport == TRANSPORT_AUTO && !listener->is_wildcard;
	bool was_http = listener->table != NULL;
	if (transport != TRANSPORT_TCP && !was_http)
		listener->table =
		    is_own ? arena_printf(ld->draft->arena, "%s:%u", service->service->hostname, port->number)
		           : arena_printf(ld->draft->arena, "%u", port->number);
	/* What is not HTTP on a port where HTTP is at home passes through; an unknown protocol does not change that. */
	if (transport == TRANSPORT_TCP || (transport == TRANSPORT_AUTO && !was_http))
		add_chains(ld, listener, &(struct outbound_port){.service = service, .port = port});
}

static struct strings ranges_of(struct arena *arena, const struct service *service)
{
	VEC(const char *) ranges = {0};
	for (size_t i = 0; i < service->addresses.n; i++) {
		const char *range = service->addresses.v[i], *slash = strchr(range, '/');
		const char *canonical = slash ? address_canonical_range(arena, range) : NULL;
		if (canonical)
			VEC_PUSH(arena, &ranges, canonical);
	}
	return (struct strings){ranges.v, ranges.n};
}

static void add_ranged(struct listeners_draft *ld, const struct scope_service *service, const struct service_port *port)
{
	if (is_taken(ld, ld->wildcard, port->number))
		return;
	struct listener_draft *listener = listener_at(ld, ld->wildcard, port->number, port->protocol);
	add_chains(ld, listener,
	           &(struct outbound_port){
	               .service = service, .port = port, .subnets = ranges_of(ld->draft->arena, service->service)});
}

/* ---- where a port listens ---- */

static bool is_of_family(const struct view *view, const char *address)
{
	switch (address_family_of(address)) {
	case ADDRESS_IPV4:
		return view->is_ipv4;
	case ADDRESS_IPV6:
		return view->is_ipv6;
	case ADDRESS_NONE:
		return false;
	}
	return false;
}

/* Any address at all. */
static bool is_unspecified(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static void add_at_addresses(struct listeners_draft *ld, const struct scope_service *service,
                             const struct service_port *port)
{
	const struct strings *addresses = &service->service->addresses;
	bool has_ranges = false;
	for (size_t i = 0; i < addresses->n; i++) {
		if (strchr(addresses->v[i], '/'))
			has_ranges = true;
		else if (is_unspecified(addresses->v[i]))
			add(ld, service, port, ld->wildcard);
		else if (is_of_family(ld->draft->scope->view, addresses->v[i]))
			add(ld, service, port, addresses->v[i]);
	}
	if (has_ranges)
		add_ranged(ld, service, port);
}

static void add_at_endpoints(struct listeners_draft *ld, const struct scope_service *service,
                             const struct service_port *port)
{
	for (size_t i = 0; i < port->n_endpoints; i++)
		if (is_of_family(ld->draft->scope->view, port->endpoints[i].address))
			add(ld, service, port, port->endpoints[i].address);
}

/* Its endpoints are what clients dial; without any there is nothing to dial yet, but for an entry that has none by
 * design. */
static bool is_dialled_by_endpoint(const struct service *service, const struct service_port *port)
{
	return service->resolution == SERVICE_ORIGINAL_DST && !service->addresses.n &&
	       (service->is_kubernetes || service->has_selector || port->n_endpoints);
}

static bool is_bindable(const struct listeners_draft *ld, const struct service_port *port)
{
	const struct view *view = ld->draft->scope->view;
	return !ld->loopback || !view->is_unprivileged || port->number > PRIVILEGED_PORT_MAX;
}

static void add_port(struct listeners_draft *ld, const struct scope_service *service, const struct service_port *port)
{
	if (!is_bindable(ld, port))
		return;
	bool is_http = protocol_transport(port->protocol) == TRANSPORT_HTTP;
	if (ld->loopback)
		add(ld, service, port, ld->loopback);
	else if (!is_http && is_dialled_by_endpoint(service->service, port))
		add_at_endpoints(ld, service, port);
	else if (!is_http && service->service->addresses.n)
		add_at_addresses(ld, service, port);
	else
		add(ld, service, port, ld->wildcard);
}

/* ---- all of them ---- */

static int compare_age(const void *pa, const void *pb)
{
	const struct service *a = (*(const struct scope_service *const *)pa)->service;
	const struct service *b = (*(const struct scope_service *const *)pb)->service;
	if (a->created_s != b->created_s)
		return a->created_s < b->created_s ? -1 : 1;
	int order = strcmp(a->name, b->name);
	if (!order)
		order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->hostname, b->hostname);
}

static struct digest digest_of_listener(const struct scope *scope, const struct scope_listener *listener)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_str(&state, listener->bind);
	digest_add_u64(&state, listener->port);
	digest_add_str(&state, listener->table);
	digest_add_u64(&state, listener->n_chains);
	for (size_t i = 0; i < listener->n_chains; i++)
		digest_add_chain(&state, scope, &listener->chains[i]);
	return digest_final(&state);
}

static void seal(struct listeners_draft *ld)
{
	for (size_t i = 0; i < ld->listeners.n; i++) {
		const struct listener_draft *from = ld->listeners.v[i];
		struct scope_listener listener = {
		    .bind = from->bind,
		    .port = from->port,
		    .table = from->table,
		    .chains = from->chains.v.v,
		    .n_chains = from->chains.v.n,
		};
		if (!listener.table && !listener.n_chains)
			continue;
		listener.digest = digest_of_listener(ld->draft->scope, &listener);
		VEC_PUSH(ld->draft->arena, &ld->draft->listeners, listener);
	}
}

void scope_add_listeners(struct scope_draft *draft)
{
	const struct scope *scope = draft->scope;
	bool is_ipv4 = scope->view->is_ipv4 || !scope->view->is_ipv6;
	struct listeners_draft ld = {
	    .draft = draft, .wildcard = is_ipv4 ? "0.0.0.0" : "::", .rules = outbound_rules(draft)};
	if (scope->view->interception == INTERCEPT_NONE)
		ld.loopback = is_ipv4 ? "127.0.0.1" : "::1";
	VEC(const struct scope_service *) services = {0};
	for (size_t i = 0; i < scope->n_services; i++)
		if (scope->services[i].service->resolution != SERVICE_ALIAS)
			VEC_PUSH(draft->arena, &services, &scope->services[i]);
	VEC_SORT(&services, compare_age);
	for (size_t i = 0; i < services.n; i++)
		for (size_t j = 0; j < services.v[i]->service->n_ports; j++)
			add_port(&ld, services.v[i], &services.v[i]->service->ports[j]);
	seal(&ld);
}

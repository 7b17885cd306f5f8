/*
 * Servers of gateways that lead the mesh's own TLS on to where the name in its handshake says: between networks, where
 * clients reach a service through the gateway of the other one. Each port of each service of the mesh, and each subset
 * of it, has a chain of its own by that name. TLS does not end here, so who may come is for the service's workloads to
 * say: a chain takes only what offers the mesh's TLS, and leads only to endpoints that take it.
 *
 * The server's hosts say which services. Their namespaces say nothing, as in Istio: they are about routes, and there is
 * none here.
 */
#include "translator/draft.h"
#include "translator/scope_gateways.h"

#include <string.h>

static bool is_auto_passthrough(const struct gateway *gateway)
{
	for (size_t i = 0; i < gateway->n_servers; i++)
		if (gateway->servers[i].tls.mode == GATEWAY_TLS_AUTO_PASSTHROUGH)
			return true;
	return false;
}

bool scope_has_auto_passthrough(const struct model *model, const struct view *view)
{
	if (view->role != PROXY_GATEWAY)
		return false;
	for (size_t i = 0; i < model->n_gateways; i++)
		if (labels_match(&model->gateways[i]->selector, &view->labels) &&
		    is_auto_passthrough(model->gateways[i]))
			return true;
	return false;
}

/* No name in a handshake can have a wildcard within. */
bool service_is_auto_passthrough(const struct service *service)
{
	return !service->is_external && service->resolution != SERVICE_ALIAS && !host_is_wildcard(service->hostname);
}

static bool has_host(const struct gateway_server *server, const char *hostname)
{
	for (size_t i = 0; i < server->n_hosts; i++)
		if (host_is_within(hostname, server->hosts[i].host))
			return true;
	return false;
}

/* Another server of the listener may have led there already. */
static void add_chain(const struct gateway_server_draft *to, const struct scope_service *service,
                      const struct service_port *port, const char *subset)
{
	struct arena *arena = to->draft->arena;
	struct gateway_listener_draft *listener = to->listener;
	const char *key = arena_printf(arena, "%s|%u|%s", service->service->hostname, port->number, subset);
	if (map_put(arena, &listener->passed_on, key, listener))
		return;
	struct scope_chain chain = {
	    .service = service, .subset = subset, .port = port->number, .is_auto_passthrough = true};
	VEC_PUSH(arena, &listener->chains.v, chain);
}

static void add_service(const struct gateway_server_draft *to, const struct scope_service *service)
{
	const struct destination_policy *policy = service->policy;
	for (size_t i = 0; i < service->service->n_ports; i++) {
		const struct service_port *port = &service->service->ports[i];
		if (protocol_transport(port->protocol) == TRANSPORT_NONE)
			continue;
		add_chain(to, service, port, "");
		for (size_t j = 0; policy && j < policy->n_subsets; j++)
			add_chain(to, service, port, policy->subsets[j].name);
	}
}

void gateway_add_auto_passthrough_chains(const struct gateway_server_draft *server)
{
	const struct scope *scope = server->draft->scope;
	for (size_t i = 0; i < scope->n_services; i++) {
		const struct service *service = scope->services[i].service;
		if (service_is_auto_passthrough(service) && has_host(server->server, service->hostname))
			add_service(server, &scope->services[i]);
	}
}

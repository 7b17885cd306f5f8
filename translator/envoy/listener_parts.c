/* What all listeners are made of. */
#include "translator/address.h"
#include "translator/envoy/emit_parts.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A handshake that takes longer is given up. */
#define TRANSPORT_SOCKET_CONNECT_TIMEOUT_MS 15000

/* A ClientHello mostly fits; for a longer one the buffer grows. */
#define TLS_READ_BUFFER_BYTES 512

static const char *const http_protocols[] = {"http/1.1", "h2c"}; /* what the HTTP inspector reports */

envoy_address *socket_address(struct arena *arena, const char *address, uint32_t port)
{
	envoy_address *message = envoy_address_new(arena);
	if (*address == '/' || *address == '@') {
		message->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_PIPE;
		message->pipe = envoy_pipe_new(arena);
		message->pipe->path = borrow(address);
		return message;
	}
	message->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
	message->socket_address = envoy_socket_address_new(arena);
	message->socket_address->address = borrow(address);
	message->socket_address->port_specifier_case =
	    ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
	message->socket_address->port_value = port;
	return message;
}

void listener_add_other_family(const struct emit *emit, envoy_listener *out, const char *bind, uint32_t port)
{
	static const struct {
		const char *ipv4, *ipv6;
	} pairs[] = {{NAME_WILDCARD_IPV4, NAME_WILDCARD_IPV6}, {NAME_LOOPBACK_IPV4, NAME_LOOPBACK_IPV6}};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		if (!emit->proxy.is_ipv4 || !emit->proxy.is_ipv6 || strcmp(bind, pairs[i].ipv4) != 0)
			continue;
		envoy_additional_address *other = envoy_additional_address_new(emit->arena);
		other->address = socket_address(emit->arena, pairs[i].ipv6, port);
		BUILD_ADD(emit->arena, out, additional_addresses, other);
	}
}

envoy_listener *listener_new(const struct emit *emit, const char *name, const char *bind, uint32_t port)
{
	envoy_listener *listener = envoy_listener_new(emit->arena);
	listener->name = borrow(name);
	listener->address = socket_address(emit->arena, bind, port);
	if (!emit->proxy.is_exact_balance)
		return listener;
	listener->connection_balance_config = envoy_listener_connection_balance_config_new(emit->arena);
	listener->connection_balance_config->balance_type_case =
	    ENVOY__CONFIG__LISTENER__V3__LISTENER__CONNECTION_BALANCE_CONFIG__BALANCE_TYPE_EXACT_BALANCE;
	listener->connection_balance_config->exact_balance =
	    envoy_listener_connection_balance_config_exact_balance_new(emit->arena);
	return listener;
}

void listener_set_detection(const struct emit *emit, envoy_listener *listener)
{
	listener->listener_filters_timeout = build_duration_ms(emit->arena, emit->mesh->protocol_detection_timeout_ms);
	listener->continue_on_listener_filters_timeout = true;
}

void listener_set_binding(struct arena *arena, envoy_listener *listener, bool is_bound)
{
	if (is_bound)
		listener->max_connections_to_accept_per_socket_event = build_uint32(arena, 1);
	else
		listener->bind_to_port = build_bool(arena, false);
}

envoy_filter_chain *filter_chain_new(struct arena *arena, const char *name)
{
	envoy_filter_chain *chain = envoy_filter_chain_new(arena);
	chain->name = borrow(name);
	return chain;
}

envoy_filter_chain *filter_chain_nameless(struct arena *arena)
{
	envoy_filter_chain *chain = envoy_filter_chain_new(arena);
	chain->transport_socket_connect_timeout = build_duration_ms(arena, TRANSPORT_SOCKET_CONNECT_TIMEOUT_MS);
	return chain;
}

envoy_filter_chain *filter_chain_of(struct arena *arena, envoy_filter *filter)
{
	envoy_filter_chain *chain = filter_chain_nameless(arena);
	BUILD_ADD(arena, chain, filters, filter);
	return chain;
}

envoy_listener_filter *listener_filter(struct arena *arena, const char *name, const ProtobufCMessage *config)
{
	envoy_listener_filter *filter = envoy_listener_filter_new(arena);
	filter->name = borrow(name);
	filter->config_type_case = ENVOY__CONFIG__LISTENER__V3__LISTENER_FILTER__CONFIG_TYPE_TYPED_CONFIG;
	filter->typed_config = pack_any(arena, config);
	return filter;
}

envoy_listener_filter *tls_inspector(struct arena *arena)
{
	envoy_tls_inspector *config = envoy_tls_inspector_new(arena);
	config->initial_read_buffer_size = build_uint32(arena, TLS_READ_BUFFER_BYTES);
	return listener_filter(arena, NAME_TLS_INSPECTOR, &config->base);
}

envoy_filter_chain_match *plaintext_match(struct arena *arena, uint32_t destination_port, bool is_http)
{
	envoy_filter_chain_match *match = envoy_filter_chain_match_new(arena);
	if (destination_port)
		match->destination_port = build_uint32(arena, destination_port);
	match->transport_protocol = borrow("raw_buffer");
	for (size_t i = 0; is_http && i < sizeof http_protocols / sizeof http_protocols[0]; i++)
		BUILD_ADD(arena, match, application_protocols, borrow(http_protocols[i]));
	return match;
}

envoy_cidr_range *cidr_range(struct arena *arena, const char *subnet)
{
	const char *slash = strchr(subnet, '/');
	envoy_cidr_range *range = envoy_cidr_range_new(arena);
	if (slash) {
		range->address_prefix = arena_strndup(arena, subnet, (size_t)(slash - subnet));
		range->prefix_len = build_uint32(arena, (uint32_t)strtoul(slash + 1, NULL, 10));
		return range;
	}
	range->address_prefix = borrow(subnet);
	range->prefix_len = build_uint32(arena, address_family_of(subnet) == ADDRESS_IPV6 ? 128 : 32);
	return range;
}

const char *unknown_destination_cluster(const struct mesh *mesh)
{
	return mesh->is_outbound_allowed ? NAME_PASSTHROUGH_CLUSTER : NAME_BLACK_HOLE_CLUSTER;
}

const char *wildcard_address(const struct emit_proxy *proxy)
{
	return proxy->is_ipv6 && !proxy->is_ipv4 ? NAME_WILDCARD_IPV6 : NAME_WILDCARD_IPV4;
}

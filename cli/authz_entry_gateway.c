#include "base/text.h"
#include "cli/authz_entry.h"
#include "cli/authz_match.h"
#include "proto/pack.h"
#include "translator/address.h"
#include "translator/envoy/names.h"

#include <string.h>
#include <strings.h>

/* ---- listeners ---- */

static const envoy_socket_address *address_of(const envoy_listener *listener)
{
	return listener->address->socket_address;
}

static bool is_wildcard(const char *address)
{
	return strcmp(address, NAME_WILDCARD_IPV4) == 0 || strcmp(address, NAME_WILDCARD_IPV6) == 0;
}

/* One at the pod's address stands before one at all. */
static const envoy_listener *listener_at(const struct authz_proxy *proxy, const struct authz_request *request)
{
	const envoy_listener *at_all = NULL;
	for (size_t i = 0; i < proxy->n_listeners; i++) {
		const envoy_socket_address *address = address_of(proxy->listeners[i]);
		if (address->port_value != request->port)
			continue;
		if (text_equal(address->address, request->ip))
			return proxy->listeners[i];
		if (is_wildcard(address->address))
			at_all = proxy->listeners[i];
	}
	return at_all;
}

static const char *no_listener(struct arena *arena, const struct authz_proxy *proxy, uint32_t port)
{
	CLEANUP(text_done) struct text out = {0};
	text_printf(&out, "the gateway does not listen on port %u", port);
	for (size_t i = 0; i < proxy->n_listeners; i++)
		text_printf(&out, "%s%u", i ? ", " : "; it does on ", address_of(proxy->listeners[i])->port_value);
	if (!proxy->n_listeners)
		text_add(&out, ", nor on any other: its Gateways have no server with a route");
	return arena_strdup(arena, text_get(&out));
}

/* ---- chains ---- */

/* All of a listener's connections are TLS, or none: the inspector looks for names. */
static bool is_tls(const envoy_listener *listener)
{
	for (size_t i = 0; i < listener->n_listener_filters; i++)
		if (strcmp(listener->listener_filters[i]->name, NAME_TLS_INSPECTOR) == 0)
			return true;
	return false;
}

/* What clients put into the handshake: the host that they want, unless it is an address. */
static const char *name_in_handshake(struct arena *arena, const struct authz_request *request)
{
	if (request->server_name || request->is_logged || !request->is_http)
		return request->server_name;
	const char *host = arena_strndup(arena, request->host, strcspn(request->host, ":"));
	bool is_address = request->host[0] == '[' || address_family_of(host) == ADDRESS_IPV4 ||
	                  address_family_of(request->host) == ADDRESS_IPV6;
	return is_address || !*host ? NULL : host;
}

/* 0: not for the name; 1: for any; more, the closer it is. */
static size_t rank_of_name(const envoy_filter_chain_match *match, const char *name)
{
	size_t best = 0;
	if (!match || !match->n_server_names)
		return 1;
	for (size_t i = 0; name && i < match->n_server_names; i++) {
		const char *wanted = match->server_names[i];
		size_t n = strlen(wanted), name_n = strlen(name), rank = 0;
		if (strcasecmp(wanted, name) == 0)
			rank = SIZE_MAX;
		else if (wanted[0] == '*' && name_n >= n && strcasecmp(name + name_n - (n - 1), wanted + 1) == 0)
			rank = n + 1;
		best = rank > best ? rank : best;
	}
	return best;
}

/* 0: not for the address. */
static size_t rank_of_address(const envoy_filter_chain_match *match, const char *address)
{
	size_t best = 0;
	if (!match || !match->n_prefix_ranges)
		return 1;
	for (size_t i = 0; i < match->n_prefix_ranges; i++) {
		const envoy_cidr_range *range = match->prefix_ranges[i];
		size_t rank = range->prefix_len ? range->prefix_len->value + 2 : 2;
		if (authz_is_within(address, range) && rank > best)
			best = rank;
	}
	return best;
}

/* Chains that ask for it lead the mesh's TLS on, which only callers of the mesh offer. */
static bool is_protocol_offered(const envoy_filter_chain_match *match, const struct authz_request *request)
{
	return !match || !match->n_application_protocols || request->principal || request->is_logged;
}

/* The closest address counts, then the closest name. */
static const envoy_filter_chain *choose(const envoy_listener *listener, const struct authz_request *request,
                                        const char *name)
{
	const envoy_filter_chain *best = NULL;
	size_t best_address = 0, best_name = 0;
	for (size_t i = 0; i < listener->n_filter_chains; i++) {
		const envoy_filter_chain_match *match = listener->filter_chains[i]->filter_chain_match;
		size_t by_address = rank_of_address(match, request->ip), by_name = rank_of_name(match, name);
		if (!by_address || !by_name || !is_protocol_offered(match, request))
			continue;
		if (by_address > best_address || (by_address == best_address && by_name > best_name)) {
			best = listener->filter_chains[i];
			best_address = by_address;
			best_name = by_name;
		}
	}
	return best;
}

/* ---- who calls ---- */

struct server_tls {
	bool is_passed_on, is_plaintext;       /* it does not end here; there is none */
	bool is_certificate_wanted, is_needed; /* of the client */
};

static struct server_tls tls_of(struct arena *arena, const envoy_listener *listener, const envoy_filter_chain *chain)
{
	if (!chain->transport_socket)
		return (struct server_tls){.is_passed_on = is_tls(listener), .is_plaintext = !is_tls(listener)};
	const google_any *config = chain->transport_socket->typed_config;
	const envoy_downstream_tls_context *context = (const envoy_downstream_tls_context *)unpack_own(
	    arena, envoy_downstream_tls_context_type(), config->value.data, config->value.len);
	return (struct server_tls){
	    .is_certificate_wanted =
	        context->common_tls_context->validation_context_type_case !=
	        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE__NOT_SET,
	    .is_needed = context->require_client_certificate && context->require_client_certificate->value,
	};
}

static const char *note_of(const struct server_tls *tls, bool is_http, const struct authz_request *request)
{
	if (tls->is_passed_on)
		return "the server passes TLS on as it is: nothing but the connection is seen, and no identity";
	if (request->is_http && !is_http)
		return "the server forwards connections: nothing of the request is seen";
	if (request->principal && tls->is_plaintext)
		return "the server takes plaintext: the caller has no identity here";
	if (request->principal && !tls->is_certificate_wanted)
		return "the server asks for no client certificate: the caller has no identity here";
	return NULL;
}

/* ---- both ---- */

struct authz_entry authz_enter_gateway(struct arena *arena, const struct authz_proxy *proxy,
                                       const struct authz_request *request)
{
	struct authz_request *seen = arena_memdup(arena, request, sizeof *request);
	struct authz_entry entry = {.seen = seen, .listener = listener_at(proxy, request)};
	if (!entry.listener) {
		entry.refusal = no_listener(arena, proxy, request->port);
		return entry;
	}
	seen->server_name = is_tls(entry.listener) ? name_in_handshake(arena, request) : NULL;
	const envoy_filter_chain *chain = choose(entry.listener, request, seen->server_name);
	if (!chain) {
		entry.refusal = arena_printf(arena, "no server at port %u of the gateway is for %s%s", request->port,
		                             seen->server_name ? "the server name " : "TLS without a server name",
		                             seen->server_name ? seen->server_name : "");
		return entry;
	}
	const struct server_tls tls = tls_of(arena, entry.listener, chain);
	bool is_http = authz_chain_filter(chain, NAME_HTTP_CONNECTION_MANAGER) != NULL;
	if (is_http && !request->is_http) {
		entry.refusal = arena_printf(arena, "port %u of the gateway takes nothing but HTTP", request->port);
		return entry;
	}
	if (tls.is_needed && !request->principal && !request->is_logged) {
		entry.refusal = arena_printf(arena, "the server at port %u of the gateway wants a client certificate",
		                             request->port);
		return entry;
	}
	entry.chain = chain;
	entry.note = note_of(&tls, is_http, request);
	seen->is_http = is_http;
	if (!tls.is_certificate_wanted)
		seen->principal = NULL;
	return entry;
}

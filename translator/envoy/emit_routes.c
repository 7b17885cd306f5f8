/*
 * Route tables. A virtual host is built once and its bytes kept; a table is those bytes one after the other between its
 * own few fields, in the order of the field numbers, so that the result is what packing the whole would give.
 */
#include "translator/envoy/emit_parts.h"

#include <string.h>

#define DIRECT_RESPONSE_BODY_BYTES_MAX (1u << 20)
#define BLOCKED_STATUS 502
/* Field 2 of RouteConfiguration, length-delimited. */
#define VIRTUAL_HOSTS_TAG 0x12

/* ---- the routes of a host ---- */

struct route_list {
	VEC(envoy_route *) routes;
};

/* Routes are tried in order: what stands behind one that takes everything is never reached. */
static void add_rule(const struct route_context *context, size_t rule_i, struct route_list *list)
{
	const struct emit *emit = context->emit;
	for (size_t i = 0; i < context->rule->n_http; i++) {
		const struct http_route *route = &context->rule->http[i];
		if (!route->n_matches) {
			VEC_PUSH(emit->arena, &list->routes, route_build(context, route, NULL));
			return;
		}
		for (size_t k = 0; k < route->n_matches; k++) {
			const struct http_match *match = &route->matches[k];
			if (!scope_match_applies(emit->scope, context->host, rule_i, match))
				continue;
			VEC_PUSH(emit->arena, &list->routes, route_build(context, route, match));
			if (http_match_is_catch_all(match))
				return;
		}
	}
}

/* Several rules of a gateway's host: those that take everything go last, else the same order. */
static void add_sorted(struct arena *arena, envoy_virtual_host *out, const struct route_list *list)
{
	for (size_t i = 0; i < list->routes.n; i++)
		if (!route_match_is_catch_all(list->routes.v[i]->match))
			BUILD_ADD(arena, out, routes, list->routes.v[i]);
	for (size_t i = 0; i < list->routes.n; i++)
		if (route_match_is_catch_all(list->routes.v[i]->match))
			BUILD_ADD(arena, out, routes, list->routes.v[i]);
}

static void add_routes(const struct emit *emit, envoy_virtual_host *out, const struct scope_host *host)
{
	struct route_list list = {0};
	for (size_t i = 0; i < host->n_rules; i++) {
		const struct route_context context = {.emit = emit, .host = host, .rule = host->rules[i]};
		add_rule(&context, i, &list);
	}
	bool is_alias = host->service && host->service->service->resolution == SERVICE_ALIAS;
	if (!list.routes.n && host->service && !is_alias && !host->gateways) /* no rule speaks to this client */
		VEC_PUSH(emit->arena, &list.routes, route_to_service(emit, host->service, host->port));
	add_sorted(emit->arena, out, &list);
}

static envoy_virtual_host *virtual_host_new(struct arena *arena, const char *name)
{
	envoy_virtual_host *out = envoy_virtual_host_new(arena);
	out->name = borrow(name);
	out->include_request_attempt_count = true;
	return out;
}

static envoy_virtual_host *build_host(const struct emit *emit, const struct scope_host *host,
                                      const struct strings *domains)
{
	struct arena *arena = emit->arena;
	envoy_virtual_host *out = virtual_host_new(arena, name_virtual_host(arena, host->hostname, host->port));
	for (size_t i = 0; i < domains->n; i++)
		BUILD_ADD(arena, out, domains, borrow(domains->v[i]));
	add_routes(emit, out, host);
	if (host->is_https_redirect)
		out->require_tls = ENVOY__CONFIG__ROUTE__V3__VIRTUAL_HOST__TLS_REQUIREMENT_TYPE__ALL;
	return out;
}

/* The host as one element of the table's repeated field. */
static struct bytes pack_element(struct arena *arena, const envoy_virtual_host *host)
{
	struct bytes message = pack(arena, &host->base);
	uint8_t *data = arena_alloc(arena, message.n + 11), *at = data;
	*at++ = VIRTUAL_HOSTS_TAG;
	size_t n = message.n;
	for (; n >= 0x80; n >>= 7)
		*at++ = (uint8_t)(n | 0x80);
	*at++ = (uint8_t)n;
	memcpy(at, message.data, message.n);
	return (struct bytes){.data = data, .n = (size_t)(at - data) + message.n};
}

/* ---- the hosts of a table ---- */

struct table_build {
	struct emit *emit;
	const struct scope_table *table;
	const struct map *aliases;
	struct digest base;                     /* what every host reads besides its own */
	struct map claims;                      /* domain -> the host that has it */
	VEC(const struct virtual_host *) hosts; /* in the table's order */
};

static const struct strings *aliases_of(const struct table_build *build, const struct scope_host *host)
{
	return build->aliases->n ? map_get(build->aliases, host->hostname) : NULL;
}

static const struct virtual_host *put_host(struct table_build *build, struct digest key, const struct scope_host *host,
                                           const struct strings *domains)
{
	struct arena *arena = build->emit->arena;
	struct bytes bytes = pack_element(arena, build_host(build->emit, host, domains));
	return cache_put_host(
	    build->emit->cache,
	    &(struct virtual_host){
	        .key = key, .bytes = bytes.data, .bytes_n = bytes.n, .domains = domains->v, .n_domains = domains->n});
}

/* The host with all the domains it could have. */
static const struct virtual_host *full_host(struct table_build *build, const struct scope_host *host)
{
	static const char *const every[] = {"*"};
	const struct strings *aliases = aliases_of(build, host);
	struct digest_state state;
	emit_key_init(&state, UNIT_VIRTUAL_HOST, build->base);
	digest_add_digest(&state, host->digest);
	digest_add_u64(&state, host->port);
	for (size_t i = 0; aliases && i < aliases->n; i++)
		digest_add_str(&state, aliases->v[i]);
	struct digest key = digest_final(&state);
	const struct virtual_host *found = cache_get_host(build->emit->cache, key);
	if (found)
		return found;
	struct strings domains = build->table->is_single ? (struct strings){.v = every, .n = 1}
	                                                 : virtual_host_domains(build->emit->arena, host, aliases,
	                                                                        build->emit->scope->view->domain);
	return put_host(build, key, host, &domains);
}

/* The host without the domains that others have; NULL when none is left. */
static const struct virtual_host *reduced_host(struct table_build *build, const struct scope_host *host,
                                               const struct virtual_host *full)
{
	struct arena *arena = build->emit->arena;
	const char **left = ARENA_NEW_N(arena, const char *, full->n_domains);
	struct strings domains = {.v = left};
	struct digest_state state;
	emit_key_init(&state, UNIT_VIRTUAL_HOST, full->key);
	for (size_t i = 0; i < full->n_domains; i++) {
		if (map_get(&build->claims, full->domains[i]) != host)
			continue;
		left[domains.n++] = full->domains[i];
		digest_add_str(&state, full->domains[i]);
	}
	struct digest key = digest_final(&state);
	if (!domains.n)
		return NULL;
	const struct virtual_host *found = cache_get_host(build->emit->cache, key);
	return found ? found : put_host(build, key, host, &domains);
}

static bool is_left_out(const struct scope_host *host)
{
	bool is_alias = host->service && host->service->service->resolution == SERVICE_ALIAS;
	return is_alias && !host->n_rules; /* its names are domains of what it stands for */
}

static void *claim_value(const struct scope_host *host)
{
	union {
		const struct scope_host *in;
		void *out;
	} value = {.in = host};
	return value.out;
}

static bool claim(struct table_build *build, const char *domain, const struct scope_host *host)
{
	void **slot = map_slot(build->emit->arena, &build->claims, domain);
	if (!*slot)
		*slot = claim_value(host);
	return *slot == host;
}

/*
 * Envoy refuses a table in which two hosts have one domain. A host's own name is always its own, whoever else could be
 * called so; of the other domains the first host has it.
 */
static void add_hosts(struct table_build *build)
{
	const struct scope_table *table = build->table;
	struct arena *arena = build->emit->arena;
	const struct virtual_host **full = ARENA_NEW_N(arena, const struct virtual_host *, table->n_hosts);
	for (size_t i = 0; i < table->n_hosts; i++) {
		if (is_left_out(&table->hosts[i]))
			continue;
		full[i] = full_host(build, &table->hosts[i]);
		claim(build, full[i]->domains[0], &table->hosts[i]);
	}
	for (size_t i = 0; i < table->n_hosts; i++) {
		const struct scope_host *host = &table->hosts[i];
		bool is_whole = true;
		for (size_t k = 0; full[i] && k < full[i]->n_domains; k++)
			is_whole &= claim(build, full[i]->domains[k], host);
		const struct virtual_host *kept = is_whole ? full[i] : reduced_host(build, host, full[i]);
		if (kept)
			VEC_PUSH(arena, &build->hosts, kept);
	}
}

/* ---- hosts that no rule and no service named ---- */

static envoy_virtual_host *catch_all(const struct emit *emit)
{
	struct arena *arena = emit->arena;
	bool is_allowed = emit->mesh->is_outbound_allowed;
	const char *name = is_allowed ? NAME_ALLOW_ANY : NAME_BLOCK_ALL;
	envoy_virtual_host *out = virtual_host_new(arena, name);
	envoy_route *route;
	if (is_allowed) {
		route = route_to_cluster(arena, name, NAME_PASSTHROUGH_CLUSTER, NULL);
		route->route->max_grpc_timeout = route->route->timeout;
	} else {
		route = envoy_route_new(arena);
		route->name = borrow(name);
		route->match = route_match(arena, NULL);
		route->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_DIRECT_RESPONSE;
		route->direct_response = envoy_direct_response_action_new(arena);
		route->direct_response->status = BLOCKED_STATUS;
	}
	BUILD_ADD(arena, out, domains, borrow("*"));
	BUILD_ADD(arena, out, routes, route);
	return out;
}

/* What stands behind all other hosts of the table, or NULL. */
static envoy_virtual_host *last_host(const struct table_build *build)
{
	const struct emit *emit = build->emit;
	if (emit->proxy.role == PROXY_GATEWAY) {
		if (build->hosts.n)
			return NULL;
		/* A table without hosts answers 404. */
		envoy_virtual_host *out = envoy_virtual_host_new(emit->arena);
		out->name = name_black_hole_host(emit->arena, build->table->port);
		BUILD_ADD(emit->arena, out, domains, borrow("*"));
		return out;
	}
	return build->table->is_single || map_has(&build->claims, "*") ? NULL : catch_all(emit);
}

/* ---- the table ---- */

static struct bytes compose(const struct table_build *build)
{
	struct arena *arena = build->emit->arena;
	envoy_route_configuration *head = envoy_route_configuration_new(arena);
	head->name = borrow(build->table->name);
	envoy_route_configuration *tail = envoy_route_configuration_new(arena);
	tail->validate_clusters = build_bool(arena, false);
	tail->max_direct_response_body_size_bytes = build_uint32(arena, DIRECT_RESPONSE_BODY_BYTES_MAX);
	tail->ignore_port_in_host_matching = true;
	envoy_virtual_host *last = last_host(build);
	const struct bytes ends[] = {
	    pack(arena, &head->base),
	    last ? pack_element(arena, last) : (struct bytes){.data = (const uint8_t *)""},
	    pack(arena, &tail->base),
	};
	size_t n = ends[0].n + ends[1].n + ends[2].n;
	for (size_t i = 0; i < build->hosts.n; i++)
		n += build->hosts.v[i]->bytes_n;
	uint8_t *data = arena_alloc(arena, n), *at = data;
	at = mempcpy(at, ends[0].data, ends[0].n);
	for (size_t i = 0; i < build->hosts.n; i++)
		at = mempcpy(at, build->hosts.v[i]->bytes, build->hosts.v[i]->bytes_n);
	at = mempcpy(at, ends[1].data, ends[1].n);
	mempcpy(at, ends[2].data, ends[2].n);
	return (struct bytes){.data = data, .n = n};
}

/* What a view's hosts all read: the mesh, and the whole view, since matches and domains depend on who asks. */
static struct digest host_base(const struct emit *emit, const struct scope_table *table)
{
	struct digest_state state;
	emit_key_init(&state, UNIT_PROXY, emit->mesh->digest);
	digest_add_digest(&state, emit->scope->view->key);
	digest_add_u64(&state, table->is_single);
	return digest_final(&state);
}

static struct digest table_key(const struct table_build *build)
{
	struct digest_state state;
	emit_key_init(&state, UNIT_TABLE, build->base);
	digest_add_str(&state, build->table->name);
	digest_add_u64(&state, build->table->port);
	digest_add_digest(&state, build->table->digest);
	for (size_t i = 0; i < build->aliases->n; i++) {
		const struct strings *names = build->aliases->entries[i].value;
		digest_add_str(&state, build->aliases->entries[i].key);
		digest_add_u64(&state, names->n);
		for (size_t k = 0; k < names->n; k++)
			digest_add_str(&state, names->v[k]);
	}
	return digest_final(&state);
}

static void emit_table(struct emit *emit, const struct scope_table *table, const struct map *aliases)
{
	struct table_build build = {.emit = emit, .table = table, .aliases = aliases, .base = host_base(emit, table)};
	struct digest key = table_key(&build);
	const struct cache_unit *unit = cache_get(emit->cache, key);
	if (!unit) {
		add_hosts(&build);
		struct bytes bytes = compose(&build);
		unit = cache_take(emit->cache, key, resource_new(RESOURCE_ROUTE, table->name, bytes.data, bytes.n));
		cache_keep_hosts(emit->cache, key, build.hosts.v, build.hosts.n);
	}
	emit_collect(emit, unit);
}

void emit_routes(struct emit *emit)
{
	struct map aliases = alias_index(emit->arena, emit->scope);
	for (size_t i = 0; i < emit->scope->n_tables; i++)
		emit_table(emit, &emit->scope->tables[i], &aliases);
}

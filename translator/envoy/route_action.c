/* One route: what it matches comes from route_match.c, what it does is here. */
#include "base/text.h"
#include "translator/envoy/emit_parts.h"

#include <stdlib.h>
#include <strings.h>

/* Envoy refuses longer bodies (max_direct_response_body_size_bytes of the table). */
#define DIRECT_RESPONSE_BODY_MAX (1u << 20)

PROTO_ALIAS(filter_config_entry, Envoy__Config__Route__V3__Route__TypedPerFilterConfigEntry,
            envoy__config__route__v3__route__typed_per_filter_config_entry)

/* ---- headers ---- */

/* Route and ClusterWeight have the same four fields. */
#define SET_HEADERS(message, request, response)                                                                        \
	do {                                                                                                           \
		(message)->request_headers_to_add = (request).add;                                                     \
		(message)->n_request_headers_to_add = (request).n_add;                                                 \
		(message)->request_headers_to_remove = (request).remove;                                               \
		(message)->n_request_headers_to_remove = (request).n_remove;                                           \
		(message)->response_headers_to_add = (response).add;                                                   \
		(message)->n_response_headers_to_add = (response).n_add;                                               \
		(message)->response_headers_to_remove = (response).remove;                                             \
		(message)->n_response_headers_to_remove = (response).n_remove;                                         \
	} while (0)

static void set_route_headers(struct arena *arena, envoy_route *out, const struct http_route *route)
{
	const struct header_operations *request[2] = {&route->request_headers};
	const struct header_operations *response[2] = {&route->response_headers};
	size_t n = 1;
	if (route->action == HTTP_FORWARD && route->n_destinations == 1) { /* the only one's are the route's */
		request[n] = &route->destinations[0].request_headers;
		response[n++] = &route->destinations[0].response_headers;
	}
	struct header_lists request_lists = header_lists(arena, request, n);
	struct header_lists response_lists = header_lists(arena, response, n);
	SET_HEADERS(out, request_lists, response_lists);
}

/* ---- destinations ---- */

/* A destination's cluster, even when the view has no such service: Envoy then answers 503 and counts it under the name.
 */
struct target {
	const char *cluster;
	const char *host;
	uint32_t port;
	const struct traffic_policy *policy;
};

static struct target target_of(const struct route_context *context, const struct destination *destination)
{
	const struct emit *emit = context->emit;
	struct target target = {.host = destination->host, .port = destination->port};
	const struct scope_service *service =
	    scope_destination(emit->scope, destination, context->host->port, &target.port);
	if (service)
		target.host = service->service->hostname;
	if (!target.port)
		target.port = context->host->port;
	target.policy = traffic_policy_of(service ? service->policy : NULL, destination->subset, target.port);
	target.cluster = name_outbound_cluster(emit->arena, target.port, destination->subset ? destination->subset : "",
	                                       target.host);
	return target;
}

static void add_hash_policy(struct arena *arena, envoy_route_action *action, const struct traffic_policy *policy)
{
	envoy_route_action_hash_policy *hash = hash_policy(arena, &policy->lb);
	if (hash)
		BUILD_ADD(arena, action, hash_policy, hash);
}

static envoy_weighted_cluster_cluster_weight *cluster_weight(const struct route_context *context,
                                                             const struct weighted_destination *destination,
                                                             const struct target *target)
{
	struct arena *arena = context->emit->arena;
	envoy_weighted_cluster_cluster_weight *out = envoy_weighted_cluster_cluster_weight_new(arena);
	out->name = borrow(target->cluster);
	const struct header_operations *request = &destination->request_headers;
	const struct header_operations *response = &destination->response_headers;
	struct header_lists request_lists = header_lists(arena, &request, 1);
	struct header_lists response_lists = header_lists(arena, &response, 1);
	SET_HEADERS(out, request_lists, response_lists);
	if (destination->authority) {
		out->host_rewrite_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__WEIGHTED_CLUSTER__CLUSTER_WEIGHT__HOST_REWRITE_SPECIFIER_HOST_REWRITE_LITERAL;
		out->host_rewrite_literal = borrow(destination->authority);
	}
	return out;
}

/* Envoy refuses weights whose sum passes 32 bits: large ones are halved until it does not. */
static int weight_shift(const struct http_route *route)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < route->n_destinations; i++)
		sum += route->destinations[i].weight;
	int shift = 0;
	while (sum >> shift > UINT32_MAX)
		shift++;
	return shift;
}

static void set_weighted(const struct route_context *context, envoy_route_action *action,
                         const struct http_route *route)
{
	struct arena *arena = context->emit->arena;
	int shift = weight_shift(route);
	action->cluster_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS;
	action->weighted_clusters = envoy_weighted_cluster_new(arena);
	for (size_t i = 0; i < route->n_destinations; i++) {
		const struct weighted_destination *destination = &route->destinations[i];
		if (!(destination->weight >> shift))
			continue;
		struct target target = target_of(context, &destination->destination);
		envoy_weighted_cluster_cluster_weight *weight = cluster_weight(context, destination, &target);
		weight->weight = build_uint32(arena, destination->weight >> shift);
		BUILD_ADD(arena, action->weighted_clusters, clusters, weight);
		add_hash_policy(arena, action, target.policy);
	}
}

/* Returns the only destination, or none. */
static struct target set_destinations(const struct route_context *context, envoy_route_action *action,
                                      const struct http_route *route)
{
	if (route->n_destinations != 1) {
		set_weighted(context, action, route);
		return (struct target){0};
	}
	struct target target = target_of(context, &route->destinations[0].destination);
	action->cluster_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
	action->cluster = borrow(target.cluster);
	add_hash_policy(context->emit->arena, action, target.policy);
	return target;
}

static bool has_destination(const struct http_route *route)
{
	if (route->n_destinations == 1)
		return true;
	for (size_t i = 0; i < route->n_destinations; i++)
		if (route->destinations[i].weight)
			return true;
	return false;
}

/* ---- actions ---- */

static void set_timeout(struct arena *arena, envoy_route_action *action, int64_t timeout_ms)
{
	action->timeout = build_duration_ms(arena, timeout_ms < 0 ? 0 : timeout_ms); /* 0: none */
	action->max_grpc_timeout = action->timeout;
}

static void set_rewrite(struct arena *arena, envoy_route_action *action, const struct http_rewrite *rewrite)
{
	if (rewrite->regex) {
		action->regex_rewrite = envoy_regex_match_and_substitute_new(arena);
		action->regex_rewrite->pattern = envoy_regex_matcher_new(arena);
		action->regex_rewrite->pattern->regex = borrow(rewrite->regex);
		action->regex_rewrite->substitution = borrow(rewrite->regex_rewrite);
	} else if (rewrite->uri) {
		action->prefix_rewrite = borrow(rewrite->uri);
	}
	if (rewrite->authority) {
		action->host_rewrite_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_HOST_REWRITE_LITERAL;
		action->host_rewrite_literal = borrow(rewrite->authority);
	}
}

static void add_mirrors(const struct route_context *context, envoy_route_action *action, const struct http_route *route)
{
	struct arena *arena = context->emit->arena;
	for (size_t i = 0; i < route->n_mirrors; i++) {
		if (route->mirrors[i].percent <= 0)
			continue;
		envoy_route_action_request_mirror_policy *mirror = envoy_route_action_request_mirror_policy_new(arena);
		mirror->cluster = borrow(target_of(context, &route->mirrors[i].destination).cluster);
		mirror->runtime_fraction = fractional_percent(arena, route->mirrors[i].percent);
		mirror->trace_sampled = build_bool(arena, false);
		BUILD_ADD(arena, action, request_mirror_policies, mirror);
	}
}

static envoy_route_action *action_set(struct arena *arena, envoy_route *out)
{
	out->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE;
	out->route = envoy_route_action_new(arena);
	return out->route;
}

static struct target set_forward(const struct route_context *context, envoy_route *out, const struct http_route *route)
{
	struct arena *arena = context->emit->arena;
	envoy_route_action *action = action_set(arena, out);
	set_timeout(arena, action, route->timeout_ms);
	if (route->has_rewrite)
		set_rewrite(arena, action, &route->rewrite);
	add_mirrors(context, action, route);
	struct target target = set_destinations(context, action, route);
	action->retry_policy =
	    retry_policy(context->emit, &route->retry, target.policy && target.policy->lb.hash_key != HASH_NONE);
	return target;
}

static uint32_t redirect_port(const struct http_redirect *redirect, uint32_t listener_port)
{
	uint32_t port = redirect->is_port_from_request ? listener_port : redirect->port;
	bool is_https = redirect->scheme && strcasecmp(redirect->scheme, "https") == 0;
	return port == (is_https ? 443 : 80) ? 0 : port; /* a scheme's own port is not written */
}

static void set_redirect(struct arena *arena, envoy_route *out, const struct http_redirect *redirect,
                         uint32_t listener_port)
{
	static const struct {
		uint32_t status;
		Envoy__Config__Route__V3__RedirectAction__RedirectResponseCode code;
	} codes[] = {
	    {302, ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__FOUND},
	    {303, ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__SEE_OTHER},
	    {307, ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__TEMPORARY_REDIRECT},
	    {308, ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__REDIRECT_RESPONSE_CODE__PERMANENT_REDIRECT},
	}; /* all others: 301 */
	envoy_redirect_action *action = envoy_redirect_action_new(arena);
	action->host_redirect = borrow(redirect->authority);
	if (redirect->uri && redirect->is_prefix_rewrite) {
		action->path_rewrite_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__PATH_REWRITE_SPECIFIER_PREFIX_REWRITE;
		action->prefix_rewrite = borrow(redirect->uri);
	} else if (redirect->uri) {
		action->path_rewrite_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__PATH_REWRITE_SPECIFIER_PATH_REDIRECT;
		action->path_redirect = borrow(redirect->uri);
	}
	if (!text_is_empty(redirect->scheme)) {
		action->scheme_rewrite_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__REDIRECT_ACTION__SCHEME_REWRITE_SPECIFIER_SCHEME_REDIRECT;
		action->scheme_redirect = borrow(redirect->scheme);
	}
	action->port_redirect = redirect_port(redirect, listener_port);
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i].status == redirect->code)
			action->response_code = codes[i].code;
	out->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_REDIRECT;
	out->redirect = action;
}

static void set_direct_response(struct arena *arena, envoy_route *out, uint32_t status, const char *body, size_t body_n)
{
	out->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_DIRECT_RESPONSE;
	out->direct_response = envoy_direct_response_action_new(arena);
	out->direct_response->status = status;
	if (!body || body_n > DIRECT_RESPONSE_BODY_MAX)
		return;
	envoy_data_source *source = envoy_data_source_new(arena);
	if (text_is_utf8(body, body_n)) {
		source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
		source->inline_string = arena_strndup(arena, body, body_n);
	} else {
		source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_BYTES;
		source->inline_bytes.len = body_n;
		source->inline_bytes.data = arena_memdup(arena, body, body_n);
	}
	out->direct_response->body = source;
}

/* ---- the route ---- */

static void add_filter_config(struct arena *arena, envoy_route *out, const char *filter, google_any *config)
{
	if (!config)
		return;
	filter_config_entry *entry = filter_config_entry_new(arena);
	entry->key = borrow(filter);
	entry->value = config;
	BUILD_ADD(arena, out, typed_per_filter_config, entry);
}

/* What a trace calls the route: "host:port/path*" of its only destination, else by its object. */
static envoy_decorator *decorator(struct arena *arena, const envoy_route_match *match, const char *host, uint32_t port)
{
	const char *path = "/*", *more = "";
	if (match->path_specifier_case == ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX) {
		path = match->prefix;
		more = "*";
	} else if (match->path_specifier_case == ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PATH) {
		path = match->path;
	} else if (match->path_specifier_case == ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_SAFE_REGEX) {
		path = match->safe_regex->regex;
	}
	envoy_decorator *out = envoy_decorator_new(arena);
	out->operation = arena_printf(arena, "%s:%u%s%s", host, port, path, more);
	return out;
}

static char *route_name(struct arena *arena, const struct http_route *route, const struct http_match *match)
{
	if (!match || text_is_empty(match->name))
		return borrow(route->name);
	return arena_printf(arena, "%s.%s", route->name ? route->name : "", match->name);
}

envoy_route *route_build(const struct route_context *context, const struct http_route *route,
                         const struct http_match *match)
{
	struct arena *arena = context->emit->arena;
	envoy_route *out = envoy_route_new(arena);
	out->name = route_name(arena, route, match);
	out->match = route_match(arena, match);
	out->metadata = metadata_build(arena, &(struct istio_metadata){.config = context->rule->source.path});
	set_route_headers(arena, out, route);
	struct target target = {0};
	if (route->action == HTTP_REDIRECT)
		set_redirect(arena, out, &route->redirect, context->host->port);
	else if (route->action == HTTP_DIRECT_RESPONSE)
		set_direct_response(arena, out, route->direct_response.status, route->direct_response.body,
		                    route->direct_response.body_n);
	else if (has_destination(route))
		target = set_forward(context, out, route);
	else
		set_direct_response(arena, out, 503, NULL, 0); /* nowhere to go */
	out->decorator = decorator(arena, out->match, target.host ? target.host : context->rule->name,
	                           target.host ? target.port : context->host->port);
	if (route->cors)
		add_filter_config(arena, out, NAME_CORS, cors_any(arena, route->cors));
	add_filter_config(arena, out, NAME_FAULT, fault_any(arena, &route->fault));
	return out;
}

envoy_route *route_to_cluster(struct arena *arena, const char *name, const char *cluster, const char *operation)
{
	envoy_route *out = envoy_route_new(arena);
	out->name = borrow(name);
	out->match = route_match(arena, NULL);
	envoy_route_action *action = action_set(arena, out);
	action->cluster_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
	action->cluster = borrow(cluster);
	action->timeout = google_duration_new(arena);
	if (operation) {
		out->decorator = envoy_decorator_new(arena);
		out->decorator->operation = borrow(operation);
	}
	return out;
}

envoy_route *route_to_service(const struct emit *emit, const struct scope_service *service, uint32_t port)
{
	struct arena *arena = emit->arena;
	const char *host = service->service->hostname;
	const char *cluster = name_outbound_cluster(arena, port, "", host);
	envoy_route *out =
	    route_to_cluster(arena, NAME_DEFAULT_ROUTE, cluster, arena_printf(arena, "%s:%u/*", host, port));
	set_timeout(arena, out->route, 0);
	static const struct retry_policy mesh_default = {.mode = RETRY_DEFAULT};
	out->route->retry_policy = retry_policy(emit, &mesh_default, false);
	add_hash_policy(arena, out->route, traffic_policy_of(service->policy, "", port));
	return out;
}

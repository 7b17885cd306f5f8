#include "proto/build.h"
#include "translator/istio/traffic_lowering.h"

#define H2(name) ISTIO__NETWORKING__V1ALPHA3__CONNECTION_POOL_SETTINGS__HTTPSETTINGS__H2_UPGRADE_POLICY__##name

/* The parts of a policy that inherit as wholes; NULL: not said. */
struct parts {
	const istio_load_balancer_settings *lb;
	const istio_connection_pool_settings *pool;
	const istio_outlier_detection *outlier;
	const istio_client_tls_settings *tls;
};

static struct parts parts_of_policy(const istio_traffic_policy *policy)
{
	if (!policy)
		return (struct parts){0};
	return (struct parts){policy->load_balancer, policy->connection_pool, policy->outlier_detection, policy->tls};
}

static const istio_traffic_policy_port_traffic_policy *port_settings(const istio_traffic_policy *policy, uint32_t port)
{
	for (size_t i = 0; port && policy && i < policy->n_port_level_settings; i++) {
		const istio_port_selector *selector = policy->port_level_settings[i]->port;
		if (selector && selector->number == port)
			return policy->port_level_settings[i];
	}
	return NULL;
}

static struct parts parts_of_port(const istio_traffic_policy_port_traffic_policy *settings)
{
	return (struct parts){settings->load_balancer, settings->connection_pool, settings->outlier_detection,
	                      settings->tls};
}

static struct parts parts_for_port(const istio_traffic_policy *policy, uint32_t port)
{
	const istio_traffic_policy_port_traffic_policy *settings = port_settings(policy, port);
	return settings ? parts_of_port(settings) : parts_of_policy(policy);
}

static struct parts parts_for_subset(const istio_traffic_policy *policy, const istio_traffic_policy *subset,
                                     uint32_t port)
{
	if (port_settings(subset, port))
		return parts_for_port(subset, port);
	struct parts parts = parts_for_port(policy, port), own = parts_of_policy(subset);
	return (struct parts){
	    .lb = own.lb ? own.lb : parts.lb,
	    .pool = own.pool ? own.pool : parts.pool,
	    .outlier = own.outlier ? own.outlier : parts.outlier,
	    .tls = own.tls ? own.tls : parts.tls,
	};
}

/* ---- one part each ---- */

static int64_t positive_or_unset(int64_t value)
{
	return value > 0 ? value : -1;
}

static int64_t duration_or_unset(const google_duration *duration)
{
	return duration ? build_duration_get_ms(duration) : -1;
}

struct keepalive traffic_lower_keepalive(const istio_connection_pool_settings_tcp_settings_tcp_keepalive *in)
{
	if (!in)
		return (struct keepalive){0};
	return (struct keepalive){
	    .is_set = true,
	    .probes = in->probes,
	    .time_s = (uint32_t)(build_duration_get_ms(in->time) / 1000),
	    .interval_s = (uint32_t)(build_duration_get_ms(in->interval) / 1000),
	};
}

static struct connection_pool lower_pool(const istio_connection_pool_settings *in, const struct mesh *mesh)
{
	static const istio_connection_pool_settings_tcp_settings no_tcp =
	    ISTIO__NETWORKING__V1ALPHA3__CONNECTION_POOL_SETTINGS__TCPSETTINGS__INIT;
	static const istio_connection_pool_settings_http_settings no_http =
	    ISTIO__NETWORKING__V1ALPHA3__CONNECTION_POOL_SETTINGS__HTTPSETTINGS__INIT;
	const istio_connection_pool_settings_tcp_settings *tcp = in && in->tcp ? in->tcp : &no_tcp;
	const istio_connection_pool_settings_http_settings *http = in && in->http ? in->http : &no_http;
	struct connection_pool out = {
	    .max_connections = positive_or_unset(tcp->max_connections),
	    .connect_timeout_ms =
	        tcp->connect_timeout ? build_duration_get_ms(tcp->connect_timeout) : mesh->connect_timeout_ms,
	    .tcp_idle_timeout_ms = duration_or_unset(tcp->idle_timeout),
	    .max_connection_duration_ms = duration_or_unset(tcp->max_connection_duration),
	    .max_pending_requests = positive_or_unset(http->http1_max_pending_requests),
	    .max_requests = positive_or_unset(http->http2_max_requests),
	    .max_requests_per_connection = positive_or_unset(http->max_requests_per_connection),
	    .max_retries = positive_or_unset(http->max_retries),
	    .http_idle_timeout_ms = duration_or_unset(http->idle_timeout),
	    .max_concurrent_streams = positive_or_unset(http->max_concurrent_streams),
	    .is_client_protocol_used = http->use_client_protocol,
	    .keepalive = traffic_lower_keepalive(tcp->tcp_keepalive),
	};
	if (http->h2_upgrade_policy == H2(UPGRADE))
		out.h2_upgrade = H2_UPGRADE_ALWAYS;
	else if (http->h2_upgrade_policy == H2(DO_NOT_UPGRADE))
		out.h2_upgrade = H2_UPGRADE_NEVER;
	return out;
}

static int64_t wrapper_or_unset(const google_uint32_value *value)
{
	return value ? (int64_t)value->value : -1;
}

static struct outlier_detection lower_outlier(const istio_outlier_detection *in)
{
	if (!in)
		return (struct outlier_detection){
		    .consecutive_5xx = -1,
		    .consecutive_gateway_errors = -1,
		    .consecutive_local_origin_failures = -1,
		    .interval_ms = -1,
		    .base_ejection_ms = -1,
		    .max_ejection_percent = -1,
		    .min_health_percent = -1,
		};
	return (struct outlier_detection){
	    .is_set = true,
	    .consecutive_5xx = wrapper_or_unset(in->consecutive_5xx_errors),
	    .consecutive_gateway_errors = wrapper_or_unset(in->consecutive_gateway_errors),
	    .consecutive_local_origin_failures = wrapper_or_unset(in->consecutive_local_origin_failures),
	    .is_split_local_origin = in->split_external_local_origin_errors,
	    .interval_ms = duration_or_unset(in->interval),
	    .base_ejection_ms = duration_or_unset(in->base_ejection_time),
	    .max_ejection_percent = positive_or_unset(in->max_ejection_percent),
	    .min_health_percent = in->min_health_percent,
	};
}

/* ---- digest ---- */

void traffic_digest_keepalive(struct digest_state *state, const struct keepalive *keepalive)
{
	digest_add_bool(state, keepalive->is_set);
	digest_add_u64(state, keepalive->probes);
	digest_add_u64(state, keepalive->time_s);
	digest_add_u64(state, keepalive->interval_s);
}

static void digest_add_pool(struct digest_state *state, const struct connection_pool *pool)
{
	digest_add_i64(state, pool->max_connections);
	digest_add_i64(state, pool->connect_timeout_ms);
	digest_add_i64(state, pool->tcp_idle_timeout_ms);
	digest_add_i64(state, pool->max_connection_duration_ms);
	traffic_digest_keepalive(state, &pool->keepalive);
	digest_add_i64(state, pool->max_pending_requests);
	digest_add_i64(state, pool->max_requests);
	digest_add_i64(state, pool->max_requests_per_connection);
	digest_add_i64(state, pool->max_retries);
	digest_add_i64(state, pool->http_idle_timeout_ms);
	digest_add_i64(state, pool->max_concurrent_streams);
	digest_add_u64(state, pool->h2_upgrade);
	digest_add_bool(state, pool->is_client_protocol_used);
}

static void digest_add_outlier(struct digest_state *state, const struct outlier_detection *outlier)
{
	digest_add_bool(state, outlier->is_set);
	digest_add_i64(state, outlier->consecutive_5xx);
	digest_add_i64(state, outlier->consecutive_gateway_errors);
	digest_add_i64(state, outlier->consecutive_local_origin_failures);
	digest_add_bool(state, outlier->is_split_local_origin);
	digest_add_i64(state, outlier->interval_ms);
	digest_add_i64(state, outlier->base_ejection_ms);
	digest_add_i64(state, outlier->max_ejection_percent);
	digest_add_i64(state, outlier->min_health_percent);
}

static const struct traffic_policy *lower_parts(struct draft *draft, struct parts parts)
{
	struct traffic_policy *out = ARENA_NEW(draft->arena, struct traffic_policy);
	out->pool = lower_pool(parts.pool, &draft->model->mesh);
	out->outlier = lower_outlier(parts.outlier);
	out->lb = traffic_lower_lb(draft->arena, parts.lb);
	out->tls = traffic_lower_tls(draft->arena, parts.tls);
	struct digest_state state;
	digest_init(&state);
	digest_add_pool(&state, &out->pool);
	digest_add_outlier(&state, &out->outlier);
	traffic_digest_lb(&state, &out->lb);
	traffic_digest_tls(&state, &out->tls);
	out->digest = digest_final(&state);
	return out;
}

/* ---- by port ---- */

struct port_list {
	VEC(uint32_t) v;
};

static int compare_ports(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void add_ports(struct arena *arena, const istio_traffic_policy *policy, struct port_list *ports)
{
	for (size_t i = 0; policy && i < policy->n_port_level_settings; i++) {
		const istio_port_selector *port = policy->port_level_settings[i]->port;
		if (port && port->number)
			VEC_PUSH(arena, &ports->v, port->number);
	}
}

static struct destination_subset lower_by_port(struct draft *draft, const istio_traffic_policy *policy,
                                               const istio_traffic_policy *subset)
{
	struct port_list ports = {0};
	add_ports(draft->arena, policy, &ports);
	add_ports(draft->arena, subset, &ports);
	VEC_SORT(&ports.v, compare_ports);
	VEC(struct port_policy) rows = {0};
	for (size_t i = 0; i < ports.v.n; i++) {
		if (i > 0 && ports.v.v[i] == ports.v.v[i - 1])
			continue;
		struct parts parts = parts_for_subset(policy, subset, ports.v.v[i]);
		VEC_PUSH(draft->arena, &rows, (struct port_policy){ports.v.v[i], lower_parts(draft, parts)});
	}
	VEC_PUSH(draft->arena, &rows, (struct port_policy){0, lower_parts(draft, parts_for_subset(policy, subset, 0))});
	return (struct destination_subset){.name = "", .ports = rows.v, .n_ports = rows.n};
}

struct destination_subset traffic_lower_whole(struct draft *draft, const istio_traffic_policy *policy)
{
	return lower_by_port(draft, policy, NULL);
}

struct destination_subset traffic_lower_subset(struct draft *draft, const istio_traffic_policy *policy,
                                               const istio_subset *subset)
{
	struct destination_subset out = lower_by_port(draft, policy, subset->traffic_policy);
	out.name = subset->name;
	out.labels = ISTIO_LABELS(draft->arena, subset, labels);
	return out;
}

/* ---- checks ---- */

static void check_pool(struct draft *draft, const struct object *object, const istio_connection_pool_settings *pool,
                       const char *path)
{
	if (pool && pool->http && pool->http->http2_keep_alive)
		report_add(draft->report, object, REPORT_INFO, REASON_NOT_SUPPORTED,
		           arena_printf(draft->arena, "%s.connectionPool.http.http2KeepAlive", path),
		           "HTTP/2 pings are not supported yet");
}

static void check_outlier(struct draft *draft, const struct object *object, const istio_outlier_detection *outlier,
                          const char *path)
{
	if (!outlier)
		return;
	path = arena_printf(draft->arena, "%s.outlierDetection", path);
	if (outlier->consecutive_errors)
		report_add(draft->report, object, REPORT_WARNING, REASON_NO_EFFECT,
		           arena_printf(draft->arena, "%s.consecutiveErrors", path),
		           "consecutiveErrors was withdrawn; use consecutive5xxErrors or consecutiveGatewayErrors");
	if (outlier->n_outlier_detection_http_error_codes)
		report_add(draft->report, object, REPORT_WARNING, REASON_NOT_SUPPORTED,
		           arena_printf(draft->arena, "%s.outlierDetectionHttpErrorCodes", path),
		           "own error codes are not supported yet; 5xx counts");
}

static void check_parts(struct draft *draft, const struct object *object, struct parts parts, const char *path)
{
	traffic_check_lb(draft, object, parts.lb, arena_printf(draft->arena, "%s.loadBalancer", path));
	check_pool(draft, object, parts.pool, path);
	check_outlier(draft, object, parts.outlier, path);
	traffic_check_tls(draft, object, parts.tls, arena_printf(draft->arena, "%s.tls", path));
}

void traffic_check(struct draft *draft, const struct object *object, const istio_traffic_policy *policy,
                   const char *path)
{
	if (!policy)
		return;
	const struct later_field later[] = {
	    {"tunnel", policy->tunnel},
	    {"proxyProtocol", policy->proxy_protocol},
	    {"retryBudget", policy->retry_budget},
	};
	traffic_report_later(draft, object, REPORT_WARNING, path, later, sizeof later / sizeof later[0]);
	check_parts(draft, object, parts_of_policy(policy), path);
	for (size_t i = 0; i < policy->n_port_level_settings; i++) {
		const istio_traffic_policy_port_traffic_policy *settings = policy->port_level_settings[i];
		const char *at = arena_printf(draft->arena, "%s.portLevelSettings[%zu]", path, i);
		if (!settings->port || !settings->port->number)
			report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE, at,
			           "names no port number; left out");
		check_parts(draft, object, parts_of_port(settings), at);
	}
}

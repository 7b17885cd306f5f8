/* What a traffic policy makes of a cluster. Values that Envoy would refuse are brought into its bounds here. */
#include "base/prime.h"
#include "translator/envoy/emit_parts.h"

/* Envoy's own bounds. A cluster whose balancer it cannot make warms for ever and holds back all later ones. */
#define RING_SIZE_DEFAULT 1024u
#define RING_SIZE_MAX 8388608u
#define MAGLEV_TABLE_MAX 5000011u /* a prime */
#define PERCENT_MAX 100
/* Envoy wants a name under which the value could be overridden at run time; this is one that nobody sets. */
#define RUNTIME_KEY_NONE "("

PROTO_ALIAS(extension_options_entry, Envoy__Config__Cluster__V3__Cluster__TypedExtensionProtocolOptionsEntry,
            envoy__config__cluster__v3__cluster__typed_extension_protocol_options_entry)
PROTO_ALIAS(circuit_breaker_thresholds, Envoy__Config__Cluster__V3__CircuitBreakers__Thresholds,
            envoy__config__cluster__v3__circuit_breakers__thresholds)

/* Unset and 0 both mean no limit, as in Istio's API. */
static google_uint32_value *limit(struct arena *arena, int64_t value)
{
	return build_uint32(arena, value > 0 && value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
}

static google_uint32_value *positive(struct arena *arena, uint32_t value)
{
	return value ? build_uint32(arena, value) : NULL;
}

/* Number by number: the policy's, else the mesh's, else the system's. */
static void set_keepalive(struct arena *arena, envoy_cluster *cluster, const struct keepalive *mesh,
                          const struct keepalive *own)
{
	if (!mesh->is_set && !own->is_set)
		return;
	envoy_tcp_keepalive *keepalive = envoy_tcp_keepalive_new(arena);
	keepalive->keepalive_probes = positive(arena, own->probes ? own->probes : mesh->probes);
	keepalive->keepalive_time = positive(arena, own->time_s ? own->time_s : mesh->time_s);
	keepalive->keepalive_interval = positive(arena, own->interval_s ? own->interval_s : mesh->interval_s);
	cluster->upstream_connection_options = envoy_upstream_connection_options_new(arena);
	cluster->upstream_connection_options->tcp_keepalive = keepalive;
}

void cluster_set_pool(struct arena *arena, envoy_cluster *cluster, const struct mesh *mesh,
                      const struct connection_pool *pool)
{
	int64_t timeout_ms = pool->connect_timeout_ms > 0 ? pool->connect_timeout_ms : mesh->connect_timeout_ms;
	cluster->connect_timeout = build_duration_ms(arena, timeout_ms);
	circuit_breaker_thresholds *thresholds = circuit_breaker_thresholds_new(arena);
	thresholds->max_connections = limit(arena, pool->max_connections);
	thresholds->max_pending_requests = limit(arena, pool->max_pending_requests);
	thresholds->max_requests = limit(arena, pool->max_requests);
	thresholds->max_retries = limit(arena, pool->max_retries);
	cluster->circuit_breakers = envoy_circuit_breakers_new(arena);
	BUILD_ADD(arena, cluster->circuit_breakers, thresholds, thresholds);
	set_keepalive(arena, cluster, &mesh->keepalive, &pool->keepalive);
}

static envoy_core_http_protocol_options *common_options(struct arena *arena, const struct connection_pool *pool)
{
	int64_t idle_ms = pool->http_idle_timeout_ms >= 0 ? pool->http_idle_timeout_ms : pool->tcp_idle_timeout_ms;
	bool has_requests = pool->max_requests_per_connection > 0;
	if (idle_ms < 0 && pool->max_connection_duration_ms < 0 && !has_requests && pool->max_concurrent_streams <= 0)
		return NULL;
	envoy_core_http_protocol_options *options = envoy_core_http_protocol_options_new(arena);
	if (idle_ms >= 0)
		options->idle_timeout = build_duration_ms(arena, idle_ms);
	if (pool->max_connection_duration_ms >= 0)
		options->max_connection_duration = build_duration_ms(arena, pool->max_connection_duration_ms);
	if (has_requests)
		options->max_requests_per_connection = limit(arena, pool->max_requests_per_connection);
	return options;
}

static void set_http2(struct arena *arena, envoy_upstreams_http_protocol_options *options,
                      const struct connection_pool *pool)
{
	envoy_http_protocol_options_explicit_http_config *config =
	    envoy_http_protocol_options_explicit_http_config_new(arena);
	config->protocol_config_case =
	    ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP2_PROTOCOL_OPTIONS;
	config->http2_protocol_options = envoy_http2_protocol_options_new(arena);
	if (pool->max_concurrent_streams > 0)
		config->http2_protocol_options->max_concurrent_streams = build_uint32(
		    arena,
		    pool->max_concurrent_streams < INT32_MAX ? (uint32_t)pool->max_concurrent_streams : INT32_MAX);
	options->upstream_protocol_options_case =
	    ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG;
	options->explicit_http_config = config;
}

static void set_http1(struct arena *arena, envoy_upstreams_http_protocol_options *options)
{
	envoy_http_protocol_options_explicit_http_config *config =
	    envoy_http_protocol_options_explicit_http_config_new(arena);
	config->protocol_config_case =
	    ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP_PROTOCOL_OPTIONS;
	config->http_protocol_options = envoy_http1_protocol_options_new(arena);
	options->upstream_protocol_options_case =
	    ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG;
	options->explicit_http_config = config;
}

static void set_downstream(struct arena *arena, envoy_upstreams_http_protocol_options *options)
{
	envoy_http_protocol_options_use_downstream_http_config *config =
	    envoy_http_protocol_options_use_downstream_http_config_new(arena);
	config->http_protocol_options = envoy_http1_protocol_options_new(arena);
	config->http2_protocol_options = envoy_http2_protocol_options_new(arena);
	options->upstream_protocol_options_case =
	    ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_USE_DOWNSTREAM_PROTOCOL_CONFIG;
	options->use_downstream_protocol_config = config;
}

enum upstream_http cluster_upstream_http(const struct cluster_protocol *in)
{
	bool is_http2 = protocol_is_http2(in->protocol) || in->pool->h2_upgrade == H2_UPGRADE_ALWAYS;
	if (in->pool->is_client_protocol_used || (in->protocol == PROTOCOL_AUTO && !is_http2))
		return UPSTREAM_AS_CLIENT;
	return is_http2 ? UPSTREAM_HTTP2 : UPSTREAM_HTTP1;
}

static envoy_upstream_http_protocol_options *names_of_call(struct arena *arena, const struct cluster_protocol *in)
{
	if (!in->is_sni_of_call && !in->is_name_of_call_verified)
		return NULL;
	envoy_upstream_http_protocol_options *options = envoy_upstream_http_protocol_options_new(arena);
	options->auto_sni = in->is_sni_of_call;
	options->auto_san_validation = in->is_name_of_call_verified;
	return options;
}

void cluster_set_protocol(struct arena *arena, envoy_cluster *cluster, const struct cluster_protocol *in)
{
	envoy_core_http_protocol_options *common = common_options(arena, in->pool);
	envoy_upstream_http_protocol_options *names = names_of_call(arena, in);
	enum upstream_http upstream = cluster_upstream_http(in);
	if (!common && !names && upstream == UPSTREAM_HTTP1)
		return; /* Envoy's default */
	envoy_upstreams_http_protocol_options *options = envoy_upstreams_http_protocol_options_new(arena);
	options->common_http_protocol_options = common;
	options->upstream_http_protocol_options = names;
	switch (upstream) {
	case UPSTREAM_AS_CLIENT:
		set_downstream(arena, options);
		break;
	case UPSTREAM_HTTP2:
		set_http2(arena, options, in->pool);
		break;
	case UPSTREAM_HTTP1:
		set_http1(arena, options);
		break;
	}
	extension_options_entry *entry = extension_options_entry_new(arena);
	entry->key = borrow(NAME_HTTP_PROTOCOL_OPTIONS);
	entry->value = pack_any(arena, &options->base);
	BUILD_ADD(arena, cluster, typed_extension_protocol_options, entry);
}

/* How many in a row eject a host: -1 says nothing, 0 turns the reason off. */
static void set_consecutive(struct arena *arena, int64_t value, google_uint32_value **count,
                            google_uint32_value **enforcing)
{
	if (value < 0)
		return;
	*count = build_uint32(arena, value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
	*enforcing = build_uint32(arena, value > 0 ? PERCENT_MAX : 0);
}

/* Only failures in a row eject: success rates say little of the few hosts that a service has. */
void cluster_set_outlier(struct arena *arena, envoy_cluster *cluster, const struct outlier_detection *outlier)
{
	if (!outlier->is_set)
		return;
	envoy_outlier_detection *out = envoy_outlier_detection_new(arena);
	out->enforcing_success_rate = build_uint32(arena, 0);
	set_consecutive(arena, outlier->consecutive_5xx, &out->consecutive_5xx, &out->enforcing_consecutive_5xx);
	set_consecutive(arena, outlier->consecutive_gateway_errors, &out->consecutive_gateway_failure,
	                &out->enforcing_consecutive_gateway_failure);
	if (outlier->interval_ms > 0)
		out->interval = build_duration_ms(arena, outlier->interval_ms);
	if (outlier->base_ejection_ms > 0)
		out->base_ejection_time = build_duration_ms(arena, outlier->base_ejection_ms);
	if (outlier->max_ejection_percent > 0)
		out->max_ejection_percent = build_uint32(arena, outlier->max_ejection_percent < PERCENT_MAX
		                                                    ? (uint32_t)outlier->max_ejection_percent
		                                                    : PERCENT_MAX);
	if (outlier->is_split_local_origin) {
		out->split_external_local_origin_errors = true;
		if (outlier->consecutive_local_origin_failures > 0)
			set_consecutive(arena, outlier->consecutive_local_origin_failures,
			                &out->consecutive_local_origin_failure,
			                &out->enforcing_consecutive_local_origin_failure);
		out->enforcing_local_origin_success_rate = build_uint32(arena, 0);
	}
	cluster->outlier_detection = out;
	if (outlier->min_health_percent > 0)
		cluster->common_lb_config->healthy_panic_threshold->value =
		    outlier->min_health_percent < PERCENT_MAX ? (double)outlier->min_health_percent : PERCENT_MAX;
}

/* Envoy takes primes only: the next one. */
static uint64_t maglev_table_size(uint64_t size)
{
	if (size >= MAGLEV_TABLE_MAX)
		return MAGLEV_TABLE_MAX;
	while (!prime_is((uint32_t)size))
		size++;
	return size;
}

static void set_ring_hash(struct arena *arena, envoy_cluster *cluster, const struct load_balancer *lb)
{
	uint64_t size = lb->minimum_ring_size ? lb->minimum_ring_size : RING_SIZE_DEFAULT;
	envoy_cluster_ring_hash_lb_config *config = envoy_cluster_ring_hash_lb_config_new(arena);
	config->minimum_ring_size = google_uint64_value_new(arena);
	config->minimum_ring_size->value = size < RING_SIZE_MAX ? size : RING_SIZE_MAX;
	cluster->lb_config_case = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_CONFIG_RING_HASH_LB_CONFIG;
	cluster->ring_hash_lb_config = config;
}

static void set_maglev(struct arena *arena, envoy_cluster *cluster, const struct load_balancer *lb)
{
	if (!lb->table_size)
		return;
	envoy_cluster_maglev_lb_config *config = envoy_cluster_maglev_lb_config_new(arena);
	config->table_size = google_uint64_value_new(arena);
	config->table_size->value = maglev_table_size(lb->table_size);
	cluster->lb_config_case = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_CONFIG_MAGLEV_LB_CONFIG;
	cluster->maglev_lb_config = config;
}

/* NULL: new endpoints get their share at once. */
static envoy_cluster_slow_start_config *slow_start(struct arena *arena, const struct load_balancer *lb)
{
	if (lb->warmup_ms <= 0)
		return NULL;
	envoy_cluster_slow_start_config *config = envoy_cluster_slow_start_config_new(arena);
	config->slow_start_window = build_duration_ms(arena, lb->warmup_ms);
	if (lb->warmup_aggression > 0) {
		config->aggression = envoy_runtime_double_new(arena);
		config->aggression->default_value = lb->warmup_aggression;
		config->aggression->runtime_key = borrow(RUNTIME_KEY_NONE);
	}
	if (lb->warmup_percent >= 0) {
		config->min_weight_percent = envoy_percent_new(arena);
		config->min_weight_percent->value = lb->warmup_percent < PERCENT_MAX ? lb->warmup_percent : PERCENT_MAX;
	}
	return config;
}

static void set_round_robin(struct arena *arena, envoy_cluster *cluster, const struct load_balancer *lb)
{
	envoy_cluster_slow_start_config *start = slow_start(arena, lb);
	if (!start)
		return;
	cluster->lb_config_case = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_CONFIG_ROUND_ROBIN_LB_CONFIG;
	cluster->round_robin_lb_config = envoy_cluster_round_robin_lb_config_new(arena);
	cluster->round_robin_lb_config->slow_start_config = start;
}

static void set_least_request(struct arena *arena, envoy_cluster *cluster, const struct load_balancer *lb)
{
	envoy_cluster_slow_start_config *start = slow_start(arena, lb);
	if (!start)
		return;
	cluster->lb_config_case = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_CONFIG_LEAST_REQUEST_LB_CONFIG;
	cluster->least_request_lb_config = envoy_cluster_least_request_lb_config_new(arena);
	cluster->least_request_lb_config->slow_start_config = start;
}

void cluster_set_balancer(struct arena *arena, envoy_cluster *cluster, const struct load_balancer *lb)
{
	static const Envoy__Config__Cluster__V3__Cluster__LbPolicy policies[] = {
	    [LB_DEFAULT] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__LEAST_REQUEST,
	    [LB_LEAST_REQUEST] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__LEAST_REQUEST,
	    [LB_ROUND_ROBIN] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__ROUND_ROBIN,
	    [LB_RANDOM] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__RANDOM,
	    [LB_PASSTHROUGH] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED,
	    [LB_RING_HASH] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__RING_HASH,
	    [LB_MAGLEV] = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__MAGLEV,
	};
	cluster->lb_policy = policies[lb->algorithm];
	if (lb->algorithm == LB_RING_HASH)
		set_ring_hash(arena, cluster, lb);
	else if (lb->algorithm == LB_MAGLEV)
		set_maglev(arena, cluster, lb);
	else if (lb->algorithm == LB_ROUND_ROBIN)
		set_round_robin(arena, cluster, lb);
	else if (lb->algorithm == LB_LEAST_REQUEST || lb->algorithm == LB_DEFAULT)
		set_least_request(arena, cluster, lb);
}

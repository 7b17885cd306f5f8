/* trafficPolicy of a DestinationRule, of its subsets and of its ports. */
#include "base/map.h"
#include "base/prime.h"
#include "base/text.h"
#include "crds/check.h"
#include "crds/hostname.h"

#include <string.h>

#define MODE(name) ISTIO__NETWORKING__V1ALPHA3__CLIENT_TLSSETTINGS__TLSMODE__##name
#define HASH(name) ISTIO__NETWORKING__V1ALPHA3__LOAD_BALANCER_SETTINGS__CONSISTENT_HASH_LB__##name
#define LB_CONSISTENT_HASH ISTIO__NETWORKING__V1ALPHA3__LOAD_BALANCER_SETTINGS__LB_POLICY_CONSISTENT_HASH
#define MAGLEV_TABLE_MAX 5000011 /* Envoy's own limit, exclusive */
#define RING_SIZE_MAX 8388608    /* Envoy's own limit */

static const char *const topology_labels[] = {
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
};

static void check_outlier(struct check *check, const istio_outlier_detection *outlier)
{
	check_enter(check, "outlierDetection");
	check_duration(check, "baseEjectionTime", outlier->base_ejection_time);
	check_duration(check, "interval", outlier->interval);
	if (outlier->consecutive_errors != 0)
		check_warn(check, "consecutiveErrors",
		           "is deprecated: use consecutiveGatewayErrors or consecutive5xxErrors");
	if (!outlier->split_external_local_origin_errors && outlier->consecutive_local_origin_failures &&
	    outlier->consecutive_local_origin_failures->value > 0)
		check_error(check, "consecutiveLocalOriginFailures", "needs splitExternalLocalOriginErrors");
	check_percent(check, "maxEjectionPercent", outlier->max_ejection_percent);
	check_percent(check, "minHealthPercent", outlier->min_health_percent);
	check_leave(check);
}

static void check_http_pool(struct check *check, const istio_connection_pool_settings_http_settings *http)
{
	check_enter(check, "http");
	check_not_negative(check, "http1MaxPendingRequests", http->http1_max_pending_requests);
	check_not_negative(check, "http2MaxRequests", http->http2_max_requests);
	check_not_negative(check, "maxRequestsPerConnection", http->max_requests_per_connection);
	check_not_negative(check, "maxRetries", http->max_retries);
	check_not_negative(check, "maxConcurrentStreams", http->max_concurrent_streams);
	check_duration(check, "idleTimeout", http->idle_timeout);
	if (http->use_client_protocol &&
	    http->h2_upgrade_policy ==
	        ISTIO__NETWORKING__V1ALPHA3__CONNECTION_POOL_SETTINGS__HTTPSETTINGS__H2_UPGRADE_POLICY__UPGRADE)
		check_error(check, "useClientProtocol", "not possible with h2UpgradePolicy UPGRADE");
	if (http->http2_keep_alive) {
		check_enter(check, "http2KeepAlive");
		check_duration(check, "interval", http->http2_keep_alive->interval);
		check_duration(check, "timeout", http->http2_keep_alive->timeout);
		check_leave(check);
	}
	check_leave(check);
}

static void check_tcp_pool(struct check *check, const istio_connection_pool_settings_tcp_settings *tcp)
{
	check_enter(check, "tcp");
	check_not_negative(check, "maxConnections", tcp->max_connections);
	check_duration(check, "connectTimeout", tcp->connect_timeout);
	check_duration(check, "maxConnectionDuration", tcp->max_connection_duration);
	/* 0 switches the timeout off */
	if (tcp->idle_timeout && (tcp->idle_timeout->seconds != 0 || tcp->idle_timeout->nanos != 0))
		check_duration(check, "idleTimeout", tcp->idle_timeout);
	if (tcp->tcp_keepalive) {
		check_enter(check, "tcpKeepalive");
		check_duration(check, "time", tcp->tcp_keepalive->time);
		check_duration(check, "interval", tcp->tcp_keepalive->interval);
		check_leave(check);
	}
	check_leave(check);
}

static void check_connection_pool(struct check *check, const istio_connection_pool_settings *pool)
{
	check_enter(check, "connectionPool");
	if (!pool->http && !pool->tcp)
		check_error(check, NULL, "one of http and tcp is required");
	if (pool->http)
		check_http_pool(check, pool->http);
	if (pool->tcp)
		check_tcp_pool(check, pool->tcp);
	check_leave(check);
}

static void check_maglev(struct check *check, uint64_t table_size)
{
	check_enter(check, "maglev");
	if (table_size == 0)
		check_error(check, "tableSize", "is required");
	else if (table_size >= MAGLEV_TABLE_MAX)
		check_error(check, "tableSize", "must be less than %d", MAGLEV_TABLE_MAX);
	else if (table_size != 1 && !prime_is((uint32_t)table_size))
		check_error(check, "tableSize", "must be a prime number, %llu is not", (unsigned long long)table_size);
	check_leave(check);
}

static void check_hash(struct check *check, const istio_load_balancer_settings_consistent_hash_lb *hash)
{
	check_enter(check, "consistentHash");
	if (hash->hash_key_case == HASH(HASH_KEY_HTTP_COOKIE) && text_is_empty(hash->http_cookie->name)) {
		check_enter(check, "httpCookie");
		check_error(check, "name", "a cookie needs a name");
		check_leave(check);
	}
	if (hash->minimum_ring_size != 0)
		check_warn(check, "minimumRingSize", "is deprecated: use ringHash.minimumRingSize");
	if (hash->minimum_ring_size != 0 && hash->hash_algorithm_case != HASH(HASH_ALGORITHM__NOT_SET))
		check_error(check, "minimumRingSize", "not possible with ringHash or maglev");
	if (hash->hash_algorithm_case == HASH(HASH_ALGORITHM_MAGLEV))
		check_maglev(check, hash->maglev->table_size);
	if (hash->minimum_ring_size > RING_SIZE_MAX)
		check_error(check, "minimumRingSize", "must be at most %d", RING_SIZE_MAX);
	if (hash->hash_algorithm_case == HASH(HASH_ALGORITHM_RING_HASH) &&
	    hash->ring_hash->minimum_ring_size > RING_SIZE_MAX)
		check_error(check, "ringHash", "minimumRingSize must be at most %d", RING_SIZE_MAX);
	check_leave(check);
}

/* Whether "parent" stands for all of its parts. */
static bool has_mark(const struct map *seen, struct check *check, const char *parent)
{
	return map_has(seen, arena_printf(check->arena, "%s/*", parent));
}

/*
 * Whether a locality (region[/zone[/subzone]], "*" for the rest) says again what an earlier one said. `seen` holds each
 * of the earlier ones, their parents, and a mark for each whose parts are all taken. Order matters: a rest after its
 * parts is fine.
 */
static bool is_repeated(struct check *check, const char *locality, struct map *seen)
{
	char *whole = arena_strdup(check->arena, locality);
	char *zone = strchr(whole, '/');
	char *subzone = zone ? strchr(zone + 1, '/') : NULL;
	bool is_taken = map_has(seen, "*") || map_has(seen, whole);
	for (char *slash = zone; slash; slash = slash == zone ? subzone : NULL) {
		const char *parent = arena_strndup(check->arena, whole, (size_t)(slash - whole));
		is_taken |= has_mark(seen, check, parent);
		map_put(check->arena, seen, parent, whole);
	}
	map_put(check->arena, seen, whole, whole);
	if (!subzone)
		map_put(check->arena, seen, arena_printf(check->arena, "%s/*", whole), whole);
	return is_taken;
}

static void check_locality(struct check *check, const char *locality, struct map *seen)
{
	const char *star = strchr(locality, '*');
	if (star && star[1] != '\0')
		check_error(check, NULL, "locality \"%s\": \"*\" must be its end", locality);
	else if (locality[0] == '\0' || locality[0] == '/' || strstr(locality, "//") || text_has_suffix(locality, "/"))
		check_error(check, NULL, "locality \"%s\" has an empty part", locality);
	else if (is_repeated(check, locality, seen))
		check_error(check, NULL, "locality \"%s\" overlaps with an earlier one", locality);
}

static void check_distribute(struct check *check, const istio_locality_load_balancer_setting *locality)
{
	struct map sources = {0};
	for (size_t i = 0; i < locality->n_distribute; i++) {
		const istio_locality_load_balancer_setting_distribute *distribute = locality->distribute[i];
		struct map targets = {0};
		uint64_t total = 0;
		check_enter_at(check, "distribute", i);
		check_enter(check, "from");
		check_locality(check, distribute->from, &sources);
		check_leave(check);
		for (size_t j = 0; j < distribute->n_to; j++) {
			uint32_t weight = distribute->to[j]->value;
			check_enter_key(check, "to", distribute->to[j]->key);
			if (weight < 1 || weight > 100)
				check_error(check, NULL, "weight %u must be in the range 1..100", weight);
			check_locality(check, distribute->to[j]->key, &targets);
			check_leave(check);
			total += weight;
		}
		if (total != 100)
			check_error(check, "to", "the weights must add up to 100, not %llu", (unsigned long long)total);
		check_leave(check);
	}
}

static void check_failover(struct check *check, const char *from, const char *to)
{
	if (strcmp(from, to) == 0)
		check_error(check, "to", "must be another region than \"%s\"", from);
	const struct {
		const char *field, *region;
	} ends[] = {{"from", from}, {"to", to}};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (strpbrk(ends[i].region, "/*"))
			check_error(check, ends[i].field, "\"%s\" must be a region alone", ends[i].region);
}

static bool is_topology_label(const char *label)
{
	for (size_t i = 0; i < sizeof topology_labels / sizeof topology_labels[0]; i++)
		if (strcmp(topology_labels[i], label) == 0)
			return true;
	return false;
}

static void check_failover_priority(struct check *check, char *const *labels, size_t n, const char *reason)
{
	for (size_t i = 0; i < n; i++) {
		check_enter_at(check, "failoverPriority", i);
		if (is_topology_label(labels[i]))
			check_error(check, NULL, "\"%s\" is not possible here: %s", labels[i], reason);
		check_leave(check);
	}
}

static void check_locality_lb(struct check *check, const istio_locality_load_balancer_setting *locality,
                              const istio_outlier_detection *outlier)
{
	check_enter(check, "localityLbSetting");
	if (locality->n_distribute > 0 && locality->n_failover > 0)
		check_error(check, "failover", "not possible together with distribute");
	if (locality->n_failover > 0)
		check_failover_priority(check, locality->failover_priority, locality->n_failover_priority,
		                        "failover already orders by it");
	check_distribute(check, locality);
	if ((locality->n_failover > 0 || locality->n_failover_priority > 0) && !outlier)
		check_warn(check, NULL, "failover needs outlierDetection");
	for (size_t i = 0; i < locality->n_failover; i++) {
		check_enter_at(check, "failover", i);
		check_failover(check, locality->failover[i]->from, locality->failover[i]->to);
		check_leave(check);
	}
	check_leave(check);
}

static void check_zone_aware_lb(struct check *check, const istio_zone_aware_load_balancer_setting *zone)
{
	check_enter(check, "zoneAwareLbSetting");
	for (size_t i = 0; i < zone->n_failover; i++) {
		check_enter_at(check, "failover", i);
		check_failover(check, zone->failover[i]->from, zone->failover[i]->to);
		check_leave(check);
	}
	check_failover_priority(check, zone->failover_priority, zone->n_failover_priority,
	                        "zone-aware balancing already orders by it");
	if (zone->min_cluster_size && zone->min_cluster_size->value < 1)
		check_error(check, "minClusterSize", "must be at least 1");
	check_leave(check);
}

static void check_warmup(struct check *check, const istio_warmup_configuration *warmup)
{
	check_enter(check, "warmup");
	if (!warmup->duration)
		check_error(check, "duration", "is required");
	check_duration(check, "duration", warmup->duration);
	if (warmup->minimum_percent)
		check_percent(check, "minimumPercent", warmup->minimum_percent->value);
	if (warmup->aggression && !(warmup->aggression->value >= 1))
		check_error(check, "aggression", "must be at least 1, is %g", warmup->aggression->value);
	check_leave(check);
}

static void check_load_balancer(struct check *check, const istio_load_balancer_settings *balancer,
                                const istio_outlier_detection *outlier)
{
	check_enter(check, "loadBalancer");
	if (balancer->lb_policy_case == LB_CONSISTENT_HASH)
		check_hash(check, balancer->consistent_hash);
	if (balancer->locality_lb_setting)
		check_locality_lb(check, balancer->locality_lb_setting, outlier);
	if (balancer->zone_aware_lb_setting)
		check_zone_aware_lb(check, balancer->zone_aware_lb_setting);
	check_duration(check, "warmupDurationSecs", balancer->warmup_duration_secs);
	if (balancer->warmup && balancer->warmup_duration_secs)
		check_error(check, "warmupDurationSecs", "not possible together with warmup");
	if (balancer->warmup)
		check_warmup(check, balancer->warmup);
	check_leave(check);
}

/* configmap://[namespace/]name must stay in the rule's namespace. */
static void check_credential_name(struct check *check, const char *name)
{
	static const char prefix[] = "configmap://";
	if (!text_has_prefix(name, prefix))
		return;
	name += strlen(prefix);
	const char *slash = strchr(name, '/');
	const char *namespace = check->object->namespace;
	size_t n = slash ? (size_t)(slash - name) : 0;
	if (slash && (n != strlen(namespace) || memcmp(name, namespace, n) != 0))
		check_error(check, "credentialName", "must be of namespace \"%s\", the rule's own", namespace);
	if (slash ? slash[1] == '\0' || strchr(slash + 1, '/') : *name == '\0')
		check_error(check, "credentialName", "must be configmap://namespace/name");
}

static void check_unverified_tls(struct check *check, const istio_client_tls_settings *tls)
{
	bool has_ca =
	    !text_is_empty(tls->ca_certificates) || (tls->mode == MODE(SIMPLE) && !text_is_empty(tls->credential_name));
	if ((tls->mode == MODE(SIMPLE) || tls->mode == MODE(MUTUAL)) && (has_ca || tls->n_subject_alt_names > 0))
		check_error(check, "insecureSkipVerify",
		            "not possible with caCertificates, credentialName or subjectAltNames: nothing is verified");
}

static void check_client_tls(struct check *check, const istio_client_tls_settings *tls)
{
	check_enter(check, "tls");
	check_credential_name(check, tls->credential_name);
	if (tls->insecure_skip_verify && tls->insecure_skip_verify->value)
		check_unverified_tls(check, tls);
	bool is_own = tls->mode == MODE(SIMPLE) || tls->mode == MODE(MUTUAL);
	bool has_credential = is_own && !text_is_empty(tls->credential_name);
	bool has_files = !text_is_empty(tls->client_certificate) || !text_is_empty(tls->ca_certificates) ||
	                 !text_is_empty(tls->private_key) || !text_is_empty(tls->ca_crl);
	if (has_credential && has_files)
		check_error(check, "credentialName", "not possible together with certificates as files");
	if (tls->mode == MODE(MUTUAL) && !has_credential) {
		if (text_is_empty(tls->client_certificate))
			check_error(check, "clientCertificate", "mode MUTUAL needs it (or credentialName)");
		if (text_is_empty(tls->private_key))
			check_error(check, "privateKey", "mode MUTUAL needs it (or credentialName)");
	}
	check_leave(check);
}

static void check_tunnel(struct check *check, const istio_traffic_policy_tunnel_settings *tunnel)
{
	struct error error;
	check_enter(check, "tunnel");
	if (!text_is_empty(tunnel->protocol) && strcmp(tunnel->protocol, "CONNECT") != 0 &&
	    strcmp(tunnel->protocol, "POST") != 0)
		check_error(check, "protocol", "must be CONNECT or POST, is \"%s\"", tunnel->protocol);
	if (!hostname_check_fqdn(tunnel->target_host, &error) && !hostname_is_ip(tunnel->target_host))
		check_error(check, "targetHost", "\"%s\" is neither a host name nor an IP address",
		            tunnel->target_host);
	check_port(check, "targetPort", tunnel->target_port);
	check_leave(check);
}

/* What the whole host's policy and a port's have in common; each part may be NULL. */
struct policy_parts {
	const istio_load_balancer_settings *load_balancer;
	const istio_connection_pool_settings *connection_pool;
	const istio_outlier_detection *outlier_detection;
	const istio_client_tls_settings *tls;
};

#define PARTS(policy)                                                                                                  \
	{                                                                                                              \
		(policy)->load_balancer, (policy)->connection_pool, (policy)->outlier_detection, (policy)->tls         \
	}

static bool check_parts(struct check *check, const struct policy_parts *parts)
{
	if (parts->outlier_detection)
		check_outlier(check, parts->outlier_detection);
	if (parts->connection_pool)
		check_connection_pool(check, parts->connection_pool);
	if (parts->load_balancer)
		check_load_balancer(check, parts->load_balancer, parts->outlier_detection);
	if (parts->tls)
		check_client_tls(check, parts->tls);
	return parts->outlier_detection || parts->connection_pool || parts->load_balancer || parts->tls;
}

static void check_port_policy(struct check *check, const istio_traffic_policy_port_traffic_policy *policy)
{
	if (!policy->port) {
		check_error(check, "port", "is required");
	} else {
		check_enter(check, "port");
		check_port(check, "number", policy->port->number);
		check_leave(check);
	}
	struct policy_parts parts = PARTS(policy);
	if (!check_parts(check, &parts))
		check_error(check, NULL, "a port's policy must say something");
}

static void check_retry_budget(struct check *check, const istio_traffic_policy_retry_budget *budget)
{
	check_enter(check, "retryBudget");
	if (budget->percent)
		check_percent(check, "percent", budget->percent->value);
	check_leave(check);
}

void check_traffic_policy(struct check *check, const istio_traffic_policy *policy)
{
	struct policy_parts parts = PARTS(policy);
	bool says_something = check_parts(check, &parts);
	if (!says_something && policy->n_port_level_settings == 0 && !policy->tunnel && !policy->proxy_protocol &&
	    !policy->retry_budget)
		check_error(check, NULL, "a traffic policy must say something");
	if (policy->tunnel && policy->proxy_protocol)
		check_error(check, "proxyProtocol", "not possible together with tunnel");
	if (policy->tunnel)
		check_tunnel(check, policy->tunnel);
	if (policy->retry_budget)
		check_retry_budget(check, policy->retry_budget);
	for (size_t i = 0; i < policy->n_port_level_settings; i++) {
		check_enter_at(check, "portLevelSettings", i);
		check_port_policy(check, policy->port_level_settings[i]);
		check_leave(check);
	}
}

/* What a route does besides forwarding: retries, faults, CORS, and what keeps a client at one host. */
#include "base/text.h"
#include "translator/envoy/emit_parts.h"

#include <string.h>

#define RETRY_ON_DEFAULT "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
#define RETRY_ON_STATUS_CODES "retriable-status-codes"
#define RETRY_ON_INBOUND "reset-before-request"
#define RETRIES_DEFAULT 2
/* How often a host that was tried before is passed over. */
#define HOST_SELECTION_ATTEMPTS 5
/* After how many attempts in a locality another one is tried. */
#define PRIORITY_UPDATE_FREQUENCY 2
#define MILLION_PER_PERCENT 10000

/* ---- retries ---- */

static envoy_retry_policy_retry_host_predicate *previous_hosts(struct arena *arena)
{
	envoy_retry_policy_retry_host_predicate *predicate = envoy_retry_policy_retry_host_predicate_new(arena);
	predicate->name = borrow(NAME_PREVIOUS_HOSTS);
	predicate->config_type_case =
	    ENVOY__CONFIG__ROUTE__V3__RETRY_POLICY__RETRY_HOST_PREDICATE__CONFIG_TYPE_TYPED_CONFIG;
	predicate->typed_config = pack_any(arena, &envoy_previous_hosts_predicate_new(arena)->base);
	return predicate;
}

static envoy_retry_policy_retry_priority *previous_priorities(struct arena *arena)
{
	envoy_previous_priorities_config *config = envoy_previous_priorities_config_new(arena);
	config->update_frequency = PRIORITY_UPDATE_FREQUENCY;
	envoy_retry_policy_retry_priority *priority = envoy_retry_policy_retry_priority_new(arena);
	priority->name = borrow(NAME_PREVIOUS_PRIORITIES);
	priority->config_type_case = ENVOY__CONFIG__ROUTE__V3__RETRY_POLICY__RETRY_PRIORITY__CONFIG_TYPE_TYPED_CONFIG;
	priority->typed_config = pack_any(arena, &config->base);
	return priority;
}

/* "5xx,reset" and the status codes, which Envoy heeds only when their condition is named. */
static char *retry_on(struct arena *arena, const struct retry_policy *retry)
{
	if (!retry->retry_on && !retry->n_status_codes)
		return borrow(RETRY_ON_DEFAULT);
	const char *conditions = retry->retry_on ? retry->retry_on : "";
	if (!retry->n_status_codes || strstr(conditions, RETRY_ON_STATUS_CODES))
		return borrow(conditions);
	return arena_printf(arena, "%s%s" RETRY_ON_STATUS_CODES, conditions, *conditions ? "," : "");
}

static void set_retries(struct arena *arena, envoy_retry_policy *out, const struct retry_policy *retry)
{
	out->num_retries = build_uint32(arena, retry->attempts);
	out->retry_on = retry_on(arena, retry);
	for (size_t i = 0; i < retry->n_status_codes; i++)
		BUILD_ADD(arena, out, retriable_status_codes, retry->status_codes[i]);
	if (retry->per_try_timeout_ms >= 0)
		out->per_try_timeout = build_duration_ms(arena, retry->per_try_timeout_ms);
	if (retry->is_retrying_remote_localities)
		out->retry_priority = previous_priorities(arena);
	if (retry->backoff_ms > 0) {
		out->retry_back_off = envoy_retry_policy_retry_back_off_new(arena);
		out->retry_back_off->base_interval = build_duration_ms(arena, retry->backoff_ms);
	}
}

envoy_retry_policy *retry_policy(const struct emit *emit, const struct retry_policy *retry, bool is_hashed)
{
	if (retry->mode == RETRY_NONE || (retry->mode == RETRY_DEFAULT && !emit->mesh->has_retry_default) ||
	    (retry->mode == RETRY_SET && !retry->attempts))
		return NULL;
	struct arena *arena = emit->arena;
	envoy_retry_policy *out = envoy_retry_policy_new(arena);
	out->host_selection_retry_max_attempts = HOST_SELECTION_ATTEMPTS;
	out->num_retries = build_uint32(arena, RETRIES_DEFAULT);
	out->retry_on = borrow(RETRY_ON_DEFAULT);
	/* Whoever hashes wants the same host again. */
	bool is_elsewhere = !is_hashed;
	if (retry->mode == RETRY_SET) {
		set_retries(arena, out, retry);
		if (retry->has_previous_hosts)
			is_elsewhere = retry->is_ignoring_previous_hosts;
	}
	if (is_elsewhere)
		BUILD_ADD(arena, out, retry_host_predicate, previous_hosts(arena));
	return out;
}

envoy_retry_policy *retry_policy_inbound(struct arena *arena)
{
	envoy_retry_policy *out = envoy_retry_policy_new(arena);
	out->retry_on = borrow(RETRY_ON_INBOUND);
	out->num_retries = build_uint32(arena, RETRIES_DEFAULT);
	return out;
}

/* ---- consistent hashing ---- */

static void set_cookie(struct arena *arena, envoy_route_action_hash_policy *policy, const struct load_balancer *lb)
{
	envoy_route_action_hash_policy_cookie *cookie = envoy_route_action_hash_policy_cookie_new(arena);
	cookie->name = borrow(lb->hash_name);
	cookie->path = borrow(lb->cookie_path);
	if (lb->cookie_ttl_ms >= 0)
		cookie->ttl = build_duration_ms(arena, lb->cookie_ttl_ms);
	for (size_t i = 0; i < lb->n_cookie_attributes; i++) {
		envoy_route_action_hash_policy_cookie_attribute *attribute =
		    envoy_route_action_hash_policy_cookie_attribute_new(arena);
		attribute->name = borrow(lb->cookie_attributes[i].name);
		attribute->value = borrow(lb->cookie_attributes[i].value);
		BUILD_ADD(arena, cookie, attributes, attribute);
	}
	policy->policy_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__HASH_POLICY__POLICY_SPECIFIER_COOKIE;
	policy->cookie = cookie;
}

envoy_route_action_hash_policy *hash_policy(struct arena *arena, const struct load_balancer *lb)
{
	if (lb->hash_key == HASH_NONE)
		return NULL;
	envoy_route_action_hash_policy *policy = envoy_route_action_hash_policy_new(arena);
	switch (lb->hash_key) {
	case HASH_HEADER:
		policy->policy_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__HASH_POLICY__POLICY_SPECIFIER_HEADER;
		policy->header = envoy_route_action_hash_policy_header_new(arena);
		policy->header->header_name = borrow(lb->hash_name);
		break;
	case HASH_COOKIE:
		set_cookie(arena, policy, lb);
		break;
	case HASH_SOURCE_IP:
		policy->policy_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__HASH_POLICY__POLICY_SPECIFIER_CONNECTION_PROPERTIES;
		policy->connection_properties = envoy_route_action_hash_policy_connection_properties_new(arena);
		policy->connection_properties->source_ip = true;
		break;
	case HASH_QUERY:
		policy->policy_specifier_case =
		    ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__HASH_POLICY__POLICY_SPECIFIER_QUERY_PARAMETER;
		policy->query_parameter = envoy_route_action_hash_policy_query_parameter_new(arena);
		policy->query_parameter->name = borrow(lb->hash_name);
		break;
	case HASH_NONE:
		break;
	}
	return policy;
}

/* ---- faults ---- */

static envoy_fractional_percent *percent_of(struct arena *arena, double percent)
{
	envoy_fractional_percent *out = envoy_fractional_percent_new(arena);
	double clamped = percent < 0 ? 0 : percent > 100 ? 100 : percent;
	out->numerator = (uint32_t)(clamped * MILLION_PER_PERCENT);
	out->denominator = ENVOY__TYPE__V3__FRACTIONAL_PERCENT__DENOMINATOR_TYPE__MILLION;
	return out;
}

envoy_runtime_fractional_percent *fractional_percent(struct arena *arena, double percent)
{
	envoy_runtime_fractional_percent *out = envoy_runtime_fractional_percent_new(arena);
	out->default_value = percent_of(arena, percent);
	return out;
}

google_any *fault_any(struct arena *arena, const struct fault *fault)
{
	if (!fault->has_delay && !fault->has_abort)
		return NULL;
	envoy_http_fault *out = envoy_http_fault_new(arena);
	if (fault->has_delay && fault->delay_ms > 0) {
		out->delay = envoy_fault_delay_new(arena);
		out->delay->fault_delay_secifier_case =
		    ENVOY__EXTENSIONS__FILTERS__COMMON__FAULT__V3__FAULT_DELAY__FAULT_DELAY_SECIFIER_FIXED_DELAY;
		out->delay->fixed_delay = build_duration_ms(arena, fault->delay_ms);
		out->delay->percentage = percent_of(arena, fault->delay_percent);
	}
	if (fault->has_abort) {
		out->abort = envoy_fault_abort_new(arena);
		out->abort->percentage = percent_of(arena, fault->abort_percent);
		if (fault->is_abort_grpc) {
			out->abort->error_type_case =
			    ENVOY__EXTENSIONS__FILTERS__HTTP__FAULT__V3__FAULT_ABORT__ERROR_TYPE_GRPC_STATUS;
			out->abort->grpc_status = fault->abort_grpc_status;
		} else {
			out->abort->error_type_case =
			    ENVOY__EXTENSIONS__FILTERS__HTTP__FAULT__V3__FAULT_ABORT__ERROR_TYPE_HTTP_STATUS;
			out->abort->http_status = fault->abort_http_status;
		}
	}
	return out->delay || out->abort ? pack_any(arena, &out->base) : NULL;
}

/* ---- CORS ---- */

static char *join(struct arena *arena, const struct strings *strings)
{
	CLEANUP(text_done) struct text out = {0};
	for (size_t i = 0; i < strings->n; i++) {
		if (i)
			text_add_char(&out, ',');
		text_add(&out, strings->v[i]);
	}
	return arena_strdup(arena, text_get(&out));
}

google_any *cors_any(struct arena *arena, const struct cors_policy *cors)
{
	envoy_cors_policy *out = envoy_cors_policy_new(arena);
	for (size_t i = 0; i < cors->n_allow_origins; i++)
		BUILD_ADD(arena, out, allow_origin_string_match, string_matcher(arena, &cors->allow_origins[i]));
	out->allow_methods = join(arena, &cors->allow_methods);
	out->allow_headers = join(arena, &cors->allow_headers);
	out->expose_headers = join(arena, &cors->expose_headers);
	if (cors->max_age_s >= 0)
		out->max_age = arena_printf(arena, "%lld", (long long)cors->max_age_s);
	if (cors->credentials != CORS_CREDENTIALS_UNSET)
		out->allow_credentials = build_bool(arena, cors->credentials == CORS_CREDENTIALS_TRUE);
	out->filter_enabled = fractional_percent(arena, 100);
	out->forward_not_matching_preflights = build_bool(arena, cors->unmatched_preflights != CORS_UNMATCHED_IGNORE);
	return pack_any(arena, &out->base);
}

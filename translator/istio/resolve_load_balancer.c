#include "base/prime.h"
#include "proto/build.h"
#include "translator/istio/traffic_lowering.h"

#include <string.h>

#define SIMPLE(name) ISTIO__NETWORKING__V1ALPHA3__LOAD_BALANCER_SETTINGS__SIMPLE_LB__##name
#define LB_POLICY(name) ISTIO__NETWORKING__V1ALPHA3__LOAD_BALANCER_SETTINGS__LB_POLICY_##name
#define HASH_KEY(name) ISTIO__NETWORKING__V1ALPHA3__LOAD_BALANCER_SETTINGS__CONSISTENT_HASH_LB__HASH_KEY_##name
#define HASH_ALGORITHM(name)                                                                                           \
	ISTIO__NETWORKING__V1ALPHA3__LOAD_BALANCER_SETTINGS__CONSISTENT_HASH_LB__HASH_ALGORITHM_##name

#define RING_SIZE_DEFAULT 1024
#define RING_SIZE_MAX (8u << 20) /* Envoy's maximum_ring_size; a larger minimum keeps a cluster warming for ever */
#define MAGLEV_TABLE_SIZE_MAX 5000011

/* Istio's defaults. */
#define WARMUP_AGGRESSION 1.0
#define WARMUP_PERCENT 10.0

static bool can_warm_up(enum lb_algorithm algorithm)
{
	return algorithm == LB_DEFAULT || algorithm == LB_LEAST_REQUEST || algorithm == LB_ROUND_ROBIN;
}

/* Envoy refuses every table with a hash by a thing without a name. */
static bool is_hash_name(const char *name)
{
	return *name && !strpbrk(name, "\r\n");
}

static void set_hash_key(struct load_balancer *out, enum hash_key key, const char *name)
{
	out->hash_key = is_hash_name(name) ? key : HASH_NONE;
	out->hash_name = is_hash_name(name) ? name : NULL;
}

static void lower_cookie(struct arena *arena, const istio_load_balancer_settings_consistent_hash_lb_http_cookie *in,
                         struct load_balancer *out)
{
	set_hash_key(out, HASH_COOKIE, in->name);
	out->cookie_path = in->path[0] ? in->path : NULL;
	out->cookie_ttl_ms = in->ttl ? build_duration_get_ms(in->ttl) : -1;
	VEC(struct hash_attribute) attributes = {0};
	for (size_t i = 0; i < in->n_attributes; i++) {
		if (!is_hash_name(in->attributes[i]->name))
			continue;
		VEC_PUSH(arena, &attributes,
		         (struct hash_attribute){in->attributes[i]->name, in->attributes[i]->value});
	}
	out->cookie_attributes = attributes.v;
	out->n_cookie_attributes = attributes.n;
}

static bool is_table_size(uint64_t n)
{
	return n <= MAGLEV_TABLE_SIZE_MAX && prime_is((uint32_t)n);
}

static uint64_t ring_size(uint64_t minimum)
{
	if (minimum == 0)
		return RING_SIZE_DEFAULT;
	return minimum < RING_SIZE_MAX ? minimum : RING_SIZE_MAX;
}

static void lower_consistent_hash(struct arena *arena, const istio_load_balancer_settings_consistent_hash_lb *in,
                                  struct load_balancer *out)
{
	switch ((int)in->hash_key_case) {
	case HASH_KEY(HTTP_HEADER_NAME):
		set_hash_key(out, HASH_HEADER, in->http_header_name);
		break;
	case HASH_KEY(HTTP_COOKIE):
		lower_cookie(arena, in->http_cookie, out);
		break;
	case HASH_KEY(USE_SOURCE_IP):
		out->hash_key = in->use_source_ip ? HASH_SOURCE_IP : HASH_NONE;
		break;
	case HASH_KEY(HTTP_QUERY_PARAMETER_NAME):
		set_hash_key(out, HASH_QUERY, in->http_query_parameter_name);
		break;
	default:
		break;
	}
	if (in->hash_algorithm_case == HASH_ALGORITHM(MAGLEV)) {
		out->algorithm = LB_MAGLEV;
		out->table_size = is_table_size(in->maglev->table_size) ? in->maglev->table_size : 0;
		return;
	}
	out->algorithm = LB_RING_HASH;
	out->minimum_ring_size =
	    ring_size(in->hash_algorithm_case == HASH_ALGORITHM(RING_HASH) ? in->ring_hash->minimum_ring_size
	                                                                   : in->minimum_ring_size);
}

/* The older way to say it leaves the curve to the proxy. */
static void lower_warmup(const istio_load_balancer_settings *in, struct load_balancer *out)
{
	if (in->warmup && in->warmup->duration) {
		out->warmup_ms = build_duration_get_ms(in->warmup->duration);
		out->warmup_aggression = in->warmup->aggression ? in->warmup->aggression->value : WARMUP_AGGRESSION;
		out->warmup_percent = in->warmup->minimum_percent ? in->warmup->minimum_percent->value : WARMUP_PERCENT;
	} else if (in->warmup_duration_secs) {
		out->warmup_ms = build_duration_get_ms(in->warmup_duration_secs);
	}
}

struct load_balancer traffic_lower_lb(struct arena *arena, const istio_load_balancer_settings *in)
{
	static const enum lb_algorithm simple[] = {
	    [SIMPLE(UNSPECIFIED)] = LB_DEFAULT,     [SIMPLE(LEAST_CONN)] = LB_LEAST_REQUEST,
	    [SIMPLE(RANDOM)] = LB_RANDOM,           [SIMPLE(PASSTHROUGH)] = LB_PASSTHROUGH,
	    [SIMPLE(ROUND_ROBIN)] = LB_ROUND_ROBIN, [SIMPLE(LEAST_REQUEST)] = LB_LEAST_REQUEST,
	};
	struct load_balancer out = {.cookie_ttl_ms = -1, .warmup_percent = -1};
	if (!in)
		return out;
	if (in->lb_policy_case == LB_POLICY(CONSISTENT_HASH))
		lower_consistent_hash(arena, in->consistent_hash, &out);
	else if (in->lb_policy_case == LB_POLICY(SIMPLE) && (size_t)in->simple < sizeof simple / sizeof simple[0])
		out.algorithm = simple[in->simple];
	if (can_warm_up(out.algorithm))
		lower_warmup(in, &out);
	return out;
}

void traffic_digest_lb(struct digest_state *state, const struct load_balancer *lb)
{
	digest_add_u64(state, lb->algorithm);
	digest_add_u64(state, lb->hash_key);
	digest_add_str(state, lb->hash_name);
	digest_add_str(state, lb->cookie_path);
	digest_add_i64(state, lb->cookie_ttl_ms);
	digest_add_u64(state, lb->n_cookie_attributes);
	for (size_t i = 0; i < lb->n_cookie_attributes; i++) {
		digest_add_str(state, lb->cookie_attributes[i].name);
		digest_add_str(state, lb->cookie_attributes[i].value);
	}
	digest_add_u64(state, lb->minimum_ring_size);
	digest_add_u64(state, lb->table_size);
	digest_add_i64(state, lb->warmup_ms);
	digest_add(state, &lb->warmup_aggression, sizeof lb->warmup_aggression);
	digest_add(state, &lb->warmup_percent, sizeof lb->warmup_percent);
}

static void check_hash_names(struct draft *draft, const struct object *object,
                             const istio_load_balancer_settings_consistent_hash_lb *hash, const char *path)
{
	const char *field = NULL;
	if (hash->hash_key_case == HASH_KEY(HTTP_HEADER_NAME) && !is_hash_name(hash->http_header_name))
		field = "httpHeaderName";
	else if (hash->hash_key_case == HASH_KEY(HTTP_QUERY_PARAMETER_NAME) &&
	         !is_hash_name(hash->http_query_parameter_name))
		field = "httpQueryParameterName";
	else if (hash->hash_key_case == HASH_KEY(HTTP_COOKIE) && !is_hash_name(hash->http_cookie->name))
		field = "httpCookie";
	for (size_t i = 0;
	     !field && hash->hash_key_case == HASH_KEY(HTTP_COOKIE) && i < hash->http_cookie->n_attributes; i++)
		if (!is_hash_name(hash->http_cookie->attributes[i]->name))
			field = "httpCookie.attributes";
	if (field)
		report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE,
		           arena_printf(draft->arena, "%s.consistentHash.%s", path, field),
		           "needs a name on one line; left out");
}

void traffic_report_later(struct draft *draft, const struct object *object, enum report_severity severity,
                          const char *path, const struct later_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].is_set)
			report_add(draft->report, object, severity, REASON_NOT_SUPPORTED,
			           arena_printf(draft->arena, "%s.%s", path, fields[i].name),
			           "%s is not supported yet; the rest is in force", fields[i].name);
}

void traffic_check_lb(struct draft *draft, const struct object *object, const istio_load_balancer_settings *in,
                      const char *path)
{
	if (!in)
		return;
	const struct later_field later[] = {
	    {"localityLbSetting", in->locality_lb_setting},
	    {"zoneAwareLbSetting", in->zone_aware_lb_setting},
	};
	traffic_report_later(draft, object, REPORT_INFO, path, later, sizeof later / sizeof later[0]);
	if ((in->warmup || in->warmup_duration_secs) && !can_warm_up(traffic_lower_lb(draft->arena, in).algorithm))
		report_add(draft->report, object, REPORT_WARNING, REASON_NO_EFFECT,
		           arena_printf(draft->arena, "%s.%s", path, in->warmup ? "warmup" : "warmupDurationSecs"),
		           "only ROUND_ROBIN and LEAST_REQUEST warm endpoints up");
	if (in->lb_policy_case != LB_POLICY(CONSISTENT_HASH))
		return;
	const istio_load_balancer_settings_consistent_hash_lb *hash = in->consistent_hash;
	check_hash_names(draft, object, hash, path);
	if (hash->hash_algorithm_case == HASH_ALGORITHM(MAGLEV)) {
		uint64_t size = hash->maglev->table_size;
		if (size && !is_table_size(size))
			report_add(draft->report, object, REPORT_ERROR, REASON_INVALID_VALUE,
			           arena_printf(draft->arena, "%s.consistentHash.maglev.tableSize", path),
			           "%llu is no prime number up to %d; the default is used", (unsigned long long)size,
			           MAGLEV_TABLE_SIZE_MAX);
		return;
	}
	bool is_ring = hash->hash_algorithm_case == HASH_ALGORITHM(RING_HASH);
	uint64_t size = is_ring ? hash->ring_hash->minimum_ring_size : hash->minimum_ring_size;
	if (size > RING_SIZE_MAX)
		report_add(
		    draft->report, object, REPORT_WARNING, REASON_INVALID_VALUE,
		    arena_printf(draft->arena, "%s.consistentHash.%sminimumRingSize", path, is_ring ? "ringHash." : ""),
		    "%llu is more than a ring can have; %u is used", (unsigned long long)size, RING_SIZE_MAX);
}

#include "ca/template.h"

bool template_set_times(struct template *meant, const struct authority *authority, int64_t ttl_s,
                        const struct template_lifetime *policy, const struct clock *clock, struct refusal *refusal)
{
	int64_t now_s = clock_wall_ns(clock) / CLOCK_S;
	int64_t begin_s = authority_begin_s(authority), end_s = authority_end_s(authority);
	if (ttl_s <= 0)
		ttl_s = policy->default_s;
	if (ttl_s > policy->max_s)
		return refusal_set(refusal, REFUSAL_LIFETIME,
		                   "a lifetime of %lld s is asked for, at most %lld s are allowed", (long long)ttl_s,
		                   (long long)policy->max_s);
	if (now_s < begin_s)
		return refusal_set(refusal, REFUSAL_SIGNER_EXPIRED,
		                   "the authority's certificate is not valid yet, for another %lld s; check the clock",
		                   (long long)(begin_s - now_s));
	if (now_s >= end_s)
		return refusal_set(refusal, REFUSAL_SIGNER_EXPIRED, "the authority's certificate expired %lld s ago",
		                   (long long)(now_s - end_s));
	meant->not_before_s = now_s - TEMPLATE_BACKDATE_S;
	if (meant->not_before_s < begin_s)
		meant->not_before_s = begin_s;
	meant->not_after_s = ttl_s > end_s - now_s ? end_s : now_s + ttl_s;
	return true;
}

#include "server/xds/subscription.h"

#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct resource_set *config_set(const struct proxy_config *config, enum resource_type type, size_t part)
{
	return part ? config->workload[type] : config->view[type];
}

static struct resource *config_resource(const struct proxy_config *config, enum resource_type type, size_t part,
                                        const char *name)
{
	struct resource_set *set = config_set(config, type, part);
	return set ? resource_set_get(set, name) : NULL;
}

/* ---- claims ---- */

static bool is_claim_true(const struct resource *claim, const struct resource *resource)
{
	char version[DIGEST_HEX];

	digest_hex(resource->version, version);
	return claim->body_n - claim->value_at == DIGEST_HEX - 1 &&
	       memcmp(claim->body + claim->value_at, version, DIGEST_HEX - 1) == 0;
}

/* A claim that is true becomes the resource; one that is not stays, as something that differs from it. */
void subscription_rebase(struct subscription *sub, const struct proxy_config *config)
{
	size_t n = set_count(sub->claims), n_parts[SUBSCRIPTION_PARTS] = {0};
	struct resource **v = HEAP_NEW_N(struct resource *, SUBSCRIPTION_PARTS * n);

	for (size_t i = 0; i < n; i++) {
		struct resource *claim = sub->claims->v[i];
		if (!sub->is_wildcard && !name_list_has(sub->names, claim->name))
			continue;
		struct resource *resource = config_resource(config, sub->type, 1, claim->name);
		size_t part = resource != NULL;
		if (!resource)
			resource = config_resource(config, sub->type, 0, claim->name);
		if (!resource || !is_claim_true(claim, resource))
			resource = claim;
		v[part * n + n_parts[part]++] = resource_ref(resource);
	}
	for (size_t part = 0; part < SUBSCRIPTION_PARTS; part++) {
		if (!n_parts[part])
			continue;
		struct resource_set *set = resource_set_new(sub->type, v + part * n, n_parts[part]);
		struct resource_set *same = config_set(config, sub->type, part);
		/* the shared one when it is the same, so that this one goes at once */
		struct resource_set *has = same && set_equal(set, same) ? same : set;
		set_assign(&sub->acked[part], has);
		set_assign(&sub->sent[part], has);
		resource_set_unref(set);
	}
	free(v);
	set_assign(&sub->claims, NULL);
}

/* ---- refusals ---- */

/* What a refusal is about. */
struct blame {
	struct resource **v;
	size_t n, cap;
};

static void blame_add(struct blame *blame, struct resource *resource)
{
	blame->v = heap_grow(blame->v, &blame->cap, blame->n + 1, sizeof(struct resource *));
	blame->v[blame->n++] = resource_ref(resource);
}

static void blame_named(struct blame *blame, struct resource *const *v, size_t n, const char *message)
{
	for (size_t i = 0; i < n; i++) {
		if (nack_names(message, v[i]->name))
			blame_add(blame, v[i]);
	}
}

static void subscription_refuse(struct subscription *sub, const struct subscription_env *env, struct blame *blame)
{
	struct resource_set *refused = resource_set_new(sub->type, blame->v, blame->n);

	set_assign(&sub->refused, set_cache_union(env->sets, refused, sub->refused));
	resource_set_unref(refused);
}

static void nack_keep(struct subscription *sub, const struct resource *resource, const char *message)
{
	char version[DIGEST_HEX];

	digest_hex(resource ? resource->version : sub->refused_version, version);
	nack_free(sub->nack);
	sub->nack = nack_new(resource ? resource->name : "", version, message);
}

void subscription_nack(struct subscription *sub, const struct subscription_env *env, const char *message)
{
	struct set_diff *diffs[SUBSCRIPTION_PARTS];
	struct blame blame = {0};
	size_t n_changed = 0;

	assert(sub->is_waiting);
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		diffs[i] = set_cache_diff(env->sets, sub->acked[i], sub->sent[i]);
		blame_named(&blame, diffs[i]->changed, diffs[i]->n_changed, message);
		n_changed += diffs[i]->n_changed;
	}
	if (n_changed == 1 && !blame.n)
		blame_add(&blame, diffs[diffs[0]->n_changed == 0]->changed[0]);
	sub->is_refused = true;
	sub->refused_version = subscription_version(sub->sent);
	nack_keep(sub, blame.n ? blame.v[0] : NULL, message);
	if (blame.n)
		subscription_refuse(sub, env, &blame);
	else
		sub->limit = (n_changed + 1) / 2; /* one of them: halve until it is found */
	free(blame.v);
	sub->is_waiting = false;
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++)
		set_assign(&sub->sent[i], sub->acked[i]);
}

static bool is_still_refused(const struct resource *refused, const struct proxy_config *config)
{
	for (size_t part = 0; part < SUBSCRIPTION_PARTS; part++) {
		const struct resource *now = config_resource(config, refused->type, part, refused->name);
		if (now && digest_equal(now->version, refused->version))
			return true;
	}
	return false;
}

void subscription_prune(struct subscription *sub, const struct proxy_config *config)
{
	struct blame kept = {0};

	if (!sub->refused)
		return;
	for (size_t i = 0; i < sub->refused->n; i++) {
		if (is_still_refused(sub->refused->v[i], config))
			blame_add(&kept, sub->refused->v[i]);
	}
	struct resource_set *refused = kept.n ? resource_set_new(sub->type, kept.v, kept.n) : NULL;
	set_assign(&sub->refused, refused);
	if (refused)
		resource_set_unref(refused);
	free(kept.v);
}

/* ---- the target ---- */

/* Lets no more than the limit's changes through. */
static void subscription_step(const struct subscription *sub, const struct subscription_env *env,
                              struct resource_set *target[SUBSCRIPTION_PARTS])
{
	size_t left = sub->limit;

	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		size_t n = set_cache_diff(env->sets, sub->sent[i], target[i])->n_changed;
		if (n > left)
			target[i] = set_cache_step(env->sets, sub->sent[i], target[i], left);
		left -= n < left ? n : left;
	}
}

void subscription_target(struct subscription *sub, const struct subscription_env *env,
                         const struct proxy_config *config, bool may_remove,
                         struct resource_set *target[SUBSCRIPTION_PARTS], bool *is_retaining)
{
	*is_retaining = false;
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		struct resource_set *set = config_set(config, sub->type, i);
		if (!sub->is_wildcard)
			set = set_cache_select(env->sets, set, sub->names);
		set = set_cache_replace(env->sets, set, sub->refused, sub->acked[i]);
		target[i] = set;
		if (!may_remove) {
			target[i] = set_cache_union(env->sets, set, sub->sent[i]);
			*is_retaining |= set_count(target[i]) != set_count(set);
		}
	}
	if (sub->limit)
		subscription_step(sub, env, target);
}

#include "server/xds/reply.h"
#include "server/xds/stream.h"
#include "server/xds/withheld.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What is to be done about one type. */
struct plan {
	struct resource_set *target[SUBSCRIPTION_PARTS];
	bool is_due;       /* a response is owed */
	bool is_retaining; /* removals are held back */
};

static void stream_wake_at(struct stream *stream, int64_t at_ns)
{
	if (at_ns < stream->deadline_ns)
		stream->deadline_ns = at_ns;
}

/* Whether `since` is still less than the bound ago; if so, the stream is looked at again when it is not. */
static bool is_within_wait(struct stream *stream, int64_t since_ns, int64_t now_ns)
{
	int64_t end_ns = since_ns + stream->env->ack_wait_ns;

	if (now_ns >= end_ns)
		return false;
	stream_wake_at(stream, end_ns);
	return true;
}

static bool has_changes(const struct stream *stream, const struct subscription *sub, const struct plan *plan)
{
	bool has = false;

	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		if (set_equal(sub->sent[i], plan->target[i]))
			continue;
		/* in state of the world, endpoints and routes cannot be taken away */
		if (sub->form == REQUEST_DELTA || !resource_types[sub->type].is_by_name)
			return true;
		has |= set_cache_diff(stream->env->shared.sets, sub->sent[i], plan->target[i])->n_changed > 0;
	}
	return has;
}

static void stream_plan(struct stream *stream, enum resource_type type, bool may_remove, int64_t now_ns,
                        struct plan *plan)
{
	struct subscription *sub = &stream->subs[type];

	*plan = (struct plan){0};
	if (!sub->is_open)
		return;
	if (sub->claims) {
		subscription_rebase(sub, stream->config);
		if (type == RESOURCE_ENDPOINTS) {
			subscription_forget(sub, &stream->env->shared, stream->rewarmed);
			name_list_unref(stream->rewarmed);
			stream->rewarmed = NULL;
		}
	}
	subscription_target(sub, &stream->env->shared, stream->config, may_remove, plan->target, &plan->is_retaining);
	if (!may_remove)
		sub->retained_ns = !plan->is_retaining ? 0 : sub->retained_ns ? sub->retained_ns : now_ns;
	bool is_changed = has_changes(stream, sub, plan);
	bool is_refused = sub->is_refused && digest_equal(subscription_version(plan->target), sub->refused_version);
	plan->is_due = sub->is_asked || (is_changed && !is_refused);
	if (!is_changed && !sub->is_waiting) {
		subscription_adopt(sub, plan->target);
		sub->limit = 0;
	}
}

/* Whether nothing of the type is on its way or about to be, so that what it no longer names may go. */
static bool is_type_settled(struct stream *stream, enum resource_type type, const struct plan *plan, int64_t now_ns)
{
	const struct subscription *sub = &stream->subs[type];

	if (!sub->is_open) /* after a reconnection it comes any moment */
		return stream->method->type != RESOURCE_TYPE_COUNT ||
		       !is_within_wait(stream, stream->opened_ns, now_ns);
	if (plan->is_due || plan->is_retaining)
		return false;
	return !sub->is_waiting || !is_within_wait(stream, sub->sent_ns, now_ns);
}

/*
 * Plans all types. What is gone goes in reverse order: of types that others name it is kept at first, and only when
 * there is such is it looked into whether it may go. Clusters: after what is new was sent, once listeners and routes
 * are settled, or took too long. Endpoints: once the clusters are gone.
 */
static void stream_plan_all(struct stream *stream, int64_t now_ns, struct plan plans[RESOURCE_TYPE_COUNT])
{
	struct plan *clusters = &plans[RESOURCE_CLUSTER], *endpoints = &plans[RESOURCE_ENDPOINTS];
	struct plan *listeners = &plans[RESOURCE_LISTENER], *routes = &plans[RESOURCE_ROUTE];

	stream_plan(stream, RESOURCE_SECRET, true, now_ns, &plans[RESOURCE_SECRET]);
	stream_plan(stream, RESOURCE_LISTENER, true, now_ns, listeners);
	stream_plan(stream, RESOURCE_ROUTE, true, now_ns, routes);
	stream_plan(stream, RESOURCE_CLUSTER, false, now_ns, clusters);
	if (clusters->is_retaining) {
		bool are_unnamed = is_type_settled(stream, RESOURCE_LISTENER, listeners, now_ns) &&
		                   is_type_settled(stream, RESOURCE_ROUTE, routes, now_ns);
		if ((!clusters->is_due && are_unnamed) ||
		    !is_within_wait(stream, stream->subs[RESOURCE_CLUSTER].retained_ns, now_ns))
			stream_plan(stream, RESOURCE_CLUSTER, true, now_ns, clusters);
	}
	stream_plan(stream, RESOURCE_ENDPOINTS, false, now_ns, endpoints);
	if (endpoints->is_retaining && !endpoints->is_due &&
	    is_type_settled(stream, RESOURCE_CLUSTER, clusters, now_ns))
		stream_plan(stream, RESOURCE_ENDPOINTS, true, now_ns, endpoints);
}

/* ---- sending ---- */

static bool sets_have(struct resource_set *const sets[SUBSCRIPTION_PARTS], const char *name)
{
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		if (sets[i] && resource_set_get(sets[i], name))
			return true;
	}
	return false;
}

static struct resource_set *const none[SUBSCRIPTION_PARTS];

/* The asked names that neither set holds, whose answer is "there is none". */
static const struct name_list *asked_missing(const struct stream *stream, const struct subscription *sub,
                                             struct resource_set *const sets[SUBSCRIPTION_PARTS],
                                             struct resource_set *const more[SUBSCRIPTION_PARTS])
{
	struct set_cache *cache = stream->env->shared.sets;
	struct name_list *missing = sub->asked;

	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		missing = set_cache_missing(cache, missing, sets[i]);
		missing = set_cache_missing(cache, missing, more[i]);
	}
	return missing;
}

/* Delta: what is gone, and what was asked for and is not there. */
static size_t stream_removed(struct arena *arena, const struct stream *stream, const struct subscription *sub,
                             const struct plan *plan, struct set_diff *const diffs[SUBSCRIPTION_PARTS],
                             const char *const **names)
{
	const struct name_list *missing = asked_missing(stream, sub, plan->target, sub->sent);
	size_t n = 0, n_missing = missing ? missing->n : 0;
	const char **removed = ARENA_NEW_N(arena, const char *, diffs[0]->n_removed + diffs[1]->n_removed + n_missing);

	for (size_t part = 0; part < SUBSCRIPTION_PARTS; part++) {
		for (size_t i = 0; i < diffs[part]->n_removed; i++) {
			/* unless it only went from one part to the other */
			if (!sets_have(plan->target, diffs[part]->removed[i]))
				removed[n++] = diffs[part]->removed[i];
		}
	}
	for (size_t i = 0; i < n_missing; i++)
		removed[n++] = missing->v[i];
	*names = removed;
	return n;
}

/*
 * State of the world has no word for "there is none": what is left out is waited for. Where a cluster would go on
 * warming, that is one this stream was sent before, it gets a load assignment without endpoints.
 */
static size_t stream_empty(struct arena *arena, const struct stream *stream, const struct subscription *sub,
                           const struct plan *plan, const char *const **names)
{
	const struct subscription *clusters = &stream->subs[RESOURCE_CLUSTER];
	const struct name_list *missing =
	    sub->type == RESOURCE_ENDPOINTS ? asked_missing(stream, sub, plan->target, none) : NULL;
	size_t n = 0;

	if (!missing)
		return 0;
	const char **empty = ARENA_NEW_N(arena, const char *, missing->n);
	for (size_t i = 0; i < missing->n; i++) {
		if (sets_have(clusters->sent, missing->v[i]) || sets_have(clusters->acked, missing->v[i]))
			empty[n++] = missing->v[i];
	}
	*names = empty;
	return n;
}

/* Clusters that change warm again: the proxy will wait for their endpoints. */
static void stream_rewarm(struct stream *stream, struct set_diff *const diffs[SUBSCRIPTION_PARTS])
{
	struct subscription *endpoints = &stream->subs[RESOURCE_ENDPOINTS];
	const struct subscription_env *shared = &stream->env->shared;

	for (size_t part = 0; part < SUBSCRIPTION_PARTS; part++) {
		struct name_list *updated = diffs[part]->updated;
		if (!updated)
			continue;
		subscription_forget(endpoints, shared, updated);
		if (endpoints->is_open && !endpoints->claims)
			continue;
		struct name_list *rewarmed = name_list_change(shared->names, stream->rewarmed, updated, NULL);
		name_list_unref(stream->rewarmed);
		stream->rewarmed = rewarmed;
	}
}

static void stream_write(struct stream *stream, struct subscription *sub, const struct plan *plan,
                         struct set_diff *const diffs[SUBSCRIPTION_PARTS])
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char version[DIGEST_HEX];
	struct reply_input input = {.type = sub->type, .version = version, .nonce = ++stream->nonces};
	struct reply reply;

	digest_hex(subscription_version(plan->target), version);
	bool is_whole = sub->form == REQUEST_SOTW && !resource_types[sub->type].is_by_name;
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++)
		input.diffs[i] = is_whole ? set_cache_diff(stream->env->shared.sets, NULL, plan->target[i]) : diffs[i];
	if (sub->form == REQUEST_SOTW) {
		input.n_empty = stream_empty(arena, stream, sub, plan, &input.empty);
		reply_sotw(&input, &reply);
	} else {
		input.n_removed = stream_removed(arena, stream, sub, plan, diffs, &input.removed);
		reply_delta(&input, &reply);
	}
	if (sub->type == RESOURCE_SECRET)
		withheld_note(stream->env, &stream->node->node, asked_missing(stream, sub, plan->target, none));
	stream->env->stats->pushes[sub->type]++;
	stream->env->stats->bytes_sent += reply.bytes;
	stream->is_sending = true;
	stream->transport->ops->send(stream->transport, reply.parts, reply.n_parts);
	reply_done(&reply);
}

/* Whether what is sent may be named by what comes later: endpoints that only change are named by nothing new, and a
 * secret is asked for when what names it is there already. */
static bool is_barrier(enum resource_type type, size_t n_changed, size_t n_added)
{
	if (type == RESOURCE_SECRET)
		return false;
	return type == RESOURCE_ENDPOINTS ? n_added > 0 : n_changed > 0;
}

static void stream_send(struct stream *stream, struct subscription *sub, const struct plan *plan, int64_t now_ns)
{
	struct set_diff *diffs[SUBSCRIPTION_PARTS];
	size_t n_changed = 0, n_added = 0;

	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		diffs[i] = set_cache_diff(stream->env->shared.sets, sub->sent[i], plan->target[i]);
		n_changed += diffs[i]->n_changed;
		n_added += diffs[i]->n_added;
	}
	stream_write(stream, sub, plan, diffs);
	sub->is_barrier = is_barrier(sub->type, n_changed, n_added);
	if (sub->type == RESOURCE_CLUSTER)
		stream_rewarm(stream, diffs);
	subscription_sent(sub, plan->target, stream->nonces, now_ns);
}

/* A listener or a route waits for what it may name, but not for ever. */
static bool must_wait(struct stream *stream, struct subscription *sub, int64_t now_ns)
{
	if (sub->type != RESOURCE_LISTENER && sub->type != RESOURCE_ROUTE)
		return false;
	if (!sub->blocked_ns)
		sub->blocked_ns = now_ns;
	return is_within_wait(stream, sub->blocked_ns, now_ns);
}

void stream_work(struct stream *stream)
{
	int64_t now_ns = clock_now_ns(stream->env->clock);
	struct plan plans[RESOURCE_TYPE_COUNT];
	bool is_blocked = false;

	if (stream->is_finished || !stream->config)
		return;
	stream->deadline_ns = INT64_MAX;
	stream->is_settled = true;
	stream_plan_all(stream, now_ns, plans);
	for (enum resource_type type = 0; type < RESOURCE_TYPE_COUNT; type++) {
		struct subscription *sub = &stream->subs[type];
		const struct plan *plan = &plans[type];
		if (!sub->is_open)
			continue;
		stream->is_settled &= !sub->is_waiting && !plan->is_due && !plan->is_retaining;
		if (sub->is_waiting) {
			is_blocked |= sub->is_barrier && is_within_wait(stream, sub->sent_ns, now_ns);
			continue;
		}
		if (!plan->is_due) {
			sub->blocked_ns = 0;
			continue;
		}
		if (is_blocked && must_wait(stream, sub, now_ns))
			continue;
		if (!stream->is_sending)
			stream_send(stream, sub, plan, now_ns);
		is_blocked |= type != RESOURCE_SECRET;
	}
}

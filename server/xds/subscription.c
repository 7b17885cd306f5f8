#include "server/xds/subscription.h"

#include "base/heap.h"
#include "server/xds/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void names_assign(struct name_list **at, struct name_list *names)
{
	struct name_list *former = *at;
	*at = name_list_ref(names);
	name_list_unref(former);
}

/* For lists that the caller was given a reference on. */
static void names_move(struct name_list **at, struct name_list *names)
{
	struct name_list *former = *at;
	*at = names;
	name_list_unref(former);
}

void subscription_init(struct subscription *sub, enum resource_type type, enum request_form form)
{
	*sub = (struct subscription){.type = type, .form = form};
}

void subscription_done(struct subscription *sub)
{
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		set_assign(&sub->acked[i], NULL);
		set_assign(&sub->sent[i], NULL);
	}
	set_assign(&sub->claims, NULL);
	set_assign(&sub->refused, NULL);
	names_assign(&sub->names, NULL);
	names_assign(&sub->asked, NULL);
	nack_free(sub->nack);
	sub->nack = NULL;
}

struct digest subscription_version(struct resource_set *const sets[SUBSCRIPTION_PARTS])
{
	struct digest_state state;

	if (!set_count(sets[1]))
		return set_count(sets[0]) ? sets[0]->version : (struct digest){0};
	digest_init(&state);
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++)
		digest_add_digest(&state, set_count(sets[i]) ? sets[i]->version : (struct digest){0});
	return digest_final(&state);
}

/* ---- what the proxy has ---- */

void subscription_ack(struct subscription *sub)
{
	assert(sub->is_waiting);
	sub->is_waiting = false;
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++)
		set_assign(&sub->acked[i], sub->sent[i]);
	sub->is_refused = false;
	sub->limit *= 2;
	if (!sub->refused && !sub->limit) {
		nack_free(sub->nack);
		sub->nack = NULL;
	}
}

void subscription_sent(struct subscription *sub, struct resource_set *const target[SUBSCRIPTION_PARTS], uint64_t nonce,
                       int64_t now_ns)
{
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++)
		set_assign(&sub->sent[i], target[i]);
	names_assign(&sub->asked, NULL);
	sub->is_asked = false;
	sub->is_waiting = true;
	sub->nonce = nonce;
	sub->sent_ns = now_ns;
	sub->blocked_ns = 0;
}

void subscription_adopt(struct subscription *sub, struct resource_set *const target[SUBSCRIPTION_PARTS])
{
	assert(!sub->is_waiting);
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		set_assign(&sub->sent[i], target[i]);
		set_assign(&sub->acked[i], target[i]);
	}
}

typedef struct resource_set *set_filter_fn(struct set_cache *cache, struct resource_set *set,
                                           const struct name_list *names);

static void subscription_filter(struct subscription *sub, const struct subscription_env *env, set_filter_fn *filter,
                                const struct name_list *names)
{
	for (size_t i = 0; i < SUBSCRIPTION_PARTS; i++) {
		set_assign(&sub->acked[i], filter(env->sets, sub->acked[i], names));
		set_assign(&sub->sent[i], filter(env->sets, sub->sent[i], names));
	}
}

void subscription_forget(struct subscription *sub, const struct subscription_env *env, const struct name_list *names)
{
	subscription_filter(sub, env, set_cache_without, names);
}

/* ---- what the proxy wants ---- */

static struct name_list *names_of(const struct subscription_env *env, struct arena *arena, const struct strings *names,
                                  bool *has_wildcard)
{
	const char **v = ARENA_NEW_N(arena, const char *, names->n);
	size_t n = 0;

	*has_wildcard = false;
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->v[i], "*") == 0)
			*has_wildcard = true;
		else
			v[n++] = names->v[i];
	}
	return name_list_new(env->names, v, n);
}

static bool check_names(const struct name_list *names, struct error *error)
{
	if (names && names->n > REQUEST_NAMES_MAX)
		return error_set(error, "%zu resources subscribed to: the limit is %d", names->n, REQUEST_NAMES_MAX);
	if (names && names->bytes > SUBSCRIPTION_NAME_BYTES_MAX)
		return error_set(error, "names of %zu bytes subscribed to: the limit is %u", names->bytes,
		                 SUBSCRIPTION_NAME_BYTES_MAX);
	return true;
}

static void subscription_ask(struct subscription *sub, const struct subscription_env *env, struct name_list *names)
{
	sub->is_asked = true;
	names_move(&sub->asked, name_list_change(env->names, sub->asked, names, NULL));
}

static struct digest names_digest_as_sent(struct arena *arena, const struct strings *names)
{
	size_t bytes = 0;
	for (size_t i = 0; i < names->n; i++)
		bytes += strlen(names->v[i]) + 1;
	char *block = arena_alloc(arena, bytes), *at = block;
	for (size_t i = 0; i < names->n; i++)
		at = stpcpy(at, names->v[i]) + 1;
	return digest_of(block, bytes);
}

/* The whole list, each time. */
static bool request_sotw_names(struct subscription *sub, const struct subscription_env *env, struct arena *arena,
                               const struct request *request, struct error *error)
{
	bool is_first = !sub->is_open, has_star;
	struct digest as_sent = names_digest_as_sent(arena, &request->names);

	if (!is_first && digest_equal(as_sent, sub->names_as_sent))
		return true;
	struct name_list *names = names_of(env, arena, &request->names, &has_star);
	if (!check_names(names, error)) {
		name_list_unref(names);
		return false;
	}
	sub->names_as_sent = as_sent;
	sub->is_named |= request->names.n > 0;
	bool is_wildcard = has_star || (!sub->is_named && !resource_types[sub->type].is_by_name);
	struct name_list *added = name_list_change(env->names, names, NULL, sub->names);
	if (added)
		subscription_ask(sub, env, added);
	sub->is_asked |= is_wildcard && !sub->is_wildcard;
	sub->is_open = true;
	sub->is_wildcard = is_wildcard;
	names_move(&sub->names, names);
	if (!is_wildcard)
		subscription_filter(sub, env, set_cache_select, names);
	name_list_unref(added);
	return true;
}

/* A claim is a resource whose content is the version that it is said to have: subscription_rebase compares. */
static void subscription_claim(struct subscription *sub, const struct request *request)
{
	size_t n = request->n_claims;

	if (!n)
		return;
	struct resource **v = HEAP_NEW_N(struct resource *, n);
	for (size_t i = 0; i < n; i++) {
		const struct request_claim *claim = &request->claims[i];
		v[i] = resource_new(sub->type, claim->name, claim->version, strlen(claim->version));
	}
	sub->claims = resource_set_new(sub->type, v, n);
	free(v);
}

/* Steps from the names of before. */
static bool request_delta_names(struct subscription *sub, const struct subscription_env *env, struct arena *arena,
                                const struct request *request, struct error *error)
{
	bool is_first = !sub->is_open, has_star, has_star_gone;

	if (!is_first && !request->names.n && !request->gone.n)
		return true;
	struct name_list *more = names_of(env, arena, &request->names, &has_star);
	struct name_list *less = names_of(env, arena, &request->gone, &has_star_gone);
	struct name_list *names = name_list_change(env->names, sub->names, more, less);
	bool is_wildcard = has_star || (sub->is_wildcard && !has_star_gone) ||
	                   (is_first && !request->names.n && !resource_types[sub->type].is_by_name);
	bool is_fine = check_names(names, error);
	if (is_fine) {
		if (is_first)
			subscription_claim(sub, request);
		else /* claimed before, but needed again */
			set_assign(&sub->claims, set_cache_without(env->sets, sub->claims, more));
		/* what is asked for again is sent again; what is let go is forgotten, or sent again to who wants all */
		subscription_filter(sub, env, set_cache_without, more);
		subscription_filter(sub, env, set_cache_without, less);
		if (more)
			subscription_ask(sub, env, more);
		if (less && is_wildcard)
			subscription_ask(sub, env, less);
		sub->is_asked |= is_wildcard && !sub->is_wildcard;
		sub->is_open = true;
		sub->is_wildcard = is_wildcard;
		names_assign(&sub->names, names);
		if (!is_wildcard)
			subscription_filter(sub, env, set_cache_select, names);
		if (less && !is_wildcard)
			names_move(&sub->asked, name_list_change(env->names, sub->asked, more, less));
	}
	name_list_unref(names);
	name_list_unref(more);
	name_list_unref(less);
	return is_fine;
}

bool subscription_request(struct subscription *sub, const struct subscription_env *env, struct arena *arena,
                          const struct request *request, struct error *error)
{
	return sub->form == REQUEST_SOTW ? request_sotw_names(sub, env, arena, request, error)
	                                 : request_delta_names(sub, env, arena, request, error);
}

enum subscription_answer subscription_answer(const struct subscription *sub, const struct request *request)
{
	char nonce[REPLY_NONCE_MAX];

	/* before the first response a nonce is one of another connection */
	if (!sub->nonce || !*request->nonce)
		return ANSWER_NONE;
	reply_nonce(sub->nonce, nonce);
	if (strcmp(nonce, request->nonce) != 0)
		return ANSWER_STALE;
	if (!sub->is_waiting)
		return ANSWER_NONE;
	return request->error ? ANSWER_NACK : ANSWER_ACK;
}

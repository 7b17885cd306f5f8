#include "server/identity/door.h"

#include "base/heap.h"
#include "base/log.h"
#include "server/identity/caller_certificate.h"
#include "server/source/kube/kube_review.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct door {
	struct door_options options;
	struct caller_roots roots; /* of the transport's thread */

	pthread_mutex_t mutex;
	struct token_cache *cache;
	struct door_stats stats;
	struct log_gap warned;
	struct arena *arena; /* of the aliases */
	const char *const *aliases;
	size_t n_aliases;
};

/* A question about a token under way. */
struct door_question {
	struct door *door;
	struct digest token;
	int64_t end_s;
};

static const char *const way_labels[DOOR_WAYS] = {
    [DOOR_CERTIFICATE] = "certificate",
    [DOOR_OWN_TOKEN] = "own_token",
    [DOOR_KEY_SET] = "key_set",
    [DOOR_REVIEW] = "token_review",
};

static const struct {
	const char *label;
	enum transport_status status;
} refusals[DOOR_REFUSALS] = {
    [DOOR_NOTHING_SHOWN] = {"nothing_shown", TRANSPORT_UNAUTHENTICATED},
    [DOOR_BAD_CERTIFICATE] = {"certificate", TRANSPORT_UNAUTHENTICATED},
    [DOOR_BAD_TOKEN] = {"token", TRANSPORT_UNAUTHENTICATED},
    [DOOR_TOKEN_UNKNOWN] = {"token_unknown", TRANSPORT_UNAUTHENTICATED},
    [DOOR_ISSUER_UNKNOWN] = {"issuer_unknown", TRANSPORT_UNAUTHENTICATED},
    [DOOR_NO_ANSWER] = {"no_answer", TRANSPORT_UNAVAILABLE},
    [DOOR_CROWD] = {"crowd", TRANSPORT_RESOURCE_EXHAUSTED},
    [DOOR_NO_AUTHORITY] = {"no_authority", TRANSPORT_UNAVAILABLE},
};

const char *door_way_label(enum door_way way)
{
	assert(way < DOOR_WAYS);
	return way_labels[way];
}

const char *door_refusal_label(enum door_refusal refusal)
{
	assert(refusal < DOOR_REFUSALS);
	return refusals[refusal].label;
}

/* ---- answers ---- */

/* Under the mutex. */
static void warn(struct door *door, const struct transport_guest *guest, const char *message)
{
	int64_t now_ns = clock_now_ns(door->options.clock);
	uint64_t silent;
	if (!log_gap_is_over(&door->warned, now_ns, &silent))
		return;
	log_warn("door", "%s (%s) is not let in: %s; %llu more since the last line", guest->visitor.peer,
	         guest->visitor.path, message, (unsigned long long)silent);
}

static void refuse_locked(struct door *door, struct transport_guest *guest, enum door_refusal refusal,
                          const char *message)
{
	door->stats.refused[refusal]++;
	warn(door, guest, message);
	transport_guest_refuse(guest, refusals[refusal].status, message);
}

static void refuse(struct door *door, struct transport_guest *guest, enum door_refusal refusal, const char *message)
{
	pthread_mutex_lock(&door->mutex);
	refuse_locked(door, guest, refusal, message);
	pthread_mutex_unlock(&door->mutex);
}

static void admit(struct door *door, struct transport_guest *guest, enum door_way way, const struct spiffe_id *caller)
{
	pthread_mutex_lock(&door->mutex);
	door->stats.admitted[way]++;
	pthread_mutex_unlock(&door->mutex);
	transport_guest_admit(guest, caller);
}

/* ---- certificates ---- */

static void knock_with_certificate(struct door *door, struct transport_guest *guest, const struct signer *signer)
{
	struct spiffe_id caller;
	struct error error;
	pthread_mutex_lock(&door->mutex);
	const struct caller_policy policy = {signer, door->aliases, door->n_aliases};
	bool is_proved = caller_certificate_check(&door->roots, &policy, &guest->visitor, &caller, &error);
	pthread_mutex_unlock(&door->mutex);
	if (is_proved)
		admit(door, guest, DOOR_CERTIFICATE, &caller);
	else
		refuse(door, guest, DOOR_BAD_CERTIFICATE, error.message);
}

/* ---- tokens ---- */

static void refuse_token(struct door *door, struct transport_guest *guest, const struct token_refusal *refusal)
{
	pthread_mutex_lock(&door->mutex);
	door->stats.token_refusals[refusal->reason]++;
	refuse_locked(door, guest, DOOR_BAD_TOKEN, refusal->error.message);
	pthread_mutex_unlock(&door->mutex);
}

static bool caller_of(const struct signer *signer, const struct service_account *account, struct spiffe_id *caller,
                      struct error *error)
{
	return spiffe_id_make(signer->trust_domain, account->ns, account->name, caller, error);
}

static void check_token(struct door *door, struct transport_guest *guest, const struct signer *signer,
                        const struct jwt *jwt, const struct jwt_policy *policy, enum door_way way)
{
	struct service_account account;
	struct spiffe_id caller;
	struct token_refusal refusal = {0};
	if (!jwt_check(jwt, policy, &account, &refusal)) {
		refuse_token(door, guest, &refusal);
	} else if (!caller_of(signer, &account, &caller, &refusal.error)) {
		refusal.reason = TOKEN_SUBJECT;
		refuse_token(door, guest, &refusal);
	} else {
		admit(door, guest, way, &caller);
	}
}

/* ---- asking elsewhere ---- */

/* A guest in the cache waits together with whose trust domain counted when he came. */
struct door_wait {
	struct door *door;
	struct transport_guest *guest;
	struct signer *signer;
};

static void answer_locked(struct door *door, struct transport_guest *guest, const struct signer *signer,
                          const struct token_verdict *verdict)
{
	struct spiffe_id caller;
	struct error error;
	if (verdict->knowledge == TOKEN_NOT_KNOWN) {
		refuse_locked(door, guest, DOOR_NO_ANSWER, verdict->message);
	} else if (verdict->knowledge == TOKEN_KNOWN_BAD) {
		refuse_locked(door, guest, DOOR_TOKEN_UNKNOWN, verdict->message);
	} else if (!caller_of(signer, &verdict->account, &caller, &error)) {
		refuse_locked(door, guest, DOOR_TOKEN_UNKNOWN, error.message);
	} else {
		door->stats.admitted[DOOR_REVIEW]++;
		transport_guest_admit(guest, &caller);
	}
}

static void tell(void *waiter, const struct token_verdict *verdict)
{
	struct door_wait *wait = waiter;
	answer_locked(wait->door, wait->guest, wait->signer, verdict);
	signer_unref(wait->signer);
	free(wait);
}

static void settle(struct door_question *question, const struct token_verdict *verdict)
{
	struct door *door = question->door;
	pthread_mutex_lock(&door->mutex);
	token_cache_settle(door->cache, question->token, verdict, question->end_s, tell);
	pthread_mutex_unlock(&door->mutex);
	free(question);
}

/* On the asked one's thread. */
static void on_answer(void *context, const struct kube_review_answer *answer)
{
	static const enum token_knowledge knowledge[] = {
	    [KUBE_REVIEW_GOOD] = TOKEN_KNOWN_GOOD,
	    [KUBE_REVIEW_BAD] = TOKEN_KNOWN_BAD,
	    [KUBE_REVIEW_UNKNOWN] = TOKEN_NOT_KNOWN,
	};
	struct token_verdict verdict = {.knowledge = knowledge[answer->outcome], .account = answer->account};
	if (answer->outcome != KUBE_REVIEW_GOOD)
		snprintf(verdict.message, sizeof verdict.message, "%s", answer->message);
	settle(context, &verdict);
}

static void ask(struct door *door, const char *token, struct digest digest, int64_t end_s)
{
	const struct door_reviewer *reviewer = &door->options.reviewer;
	struct door_question *question = HEAP_NEW(struct door_question);
	*question = (struct door_question){door, digest, end_s};
	if (reviewer->ask(reviewer->context, token, on_answer, question))
		return;
	struct token_verdict verdict = {.knowledge = TOKEN_NOT_KNOWN};
	snprintf(verdict.message, sizeof verdict.message,
	         "too many tokens are being looked up at the API server; try again in a moment");
	settle(question, &verdict);
}

/* wait moves in. */
static void look(struct door *door, struct door_wait *wait, struct digest digest, int64_t end_s)
{
	const struct token_verdict *verdict = NULL;
	struct transport_guest *guest = wait->guest;
	CLEANUP(text_done) struct text token = {0}; /* the guest may be gone once the lock is let go of */
	bool is_kept = true;

	text_add(&token, guest->visitor.token);
	pthread_mutex_lock(&door->mutex);
	enum token_cache_outcome outcome = token_cache_look(door->cache, digest, wait, &verdict);
	if (outcome == TOKEN_CACHE_KNOWN) {
		answer_locked(door, guest, wait->signer, verdict);
		is_kept = false;
	} else if (outcome == TOKEN_CACHE_CROWD) {
		refuse_locked(door, guest, DOOR_CROWD, "too many tokens are being looked up; try again in a moment");
		is_kept = false;
	}
	pthread_mutex_unlock(&door->mutex);
	if (!is_kept) {
		signer_unref(wait->signer);
		free(wait);
	}
	if (outcome == TOKEN_CACHE_ASK)
		ask(door, token.s, digest, end_s);
	if (token.s)
		explicit_bzero(token.s, token.n);
}

static void review(struct door *door, struct transport_guest *guest, struct signer *signer, const struct jwt *jwt)
{
	struct token_refusal refusal;
	struct error error;
	if (!door->options.reviewer.ask) {
		error_set(
		    &error,
		    "tokens of the issuer \"%.100s\" are not known here; have weftd watch the API server, give it "
		    "the issuer's keys, or make a token with weft token create",
		    jwt->issuer ? jwt->issuer : "");
		refuse(door, guest, DOOR_ISSUER_UNKNOWN, error.message);
		return;
	}
	if (!jwt_check_times(jwt, door->options.clock, &refusal)) {
		refuse_token(door, guest, &refusal);
		return;
	}
	struct door_wait *wait = HEAP_NEW(struct door_wait);
	*wait = (struct door_wait){door, guest, signer_ref(signer)};
	look(door, wait, digest_of(guest->visitor.token, strlen(guest->visitor.token)), jwt->expires_s);
}

static void knock_with_token(struct door *door, struct transport_guest *guest, struct signer *signer)
{
	const struct door_options *options = &door->options;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct token_refusal refusal;
	struct jwt_policy policy = {.audience = options->audience, .clock = options->clock};
	const struct jwt *jwt = jwt_parse(arena, guest->visitor.token, strlen(guest->visitor.token), &refusal);
	if (!jwt) {
		refuse_token(door, guest, &refusal);
	} else if (options->own && text_equal(jwt->issuer, TOKEN_KEY_ISSUER)) {
		policy.keys = token_key_public(options->own);
		policy.issuer = TOKEN_KEY_ISSUER;
		check_token(door, guest, signer, jwt, &policy, DOOR_OWN_TOKEN);
	} else if (options->keys && text_equal(jwt->issuer, options->issuer)) {
		policy.keys = jwks_file_get(options->keys);
		policy.issuer = options->issuer;
		check_token(door, guest, signer, jwt, &policy, DOOR_KEY_SET);
	} else {
		review(door, guest, signer, jwt);
	}
}

/* ---- the door ---- */

static void knock(void *context, struct transport_guest *guest)
{
	struct door *door = context;
	CLEANUP(signer_unrefp) struct signer *signer = signer_cell_get(door->options.signers);
	if (!guest->visitor.certificate && !guest->visitor.token)
		refuse(door, guest, DOOR_NOTHING_SHOWN,
		       "show who you are: a client certificate of the mesh, or a service account's token in the "
		       "metadata \"authorization\" (Bearer …)");
	else if (!signer)
		refuse(door, guest, DOOR_NO_AUTHORITY,
		       "the certificate authority is not ready yet; try again in a moment");
	else if (guest->visitor.certificate)
		knock_with_certificate(door, guest, signer);
	else
		knock_with_token(door, guest, signer);
}

struct door *door_new(const struct door_options *options)
{
	struct door *door = HEAP_NEW(struct door);
	door->options = *options;
	if (!door->options.audience)
		door->options.audience = TOKEN_AUDIENCE_DEFAULT;
	pthread_mutex_init(&door->mutex, NULL);
	door->arena = arena_new();
	door->cache = token_cache_new(options->clock);
	return door;
}

void door_set_aliases(struct door *door, const char *const *aliases, size_t n)
{
	struct arena *arena = arena_new();
	const char **copies = ARENA_NEW_N(arena, const char *, n);

	for (size_t i = 0; i < n; i++)
		copies[i] = arena_strdup(arena, aliases[i]);
	pthread_mutex_lock(&door->mutex);
	struct arena *former = door->arena;
	door->arena = arena;
	door->aliases = copies;
	door->n_aliases = n;
	pthread_mutex_unlock(&door->mutex);
	arena_free(former);
}

void door_free(struct door *door)
{
	if (!door)
		return;
	token_cache_free(door->cache);
	caller_roots_done(&door->roots);
	arena_free(door->arena);
	pthread_mutex_destroy(&door->mutex);
	free(door);
}

struct transport_door door_transport(struct door *door)
{
	return (struct transport_door){.knock = knock, .context = door};
}

void door_stats(struct door *door, struct door_stats *stats)
{
	pthread_mutex_lock(&door->mutex);
	*stats = door->stats;
	token_cache_stats(door->cache, &stats->cache);
	pthread_mutex_unlock(&door->mutex);
}

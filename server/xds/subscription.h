#pragma once
/*
 * What one stream wants of one type, and what it has: the same for state of the world and delta, which differ only in
 * how a request says it (subscription_request) and how the answer is written (reply.h).
 *
 * - What it wants: everything (wildcard), or the resources that `names` lists; by the proxy's present config.
 * - What it has: two resource sets, one out of the view's and one out of the workload's, whose names are disjoint.
 *   `acked` is what the proxy last acknowledged; `sent` is what it has once it takes the response that is out. An
 *   acknowledgement makes `sent` the acked state; a refusal goes back to `acked`.
 * - `asked`: the request demands an answer, also when nothing differs.
 * - `refused`: resources in the version the proxy does not take. They are held back, in the form that it has, until
 *   their version changes. When a refusal names none of many, the next responses carry fewer (`limit`), until the one
 *   is found.
 *
 * Everything large is shared: sets and lists of names are counted, so an idle subscription is this struct.
 */
#include "server/generation.h"
#include "server/xds/nack.h"
#include "server/xds/request.h"
#include "server/xds/set_cache.h"

#define SUBSCRIPTION_NAME_BYTES_MAX (4u << 20) /* of all names of a subscription */
#define SUBSCRIPTION_PARTS 2                   /* view and workload */

struct subscription {
	enum resource_type type;
	enum request_form form;
	bool is_open; /* the proxy asked for the type at all */
	bool is_wildcard;
	bool is_named; /* state of the world: a request listed names, so that an empty list now means none */
	bool is_asked;
	bool is_waiting;             /* a response is out */
	bool is_barrier;             /* that response holds what later types may name */
	struct name_list *names;     /* listed ones, without "*" */
	struct name_list *asked;     /* those among them that must be answered, if only by "there is none" */
	struct digest names_as_sent; /* state of the world: of the list as it was sent, which each request repeats */
	struct resource_set *acked[SUBSCRIPTION_PARTS], *sent[SUBSCRIPTION_PARTS];
	struct resource_set *claims; /* delta: what it says to have; until the config is known */
	uint64_t nonce;              /* of the response sent last; 0: none */
	int64_t sent_ns;             /* when that was */
	int64_t blocked_ns;          /* since when it has something to send that must wait; 0: not */
	int64_t retained_ns;         /* since when removals are held back; 0: none are */
	struct resource_set *refused;
	bool is_refused;               /* the response sent last was, */
	struct digest refused_version; /* which led to this version: never the same again */
	size_t limit;                  /* of changes in one response; 0: none */
	struct nack *nack;             /* the last refusal that still matters; NULL */
};

struct subscription_env {
	struct set_cache *sets;
	struct name_table *names;
};

void subscription_init(struct subscription *sub, enum resource_type type, enum request_form form);
void subscription_done(struct subscription *sub);

enum subscription_answer {
	ANSWER_NONE,  /* not about a response */
	ANSWER_STALE, /* about one that is history; in state of the world the whole request is */
	ANSWER_ACK,
	ANSWER_NACK,
};

/* What the request says about the response that is out. Changes nothing. */
enum subscription_answer subscription_answer(const struct subscription *sub, const struct request *request);
/* The proxy took the response. */
void subscription_ack(struct subscription *sub);
/* The proxy refused it, with these words. */
void subscription_nack(struct subscription *sub, const struct subscription_env *env, const char *message);
/* What the proxy wants from now on. False when that is too much: the stream must end. */
bool subscription_request(struct subscription *sub, const struct subscription_env *env, struct arena *arena,
                          const struct request *request, struct error *error);

/* The config changed: forgets refusals of what is not in it any more. */
void subscription_prune(struct subscription *sub, const struct proxy_config *config);
/* Turns what the proxy claims to have into sets. */
void subscription_rebase(struct subscription *sub, const struct proxy_config *config);
/* The proxy will need these again, though nothing about them changed. */
void subscription_forget(struct subscription *sub, const struct subscription_env *env, const struct name_list *names);
/*
 * What the proxy should have next, borrowed from the caches. Without may_remove, what it has and should not have any
 * more stays; *is_retaining says whether there is such.
 */
void subscription_target(struct subscription *sub, const struct subscription_env *env,
                         const struct proxy_config *config, bool may_remove,
                         struct resource_set *target[SUBSCRIPTION_PARTS], bool *is_retaining);
/* A response that leads to the target was sent. */
void subscription_sent(struct subscription *sub, struct resource_set *const target[SUBSCRIPTION_PARTS], uint64_t nonce,
                       int64_t now_ns);
/* The target needs no response: the proxy has it. */
void subscription_adopt(struct subscription *sub, struct resource_set *const target[SUBSCRIPTION_PARTS]);

/* One version for both parts; zero for nothing at all. */
struct digest subscription_version(struct resource_set *const sets[SUBSCRIPTION_PARTS]);

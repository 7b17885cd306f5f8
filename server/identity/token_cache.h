#pragma once
/*
 * What was found out about tokens, for a short time, by the digest of the token and never the token itself. Of callers
 * who show one token at once the first is to ask, and the others wait for what he finds out.
 *
 *     switch (token_cache_look(cache, digest, guest, &verdict)) {
 *     case TOKEN_CACHE_KNOWN: …      verdict, until the next call
 *     case TOKEN_CACHE_ASK: …        ask, then token_cache_settle: it answers for all who wait, this one too
 *     case TOKEN_CACHE_WAIT: …       nothing to do
 *     case TOKEN_CACHE_CROWD: …      too many questions are open
 *     }
 *
 * Good news lasts TOKEN_CACHE_GOOD_S, and never past the token's end; bad news TOKEN_CACHE_BAD_S. That nothing could be
 * found out is told to those who wait and not kept. The owner locks.
 */
#include "base/clock.h"
#include "base/digest.h"
#include "token/service_account.h"

#define TOKEN_CACHE_GOOD_S 60
#define TOKEN_CACHE_BAD_S 5
#define TOKEN_CACHE_MAX 8192  /* tokens; then the oldest that is settled goes */
#define TOKEN_CACHE_OPEN 1024 /* questions */
#define TOKEN_CACHE_WORDS 256

struct token_cache;

struct token_verdict {
	enum token_knowledge { TOKEN_KNOWN_GOOD, TOKEN_KNOWN_BAD, TOKEN_NOT_KNOWN } knowledge;
	struct service_account account;  /* when good */
	char message[TOKEN_CACHE_WORDS]; /* unless good */
};

enum token_cache_outcome { TOKEN_CACHE_KNOWN, TOKEN_CACHE_ASK, TOKEN_CACHE_WAIT, TOKEN_CACHE_CROWD };

struct token_cache_stats {
	size_t tokens, open;
	uint64_t hits, questions;
};

struct token_cache *token_cache_new(const struct clock *clock);
void token_cache_free(struct token_cache *cache); /* nobody may wait; NULL is fine */

enum token_cache_outcome token_cache_look(struct token_cache *cache, struct digest token, void *waiter,
                                          const struct token_verdict **verdict);
/* end_s: when the token ends, since 1970. Tells all who wait. */
void token_cache_settle(struct token_cache *cache, struct digest token, const struct token_verdict *verdict,
                        int64_t end_s, void (*tell)(void *waiter, const struct token_verdict *verdict));
void token_cache_stats(const struct token_cache *cache, struct token_cache_stats *stats);

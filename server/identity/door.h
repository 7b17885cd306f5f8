#pragma once
/*
 * Who comes in by the TLS port: the door of rpc/transport.h.
 *
 *     client certificate shown? ─ yes ─▶ one name of the mesh, leads to a root trusted now ─▶ admitted
 *                │ no                    else refused: a token beside it does not help
 *                ▼
 *     token shown? ─▶ its issuer: weftd's own key │ the configured key set │ else the API server is asked (cached)
 *
 *     struct door *door = door_new(&options);
 *     options.door = door_transport(door);          of the transport
 *     …
 *     door_free(door);                              after the transport and after who is asked
 *
 * An issuer's tokens are judged with that issuer's keys alone: nothing that failed is tried in another way.
 */
#include "rpc/transport.h"
#include "server/identity/jwks_file.h"
#include "server/identity/signer.h"
#include "server/identity/token_cache.h"
#include "token/token_key.h"

struct kube_review_answer;

/* Whose a token is, by asking elsewhere: kube_source_review's form. False: too much is asked. */
struct door_reviewer {
	bool (*ask)(void *context, const char *token,
	            void (*on_answer)(void *context, const struct kube_review_answer *answer), void *answer_context);
	void *context;
};

struct door_options {
	struct signer_cell *signers;   /* whose trust domain and roots count. Borrowed, as all that follows */
	const char *audience;          /* NULL: TOKEN_AUDIENCE_DEFAULT */
	const struct token_key *own;   /* NULL: none */
	struct jwks_file *keys;        /* of the issuer; NULL: none */
	const char *issuer;            /* with keys */
	struct door_reviewer reviewer; /* without ask: nobody is asked */
	const struct clock *clock;
};

enum door_way { DOOR_CERTIFICATE, DOOR_OWN_TOKEN, DOOR_KEY_SET, DOOR_REVIEW, DOOR_WAYS };

enum door_refusal {
	DOOR_NOTHING_SHOWN,
	DOOR_BAD_CERTIFICATE,
	DOOR_BAD_TOKEN,      /* which is why: token_refusals */
	DOOR_TOKEN_UNKNOWN,  /* the API server does not vouch for it */
	DOOR_ISSUER_UNKNOWN, /* there is nobody to ask */
	DOOR_NO_ANSWER,      /* the API server did not answer */
	DOOR_CROWD,          /* too many tokens are asked about */
	DOOR_NO_AUTHORITY,   /* there is no trust domain yet */
	DOOR_REFUSALS,
};

struct door_stats {
	uint64_t admitted[DOOR_WAYS];
	uint64_t refused[DOOR_REFUSALS];
	uint64_t token_refusals[TOKEN_REASONS]; /* token_refusal_label */
	struct token_cache_stats cache;
};

struct door;

struct door *door_new(const struct door_options *options);
void door_free(struct door *door); /* nobody may be at it; NULL is fine */
struct transport_door door_transport(struct door *door);
/* The trust domain's aliases from now on: certificates with them count too. Any thread; copied. */
void door_set_aliases(struct door *door, const char *const *aliases, size_t n);
void door_stats(struct door *door, struct door_stats *stats); /* any thread */
const char *door_way_label(enum door_way way);                /* both lower_snake_case */
const char *door_refusal_label(enum door_refusal refusal);

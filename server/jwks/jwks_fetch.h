#pragma once
/*
 * Asks for key sets, several at once (libcurl's multi interface). One thread owns it.
 *
 *     jwks_fetcher_start(fetcher, &source, on_end, context);
 *     jwks_fetcher_poll(fetcher, fd, timeout_ms);          on_end is called from here
 *
 * Where the source says that its answer tells where the keys are (discovery), that is asked too. Of one source all
 * steps together take no longer than its timeout.
 *
 * The URL that somebody wrote into an object is his to choose, and may well be in the cluster. What an answer leads to,
 * by a redirect or as a jwks_uri, is not: unless it is of the very same scheme, host and port, its address must be
 * public (jwks_address.h), which is looked at when the connection is made. From https nothing leads to http.
 */
#include "translator/key_sets.h"

#define JWKS_FETCH_BYTES_MAX (1u << 20)
#define JWKS_FETCH_REDIRECTS_MAX 3
#define JWKS_FETCH_TIMEOUT_MAX_MS 30000
#define JWKS_FETCHES_MAX 32 /* at once */

struct jwks_fetcher;

struct jwks_fetcher_options {
	bool is_private_allowed; /* answers may lead anywhere */
	const char *ca_file;     /* whom https believes, besides the system's; NULL: nobody. Borrowed */
};

struct jwks_answer {
	const char *body; /* of the last step; NULL: it failed */
	size_t n;
	const char *url;    /* where that is */
	const char *issuer; /* whose keys these are, as the discovery on the way to them says; NULL: it does not */
	const char *error;  /* NULL with a body */
};

typedef void jwks_on_answer(void *context, const struct jwks_answer *answer);

struct jwks_fetcher *jwks_fetcher_new(const struct jwks_fetcher_options *options);
void jwks_fetcher_free(struct jwks_fetcher *fetcher); /* what is under way ends without a word; NULL is fine */
/* False: there are JWKS_FETCHES_MAX under way. on_end must not start another. */
bool jwks_fetcher_start(struct jwks_fetcher *fetcher, const struct key_source *source, jwks_on_answer *on_end,
                        void *context);
/* Moves on what can; if nothing ended, sleeps until something happens, `fd` is readable, or timeout_ms have passed. */
void jwks_fetcher_poll(struct jwks_fetcher *fetcher, int fd, int timeout_ms);

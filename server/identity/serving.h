#pragma once
/*
 * weftd's own certificate for the TLS port: issued by the authority that it keeps, for the host names that proxies call
 * it by, with a key that is made anew each time and never leaves memory. It is renewed at half of its life, and at once
 * when who signs or who is trusted changes, or when the clock was set to where it is not valid.
 *
 *     struct serving_files files;
 *     switch (serving_move(serving, signer, &files, &error)) …      as often as one likes
 */
#include "base/text.h"
#include "server/identity/signer.h"

struct serving;

struct serving_options {
	const char *const *dns; /* borrowed */
	size_t n_dns;
	const struct clock *clock;
};

/* The names that proxies call weftd by, in the arena: as localhost, as Services weftd and istiod, and `more`. */
const char *const *serving_names(struct arena *arena, const char *root_namespace, const char *const *more,
                                 size_t n_more, size_t *n);

/* PEM, until the next call. */
struct serving_files {
	const char *chain; /* the certificate first */
	const char *key;
	const char *roots; /* whose certificates clients may show */
};

enum serving_outcome {
	SERVING_SAME,
	SERVING_NEW,
	SERVING_FAILED, /* the former one goes on while it lasts; error */
};

struct serving *serving_new(const struct serving_options *options);
void serving_free(struct serving *serving); /* wipes; NULL is fine */
enum serving_outcome serving_move(struct serving *serving, const struct signer *signer, struct serving_files *files,
                                  struct error *error);
int64_t serving_end_s(const struct serving *serving); /* of the present one; 0: none */

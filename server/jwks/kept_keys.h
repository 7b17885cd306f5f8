#pragma once
/*
 * The key sets that were fetched, kept in --state-dir over restarts: an issuer that is away while weftd starts anew
 * takes no keys away. Public keys only, so there is nothing to hide.
 *
 *     {"sources":[{"url":"https://a/keys","discovery":false,"keysUrl":"https://a/keys","at":1800000000,"keys":"{…}"}]}
 *
 * A file with anything wrong in it is an error and says nothing: the keys are fetched all the same.
 */
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"

#define KEPT_KEYS_FOLDER "jwks" /* in --state-dir */
#define KEPT_KEYS_FILE "keys.json"
#define KEPT_KEYS_BYTES_MAX (1u << 20)  /* of the file; what does not go into it is not kept */
#define KEPT_KEYS_MAX_S (7 * 24 * 3600) /* since the issuer has said so; nothing older is believed at a start */

struct kept_set {
	const char *url;
	bool is_discovery;
	const char *keys_url; /* where they were */
	int64_t at_s;         /* when the issuer said so last, since 1970 */
	const char *keys;     /* a JWKS */
};

struct kept_keys {
	VEC(struct kept_set) sets;
};

/* In the arena; empty in failure. */
bool kept_keys_read(struct arena *arena, const char *s, size_t n, struct kept_keys *kept, struct error *error);
/* In order, as many as there is room for; how many that are. */
size_t kept_keys_print(const struct kept_keys *kept, struct text *out);

/* `folder`: --state-dir. True also when there is none. */
bool kept_keys_load(const char *folder, struct arena *arena, struct kept_keys *kept, struct error *error);
bool kept_keys_store(const char *folder, const struct text *text, struct error *error);

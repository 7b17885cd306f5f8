#pragma once
/*
 * What is remembered of a plugged-in authority, whose files are its administrator's and have no past: the roots of who
 * signs, and former ones that are still trusted. So a restart, or a change while no weftd ran, cuts nobody off.
 *
 *     {"roots":"PEM","former":"PEM","since":1800000000,"skipUnawareFor":"8a5e…"}
 *
 * No key is in it. It is kept as roots.json in the Secret KEPT_ROOTS_SECRET, or as KEPT_ROOTS_FILE in --state-dir.
 * What is there and cannot be read is an error, and never the same as nothing.
 */
#include "base/digest.h"
#include "base/text.h"
#include "ca/bundle.h"

#define KEPT_ROOTS_SECRET "weft-plugged-roots"
#define KEPT_ROOTS_ENTRY "roots.json"
#define KEPT_ROOTS_FILE "plugged-roots.json"
#define KEPT_ROOTS_BYTES_MAX (512u << 10)

/* Zeroed is: nothing is kept. */
struct kept_roots {
	struct bundle *roots;  /* of who signs */
	struct bundle *former; /* trusted besides; NULL: none */
	int64_t since_s;       /* when the last of those ceased to sign; 0: none */
	/*
	 * The certificate_digest of the root that need not wait for proxies that never ask for roots; "": none. It
	 * names the root, so that a replica that hears of it late, when that one signs already, or when another one
	 * waits, knows what it was said of.
	 */
	char skip_unaware_for[DIGEST_HEX];
};

void kept_roots_done(struct kept_roots *kept);
/* kept: zeroed; stays so in failure. */
bool kept_roots_read(struct kept_roots *kept, const char *s, size_t n, struct error *error);
void kept_roots_print(const struct kept_roots *kept, struct text *out);

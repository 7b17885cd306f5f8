#pragma once
/*
 * Digests: names for content. Equal digests mean equal bytes (SHA-256 cut to 128 bits, so nobody can make two inputs
 * that meet). A version, a cache key, a "did it change" is always a digest, never a time or a counter.
 *
 *     struct digest d = digest_of(bytes, n);
 *
 *     struct digest_state state; digest_init(&state);
 *     digest_add_str(&state, host); digest_add_u64(&state, port); digest_add_digest(&state, policy->digest);
 *     struct digest key = digest_final(&state);
 *
 * Every add is framed (length or fixed width), so ("ab","c") and ("a","bc") differ, and NULL differs from "".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_HEX 33 /* 32 characters and NUL */

struct digest {
	uint64_t w[2];
};

struct digest_state {
	_Alignas(16) unsigned char opaque[128];
};

void digest_init(struct digest_state *state);
void digest_add(struct digest_state *state, const void *data, size_t n);
void digest_add_str(struct digest_state *state, const char *s);
void digest_add_u64(struct digest_state *state, uint64_t value);
void digest_add_digest(struct digest_state *state, struct digest digest);
struct digest digest_final(struct digest_state *state); /* ends the state: call once */

struct digest digest_of(const void *data, size_t n);
bool digest_equal(struct digest a, struct digest b);
bool digest_is_zero(struct digest digest); /* "none yet" */
void digest_hex(struct digest digest, char hex[DIGEST_HEX]);

#include "base/digest.h"

#include "base/map.h"
#include "tests/unit/unit.h"

#include <string.h>

/* FIPS 180-4's own examples: the first half of SHA-256. */
START_TEST(it_is_sha_256_cut_in_half)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb924"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char hex[DIGEST_HEX];
		digest_hex(digest_of(cases[i].in, strlen(cases[i].in)), hex);
		ck_assert_str_eq(hex, cases[i].want);
	}
}
END_TEST

/* Each of these sequences of adds, which look alike, has a digest of its own. */
START_TEST(every_add_is_framed)
{
	struct arena *arena = arena_new();
	struct map seen = {0};
	for (int i = 0; i < 13; i++) {
		struct digest_state state;
		digest_init(&state);
		switch (i) {
		case 0:
			break;
		case 1:
			digest_add_str(&state, NULL);
			break;
		case 2:
			digest_add_str(&state, "");
			break;
		case 3:
			digest_add(&state, "", 0);
			break;
		case 4:
			digest_add_u64(&state, 0);
			break;
		case 5:
			digest_add_digest(&state, (struct digest){{0, 0}});
			break;
		case 6:
			digest_add_str(&state, "ab");
			digest_add_str(&state, "c");
			break;
		case 7:
			digest_add_str(&state, "a");
			digest_add_str(&state, "bc");
			break;
		case 8:
			digest_add_str(&state, "abc");
			break;
		case 9:
			digest_add(&state, "abc", 3);
			break;
		case 10:
			digest_add(&state, "abc", 4);
			break;
		case 11:
			digest_add_u64(&state, 0);
			digest_add_u64(&state, 0);
			break;
		case 12:
			digest_add_digest(&state, digest_of("abc", 3));
			break;
		}
		char hex[DIGEST_HEX];
		digest_hex(digest_final(&state), hex);
		ck_assert_msg(!map_has(&seen, hex), "sequence %d meets another", i);
		map_put(arena, &seen, arena_strdup(arena, hex), arena);
	}
	arena_free(arena);
}
END_TEST

START_TEST(the_same_adds_give_the_same_digest)
{
	struct digest digests[2];
	for (int i = 0; i < 2; i++) {
		struct digest_state state;
		memset(&state, i ? 0xff : 0, sizeof state); /* nothing comes from what was there */
		digest_init(&state);
		for (uint64_t k = 0; k < 1000; k++) {
			digest_add_u64(&state, k << 33);
			digest_add_str(&state, "reviews.default.svc.cluster.local");
		}
		digests[i] = digest_final(&state);
	}
	ck_assert(digest_equal(digests[0], digests[1]));
	ck_assert(!digest_is_zero(digests[0]));
	digests[1].w[1] ^= 1;
	ck_assert(!digest_equal(digests[0], digests[1]));
	ck_assert(digest_is_zero((struct digest){{0, 0}}));
	ck_assert(!digest_is_zero((struct digest){{0, 1}}));
}
END_TEST

UNIT_MAIN("digest", it_is_sha_256_cut_in_half, every_add_is_framed, the_same_adds_give_the_same_digest)

/*
 * Key sets as they are kept in a file: what is read prints as bytes that read back as the same; what is not leaves
 * nothing behind.
 */
#include "server/jwks/kept_keys.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct error error = {""};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text printed = {0}, reprinted = {0};
	struct kept_keys kept, again;

	if (!kept_keys_read(arena, (const char *)data, n, &kept, &error)) {
		assert(*error.message && !kept.sets.n);
		return 0;
	}
	size_t n_kept = kept_keys_print(&kept, &printed);
	assert(n_kept <= kept.sets.n && printed.n <= KEPT_KEYS_BYTES_MAX);
	assert(kept_keys_read(arena, printed.s, printed.n, &again, &error));
	assert(again.sets.n == n_kept);
	kept_keys_print(&again, &reprinted);
	assert(!strcmp(printed.s, reprinted.s));
	return 0;
}

/*
 * What is kept of a plugged-in authority's roots, as a Secret or a file has it: what is read prints as bytes that read
 * back as the same; what is not leaves nothing behind.
 */
#include "server/identity/kept_roots.h"

#include <assert.h>
#include <openssl/err.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct error error = {""};
	CLEANUP(kept_roots_done) struct kept_roots kept = {0}, again = {0};
	CLEANUP(text_done) struct text printed = {0}, reprinted = {0};

	bool is_good = kept_roots_read(&kept, (const char *)data, n, &error);
	assert(ERR_peek_error() == 0);
	if (!is_good) {
		assert(*error.message && !kept.roots && !kept.former);
		return 0;
	}
	kept_roots_print(&kept, &printed);
	assert(kept_roots_read(&again, printed.s, printed.n, &error));
	kept_roots_print(&again, &reprinted);
	assert(!strcmp(printed.s, reprinted.s));
	return 0;
}

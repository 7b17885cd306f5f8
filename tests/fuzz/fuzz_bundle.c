/*
 * Files of roots: what is read prints as bytes that read back as the same bundle, sorted and each there once; what is
 * not has an error that names the file.
 */
#include "ca/bundle.h"

#include <assert.h>
#include <openssl/err.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct error error = {""};
	CLEANUP(bundle_freep)
	struct bundle *bundle = bundle_read(&(struct pem_file){"f", (const char *)data, n}, &error);
	assert(ERR_peek_error() == 0);
	if (!bundle) {
		assert(text_has_prefix(error.message, "f: "));
		return 0;
	}
	assert(bundle_size(bundle) > 0 && bundle_size(bundle) <= BUNDLE_ROOTS_MAX);
	CLEANUP(text_done) struct text printed = {0};
	bundle_print(bundle, &printed);
	CLEANUP(bundle_freep) struct bundle *again = bundle_read(&(struct pem_file){"f", printed.s, printed.n}, &error);
	assert(again && digest_equal(bundle_digest(again), bundle_digest(bundle)));
	assert(bundle_includes(bundle, again) && bundle_size(again) == bundle_size(bundle));
	return 0;
}

/*
 * Certificate requests: whatever comes, there is an answer with a reason and words, and OpenSSL's queue of errors is
 * empty. A request that is taken has a key, and asked for the caller's name or none.
 */
#include "ca/csr.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct spiffe_id caller;
	struct refusal refusal = {0};
	struct error error;
	bool is_made = spiffe_id_make("cluster.local", "default", "reviews", &caller, &error);
	assert(is_made);
	struct csr *csr = csr_parse(data, n, &refusal);
	bool is_taken = csr && csr_check_identity(csr, &caller, &refusal);
	assert(is_taken == (refusal.reason == REFUSAL_NONE));
	assert(is_taken == (refusal.error.message[0] == '\0'));
	assert(!refusal_is_ours(refusal.reason));
	assert(!csr || csr_key(csr));
	assert(ERR_peek_error() == 0);
	csr_free(csr);
	return 0;
}

/*
 * SPIFFE IDs as a certificate or a request might hold them: what parses prints as the very same bytes, and what does
 * not has a message without a foreign byte in it.
 */
#include "ca/spiffe_id.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct spiffe_id id, again;
	struct error error = {""};
	if (!spiffe_id_parse((const char *)data, n, &id, &error)) {
		assert(error.message[0] != '\0');
		for (const char *c = error.message; *c; c++)
			assert(*c >= ' ' && *c < 0x7f);
		return 0;
	}
	char text[SPIFFE_ID_TEXT];
	spiffe_id_print(&id, text);
	assert(strlen(text) == n && memcmp(text, data, n) == 0);
	assert(spiffe_id_make(id.trust_domain, id.ns, id.account, &again, &error) && spiffe_id_equal(&id, &again));
	return 0;
}

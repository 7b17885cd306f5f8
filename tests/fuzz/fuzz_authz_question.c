/*
 * Lines of requests for `weft authz check`: what is read is a request that a proxy could see; what is not has a reason.
 */
#include "cli/authz_question.h"
#include "translator/address.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_address_or_none(const char *s)
{
	return !s || address_family_of(s) != ADDRESS_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct authz_question defaults = {
	    .request = {.is_http = true, .method = "GET", .path = "/", .port = 80},
	};
	struct arena *arena = arena_new();
	struct authz_question question;
	struct error error = {""};
	if (!authz_question_read(arena, (const char *)data, n, &defaults, &question, &error) ||
	    !authz_question_complete(arena, &question, &error)) {
		assert(error.message[0]);
	} else {
		const struct authz_request *request = &question.request;
		assert(request->port >= 1 && request->port <= 65535);
		assert(request->method && request->path[0] == '/');
		assert(is_address_or_none(request->source_ip) && is_address_or_none(request->remote_ip));
		assert(!question.from == !request->principal);
		assert(!request->principal || !strncmp(request->principal, "spiffe://", strlen("spiffe://")));
		for (size_t i = 0; i < request->n_headers; i++)
			assert(request->headers[i].name && request->headers[i].value);
		assert(!request->claims || request->claims->type == JSON_OBJECT);
	}
	arena_free(arena);
	return 0;
}

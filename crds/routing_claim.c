#include "crds/routing_claim.h"

#include "base/vec.h"

#include <string.h>
#include <strings.h>

static const char prefix[] = "@request.auth.claims";

bool routing_claim_is_meant(const char *name)
{
	return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

/* The text between separators; false: a part is empty. */
static bool split(struct arena *arena, const char *text, size_t n, const char *separator, struct routing_claim *claim)
{
	VEC(const char *) path = {0};
	for (;;) {
		const char *end = memmem(text, n, separator, strlen(separator));
		size_t length = end ? (size_t)(end - text) : n;
		if (length == 0)
			return false;
		VEC_PUSH(arena, &path, arena_strndup(arena, text, length));
		if (!end)
			break;
		text += length + strlen(separator);
		n -= length + strlen(separator);
	}
	*claim = (struct routing_claim){path.v, path.n};
	return true;
}

bool routing_claim_parse(struct arena *arena, const char *name, struct routing_claim *claim)
{
	if (!routing_claim_is_meant(name))
		return false;
	const char *rest = name + strlen(prefix);
	size_t n = strlen(rest);
	if (rest[0] == '.')
		return split(arena, rest + 1, n - 1, ".", claim);
	if (n > 2 && rest[0] == '[' && rest[n - 1] == ']')
		return split(arena, rest + 1, n - 2, "][", claim);
	return false;
}

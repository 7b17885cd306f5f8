#include "server/jwks/openid_configuration.h"

#include "base/json.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_http_url(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if (!isgraph((unsigned char)*s))
			return false;
	return true;
}

const char *openid_configuration_jwks_uri(struct arena *arena, const char *s, size_t n, struct error *error)
{
	const struct json *tree = json_parse(arena, s, n, error);
	if (!tree) {
		error_wrap(error, "the OpenID configuration");
		return NULL;
	}
	const char *uri = json_get_string(tree, "jwks_uri");
	if (!uri) {
		error_set(error, "the OpenID configuration has no \"jwks_uri\" that is a string");
		return NULL;
	}
	if (strlen(uri) > OPENID_URL_MAX || !is_http_url(uri) || !is_printable(uri)) {
		error_set(error, "the OpenID configuration's \"jwks_uri\" is no http or https URL of at most %d bytes",
		          OPENID_URL_MAX);
		return NULL;
	}
	return uri;
}

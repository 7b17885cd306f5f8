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

bool openid_configuration_read(struct arena *arena, const char *s, size_t n, struct openid_configuration *out,
                               struct error *error)
{
	const struct json *tree = json_parse(arena, s, n, error);
	if (!tree)
		return error_wrap(error, "the OpenID configuration");
	const char *uri = json_get_string(tree, "jwks_uri"), *issuer = json_get_string(tree, "issuer");
	if (!uri)
		return error_set(error, "the OpenID configuration has no \"jwks_uri\" that is a string");
	if (strlen(uri) > OPENID_URL_MAX || !is_http_url(uri) || !is_printable(uri))
		return error_set(error,
		                 "the OpenID configuration's \"jwks_uri\" is no http or https URL of at most %d bytes",
		                 OPENID_URL_MAX);
	bool is_issuer = issuer && strlen(issuer) <= OPENID_URL_MAX && is_printable(issuer);
	*out = (struct openid_configuration){.jwks_uri = uri, .issuer = is_issuer ? issuer : NULL};
	return true;
}

#include "server/jwks/openid_configuration.h"

#include "base/text.h"
#include "tests/unit/unit.h"

#include <string.h>

START_TEST(says_where_the_keys_are)
{
	static const struct {
		const char *in, *want; /* NULL: see error */
		const char *error;     /* "" none */
	} rows[] = {
	    {"{\"issuer\":\"https://a\",\"jwks_uri\":\"https://a/keys\",\"x\":[1]}", "https://a/keys", ""},
	    {"{\"jwks_uri\":\"HTTP://a\"}", "HTTP://a", ""},
	    {"{}", NULL, "no \"jwks_uri\""},
	    {"[]", NULL, "no \"jwks_uri\""},
	    {"{\"jwks_uri\":7}", NULL, "no \"jwks_uri\""},
	    {"{\"jwks_uri\":\"\"}", NULL, "no http or https URL"},
	    {"{\"jwks_uri\":\"file:///etc/passwd\"}", NULL, "no http or https URL"},
	    {"{\"jwks_uri\":\"/keys\"}", NULL, "no http or https URL"},
	    {"{\"jwks_uri\":\"https://a/\\n\"}", NULL, "no http or https URL"},
	    {"{\"jwks_uri\":\"https://a b\"}", NULL, "no http or https URL"},
	    {"<html>", NULL, "the OpenID configuration: line 1"},
	    {"", NULL, "the OpenID configuration"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error = {""};
		const char *got = openid_configuration_jwks_uri(arena, rows[i].in, strlen(rows[i].in), &error);
		ck_assert_msg(text_equal(got, rows[i].want), "%s: %s", rows[i].in, got ? got : error.message);
		const char *words = rows[i].error ? rows[i].error : "";
		ck_assert_msg(strstr(error.message, words) != NULL, "%s: %s", rows[i].in, error.message);
	}
}
END_TEST

START_TEST(a_long_url_is_refused)
{
	for (size_t n = OPENID_URL_MAX; n <= OPENID_URL_MAX + 1; n++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(text_done) struct text text = {0};
		struct error error;
		text_add(&text, "{\"jwks_uri\":\"https://");
		for (size_t i = strlen("https://"); i < n; i++)
			text_add_char(&text, 'a');
		text_add(&text, "\"}");
		bool is_taken = openid_configuration_jwks_uri(arena, text.s, text.n, &error) != NULL;
		ck_assert_int_eq(is_taken, n <= OPENID_URL_MAX);
	}
}
END_TEST

UNIT_MAIN("openid_configuration", says_where_the_keys_are, a_long_url_is_refused)

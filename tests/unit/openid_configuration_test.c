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
		struct openid_configuration found = {0};
		bool is_read = openid_configuration_read(arena, rows[i].in, strlen(rows[i].in), &found, &error);
		const char *got = is_read ? found.jwks_uri : NULL;
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
		struct openid_configuration found;
		ck_assert_int_eq(openid_configuration_read(arena, text.s, text.n, &found, &error), n <= OPENID_URL_MAX);
	}
}
END_TEST

/* What cannot be shown to people is as if it did not say. */
START_TEST(says_who_the_issuer_is)
{
	static const struct {
		const char *member, *want;
	} rows[] = {
	    {"", NULL},
	    {",\"issuer\":\"https://a/\"", "https://a/"},
	    {",\"issuer\":\"me\"", "me"},
	    {",\"issuer\":7", NULL},
	    {",\"issuer\":\"a\\nb\"", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error;
		struct openid_configuration found;
		const char *in = arena_printf(arena, "{\"jwks_uri\":\"https://a\"%s}", rows[i].member);
		ck_assert(openid_configuration_read(arena, in, strlen(in), &found, &error));
		ck_assert_msg(text_equal(found.issuer, rows[i].want), "%s", rows[i].member);
	}
}
END_TEST

UNIT_MAIN("openid_configuration", says_where_the_keys_are, a_long_url_is_refused, says_who_the_issuer_is)

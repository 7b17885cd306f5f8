#include "token/jwks.h"

#include "tests/unit/tokens.h"

#include <openssl/core_names.h>

static void add_number(EVP_PKEY *key, const char *parameter, size_t n, struct text *out)
{
	unsigned char bytes[1024];
	BIGNUM *number = NULL;
	ck_assert(EVP_PKEY_get_bn_param(key, parameter, &number));
	n = n ? n : (size_t)BN_num_bytes(number);
	ck_assert_int_eq(BN_bn2binpad(number, bytes, (int)n), (int)n);
	BN_free(number);
	base64url_print(bytes, n, out);
}

/* {"kty":…,"kid":kid,…,more} */
static void print_key(EVP_PKEY *key, const char *kid, const char *more, struct text *out)
{
	bool is_rsa = EVP_PKEY_is_a(key, "RSA");
	size_t n = (size_t)EVP_PKEY_get_bits(key) / 8;
	text_printf(out, "{\"kty\":\"%s\",\"kid\":\"%s\"%s,\"%s\":\"", is_rsa ? "RSA" : "EC", kid, more,
	            is_rsa ? "n" : "x");
	add_number(key, is_rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X, is_rsa ? 0 : n, out);
	text_printf(out, "\",\"%s\":\"", is_rsa ? "e" : "y");
	add_number(key, is_rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y, is_rsa ? 0 : n, out);
	text_add(out, is_rsa ? "\"}" : "\",\"crv\":\"");
	if (!is_rsa)
		text_printf(out, "P-%zu\"}", n * 8);
}

START_TEST(keys_of_ours_are_read_and_others_passed_over)
{
	static const struct {
		const char *key, *more;
		bool is_taken;
	} rows[] = {
	    {"P-256", "", true},
	    {"P-384", "", true},
	    {"RSA 2048", "", true},
	    {"RSA 1024", "", false},
	    {"P-224", "", false},
	    {"P-256", ",\"use\":\"sig\",\"alg\":\"ES256\"", true},
	    {"P-256", ",\"use\":\"enc\"", false},
	    {"P-256", ",\"key_ops\":[\"sign\",\"verify\"]", true},
	    {"P-256", ",\"key_ops\":[\"sign\"]", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key(rows[i].key);
		CLEANUP(text_done) struct text text = {0};
		struct error error;
		size_t n = 0;
		text_add(&text, "{\"keys\":[");
		print_key(key, "k1", rows[i].more, &text);
		text_add(&text, ",{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"s\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		                "\"x\":\"AA\"}]}");
		CLEANUP(jwks_freep) struct jwks *jwks = jwks_read(text.s, text.n, &error);
		ck_assert_msg(jwks != NULL, "row %zu: %s", i, error.message);
		const struct jwks_key *keys = jwks_keys(jwks, &n);
		ck_assert_msg(n == rows[i].is_taken, "row %zu: %zu keys", i, n);
		if (n)
			ck_assert_msg(EVP_PKEY_eq(keys[0].key, key) == 1 && !strcmp(keys[0].kid, "k1"), "row %zu", i);
		ck_assert_msg(ERR_peek_error() == 0, "OpenSSL's queue must be empty");
	}
}
END_TEST

START_TEST(a_broken_set_is_told)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"", "the key set"},
	    {"[]", "a list \"keys\""},
	    {"{\"keys\":{}}", "a list \"keys\""},
	    {"{\"keys\":[1]}", "key 1 of the key set: it has no \"kty\""},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\"}]}", "needs \"n\" and \"e\""},
	    {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"A+==\",\"e\":\"AQAB\"}]}", "base64url"},
	    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}", "32 bytes each"},
	    {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":"
	     "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
	     "no point on P-256"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error error = {""};
		ck_assert_ptr_null(jwks_read(rows[i].text, strlen(rows[i].text), &error));
		ck_assert_msg(strstr(error.message, rows[i].want) != NULL, "row %zu: %s", i, error.message);
		ck_assert_msg(ERR_peek_error() == 0, "OpenSSL's queue must be empty");
	}
}
END_TEST

START_TEST(a_token_is_judged_with_a_set_that_was_read)
{
	CLEANUP(certs_key_freep) EVP_PKEY *rsa = certs_key("RSA 2048"), *ec = certs_key("P-256");
	CLEANUP(text_done) struct text text = {0}, by_ec = {0}, by_rsa = {0}, wrong = {0};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	text_add(&text, "{\"keys\":[");
	print_key(rsa, "r", ",\"alg\":\"RS256\"", &text);
	text_add_char(&text, ',');
	print_key(ec, "e", "", &text);
	text_add(&text, "]}");
	CLEANUP(jwks_freep) struct jwks *jwks = jwks_read(text.s, text.n, &error);
	ck_assert_msg(jwks != NULL, "%s", error.message);
	tokens_make(ec, "ES256", "{\"alg\":\"ES256\"}", TOKENS_CLAIMS, &by_ec);
	tokens_make(rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", TOKENS_CLAIMS, &by_rsa);
	tokens_make(rsa, "RS512", "{\"alg\":\"RS512\",\"kid\":\"r\"}", TOKENS_CLAIMS, &wrong);
	const struct {
		const struct text *token;
		enum token_reason want;
	} rows[] = {{&by_ec, TOKEN_GOOD}, {&by_rsa, TOKEN_GOOD}, {&wrong, TOKEN_UNKNOWN_KEY}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct clock clock = clock_at(NOW_S);
		const struct jwt_policy policy = {jwks, TOKENS_ISSUER, "istio-ca", &clock};
		struct service_account account;
		struct token_refusal refusal = {0};
		const struct jwt *jwt = jwt_parse(arena, rows[i].token->s, rows[i].token->n, &refusal);
		ck_assert_ptr_nonnull(jwt);
		jwt_check(jwt, &policy, &account, &refusal);
		ck_assert_msg(refusal.reason == rows[i].want, "row %zu: %s", i, refusal.error.message);
	}
}
END_TEST

START_TEST(it_has_bounds)
{
	CLEANUP(text_done) struct text many = {0}, large = {0};
	struct error error;
	text_add(&many, "{\"keys\":[");
	for (int i = 0; i <= JWKS_KEYS_MAX; i++)
		text_printf(&many, "%s{\"kty\":\"oct\"}", i ? "," : "");
	text_add(&many, "]}");
	ck_assert_ptr_null(jwks_read(many.s, many.n, &error));
	while (large.n <= JWKS_BYTES_MAX)
		text_add_char(&large, ' ');
	ck_assert_ptr_null(jwks_read(large.s, large.n, &error));
}
END_TEST

UNIT_MAIN("jwks", keys_of_ours_are_read_and_others_passed_over, a_broken_set_is_told,
          a_token_is_judged_with_a_set_that_was_read, it_has_bounds)

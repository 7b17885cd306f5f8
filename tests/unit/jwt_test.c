#include "token/jwt.h"

#include "tests/unit/tokens.h"

static struct clock now(void)
{
	return clock_at(NOW_S);
}

/* TOKEN_GOOD when it is believed. */
static enum token_reason judge_n(const char *s, size_t n, const struct jwks *keys, struct service_account *account,
                                 struct token_refusal *refusal)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct clock clock = now();
	const struct jwt_policy policy = {keys, TOKENS_ISSUER, "istio-ca", &clock};
	*refusal = (struct token_refusal){0};
	*account = (struct service_account){0};
	const struct jwt *jwt = jwt_parse(arena, s, n, refusal);
	if (jwt)
		jwt_check(jwt, &policy, account, refusal);
	ck_assert_msg((refusal->reason == TOKEN_GOOD) == (refusal->error.message[0] == '\0'), "a reason has words");
	ck_assert_msg((refusal->reason == TOKEN_GOOD) == (account->name[0] != '\0'), "who is believed has a name");
	ck_assert_msg(ERR_peek_error() == 0, "OpenSSL's queue must be empty");
	return refusal->reason;
}

static void check(const struct text *token, const struct jwks *keys, const char *name, enum token_reason want)
{
	struct service_account account;
	struct token_refusal refusal;
	enum token_reason got = judge_n(text_get(token), token->n, keys, &account, &refusal);
	ck_assert_msg(got == want, "%s: want %s, got %s: %s", name, token_refusal_label(want), token_refusal_label(got),
	              refusal.error.message);
	ck_assert_msg(token->n < 20 || !strstr(refusal.error.message, token->s + token->n - 12),
	              "%s: the signature is in the message", name);
}

START_TEST(only_listed_algorithms_by_keys_that_fit)
{
	static const struct {
		const char *name, *key, *header, *alg;
		enum token_reason want;
	} rows[] = {
	    {"RS256", "RSA 2048", "{\"alg\":\"RS256\",\"kid\":\"k\"}", "RS256", TOKEN_GOOD},
	    {"RS384", "RSA 2048", "{\"alg\":\"RS384\",\"kid\":\"k\"}", "RS384", TOKEN_GOOD},
	    {"RS512", "RSA 2048", "{\"alg\":\"RS512\",\"kid\":\"k\"}", "RS512", TOKEN_GOOD},
	    {"PS256", "RSA 2048", "{\"alg\":\"PS256\",\"kid\":\"k\"}", "PS256", TOKEN_GOOD},
	    {"ES256", "P-256", "{\"alg\":\"ES256\",\"kid\":\"k\"}", "ES256", TOKEN_GOOD},
	    {"ES384", "P-384", "{\"alg\":\"ES384\",\"kid\":\"k\"}", "ES384", TOKEN_GOOD},
	    {"no kid", "P-256", "{\"alg\":\"ES256\"}", "ES256", TOKEN_GOOD},
	    {"another kid", "P-256", "{\"alg\":\"ES256\",\"kid\":\"l\"}", "ES256", TOKEN_UNKNOWN_KEY},
	    {"none", "P-256", "{\"alg\":\"none\",\"kid\":\"k\"}", "ES256", TOKEN_ALGORITHM},
	    {"None", "P-256", "{\"alg\":\"None\",\"kid\":\"k\"}", "ES256", TOKEN_ALGORITHM},
	    {"HS256", "P-256", "{\"alg\":\"HS256\",\"kid\":\"k\"}", "ES256", TOKEN_ALGORITHM},
	    {"no alg", "P-256", "{\"kid\":\"k\"}", "ES256", TOKEN_ALGORITHM},
	    {"alg a number", "P-256", "{\"alg\":256}", "ES256", TOKEN_MALFORMED},
	    {"ES256 of P-384", "P-384", "{\"alg\":\"ES256\",\"kid\":\"k\"}", "ES256", TOKEN_UNKNOWN_KEY},
	    {"ES384 of P-256", "P-256", "{\"alg\":\"ES384\",\"kid\":\"k\"}", "ES384", TOKEN_UNKNOWN_KEY},
	    {"RS256 of P-256", "P-256", "{\"alg\":\"RS256\",\"kid\":\"k\"}", "ES256", TOKEN_UNKNOWN_KEY},
	    {"RS256 said, PS256 made", "RSA 2048", "{\"alg\":\"RS256\"}", "PS256", TOKEN_SIGNATURE},
	    {"PS256 said, RS256 made", "RSA 2048", "{\"alg\":\"PS256\"}", "RS256", TOKEN_SIGNATURE},
	    {"RS256 said, RS512 made", "RSA 2048", "{\"alg\":\"RS256\"}", "RS512", TOKEN_SIGNATURE},
	    {"crit", "P-256", "{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", "ES256", TOKEN_MALFORMED},
	    {"alg twice", "P-256", "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", "ES256", TOKEN_MALFORMED},
	    {"header a list", "P-256", "[\"ES256\"]", "ES256", TOKEN_MALFORMED},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key(rows[i].key);
		CLEANUP(jwks_freep) struct jwks *keys = jwks_of(key, "k");
		CLEANUP(text_done) struct text token = {0};
		tokens_make(key, rows[i].alg, rows[i].header, TOKENS_CLAIMS, &token);
		check(&token, keys, rows[i].name, rows[i].want);
	}
}
END_TEST

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k\"}"
#define CLAIMS(iss, sub, aud, times, more) "{\"iss\":" iss ",\"sub\":" sub ",\"aud\":" aud "," times more "}"
#define I "\"" TOKENS_ISSUER "\""
#define S "\"" TOKENS_SUBJECT "\""
#define A "\"istio-ca\""
#define K8S(ns, name) ",\"kubernetes.io\":{\"namespace\":" ns ",\"serviceaccount\":{\"name\":" name "}}"

START_TEST(claims_are_what_is_wanted)
{
	static const struct {
		const char *name, *claims;
		enum token_reason want;
	} rows[] = {
	    {"Kubernetes' own", TOKENS_CLAIMS, TOKEN_GOOD},
	    {"aud a string", CLAIMS(I, S, A, TOKENS_TIMES, ""), TOKEN_GOOD},
	    {"aud second of two", CLAIMS(I, S, "[\"x\",\"istio-ca\"]", TOKENS_TIMES, ""), TOKEN_GOOD},
	    {"aud of others", CLAIMS(I, S, "[\"x\"]", TOKENS_TIMES, ""), TOKEN_AUDIENCE},
	    {"aud begins so", CLAIMS(I, S, "\"istio-ca2\"", TOKENS_TIMES, ""), TOKEN_AUDIENCE},
	    {"aud empty", CLAIMS(I, S, "[]", TOKENS_TIMES, ""), TOKEN_AUDIENCE},
	    {"aud an object", CLAIMS(I, S, "{\"istio-ca\":1}", TOKENS_TIMES, ""), TOKEN_AUDIENCE},
	    {"no aud", "{\"iss\":" I ",\"sub\":" S "," TOKENS_TIMES "}", TOKEN_AUDIENCE},
	    {"another issuer", CLAIMS("\"https://evil\"", S, A, TOKENS_TIMES, ""), TOKEN_ISSUER},
	    {"no issuer", "{\"sub\":" S ",\"aud\":" A "," TOKENS_TIMES "}", TOKEN_ISSUER},
	    {"issuer a list", CLAIMS("[" I "]", S, A, TOKENS_TIMES, ""), TOKEN_MALFORMED},
	    {"no end", CLAIMS(I, S, A, "\"iat\":1799999000", ""), TOKEN_MALFORMED},
	    {"end a string", CLAIMS(I, S, A, "\"exp\":\"1800000600\"", ""), TOKEN_MALFORMED},
	    {"end far away", CLAIMS(I, S, A, "\"exp\":9223372036854775807", ""), TOKEN_MALFORMED},
	    {"end negative", CLAIMS(I, S, A, "\"exp\":-1", ""), TOKEN_MALFORMED},
	    {"end with a fraction", CLAIMS(I, S, A, "\"exp\":1800000600.5", ""), TOKEN_GOOD},
	    {"just ended", CLAIMS(I, S, A, "\"exp\":1799999971", ""), TOKEN_GOOD},
	    {"ended", CLAIMS(I, S, A, "\"exp\":1799999970", ""), TOKEN_EXPIRED},
	    {"begins in a moment", CLAIMS(I, S, A, "\"exp\":1800000600,\"nbf\":1800000030", ""), TOKEN_GOOD},
	    {"begins later", CLAIMS(I, S, A, "\"exp\":1800000600,\"nbf\":1800000031", ""), TOKEN_NOT_YET_VALID},
	    {"issued in the future", CLAIMS(I, S, A, "\"exp\":1800000600,\"iat\":1800000031", ""), TOKEN_NOT_YET_VALID},
	    {"no subject", "{\"iss\":" I ",\"aud\":" A "," TOKENS_TIMES "}", TOKEN_SUBJECT},
	    {"a user", CLAIMS(I, "\"jane\"", A, TOKENS_TIMES, ""), TOKEN_SUBJECT},
	    {"one part", CLAIMS(I, "\"system:serviceaccount:default\"", A, TOKENS_TIMES, ""), TOKEN_SUBJECT},
	    {"three parts", CLAIMS(I, "\"system:serviceaccount:a:b:c\"", A, TOKENS_TIMES, ""), TOKEN_SUBJECT},
	    {"empty name", CLAIMS(I, "\"system:serviceaccount:default:\"", A, TOKENS_TIMES, ""), TOKEN_SUBJECT},
	    {"a slash", CLAIMS(I, "\"system:serviceaccount:default:a/b\"", A, TOKENS_TIMES, ""), TOKEN_SUBJECT},
	    {"both agree", CLAIMS(I, S, A, TOKENS_TIMES, K8S("\"default\"", "\"reviews\"")), TOKEN_GOOD},
	    {"another account", CLAIMS(I, S, A, TOKENS_TIMES, K8S("\"default\"", "\"ratings\"")), TOKEN_SUBJECT},
	    {"another namespace", CLAIMS(I, S, A, TOKENS_TIMES, K8S("\"prod\"", "\"reviews\"")), TOKEN_SUBJECT},
	    {"claim without names", CLAIMS(I, S, A, TOKENS_TIMES, ",\"kubernetes.io\":{}"), TOKEN_SUBJECT},
	    {"claim no object", CLAIMS(I, S, A, TOKENS_TIMES, ",\"kubernetes.io\":1"), TOKEN_SUBJECT},
	    {"sub twice", CLAIMS(I, S, A, TOKENS_TIMES, ",\"sub\":" S), TOKEN_MALFORMED},
	    {"no JSON", "iss", TOKEN_MALFORMED},
	    {"nothing", "", TOKEN_MALFORMED},
	};
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	CLEANUP(jwks_freep) struct jwks *keys = jwks_of(key, "k");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text token = {0};
		tokens_make(key, "ES256", HEADER, rows[i].claims, &token);
		check(&token, keys, rows[i].name, rows[i].want);
	}
}
END_TEST

START_TEST(there_are_three_parts_in_one_spelling)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	CLEANUP(jwks_freep) struct jwks *keys = jwks_of(key, "k");
	CLEANUP(text_done) struct text good = {0}, large = {0};
	tokens_make(key, "ES256", HEADER, TOKENS_CLAIMS, &good);
	int claims_end = (int)(strrchr(good.s, '.') - good.s);
	const struct {
		const char *name, *format;
		int n;
	} rows[] = {
	    {"empty", "%.*s", 0},
	    {"two parts", "%.*s", claims_end},
	    {"no signature", "%.*s.", claims_end},
	    {"four parts", "%.*s.", (int)good.n},
	    {"padding", "%.*s=", (int)good.n},
	    {"a space behind", "%.*s ", (int)good.n},
	    {"a space before", " %.*s", (int)good.n},
	    {"a newline", "%.*s\n", (int)good.n},
	    {"dots", "..%.*s", 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text token = {0};
		text_printf(&token, rows[i].format, rows[i].n, good.s);
		check(&token, keys, rows[i].name, TOKEN_MALFORMED);
	}
	check(&good, keys, "the good one", TOKEN_GOOD);
	while (large.n <= JWT_BYTES_MAX)
		text_add_char(&large, 'a');
	check(&large, keys, "too large", TOKEN_TOO_LARGE);
}
END_TEST

/* Whatever one byte becomes: it is never another's token. */
START_TEST(a_changed_byte_is_never_believed)
{
	static const unsigned char flips[] = {1, 2, 4, 8, 16, 32, 64, 128};
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256");
	CLEANUP(jwks_freep) struct jwks *keys = jwks_of(key, "k");
	CLEANUP(text_done) struct text token = {0};
	tokens_make(key, "ES256", HEADER, TOKENS_CLAIMS, &token);
	for (size_t at = 0; at < token.n; at++)
		for (size_t i = 0; i < sizeof flips; i++) {
			struct service_account account;
			struct token_refusal refusal;
			token.s[at] = (char)(token.s[at] ^ flips[i]);
			ck_assert_msg(judge_n(token.s, token.n, keys, &account, &refusal) != TOKEN_GOOD,
			              "byte %zu, flipped by %u", at, flips[i]);
			token.s[at] = (char)(token.s[at] ^ flips[i]);
		}
	check(&token, keys, "unchanged", TOKEN_GOOD);
}
END_TEST

START_TEST(of_several_keys_the_named_one_counts)
{
	CLEANUP(certs_key_freep) EVP_PKEY *key = certs_key("P-256"), *other = certs_key("P-256");
	CLEANUP(jwks_freep) struct jwks *others = jwks_of(other, "k");
	CLEANUP(text_done) struct text token = {0};
	tokens_make(key, "ES256", HEADER, TOKENS_CLAIMS, &token);
	check(&token, others, "another key of that name", TOKEN_SIGNATURE);
}
END_TEST

UNIT_MAIN("jwt", only_listed_algorithms_by_keys_that_fit, claims_are_what_is_wanted,
          there_are_three_parts_in_one_spelling, a_changed_byte_is_never_believed, of_several_keys_the_named_one_counts)

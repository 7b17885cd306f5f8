#include "token/jwks_sift.h"

#include "base/json.h"
#include "tests/unit/unit.h"
#include "token/jwks.h"

#include <string.h>

#define X "zVHttSZSjNLXJgus7ZO_cpPVpt_KErKFo2c3rNDcWcg"
#define Y "zmU2xxAl02LURcPVawCgyWTOPmQORHGbVXrT4JNB8HY"
#define EC(more) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"" more "}"
#define NO_POINT "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" X "\"}"
#define ED(more) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"" more "}"
#define OCT "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}"
#define SET(keys) "{\"keys\":[" keys "]}"
#define FOREIGN (JWKS_TRIED | JWKS_PUBLIC)

START_TEST(what_proxies_can_use_is_left)
{
	static const struct row {
		const char *name, *in;
		unsigned demands;
		const char *want; /* the set */
		const char *why;  /* a key is left out; "" none */
	} rows[] = {
	    {"a key", SET(EC("")), FOREIGN, SET(EC("")), ""},
	    {"its name and algorithm", SET(EC(",\"kid\":\"a\\\"b\",\"alg\":\"ES256\"")), FOREIGN,
	     SET(EC(",\"kid\":\"a\\\"b\",\"alg\":\"ES256\"")), ""},
	    {"a key by itself", EC(""), FOREIGN, SET(EC("")), ""},
	    {"what is not for verifying goes", SET(EC(",\"d\":\"YQ\",\"use\":\"sig\",\"x5c\":[\"MII\"]")), FOREIGN,
	     SET(EC("")), ""},
	    {"padding goes", SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "=\"}"), FOREIGN, SET(ED("")), ""},
	    {"other members", "{\"a\":1,\"keys\":[" EC("") "]}", FOREIGN, SET(EC("")), ""},
	    {"several, one for another use", SET(EC(",\"use\":\"enc\"") "," ED(",\"alg\":\"EdDSA\"")), FOREIGN,
	     SET(ED(",\"alg\":\"EdDSA\"")), "keys[0]"},
	    {"another algorithm", SET(EC(",\"alg\":\"ES384\"")), FOREIGN, SET(""), "alg"},
	    {"another kind", SET("{\"kty\":\"DSA\"}"), FOREIGN, SET(""), "kty"},
	    {"another curve", SET("{\"kty\":\"EC\",\"crv\":\"P-224\",\"x\":\"YQ\",\"y\":\"YQ\"}"), FOREIGN, SET(""),
	     "crv"},
	    {"no kind", SET("{}"), FOREIGN, SET(""), "kty"},
	    {"no object", SET("7"), FOREIGN, SET(""), "kty"},
	    {"a member is not there", SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}"), FOREIGN, SET(""),
	     "\"y\""},
	    {"too short", SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"YQ\"}"), FOREIGN, SET(""), "\"x\""},
	    {"not base64url", SET("{\"kty\":\"oct\",\"k\":\"a+b\"}"), JWKS_ANY, SET(""), "\"k\""},
	    {"RSA, too small", SET("{\"kty\":\"RSA\",\"n\":\"" X "\",\"e\":\"AQAB\"}"), JWKS_ANY, SET(""), "\"n\""},
	    {"no point", SET(NO_POINT "," EC("")), FOREIGN, SET(EC("")), "no point on P-256"},
	    {"no point, not looked at", SET(NO_POINT), JWKS_ANY, SET(NO_POINT), ""},
	    {"a secret of the object", SET(OCT), JWKS_TRIED, SET(OCT), ""},
	    {"a secret of everybody", SET(OCT), FOREIGN, SET(""), "can sign"},
	    {"none", SET(""), FOREIGN, SET(""), ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct jwks_sifted sifted;
		struct error error;
		bool is_set = jwks_sift(arena, row->in, strlen(row->in), row->demands, &sifted, &error);
		ck_assert_msg(is_set, "%s: %s", row->name, error.message);
		ck_assert_msg(strcmp(sifted.s, row->want) == 0, "%s: %s", row->name, sifted.s);
		ck_assert_uint_eq(sifted.n, strlen(row->want));
		ck_assert_msg((strcmp(row->want, SET("")) == 0) == (sifted.n_keys == 0), "%s", row->name);
		ck_assert_msg(*row->why ? strstr(sifted.why.message, row->why) != NULL : !*sifted.why.message, "%s: %s",
		              row->name, sifted.why.message);
		ck_assert_msg(sifted.n_broken == (strcmp(row->name, "no point") == 0), "%s", row->name);
	}
}
END_TEST

START_TEST(what_is_no_set_is_an_error)
{
	static const char *const rows[] = {"",         "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]",
	                                   "\"keys\"", "7"};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct jwks_sifted sifted;
		struct error error = {""};
		ck_assert_msg(!jwks_sift(arena, rows[i], strlen(rows[i]), FOREIGN, &sifted, &error), "%s", rows[i]);
		ck_assert_msg(strstr(error.message, "the key set") != NULL, "%s", error.message);
	}
}
END_TEST

START_TEST(too_many_keys_are_an_error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text set = {0};
	struct jwks_sifted sifted;
	struct error error;
	text_add(&set, "{\"keys\":[");
	for (size_t i = 0; i < JWKS_KEYS_MAX; i++)
		text_printf(&set, "%s" ED(""), i ? "," : "");
	size_t n = set.n;
	text_add(&set, "]}");
	ck_assert(jwks_sift(arena, set.s, set.n, FOREIGN, &sifted, &error));
	ck_assert_uint_eq(sifted.n_keys, JWKS_KEYS_MAX);
	set.n = n;
	text_add(&set, "," ED("") "]}");
	ck_assert(!jwks_sift(arena, set.s, set.n, FOREIGN, &sifted, &error));
	ck_assert(strstr(error.message, "at most 64") != NULL);
}
END_TEST

UNIT_MAIN("jwks_sift", what_proxies_can_use_is_left, what_is_no_set_is_an_error, too_many_keys_are_an_error)

#include "token/jwks_sift.h"

#include "base/json.h"
#include "token/base64url.h"
#include "token/jwks.h"

#include <string.h>

/* What verifying needs of each kind, in base64url; and which algorithms are for it. */
static const struct key_kind {
	const char *kty, *crv; /* crv NULL: the kind has no curves */
	const char *members[2];
	size_t bytes_min, bytes_max; /* of the first member; 0: any */
	const char *algorithms[6];
	bool is_shared; /* the key that verifies also signs */
} kinds[] = {
    {"RSA",
     NULL,
     {"n", "e"},
     JWKS_RSA_BITS_MIN / 8,
     JWKS_RSA_BITS_MAX / 8 + 1,
     {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
     false},
    {"EC", "P-256", {"x", "y"}, 32, 32, {"ES256"}, false},
    {"EC", "P-384", {"x", "y"}, 48, 48, {"ES384"}, false},
    {"EC", "P-521", {"x", "y"}, 66, 66, {"ES512"}, false},
    {"OKP", "Ed25519", {"x"}, 32, 32, {"EdDSA"}, false},
    {"oct", NULL, {"k"}, 0, 0, {"HS256", "HS384", "HS512"}, true},
};

static const struct key_kind *find_kind(const struct json *key)
{
	const char *kty = json_get_string(key, "kty"), *crv = json_get_string(key, "crv");
	for (size_t i = 0; kty && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].kty, kty) != 0)
			continue;
		if (!kinds[i].crv || (crv && strcmp(kinds[i].crv, crv) == 0))
			return &kinds[i];
	}
	return NULL;
}

static bool has_algorithm(const struct key_kind *kind, const char *alg)
{
	for (size_t i = 0; i < sizeof kind->algorithms / sizeof kind->algorithms[0] && kind->algorithms[i]; i++)
		if (strcmp(kind->algorithms[i], alg) == 0)
			return true;
	return false;
}

/* Some write the padding that RFC 7515 leaves out. */
static size_t unpadded(const char *s)
{
	size_t n = strlen(s);
	while (n > 0 && s[n - 1] == '=')
		n--;
	return n;
}

static bool is_sized(struct arena *arena, const struct key_kind *kind, size_t member, const char *value)
{
	size_t n = 0;
	const unsigned char *bytes = base64url_decode(arena, value, unpadded(value), &n);
	if (!bytes || !n)
		return false;
	return member > 0 || !kind->bytes_max || (n >= kind->bytes_min && n <= kind->bytes_max);
}

static void add_member(struct text *out, const char *name, const char *value, size_t n)
{
	text_printf(out, ",\"%s\":", name);
	text_add_json_string(out, value, n);
}

/* False with what is wrong with the key. */
static bool print_key(struct arena *arena, const struct json *key, unsigned demands, struct text *out,
                      struct error *why)
{
	const struct key_kind *kind = find_kind(key);
	const char *alg = json_get_string(key, "alg"), *kid = json_get_string(key, "kid");
	if (!kind)
		return error_set(why, "its kind (kty, crv) is none that proxies know");
	if (kind->is_shared && demands & JWKS_PUBLIC)
		return error_set(why, "it is not only for verifying: whoever reads it can sign");
	if (jwks_key_is_for_others(key))
		return error_set(why, "it is for other uses than verifying signatures (use, key_ops)");
	if (alg && !has_algorithm(kind, alg))
		return error_set(why, "its algorithm (alg) is not for keys of its kind");
	text_printf(out, "{\"kty\":\"%s\"", kind->kty);
	if (kind->crv)
		add_member(out, "crv", kind->crv, strlen(kind->crv));
	for (size_t i = 0; i < sizeof kind->members / sizeof kind->members[0] && kind->members[i]; i++) {
		const char *value = json_get_string(key, kind->members[i]);
		if (!value || !is_sized(arena, kind, i, value))
			return error_set(why, "its \"%s\" is not there, not base64url, or too short or long",
			                 kind->members[i]);
		add_member(out, kind->members[i], value, unpadded(value));
	}
	if (kid)
		add_member(out, "kid", kid, strlen(kid));
	if (alg)
		add_member(out, "alg", alg, strlen(alg));
	text_add_char(out, '}');
	return true;
}

/* Whether it can be loaded: a set with it alone has a key. */
static bool is_sound(const char *key, struct error *why)
{
	CLEANUP(text_done) struct text set = {0};
	size_t n = 0;
	text_printf(&set, "{\"keys\":[%s]}", key);
	CLEANUP(jwks_freep) struct jwks *jwks = jwks_read(text_get(&set), set.n, why);
	if (!jwks)
		return false;
	jwks_keys(jwks, &n);
	return n > 0 || error_set(why, "it is too small or too large");
}

/* jwks_read loads these; what there is of others is sound. */
static bool is_loaded(const struct json *key)
{
	const char *kty = json_get_string(key, "kty");
	return kty && (strcmp(kty, "RSA") == 0 || strcmp(kty, "EC") == 0);
}

static void sift_key(struct arena *arena, const struct json *key, size_t i, unsigned demands, struct text *set,
                     struct jwks_sifted *out)
{
	CLEANUP(text_done) struct text text = {0};
	bool is_good = print_key(arena, key, demands, &text, &out->why);
	if (is_good && demands & JWKS_TRIED && is_loaded(key) && !is_sound(text_get(&text), &out->why)) {
		out->n_broken++;
		is_good = false;
	}
	if (!is_good) {
		error_wrap(&out->why, "keys[%zu]", i);
		return;
	}
	text_printf(set, "%s%s", out->n_keys++ ? "," : "", text_get(&text));
}

bool jwks_sift(struct arena *arena, const char *s, size_t n, unsigned demands, struct jwks_sifted *out,
               struct error *error)
{
	CLEANUP(text_done) struct text set = {0};
	*out = (struct jwks_sifted){0};
	const struct json *tree = json_parse(arena, s, n, error);
	if (!tree)
		return error_wrap(error, "the key set");
	const struct json *keys = json_get(tree, "keys");
	if (tree->type != JSON_OBJECT || (keys && keys->type != JSON_ARRAY) || (!keys && !json_get(tree, "kty")))
		return error_set(error, "the key set must be an object with a list \"keys\" (RFC 7517)");
	size_t n_keys = keys ? keys->array.n : 1;
	if (n_keys > JWKS_KEYS_MAX)
		return error_set(error, "the key set has %zu keys; at most %d are read", n_keys, JWKS_KEYS_MAX);
	text_add(&set, "{\"keys\":[");
	for (size_t i = 0; i < n_keys; i++)
		sift_key(arena, keys ? keys->array.v[i] : tree, i, demands, &set, out);
	text_add(&set, "]}");
	out->s = arena_strndup(arena, text_get(&set), set.n);
	out->n = set.n;
	return true;
}

#include "token/token_key.h"

#include "base/heap.h"
#include "ca/crypto_error.h"
#include "ca/key_policy.h"
#include "ca/keystore_draft.h"
#include "ca/private_key.h"
#include "token/base64url.h"
#include "token/jwt_signature.h"

#include <assert.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAFT ".token-key.pem.new"
#define TOKEN_ID_SIZE 16

struct token_key {
	EVP_PKEY *key;
	char kid[DIGEST_HEX];
	struct jwks *public;
};

void token_key_free(struct token_key *key)
{
	if (!key)
		return;
	jwks_free(key->public);
	EVP_PKEY_free(key->key);
	free(key);
}

const struct jwks *token_key_public(const struct token_key *key)
{
	return key->public;
}

static struct token_key *token_key_of(EVP_PKEY *private)
{
	struct token_key *key = HEAP_NEW(struct token_key);
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(private, &der);
	crypto_must(n > 0);
	key->key = private;
	digest_hex(digest_of(der, (size_t)n), key->kid);
	OPENSSL_free(der);
	key->public = jwks_of(private, key->kid);
	return key;
}

static bool is_p256(EVP_PKEY *key)
{
	char group[32] = "";
	size_t n = 0;
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

/* NULL without an error when there is none. */
static struct token_key *read_from(const struct keystore_folder *folder, bool *is_there, struct error *error)
{
	CLEANUP(keystore_file_done) struct keystore_file file = {0};
	bool is_read = keystore_folder_read(folder, TOKEN_KEY_FILE, &file, error);
	*is_there = file.is_there;
	if (!is_read || !file.is_there || !keystore_check_mode(&file, error))
		return NULL;
	EVP_PKEY *private = private_key_read(&file.pem, error);
	if (private && is_p256(private))
		return token_key_of(private);
	EVP_PKEY_free(private);
	error_set(
	    error,
	    "%s: it must hold one P-256 private key in PEM; restore it from a backup, or remove it to have another "
	    "made, which makes all tokens void",
	    file.pem.name);
	return NULL;
}

static bool make(const struct keystore_folder *folder, struct error *error)
{
	CLEANUP(private_key_wipe) struct text pem = {0};
	CLEANUP(private_key_freep) EVP_PKEY *private = private_key_generate(PRIVATE_KEY_P256, error);
	if (!private)
		return error_wrap(error, "%s", folder->path);
	private_key_print(private, &pem);
	bool is_made = keystore_draft_write(folder, DRAFT, KEYSTORE_KEY_MODE, &pem, error) &&
	               keystore_draft_give_name(folder, DRAFT, TOKEN_KEY_FILE, error);
	unlinkat(folder->fd, DRAFT, 0);
	return is_made;
}

/* Others may have done so before we got the lock. */
static bool make_once(const struct keystore_folder *folder, struct error *error)
{
	CLEANUP(keystore_unlock) int fd = keystore_lock(folder, error);
	return fd >= 0 && (keystore_folder_has(folder, TOKEN_KEY_FILE) || make(folder, error));
}

struct token_key *token_key_keep(const char *path, struct error *error)
{
	bool is_absent = false, is_there = false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder = {.fd = -1};
	if (!keystore_folder_make(path, error) || !keystore_folder_open(&folder, path, &is_absent, error))
		return NULL;
	struct token_key *key = read_from(&folder, &is_there, error);
	if (key || is_there || !make_once(&folder, error))
		return key;
	key = read_from(&folder, &is_there, error);
	if (!key && !is_there)
		error_set(error, "%s/%s: it was taken away while it was made; start again", path, TOKEN_KEY_FILE);
	return key;
}

struct token_key *token_key_read(const char *path, struct error *error)
{
	bool is_absent = false, is_there = false;
	CLEANUP(keystore_folder_done) struct keystore_folder folder = {.fd = -1};
	if (!keystore_folder_open(&folder, path, &is_absent, error))
		return NULL;
	struct token_key *key = read_from(&folder, &is_there, error);
	if (!key && !is_there)
		error_set(error,
		          "%s/%s: there is no token key; weftd makes it when it starts with this state directory", path,
		          TOKEN_KEY_FILE);
	return key;
}

/* ---- signing ---- */

static void print_claims(const struct token_request *request, int64_t now_s, struct text *out)
{
	unsigned char id[TOKEN_ID_SIZE];
	char subject[SERVICE_ACCOUNT_TEXT];
	int is_drawn = RAND_bytes(id, sizeof id);
	assert(is_drawn == 1);
	service_account_print(request->account, subject);
	text_add_char(out, '{');
	text_add_json_member(out, "iss", TOKEN_KEY_ISSUER);
	text_add_json_member(out, "sub", subject);
	text_add_json_member(out, "aud", request->audience);
	text_printf(out, ",\"iat\":%lld,\"exp\":%lld,\"jti\":\"", (long long)now_s, (long long)now_s + request->ttl_s);
	base64url_print(id, sizeof id, out);
	text_add(out, "\"}");
}

bool token_key_sign(const struct token_key *key, const struct token_request *request, const struct clock *clock,
                    struct text *out, struct error *error)
{
	CLEANUP(text_done) struct text header = {0}, claims = {0};
	size_t n_audience = strlen(request->audience), from = out->n;
	if (request->ttl_s < 1 || request->ttl_s > TOKEN_TTL_MAX_S)
		return error_set(error, "a token lasts 1 to %lld seconds, not %lld", (long long)TOKEN_TTL_MAX_S,
		                 (long long)request->ttl_s);
	if (!n_audience || n_audience > TOKEN_AUDIENCE_MAX || !text_is_utf8(request->audience, n_audience))
		return error_set(error, "an audience is UTF-8 of 1 to %d bytes", TOKEN_AUDIENCE_MAX);
	text_printf(&header, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", key->kid);
	print_claims(request, clock_wall_ns(clock) / CLOCK_S, &claims);
	base64url_print(header.s, header.n, out);
	text_add_char(out, '.');
	base64url_print(claims.s, claims.n, out);
	CLEANUP(text_done) struct text signature = {0};
	jwt_signature_print_es256(key->key, out->s + from, out->n - from, &signature);
	text_add_char(out, '.');
	text_add_n(out, signature.s, signature.n);
	return true;
}

#include "ca/public_key.h"

#include "base/heap.h"
#include "ca/crypto_error.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

struct public_key {
	EVP_PKEY *evp;
	struct der bits; /* in info */
	size_t n;
	unsigned char info[];
};

#define CURVES 2

/* Curves that key_policy takes from everybody, and all that stands before an uncompressed point's coordinates. */
#define EC_ID "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
static const struct {
	const char *group;
	size_t n; /* of the whole info */
	struct der head;
} curves[CURVES] = {
    {"P-256", 91, DER_CONST("\x30\x59\x30\x13" EC_ID "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04")},
    {"P-384", 120, DER_CONST("\x30\x76\x30\x10" EC_ID "\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04")},
};

/* A key without a point for each curve: constants, made when they are needed first, and only copied after that. */
static EVP_PKEY *blank[CURVES];
static pthread_once_t is_made = PTHREAD_ONCE_INIT;

static EVP_PKEY *make_blank(const char *group)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	crypto_must(context && EVP_PKEY_paramgen_init(context) == 1 &&
	            EVP_PKEY_CTX_set_group_name(context, group) == 1 && EVP_PKEY_paramgen(context, &key) == 1);
	EVP_PKEY_CTX_free(context);
	return key;
}

static void make_all(void)
{
	for (size_t i = 0; i < CURVES; i++)
		blank[i] = make_blank(curves[i].group);
}

static struct public_key *make(EVP_PKEY *evp, const unsigned char *info, size_t n)
{
	struct public_key *key = heap_alloc(sizeof *key + n);
	key->evp = evp;
	key->n = n;
	memcpy(key->info, info, n);
	struct der range = {key->info, n}, body, algorithm;
	bool is_read = der_read(&range, DER_SEQUENCE, &body) && der_read(&body, DER_SEQUENCE, &algorithm) &&
	               der_read_octets_of_bits(&body, &key->bits);
	assert(is_read);
	return key;
}

static struct public_key *unreadable(struct refusal *refusal)
{
	refusal->reason = REFUSAL_MALFORMED;
	crypto_error_set(&refusal->error, "the public key cannot be read");
	return NULL;
}

/* OpenSSL looks whether the point is on the curve. */
static struct public_key *read_point(size_t curve, struct der info, struct refusal *refusal)
{
	size_t before = curves[curve].head.n - 1; /* the point begins with how it is encoded */
	pthread_once(&is_made, make_all);
	EVP_PKEY *evp = EVP_PKEY_dup(blank[curve]);
	crypto_must(evp != NULL);
	if (EVP_PKEY_set1_encoded_public_key(evp, info.s + before, info.n - before) == 1)
		return make(evp, info.s, info.n);
	EVP_PKEY_free(evp);
	return unreadable(refusal);
}

static struct public_key *decode(struct der info, enum key_use use, struct refusal *refusal)
{
	const unsigned char *at = info.s;
	unsigned char *der = NULL;
	X509_PUBKEY *decoded = d2i_X509_PUBKEY(NULL, &at, (long)info.n);
	if (!decoded || at != info.s + info.n) {
		X509_PUBKEY_free(decoded);
		return unreadable(refusal);
	}
	struct public_key *key = NULL;
	if (key_policy_check(decoded, use, refusal)) {
		EVP_PKEY *evp = X509_PUBKEY_get(decoded);
		int n = i2d_PUBKEY(evp, &der);
		crypto_must(n > 0);
		key = make(evp, der, (size_t)n);
		OPENSSL_free(der);
	}
	X509_PUBKEY_free(decoded);
	return key;
}

static struct public_key *read_any(struct der info, enum key_use use, struct refusal *refusal)
{
	for (size_t i = 0; i < CURVES; i++)
		if (info.n == curves[i].n && memcmp(info.s, curves[i].head.s, curves[i].head.n) == 0)
			return read_point(i, info, refusal);
	return decode(info, use, refusal);
}

struct public_key *public_key_read(struct der info, enum key_use use, struct refusal *refusal)
{
	struct public_key *key = read_any(info, use, refusal);
	crypto_error_clear();
	return key;
}

struct public_key *public_key_of(EVP_PKEY *evp, enum key_use use, struct refusal *refusal)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(evp, &der);
	if (n <= 0)
		return unreadable(refusal);
	struct public_key *key = public_key_read((struct der){der, (size_t)n}, use, refusal);
	OPENSSL_free(der);
	return key;
}

void public_key_free(struct public_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->evp);
	free(key);
}

EVP_PKEY *public_key_evp(const struct public_key *key)
{
	return key->evp;
}

struct der public_key_info(const struct public_key *key)
{
	return (struct der){key->info, key->n};
}

struct der public_key_bits(const struct public_key *key)
{
	return key->bits;
}

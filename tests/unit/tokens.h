#pragma once
/*
 * JSON Web Tokens for tests, good and bad ones: made of the very texts that are given, and signed with OpenSSL here and
 * not by the product.
 */
#include "tests/unit/authorities.h"
#include "token/base64url.h"
#include "token/token_key.h"

#include <openssl/ecdsa.h>

#define TOKENS_ISSUER "https://kubernetes.default.svc"
#define TOKENS_SUBJECT "system:serviceaccount:default:reviews"
#define TOKENS_TIMES "\"iat\":1799999000,\"nbf\":1799999000,\"exp\":1800000600" /* around NOW_S */
#define TOKENS_CLAIMS                                                                                                  \
	"{\"iss\":\"" TOKENS_ISSUER "\",\"sub\":\"" TOKENS_SUBJECT "\",\"aud\":[\"istio-ca\"]," TOKENS_TIMES           \
	",\"kubernetes.io\":{\"namespace\":\"default\",\"pod\":{\"name\":\"reviews-1\",\"uid\":\"u1\"},"               \
	"\"serviceaccount\":{\"name\":\"reviews\",\"uid\":\"u2\"}}}"

/* The signature over s, as it stands in a token, in base64url. alg: "ES256", "RS512", "PS256", …; what HS256 would be.
 */
static inline void tokens_sign(EVP_PKEY *key, const char *alg, const char *s, size_t n, struct text *out)
{
	unsigned char signature[1024];
	size_t n_signature = sizeof signature;
	EVP_PKEY_CTX *parameters = NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	char digest[8];
	snprintf(digest, sizeof digest, "SHA%s", alg + 2);
	int is_done = EVP_DigestSignInit_ex(context, &parameters, digest, NULL, NULL, key, NULL);
	if (alg[0] == 'P')
		is_done = is_done > 0 && EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0 &&
		          EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0;
	is_done = is_done > 0 && EVP_DigestSign(context, signature, &n_signature, (const unsigned char *)s, n) > 0;
	ck_assert(is_done);
	EVP_MD_CTX_free(context);
	if (alg[0] == 'E') {
		const unsigned char *at = signature;
		unsigned char halves[96];
		int half = EVP_PKEY_get_bits(key) / 8;
		ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n_signature);
		ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_r(pair), halves, half), half);
		ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_s(pair), halves + half, half), half);
		ECDSA_SIG_free(pair);
		base64url_print(halves, 2 * (size_t)half, out);
		return;
	}
	base64url_print(signature, n_signature, out);
}

/* Added to out. */
static inline void tokens_make(EVP_PKEY *key, const char *alg, const char *header, const char *claims, struct text *out)
{
	CLEANUP(text_done) struct text signature = {0};
	size_t from = out->n;
	base64url_print(header, strlen(header), out);
	text_add_char(out, '.');
	base64url_print(claims, strlen(claims), out);
	tokens_sign(key, alg, out->s + from, out->n - from, &signature);
	text_add_char(out, '.');
	text_add_n(out, signature.s, signature.n);
}

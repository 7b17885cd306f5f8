#include "ca/csr.h"

#include "base/arena.h"
#include "base/heap.h"
#include "ca/crypto_error.h"
#include "ca/key_policy.h"
#include "ca/pem.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

struct csr {
	X509_REQ *request;
	STACK_OF(X509_EXTENSION) * extensions; /* that it asks for; NULL when it asks for none */
};

static const int signature_algorithms[] = {
    NID_ecdsa_with_SHA256,       NID_ecdsa_with_SHA384,       NID_ecdsa_with_SHA512,
    NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption, NID_sha512WithRSAEncryption,
};

void csr_free(struct csr *csr)
{
	if (!csr)
		return;
	sk_X509_EXTENSION_pop_free(csr->extensions, X509_EXTENSION_free);
	X509_REQ_free(csr->request);
	free(csr);
}

EVP_PKEY *csr_key(const struct csr *csr)
{
	return X509_REQ_get0_pubkey(csr->request);
}

/* OpenSSL's words behind ours. */
static bool malformed(struct refusal *refusal, const char *what)
{
	refusal->reason = REFUSAL_MALFORMED;
	return crypto_error_set(&refusal->error, "%s", what);
}

static bool decode(struct csr *csr, const unsigned char *der, size_t n, struct refusal *refusal)
{
	const unsigned char *at = der;
	csr->request = d2i_X509_REQ(NULL, &at, (long)n);
	if (!csr->request)
		return malformed(refusal, "the certificate request cannot be read");
	if (at != der + n)
		return malformed(refusal, "bytes follow the certificate request");
	return true;
}

static bool decode_pem(struct csr *csr, const void *s, size_t n, struct refusal *refusal)
{
	CLEANUP(pem_reader_freep) struct pem_reader *reader = pem_reader_new(s, n);
	CLEANUP(pem_block_done) struct pem_block block = {0};
	struct error error = {"there is no PEM block"};
	if (!pem_next(reader, &block, &error))
		return refusal_set(refusal, REFUSAL_MALFORMED, "the certificate request cannot be read: %s",
		                   error.message);
	if (strcmp(block.label, "CERTIFICATE REQUEST") != 0 && strcmp(block.label, "NEW CERTIFICATE REQUEST") != 0)
		return refusal_set(refusal, REFUSAL_MALFORMED, "the PEM block is no CERTIFICATE REQUEST");
	if (!pem_is_at_end(reader))
		return refusal_set(refusal, REFUSAL_MALFORMED,
		                   "there must be one certificate request and nothing else");
	return decode(csr, block.der, block.n, refusal);
}

/* DER begins with a SEQUENCE, PEM with dashes (after white space). */
static bool decode_either(struct csr *csr, const char *s, size_t n, struct refusal *refusal)
{
	if (n > CSR_BYTES_MAX)
		return refusal_set(refusal, REFUSAL_TOO_LARGE,
		                   "the certificate request has %zu bytes, at most %u are allowed", n, CSR_BYTES_MAX);
	if (n > 0 && s[0] == 0x30)
		return decode(csr, (const unsigned char *)s, n, refusal);
	size_t skip = 0;
	while (skip < n && strchr(" \t\r\n", s[skip]) && s[skip])
		skip++;
	if (n - skip < 5 || memcmp(s + skip, "-----", 5) != 0)
		return refusal_set(refusal, REFUSAL_MALFORMED, "the certificate request is neither PEM nor DER");
	return decode_pem(csr, s + skip, n - skip, refusal);
}

/* The key first: so what a signature costs to check is bounded. */
static bool check_possession(X509_REQ *request, struct refusal *refusal)
{
	if (!key_policy_check(X509_REQ_get_X509_PUBKEY(request), KEY_USE_WORKLOAD, refusal))
		return false;
	int nid = X509_REQ_get_signature_nid(request);
	bool is_taken = false;
	for (size_t i = 0; i < sizeof signature_algorithms / sizeof signature_algorithms[0]; i++)
		is_taken = is_taken || signature_algorithms[i] == nid;
	if (!is_taken)
		return refusal_set(
		    refusal, REFUSAL_SIGNATURE_ALGORITHM,
		    "the certificate request must be signed by ECDSA or RSA with SHA-256, SHA-384 or SHA-512, "
		    "not by %s",
		    nid ? OBJ_nid2sn(nid) : "an unknown algorithm");
	if (X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1)
		return true;
	refusal->reason = REFUSAL_SIGNATURE;
	return crypto_error_set(&refusal->error, "the certificate request is not signed by the key that is in it");
}

/* In one attribute at most, by either of its two names; OpenSSL would read the first and pass over the others. */
static bool read_extensions(struct csr *csr, struct refusal *refusal)
{
	int n_lists = 0;
	for (int i = 0; i < X509_REQ_get_attr_count(csr->request); i++) {
		X509_ATTRIBUTE *attribute = X509_REQ_get_attr(csr->request, i);
		int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));
		if (nid == NID_ext_req || nid == NID_ms_ext_req)
			n_lists += X509_ATTRIBUTE_count(attribute);
	}
	if (n_lists == 0)
		return true;
	if (n_lists > 1)
		return malformed(refusal, "the certificate request has more than one list of extensions");
	csr->extensions = X509_REQ_get_extensions(csr->request);
	if (!csr->extensions)
		return malformed(refusal, "the extensions in the certificate request cannot be read");
	return true;
}

struct csr *csr_parse(const void *s, size_t n, struct refusal *refusal)
{
	struct csr *csr = HEAP_NEW(struct csr);
	if (decode_either(csr, s, n, refusal) && check_possession(csr->request, refusal) &&
	    read_extensions(csr, refusal)) {
		crypto_error_clear();
		return csr;
	}
	crypto_error_clear();
	csr_free(csr);
	return NULL;
}

/* *value: decoded, or NULL when there is no such extension. False when it stands there twice or cannot be read. */
static bool get_extension(const struct csr *csr, int nid, void **value, struct refusal *refusal)
{
	int state = 0;
	*value = csr->extensions ? X509V3_get_d2i(csr->extensions, nid, &state, NULL) : NULL;
	if (*value || !csr->extensions || state == -1)
		return true;
	refusal->reason = REFUSAL_MALFORMED;
	return crypto_error_set(&refusal->error, "the certificate request's extension %s %s", OBJ_nid2sn(nid),
	                        state == -2 ? "stands there twice" : "cannot be read");
}

static bool check_name(const GENERAL_NAME *name, const struct spiffe_id *caller, struct refusal *refusal)
{
	struct spiffe_id asked;
	struct error error;
	char text[SPIFFE_ID_TEXT], own[SPIFFE_ID_TEXT];
	int type = 0;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	spiffe_id_print(caller, own);
	if (type != GEN_URI)
		return refusal_set(refusal, REFUSAL_EXTRA_NAMES,
		                   "the certificate request asks for a name that is no URI; certificates hold %s alone",
		                   own);
	if (!spiffe_id_parse((const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), &asked,
	                     &error))
		return refusal_set(refusal, REFUSAL_OTHER_IDENTITY, "the certificate request asks for what is %s",
		                   error.message);
	spiffe_id_print(&asked, text);
	if (!spiffe_id_equal(&asked, caller))
		return refusal_set(refusal, REFUSAL_OTHER_IDENTITY,
		                   "the certificate request asks for %s, but the caller is %s", text, own);
	return true;
}

static void general_names_freep(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

static bool check_names(const struct csr *csr, const struct spiffe_id *caller, struct refusal *refusal)
{
	void *value = NULL;
	if (!get_extension(csr, NID_subject_alt_name, &value, refusal))
		return false;
	CLEANUP(general_names_freep) GENERAL_NAMES *names = value;
	int n = names ? sk_GENERAL_NAME_num(names) : 0;
	for (int i = 0; i < n; i++)
		if (!check_name(sk_GENERAL_NAME_value(names, i), caller, refusal))
			return false;
	if (n > 1)
		return refusal_set(refusal, REFUSAL_EXTRA_NAMES,
		                   "the certificate request asks for %d names; certificates hold one", n);
	return true;
}

static bool check_no_authority(const struct csr *csr, struct refusal *refusal)
{
	void *value = NULL;
	if (!get_extension(csr, NID_basic_constraints, &value, refusal))
		return false;
	BASIC_CONSTRAINTS *constraints = value;
	bool is_ca = constraints && constraints->ca;
	BASIC_CONSTRAINTS_free(constraints);
	if (!get_extension(csr, NID_key_usage, &value, refusal))
		return false;
	ASN1_BIT_STRING *usage = value;
	bool is_signing = usage && (ASN1_BIT_STRING_get_bit(usage, 5) || ASN1_BIT_STRING_get_bit(usage, 6));
	ASN1_BIT_STRING_free(usage);
	if (is_ca || is_signing)
		return refusal_set(refusal, REFUSAL_ASKS_FOR_CA,
		                   "the certificate request asks for a certificate that signs others (%s)",
		                   is_ca ? "basicConstraints CA:TRUE" : "keyUsage keyCertSign or cRLSign");
	return true;
}

bool csr_check_identity(const struct csr *csr, const struct spiffe_id *caller, struct refusal *refusal)
{
	bool is_good = check_names(csr, caller, refusal) && check_no_authority(csr, refusal);
	crypto_error_clear();
	return is_good;
}

#include "ca/csr.h"

#include "base/arena.h"
#include "base/heap.h"
#include "ca/crypto_error.h"
#include "ca/csr_parts.h"
#include "ca/pem.h"
#include "ca/signature.h"

#include <openssl/objects.h>
#include <string.h>

struct csr {
	unsigned char *der; /* a copy, which parts points into */
	struct csr_parts parts;
	struct public_key *key;
};

/* What is looked at of the extensions that are asked for (RFC 5280, 4.2.1). */
struct extension {
	const char *name;
	struct der id;
};
static const struct extension subject_alt_name = {"subjectAltName", DER_CONST("\x55\x1d\x11")};
static const struct extension basic_constraints = {"basicConstraints", DER_CONST("\x55\x1d\x13")};
static const struct extension key_usage = {"keyUsage", DER_CONST("\x55\x1d\x0f")};

/* GeneralName's choices: [0] otherName to [8] registeredID, constructed where they are (RFC 5280, 4.2.1.6). */
static const unsigned char name_tags[] = {0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88};
#define NAME_IS_URI 0x86

/* Bits of a key usage that let a key sign certificates or lists of revoked ones: 5 and 6 from the left. */
#define USAGE_SIGNS 0x06

void csr_free(struct csr *csr)
{
	if (!csr)
		return;
	public_key_free(csr->key);
	free(csr->der);
	free(csr);
}

const struct public_key *csr_key(const struct csr *csr)
{
	return csr->key;
}

static bool decode(struct csr *csr, const unsigned char *der, size_t n, struct refusal *refusal)
{
	csr->der = heap_alloc(n);
	memcpy(csr->der, der, n);
	return csr_parts_read((struct der){csr->der, n}, &csr->parts, refusal);
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

/* OpenSSL's. */
static const char *algorithm_name(struct der id)
{
	CLEANUP(text_done) struct text element = {0};
	der_add(&element, DER_OID, id.s, id.n);
	const unsigned char *at = (const unsigned char *)element.s;
	ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &at, (long)element.n);
	int nid = OBJ_obj2nid(object);
	ASN1_OBJECT_free(object);
	return nid ? OBJ_nid2sn(nid) : "an unknown algorithm";
}

/* The key first: so what a signature costs to check is bounded. */
static bool check_possession(struct csr *csr, struct refusal *refusal)
{
	csr->key = public_key_read(csr->parts.public_key, KEY_USE_WORKLOAD, refusal);
	if (!csr->key)
		return false;
	const struct signature_algorithm *algorithm = signature_algorithm_find(csr->parts.algorithm);
	if (!algorithm)
		return refusal_set(
		    refusal, REFUSAL_SIGNATURE_ALGORITHM,
		    "the certificate request must be signed by ECDSA or RSA with SHA-256, SHA-384 or SHA-512, "
		    "not by %s",
		    algorithm_name(csr->parts.algorithm));
	if (signature_check(algorithm, public_key_evp(csr->key), csr->parts.signed_part, csr->parts.signature))
		return true;
	refusal->reason = REFUSAL_SIGNATURE;
	return crypto_error_set(&refusal->error, "the certificate request is not signed by the key that is in it");
}

struct csr *csr_parse(const void *s, size_t n, struct refusal *refusal)
{
	struct csr *csr = HEAP_NEW(struct csr);
	bool is_good = decode_either(csr, s, n, refusal) && check_possession(csr, refusal);
	crypto_error_clear();
	if (is_good)
		return csr;
	csr_free(csr);
	return NULL;
}

static bool unreadable(const struct extension *extension, const char *how, struct refusal *refusal)
{
	return refusal_set(refusal, REFUSAL_MALFORMED, "the certificate request's extension %s %s", extension->name,
	                   how);
}

/* *range: the one element that is its value; empty when there is no such extension. */
static bool get_extension(const struct csr *csr, const struct extension *extension, struct der *range,
                          struct refusal *refusal)
{
	*range = (struct der){0};
	switch (csr_parts_extension(&csr->parts, extension->id, range)) {
	case CSR_EXTENSION_NONE:
		return true;
	case CSR_EXTENSION_ONE:
		return !der_is_done(*range) || unreadable(extension, "cannot be read", refusal);
	case CSR_EXTENSION_TWICE:
		break;
	}
	return unreadable(extension, "stands there twice", refusal);
}

static bool check_name(unsigned tag, struct der name, const struct spiffe_id *caller, struct refusal *refusal)
{
	struct spiffe_id asked;
	struct error error;
	char text[SPIFFE_ID_TEXT], own[SPIFFE_ID_TEXT];
	spiffe_id_print(caller, own);
	if (!memchr(name_tags, (int)tag, sizeof name_tags))
		return unreadable(&subject_alt_name, "cannot be read", refusal);
	if (tag != NAME_IS_URI)
		return refusal_set(refusal, REFUSAL_EXTRA_NAMES,
		                   "the certificate request asks for a name that is no URI; certificates hold %s alone",
		                   own);
	if (!spiffe_id_parse((const char *)name.s, name.n, &asked, &error))
		return refusal_set(refusal, REFUSAL_OTHER_IDENTITY, "the certificate request asks for what is %s",
		                   error.message);
	spiffe_id_print(&asked, text);
	if (!spiffe_id_equal(&asked, caller))
		return refusal_set(refusal, REFUSAL_OTHER_IDENTITY,
		                   "the certificate request asks for %s, but the caller is %s", text, own);
	return true;
}

static bool check_names(const struct csr *csr, const struct spiffe_id *caller, struct refusal *refusal)
{
	struct der range, names, name;
	unsigned tag = 0;
	int n = 0;
	if (!get_extension(csr, &subject_alt_name, &range, refusal))
		return false;
	if (der_is_done(range))
		return true;
	if (!der_read(&range, DER_SEQUENCE, &names) || !der_is_done(range))
		return unreadable(&subject_alt_name, "cannot be read", refusal);
	for (; !der_is_done(names); n++) {
		if (!der_read_any(&names, &tag, &name))
			return unreadable(&subject_alt_name, "cannot be read", refusal);
		if (!check_name(tag, name, caller, refusal))
			return false;
	}
	if (n > 1)
		return refusal_set(refusal, REFUSAL_EXTRA_NAMES,
		                   "the certificate request asks for %d names; certificates hold one", n);
	return true;
}

/* BasicConstraints: SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool read_basic(struct der range, bool *is_ca)
{
	struct der body, value;
	if (!der_read(&range, DER_SEQUENCE, &body) || !der_is_done(range))
		return false;
	if (der_is_next(body, DER_BOOLEAN)) {
		if (!der_read(&body, DER_BOOLEAN, &value))
			return false;
		*is_ca = value.s[0] != 0;
	}
	return (der_is_done(body) || der_read(&body, DER_INTEGER, &value)) && der_is_done(body);
}

static bool read_usage(struct der range, bool *is_signing)
{
	struct der bits;
	if (!der_read(&range, DER_BIT_STRING, &bits) || !der_is_done(range))
		return false;
	*is_signing = bits.n > 1 && (bits.s[1] & USAGE_SIGNS); /* the first byte counts what is not used */
	return true;
}

static bool check_no_authority(const struct csr *csr, struct refusal *refusal)
{
	struct der basic, usage;
	bool is_ca = false, is_signing = false;
	if (!get_extension(csr, &basic_constraints, &basic, refusal) ||
	    !get_extension(csr, &key_usage, &usage, refusal))
		return false;
	if (!der_is_done(basic) && !read_basic(basic, &is_ca))
		return unreadable(&basic_constraints, "cannot be read", refusal);
	if (!der_is_done(usage) && !read_usage(usage, &is_signing))
		return unreadable(&key_usage, "cannot be read", refusal);
	if (is_ca || is_signing)
		return refusal_set(refusal, REFUSAL_ASKS_FOR_CA,
		                   "the certificate request asks for a certificate that signs others (%s)",
		                   is_ca ? "basicConstraints CA:TRUE" : "keyUsage keyCertSign or cRLSign");
	return true;
}

bool csr_check_identity(const struct csr *csr, const struct spiffe_id *caller, struct refusal *refusal)
{
	return check_names(csr, caller, refusal) && check_no_authority(csr, refusal);
}

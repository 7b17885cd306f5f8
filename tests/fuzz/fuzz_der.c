/*
 * DER, against OpenSSL. What our reader takes, OpenSSL takes for the same: each element by its tag and length, and a
 * request as a whole (its key, its signature, the extensions that it asks for). And it is what our writer writes. Of a
 * certificate we read parts without looking into them: where OpenSSL reads it too, they are the same.
 */
#include "ca/certificate.h"
#include "ca/certificate_parts.h"
#include "ca/csr_parts.h"

#include <assert.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#define DEPTH_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Element by element, and what is in those that have elements in them; false where it is not DER. */
static bool rewrite(struct der range, int depth, struct text *out)
{
	struct der value;
	unsigned tag = 0;
	while (!der_is_done(range)) {
		struct der before = range;
		if (depth > DEPTH_MAX || !der_read_any(&range, &tag, &value))
			return false;
		long length = 0;
		int number = 0, class = 0;
		const unsigned char *at = before.s;
		int constructed = ASN1_get_object(&at, &length, &number, &class, (long)before.n);
		assert(!(constructed & 0x81)); /* neither an error nor an indefinite length */
		assert(at == value.s && (size_t)length == value.n);
		assert(tag == (unsigned)(class | constructed | number));
		if (!constructed) {
			der_add(out, tag, value.s, value.n);
			continue;
		}
		size_t opened = der_open(out, tag);
		if (!rewrite(value, depth + 1, out))
			return false;
		der_close(out, opened);
	}
	return true;
}

static void check_rewritten(struct der all)
{
	struct text out = {0};
	if (rewrite(all, 0, &out))
		assert(der_equal(all, (struct der){(const unsigned char *)out.s, out.n}));
	text_done(&out);
}

/* The same request without its subject: its characters are nobody's business here, but are OpenSSL's. */
static void write_without_subject(struct der request, const struct csr_parts *parts, struct text *out)
{
	struct der body, info, version, subject, part = parts->signed_part;
	bool is_read = der_read(&request, DER_SEQUENCE, &body) && der_read(&part, DER_SEQUENCE, &info) &&
	               der_read_whole(&info, DER_INTEGER, &version) && der_read(&info, DER_SEQUENCE, &subject);
	assert(is_read);
	size_t whole = der_open(out, DER_SEQUENCE), signed_part = der_open(out, DER_SEQUENCE);
	der_add_whole(out, version);
	der_add(out, DER_SEQUENCE, NULL, 0);
	der_add_whole(out, info); /* the key, the attributes */
	der_close(out, signed_part);
	body.n -= parts->signed_part.n;
	body.s += parts->signed_part.n;
	der_add_whole(out, body); /* the algorithm, the signature */
	der_close(out, whole);
}

static bool is_string(const ASN1_STRING *string, struct der want)
{
	return der_equal((struct der){ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)}, want);
}

static void check_list(const STACK_OF(X509_EXTENSION) * list, const struct csr_parts *parts)
{
	struct der rest = parts->extensions, body, id, value;
	for (int i = 0; i < sk_X509_EXTENSION_num(list); i++) {
		X509_EXTENSION *extension = sk_X509_EXTENSION_value(list, i);
		const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
		bool is_read = der_read(&rest, DER_SEQUENCE, &body) && der_read(&body, DER_OID, &id) &&
		               (der_read(&body, DER_BOOLEAN, &value) || true) &&
		               der_read(&body, DER_OCTET_STRING, &value);
		assert(is_read);
		assert(der_equal(id, (struct der){OBJ_get0_data(object), OBJ_length(object)}));
		assert(is_string(X509_EXTENSION_get_data(extension), value));
		assert(csr_parts_extension(parts, id, &value) != CSR_EXTENSION_NONE);
	}
	assert(der_is_done(rest));
}

/* OpenSSL reads the list that we found as we do; if it finds one, that is the same. */
static void check_extensions(X509_REQ *request, const struct csr_parts *parts)
{
	struct text text = {0};
	der_add(&text, DER_SEQUENCE, parts->extensions.s, parts->extensions.n);
	const unsigned char *at = (const unsigned char *)text.s;
	STACK_OF(X509_EXTENSION) *ours = d2i_X509_EXTENSIONS(NULL, &at, (long)text.n);
	assert(ours && at == (const unsigned char *)text.s + text.n);
	check_list(ours, parts);
	sk_X509_EXTENSION_pop_free(ours, X509_EXTENSION_free);
	text_done(&text);
	STACK_OF(X509_EXTENSION) *found = X509_REQ_get_extensions(request);
	if (found)
		check_list(found, parts);
	sk_X509_EXTENSION_pop_free(found, X509_EXTENSION_free);
}

static void check_request(struct der all, const struct csr_parts *parts)
{
	struct text text = {0};
	write_without_subject(all, parts, &text);
	const unsigned char *at = (const unsigned char *)text.s;
	X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)text.n);
	assert(request && at == (const unsigned char *)text.s + text.n);
	unsigned char *der = NULL;
	int n = i2d_X509_REQ(request, &der);
	assert(n > 0 && der_equal((struct der){der, (size_t)n}, (struct der){(const unsigned char *)text.s, text.n}));
	OPENSSL_free(der);
	der = NULL;
	n = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &der);
	assert(n > 0 && der_equal((struct der){der, (size_t)n}, parts->public_key));
	OPENSSL_free(der);
	const ASN1_BIT_STRING *signature = NULL;
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *object = NULL;
	X509_REQ_get0_signature(request, &signature, &algorithm);
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	assert(is_string(signature, parts->signature));
	assert(der_equal(parts->algorithm, (struct der){OBJ_get0_data(object), OBJ_length(object)}));
	check_extensions(request, parts);
	X509_REQ_free(request);
	text_done(&text);
}

static bool is_number(const ASN1_INTEGER *number, struct der want)
{
	struct text text = {0};
	unsigned char *der = NULL;
	int n = i2d_ASN1_INTEGER(number, &der);
	assert(n > 0);
	der_add(&text, DER_INTEGER, want.s, want.n);
	bool is_same = der_equal((struct der){der, (size_t)n}, (struct der){(const unsigned char *)text.s, text.n});
	OPENSSL_free(der);
	text_done(&text);
	return is_same;
}

static void check_certificate_extensions(const X509 *certificate, struct der rest)
{
	struct certificate_extension ours;
	for (int i = 0; i < X509_get_ext_count(certificate); i++) {
		X509_EXTENSION *extension = X509_get_ext(certificate, i);
		const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
		bool is_read = certificate_parts_next(&rest, &ours);
		assert(is_read);
		assert(der_equal(ours.id, (struct der){OBJ_get0_data(object), OBJ_length(object)}));
		assert(is_string(X509_EXTENSION_get_data(extension), ours.value));
		assert(ours.is_critical == (X509_EXTENSION_get_critical(extension) == 1));
	}
	assert(der_is_done(rest));
}

static void check_certificate(struct der all, const struct certificate_parts *parts)
{
	const unsigned char *at = all.s;
	X509 *certificate = d2i_X509(NULL, &at, (long)all.n);
	if (!certificate)
		return;
	assert(at == all.s + all.n);
	const ASN1_BIT_STRING *signature = NULL, *issuer_id = NULL, *subject_id = NULL;
	struct der name = {0};
	int64_t ours[2] = {0}, theirs[2] = {0};
	struct error error;
	X509_get0_signature(&signature, NULL, certificate);
	X509_get0_uids(certificate, &issuer_id, &subject_id);
	assert(is_string(signature, parts->signature));
	assert(parts->has_unique_ids == (issuer_id || subject_id));
	assert(is_number(X509_get0_serialNumber(certificate), parts->serial));
	assert(is_string(X509_get0_pubkey_bitstr(certificate), parts->key_bits));
	X509_NAME_get0_der(X509_get_issuer_name(certificate), &name.s, &name.n);
	assert(der_equal(name, parts->issuer));
	assert(der_is_done(parts->subject) == (X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0));
	if (certificate_parts_times(parts, &ours[0], &ours[1])) {
		bool is_read = certificate_times(certificate, &theirs[0], &theirs[1], &error);
		assert(is_read && ours[0] == theirs[0] && ours[1] == theirs[1]);
	}
	check_certificate_extensions(certificate, parts->extensions);
	X509_free(certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct der all = {data, n};
	struct csr_parts parts;
	struct certificate_parts certificate;
	struct refusal refusal = {0};
	int64_t s = 0;
	struct der range = all;
	check_rewritten(all);
	if (csr_parts_read(all, &parts, &refusal))
		check_request(all, &parts);
	else
		assert(refusal.reason == REFUSAL_MALFORMED && refusal.error.message[0]);
	if (certificate_parts_read(all, &certificate))
		check_certificate(all, &certificate);
	if (der_read_time(&range, &s)) {
		struct text out = {0};
		bool is_written = der_add_time(&out, s);
		assert(is_written && out.n == n - range.n && memcmp(out.s, data, out.n) == 0);
		text_done(&out);
	}
	ERR_clear_error(); /* OpenSSL's own, of what only we read */
	return 0;
}

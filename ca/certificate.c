#include "ca/certificate.h"

#include "ca/crypto_error.h"
#include "ca/pem.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define TIME_TEXT 32

void certificates_freep(STACK_OF(X509) * *list)
{
	sk_X509_pop_free(*list, X509_free);
}

void certificate_freep(X509 **certificate)
{
	X509_free(*certificate);
}

static bool add_block(STACK_OF(X509) * list, const struct pem_block *block, struct error *error)
{
	int number = sk_X509_num(list) + 1;
	if (strcmp(block->label, "CERTIFICATE") != 0)
		return error_set(error, "a %s stands among the certificates", block->label);
	if (number > CERTIFICATES_MAX)
		return error_set(error, "it has more than %d certificates", CERTIFICATES_MAX);
	const unsigned char *at = block->der;
	X509 *certificate = d2i_X509(NULL, &at, (long)block->n);
	if (!certificate)
		return crypto_error_set(error, "certificate %d cannot be read", number);
	crypto_must(sk_X509_push(list, certificate) > 0);
	if (at != block->der + block->n)
		return error_set(error, "certificate %d has bytes behind it", number);
	return true;
}

static bool read_all(STACK_OF(X509) * list, const struct pem_file *file, struct error *error)
{
	CLEANUP(pem_reader_freep) struct pem_reader *reader = pem_reader_new(file->s, file->n);
	struct pem_block block;
	while (pem_next(reader, &block, error)) {
		bool is_added = add_block(list, &block, error);
		pem_block_done(&block);
		if (!is_added)
			return false;
	}
	if (pem_is_broken(reader))
		return false;
	if (sk_X509_num(list) == 0)
		return error_set(error, "there is no certificate in it");
	return true;
}

STACK_OF(X509) * certificates_read(const struct pem_file *file, struct error *error)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	crypto_must(list != NULL);
	if (read_all(list, file, error))
		return list;
	sk_X509_pop_free(list, X509_free);
	error_wrap(error, "%s", file->name);
	return NULL;
}

static bool seconds_of(const ASN1_TIME *time, int64_t *s)
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(time, &tm))
		return false;
	*s = timegm(&tm);
	return true;
}

bool certificate_times(const X509 *certificate, int64_t *begin_s, int64_t *end_s, struct error *error)
{
	if (seconds_of(X509_get0_notBefore(certificate), begin_s) && seconds_of(X509_get0_notAfter(certificate), end_s))
		return true;
	return crypto_error_set(error, "its validity cannot be read");
}

static const char *print_time(int64_t s, char text[TIME_TEXT])
{
	struct tm tm;
	time_t time = s;
	bool is_printed = gmtime_r(&time, &tm) && strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return is_printed ? text : "a time that no calendar has";
}

bool certificate_check_time(const X509 *cert, int64_t now_s, struct error *error)
{
	int64_t begin_s = 0, end_s = 0;
	char then[TIME_TEXT], now[TIME_TEXT];
	if (!certificate_times(cert, &begin_s, &end_s, error))
		return false;
	if (now_s < begin_s)
		return error_set(error, "it is not valid before %s, and now is %s", print_time(begin_s, then),
		                 print_time(now_s, now));
	if (now_s >= end_s)
		return error_set(error, "it expired at %s, and now is %s", print_time(end_s, then),
		                 print_time(now_s, now));
	return true;
}

bool certificate_check_signs(X509 *certificate, struct error *error)
{
	uint32_t flags = X509_get_extension_flags(certificate);
	if (flags & EXFLAG_INVALID)
		return crypto_error_set(error, "its extensions cannot be read");
	if (X509_get_version(certificate) != X509_VERSION_3 || !(flags & EXFLAG_CA))
		return error_set(error, "it is not for an authority: basicConstraints must be CA:TRUE");
	if (!(X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN)) /* all bits, when there is no such extension */
		return error_set(error, "it is not for signing certificates: keyUsage has no keyCertSign");
	return true;
}

struct digest certificate_digest(const X509 *certificate)
{
	unsigned char *der = NULL;
	int n = i2d_X509(certificate, &der);
	crypto_must(n > 0);
	struct digest digest = digest_of(der, (size_t)n);
	OPENSSL_free(der);
	return digest;
}

void certificate_print(const X509 *certificate, struct text *out)
{
	unsigned char *der = NULL;
	int n = i2d_X509(certificate, &der);
	crypto_must(n > 0);
	pem_print("CERTIFICATE", der, (size_t)n, out);
	OPENSSL_free(der);
}

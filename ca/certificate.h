#pragma once
/*
 * What is asked of any X.509 certificate: reading it from a file, its times, its name by content, printing it.
 */
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define CERTIFICATES_MAX 64 /* in one file */

/* A file as it was read; the name is for messages. */
struct pem_file {
	const char *name;
	const char *s;
	size_t n;
};

/* All certificates of a file, in order; anything else in it is an error, and so is none. sk_X509_pop_free frees. */
STACK_OF(X509) * certificates_read(const struct pem_file *file, struct error *error);
void certificates_freep(STACK_OF(X509) * *list);
void certificate_freep(X509 **certificate);

/* First and last second, since 1970. */
bool certificate_times(const X509 *certificate, int64_t *begin_s, int64_t *end_s, struct error *error);
/* Whether it is in its time; the error says both. */
bool certificate_check_time(const X509 *certificate, int64_t now_s, struct error *error);
/* Version 3, CA:TRUE, and a key usage that lets it sign certificates (RFC 5280, 4.2.1.3 and 4.2.1.9). */
bool certificate_check_signs(X509 *certificate, struct error *error);
struct digest certificate_digest(const X509 *certificate); /* of its DER */
void certificate_print(const X509 *certificate, struct text *out);

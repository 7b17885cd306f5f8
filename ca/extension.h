#pragma once
/*
 * The extensions of the certificates we make (RFC 5280, 4.2.1), built from values. OpenSSL's own way from text
 * ("URI:…,DNS:…") is never used: in it a name with a comma would be two.
 */
#include "ca/spiffe_id.h"

#include <openssl/x509.h>
#include <stddef.h>

#define EXTENSION_SKI_SIZE 20

#define EXTENSION_LEAF (-1)
/* path_length: how many authorities may stand below, or EXTENSION_LEAF; critical */
void extension_add_basic(X509 *certificate, int path_length);
/* Bits of KU_DIGITAL_SIGNATURE …; critical */
void extension_add_key_usage(X509 *certificate, unsigned usage);
void extension_add_server_and_client(X509 *certificate);
/* One URI for an id (NULL: none), then host names; critical, as the subject is empty (4.2.1.6). */
void extension_add_names(X509 *certificate, const struct spiffe_id *id, const char *const *dns, size_t n_dns);
/* The same one URI, in a request. */
void extension_ask_name(X509_REQ *request, const struct spiffe_id *id);
/* By RFC 7093, method 1: SHA-256 of the key cut to 160 bits. The certificate has its key. */
void extension_add_subject_key(X509 *certificate);
void extension_key_digest(const X509 *certificate, unsigned char digest[EXTENSION_SKI_SIZE]);
/* As the issuer has it; left out when the issuer has none. */
void extension_add_authority_key(X509 *certificate, X509 *issuer);

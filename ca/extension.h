#pragma once
/*
 * The extensions of what OpenSSL makes for us, a self-signed authority and a request (RFC 5280, 4.2.1), built from
 * values. OpenSSL's own way from text ("URI:…,DNS:…") is never used: in it a name with a comma would be two.
 */
#include "ca/spiffe_id.h"

#include <openssl/x509.h>
#include <stddef.h>

#define EXTENSION_SKI_SIZE 20

/* Of an authority; path_length: how many others may stand below; critical */
void extension_add_basic(X509 *certificate, int path_length);
/* Bits of KU_DIGITAL_SIGNATURE …; critical */
void extension_add_key_usage(X509 *certificate, unsigned usage);
/* By RFC 7093, method 1: SHA-256 of the key cut to 160 bits. The certificate has its key. */
void extension_add_subject_key(X509 *certificate);
/* One URI, in a request. */
void extension_ask_name(X509_REQ *request, const struct spiffe_id *id);

#pragma once
/*
 * Private keys as files and from nothing. What passes through here is wiped, and no message says any of it.
 */
#include "ca/certificate.h"

/* One key, PKCS #8 or of its own kind (EC, RSA), not encrypted: there is nobody to ask for a password. */
EVP_PKEY *private_key_read(const struct pem_file *file, struct error *error);
void private_key_freep(EVP_PKEY **key);
enum private_key_type { PRIVATE_KEY_P256, PRIVATE_KEY_RSA_2048 };

EVP_PKEY *private_key_generate(enum private_key_type type, struct error *error);
/* PKCS #8 in PEM. out is empty before, and the caller's to end with private_key_wipe. */
void private_key_print(EVP_PKEY *key, struct text *out);
void private_key_wipe(struct text *key); /* as text_done, after overwriting; for CLEANUP */
/* Whether it is the certificate's: by signing, which also tells whether the key is whole. */
bool private_key_belongs(EVP_PKEY *key, X509 *certificate);

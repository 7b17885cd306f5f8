#pragma once
/*
 * A certificate signing request (PKCS #10, RFC 2986, section 4) cut into its parts: how it is made, and not yet whether
 * it is right. All parts lie in the bytes that were given.
 *
 *     SEQUENCE { SEQUENCE { version, subject, public key, [0] SET OF attribute }, algorithm, BIT STRING }
 */
#include "ca/der.h"
#include "ca/refusal.h"

struct csr_parts {
	struct der signed_part; /* what the signature is over */
	struct der public_key;  /* a whole SubjectPublicKeyInfo */
	struct der algorithm;   /* of the signature: an OBJECT IDENTIFIER's value */
	struct der signature;
	struct der extensions; /* asked for: extensions one behind the other, each well-formed; empty for none */
};

bool csr_parts_read(struct der request, struct csr_parts *parts, struct refusal *refusal);

enum csr_extension { CSR_EXTENSION_NONE, CSR_EXTENSION_ONE, CSR_EXTENSION_TWICE };
/* By an OBJECT IDENTIFIER's value; *value is what is in its OCTET STRING, when there is one. */
enum csr_extension csr_parts_extension(const struct csr_parts *parts, struct der id, struct der *value);

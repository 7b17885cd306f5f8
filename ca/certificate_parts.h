#pragma once
/*
 * A certificate cut into its parts (RFC 5280, 4.1): how it is made, and not yet whether it is right. All parts lie in
 * the bytes that were given.
 *
 *     SEQUENCE { SEQUENCE { version, serial, algorithm, issuer, validity, subject, public key, …, extensions },
 *                algorithm, BIT STRING }
 */
#include "ca/der.h"

struct certificate_parts {
	struct der signed_part;                /* what the signature is over */
	struct der version;                    /* what is in [0]; empty when it is left out */
	struct der serial;                     /* an INTEGER's value */
	struct der algorithm, outer_algorithm; /* whole; they should be the same */
	struct der issuer;                     /* whole */
	struct der validity, subject;          /* what is in them */
	struct der public_key;                 /* a whole SubjectPublicKeyInfo */
	struct der key_bits;                   /* what is in its BIT STRING */
	bool has_unique_ids;                   /* fields that nobody uses */
	struct der extensions;                 /* one behind the other, each well-formed; empty for none */
	struct der signature;
};

bool certificate_parts_read(struct der certificate, struct certificate_parts *parts);
bool certificate_parts_times(const struct certificate_parts *parts, int64_t *begin_s, int64_t *end_s);

struct certificate_extension {
	struct der id, value; /* of an OBJECT IDENTIFIER; of an OCTET STRING */
	bool is_critical;
};
/* The one in front of a range of them. */
bool certificate_parts_next(struct der *extensions, struct certificate_extension *extension);

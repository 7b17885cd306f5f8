#pragma once
/*
 * PEM files cut into blocks (RFC 7468): text between blocks is passed over, what stands in a block must be base64.
 *
 *     struct pem_reader *reader = pem_reader_new(s, n);
 *     struct pem_block block;
 *     while (pem_next(reader, &block, &error)) {  use(block.label, block.der, block.n);  pem_block_done(&block); }
 *     if (pem_is_broken(reader)) …                            else the file ended
 *
 * A block may be a private key: it is wiped when it is done with.
 */
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define PEM_BYTES_MAX (1u << 20) /* of one file; a larger one is broken from the start */

struct pem_reader;

struct pem_block {
	char *label; /* "CERTIFICATE" */
	unsigned char *der;
	size_t n;
	bool is_encrypted; /* by RFC 1421's headers */
};

struct pem_reader *pem_reader_new(const void *s, size_t n); /* s is borrowed */
void pem_reader_free(struct pem_reader *reader);
static inline void pem_reader_freep(struct pem_reader **reader)
{
	pem_reader_free(*reader);
}
/* False at the end, and with an error where the file is broken, or ends within a block: what is cut is not what is
 * short.
 */
bool pem_next(struct pem_reader *reader, struct pem_block *block, struct error *error);
bool pem_is_broken(const struct pem_reader *reader);
void pem_block_done(struct pem_block *block); /* twice is fine */

/* Whether there is nothing but white space left: for files that must hold nothing else. */
bool pem_is_at_end(const struct pem_reader *reader);

/* One block is added to out. Not for private keys, which leave copies behind: private_key_print. */
void pem_print(const char *label, const void *der, size_t n, struct text *out);

#include "ca/pem.h"

#include "base/heap.h"
#include "ca/crypto_error.h"

#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define LINE_BYTES 48 /* 64 characters (RFC 7468, 2) */
#define BORDER 5      /* hyphens that a line around a block begins with */

struct pem_reader {
	BIO *bio; /* over the caller's bytes */
	size_t n;
	bool is_broken;
};

struct pem_reader *pem_reader_new(const void *s, size_t n)
{
	struct pem_reader *reader = HEAP_NEW(struct pem_reader);
	reader->n = n;
	if (n > PEM_BYTES_MAX)
		n = 0; /* pem_next says so */
	reader->bio = BIO_new_mem_buf(n ? s : "", (int)n);
	crypto_must(reader->bio != NULL);
	return reader;
}

void pem_reader_free(struct pem_reader *reader)
{
	if (!reader)
		return;
	BIO_free(reader->bio);
	free(reader);
}

struct rest {
	const char *s;
	size_t n;
};

/* What has not been read. */
static struct rest rest_of(const struct pem_reader *reader)
{
	char *s = NULL;
	long n = BIO_get_mem_data(reader->bio, &s);
	return (struct rest){s, n > 0 ? (size_t)n : 0};
}

/* Whether a line begins as those around blocks do, or breaks off while it may. */
static bool has_border(struct rest rest)
{
	const char *end = rest.s + rest.n, *next;
	for (const char *line = rest.s; line < end; line = next) {
		const char *stop = memchr(line, '\n', (size_t)(end - line)), *at = line;
		next = stop ? stop + 1 : end;
		while (at < next && at - line < BORDER && *at == '-')
			at++;
		if (at - line == BORDER || (at > line && at == end))
			return true;
	}
	return false;
}

/* No further block was read out of what was left before: why not; false: there is none. */
static bool find_fault(const struct pem_reader *reader, struct rest before, struct error *error)
{
	bool has_none = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	bool is_at_end = rest_of(reader).n == 0;
	if (has_none && !has_border(before))
		return false;
	if (is_at_end)
		error_set(error, "it ends in the middle of a PEM block; copy the whole file");
	else
		crypto_error_set(error, "no PEM block can be read");
	return true;
}

bool pem_next(struct pem_reader *reader, struct pem_block *block, struct error *error)
{
	char *headers = NULL;
	long n = 0;
	*block = (struct pem_block){0};
	if (reader->n > PEM_BYTES_MAX) {
		reader->is_broken = true;
		return error_set(error, "it has %zu bytes, at most %u are allowed", reader->n, PEM_BYTES_MAX);
	}
	if (reader->is_broken)
		return error_set(error, "it is broken further up");
	struct rest before = rest_of(reader);
	if (!PEM_read_bio(reader->bio, &block->label, &headers, &block->der, &n)) {
		reader->is_broken = find_fault(reader, before, error);
		crypto_error_clear();
		return false;
	}
	block->n = (size_t)n;
	block->is_encrypted = strstr(headers, "ENCRYPTED") != NULL;
	OPENSSL_free(headers);
	crypto_error_clear();
	return true;
}

bool pem_is_broken(const struct pem_reader *reader)
{
	return reader->is_broken;
}

void pem_block_done(struct pem_block *block)
{
	OPENSSL_free(block->label);
	OPENSSL_clear_free(block->der, block->n);
	*block = (struct pem_block){0};
}

bool pem_is_at_end(const struct pem_reader *reader)
{
	struct rest rest = rest_of(reader);
	for (size_t i = 0; i < rest.n; i++)
		if (!isspace((unsigned char)rest.s[i]))
			return false;
	return true;
}

void pem_print(const char *label, const void *der, size_t n, struct text *out)
{
	unsigned char line[LINE_BYTES / 3 * 4 + 1];
	text_printf(out, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < n; at += LINE_BYTES) {
		size_t part = n - at < LINE_BYTES ? n - at : LINE_BYTES;
		int n_characters = EVP_EncodeBlock(line, (const unsigned char *)der + at, (int)part);
		text_add_n(out, line, (size_t)n_characters);
		text_add_char(out, '\n');
	}
	text_printf(out, "-----END %s-----\n", label);
}

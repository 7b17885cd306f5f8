#pragma once
/*
 * YAML to json.h trees (libyaml), each scalar meaning what it means to Kubernetes (sigs.k8s.io/yaml: YAML 1.1, in which
 * yes, no, on, off, y and n are booleans and 010 is eight; yaml_scalar.c has the table).
 *
 * A file is a stream of documents. Each is parsed by itself, so an error in one leaves the others standing: the error
 * names line and column, and reading goes on at the next `---` line. Empty documents are skipped.
 *
 *     struct yaml_reader reader; yaml_reader_init(&reader, s, n);
 *     while (yaml_reader_next(&reader, arena, &document)) {
 *         if (!document.value) complain(document.line, document.error.message);
 *         else use(document.value);
 *     }
 *
 * Caps: YAML_BYTES_MAX a file, JSON_BYTES_MAX a document, JSON_DEPTH_MAX levels, JSON_VALUES_MAX values after aliases
 * are expanded (so "billion laughs" ends with an error, not with memory), no merge keys beyond the same caps, no tags
 * but the core schema's.
 */
#include "base/json.h"

#define YAML_BYTES_MAX (32u << 20) /* of one file; a larger one is refused whole */

struct yaml_document {
	const struct json *value; /* NULL: see error */
	uint32_t line;            /* where the document starts, from 1 */
	struct error error;       /* "line 3, column 5: …" */
};

struct yaml_reader {
	const char *s;
	size_t n;
	size_t at;     /* start of the rest */
	uint32_t line; /* its line, from 1 */
};

void yaml_reader_init(struct yaml_reader *reader, const char *s, size_t n); /* s is borrowed */
bool yaml_reader_next(struct yaml_reader *reader, struct arena *arena, struct yaml_document *document);

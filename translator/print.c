#include "translator/print.h"

#include "proto/codec.h"
#include "proto/pack.h"
#include "translator/emit.h"

#include <assert.h>
#include <string.h>

#define PRINT_INDENT 2

/* The order in which a reader follows a request. */
static const enum resource_type print_order[] = {
    RESOURCE_LISTENER, RESOURCE_ROUTE, RESOURCE_CLUSTER, RESOURCE_ENDPOINTS, RESOURCE_SECRET,
};

_Static_assert(sizeof print_order / sizeof print_order[0] == RESOURCE_TYPE_COUNT, "each type is printed once");

static void print_spaces(struct text *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_add_char(out, ' ');
}

/* Adds lines, each but the first moved right. Strings in JSON hold no raw newline, so every newline here is layout. */
static void print_shifted(const struct text *lines, size_t shift, struct text *out)
{
	const char *s = text_get(lines), *end = s + lines->n;

	while (s < end) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		if (!newline) {
			text_add_n(out, s, (size_t)(end - s));
			return;
		}
		text_add_n(out, s, (size_t)(newline + 1 - s));
		print_spaces(out, shift);
		s = newline + 1;
	}
}

static void print_resource(const struct resource *resource, struct text *out)
{
	const ProtobufCMessageDescriptor *type = pack_find_type(resource_types[resource->type].type_url);
	assert(type);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *message =
	    unpack_own(arena, type, resource->body + resource->value_at, resource->body_n - resource->value_at);
	CLEANUP(text_done) struct text lines = {0};

	if (resource_types[resource->type].is_confidential)
		emit_redact(arena, resource, message);
	codec_print(message, PRINT_INDENT, &lines);
	print_shifted(&lines, 2 * PRINT_INDENT, out);
}

/* Merges two sets by name. */
static void print_sets(const struct resource_set *a, const struct resource_set *b, struct text *out)
{
	size_t i = 0, j = 0, n_a = a ? a->n : 0, n_b = b ? b->n : 0;
	bool is_first = true;

	while (i < n_a || j < n_b) {
		int order = i == n_a ? 1 : j == n_b ? -1 : strcmp(a->v[i]->name, b->v[j]->name);
		const struct resource *next = order <= 0 ? a->v[i++] : b->v[j++];
		if (order == 0)
			j++;
		text_add(out, is_first ? "[\n" : ",\n");
		print_spaces(out, 2 * PRINT_INDENT);
		print_resource(next, out);
		is_first = false;
	}
	if (is_first) {
		text_add(out, "[]");
		return;
	}
	text_add_char(out, '\n');
	print_spaces(out, PRINT_INDENT);
	text_add_char(out, ']');
}

static void print_rows(const struct report *report, size_t indent, struct text *out)
{
	if (!report || !report->n) {
		text_add(out, "[]");
		return;
	}
	text_add(out, "[\n");
	for (size_t i = 0; i < report->n; i++) {
		print_spaces(out, indent + PRINT_INDENT);
		report_row_print_json(&report->rows[i], out);
		text_add(out, i + 1 < report->n ? ",\n" : "\n");
	}
	print_spaces(out, indent);
	text_add_char(out, ']');
}

void print_report(const struct report *report, struct text *out)
{
	print_rows(report, 0, out);
	text_add_char(out, '\n');
}

void print_config(const struct report *report, struct resource_set *const *view, struct resource_set *const *workload,
                  struct text *out)
{
	text_add(out, "{\n  \"report\": ");
	print_rows(report, PRINT_INDENT, out);
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++) {
		enum resource_type type = print_order[i];
		text_printf(out, ",\n  \"%s\": ", resource_types[type].plural);
		print_sets(view ? view[type] : NULL, workload ? workload[type] : NULL, out);
	}
	text_add(out, "\n}\n");
}

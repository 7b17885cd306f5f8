#include "translator/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const severity_names[] = {
    [REPORT_ERROR] = "error",
    [REPORT_WARNING] = "warning",
    [REPORT_INFO] = "info",
};

static const char *const reason_names[REASON_COUNT] = {
    [REASON_UNREADABLE] = "Unreadable",
    [REASON_UNKNOWN_FIELD] = "UnknownField",
    [REASON_INVALID_VALUE] = "InvalidValue",
    [REASON_CONFLICT] = "Conflict",
    [REASON_HOST_NOT_FOUND] = "HostNotFound",
    [REASON_SUBSET_NOT_FOUND] = "SubsetNotFound",
    [REASON_PORT_NOT_FOUND] = "PortNotFound",
    [REASON_GATEWAY_NOT_FOUND] = "GatewayNotFound",
    [REASON_SECRET_NOT_FOUND] = "SecretNotFound",
    [REASON_EXPIRED] = "Expired",
    [REASON_PROVIDER_NOT_FOUND] = "ProviderNotFound",
    [REASON_NOT_SUPPORTED] = "NotSupported",
    [REASON_NO_EFFECT] = "NoEffect",
};

const char *report_severity_name(enum report_severity severity)
{
	return severity_names[severity];
}

const char *report_reason_name(enum report_reason reason)
{
	return reason_names[reason];
}

static struct report_row *push(struct report *report)
{
	if (report->n == report->cap) {
		size_t cap = report->cap ? report->cap * 2 : 8;
		struct report_row *rows = ARENA_NEW_N(report->arena, struct report_row, cap);
		if (report->n)
			memcpy(rows, report->rows, report->n * sizeof *rows);
		report->rows = rows;
		report->cap = cap;
	}
	return &report->rows[report->n++];
}

static const char *copy(struct arena *arena, const char *s)
{
	return s ? arena_strdup(arena, s) : NULL;
}

void report_add(struct report *report, const struct object *object, enum report_severity severity,
                enum report_reason reason, const char *field, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	*push(report) = (struct report_row){
	    .severity = severity,
	    .reason = reason,
	    .kind = kinds[object->kind].kind,
	    .namespace = copy(report->arena, object->namespace),
	    .name = copy(report->arena, object->name),
	    .field = copy(report->arena, field),
	    .message = arena_vprintf(report->arena, format, args),
	    .file = copy(report->arena, object->origin.file),
	    .line = object->origin.line,
	};
	va_end(args);
}

void report_add_row(struct report *report, const struct report_row *row)
{
	*push(report) = (struct report_row){
	    .severity = row->severity,
	    .reason = row->reason,
	    .kind = copy(report->arena, row->kind),
	    .namespace = copy(report->arena, row->namespace),
	    .name = copy(report->arena, row->name),
	    .field = copy(report->arena, row->field),
	    .message = copy(report->arena, row->message),
	    .file = copy(report->arena, row->file),
	    .line = row->line,
	};
}

/* NULL before everything. */
static int compare_strings(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int report_row_compare(const struct report_row *a, const struct report_row *b)
{
	const int orders[] = {
	    compare_strings(a->file, b->file),       compare_numbers(a->line, b->line),
	    compare_strings(a->kind, b->kind),       compare_strings(a->namespace, b->namespace),
	    compare_strings(a->name, b->name),       compare_strings(a->field, b->field),
	    compare_strings(a->message, b->message), compare_numbers(a->severity, b->severity),
	    compare_numbers(a->reason, b->reason),
	};
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
		if (orders[i] != 0)
			return orders[i];
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	return report_row_compare(a, b);
}

void report_sort(struct report *report)
{
	if (report->n == 0)
		return;
	qsort(report->rows, report->n, sizeof *report->rows, compare_rows);
	size_t n = 1;
	for (size_t i = 1; i < report->n; i++)
		if (report_row_compare(&report->rows[n - 1], &report->rows[i]) != 0)
			report->rows[n++] = report->rows[i];
	report->n = n;
}

bool report_has_errors(const struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		if (report->rows[i].severity == REPORT_ERROR)
			return true;
	return false;
}

/* "VirtualService/default/reviews"; as much of it as is known, "" when nothing is. */
static void print_object(const struct report_row *row, struct text *out)
{
	const char *const parts[] = {row->kind, row->namespace, row->name};
	bool is_first = true;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && row->kind; i++) {
		if (text_is_empty(parts[i]))
			continue;
		text_printf(out, "%s%s", is_first ? "" : "/", parts[i]);
		is_first = false;
	}
}

static void print_member(struct text *out, const char *key, const char *value)
{
	if (value)
		text_add_json_member(out, key, value);
}

void report_row_print_json(const struct report_row *row, struct text *out)
{
	CLEANUP(text_done) struct text object = {0};
	print_object(row, &object);
	text_printf(out, "{\"severity\":\"%s\",\"reason\":\"%s\"", report_severity_name(row->severity),
	            report_reason_name(row->reason));
	print_member(out, "object", object.n ? text_get(&object) : NULL);
	print_member(out, "field", row->field);
	print_member(out, "message", row->message ? row->message : "");
	print_member(out, "file", row->file);
	if (row->line)
		text_printf(out, ",\"line\":%u", row->line);
	text_add_char(out, '}');
}

void report_row_print_text(const struct report_row *row, struct text *out)
{
	if (row->file)
		text_add(out, row->file);
	if (row->file && row->line)
		text_printf(out, ":%u", row->line);
	if (row->file)
		text_add(out, ": ");
	text_printf(out, "%s: ", report_severity_name(row->severity));
	size_t before = out->n;
	print_object(row, out);
	if (out->n > before)
		text_add(out, ": ");
	if (row->field)
		text_printf(out, "%s: ", row->field);
	text_printf(out, "%s (%s)", row->message ? row->message : "", report_reason_name(row->reason));
}

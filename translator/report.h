#pragma once
/*
 * What users got wrong, row by row: never a failure of ours. Rows come from the sources (a document that cannot be
 * read), from the checks of one object (crds/check_*.c) and from resolve (an object against the others). Later they
 * become status conditions, log lines and CLI output.
 */
#include "base/arena.h"
#include "base/text.h"
#include "crds/object.h"

enum report_severity {
	REPORT_ERROR,   /* the object, or the part named, is not in force (its last good form may be) */
	REPORT_WARNING, /* in force, but probably not what was meant */
	REPORT_INFO,
};

enum report_reason {
	REASON_UNREADABLE, /* not YAML, too large, too deep */
	REASON_UNKNOWN_FIELD,
	REASON_INVALID_VALUE, /* wrong type, out of range, bad regex */
	REASON_CONFLICT,      /* two objects or two parts of one claim the same thing */
	REASON_HOST_NOT_FOUND,
	REASON_SUBSET_NOT_FOUND,
	REASON_PORT_NOT_FOUND,
	REASON_GATEWAY_NOT_FOUND,
	REASON_SECRET_NOT_FOUND,
	REASON_PROVIDER_NOT_FOUND,
	REASON_EXPIRED,       /* a certificate's time is over */
	REASON_NOT_SUPPORTED, /* valid, but weft does not do it yet */
	REASON_NO_EFFECT,     /* valid, but nothing can match it */
	REASON_COUNT,
};

struct report_row {
	enum report_severity severity;
	enum report_reason reason;
	const char *kind, *namespace, *name; /* of the object; NULL where a document could not be read so far */
	const char *field;                   /* "spec.http[0].route[1].destination.host"; NULL: the whole object */
	const char *message;
	const char *file; /* NULL: the API server */
	uint32_t line;    /* 0: unknown */
};

struct report {
	struct arena *arena; /* rows and their strings live here */
	struct report_row *rows;
	size_t n, cap;
};

/* A row about (a field of) an object. The strings are copied. */
__attribute__((format(printf, 6, 7))) void report_add(struct report *report, const struct object *object,
                                                      enum report_severity severity, enum report_reason reason,
                                                      const char *field, const char *format, ...);
/* Copies a row made elsewhere. */
void report_add_row(struct report *report, const struct report_row *row);
/* Canonical order (file, line, kind, namespace, name, field, message); equal rows become one. */
void report_sort(struct report *report);
int report_row_compare(const struct report_row *a, const struct report_row *b); /* that order */
bool report_has_errors(const struct report *report);

const char *report_severity_name(enum report_severity severity); /* "error" */
const char *report_reason_name(enum report_reason reason);       /* "HostNotFound" */
/* One JSON object: {"severity":…,"reason":…,"object":"Kind/ns/name","field":…,"message":…,"file":…,"line":…}. */
void report_row_print_json(const struct report_row *row, struct text *out);
/* "a.yaml:12: error: VirtualService/default/reviews: spec.http[0]: … (HostNotFound)"; no newline. */
void report_row_print_text(const struct report_row *row, struct text *out);

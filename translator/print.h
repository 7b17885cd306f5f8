#pragma once
/*
 * A proxy's configuration as people read it: one canonical JSON object, the same from `weft translate`, from
 * /debug/config_dump and in the goldens.
 *
 *     {
 *       "report": [ one row a line ],
 *       "listeners": [ … ], "routes": [ … ], "clusters": [ … ], "endpoints": [ … ], "secrets": [ … ]
 *     }
 *
 * Private keys are left out (emit_redact). Resources are sorted by name, messages are printed by proto/codec (Any
 * opened, fields in declaration order), indented by two spaces, with a newline at the end. Same input, same bytes.
 */
#include "base/text.h"
#include "translator/report.h"
#include "translator/resource.h"

/*
 * `view` and `workload` are arrays of RESOURCE_TYPE_COUNT sets, as emit_view and emit_workload give them; an array or a
 * set may be NULL, which counts as empty. The sets of one type are merged by name; of two with one name the view's is
 * printed.
 */
void print_config(const struct report *report, struct resource_set *const *view, struct resource_set *const *workload,
                  struct text *out);

/* The rows alone: a JSON array, one row a line, with a newline at the end. */
void print_report(const struct report *report, struct text *out);

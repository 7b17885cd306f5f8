#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/load.h"
#include "cli/locate.h"
#include "cli/output.h"
#include "translator/print.h"

#include <stdint.h>
#include <stdio.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command_option options[] = {
    COMMAND_OPTION_OUTPUT(
        "The format of the report. text: one line a finding, as compilers write them; json: an array with one "
        "object a finding."),
    {
        .name = "mesh",
        .argument = "FILE",
        .value = COMMAND_VALUE_PATH,
        .help = "The mesh's settings. Istio's MeshConfig as YAML.",
    },
    LOAD_OPTION_ROOT_NAMESPACE,
};

/* Rows name their object's line as a rule: the line of the field itself is better. */
static void refine_lines(struct report *report)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct locate *locate = NULL;
	const char *file = NULL;
	for (size_t i = 0; i < report->n; i++) { /* sorted by file */
		struct report_row *row = &report->rows[i];
		if (!row->file || !row->line || !row->field)
			continue;
		if (!text_equal(file, row->file)) {
			file = row->file;
			locate = locate_file(arena, file);
		}
		if (locate)
			row->line = locate_line(locate, row->line, row->field);
	}
	report_sort(report);
}

static const char *const severity_colours[] = {
    [REPORT_ERROR] = "\033[1;31m",
    [REPORT_WARNING] = "\033[1;33m",
    [REPORT_INFO] = "\033[1;36m",
};

static void print_row(const struct report_row *row, bool is_coloured, struct text *out)
{
	CLEANUP(text_done) struct text line = {0};
	const char *severity = report_severity_name(row->severity);
	report_row_print_text(row, &line);
	const char *s = text_get(&line);
	const char *at = is_coloured ? strstr(s + (row->file ? strlen(row->file) : 0), severity) : NULL;
	if (at)
		text_printf(out, "%.*s%s%s\033[0m%s\n", (int)(at - s), s, severity_colours[row->severity], severity,
		            at + strlen(severity));
	else
		text_printf(out, "%s\n", s);
}

static void print_rows(const struct report *report, struct text *out)
{
	bool is_coloured = isatty(STDOUT_FILENO) && text_is_empty(getenv("NO_COLOR"));
	for (size_t i = 0; i < report->n; i++)
		print_row(&report->rows[i], is_coloured, out);
}

static void summarise(const struct load *load)
{
	size_t counts[REPORT_INFO + 1] = {0};
	for (size_t i = 0; i < load->report.n; i++)
		counts[load->report.rows[i].severity]++;
	size_t errors = counts[REPORT_ERROR], warnings = counts[REPORT_WARNING];
	fprintf(stderr, "weft: %zu %s, %zu %s; %zu %s accepted\n", errors, errors == 1 ? "error" : "errors", warnings,
	        warnings == 1 ? "warning" : "warnings", load->n_objects, load->n_objects == 1 ? "object" : "objects");
}

static int run(const struct arguments *arguments)
{
	const struct load_options from = {
	    .paths = arguments->operands.v,
	    .n_paths = arguments->operands.n,
	    .mesh_path = arguments_get(arguments, "mesh"),
	    .root_namespace = arguments_get(arguments, "root-namespace"),
	};
	CLEANUP(text_done) struct text out = {0};
	struct load load;
	struct error error;
	if (!load_files(&from, &load, &error)) {
		fprintf(stderr, "weft validate: %s\n", error.message);
		return COMMAND_FAILED;
	}
	refine_lines(&load.report);
	if (strcmp(arguments_get(arguments, "output"), "json") == 0)
		print_report(&load.report, &out);
	else
		print_rows(&load.report, &out);
	int status = output_write(&out);
	summarise(&load);
	if (report_has_errors(&load.report))
		status = COMMAND_FAILED;
	load_done(&load);
	return status;
}

const struct command command_validate = {
    .name = "validate",
    .summary = "Check configuration files",
    .synopses = (const char *const[]){"validate FILE ... [--output text|json] [--mesh FILE] "
                                      "[--root-namespace NAMESPACE]",
                                      NULL},
    .description =
        (const char *const[]){
            "Reads files and folders of Kubernetes YAML or JSON and reports what is wrong: documents that cannot be "
            "read, unknown fields and values that are not allowed, and references to hosts, subsets, ports and "
            "gateways that do not exist. It is what the control plane would report about the same files.",
            "Only the given files count: what they refer to must be among them.",
            "Each finding is a line \"file:line: severity: object: field: message (Reason)\" on standard output; a "
            "summary follows on standard error. An error means that the object, or the part named, would not be in "
            "force; a warning, that it would be but is probably not what was meant.",
            NULL},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .operand = "FILE",
    .operand_value = COMMAND_VALUE_PATH,
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .exit_statuses = (const struct command_pair[]){{"0", "No errors; there may be warnings."},
                                                   {"1", "There are errors, or a file does not exist."},
                                                   {"2", "The command line is wrong."},
                                                   {NULL, NULL}},
    .examples = (const struct command_pair[]){{"weft validate mesh/ extra.yaml", "Check a folder and a file together."},
                                              {"weft validate -o json mesh/ | jq -r '.[].message'",
                                               "Take the report apart in a script."},
                                              {NULL, NULL}},
    .run = run,
};

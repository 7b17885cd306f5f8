/*
 * What weft says of single objects: one JSON object a line in, one line of JSON out:
 *     {"read":true,"valid":false,"issues":[{"path":"spec.hosts","message":"…","warning":false}]}
 * `read` is false for a kind that weft does not read. For validation_test.py.
 */
#include "base/text.h"
#include "crds/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_issues(const struct codec_issues *issues, struct text *out)
{
	text_add(out, "[");
	for (size_t i = 0; i < issues->n; i++) {
		const struct codec_issue *issue = &issues->v[i];
		text_printf(out, "%s{\"path\":", i ? "," : "");
		text_add_json_string(out, issue->path, strlen(issue->path));
		text_add(out, ",\"message\":");
		text_add_json_string(out, issue->message, strlen(issue->message));
		text_printf(out, ",\"warning\":%s}", issue->is_warning ? "true" : "false");
	}
	text_add(out, "]");
}

static bool judge(const char *line, size_t n, struct text *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	const struct json *document = json_parse(arena, line, n, &error);
	if (!document) {
		fprintf(stderr, "validate_objects: %s\n", error.message);
		return false;
	}
	struct codec_issues issues = {0};
	struct object *object = object_decode(arena, document, &(struct origin){.file = "stdin", .line = 1}, &issues);
	text_printf(out, "{\"read\":%s,\"valid\":%s,\"issues\":", object || issues.n ? "true" : "false",
		    object ? "true" : "false");
	print_issues(&issues, out);
	text_add(out, "}\n");
	object_unref(object);
	return true;
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = 0;
	int status = EXIT_SUCCESS;
	while (status == EXIT_SUCCESS && (n = getline(&line, &cap, stdin)) > 0) {
		CLEANUP(text_done) struct text out = {0};
		if (judge(line, (size_t)n, &out))
			fputs(text_get(&out), stdout);
		else
			status = EXIT_FAILURE;
	}
	free(line);
	return status;
}

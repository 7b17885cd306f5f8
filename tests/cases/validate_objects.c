/*
 * What weft says of single objects: one JSON object a line in, one line of JSON out:
 *     {"judged":true,"valid":false,"issues":[{"path":"spec.hosts","message":"…","warning":false}]}
 * `judged` is false for a kind of which weft has no check. For validation_test.py.
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

static void judge(const char *line, size_t n, struct text *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct codec_issues issues = {0};
	struct error error;
	struct codec_issue unreadable = {.path = "", .message = error.message};
	struct object *object = NULL;
	const struct json *document = json_parse(arena, line, n, &error);
	if (document)
		object = object_decode(arena, document, &(struct origin){.file = "stdin", .line = 1}, &issues);
	else
		issues = (struct codec_issues){.v = &unreadable, .n = 1, .cap = 1};
	/* of a kind without a check, a typing error is all that can be found */
	bool is_judged = object ? kinds[object->kind].check != NULL : issues.n > 0;
	text_printf(out, "{\"judged\":%s,\"valid\":%s,\"issues\":", is_judged ? "true" : "false",
	            object ? "true" : "false");
	print_issues(&issues, out);
	text_add(out, "}\n");
	object_unref(object);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = 0;
	while ((n = getline(&line, &cap, stdin)) > 0) {
		CLEANUP(text_done) struct text out = {0};
		judge(line, (size_t)n, &out);
		fputs(text_get(&out), stdout);
	}
	free(line);
	return EXIT_SUCCESS;
}

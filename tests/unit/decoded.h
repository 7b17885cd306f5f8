#pragma once
/*
 * One object from the YAML that a user would write, for tests of what takes objects.
 *
 *     struct decoded decoded = decode("apiVersion: v1\nkind: Service\n…");
 *     ck_assert_str_eq(decoded_issues(&decoded), "");
 *     decoded_done(&decoded);
 */
#include "base/yaml.h"
#include "crds/object.h"

#include <check.h>
#include <string.h>

struct decoded {
	struct arena *arena;
	struct object *object; /* NULL: refused, or of a kind that weft does not read */
	struct codec_issues issues;
};

__attribute__((unused)) static struct decoded decode_at(const char *yaml, const char *file, uint32_t line)
{
	struct decoded decoded = {.arena = arena_new()};
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, yaml, strlen(yaml));
	ck_assert_msg(yaml_reader_next(&reader, decoded.arena, &document), "no document in:\n%s", yaml);
	ck_assert_msg(document.value != NULL, "%s in:\n%s", document.error.message, yaml);
	struct origin origin = {.file = file, .line = line};
	decoded.object = object_decode(decoded.arena, document.value, &origin, &decoded.issues);
	return decoded;
}

/* What is in force when the same document is refused; the caller's. */
__attribute__((unused)) static struct object *decode_stand_in(const struct decoded *decoded, const char *yaml)
{
	struct yaml_reader reader;
	struct yaml_document document;
	yaml_reader_init(&reader, yaml, strlen(yaml));
	ck_assert(yaml_reader_next(&reader, decoded->arena, &document) && document.value);
	struct origin origin = {.file = "test.yaml", .line = 1};
	return object_stand_in(decoded->arena, document.value, &origin);
}

__attribute__((unused)) static struct decoded decode(const char *yaml)
{
	return decode_at(yaml, "test.yaml", 1);
}

/* "path path ~path": where the issues are, warnings with "~". */
__attribute__((unused)) static const char *decoded_issues(const struct decoded *decoded)
{
	const char *all = "";
	for (size_t i = 0; i < decoded->issues.n; i++) {
		const struct codec_issue *issue = &decoded->issues.v[i];
		all = arena_printf(decoded->arena, "%s%s%s%s", all, i ? " " : "", issue->is_warning ? "~" : "",
		                   issue->path);
	}
	return all;
}

__attribute__((unused)) static void decoded_done(struct decoded *decoded)
{
	object_unref(decoded->object);
	arena_free(decoded->arena);
}

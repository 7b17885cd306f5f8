/*
 * print_kinds: the rows of kinds.c that have a CustomResourceDefinition, as JSON, for generate.py.
 */
#include "base/text.h"
#include "crds/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void print_string(struct text *out, const char *key, const char *value)
{
	text_printf(out, "\"%s\":", key);
	text_add_json_string(out, value, strlen(value));
	text_add_char(out, ',');
}

static void print_list(struct text *out, const char *key, const char *const *values, size_t n)
{
	text_printf(out, "\"%s\":[", key);
	for (size_t i = 0; i < n && values[i]; i++) {
		text_add(out, i ? "," : "");
		text_add_json_string(out, values[i], strlen(values[i]));
	}
	text_add(out, "],");
}

static void print_columns(struct text *out, const struct kind_crd *crd)
{
	text_add(out, "\"columns\":[");
	for (size_t i = 0; i < COUNT(crd->columns) && crd->columns[i].name; i++) {
		const struct kind_column *column = &crd->columns[i];
		text_add(out, i ? ",{" : "{");
		print_string(out, "name", column->name);
		print_string(out, "path", column->path);
		text_add(out, "\"help\":");
		text_add_json_string(out, column->help, strlen(column->help));
		text_add_char(out, '}');
	}
	text_add(out, "],");
}

static void print_kind(struct text *out, const struct kind_info *info)
{
	const struct kind_crd *crd = info->crd;
	text_add_char(out, '{');
	print_string(out, "group", info->group);
	print_string(out, "kind", info->kind);
	print_string(out, "plural", info->plural);
	print_string(out, "message", info->message->name);
	print_string(out, "storageVersion", crd->storage_version ? crd->storage_version : info->versions[0]);
	print_list(out, "versions", info->versions, COUNT(info->versions));
	print_list(out, "shortNames", info->short_names, COUNT(info->short_names));
	print_list(out, "categories", crd->categories, COUNT(crd->categories));
	print_columns(out, crd);
	text_printf(out, "\"isClusterScoped\":%s}", info->is_cluster_scoped ? "true" : "false");
}

int main(void)
{
	CLEANUP(text_done) struct text out = {0};
	bool is_first = true;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (!kinds[i].crd)
			continue;
		text_add(&out, is_first ? "[" : ",\n");
		print_kind(&out, &kinds[i]);
		is_first = false;
	}
	text_add(&out, "]\n");
	fputs(text_get(&out), stdout);
	return EXIT_SUCCESS;
}

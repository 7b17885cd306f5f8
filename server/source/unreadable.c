#include "server/source/unreadable.h"

#include "base/error.h"

#include <string.h>

#define WORD_MAX 63 /* characters of a namespace; no kind or action has more */

/* Where to look; words end where none of these characters stands. */
struct words {
	const char *s;
	size_t n;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

static size_t word_length(const struct words *in, size_t at)
{
	size_t n = 0;
	while (at + n < in->n && is_word(in->s[at + n]))
		n++;
	return n;
}

/* What stands behind `key` on its line, with or without colon and quotes: "" when there is no word. False: no such key
 * from *at on; else *at is behind it. */
static bool next_value(struct arena *arena, const struct words *in, const char *key, size_t *at, const char **value)
{
	size_t key_n = strlen(key);
	for (size_t n; *at < in->n; *at += n ? n : 1) {
		n = word_length(in, *at);
		if (n != key_n || memcmp(in->s + *at, key, n) != 0)
			continue;
		*at += n;
		while (*at < in->n && strchr(" \t:\"'", in->s[*at]))
			(*at)++;
		size_t value_n = word_length(in, *at);
		*value = arena_strndup(arena, in->s + *at, value_n <= WORD_MAX ? value_n : 0);
		return true;
	}
	return false;
}

static bool is_said(struct arena *arena, const struct words *in, const char *kind)
{
	const char *value;
	for (size_t at = 0; next_value(arena, in, "kind", &at, &value);)
		if (strcmp(value, kind) == 0)
			return true;
	return false;
}

static const char *value_of(struct arena *arena, const struct words *in, const char *key)
{
	const char *value;
	size_t at = 0;
	return next_value(arena, in, key, &at, &value) ? value : NULL;
}

const struct json *unreadable_document(struct arena *arena, const struct kind_info *kind, const char *s, size_t n)
{
	const struct words in = {s, n};
	if (!kind->close || !is_said(arena, &in, kind->kind))
		return NULL;
	const char *namespace = value_of(arena, &in, "namespace"), *action = value_of(arena, &in, "action");
	/* what else was in it is not known, so it is no object at all */
	const char *spec = action ? arena_printf(arena, "{\"action\": \"%s\"}", action) : "[]";
	const char *text =
	    arena_printf(arena,
	                 "{\"apiVersion\": \"%s/%s\", \"kind\": \"%s\", \"metadata\": {\"name\": \"%s%s%s)\", "
	                 "\"namespace\": \"%s\"}, \"spec\": %s}",
	                 kind->group, kind->versions[0], kind->kind, UNREADABLE_NAME, action ? " " : "",
	                 action ? action : "", namespace ? namespace : "", spec);
	struct error error;
	return json_parse(arena, text, strlen(text), &error);
}

#include "base/vec.h"
#include "proto/codec_private.h"

#include <stdarg.h>
#include <string.h>

#define ENUM_NAMES_MAX 12 /* shown of an enum's values */
#define NEAR_NAME_MAX 48  /* bytes of a name for which a likeness is looked for */

const char *codec_quote(struct arena *arena, const char *s)
{
	size_t n = strnlen(s, CODEC_QUOTE_MAX + 1);
	if (n <= CODEC_QUOTE_MAX)
		return s;
	n = CODEC_QUOTE_MAX;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return arena_printf(arena, "%.*s...", (int)n, s);
}

static void add_place(const struct codec_decoder *decoder, const struct codec_place *place, struct text *out)
{
	if (!place)
		return;
	add_place(decoder, place->up, out);
	if (!place->name)
		text_printf(out, "[%zu]", place->index);
	else if (place->is_key)
		text_printf(out, "[%s]", codec_quote(decoder->arena, place->name));
	else
		text_printf(out, "%s%s", out->n ? "." : "", codec_quote(decoder->arena, place->name));
}

static const char *place_path(const struct codec_decoder *decoder, const struct codec_place *place)
{
	CLEANUP(text_done) struct text out = {0};
	if (!text_is_empty(decoder->path))
		text_add(&out, decoder->path);
	add_place(decoder, place, &out);
	return arena_strdup(decoder->arena, text_get(&out));
}

void codec_issues_add(struct arena *arena, struct codec_issues *issues, const struct codec_issue *issue)
{
	if (issues->n < CODEC_ISSUES_MAX) {
		VEC_PUSH(arena, issues, *issue);
		return;
	}
	struct codec_issue *last = &issues->v[CODEC_ISSUES_MAX - 1];
	*last = (struct codec_issue){
	    .path = "",
	    .message = "there were more problems than these; fix them first",
	    .is_warning = last->is_warning && issue->is_warning,
	};
}

/* Whether one more would only be counted, so that its text need not be made. */
static bool is_full(struct codec_decoder *decoder)
{
	if (decoder->issues->n < CODEC_ISSUES_MAX)
		return false;
	codec_issues_add(decoder->arena, decoder->issues, &(struct codec_issue){0});
	return true;
}

void codec_issue(struct codec_decoder *decoder, const struct codec_place *place, const struct json *value,
                 const char *format, ...)
{
	if (is_full(decoder))
		return;
	va_list args;
	va_start(args, format);
	const struct codec_issue issue = {
	    .path = place_path(decoder, place),
	    .message = arena_vprintf(decoder->arena, format, args),
	    .line = value ? value->line : 0,
	    .column = value ? value->column : 0,
	};
	va_end(args);
	codec_issues_add(decoder->arena, decoder->issues, &issue);
}

/* Edit distance of two names of at most NEAR_NAME_MAX bytes, case left out. */
static unsigned name_distance(const char *a, const char *b)
{
	unsigned row[NEAR_NAME_MAX + 1];
	size_t n = strlen(b);
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i]; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < n; j++) {
			unsigned change = diagonal + ((a[i] | 0x20) != (b[j] | 0x20));
			diagonal = row[j + 1];
			unsigned remove = row[j + 1] + 1, add = row[j] + 1;
			unsigned least = remove < add ? remove : add;
			row[j + 1] = change < least ? change : least;
		}
	}
	return row[n];
}

/* The field whose JSON name is nearest to the key, when it is near; NULL otherwise. */
static const char *near_name(struct arena *arena, const ProtobufCMessageDescriptor *type, const char *key)
{
	size_t n = strnlen(key, NEAR_NAME_MAX + 1);
	if (n > NEAR_NAME_MAX)
		return NULL;
	const char *best = NULL;
	unsigned best_distance = (unsigned)n / 3 + 1;
	CLEANUP(text_done) struct text name = {0};
	for (unsigned i = 0; i < type->n_fields; i++) {
		name.n = 0;
		codec_field_json_name(&type->fields[i], &name);
		if (name.n > NEAR_NAME_MAX)
			continue;
		unsigned distance = name_distance(key, text_get(&name));
		if (distance < best_distance) {
			best_distance = distance;
			best = arena_strdup(arena, text_get(&name));
		}
	}
	return best;
}

void codec_issue_unknown(struct codec_decoder *decoder, const struct codec_place *place,
                         const ProtobufCMessageDescriptor *type, const struct json_member *member)
{
	if (is_full(decoder))
		return;
	struct codec_place at = {.up = place, .name = member->key};
	const char *key = codec_quote(decoder->arena, member->key);
	const char *near = near_name(decoder->arena, type, member->key);
	const struct codec_issue issue = {
	    .path = place_path(decoder, &at),
	    .message = near ? arena_printf(decoder->arena, "unknown field \"%s\": did you mean \"%s\"?", key, near)
	                    : arena_printf(decoder->arena, "unknown field \"%s\"", key),
	    .line = member->line,
	    .column = member->column,
	    .is_unknown_field = true,
	};
	codec_issues_add(decoder->arena, decoder->issues, &issue);
}

void codec_issue_enum(struct codec_decoder *decoder, const struct codec_place *place,
                      const ProtobufCEnumDescriptor *type, const struct json *value)
{
	CLEANUP(text_done) struct text names = {0};
	for (unsigned i = 0; i < type->n_values && i < ENUM_NAMES_MAX; i++)
		text_printf(&names, "%s%s", i ? ", " : "", type->values[i].name);
	if (type->n_values > ENUM_NAMES_MAX)
		text_printf(&names, " and %u more", type->n_values - ENUM_NAMES_MAX);
	if (value->type == JSON_STRING)
		codec_issue(decoder, place, value, "unknown value \"%s\": expected one of %s",
		            codec_quote(decoder->arena, value->string.s), text_get(&names));
	else if (value->type == JSON_INT)
		codec_issue(decoder, place, value, "unknown value %lld: expected one of %s", (long long)value->integer,
		            text_get(&names));
	else
		codec_issue(decoder, place, value, "expected one of %s, got %s", text_get(&names),
		            json_type_name(value->type));
}

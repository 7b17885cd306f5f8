#include "crds/check.h"

#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

static void enter(struct check *check, const struct check_step *step)
{
	assert(check->n_steps < CHECK_DEPTH_MAX);
	check->steps[check->n_steps++] = *step;
}

void check_enter(struct check *check, const char *field)
{
	enter(check, &(struct check_step){.field = field, .index = SIZE_MAX});
}

void check_enter_at(struct check *check, const char *field, size_t index)
{
	enter(check, &(struct check_step){.field = field, .index = index});
}

void check_enter_key(struct check *check, const char *field, const char *key)
{
	enter(check, &(struct check_step){.field = field, .key = key, .index = SIZE_MAX});
}

void check_leave(struct check *check)
{
	assert(check->n_steps > 0);
	check->n_steps--;
}

static void add_step(const struct check_step *step, struct text *path)
{
	text_printf(path, "%s%s", path->n ? "." : "", step->field);
	if (step->key)
		text_printf(path, "[%s]", step->key);
	if (step->index != SIZE_MAX)
		text_printf(path, "[%zu]", step->index);
}

/* directResponse as direct_response: users may write either. */
static void snake_case(const char *name, struct text *out)
{
	for (; *name; name++) {
		if (isupper((unsigned char)*name))
			text_add_char(out, '_');
		text_add_char(out, (char)tolower((unsigned char)*name));
	}
}

/* Moves *at to the member's value, when the document has it; *line and *column follow. */
static bool descend(const struct json **at, const char *field, bool is_key, struct codec_issue *issue)
{
	if ((*at)->type != JSON_OBJECT)
		return false;
	CLEANUP(text_done) struct text snake = {0};
	if (!is_key)
		snake_case(field, &snake);
	for (size_t i = 0; i < (*at)->object.n; i++) {
		const struct json_member *member = &(*at)->object.v[i];
		if (strcmp(member->key, field) != 0 && (is_key || strcmp(member->key, text_get(&snake)) != 0))
			continue;
		*at = member->value;
		issue->line = member->line;
		issue->column = member->column;
		return true;
	}
	return false;
}

static bool descend_step(const struct json **at, const struct check_step *step, struct codec_issue *issue)
{
	if (!descend(at, step->field, false, issue))
		return false;
	if (step->key)
		return descend(at, step->key, true, issue);
	if (step->index == SIZE_MAX)
		return true;
	if ((*at)->type != JSON_ARRAY || step->index >= (*at)->array.n)
		return false;
	*at = (*at)->array.v[step->index];
	issue->line = (*at)->line;
	issue->column = (*at)->column;
	return true;
}

/* The nearest place in the document that the path names. */
static void locate(const struct check *check, const char *field, struct codec_issue *issue)
{
	const struct json *at = check->document;
	if (!at)
		return;
	issue->line = at->line;
	issue->column = at->column;
	for (size_t i = 0; i < check->n_steps; i++)
		if (!descend_step(&at, &check->steps[i], issue))
			return;
	if (field)
		descend(&at, field, false, issue);
}

bool check_is_written(const struct check *check, const char *field)
{
	struct codec_issue place = {0};
	const struct json *at = check->document;
	for (size_t i = 0; at && i < check->n_steps; i++)
		if (!descend_step(&at, &check->steps[i], &place))
			return false;
	return at && descend(&at, field, false, &place) && at->type != JSON_NULL;
}

__attribute__((format(printf, 4, 0))) static void add(struct check *check, bool is_warning, const char *field,
                                                      const char *format, va_list args)
{
	CLEANUP(text_done) struct text path = {0};
	for (size_t i = 0; i < check->n_steps; i++)
		add_step(&check->steps[i], &path);
	if (field)
		add_step(&(struct check_step){.field = field, .index = SIZE_MAX}, &path);
	struct codec_issue issue = {
	    .path = arena_strdup(check->arena, text_get(&path)),
	    .message = arena_vprintf(check->arena, format, args),
	    .is_warning = is_warning,
	};
	locate(check, field, &issue);
	codec_issues_add(check->arena, check->issues, &issue);
	check->has_error |= !is_warning;
}

void check_error(struct check *check, const char *field, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(check, false, field, format, args);
	va_end(args);
}

void check_warn(struct check *check, const char *field, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(check, true, field, format, args);
	va_end(args);
}

/* An annotation says that a policy is only tried out. */
static void check_dry_run(struct check *check, const struct kind_info *kind)
{
	static const char *const booleans[] = {"1", "t", "T", "TRUE",  "true",  "True",
	                                       "0", "f", "F", "FALSE", "false", "False"};
	const char *wish = object_annotation(check->object, "istio.io/dry-run");
	if (!kind->spec_field || !wish)
		return;
	/* only policies can be tried out; elsewhere users would believe that the object is not in force */
	if (!kind->may_be_dry_run)
		check_error(check, "metadata", "annotation istio.io/dry-run is not possible for this kind");
	for (size_t i = 0; i < sizeof booleans / sizeof booleans[0]; i++)
		if (strcmp(wish, booleans[i]) == 0)
			return;
	if (kind->may_be_dry_run)
		check_error(check, "metadata", "annotation istio.io/dry-run must be true or false, not \"%s\"", wish);
}

bool check_object(struct arena *arena, const struct object *object, const struct json *document,
                  const ProtobufCMessage *message, struct codec_issues *issues)
{
	const struct kind_info *kind = &kinds[object->kind];
	struct check check = {.object = object, .arena = arena, .document = document, .issues = issues};
	check_dry_run(&check, kind);
	if (kind->spec_field)
		check_enter(&check, kind->spec_field);
	if (kind->check)
		kind->check(&check, message);
	return !check.has_error;
}

#include "server/identity/kept_roots.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

void kept_roots_done(struct kept_roots *kept)
{
	bundle_free(kept->roots);
	bundle_free(kept->former);
	*kept = (struct kept_roots){0};
}

/* *bundle stays NULL when there is no such member. */
static bool read_bundle(const struct json *object, const char *key, struct bundle **bundle, struct error *error)
{
	const char *pem = json_get_string(object, key);
	if (!pem)
		return true;
	*bundle = bundle_read(&(struct pem_file){key, pem, strlen(pem)}, error);
	return *bundle != NULL;
}

static bool read_skip(struct kept_roots *kept, const struct json *skip, struct error *error)
{
	if (!skip)
		return true;
	if (skip->type != JSON_STRING || skip->string.n != DIGEST_HEX - 1 ||
	    strspn(skip->string.s, "0123456789abcdef") != DIGEST_HEX - 1)
		return error_set(error, "\"skipUnawareFor\" is no digest");
	memcpy(kept->skip_unaware_for, skip->string.s, DIGEST_HEX);
	return true;
}

static bool read_object(struct kept_roots *kept, const struct json *object, struct error *error)
{
	const struct json *since = json_get(object, "since");

	if (!read_bundle(object, "roots", &kept->roots, error) || !read_bundle(object, "former", &kept->former, error))
		return false;
	if (!kept->roots)
		return error_set(error, "it has no \"roots\"");
	if (!since || since->type != JSON_INT || since->integer < 0 || since->integer > CLOCK_MAX_S)
		return error_set(error, "\"since\" is no time in seconds");
	kept->since_s = since->integer;
	return read_skip(kept, json_get(object, "skipUnawareFor"), error);
}

bool kept_roots_read(struct kept_roots *kept, const char *s, size_t n, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();

	if (n > KEPT_ROOTS_BYTES_MAX)
		return error_set(error, "more than %u bytes", KEPT_ROOTS_BYTES_MAX);
	const struct json *object = json_parse(arena, s, n, error);
	if (object && read_object(kept, object, error))
		return true;
	kept_roots_done(kept);
	return false;
}

static void add_bundle(const char *key, const struct bundle *bundle, struct text *out)
{
	CLEANUP(text_done) struct text pem = {0};
	bundle_print(bundle, &pem);
	text_printf(out, "\"%s\":", key);
	text_add_json_string(out, pem.s, pem.n);
	text_add(out, ",");
}

void kept_roots_print(const struct kept_roots *kept, struct text *out)
{
	text_add(out, "{");
	add_bundle("roots", kept->roots, out);
	if (kept->former)
		add_bundle("former", kept->former, out);
	text_printf(out, "\"since\":%lld", (long long)kept->since_s);
	if (*kept->skip_unaware_for)
		text_add_json_member(out, "skipUnawareFor", kept->skip_unaware_for);
	text_add(out, "}");
}

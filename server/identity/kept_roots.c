#include "server/identity/kept_roots.h"

#include "base/json.h"
#include "ca/keystore_draft.h"
#include "ca/keystore_folder.h"
#include "server/identity/root_folder.h"

#include <string.h>

#define SINCE_MAX_S INT64_C(253402300799) /* the end of year 9999 */
#define MODE 0644

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
	if (!since || since->type != JSON_INT || since->integer < 0 || since->integer > SINCE_MAX_S)
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

/* ---- in a folder ---- */

bool kept_roots_load(const char *folder, struct text *out, struct error *error)
{
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder opened = {.fd = -1};
	CLEANUP(keystore_file_done) struct keystore_file file = {0};

	if (!keystore_folder_open(&opened, folder, &is_absent, error))
		return is_absent;
	if (!keystore_folder_read(&opened, KEPT_ROOTS_FILE, &file, error))
		return false;
	if (file.is_there)
		text_add_n(out, file.pem.s, file.pem.n);
	return true;
}

bool kept_roots_store(const char *folder, const struct text *text, struct error *error)
{
	bool is_absent = false;
	CLEANUP(keystore_folder_done) struct keystore_folder opened = {.fd = -1};

	return keystore_folder_make(folder, error) && keystore_folder_open(&opened, folder, &is_absent, error) &&
	       root_folder_replace(&opened, KEPT_ROOTS_FILE, MODE, text->s, text->n, error);
}

#include "server/jwks/kept_keys.h"

#include "base/clock.h"
#include "base/json.h"
#include "server/jwks/jwks_keeper.h"
#include "server/state_file.h"

#include <string.h>

#define SET_MEMBERS 5

/* ---- text ---- */

static bool read_text(const struct json *object, const char *key, const char **out)
{
	const struct json *value = json_get(object, key);
	if (!value || value->type != JSON_STRING || value->string.n == 0)
		return false;
	*out = value->string.s;
	return true;
}

static bool read_set(const struct json *object, struct kept_set *set)
{
	const struct json *discovery = json_get(object, "discovery"), *at = json_get(object, "at");
	if (object->type != JSON_OBJECT || object->object.n != SET_MEMBERS || !discovery ||
	    discovery->type != JSON_BOOL || !at || at->type != JSON_INT || at->integer < 0 || at->integer > CLOCK_MAX_S)
		return false;
	set->is_discovery = discovery->boolean;
	set->at_s = at->integer;
	return read_text(object, "url", &set->url) && read_text(object, "keysUrl", &set->keys_url) &&
	       read_text(object, "keys", &set->keys);
}

static bool read_sets(struct arena *arena, const struct json *object, struct kept_keys *kept, struct error *error)
{
	const struct json *sources = json_get(object, "sources");
	if (!sources || sources->type != JSON_ARRAY || object->object.n != 1)
		return error_set(error, "it has no \"sources\", or something else");
	if (sources->array.n > JWKS_SOURCES_MAX)
		return error_set(error, "more than %d sources", JWKS_SOURCES_MAX);
	for (size_t i = 0; i < sources->array.n; i++) {
		struct kept_set set = {0};
		if (!read_set(sources->array.v[i], &set))
			return error_set(error, "source %zu is not one", i);
		VEC_PUSH(arena, &kept->sets, set);
	}
	return true;
}

bool kept_keys_read(struct arena *arena, const char *s, size_t n, struct kept_keys *kept, struct error *error)
{
	*kept = (struct kept_keys){0};
	if (n > KEPT_KEYS_BYTES_MAX)
		return error_set(error, "more than %u bytes", KEPT_KEYS_BYTES_MAX);
	const struct json *object = json_parse(arena, s, n, error);
	if (object && read_sets(arena, object, kept, error))
		return true;
	*kept = (struct kept_keys){0};
	return false;
}

static void add_set(const struct kept_set *set, struct text *out)
{
	text_add_char(out, '{');
	text_add_json_member(out, "url", set->url);
	text_printf(out, ",\"discovery\":%s", set->is_discovery ? "true" : "false");
	text_add_json_member(out, "keysUrl", set->keys_url);
	text_printf(out, ",\"at\":%lld", (long long)set->at_s);
	text_add_json_member(out, "keys", set->keys);
	text_add_char(out, '}');
}

size_t kept_keys_print(const struct kept_keys *kept, struct text *out)
{
	static const char head[] = "{\"sources\":[", tail[] = "]}\n";
	size_t n = 0;
	text_add(out, head);
	for (size_t i = 0; i < kept->sets.n; i++) {
		CLEANUP(text_done) struct text set = {0};
		add_set(&kept->sets.v[i], &set);
		if (out->n + 1 + set.n + strlen(tail) > KEPT_KEYS_BYTES_MAX)
			continue;
		text_add(out, n ? "," : "");
		text_add_n(out, set.s, set.n);
		n++;
	}
	text_add(out, tail);
	return n;
}

/* ---- in a folder ---- */

static const char *place_in(struct arena *arena, const char *folder)
{
	return arena_printf(arena, "%s/" KEPT_KEYS_FOLDER, folder);
}

bool kept_keys_load(const char *folder, struct arena *arena, struct kept_keys *kept, struct error *error)
{
	CLEANUP(text_done) struct text text = {0};
	bool is_there;

	*kept = (struct kept_keys){0};
	if (!state_file_load(place_in(arena, folder), KEPT_KEYS_FILE, &text, &is_there, error))
		return false;
	return !is_there || kept_keys_read(arena, text_get(&text), text.n, kept, error) ||
	       error_wrap(error, "%s/" KEPT_KEYS_FOLDER "/" KEPT_KEYS_FILE, folder);
}

bool kept_keys_store(const char *folder, const struct text *text, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return state_file_store(place_in(arena, folder), KEPT_KEYS_FILE, text, error);
}

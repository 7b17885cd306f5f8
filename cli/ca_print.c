#include "cli/ca_print.h"

#include <string.h>

static const struct {
	const char *place, *words;
} places[] = {
    {"nowhere", "none"},
    {"ca-dir", "plugged in, files"},
    {"secret", "plugged in, a Secret"},
    {"self-signed-secret", "self-signed, kept in a Secret"},
    {"self-signed-folder", "self-signed, kept in a folder"},
};

static const char *get(const struct json *object, const char *key)
{
	const char *s = json_get_string(object, key);
	return s ? s : "";
}

static long long number(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);
	return value && value->type == JSON_INT ? (long long)value->integer : 0;
}

static bool is_true(const struct json *object, const char *key)
{
	const struct json *value = json_get(object, key);
	return value && value->type == JSON_BOOL && value->boolean;
}

bool ca_is_rotating(const struct json *state)
{
	return strcmp(get(json_get(state, "rotation"), "phase"), "idle") != 0;
}

static void print_certificate(const struct json *certificate, struct text *out)
{
	text_printf(out, "  %s\n    sha256  %s\n    valid   %s to %s%s\n", get(certificate, "subject"),
	            get(certificate, "sha256"), get(certificate, "notBefore"), get(certificate, "notAfter"),
	            is_true(certificate, "signs") ? "\n    signs" : "");
}

static void print_list(const char *title, const struct json *list, struct text *out)
{
	if (!list || list->type != JSON_ARRAY || !list->array.n)
		return;
	text_printf(out, "\n%s\n", title);
	for (size_t i = 0; i < list->array.n; i++)
		print_certificate(list->array.v[i], out);
}

void ca_print_rotation(const struct json *state, struct text *out)
{
	const struct json *rotation = json_get(state, "rotation");
	const char *phase = get(rotation, "phase"), *waiting = get(rotation, "waitingFor");

	if (!strcmp(phase, "idle"))
		text_add(out, is_true(rotation, "possible") ? "no rotation is under way"
		                                            : "weftd does not rotate this root");
	else
		text_printf(out, "%s since %s: %s", phase, get(rotation, "since"), *waiting ? waiting : "going on");
}

static void print_issued(const struct json *issued, struct text *out)
{
	const struct json *recent = json_get(issued, "recent");
	if (!recent || recent->type != JSON_ARRAY)
		return;
	text_printf(out, "\nissued by this replica: %lld%s\n", number(issued, "total"),
	            recent->array.n ? ", the newest first" : "");
	for (size_t i = 0; i < recent->array.n; i++) {
		const struct json *record = recent->array.v[i];
		text_printf(out, "  %s  until %s  %s\n", get(record, "issued"), get(record, "notAfter"),
		            get(record, "id"));
	}
}

void ca_print(const struct json *state, struct text *out)
{
	const char *place = get(state, "place"), *words = place, *note = get(state, "note");
	const struct json *signer = json_get(state, "signer"), *lifetime = json_get(state, "lifetime");

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (!strcmp(places[i].place, place))
			words = places[i].words;
	text_printf(out, "authority     %s%s%s\n", words, *get(state, "where") ? ": " : "", get(state, "where"));
	text_printf(out, "trust domain  %s\n", get(state, "trustDomain"));
	if (lifetime)
		text_printf(out, "certificates  %lld s, at most %lld s\n", number(lifetime, "default"),
		            number(lifetime, "max"));
	if (*note)
		text_printf(out, "wrong         %s%s\n", note,
		            is_true(state, "isStale") ? " (the former one goes on)" : "");
	text_add(out, "rotation      ");
	ca_print_rotation(state, out);
	text_add(out, "\n");
	if (signer) {
		text_add(out, "\nsigner\n");
		print_certificate(signer, out);
	}
	print_list("between the signer and its root", json_get(state, "path"), out);
	print_list("trusted roots", json_get(state, "roots"), out);
	print_issued(json_get(state, "issued"), out);
}

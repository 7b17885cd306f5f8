#include "server/identity/replicas.h"

#include "base/heap.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 64
#define COUNT_MAX 10000000 /* proxies that a note may speak of */

struct seen {
	char name[NAME_SIZE];
	struct digest value;
	int64_t changed_ns;
};

struct replicas {
	char *own_name;
	const struct clock *clock;
	struct text note, former;
	struct seen seen[REPLICAS_MAX];
	size_t n;
};

struct replicas *replicas_new(const char *own_name, const struct clock *clock)
{
	struct replicas *replicas = HEAP_NEW(struct replicas);
	replicas->own_name = heap_strdup(own_name);
	replicas->clock = clock;
	return replicas;
}

void replicas_free(struct replicas *replicas)
{
	if (!replicas)
		return;
	text_done(&replicas->note);
	text_done(&replicas->former);
	free(replicas->own_name);
	free(replicas);
}

/* ---- ours ---- */

const char *replicas_note(struct replicas *replicas, const struct rotation_view *own, struct digest bundle)
{
	struct text *note = &replicas->note;
	char hex[DIGEST_HEX];

	digest_hex(own->is_known ? bundle : (struct digest){{0}}, hex); /* of none, who does not know yet */
	note->n = 0;
	text_printf(note,
	            "{\"beat\":%lld,\"bundle\":\"%s\",\"proxies\":%zu,\"acknowledged\":%zu,\"unaware\":%zu,"
	            "\"waitingFor\":[",
	            (long long)(clock_now_ns(replicas->clock) / (REPLICAS_BEAT_S * CLOCK_S)), hex, own->proxies,
	            own->acknowledged, own->unaware);
	for (size_t i = 0; i < own->n_waiting_for; i++) {
		text_add(note, i ? "," : "");
		text_add_json_string(note, own->waiting_for[i], strlen(own->waiting_for[i]));
	}
	text_add(note, "]}");
	if (text_equal(text_get(&replicas->former), note->s))
		return NULL;
	replicas->former.n = 0;
	text_add(&replicas->former, note->s);
	return note->s;
}

/* ---- the others' ---- */

static size_t count(const struct json *note, const char *key)
{
	const struct json *value = json_get(note, key);
	bool is_count = value && value->type == JSON_INT && value->integer >= 0 && value->integer <= COUNT_MAX;
	return is_count ? (size_t)value->integer : 0;
}

static bool is_about(const struct json *note, struct digest bundle)
{
	char hex[DIGEST_HEX];
	digest_hex(bundle, hex);
	return text_equal(json_get_string(note, "bundle"), hex);
}

static void add_note(const struct json *note, struct digest bundle, struct rotation_view *view)
{
	const struct json *names = json_get(note, "waitingFor");

	view->is_known &= is_about(note, bundle);
	view->proxies += count(note, "proxies");
	view->acknowledged += count(note, "acknowledged");
	view->unaware += count(note, "unaware");
	for (size_t i = 0; names && names->type == JSON_ARRAY && i < names->array.n; i++) {
		const struct json *name = names->array.v[i];
		if (name->type == JSON_STRING && view->n_waiting_for < ROTATION_NAMES_MAX)
			snprintf(view->waiting_for[view->n_waiting_for++], ROTATION_NAME_MAX, "%s", name->string.s);
	}
}

/* Who has no note any more needs no place. */
static void forget_removed(struct replicas *replicas, const struct kube_secret *secret)
{
	size_t n = 0;
	for (size_t i = 0; i < replicas->n; i++) {
		bool is_there = false;
		for (size_t j = 0; j < secret->n_notes && !is_there; j++)
			is_there = !strncmp(replicas->seen[i].name, secret->notes[j].name, NAME_SIZE - 1);
		if (is_there)
			replicas->seen[n++] = replicas->seen[i];
	}
	replicas->n = n;
}

/* Of too many the last place is used again and again: they count as alive, until others are gone. */
static struct seen *find(struct replicas *replicas, const char *name)
{
	for (size_t i = 0; i < replicas->n; i++)
		if (!strncmp(replicas->seen[i].name, name, NAME_SIZE - 1))
			return &replicas->seen[i];
	struct seen *seen = &replicas->seen[replicas->n < REPLICAS_MAX ? replicas->n++ : REPLICAS_MAX - 1];
	*seen = (struct seen){.changed_ns = 0};
	snprintf(seen->name, sizeof seen->name, "%s", name);
	return seen;
}

static bool is_alive(struct replicas *replicas, const struct kube_secret_entry *note)
{
	struct seen *seen = find(replicas, note->name);
	struct digest value = digest_of(note->s, note->n);
	int64_t now_ns = clock_now_ns(replicas->clock);

	if (!digest_equal(value, seen->value)) {
		seen->value = value;
		seen->changed_ns = now_ns;
	}
	return now_ns - seen->changed_ns < REPLICAS_SILENT_S * CLOCK_S;
}

void replicas_add(struct replicas *replicas, const struct kube_secret *secret, struct digest bundle,
                  struct rotation_view *view)
{
	for (size_t i = 0; i < secret->n_notes; i++) {
		const struct kube_secret_entry *note = &secret->notes[i];
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error;
		if (!strcmp(note->name, replicas->own_name) || !is_alive(replicas, note))
			continue;
		add_note(json_parse(arena, note->s, note->n, &error), bundle, view); /* nonsense is another bundle's */
	}
}

bool replicas_ask(struct replicas *replicas, const struct kube_secret *secret, struct digest bundle)
{
	bool is_asking = false;

	for (size_t i = 0; i < secret->n_notes; i++) {
		const struct kube_secret_entry *note = &secret->notes[i];
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct error error;
		if (strcmp(note->name, replicas->own_name) != 0 && is_alive(replicas, note))
			is_asking |= !is_about(json_parse(arena, note->s, note->n, &error), bundle);
	}
	return is_asking;
}

const char *replicas_silent(struct replicas *replicas, const struct kube_secret *secret)
{
	const char *silent = NULL;

	forget_removed(replicas, secret);
	for (size_t i = 0; i < secret->n_notes; i++) {
		const struct kube_secret_entry *note = &secret->notes[i];
		if (strcmp(note->name, replicas->own_name) != 0 && !is_alive(replicas, note))
			silent = note->name;
	}
	return silent;
}

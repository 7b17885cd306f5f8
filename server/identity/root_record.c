#include "server/identity/root_record.h"

#include "base/clock.h"
#include "base/json.h"
#include "ca/pem.h"
#include "ca/private_key.h"

#include <string.h>

static const char *const phase_names[] = {
    [ROTATION_IDLE] = "idle",
    [ROTATION_PREPARED] = "prepared",
    [ROTATION_ACTIVE] = "active",
};
#define PHASES (sizeof phase_names / sizeof phase_names[0])

/* Of the other root, by phase. */
static const struct {
	const char *cert, *key;
} other_names[] = {
    [ROTATION_IDLE] = {NULL, NULL},
    [ROTATION_PREPARED] = {"next-ca-cert.pem", "next-ca-key.pem"},
    [ROTATION_ACTIVE] = {"former-ca-cert.pem", "former-ca-key.pem"},
};

const char *rotation_phase_name(enum rotation_phase phase)
{
	return phase_names[phase];
}

void root_record_done(struct root_record *record)
{
	text_done(&record->cert);
	text_done(&record->other_cert);
	private_key_wipe(&record->key);
	private_key_wipe(&record->other_key);
	*record = (struct root_record){0};
}

/* At its full size at once, so that no growing leaves a copy of a key behind. */
static void copy(struct text *to, const char *s, size_t n)
{
	private_key_wipe(to);
	if (n)
		text_add_n(to, s, n);
}

void root_record_copy(struct root_record *to, const struct root_record *from)
{
	to->phase = from->phase;
	to->since_s = from->since_s;
	to->is_skipping_unaware = from->is_skipping_unaware;
	copy(&to->cert, from->cert.s, from->cert.n);
	copy(&to->key, from->key.s, from->key.n);
	copy(&to->other_cert, from->other_cert.s, from->other_cert.n);
	copy(&to->other_key, from->other_key.s, from->other_key.n);
}

static bool is_same(const struct text *a, const struct text *b)
{
	return a->n == b->n && !memcmp(text_get(a), text_get(b), a->n);
}

bool root_record_equal(const struct root_record *a, const struct root_record *b)
{
	return a->phase == b->phase && a->since_s == b->since_s && a->is_skipping_unaware == b->is_skipping_unaware &&
	       is_same(&a->cert, &b->cert) && is_same(&a->key, &b->key) && is_same(&a->other_cert, &b->other_cert) &&
	       is_same(&a->other_key, &b->other_key);
}

/* ---- reading ---- */

static const struct root_entry *find(const struct root_entry *entries, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(entries[i].name, name))
			return &entries[i];
	return NULL;
}

static bool take(const struct root_entry *entries, size_t n, const char *name, struct text *to, struct error *error)
{
	const struct root_entry *entry = find(entries, n, name);
	if (!entry || !entry->n)
		return error_set(error, "%s: it is missing", name);
	if (entry->n > PEM_BYTES_MAX)
		return error_set(error, "%s: more than %u bytes", name, PEM_BYTES_MAX);
	copy(to, entry->s, entry->n);
	return true;
}

static bool read_phase(struct root_record *record, const struct root_entry *entry, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct json *rotation = json_parse(arena, entry->s, entry->n, error);
	if (!rotation)
		return error_wrap(error, ROOT_ENTRY_ROTATION);
	const char *name = json_get_string(rotation, "phase");
	const struct json *since = json_get(rotation, "since"), *skip = json_get(rotation, "skipUnaware");
	size_t i = 0;
	while (i < PHASES && !text_equal(name, phase_names[i]))
		i++;
	if (i == PHASES)
		return error_set(error, ROOT_ENTRY_ROTATION ": its phase is none of idle, prepared, active");
	if (!since || since->type != JSON_INT || since->integer < 0 || since->integer > CLOCK_MAX_S)
		return error_set(error, ROOT_ENTRY_ROTATION ": \"since\" is no time in seconds");
	record->phase = (enum rotation_phase)i;
	record->since_s = since->integer;
	record->is_skipping_unaware = skip && skip->type == JSON_BOOL && skip->boolean;
	return true;
}

bool root_record_read(struct root_record *record, const struct root_entry *entries, size_t n, struct error *error)
{
	const struct root_entry *rotation = find(entries, n, ROOT_ENTRY_ROTATION);

	root_record_done(record);
	if (!take(entries, n, "ca-cert.pem", &record->cert, error) ||
	    !take(entries, n, "ca-key.pem", &record->key, error))
		return false;
	if (!rotation || !rotation->n)
		return true;
	if (!read_phase(record, rotation, error))
		return false;
	return record->phase == ROTATION_IDLE ||
	       (take(entries, n, other_names[record->phase].cert, &record->other_cert, error) &&
	        take(entries, n, other_names[record->phase].key, &record->other_key, error));
}

/* ---- printing ---- */

static void add(struct root_entry *entries, size_t *n, const char *name, const char *s, size_t size)
{
	entries[(*n)++] = (struct root_entry){name, s, size};
}

size_t root_record_print(const struct root_record *record, struct arena *arena,
                         struct root_entry entries[ROOT_ENTRIES_MAX])
{
	size_t n = 0;
	bool is_idle = record->phase == ROTATION_IDLE;
	const char *roots = arena_printf(arena, "%s%s", text_get(&record->cert), text_get(&record->other_cert));
	const char *rotation =
	    arena_printf(arena, "{\"phase\":\"%s\",\"since\":%lld,\"skipUnaware\":%s}", phase_names[record->phase],
	                 (long long)record->since_s, record->is_skipping_unaware ? "true" : "false");

	add(entries, &n, "ca-cert.pem", record->cert.s, record->cert.n);
	add(entries, &n, "ca-key.pem", record->key.s, record->key.n);
	add(entries, &n, "cert-chain.pem", "", 0);
	add(entries, &n, "key.pem", "", 0);
	add(entries, &n, "root-cert.pem", roots, strlen(roots));
	for (size_t i = ROTATION_PREPARED; i < PHASES; i++) {
		bool is_it = i == record->phase;
		add(entries, &n, other_names[i].cert, is_it ? record->other_cert.s : NULL, record->other_cert.n);
		add(entries, &n, other_names[i].key, is_it ? record->other_key.s : NULL, record->other_key.n);
	}
	add(entries, &n, ROOT_ENTRY_ROTATION, is_idle ? NULL : rotation, strlen(rotation));
	return n;
}

/* ---- authorities ---- */

static struct authority *authority_of(const struct text *cert, const struct text *key, const char *where,
                                      const char *prefix, const struct clock *clock, struct error *error)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *cert_name = arena_printf(arena, "%s/%sca-cert.pem", where, prefix);
	const char *key_name = arena_printf(arena, "%s/%sca-key.pem", where, prefix);
	const struct authority_files files = {
	    .cert = {cert_name, text_get(cert), cert->n},
	    .key = {key_name, text_get(key), key->n},
	    .root = {cert_name, text_get(cert), cert->n},
	};
	return authority_read(&files, clock, error);
}

struct authority *root_record_signer(const struct root_record *record, const char *where, const struct clock *clock,
                                     struct error *error)
{
	return authority_of(&record->cert, &record->key, where, "", clock, error);
}

struct authority *root_record_other(const struct root_record *record, const char *where, const struct clock *clock,
                                    struct error *error)
{
	return authority_of(&record->other_cert, &record->other_key, where,
	                    record->phase == ROTATION_PREPARED ? "next-" : "former-", clock, error);
}

bool root_record_draw(const struct authority_plan *plan, const struct clock *clock, struct text *cert, struct text *key,
                      struct error *error)
{
	CLEANUP(authority_freep) struct authority *authority = authority_create(plan, clock, error);
	if (!authority)
		return false;
	text_done(cert);
	private_key_wipe(key);
	certificate_print(authority_cert(authority), cert);
	authority_print_key(authority, key);
	return true;
}

#include "server/changelog.h"

#include "base/log.h"

#include <string.h>

/* ---- objects ---- */

enum change { CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED };

static const char *const change_names[] = {
    [CHANGE_ADDED] = "added",
    [CHANGE_CHANGED] = "changed",
    [CHANGE_REMOVED] = "removed",
};

struct change_list {
	struct text *out;
	size_t n;
};

static void change_add(struct change_list *list, const struct object *object, enum change change)
{
	if (list->n++ >= CHANGELOG_NAMES_MAX)
		return;
	text_printf(list->out, "%s%s/%s%s%s %s", list->n > 1 ? ", " : "", kinds[object->kind].kind, object->namespace,
	            *object->namespace ? "/" : "", object->name, change_names[change]);
}

/* Both are sorted, so one walk finds the differences. */
static void change_kind(struct change_list *list, const struct snapshot_kind *former,
                        const struct snapshot_kind *present)
{
	size_t i = 0, j = 0;

	while (i < former->n || j < present->n) {
		int order = i == former->n ? 1 : j == present->n ? -1 : object_compare(former->v[i], present->v[j]);
		if (order < 0) {
			change_add(list, former->v[i++], CHANGE_REMOVED);
		} else if (order > 0) {
			change_add(list, present->v[j++], CHANGE_ADDED);
		} else {
			if (!digest_equal(former->v[i]->digest, present->v[j]->digest))
				change_add(list, present->v[j], CHANGE_CHANGED);
			i++;
			j++;
		}
	}
}

static bool has_other_roots(const struct snapshot *former, const struct snapshot *present)
{
	size_t n = former ? former->trust_roots_n : 0;
	return n != present->trust_roots_n || (n && memcmp(former->trust_roots, present->trust_roots, n) != 0);
}

size_t changelog_objects(const struct snapshot *former, const struct snapshot *present, struct text *out)
{
	struct change_list list = {.out = out};
	static const struct snapshot_kind none;

	for (size_t i = 0; i < KIND_COUNT; i++)
		change_kind(&list, former ? &former->kinds[i] : &none, &present->kinds[i]);
	if (has_other_roots(former, present) && list.n++ < CHANGELOG_NAMES_MAX)
		text_printf(out, "%strusted roots changed", list.n > 1 ? ", " : "");
	if (!key_sets_equal(former ? former->key_sets : NULL, present->key_sets) && list.n++ < CHANGELOG_NAMES_MAX)
		text_printf(out, "%skeys of token issuers changed", list.n > 1 ? ", " : "");
	if (!list.n)
		text_add(out, "nothing");
	if (list.n > CHANGELOG_NAMES_MAX)
		text_printf(out, ", and %zu more", list.n - CHANGELOG_NAMES_MAX);
	return list.n;
}

/* ---- rows ---- */

/* What the row says, wherever in the file it now stands: an edit above it does not make it news. */
static struct digest row_digest(const struct report_row *row)
{
	struct digest_state state;

	digest_init(&state);
	digest_add_u64(&state, row->severity);
	digest_add_u64(&state, row->reason);
	digest_add_str(&state, row->kind);
	digest_add_str(&state, row->namespace);
	digest_add_str(&state, row->name);
	digest_add_str(&state, row->field);
	digest_add_str(&state, row->message);
	digest_add_str(&state, row->file);
	return digest_final(&state);
}

static struct map rows_map(struct arena *arena, const struct report_row *rows, size_t n)
{
	struct map map = {0};
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < n; i++) {
		digest_hex(row_digest(&rows[i]), hex);
		map_put(arena, &map, arena_strdup(arena, hex), NULL);
	}
	return map;
}

/* Whether a form of the object that the row names is in force. */
static bool is_in_force(const struct snapshot *snapshot, const struct report_row *row)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (text_equal(kinds[i].kind, row->kind) && row->namespace &&
		    snapshot_get(snapshot, (enum kind)i, row->namespace, row->name))
			return true;
	}
	return false;
}

/* What becomes of the thing the row is about. Of a text that names no object only its first reading has no former form.
 */
static const char *row_consequence(const struct snapshot *snapshot, const struct report_row *row, bool is_refusal,
                                   bool is_first)
{
	if (row->severity != REPORT_ERROR)
		return "";
	if (!is_refusal)
		return "; not in force";
	bool has_former = row->name ? is_in_force(snapshot, row) : !is_first;
	return has_former ? "; keeping last good" : "; leaving it out";
}

static void row_log(const struct report_row *row, const char *consequence)
{
	CLEANUP(text_done) struct text line = {0};

	report_row_print_text(row, &line);
	log_write(row->severity == REPORT_INFO ? LOG_INFO : LOG_WARN, "config", "%s%s", text_get(&line), consequence);
}

void changelog_report(struct changelog *changelog, const struct resolved *resolved, bool is_first)
{
	const struct report *report = &resolved->model->report;
	const struct snapshot *snapshot = resolved->snapshot;
	struct arena *arena = arena_new();
	struct map rows = rows_map(arena, report->rows, report->n);
	struct map refusals = rows_map(arena, snapshot->rows, snapshot->n_rows);
	size_t n_new = 0;

	for (size_t i = 0; i < report->n; i++) {
		char hex[DIGEST_HEX];
		digest_hex(row_digest(&report->rows[i]), hex);
		if (map_has(&changelog->rows, hex) || n_new++ >= CHANGELOG_ROWS_MAX)
			continue;
		row_log(&report->rows[i],
		        row_consequence(snapshot, &report->rows[i], map_has(&refusals, hex), is_first));
	}
	if (n_new > CHANGELOG_ROWS_MAX)
		log_warn("config", "and %zu more rows: see /debug/report", n_new - CHANGELOG_ROWS_MAX);
	arena_free(changelog->arena);
	changelog->arena = arena;
	changelog->rows = rows;
}

void changelog_done(struct changelog *changelog)
{
	arena_free(changelog->arena);
	*changelog = (struct changelog){0};
}

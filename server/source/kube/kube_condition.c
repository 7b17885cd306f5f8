#include "server/source/kube/kube_condition.h"

#include "base/vec.h"

#include <stdio.h>
#include <string.h>

#define TYPE "Accepted"
#define REASON "Accepted"

struct row_list {
	VEC(const struct report_row *) rows;
};

static const char *object_key(struct arena *arena, const char *kind, const char *namespace, const char *name)
{
	return arena_printf(arena, "%s/%s/%s", kind, namespace ? namespace : "", name);
}

struct kube_rows kube_rows_of(struct arena *arena, const struct report_row *rows, size_t n)
{
	struct kube_rows result = {.arena = arena};
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].kind || !rows[i].name)
			continue;
		const char *key = object_key(arena, rows[i].kind, rows[i].namespace, rows[i].name);
		void **slot = map_slot(arena, &result.objects, key);
		if (!*slot)
			*slot = ARENA_NEW(arena, struct row_list);
		struct row_list *list = *slot;
		VEC_PUSH(arena, &list->rows, &rows[i]);
	}
	return result;
}

/* ---- what should be said ---- */

static void add_row(struct text *message, const struct report_row *row)
{
	text_printf(message, "%s%s%s%s (%s)", message->n ? "; " : "", row->field ? row->field : "",
	            row->field ? ": " : "", row->message, report_reason_name(row->reason));
}

/* Errors first, then warnings, then the rest. */
static const char *print_message(struct arena *arena, const struct row_list *list)
{
	CLEANUP(text_done) struct text message = {0};
	size_t n = 0;

	for (int severity = REPORT_ERROR; severity <= REPORT_INFO; severity++) {
		for (size_t i = 0; i < list->rows.n; i++) {
			if ((int)list->rows.v[i]->severity != severity)
				continue;
			if (n++ < KUBE_CONDITION_ROWS_MAX && message.n < KUBE_CONDITION_MESSAGE_MAX)
				add_row(&message, list->rows.v[i]);
		}
	}
	size_t end = message.n;
	if (end > KUBE_CONDITION_MESSAGE_MAX) {
		end = KUBE_CONDITION_MESSAGE_MAX;
		while (end > 0 && ((unsigned char)message.s[end] & 0xc0) == 0x80) /* not within a character */
			end--;
	}
	const char *more = n > KUBE_CONDITION_ROWS_MAX || end < message.n ? "; and more, see weftd's report" : "";
	return arena_printf(arena, "%.*s%s", (int)end, text_get(&message), more);
}

/* The first row of the worst severity. */
static const struct report_row *worst_row(const struct row_list *list)
{
	const struct report_row *worst = list->rows.v[0];
	for (size_t i = 1; i < list->rows.n; i++)
		if (list->rows.v[i]->severity < worst->severity)
			worst = list->rows.v[i];
	return worst;
}

bool kube_condition_of(struct arena *arena, const struct snapshot *snapshot, const struct kube_rows *rows,
                       const struct kube_object_name *object, struct kube_condition *ret)
{
	const char *key = object_key(arena, kinds[object->kind].kind, object->namespace, object->name);
	const struct row_list *list = map_get(&rows->objects, key);
	bool is_in_force = snapshot_get(snapshot, object->kind, object->namespace, object->name) != NULL;

	*ret = (struct kube_condition){.is_true = true, .reason = REASON, .message = "in force"};
	if (!list)
		return is_in_force;
	const struct report_row *worst = worst_row(list);
	ret->is_true = is_in_force && worst->severity != REPORT_ERROR;
	if (worst->severity != REPORT_INFO || !is_in_force)
		ret->reason = report_reason_name(worst->reason);
	ret->message = print_message(arena, list);
	return true;
}

/* ---- what is said ---- */

struct digest kube_condition_digest(const struct kube_condition *condition)
{
	struct digest_state state;
	digest_init(&state);
	digest_add_u64(&state, condition->is_true);
	digest_add_u64(&state, (uint64_t)condition->generation);
	digest_add_str(&state, condition->reason);
	digest_add_str(&state, condition->message);
	return digest_final(&state);
}

struct kube_condition_seen kube_condition_see(const struct json *object)
{
	struct kube_condition_seen seen = {0};
	const struct json *conditions = json_get(json_get(object, "status"), "conditions");

	for (size_t i = 0; conditions && conditions->type == JSON_ARRAY && i < conditions->array.n; i++) {
		const struct json *condition = conditions->array.v[i];
		const struct json *generation = json_get(condition, "observedGeneration");
		if (!text_equal(json_get_string(condition, "type"), TYPE))
			continue;
		const char *since = json_get_string(condition, "lastTransitionTime");
		struct kube_condition said = {
		    .is_true = text_equal(json_get_string(condition, "status"), "True"),
		    .reason = json_get_string(condition, "reason"),
		    .message = json_get_string(condition, "message"),
		    .generation = generation && generation->type == JSON_INT ? generation->integer : 0,
		};
		seen.digest = kube_condition_digest(&said);
		seen.is_true = said.is_true;
		snprintf(seen.since, sizeof seen.since, "%s", since ? since : "");
	}
	return seen;
}

void kube_condition_print(const struct kube_condition *condition, const struct kube_object_name *object,
                          const char *api_version, const char *since, struct text *out)
{
	text_printf(out, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"", api_version,
	            kinds[object->kind].kind, object->name);
	if (*object->namespace)
		text_add_json_member(out, "namespace", object->namespace);
	text_printf(
	    out, "},\"status\":{\"conditions\":[{\"type\":\"" TYPE "\",\"status\":\"%s\",\"observedGeneration\":%lld",
	    condition->is_true ? "True" : "False", (long long)condition->generation);
	text_add_json_member(out, "reason", condition->reason);
	text_add_json_member(out, "message", condition->message);
	text_add_json_member(out, "lastTransitionTime", since);
	text_add(out, "}]}}");
}

#include "translator/istio/discovery.h"

#include "base/vec.h"
#include "crds/hostname.h"
#include "proto/istio.h"
#include "translator/istio/mesh_config.h"

#include <stdarg.h>
#include <string.h>

#define FIELD MESH_CONFIG_FIELD ".discoverySelectors"
#define NAME_LABEL "kubernetes.io/metadata.name" /* the API server gives it to each Namespace; files may lack it */

struct label_operator {
	const char *name;
	bool has_values;
	bool is_negative; /* matches where the label or its value is not what is wanted */
};

static const struct label_operator operators[] = {
    {.name = "In", .has_values = true},
    {.name = "NotIn", .has_values = true, .is_negative = true},
    {.name = "Exists"},
    {.name = "DoesNotExist", .is_negative = true},
};

/* matchLabels are In with one value. */
struct requirement {
	const struct label_operator *operator;
	const char *key;
	char *const *values;
	size_t n_values;
};

struct selector {
	VEC(struct requirement) requirements; /* all must hold */
};

struct discovery {
	VEC(struct selector) selectors; /* those without mistakes; one must match */
	size_t n_said;                  /* with the others */
};

struct reading {
	struct arena *arena;
	const struct object *object; /* the ConfigMap */
	struct report *report;       /* NULL: nobody wants to know */
	size_t n_terms;
	bool is_bad; /* the present selector */
};

/* ---- reading ---- */

__attribute__((format(printf, 3, 4))) static void add_mistake(struct reading *reading, const char *field,
                                                              const char *format, ...)
{
	reading->is_bad = true;
	if (!reading->report)
		return;
	va_list args;
	va_start(args, format);
	const char *message = arena_vprintf(reading->arena, format, args);
	va_end(args);
	report_add(reading->report, reading->object, REPORT_ERROR, REASON_INVALID_VALUE, field,
	           "%s; this selector chooses no namespace", message);
}

static void add_issues(struct reading *reading, const struct codec_issues *issues)
{
	reading->is_bad |= issues->n > 0;
	for (size_t i = 0; reading->report && i < issues->n; i++)
		report_add(reading->report, reading->object, REPORT_ERROR,
		           issues->v[i].is_unknown_field ? REASON_UNKNOWN_FIELD : REASON_INVALID_VALUE,
		           issues->v[i].path, "%s; this selector chooses no namespace", issues->v[i].message);
}

static const struct label_operator *find_operator(const char *name)
{
	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
		if (text_equal(operators[i].name, name))
			return &operators[i];
	return NULL;
}

static void read_labels(struct reading *reading, const istio_label_selector *message, const char *path,
                        struct selector *selector)
{
	for (size_t i = 0; i < message->n_matchlabels; i++) {
		const char *key = message->matchlabels[i]->key;
		char **value = &message->matchlabels[i]->value;
		if (!hostname_is_label_key(key) || !hostname_is_label_value(*value))
			add_mistake(reading, arena_printf(reading->arena, "%s.matchLabels[%s]", path, key),
			            "\"%s: %s\" can be no label", key, *value);
		VEC_PUSH(reading->arena, &selector->requirements, (struct requirement){&operators[0], key, value, 1});
	}
}

static void check_values(struct reading *reading, const struct requirement *requirement, const char *path)
{
	const struct label_operator *operator= requirement->operator;
	if (operator->has_values !=(requirement->n_values > 0))
		add_mistake(reading, arena_printf(reading->arena, "%s.values", path),
		            "%s takes %s", operator->name, operator->has_values ? "at least one value" : "no values");
	for (size_t i = 0; i < requirement->n_values; i++)
		if (!hostname_is_label_value(requirement->values[i]))
			add_mistake(reading, arena_printf(reading->arena, "%s.values[%zu]", path, i),
			            "\"%s\" can be no label's value", requirement->values[i]);
}

static void read_expression(struct reading *reading, const istio_label_selector_requirement *message, const char *path,
                            struct selector *selector)
{
	const struct requirement requirement = {find_operator(message->operator_), message->key, message->values,
	                                        message->n_values};
	if (!hostname_is_label_key(requirement.key))
		add_mistake(reading, arena_printf(reading->arena, "%s.key", path), "\"%s\" can be no label's key",
		            requirement.key);
	if (!requirement.operator)
		add_mistake(reading, arena_printf(reading->arena, "%s.operator", path),
		            "\"%s\" is not one of In, NotIn, Exists, DoesNotExist", message->operator_);
	else
		check_values(reading, &requirement, path);
	VEC_PUSH(reading->arena, &selector->requirements, requirement);
}

static bool has_room(struct reading *reading, const istio_label_selector *message, const char *path)
{
	reading->n_terms += message->n_matchlabels;
	for (size_t i = 0; i < message->n_matchexpressions; i++)
		reading->n_terms += 1 + message->matchexpressions[i]->n_values;
	if (reading->n_terms <= DISCOVERY_TERMS_MAX)
		return true;
	add_mistake(reading, path, "the list has more than %d selectors, labels, expressions and values up to here",
	            DISCOVERY_TERMS_MAX);
	return false;
}

/* One element of the list; it joins when nothing is wrong with it. */
static void read_selector(struct reading *reading, const struct json *value, const char *path,
                          struct discovery *discovery)
{
	struct selector selector = {0};
	struct codec_issues issues = {0};
	reading->is_bad = false;
	reading->n_terms++;
	if (value->type == JSON_OBJECT) {
		const istio_label_selector *message = (const istio_label_selector *)codec_decode(
		    reading->arena, istio_label_selector_type(), value, &(struct codec_options){.path = path}, &issues);
		add_issues(reading, &issues);
		if (reading->is_bad || !has_room(reading, message, path))
			return;
		read_labels(reading, message, path, &selector);
		for (size_t i = 0; i < message->n_matchexpressions; i++)
			read_expression(reading, message->matchexpressions[i],
			                arena_printf(reading->arena, "%s.matchExpressions[%zu]", path, i), &selector);
	} else {
		add_mistake(reading, path, "expected an object, got %s", json_type_name(value->type));
	}
	if (!reading->is_bad)
		VEC_PUSH(reading->arena, &discovery->selectors, selector);
}

/* Whether the text may have the field; escapes in YAML start with a backslash. Most meshes have none, and then nothing
 * is parsed. */
static bool may_have_selectors(const char *text)
{
	return strstr(text, "discoverySelectors") || strstr(text, "discovery_selectors") || strchr(text, '\\');
}

static struct discovery read_discovery(struct arena *arena, const struct object *object, struct report *report)
{
	struct discovery discovery = {0};
	struct reading reading = {.arena = arena, .object = object, .report = report};
	const char *text = mesh_config_text(object);
	struct yaml_document document;
	if (!may_have_selectors(text) || !mesh_config_parse(arena, text, &document) || !document.value)
		return discovery;
	const struct json *list = json_get(document.value, "discoverySelectors");
	if (!list)
		list = json_get(document.value, "discovery_selectors");
	if (!list || list->type != JSON_ARRAY)
		return discovery;
	discovery.n_said = list->array.n;
	for (size_t i = 0; i < list->array.n; i++) {
		const char *path = arena_printf(arena, FIELD "[%zu]", i);
		if (reading.n_terms >= DISCOVERY_TERMS_MAX) {
			add_mistake(&reading, path, "it and those after it are not read");
			break;
		}
		read_selector(&reading, list->array.v[i], path, &discovery);
	}
	return discovery;
}

/* ---- choosing ---- */

static const char *label_of(const struct object *namespace, const char *key)
{
	const char *value = object_label(namespace, key);
	return value || strcmp(key, NAME_LABEL) != 0 ? value : namespace->name;
}

static bool has_value(const struct requirement *requirement, const char *value)
{
	if (!requirement->operator->has_values)
		return true;
	for (size_t i = 0; i < requirement->n_values; i++)
		if (strcmp(requirement->values[i], value) == 0)
			return true;
	return false;
}

static bool selector_matches(const struct selector *selector, const struct object *namespace)
{
	for (size_t i = 0; i < selector->requirements.n; i++) {
		const struct requirement *requirement = &selector->requirements.v[i];
		const char *value = label_of(namespace, requirement->key);
		bool is_found = value && has_value(requirement, value);
		if (is_found == requirement->operator->is_negative)
			return false;
	}
	return true;
}

static bool is_chosen(const struct discovery *discovery, const struct object *namespace)
{
	for (size_t i = 0; i < discovery->selectors.n; i++)
		if (selector_matches(&discovery->selectors.v[i], namespace))
			return true;
	return false;
}

void discovery_select(struct arena *arena, const struct snapshot *snapshot, struct selection *selection)
{
	const struct object *object = mesh_config_object(snapshot);
	struct discovery discovery = read_discovery(arena, object, NULL);
	if (discovery.selectors.n == 0)
		return;
	selection->is_narrowed = true;
	selection->settings = object;
	const struct snapshot_kind *namespaces = &snapshot->kinds[KIND_NAMESPACE];
	for (size_t i = 0; i < namespaces->n; i++)
		if (is_chosen(&discovery, namespaces->v[i]))
			selection_add(arena, selection, namespaces->v[i]->name);
}

/* ---- telling ---- */

/* The snapshot is narrowed already, so the Namespaces in it are those that were chosen. */
static void report_choice(const struct snapshot *snapshot, const struct object *object, struct report *report)
{
	if (snapshot->kinds[KIND_NAMESPACE].n == 0)
		report_add(report, object, REPORT_WARNING, REASON_NO_EFFECT, FIELD,
		           "no selector matches a Namespace object, so no namespaced object has effect");
	else if (!snapshot_get(snapshot, KIND_NAMESPACE, "", snapshot->root_namespace))
		report_add(report, object, REPORT_WARNING, REASON_NO_EFFECT, FIELD,
		           "no selector matches the root namespace \"%s\", so what is in it for the whole mesh has no "
		           "effect; this MeshConfig has",
		           snapshot->root_namespace);
}

void discovery_report(const struct snapshot *snapshot, struct report *report)
{
	const struct object *object = mesh_config_object(snapshot);
	struct discovery discovery = read_discovery(report->arena, object, report);
	if (discovery.selectors.n > 0)
		report_choice(snapshot, object, report);
	else if (discovery.n_said > 0)
		report_add(report, object, REPORT_ERROR, REASON_INVALID_VALUE, FIELD,
		           "no selector can be used, so all namespaces stay in the mesh");
}

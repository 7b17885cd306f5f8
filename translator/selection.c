#include "translator/selection.h"

#include "translator/istio/discovery.h"

struct selection selection_of(struct arena *arena, const struct snapshot *snapshot)
{
	struct selection selection = {0};
	discovery_select(arena, snapshot, &selection);
	return selection;
}

void selection_add(struct arena *arena, struct selection *selection, const char *namespace)
{
	map_put(arena, &selection->namespaces, namespace, selection); /* only the key matters */
}

static bool has_namespace(const struct selection *selection, const char *namespace)
{
	return text_is_empty(namespace) || map_has(&selection->namespaces, namespace);
}

bool selection_has(const struct selection *selection, const struct object *object)
{
	if (!selection->is_narrowed || object == selection->settings)
		return true;
	return has_namespace(selection, object->kind == KIND_NAMESPACE ? object->name : object->namespace);
}

bool selection_has_row(const struct selection *selection, const struct report_row *row)
{
	if (!selection->is_narrowed || has_namespace(selection, row->namespace))
		return true;
	const struct object *settings = selection->settings;
	return text_equal(row->kind, kinds[settings->kind].kind) && text_equal(row->namespace, settings->namespace) &&
	       text_equal(row->name, settings->name);
}

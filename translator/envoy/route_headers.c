#include "crds/command_operator.h"
#include "translator/envoy/emit_parts.h"

#include <strings.h>

/* Envoy refuses a route that adds more; the later ones are left out. */
#define HEADERS_ADDED_MAX 1000

/* Envoy refuses changes of pseudo-headers; the authority is changed by a rewrite. */
static bool is_internal(const char *name)
{
	return !*name || *name == ':' || strcasecmp(name, "host") == 0;
}

const char *header_text(struct arena *arena, const char *value)
{
	return command_operators_are_known(value) ? value : command_operators_escape(arena, value);
}

static void add_headers(struct arena *arena, struct header_lists *lists, const struct header_value *values, size_t n,
                        Envoy__Config__Core__V3__HeaderValueOption__HeaderAppendAction action)
{
	for (size_t i = 0; i < n; i++) {
		if (is_internal(values[i].name) || lists->n_add == HEADERS_ADDED_MAX)
			continue;
		envoy_header_value_option *option = envoy_header_value_option_new(arena);
		option->header = envoy_header_value_new(arena);
		option->header->key = borrow(values[i].name);
		option->header->value = borrow(header_text(arena, values[i].value));
		option->append_action = action;
		lists->add[lists->n_add++] = option;
	}
}

/* Both operations of a destination come after those of its route. */
struct header_lists header_lists(struct arena *arena, const struct header_operations *const *operations, size_t n)
{
	size_t n_add = 0, n_remove = 0;
	for (size_t i = 0; i < n; i++) {
		n_add += operations[i]->n_set + operations[i]->n_add;
		n_remove += operations[i]->remove.n;
	}
	struct header_lists lists = {.add = ARENA_NEW_N(arena, envoy_header_value_option *, n_add),
	                             .remove = ARENA_NEW_N(arena, char *, n_remove)};
	for (size_t i = 0; i < n; i++) {
		const struct header_operations *o = operations[i];
		add_headers(
		    arena, &lists, o->set, o->n_set,
		    ENVOY__CONFIG__CORE__V3__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__OVERWRITE_IF_EXISTS_OR_ADD);
		add_headers(
		    arena, &lists, o->add, o->n_add,
		    ENVOY__CONFIG__CORE__V3__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__APPEND_IF_EXISTS_OR_ADD);
		for (size_t k = 0; k < o->remove.n; k++)
			if (!is_internal(o->remove.v[k]))
				lists.remove[lists.n_remove++] = borrow(o->remove.v[k]);
	}
	return lists;
}

#pragma once
/*
 * All objects at one moment: const, sorted, counted. The store makes one from its present content (freeze); resolve
 * reads nothing else.
 *
 * Objects of namespaces that the mesh does not consist of (selection.h), and rows about them, are left out.
 */
#include "crds/object.h"
#include "translator/report.h"

#include <stddef.h>

struct snapshot_kind {
	struct object *const *v; /* by namespace, then name */
	size_t n;
};

struct snapshot {
	struct snapshot_kind kinds[KIND_COUNT];
	const struct report_row *rows; /* what the sources refused; canonical order */
	size_t n_rows;
	const char *root_namespace; /* where the mesh's own configuration lives, such as "istio-system" */
	const char *trust_roots;    /* what the mesh trusts, as PEM; with trust_roots_n 0: not known */
	size_t trust_roots_n;
	int64_t as_of_s; /* what had expired by then is said to have, since 1970; 0: no time is known, nothing is */
	struct digest digest; /* of all objects, rows, roots and the time: equal digests, equal resources and reports */

	struct arena *arena;   /* private */
	_Atomic unsigned refs; /* private */
};

struct snapshot_input {
	struct object *const *objects; /* any order; at most one of each (kind, namespace, name); each is ref'd */
	size_t n_objects;
	bool is_sorted;                /* the objects are in order already: by object_compare */
	const struct report_row *rows; /* copied */
	size_t n_rows;
	const char *root_namespace;
	const char *trust_roots; /* copied */
	size_t trust_roots_n;
	int64_t as_of_s;
};

struct snapshot *snapshot_new(const struct snapshot_input *input);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);
static inline void snapshot_unrefp(struct snapshot **snapshot)
{
	snapshot_unref(*snapshot);
}

const struct object *snapshot_get(const struct snapshot *snapshot, enum kind kind, const char *namespace,
                                  const char *name);

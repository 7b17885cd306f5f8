#pragma once
/*
 * Which namespaces the mesh consists of, as the settings of a dialect may choose. What is in another namespace does not
 * exist for the mesh: a snapshot leaves out its objects and what the sources say of them, so a change there makes no
 * new generation, while a change of a Namespace's labels or of the settings has its effect with the next snapshot.
 *
 * Zero-initialised is everything, and then nothing is looked at. Cluster-scoped objects are always in; a Namespace
 * counts as being in the namespace that it is. A namespace without a Namespace object is out when the selection is
 * narrowed.
 */
#include "base/map.h"
#include "translator/snapshot.h"

struct selection {
	bool is_narrowed;
	struct map namespaces;         /* the names that are in */
	const struct object *settings; /* what chose them: it is in, wherever it is */
};

/* Asks the dialects. The snapshot has all objects there are; the selection borrows from them. */
struct selection selection_of(struct arena *arena, const struct snapshot *snapshot);
void selection_add(struct arena *arena, struct selection *selection, const char *namespace);
bool selection_has(const struct selection *selection, const struct object *object);
/* Rows that name no namespace are always in. */
bool selection_has_row(const struct selection *selection, const struct report_row *row);

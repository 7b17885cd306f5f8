#pragma once
/*
 * Where kept roots (kept_roots.h) are: a Secret, by its cell, or --state-dir; or nowhere, when there is neither.
 *
 *     switch (root_memory_read(memory, &kept, &error)) …        cheap when nothing changed
 *     root_memory_write(memory, &kept, &error);                 only what differs from what is there
 *
 * What is written counts at once for whoever wrote it. In a Secret it follows the version that was read, so that of two
 * replicas one succeeds, and the other reads what that one wrote.
 */
#include "base/clock.h"
#include "server/identity/kept_roots.h"
#include "server/source/kube/kube_secret.h"

#define ROOT_MEMORY_RETRY_S 10 /* before the same is written again to a Secret that did not change */

enum root_memory_outcome {
	ROOT_MEMORY_NONE,    /* nothing is kept */
	ROOT_MEMORY_SAME,    /* as it was read last */
	ROOT_MEMORY_NEW,     /* kept is filled */
	ROOT_MEMORY_UNKNOWN, /* it cannot be read, or has not been read yet: error */
};

struct root_memory;

/* cell: NULL without an API server; folder: NULL without --state-dir. Borrowed. */
struct root_memory *root_memory_new(struct kube_secret_cell *cell, const char *folder, const struct clock *clock);
void root_memory_free(struct root_memory *memory); /* NULL is fine */
bool root_memory_has_place(const struct root_memory *memory);
/* kept: zeroed; the caller's to end. */
enum root_memory_outcome root_memory_read(struct root_memory *memory, struct kept_roots *kept, struct error *error);
/* Whether that is what is there; of no place: always. */
bool root_memory_has(const struct root_memory *memory, const struct kept_roots *kept);
bool root_memory_write(struct root_memory *memory, const struct kept_roots *kept, struct error *error);

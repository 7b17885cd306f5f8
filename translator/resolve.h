#pragma once
/*
 * resolve: snapshot -> model. Pure. Each dialect is one folder with one entry; they add to one draft.
 *
 * A resolve_*.c lowers one kind (or the few that make one thing: Services with their EndpointSlices and Pods). A new
 * field of an Istio kind: its .proto line, the model's field (and digest), the resolve_*.c of its kind, the emit_*.c
 * that reads it, a golden.
 */
#include "translator/model.h"
#include "translator/snapshot.h"

/* The model lives in the arena and borrows from the snapshot, which must outlive it. */
struct model *resolve(struct arena *arena, const struct snapshot *snapshot);

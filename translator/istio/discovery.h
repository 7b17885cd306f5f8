#pragma once
/*
 * MeshConfig's discoverySelectors: which namespaces there are for the mesh.
 *
 * A namespace is in when one selector of the list matches its labels; within a selector all of matchLabels and
 * matchExpressions must (In, NotIn, Exists, DoesNotExist; NotIn also takes a namespace without the label). An empty
 * selector matches every namespace. No list, or an empty one, leaves everything in.
 *
 * A selector with a mistake in it chooses nothing, so that a typing error never widens the mesh; when that leaves no
 * selector, all namespaces stay in, so that it does not take the mesh away either.
 */
#include "translator/report.h"
#include "translator/selection.h"

#define DISCOVERY_TERMS_MAX 4096 /* selectors, labels, expressions and values of the whole list, together */

/* Narrows the selection by the selectors of the snapshot's MeshConfig, if it has any. */
void discovery_select(struct arena *arena, const struct snapshot *snapshot, struct selection *selection);
/* Rows about the selectors of the snapshot's MeshConfig; scratch memory comes from the report's arena. */
void discovery_report(const struct snapshot *snapshot, struct report *report);

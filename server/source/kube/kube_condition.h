#pragma once
/*
 * The condition `Accepted` that weft gives each object of Istio's kinds in its status: whether it is in force, as the
 * report has it. Pure.
 *
 *     status:
 *       conditions:
 *       - type: Accepted
 *         status: "False"
 *         reason: SubsetNotFound                            the report's reason; Accepted when there is nothing to say
 *         message: 'spec.http[0].route[0].destination.subset: …'
 *         observedGeneration: 3
 *         lastTransitionTime: "2026-01-02T15:04:05Z"        when `status` last changed
 *
 * True: in force, with what is said of it as warnings. False: not in force, or a part of it is not; its last good form
 * may be. The shape is Kubernetes' own (metav1.Condition), so `kubectl wait --for=condition=Accepted` works.
 */
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/map.h"
#include "translator/report.h"
#include "translator/snapshot.h"

#include <stdbool.h>

#define KUBE_CONDITION_ROWS_MAX 5       /* rows of the report in one message */
#define KUBE_CONDITION_MESSAGE_MAX 2000 /* bytes */
#define KUBE_CONDITION_TIME_MAX CLOCK_TEXT

struct kube_condition {
	bool is_true;
	const char *reason, *message;
	int64_t generation; /* metadata.generation that this is said of */
};

/* The rows of a report by the object that they are about. Borrows the report. */
struct kube_rows {
	struct arena *arena;
	struct map objects; /* "Kind/namespace/name" to a list */
};

struct kube_rows kube_rows_of(struct arena *arena, const struct report_row *rows, size_t n);

/* What an object is called in the report and at the server. */
struct kube_object_name {
	enum kind kind;
	const char *namespace, *name;
};

/* False: weft has nothing to say of this object, it is not in the mesh. `generation` is left to the caller. */
bool kube_condition_of(struct arena *arena, const struct snapshot *snapshot, const struct kube_rows *rows,
                       const struct kube_object_name *object, struct kube_condition *ret);

/* What a status says now, found in an object of the server's: for comparison with what it should say. */
struct kube_condition_seen {
	struct digest digest; /* zero: there is no such condition */
	bool is_true;
	char since[KUBE_CONDITION_TIME_MAX]; /* lastTransitionTime */
};

struct kube_condition_seen kube_condition_see(const struct json *object);
struct digest kube_condition_digest(const struct kube_condition *condition);

/* The body of a server-side apply on the status. since: an RFC 3339 time. */
void kube_condition_print(const struct kube_condition *condition, const struct kube_object_name *object,
                          const char *api_version, const char *since, struct text *out);

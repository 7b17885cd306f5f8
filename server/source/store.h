#pragma once
/*
 * The store: all objects as they are now. Mutable, one thread; the only other thing anybody sees is a snapshot.
 *
 * Content comes in groups (a file; later: a kind of the API server). Setting a group replaces what it held, so objects
 * that are gone from it are gone, with one exception, the last good form: what a group cannot say clearly does not
 * count as "gone".
 * - A refusal that names an object (kind, namespace, name known; some field wrong) keeps that object's former form.
 *   Where there is none, what the content brings as a stand-in is in force: of kinds that keep somebody out.
 * - A refusal that names nothing (a document that cannot be parsed) keeps every former object of the group that the new
 *   content does not have.
 * Of one (kind, namespace, name) in two groups the first by group name wins and the other is a Conflict row.
 */
#include "crds/object.h"
#include "translator/report.h"
#include "translator/snapshot.h"

struct store;

struct store_content {
	struct object **objects; /* borrowed; the store takes its own references */
	size_t n_objects;
	struct object *const
	    *stand_ins; /* borrowed: in force where a refusal leaves no former form (object_stand_in) */
	size_t n_stand_ins;
	const struct report_row *refusals; /* copied; kind/namespace/name NULL where unknown */
	size_t n_refusals;
};

struct store *store_new(const char *root_namespace);
void store_free(struct store *store);
/* Whether anything changed (objects by digest, or rows). */
bool store_set_group(struct store *store, const char *group, const struct store_content *content);
bool store_remove_group(struct store *store, const char *group);
/* What the mesh trusts, as PEM: a value that the certificate authority brings, no object. Copied. Whether it changed.
 */
bool store_set_trust(struct store *store, const char *roots, size_t n);
/* The snapshots' as_of_s. Whether it changed. */
bool store_set_time(struct store *store, int64_t as_of_s);
struct snapshot *store_freeze(const struct store *store); /* a reference is the caller's */
size_t store_count(const struct store *store);

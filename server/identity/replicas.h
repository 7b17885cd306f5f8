#pragma once
/*
 * What all replicas know of their proxies, while the root is rotated. Each proxy is connected to one replica, and a
 * step must wait for all of them: so each replica notes what it sees in an annotation of the Secret that has the root
 * (kube_secret_cell_note), and the one that holds the lease adds them up.
 *
 *     {"beat":7,"bundle":"0123…","proxies":3,"acknowledged":2,"unaware":0,"waitingFor":["…"]}
 *
 * A note that does not change for REPLICAS_SILENT_S, by the reader's own clock, is of a replica that is gone (its beat
 * goes on every REPLICAS_BEAT_S): it is not added, and the one that holds the lease removes it, since a replica that
 * crashed cannot. No clock but the reader's own counts, so clocks that differ harm nothing. A replica that was only cut
 * off from the API server for so long leaves its note anew. A note about another bundle is of one that has not got so
 * far: nothing is known then.
 */
#include "server/identity/root_rotation.h"
#include "server/source/kube/kube_secret.h"

#define REPLICAS_MAX 64
#define REPLICAS_BEAT_S 10
#define REPLICAS_SILENT_S 45
#define REPLICAS_SETTLE_S 20 /* of a phase, so that every replica has said something */

struct replicas;

struct replicas *replicas_new(const char *own_name, const struct clock *clock);
void replicas_free(struct replicas *replicas); /* NULL is fine */
/* Our own note; until the next call. NULL: it is as the last one. */
const char *replicas_note(struct replicas *replicas, const struct rotation_view *own, struct digest bundle);
/* Adds to our own what the others say. */
void replicas_add(struct replicas *replicas, const struct kube_secret *secret, struct digest bundle,
                  struct rotation_view *view);
/* Whether one that lives has another bundle than ours: it may be in a rotation that we have not heard of, and counts on
 * a note from everybody. */
bool replicas_ask(struct replicas *replicas, const struct kube_secret *secret, struct digest bundle);
/* A note of a replica that is gone: its name, the Secret's; NULL: none. */
const char *replicas_silent(struct replicas *replicas, const struct kube_secret *secret);

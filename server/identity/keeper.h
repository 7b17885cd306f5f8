#pragma once
/*
 * Who decides what signs: a thread that looks where the authority comes from (origin.h), puts what signs now into the
 * signer's cell, has weftd's own certificate renewed (serving.h), and moves a rotation of the root on
 * (root_rotation.h).
 *
 *     struct keeper *keeper = keeper_new(&options, &error);
 *     keeper_set_trust_domain(keeper, model->mesh.trust_domain);      from each generation: before the first, nothing
 * is signed keeper_start(keeper);  …  keeper_free(keeper);
 *
 * - A bad change keeps the former signer, and is said in the log, in /readyz, /debug/ca and a metric.
 * - An authority with another root that is plugged in signs when every proxy has acknowledged that it trusts it
 * (root_change.h); one with the same root signs at once. A self-signed one that is replaced from outside signs at once.
 * Former roots stay trusted as long as a certificate may live.
 * - Without any place for an authority there is none, said once.
 */
#include "server/identity/origin.h"
#include "server/identity/replicas.h"
#include "server/identity/root_change.h"
#include "server/identity/root_memory.h"
#include "server/identity/root_rotation.h"
#include "server/identity/serving.h"

#define KEEPER_POLL_MS 1000
#define KEEPER_GRACE_S 30 /* after the start a rotation that is under way waits: proxies are still coming back */
#define KEEPER_WARN_S INT64_C(2592000) /* 30 days before the signer's end it is said in the log, each day */

struct keeper;

struct keeper_options {
	struct origin_options origin;
	struct kube_secret_cell *plugged, *own; /* borrowed; NULL: no API server */
	struct kube_secret_cell *kept;          /* what is remembered of a plugged-in one; borrowed; NULL likewise */
	struct template_lifetime lifetime;
	const char *const *dns; /* of weftd's own certificate; borrowed */
	size_t n_dns;
	struct signer_cell *cell; /* borrowed */
	const struct clock *clock;
	/* One at a time, on the keeper's thread or that of a command; NULL is fine. */
	void (*on_serving)(void *context, const struct serving_files *files);
	void (*on_trusted)(void *context, const char *pem, size_t n); /* the bundle, when it changes */
	/* What is known of the proxies, and whether they have taken the bundle with that digest. */
	void (*look)(void *context, const struct signer *signer, struct rotation_view *view);
	/* Whether this replica moves a rotation on; NULL: there is no other. */
	bool (*is_leader)(void *context);
	const char *replica; /* its name, unlike any other's; copied; needed with `own` */
	void *context;
};

struct keeper_status {
	bool is_used; /* there is a place for an authority */
	bool has_signer;
	bool is_out_of_time; /* what signs is over, or not valid yet: it signs nothing */
	enum origin_place place;
	char where[512];
	char trust_domain[SPIFFE_TRUST_DOMAIN_MAX + 1];
	int64_t signer_end_s; /* of the way to the root; 0: no signer */
	int64_t root_end_s;   /* of the first root that ends */
	int64_t serving_end_s;
	uint64_t serving_certificates; /* that weftd has given itself */
	uint64_t changes;              /* of the signer or of who is trusted */
	uint64_t reload_failures;      /* an authority that could not be read, each time it was tried */
	bool is_stale;                 /* the former one goes on, since what is there is wrong */
	struct error note;             /* what people should know; "" when all is well */
	bool can_rotate;
	enum rotation_phase phase;
	int64_t phase_since_s;
	struct error waiting; /* what a rotation waits for */
	struct rotation_view view;
};

struct keeper *keeper_new(const struct keeper_options *options);
void keeper_start(struct keeper *keeper);
void keeper_stop(struct keeper *keeper); /* its thread; keeper_wake may still be called; NULL is fine */
void keeper_free(struct keeper *keeper); /* stops; NULL is fine */

/* One look and what follows from it; for the thread, and for tests that have none. */
void keeper_move(struct keeper *keeper);

/* ---- any thread ---- */

void keeper_set_trust_domain(struct keeper *keeper, const char *trust_domain);
void keeper_wake(struct keeper *keeper); /* look again, soon */
void keeper_status(struct keeper *keeper, struct keeper_status *status);
struct signer *keeper_signer(struct keeper *keeper); /* as signer_cell_get */

enum keeper_command { KEEPER_ROTATE, KEEPER_ROTATE_SKIPPING_UNAWARE, KEEPER_UNDO, KEEPER_FINISH };

/* False with the reason. True: it is done, or with an API server under way; keeper_status tells. */
bool keeper_command(struct keeper *keeper, enum keeper_command command, struct error *error);

#pragma once
/*
 * The pipeline: one thread that owns the store, the file source and the emit cache, and turns what happens there and in
 * the Kubernetes source into generations.
 *
 *     file changes --> store --freeze--> snapshot --resolve--> model --emit, per view and workload class--> generation
 * --> on_generation rosters (latest value) ------------------------------------------^
 *
 * - Time is an input too: when a certificate that a Gateway names expires, the report is made anew, as of then.
 * - The newest wins: what happens while a generation is made goes into the next one, all of it together.
 * - Nothing comes out before the first sync (unknown is not empty); a re-read that fails keeps the last state.
 * - A snapshot with an unchanged digest makes no new resources; sets with unchanged content are the very same pointers.
 * - A roster change costs what its new views and classes cost: the model stays. Rosters that come in a burst are taken
 * together (PIPELINE_ROSTER_GAP_MS between two), a single one at once.
 *
 *     struct pipeline *pipeline = pipeline_new(&options, &error);     nothing runs yet
 *     pipeline_start(pipeline);  …  pipeline_stop(pipeline);  pipeline_free(pipeline);
 */
#include "base/error.h"
#include "base/text.h"
#include "server/present.h"
#include "server/source/file.h"
#include "server/source/kube/kube.h"

#define PIPELINE_ROSTER_GAP_MS 10
#define PIPELINE_RETRY_MS 1000 /* between attempts at the first sync */
#define PIPELINE_TIME_MS 5000  /* between looks at the wall clock, where rows of the report depend on it */

struct pipeline;

struct pipeline_options {
	struct file_source_options files; /* borrowed until pipeline_free; without paths: no files are read */
	struct kube_source *kube;         /* borrowed; running; NULL: none */
	/* On the pipeline thread; the reference moves in. */
	void (*on_generation)(void *context, struct generation *generation);
	void *context;
};

struct pipeline *pipeline_new(const struct pipeline_options *options, struct error *error);
void pipeline_start(struct pipeline *pipeline);
void pipeline_stop(struct pipeline *pipeline); /* joins the thread; pipeline_roster may still be called */
void pipeline_free(struct pipeline *pipeline); /* stops; NULL is fine */

/* Any thread, as all below. The newest roster wins; the reference moves in. */
void pipeline_roster(struct pipeline *pipeline, struct roster *roster);
/*
 * What the mesh trusts, as PEM: goes to every proxy that asks for the secret "ROOTCA". The newest wins; copied. Called
 * before pipeline_start, the first generation has it already. xds_server_trust says who has taken it.
 */
void pipeline_trust(struct pipeline *pipeline, const char *roots, size_t n);
/* Reads everything again. */
void pipeline_reload(struct pipeline *pipeline);

/*
 * Whether proxies get what the sources have: the first sync is done, and the API server was heard of lately. Either way
 * `note` says what people should know: why not, or that the last state is being kept since a re-read failed; "" when
 * all is well.
 */
bool pipeline_is_ready(struct pipeline *pipeline, struct error *note);
/* The report of the present generation, as print_report; an empty array before the first sync. */
void pipeline_print_report(struct pipeline *pipeline, struct text *out);
/* What a connected proxy would get now, as print_config. Fails when no such proxy is connected or none has a config
 * yet. */
bool pipeline_print_config(struct pipeline *pipeline, const char *proxy, struct text *out, struct error *error);

/* Of the Kubernetes source; all zero where there is none. */
void pipeline_kube_stats(struct pipeline *pipeline, struct kube_source_stats *stats);
void pipeline_stats(struct pipeline *pipeline, struct present_stats *stats);

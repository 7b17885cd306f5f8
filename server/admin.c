#include "server/admin.h"

#include "base/heap.h"
#include "http/http.h"
#include "server/identity/keeper_print.h"
#include "server/metrics.h"
#include "server/source/kube/kube_print.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define JSON_CONTENT_TYPE "application/json"

struct admin {
	struct admin_options options;
	pthread_mutex_t lock; /* held while a page is made: over options.xds and is_draining */
	bool is_draining;
	struct http_server *http;
};

const struct admin_endpoint admin_endpoints[ADMIN_ENDPOINTS] = {
    {"/", "", "An index of these pages."},
    {"/healthz", "",
     "200 while the process works: for liveness probes. 503 with the reason when only a restart helps: the xDS "
     "listener "
     "has stopped accepting."},
    {"/readyz", "",
     "200 once the configuration has been read and proxies can connect; 503 with the reason before that, when what "
     "signs certificates has expired, and while stopping. While an older state is kept because a re-read failed it "
     "stays 200, and says so."},
    {"/metrics", "", "Metrics for Prometheus."},
    {"/debug/report", "", "What is wrong with the configuration: a JSON array, one row a mistake."},
    {"/debug/kube", "", "How reading from the API server goes, a kind each, as JSON; 404 when only files are read."},
    {"/debug/ca", "",
     "What signs certificates, who is trusted, until when, and how a rotation of the root goes, as JSON; no keys."},
    {"/debug/jwks", "",
     "The keys of token issuers that RequestAuthentications name: for each URL when they were last fetched, what went "
     "wrong last, and when it is tried again, as JSON."},
    {"/debug/proxies", "", "The connected proxies, what they have acknowledged and refused, as JSON."},
    {"/debug/config_dump", "?proxy=ID",
     "What the connected proxy would get now, as \"weft translate\" prints it. ID is a node id from /debug/proxies, or "
     "NAME.NAMESPACE."},
};

/* ---- pages, in the order of admin_endpoints ---- */

static void page_index(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	(void)admin, (void)request;
	for (size_t i = 0; i < ADMIN_ENDPOINTS; i++)
		text_printf(&response->body, "%s%s\n    %s\n", admin_endpoints[i].path, admin_endpoints[i].query,
		            admin_endpoints[i].help);
}

/* Whether proxies can still get in. Those that are connected are served on, but no new one ever will be. */
static bool is_accepting(struct admin *admin, struct error *note)
{
	struct xds_stats stats = {0};

	if (admin->options.xds)
		xds_server_stats(admin->options.xds, &stats);
	return !stats.transport.accept_failures ||
	       error_set(note, "the xDS listener has stopped accepting (out of file "
	                       "descriptors, see the log): restart weftd");
}

static void page_health(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	struct error note;
	bool is_good = is_accepting(admin, &note);

	(void)request;
	response->status = is_good ? 200 : 503;
	text_printf(&response->body, "%s\n", is_good ? "ok" : note.message);
}

/*
 * Something signs, now, and weftd shows a certificate by it; or there need be none. What is wrong with it though it
 * goes on is said behind what `note` has.
 */
static bool has_authority(struct admin *admin, struct error *note)
{
	struct keeper_status status = {0};

	if (admin->options.keeper)
		keeper_status(admin->options.keeper, &status);
	if (status.note.message[0] && status.is_used)
		error_set(note, "%s%sthe certificate authority: %s", note->message, note->message[0] ? "; " : "",
		          status.note.message);
	return (status.has_signer && !status.is_out_of_time && status.serving_end_s) || !status.is_used;
}

/* Either way `note` is what there is to say, or "". */
static bool is_ready(struct admin *admin, struct error *note)
{
	if (admin->is_draining)
		return error_set(note, "stopping");
	if (!is_accepting(admin, note))
		return false;
	if (!pipeline_is_ready(admin->options.pipeline, note))
		return false;
	if (!has_authority(admin, note))
		return false;
	return admin->options.xds || error_set(note, "the xDS server is not listening");
}

static void page_ready(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	struct error note;
	bool is_good = is_ready(admin, &note);

	(void)request;
	response->status = is_good ? 200 : 503;
	text_printf(&response->body, "%s%s%s\n", is_good ? "ready" : "not ready", note.message[0] ? ": " : "",
	            note.message);
}

static struct metrics_authority authority_of(struct admin *admin)
{
	struct keeper_status status = {0};
	int64_t now_s = clock_wall_ns(clock_system()) / CLOCK_S;

	if (admin->options.keeper)
		keeper_status(admin->options.keeper, &status);
	return (struct metrics_authority){
	    .is_used = status.is_used,
	    .is_signing = status.has_signer && !status.is_out_of_time,
	    .signer_s = status.has_signer ? (double)(status.signer_end_s - now_s) : 0,
	    .root_s = status.has_signer ? (double)(status.root_end_s - now_s) : 0,
	    .serving_certificates = status.serving_certificates,
	    .serving_s = status.serving_end_s ? (double)(status.serving_end_s - now_s) : 0,
	    .is_stale = status.is_stale,
	    .changes = status.changes,
	    .reload_failures = status.reload_failures,
	    .phase = status.phase,
	};
}

static void page_metrics(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct metrics_input input = {0};
	struct error note;

	(void)request;
	input.is_ready = is_ready(admin, &note);
	pipeline_stats(admin->options.pipeline, &input.pipeline);
	if (admin->options.xds)
		xds_server_stats(admin->options.xds, &input.xds);
	pipeline_kube_stats(admin->options.pipeline, &input.kube);
	input.kube_is_synced = input.kube.health != KUBE_SYNCING;
	input.kube_is_stale = input.kube.health == KUBE_STALE;
	input.now_ns = clock_now_ns(clock_system());
	process_usage(&input.process);
	input.identity.is_used = admin->options.door && admin->options.certs;
	if (input.identity.is_used) {
		door_stats(admin->options.door, &input.identity.door);
		cert_service_stats(admin->options.certs, &input.identity.certs);
	}
	input.authority = authority_of(admin);
	if (admin->options.jwks) {
		jwks_keeper_stats(admin->options.jwks, &input.jwks);
		input.jwks_sources = jwks_keeper_sources(admin->options.jwks, arena, &input.n_jwks_sources);
	}
	response->content_type = METRICS_CONTENT_TYPE;
	metrics_print(&input, &response->body);
}

static void page_report(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	(void)request;
	response->content_type = JSON_CONTENT_TYPE;
	pipeline_print_report(admin->options.pipeline, &response->body);
}

static void page_kube(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	struct kube_source_stats stats;

	(void)request;
	pipeline_kube_stats(admin->options.pipeline, &stats);
	response->content_type = JSON_CONTENT_TYPE;
	if (stats.is_used) {
		kube_print(&stats, clock_now_ns(clock_system()), &response->body);
		return;
	}
	response->status = 404;
	text_add(&response->body, "no API server is read from\n");
}

static void page_ca(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	(void)request;
	if (!admin->options.keeper) {
		response->status = 404;
		text_add(&response->body, "there is no certificate authority\n");
		return;
	}
	response->content_type = JSON_CONTENT_TYPE;
	keeper_print(admin->options.keeper, admin->options.certs, &response->body);
}

static void page_jwks(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	(void)request;
	if (!admin->options.jwks) {
		response->status = 404;
		text_add(&response->body, "no keys are fetched\n");
		return;
	}
	response->content_type = JSON_CONTENT_TYPE;
	jwks_keeper_print(admin->options.jwks, &response->body);
}

static void page_proxies(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	(void)request;
	if (!admin->options.xds) {
		response->status = 503;
		text_add(&response->body, "the xDS server is not listening\n");
		return;
	}
	response->content_type = JSON_CONTENT_TYPE;
	xds_server_print_proxies(admin->options.xds, &response->body);
}

static void page_config_dump(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *proxy = http_query_get(arena, request->query, "proxy");
	struct error error;

	if (!proxy) {
		response->status = 400;
		text_add(&response->body, "which proxy? Add ?proxy=ID\n");
	} else if (!pipeline_print_config(admin->options.pipeline, proxy, &response->body, &error)) {
		response->status = 404;
		text_printf(&response->body, "%s\n", error.message);
	} else {
		response->content_type = JSON_CONTENT_TYPE;
	}
}

typedef void page(struct admin *admin, const struct http_request *request, struct http_response *response);

static page *const pages[ADMIN_ENDPOINTS] = {
    page_index, page_health, page_ready, page_metrics, page_report,
    page_kube,  page_ca,     page_jwks,  page_proxies, page_config_dump,
};

static void admin_handle(void *context, const struct http_request *request, struct http_response *response)
{
	struct admin *admin = context;

	for (size_t i = 0; i < ADMIN_ENDPOINTS; i++) {
		if (strcmp(admin_endpoints[i].path, request->path) != 0)
			continue;
		pthread_mutex_lock(&admin->lock);
		pages[i](admin, request, response);
		pthread_mutex_unlock(&admin->lock);
		return;
	}
	response->status = 404;
	text_add(&response->body, "no such page; / lists those that are\n");
}

/* ---- life ---- */

struct admin *admin_new(const struct admin_options *options, struct error *error)
{
	struct admin *admin = HEAP_NEW(struct admin);
	admin->options = *options;
	pthread_mutex_init(&admin->lock, NULL);
	admin->http = http_server_new(
	    &(struct http_options){.address = options->address, .handle = admin_handle, .context = admin}, error);
	if (!admin->http) {
		admin_free(admin);
		return NULL;
	}
	return admin;
}

void admin_free(struct admin *admin)
{
	if (!admin)
		return;
	http_server_free(admin->http);
	pthread_mutex_destroy(&admin->lock);
	free(admin);
}

unsigned admin_port(const struct admin *admin)
{
	return http_server_port(admin->http);
}

void admin_set_draining(struct admin *admin)
{
	pthread_mutex_lock(&admin->lock);
	admin->is_draining = true;
	admin->options.xds = NULL;
	admin->options.certs = NULL;
	pthread_mutex_unlock(&admin->lock);
}

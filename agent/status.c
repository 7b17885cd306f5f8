#include "agent/status.h"

#include "agent/envoy_admin.h"
#include "base/heap.h"
#include "http/http.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct status {
	struct status_options options;
	_Atomic bool is_draining;
	struct http_server *http;
};

const struct status_endpoint status_endpoints[STATUS_ENDPOINTS] = {
    {"/healthz/ready", "200 while Envoy is ready (as its admin interface says) and the certificate is valid; else 503 "
                       "with the reason."},
    {"/healthz/live", "200 while the agent works."},
    {"/metrics", "Figures for Prometheus."},
};

bool status_judge(const struct workload_identity_status *identity, const char *envoy, bool is_draining,
                  struct error *reason)
{
	if (is_draining)
		return error_set(reason, "stopping");
	if (identity->health != RENEWAL_VALID)
		return error_set(reason, "%s", identity->words);
	return !envoy || error_set(reason, "%s", envoy);
}

static void page_ready(struct status *status, struct http_response *response)
{
	struct workload_identity_status identity;
	struct error envoy, reason;
	workload_identity_status(status->options.identity, &identity);
	bool is_envoy_ready =
	    !status->options.admin_address || envoy_admin_is_ready(status->options.admin_address, &envoy);
	bool is_ready =
	    status_judge(&identity, is_envoy_ready ? NULL : envoy.message, atomic_load(&status->is_draining), &reason);
	response->status = is_ready ? 200 : 503;
	text_printf(&response->body, "%s\n", is_ready ? "ready" : reason.message);
}

static void page_live(struct status *status, struct http_response *response)
{
	(void)status;
	text_add(&response->body, "ok\n");
}

static void page_metrics(struct status *status, struct http_response *response)
{
	struct workload_identity_status identity;
	struct sds_stats sds;
	workload_identity_status(status->options.identity, &identity);
	sds_stats(status->options.sds, &sds);
	const struct {
		const char *name, *type, *help;
		int64_t value;
	} rows[] = {
	    {"weft_agent_certificate_expiry_timestamp_seconds", "gauge",
	     "When the certificate ends, since 1970; 0 when there is none.", identity.end_s},
	    {"weft_agent_certificate_valid", "gauge", "1 while the certificate is valid.",
	     identity.health == RENEWAL_VALID},
	    {"weft_agent_certificates_total", "counter", "Certificates that were issued to this workload.",
	     (int64_t)identity.renewals},
	    {"weft_agent_certificate_failures_total", "counter", "Attempts to get a certificate that failed.",
	     (int64_t)identity.failures},
	    {"weft_agent_trusted_roots", "gauge", "Roots that this proxy is told to trust.", (int64_t)identity.roots},
	    {"weft_agent_roots_stream_open", "gauge", "1 while the control plane tells of changed roots.",
	     identity.is_stream_open},
	    {"weft_agent_sds_streams", "gauge", "Envoy's streams of secrets.", sds.streams},
	    {"weft_agent_sds_responses_total", "counter", "Responses to Envoy with secrets.", (int64_t)sds.responses},
	    {"weft_agent_sds_refusals_total", "counter", "Responses with secrets that Envoy refused.",
	     (int64_t)sds.refusals},
	};
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		text_printf(&response->body, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", rows[i].name, rows[i].help,
		            rows[i].name, rows[i].type, rows[i].name, (long long)rows[i].value);
}

typedef void page(struct status *status, struct http_response *response);

static page *const pages[STATUS_ENDPOINTS] = {page_ready, page_live, page_metrics};

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
	for (size_t i = 0; i < STATUS_ENDPOINTS; i++) {
		if (strcmp(status_endpoints[i].path, request->path) == 0) {
			pages[i](context, response);
			return;
		}
	}
	response->status = strcmp(request->path, "/") == 0 ? 200 : 404;
	for (size_t i = 0; i < STATUS_ENDPOINTS; i++)
		text_printf(&response->body, "%s\n    %s\n", status_endpoints[i].path, status_endpoints[i].help);
}

struct status *status_new(const struct status_options *options, struct error *error)
{
	struct status *status = HEAP_NEW(struct status);
	status->options = *options;
	status->http = http_server_new(
	    &(struct http_options){.address = options->address, .handle = handle, .context = status}, error);
	if (status->http)
		return status;
	error_wrap(error, "the agent's pages");
	free(status);
	return NULL;
}

void status_free(struct status *status)
{
	if (!status)
		return;
	http_server_free(status->http);
	free(status);
}

unsigned status_port(const struct status *status)
{
	return http_server_port(status->http);
}

void status_set_draining(struct status *status)
{
	atomic_store(&status->is_draining, true);
}

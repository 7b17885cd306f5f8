#include "server/source/kube/kube_private.h"

#include "base/log.h"

static void probe_on_end(void *context, const struct kube_response *response)
{
	(void)response; /* that something came is in the http's statistics */
	((struct kube_source *)context)->probe = NULL;
}

/*
 * A connection whose other end is gone without a word looks like one on which nothing happens. So a silent one is
 * asked something small; when nothing comes, it is closed, and all requests begin anew on another.
 */
void kube_probe_move(struct kube_source *source)
{
	struct kube_http_stats stats;
	struct error error;
	int64_t now = kube_now_ns();

	kube_http_stats(source->http, &stats);
	if (source->probe && now - source->probe_ns > KUBE_PROBE_WAIT_MS * CLOCK_MS &&
	    stats.last_byte_ns < source->probe_ns) {
		log_warn("kube", "%s has been silent for %lld s; connecting again", source->config->server,
		         (long long)((now - stats.last_byte_ns) / CLOCK_S));
		source->probe_ns = now;
		kube_http_reset(source->http, "the server is silent");
		return;
	}
	int64_t since_ns = stats.last_byte_ns > source->probe_ns ? stats.last_byte_ns : source->probe_ns;
	if (source->probe || now - since_ns < KUBE_PROBE_MS * CLOCK_MS)
		return;
	source->probe_ns = now;
	source->probe = kube_http_start(source->http,
	                                &(struct kube_request){
	                                    .method = "GET",
	                                    .path = "/version",
	                                    .timeout_ms = 2 * KUBE_PROBE_WAIT_MS,
	                                    .on_end = probe_on_end,
	                                    .context = source,
	                                },
	                                &error);
}

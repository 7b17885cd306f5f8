#include "server/metrics.h"

#include "crds/kinds.h"
#include "server/xds/withheld.h"

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

static const char *const metric_type_names[] = {
    [COUNTER] = "counter",
    [GAUGE] = "gauge",
    [HISTOGRAM] = "histogram",
};

/* How the field is held, and with a unit that is not the metric's, how it is turned into it. */
enum metric_value { BOOL, U64, DOUBLE, NANOSECONDS, AGE };

/*
 * A family with a label is an array, one element a label value. What is the Kubernetes source's is left out where there
 * is none, and of kinds that are not read from there.
 */
enum metric_label {
	LABEL_NONE,
	LABEL_TYPE,
	LABEL_REFUSAL,
	LABEL_HANDSHAKE,
	LABEL_WITHHELD,
	LABEL_KIND,
	LABEL_SEVERITY,
	LABEL_SOURCE,
	LABEL_KUBE,
	LABEL_KUBE_KIND,
	LABEL_JWKS, /* in an array of its own */
	LABEL_AUTHORITY,
	LABEL_IDENTITY, /* and those of the TLS port that follow */
	LABEL_WAY,
	LABEL_TURNED_AWAY,
	LABEL_TOKEN,
	LABEL_UNSIGNED,
	LABEL_REJECTED
};

struct metric {
	const char *name;
	enum metric_type type;
	enum metric_value value;
	enum metric_label label;
	size_t at; /* offset in struct metrics_input; of histograms: unused */
	const char *help;
};

#define AT(field) offsetof(struct metrics_input, field)
#define AT_KIND(field) AT(kube.kinds[0].status.field)
#define AT_JWKS(field) offsetof(struct jwks_source_stats, field)

static const struct metric metrics[] = {
    {"weft_ready", GAUGE, BOOL, LABEL_NONE, AT(is_ready), "1 when /readyz says 200."},

    {"weft_proxies", GAUGE, U64, LABEL_NONE, AT(xds.streams), "xDS streams that are open: one a proxy with ADS."},
    {"weft_xds_streams_total", COUNTER, U64, LABEL_NONE, AT(xds.streams_total), "xDS streams that were opened."},
    {"weft_xds_requests_total", COUNTER, U64, LABEL_NONE, AT(xds.requests), "xDS requests received."},
    {"weft_xds_rejected_requests_total", COUNTER, U64, LABEL_NONE, AT(xds.rejected_requests),
     "xDS requests that ended their stream: malformed, too large, from an unknown node."},
    {"weft_xds_pushes_total", COUNTER, U64, LABEL_TYPE, AT(xds.pushes), "xDS responses sent."},
    {"weft_xds_acks_total", COUNTER, U64, LABEL_TYPE, AT(xds.acks), "Responses that proxies took."},
    {"weft_xds_nacks_total", COUNTER, U64, LABEL_TYPE, AT(xds.nacks),
     "Responses that proxies refused; /debug/proxies has their words."},
    {"weft_xds_sent_bytes_total", COUNTER, U64, LABEL_NONE, AT(xds.bytes_sent), "Bytes of xDS responses."},
    {"weft_xds_stalled_streams_total", COUNTER, U64, LABEL_NONE, AT(xds.transport.stalled_streams),
     "Streams closed because the proxy did not read."},
    {"weft_xds_refused_streams_total", COUNTER, U64, LABEL_NONE, AT(xds.transport.refused_streams),
     "Streams turned away because there were too many."},
    {"weft_xds_accept_failures_total", COUNTER, U64, LABEL_NONE, AT(xds.transport.accept_failures),
     "Connections that could not be accepted; above 0 the listener is dead, and /healthz is 503."},
    {"weft_xds_denied_streams_total", COUNTER, U64, LABEL_NONE, AT(xds.denied_streams),
     "Streams of proxies that say that they are somebody else than they proved to be."},
    {"weft_xds_withheld_secrets_total", COUNTER, U64, LABEL_WITHHELD, AT(xds.withheld_secrets),
     "Secrets that proxies asked for and were not given, and why."},
    {"weft_grpc_streams", GAUGE, U64, LABEL_NONE, AT(xds.transport.streams), "Streams of all services that are open."},
    {"weft_grpc_encrypted_streams", GAUGE, U64, LABEL_NONE, AT(xds.transport.encrypted_streams),
     "Of them: with TLS, and so with a caller."},
    {"weft_grpc_waiting_callers", GAUGE, U64, LABEL_NONE, AT(xds.transport.guests),
     "Callers who wait for who they are to be found out."},
    {"weft_grpc_refused_callers_total", COUNTER, U64, LABEL_REFUSAL, AT(xds.transport.refused_guests),
     "Callers that were turned away, and why."},
    {"weft_grpc_failed_handshakes_total", COUNTER, U64, LABEL_HANDSHAKE, AT(xds.transport.failed_handshakes),
     "TLS handshakes that failed: the client's certificate does not count, or anything else."},
    {"weft_xds_convergence_seconds", HISTOGRAM, U64, LABEL_NONE, 0,
     "From seeing a change to the last proxy's acknowledgement of it."},

    {"weft_generations_total", COUNTER, U64, LABEL_NONE, AT(pipeline.generations),
     "Generations made of changed objects."},
    {"weft_roster_generations_total", COUNTER, U64, LABEL_NONE, AT(pipeline.rosters),
     "Generations made because proxies came or went."},
    {"weft_unchanged_total", COUNTER, U64, LABEL_NONE, AT(pipeline.unchanged),
     "Changes of the sources that made no difference."},
    {"weft_resolve_seconds_total", COUNTER, DOUBLE, LABEL_NONE, AT(pipeline.resolve_s),
     "Time spent on resolving snapshots to models."},
    {"weft_emit_seconds_total", COUNTER, DOUBLE, LABEL_NONE, AT(pipeline.emit_s),
     "Time spent on emitting models as resources."},
    {"weft_nodes", GAUGE, U64, LABEL_NONE, AT(pipeline.nodes), "Distinct proxies that the present generation is for."},
    {"weft_views", GAUGE, U64, LABEL_NONE, AT(pipeline.views),
     "Views: kinds of proxy with one outbound configuration."},
    {"weft_workload_classes", GAUGE, U64, LABEL_NONE, AT(pipeline.workloads),
     "Workload classes: kinds of proxy with one inbound configuration."},
    {"weft_resource_sets", GAUGE, U64, LABEL_TYPE, AT(pipeline.sets), "Distinct resource sets."},
    {"weft_resources", GAUGE, U64, LABEL_TYPE, AT(pipeline.resources), "Resources in the distinct sets."},
    {"weft_resource_bytes", GAUGE, U64, LABEL_TYPE, AT(pipeline.bytes),
     "Bytes of the resources in the distinct sets; what sets share counts in each."},
    {"weft_model_bytes", GAUGE, U64, LABEL_NONE, AT(pipeline.model_bytes), "Memory of the present model."},

    {"weft_objects", GAUGE, U64, LABEL_KIND, AT(pipeline.objects), "Objects in force."},
    {"weft_report_rows", GAUGE, U64, LABEL_SEVERITY, AT(pipeline.rows), "What is wrong with the configuration."},
    {"weft_source_synced", GAUGE, BOOL, LABEL_SOURCE, AT(pipeline.is_synced), "1 once the source has been read."},
    {"weft_source_stale", GAUGE, BOOL, LABEL_SOURCE, AT(pipeline.is_stale),
     "1 while an older state is kept because the last reading failed."},
    {"weft_source_last_sync_timestamp_seconds", GAUGE, NANOSECONDS, LABEL_SOURCE, AT(pipeline.last_sync_wall_ns),
     "When the source was last read with success."},

    {"weft_jwks_sources", GAUGE, U64, LABEL_NONE, AT(jwks.wanted),
     "URLs that keys of token issuers are fetched from; /debug/jwks has each."},
    {"weft_jwks_sources_without_keys", GAUGE, U64, LABEL_NONE, AT(jwks.without_keys),
     "Of them: none were ever fetched, so no token of the issuer is believed."},
    {"weft_jwks_sources_failing", GAUGE, U64, LABEL_NONE, AT(jwks.failing), "Of them: fetching failed the last time."},
    {"weft_jwks_fetches_total", COUNTER, U64, LABEL_NONE, AT(jwks.fetches), "Key sets that were asked for."},
    {"weft_jwks_failed_fetches_total", COUNTER, U64, LABEL_NONE, AT(jwks.failures), "Of them: in vain."},
    {"weft_jwks_keys", GAUGE, U64, LABEL_JWKS, AT_JWKS(n_keys), "Keys in force, by the URL that was asked."},
    {"weft_jwks_failing", GAUGE, BOOL, LABEL_JWKS, AT_JWKS(is_failing),
     "1 while the last fetch was in vain; /debug/jwks says why."},
    {"weft_jwks_last_success_timestamp_seconds", GAUGE, NANOSECONDS, LABEL_JWKS, AT_JWKS(good_wall_ns),
     "When keys were last fetched with success; 0: never."},
    {"weft_jwks_next_try_seconds", GAUGE, DOUBLE, LABEL_JWKS, AT_JWKS(next_s), "Until they are fetched again."},

    {"weft_kube_synced", GAUGE, BOOL, LABEL_KUBE, AT(kube_is_synced),
     "1 once every kind has been listed at the API server."},
    {"weft_kube_stale", GAUGE, BOOL, LABEL_KUBE, AT(kube_is_stale),
     "1 while a kind has not been heard of at the API server for too long; the last state is kept."},
    {"weft_kube_requests_total", COUNTER, U64, LABEL_KUBE, AT(kube.http.requests), "Requests to the API server."},
    {"weft_kube_failed_requests_total", COUNTER, U64, LABEL_KUBE, AT(kube.http.failures),
     "Of them: without an answer, or with one that is an error."},
    {"weft_kube_connections_total", COUNTER, U64, LABEL_KUBE, AT(kube.http.connections),
     "Connections made to the API server."},
    {"weft_kube_received_bytes_total", COUNTER, U64, LABEL_KUBE, AT(kube.http.bytes),
     "Bytes that the API server sent."},
    {"weft_kube_leader", GAUGE, BOOL, LABEL_KUBE, AT(kube.is_leader), "1 on the replica that writes objects' status."},
    {"weft_kube_status_writes_total", COUNTER, U64, LABEL_KUBE, AT(kube.writes.writes),
     "Conditions written into objects' status."},
    {"weft_kube_failed_status_writes_total", COUNTER, U64, LABEL_KUBE, AT(kube.writes.failures),
     "Conditions that could not be written."},
    {"weft_kube_watch_live", GAUGE, BOOL, LABEL_KUBE_KIND, AT_KIND(is_live),
     "1 while the kind is being watched, or is not served and so empty."},
    {"weft_kube_silence_seconds", GAUGE, AGE, LABEL_KUBE_KIND, AT_KIND(heard_ns), "Since the kind was last heard of."},
    {"weft_kube_objects", GAUGE, U64, LABEL_KUBE_KIND, AT_KIND(n_objects), "Objects at the API server."},
    {"weft_kube_events_total", COUNTER, U64, LABEL_KUBE_KIND, AT_KIND(events), "Changes told by watches."},
    {"weft_kube_lists_total", COUNTER, U64, LABEL_KUBE_KIND, AT_KIND(lists), "Lists that came to their end."},
    {"weft_kube_watches_total", COUNTER, U64, LABEL_KUBE_KIND, AT_KIND(watches), "Watches that began."},
    {"weft_kube_expired_watches_total", COUNTER, U64, LABEL_KUBE_KIND, AT_KIND(gone),
     "Watches that could not go on (410), so that all was listed again."},
    {"weft_kube_list_changes_total", COUNTER, U64, LABEL_KUBE_KIND, AT_KIND(repairs),
     "Objects that a later list had otherwise than the watch before it."},
    {"weft_kube_unreadable_objects_total", COUNTER, U64, LABEL_KUBE_KIND, AT_KIND(unreadable),
     "Objects that could not be read; see /debug/report."},
    {"weft_kube_failures_total", COUNTER, U64, LABEL_KUBE_KIND, AT_KIND(failures),
     "Lists and watches that failed; /debug/kube says why."},

    {"weft_ca_signing", GAUGE, BOOL, LABEL_AUTHORITY, AT(authority.is_signing), "1 while certificates are signed."},
    {"weft_ca_signer_expiry_seconds", GAUGE, DOUBLE, LABEL_AUTHORITY, AT(authority.signer_s),
     "Until the signer, or what lies between it and its root, ends."},
    {"weft_ca_root_expiry_seconds", GAUGE, DOUBLE, LABEL_AUTHORITY, AT(authority.root_s),
     "Until the first of the trusted roots ends."},
    {"weft_ca_serving_expiry_seconds", GAUGE, DOUBLE, LABEL_AUTHORITY, AT(authority.serving_s),
     "Until weftd's own certificate ends."},
    {"weft_ca_serving_certificates_total", COUNTER, U64, LABEL_AUTHORITY, AT(authority.serving_certificates),
     "Certificates that weftd has given itself."},
    {"weft_ca_stale", GAUGE, BOOL, LABEL_AUTHORITY, AT(authority.is_stale),
     "1 while the former signer goes on since what is there now is wrong; /debug/ca says what."},
    {"weft_ca_changes_total", COUNTER, U64, LABEL_AUTHORITY, AT(authority.changes),
     "Changes of the signer or of the trusted roots."},
    {"weft_ca_reload_failures_total", COUNTER, U64, LABEL_AUTHORITY, AT(authority.reload_failures),
     "Readings of the authority that failed."},
    {"weft_ca_rotation_phase", GAUGE, U64, LABEL_AUTHORITY, AT(authority.phase),
     "Of the root: 0 none, 1 prepared (both are trusted, the old one signs), 2 active (the new one signs)."},

    {"weft_callers_admitted_total", COUNTER, U64, LABEL_WAY, AT(identity.door.admitted),
     "Callers on the TLS port who proved to be somebody, and how."},
    {"weft_callers_refused_total", COUNTER, U64, LABEL_TURNED_AWAY, AT(identity.door.refused),
     "Callers who did not, and why."},
    {"weft_tokens_refused_total", COUNTER, U64, LABEL_TOKEN, AT(identity.door.token_refusals),
     "Of them: tokens that were not believed without asking anybody."},
    {"weft_token_reviews_total", COUNTER, U64, LABEL_IDENTITY, AT(identity.door.cache.questions),
     "Tokens that the API server was asked about."},
    {"weft_token_review_hits_total", COUNTER, U64, LABEL_IDENTITY, AT(identity.door.cache.hits),
     "Tokens of which its answer was still known."},
    {"weft_certificates_issued_total", COUNTER, U64, LABEL_IDENTITY, AT(identity.certs.issued),
     "Certificates given to workloads."},
    {"weft_certificates_refused_total", COUNTER, U64, LABEL_UNSIGNED, AT(identity.certs.refused),
     "Certificate requests that the authority refused, and why."},
    {"weft_certificate_requests_rejected_total", COUNTER, U64, LABEL_REJECTED, AT(identity.certs.rejected),
     "Certificate requests that the authority did not look at, and why."},
    {"weft_signing_queue", GAUGE, U64, LABEL_IDENTITY, AT(identity.certs.signing.waiting),
     "Certificate requests that wait to be signed."},
    {"weft_signing_seconds_total", COUNTER, NANOSECONDS, LABEL_IDENTITY, AT(identity.certs.signing.signing_ns),
     "Time spent on judging and signing certificate requests."},
    {"weft_signing_requests_total", COUNTER, U64, LABEL_IDENTITY, AT(identity.certs.signing.signed_total),
     "Certificate requests that were judged."},

    {"process_resident_memory_bytes", GAUGE, U64, LABEL_NONE, AT(process.resident_bytes), "Resident memory."},
    {"process_cpu_seconds_total", COUNTER, DOUBLE, LABEL_NONE, AT(process.cpu_s), "CPU time, user and system."},
    {"process_open_fds", GAUGE, U64, LABEL_NONE, AT(process.open_fds), "Open file descriptors."},
    {"process_max_fds", GAUGE, U64, LABEL_NONE, AT(process.max_fds), "Most file descriptors allowed."},
    {"process_start_time_seconds", GAUGE, DOUBLE, LABEL_NONE, AT(process.start_time_s), "When the process started."},
};

/* ---- labels ---- */

static const char *const refusal_names[GUEST_REFUSALS] = {
    [GUEST_UNAUTHENTICATED] = "unauthenticated",
    [GUEST_DENIED] = "denied",
    [GUEST_CROWD] = "crowd",
    [GUEST_LATE] = "late",
    [GUEST_OTHER] = "other",
};

static size_t label_count(enum metric_label label, const struct metrics_input *input)
{
	switch (label) {
	case LABEL_JWKS:
		return input->n_jwks_sources;
	case LABEL_TYPE:
		return RESOURCE_TYPE_COUNT;
	case LABEL_REFUSAL:
		return GUEST_REFUSALS;
	case LABEL_HANDSHAKE:
		return HANDSHAKE_FAILURES;
	case LABEL_WITHHELD:
		return XDS_WITHHOLDINGS;
	case LABEL_KIND:
	case LABEL_KUBE_KIND:
		return KIND_COUNT;
	case LABEL_WAY:
		return DOOR_WAYS;
	case LABEL_TURNED_AWAY:
		return DOOR_REFUSALS;
	case LABEL_TOKEN:
		return TOKEN_REASONS;
	case LABEL_UNSIGNED:
		return REFUSAL_REASONS;
	case LABEL_REJECTED:
		return CERT_SERVICE_REFUSALS;
	case LABEL_SEVERITY:
		return PRESENT_SEVERITIES;
	case LABEL_NONE:
	case LABEL_SOURCE:
	case LABEL_KUBE:
	case LABEL_AUTHORITY:
	case LABEL_IDENTITY:
		break;
	}
	return 1;
}

/* How far the elements of a family lie apart. */
static size_t label_stride(const struct metric *metric)
{
	static const size_t sizes[] = {
	    [BOOL] = sizeof(bool),           [U64] = sizeof(uint64_t), [DOUBLE] = sizeof(double),
	    [NANOSECONDS] = sizeof(int64_t), [AGE] = sizeof(int64_t),
	};
	if (metric->label == LABEL_JWKS)
		return sizeof(struct jwks_source_stats);
	return metric->label == LABEL_KUBE_KIND ? sizeof(struct kube_kind_stats) : sizes[metric->value];
}

static bool is_shown(const struct metric *metric, const struct metrics_input *input, size_t i)
{
	if (metric->label == LABEL_KUBE)
		return input->kube.is_used;
	return metric->label != LABEL_KUBE_KIND || (input->kube.is_used && kube_source_reads((enum kind)i));
}

/* A label's value as the format has it. */
static void value_escape(const char *s, struct text *out)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			text_add_char(out, '\\');
		text_add(out, *s == '\n' ? "\\n" : (char[]){*s, '\0'});
	}
}

static void source_print(const struct jwks_source_stats *source, struct text *out)
{
	text_add(out, "{url=\"");
	value_escape(source->url, out);
	text_printf(out, "\",discovery=\"%s\"}", source->is_discovery ? "true" : "false");
}

/* `{type="CDS"}`, or nothing. */
static void label_print(enum metric_label label, const struct metrics_input *input, size_t i, struct text *out)
{
	switch (label) {
	case LABEL_JWKS:
		source_print(&input->jwks_sources[i], out);
		return;
	case LABEL_NONE:
	case LABEL_KUBE:
	case LABEL_AUTHORITY:
	case LABEL_IDENTITY:
		return;
	case LABEL_WAY:
		text_printf(out, "{way=\"%s\"}", door_way_label((enum door_way)i));
		return;
	case LABEL_TURNED_AWAY:
		text_printf(out, "{reason=\"%s\"}", door_refusal_label((enum door_refusal)i));
		return;
	case LABEL_TOKEN:
		text_printf(out, "{reason=\"%s\"}", token_refusal_label((enum token_reason)i));
		return;
	case LABEL_UNSIGNED:
		text_printf(out, "{reason=\"%s\"}", refusal_label((enum refusal_reason)i));
		return;
	case LABEL_REJECTED:
		text_printf(out, "{reason=\"%s\"}", cert_service_label((enum cert_service_refusal)i));
		return;
	case LABEL_REFUSAL:
		text_printf(out, "{reason=\"%s\"}", refusal_names[i]);
		return;
	case LABEL_HANDSHAKE:
		text_printf(out, "{reason=\"%s\"}", grpc_handshake_label((enum handshake_failure)i));
		return;
	case LABEL_WITHHELD:
		text_printf(out, "{reason=\"%s\"}", withheld_label((enum xds_withholding)i));
		return;
	case LABEL_TYPE:
		text_printf(out, "{type=\"%s\"}", resource_types[i].short_name);
		return;
	case LABEL_KIND:
	case LABEL_KUBE_KIND:
		text_printf(out, "{kind=\"%s\"}", kinds[i].kind);
		return;
	case LABEL_SEVERITY:
		text_printf(out, "{severity=\"%s\"}", report_severity_name((enum report_severity)i));
		return;
	case LABEL_SOURCE:
		text_add(out, "{source=\"file\"}");
		return;
	}
}

/* ---- values ---- */

static void value_print(const struct metric *metric, const void *at, int64_t now_ns, struct text *out)
{
	switch (metric->value) {
	case BOOL:
		text_printf(out, "%d", *(const bool *)at ? 1 : 0);
		return;
	case U64:
		text_printf(out, "%llu", (unsigned long long)*(const uint64_t *)at);
		return;
	case DOUBLE:
		text_printf(out, "%.6f", *(const double *)at);
		return;
	case NANOSECONDS:
		text_printf(out, "%.3f", (double)*(const int64_t *)at / 1e9);
		return;
	case AGE:
		text_printf(out, "%.3f", (double)(now_ns - *(const int64_t *)at) / 1e9);
		return;
	}
}

static void family_print(const struct metric *metric, const struct metrics_input *input, struct text *out)
{
	bool is_jwks = metric->label == LABEL_JWKS;
	size_t n = label_count(metric->label, input);

	if (n == 0)
		return;
	const char *at = (is_jwks ? (const char *)input->jwks_sources : (const char *)input) + metric->at;
	for (size_t i = 0; i < n; i++, at += label_stride(metric)) {
		if (!is_shown(metric, input, i))
			continue;
		text_add(out, metric->name);
		label_print(metric->label, input, i, out);
		text_add_char(out, ' ');
		value_print(metric, at, input->now_ns, out);
		text_add_char(out, '\n');
	}
}

/* Prometheus' buckets are cumulative; ours are not. */
static void histogram_print(const struct metric *metric, const struct xds_stats *xds, struct text *out)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < XDS_BUCKETS; i++) {
		sum += xds->convergence[i];
		text_printf(out, "%s_bucket{le=\"%g\"} %llu\n", metric->name, (double)xds_bucket_ms[i] / 1e3,
		            (unsigned long long)sum);
	}
	sum += xds->convergence[XDS_BUCKETS];
	text_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n", metric->name, (unsigned long long)sum);
	text_printf(out, "%s_sum %.6f\n", metric->name, xds->convergence_sum_s);
	text_printf(out, "%s_count %llu\n", metric->name, (unsigned long long)sum);
}

static bool is_family_shown(enum metric_label label, const struct metrics_input *input)
{
	if (label == LABEL_AUTHORITY)
		return input->authority.is_used;
	if (label >= LABEL_IDENTITY)
		return input->identity.is_used;
	return (label != LABEL_KUBE && label != LABEL_KUBE_KIND) || input->kube.is_used;
}

void metrics_print(const struct metrics_input *input, struct text *out)
{
	text_add(out, "# HELP weft_build_info The version that runs; always 1.\n# TYPE weft_build_info gauge\n"
	              "weft_build_info{version=\"" WEFT_VERSION "\"} 1\n");
	for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
		const struct metric *metric = &metrics[i];
		if (!is_family_shown(metric->label, input))
			continue;
		text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
		            metric_type_names[metric->type]);
		if (metric->type == HISTOGRAM)
			histogram_print(metric, &input->xds, out);
		else
			family_print(metric, input, out);
	}
}

#include "server/metrics.h"

#include "crds/kinds.h"

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

static const char *const metric_type_names[] = {
    [COUNTER] = "counter",
    [GAUGE] = "gauge",
    [HISTOGRAM] = "histogram",
};

/* How the field is held, and with a unit that is not the metric's, how it is turned into it. */
enum metric_value { BOOL, U64, DOUBLE, NANOSECONDS };

/* A family with a label is an array of U64, one a label value. */
enum metric_label { LABEL_NONE, LABEL_TYPE, LABEL_KIND, LABEL_SEVERITY, LABEL_SOURCE };

struct metric {
	const char *name;
	enum metric_type type;
	enum metric_value value;
	enum metric_label label;
	size_t at; /* offset in struct metrics_input; of histograms: unused */
	const char *help;
};

#define AT(field) offsetof(struct metrics_input, field)

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
    {"weft_xds_stalled_streams_total", COUNTER, U64, LABEL_NONE, AT(xds.stalled_streams),
     "Streams closed because the proxy did not read."},
    {"weft_xds_refused_streams_total", COUNTER, U64, LABEL_NONE, AT(xds.refused_streams),
     "Streams turned away because there were too many."},
    {"weft_xds_accept_failures_total", COUNTER, U64, LABEL_NONE, AT(xds.accept_failures),
     "Connections that could not be accepted; above 0 the listener is dead, and /healthz is 503."},
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

    {"process_resident_memory_bytes", GAUGE, U64, LABEL_NONE, AT(process.resident_bytes), "Resident memory."},
    {"process_cpu_seconds_total", COUNTER, DOUBLE, LABEL_NONE, AT(process.cpu_s), "CPU time, user and system."},
    {"process_open_fds", GAUGE, U64, LABEL_NONE, AT(process.open_fds), "Open file descriptors."},
    {"process_max_fds", GAUGE, U64, LABEL_NONE, AT(process.max_fds), "Most file descriptors allowed."},
    {"process_start_time_seconds", GAUGE, DOUBLE, LABEL_NONE, AT(process.start_time_s), "When the process started."},
};

/* ---- labels ---- */

static size_t label_count(enum metric_label label)
{
	switch (label) {
	case LABEL_TYPE:
		return RESOURCE_TYPE_COUNT;
	case LABEL_KIND:
		return KIND_COUNT;
	case LABEL_SEVERITY:
		return PRESENT_SEVERITIES;
	case LABEL_NONE:
	case LABEL_SOURCE:
		break;
	}
	return 1;
}

/* `{type="CDS"}`, or nothing. */
static void label_print(enum metric_label label, size_t i, struct text *out)
{
	switch (label) {
	case LABEL_NONE:
		return;
	case LABEL_TYPE:
		text_printf(out, "{type=\"%s\"}", resource_types[i].short_name);
		return;
	case LABEL_KIND:
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

static void value_print(const struct metric *metric, const char *at, size_t i, struct text *out)
{
	switch (metric->value) {
	case BOOL:
		text_printf(out, "%d", ((const bool *)at)[i] ? 1 : 0);
		return;
	case U64:
		text_printf(out, "%llu", (unsigned long long)((const uint64_t *)(const void *)at)[i]);
		return;
	case DOUBLE:
		text_printf(out, "%.6f", ((const double *)(const void *)at)[i]);
		return;
	case NANOSECONDS:
		text_printf(out, "%.3f", (double)((const int64_t *)(const void *)at)[i] / 1e9);
		return;
	}
}

static void family_print(const struct metric *metric, const struct metrics_input *input, struct text *out)
{
	const char *at = (const char *)input + metric->at;

	for (size_t i = 0; i < label_count(metric->label); i++) {
		text_add(out, metric->name);
		label_print(metric->label, i, out);
		text_add_char(out, ' ');
		value_print(metric, at, i, out);
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

void metrics_print(const struct metrics_input *input, struct text *out)
{
	text_add(out, "# HELP weft_build_info The version that runs; always 1.\n# TYPE weft_build_info gauge\n"
	              "weft_build_info{version=\"" WEFT_VERSION "\"} 1\n");
	for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
		const struct metric *metric = &metrics[i];
		text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
		            metric_type_names[metric->type]);
		if (metric->type == HISTOGRAM)
			histogram_print(metric, &input->xds, out);
		else
			family_print(metric, input, out);
	}
}

#include "server/metrics.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct metrics_input input;

static void print(struct text *out)
{
	metrics_print(&input, out);
}

/* Whether the page has the line, whole. */
static void has_line(const struct text *page, const char *want)
{
	size_t n = strlen(want);
	for (const char *at = page->s; (at = strstr(at, want)); at++) {
		if ((at == page->s || at[-1] == '\n') && at[n] == '\n')
			return;
	}
	ck_abort_msg("no line \"%s\"", want);
}

static const struct {
	const char *name;
	void *at;
	uint64_t value;
	const char *want;
} counts[] = {
    {"streams", &input.xds.streams, 3, "weft_proxies 3"},
    {"pushes", &input.xds.pushes[RESOURCE_ENDPOINTS], 7, "weft_xds_pushes_total{type=\"EDS\"} 7"},
    {"acks", &input.xds.acks[RESOURCE_CLUSTER], 8, "weft_xds_acks_total{type=\"CDS\"} 8"},
    {"nacks", &input.xds.nacks[RESOURCE_LISTENER], 9, "weft_xds_nacks_total{type=\"LDS\"} 9"},
    {"objects", &input.pipeline.objects[KIND_VIRTUAL_SERVICE], 11, "weft_objects{kind=\"VirtualService\"} 11"},
    {"errors", &input.pipeline.rows[REPORT_ERROR], 12, "weft_report_rows{severity=\"error\"} 12"},
    {"large", &input.xds.bytes_sent, UINT64_MAX, "weft_xds_sent_bytes_total 18446744073709551615"},
    {"resources", &input.pipeline.resources[RESOURCE_ROUTE], 13, "weft_resources{type=\"RDS\"} 13"},
    {"refused", &input.xds.transport.refused_streams, 14, "weft_xds_refused_streams_total 14"},
    {"accept", &input.xds.transport.accept_failures, 15, "weft_xds_accept_failures_total 15"},
    {"denied", &input.xds.denied_streams, 16, "weft_xds_denied_streams_total 16"},
    {"withheld", &input.xds.withheld_secrets[XDS_WITHHELD_OTHER_NAMESPACE], 20,
     "weft_xds_withheld_secrets_total{reason=\"other_namespace\"} 20"},
    {"handshakes", &input.xds.transport.failed_handshakes[HANDSHAKE_CERTIFICATE], 21,
     "weft_grpc_failed_handshakes_total{reason=\"certificate\"} 21"},
    {"encrypted", &input.xds.transport.encrypted_streams, 17, "weft_grpc_encrypted_streams 17"},
    {"refused callers", &input.xds.transport.refused_guests[GUEST_LATE], 18,
     "weft_grpc_refused_callers_total{reason=\"late\"} 18"},
    {"memory", &input.process.resident_bytes, 4096, "process_resident_memory_bytes 4096"},
};

START_TEST(fields_are_shown)
{
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		struct text page = {0};
		memcpy(counts[i].at, &counts[i].value, sizeof counts[i].value);
		print(&page);
		has_line(&page, counts[i].want);
		text_done(&page);
	}
}
END_TEST

START_TEST(other_values)
{
	struct text page = {0};
	input.is_ready = true;
	input.pipeline.is_stale = true;
	input.pipeline.last_sync_wall_ns = INT64_C(1700000000123456789);
	input.pipeline.emit_s = 1.5;
	print(&page);
	has_line(&page, "weft_ready 1");
	has_line(&page, "weft_source_synced{source=\"file\"} 0");
	has_line(&page, "weft_source_stale{source=\"file\"} 1");
	has_line(&page, "weft_source_last_sync_timestamp_seconds{source=\"file\"} 1700000000.123");
	has_line(&page, "weft_emit_seconds_total 1.500000");
	has_line(&page, "weft_build_info{version=\"" WEFT_VERSION "\"} 1");
	text_done(&page);
}
END_TEST

START_TEST(histogram_is_cumulative)
{
	struct text page = {0};
	char want[128];
	input.xds.convergence[0] = 2;
	input.xds.convergence[1] = 3;
	input.xds.convergence[XDS_BUCKETS] = 1;
	input.xds.convergence_sum_s = 2.25;
	print(&page);
	snprintf(want, sizeof want, "weft_xds_convergence_seconds_bucket{le=\"%g\"} 2", (double)xds_bucket_ms[0] / 1e3);
	has_line(&page, want);
	snprintf(want, sizeof want, "weft_xds_convergence_seconds_bucket{le=\"%g\"} 5",
	         (double)xds_bucket_ms[XDS_BUCKETS - 1] / 1e3);
	has_line(&page, want);
	has_line(&page, "weft_xds_convergence_seconds_bucket{le=\"+Inf\"} 6");
	has_line(&page, "weft_xds_convergence_seconds_sum 2.250000");
	has_line(&page, "weft_xds_convergence_seconds_count 6");
	text_done(&page);
}
END_TEST

/* Each family: HELP, TYPE, then its samples, once, counters named as such. */
START_TEST(format)
{
	struct text page = {0};
	char family[128] = "", type[32] = "";
	CLEANUP(text_done) struct text seen = {0};
	print(&page);
	char *rest = page.s;
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		char name[128], word[160];
		int end = 0;
		if (sscanf(line, "# HELP %127s %n", family, &end) == 1) {
			snprintf(word, sizeof word, "|%s|", family);
			ck_assert_msg(end > 0 && line[end] && !strstr(text_get(&seen), word), "%s", line);
			text_add(&seen, word);
			line = strsep(&rest, "\n");
			ck_assert_msg(sscanf(line, "# TYPE %127s %31s", name, type) == 2 && !strcmp(name, family), "%s",
			              line);
			bool is_total = strlen(family) > 6 && !strcmp(family + strlen(family) - 6, "_total");
			ck_assert_msg(is_total == !strcmp(type, "counter"), "%s", line);
			continue;
		}
		ck_assert_msg(!strncmp(line, family, strlen(family)), "%s under %s", line, family);
		char *value = strrchr(line, ' '), *value_end;
		ck_assert_ptr_nonnull(value);
		strtod(value + 1, &value_end);
		ck_assert_msg(value_end > value + 1 && !*value_end, "%s", line);
	}
	ck_assert(!rest || !*rest);
	text_done(&page);
}
END_TEST

START_TEST(usage_of_this_process)
{
	struct process_usage usage;
	process_usage(&usage);
	ck_assert_uint_gt(usage.resident_bytes, 1 << 20);
	ck_assert_uint_ge(usage.open_fds, 3);
	ck_assert_uint_ge(usage.max_fds, usage.open_fds);
	ck_assert(usage.start_time_s > 1.6e9);
}
END_TEST

START_TEST(sources_of_keys_have_a_line_each)
{
	static const struct jwks_source_stats sources[] = {
	    {.url = "https://a/keys", .n_keys = 2, .good_wall_ns = INT64_C(1500000000), .next_s = 7},
	    {.url = "https://b/\"\\\n", .is_discovery = true, .is_failing = true},
	};
	CLEANUP(text_done) struct text page = {0};
	const struct metrics_input some = {.jwks_sources = sources, .n_jwks_sources = 2};
	metrics_print(&some, &page);
	has_line(&page, "weft_jwks_keys{url=\"https://a/keys\",discovery=\"false\"} 2");
	has_line(&page, "weft_jwks_failing{url=\"https://b/\\\"\\\\\\n\",discovery=\"true\"} 1");
	has_line(&page, "weft_jwks_last_success_timestamp_seconds{url=\"https://a/keys\",discovery=\"false\"} 1.500");
	has_line(&page, "weft_jwks_next_try_seconds{url=\"https://a/keys\",discovery=\"false\"} 7.000000");
}
END_TEST

UNIT_MAIN("metrics", sources_of_keys_have_a_line_each, fields_are_shown, other_values, histogram_is_cumulative, format,
          usage_of_this_process)

#include "server/pipeline.h"

#include "base/slot.h"
#include "config_dir.h"
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS 30000

static const char reviews[] = "apiVersion: v1\n"
                              "kind: Service\n"
                              "metadata: {name: reviews, namespace: default}\n"
                              "spec:\n"
                              "  clusterIP: 10.1.0.1\n"
                              "  selector: {app: reviews}\n"
                              "  ports: [{name: http, port: 80, targetPort: 8080}]\n";

static const char ratings[] = "apiVersion: v1\n"
                              "kind: Service\n"
                              "metadata: {name: ratings, namespace: default}\n"
                              "spec:\n"
                              "  clusterIP: 10.1.0.2\n"
                              "  ports: [{name: http, port: 80}]\n";

static const char slice[] =
    "apiVersion: discovery.k8s.io/v1\n"
    "kind: EndpointSlice\n"
    "metadata: {name: reviews-1, namespace: default, labels: {kubernetes.io/service-name: reviews}}\n"
    "addressType: IPv4\n"
    "ports: [{name: http, port: 8080}]\n"
    "endpoints: [{addresses: [%s]}]\n";

/* A pipeline over a folder, and the newest generation it gave. */
struct fixture {
	struct config_dir dir;
	const char *paths[1];
	struct slot *generations;
	struct pipeline *pipeline;
	struct generation *generation;
};

static void drop_generation(void *generation)
{
	generation_unref(generation);
}

static void on_generation(void *context, struct generation *generation)
{
	slot_put(context, generation);
}

static void write_slice(const struct fixture *fixture, const char *address)
{
	char content[1024];
	snprintf(content, sizeof content, slice, address);
	config_dir_write(&fixture->dir, "slice.yaml", content);
}

static void fixture_init(struct fixture *fixture)
{
	struct error error;
	*fixture = (struct fixture){0};
	config_dir_init(&fixture->dir);
	config_dir_write(&fixture->dir, "reviews.yaml", reviews);
	write_slice(fixture, "10.0.0.1");
	fixture->paths[0] = fixture->dir.path;
	fixture->generations = slot_new(drop_generation);
	struct pipeline_options options = {
	    .files = {.paths = fixture->paths, .n_paths = 1, .root_namespace = "istio-system", .is_watching = true},
	    .on_generation = on_generation,
	    .context = fixture->generations,
	};
	fixture->pipeline = pipeline_new(&options, &error);
	ck_assert_msg(fixture->pipeline != NULL, "%s", error.message);
}

static void fixture_done(struct fixture *fixture)
{
	pipeline_free(fixture->pipeline);
	generation_unref(fixture->generation);
	slot_free(fixture->generations);
	config_dir_done(&fixture->dir);
}

/* Waits for the next generation that was not seen; the former one stays the caller's. */
static struct generation *next_generation(struct fixture *fixture)
{
	struct generation *former = fixture->generation;
	do {
		struct pollfd ready = {.fd = slot_fd(fixture->generations), .events = POLLIN};
		ck_assert_msg(poll(&ready, 1, WAIT_MS) == 1, "no generation came");
		fixture->generation = slot_take(fixture->generations);
	} while (!fixture->generation);
	return former;
}

static struct roster_node *node_new(const char *name, const char *namespace, const char *address)
{
	char id[256], metadata[512];
	struct error error;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	snprintf(id, sizeof id, "sidecar~%s~%s.%s~%s.svc.cluster.local", address, name, namespace, namespace);
	snprintf(metadata, sizeof metadata, "{\"NAMESPACE\":\"%s\",\"LABELS\":{\"app\":\"reviews\"}}", namespace);
	const struct json *json = json_parse(arena, metadata, strlen(metadata), &error);
	ck_assert_msg(json != NULL, "%s", error.message);
	struct roster_node *node = roster_node_new(id, json, &error);
	ck_assert_msg(node != NULL, "%s", error.message);
	return node;
}

static void send_roster(const struct fixture *fixture, struct roster_node *const *nodes, size_t n)
{
	pipeline_roster(fixture->pipeline, roster_new(nodes, n));
}

/* The first generation that has a config for the node; former ones are dropped. */
static struct proxy_config *wait_config(struct fixture *fixture, const struct roster_node *node)
{
	for (;;) {
		generation_unref(next_generation(fixture));
		struct proxy_config *config = generation_config(fixture->generation, node);
		if (config)
			return config;
	}
}

START_TEST(first_generation_has_configs)
{
	struct fixture fixture;
	struct error note;
	fixture_init(&fixture);
	struct roster_node *node = node_new("a", "default", "10.0.0.9");
	ck_assert(!pipeline_is_ready(fixture.pipeline, &note));
	ck_assert_str_eq(note.message, "the configuration has not been read yet");
	send_roster(&fixture, &node, 1); /* proxies may be there before the configuration is */
	pipeline_start(fixture.pipeline);
	generation_unref(next_generation(&fixture));
	ck_assert_uint_eq(fixture.generation->number, 1);
	ck_assert(!digest_is_zero(fixture.generation->snapshot));
	ck_assert_int_eq(fixture.generation->event_ns, 0);
	const struct proxy_config *config = generation_config(fixture.generation, node);
	ck_assert_ptr_nonnull(config);
	const char *cluster = "outbound|80||reviews.default.svc.cluster.local";
	ck_assert_ptr_nonnull(resource_set_get(config->view[RESOURCE_CLUSTER], cluster));
	ck_assert_ptr_nonnull(resource_set_get(config->view[RESOURCE_ENDPOINTS], cluster));
	ck_assert(pipeline_is_ready(fixture.pipeline, &note));
	ck_assert_str_eq(note.message, "");
	roster_node_unref(node);
	fixture_done(&fixture);
}
END_TEST

START_TEST(nothing_changes_what_an_endpoint_does_not_touch)
{
	struct fixture fixture;
	fixture_init(&fixture);
	struct roster_node *node = node_new("a", "default", "10.0.0.9");
	send_roster(&fixture, &node, 1);
	pipeline_start(fixture.pipeline);
	wait_config(&fixture, node);
	write_slice(&fixture, "10.0.0.2");
	struct generation *former = next_generation(&fixture);
	const struct proxy_config *before = generation_config(former, node);
	const struct proxy_config *after = generation_config(fixture.generation, node);
	ck_assert_uint_eq(fixture.generation->number, former->number + 1);
	ck_assert_int_gt(fixture.generation->event_ns, 0);
	ck_assert(!digest_equal(former->snapshot, fixture.generation->snapshot));
	ck_assert_ptr_ne(before->view[RESOURCE_ENDPOINTS], after->view[RESOURCE_ENDPOINTS]);
	ck_assert_ptr_eq(before->view[RESOURCE_CLUSTER], after->view[RESOURCE_CLUSTER]);
	ck_assert_ptr_eq(before->view[RESOURCE_LISTENER], after->view[RESOURCE_LISTENER]);
	ck_assert_ptr_eq(before->view[RESOURCE_ROUTE], after->view[RESOURCE_ROUTE]);
	ck_assert_ptr_eq(before->workload[RESOURCE_LISTENER], after->workload[RESOURCE_LISTENER]);
	generation_unref(former);
	roster_node_unref(node);
	fixture_done(&fixture);
}
END_TEST

START_TEST(roster_change_keeps_the_model)
{
	struct fixture fixture;
	struct present_stats stats;
	fixture_init(&fixture);
	struct roster_node *nodes[] = {node_new("a", "default", "10.0.0.8"), node_new("b", "default", "10.0.0.9"),
	                               node_new("c", "other", "10.0.0.10")};
	send_roster(&fixture, nodes, 1);
	pipeline_start(fixture.pipeline);
	wait_config(&fixture, nodes[0]);
	send_roster(&fixture, nodes, 3);
	struct generation *former = next_generation(&fixture);
	const struct proxy_config *config = generation_config(fixture.generation, nodes[0]);
	ck_assert_ptr_eq(fixture.generation->model, former->model);
	ck_assert_int_eq(fixture.generation->event_ns, 0);
	ck_assert_ptr_eq(config, generation_config(former, nodes[0]));
	ck_assert_ptr_null(generation_config(former, nodes[1]));
	ck_assert_ptr_nonnull(generation_config(fixture.generation, nodes[2]));
	/* b is of a's view */
	ck_assert_ptr_eq(config->view[RESOURCE_ROUTE],
	                 generation_config(fixture.generation, nodes[1])->view[RESOURCE_ROUTE]);
	generation_unref(former);

	send_roster(&fixture, nodes + 2, 1);
	former = next_generation(&fixture);
	ck_assert_ptr_null(generation_config(fixture.generation, nodes[0]));
	ck_assert_ptr_eq(generation_config(fixture.generation, nodes[2]), generation_config(former, nodes[2]));
	generation_unref(former);
	pipeline_stats(fixture.pipeline, &stats);
	ck_assert_uint_eq(stats.generations, 1);
	ck_assert_uint_eq(stats.rosters, 2);
	ck_assert_uint_eq(stats.nodes, 1);
	ck_assert_uint_eq(stats.views, 1);
	for (size_t i = 0; i < 3; i++)
		roster_node_unref(nodes[i]);
	fixture_done(&fixture);
}
END_TEST

START_TEST(equal_content_is_no_generation)
{
	struct fixture fixture;
	struct present_stats stats;
	fixture_init(&fixture);
	pipeline_start(fixture.pipeline);
	generation_unref(next_generation(&fixture));
	pipeline_reload(fixture.pipeline);
	do { /* until it has been read */
		pipeline_stats(fixture.pipeline, &stats);
		ck_assert(!stats.is_stale);
	} while (!stats.unchanged);
	ck_assert_uint_eq(stats.generations, 1);
	ck_assert_uint_eq(stats.rosters, 0);
	config_dir_write(&fixture.dir, "ratings.yaml", ratings);
	generation_unref(next_generation(&fixture));
	ck_assert_uint_eq(fixture.generation->number, 2);
	fixture_done(&fixture);
}
END_TEST

START_TEST(broken_file_keeps_last_good)
{
	struct fixture fixture;
	struct text report = {0};
	struct present_stats stats;
	fixture_init(&fixture);
	struct roster_node *node = node_new("a", "default", "10.0.0.9");
	send_roster(&fixture, &node, 1);
	pipeline_start(fixture.pipeline);
	wait_config(&fixture, node);
	pipeline_print_report(fixture.pipeline, &report);
	ck_assert_str_eq(report.s, "[]\n");
	config_dir_write(&fixture.dir, "reviews.yaml", "kind: [unclosed\n");
	struct generation *former = next_generation(&fixture);
	/* The report is new, so there is a generation; the resources are the very same. */
	ck_assert_int_eq(fixture.generation->event_ns, 0);
	ck_assert_ptr_eq(generation_config(former, node), generation_config(fixture.generation, node));
	text_done(&report);
	pipeline_print_report(fixture.pipeline, &report);
	ck_assert_msg(strstr(report.s, "reviews.yaml") != NULL, "%s", report.s);
	pipeline_stats(fixture.pipeline, &stats);
	ck_assert_uint_eq(stats.rows[REPORT_ERROR], 1);
	ck_assert_uint_eq(stats.objects[KIND_SERVICE], 1);
	generation_unref(former);

	config_dir_write(&fixture.dir, "reviews.yaml", reviews);
	generation_unref(next_generation(&fixture));
	pipeline_stats(fixture.pipeline, &stats);
	ck_assert_uint_eq(stats.rows[REPORT_ERROR], 0);
	text_done(&report);
	roster_node_unref(node);
	fixture_done(&fixture);
}
END_TEST

START_TEST(removed_file_removes)
{
	struct fixture fixture;
	fixture_init(&fixture);
	struct roster_node *node = node_new("a", "default", "10.0.0.9");
	send_roster(&fixture, &node, 1);
	pipeline_start(fixture.pipeline);
	wait_config(&fixture, node);
	config_dir_remove(&fixture.dir, "reviews.yaml");
	generation_unref(next_generation(&fixture));
	const struct proxy_config *config = generation_config(fixture.generation, node);
	ck_assert_ptr_null(
	    resource_set_get(config->view[RESOURCE_CLUSTER], "outbound|80||reviews.default.svc.cluster.local"));
	roster_node_unref(node);
	fixture_done(&fixture);
}
END_TEST

START_TEST(burst_of_rosters_ends_complete)
{
	enum { N = 200 };
	struct fixture fixture;
	struct present_stats stats;
	struct roster_node *nodes[N];
	fixture_init(&fixture);
	pipeline_start(fixture.pipeline);
	for (unsigned i = 0; i < N; i++) {
		char name[16], address[32];
		snprintf(name, sizeof name, "a-%u", i);
		snprintf(address, sizeof address, "10.0.1.%u", i);
		nodes[i] = node_new(name, "default", address);
		send_roster(&fixture, nodes, i + 1);
	}
	wait_config(&fixture, nodes[N - 1]);
	ck_assert_uint_eq(fixture.generation->configs.n, N);
	const struct proxy_config *first = generation_config(fixture.generation, nodes[0]);
	for (size_t i = 0; i < N; i++) /* equal labels, nothing of their own: one config */
		ck_assert_ptr_eq(generation_config(fixture.generation, nodes[i]), first);
	pipeline_stats(fixture.pipeline, &stats);
	ck_assert_uint_eq(stats.views, 1);
	ck_assert_uint_eq(stats.workloads, 1);
	for (size_t i = 0; i < N; i++)
		roster_node_unref(nodes[i]);
	fixture_done(&fixture);
}
END_TEST

START_TEST(config_of_a_proxy_is_printed)
{
	struct fixture fixture;
	struct text by_id = {0}, by_name = {0};
	struct error error;
	fixture_init(&fixture);
	struct roster_node *node = node_new("a", "default", "10.0.0.9");
	ck_assert(!pipeline_print_config(fixture.pipeline, node->node.id, &by_id, &error));
	ck_assert_str_eq(error.message, "the configuration has not been read yet");
	send_roster(&fixture, &node, 1);
	pipeline_start(fixture.pipeline);
	wait_config(&fixture, node);
	ck_assert_msg(pipeline_print_config(fixture.pipeline, node->node.id, &by_id, &error), "%s", error.message);
	ck_assert(pipeline_print_config(fixture.pipeline, "a.default", &by_name, &error));
	ck_assert_str_eq(by_id.s, by_name.s);
	ck_assert_ptr_nonnull(strstr(by_id.s, "\"outbound|80||reviews.default.svc.cluster.local\""));
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct json *json = json_parse(arena, by_id.s, by_id.n, &error);
	ck_assert_msg(json != NULL, "%s", error.message);
	static const char *const keys[] = {"report", "listeners", "routes", "clusters", "endpoints", "secrets"};
	ck_assert_uint_eq(json->object.n, sizeof keys / sizeof keys[0]);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		ck_assert_str_eq(json->object.v[i].key, keys[i]);
	text_done(&by_id);
	ck_assert(!pipeline_print_config(fixture.pipeline, "b.default", &by_id, &error));
	ck_assert_str_eq(error.message, "no proxy \"b.default\" is connected; /debug/proxies lists those that are");
	text_done(&by_id);
	text_done(&by_name);
	roster_node_unref(node);
	fixture_done(&fixture);
}
END_TEST

START_TEST(generation_outlives_the_pipeline)
{
	struct fixture fixture;
	fixture_init(&fixture);
	pipeline_start(fixture.pipeline);
	generation_unref(next_generation(&fixture));
	pipeline_free(fixture.pipeline);
	fixture.pipeline = NULL;
	ck_assert_ptr_nonnull(model_service(fixture.generation->model, "reviews.default.svc.cluster.local"));
	fixture_done(&fixture);
}
END_TEST

START_TEST(missing_path_is_an_error)
{
	struct error error;
	const char *path = "/nonexistent/weft";
	struct pipeline_options options = {.files = {.paths = &path, .n_paths = 1, .root_namespace = "istio-system"},
	                                   .on_generation = on_generation};
	ck_assert_ptr_null(pipeline_new(&options, &error));
	ck_assert_msg(strstr(error.message, path) != NULL, "%s", error.message);
}
END_TEST

START_TEST(stops_without_ever_starting)
{
	struct fixture fixture;
	fixture_init(&fixture);
	struct roster_node *node = node_new("a", "default", "10.0.0.9");
	send_roster(&fixture, &node, 1);
	pipeline_stop(fixture.pipeline);
	roster_node_unref(node);
	fixture_done(&fixture);
}
END_TEST

UNIT_MAIN("pipeline", first_generation_has_configs, nothing_changes_what_an_endpoint_does_not_touch,
          roster_change_keeps_the_model, equal_content_is_no_generation, broken_file_keeps_last_good,
          removed_file_removes, burst_of_rosters_ends_complete, config_of_a_proxy_is_printed,
          generation_outlives_the_pipeline, missing_path_is_an_error, stops_without_ever_starting)

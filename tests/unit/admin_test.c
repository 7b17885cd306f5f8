#include "server/admin.h"

#include "base/json.h"
#include "base/slot.h"
#include "config_dir.h"
#include "http_client.h"
#include "unit.h"

#include <grpc/support/log.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* The admin pages over a pipeline that reads a folder, with or without an xDS server. */
struct fixture {
	struct config_dir dir;
	const char *paths[1];
	struct pipeline *pipeline;
	struct xds_server *xds;
	struct grpc_transport *transport;
	struct admin *admin;
	struct slot *generations;
};

static void drop_generation(void *generation)
{
	generation_unref(generation);
}

static void on_generation(void *context, struct generation *generation)
{
	slot_put(context, generation);
}

static void on_roster(void *context, struct roster *roster)
{
	pipeline_roster(context, roster);
}

static void fixture_init(struct fixture *fixture, bool has_xds)
{
	struct error error;
	*fixture = (struct fixture){0};
	config_dir_init(&fixture->dir);
	config_dir_write(&fixture->dir, "broken.yaml", "kind: [unclosed\n");
	fixture->paths[0] = fixture->dir.path;
	fixture->generations = slot_new(drop_generation);
	struct pipeline_options pipeline = {
	    .files = {.paths = fixture->paths, .n_paths = 1, .root_namespace = "istio-system", .is_watching = true},
	    .on_generation = on_generation,
	    .context = fixture->generations,
	};
	fixture->pipeline = pipeline_new(&pipeline, &error);
	ck_assert_msg(fixture->pipeline != NULL, "%s", error.message);
	if (has_xds) {
		struct transport_method methods[XDS_METHODS];
		const struct grpc_listener listener = {.address = "127.0.0.1:0"};
		fixture->xds =
		    xds_server_new(&(struct xds_server_options){.on_roster = on_roster, .context = fixture->pipeline});
		xds_server_methods(fixture->xds, methods);
		fixture->transport = grpc_transport_new(
		    &(struct grpc_transport_options){
		        .listeners = &listener, .n_listeners = 1, .methods = methods, .n_methods = XDS_METHODS},
		    &error);
		ck_assert_msg(fixture->transport != NULL, "%s", error.message);
		xds_server_attach(fixture->xds, fixture->transport);
		grpc_transport_start(fixture->transport);
	}
	struct admin_options admin = {.address = "127.0.0.1:0", .pipeline = fixture->pipeline, .xds = fixture->xds};
	fixture->admin = admin_new(&admin, &error);
	ck_assert_msg(fixture->admin != NULL, "%s", error.message);
}

static void fixture_done(struct fixture *fixture)
{
	admin_set_draining(fixture->admin);
	pipeline_stop(fixture->pipeline);
	grpc_transport_free(fixture->transport, 0);
	xds_server_free(fixture->xds);
	admin_free(fixture->admin);
	pipeline_free(fixture->pipeline);
	slot_free(fixture->generations);
	config_dir_done(&fixture->dir);
}

static void sync_pipeline(struct fixture *fixture)
{
	struct pollfd ready = {.fd = slot_fd(fixture->generations), .events = POLLIN};
	pipeline_start(fixture->pipeline);
	ck_assert_int_eq(poll(&ready, 1, HTTP_WAIT_MS), 1);
	generation_unref(slot_take(fixture->generations));
}

/* The answer's status line must begin so, and its body must hold the words. */
static void expect(const struct fixture *fixture, const char *target, const char *status, const char *words)
{
	struct text answer = {0};
	http_get(admin_port(fixture->admin), target, &answer);
	ck_assert_msg(text_has_prefix(text_get(&answer), status), "%s: %s", target, text_get(&answer));
	ck_assert_msg(strstr(http_body(&answer), words) != NULL, "%s: %s", target, text_get(&answer));
	text_done(&answer);
}

#define OK "HTTP/1.1 200 OK\r\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\n"
#define UNAVAILABLE "HTTP/1.1 503 Service Unavailable\r\n"

START_TEST(before_the_first_sync)
{
	struct fixture fixture;
	fixture_init(&fixture, false);
	expect(&fixture, "/healthz", OK, "ok\n");
	expect(&fixture, "/readyz", UNAVAILABLE, "not ready: the configuration has not been read yet\n");
	expect(&fixture, "/debug/report", OK, "[]\n");
	expect(&fixture, "/debug/proxies", UNAVAILABLE, "the xDS server is not listening\n");
	expect(&fixture, "/debug/config_dump?proxy=a.b", NOT_FOUND, "the configuration has not been read yet\n");
	expect(&fixture, "/metrics", OK, "\nweft_ready 0\n");
	fixture_done(&fixture);
}
END_TEST

START_TEST(not_ready_without_xds)
{
	struct fixture fixture;
	fixture_init(&fixture, false);
	sync_pipeline(&fixture);
	expect(&fixture, "/readyz", UNAVAILABLE, "not ready: the xDS server is not listening\n");
	fixture_done(&fixture);
}
END_TEST

START_TEST(pages)
{
	struct fixture fixture;
	fixture_init(&fixture, true);
	expect(&fixture, "/readyz", UNAVAILABLE, "not ready: the configuration has not been read yet\n");
	sync_pipeline(&fixture);
	expect(&fixture, "/readyz", OK, "ready\n");
	expect(&fixture, "/readyz?verbose", OK, "ready\n");
	expect(&fixture, "/metrics", OK, "\nweft_ready 1\n");
	expect(&fixture, "/metrics", OK, "\nweft_report_rows{severity=\"error\"} 1\n");
	expect(&fixture, "/debug/report", OK, "broken.yaml");
	expect(&fixture, "/debug/proxies", OK, "[");
	expect(&fixture, "/debug/config_dump", "HTTP/1.1 400 Bad Request\r\n", "which proxy? Add ?proxy=ID\n");
	expect(&fixture, "/debug/config_dump?proxy=a.b", NOT_FOUND, "no proxy \"a.b\" is connected");
	expect(&fixture, "/debug", NOT_FOUND, "no such page");
	expect(&fixture, "/healthz/", NOT_FOUND, "no such page");
	fixture_done(&fixture);
}
END_TEST

START_TEST(config_of_a_proxy)
{
	struct fixture fixture;
	struct error error;
	struct text answer = {0};
	const char *id = "sidecar~10.0.0.1~a.default~default.svc.cluster.local";
	struct roster_node *node = roster_node_new(id, NULL, &error);
	fixture_init(&fixture, false);
	pipeline_roster(fixture.pipeline, roster_new(&node, 1));
	sync_pipeline(&fixture);
	http_get(admin_port(fixture.admin),
	         "/debug/config_dump?proxy=sidecar~10.0.0.1~a.default~default.svc.cluster.local", &answer);
	ck_assert_msg(strstr(text_get(&answer), "Content-Type: application/json\r\n") != NULL, "%s", answer.s);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *body = http_body(&answer);
	const struct json *json = json_parse(arena, body, strlen(body), &error);
	ck_assert_msg(json != NULL, "%s", error.message);
	ck_assert_uint_ge(json_get(json, "listeners")->array.n, 1);
	ck_assert_uint_eq(json_get(json, "report")->array.n, 1);
	text_done(&answer);
	roster_node_unref(node);
	fixture_done(&fixture);
}
END_TEST

START_TEST(index_lists_the_pages)
{
	struct fixture fixture;
	fixture_init(&fixture, false);
	for (size_t i = 0; i < ADMIN_ENDPOINTS; i++) {
		expect(&fixture, "/", OK, admin_endpoints[i].path);
		expect(&fixture, admin_endpoints[i].path, "HTTP/1.1 ", ""); /* and each is answered */
	}
	fixture_done(&fixture);
}
END_TEST

START_TEST(draining_is_not_ready)
{
	struct fixture fixture;
	fixture_init(&fixture, true);
	sync_pipeline(&fixture);
	admin_set_draining(fixture.admin);
	expect(&fixture, "/readyz", UNAVAILABLE, "not ready: stopping\n");
	expect(&fixture, "/healthz", OK, "ok\n");
	expect(&fixture, "/metrics", OK, "\nweft_ready 0\n");
	fixture_done(&fixture);
}
END_TEST

/* The last one where tests share a process: a listener that died stays dead. */
START_TEST(a_dead_listener_is_not_alive)
{
	struct fixture fixture;
	fixture_init(&fixture, true);
	sync_pipeline(&fixture);
	expect(&fixture, "/healthz", OK, "ok\n");
	gpr_log(GPR_ERROR, "Failed accept4: %s", "Too many open files"); /* gRPC core's words, and all it says */
	expect(&fixture, "/healthz", UNAVAILABLE, "the xDS listener has stopped accepting");
	expect(&fixture, "/readyz", UNAVAILABLE, "not ready: the xDS listener has stopped accepting");
	expect(&fixture, "/metrics", OK, "\nweft_xds_accept_failures_total 1\n");
	fixture_done(&fixture);
}
END_TEST

UNIT_MAIN("admin", before_the_first_sync, not_ready_without_xds, pages, config_of_a_proxy, index_lists_the_pages,
          draining_is_not_ready, a_dead_listener_is_not_alive)

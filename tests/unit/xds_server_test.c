#include "xds_fake.h"

#include "base/slot.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <poll.h>
#include <pthread.h>

/* The whole server over loopback gRPC, with clients made of gRPC C core. Waits end with what is waited for, or fail. */
#define PATIENCE_S 30

/* ---- the daemon's side ---- */

struct daemon {
	struct world world; /* for its arena */
	struct xds_server *server;
	struct grpc_transport *transport;
	struct slot *rosters;
	char address[64];
};

static void roster_drop(void *roster)
{
	roster_unref(roster);
}

static void on_roster(void *context, struct roster *roster)
{
	slot_put(context, roster);
}

static void daemon_start(struct daemon *daemon, struct grpc_transport_options options)
{
	const struct grpc_listener listener = {.address = "127.0.0.1:0"};
	struct transport_method methods[XDS_METHODS];
	struct error error;
	world_init(&daemon->world);
	daemon->rosters = slot_new(roster_drop);
	daemon->server =
	    xds_server_new(&(struct xds_server_options){.on_roster = on_roster, .context = daemon->rosters});
	xds_server_methods(daemon->server, methods);
	if (!options.listeners) {
		options.listeners = &listener;
		options.n_listeners = 1;
	}
	options.methods = methods;
	options.n_methods = XDS_METHODS;
	daemon->transport = grpc_transport_new(&options, &error);
	ck_assert_msg(daemon->transport != NULL, "%s", error.message);
	xds_server_attach(daemon->server, daemon->transport);
	grpc_transport_start(daemon->transport);
	snprintf(daemon->address, sizeof daemon->address, "127.0.0.1:%u", grpc_transport_port(daemon->transport, 0));
}

static void daemon_stop(struct daemon *daemon)
{
	grpc_transport_free(daemon->transport, 1000);
	xds_server_free(daemon->server);
	slot_free(daemon->rosters);
	world_done(&daemon->world);
}

/* The roster, once it has n nodes. */
static struct roster *daemon_roster(struct daemon *daemon, size_t n)
{
	struct pollfd fd = {.fd = slot_fd(daemon->rosters), .events = POLLIN};
	for (;;) {
		ck_assert_int_eq(poll(&fd, 1, PATIENCE_S * 1000), 1);
		struct roster *roster = slot_take(daemon->rosters);
		if (roster && roster->n == n)
			return roster;
		roster_unref(roster);
	}
}

static void daemon_publish(struct daemon *daemon, const struct roster *roster, const char *spec)
{
	struct generation *generation = generation_new(NULL);
	struct proxy_config *config = world_config(&daemon->world, spec);
	for (size_t i = 0; i < roster->n; i++)
		generation_add_config(generation, roster->v[i], config);
	proxy_config_unref(config);
	generation->event_ns = clock_now_ns(clock_system());
	xds_server_publish(daemon->server, generation);
}

/* ---- the proxies' side ---- */

struct client {
	grpc_completion_queue *queue;
	grpc_channel *channel;
	grpc_call *call;
	struct arena *arena;
	enum request_form form;
	bool is_node_sent, is_ended; /* ended: the status is here */
	char id[64];
	grpc_status_code status;
	grpc_slice details;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *received;
	const char *resources; /* of the last response: "a=1 b=1 -c" */
	enum resource_type type;
	const char *nonce;
};

enum { CLIENT_SEND = 1, CLIENT_RECEIVE, CLIENT_STATUS, CLIENT_CANCEL };

static void *client_tag(intptr_t tag)
{
	return (void *)tag;
}

/* The next event; its tag. */
static intptr_t client_next(struct client *client)
{
	gpr_timespec deadline =
	    gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(PATIENCE_S, GPR_TIMESPAN));
	grpc_event event = grpc_completion_queue_next(client->queue, deadline, NULL);
	ck_assert_msg(event.type == GRPC_OP_COMPLETE, "nothing happened for %d s", PATIENCE_S);
	client->is_ended |= event.tag == client_tag(CLIENT_STATUS);
	return (intptr_t)event.tag;
}

static void client_batch(struct client *client, const grpc_op *ops, size_t n, intptr_t tag)
{
	ck_assert_int_eq(grpc_call_start_batch(client->call, ops, n, client_tag(tag), NULL), GRPC_CALL_OK);
}

static void client_open(struct client *client, const struct daemon *daemon, const char *id, const char *path,
                        enum request_form form)
{
	*client = (struct client){.form = form, .arena = arena_new(), .status = GRPC_STATUS_UNKNOWN};
	snprintf(client->id, sizeof client->id, "sidecar~10.0.0.1~%s.default~default.svc.cluster.local", id);
	grpc_init();
	client->queue = grpc_completion_queue_create_for_next(NULL);
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	/* a connection of its own for each */
	char key[] = "grpc.use_local_subchannel_pool";
	grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = key, .value.integer = 1};
	grpc_channel_args args = {1, &arg};
	client->channel = grpc_channel_create(daemon->address, credentials, &args);
	grpc_channel_credentials_release(credentials);
	client->call = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS, client->queue,
	                                        grpc_slice_from_static_string(path), NULL,
	                                        gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
	grpc_metadata_array_init(&client->initial);
	grpc_metadata_array_init(&client->trailing);
	const grpc_op ops[] = {
	    {.op = GRPC_OP_SEND_INITIAL_METADATA},
	    {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
	     .data.recv_status_on_client = {.trailing_metadata = &client->trailing,
	                                    .status = &client->status,
	                                    .status_details = &client->details}},
	    {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &client->initial},
	};
	client_batch(client, ops, 3, CLIENT_STATUS);
}

/* Waits for the end of the stream; cancels it first when asked to. */
static void client_close(struct client *client, bool is_cancelled)
{
	if (is_cancelled)
		grpc_call_cancel(client->call, NULL);
	while (!client->is_ended)
		client_next(client);
	grpc_call_unref(client->call);
	grpc_channel_destroy(client->channel);
	grpc_completion_queue_shutdown(client->queue);
	while (grpc_completion_queue_next(client->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
	       GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(client->queue);
	grpc_byte_buffer_destroy(client->received);
	grpc_slice_unref(client->details);
	grpc_metadata_array_destroy(&client->initial);
	grpc_metadata_array_destroy(&client->trailing);
	arena_free(client->arena);
	grpc_shutdown_blocking();
}

static void client_send_bytes(struct client *client, struct bytes bytes)
{
	grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.data, bytes.n);
	grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
	const grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
	client_batch(client, &op, 1, CLIENT_SEND);
	while (client_next(client) != CLIENT_SEND)
		;
	grpc_byte_buffer_destroy(buffer);
	grpc_slice_unref(slice);
}

static void client_request(struct client *client, enum resource_type type, const char *nonce, const char *error)
{
	envoy_node *node = envoy_node_new(client->arena);
	node->id = client->id;
	google_status *status = error ? google_status_new(client->arena) : NULL;
	if (status)
		status->message = arena_strdup(client->arena, error);
	envoy_discovery_request *sotw = envoy_discovery_request_new(client->arena);
	envoy_delta_discovery_request *delta = envoy_delta_discovery_request_new(client->arena);
	sotw->node = delta->node = client->is_node_sent ? NULL : node;
	sotw->type_url = delta->type_url = arena_strdup(client->arena, resource_types[type].type_url);
	sotw->response_nonce = delta->response_nonce = arena_strdup(client->arena, nonce);
	sotw->error_detail = delta->error_detail = status;
	client->is_node_sent = true;
	client_send_bytes(client, pack(client->arena, client->form == REQUEST_SOTW ? &sotw->base : &delta->base));
}

static const char *client_decode(struct client *client, const uint8_t *data, size_t n)
{
	struct text out = {0};
	const char *type_url;
	if (client->form == REQUEST_SOTW) {
		const envoy_discovery_response *response = (const envoy_discovery_response *)unpack_own(
		    client->arena, envoy_discovery_response_type(), data, n);
		for (size_t i = 0; i < response->n_resources; i++)
			text_printf(&out, "%s%.*s", i ? " " : "", (int)response->resources[i]->value.len,
			            (const char *)response->resources[i]->value.data);
		client->nonce = response->nonce;
		type_url = response->type_url;
	} else {
		const envoy_delta_discovery_response *response = (const envoy_delta_discovery_response *)unpack_own(
		    client->arena, envoy_delta_discovery_response_type(), data, n);
		for (size_t i = 0; i < response->n_resources; i++)
			text_printf(&out, "%s%.*s", i ? " " : "", (int)response->resources[i]->resource->value.len,
			            (const char *)response->resources[i]->resource->value.data);
		for (size_t i = 0; i < response->n_removed_resources; i++)
			text_printf(&out, " -%s", response->removed_resources[i]);
		client->nonce = response->nonce;
		type_url = response->type_url;
	}
	for (client->type = 0; strcmp(resource_types[client->type].type_url, type_url) != 0;)
		client->type++;
	const char *copy = arena_strdup(client->arena, text_get(&out));
	text_done(&out);
	return copy;
}

/* The next response's resources; NULL when the stream ended. */
static const char *client_receive(struct client *client)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &client->received};
	client_batch(client, &op, 1, CLIENT_RECEIVE);
	while (client_next(client) != CLIENT_RECEIVE)
		;
	if (!client->received) {
		while (!client->is_ended)
			client_next(client);
		return NULL;
	}
	grpc_byte_buffer_reader reader;
	ck_assert_int_eq(grpc_byte_buffer_reader_init(&reader, client->received), 1);
	grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);
	client->resources = client_decode(client, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(client->received);
	client->received = NULL;
	return client->resources;
}

static const char *const ADS[] = {"/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
                                  "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"};

/* Waits until all that was sent is acknowledged; what the server counts is the only way to see that from outside. */
static struct xds_stats daemon_settled(struct daemon *daemon, uint64_t convergences)
{
	struct xds_stats stats;
	for (int i = 0; i < PATIENCE_S * 1000; i++) {
		xds_server_stats(daemon->server, &stats);
		if (stats.convergence_n >= convergences)
			return stats;
		poll(NULL, 0, 1);
	}
	ck_abort_msg("not settled after %d s", PATIENCE_S);
}

START_TEST(serves_a_proxy)
{
	for (enum request_form form = REQUEST_SOTW; form <= REQUEST_DELTA; form++) {
		struct daemon daemon;
		struct client client;
		daemon_start(&daemon, (struct grpc_transport_options){0});
		client_open(&client, &daemon, "app-1", ADS[form], form);
		client_request(&client, RESOURCE_CLUSTER, "", NULL);
		struct roster *roster = daemon_roster(&daemon, 1);
		ck_assert_str_eq(roster->v[0]->node.name, "app-1");
		daemon_publish(&daemon, roster, "CDS a=1 b=1 | CDS' in=1");
		ck_assert_str_eq(client_receive(&client), "a=1 b=1 in=1");
		client_request(&client, RESOURCE_CLUSTER, client.nonce, NULL);
		daemon_settled(&daemon, 1);
		daemon_publish(&daemon, roster, "CDS a=2 b=1 | CDS' in=1");
		ck_assert_str_eq(client_receive(&client), form == REQUEST_SOTW ? "a=2 b=1 in=1" : "a=2");
		client_request(&client, RESOURCE_CLUSTER, client.nonce, "a: no");
		struct xds_stats stats = daemon_settled(&daemon, 2);
		ck_assert_uint_eq(stats.streams, 1);
		ck_assert_uint_eq(stats.requests, 3);
		ck_assert_uint_eq(stats.pushes[RESOURCE_CLUSTER], 2);
		ck_assert_uint_eq(stats.acks[RESOURCE_CLUSTER], 1);
		ck_assert_uint_eq(stats.nacks[RESOURCE_CLUSTER], 1);
		CLEANUP(text_done) struct text proxies = {0};
		xds_server_print_proxies(daemon.server, &proxies);
		ck_assert_msg(strstr(text_get(&proxies),
		                     "[{\"id\":\"sidecar~10.0.0.1~app-1.default~default.svc.cluster.local\","
		                     "\"connected_s\":0,\"protocol\":\"") == text_get(&proxies),
		              "%s", text_get(&proxies));
		ck_assert_msg(strstr(text_get(&proxies), "\"nonce\":\"2\",\"resources\":3,\"subscribed\":\"*\","
		                                         "\"nack\":{\"resource\":\"a\",\"message\":\"a: no\",") != NULL,
		              "%s", text_get(&proxies));
		client_close(&client, true);
		roster_unref(roster);
		roster_unref(daemon_roster(&daemon, 0));
		daemon_stop(&daemon);
	}
}
END_TEST

static void client_subscribe(struct client *client, enum resource_type type, const char *name)
{
	envoy_delta_discovery_request *delta = envoy_delta_discovery_request_new(client->arena);
	envoy_node *node = envoy_node_new(client->arena);
	node->id = client->id;
	delta->node = client->is_node_sent ? NULL : node;
	delta->type_url = arena_strdup(client->arena, resource_types[type].type_url);
	BUILD_ADD(client->arena, delta, resource_names_subscribe, arena_strdup(client->arena, name));
	client->is_node_sent = true;
	client_send_bytes(client, pack(client->arena, &delta->base));
}

/* A proxy has taken roots when one of its streams has; one that asked for none is not waited for. */
START_TEST(knows_who_took_which_roots)
{
	struct daemon daemon;
	struct client proxy, agent, silent;
	struct xds_trust trust;
	daemon_start(&daemon, (struct grpc_transport_options){0});
	client_open(&proxy, &daemon, "app-1", ADS[1], REQUEST_DELTA);
	client_request(&proxy, RESOURCE_CLUSTER, "", NULL);
	client_open(&agent, &daemon, "app-1", "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets",
	            REQUEST_DELTA);
	client_open(&silent, &daemon, "app-2", ADS[1], REQUEST_DELTA);
	client_request(&silent, RESOURCE_CLUSTER, "", NULL);
	client_subscribe(&agent, RESOURCE_SECRET, "ROOTCA");
	struct roster *roster = daemon_roster(&daemon, 2);
	daemon_publish(&daemon, roster, "SDS ROOTCA=1");
	ck_assert_str_eq(client_receive(&agent), "ROOTCA=1");
	struct proxy_config *config = world_config(&daemon.world, "SDS ROOTCA=1");
	struct digest version = config->view[RESOURCE_SECRET]->v[0]->version;
	proxy_config_unref(config);
	xds_server_trust(daemon.server, version, &trust);
	ck_assert_uint_eq(trust.proxies, 2);
	ck_assert_uint_eq(trust.acknowledged, 0);
	ck_assert_uint_eq(trust.unaware, 1);
	ck_assert_uint_eq(trust.n_waiting, 1);
	ck_assert_str_eq(trust.waiting[0], agent.id);
	client_request(&agent, RESOURCE_SECRET, agent.nonce, NULL);
	for (int i = 0; i < PATIENCE_S * 1000 && !trust.acknowledged; i++) {
		xds_server_trust(daemon.server, version, &trust);
		poll(NULL, 0, 1);
	}
	ck_assert_uint_eq(trust.acknowledged, 1);
	ck_assert_uint_eq(trust.n_waiting, 0);
	xds_server_trust(daemon.server, digest_of("other", 5), &trust);
	ck_assert_uint_eq(trust.n_waiting, 1);
	client_close(&proxy, true);
	client_close(&agent, true);
	client_close(&silent, true);
	roster_unref(roster);
	daemon_stop(&daemon);
}
END_TEST

/* Many large responses: only some are on their way at once, and all arrive. */
START_TEST(serves_many_proxies_large_responses)
{
	enum { N = 40 };
	static struct client clients[N];
	struct daemon daemon;
	struct text spec = {0};
	daemon_start(&daemon, (struct grpc_transport_options){0});
	text_add(&spec, "CDS");
	for (unsigned i = 0; i < 200; i++)
		text_printf(&spec, " c%03u=%01000u", i, i);
	for (unsigned i = 0; i < N; i++) {
		char id[16];
		snprintf(id, sizeof id, "app-%u", i);
		client_open(&clients[i], &daemon, id, ADS[i % 2], i % 2);
		client_request(&clients[i], RESOURCE_CLUSTER, "", NULL);
	}
	struct roster *roster = daemon_roster(&daemon, N);
	daemon_publish(&daemon, roster, spec.s);
	for (unsigned i = 0; i < N; i++) {
		ck_assert_uint_ge(strlen(client_receive(&clients[i])), 200000);
		client_request(&clients[i], RESOURCE_CLUSTER, clients[i].nonce, NULL);
	}
	struct xds_stats stats = daemon_settled(&daemon, 1);
	ck_assert_uint_eq(stats.acks[RESOURCE_CLUSTER], N);
	ck_assert_uint_eq(stats.transport.stalled_streams, 0);
	for (unsigned i = 0; i < N; i++)
		client_close(&clients[i], true);
	roster_unref(roster);
	text_done(&spec);
	daemon_stop(&daemon);
}
END_TEST

struct publisher {
	struct daemon *daemon;
	struct roster *roster;
};

static void *publish_many(void *argument)
{
	struct publisher *publisher = argument;
	for (unsigned i = 1; i <= 300; i++) {
		char spec[64];
		snprintf(spec, sizeof spec, "CDS a=%u | LDS l=%u", i, i / 2);
		daemon_publish(publisher->daemon, publisher->roster, spec);
		struct xds_stats stats;
		xds_server_stats(publisher->daemon->server, &stats);
		CLEANUP(text_done) struct text proxies = {0};
		xds_server_print_proxies(publisher->daemon->server, &proxies);
	}
	return NULL;
}

START_TEST(brings_the_newest_while_much_is_published)
{
	for (enum request_form form = REQUEST_SOTW; form <= REQUEST_DELTA; form++) {
		struct daemon daemon;
		struct client client;
		daemon_start(&daemon, (struct grpc_transport_options){0});
		client_open(&client, &daemon, "app-1", ADS[form], form);
		client_request(&client, RESOURCE_CLUSTER, "", NULL);
		client_request(&client, RESOURCE_LISTENER, "", NULL);
		struct publisher publisher = {&daemon, daemon_roster(&daemon, 1)};
		pthread_t thread;
		ck_assert_int_eq(pthread_create(&thread, NULL, publish_many, &publisher), 0);
		bool is_done[2] = {false, false};
		while (!is_done[0] || !is_done[1]) {
			const char *resources = client_receive(&client);
			ck_assert_ptr_nonnull(resources);
			is_done[0] |= strcmp(resources, "a=300") == 0;
			is_done[1] |= strcmp(resources, "l=150") == 0;
			client_request(&client, client.type, client.nonce, NULL);
		}
		pthread_join(thread, NULL);
		client_close(&client, true);
		roster_unref(publisher.roster);
		daemon_stop(&daemon);
	}
}
END_TEST

START_TEST(knows_its_methods_only)
{
	struct daemon daemon;
	struct client client;
	daemon_start(&daemon, (struct grpc_transport_options){0});
	client_open(&client, &daemon, "app-1", "/envoy.service.runtime.v3.RuntimeDiscoveryService/StreamRuntime",
	            REQUEST_SOTW);
	ck_assert_ptr_null(client_receive(&client));
	ck_assert_int_eq(client.status, GRPC_STATUS_UNIMPLEMENTED);
	client_close(&client, false);
	daemon_stop(&daemon);
}
END_TEST

START_TEST(closes_a_stream_with_a_reason)
{
	struct daemon daemon;
	struct client client;
	daemon_start(&daemon, (struct grpc_transport_options){0});
	client_open(&client, &daemon, "app-1", ADS[0], REQUEST_SOTW);
	client.is_node_sent = true;
	client_request(&client, RESOURCE_CLUSTER, "", NULL);
	ck_assert_ptr_null(client_receive(&client));
	ck_assert_int_eq(client.status, GRPC_STATUS_INVALID_ARGUMENT);
	char *details = grpc_slice_to_c_string(client.details);
	ck_assert_str_eq(details, "the first request must carry a node with an id");
	gpr_free(details);
	client_close(&client, false);
	struct xds_stats stats;
	xds_server_stats(daemon.server, &stats);
	ck_assert_uint_eq(stats.rejected_requests, 1);
	daemon_stop(&daemon);
}
END_TEST

START_TEST(refuses_streams_over_the_cap)
{
	struct daemon daemon;
	struct client first, second;
	daemon_start(&daemon, (struct grpc_transport_options){.max_streams = 1});
	client_open(&first, &daemon, "app-1", ADS[0], REQUEST_SOTW);
	client_request(&first, RESOURCE_CLUSTER, "", NULL);
	roster_unref(daemon_roster(&daemon, 1));
	client_open(&second, &daemon, "app-2", ADS[0], REQUEST_SOTW);
	ck_assert_ptr_null(client_receive(&second));
	ck_assert_int_eq(second.status, GRPC_STATUS_RESOURCE_EXHAUSTED);
	client_close(&second, false);
	client_close(&first, true);
	roster_unref(daemon_roster(&daemon, 0));
	struct xds_stats stats;
	xds_server_stats(daemon.server, &stats);
	ck_assert_uint_eq(stats.transport.refused_streams, 1);
	daemon_stop(&daemon);
}
END_TEST

START_TEST(refuses_a_request_over_the_cap)
{
	struct daemon daemon;
	struct client client;
	daemon_start(&daemon, (struct grpc_transport_options){.max_request_bytes = 1000});
	client_open(&client, &daemon, "app-1", ADS[0], REQUEST_SOTW);
	static uint8_t zeros[2000];
	client_send_bytes(&client, (struct bytes){zeros, sizeof zeros});
	ck_assert_ptr_null(client_receive(&client));
	ck_assert_int_ne(client.status, GRPC_STATUS_OK);
	client_close(&client, false);
	daemon_stop(&daemon);
}
END_TEST

START_TEST(closes_a_stream_that_does_not_read)
{
	struct daemon daemon;
	struct client client;
	struct text spec = {0};
	daemon_start(&daemon, (struct grpc_transport_options){.stalled_stream_ms = 10});
	client_open(&client, &daemon, "app-1", ADS[0], REQUEST_SOTW);
	client_request(&client, RESOURCE_CLUSTER, "", NULL);
	struct roster *roster = daemon_roster(&daemon, 1);
	text_add(&spec, "CDS");
	for (unsigned i = 0; i < 200; i++)
		text_printf(&spec, " c%u=%0*u", i, 100000, i);
	daemon_publish(&daemon, roster, spec.s);
	text_done(&spec);
	roster_unref(roster);
	roster_unref(daemon_roster(&daemon, 0));
	struct xds_stats stats;
	xds_server_stats(daemon.server, &stats);
	ck_assert_uint_eq(stats.transport.stalled_streams, 1);
	client_close(&client, true); /* it would have to read what came before it saw the end */
	daemon_stop(&daemon);
}
END_TEST

START_TEST(ends_streams_when_it_stops)
{
	struct daemon daemon;
	struct client client;
	daemon_start(&daemon, (struct grpc_transport_options){0});
	client_open(&client, &daemon, "app-1", ADS[1], REQUEST_DELTA);
	client_request(&client, RESOURCE_CLUSTER, "", NULL);
	struct roster *roster = daemon_roster(&daemon, 1);
	daemon_publish(&daemon, roster, "CDS a=1");
	roster_unref(roster);
	ck_assert_str_eq(client_receive(&client), "a=1");
	daemon_stop(&daemon);
	ck_assert_ptr_null(client_receive(&client));
	ck_assert_int_eq(client.status, GRPC_STATUS_UNAVAILABLE);
	client_close(&client, false);
}
END_TEST

UNIT_MAIN("xds_server", serves_a_proxy, serves_many_proxies_large_responses, brings_the_newest_while_much_is_published,
          knows_its_methods_only, knows_who_took_which_roots, closes_a_stream_with_a_reason,
          refuses_streams_over_the_cap, refuses_a_request_over_the_cap, closes_a_stream_that_does_not_read,
          ends_streams_when_it_stops)

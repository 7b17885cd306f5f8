#include "tests/unit/rpc_pair.h"

#include "proto/envoy.h"
#include "proto/pack.h"
#include "server/xds/server.h"

/* The xDS server behind TLS: a proxy is who it proved to be, or nobody. */

#define ADS "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"

struct daemon {
	struct tls_authority authority;
	struct grpc_tls *tls;
	struct xds_server *server;
	struct grpc_transport *transport;
	struct tape rosters;
	char address[64];
};

static void on_roster(void *context, struct roster *roster)
{
	struct daemon *daemon = context;
	tape_say(&daemon->rosters, false, "%zu", roster->n);
	for (size_t i = 0; i < roster->n; i++)
		tape_say(&daemon->rosters, false, "%s %s verified=%d", roster->v[i]->node.namespace,
		         roster->v[i]->node.service_account, roster->v[i]->node.is_verified);
	roster_unref(roster);
}

static void on_knock(void *context, struct transport_guest *guest)
{
	struct spiffe_id id;
	(void)context;
	if (server_identify(&guest->visitor, &id))
		transport_guest_admit(guest, &id);
	else
		transport_guest_refuse(guest, TRANSPORT_UNAUTHENTICATED, "who are you?");
}

static void daemon_start(struct daemon *daemon)
{
	struct transport_method methods[XDS_METHODS];
	struct error error;
	*daemon = (struct daemon){.tls = grpc_tls_new()};
	tape_init(&daemon->rosters);
	tls_authority_init(&daemon->authority);
	struct grpc_tls_material material = tls_for_server(&daemon->authority, HOST);
	ck_assert_msg(grpc_tls_set(daemon->tls, &material, &error), "%s", error.message);
	daemon->server = xds_server_new(&(struct xds_server_options){.on_roster = on_roster, .context = daemon});
	xds_server_methods(daemon->server, methods);
	const struct grpc_listener listener = {"127.0.0.1:0", daemon->tls};
	daemon->transport = grpc_transport_new(&(struct grpc_transport_options){.listeners = &listener,
	                                                                        .n_listeners = 1,
	                                                                        .methods = methods,
	                                                                        .n_methods = XDS_METHODS,
	                                                                        .door = {on_knock, daemon}},
	                                       &error);
	ck_assert_msg(daemon->transport != NULL, "%s", error.message);
	xds_server_attach(daemon->server, daemon->transport);
	grpc_transport_start(daemon->transport);
	snprintf(daemon->address, sizeof daemon->address, "127.0.0.1:%u", grpc_transport_port(daemon->transport, 0));
}

static void daemon_stop(struct daemon *daemon)
{
	grpc_transport_free(daemon->transport, 1000);
	xds_server_free(daemon->server);
	grpc_tls_free(daemon->tls);
	tls_authority_done(&daemon->authority);
	tape_done(&daemon->rosters);
}

/* Opens a stream and introduces itself. */
static void proxy_open(struct client *client, struct daemon *daemon, const char *namespace)
{
	struct grpc_tls_material material = tls_for_client(&daemon->authority, APP);
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct error error;
	client_init(client, daemon->address, &material);
	envoy_delta_discovery_request *request = envoy_delta_discovery_request_new(arena);
	request->node = envoy_node_new(arena);
	request->node->id = arena_printf(arena, "sidecar~10.0.0.1~app-1.%s~%s.svc.cluster.local", namespace, namespace);
	request->type_url = arena_strdup(arena, "type.googleapis.com/envoy.config.cluster.v3.Cluster");
	struct bytes bytes = pack(arena, &request->base);
	struct buffer *buffer = buffer_new(bytes.n);
	memcpy(buffer->data, bytes.data, bytes.n);
	client->call = grpc_client_open(
	    client->client,
	    &(struct grpc_client_call_options){.path = ADS, .handler = &client_handler, .context = client}, &error);
	grpc_client_send(client->call, buffer);
	buffer_unref(buffer);
}

START_TEST(a_proxy_that_says_who_it_is_is_verified)
{
	struct daemon daemon;
	struct client client;
	CLEANUP(text_done) struct text proxies = {0};
	daemon_start(&daemon);
	proxy_open(&client, &daemon, "shop");
	tape_wait(&daemon.rosters, tape_has, "1|shop cart verified=1");
	xds_server_print_proxies(daemon.server, &proxies);
	ck_assert_ptr_nonnull(strstr(proxies.s, "\"identity\":\"" APP "\""));
	client_done(&client);
	tape_wait(&daemon.rosters, tape_has, "verified=1|0");
	daemon_stop(&daemon);
}
END_TEST

START_TEST(a_proxy_that_says_that_it_is_somebody_else_is_denied)
{
	struct daemon daemon;
	struct client client;
	struct xds_stats stats;
	daemon_start(&daemon);
	proxy_open(&client, &daemon, "bank");
	ck_assert_str_eq(client_outcome(&client), "end 7 the proxy says that it is of namespace \"bank\" and service "
	                                          "account \"cart\", but proved to be " APP);
	xds_server_stats(daemon.server, &stats);
	ck_assert_uint_eq(stats.denied_streams, 1);
	ck_assert_str_eq(tape_words(&daemon.rosters), "");
	client_done(&client);
	daemon_stop(&daemon);
}
END_TEST

UNIT_MAIN("xds_tls", a_proxy_that_says_who_it_is_is_verified, a_proxy_that_says_that_it_is_somebody_else_is_denied)

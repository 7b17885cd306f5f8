#include "tests/unit/rpc_pair.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* rpc/ over the loopback: TLS, who may come in, several handlers, sockets. */

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static struct grpc_tls_material trusting(const struct server *server)
{
	return (struct grpc_tls_material){.roots = server->authority.roots};
}

START_TEST(a_certificate_is_shown_to_the_door_and_the_caller_to_the_handler)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO_ENCRYPTED, "hello");
	tape_wait(&client.tape, tape_has, "hello");
	struct grpc_transport_stats stats = server_stats(&server);
	ck_assert_uint_eq(stats.streams, 1);
	ck_assert_uint_eq(stats.encrypted_streams, 1);
	grpc_client_send_end(client.call);
	ck_assert_str_eq(client_outcome(&client), "hello|end 0 ");
	tape_wait(&server.tape, tape_has, "close");
	ck_assert_str_eq(tape_words(&server.tape), "knock /test.Echo/EncryptedEcho uris=1 " APP
	                                           " certificate=1 token=- cluster=-|open 11 by " APP "|close");
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(a_token_and_its_cluster_are_shown_to_the_door)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = trusting(&server);
	client_init(&client, server.address, &material);
	client_open_with(&client,
	                 (struct grpc_client_call_options){.path = PATHS[ECHO], .token = "secret", .cluster = "east"},
	                 "hello");
	tape_wait(&client.tape, tape_has, "hello");
	grpc_client_cancel(client.call);
	ck_assert(starts_with(client_outcome(&client), "hello|end 1 "));
	tape_wait(&server.tape, tape_has, "close");
	ck_assert_str_eq(tape_words(&server.tape),
	                 "knock /test.Echo/Echo uris=0 certificate=0 token=secret cluster=east"
	                 "|open 10 by " OTHER_APP "|close");
	client_done(&client);
	server_stop(&server);
}
END_TEST

/* Larger than gRPC's own bound for metadata, as tokens with many claims are. */
START_TEST(a_token_may_be_large)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = trusting(&server);
	client_init(&client, server.address, &material);
	char *token = heap_alloc(40001);
	memset(token, 'x', 40000);
	client_open_with(&client, (struct grpc_client_call_options){.path = PATHS[ECHO], .token = token}, "hello");
	ck_assert_str_eq(client_outcome(&client), "end 16 who are you?");
	ck_assert_uint_eq(server_stats(&server).refused_guests[GUEST_UNAUTHENTICATED], 1);
	free(token);
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(what_the_door_refuses_never_gets_to_the_handler)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	server.habit = DOOR_REFUSES;
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	ck_assert_str_eq(client_outcome(&client), "end 7 not you");
	ck_assert_uint_eq(server_stats(&server).refused_guests[GUEST_DENIED], 1);
	ck_assert_ptr_null(strstr(tape_words(&server.tape), "open"));
	client_done(&client);
	server_stop(&server);
}
END_TEST

/* A client may hear of its end before the server has. */
static void server_wait_for_failures(struct server *server, uint64_t n)
{
	for (int i = 0; i < PATIENCE_S * 1000 && server_stats(server).failed_handshakes[HANDSHAKE_CERTIFICATE] < n; i++)
		poll(NULL, 0, 1);
	ck_assert_uint_ge(server_stats(server).failed_handshakes[HANDSHAKE_CERTIFICATE], n);
}

/* Certificates that do not lead to the trusted roots, or are not in their time: the handshake fails. */
START_TEST(foreign_and_old_certificates_do_not_get_to_the_door)
{
	struct server server;
	struct tls_authority foreign;
	server_start(&server, (struct grpc_transport_options){0});
	tls_authority_init(&foreign);
	uint64_t before = server_stats(&server).failed_handshakes[HANDSHAKE_CERTIFICATE];
	const struct grpc_tls_material materials[] = {
	    tls_for_client(&foreign, APP),
	    tls_for_oddity(&server.authority, "URI:" APP, -7200, -3600),
	    tls_for_oddity(&server.authority, "URI:" APP, 3600, 7200),
	};
	for (size_t i = 0; i < sizeof materials / sizeof materials[0]; i++) {
		struct client client;
		struct grpc_tls_material material = materials[i];
		material.roots = server.authority.roots;
		client_init(&client, server.address, &material);
		client_open(&client, ECHO, "hello");
		ck_assert_msg(starts_with(client_outcome(&client), "end 14 "), "%zu: %s", i, tape_words(&client.tape));
		client_done(&client);
	}
	ck_assert_str_eq(tape_words(&server.tape), "");
	server_wait_for_failures(&server, before + sizeof materials / sizeof materials[0]);
	tls_authority_done(&foreign);
	server_stop(&server);
}
END_TEST

START_TEST(the_door_sees_all_names_of_a_certificate)
{
	struct server server;
	struct client client;
	CLEANUP(text_done) struct text names = {0};
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = tls_for_oddity(&server.authority, "URI:" APP ",URI:" OTHER_APP, -60, 60);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	ck_assert_str_eq(client_outcome(&client), "end 16 who are you?");
	ck_assert_ptr_nonnull(strstr(tape_words(&server.tape), "uris=2 " APP));
	client_done(&client);

	for (unsigned i = 0; i <= TRANSPORT_URIS_MAX; i++)
		text_printf(&names, "%sURI:spiffe://cluster.local/ns/a/sa/s%u", i ? "," : "", i);
	material = tls_for_oddity(&server.authority, names.s, -60, 60);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	ck_assert_str_eq(client_outcome(&client), "end 16 the client certificate has more than 16 URIs");
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(nobody_trusts_a_server_before_it_has_its_certificate)
{
	struct server server;
	struct client client;
	server_init(&server, (struct grpc_transport_options){0});
	grpc_transport_start(server.transport);
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	ck_assert(starts_with(client_outcome(&client), "end 14 "));
	client_done(&client);
	struct grpc_tls_material own = tls_for_server(&server.authority, HOST);
	server_set(&server, &own);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	tape_wait(&client.tape, tape_has, "hello");
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(a_server_by_another_name_is_not_trusted)
{
	struct server server;
	struct client client;
	server_init(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material own = tls_for_server(&server.authority, "other.example");
	server_set(&server, &own);
	grpc_transport_start(server.transport);
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	ck_assert(starts_with(client_outcome(&client), "end 14 "));
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(new_material_is_for_new_connections)
{
	struct server server;
	struct tls_authority next;
	struct client old, late, new;
	server_start(&server, (struct grpc_transport_options){0});
	tls_authority_init(&next);
	struct grpc_tls_material old_material = tls_for_client(&server.authority, APP),
	                         new_material = tls_for_client(&next, OTHER_APP);
	client_init(&old, server.address, &old_material);
	client_open(&old, ECHO, "one");
	tape_wait(&old.tape, tape_has, "one");

	struct grpc_tls_material own = tls_for_server(&next, HOST);
	server_set(&server, &own);
	client_init(&late, server.address, &old_material);
	client_open(&late, ECHO, "late");
	ck_assert(starts_with(client_outcome(&late), "end 14 "));
	client_init(&new, server.address, &new_material);
	client_open(&new, ECHO, "new");
	tape_wait(&new.tape, tape_has, "new");
	client_send(&old, "two");
	tape_wait(&old.tape, tape_has, "one|two");
	client_done(&old);
	client_done(&late);
	client_done(&new);
	server_stop(&server);
	tls_authority_done(&next);
}
END_TEST

START_TEST(material_that_does_not_fit_together_changes_nothing)
{
	struct server server;
	struct client client;
	struct error error;
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	const struct {
		struct grpc_tls_material in;
		const char *want;
	} cases[] = {
	    {{server.authority.roots, material.key, material.roots}, "the key is not the certificate's"},
	    {{material.chain, material.chain, material.roots}, "the key: "},
	    {{"", material.key, material.roots}, "the certificate chain: "},
	    {{material.chain, material.key, "what?"}, "the trusted roots: "},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert(!grpc_tls_set(server.tls, &cases[i].in, &error));
		ck_assert_msg(starts_with(error.message, cases[i].want), "%zu: %s", i, error.message);
	}
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	tape_wait(&client.tape, tape_has, "hello");
	client_done(&client);
	server_stop(&server);
}
END_TEST

/* ---- guests ---- */

static struct transport_guest *server_held(struct server *server)
{
	for (int i = 0; i < PATIENCE_S * 1000; i++) {
		struct transport_guest *guest = atomic_exchange(&server->held, NULL);
		if (guest)
			return guest;
		poll(NULL, 0, 1);
	}
	ck_abort_msg("nobody knocked for %d s", PATIENCE_S);
}

static void server_wait_for_guests(struct server *server, uint64_t n)
{
	for (int i = 0; i < PATIENCE_S * 1000 && server_stats(server).guests != n; i++)
		poll(NULL, 0, 1);
	ck_assert_uint_eq(server_stats(server).guests, n);
}

static const struct spiffe_id *app(void)
{
	static struct spiffe_id id;
	struct error error;
	ck_assert(spiffe_id_parse(APP, strlen(APP), &id, &error));
	return &id;
}

START_TEST(a_guest_waits_until_the_door_has_answered)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	server.habit = DOOR_HOLDS;
	struct grpc_tls_material material = trusting(&server);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	struct transport_guest *guest = server_held(&server);
	ck_assert_uint_eq(server_stats(&server).guests, 1);
	ck_assert_uint_eq(server_stats(&server).streams, 0);
	ck_assert_ptr_null(strstr(tape_words(&server.tape), "open"));
	transport_guest_admit(guest, app());
	tape_wait(&client.tape, tape_has, "hello");
	ck_assert_uint_eq(server_stats(&server).guests, 0);
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(an_answer_for_who_has_left_is_dropped)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	server.habit = DOOR_HOLDS;
	struct grpc_tls_material material = trusting(&server);
	for (int i = 0; i < 2; i++) {
		client_init(&client, server.address, &material);
		client_open(&client, ECHO, "hello");
		struct transport_guest *guest = server_held(&server);
		grpc_client_cancel(client.call);
		ck_assert(starts_with(client_outcome(&client), "end 1 "));
		server_wait_for_guests(&server, 0);
		if (i)
			transport_guest_admit(guest, app());
		else
			transport_guest_refuse(guest, TRANSPORT_UNAUTHENTICATED, "too late");
		client_done(&client);
	}
	ck_assert_ptr_null(strstr(tape_words(&server.tape), "open"));
	server_stop(&server);
}
END_TEST

START_TEST(an_answer_may_come_after_the_transport_is_gone)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	server.habit = DOOR_HOLDS;
	struct grpc_tls_material material = trusting(&server);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	struct transport_guest *guest = server_held(&server);
	server_stop(&server);
	ck_assert_str_eq(client_outcome(&client), "end 14 shutting down");
	transport_guest_admit(guest, app());
	client_done(&client);
}
END_TEST

START_TEST(a_guest_that_waits_too_long_is_turned_away)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){.knock_ms = 20});
	server.habit = DOOR_HOLDS;
	struct grpc_tls_material material = trusting(&server);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "hello");
	ck_assert_str_eq(client_outcome(&client), "end 14 who you are could not be found out in time; try again");
	ck_assert_uint_eq(server_stats(&server).refused_guests[GUEST_LATE], 1);
	ck_assert_uint_eq(server_stats(&server).guests, 0);
	transport_guest_refuse(server_held(&server), TRANSPORT_UNAUTHENTICATED, "too late");
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(only_so_many_guests_wait_at_once)
{
	struct server server;
	struct client first, second;
	server_start(&server, (struct grpc_transport_options){.max_guests = 1});
	server.habit = DOOR_HOLDS;
	struct grpc_tls_material material = trusting(&server);
	client_init(&first, server.address, &material);
	client_open(&first, ECHO, "hello");
	struct transport_guest *guest = server_held(&server);
	client_init(&second, server.address, &material);
	client_open(&second, ECHO, "hello");
	ck_assert_str_eq(client_outcome(&second), "end 8 too many callers wait for who they are to be found out");
	ck_assert_uint_eq(server_stats(&server).refused_guests[GUEST_CROWD], 1);
	transport_guest_admit(guest, app());
	tape_wait(&first.tape, tape_has, "hello");
	client_done(&first);
	client_done(&second);
	server_stop(&server);
}
END_TEST

/* Where the next guest comes from; it is turned away. */
static void server_peer(struct server *server, struct client *client, char peer[64])
{
	tape_done(&client->tape);
	tape_init(&client->tape);
	grpc_client_call_unref(client->call);
	client_open(client, ECHO, "hello");
	struct transport_guest *guest = server_held(server);
	snprintf(peer, 64, "%s", guest->visitor.peer);
	transport_guest_refuse(guest, TRANSPORT_UNAUTHENTICATED, "not now");
	ck_assert_str_eq(client_outcome(client), "end 16 not now");
}

START_TEST(a_connection_that_is_old_gives_way_to_a_new_one)
{
	struct server server;
	struct client client;
	char first[64], peer[64];
	server_start(&server, (struct grpc_transport_options){.max_connection_age_ms = 50});
	server.habit = DOOR_HOLDS;
	struct grpc_tls_material material = trusting(&server);
	client_init(&client, server.address, &material);
	server_peer(&server, &client, first);
	for (int i = 0; i < PATIENCE_S * 100; i++) {
		server_peer(&server, &client, peer);
		if (strcmp(peer, first) != 0)
			break;
		poll(NULL, 0, 10);
	}
	ck_assert_str_ne(peer, first);
	client_done(&client);
	server_stop(&server);
}
END_TEST

/* ---- handlers and listeners ---- */

START_TEST(each_method_has_its_handler)
{
	struct server server;
	struct client echo, unary;
	struct error error;
	server_start(&server, (struct grpc_transport_options){0});
	client_init(&echo, server.plaintext, NULL);
	client_open(&echo, ECHO, "hello");
	tape_wait(&echo.tape, tape_has, "hello");
	client_init(&unary, server.plaintext, NULL);
	struct buffer *buffer = client_buffer("a good day");
	ck_assert(grpc_client_unary(
	    unary.client,
	    &(struct grpc_client_call_options){.path = PATHS[UNARY], .handler = &client_handler, .context = &unary},
	    buffer, &error));
	buffer_unref(buffer);
	ck_assert_str_eq(client_outcome(&unary), "a good day to you, too|end 0 ");
	ck_assert_uint_gt(atomic_load(&server.n_works[0]), 0);
	ck_assert_uint_gt(atomic_load(&server.n_works[1]), 0);
	tape_wait(&server.tape, tape_has, "close");
	ck_assert_str_eq(tape_words(&server.tape), "open 10 by nobody|open 20 by nobody|close");
	client_done(&unary);
	client_done(&echo);
	server_stop(&server);
}
END_TEST

START_TEST(some_methods_are_not_served_in_plaintext)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	client_init(&client, server.plaintext, NULL);
	client_open(&client, ECHO_ENCRYPTED, "hello");
	ck_assert_str_eq(client_outcome(&client), "end 16 /test.Echo/EncryptedEcho is served with TLS only, and this "
	                                          "port is plaintext");
	ck_assert_str_eq(tape_words(&server.tape), "");
	client_done(&client);
	server_stop(&server);
}
END_TEST

static struct grpc_transport *listen_at(const char *address, struct error *error)
{
	const struct grpc_listener listener = {.address = address};
	return grpc_transport_new(&(struct grpc_transport_options){.listeners = &listener,
	                                                           .n_listeners = 1,
	                                                           .max_streams = 10,
	                                                           .max_streams_per_connection = 10,
	                                                           .max_request_bytes = 1024,
	                                                           .stalled_stream_ms = 1000},
	                          error);
}

START_TEST(a_unix_socket_is_its_owners)
{
	char folder[] = "/tmp/weft-unit-XXXXXX", path[64], address[80];
	struct error error;
	struct stat status;
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
	snprintf(address, sizeof address, "unix:%s", path);
	struct grpc_transport *transport = listen_at(address, &error);
	ck_assert_msg(transport != NULL, "%s", error.message);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_uint_eq(grpc_transport_port(transport, 0), 0);

	ck_assert_ptr_null(listen_at(address, &error));
	ck_assert_msg(starts_with(error.message, "cannot listen: somebody else listens on "), "%s", error.message);
	ck_assert_int_eq(stat(path, &status), 0);
	grpc_transport_free(transport, 0);

	/* one that a dead process left */
	struct sockaddr_un dead = {.sun_family = AF_UNIX};
	snprintf(dead.sun_path, sizeof dead.sun_path, "%s", path);
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&dead, sizeof dead), 0);
	close(fd);
	transport = listen_at(address, &error);
	ck_assert_msg(transport != NULL, "%s", error.message);
	grpc_transport_free(transport, 0);

	unlink(path);
	FILE *file = fopen(path, "w");
	fclose(file);
	ck_assert_ptr_null(listen_at(address, &error));
	ck_assert_ptr_nonnull(strstr(error.message, "is there, and no socket"));
	unlink(path);
	rmdir(folder);
}
END_TEST

START_TEST(a_taken_port_is_an_error)
{
	struct server server;
	struct error error;
	server_start(&server, (struct grpc_transport_options){0});
	ck_assert_ptr_null(listen_at(server.plaintext, &error));
	ck_assert_msg(starts_with(error.message, "cannot listen on 127.0.0.1:"), "%s", error.message);
	server_stop(&server);
}
END_TEST

UNIT_MAIN("grpc_transport", a_certificate_is_shown_to_the_door_and_the_caller_to_the_handler,
          a_token_and_its_cluster_are_shown_to_the_door, a_token_may_be_large,
          what_the_door_refuses_never_gets_to_the_handler, foreign_and_old_certificates_do_not_get_to_the_door,
          the_door_sees_all_names_of_a_certificate, nobody_trusts_a_server_before_it_has_its_certificate,
          a_server_by_another_name_is_not_trusted, new_material_is_for_new_connections,
          material_that_does_not_fit_together_changes_nothing, a_guest_waits_until_the_door_has_answered,
          an_answer_for_who_has_left_is_dropped, an_answer_may_come_after_the_transport_is_gone,
          a_guest_that_waits_too_long_is_turned_away, only_so_many_guests_wait_at_once,
          a_connection_that_is_old_gives_way_to_a_new_one, each_method_has_its_handler,
          some_methods_are_not_served_in_plaintext, a_unix_socket_is_its_owners, a_taken_port_is_an_error)

#include "tests/unit/rpc_pair.h"

/* What a caller hears of its calls, whatever the server does. */

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

START_TEST(messages_go_both_ways)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	client_init(&client, server.address, &material);
	client_open(&client, ECHO, "one");
	tape_wait(&client.tape, tape_has, "one");
	client_send(&client, "two");
	tape_wait(&client.tape, tape_has, "two");
	grpc_client_send_end(client.call);
	ck_assert_str_eq(client_outcome(&client), "one|two|end 0 ");
	/* after the end nothing happens */
	grpc_client_cancel(client.call);
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(a_call_to_nobody_ends_with_the_reason)
{
	struct client client;
	client_init(&client, "127.0.0.1:1", NULL);
	client_open(&client, ECHO, "hello");
	ck_assert(starts_with(client_outcome(&client), "end 14 "));
	ck_assert_ptr_nonnull(strstr(tape_words(&client.tape), "onnection refused"));
	client_done(&client);
}
END_TEST

START_TEST(a_call_ends_at_its_deadline)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	client_init(&client, server.plaintext, NULL);
	client_open_with(&client, (struct grpc_client_call_options){.path = PATHS[ECHO], .deadline_ms = 50}, "hello");
	ck_assert(starts_with(strstr(client_outcome(&client), "end"), "end 4 "));
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(a_method_that_is_not_served_says_so)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	client_init(&client, server.plaintext, NULL);
	client_open_with(&client, (struct grpc_client_call_options){.path = "/no.Such/Method"}, "hello");
	ck_assert_str_eq(client_outcome(&client), "end 12 no such method");
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(a_message_that_is_too_large_ends_the_call)
{
	struct server server;
	struct client client;
	struct error error;
	server_start(&server, (struct grpc_transport_options){0});
	client_init(&client, server.plaintext, NULL);
	grpc_client_free(client.client);
	client.client =
	    grpc_client_new(&(struct grpc_client_options){.target = server.plaintext, .max_message_bytes = 10}, &error);
	client_open(&client, ECHO, "more than ten bytes");
	ck_assert(starts_with(client_outcome(&client), "end 8 "));
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(what_cannot_stand_in_a_header_is_refused_here)
{
	struct server server;
	struct client client;
	struct error error;
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	client_init(&client, server.address, &material);
	const struct grpc_client_call_options options[] = {
	    {.path = PATHS[ECHO], .handler = &client_handler, .context = &client, .token = "secret\n"},
	    {.path = PATHS[ECHO], .handler = &client_handler, .context = &client, .cluster = "e\x01st"},
	};
	for (size_t i = 0; i < 2; i++) {
		ck_assert_ptr_null(grpc_client_open(client.client, &options[i], &error));
		ck_assert_ptr_null(strstr(error.message, "secret"));
		ck_assert_ptr_nonnull(strstr(error.message, i ? "\"clusterid\"" : "\"authorization\""));
	}
	client_done(&client);
	server_stop(&server);
}
END_TEST

START_TEST(credentials_that_do_not_fit_together_are_refused)
{
	struct tls_authority authority;
	struct error error;
	tls_authority_init(&authority);
	struct grpc_tls_material one = tls_for_client(&authority, APP), other = tls_for_client(&authority, APP);
	const struct {
		struct grpc_client_options in;
		const char *want;
	} cases[] = {
	    {{.target = "127.0.0.1:1", .roots = "nothing"}, "the trusted roots: "},
	    {{.target = "127.0.0.1:1", .roots = one.roots, .chain = one.chain, .key = other.key},
	     "the key is not the certificate's"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ck_assert_ptr_null(grpc_client_new(&cases[i].in, &error));
		ck_assert_msg(starts_with(error.message, cases[i].want), "%s", error.message);
	}
	tls_authority_done(&authority);
}
END_TEST

START_TEST(freeing_the_client_ends_its_calls)
{
	struct server server;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	client_init(&client, server.plaintext, NULL);
	client_open(&client, ECHO, "hello");
	tape_wait(&client.tape, tape_has, "hello");
	grpc_client_call_unref(client.call);
	grpc_client_free(client.client);
	ck_assert(starts_with(tape_words(&client.tape), "hello|end 1 "));
	tape_done(&client.tape);
	server_stop(&server);
}
END_TEST

/* A server that comes later is found by a later call: nothing has to be made anew. */
START_TEST(a_server_that_goes_and_comes_is_found_again)
{
	struct server server, again;
	struct client client;
	server_start(&server, (struct grpc_transport_options){0});
	client_init(&client, server.plaintext, NULL);
	client_open(&client, ECHO, "hello");
	tape_wait(&client.tape, tape_has, "hello");
	char address[64];
	snprintf(address, sizeof address, "%s", server.plaintext);
	server_stop(&server);
	ck_assert(starts_with(client_outcome(&client), "hello|end 14 "));
	server_start_at(&again, address);
	bool is_found = false;
	for (int i = 0; i < 1000 && !is_found; i++) {
		grpc_client_call_unref(client.call);
		tape_done(&client.tape);
		tape_init(&client.tape);
		client_open_with(
		    &client, (struct grpc_client_call_options){.path = PATHS[ECHO], .deadline_ms = PATIENCE_S * 1000},
		    "again");
		grpc_client_send_end(client.call);
		is_found = starts_with(client_outcome(&client), "again|end 0");
		if (!is_found)
			poll(NULL, 0, 20);
	}
	ck_assert(is_found);
	client_done(&client);
	server_stop(&again);
}
END_TEST

/* Threads that open, cancel and forget calls while others run. */
static void *calls_many(void *argument)
{
	struct grpc_client *client = argument;
	for (int i = 0; i < 100; i++) {
		struct client own = {.client = client};
		tape_init(&own.tape);
		client_open(&own, ECHO, "hello");
		if (i % 3 == 0)
			grpc_client_cancel(own.call);
		else
			grpc_client_send_end(own.call);
		client_outcome(&own);
		grpc_client_call_unref(own.call);
		tape_done(&own.tape);
	}
	return NULL;
}

START_TEST(calls_may_be_made_on_any_thread)
{
	struct server server;
	struct client client;
	pthread_t threads[4];
	server_start(&server, (struct grpc_transport_options){0});
	struct grpc_tls_material material = tls_for_client(&server.authority, APP);
	client_init(&client, server.address, &material);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, calls_many, client.client), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	client_done(&client);
	server_stop(&server);
}
END_TEST

UNIT_MAIN("grpc_client", messages_go_both_ways, a_call_to_nobody_ends_with_the_reason, a_call_ends_at_its_deadline,
          a_method_that_is_not_served_says_so, a_message_that_is_too_large_ends_the_call,
          what_cannot_stand_in_a_header_is_refused_here, credentials_that_do_not_fit_together_are_refused,
          freeing_the_client_ends_its_calls, a_server_that_goes_and_comes_is_found_again,
          calls_may_be_made_on_any_thread)

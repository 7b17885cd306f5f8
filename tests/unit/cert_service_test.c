#include "server/identity/cert_service.h"

#include "ca/csr_build.h"
#include "ca/issued_chain.h"
#include "ca/private_key.h"
#include "proto/istio.h"
#include "proto/pack.h"
#include "server/identity/door.h"
#include "tests/unit/keystore_dir.h"
#include "tests/unit/rpc_pair.h"
#include "token/token_key.h"

/* Door, service and transport as in weftd, on the loopback with TLS. */
struct stand {
	struct config_dir dir;
	struct tls_authority authority;
	struct signer_cell *signers;
	struct token_key *token_key;
	struct door *door;
	struct cert_service *service;
	struct grpc_tls *tls;
	struct grpc_transport *transport;
	char address[32];
};

static void stand_wake(void *context)
{
	struct stand *stand = context;
	grpc_transport_wake(stand->transport);
}

static void put_signer(struct stand *stand)
{
	CLEANUP(text_done) struct text key = {0}, cert = {0};
	struct error error;
	authority_print_key(stand->authority.authority, &key);
	certificate_print(authority_cert(stand->authority.authority), &cert);
	const struct pem_file file = {"cert", cert.s, cert.n};
	struct authority_files files = {.cert = file, .key = {"key", key.s, key.n}, .root = file};
	struct authority *authority = authority_read(&files, clock_system(), &error);
	signer_cell_put(stand->signers,
	                signer_new(authority, bundle_read(&file, &error), (struct template_lifetime){3600, 86400},
	                           "cluster.local", clock_system()));
}

static void stand_init(struct stand *stand)
{
	struct error error;
	*stand = (struct stand){.signers = signer_cell_new(), .tls = grpc_tls_new()};
	config_dir_init(&stand->dir);
	tls_authority_init(&stand->authority);
	stand->token_key = token_key_keep(stand->dir.path, &error);
	stand->door = door_new(
	    &(struct door_options){.signers = stand->signers, .own = stand->token_key, .clock = clock_system()});
	stand->service = cert_service_new(&(struct cert_service_options){
	    .signers = stand->signers, .clock = clock_system(), .wake = stand_wake, .context = stand});
	struct grpc_tls_material material = tls_for_server(&stand->authority, HOST);
	ck_assert(grpc_tls_set(stand->tls, &material, &error));
	const struct grpc_listener listener = {"127.0.0.1:0", stand->tls};
	const struct transport_method method = {CERT_SERVICE_CREATE, cert_service_handler(stand->service), 0, true};
	stand->transport = grpc_transport_new(&(struct grpc_transport_options){.listeners = &listener,
	                                                                       .n_listeners = 1,
	                                                                       .methods = &method,
	                                                                       .n_methods = 1,
	                                                                       .door = door_transport(stand->door)},
	                                      &error);
	ck_assert_msg(stand->transport != NULL, "%s", error.message);
	snprintf(stand->address, sizeof stand->address, "127.0.0.1:%u", grpc_transport_port(stand->transport, 0));
	grpc_transport_start(stand->transport);
}

static void stand_done(struct stand *stand)
{
	grpc_transport_free(stand->transport, 1000);
	cert_service_free(stand->service);
	grpc_tls_free(stand->tls);
	door_free(stand->door);
	token_key_free(stand->token_key);
	signer_cell_free(stand->signers);
	tls_authority_done(&stand->authority);
	config_dir_done(&stand->dir);
}

/* A caller: his answer, and how the call ended. */
struct caller {
	struct tape tape;
	struct text answer;
};

static void caller_message(void *context, const uint8_t *data, size_t n)
{
	struct caller *caller = context;
	text_add_n(&caller->answer, data, n);
}

static void caller_end(void *context, enum transport_status status, const char *message)
{
	struct caller *caller = context;
	tape_say(&caller->tape, true, "%d %s", status, message);
}

static const struct grpc_client_handler caller_handler = {caller_message, NULL, caller_end};

/* Sends the bytes; gives "STATUS message". credentials: NULL chain for none. */
static void ask(struct stand *stand, const struct grpc_tls_material *credentials, const char *token, const void *bytes,
                size_t n, struct caller *caller)
{
	struct error error;
	CLEANUP(grpc_client_freep)
	struct grpc_client *client =
	    grpc_client_new(&(struct grpc_client_options){.target = stand->address,
	                                                  .server_name = HOST,
	                                                  .roots = stand->authority.roots,
	                                                  .chain = credentials ? credentials->chain : NULL,
	                                                  .key = credentials ? credentials->key : NULL},
	                    &error);
	ck_assert_msg(client != NULL, "%s", error.message);
	*caller = (struct caller){0};
	tape_init(&caller->tape);
	struct buffer *buffer = buffer_new(n);
	memcpy(buffer->data, bytes, n);
	ck_assert(grpc_client_unary(
	    client,
	    &(struct grpc_client_call_options){
	        .path = CERT_SERVICE_CREATE, .handler = &caller_handler, .context = caller, .token = token},
	    buffer, &error));
	buffer_unref(buffer);
	tape_wait(&caller->tape, tape_is_ended, NULL);
}

static void caller_done(struct caller *caller)
{
	tape_done(&caller->tape);
	text_done(&caller->answer);
}

static struct bytes request_of(struct arena *arena, const char *csr, int64_t ttl_s, const char *key, const char *value)
{
	istio_certificate_request *request = istio_certificate_request_new(arena);
	request->csr = arena_strdup(arena, csr);
	request->validity_duration = ttl_s;
	if (key) {
		Google__Protobuf__Struct__FieldsEntry *entry = ARENA_NEW(arena, Google__Protobuf__Struct__FieldsEntry);
		google__protobuf__struct__fields_entry__init(entry);
		entry->key = arena_strdup(arena, key);
		entry->value = google_value_new(arena);
		entry->value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
		entry->value->string_value = arena_strdup(arena, value);
		request->metadata = google_struct_new(arena);
		BUILD_ADD(arena, request->metadata, fields, entry);
	}
	return pack(arena, &request->base);
}

static const char *token_of(struct stand *stand, struct arena *arena)
{
	CLEANUP(text_done) struct text token = {0};
	struct service_account account = {"shop", "cart"};
	struct error error;
	ck_assert(token_key_sign(stand->token_key, &(struct token_request){&account, "istio-ca", 600}, clock_system(),
	                         &token, &error));
	return arena_strdup(arena, token.s);
}

/* A workload's side: a new key, its request, and the chain that came back. */
static struct grpc_tls_material get(struct stand *stand, struct arena *arena,
                                    const struct grpc_tls_material *credentials, const char *token)
{
	CLEANUP(text_done) struct text csr = {0}, chain_pem = {0}, key_pem = {0};
	struct error error;
	struct spiffe_id id;
	struct caller caller;
	CLEANUP(private_key_freep) EVP_PKEY *key = private_key_generate(PRIVATE_KEY_P256, &error);
	ck_assert(spiffe_id_parse(APP, strlen(APP), &id, &error));
	ck_assert(csr_build(key, &id, &csr, &error));
	struct bytes bytes = request_of(arena, csr.s, 0, NULL, NULL);
	ask(stand, credentials, token, bytes.data, bytes.n, &caller);
	ck_assert_str_eq(caller.tape.text.s, "0 ");
	const istio_certificate_response *response = (const istio_certificate_response *)unpack(
	    arena, istio_certificate_response_type(), (const uint8_t *)caller.answer.s, caller.answer.n, &error);
	ck_assert_ptr_nonnull(response);
	const struct issued_chain_expected expected = {key, &id, clock_system()};
	struct issued_chain *chain =
	    issued_chain_read((const char *const *)response->cert_chain, response->n_cert_chain, &expected, &error);
	ck_assert_msg(chain != NULL, "%s", error.message);
	issued_chain_print(chain, &chain_pem);
	issued_chain_free(chain);
	private_key_print(key, &key_pem);
	caller_done(&caller);
	return (struct grpc_tls_material){arena_strdup(arena, chain_pem.s), arena_strdup(arena, key_pem.s), NULL};
}

START_TEST(a_token_gets_a_certificate_which_renews_itself)
{
	struct stand stand;
	struct cert_record records[4];
	struct cert_service_stats stats;
	struct door_stats door;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	stand_init(&stand);
	put_signer(&stand);
	struct grpc_tls_material first = get(&stand, arena, NULL, token_of(&stand, arena));
	struct grpc_tls_material second = get(&stand, arena, &first, NULL);
	get(&stand, arena, &second, token_of(&stand, arena));
	cert_service_stats(stand.service, &stats);
	ck_assert_uint_eq(stats.issued, 3);
	ck_assert_uint_eq(stats.signing.signed_total, 3);
	door_stats(stand.door, &door);
	ck_assert_uint_eq(door.admitted[DOOR_OWN_TOKEN], 1);
	ck_assert_uint_eq(door.admitted[DOOR_CERTIFICATE], 2);
	ck_assert_uint_eq(cert_service_recent(stand.service, records, 4), 3);
	ck_assert_str_eq(records[0].id.account, "cart");
	ck_assert_int_ge(records[0].issued_s, records[2].issued_s);
	ck_assert_int_ne(memcmp(records[0].serial, records[1].serial, sizeof records[0].serial), 0);
	stand_done(&stand);
}
END_TEST

START_TEST(what_is_not_given_is_told_why)
{
	struct stand stand;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(text_done) struct text csr = {0}, other = {0};
	certs_request_of(&(struct csr_wish){0}, &csr);
	certs_request_of(&(struct csr_wish){.names = "URI:" OTHER_APP}, &other);
	const struct {
		const char *csr;
		int64_t ttl_s;
		const char *key, *value, *want;
	} rows[] = {
	    {"", 0, NULL, NULL, "3 "},
	    {"none", 0, NULL, NULL, "3 "},
	    {other.s, 0, NULL, NULL, "3 "},
	    {csr.s, 86401, NULL, NULL, "3 "},
	    {csr.s, INT64_MAX, NULL, NULL, "3 "},
	    {csr.s, -5, NULL, NULL, "0 "},
	    {csr.s, 0, "CertSigner", "x", "3 the metadata CertSigner"},
	    {csr.s, 0, "ImpersonatedIdentity", OTHER_APP, "7 the metadata ImpersonatedIdentity"},
	    {csr.s, 0, "CertSigner", "", "0 "},
	    {csr.s, 0, "ClusterID", "Kubernetes", "0 "},
	};
	stand_init(&stand);
	put_signer(&stand);
	const char *token = token_of(&stand, arena);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct caller caller;
		struct bytes bytes = request_of(arena, rows[i].csr, rows[i].ttl_s, rows[i].key, rows[i].value);
		ask(&stand, NULL, token, bytes.data, bytes.n, &caller);
		ck_assert_msg(strstr(caller.tape.text.s, rows[i].want) == caller.tape.text.s, "row %zu: %s", i,
		              caller.tape.text.s);
		caller_done(&caller);
	}
	stand_done(&stand);
}
END_TEST

START_TEST(foreign_bytes_are_refused)
{
	struct stand stand;
	struct cert_service_stats stats;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *large = arena_alloc(arena, CERT_SERVICE_REQUEST_MAX + 1);
	const struct {
		const char *bytes;
		size_t n;
	} rows[] = {{"", 0}, {"\x0a\xff", 2}, {"\x0a\x02\xff\xff", 4}, {large, CERT_SERVICE_REQUEST_MAX + 1}};
	stand_init(&stand);
	put_signer(&stand);
	const char *token = token_of(&stand, arena);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct caller caller;
		ask(&stand, NULL, token, rows[i].bytes, rows[i].n, &caller);
		ck_assert_msg(strstr(caller.tape.text.s, "3 ") == caller.tape.text.s, "row %zu: %s", i,
		              caller.tape.text.s);
		caller_done(&caller);
	}
	cert_service_stats(stand.service, &stats);
	ck_assert_uint_eq(stats.rejected[CERT_SERVICE_BAD_REQUEST], 3);
	ck_assert_uint_eq(stats.refused[REFUSAL_MALFORMED], 1);
	stand_done(&stand);
}
END_TEST

START_TEST(nobody_gets_none)
{
	struct stand stand;
	struct caller caller;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	stand_init(&stand);
	ask(&stand, NULL, NULL, "", 0, &caller);
	ck_assert_msg(strstr(caller.tape.text.s, "16 show who you are") == caller.tape.text.s, "%s",
	              caller.tape.text.s);
	caller_done(&caller);
	ask(&stand, NULL, token_of(&stand, arena), "", 0, &caller);
	ck_assert_msg(strstr(caller.tape.text.s, "14 the certificate authority is not ready") == caller.tape.text.s,
	              "%s", caller.tape.text.s);
	caller_done(&caller);
	stand_done(&stand);
}
END_TEST

UNIT_MAIN("cert_service", a_token_gets_a_certificate_which_renews_itself, what_is_not_given_is_told_why,
          foreign_bytes_are_refused, nobody_gets_none)

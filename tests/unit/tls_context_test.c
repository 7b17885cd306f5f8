#include "translator/envoy/tls_context.h"

#include "tests/unit/emitted.h"

static const char *const alpn[] = {"h2"};
static const struct tls_secret certificates[] = {{TLS_FROM_SERVER, "kubernetes://a"},
                                                 {TLS_FROM_AGENT, "file-cert:a~b"}};

START_TEST(secrets_come_from_where_they_are)
{
	static const struct {
		const char *name;
		enum tls_origin origin;
		bool is_agent, is_waited_for;
	} rows[] = {
	    {"the mesh", TLS_FROM_MESH, true, true},
	    {"the agent's files", TLS_FROM_AGENT, true, false},
	    {"this server", TLS_FROM_SERVER, false, false},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const envoy_sds_secret_config *config =
		    tls_secret_config(arena, (struct tls_secret){rows[i].origin, "x"});
		const envoy_config_source *source = config->sds_config;
		ck_assert_str_eq(config->name, "x");
		ck_assert_msg(
		    source->config_source_specifier_case ==
		        (rows[i].is_agent
		             ? ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_API_CONFIG_SOURCE
		             : ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_ADS),
		    "%s", rows[i].name);
		ck_assert_msg(!source->initial_fetch_timeout == !rows[i].is_waited_for, "%s", rows[i].name);
		if (rows[i].is_agent)
			ck_assert_str_eq(source->api_config_source->grpc_services[0]->envoy_grpc->cluster_name,
			                 "sds-grpc");
	}
}
END_TEST

START_TEST(names_are_compared_with_those_of_their_type)
{
	static const struct {
		const char *name;
		int want;
	} rows[] = {
	    {"spiffe://cluster.local/ns/a/sa/b", 3},
	    {"a.example.com", 2},
	    {"10.0.0.1", 4},
	    {"::1", 4},
	    {"a@example.com", 1},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct string_match san = {.type = MATCH_EXACT, .value = rows[i].name};
		const struct tls_parts parts = {.root = {TLS_FROM_AGENT, "file-root:a"}, .sans = &san, .n_sans = 1};
		const envoy_certificate_validation_context *context =
		    tls_common(arena, &parts)->combined_validation_context->default_validation_context;
		ck_assert_uint_eq(context->n_match_typed_subject_alt_names, 1);
		const envoy_subject_alt_name_matcher *matcher = context->match_typed_subject_alt_names[0];
		ck_assert_msg((int)matcher->san_type == rows[i].want, "%s", rows[i].name);
		ck_assert_str_eq(matcher->matcher->exact, rows[i].name);
	}
}
END_TEST

START_TEST(what_is_not_said_is_left_out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct tls_parts none = {.n_certificates = 0};
	const envoy_common_tls_context *context = tls_common(arena, &none);
	ck_assert_ptr_null(context->tls_params);
	ck_assert_int_eq((int)context->validation_context_type_case, 0);
	ck_assert_uint_eq(context->n_alpn_protocols + context->n_tls_certificate_sds_secret_configs, 0);

	static const char *const pins[] = {"pin"};
	const struct tls_parts pinned = {
	    .certificates = certificates, .n_certificates = 2, .spki = {pins, 1}, .alpn = {alpn, 1}};
	context = tls_common(arena, &pinned);
	ck_assert_uint_eq(context->n_tls_certificate_sds_secret_configs, 2);
	ck_assert_str_eq(context->alpn_protocols[0], "h2");
	ck_assert_int_eq(
	    (int)context->validation_context_type_case,
	    ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_VALIDATION_CONTEXT);
	ck_assert_str_eq(context->validation_context->verify_certificate_spki[0], "pin");
}
END_TEST

START_TEST(a_client_of_the_mesh_says_whom_it_expects)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char *const names[] = {"spiffe://td/ns/a/sa/b", "spiffe://td/ns/a/sa/c"};
	const struct tls_client client = {.sni = "outbound_.80_._.a.b", .names = {names, 2}, .alpn = {alpn, 1}};
	const envoy_transport_socket *socket = tls_socket_mesh(arena, &client);
	ck_assert_str_eq(socket->name, "envoy.transport_sockets.tls");
	const envoy_upstream_tls_context *context =
	    EMITTED_ANY(arena, envoy_upstream_tls_context, socket->typed_config);
	ck_assert_str_eq(context->sni, "outbound_.80_._.a.b");
	const envoy_common_tls_context *common = context->common_tls_context;
	ck_assert_str_eq(common->tls_certificate_sds_secret_configs[0]->name, "default");
	ck_assert_str_eq(common->combined_validation_context->validation_context_sds_secret_config->name, "ROOTCA");
	ck_assert_uint_eq(
	    common->combined_validation_context->default_validation_context->n_match_typed_subject_alt_names, 2);
	ck_assert_int_eq(common->tls_params->tls_minimum_protocol_version, 3);
	ck_assert_int_eq(common->tls_params->tls_maximum_protocol_version, 4);
}
END_TEST

UNIT_MAIN("tls_context", secrets_come_from_where_they_are, names_are_compared_with_those_of_their_type,
          what_is_not_said_is_left_out, a_client_of_the_mesh_says_whom_it_expects)

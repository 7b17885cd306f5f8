#include "tests/unit/unit.h"
#include "translator/istio/istio_parts.h"

START_TEST(a_port_says_what_it_speaks)
{
	static const struct {
		const char *name;
		uint32_t port;
		const char *transport, *port_name, *app_protocol;
		enum protocol want;
	} cases[] = {
	    {"name alone", 80, "TCP", "http", NULL, PROTOCOL_HTTP},
	    {"name with a suffix", 80, "TCP", "http-web", NULL, PROTOCOL_HTTP},
	    {"a name that only begins so", 80, "TCP", "httpweb", NULL, PROTOCOL_AUTO},
	    {"any case", 80, "TCP", "HTTP2-x", NULL, PROTOCOL_HTTP2},
	    {"no transport is TCP", 80, NULL, "grpc", NULL, PROTOCOL_GRPC},
	    {"grpc-web has a dash of its own", 80, "TCP", "grpc-web-1", NULL, PROTOCOL_GRPC_WEB},
	    {"grpc with a suffix", 80, "TCP", "grpc-x", NULL, PROTOCOL_GRPC},
	    {"https", 443, "TCP", "https", NULL, PROTOCOL_HTTPS},
	    {"tls", 443, "TCP", "tls-x", NULL, PROTOCOL_TLS},
	    {"tcp", 9000, "TCP", "tcp", NULL, PROTOCOL_TCP},
	    {"mongo", 27017, "TCP", "mongo", NULL, PROTOCOL_MONGO},
	    {"redis", 6379, "TCP", "redis", NULL, PROTOCOL_REDIS},
	    {"mysql", 3306, "TCP", "mysql", NULL, PROTOCOL_MYSQL},
	    {"a TCP port called udp", 80, "TCP", "udp-x", NULL, PROTOCOL_TCP},
	    {"UDP", 53, "UDP", "http", NULL, PROTOCOL_UDP},
	    {"SCTP is not proxied either", 80, "SCTP", "http", NULL, PROTOCOL_UDP},
	    {"unknown name", 80, "TCP", "web", NULL, PROTOCOL_AUTO},
	    {"no name", 80, "TCP", NULL, NULL, PROTOCOL_AUTO},
	    {"SMTP talks first", 25, "TCP", "mail", NULL, PROTOCOL_TCP},
	    {"DNS talks first", 53, "TCP", "", NULL, PROTOCOL_TCP},
	    {"MySQL talks first", 3306, "TCP", NULL, NULL, PROTOCOL_TCP},
	    {"MongoDB's port", 27017, "TCP", "db", NULL, PROTOCOL_TCP},
	    {"a word beats the well-known port", 3306, "TCP", "http", NULL, PROTOCOL_HTTP},
	    {"appProtocol beats the name", 80, "TCP", "http", "tcp", PROTOCOL_TCP},
	    {"an unknown appProtocol hides the name", 80, "TCP", "http", "example.com/x", PROTOCOL_AUTO},
	    {"h2c", 80, "TCP", NULL, "kubernetes.io/h2c", PROTOCOL_HTTP2},
	    {"ws", 80, "TCP", NULL, "kubernetes.io/ws", PROTOCOL_HTTP},
	    {"wss", 443, "TCP", NULL, "kubernetes.io/wss", PROTOCOL_HTTPS},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum protocol got =
		    istio_protocol_select(cases[i].port, cases[i].transport, cases[i].port_name, cases[i].app_protocol);
		ck_assert_msg(got == cases[i].want, "%s: got %s, want %s", cases[i].name, protocol_name(got),
		              protocol_name(cases[i].want));
	}
}
END_TEST

START_TEST(protocols_have_names)
{
	static const struct {
		const char *name;
		bool is_known;
		enum protocol want;
	} cases[] = {
	    {"HTTP", true, PROTOCOL_HTTP}, {"GRPC-Web", true, PROTOCOL_GRPC_WEB}, {"Mongo", true, PROTOCOL_MONGO},
	    {"udp", true, PROTOCOL_UDP},   {"http-x", false, PROTOCOL_AUTO},      {"", false, PROTOCOL_AUTO},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum protocol got = PROTOCOL_AUTO;
		ck_assert_msg(istio_protocol_parse(cases[i].name, &got) == cases[i].is_known, "%s", cases[i].name);
		ck_assert_msg(got == cases[i].want, "%s: got %s", cases[i].name, protocol_name(got));
	}
}
END_TEST

START_TEST(protocols_have_transports)
{
	static const struct {
		enum protocol protocol;
		enum transport want;
		bool is_http2;
	} cases[] = {
	    {PROTOCOL_AUTO, TRANSPORT_AUTO, false},     {PROTOCOL_HTTP, TRANSPORT_HTTP, false},
	    {PROTOCOL_HTTP2, TRANSPORT_HTTP, true},     {PROTOCOL_GRPC, TRANSPORT_HTTP, true},
	    {PROTOCOL_GRPC_WEB, TRANSPORT_HTTP, false}, {PROTOCOL_HTTPS, TRANSPORT_TCP, false},
	    {PROTOCOL_TLS, TRANSPORT_TCP, false},       {PROTOCOL_TCP, TRANSPORT_TCP, false},
	    {PROTOCOL_MONGO, TRANSPORT_TCP, false},     {PROTOCOL_REDIS, TRANSPORT_TCP, false},
	    {PROTOCOL_MYSQL, TRANSPORT_TCP, false},     {PROTOCOL_UDP, TRANSPORT_NONE, false},
	};
	ck_assert_uint_eq(sizeof cases / sizeof cases[0], PROTOCOL_COUNT);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		ck_assert_int_eq(protocol_transport(cases[i].protocol), cases[i].want);
		ck_assert_int_eq(protocol_is_http2(cases[i].protocol), cases[i].is_http2);
	}
}
END_TEST

UNIT_MAIN("protocol", a_port_says_what_it_speaks, protocols_have_names, protocols_have_transports)

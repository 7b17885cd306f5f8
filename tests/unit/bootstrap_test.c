#include "agent/bootstrap.h"

#include "agent/proxy_node.h"
#include "base/json.h"
#include "tests/unit/unit.h"

#include <string.h>

static const char *const usual[] = {"weft-agent",
                                    "--namespace=default",
                                    "--pod-name=reviews-1",
                                    "--instance-ip=10.0.0.7,fd00::7",
                                    "--service-account=reviews",
                                    NULL};

static char *lasting(struct arena *arena, const char *s)
{
	return arena_strdup(arena, s);
}

static enum options_outcome parse(struct arena *arena, const char *const *arguments, const char *const *variables,
                                  struct agent_options *options, struct error *error)
{
	char *argv[32] = {0}, *environment[32] = {0};
	int argc = 0;
	for (; arguments[argc]; argc++)
		argv[argc] = lasting(arena, arguments[argc]);
	for (size_t i = 0; variables && variables[i]; i++)
		environment[i] = lasting(arena, variables[i]);
	char **kept = arena_memdup(arena, argv, sizeof argv);
	error->message[0] = '\0';
	return agent_options_parse(argc, kept, environment, options, error);
}

/* "node.id", "staticResources.clusters.0.name" */
static const struct json *at(struct arena *arena, const struct json *value, const char *path)
{
	char *rest = arena_strdup(arena, path), *step;
	while (value && (step = strsep(&rest, "."))) {
		if (value->type == JSON_ARRAY)
			value = (size_t)atoi(step) < value->array.n ? value->array.v[atoi(step)] : NULL;
		else
			value = json_get(value, step);
	}
	return value;
}

static const char *string_at(struct arena *arena, const struct json *value, const char *path)
{
	const struct json *found = at(arena, value, path);
	ck_assert_msg(found && found->type == JSON_STRING, "no string at %s", path);
	return found->string.s;
}

static const struct json *print(struct arena *arena, const struct agent_options *options, const char *labels)
{
	char variable[] = "ISTIO_META_INTERCEPTION_MODE=REDIRECT", other[] = "ISTIO_META_NAMESPACE=other";
	char *environment[] = {variable, other, NULL};
	struct error error;
	CLEANUP(text_done) struct text out = {0};
	envoy_node *node = proxy_node_build(arena, options, environment, labels, &error);
	ck_assert_msg(node != NULL, "%s", error.message);
	bootstrap_print(options, node, &out);
	const struct json *json = json_parse(arena, arena_strdup(arena, out.s), out.n, &error);
	ck_assert_msg(json != NULL, "%s in %s", error.message, out.s);
	return json;
}

START_TEST(the_bootstrap_says_who_and_where)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct agent_options options;
	struct error error;
	ck_assert_msg(parse(arena, usual, NULL, &options, &error) == OPTIONS_RUN, "%s", error.message);
	const struct json *json = print(arena, &options, "app=\"reviews\"\nversion=\"v1\"\n");
	static const struct {
		const char *path, *want;
	} rows[] = {
	    {"node.id", "sidecar~10.0.0.7~reviews-1.default~default.svc.cluster.local"},
	    {"node.cluster", "reviews.default"},
	    {"node.metadata.NAMESPACE", "default"},
	    {"node.metadata.SERVICE_ACCOUNT", "reviews"},
	    {"node.metadata.INSTANCE_IPS", "10.0.0.7,fd00::7"},
	    {"node.metadata.INTERCEPTION_MODE", "REDIRECT"},
	    {"node.metadata.LABELS.version", "v1"},
	    {"staticResources.clusters.0.name", "xds-grpc"},
	    {"staticResources.clusters.0.type", "STRICT_DNS"},
	    {"staticResources.clusters.0.transportSocket.typedConfig.sni", "weftd.istio-system.svc"},
	    {"staticResources.clusters.1.name", "sds-grpc"},
	    {"staticResources.clusters.1.loadAssignment.endpoints.0.lbEndpoints.0.endpoint.address.pipe.path",
	     "./var/run/secrets/workload-spiffe-uds/socket"},
	    {"admin.address.socketAddress.address", "127.0.0.1"},
	    {"dynamicResources.adsConfig.apiType", "DELTA_GRPC"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_str_eq(string_at(arena, json, rows[i].path), rows[i].want);
}
END_TEST

START_TEST(a_control_plane_may_be_an_address)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *arguments[] = {
	    "weft-agent",    "--namespace=default",         "--pod-name=a",        "--instance-ip=::1",
	    "--role=router", "--control-plane=[::1]:15012", "--server-name=weftd", NULL};
	struct agent_options options;
	struct error error;
	ck_assert_msg(parse(arena, arguments, NULL, &options, &error) == OPTIONS_RUN, "%s", error.message);
	const struct json *json = print(arena, &options, NULL);
	ck_assert_str_eq(string_at(arena, json, "node.id"), "router~::1~a.default~default.svc.cluster.local");
	ck_assert_str_eq(string_at(arena, json, "staticResources.clusters.0.type"), "STATIC");
	ck_assert_str_eq(string_at(arena, json, "staticResources.clusters.0.transportSocket.typedConfig.sni"), "weftd");
}
END_TEST

START_TEST(labels_that_are_wrong_are_named)
{
	static const struct {
		const char *labels, *want;
	} rows[] = {
	    {"app", "labels: line 1: write KEY=\"VALUE\""},
	    {"a=\"b\"\n=\"c\"", "labels: line 2: write KEY=\"VALUE\""},
	    {"a=b", "labels: line 1: the value must be in quotes"},
	    {"a=\"b", "labels: line 1: the value must be in quotes"},
	    {"a=1", "labels: line 1: the value must be in quotes"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct agent_options options;
	struct error error;
	ck_assert(parse(arena, usual, NULL, &options, &error) == OPTIONS_RUN);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ck_assert(!proxy_node_build(arena, &options, NULL, rows[i].labels, &error));
		ck_assert_str_eq(error.message, rows[i].want);
	}
}
END_TEST

START_TEST(options_come_from_the_fields_variables_too)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *variables[] = {"POD_NAME=a",
	                           "POD_NAMESPACE=b",
	                           "INSTANCE_IP=10.0.0.1",
	                           "SECRET_TTL=1h",
	                           "TRUST_DOMAIN=td",
	                           "WEFT_NO_ENVOY=true",
	                           NULL};
	const char *arguments[] = {"weft-agent", "--namespace", "c", "--", "-l", "debug", NULL};
	struct agent_options options;
	struct error error;
	ck_assert_msg(parse(arena, arguments, variables, &options, &error) == OPTIONS_RUN, "%s", error.message);
	ck_assert_str_eq(options.pod_namespace, "c");
	ck_assert_int_eq(options.ttl_s, 3600);
	ck_assert_str_eq(options.trust_domain, "td");
	ck_assert(options.is_without_envoy);
	ck_assert_int_eq(options.socket_owner, -1);
	ck_assert_str_eq(options.envoy_arguments[0], "-l");
	ck_assert_str_eq(options.envoy_arguments[1], "debug");
	ck_assert_ptr_null(options.envoy_arguments[2]);
}
END_TEST

START_TEST(mistakes_are_named)
{
	static const struct {
		const char *argument, *want;
	} rows[] = {
	    {"--ttl=soon", "--ttl: \"soon\" is no duration up to ten years, such as 24h, 90d or 1h30m"},
	    {"--ttl=0s", "--ttl: \"0s\" is no duration up to ten years, such as 24h, 90d or 1h30m"},
	    {"--key-type=ed25519", "--key-type: \"ed25519\" is none of p256|rsa2048"},
	    {"--key-type=p", "--key-type: \"p\" is none of p256|rsa2048"},
	    {"--instance-ip=here", "--instance-ip: \"here\" is no IP address"},
	    {"--no-envoy=yes", "--no-envoy takes no value"},
	    {"--socket-owner=root", "--socket-owner: \"root\" is no whole number from 0 to 2147483647"},
	    {"envoy", "unexpected argument \"envoy\": options begin with --"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct agent_options options;
	struct error error;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *arguments[] = {usual[0], usual[1], usual[2], usual[3], usual[4], rows[i].argument, NULL};
		ck_assert(parse(arena, arguments, NULL, &options, &error) == OPTIONS_USAGE);
		ck_assert_str_eq(error.message, rows[i].want);
	}
	ck_assert(parse(arena, (const char *[]){"weft-agent", NULL}, NULL, &options, &error) == OPTIONS_USAGE);
	ck_assert_str_eq(error.message, "which namespace is this in? Set POD_NAMESPACE, or give --namespace");
}
END_TEST

UNIT_MAIN("bootstrap", the_bootstrap_says_who_and_where, a_control_plane_may_be_an_address,
          labels_that_are_wrong_are_named, options_come_from_the_fields_variables_too, mistakes_are_named)

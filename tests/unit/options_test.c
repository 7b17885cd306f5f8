#include "server/options.h"

#include "server/manual.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ARGS_MAX 8

/* Options borrow from argv and the environment, so copies live as long as the test's process. */
static char *lasting(const char *s)
{
	static char pool[32768];
	static size_t used;
	size_t n = strlen(s) + 1;
	ck_assert_uint_le(used + n, sizeof pool);
	used += n;
	return memcpy(pool + used - n, s, n);
}

static enum options_outcome parse(const char *const *arguments, const char *const *variables, struct options *options,
                                  struct error *error)
{
	char *argv[ARGS_MAX + 2] = {lasting("weftd")}, *environment[ARGS_MAX + 1] = {0};
	int argc = 1;
	for (size_t i = 0; arguments[i]; i++)
		argv[argc++] = lasting(arguments[i]);
	for (size_t i = 0; variables && variables[i]; i++)
		environment[i] = lasting(variables[i]);
	error->message[0] = '\0';
	return options_parse(argc, argv, environment, options, error);
}

START_TEST(defaults)
{
	struct options options;
	struct error error;
	ck_assert_int_eq(parse((const char *[]){"--config", "mesh", NULL}, NULL, &options, &error), OPTIONS_RUN);
	ck_assert_uint_eq(options.config_paths.n, 1);
	ck_assert_str_eq(options.config_paths.v[0], "mesh");
	ck_assert_ptr_null(options.mesh_path);
	ck_assert_ptr_null(options.port_file);
	ck_assert_str_eq(options.root_namespace, "istio-system");
	ck_assert_str_eq(options.xds_address, "127.0.0.1:15010");
	ck_assert_ptr_null(options.tls_address);
	ck_assert_int_eq(options.max_connection_s, 1800);
	ck_assert_str_eq(options.admin_address, "127.0.0.1:15014");
	ck_assert_int_eq(options.log_level, LOG_INFO);
	ck_assert(!options.is_log_json);
	ck_assert_int_eq(options.drain_s, 5);
	ck_assert_int_eq(options.stalled_s, 60);
}
END_TEST

START_TEST(an_authority_in_a_folder_has_its_port)
{
	struct options options;
	struct error error;
	ck_assert_int_eq(parse((const char *[]){"--config=a", "--state-dir=s", NULL}, NULL, &options, &error),
	                 OPTIONS_RUN);
	ck_assert_str_eq(options.tls_address, "127.0.0.1:15012");
	ck_assert_int_eq(parse((const char *[]){"--config=a", "--ca-dir=s", "--tls-address=0.0.0.0:1", NULL}, NULL,
	                       &options, &error),
	                 OPTIONS_RUN);
	ck_assert_str_eq(options.tls_address, "0.0.0.0:1");
}
END_TEST

START_TEST(values)
{
	struct options options;
	struct error error;
	const char *arguments[] = {"--config=a", "--config", "b", "--log-format=json", "--drain-seconds=0", NULL};
	ck_assert_int_eq(parse(arguments, NULL, &options, &error), OPTIONS_RUN);
	ck_assert_uint_eq(options.config_paths.n, 2);
	ck_assert_str_eq(options.config_paths.v[0], "a");
	ck_assert_str_eq(options.config_paths.v[1], "b");
	ck_assert(options.is_log_json);
	ck_assert_int_eq(options.drain_s, 0);

	const char *more[] = {"--config", "a", "--xds-address=[::1]:0", "--log-level", "debug", "--mesh=m=1", NULL};
	ck_assert_int_eq(parse(more, NULL, &options, &error), OPTIONS_RUN);
	ck_assert_str_eq(options.xds_address, "[::1]:0");
	ck_assert_int_eq(options.log_level, LOG_DEBUG);
	ck_assert_str_eq(options.mesh_path, "m=1");
}
END_TEST

START_TEST(environment_variables)
{
	struct options options;
	struct error error;
	const char *environment[] = {"WEFT_CONFIG=a:b", "WEFT_LOG_LEVEL=warn", "WEFT_MESH=", "WEFT_CONFIGX=c", NULL};
	ck_assert_int_eq(parse((const char *[]){NULL}, environment, &options, &error), OPTIONS_RUN);
	ck_assert_uint_eq(options.config_paths.n, 2);
	ck_assert_str_eq(options.config_paths.v[1], "b");
	ck_assert_int_eq(options.log_level, LOG_WARN);
	ck_assert_ptr_null(options.mesh_path); /* an empty variable is none */

	const char *arguments[] = {"--config", "c", "--log-level=error", NULL};
	ck_assert_int_eq(parse(arguments, environment, &options, &error), OPTIONS_RUN);
	ck_assert_uint_eq(options.config_paths.n, 1); /* the command line wins */
	ck_assert_str_eq(options.config_paths.v[0], "c");
	ck_assert_int_eq(options.log_level, LOG_ERROR);

	const char *bad[] = {"WEFT_DRAIN_SECONDS=soon", NULL};
	ck_assert_int_eq(parse((const char *[]){"--config", "c", NULL}, bad, &options, &error), OPTIONS_USAGE);
	ck_assert_str_eq(error.message,
	                 "environment variable WEFT_DRAIN_SECONDS: \"soon\" is no whole number from 0 to 3600");
	ck_assert_int_eq(parse((const char *[]){"--help", NULL}, bad, &options, &error), OPTIONS_HELP);
}
END_TEST

static const struct {
	const char *name, *arguments[ARGS_MAX], *want;
} mistakes[] = {
    {"nothing",
     {0},
     "where is the configuration? --config PATH is a folder or file of Kubernetes YAML, --kubeconfig FILE an API "
     "server "
     "(weftd does not run in a cluster, and KUBECONFIG is not set)"},
    {"unknown", {"--confg", "a"}, "unknown option --confg"},
    {"unknown with value", {"--confg=a"}, "unknown option --confg"},
    {"prefix is not enough", {"--conf=a"}, "unknown option --conf"},
    {"positional", {"mesh"}, "unexpected argument \"mesh\": options begin with --"},
    {"bare dashes", {"--"}, "unexpected argument \"--\": options begin with --"},
    {"no value", {"--config"}, "--config needs a value: --config PATH"},
    {"empty path", {"--config="}, "--config: the path is empty"},
    {"flag with value", {"--help=yes"}, "--help takes no value"},
    {"level", {"--log-level", "loud"}, "--log-level: \"loud\" is none of debug, info, warn, error"},
    {"format", {"--log-format", "xml"}, "--log-format: \"xml\" is neither text nor json"},
    {"seconds", {"--drain-seconds", "3601"}, "--drain-seconds: \"3601\" is no whole number from 0 to 3600"},
    {"negative", {"--drain-seconds", "-1"}, "--drain-seconds: \"-1\" is no whole number from 0 to 3600"},
    {"namespace",
     {"--root-namespace", "Istio"},
     "--root-namespace: \"Istio\" is no namespace: lower-case letters, digits and \"-\", at most 63"},
    {"no port",
     {"--xds-address", "127.0.0.1"},
     "--xds-address: \"127.0.0.1\" has no port: write HOST:PORT, such as 127.0.0.1:15010"},
    {"port",
     {"--xds-address", "127.0.0.1:65536"},
     "--xds-address: \"127.0.0.1:65536\": the port must be a number from 0 to 65535"},
    {"no host",
     {"--admin-address", ":15014"},
     "--admin-address: \":15014\" has no host: 0.0.0.0:15014 is every interface, 127.0.0.1:15014 this machine only"},
    {"bare IPv6",
     {"--admin-address", "::1:15014"},
     "--admin-address: \"::1:15014\": write an IPv6 address in brackets, such as [::1]:15010"},
    {"bracketed name",
     {"--admin-address", "[localhost]:1"},
     "--admin-address: \"[localhost]:1\": what stands in brackets is no IPv6 address"},
};

START_TEST(mistakes_are_named)
{
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct options options;
		struct error error;
		enum options_outcome outcome = parse(mistakes[i].arguments, NULL, &options, &error);
		ck_assert_msg(outcome == OPTIONS_USAGE, "%s: outcome %d", mistakes[i].name, (int)outcome);
		ck_assert_msg(!strcmp(error.message, mistakes[i].want), "%s: %s", mistakes[i].name, error.message);
	}
}
END_TEST

START_TEST(an_api_server_is_read_from_when_it_is_named_or_nothing_is)
{
	static const struct {
		const char *arguments[ARGS_MAX], *environment[2];
		bool is_kube;
	} rows[] = {
	    {{"--config", "a"}, {0}, false},
	    {{"--config", "a"}, {"KUBECONFIG=b"}, false},
	    {{"--config", "a", "--kubeconfig", "b"}, {0}, true},
	    {{"--config", "a", "--context", "c"}, {"KUBECONFIG=b"}, true},
	    {{"--kubeconfig", "b"}, {0}, true},
	    {{0}, {"KUBECONFIG=b"}, true},
	    {{0}, {"WEFT_KUBECONFIG=b"}, true},
	    {{0}, {"KUBERNETES_SERVICE_HOST=10.96.0.1"}, true},
	    {{0}, {"WEFT_CONFIG=a"}, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct options options;
		struct error error;
		ck_assert_int_eq(parse(rows[i].arguments, rows[i].environment, &options, &error), OPTIONS_RUN);
		ck_assert_msg(options.is_kube == rows[i].is_kube, "row %zu", i);
	}
}
END_TEST

START_TEST(too_many_paths)
{
	char *argv[OPTION_LIST_MAX + 3] = {0}, program[] = "weftd", path[] = "--config=a";
	struct options options;
	struct error error;
	argv[0] = program;
	for (int i = 1; i <= OPTION_LIST_MAX + 1; i++)
		argv[i] = path;
	ck_assert_int_eq(options_parse(OPTION_LIST_MAX + 1, argv, NULL, &options, &error), OPTIONS_RUN);
	ck_assert_int_eq(options_parse(OPTION_LIST_MAX + 2, argv, NULL, &options, &error), OPTIONS_USAGE);
	ck_assert_str_eq(error.message, "--config: more than 64 paths: put the files into one folder");
}
END_TEST

START_TEST(help_and_version)
{
	struct options options;
	struct error error;
	ck_assert_int_eq(parse((const char *[]){"--help", NULL}, NULL, &options, &error), OPTIONS_HELP);
	ck_assert_int_eq(parse((const char *[]){"--version", "--nonsense", NULL}, NULL, &options, &error),
	                 OPTIONS_VERSION);
}
END_TEST

START_TEST(manual_names_every_option_and_fits)
{
	struct text manual = {0};
	manual_print(&manual);
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		char want[64];
		snprintf(want, sizeof want, "\n       --%s", options_table[i].name);
		ck_assert_msg(strstr(manual.s, want) != NULL, "%s is missing", options_table[i].name);
	}
	for (const char *line = manual.s; *line;) {
		const char *end = strchr(line, '\n');
		ck_assert_msg(end - line <= 100, "too wide: %.*s", (int)(end - line), line);
		/* only a word that is wider than the page by itself may pass the edge */
		ck_assert_msg(end - line <= 80 || !strchr(line + strspn(line, " "), ' ') ||
		                  strchr(line + strspn(line, " "), ' ') > end,
		              "wider than 80: %.*s", (int)(end - line), line);
		ck_assert_msg(end == line || end[-1] != ' ', "blank at the end: %.*s", (int)(end - line), line);
		line = end + 1;
	}
	text_done(&manual);
}
END_TEST

START_TEST(loopback)
{
	static const struct {
		const char *address;
		bool want;
	} rows[] = {
	    {"127.0.0.1:1", true},    {"127.9.9.9:1", true}, {"[::1]:1", true},     {"localhost:1", true},
	    {"0.0.0.0:1", false},     {"[::]:1", false},     {"10.0.0.1:1", false}, {"localhost.example.com:1", false},
	    {"127.0.0.1.x:1", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(option_is_loopback(rows[i].address) == rows[i].want, "%s", rows[i].address);
}
END_TEST

START_TEST(durations)
{
	static const struct {
		const char *in;
		int64_t want; /* 0: refused */
	} rows[] = {
	    {"24h", 86400},     {"90d", 7776000},     {"20s", 20}, {"1h30m", 5400},
	    {"24h0m0s", 86400}, {"3650d", 315360000}, {"", 0},     {"0s", 0},
	    {"24", 0},          {"-1h", 0},           {"1.5h", 0}, {"1w", 0},
	    {"3651d", 0},       {"1h 30m", 0},        {"1h30", 0}, {"9999999999999999999s", 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error error;
		int64_t seconds = 0;
		bool is_good = option_parse_duration(rows[i].in, &seconds, &error);
		ck_assert_msg(is_good == (rows[i].want > 0) && seconds == rows[i].want, "%s: %lld", rows[i].in,
		              (long long)seconds);
	}
}
END_TEST

START_TEST(a_default_above_the_maximum_is_refused)
{
	struct options options;
	struct error error;
	const char *arguments[] = {"--config=a", "--workload-cert-ttl=2h", "--max-workload-cert-ttl=1h", NULL};
	ck_assert_int_eq(parse(arguments, NULL, &options, &error), OPTIONS_USAGE);
	ck_assert(strstr(error.message, "--max-workload-cert-ttl") != NULL);
}
END_TEST

START_TEST(host_names)
{
	struct options options;
	struct error error;
	ck_assert_int_eq(parse((const char *[]){"--config=a", "--tls-name=a.example", "--tls-name", "b.example", NULL},
	                       (const char *[]){"WEFT_TLS_NAME=c.example", NULL}, &options, &error),
	                 OPTIONS_RUN);
	ck_assert_uint_eq(options.tls_names.n, 2); /* not the environment's besides */
	ck_assert_int_eq(parse((const char *[]){"--config=a", NULL},
	                       (const char *[]){"WEFT_TLS_NAME=c.example,d.example", NULL}, &options, &error),
	                 OPTIONS_RUN);
	ck_assert_uint_eq(options.tls_names.n, 2);
	ck_assert_str_eq(options.tls_names.v[1], "d.example");
	ck_assert_int_eq(parse((const char *[]){"--config=a", "--tls-name=*.example", NULL}, NULL, &options, &error),
	                 OPTIONS_USAGE);
}
END_TEST

UNIT_MAIN("options", defaults, an_authority_in_a_folder_has_its_port, values, environment_variables, mistakes_are_named,
          an_api_server_is_read_from_when_it_is_named_or_nothing_is, too_many_paths, help_and_version,
          manual_names_every_option_and_fits, loopback, durations, a_default_above_the_maximum_is_refused, host_names)

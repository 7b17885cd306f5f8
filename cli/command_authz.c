#include "base/json.h"
#include "cli/arguments.h"
#include "cli/authz_decide.h"
#include "cli/authz_print.h"
#include "cli/authz_proxy.h"
#include "cli/authz_question.h"
#include "cli/authz_replay.h"
#include "cli/authz_requests.h"
#include "cli/command.h"
#include "cli/load.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535

static const char *const actions[] = {"check", "replay", NULL};

static const struct command_option options[] = {
    {
        .name = "config",
        .argument = "PATH",
        .value = COMMAND_VALUE_PATH,
        .is_repeated = true,
        .is_required = true,
        .help = "A folder or file of configuration. The workload's Pod must be among it. May be given several times.",
    },
    {.name = "to",
     .argument = "NAMESPACE/POD",
     .help = "Of check: whose proxy is asked. A pod that a Gateway selects is a gateway, any other has a "
             "sidecar."},
    {
        .name = "policy",
        .argument = "FILE",
        .value = COMMAND_VALUE_PATH,
        .is_repeated = true,
        .help = "Of replay: the proposed objects, which take the place of those of their names. May be given several "
                "times.",
    },
    {
        .name = "log",
        .argument = "FILE",
        .value = COMMAND_VALUE_PATH,
        .help = "Of replay: the access log. JSON lines as weft's proxies write them.",
    },
    {
        .name = "from",
        .argument = "PRINCIPAL",
        .help = "The caller's identity, as policies write it. Such as cluster.local/ns/shop/sa/web; without it the "
                "request comes in plaintext, or to a gateway without a client certificate.",
    },
    {.name = "port", .argument = "NUMBER", .default_value = "80", .help = "The pod's port, not its Service's."},
    {.name = "method", .argument = "METHOD", .default_value = "GET", .help = "The request's method."},
    {.name = "path", .argument = "PATH", .default_value = "/", .help = "The request's path, as the client writes it."},
    {.name = "host", .argument = "HOST", .help = "The request's host. Without it the pod's address."},
    {
        .name = "header",
        .argument = "NAME=VALUE",
        .is_repeated = true,
        .help = "A header of the request. May be given several times.",
    },
    {.name = "jwt-claims", .argument = "JSON", .help = "The claims of a token that was believed, as an object."},
    {.name = "source-ip", .argument = "ADDRESS", .help = "Where the connection comes from."},
    {.name = "remote-ip", .argument = "ADDRESS", .help = "The client's address. Without it that of --source-ip."},
    {.name = "server-name",
     .argument = "NAME",
     .help = "The server name in the TLS handshake. At a gateway's port with TLS the host, without it."},
    {.name = "tcp", .help = "A connection that is not HTTP."},
    {
        .name = "requests",
        .argument = "FILE",
        .value = COMMAND_VALUE_PATH,
        .help = "Of check: a file of requests, one a line, or - for standard input. Each is a JSON object with members "
                "to, from, port, method, path, host, headers (of each a text or a list of them), jwtClaims, sourceIp, "
                "remoteIp, serverName and tcp, which mean what the options mean; what a line leaves out is as the "
                "option says.",
    },
    {.name = "mesh", .argument = "FILE", .value = COMMAND_VALUE_PATH, .help = "The mesh's settings as YAML."},
    LOAD_OPTION_ROOT_NAMESPACE,
    COMMAND_OPTION_OUTPUT("The format of what is printed. text: for people; json: one object."),
};

/* ---- the request ---- */

static bool read_headers(struct arena *arena, const struct arguments *arguments, struct authz_request *request,
                         struct error *error)
{
	struct arguments_values given = arguments_all(arguments, "header");
	struct authz_header *headers = ARENA_NEW_N(arena, struct authz_header, given.n);
	for (size_t i = 0; i < given.n; i++) {
		const char *equals = strchr(given.v[i], '=');
		if (!equals || equals == given.v[i])
			return error_set(error, "--header: \"%s\" is not NAME=VALUE", given.v[i]);
		headers[i].name = arena_strndup(arena, given.v[i], (size_t)(equals - given.v[i]));
		headers[i].value = equals + 1;
	}
	request->headers = headers;
	request->n_headers = given.n;
	return true;
}

static bool read_claims(struct arena *arena, const struct arguments *arguments, struct authz_request *request,
                        struct error *error)
{
	const char *claims = arguments_get(arguments, "jwt-claims");
	if (!claims)
		return true;
	request->claims = json_parse(arena, claims, strlen(claims), error);
	if (!request->claims)
		return error_wrap(error, "--jwt-claims");
	return request->claims->type == JSON_OBJECT || error_set(error, "--jwt-claims: must be a JSON object");
}

static bool read_question(struct arena *arena, const struct arguments *arguments, struct authz_question *question,
                          struct error *error)
{
	uint64_t port = 0;
	if (!text_parse_uint(arguments_get(arguments, "port"), PORT_MAX, &port) || port == 0)
		return error_set(error, "--port: \"%s\" is not a port", arguments_get(arguments, "port"));
	*question = (struct authz_question){
	    .to = arguments_get(arguments, "to"),
	    .from = arguments_get(arguments, "from"),
	    .request =
	        {
	            .is_http = !arguments_get(arguments, "tcp"),
	            .method = arguments_get(arguments, "method"),
	            .path = arguments_get(arguments, "path"),
	            .host = arguments_get(arguments, "host"),
	            .port = (uint32_t)port,
	            .source_ip = arguments_get(arguments, "source-ip"),
	            .remote_ip = arguments_get(arguments, "remote-ip"),
	            .server_name = arguments_get(arguments, "server-name"),
	        },
	};
	return read_headers(arena, arguments, &question->request, error) &&
	       read_claims(arena, arguments, &question->request, error);
}

static bool is_json(const struct arguments *arguments)
{
	return strcmp(arguments_get(arguments, "output"), "json") == 0;
}

static int fail(const struct error *error, int status)
{
	fprintf(stderr, "weft authz: %s\n", error->message);
	return status;
}

static int check_one(struct arena *arena, const struct arguments *arguments, const struct load *load,
                     const struct authz_question *question)
{
	CLEANUP(text_done) struct text out = {0};
	struct error error;
	const struct workload *workload = authz_proxy_find(load->model, question->to, &error);
	if (!workload) {
		error_wrap(&error, "--to");
		return fail(&error, COMMAND_USAGE);
	}
	const struct authz_verdict verdict =
	    authz_decide(arena, authz_proxy_of(arena, load, workload), &question->request);
	if (is_json(arguments))
		authz_print_json(&out, &verdict);
	else
		authz_print(&out, &question->request, &verdict);
	int status = output_write(&out);
	return status == COMMAND_DONE && verdict.decision != AUTHZ_ALLOWED ? COMMAND_FAILED : status;
}

static int run_check(const struct arguments *arguments)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct load_options from = load_options_of(arguments);
	const char *requests = arguments_get(arguments, "requests");
	struct authz_question question;
	struct load load;
	struct error error;
	if (!requests && !arguments_get(arguments, "to")) {
		error_set(&error, "check needs --to NAMESPACE/POD, or --requests FILE");
		return fail(&error, COMMAND_USAGE);
	}
	if (!read_question(arena, arguments, &question, &error))
		return fail(&error, COMMAND_USAGE);
	if (!requests && !authz_question_complete(arena, &question, &error)) {
		error_wrap(&error, "the request");
		return fail(&error, COMMAND_USAGE);
	}
	if (!load_files(&from, &load, &error))
		return fail(&error, COMMAND_FAILED);
	const struct authz_requests_options all = {&load, requests, &question, is_json(arguments)};
	int status = requests ? authz_requests(&all) : check_one(arena, arguments, &load, &question);
	load_done(&load);
	return status;
}

static int run_replay(const struct arguments *arguments)
{
	CLEANUP(text_done) struct text out = {0};
	const struct load_options from = load_options_of(arguments);
	struct arguments_values policies = arguments_all(arguments, "policy");
	const struct authz_replay_options options_of_replay = {
	    .config = &from,
	    .policies = policies.v,
	    .n_policies = policies.n,
	    .log = arguments_get(arguments, "log"),
	    .is_json = is_json(arguments),
	};
	struct error error;
	if (!policies.n || !options_of_replay.log) {
		error_set(&error, "replay needs --policy FILE and --log FILE");
		return fail(&error, COMMAND_USAGE);
	}
	if (!authz_replay(&options_of_replay, &out, &error))
		return fail(&error, COMMAND_FAILED);
	return output_write(&out);
}

static int run(const struct arguments *arguments)
{
	return strcmp(arguments->operands.v[0], "replay") == 0 ? run_replay(arguments) : run_check(arguments);
}

const struct command command_authz = {
    .name = "authz",
    .summary = "Say what policies make of a request, and why",
    .synopses =
        (const char *const[]){"authz check --config PATH [--config PATH ...] --to NAMESPACE/POD [--from PRINCIPAL] "
                              "[--port NUMBER] [--method METHOD] [--path PATH] [--host HOST] [--header NAME=VALUE ...] "
                              "[--jwt-claims JSON] [--source-ip ADDRESS] [--remote-ip ADDRESS] [--server-name NAME] "
                              "[--tcp] [--mesh FILE] [--root-namespace NAMESPACE] [--output FORMAT]",
                              "authz check --config PATH [--config PATH ...] --requests FILE [--mesh FILE] "
                              "[--root-namespace NAMESPACE] [--output FORMAT]",
                              "authz replay --config PATH [--config PATH ...] --policy FILE [--policy FILE ...] "
                              "--log FILE [--mesh FILE] [--root-namespace NAMESPACE] [--output FORMAT]",
                              NULL},
    .description =
        (const char *const[]){
            "check works out what the pod's proxy is sent, and plays the request through it: allowed or denied, by "
            "which rule of which policy; and for every other rule what did not match, and what was seen there.",
            "At a gateway the server decides what is seen: whether TLS ends there, for which server name, and whether "
            "clients show a certificate; nobody has an identity who shows none. Routes are not looked at.",
            "With --requests it does that for each request of a file, with the configuration read once, and prints a "
            "line for each, in their order: the decision and the rule, or with --output json the whole verdict.",
            "replay does that for each request of an access log, as policies are and as they would be, and lists the "
            "requests whose fate would change: by caller, request and the rule that decides. Of headers and tokens "
            "the log says nothing, so rules that look at them count as if the request had none.",
            "What a service outside decides (action CUSTOM) is not asked. Whether a token is believed is not looked "
            "at: --jwt-claims are those of one that is.",
            NULL},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .operand = "ACTION",
    .operand_choices = actions,
    .operands_min = 1,
    .operands_max = 1,
    .exit_statuses =
        (const struct command_pair[]){
            {"0", "The request is allowed; with --requests, all are."},
            {"1", "It is not, or the configuration cannot be read."},
            {"2", "The command line or a line of --requests is wrong, or there is no such pod."},
            {NULL, NULL}},
    .examples =
        (const struct command_pair[]){
            {"weft authz check --config mesh/ --to shop/orders-1 --from cluster.local/ns/shop/sa/web --port 8080 "
             "--path /orders/1",
             "May the workloads of service account web read an order?"},
            {"weft authz check --config mesh/ --requests expected.jsonl --output json",
             "A verdict for each request of a file, to be compared with what was meant."},
            {"weft authz replay --config mesh/ --policy new-policy.yaml --log access.log",
             "Who would be locked out by the new policy, or let in?"},
            {NULL, NULL}},
    .run = run,
};

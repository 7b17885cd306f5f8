#include "base/json.h"
#include "base/vec.h"
#include "cli/arguments.h"
#include "cli/authz_decide.h"
#include "cli/authz_print.h"
#include "cli/command.h"
#include "cli/load.h"
#include "cli/output.h"
#include "proto/pack.h"
#include "translator/emit.h"
#include "translator/view.h"

#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535
#define SPIFFE "spiffe://"
#define LISTENER "virtualInbound"

static const char *const actions[] = {"check", NULL};

static const struct command_option options[] = {
    {
        .name = "config",
        .argument = "PATH",
        .value = COMMAND_VALUE_PATH,
        .is_repeated = true,
        .is_required = true,
        .help = "A folder or file of configuration. The workload's Pod must be among it. May be given several times.",
    },
    {.name = "to", .argument = "NAMESPACE/POD", .is_required = true, .help = "Whose sidecar is asked."},
    {
        .name = "from",
        .argument = "PRINCIPAL",
        .help = "The caller's identity, as policies write it. Such as cluster.local/ns/shop/sa/web; without it the "
                "request comes in plaintext.",
    },
    {.name = "port", .argument = "NUMBER", .default_value = "80", .help = "The workload's port, not its Service's."},
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
    {.name = "server-name", .argument = "NAME", .help = "The server name in the TLS handshake."},
    {.name = "tcp", .help = "A connection that is not HTTP."},
    {.name = "mesh", .argument = "FILE", .value = COMMAND_VALUE_PATH, .help = "The mesh's settings as YAML."},
    {
        .name = "root-namespace",
        .argument = "NAMESPACE",
        .default_value = LOAD_ROOT_NAMESPACE,
        .help = "The namespace whose configuration applies to the whole mesh.",
    },
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

static bool read_request(struct arena *arena, const struct arguments *arguments, struct authz_request *request,
                         struct error *error)
{
	const char *from = arguments_get(arguments, "from");
	uint64_t port = 0;
	if (!text_parse_uint(arguments_get(arguments, "port"), PORT_MAX, &port) || port == 0)
		return error_set(error, "--port: \"%s\" is not a port", arguments_get(arguments, "port"));
	*request = (struct authz_request){
	    .is_http = !arguments_get(arguments, "tcp"),
	    .method = arguments_get(arguments, "method"),
	    .path = arguments_get(arguments, "path"),
	    .host = arguments_get(arguments, "host"),
	    .port = (uint32_t)port,
	    .source_ip = arguments_get(arguments, "source-ip"),
	    .remote_ip = arguments_get(arguments, "remote-ip"),
	    .server_name = arguments_get(arguments, "server-name"),
	};
	if (request->path[0] != '/')
		return error_set(error, "--path: must begin with \"/\"");
	if (from)
		request->principal = text_has_prefix(from, SPIFFE) ? from : arena_printf(arena, SPIFFE "%s", from);
	if (!request->remote_ip)
		request->remote_ip = request->source_ip;
	return read_headers(arena, arguments, request, error) && read_claims(arena, arguments, request, error);
}

/* ---- the proxy ---- */

static const struct workload *find_workload(const struct model *model, const char *name, struct error *error)
{
	const char *slash = strchr(name, '/');
	for (size_t i = 0; slash && i < model->n_workloads; i++) {
		const struct workload *workload = model->workloads[i];
		size_t n = (size_t)(slash - name);
		if (strlen(workload->namespace) == n && strncmp(workload->namespace, name, n) == 0 &&
		    strcmp(workload->name, slash + 1) == 0 && workload->addresses.n)
			return workload;
	}
	if (slash)
		error_set(error, "--to: the configuration has no pod %s with an address", name);
	else
		error_set(error, "--to: \"%s\" is not NAMESPACE/POD", name);
	return NULL;
}

static struct node node_of(struct arena *arena, const struct workload *workload)
{
	return (struct node){
	    .id = arena_printf(arena, "sidecar~%s~%s.%s~%s.svc", workload->addresses.v[0], workload->name,
	                       workload->namespace, workload->namespace),
	    .role = PROXY_SIDECAR,
	    .address = workload->addresses.v[0],
	    .addresses = workload->addresses,
	    .name = workload->name,
	    .namespace = workload->namespace,
	    .domain = "",
	    .labels = workload->labels,
	    .service_account = workload->service_account,
	    .cluster_id = "",
	    .network = "",
	    .version = "1.0.0",
	    .is_mtls_capable = true,
	};
}

/* The very bytes that the proxy gets. */
static const envoy_listener *listener_of(struct arena *arena, const struct load *load, const struct node *node)
{
	struct resource_set *sets[RESOURCE_TYPE_COUNT] = {NULL};
	struct emit_cache *cache = emit_cache_new();
	const envoy_listener *listener = NULL;
	emit_workload(load->model, workload_class_of(arena, load->model, node), cache, sets);
	const struct resource_set *listeners = sets[RESOURCE_LISTENER];
	for (size_t i = 0; listeners && i < listeners->n; i++)
		if (strcmp(listeners->v[i]->name, LISTENER) == 0)
			listener = (const envoy_listener *)unpack_own(
			    arena, envoy_listener_type(), listeners->v[i]->body + listeners->v[i]->value_at,
			    listeners->v[i]->body_n - listeners->v[i]->value_at);
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		if (sets[i])
			resource_set_unref(sets[i]);
	emit_cache_free(cache);
	return listener;
}

static int check(struct arena *arena, const struct arguments *arguments, const struct load *load,
                 struct authz_request *request)
{
	CLEANUP(text_done) struct text out = {0};
	struct error error;
	const struct workload *workload = find_workload(load->model, arguments_get(arguments, "to"), &error);
	if (!workload) {
		fprintf(stderr, "weft authz: %s\n", error.message);
		return COMMAND_USAGE;
	}
	struct node node = node_of(arena, workload);
	request->ip = workload->addresses.v[0];
	if (!request->host)
		request->host = request->ip;
	const struct authz_verdict verdict = authz_decide(arena, listener_of(arena, load, &node), request);
	if (strcmp(arguments_get(arguments, "output"), "json") == 0)
		authz_print_json(&out, &verdict);
	else
		authz_print(&out, request, &verdict);
	int status = output_write(&out);
	return status == COMMAND_DONE && verdict.decision != AUTHZ_ALLOWED ? COMMAND_FAILED : status;
}

static int run(const struct arguments *arguments)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct authz_request request;
	struct load load;
	struct error error;
	if (!read_request(arena, arguments, &request, &error)) {
		fprintf(stderr, "weft authz: %s\n", error.message);
		return COMMAND_USAGE;
	}
	struct arguments_values paths = arguments_all(arguments, "config");
	const struct load_options from = {
	    .paths = paths.v,
	    .n_paths = paths.n,
	    .mesh_path = arguments_get(arguments, "mesh"),
	    .root_namespace = arguments_get(arguments, "root-namespace"),
	};
	if (!load_files(&from, &load, &error)) {
		fprintf(stderr, "weft authz: %s\n", error.message);
		return COMMAND_FAILED;
	}
	int status = check(arena, arguments, &load, &request);
	load_done(&load);
	return status;
}

const struct command command_authz = {
    .name = "authz",
    .summary = "Say what policies make of a request, and why",
    .synopses =
        (const char *const[]){"authz check --config PATH [--config PATH ...] --to NAMESPACE/POD [--from PRINCIPAL] "
                              "[--port NUMBER] [--method METHOD] [--path PATH] [--host HOST] [--header NAME=VALUE ...] "
                              "[--jwt-claims JSON] [--source-ip ADDRESS] [--remote-ip ADDRESS] [--server-name NAME] "
                              "[--tcp] [--mesh FILE] [--root-namespace NAMESPACE] [-o FORMAT]",
                              NULL},
    .description =
        (const char *const[]){
            "Works out what the pod's sidecar is sent, and plays the request through it: allowed or denied, by which "
            "rule of which policy; and for every other rule what did not match, and what was seen there.",
            "What a service outside decides (action CUSTOM) is not asked. Whether a token is believed is not looked "
            "at: --jwt-claims are those of one that is.",
            NULL},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .operand = "ACTION",
    .operand_choices = actions,
    .operands_min = 1,
    .operands_max = 1,
    .exit_statuses = (const struct command_pair[]){{"0", "The request is allowed."},
                                                   {"1", "It is not, or the configuration cannot be read."},
                                                   {"2", "The command line is wrong, or there is no such pod."},
                                                   {NULL, NULL}},
    .examples =
        (const struct command_pair[]){
            {"weft authz check --config mesh/ --to shop/orders-1 --from cluster.local/ns/shop/sa/web --port 8080 "
             "--path /orders/1",
             "May the workloads of service account web read an order?"},
            {NULL, NULL}},
    .run = run,
};

#include "base/json.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/load.h"
#include "cli/output.h"
#include "translator/emit.h"
#include "translator/print.h"
#include "translator/scope.h"
#include "translator/view.h"

#include <stdio.h>
#include <string.h>

static const struct command_option options[] = {
    {
        .name = "config",
        .argument = "PATH",
        .value = COMMAND_VALUE_PATH,
        .is_repeated = true,
        .is_required = true,
        .help =
            "A folder or file of configuration. Kubernetes YAML or JSON; folders are read recursively. May be given "
            "several times.",
    },
    {
        .name = "node",
        .argument = "ID",
        .is_required = true,
        .help = "The proxy's node id. ROLE~ADDRESS~NAME.NAMESPACE~NAMESPACE.svc.DOMAIN, where ROLE is sidecar or "
                "router. It is what the proxy's bootstrap has as node.id.",
    },
    {
        .name = "meta",
        .argument = "JSON",
        .help = "The proxy's node metadata. A JSON object such as {\"LABELS\":{\"app\":\"shop\"}}, as in node.metadata "
                "of its bootstrap.",
    },
    {
        .name = "mesh",
        .argument = "FILE",
        .value = COMMAND_VALUE_PATH,
        .help = "The mesh's settings. Istio's MeshConfig as YAML; without it they come from ConfigMap \"istio\", key "
                "\"mesh\", in the root namespace, or are the defaults.",
    },
    LOAD_OPTION_ROOT_NAMESPACE,
};

static void unref_sets(struct resource_set *sets[RESOURCE_TYPE_COUNT])
{
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		if (sets[i])
			resource_set_unref(sets[i]);
}

static int print_node(const struct load *load, const struct node *node)
{
	struct resource_set *view_sets[RESOURCE_TYPE_COUNT] = {NULL};
	struct resource_set *workload_sets[RESOURCE_TYPE_COUNT] = {NULL};
	struct emit_cache *cache = emit_cache_new();
	const struct view *view = view_of(load->arena, load->model, node);
	const struct workload_class *workload = workload_class_of(load->arena, load->model, node);
	CLEANUP(text_done) struct text out = {0};

	emit_view(scope_of(load->arena, load->model, view), cache, view_sets);
	emit_workload(load->model, workload, cache, workload_sets);
	print_config(&load->report, view_sets, workload_sets, &out);
	unref_sets(view_sets);
	unref_sets(workload_sets);
	emit_cache_free(cache);
	return output_write(&out);
}

static int run(const struct arguments *arguments)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *meta = arguments_get(arguments, "meta");
	const struct json *metadata = NULL;
	struct node node;
	struct load load;
	struct error error;

	if (meta) {
		metadata = json_parse(arena, meta, strlen(meta), &error);
		if (!metadata) {
			fprintf(stderr, "weft translate: --meta: %s\n", error.message);
			return COMMAND_USAGE;
		}
	}
	if (!node_parse(arena, arguments_get(arguments, "node"), metadata, &node, &error)) {
		fprintf(stderr, "weft translate: --node: %s\n", error.message);
		return COMMAND_USAGE;
	}
	node.is_verified = true; /* nobody is asked, and no key is shown */
	const struct load_options from = load_options_of(arguments);
	if (!load_files(&from, &load, &error)) {
		fprintf(stderr, "weft translate: %s\n", error.message);
		return COMMAND_FAILED;
	}
	int status = print_node(&load, &node);
	load_done(&load);
	return status;
}

const struct command command_translate = {
    .name = "translate",
    .summary = "Print what a proxy would be sent",
    .synopses =
        (const char *const[]){"translate --config PATH [--config PATH ...] --node ID [--meta JSON] [--mesh FILE] "
                              "[--root-namespace NAMESPACE]",
                              NULL},
    .description =
        (const char *const[]){
            "Reads configuration from files and prints what the control plane would send to one proxy that holds "
            "it, as one JSON object: \"report\" (what is wrong with the configuration, one row each), \"listeners\", "
            "\"routes\", \"clusters\" and \"endpoints\" (Envoy's own messages in proto3 JSON).",
            "The output is canonical: sorted by name, fields in the order of their declaration. The same "
            "configuration gives the same bytes in whatever order its files and documents are read, so two "
            "outputs can be compared with diff.",
            "Mistakes in the configuration are part of the output and do not change the exit status; use "
            "\"weft validate\" to test for them.",
            NULL},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .exit_statuses =
        (const struct command_pair[]){
            {"0", "Printed, whether or not the report has errors."},
            {"1", "A path does not exist or cannot be read, or the output cannot be written."},
            {"2", "The command line is wrong."},
            {NULL, NULL}},
    .examples =
        (const struct command_pair[]){
            {"weft translate --config mesh/ --node sidecar~10.0.0.9~shop-1.default~default.svc.cluster.local",
             "What the sidecar of pod shop-1 gets."},
            {"weft translate --config mesh/ --node router~10.0.0.2~gw.istio-system~istio-system.svc.cluster.local "
             "--meta '{\"LABELS\":{\"istio\":\"ingressgateway\"}}'",
             "What a gateway with that label gets."},
            {NULL, NULL}},
    .run = run,
};

#include "server/manual.h"

#include "crds/kinds.h"
#include "server/admin.h"
#include "server/options.h"

#include <string.h>

#define HELP_COLUMNS 80
#define HELP_INDENT 7

struct help_pair {
	const char *term, *meaning;
};

static const struct help_pair help_signals[] = {
    {"SIGTERM, SIGINT", "Stop: refuse new work, let proxies leave, exit 0. A second one ends at once."},
    {"SIGHUP", "Read all configuration again. Changes are seen without it; it helps where watching does not work, as "
               "on network file systems."},
};

static const struct help_pair help_codes[] = {
    {"0", "Stopped by a signal; or --help, --version."},
    {"1", "Could not start: an address is taken, a path does not exist, a file cannot be written."},
    {"2", "The command line is wrong."},
};

static const struct help_pair help_examples[] = {
    {"weftd", "In a pod: the cluster's objects, as the pod's service account."},
    {"weftd --kubeconfig ~/.kube/config --context test", "A cluster from outside."},
    {"weftd --config ./mesh", "Serve the folder to proxies on this machine."},
    {"weftd --config mesh --config local.yaml --mesh mesh.yaml --log-level debug",
     "Several sources, with the mesh's settings."},
    {"weftd --config mesh --xds-address 127.0.0.1:0 --admin-address 127.0.0.1:0 --port-file ports.json",
     "In a test: free ports, found in ports.json."},
};

static void help_section(struct text *out, const char *title, const struct help_pair *pairs, size_t n)
{
	text_printf(out, "\n%s\n", title);
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_add_char(out, '\n');
		text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, pairs[i].term);
		text_add_paragraph(out, HELP_INDENT + 8, HELP_COLUMNS, pairs[i].meaning);
	}
}

#define HELP_SECTION(out, title, pairs) help_section(out, title, pairs, sizeof(pairs) / sizeof((pairs)[0]))

static void help_option(struct text *out, const struct option_row *option)
{
	text_printf(out, "%*s--%s%s%s\n", HELP_INDENT, "", option->name, option->argument ? " " : "",
	            option->argument ? option->argument : "");
	text_add_paragraph(out, HELP_INDENT + 8, HELP_COLUMNS, option->help);
	if (!option->default_value && !option->environment)
		return;
	text_printf(out, "%*s[", HELP_INDENT + 8, "");
	if (option->default_value)
		text_printf(out, "default: %s%s", option->default_value, option->environment ? "; " : "");
	if (option->environment)
		text_printf(out, "environment: %s", option->environment);
	text_add(out, "]\n");
}

static void help_kinds(struct text *out)
{
	CLEANUP(text_done) struct text line = {0};

	text_add(out, "\nKINDS\n");
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!kinds[i].is_unread)
			text_printf(&line, "%s%s%s%s", i ? ", " : "", kinds[i].kind, kinds[i].group[0] ? "." : "",
			            kinds[i].group);
	text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, text_get(&line));
}

static void help_endpoints(struct text *out)
{
	text_add(out, "\nENDPOINTS\n");
	for (size_t i = 0; i < ADMIN_ENDPOINTS; i++) {
		const struct admin_endpoint *endpoint = &admin_endpoints[i];
		text_printf(out, "%s%*sGET %s%s\n", i ? "\n" : "", HELP_INDENT, "", endpoint->path, endpoint->query);
		text_add_paragraph(out, HELP_INDENT + 8, HELP_COLUMNS, endpoint->help);
	}
}

void manual_print(struct text *out)
{
	text_add(out, "NAME\n");
	text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS, "weftd - the service mesh control plane");
	text_add(out, "\nSYNOPSIS\n");
	text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS,
	                   "weftd [--config PATH ...] [--kubeconfig FILE] [OPTION ...]");
	text_add(out, "\nDESCRIPTION\n");
	text_add_paragraph(
	    out, HELP_INDENT, HELP_COLUMNS,
	    "weftd reads mesh configuration, works out what each proxy must do, and streams that to the proxies "
	    "over xDS (state of the world and delta), as istiod does. It reads the same objects: Istio's "
	    "networking APIs and Kubernetes' Services, EndpointSlices and Pods.");
	text_add_char(out, '\n');
	text_add_paragraph(
	    out, HELP_INDENT, HELP_COLUMNS,
	    "A mistake in the configuration never stops it: the mistake is reported (in the log, in "
	    "/debug/report, by \"weft validate\"), the last good form of the object stays in force, and everything "
	    "else goes on. Proxies get nothing before all configuration has been read once.");
	text_add(out, "\nOPTIONS\n");
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		if (i)
			text_add_char(out, '\n');
		help_option(out, &options_table[i]);
	}
	text_add_char(out, '\n');
	text_add_paragraph(out, HELP_INDENT, HELP_COLUMNS,
	                   "A value may also be written --name=VALUE. The command line wins over the environment.");
	help_kinds(out);
	help_endpoints(out);
	HELP_SECTION(out, "SIGNALS", help_signals);
	HELP_SECTION(out, "EXIT STATUS", help_codes);
	HELP_SECTION(out, "EXAMPLES", help_examples);
}

#include "server/manual.h"

#include "base/manual_page.h"
#include "crds/kinds.h"
#include "server/admin.h"
#include "server/options.h"

#include <string.h>

static const struct manual_pair help_signals[] = {
    {"SIGTERM, SIGINT", "Stop: refuse new work, let proxies leave, exit 0. A second one ends at once."},
    {"SIGHUP", "Read all configuration again. Changes are seen without it; it helps where watching does not work, as "
               "on network file systems."},
};

static const struct manual_pair help_codes[] = {
    {"0", "Stopped by a signal; or --help, --version."},
    {"1", "Could not start: an address is taken, a path does not exist, a file cannot be written."},
    {"2", "The command line is wrong."},
};

static const struct manual_pair help_examples[] = {
    {"weftd", "In a pod: the cluster's objects, as the pod's service account."},
    {"weftd --kubeconfig ~/.kube/config --context test", "A cluster from outside."},
    {"weftd --config ./mesh", "Serve the folder to proxies on this machine."},
    {"weftd --config mesh --config local.yaml --mesh mesh.yaml --log-level debug",
     "Several sources, with the mesh's settings."},
    {"weftd --config mesh --xds-address 127.0.0.1:0 --admin-address 127.0.0.1:0 --port-file ports.json",
     "In a test: free ports, found in ports.json."},
};

static void help_kinds(struct text *out)
{
	CLEANUP(text_done) struct text line = {0};

	text_add(out, "\nKINDS\n");
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!kinds[i].is_unread)
			text_printf(&line, "%s%s%s%s", i ? ", " : "", kinds[i].kind, kinds[i].group[0] ? "." : "",
			            kinds[i].group);
	text_add_paragraph(out, MANUAL_INDENT, MANUAL_COLUMNS, text_get(&line));
}

static void help_endpoints(struct text *out)
{
	text_add(out, "\nENDPOINTS\n");
	for (size_t i = 0; i < ADMIN_ENDPOINTS; i++) {
		const struct admin_endpoint *endpoint = &admin_endpoints[i];
		text_printf(out, "%s%*sGET %s%s\n", i ? "\n" : "", MANUAL_INDENT, "", endpoint->path, endpoint->query);
		text_add_paragraph(out, MANUAL_INDENT + 8, MANUAL_COLUMNS, endpoint->help);
	}
}

void manual_print(struct text *out)
{
	text_add(out, "NAME\n");
	text_add_paragraph(out, MANUAL_INDENT, MANUAL_COLUMNS, "weftd - the service mesh control plane");
	text_add(out, "\nSYNOPSIS\n");
	text_add_paragraph(out, MANUAL_INDENT, MANUAL_COLUMNS,
	                   "weftd [--config PATH ...] [--kubeconfig FILE] [OPTION ...]");
	text_add(out, "\nDESCRIPTION\n");
	text_add_paragraph(
	    out, MANUAL_INDENT, MANUAL_COLUMNS,
	    "weftd reads mesh configuration, works out what each proxy must do, and streams that to the proxies "
	    "over xDS (state of the world and delta), as istiod does. It reads the same objects: Istio's "
	    "networking APIs and Kubernetes' Services, EndpointSlices and Pods.");
	text_add_char(out, '\n');
	text_add_paragraph(
	    out, MANUAL_INDENT, MANUAL_COLUMNS,
	    "A mistake in the configuration never stops it: the mistake is reported (in the log, in "
	    "/debug/report, by \"weft validate\"), the last good form of the object stays in force, and everything "
	    "else goes on. Proxies get nothing before all configuration has been read once.");
	manual_page_options(out, &(struct option_table){options_table, OPTIONS_COUNT});
	help_kinds(out);
	help_endpoints(out);
	MANUAL_PAGE_SECTION(out, "SIGNALS", help_signals);
	MANUAL_PAGE_SECTION(out, "EXIT STATUS", help_codes);
	MANUAL_PAGE_SECTION(out, "EXAMPLES", help_examples);
}

#include "agent/agent_manual.h"

#include "agent/agent_options.h"
#include "agent/status.h"
#include "base/manual_page.h"

static const struct manual_pair signals[] = {
    {"SIGTERM, SIGINT",
     "Stop: not ready any more, Envoy drains its listeners, and ends after --drain-seconds or when no "
     "client is connected any more. A second one ends both at once."},
};

static const struct manual_pair codes[] = {
    {"0", "Stopped by a signal; or --help, --version."},
    {"1", "Could not start: an address is taken, a file cannot be written, there is no Envoy."},
    {"2", "The command line is wrong."},
    {"other", "Envoy's own, when it ended by itself: 128 and the signal, if a signal ended it."},
};

static const struct manual_pair examples[] = {
    {"weft-agent", "In a pod, whose POD_NAME, POD_NAMESPACE, INSTANCE_IP and SERVICE_ACCOUNT are set."},
    {"weft-agent -- --log-level debug --component-log-level upstream:trace", "With arguments for Envoy."},
    {"weft-agent --no-envoy --namespace default --pod-name vm-1 --instance-ip 10.0.0.5 --control-plane weftd:15012",
     "Only a certificate, kept valid, on a Unix socket."},
};

void agent_manual_print(struct text *out)
{
	manual_page_title(out, "NAME");
	manual_page_paragraph(out, "weft-agent - a proxy's identity, and the proxy");
	manual_page_title(out, "SYNOPSIS");
	manual_page_paragraph(out, "weft-agent [OPTION ...] [-- ENVOY-ARGUMENT ...]");
	manual_page_title(out, "DESCRIPTION");
	manual_page_paragraph(
	    out,
	    "weft-agent stands beside an Envoy. It makes a private key, gets a certificate for it from the control "
	    "plane and renews it in time with a new key; hands both to Envoy, with the roots that the mesh trusts, "
	    "over a "
	    "Unix socket (SDS); writes Envoy's bootstrap, starts Envoy, and drains it when told to stop.");
	text_add_char(out, '\n');
	manual_page_paragraph(
	    out, "The key stays in memory here and in Envoy. While the control plane is away the certificate at hand "
	         "stays in "
	         "use until its end; past that no connection is made with it, and the proxy is not ready.");
	manual_page_options(out, &agent_options_table);
	manual_page_title(out, "ENDPOINTS");
	for (size_t i = 0; i < STATUS_ENDPOINTS; i++) {
		CLEANUP(text_done) struct text term = {0};
		text_printf(&term, "GET %s", status_endpoints[i].path);
		if (i)
			text_add_char(out, '\n');
		manual_page_pair(out, term.s, status_endpoints[i].help);
	}
	MANUAL_PAGE_SECTION(out, "SIGNALS", signals);
	MANUAL_PAGE_SECTION(out, "EXIT STATUS", codes);
	MANUAL_PAGE_SECTION(out, "EXAMPLES", examples);
}

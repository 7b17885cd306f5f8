#pragma once
/*
 * One server of a Gateway to one gateway_server of the model: resolve_gateways.c has the port and the hosts,
 * resolve_gateway_tls.c the TLS settings, resolve_gateway_secrets.c what is said of the Secrets they name.
 */
#include "translator/istio/istio_parts.h"

/* A server that is being lowered. */
struct server_lowering {
	struct draft *draft;
	const struct object *object;
	const char *path; /* "spec.servers[2]" */
};

/* A row about a part of the server ("tls.mode"), or about it as a whole (NULL). */
__attribute__((format(printf, 5, 6))) void server_complain(const struct server_lowering *lowering,
                                                           enum report_severity severity, enum report_reason reason,
                                                           const char *part, const char *format, ...);

void gateway_lower_tls(const struct server_lowering *lowering, const istio_server_tls_settings *in,
                       struct gateway_tls *out);

/* Says which servers are left out because others were there first. After all Gateways. */
void gateway_check_conflicts(struct draft *draft);
/* Says which of the Secrets that Gateways name are missing where their proxies are. After all Gateways. */
void gateway_check_secrets(struct draft *draft);

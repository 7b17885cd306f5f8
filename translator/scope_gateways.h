#pragma once
/*
 * A gateway's scope in the making, in three files: scope_gateways.c has the servers and their route tables,
 * scope_gateway_chains.c the listeners: which chain takes which connections; scope_auto_passthrough.c the chains of
 * servers that need no routes.
 *
 * The first server of an address and port (in order of precedence) says what the listener is: HTTP, TLS or TCP. Servers
 * of another kind are left out there.
 */
#include "translator/chain_list.h"
#include "translator/visible_rules.h"

enum gateway_listener_kind { GATEWAY_HTTP, GATEWAY_TLS, GATEWAY_TCP };

/* One listener. */
struct gateway_listener_draft {
	const char *bind;
	uint32_t port; /* where it listens */
	enum gateway_listener_kind kind;
	struct chain_list chains;
	struct map passed_on; /* "host|port|subset" -> nothing in particular: of AUTO_PASSTHROUGH */
};

/* A server and its listener. */
struct gateway_server_draft {
	struct scope_draft *draft;
	struct gateway_listener_draft *listener;
	const struct gateway_server *server;
	const char *gateway; /* "namespace/name" */
	const struct visible_rules *rules;
};

/* TLS that ends here and goes on as HTTP, by the table; plaintext HTTP, when the server has no TLS. */
bool gateway_add_http_chain(const struct gateway_server_draft *server,
                            const char *table); /* false: nothing is left for it */
/* What goes on by the rules' tls (passed through) or tcp (plaintext, or TLS that ends here) routes. */
void gateway_add_connection_chains(const struct gateway_server_draft *server);
/* What goes on by the service that the name in the handshake encodes (scope_auto_passthrough.c). */
void gateway_add_auto_passthrough_chains(const struct gateway_server_draft *server);
/* The secrets that the server names and the view may have. */
void gateway_add_secrets(const struct gateway_server_draft *server);
/* The listener as the scope has it; nothing for one without chains. */
void gateway_seal_listener(struct scope_draft *draft, const struct gateway_listener_draft *from);

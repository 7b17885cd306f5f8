#pragma once
/*
 * Envoy's bootstrap, as JSON: who it is, where its secrets come from (the agent's Unix socket) and where its
 * configuration (delta xDS from the control plane, over TLS with the mesh's certificates), its admin interface, and a
 * listener for its statistics. Envoy waits for its secrets before it connects.
 *
 * Pure: what is written down is in the arguments.
 */
#include "agent/agent_options.h"
#include "base/text.h"
#include "proto/envoy.h"

#define BOOTSTRAP_WINDOW (1u << 20) /* HTTP/2, of streams and connections to the control plane, in bytes */
#define BOOTSTRAP_CONNECTIONS_MAX 50000

void bootstrap_print(const struct agent_options *options, const envoy_node *node, struct text *out);
/* The name that the control plane's certificate must have, in the caller's storage. */
const char *bootstrap_server_name(const struct agent_options *options, char host[OPTION_HOST_MAX]);

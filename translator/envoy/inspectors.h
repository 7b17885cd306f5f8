#pragma once
/*
 * Where the inspectors of a listener look. An inspector waits for the client's first bytes, so it is kept away from
 * ports on which there is nothing to find out: a server that speaks first would wait with it.
 *
 *     struct inspected ports = {0};
 *     inspected_add(arena, &ports, 0, true, true);          all ports of which nothing else is said
 *     inspected_add(arena, &ports, 9000, false, false);
 *     inspectors_add(arena, listener, &ports);
 */
#include "translator/envoy/emit_parts.h"

struct inspected_port {
	uint32_t port; /* 0: all others */
	bool is_tls, is_http;
};

struct inspected {
	VEC(struct inspected_port) ports;
};

/* What is said of one port again is added to what was said of it last. */
void inspected_add(struct arena *arena, struct inspected *inspected, uint32_t port, bool is_tls, bool is_http);
/* TLS before HTTP, which looks at plaintext only. An inspector that looks nowhere is left out. Sorts the ports. */
void inspectors_add(struct arena *arena, envoy_listener *listener, struct inspected *inspected);

#pragma once
/*
 * Envoy's admin interface as its client: is it ready, drain. Blocking, at most ENVOY_ADMIN_TIMEOUT_MS; any thread.
 */
#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

#define ENVOY_ADMIN_TIMEOUT_MS 1000
#define ENVOY_ADMIN_ANSWER_MAX (1u << 20)

void envoy_admin_init(void); /* once, before threads */
/* address: HOST:PORT. Whether /ready says LIVE; else the error says what it says. */
bool envoy_admin_is_ready(const char *address, struct error *error);
/* Connections are asked to end; listeners go on taking new ones until Envoy ends. */
bool envoy_admin_drain(const char *address, struct error *error);
/* Connections of clients that are open, those to the admin interface and to our own statistics left out. */
bool envoy_admin_connections(const char *address, uint64_t *n, struct error *error);
/* The number in "…http.inbound.downstream_cx_active: 3" lines, summed up. */
uint64_t envoy_admin_sum(const char *stats);

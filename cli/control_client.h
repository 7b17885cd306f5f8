#pragma once
/*
 * Asking a running weftd over its control socket: one request of HTTP over a Unix socket (libcurl), with its answer.
 */
#include "base/error.h"
#include "base/text.h"

#define CONTROL_CLIENT_SOCKET "/run/weft/control.sock" /* weftd's default */
#define CONTROL_CLIENT_TIMEOUT_MS 10000
#define CONTROL_CLIENT_BYTES_MAX (4u << 20) /* of an answer */

/* The body of a 200; false with weftd's own words for any other answer, or with why there is none. */
bool control_client_ask(const char *socket, bool is_post, const char *target, struct text *out, struct error *error);

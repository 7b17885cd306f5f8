#pragma once
/*
 * The control socket: the one way by which weftd is told to do something, for whoever may open its file (mode 0600).
 * HTTP over a Unix socket, for "weft ca":
 *
 *     GET  /ca                              as /debug/ca
 *     POST /ca/rotate[?skip-unaware=1]      begins a rotation of the root, or lets one pass over some proxies
 *     POST /ca/undo                         goes back
 *     POST /ca/finish                       forgets the former root at once
 *
 * 200 with the state as JSON; 409 with the reason in words.
 */
#include "server/identity/cert_service.h"
#include "server/identity/keeper.h"

#define CONTROL_SOCKET "/run/weft/control.sock"
#define CONTROL_NAME "control.sock" /* in the state folder */

struct control;

struct control_options {
	const char *path;           /* as asked for; NULL: in the state folder, or CONTROL_SOCKET */
	const char *state_dir;      /* NULL: none */
	struct keeper *keeper;      /* borrowed */
	struct cert_service *certs; /* borrowed; NULL: no TLS port */
};

/* NULL with an error; whether that is to be an end is the caller's to say. */
struct control *control_new(const struct control_options *options, struct error *error);
void control_free(struct control *control); /* removes the socket; NULL is fine */
const char *control_path(const struct control *control);

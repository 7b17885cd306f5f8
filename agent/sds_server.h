#pragma once
/*
 * Envoy's secrets on a Unix socket: sds.h over gRPC. The socket is for its owner alone; a socket that a former process
 * left there is taken away, one at which somebody listens is not.
 */
#include "agent/sds.h"
#include "base/error.h"

struct sds_server;

/* sds is borrowed. owner: the user to whom the socket is given; negative: it stays ours. Serves at once. */
struct sds_server *sds_server_new(struct sds *sds, const char *path, int64_t owner, struct error *error);
void sds_server_wake(struct sds_server *server); /* any thread: after sds_put */
void sds_server_free(struct sds_server *server); /* NULL is fine */

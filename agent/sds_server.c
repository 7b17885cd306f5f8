#include "agent/sds_server.h"

#include "agent/small_file.h"
#include "base/heap.h"
#include "rpc/grpc_transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STALLED_MS 30000
#define GRACE_MS 200

struct sds_server {
	struct transport_handler handler;
	struct transport_method methods[SDS_METHODS];
	struct grpc_transport *transport;
	char *path;
};

static bool listen_at(struct sds_server *server, int64_t owner, struct error *error)
{
	CLEANUP(text_done) struct text address = {0};
	if (!small_file_make_folders(server->path, error))
		return false;
	text_printf(&address, "unix:%s", server->path);
	const struct grpc_listener listener = {.address = address.s};
	const struct grpc_transport_options options = {
	    .listeners = &listener,
	    .n_listeners = 1,
	    .methods = server->methods,
	    .n_methods = SDS_METHODS,
	    .max_streams = SDS_STREAMS_MAX,
	    .max_streams_per_connection = SDS_STREAMS_MAX,
	    .max_request_bytes = SDS_REQUEST_MAX,
	    .stalled_stream_ms = STALLED_MS,
	};
	server->transport = grpc_transport_new(&options, error);
	if (!server->transport)
		return false;
	if (owner >= 0 && chown(server->path, (uid_t)owner, (gid_t)-1))
		return error_set_errno(error, errno, "%s: giving it to user %lld", server->path, (long long)owner);
	grpc_transport_start(server->transport);
	return true;
}

struct sds_server *sds_server_new(struct sds *sds, const char *path, int64_t owner, struct error *error)
{
	struct sds_server *server = HEAP_NEW(struct sds_server);
	server->path = heap_strdup(path);
	server->handler = sds_handler(sds);
	for (unsigned i = 0; i < SDS_METHODS; i++)
		server->methods[i] =
		    (struct transport_method){.path = sds_methods[i], .handler = &server->handler, .method = i};
	if (listen_at(server, owner, error))
		return server;
	error_wrap(error, "the socket for Envoy's secrets");
	sds_server_free(server);
	return NULL;
}

void sds_server_wake(struct sds_server *server)
{
	grpc_transport_wake(server->transport);
}

void sds_server_free(struct sds_server *server)
{
	if (!server)
		return;
	grpc_transport_free(server->transport, GRACE_MS);
	free(server->path);
	free(server);
}

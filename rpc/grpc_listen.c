#include "rpc/grpc_private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KEEPALIVE_TIME_MS 30000
#define KEEPALIVE_TIMEOUT_MS 10000
#define MIN_PING_INTERVAL_MS 5000
#define CONNECTION_AGE_GRACE_MS 30000
#define UNIX_PREFIX "unix:"
#define UNIX_MASK 0177 /* leaves the owner what a socket needs */

/* ---- limits ---- */

grpc_arg grpc_integer_arg(const char *key, int value)
{
	/* gRPC copies keys and does not write to them */
	union {
		const char *constant;
		char *plain;
	} name = {.constant = key};
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = name.plain, .value.integer = value};
}

grpc_server *grpc_listen_server(const struct grpc_transport_options *options)
{
	grpc_arg args[20];
	size_t n = 0;

	args[n++] = grpc_integer_arg(GRPC_ARG_ALLOW_REUSEPORT, 0); /* a second daemon must not bind the same port */
	args[n++] = grpc_integer_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)options->max_streams_per_connection);
	args[n++] = grpc_integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)options->max_request_bytes);
	args[n++] = grpc_integer_arg(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1);
	args[n++] = grpc_integer_arg(GRPC_ARG_MAX_METADATA_SIZE, GRPC_METADATA_MAX);
	args[n++] = grpc_integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS);
	args[n++] = grpc_integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
	args[n++] = grpc_integer_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
	args[n++] = grpc_integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
	args[n++] = grpc_integer_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, MIN_PING_INTERVAL_MS);
	/* it sizes windows for what is received, here small requests, at the price of a ping and timers a request */
	args[n++] = grpc_integer_arg(GRPC_ARG_HTTP2_BDP_PROBE, 0);
	/* identity only: a small compressed request could be a large one */
	args[n++] = grpc_integer_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
	if (options->max_connection_age_ms) {
		args[n++] = grpc_integer_arg(GRPC_ARG_MAX_CONNECTION_AGE_MS, (int)options->max_connection_age_ms);
		args[n++] = grpc_integer_arg(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, CONNECTION_AGE_GRACE_MS);
	}
	assert(n <= sizeof args / sizeof args[0]);
	const grpc_channel_args channel_args = {.num_args = n, .args = args};
	return grpc_server_create(&channel_args, NULL);
}

/* ---- Unix sockets ---- */

/* The path of a Unix socket's address; NULL: another kind. */
static const char *unix_path(const char *address)
{
	return text_has_prefix(address, UNIX_PREFIX) ? address + strlen(UNIX_PREFIX) : NULL;
}

/* Fails when somebody listens there, or what lies there is no socket: gRPC would take either away, or say little. */
static bool unix_check(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;

	if (!*path || strlen(path) >= sizeof address.sun_path)
		return error_set(error, "\"%s\" cannot be a socket's path: it has 1 to %zu bytes", path,
		                 sizeof address.sun_path - 1);
	if (lstat(path, &status))
		return errno == ENOENT || error_set_errno(error, errno, "%s", path);
	if (!S_ISSOCK(status.st_mode))
		return error_set(error, "%s is there, and no socket", path);
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set_errno(error, errno, "%s", path);
	bool is_dead = connect(fd, (const struct sockaddr *)&address, sizeof address) && errno == ECONNREFUSED;
	close(fd);
	return is_dead || error_set(error, "somebody else listens on %s", path);
}

/* ---- listening ---- */

/* The port, or 0. */
static int listen_at(grpc_server *server, const char *address, grpc_server_credentials *credentials)
{
	bool is_unix = unix_path(address) != NULL;
	mode_t mask = is_unix ? umask(UNIX_MASK) : 0;
	int port = grpc_server_add_http2_port(server, address, credentials);

	if (is_unix)
		umask(mask);
	return port;
}

static bool listen_one(struct grpc_transport *transport, size_t i, struct error *error)
{
	const struct grpc_listener *listener = &transport->options.listeners[i];
	const char *path = unix_path(listener->address);

	if (path && !unix_check(path, error))
		return error_wrap(error, "cannot listen");
	transport->views[i].tls = listener->tls;
	grpc_server_credentials *credentials =
	    listener->tls ? grpc_tls_credentials(&transport->views[i]) : grpc_insecure_server_credentials_create();
	int port = listen_at(transport->server, listener->address, credentials);
	grpc_server_credentials_release(credentials);
	if (port <= 0)
		return error_set(error, "cannot listen on %s: it is in use, or not an address of this machine",
		                 listener->address);
	transport->ports[i] = path ? 0 : (unsigned)port;
	return true;
}

bool grpc_listen(struct grpc_transport *transport, struct error *error)
{
	const struct grpc_transport_options *options = &transport->options;

	assert(options->n_listeners <= GRPC_LISTENERS_MAX);
	for (size_t i = 0; i < options->n_listeners; i++) {
		assert(!options->listeners[i].tls || options->door.knock);
		if (!listen_one(transport, i, error))
			return false;
	}
	return true;
}

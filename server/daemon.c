#include "server/daemon.h"

#include "base/heap.h"
#include "base/log.h"
#include "server/admin.h"
#include "server/control.h"
#include "server/identity/cert_service.h"
#include "server/identity/door.h"
#include "server/identity/keeper.h"
#include "server/jwks/jwks_keeper.h"
#include "server/pipeline.h"
#include "server/port_file.h"
#include "server/process.h"
#include "server/trust_view.h"
#include "server/xds/server.h"

#include <stdlib.h>
#include <unistd.h>

struct daemon {
	const struct options *options;
	struct kube_source *kube; /* NULL: files only */
	struct pipeline *pipeline;
	struct jwks_keeper *jwks;
	struct signer_cell *signers;
	struct arena *arena; /* of the keeper's options */
	struct keeper *keeper;
	struct control *control; /* NULL: no place for it */
	struct xds_server *xds;
	struct grpc_tls *tls; /* NULL: plaintext only; and so with the next four */
	struct token_key *token_key;
	struct jwks_file *token_keys;
	struct door *door;
	struct cert_service *certs;
	struct grpc_transport *transport;
	struct admin *admin;
	bool has_port_file;
	uint64_t work_seen, work_trimmed; /* see daemon_trim */
};

static void daemon_publish(void *context, struct generation *generation)
{
	const struct daemon *daemon = context;
	const struct mesh *mesh = &generation->model->mesh;
	keeper_set_trust_domain(daemon->keeper, mesh->trust_domain);
	if (daemon->door) /* the first one is the trust domain itself */
		door_set_aliases(daemon->door, mesh->trust_domains.v + 1, mesh->trust_domains.n - 1);
	xds_server_publish(daemon->xds, generation);
}

static void daemon_on_key_sources(void *context, const struct key_source *v, size_t n)
{
	const struct daemon *daemon = context;
	jwks_keeper_want(daemon->jwks, v, n);
}

static void daemon_on_keys(void *context, struct key_sets *sets)
{
	const struct daemon *daemon = context;
	pipeline_key_sets(daemon->pipeline, sets);
}

static void daemon_roster(void *context, struct roster *roster)
{
	const struct daemon *daemon = context;
	pipeline_roster(daemon->pipeline, roster);
}

enum { LISTENER_PLAINTEXT, LISTENER_TLS, LISTENERS };

static unsigned daemon_port(const struct daemon *daemon, size_t listener)
{
	return grpc_transport_port(daemon->transport, listener);
}

static void daemon_on_secret(void *context)
{
	const struct daemon *daemon = context;
	keeper_wake(daemon->keeper);
}

static void daemon_on_serving(void *context, const struct serving_files *files)
{
	const struct daemon *daemon = context;
	struct error error;
	if (daemon->tls &&
	    !grpc_tls_set(daemon->tls, &(struct grpc_tls_material){files->chain, files->key, files->roots}, &error))
		log_error("main", "the TLS port's certificate: %s; keeping the former one", error.message);
}

static void daemon_on_trusted(void *context, const char *pem, size_t n)
{
	const struct daemon *daemon = context;
	pipeline_trust(daemon->pipeline, pem, n);
	if (daemon->kube)
		kube_source_set_roots(daemon->kube, pem, n);
}

static void daemon_on_look(void *context, const struct signer *signer, struct rotation_view *view)
{
	const struct daemon *daemon = context;
	trust_view_look(daemon->xds, signer, view);
}

static bool daemon_is_leader(void *context)
{
	const struct daemon *daemon = context;
	struct kube_source_stats stats = {.is_leader = true};
	if (daemon->kube)
		kube_source_stats(daemon->kube, &stats);
	return stats.is_leader;
}

/* Fit for the name of an annotation. */
static const char *daemon_replica(struct arena *arena)
{
	unsigned char number[TEMPLATE_SERIAL_SIZE];
	issue_draw_serial(number);
	return arena_printf(arena, "%02x%02x%02x%02x%02x%02x%02x%02x", number[0], number[1], number[2], number[3],
	                    number[4], number[5], number[6], number[7]);
}

/* What signs: nothing is looked at before the start. */
static void daemon_keeper(struct daemon *daemon)
{
	const struct options *options = daemon->options;
	struct kube_source *kube = daemon->kube;
	struct keeper_options keeper = {
	    .origin = {.ca_dir = options->ca_dir ? options->ca_dir : ORIGIN_CA_DIR,
	               .is_ca_dir_asked_for = options->ca_dir != NULL,
	               .state_dir = options->state_dir,
	               .root_namespace = options->root_namespace},
	    .plugged = kube ? kube_source_secret(kube, KUBE_SECRET_PLUGGED) : NULL,
	    .own = kube ? kube_source_secret(kube, KUBE_SECRET_OWN) : NULL,
	    .kept = kube ? kube_source_secret(kube, KUBE_SECRET_KEPT) : NULL,
	    .lifetime = {options->cert_ttl_s, options->cert_ttl_max_s},
	    .clock = clock_system(),
	    .on_serving = daemon_on_serving,
	    .on_trusted = daemon_on_trusted,
	    .look = daemon_on_look,
	    .is_leader = daemon_is_leader,
	    .context = daemon,
	};

	daemon->arena = arena_new();
	daemon->signers = signer_cell_new();
	keeper.cell = daemon->signers;
	keeper.replica = daemon_replica(daemon->arena);
	keeper.dns = serving_names(daemon->arena, options->root_namespace, options->tls_names.v, options->tls_names.n,
	                           &keeper.n_dns);
	daemon->keeper = keeper_new(&keeper);
}

/* Only a socket that was asked for must be there. */
static bool daemon_control(struct daemon *daemon, struct error *error)
{
	const struct options *options = daemon->options;

	daemon->control = control_new(&(struct control_options){.path = options->control_socket,
	                                                        .state_dir = options->state_dir,
	                                                        .keeper = daemon->keeper,
	                                                        .certs = daemon->certs},
	                              error);
	if (daemon->control || options->control_socket)
		return daemon->control != NULL;
	log_info("main", "no control socket: %s; \"weft ca\" cannot reach this process", error->message);
	return true;
}

/* The API server's side: nothing is asked of it before the start. */
static bool daemon_kube(struct daemon *daemon, struct error *error)
{
	const struct options *options = daemon->options;
	struct kube_config_options where = {
	    .kubeconfig = options->kubeconfig, .context = options->context, .environment = environ};

	if (!options->is_kube)
		return true;
	struct kube_config *config = kube_config_load(&where, error);
	if (!config)
		return false;
	log_info("main", "objects from %s (%s)", config->server, config->description);
	daemon->kube = kube_source_new(&(struct kube_source_options){
	    .config = config,
	    .root_namespace = options->root_namespace,
	    .audience = options->token_audience,
	    .relist_s = options->relist_s,
	    .stale_s = options->stale_s,
	    .secrets = {[KUBE_SECRET_PLUGGED] = ORIGIN_PLUGGED_SECRET,
	                [KUBE_SECRET_OWN] = ORIGIN_OWN_SECRET,
	                [KUBE_SECRET_KEPT] = KEPT_ROOTS_SECRET},
	    .on_secret = daemon_on_secret,
	    .context = daemon,
	});
	return true;
}

static void daemon_log_start(const struct daemon *daemon)
{
	const struct options *options = daemon->options;
	CLEANUP(text_done) struct text paths = {0};

	for (size_t i = 0; i < options->config_paths.n; i++)
		text_printf(&paths, "%s%s", i ? ", " : "", options->config_paths.v[i]);
	if (daemon->tls)
		log_info("main", "TLS on %s (port %u)", options->tls_address, daemon_port(daemon, LISTENER_TLS));
	log_info("main", "weftd " WEFT_VERSION ": xDS on %s (port %u), admin on %s (port %u)%s%s", options->xds_address,
	         daemon_port(daemon, LISTENER_PLAINTEXT), options->admin_address, admin_port(daemon->admin),
	         paths.n ? ", configuration from " : "", text_get(&paths));
	if (!option_is_loopback(options->xds_address))
		log_warn("main",
		         "%s is plaintext and not only for this machine: whoever reaches it can read the mesh's "
		         "configuration",
		         options->xds_address);
}

static bool daemon_review(void *context, const char *token, kube_review_on_answer *on_answer, void *answer_context)
{
	const struct daemon *daemon = context;
	return kube_source_review(daemon->kube, token, on_answer, answer_context);
}

static void daemon_wake(void *context)
{
	const struct daemon *daemon = context;
	grpc_transport_wake(daemon->transport);
}

/* Who comes in by the TLS port, and the certificates that are given to them. */
static bool daemon_identity(struct daemon *daemon, struct error *error)
{
	const struct options *options = daemon->options;
	struct door_options door = {.signers = daemon->signers,
	                            .audience = options->token_audience,
	                            .issuer = options->token_issuer,
	                            .clock = clock_system()};

	if (options->state_dir && !(daemon->token_key = token_key_keep(options->state_dir, error)))
		return false;
	if (!options->token_keys != !options->token_issuer)
		return error_set(error, "--token-jwks and --token-issuer go together: whose keys, and which");
	if (options->token_keys && !(daemon->token_keys = jwks_file_new(options->token_keys, clock_system(), error)))
		return error_wrap(error, "--token-jwks");
	door.own = daemon->token_key;
	door.keys = daemon->token_keys;
	if (daemon->kube)
		door.reviewer = (struct door_reviewer){daemon_review, daemon};
	daemon->door = door_new(&door);
	daemon->certs = cert_service_new(&(struct cert_service_options){
	    .signers = daemon->signers, .clock = clock_system(), .wake = daemon_wake, .context = daemon});
	daemon->tls = grpc_tls_new();
	return true;
}

/* The gRPC side: what is served, and where. */
static bool daemon_serve(struct daemon *daemon, struct error *error)
{
	const struct options *options = daemon->options;
	struct transport_method methods[XDS_METHODS + 1];
	struct transport_door door = {0};
	size_t n = XDS_METHODS;
	struct grpc_listener listeners[LISTENERS] = {[LISTENER_PLAINTEXT] = {.address = options->xds_address}};

	daemon->xds = xds_server_new(&(struct xds_server_options){.on_roster = daemon_roster, .context = daemon});
	xds_server_methods(daemon->xds, methods);
	if (options->tls_address) {
		if (!daemon_identity(daemon, error))
			return false;
		methods[n++] =
		    (struct transport_method){CERT_SERVICE_CREATE, cert_service_handler(daemon->certs), 0, true};
		door = door_transport(daemon->door);
	}
	listeners[LISTENER_TLS] = (struct grpc_listener){options->tls_address, daemon->tls};
	daemon->transport = grpc_transport_new(
	    &(struct grpc_transport_options){
	        .listeners = listeners,
	        .n_listeners = daemon->tls ? LISTENERS : 1,
	        .methods = methods,
	        .n_methods = n,
	        .door = door,
	        .stalled_stream_ms = options->stalled_s * 1000,
	        .max_connection_age_ms = daemon->tls ? options->max_connection_s * 1000 : 0,
	    },
	    error);
	if (!daemon->transport)
		return error_wrap(error, "the gRPC server");
	xds_server_attach(daemon->xds, daemon->transport);
	grpc_transport_start(daemon->transport);
	return true;
}

static bool daemon_port_file(struct daemon *daemon, struct error *error)
{
	const char *path = daemon->options->port_file;
	struct port_file ports = {.xds = daemon_port(daemon, LISTENER_PLAINTEXT),
	                          .tls = daemon->tls ? daemon_port(daemon, LISTENER_TLS) : 0,
	                          .admin = admin_port(daemon->admin)};

	daemon->has_port_file = path && port_file_write(path, &ports, error);
	return daemon->has_port_file || !path;
}

static bool start(struct daemon *daemon, struct error *error)
{
	const struct options *options = daemon->options;
	struct pipeline_options pipeline = {
	    .files = {.paths = options->config_paths.v,
	              .n_paths = options->config_paths.n,
	              .mesh_path = options->mesh_path,
	              .root_namespace = options->root_namespace,
	              .is_watching = true},
	    .on_generation = daemon_publish,
	    .on_key_sources = daemon_on_key_sources,
	    .context = daemon,
	};

	if (!daemon_kube(daemon, error))
		return false;
	daemon_keeper(daemon);
	pipeline.kube = daemon->kube;
	daemon->pipeline = pipeline_new(&pipeline, error);
	if (!daemon->pipeline)
		return false;
	daemon->jwks = jwks_keeper_new(&(struct jwks_keeper_options){.refresh_s = options->jwks_refresh_s,
	                                                             .is_private_allowed = options->is_jwks_private,
	                                                             .ca_file = options->jwks_ca,
	                                                             .state_dir = options->state_dir,
	                                                             .on_keys = daemon_on_keys,
	                                                             .context = daemon});
	if (!daemon_serve(daemon, error))
		return false;
	struct admin_options admin = {.address = options->admin_address,
	                              .pipeline = daemon->pipeline,
	                              .keeper = daemon->keeper,
	                              .jwks = daemon->jwks,
	                              .door = daemon->door,
	                              .certs = daemon->certs,
	                              .xds = daemon->xds};
	daemon->admin = admin_new(&admin, error);
	if (!daemon->admin)
		return error_wrap(error, "the admin server");
	if (!daemon_control(daemon, error))
		return error_wrap(error, "the control socket");
	if (!daemon_port_file(daemon, error))
		return error_wrap(error, "writing the port file");
	daemon_log_start(daemon);
	if (daemon->kube)
		kube_source_start(daemon->kube);
	jwks_keeper_start(daemon->jwks);
	pipeline_start(daemon->pipeline);
	keeper_start(daemon->keeper);
	return true;
}

struct daemon *daemon_new(const struct options *options, struct error *error)
{
	struct daemon *daemon = HEAP_NEW(struct daemon);

	daemon->options = options;
	if (start(daemon, error))
		return daemon;
	daemon_stop(daemon, 0);
	return NULL;
}

void daemon_reload(struct daemon *daemon)
{
	pipeline_reload(daemon->pipeline);
}

void daemon_stop(struct daemon *daemon, int64_t grace_ms)
{
	if (daemon->admin)
		admin_set_draining(daemon->admin);
	if (daemon->pipeline)
		pipeline_stop(daemon->pipeline);
	jwks_keeper_stop(daemon->jwks);
	control_free(daemon->control);
	keeper_stop(daemon->keeper);
	grpc_transport_free(daemon->transport, grace_ms);
	xds_server_free(daemon->xds);
	grpc_tls_free(daemon->tls);
	admin_free(daemon->admin);
	cert_service_free(daemon->certs);
	pipeline_free(daemon->pipeline);
	jwks_keeper_free(daemon->jwks);
	kube_source_free(daemon->kube);
	door_free(daemon->door); /* whom the API server was asked about has been told */
	jwks_file_free(daemon->token_keys);
	token_key_free(daemon->token_key);
	keeper_free(daemon->keeper);
	signer_cell_free(daemon->signers);
	arena_free(daemon->arena);
	if (daemon->has_port_file)
		unlink(daemon->options->port_file);
	free(daemon);
}

void daemon_trim(struct daemon *daemon)
{
	struct present_stats present;
	struct xds_stats xds;

	pipeline_stats(daemon->pipeline, &present);
	xds_server_stats(daemon->xds, &xds);
	uint64_t work = present.generations + present.rosters + xds.streams_total + xds.requests;
	if (work == daemon->work_seen && work != daemon->work_trimmed) {
		process_trim_memory();
		daemon->work_trimmed = work;
	}
	daemon->work_seen = work;
}

/*
 * How a cluster's connections are protected.
 *
 * Where no policy says anything, a proxy with an identity speaks the mesh's mutual TLS with the endpoints that take it
 * and plaintext with all others. What a policy asks for is done or the cluster leads nowhere: never plaintext instead.
 *
 * Clusters of the mesh offer "istio" by ALPN. A server that sniffs needs to know that HTTP comes, and which version;
 * one cluster carries HTTP and bytes, so the connection manager overrides the offer for each request by what the
 * cluster's metadata has for the request's version of HTTP (http_filters.c reads it).
 */
#include "base/text.h"
#include "translator/envoy/tls_context.h"

#include <string.h>

#define SNI_BYTES_MAX 255 /* Envoy's */

/* Versions of HTTP as requests name them, with what servers of the mesh recognise, and agree to. */
#define HTTP_VERSIONS 3
static const char *const http_versions[HTTP_VERSIONS] = {"HTTP/1.0", "HTTP/1.1", "HTTP/2"};
static const char *const alpn_offers[HTTP_VERSIONS] = {
    "istio-http/1.0,istio,http/1.0",
    "istio-http/1.1,istio,http/1.1",
    "istio-h2,istio,h2",
};
#define VERSION_HTTP1 1
#define VERSION_HTTP2 2

static const char *const alpn_mesh[] = {"istio"};
static const char *const alpn_mesh_http2[] = {"istio", "h2"};
static const char *const alpn_http2[] = {"h2"};

#define STRINGS(array) ((struct strings){(array), sizeof(array) / sizeof(array)[0]})

/* ---- the mesh's own ---- */

/* The accounts of the endpoints, in each domain that counts, and what a ServiceEntry adds. */
static struct strings peer_names(const struct emit *emit, const struct service *service)
{
	const struct strings *domains = &emit->mesh->trust_domains;
	VEC(const char *) names = {0};
	for (size_t i = 0; i < domains->n; i++) {
		for (size_t k = 0; k < service->accounts.n; k++) {
			const char *account = service->accounts.v[k], *slash = strchr(account, '/');
			VEC_PUSH(emit->arena, &names,
			         arena_printf(emit->arena, "spiffe://%s/ns/%.*s/sa/%s", domains->v[i],
			                      (int)(slash - account), account, slash + 1));
		}
	}
	for (size_t i = 0; i < service->subject_alt_names.n; i++)
		VEC_PUSH(emit->arena, &names, service->subject_alt_names.v[i]);
	VEC_SORT(&names, text_compare);
	return (struct strings){names.v, names.n};
}

/* Servers do without; only gateways between networks read it, and Envoy refuses what is longer. */
static const char *default_sni(struct arena *arena, const struct outbound *out)
{
	const char *sni =
	    name_outbound_sni(arena, out->port->number, out->subset->name, out->service->service->hostname);
	return strlen(sni) <= SNI_BYTES_MAX ? sni : "";
}

static envoy_transport_socket *mesh_socket(const struct emit *emit, const struct outbound *out)
{
	const struct client_tls *tls = &out->policy->tls;
	const struct service *service = out->service->service;
	bool is_http2 = cluster_upstream_http(&out->protocol) == UPSTREAM_HTTP2;
	bool has_names = tls->mode == CLIENT_TLS_MESH && tls->subject_alt_names.n > 0;
	bool has_sni = tls->mode == CLIENT_TLS_MESH && !text_is_empty(tls->sni);
	return tls_socket_mesh(emit->arena, &(struct tls_client){
	                                        .sni = has_sni ? tls->sni : default_sni(emit->arena, out),
	                                        .names = has_names ? tls->subject_alt_names : peer_names(emit, service),
	                                        .alpn = is_http2 ? STRINGS(alpn_mesh_http2) : STRINGS(alpn_mesh),
	                                    });
}

/* What is offered for a request of each version: by the version that goes out. */
static void set_offers(struct arena *arena, envoy_cluster *cluster, const struct outbound *out)
{
	if (protocol_transport(out->port->protocol) == TRANSPORT_TCP)
		return; /* there are no requests */
	google_struct *offers = build_struct(arena);
	enum upstream_http upstream = cluster_upstream_http(&out->protocol);
	for (size_t i = 0; i < HTTP_VERSIONS; i++) {
		size_t version = upstream == UPSTREAM_AS_CLIENT ? i
		                 : upstream == UPSTREAM_HTTP2   ? VERSION_HTTP2
		                                                : VERSION_HTTP1;
		build_struct_string(arena, offers, http_versions[i], alpn_offers[version]);
	}
	metadata_add(arena, cluster->metadata, NAME_METADATA_ALPN, offers);
}

static void add_match(struct arena *arena, envoy_cluster *cluster, const char *name, google_struct *match,
                      envoy_transport_socket *socket)
{
	envoy_cluster_transport_socket_match *out = envoy_cluster_transport_socket_match_new(arena);
	out->name = borrow(name);
	out->match = match;
	out->transport_socket = socket;
	BUILD_ADD(arena, cluster, transport_socket_matches, out);
}

/*
 * Whoever goes where the client said knows no endpoint and so no endpoint's metadata: there all of them must take
 * mutual TLS.
 */
static bool is_auto_mtls(const struct emit *emit, const struct outbound *out)
{
	const struct service *service = out->service->service;
	bool is_by_address = out->kind == CLUSTER_ORIGINAL_DST || service->resolution == SERVICE_ORIGINAL_DST;
	return emit->proxy.is_mtls_capable && emit->mesh->is_auto_mtls && !service->is_external &&
	       !service->is_mtls_refused && (!is_by_address || out->port->is_mtls);
}

static void set_auto(const struct emit *emit, envoy_cluster *cluster, const struct outbound *out)
{
	if (!is_auto_mtls(emit, out))
		return;
	envoy_transport_socket *socket = mesh_socket(emit, out);
	set_offers(emit->arena, cluster, out);
	if (out->kind == CLUSTER_ORIGINAL_DST) {
		cluster->transport_socket = socket;
		return;
	}
	add_match(emit->arena, cluster, NAME_MATCH_MTLS, metadata_mtls_match(emit->arena), socket);
	add_match(emit->arena, cluster, NAME_MATCH_PLAINTEXT, build_struct(emit->arena),
	          tls_socket_plaintext(emit->arena));
}

/* No endpoints at all: what cannot be protected as asked is not sent. */
static void set_unreachable(envoy_cluster *cluster)
{
	cluster->type = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC;
	cluster->eds_cluster_config = NULL;
	cluster->load_assignment = NULL;
	if (cluster->lb_policy == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED)
		cluster->lb_policy = ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__LEAST_REQUEST;
}

static void set_mesh(const struct emit *emit, envoy_cluster *cluster, const struct outbound *out)
{
	if (!emit->proxy.is_mtls_capable) {
		set_unreachable(cluster);
		return;
	}
	cluster->transport_socket = mesh_socket(emit, out);
	set_offers(emit->arena, cluster, out);
}

/* ---- by certificates that the policy names ---- */

/* Secrets of files come from this server, which names the files: Envoy watches them, and one that is not there yet
 * stops this cluster's connections and nothing else. */
static struct tls_secret certificate_of(struct arena *arena, const struct client_tls *tls)
{
	if (tls->credential.secret)
		return (struct tls_secret){
		    TLS_FROM_SERVER, name_secret(arena, tls->credential.namespace, tls->credential.secret, false)};
	return (struct tls_secret){TLS_FROM_SERVER,
	                           name_certificate_of_files(arena, tls->certificate_file, tls->key_file)};
}

static struct tls_secret root_of(struct arena *arena, const struct client_tls *tls)
{
	if (tls->credential.secret)
		return (struct tls_secret){TLS_FROM_SERVER,
		                           name_secret(arena, tls->credential.namespace, tls->credential.secret, true)};
	return (struct tls_secret){TLS_FROM_SERVER, name_root_of_file(arena, tls->authorities_file, tls->crl_file)};
}

static void set_names(struct arena *arena, struct tls_parts *parts, const struct strings *names)
{
	struct string_match *sans = ARENA_NEW_N(arena, struct string_match, names->n);
	for (size_t i = 0; i < names->n; i++)
		sans[i] = (struct string_match){.type = MATCH_EXACT, .value = names->v[i]};
	parts->sans = sans;
	parts->n_sans = names->n;
}

static void set_own(const struct emit *emit, envoy_cluster *cluster, struct outbound *out)
{
	struct arena *arena = emit->arena;
	const struct client_tls *tls = &out->policy->tls;
	const struct service *service = out->service->service;
	struct tls_secret certificate = certificate_of(arena, tls);
	struct tls_parts parts = {
	    .certificates = &certificate,
	    .n_certificates = tls->mode == CLIENT_TLS_MUTUAL,
	    .min = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_2,
	    .max = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__TLS_PARAMETERS__TLS_PROTOCOL__TLSv1_3,
	};
	if (!tls->is_unverified) {
		bool is_of_service = !tls->subject_alt_names.n && !service->is_kubernetes;
		struct strings names = is_of_service ? peer_names(emit, service) : tls->subject_alt_names;
		parts.root = root_of(arena, tls);
		set_names(arena, &parts, &names);
	}
	if (cluster_upstream_http(&out->protocol) == UPSTREAM_HTTP2)
		parts.alpn = STRINGS(alpn_http2);
	envoy_upstream_tls_context *context = envoy_upstream_tls_context_new(arena);
	context->common_tls_context = tls_common(arena, &parts);
	if (!text_is_empty(tls->sni))
		context->sni = borrow(tls->sni);
	cluster->transport_socket = tls_socket(arena, &context->base);
	out->protocol.is_sni_of_call = text_is_empty(tls->sni);
	out->protocol.is_name_of_call_verified =
	    out->protocol.is_sni_of_call && !tls->subject_alt_names.n && !tls->is_unverified;
}

/* A Secret is for gateways, and for the sidecars that the rule selects; for all others the rule says no TLS. */
static bool is_for_others(const struct emit *emit, const struct outbound *out)
{
	const struct destination_policy *policy = out->service->policy;
	return out->policy->tls.credential.secret && emit->proxy.role == PROXY_SIDECAR &&
	       !(policy && policy->workload_selector.n);
}

static bool has_certificate(const struct client_tls *tls)
{
	return tls->credential.secret || (!text_is_empty(tls->certificate_file) && !text_is_empty(tls->key_file));
}

void cluster_set_tls(const struct emit *emit, envoy_cluster *cluster, struct outbound *out)
{
	switch (out->policy->tls.mode) {
	case CLIENT_TLS_UNSET:
		set_auto(emit, cluster, out);
		break;
	case CLIENT_TLS_NONE:
		break;
	case CLIENT_TLS_MESH:
		set_mesh(emit, cluster, out);
		break;
	case CLIENT_TLS_SIMPLE:
	case CLIENT_TLS_MUTUAL:
		if (is_for_others(emit, out))
			break;
		if (out->policy->tls.mode == CLIENT_TLS_MUTUAL && !has_certificate(&out->policy->tls))
			set_unreachable(cluster);
		else
			set_own(emit, cluster, out);
		break;
	}
}

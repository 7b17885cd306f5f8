/* The matrix of inbound filter chains. */
#include "translator/envoy/inbound_chains.h"

#include <assert.h>

/* What clients of the mesh offer: where they found HTTP inside, the first; where they did not, or cannot tell, the
 * others. Nobody else offers them, so they tell the mesh's TLS from an application's own. */
#define ALPN_MESH_HTTP "istio-http/1.0", "istio-http/1.1", "istio-h2"
#define ALPN_MESH_TCP "istio-peer-exchange", "istio"

static const char *const mesh_http[] = {ALPN_MESH_HTTP};
static const char *const mesh_tcp[] = {ALPN_MESH_TCP};
static const char *const mesh_any[] = {"istio", "istio-peer-exchange", ALPN_MESH_HTTP};
static const char *const plain_http[] = {"http/1.1", "h2c"}; /* as the HTTP inspector reports it */

#define STRINGS(array)                                                                                                 \
	{                                                                                                              \
		(array), sizeof(array) / sizeof(array)[0]                                                              \
	}

const struct strings alpn_of_mesh = STRINGS(mesh_any);

static const struct chain_kind raw_http = {.is_http = true};
static const struct chain_kind raw_http_sniffed = {.is_http = true, .alpn = STRINGS(plain_http)};
static const struct chain_kind raw_tcp = {.is_http = false};
static const struct chain_kind tls_tcp = {.is_tls = true};
static const struct chain_kind mtls_http = {.is_http = true, .is_tls = true, .is_mtls = true};
static const struct chain_kind mtls_http_offered = {
    .is_http = true, .is_tls = true, .is_mtls = true, .alpn = STRINGS(mesh_http)};
static const struct chain_kind mtls_http_of_mesh = {
    .is_http = true, .is_tls = true, .is_mtls = true, .alpn = STRINGS(mesh_any)};
static const struct chain_kind mtls_tcp = {.is_tls = true, .is_mtls = true};
static const struct chain_kind mtls_tcp_offered = {.is_tls = true, .is_mtls = true, .alpn = STRINGS(mesh_tcp)};
static const struct chain_kind mtls_tcp_of_mesh = {.is_tls = true, .is_mtls = true, .alpn = STRINGS(mesh_any)};

static const struct chain_kinds matrix[][TRANSPORT_NONE + 1] =
    {
        [MTLS_DISABLE] =
            {
                [TRANSPORT_AUTO] = {{&raw_http_sniffed, &raw_tcp}, 2},
                [TRANSPORT_HTTP] = {{&raw_http}, 1},
                [TRANSPORT_TCP] = {{&raw_tcp}, 1},
            },
        [MTLS_PERMISSIVE] =
            {
                [TRANSPORT_AUTO] = {{&mtls_http_offered, &raw_http_sniffed, &mtls_tcp_offered, &raw_tcp, &tls_tcp}, 5},
                [TRANSPORT_HTTP] = {{&mtls_http_of_mesh, &raw_http}, 2},
                [TRANSPORT_TCP] = {{&mtls_tcp_of_mesh, &tls_tcp, &raw_tcp}, 3},
            },
        [MTLS_STRICT] =
            {
                [TRANSPORT_AUTO] = {{&mtls_http_offered, &mtls_tcp}, 2},
                [TRANSPORT_HTTP] = {{&mtls_http}, 1},
                [TRANSPORT_TCP] = {{&mtls_tcp}, 1},
            },
};

const struct chain_kinds *inbound_chain_kinds(enum mtls_mode mode, enum transport transport)
{
	assert(mode != MTLS_UNSET);
	return &matrix[mode][transport];
}

bool chain_kind_is_sniffed(const struct chain_kind *kind)
{
	return !kind->is_tls && kind->alpn.n > 0;
}

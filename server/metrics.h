#pragma once
/*
 * Metrics in Prometheus' text format (version 0.0.4), made from one table: a new metric is a row in metrics.c and the
 * field it shows. Pure: what is shown is in the input.
 */
#include "base/text.h"
#include "server/identity/cert_service.h"
#include "server/identity/door.h"
#include "server/jwks/jwks_keeper.h"
#include "server/present.h"
#include "server/process.h"
#include "server/source/kube/kube.h"
#include "server/xds/server.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_input {
	struct present_stats pipeline;
	struct xds_stats xds;
	struct kube_source_stats kube;
	bool kube_is_synced, kube_is_stale;
	int64_t now_ns; /* monotonic */
	struct process_usage process;
	struct {
		bool is_used; /* there is a TLS port */
		struct door_stats door;
		struct cert_service_stats certs;
	} identity;
	struct jwks_stats jwks;
	const struct jwks_source_stats *jwks_sources;
	size_t n_jwks_sources;
	bool is_ready;
	struct metrics_authority {
		bool is_used;                       /* there is to be one */
		double signer_s, root_s, serving_s; /* until the end of each */
		bool is_signing, is_stale;
		uint64_t changes, reload_failures, phase, serving_certificates;
	} authority;
};

void metrics_print(const struct metrics_input *input, struct text *out);

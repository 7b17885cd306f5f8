#pragma once
/*
 * The thread that keeps the workload's identity: it gets and renews the certificate, follows the mesh's roots, and puts
 * both where Envoy hears of them (sds.h), and secrets out of files beside them.
 *
 * A certificate that is past its end is not given to those who ask anew, and readiness says so; Envoy's handshakes with
 * what it has fail by then. With the certificate service away the present one stays until then.
 */
#include "agent/agent_options.h"
#include "agent/renewal.h"
#include "agent/sds_server.h"
#include "proto/envoy.h"

#define WORKLOAD_IDENTITY_REASON_MAX 300

struct workload_identity;

struct workload_identity_options {
	const struct agent_options *options; /* all borrowed */
	const envoy_node *node;
	const char *server_name;
	struct sds *sds;
};

/* A moment of it, for other threads. */
struct workload_identity_status {
	enum renewal_health health;
	char words[WORKLOAD_IDENTITY_REASON_MAX]; /* "the certificate is valid for another 11h58m", … */
	int64_t begin_s, end_s;                   /* 0: there is none */
	uint64_t renewals, failures;
	bool is_stream_open; /* of roots */
	size_t roots;        /* trusted; 0: none yet */
};

/* The server may be made later, as it needs the callback below: nothing begins before the start. */
struct workload_identity *workload_identity_new(const struct workload_identity_options *options);
void workload_identity_start(struct workload_identity *identity, struct sds_server *server); /* borrowed */
/* The thread ends; waking it is still fine. Then the server may go, and then the identity. */
void workload_identity_stop(struct workload_identity *identity);
void workload_identity_free(struct workload_identity *identity); /* NULL is fine */
void workload_identity_wake(void *context); /* the identity; any thread: Envoy said something (sds_options.on_change) */
/* Read at this moment, by this clock. Any thread. */
void workload_identity_status(struct workload_identity *identity, struct workload_identity_status *status);

#pragma once
/*
 * Istio's certificate service (istio.v1.auth.IstioCertificateService): a certificate request in, a certificate and its
 * chain out. A handler of rpc/transport.h; who the caller is, the door has found out before.
 *
 *     struct cert_service *service = cert_service_new(&(struct cert_service_options){.signers = signers, …});
 *     const struct transport_method method = {CERT_SERVICE_CREATE, cert_service_handler(service), 0, true};
 *     … the transport lives …
 *     cert_service_free(service);                after the transport
 *
 * The name in the certificate is the caller's and nobody else's. Asked to sign by another's authority (CertSigner) or
 * for another's name (ImpersonatedIdentity) it refuses: an answer that leaves it out would be taken for what was asked.
 */
#include "rpc/transport.h"
#include "server/identity/signing.h"

#define CERT_SERVICE_CREATE "/istio.v1.auth.IstioCertificateService/CreateCertificate"
#define CERT_SERVICE_REQUEST_MAX (128u << 10) /* bytes: a request in PEM, and a little about who asks */
#define CERT_SERVICE_RECENT 256               /* certificates that are remembered */

struct cert_service;

struct cert_service_options {
	struct signer_cell *signers; /* borrowed */
	const struct clock *clock;
	void (*wake)(void *context); /* the transport's work soon (any thread); called once it serves */
	void *context;
};

/* Refusals beside the authority's own (refusal.h). */
enum cert_service_refusal {
	CERT_SERVICE_NO_CALLER,    /* nobody proved to be anybody */
	CERT_SERVICE_BAD_REQUEST,  /* not the message of this method */
	CERT_SERVICE_OTHER_SIGNER, /* by an authority that is not ours */
	CERT_SERVICE_IMPERSONATION,
	CERT_SERVICE_QUEUE_FULL,
	CERT_SERVICE_CALLER_FULL, /* this caller has too many under way */
	CERT_SERVICE_NO_AUTHORITY,
	CERT_SERVICE_REFUSALS,
};

struct cert_service_stats {
	uint64_t issued;
	uint64_t refused[REFUSAL_REASONS]; /* refusal_label */
	uint64_t rejected[CERT_SERVICE_REFUSALS];
	struct signing_stats signing;
};

/* A certificate that was issued. */
struct cert_record {
	struct spiffe_id id;
	unsigned char serial[TEMPLATE_SERIAL_SIZE];
	int64_t issued_s, not_after_s; /* since 1970 */
};

struct cert_service *cert_service_new(const struct cert_service_options *options);
void cert_service_free(struct cert_service *service); /* NULL is fine */
const struct transport_handler *cert_service_handler(const struct cert_service *service);
const char *cert_service_label(enum cert_service_refusal refusal); /* lower_snake_case */

/* Any thread. */
void cert_service_stats(struct cert_service *service, struct cert_service_stats *stats);
/* The newest first; gives how many. */
size_t cert_service_recent(struct cert_service *service, struct cert_record *records, size_t max);

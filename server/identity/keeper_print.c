#include "server/identity/keeper_print.h"

#include "base/heap.h"
#include "ca/crypto_error.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_MAX 512

static void add_time(const char *key, int64_t s, struct text *out)
{
	char time[CLOCK_TEXT];
	clock_print(s * CLOCK_S, 0, time);
	text_add_json_member(out, key, time);
}

static void add_subject(X509 *certificate, struct text *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *s = NULL;
	crypto_must(bio && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0);
	long n = BIO_get_mem_data(bio, &s);
	text_add(out, "\"subject\":");
	text_add_json_string(out, s, n > SUBJECT_MAX ? SUBJECT_MAX : (size_t)n);
	BIO_free(bio);
}

static void add_fingerprint(X509 *certificate, struct text *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	crypto_must(X509_digest(certificate, EVP_sha256(), digest, &n));
	text_add(out, ",\"sha256\":\"");
	for (unsigned i = 0; i < n; i++)
		text_printf(out, "%02x", digest[i]);
	text_add(out, "\"");
}

static void add_certificate(X509 *certificate, const X509 *signer, struct text *out)
{
	int64_t begin_s = 0, end_s = 0;
	struct error error;

	text_add(out, "{");
	add_subject(certificate, out);
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *hex = serial ? BN_bn2hex(serial) : NULL;
	text_add_json_member(out, "serial", hex ? hex : "");
	OPENSSL_free(hex);
	BN_free(serial);
	add_fingerprint(certificate, out);
	if (certificate_times(certificate, &begin_s, &end_s, &error)) {
		add_time("notBefore", begin_s, out);
		add_time("notAfter", end_s, out);
	}
	text_printf(out, ",\"signs\":%s}", X509_cmp(certificate, signer) == 0 ? "true" : "false");
	crypto_error_clear();
}

static void add_signer(const struct signer *signer, struct text *out)
{
	const struct issuer *issuer = &signer->issuer;
	const X509 *cert = authority_cert(issuer->authority);
	const STACK_OF(X509) *path = authority_path(issuer->authority);

	text_add(out, ",\"signer\":");
	add_certificate(authority_cert(issuer->authority), cert, out);
	text_add(out, ",\"path\":[");
	for (int i = 0; i < sk_X509_num(path); i++) {
		text_add(out, i ? "," : "");
		add_certificate(sk_X509_value(path, i), cert, out);
	}
	text_add(out, "],\"roots\":[");
	for (size_t i = 0; i < bundle_size(issuer->trusted); i++) {
		text_add(out, i ? "," : "");
		add_certificate(bundle_get(issuer->trusted, i), cert, out);
	}
	text_printf(out, "],\"lifetime\":{\"default\":%lld,\"max\":%lld}", (long long)issuer->lifetime.default_s,
	            (long long)issuer->lifetime.max_s);
}

static void add_rotation(const struct keeper_status *status, struct text *out)
{
	const struct rotation_view *view = &status->view;

	text_printf(out, ",\"rotation\":{\"possible\":%s,\"phase\":\"%s\"", status->can_rotate ? "true" : "false",
	            rotation_phase_name(status->phase));
	if (status->phase != ROTATION_IDLE) {
		add_time("since", status->phase_since_s, out);
		text_add_json_member(out, "waitingFor", status->waiting.message);
		text_printf(out, ",\"proxies\":%zu,\"acknowledged\":%zu,\"unaware\":%zu", view->proxies,
		            view->acknowledged, view->unaware);
	}
	text_add(out, "}");
}

static void add_record(const struct cert_record *record, struct text *out)
{
	char id[SPIFFE_ID_TEXT];

	spiffe_id_print(&record->id, id);
	text_add(out, "{");
	text_add_json_member(out, "id", id);
	text_add(out, ",\"serial\":\"");
	for (size_t i = 0; i < TEMPLATE_SERIAL_SIZE; i++)
		text_printf(out, "%02X", record->serial[i]);
	text_add(out, "\"");
	add_time("issued", record->issued_s, out);
	add_time("notAfter", record->not_after_s, out);
	text_add(out, "}");
}

static void add_issued(struct cert_service *certs, struct text *out)
{
	static const size_t max = KEEPER_PRINT_ISSUED;
	struct cert_service_stats stats;
	struct cert_record *records = HEAP_NEW_N(struct cert_record, max);
	size_t n = cert_service_recent(certs, records, max);

	cert_service_stats(certs, &stats);
	text_printf(out, ",\"issued\":{\"total\":%llu,\"recent\":[", (unsigned long long)stats.issued);
	for (size_t i = 0; i < n; i++) {
		text_add(out, i ? "," : "");
		add_record(&records[i], out);
	}
	text_add(out, "]}");
	free(records);
}

void keeper_print(struct keeper *keeper, struct cert_service *certs, struct text *out)
{
	struct keeper_status status;
	CLEANUP(signer_unrefp) struct signer *signer = keeper_signer(keeper);

	keeper_status(keeper, &status);
	text_add(out, "{");
	text_add_json_member(out, "place", origin_place_name(status.place));
	text_add_json_member(out, "where", status.where);
	text_add_json_member(out, "trustDomain", status.trust_domain);
	text_add_json_member(out, "note", status.note.message);
	text_printf(out, ",\"isStale\":%s,\"changes\":%llu,\"reloadFailures\":%llu", status.is_stale ? "true" : "false",
	            (unsigned long long)status.changes, (unsigned long long)status.reload_failures);
	if (signer)
		add_signer(signer, out);
	if (status.serving_end_s)
		add_time("servingNotAfter", status.serving_end_s, out);
	add_rotation(&status, out);
	if (certs)
		add_issued(certs, out);
	text_add(out, "}\n");
}

/* The TLS settings of a Gateway's server. What cannot be kept whole is made stricter, never wider: a pin that is not
 * one becomes one that no certificate has. */
#include "translator/istio/gateway_lowering.h"

#include "base/text.h"
#include "crds/check.h"

#include <ctype.h>
#include <string.h>

#define MODE(name) ISTIO__NETWORKING__V1ALPHA3__SERVER_TLSSETTINGS__TLSMODE__##name
#define KUBERNETES "kubernetes://"
#define HASH_HEX 64        /* SHA-256 */
#define HASH_COLONS 95     /* the same in pairs with colons between */
#define SPKI_BASE64 44     /* SHA-256 */
#define NOBODYS_SECRET "-" /* no Secret can be called so: what names it refuses handshakes */
#define NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define NO_SPKI "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const enum gateway_tls_mode modes[] = {
    [MODE(PASSTHROUGH)] = GATEWAY_TLS_PASSTHROUGH, [MODE(SIMPLE)] = GATEWAY_TLS_SIMPLE,
    [MODE(MUTUAL)] = GATEWAY_TLS_MUTUAL,           [MODE(AUTO_PASSTHROUGH)] = GATEWAY_TLS_AUTO_PASSTHROUGH,
    [MODE(ISTIO_MUTUAL)] = GATEWAY_TLS_MESH,       [MODE(OPTIONAL_MUTUAL)] = GATEWAY_TLS_OPTIONAL_MUTUAL,
};

/* "name", "kubernetes://name", "kubernetes://namespace/name". Other schemes are of nobody: no secret has the name. */
static struct credential credential_of(const struct server_lowering *lowering, const char *in, const char *field)
{
	struct arena *arena = lowering->draft->arena;
	if (text_has_prefix(in, KUBERNETES))
		in += strlen(KUBERNETES);
	else if (strstr(in, "://"))
		server_complain(lowering, REPORT_ERROR, REASON_NOT_SUPPORTED, field,
		                "\"%s\" is no Secret, and others are not supported; handshakes are refused", in);
	const char *slash = strchr(in, '/');
	if (!slash || slash[1] == '/' || strstr(in, "://"))
		return (struct credential){.secret = in};
	return (struct credential){.secret = slash + 1, .namespace = arena_strndup(arena, in, (size_t)(slash - in))};
}

static void add_certificate(struct gateway_tls *out, struct credential credential)
{
	if (out->n_certificates < GATEWAY_CERTIFICATES_MAX)
		out->certificates[out->n_certificates++] = credential;
}

static void add_files(struct gateway_tls *out, const char *certificate, const char *key)
{
	if (certificate[0] && key[0])
		add_certificate(out, (struct credential){.file = certificate, .key_file = key});
}

static void lower_certificates(const struct server_lowering *lowering, const istio_server_tls_settings *in,
                               struct gateway_tls *out)
{
	if (in->credential_name[0])
		add_certificate(out, credential_of(lowering, in->credential_name, "tls.credentialName"));
	for (size_t i = 0; i < in->n_credential_names; i++)
		add_certificate(out,
		                credential_of(lowering, in->credential_names[i],
		                              arena_printf(lowering->draft->arena, "tls.credentialNames[%zu]", i)));
	for (size_t i = 0; out->n_certificates == 0 && i < in->n_tls_certificates && i < GATEWAY_CERTIFICATES_MAX; i++)
		add_files(out, in->tls_certificates[i]->server_certificate, in->tls_certificates[i]->private_key);
	if (out->n_certificates == 0)
		add_files(out, in->server_certificate, in->private_key);
	if (out->n_certificates == 0)
		add_certificate(out, (struct credential){.secret = NOBODYS_SECRET});
}

/* Whom to believe: what is named for it, else what belongs to the first certificate. */
static void lower_ca(const struct server_lowering *lowering, const istio_server_tls_settings *in,
                     struct gateway_tls *out)
{
	if (in->ca_cert_credential_name[0])
		out->ca = credential_of(lowering, in->ca_cert_credential_name, "tls.caCertCredentialName");
	else if (out->n_certificates > 0 && out->certificates[0].secret)
		out->ca = out->certificates[0];
	else
		out->ca.file = in->ca_certificates[0] ? in->ca_certificates : NULL;
	if (out->ca.secret || out->ca.file)
		return;
	out->ca.secret = NOBODYS_SECRET; /* without one Envoy would believe anybody */
	server_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "tls.caCertificates",
	                "nothing says whom to believe, so no client is let in");
}

/* ---- what the other side must show ---- */

static bool is_hash(const char *s)
{
	size_t n = strlen(s);
	if (n != HASH_HEX && n != HASH_COLONS)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_colon = n == HASH_COLONS && i % 3 == 2;
		if (is_colon ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return true;
}

static bool is_spki(const char *s)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	return strlen(s) == SPKI_BASE64 && strspn(s, alphabet) == SPKI_BASE64 - 1 && s[SPKI_BASE64 - 1] == '=';
}

struct pins {
	const char *field, *nobodys, *form;
	bool (*is_one)(const char *s);
	char *const *v;
	size_t n;
};

static struct strings lower_pins(const struct server_lowering *lowering, const struct pins *in)
{
	struct arena *arena = lowering->draft->arena;
	const char **pins = ARENA_NEW_N(arena, const char *, in->n);
	for (size_t i = 0; i < in->n; i++) {
		pins[i] = in->v[i];
		if (in->is_one(in->v[i]))
			continue;
		pins[i] = in->nobodys;
		server_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE,
		                arena_printf(arena, "%s[%zu]", in->field, i), "is not %s; no certificate matches it",
		                in->form);
	}
	return (struct strings){pins, in->n};
}

static struct strings borrow_strings(struct arena *arena, char *const *v, size_t n)
{
	const char **out = ARENA_NEW_N(arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		out[i] = v[i];
	return (struct strings){out, n};
}

/* ---- how ---- */

/* Those that are known, each once; decoding has said what is left out. */
static struct strings lower_suites(struct arena *arena, const istio_server_tls_settings *in)
{
	VEC(const char *) suites = {0};
	struct map seen = {0};
	for (size_t i = 0; i < in->n_cipher_suites; i++)
		if (check_is_cipher_suite(in->cipher_suites[i]) &&
		    !map_put(arena, &seen, in->cipher_suites[i], in->cipher_suites[i]))
			VEC_PUSH(arena, &suites, in->cipher_suites[i]);
	return (struct strings){suites.v, suites.n};
}

static void lower_versions(const struct server_lowering *lowering, const istio_server_tls_settings *in,
                           struct gateway_tls *out)
{
	out->min_version = (enum tls_version)in->min_protocol_version;
	out->max_version = (enum tls_version)in->max_protocol_version;
	if (out->max_version == TLS_VERSION_DEFAULT || out->min_version <= out->max_version)
		return;
	server_complain(lowering, REPORT_ERROR, REASON_INVALID_VALUE, "tls.maxProtocolVersion",
	                "is below minProtocolVersion, which is taken for both");
	out->max_version = out->min_version;
}

static void complain_about_mesh(const struct server_lowering *lowering, const istio_server_tls_settings *in)
{
	if (in->min_protocol_version || in->max_protocol_version || in->n_cipher_suites || in->n_subject_alt_names ||
	    in->n_verify_certificate_hash || in->n_verify_certificate_spki)
		server_complain(
		    lowering, REPORT_WARNING, REASON_NOT_SUPPORTED, "tls.mode",
		    "with ISTIO_MUTUAL versions, cipher suites and names are the mesh's; what is said of them "
		    "here is left out");
}

void gateway_lower_tls(const struct server_lowering *lowering, const istio_server_tls_settings *in,
                       struct gateway_tls *out)
{
	struct arena *arena = lowering->draft->arena;
	*out = (struct gateway_tls){.mode = modes[in->mode]};
	if (out->mode == GATEWAY_TLS_MESH)
		complain_about_mesh(lowering, in);
	if (out->mode == GATEWAY_TLS_MESH || !gateway_tls_is_terminated(out->mode))
		return;
	lower_certificates(lowering, in, out);
	lower_versions(lowering, in, out);
	out->cipher_suites = lower_suites(arena, in);
	if (out->mode == GATEWAY_TLS_SIMPLE)
		return;
	lower_ca(lowering, in, out);
	out->crl_file = in->ca_crl[0] && !out->ca.secret ? in->ca_crl : NULL;
	out->names = borrow_strings(arena, in->subject_alt_names, in->n_subject_alt_names);
	out->hashes =
	    lower_pins(lowering, &(struct pins){"tls.verifyCertificateHash", NO_HASH, "a SHA-256 in hexadecimal",
	                                        is_hash, in->verify_certificate_hash, in->n_verify_certificate_hash});
	out->spki =
	    lower_pins(lowering, &(struct pins){"tls.verifyCertificateSpki", NO_SPKI, "a SHA-256 in base64", is_spki,
	                                        in->verify_certificate_spki, in->n_verify_certificate_spki});
}

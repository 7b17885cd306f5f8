/* TLS towards destinations: the tls part of a traffic policy, as the model has it, and what is said of it. */
#include "base/text.h"
#include "translator/istio/traffic_lowering.h"

#include <string.h>

#define KUBERNETES "kubernetes://"
#define MODE(name) ISTIO__NETWORKING__V1ALPHA3__CLIENT_TLSSETTINGS__TLSMODE__##name

static enum client_tls_mode mode_of(const istio_client_tls_settings *in)
{
	switch (in->mode) {
	case MODE(SIMPLE):
		return CLIENT_TLS_SIMPLE;
	case MODE(MUTUAL):
		return CLIENT_TLS_MUTUAL;
	case MODE(ISTIO_MUTUAL):
		return CLIENT_TLS_MESH;
	case MODE(DISABLE):
	case _ISTIO__NETWORKING__V1ALPHA3__CLIENT_TLSSETTINGS__TLSMODE_IS_INT_SIZE:
		break;
	}
	return CLIENT_TLS_NONE;
}

/* "name", "kubernetes://name", "kubernetes://namespace/name". */
static struct credential credential_of(struct arena *arena, const char *in)
{
	if (!*in)
		return (struct credential){0};
	if (text_has_prefix(in, KUBERNETES))
		in += strlen(KUBERNETES);
	const char *slash = strstr(in, "://") ? NULL : strchr(in, '/');
	if (!slash)
		return (struct credential){.secret = in};
	return (struct credential){.secret = slash + 1, .namespace = arena_strndup(arena, in, (size_t)(slash - in))};
}

struct client_tls traffic_lower_tls(struct arena *arena, const istio_client_tls_settings *in)
{
	bool is_set = in != NULL;
	if (!in)
		in = istio_client_tls_settings_new(arena);
	return (struct client_tls){
	    .mode = is_set ? mode_of(in) : CLIENT_TLS_UNSET,
	    .sni = in->sni,
	    .subject_alt_names = {(const char *const *)in->subject_alt_names, in->n_subject_alt_names},
	    .certificate_file = in->client_certificate,
	    .key_file = in->private_key,
	    .authorities_file = in->ca_certificates,
	    .crl_file = in->ca_crl,
	    .credential = credential_of(arena, in->credential_name),
	    .is_unverified = in->insecure_skip_verify && in->insecure_skip_verify->value,
	};
}

void traffic_digest_tls(struct digest_state *state, const struct client_tls *tls)
{
	digest_add_u64(state, tls->mode);
	digest_add_str(state, tls->sni);
	digest_add_strings(state, &tls->subject_alt_names);
	digest_add_str(state, tls->certificate_file);
	digest_add_str(state, tls->key_file);
	digest_add_str(state, tls->authorities_file);
	digest_add_str(state, tls->crl_file);
	digest_add_str(state, tls->credential.secret);
	digest_add_str(state, tls->credential.namespace);
	digest_add_bool(state, tls->is_unverified);
}

/* What one object shows by itself is judged when it is decoded; this is about where it has its effect. */
void traffic_check_tls(struct draft *draft, const struct object *object, const istio_client_tls_settings *in,
                       const char *path)
{
	const istio_destination_rule *rule = (const istio_destination_rule *)object->message;
	if (!in)
		return;
	bool is_own = in->mode == MODE(SIMPLE) || in->mode == MODE(MUTUAL);
	bool is_secret = text_has_prefix(in->credential_name, KUBERNETES) || !strstr(in->credential_name, "://");
	if (is_own && !is_secret)
		report_add(draft->report, object, REPORT_WARNING, REASON_NOT_SUPPORTED,
		           arena_printf(draft->arena, "%s.credentialName", path),
		           "\"%s\" is no Secret, and others are not supported yet; connections fail",
		           in->credential_name);
	if (is_own && !text_is_empty(in->credential_name) && !rule->workload_selector)
		report_add(draft->report, object, REPORT_INFO, REASON_NO_EFFECT,
		           arena_printf(draft->arena, "%s.credentialName", path),
		           "without spec.workloadSelector a credentialName is for gateways: sidecars connect in plain "
		           "text, as if there were no tls");
}

#include "server/trust_view.h"

#include "translator/emit.h"

#include <stdio.h>

void trust_view_look(struct xds_server *xds, const struct signer *signer, struct rotation_view *view)
{
	CLEANUP(text_done) struct text pem = {0};
	struct xds_trust trust;

	bundle_print(signer->issuer.trusted, &pem);
	struct resource *roots = emit_trust_roots((struct blob){pem.s, pem.n});
	xds_server_trust(xds, roots->version, &trust);
	resource_unref(roots);
	*view = (struct rotation_view){
	    .is_known = true,
	    .proxies = trust.proxies,
	    .acknowledged = trust.acknowledged,
	    .unaware = trust.unaware,
	};
	for (size_t i = 0; i < XDS_TRUST_NAMES && i < ROTATION_NAMES_MAX && i < trust.n_waiting; i++)
		snprintf(view->waiting_for[view->n_waiting_for++], ROTATION_NAME_MAX, "%s", trust.waiting[i]);
}

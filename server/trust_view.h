#pragma once
/*
 * What the proxies of this replica trust, for a rotation of the root: the xDS server's account of who has taken the
 * bundle, in the words of root_rotation.h.
 */
#include "server/identity/root_rotation.h"
#include "server/identity/signer.h"
#include "server/xds/server.h"

void trust_view_look(struct xds_server *xds, const struct signer *signer, struct rotation_view *view);

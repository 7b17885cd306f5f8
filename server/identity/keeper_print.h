#pragma once
/*
 * What the keeper knows, as one JSON object, for /debug/ca and "weft ca show". No secrets.
 *
 *     {"place","where","trustDomain","note","signer":{certificate…},"path":[…],"roots":[…],"servingNotAfter",
 *      "lifetime":{"default","max"},"rotation":{"phase","since","waitingFor","proxies",…},"changes","reloadFailures",
 *      "issued":{"total","recent":[{"id","serial","issued","notAfter"}…]}}          by this replica; the newest first
 *
 * A certificate is {"subject","serial","sha256","notBefore","notAfter","signs"}.
 */
#include "base/text.h"
#include "server/identity/cert_service.h"
#include "server/identity/keeper.h"

#define KEEPER_PRINT_ISSUED 50 /* certificates that are listed, at most */

void keeper_print(struct keeper *keeper, struct cert_service *certs, struct text *out); /* certs: NULL without */

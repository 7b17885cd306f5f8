#pragma once
/*
 * What the keeper knows, as one JSON object, for /debug/ca and "weft ca show". No secrets.
 *
 *     {"place","where","trustDomain","note","signer":{certificate…},"path":[…],"roots":[…],"servingNotAfter",
 *      "lifetime":{"default","max"},"rotation":{"phase","since","waitingFor","proxies",…},"changes","reloadFailures"}
 *
 * A certificate is {"subject","serial","sha256","notBefore","notAfter","signs"}.
 */
#include "base/text.h"
#include "server/identity/keeper.h"

void keeper_print(struct keeper *keeper, struct text *out);

#pragma once
/*
 * Command operators in the values of headers and in access log formats: %REQ(x-id)%, %START_TIME(%s)%, and %% for the
 * sign itself. Istio's API passes them through to the proxy, and a proxy refuses everything that comes with a value
 * that it cannot read: so a value is looked at here, and one with an operator that is not in the table is sent as it
 * stands.
 *
 * The table holds what Envoy 1.40 takes whatever the arguments say; left out are operators whose arguments are a
 * language of their own (CEL, COALESCE, COMMON_DURATION, METADATA).
 */
#include "base/arena.h"

#include <stdbool.h>

/* Whether every % in the value begins an operator that proxies know, or is doubled. */
bool command_operators_are_known(const char *value);
/* The value with every % doubled: a text that means itself. */
const char *command_operators_escape(struct arena *arena, const char *value);

#pragma once
/*
 * The sidecar of a workload as far as it decides who comes in: the listener that it is sent.
 */
#include "base/error.h"
#include "cli/load.h"
#include "proto/envoy.h"

/* By "NAMESPACE/POD". */
const struct workload *authz_proxy_find(const struct model *model, const char *name, struct error *error);
/* The very bytes that the workload's sidecar gets, read back. NULL: it has none. */
const envoy_listener *authz_proxy_listener(struct arena *arena, const struct load *load,
                                           const struct workload *workload);

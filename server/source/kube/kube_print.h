#pragma once
/*
 * What the Kubernetes source is doing, for people: one JSON object. Pure.
 *
 *     {"health":"live","requests":40,…,"kinds":[{"kind":"Pod","state":"watching","synced":true,"live":true,
 *      "heardSecondsAgo":1.204,"objects":12,"events":3,…,"error":"…"},…]}
 */
#include "base/text.h"
#include "server/source/kube/kube.h"

/* now_ns: monotonic. */
void kube_print(const struct kube_source_stats *stats, int64_t now_ns, struct text *out);

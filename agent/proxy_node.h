#pragma once
/*
 * Who this proxy says it is (envoy.config.core.v3.Node), as Istio's proxies say it: the id
 * `ROLE~ADDRESS~POD.NAMESPACE~NAMESPACE.svc.DOMAIN`, and metadata. Of the environment: ISTIO_META_X=value becomes the
 * metadata X, unless the options say it.
 */
#include "agent/agent_options.h"
#include "base/arena.h"
#include "proto/envoy.h"

#define PROXY_NODE_LABELS_MAX 256
#define PROXY_NODE_LABELS_BYTES_MAX (64u << 10) /* of the file */
#define PROXY_NODE_VARIABLES_MAX 64             /* ISTIO_META_… */

/*
 * labels: the text of the downward API's file, or NULL. Fails when that is malformed or anything is too much. Members
 * of the metadata are sorted by name.
 */
envoy_node *proxy_node_build(struct arena *arena, const struct agent_options *options, char *const *environment,
                             const char *labels, struct error *error);

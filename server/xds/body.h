#pragma once
/*
 * The part of a response that proxies share: the entries of the resources that a diff says are new or changed, one
 * behind the other, ready for the wire. Protobuf fields may come in any order and repeated ones in pieces, so a
 * response is a head of its own and one such buffer for each set. Built when first asked for, kept with the diff.
 *
 *     state of the world   DiscoveryResponse.resources, an Any each
 *     delta                DeltaDiscoveryResponse.resources, a Resource (name, version, Any) each
 *
 * A diff from NULL gives a whole set.
 */
#include "server/xds/set_cache.h"

/* Borrowed from the diff; n is 0 when nothing is changed. */
struct buffer *body_sotw(struct set_diff *diff);
struct buffer *body_delta(struct set_diff *diff);

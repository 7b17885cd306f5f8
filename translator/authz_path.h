#pragma once
/*
 * A path as the proxy compares it, for its connection manager's settings (MeshConfig's pathNormalization).
 */
#include "base/arena.h"

#include <stdbool.h>

struct authz_path_rules {
	bool is_slash_decoded; /* %2F and %5C */
	bool is_normalized;    /* RFC 3986: "." and "..", what needs no escape and what needs one; "\" is "/" */
	bool is_merge_slashes;
};

/* Without query and fragment.*/
const char *authz_path(struct arena *arena, const char *target, const struct authz_path_rules *rules);

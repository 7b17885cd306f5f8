#pragma once
/*
 * What the log says about a new generation: which objects changed, and each report row once, when it appears.
 *
 * changelog_objects is pure; changelog_report logs.
 */
#include "server/generation.h"

#define CHANGELOG_NAMES_MAX 5 /* objects named in one line */
#define CHANGELOG_ROWS_MAX 20 /* rows logged for one generation; the rest is counted */

/* "VirtualService/default/reviews changed, Pod/default/a-1 added, and 12 more", or "nothing": by kind, namespace, name.
 * former: NULL for the first. */
size_t changelog_objects(const struct snapshot *former, const struct snapshot *present, struct text *out);

/* What has been said, so that it is not said again while it holds. Zero-initialised is empty. */
struct changelog {
	struct arena *arena;
	struct map rows; /* digest of a row of the present report in hex */
};

void changelog_done(struct changelog *changelog);
/* Logs the rows that the report before this one did not have. */
void changelog_report(struct changelog *changelog, const struct resolved *resolved, bool is_first);

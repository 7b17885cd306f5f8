#pragma once
/*
 * How what policies look for overlaps: what can match nothing at all, and what lies wholly within something else. Where
 * it cannot be told, the answer is no.
 */
#include "translator/authz.h"

/* `is_closing`: of a policy that does not allow, whose values are found in more forms than they are written in, and
 * whose negations are not (translator/README.md). */

/* Nothing can match it, as each value is excluded as well. */
bool authz_term_is_impossible(const struct authz_term *term, bool is_closing);
/* Nothing can match both, for they look at one thing that has one value, and want others of it. */
bool authz_terms_exclude_each_other(const struct authz_term *a, const struct authz_term *b);
/* All that the narrow rule matches the wide one matches, too. */
bool authz_rule_covers(const struct authz_rule *wide, const struct authz_rule *narrow);

#pragma once
/*
 * Which rules a view sees and in which order, and the digest of a host of a route table: what scope_tables.c (sidecars)
 * and scope_gateways.c share.
 */
#include "translator/rule_index.h"
#include "translator/scope_parts.h"

/*
 * A rule as the view ranks it: those for its namespace alone first, then those that name its namespace among others'
 * exports, then public ones; in each class by precedence. False: the view does not see it.
 */
struct ranked_rule {
	const struct indexed_rule *rule;
	int rank;
};

bool scope_rank_rule(const struct view *view, const struct indexed_rule *rule, struct ranked_rule *out);
int ranked_rule_compare(const void *a, const void *b); /* for qsort over struct ranked_rule */

/* Some route of host->rules[rule_i] concerns the view; a rule without one leaves the host to the next rule. */
bool scope_rule_applies(const struct scope *scope, const struct scope_host *host, size_t rule_i);

/* What digests of rules cost is paid once a scope. Zero-initialised but for the scope. */
struct rule_digests {
	struct scope_draft *draft;
	struct digest *v; /* by position in the index; zero: not yet */
	struct digest base;
	bool has_base;
};

/* All that emit reads of a host (of a table with it alone: is_single); `rules` are those of host->rules, in their
 * order. */
struct digest scope_host_digest(struct rule_digests *digests, const struct scope_host *host, bool is_single,
                                const struct indexed_rule *const *rules);
/* Of a table whose hosts are done. */
struct digest scope_table_digest(const struct scope_draft *draft, const struct scope_table *table);
int scope_host_compare(const void *a, const void *b); /* by hostname, for qsort */

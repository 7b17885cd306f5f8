#pragma once
/*
 * What is legal in policies but hardly meant, as warnings: the parts of the review, and what they share. Against the
 * finished model: which workloads a policy covers, what those take, what they serve.
 *
 * A row says what happens, and what to do about it, at the field that is the cause. Where it cannot be told, nothing is
 * said: a false alarm costs more than a miss.
 */
#include "translator/istio/coverage.h"
#include "translator/istio/istio_parts.h"
#include "translator/istio/policy_targets.h"

/* One review of the mesh. */
struct policy_review {
	struct draft *draft;
	struct arena *arena; /* of the review: rows copy their texts */
	struct coverages *coverages;
	struct map namespaces; /* those of the mesh, by Namespace objects; none: not known */
};

/* One rule of a policy. */
struct rule_review {
	const struct policy_review *all;
	const struct authz_policy *policy;
	struct coverage *covered;
	const struct authz_rule *rule;
	size_t place; /* of the rule */
	bool is_closing;
};

/* A term of one of the rule's sources or operations. */
struct term_place {
	const struct authz_term *term;
	size_t i; /* which of the sources or operations */
	bool is_not;
};

/* field: below "spec.rules[N]"; "" the rule itself. */
__attribute__((format(printf, 4, 5))) void rule_review_say(const struct rule_review *review,
                                                           enum report_severity severity, const char *field,
                                                           const char *format, ...);
/* "from[0].source.principals", "when[1].notValues". */
const char *term_place_field(struct arena *arena, const struct term_place *place);

/* ---- the parts ---- */

void review_authz_contradictions(const struct rule_review *review); /* what can match nothing at all */
void review_authz_identity(const struct rule_review *review);       /* callers where plaintext comes in */
void review_authz_tokens(const struct rule_review *review);         /* tokens that nobody verifies */
void review_authz_ports(const struct rule_review *review);          /* that nobody serves, or that are no HTTP */
void review_authz_values(const struct rule_review *review);         /* what nothing in this mesh has */
void review_authz_shadows(const struct policy_review *review);      /* policies against each other */
void review_policy_targets(const struct policy_review *review);     /* that select nothing */
void review_authz_choices(const struct policy_review *review);      /* CUSTOM policies that can ask nobody */

#pragma once
/*
 * The rules that a view sees of some, in order, and which of them may speak of a host: looked up, not searched for.
 *
 *     struct visible_rules rules = {0};
 *     visible_rules_add(arena, &rules, view, rule);          for each; those that the view does not see are left out
 *     visible_rules_seal(arena, &rules);
 *     visible_rules_near(arena, &rules, "a.example.com", &places);
 */
#include "translator/scope_rules.h"

/* Places in visible_rules.v. */
struct places {
	VEC(size_t) v;
};

struct visible_rules {
	VEC(struct ranked_rule) v;
	struct host_index hosts; /* a rule's host -> struct places */
	struct map suffixes;     /* ".example.com" -> struct places: of rules with a host that ends so */
};

void visible_rules_add(struct arena *arena, struct visible_rules *rules, const struct view *view,
                       const struct indexed_rule *rule);
/* After the last one. */
void visible_rules_seal(struct arena *arena, struct visible_rules *rules);
/* Adds rules with a host that covers this one or is within it, in no order, some twice; and some that only might. */
void visible_rules_near(struct arena *arena, const struct visible_rules *rules, const char *host, struct places *out);

#include "translator/visible_rules.h"

#include <string.h>

void visible_rules_add(struct arena *arena, struct visible_rules *rules, const struct view *view,
                       const struct indexed_rule *rule)
{
	struct ranked_rule ranked;
	if (scope_rank_rule(view, rule, &ranked))
		VEC_PUSH(arena, &rules->v, ranked);
}

static void add_place(struct arena *arena, void **slot, size_t place)
{
	if (!*slot)
		*slot = ARENA_NEW(arena, struct places);
	struct places *places = *slot;
	if (places->v.n == 0 || places->v.v[places->v.n - 1] != place)
		VEC_PUSH(arena, &places->v, place);
}

static void index_host(struct arena *arena, struct visible_rules *rules, const char *host, size_t place)
{
	add_place(arena, host_index_slot(arena, &rules->hosts, host), place);
	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.'))
		add_place(arena, map_slot(arena, &rules->suffixes, dot), place);
}

void visible_rules_seal(struct arena *arena, struct visible_rules *rules)
{
	VEC_SORT(&rules->v, ranked_rule_compare);
	for (size_t i = 0; i < rules->v.n; i++) {
		const struct strings *hosts = &rules->v.v[i].rule->rule->hosts;
		for (size_t j = 0; j < hosts->n; j++)
			index_host(arena, rules, hosts->v[j], i);
	}
}

static void add_places(struct arena *arena, const struct places *from, struct places *out)
{
	for (size_t i = 0; from && i < from->v.n; i++)
		VEC_PUSH(arena, &out->v, from->v.v[i]);
}

void visible_rules_near(struct arena *arena, const struct visible_rules *rules, const char *host, struct places *out)
{
	if (host_is_wildcard(host) && host[1] != '.') {
		for (size_t i = 0; i < rules->v.n; i++)
			VEC_PUSH(arena, &out->v, i);
		return;
	}
	if (host_is_wildcard(host))
		add_places(arena, map_get(&rules->suffixes, host + 1), out);
	else
		add_places(arena, host_index_get(&rules->hosts, host), out);
	struct host_walk walk = host_walk_start(&rules->hosts, host);
	size_t n;
	for (struct places *places = host_walk_next(&walk, &n); places; places = host_walk_next(&walk, &n))
		add_places(arena, places, out);
}

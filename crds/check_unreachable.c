/*
 * Routes of a VirtualService that nothing can reach: all that they match was matched before. Warnings only: the object
 * is in force, but probably not as it was meant.
 */
#include "base/map.h"
#include "base/text.h"
#include "base/vec.h"
#include "crds/check.h"
#include "proto/pack.h"

#include <string.h>

#define MATCH(name) ISTIO__NETWORKING__V1ALPHA3__STRING_MATCH__MATCH_TYPE##name
#define PREFIXES_MAX 1024 /* paths that are compared with one another */

/* What routes of the three protocols have in common. */
struct rules {
	const char *field;
	size_t n;
	size_t (*count)(const void *route);
	const ProtobufCMessage *(*match)(struct arena *arena, const void *route, size_t i);
	const void *const *routes;
};

static size_t http_count(const void *route)
{
	return ((const istio_http_route *)route)->n_match;
}

/* The match without its name, which does not matter here. */
static const ProtobufCMessage *http_match(struct arena *arena, const void *route, size_t i)
{
	istio_http_match_request *match =
	    arena_memdup(arena, ((const istio_http_route *)route)->match[i], sizeof *match);
	match->name = arena_strdup(arena, "");
	return &match->base;
}

static size_t tls_count(const void *route)
{
	return ((const istio_tls_route *)route)->n_match;
}

static const ProtobufCMessage *tls_match(struct arena *arena, const void *route, size_t i)
{
	(void)arena;
	return &((const istio_tls_route *)route)->match[i]->base;
}

static size_t tcp_count(const void *route)
{
	return ((const istio_tcp_route *)route)->n_match;
}

static const ProtobufCMessage *tcp_match(struct arena *arena, const void *route, size_t i)
{
	(void)arena;
	return &((const istio_tcp_route *)route)->match[i]->base;
}

static const char *match_key(struct arena *arena, const ProtobufCMessage *match)
{
	struct bytes bytes = pack(arena, match);
	char *hex = arena_alloc(arena, DIGEST_HEX);
	digest_hex(digest_of(bytes.data, bytes.n), hex);
	return hex;
}

/* How many of the route's matches stand in earlier routes. */
static size_t count_repeated(struct check *check, const struct rules *rules, size_t i, struct map *seen)
{
	size_t n = 0;
	for (size_t j = 0; j < rules->count(rules->routes[i]); j++) {
		const char *key = match_key(check->arena, rules->match(check->arena, rules->routes[i], j));
		const size_t *earlier = map_get(seen, key);
		if (!earlier) {
			map_put(check->arena, seen, key, arena_memdup(check->arena, &i, sizeof i));
			continue;
		}
		n++;
		check_enter_at(check, "match", j);
		check_warn(check, NULL, "has no effect: %s[%zu] has the same match", rules->field, *earlier);
		check_leave(check);
	}
	return n;
}

static void check_rules(struct check *check, const struct rules *rules)
{
	struct map seen = {0};
	bool has_catch_all = false;
	for (size_t i = 0; i < rules->n; i++) {
		size_t n = rules->count(rules->routes[i]);
		check_enter_at(check, rules->field, i);
		if (n == 0 && has_catch_all)
			check_warn(check, NULL, "is never used: an earlier one without matches takes everything");
		else if (n > 0 && count_repeated(check, rules, i, &seen) == n)
			check_warn(check, NULL, "is never used: earlier ones have all its matches");
		has_catch_all |= n == 0;
		check_leave(check);
	}
}

/* A match of a path's prefix, and where it stands. */
struct prefix {
	const istio_http_match_request *match;
	const char *path;
	size_t route, index;
};

/* A match's value with its sort: "=GET", "^/a"; "" for none and for regular expressions. */
static const char *match_value(struct check *check, const istio_string_match *match)
{
	if (match && match->match_type_case == MATCH(_EXACT))
		return arena_printf(check->arena, "=%s", match->exact);
	if (match && match->match_type_case == MATCH(_PREFIX))
		return arena_printf(check->arena, "^%s", match->prefix);
	return "";
}

static bool covers_value(struct check *check, const istio_string_match *a, const istio_string_match *b)
{
	return text_has_prefix(match_value(check, a), match_value(check, b));
}

/* The entries of two maps of string matches (headers, queryParams, withoutHeaders) by the same rule. */
#define COVERS_MAP(check, a, b, map)                                                                                   \
	({                                                                                                             \
		bool covers = (a)->n_##map == (b)->n_##map;                                                            \
		for (size_t map_i = 0; covers && map_i < (a)->n_##map; map_i++)                                        \
			covers = strcmp((a)->map[map_i]->key, (b)->map[map_i]->key) == 0 &&                            \
			         covers_value((check), (a)->map[map_i]->value, (b)->map[map_i]->value);                \
		covers;                                                                                                \
	})

/* Whether all that `b` matches is taken by `a`, which stands before it, as far as this can be told simply. */
static bool covers(struct check *check, const struct prefix *a, const struct prefix *b)
{
	const istio_http_match_request *ma = a->match, *mb = b->match;
	char get_name[] = "GET";
	const istio_string_match get = {.match_type_case = MATCH(_EXACT), .exact = get_name};
	return strcmp(a->path, b->path) != 0 && text_has_prefix(b->path, a->path) && ma->port == mb->port &&
	       covers_value(check, ma->method ? ma->method : &get, mb->method ? mb->method : &get) &&
	       covers_value(check, ma->authority, mb->authority) && COVERS_MAP(check, ma, mb, headers) &&
	       COVERS_MAP(check, ma, mb, query_params) && COVERS_MAP(check, ma, mb, without_headers);
}

static void check_prefixes(struct check *check, const istio_virtual_service *service)
{
	VEC(struct prefix) prefixes = {0};
	for (size_t i = 0; i < service->n_http; i++)
		for (size_t j = 0; j < service->http[i]->n_match; j++) {
			const istio_http_match_request *match = service->http[i]->match[j];
			if (!match->uri || match->uri->match_type_case != MATCH(_PREFIX) ||
			    text_is_empty(match->uri->prefix))
				continue;
			struct prefix prefix = {.match = match, .path = match->uri->prefix, .route = i, .index = j};
			VEC_PUSH(check->arena, &prefixes, prefix);
		}
	for (size_t i = 1; i < prefixes.n && prefixes.n <= PREFIXES_MAX; i++)
		for (size_t j = 0; j < i; j++) {
			const struct prefix *a = &prefixes.v[j], *b = &prefixes.v[i];
			if (!covers(check, a, b))
				continue;
			check_enter_at(check, "http", b->route);
			check_enter_at(check, "match", b->index);
			check_warn(check, "uri", "has no effect: http[%zu].match[%zu] takes prefix \"%s\" before",
			           a->route, a->index, a->path);
			check_leave(check);
			check_leave(check);
			break;
		}
}

void check_unreachable_routes(struct check *check, const istio_virtual_service *service)
{
	const struct rules rules[] = {
	    {"http", service->n_http, http_count, http_match, (const void *const *)service->http},
	    {"tls", service->n_tls, tls_count, tls_match, (const void *const *)service->tls},
	    {"tcp", service->n_tcp, tcp_count, tcp_match, (const void *const *)service->tcp},
	};
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		check_rules(check, &rules[i]);
	check_prefixes(check, service);
}

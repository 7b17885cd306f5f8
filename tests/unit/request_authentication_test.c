#include "translator/request_authentication.h"

#include "tests/unit/emitted.h"
#include "token/base64url.h"

#include <openssl/evp.h>

#define HEAD(name, namespace)                                                                                          \
	"---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: " name                   \
	", namespace: " namespace "}\n"
#define NODE_META "{'NAMESPACE': 'default', 'LABELS': {'app': 'a'}}"

static const char objects[] = HEAD(
    "z",
    "default") "spec: {jwtRules: [{issuer: 'https://b', audiences: [z]}, {issuer: "
               "'https://a', audiences: [z]}]}\n" HEAD(
                   "m",
                   "default") "spec: {selector: {matchLabels: {app: a}}, jwtRules: [{issuer: 'https://b', audiences: "
                              "[m], timeout: 1s}, "
                              "{issuer: 'https://k', jwksUri: 'https://b/.well-known/openid-configuration'}]}\n" HEAD(
                                  "other",
                                  "default") "spec: {selector: {matchLabels: {app: b}}, jwtRules: [{issuer: "
                                             "'https://o'}]}\n" HEAD(
                                                 "zz", "istio-system") "spec: {jwtRules: [{issuer: "
                                                                       "'https://b/', audiences: [root], "
                                                                       "timeout: 9s}, {issuer: "
                                                                       "'https://b', audiences: "
                                                                       "[root]}]}\n" HEAD("elsewhere",
                                                                                          "other") "spec: {jwtRules: "
                                                                                                   "[{issuer: "
                                                                                                   "'https://e'}]}\n";

START_TEST(rules_of_all_that_select_a_workload_are_merged)
{
	static const char *const want[] = {"https://a z", "https://b root",  "https://b m",
	                                   "https://b z", "https://b/ root", "https://k "};
	struct world world = world_of(objects);
	ck_assert_uint_eq(world.issues.n, 0);
	struct label label = {"app", "a"};
	const struct labels labels = {&label, 1};
	struct jwt_rules rules = model_jwt_rules(world.arena, world.model, "default", &labels);
	ck_assert_uint_eq(rules.n, sizeof want / sizeof want[0]);
	for (size_t i = 0; i < rules.n; i++) {
		const struct jwt_rule *rule = rules.v[i];
		ck_assert_str_eq(
		    arena_printf(world.arena, "%s %s", rule->issuer, rule->audiences.n ? rule->audiences.v[0] : ""),
		    want[i]);
	}
	world_done(&world);
}
END_TEST

START_TEST(each_source_of_keys_is_named_once_with_the_longest_timeout)
{
	static const struct key_source want[] = {
	    {"https://a/.well-known/openid-configuration", true, 5000},
	    {"https://b/.well-known/openid-configuration", false, 5000}, /* that URL as a jwksUri is another source */
	    {"https://b/.well-known/openid-configuration", true, 9000},
	    {"https://e/.well-known/openid-configuration", true, 5000},
	    {"https://o/.well-known/openid-configuration", true, 5000},
	};
	struct world world = world_of(objects);
	ck_assert_uint_eq(world.model->n_key_sources, sizeof want / sizeof want[0]);
	for (size_t i = 0; i < world.model->n_key_sources; i++) {
		ck_assert_int_eq(key_source_compare(&world.model->key_sources[i], &want[i]), 0);
		ck_assert_int_eq(world.model->key_sources[i].timeout_ms, want[i].timeout_ms);
	}
	world_done(&world);
}
END_TEST

/* The model of the same objects, with these key sets. */
static const struct jwt_rule *rule_with(struct world *world, struct key_sets *sets)
{
	const struct snapshot *from = world->snapshot;
	const struct snapshot_input input = {.objects = from->kinds[KIND_REQUEST_AUTHENTICATION].v,
	                                     .n_objects = from->kinds[KIND_REQUEST_AUTHENTICATION].n,
	                                     .root_namespace = WORLD_ROOT_NAMESPACE,
	                                     .key_sets = sets};
	struct snapshot *snapshot = snapshot_new(&input);
	snapshot_unref(world->snapshot);
	world->snapshot = snapshot;
	world->model = resolve(world->arena, snapshot);
	const struct labels labels = {0};
	return model_jwt_rules(world->arena, world->model, "default", &labels).v[0];
}

START_TEST(keys_come_with_the_snapshot)
{
	struct world world =
	    world_of(HEAD("a", "default") "spec: {jwtRules: [{issuer: a, jwksUri: 'https://a/keys'}]}\n");
	struct key_set set = {.source = {.url = "https://a/keys"}, .keys = "{1}", .keys_n = 3};
	struct key_sets *some = key_sets_new(&set, 1);
	set.keys = "{2}";
	struct key_sets *others = key_sets_new(&set, 1);
	set.keys = NULL;
	struct key_sets *in_vain = key_sets_new(&set, 1);
	set.source.is_discovery = true;
	set.keys = "{3}";
	struct key_sets *elsewhere = key_sets_new(&set, 1);

	const struct jwt_rule *none = rule_with(&world, NULL);
	struct digest digest_none = world.snapshot->digest;
	ck_assert(none->keys == NULL);
	ck_assert(rule_with(&world, in_vain)->keys == NULL);
	ck_assert_msg(digest_equal(world.snapshot->digest, digest_none), "nothing is known: nothing is to be made");
	ck_assert(rule_with(&world, elsewhere)->keys == NULL);
	const struct jwt_rule *first = rule_with(&world, some);
	struct digest digest_first = first->digest;
	ck_assert_str_eq(first->keys, "{1}");
	const struct jwt_rule *second = rule_with(&world, others);
	ck_assert_str_eq(second->keys, "{2}");
	ck_assert(!digest_equal(digest_first, second->digest) && !digest_equal(world.snapshot->digest, digest_none));
	key_sets_unref(some);
	key_sets_unref(others);
	key_sets_unref(in_vain);
	key_sets_unref(elsewhere);
	world_done(&world);
}
END_TEST

/* The row goes by the text; the keys count all the same, and no proxy is told anything. */
START_TEST(keys_of_somebody_else_are_said)
{
	struct world world = world_of(HEAD("a", "default") "spec: {jwtRules: [{issuer: 'https://a/'}]}\n");
	static const struct {
		const char *issuer;
		size_t want;
	} rows[] = {{NULL, 0}, {"https://a/", 0}, {"https://a", 1}, {"https://b/", 1}};
	struct digest digest = {{0}}, former = {{0}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct key_set set = {
		    .source = {.url = "https://a/.well-known/openid-configuration", .is_discovery = true},
		    .keys = "{1}",
		    .keys_n = 3,
		    .issuer = rows[i].issuer,
		};
		struct key_sets *sets = key_sets_new(&set, 1);
		const struct jwt_rule *rule = rule_with(&world, sets);
		const struct report *report = &world.model->report;
		ck_assert_str_eq(rule->keys, "{1}");
		ck_assert_uint_eq(report->n, rows[i].want);
		if (report->n) {
			ck_assert_str_eq(report->rows[0].field, "spec.jwtRules[0].issuer");
			ck_assert(strstr(report->rows[0].message, rows[i].issuer) != NULL);
		}
		ck_assert(i == 0 || digest_equal(rule->digest, digest));
		ck_assert(!digest_equal(sets->digest, former));
		digest = rule->digest;
		former = sets->digest;
		key_sets_unref(sets);
	}
	world_done(&world);
}
END_TEST

/* So that everybody can see that nobody made it. */
START_TEST(unknown_keys_are_one_that_nobody_has)
{
	unsigned char hash[32];
	CLEANUP(text_done) struct text x = {0};
	static const char seed[] = "weft: nobody has this key 1";
	ck_assert(EVP_Digest(seed, strlen(seed), hash, NULL, EVP_sha256(), NULL));
	base64url_print(hash, sizeof hash, &x);
	struct world world = world_of(HEAD("a", "default") "spec: {jwtRules: [{issuer: 'https://a'}]}\n");
	struct emitted_config sent = emitted_of(&world, WORLD_SIDECAR, NODE_META, NULL);
	const struct resource *inbound = emitted_resource(&sent, RESOURCE_LISTENER, "virtualInbound");
	ck_assert(inbound != NULL);
	ck_assert(memmem(inbound->body, inbound->body_n, x.s, x.n) != NULL);
	emitted_done(&sent);
	world_done(&world);
}
END_TEST

START_TEST(rules_meet_where_both_look)
{
	static const struct {
		const char *a, *b;
		bool want;
	} cases[] = {
	    {"", "", true},
	    {"", ", fromHeaders: [{name: Authorization, prefix: 'Token '}]", true},
	    {"", ", fromParams: [access_token]", true},
	    {"", ", fromParams: [token]", false},
	    {"", ", fromCookies: [access_token]", false},
	    {", fromHeaders: [{name: x-a}, {name: x-b}]", ", fromHeaders: [{name: X-B}]", true},
	    {", fromHeaders: [{name: x-a}]", ", fromHeaders: [{name: x-b}]", false},
	    {", fromParams: [a, b]", ", fromCookies: [a], fromParams: [b]", true},
	    {", fromParams: [a]", ", fromParams: [A]", false},
	    {", fromCookies: [a]", ", fromCookies: [b, a]", true},
	    {", fromCookies: [a]", ", fromHeaders: [{name: a}]", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct world world = world_of(arena_printf(
		    arena,
		    HEAD("z", "default") "spec: {jwtRules: [{issuer: 'https://a'%s}, {issuer: 'https://b'%s}]}\n",
		    cases[i].a, cases[i].b));
		ck_assert_uint_eq(world.model->n_request_authentications, 1);
		const struct jwt_rule *rules = world.model->request_authentications[0]->rules;
		ck_assert_msg(jwt_rules_meet(&rules[0], &rules[1]) == cases[i].want, "%zu", i);
		ck_assert_msg(jwt_rules_meet(&rules[1], &rules[0]) == cases[i].want, "%zu", i);
		world_done(&world);
	}
}
END_TEST

UNIT_MAIN("request_authentication", keys_of_somebody_else_are_said, rules_meet_where_both_look,
          rules_of_all_that_select_a_workload_are_merged, each_source_of_keys_is_named_once_with_the_longest_timeout,
          keys_come_with_the_snapshot, unknown_keys_are_one_that_nobody_has)

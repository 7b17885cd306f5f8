#include "crds/object.h"

#include "base/text.h"
#include "proto/istio.h"
#include "tests/unit/decoded.h"
#include "tests/unit/unit.h"

#define SERVICE "apiVersion: v1\nkind: Service\n"
#define POD "apiVersion: v1\nkind: Pod\n"
#define RULE "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"

START_TEST(test_metadata)
{
	struct decoded decoded = decode(RULE "metadata:\n"
	                                     "  name: reviews\n"
	                                     "  namespace: shop\n"
	                                     "  uid: 1-2-3\n"
	                                     "  resourceVersion: '77'\n"
	                                     "  generation: 4\n"
	                                     "  creationTimestamp: 2026-01-02T03:04:05Z\n"
	                                     "  labels: {b: '2', a: '1'}\n"
	                                     "  annotations: {z: w}\n"
	                                     "  ownerReferences: [{kind: X}]\n"
	                                     "spec: {host: reviews}\n");
	const struct object *object = decoded.object;
	ck_assert_msg(object != NULL, "%s", decoded_issues(&decoded));
	ck_assert_int_eq(object->kind, KIND_DESTINATION_RULE);
	ck_assert_str_eq(object->name, "reviews");
	ck_assert_str_eq(object->namespace, "shop");
	ck_assert_str_eq(object->uid, "1-2-3");
	ck_assert_str_eq(object->resource_version, "77");
	ck_assert_int_eq(object->generation, 4);
	ck_assert_int_eq(object->created_s, 1767323045);
	ck_assert_uint_eq(object->n_labels, 2);
	ck_assert_str_eq(object->labels[0].key, "a");
	ck_assert_str_eq(object_label(object, "b"), "2");
	ck_assert_ptr_null(object_label(object, "c"));
	ck_assert_str_eq(object_annotation(object, "z"), "w");
	ck_assert_str_eq(object->origin.file, "test.yaml");
	ck_assert_str_eq(((const istio_destination_rule *)object->message)->host, "reviews");
	ck_assert_str_eq(object_id(decoded.arena, object), "DestinationRule/shop/reviews");
	decoded_done(&decoded);
}
END_TEST

START_TEST(test_issues)
{
	static const struct {
		const char *name, *in, *want;
		bool is_refused;
	} rows[] = {
	    {"default namespace", RULE "metadata: {name: a}\nspec: {host: a}", "", false},
	    {"no name", RULE "metadata: {}\nspec: {host: a}", "metadata.name", true},
	    {"no metadata", RULE "spec: {host: a}", "metadata.name", true},
	    {"name with a space", RULE "metadata: {name: a b}\nspec: {host: a}", "metadata.name", true},
	    {"name with capitals", RULE "metadata: {name: Ab}\nspec: {host: a}", "~metadata.name", false},
	    {"name with dots", RULE "metadata: {name: a.b}\nspec: {host: a}", "", false},
	    {"name ends with -", RULE "metadata: {name: a-}\nspec: {host: a}", "metadata.name", true},
	    {"empty label of a name", RULE "metadata: {name: a..b}\nspec: {host: a}", "metadata.name", true},
	    {"namespace with a dot", RULE "metadata: {name: a, namespace: b.c}\nspec: {host: a}", "metadata.namespace",
	     true},
	    {"namespace of 64",
	     RULE "metadata: {name: a, namespace: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	          "aaaaaaaaaaaaaaaa}\nspec: {host: a}",
	     "metadata.namespace", true},
	    {"unknown member", RULE "metadata: {name: a}\nspecs: {}\nspec: {host: a}", "specs", true},
	    {"status is fine", RULE "metadata: {name: a}\nstatus: {x: u}\nspec: {host: a}", "", false},
	    {"unknown field", RULE "metadata: {name: a}\nspec: {host: a, hots: b}", "spec.hots", true},
	    {"several", RULE "metadata: {name: a b}\nspec: {host: 1, hots: b}", "spec.host spec.hots metadata.name",
	     true},
	    {"no check after wrong types", RULE "metadata: {name: a}\nspec: {host: [a]}", "spec.host", true},
	    {"check", RULE "metadata: {name: a}\nspec: {host: '-'}", "spec.host", true},
	    {"no spec", RULE "metadata: {name: a}", "spec.host", true},
	    {"no kind", "apiVersion: v1\nmetadata: {name: a}", "kind", true},
	    {"no apiVersion", "kind: Service\nmetadata: {name: a}", "apiVersion", true},
	    {"not an object", "[1, 2]", "apiVersion", true},
	    {"a kind of others", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}", "", true},
	    {"open kind", SERVICE "metadata: {name: a, managedFields: [1]}\nspec: {sessionAffinity: None}", "", false},
	    {"dry-run", RULE "metadata: {name: a, annotations: {istio.io/dry-run: 'true'}}\nspec: {host: a}",
	     "metadata", true},
	    {"retired field",
	     "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
	     "spec: {hosts: [a], http: [{websocketUpgrade: true, route: [{destination: {host: b}}]}]}",
	     "~spec.http[0].websocketUpgrade", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct decoded decoded = decode(rows[i].in);
		ck_assert_msg(strcmp(decoded_issues(&decoded), rows[i].want) == 0, "%s: got %s, want %s", rows[i].name,
		              decoded_issues(&decoded), rows[i].want);
		ck_assert_msg((decoded.object == NULL) == rows[i].is_refused, "%s: refused or not", rows[i].name);
		decoded_done(&decoded);
	}
}
END_TEST

START_TEST(test_issue_lines)
{
	struct decoded decoded = decode("apiVersion: networking.istio.io/v1\n"
	                                "kind: VirtualService\n"
	                                "metadata: {name: a}\n"
	                                "spec:\n"
	                                "  hosts: [a]\n"
	                                "  http:\n"
	                                "  - direct_response:\n"
	                                "      status: 7\n"
	                                "  - route:\n"
	                                "    - destination:\n"
	                                "        host: b\n"
	                                "        port:\n"
	                                "          number: 70000\n"
	                                "    timeout: 0s\n");
	ck_assert_str_eq(decoded_issues(&decoded),
	                 "spec.http[0].directResponse.status spec.http[1].route[0].destination.port.number "
	                 "spec.http[1].timeout ~spec.http[1]");
	ck_assert_uint_eq(decoded.issues.v[0].line, 8);
	ck_assert_uint_eq(decoded.issues.v[1].line, 13);
	ck_assert_uint_eq(decoded.issues.v[2].line, 14);
	decoded_done(&decoded);
}
END_TEST

START_TEST(test_digest)
{
	static const char base[] = RULE "metadata: {name: a, labels: {x: u, v: w}}\nspec: {host: a, exportTo: ['*']}";
	static const struct {
		const char *name, *in;
		bool is_same;
	} rows[] = {
	    {"itself", base, true},
	    {"order", RULE "spec: {exportTo: ['*'], host: a}\nmetadata: {labels: {v: w, x: u}, name: a}", true},
	    {"version of the API",
	     "apiVersion: networking.istio.io/v1beta1\nkind: DestinationRule\n"
	     "metadata: {name: a, labels: {x: u, v: w}}\nspec: {host: a, exportTo: ['*']}",
	     true},
	    {"resourceVersion, generation, status, annotations",
	     RULE "metadata: {name: a, labels: {x: u, v: w}, resourceVersion: '9', generation: 7, uid: u, annotations: "
	          "{some: thing}}\nspec: {host: a, exportTo: ['*']}\nstatus: {observedGeneration: 7}",
	     true},
	    {"name", RULE "metadata: {name: b, labels: {x: u, v: w}}\nspec: {host: a, exportTo: ['*']}", false},
	    {"namespace",
	     RULE "metadata: {name: a, namespace: b, labels: {x: u, v: w}}\nspec: {host: a, exportTo: ['*']}", false},
	    {"labels", RULE "metadata: {name: a, labels: {x: u, v: z}}\nspec: {host: a, exportTo: ['*']}", false},
	    {"spec", RULE "metadata: {name: a, labels: {x: u, v: w}}\nspec: {host: a}", false},
	    {"creation",
	     RULE "metadata: {name: a, labels: {x: u, v: w}, creationTimestamp: 2026-01-01T00:00:00Z}\n"
	          "spec: {host: a, exportTo: ['*']}",
	     false},
	    {"annotation that matters",
	     RULE "metadata: {name: a, labels: {x: u, v: w}, annotations: {networking.istio.io/exportTo: '.'}}\n"
	          "spec: {host: a, exportTo: ['*']}",
	     false},
	};
	struct decoded first = decode(base);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct decoded other = decode(rows[i].in);
		ck_assert_msg(other.object != NULL, "%s: %s", rows[i].name, decoded_issues(&other));
		ck_assert_msg(digest_equal(first.object->digest, other.object->digest) == rows[i].is_same, "%s",
		              rows[i].name);
		decoded_done(&other);
	}
	decoded_done(&first);
}
END_TEST

START_TEST(test_digest_of_pods)
{
	struct decoded a =
	    decode(POD "metadata: {name: a}\nspec: {nodeName: n1}\n"
	               "status: {phase: Running, podIP: 10.0.0.1, conditions: [{type: Ready, status: 'True'}]}");
	struct decoded b =
	    decode(POD "metadata: {name: a, resourceVersion: '2'}\nspec: {nodeName: n1, volumes: [x]}\n"
	               "status: {phase: Running, podIP: 10.0.0.1, startTime: 2026-01-01T00:00:00Z,\n"
	               "  conditions: [{type: Initialized, status: 'True'}, {type: Ready, status: 'True', "
	               "lastProbeTime: x}]}");
	struct decoded c =
	    decode(POD "metadata: {name: a}\nspec: {nodeName: n1}\n"
	               "status: {phase: Running, podIP: 10.0.0.1, conditions: [{type: Ready, status: 'False'}]}");
	ck_assert(digest_equal(a.object->digest, b.object->digest));
	ck_assert(!digest_equal(a.object->digest, c.object->digest));
	decoded_done(&a);
	decoded_done(&b);
	decoded_done(&c);
}
END_TEST

START_TEST(test_cluster_scope)
{
	struct decoded decoded = decode("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, namespace: ignored}");
	ck_assert_ptr_nonnull(decoded.object);
	ck_assert_str_eq(decoded.object->namespace, "");
	ck_assert_str_eq(object_id(decoded.arena, decoded.object), "Namespace/shop");
	decoded_done(&decoded);
}
END_TEST

START_TEST(test_many_issues_end)
{
	CLEANUP(text_done) struct text yaml = {0};
	text_add(&yaml, RULE "metadata: {name: a}\nspec:\n  host: a\n  subsets:\n");
	for (int i = 0; i < 3 * CODEC_ISSUES_MAX; i++)
		text_add(&yaml, "  - {name: ''}\n");
	struct decoded decoded = decode(text_get(&yaml));
	ck_assert_ptr_null(decoded.object);
	ck_assert_uint_eq(decoded.issues.n, CODEC_ISSUES_MAX);
	ck_assert_str_eq(decoded.issues.v[CODEC_ISSUES_MAX - 1].path, "");
	decoded_done(&decoded);
}
END_TEST

START_TEST(test_count)
{
	struct decoded decoded = decode(SERVICE "metadata: {name: a}");
	ck_assert_ptr_eq(object_ref(decoded.object), decoded.object);
	object_unref(decoded.object);
	ck_assert_str_eq(decoded.object->name, "a");
	object_unref(NULL);
	decoded_done(&decoded);
}
END_TEST

static const char *with_selector(struct arena *arena, const char *words, const istio_type_workload_selector *selector)
{
	for (size_t i = 0; selector && i < selector->n_match_labels; i++)
		words = arena_printf(arena, "%s %s=%s", words, selector->match_labels[i]->key,
		                     selector->match_labels[i]->value);
	return words;
}

static const char *with_targets(struct arena *arena, const char *words, istio_policy_target_reference *const *v,
                                size_t n)
{
	for (size_t i = 0; i < n; i++)
		words = arena_printf(arena, "%s @%s", words, v[i]->name);
	return words;
}

/* "ALLOW 0 app=a": the action, how many rules, the selector and targets. */
static const char *words_of_authorization(struct arena *arena, const struct object *object)
{
	const istio_authorization_policy *policy = (const istio_authorization_policy *)object->message;
	bool is_allow = policy->action == ISTIO__SECURITY__V1BETA1__AUTHORIZATION_POLICY__ACTION__ALLOW;
	const char *words =
	    arena_printf(arena, "%s %s %zu", object->name, is_allow ? "ALLOW" : "DENY", policy->n_rules);
	return with_targets(arena, with_selector(arena, words, policy->selector), policy->targetrefs,
	                    policy->n_targetrefs);
}

/* "STRICT 0 app=a": the mode, how many ports, the selector. */
static const char *words_of_peers(struct arena *arena, const struct object *object)
{
	const istio_peer_authentication *policy = (const istio_peer_authentication *)object->message;
	bool is_strict = policy->mtls->mode == ISTIO__SECURITY__V1BETA1__PEER_AUTHENTICATION__MUTUAL_TLS__MODE__STRICT;
	const char *words =
	    arena_printf(arena, "%s %s %zu", object->name, is_strict ? "STRICT" : "OTHER", policy->n_port_level_mtls);
	return with_selector(arena, words, policy->selector);
}

/* "ISSUER:keys:header>output app=a": of each rule the issuer, the keys, places and outputs. */
static const char *words_of_requests(struct arena *arena, const struct object *object)
{
	const istio_request_authentication *policy = (const istio_request_authentication *)object->message;
	const char *words = object->name;
	for (size_t i = 0; i < policy->n_jwt_rules; i++) {
		const istio_jwt_rule *rule = policy->jwt_rules[i];
		words = arena_printf(arena, "%s %s:%s%s:%s>%s", words, rule->issuer, rule->jwks, rule->jwks_uri,
		                     rule->n_from_headers ? rule->from_headers[0]->name : "",
		                     rule->output_payload_to_header);
	}
	return with_targets(arena, with_selector(arena, words, policy->selector), policy->targetrefs,
	                    policy->n_targetrefs);
}

static const char *stand_in_words(struct arena *arena, const struct object *object)
{
	if (!object)
		return "none";
	return object->kind == KIND_AUTHORIZATION_POLICY  ? words_of_authorization(arena, object)
	       : object->kind == KIND_PEER_AUTHENTICATION ? words_of_peers(arena, object)
	                                                  : words_of_requests(arena, object);
}

struct stand_in_row {
	const char *in, *want;
};

static void expect_stand_ins(const struct stand_in_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct decoded decoded = decode(rows[i].in);
		ck_assert_msg(!decoded.object, "%s: is not refused", rows[i].in);
		struct object *object = decode_stand_in(&decoded, rows[i].in);
		ck_assert_msg(!object || object->is_stand_in, "%s", rows[i].in);
		const char *words = stand_in_words(decoded.arena, object);
		ck_assert_msg(strcmp(words, rows[i].want) == 0, "%s: %s", rows[i].in, words);
		object_unref(object);
		decoded_done(&decoded);
	}
}

#define SECURITY(kind) "apiVersion: security.istio.io/v1\nkind: " kind "\nmetadata: {name: a}\n"

START_TEST(test_stand_ins)
{
#define POLICY SECURITY("AuthorizationPolicy")
#define GATEWAY "{group: gateway.networking.k8s.io, kind: Gateway, name: g}"
	static const struct stand_in_row rows[] = {
	    {POLICY "spec: {rules: [{from: [{source: {ipBlocks: [x]}}]}]}", "a ALLOW 0"},
	    {POLICY "spec: {action: ALLOW, selector: {matchLabels: {app: a}}, rules: [{wen: []}]}", "a ALLOW 0 app=a"},
	    {POLICY "spec: {action: DENY, selector: {matchLabels: {app: a}}, rules: []}", "a DENY 1 app=a"},
	    {POLICY "spec: {action: CUSTOM, rules: [{}]}", "a DENY 1"},
	    {POLICY "spec: {action: REFUSE, rules: [{}]}", "a DENY 1"},
	    {POLICY "spec: {action: [ALLOW], rules: [{}]}", "a DENY 1"},
	    {POLICY "spec: {action: AUDIT, rules: [{to: [{}]}]}", "none"},
	    {POLICY "spec: {action: DENY, selector: {matchLabels: {app: [a]}}, rules: [{}]}", "a DENY 1"},
	    {POLICY "spec: [1]", "a ALLOW 0"},
	    {POLICY "spec: {selector: {matchLabels: {app: \"a*\"}}}", "a ALLOW 0"},
	    {POLICY "spec: {selector: {matchLabels: {app: \"a*\", tier: b, '': c}}}", "a ALLOW 0 tier=b"},
	    {POLICY "spec: {selektor: {matchLabels: {app: a}}}", "a ALLOW 0"},
	    {POLICY "spec: {targetRefs: [" GATEWAY "], rules: [{wen: []}]}", "a ALLOW 0 @g"},
	    {POLICY "spec: {targetRefs: [" GATEWAY "], selector: {matchLabels: {app: a}}}", "a ALLOW 0"},
	    {POLICY "spec: {targetRefs: [" GATEWAY ", {kind: Servise, name: a}]}", "a ALLOW 0"},
	    {POLICY "spec: {targetRefs: [" GATEWAY ", 3]}", "a ALLOW 0"},
	    {POLICY "spec: {targetRef: {kind: Service, name: [a]}, selector: {}}", "a ALLOW 0"},
	    {"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {}\nspec: {rules: [{to: [{}]}]}",
	     "(unnamed at 1:1) ALLOW 0"},
	    {"kind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {action: DENY, rules: [{}]}", "a DENY 1"},
	    {"apiVersion: security.istio.io/v1alpha9\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {}",
	     "a ALLOW 0"},
	    {"apiVersion: policy.linkerd.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {}", "none"},
	    {"kind: AuthorisationPolicy\nmetadata: {name: a}\nspec: {}", "none"},
	    {RULE "metadata: {name: a}\nspec: {hoost: a}", "none"},
	};
	expect_stand_ins(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(test_stand_ins_for_peer_authentications)
{
#define PEERS SECURITY("PeerAuthentication")
	static const struct stand_in_row rows[] = {
	    {PEERS "spec: {mtls: {mode: STRCT}}", "a STRICT 0"},
	    {PEERS
	     "spec: {mtls: {mode: STRICT}, selector: {matchLabels: {app: a}}, portLevelMtls: {0: {mode: DISABLE}}}",
	     "a STRICT 0 app=a"},
	    {PEERS "spec: {mtls: {mode: STRICT}, selector: {matchLabels: {app: \"a*\"}}}", "a STRICT 0"},
	    {PEERS "spec: {mtsl: {mode: STRICT}, selector: {matchLabels: {app: a}}}", "a STRICT 0 app=a"},
	    {PEERS "spec: {mtls: {mode: PERMISSIVE}, portLevelMtls: {80: {mode: STRICT}}}", "a STRICT 0"},
	    {PEERS "spec: {mtls: {mode: PERMISSIVE}, portLevelMtlS: {80: {mode: STRICT}}}", "a STRICT 0"},
	    {PEERS "spec: {mtls: {mode: PERMISSIVE, mod: STRICT}}", "a STRICT 0"},
	    {PEERS "mtls: {mode: STRICT}", "a STRICT 0"},
	    {PEERS "spec: strict", "a STRICT 0"},
	    {PEERS "spec: {mtls: {mode: PERMISSIVE}, selector: {matchLabels: {app: [a]}}}", "none"},
	    {PEERS "spec: {mtls: {mode: DISABLE}, selector: {matchLabels: {app: \"a*\"}}}", "none"},
	    {"apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nspec: {mtls: {mode: STRICT}}",
	     "(unnamed at 1:1) STRICT 0"},
	};
	expect_stand_ins(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(test_stand_ins_for_request_authentications)
{
#define REQUESTS SECURITY("RequestAuthentication")
	static const struct stand_in_row rows[] = {
	    {REQUESTS "spec: {jwtRules: [{issuer: i, jwks: '{}', fromHeaders: [{name: x-t}]}, {issuer: j}]}",
	     "a i::x-t> j::>"},
	    {REQUESTS "spec: {jwtRules: [{issuer: i, audiences: [''], outputPayloadToHeader: x-o}]}", "a i::>x-o"},
	    {REQUESTS "spec: {jwtRules: [{issuer: [i], jwksUri: 'http://a/k'}]}", "a ::>"},
	    {REQUESTS "spec: {selector: {matchLabels: {app: \"a*\"}}, jwtRules: [{issuer: i, jwksUri: 'http://a/k'}]}",
	     "a i::>"},
	    /* where tokens are, or what is handed on, cannot be told: no rule */
	    {REQUESTS "spec: {selector: {matchLabels: {app: a}}, jwtRules: [{issuer: i, fromHeader: [{name: x-t}]}]}",
	     "a app=a"},
	    {REQUESTS "spec: {jwtRules: [{issuer: i, fromHeaders: [{nam: x-t}]}]}", "a"},
	    {REQUESTS "spec: {jwtRules: [{issuer: i, fromParams: ['']}]}", "a"},
	    {REQUESTS "spec: {jwtRules: [{issuer: i, outputClaimToHeaders: [{claim: c, header: 'a b'}]}]}", "a"},
	    {REQUESTS "spec: {jwtRules: [{issuer: i}, 3]}", "a"},
	    {REQUESTS "spec: {jwtRule: [{issuer: i}]}", "a"},
	    {REQUESTS "jwtRules: [{issuer: i}]", "a"},
	    {REQUESTS "spec: []", "a"},
	    {REQUESTS "spec: {targetRefs: [" GATEWAY "], jwtRules: [{jwks: '{}'}]}", "a ::> @g"},
	    {REQUESTS "spec: {selector: {matchLabels: {app: \"a*\"}}}", "none"},
	};
	expect_stand_ins(rows, sizeof rows / sizeof rows[0]);
}
END_TEST

UNIT_MAIN("object", test_stand_ins, test_stand_ins_for_peer_authentications, test_stand_ins_for_request_authentications,
          test_metadata, test_issues, test_issue_lines, test_digest, test_digest_of_pods, test_cluster_scope,
          test_many_issues_end, test_count)

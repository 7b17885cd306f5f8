#include "authorities.h"
#include "emitted.h"

#include "crds/secret.h"
#include "decoded.h"
#include "translator/print.h"

/* Secrets from the YAML to what a proxy is given of them. */

#define GATEWAY_NODE "router~192.0.2.9~gw.edge~edge.svc.cluster.local"
#define LABELS "{'LABELS': {'istio': 'ingressgateway'}}"

/* Two keys with their certificates, as YAML's double-quoted strings. */
struct pairs {
	struct arena *arena;
	EVP_PKEY *keys[2];
	const char *certificate[2], *key[2];
};

static const char *quoted(struct arena *arena, struct text *pem)
{
	struct text out = {0};
	text_add_json_string(&out, text_get(pem), pem->n);
	const char *copy = arena_strdup(arena, text_get(&out));
	text_done(&out);
	text_done(pem);
	return copy;
}

static void pairs_init(struct pairs *pairs)
{
	pairs->arena = arena_new();
	for (size_t i = 0; i < 2; i++) {
		struct text certificate = {0}, key = {0};
		pairs->keys[i] = certs_key("P-256");
		X509 *x509 = certs_certificate(&(struct cert_wish){.name = "shop", .key = pairs->keys[i]});
		certificate_print(x509, &certificate);
		X509_free(x509);
		certs_print_key(pairs->keys[i], &key);
		pairs->certificate[i] = quoted(pairs->arena, &certificate);
		pairs->key[i] = quoted(pairs->arena, &key);
	}
}

static void pairs_done(struct pairs *pairs)
{
	EVP_PKEY_free(pairs->keys[0]);
	EVP_PKEY_free(pairs->keys[1]);
	arena_free(pairs->arena);
}

static const char *secret_yaml(const struct pairs *pairs, const char *place, const char *data)
{
	return arena_printf(pairs->arena, "apiVersion: v1\nkind: Secret\nmetadata: {%s}\nstringData: {%s}\n---\n",
	                    place, data);
}

START_TEST(what_fits_together_is_taken)
{
	struct pairs pairs;
	pairs_init(&pairs);
	struct arena *arena = pairs.arena;
	const char *crt = pairs.certificate[0], *key = pairs.key[0];
	const struct {
		const char *name, *data, *want;
	} rows[] = {
	    {"a pair", arena_printf(arena, "tls.crt: %s, tls.key: %s", crt, key), ""},
	    {"the old names", arena_printf(arena, "cert: %s, key: %s, cacert: %s", crt, key, crt), ""},
	    {"another's key", arena_printf(arena, "tls.crt: %s, tls.key: %s", crt, pairs.key[1]), "data.tls.key"},
	    {"no certificate", arena_printf(arena, "tls.crt: hello, tls.key: %s", key), "data.tls.crt"},
	    {"no key", arena_printf(arena, "tls.crt: %s, tls.key: hello", crt), "data.tls.key"},
	    {"the key twice", arena_printf(arena, "tls.crt: %s, tls.key: %s", key, key), "data.tls.crt"},
	    {"a certificate alone", arena_printf(arena, "tls.crt: %s", crt), ""},
	    {"empty until issued", arena_printf(arena, "tls.crt: %s, tls.key: ''", crt), ""},
	    {"roots", arena_printf(arena, "ca.crt: %s", crt), ""},
	    {"no roots", "ca.crt: hello", "data.ca.crt"},
	    {"no revocation list", arena_printf(arena, "ca.crt: %s, ca.crl: %s", crt, crt), "data.ca.crl"},
	    {"somebody else's", "password: hello, tls: hello", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct decoded decoded = decode(secret_yaml(&pairs, "name: a", rows[i].data));
		ck_assert_msg(strcmp(decoded_issues(&decoded), rows[i].want) == 0, "%s: got \"%s\"", rows[i].name,
		              decoded_issues(&decoded));
		for (size_t j = 0; j < decoded.issues.n; j++)
			ck_assert_ptr_null(strstr(decoded.issues.v[j].message, "hello"));
		decoded_done(&decoded);
	}
	pairs_done(&pairs);
}
END_TEST

START_TEST(what_is_not_read_is_dropped)
{
	struct decoded one = decode("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: aGVsbG8=}\n");
	struct decoded other =
	    decode("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {password: YnllCg==}\n");
	ck_assert_uint_eq(((const k8s_secret *)one.object->message)->n_data, 0);
	ck_assert(digest_equal(one.object->digest, other.object->digest));
	decoded_done(&one);
	decoded_done(&other);
}
END_TEST

#define GATEWAY(tls)                                                                                                   \
	"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: default}\n"                \
	"spec:\n  selector: {istio: ingressgateway}\n  servers:\n"                                                     \
	"  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.com], tls: {" tls "}}\n"

static const char *mesh_of(const struct pairs *pairs, const char *tls)
{
	struct arena *arena = pairs->arena;
	const char *pair = arena_printf(arena, "tls.crt: %s, tls.key: %s, ca.crt: %s", pairs->certificate[0],
	                                pairs->key[0], pairs->certificate[1]);
	const char *other = arena_printf(arena, "tls.crt: %s, tls.key: %s", pairs->certificate[1], pairs->key[1]);
	return arena_printf(arena, "%s%s%s%s", secret_yaml(pairs, "name: shop, namespace: edge", pair),
	                    secret_yaml(pairs, "name: unnamed, namespace: edge", pair),
	                    secret_yaml(pairs, "name: theirs, namespace: default", other), tls);
}

/* The names of the secrets that the proxy gets. */
static const char *given_to(const struct pairs *pairs, const char *yaml, const char *id, const char *account,
                            bool is_verified)
{
	struct world world = world_of(yaml);
	struct resource_set *sets[RESOURCE_TYPE_COUNT] = {0};
	struct emit_cache *cache = emit_cache_new();
	struct node node = world_node(&world, id, LABELS);
	node.is_verified = is_verified;
	node.service_account = account;
	emit_view(scope_of(world.arena, world.model, view_of(world.arena, world.model, &node)), cache, sets);
	const char *names = "";
	for (size_t i = 0; i < sets[RESOURCE_SECRET]->n; i++)
		names = arena_printf(pairs->arena, "%s%s%s", names, i ? " " : "", sets[RESOURCE_SECRET]->v[i]->name);
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		resource_set_unref(sets[i]);
	emit_cache_free(cache);
	world_done(&world);
	return names;
}

static const char *given(const struct pairs *pairs, const char *yaml, const char *id, bool is_verified)
{
	return given_to(pairs, yaml, id, "", is_verified);
}

#define POD(name, labels, account, ip)                                                                                 \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: edge, labels: {" labels "}}\n"          \
	"spec: {serviceAccountName: " account "}\nstatus: {podIP: " ip ", phase: Running}\n"

START_TEST(a_proxy_is_not_the_gateway_because_it_says_so)
{
	static const char *const pods = POD("gw", "istio: ingressgateway, hash: a", "gateway", "192.0.2.9")
	    POD("app-1", "app: app", "app", "192.0.2.7") POD("both-1", "app: both", "both", "192.0.2.5")
	        POD("both-2", "istio: ingressgateway, app: both", "both", "192.0.2.6");
	static const struct {
		const char *name, *id, *account, *want;
	} rows[] = {
	    {"the gateway", GATEWAY_NODE, "gateway", "kubernetes://shop"},
	    {"another's pod by its name", GATEWAY_NODE, "app", ""},
	    {"another's pod by its address", "router~192.0.2.9~app-1.edge~edge.svc.cluster.local", "app", ""},
	    {"its own pod, as a gateway", "router~192.0.2.7~app-1.edge~edge.svc.cluster.local", "app", ""},
	    {"a pod that there is not", "router~192.0.2.99~gw-2.edge~edge.svc.cluster.local", "app", ""},
	    {"the gateway's next pod, before it is known", "router~192.0.2.99~gw-2.edge~edge.svc.cluster.local",
	     "gateway", "kubernetes://shop"},
	    {"an account with such a pod", "router~192.0.2.99~both-3.edge~edge.svc.cluster.local", "both",
	     "kubernetes://shop"},
	    {"an account of no pod", "router~192.0.2.99~vm.edge~edge.svc.cluster.local", "vm", "kubernetes://shop"},
	};
	struct pairs pairs;
	pairs_init(&pairs);
	const char *mesh = mesh_of(&pairs, GATEWAY("mode: SIMPLE, credentialName: shop"));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *yaml = arena_printf(pairs.arena, "%s%s", mesh, pods);
		const char *got = given_to(&pairs, yaml, rows[i].id, rows[i].account, true);
		ck_assert_msg(strcmp(got, rows[i].want) == 0, "%s: got \"%s\"", rows[i].name, got);
	}
	pairs_done(&pairs);
}
END_TEST

START_TEST(a_proxy_gets_what_it_may_have)
{
	static const struct {
		const char *name, *tls, *id;
		bool is_verified;
		const char *want;
	} rows[] = {
	    {"named, in its namespace", GATEWAY("mode: SIMPLE, credentialName: shop"), GATEWAY_NODE, true,
	     "kubernetes://shop"},
	    {"with whom to believe", GATEWAY("mode: MUTUAL, credentialName: shop"), GATEWAY_NODE, true,
	     "kubernetes://shop kubernetes://shop-cacert"},
	    {"not proved", GATEWAY("mode: MUTUAL, credentialName: shop"), GATEWAY_NODE, false, ""},
	    {"another namespace's proxy", GATEWAY("mode: SIMPLE, credentialName: shop"),
	     "router~192.0.2.9~gw.default~default.svc.cluster.local", true, ""},
	    {"a sidecar", GATEWAY("mode: SIMPLE, credentialName: shop"),
	     "sidecar~192.0.2.9~gw.edge~edge.svc.cluster.local", true, ""},
	    {"by its namespace's name", GATEWAY("mode: SIMPLE, credentialName: 'kubernetes://edge/shop'"), GATEWAY_NODE,
	     true, "kubernetes://edge/shop"},
	    {"of another namespace", GATEWAY("mode: SIMPLE, credentialName: 'kubernetes://default/theirs'"),
	     GATEWAY_NODE, true, ""},
	    {"from elsewhere", GATEWAY("mode: SIMPLE, credentialName: 'sds://shop'"), GATEWAY_NODE, true, ""},
	    {"files", GATEWAY("mode: SIMPLE, serverCertificate: /a, privateKey: /b"), GATEWAY_NODE, true, ""},
	    {"the mesh's", GATEWAY("mode: ISTIO_MUTUAL"), GATEWAY_NODE, true, ""},
	};
	struct pairs pairs;
	pairs_init(&pairs);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = given(&pairs, mesh_of(&pairs, rows[i].tls), rows[i].id, rows[i].is_verified);
		ck_assert_msg(strcmp(got, rows[i].want) == 0, "%s: got \"%s\"", rows[i].name, got);
	}
	pairs_done(&pairs);
}
END_TEST

START_TEST(a_certificate_that_expired_is_a_row_as_of_then)
{
	static const int64_t end_s = NOW_S + YEAR_S;
	static const struct {
		const char *name, *tls;
		int64_t as_of_s;
		bool has_row;
		int64_t from_s, until_s;
	} rows[] = {
	    {"no time is known", GATEWAY("mode: SIMPLE, credentialName: shop"), 0, false, INT64_MIN, INT64_MAX},
	    {"before", GATEWAY("mode: SIMPLE, credentialName: shop"), end_s - 1, false, INT64_MIN, end_s},
	    {"then", GATEWAY("mode: SIMPLE, credentialName: shop"), end_s, true, end_s, INT64_MAX},
	    {"by its namespace's name", GATEWAY("mode: SIMPLE, credentialName: 'kubernetes://edge/shop'"), end_s, true,
	     end_s, INT64_MAX},
	    {"not named", GATEWAY("mode: SIMPLE, credentialName: none"), end_s, false, INT64_MIN, INT64_MAX},
	};
	static const char pod[] = "apiVersion: v1\nkind: Pod\n"
	                          "metadata: {name: gw, namespace: edge, labels: {istio: ingressgateway}}\n"
	                          "status: {podIP: 192.0.2.9, phase: Running}\n---\n";
	struct pairs pairs;
	pairs_init(&pairs);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *yaml = arena_printf(pairs.arena, "%s%s", pod, mesh_of(&pairs, rows[i].tls));
		struct world world = world_of_at(yaml, rows[i].as_of_s);
		bool has_row = world_has_row(&world, REASON_EXPIRED, "spec.servers[0].tls");
		ck_assert_msg(has_row == rows[i].has_row, "%s", rows[i].name);
		ck_assert_int_eq(world.model->holds_from_s, rows[i].from_s);
		ck_assert_int_eq(world.model->holds_until_s, rows[i].until_s);
		world_done(&world);
	}
	pairs_done(&pairs);
}
END_TEST

/* The bytes hold the key, what people see does not. */
START_TEST(no_key_is_shown)
{
	struct pairs pairs;
	pairs_init(&pairs);
	struct world world = world_of(mesh_of(&pairs, GATEWAY("mode: SIMPLE, credentialName: shop")));
	struct node node = world_node(&world, GATEWAY_NODE, LABELS);
	struct resource_set *sets[RESOURCE_TYPE_COUNT] = {0};
	struct emit_cache *cache = emit_cache_new();
	CLEANUP(text_done) struct text shown = {0};
	node.is_verified = true;
	emit_view(scope_of(world.arena, world.model, view_of(world.arena, world.model, &node)), cache, sets);
	const struct resource *resource = resource_set_get(sets[RESOURCE_SECRET], "kubernetes://shop");
	const struct secret *secret = model_secret(world.model, "edge", "shop");
	ck_assert_ptr_nonnull(memmem(resource->body, resource->body_n, secret->key.s, secret->key.n));
	print_config(&world.model->report, sets, NULL, &shown);
	ck_assert_ptr_nonnull(strstr(text_get(&shown), "[redacted; version "));
	ck_assert_ptr_null(strstr(text_get(&shown), "PRIVATE KEY"));
	ck_assert_ptr_null(strstr(text_get(&shown), "UFJJVkFURSBLRVk")); /* the same in base64 */
	for (size_t i = 0; i < RESOURCE_TYPE_COUNT; i++)
		resource_set_unref(sets[i]);
	emit_cache_free(cache);
	world_done(&world);
	pairs_done(&pairs);
}
END_TEST

START_TEST(the_roots_are_for_everybody)
{
	static const struct blob roots = {"roots", 5};
	struct world world = world_of("");
	world.model->trust_roots = roots;
	struct resource *want = emit_trust_roots(roots);
	static const char *const ids[] = {WORLD_SIDECAR, GATEWAY_NODE};
	for (size_t i = 0; i < 2; i++) {
		struct emitted_config sent = emitted_of(&world, ids[i], NULL, NULL);
		const struct resource *got = emitted_resource(&sent, RESOURCE_SECRET, "ROOTCA");
		ck_assert_ptr_nonnull(got);
		ck_assert(digest_equal(got->version, want->version));
		const envoy_secret *secret = EMITTED(&sent, envoy_secret, RESOURCE_SECRET, "ROOTCA");
		ck_assert_uint_eq(secret->validation_context->trusted_ca->inline_bytes.len, 5);
		emitted_done(&sent);
	}
	resource_unref(want);
	world_done(&world);
}
END_TEST

UNIT_MAIN("secrets", what_fits_together_is_taken, what_is_not_read_is_dropped, a_proxy_gets_what_it_may_have,
          a_proxy_is_not_the_gateway_because_it_says_so, a_certificate_that_expired_is_a_row_as_of_then,
          no_key_is_shown, the_roots_are_for_everybody)

#include "base/text.h"
#include "tests/unit/check_rows.h"
#include "tests/unit/decoded.h"
#include "tests/unit/unit.h"

#include <string.h>

/* A policy that names whom it is for by labels. */
#define SELECTED "selector: {matchLabels: {app: a}}"
#define TARGET(rest) "targetRef: {group: gateway.networking.k8s.io, kind: Gateway" rest "}"

START_TEST(test_peer_authentication)
{
	static const struct row rows[] = {
	    {"nothing", "{}", ""},
	    {"mode", "{mtls: {mode: STRICT}}", ""},
	    {"no such mode", "{mtls: {mode: LOOSE}}", "spec.mtls.mode"},
	    {"port", "{" SELECTED ", portLevelMtls: {8080: {mode: DISABLE}}}", ""},
	    {"port without a mode", "{" SELECTED ", portLevelMtls: {8080: {}}}", ""},
	    {"port of a namespace", "{portLevelMtls: {8080: {mode: DISABLE}}}", "spec.portLevelMtls"},
	    {"port, no labels", "{selector: {}, portLevelMtls: {80: {}}}", "~spec.selector spec.portLevelMtls"},
	    {"port 0", "{" SELECTED ", portLevelMtls: {0: {}}}", "spec.portLevelMtls"},
	    {"port too high", "{" SELECTED ", portLevelMtls: {65536: {}}}", "spec.portLevelMtls"},
	    {"no port", "{" SELECTED ", portLevelMtls: {}}", "spec.portLevelMtls"},
	    {"null ports", "{" SELECTED ", portLevelMtls: null}", ""},
	    {"no labels", "{selector: {}}", "~spec.selector"},
	    {"empty label", "{selector: {matchLabels: {'': a}}}", "spec.selector.matchLabels"},
	    {"wildcard in a label", "{selector: {matchLabels: {a: 'b*'}}}", "spec.selector.matchLabels"},
	};
	CHECK_SECURITY("PeerAuthentication", rows);
}
END_TEST

/* A rule of a sound issuer, and what else it says. */
#define JWT(rest) "{jwtRules: [{issuer: a, " rest "}]}"
#define JWKS(text) "{jwtRules: [{issuer: a, jwks: '" text "'}]}"
#define RULE "spec.jwtRules[0]"
#define EC_KEY(more)                                                                                                   \
	"{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"zVHttSZSjNLXJgus7ZO_cpPVpt_KErKFo2c3rNDcWcg\", "               \
	"\"y\": \"zmU2xxAl02LURcPVawCgyWTOPmQORHGbVXrT4JNB8HY\"" more "}"
#define NO_EC_KEY                                                                                                      \
	"{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"zVHttSZSjNLXJgus7ZO_cpPVpt_KErKFo2c3rNDcWcg\", "               \
	"\"y\": \"zVHttSZSjNLXJgus7ZO_cpPVpt_KErKFo2c3rNDcWcg\"}"

START_TEST(test_request_authentication)
{
	static const struct row rows[] = {
	    {"nothing", "{}", ""},
	    {"selector", "{" SELECTED "}", ""},
	    {"target", "{" TARGET(", name: a") "}", ""},
	    {"selector and target", "{" SELECTED ", " TARGET(", name: a") "}", "spec.targetRef"},
	    {"selector and targets", "{" SELECTED ", targetRefs: [{kind: Service, name: a}]}", "spec.targetRefs"},
	    {"target without a name", "{" TARGET("") "}", "spec.targetRef.name"},
	    {"target of another namespace", "{targetRefs: [{kind: Service, name: a, namespace: b}]}",
	     "spec.targetRefs[0].namespace"},
	    {"target of another kind",
	     "{targetRefs: [{kind: Service, name: a}, {group: apps, kind: Service, name: a}]}",
	     "spec.targetRefs[1].kind"},
	    {"core target", "{targetRefs: [{group: core, kind: Service, name: a}]}", ""},
	    {"issuer", "{jwtRules: [{issuer: a}]}", ""},
	    {"no issuer", "{jwtRules: [{audiences: [a]}]}", RULE ".issuer"},
	    {"no issuer, but keys", "{jwtRules: [{jwksUri: 'https://a.b/c'}]}", ""},
	    {"empty audience", JWT("audiences: [a, '']"), RULE ".audiences[1]"},
	    {"port", JWT("jwksUri: 'http://a.b:8080/c?d=e'"), ""},
	    {"IPv6", JWT("jwksUri: 'https://[2001:db8::1]:8443/c'"), ""},
	    {"scheme in capitals", JWT("jwksUri: 'HTTPS://a.b'"), ""},
	    {"no scheme", JWT("jwksUri: a.b/c"), RULE ".jwksUri"},
	    {"other scheme", JWT("jwksUri: 'file:///a'"), RULE ".jwksUri"},
	    {"no host", JWT("jwksUri: 'https:///a'"), RULE ".jwksUri"},
	    {"open bracket", JWT("jwksUri: 'https://[::1/a'"), RULE ".jwksUri"},
	    {"port no number", JWT("jwksUri: 'https://a.b:c'"), RULE ".jwksUri"},
	    {"port too high", JWT("jwksUri: 'https://a.b:65536'"), RULE ".jwksUri"},
	    {"space", JWT("jwksUri: 'https://a.b/c d'"), RULE ".jwksUri"},
	    {"escape", JWT("jwksUri: 'https://a.b/%zz'"), RULE ".jwksUri"},
	    {"keys twice", JWT("jwksUri: 'https://a.b', jwks: '{\"keys\": [{\"kty\": \"oct\", \"k\": \"YQ\"}]}'"),
	     RULE ".jwks"},
	    {"EC", JWKS("{\"keys\": [" EC_KEY("") "]}"), ""},
	    {"one key by itself", JWKS("{\"kty\": \"oct\", \"k\": \"YQ\"}"), ""},
	    {"no point on the curve", JWKS("{\"keys\": [" EC_KEY("") ", " NO_EC_KEY "]}"), RULE ".jwks"},
	    {"RSA, too small", JWKS("{\"keys\": [{\"kty\": \"RSA\", \"n\": \"YQ\", \"e\": \"AQAB\"}]}"),
	     "~" RULE ".jwks"},
	    {"another algorithm", JWKS("{\"keys\": [" EC_KEY("") ", " EC_KEY(", \"alg\": \"RS256\"") "]}"),
	     "~" RULE ".jwks"},
	    {"no JSON", JWKS("foo"), RULE ".jwks"},
	    {"no object", JWKS("[]"), RULE ".jwks"},
	    {"keys no list", JWKS("{\"keys\": {}}"), RULE ".jwks"},
	    {"no keys", JWKS("{\"keys\": []}"), "~" RULE ".jwks"},
	    {"no type", JWKS("{\"keys\": [{}]}"), RULE ".jwks"},
	    {"unknown type", JWKS("{\"keys\": [{\"kty\": \"DSA\"}]}"), RULE ".jwks"},
	    {"member missing", JWKS("{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"YQ\"}]}"),
	     RULE ".jwks"},
	    {"not base64url", JWKS("{\"kty\": \"oct\", \"k\": \"a+b\"}"), RULE ".jwks"},
	    {"private key", JWKS(EC_KEY(", \"d\": \"YQ\"")), "~" RULE ".jwks"},
	    {"places", JWT("fromHeaders: [{name: x, prefix: 'Bearer '}], fromParams: [a], fromCookies: [b]"), ""},
	    {"header without a name", JWT("fromHeaders: [{prefix: a}]"), RULE ".fromHeaders[0].name"},
	    {"header with a line break", JWT("fromHeaders: [{name: \"a\\nb\"}]"), RULE ".fromHeaders[0].name"},
	    {"payload header with a line break", JWT("outputPayloadToHeader: \"a\\nb\""),
	     RULE ".outputPayloadToHeader"},
	    {"empty parameter", JWT("fromParams: ['']"), RULE ".fromParams[0]"},
	    {"empty cookie", JWT("fromCookies: ['']"), RULE ".fromCookies[0]"},
	    {"claim to header", JWT("outputClaimToHeaders: [{header: x-a_b, claim: a.b}]"), ""},
	    {"no claim", JWT("outputClaimToHeaders: [{header: a}]"), RULE ".outputClaimToHeaders[0].claim"},
	    {"no header", JWT("outputClaimToHeaders: [{claim: a}]"), RULE ".outputClaimToHeaders[0].header"},
	    {"claim to a pseudo-header", JWT("outputClaimToHeaders: [{header: ':path', claim: a}]"),
	     RULE ".outputClaimToHeaders[0].header"},
	    {"timeout", JWT("timeout: 5s"), ""},
	    {"timeout 0", JWT("timeout: 0s"), RULE ".timeout"},
	    {"empty word claim", JWT("spaceDelimitedClaims: ['']"), RULE ".spaceDelimitedClaims[0]"},
	};
	CHECK_SECURITY("RequestAuthentication", rows);
}
END_TEST
#undef RULE

/* One rule with one source, operation, condition. */
#define SOURCE(source) "{rules: [{from: [{source: {" source "}}]}]}"
#define X20 "xxxxxxxxxxxxxxxxxxxx"
#define X60 X20 X20 X20
#define X63 X60 "xxx"
#define OPERATION(operation) "{rules: [{to: [{operation: {" operation "}}]}]}"
#define WHEN(condition) "{rules: [{when: [{" condition "}]}]}"
#define LETTERS_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG                                                                                                           \
	LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64 "a" /* 513 letters */
#define CUSTOM(rule) "{action: CUSTOM, provider: {name: a}, rules: [{" rule "}]}"
#define DENY(rule) "{action: DENY, rules: [{" rule "}]}"

START_TEST(test_authorization_policy)
{
	static const struct row rows[] = {
	    {"nothing allowed", "{}", ""},
	    {"everything allowed", "{rules: [{}]}", ""},
	    {"no rules", "{rules: []}", ""},
	    {"audit without rules", "{action: AUDIT}", ""},
	    {"deny without rules", "{action: DENY}", "spec.rules"},
	    {"deny everything", "{action: DENY, rules: [{}]}", ""},
	    {"custom", CUSTOM("to: [{operation: {paths: [/a]}}]"), ""},
	    {"custom without rules", "{action: CUSTOM, provider: {name: a}}", "spec.rules"},
	    {"custom without a provider", "{action: CUSTOM, rules: [{}]}", "spec.provider"},
	    {"custom without a name", "{action: CUSTOM, provider: {}, rules: [{}]}", "spec.provider"},
	    {"provider alone", "{provider: {name: a}, rules: [{}]}", "spec.provider"},
	    {"custom with principals", CUSTOM("from: [{source: {principals: [a]}}]"),
	     "spec.rules[0].from[0].source.principals"},
	    {"custom with addresses", CUSTOM("from: [{source: {ipBlocks: [1.2.3.4]}}]"), ""},
	    {"custom with a claim", CUSTOM("when: [{key: 'request.auth.claims[a]', values: [b]}]"),
	     "spec.rules[0].when[0].key"},
	    {"selector without labels", "{selector: {}}", "~spec.selector"},
	    {"selector and target", "{" SELECTED ", " TARGET(", name: a") "}", "spec.targetRef"},
	    {"empty from", "{rules: [{from: []}]}", "~spec.rules[0].from"},
	    {"empty to", "{rules: [{to: []}]}", "~spec.rules[0].to"},
	    {"empty when", "{rules: [{when: []}]}", "~spec.rules[0].when"},
	    {"no source", "{rules: [{from: [{}]}]}", "spec.rules[0].from[0].source"},
	    {"no operation", "{rules: [{to: [{}]}]}", "spec.rules[0].to[0].operation"},
	    {"empty source", SOURCE(""), "spec.rules[0].from[0].source"},
	    {"source of empty lists", SOURCE("principals: []"), "spec.rules[0].from[0].source"},
	    {"empty operation", OPERATION(""), "spec.rules[0].to[0].operation"},
	    {"principals", SOURCE("principals: [a, 'a*', '*a', '*']"), ""},
	    {"not alone", SOURCE("notPrincipals: [a]"), ""},
	    {"empty principal", SOURCE("principals: [a, '']"), "spec.rules[0].from[0].source.principals[1]"},
	    {"whole SPIFFE id", SOURCE("principals: ['spiffe://a/ns/b/sa/c']"),
	     "~spec.rules[0].from[0].source.principals[0]"},
	    {"wildcard in the middle", SOURCE("principals: ['a*b']"), "~spec.rules[0].from[0].source.principals[0]"},
	    {"two wildcards", SOURCE("requestPrincipals: ['*a*']"),
	     "~spec.rules[0].from[0].source.requestPrincipals[0]"},
	    {"namespace with a slash", SOURCE("namespaces: ['a/b']"), "~spec.rules[0].from[0].source.namespaces[0]"},
	    {"long exact principal", SOURCE("principals: ['" LONG "']"), ""},
	    {"long principal", SOURCE("principals: ['*" LONG "']"), "spec.rules[0].from[0].source.principals[0]"},
	    {"long namespace", SOURCE("namespaces: [" LONG "]"), "spec.rules[0].from[0].source.namespaces[0]"},
	    {"long trust domain", SOURCE("notTrustDomains: [" LONG "]"),
	     "spec.rules[0].from[0].source.notTrustDomains[0]"},
	    {"long namespace of a key", WHEN("key: source.namespace, values: [" LONG "]"),
	     "spec.rules[0].when[0].values[0]"},
	    {"service accounts", SOURCE("serviceAccounts: [a, b/c]"), ""},
	    {"service account, wildcard", SOURCE("serviceAccounts: ['a/*']"),
	     "spec.rules[0].from[0].source.serviceAccounts[0]"},
	    {"service account, slashes", SOURCE("notServiceAccounts: [a/b/c, /a, a/]"),
	     "spec.rules[0].from[0].source.notServiceAccounts[0] spec.rules[0].from[0].source.notServiceAccounts[1] "
	     "spec.rules[0].from[0].source.notServiceAccounts[2]"},
	    {"too many service accounts",
	     SOURCE("serviceAccounts: [a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a]"),
	     "spec.rules[0].from[0].source.serviceAccounts"},
	    {"service accounts and namespaces", SOURCE("serviceAccounts: [a], notNamespaces: [b]"),
	     "spec.rules[0].from[0].source.serviceAccounts"},
	    {"addresses", SOURCE("ipBlocks: [1.2.3.4, 10.0.0.0/8, '2001:db8::/32']"), ""},
	    {"bad address", SOURCE("notRemoteIpBlocks: [1.2.3]"), "spec.rules[0].from[0].source.notRemoteIpBlocks[0]"},
	    {"bad block", SOURCE("ipBlocks: [10.0.0.0/33]"), "spec.rules[0].from[0].source.ipBlocks[0]"},
	    {"empty trust domain", SOURCE("trustDomains: ['']"), "spec.rules[0].from[0].source.trustDomains[0]"},
	    {"ports", OPERATION("ports: ['80', '65535']"), ""},
	    {"bad port", OPERATION("ports: ['65536']"), "spec.rules[0].to[0].operation.ports[0]"},
	    {"port no number", OPERATION("notPorts: ['80a']"), "spec.rules[0].to[0].operation.notPorts[0]"},
	    {"hosts", OPERATION("hosts: [a.com, 'a.com:8080', '*.com', 'A.*', '*']"), ""},
	    {"host of a URL", OPERATION("hosts: ['https://a.com']"), "~spec.rules[0].to[0].operation.hosts[0]"},
	    {"host with a path", OPERATION("notHosts: [a.com/x]"), "~spec.rules[0].to[0].operation.notHosts[0]"},
	    {"methods", OPERATION("methods: [GET, 'P*', '*', M-SEARCH]"), ""},
	    {"method in lower case", OPERATION("methods: [GET, get]"), "~spec.rules[0].to[0].operation.methods[1]"},
	    {"method in mixed case", OPERATION("notMethods: ['Ge*']"), "~spec.rules[0].to[0].operation.notMethods[0]"},
	    {"path without a slash", OPERATION("paths: [a]"), "~spec.rules[0].to[0].operation.paths[0]"},
	    {"prefix without a slash", OPERATION("notPaths: ['a*']"), "~spec.rules[0].to[0].operation.notPaths[0]"},
	    {"empty method", OPERATION("methods: ['']"), "spec.rules[0].to[0].operation.methods[0]"},
	    {"paths", OPERATION("paths: [/a, '/a/*', '*/a', '/{*}/a', '/a/{*}/{**}', '/{**}/a.txt']"), ""},
	    {"template with a name", OPERATION("paths: ['/{*}/{a}']"), "spec.rules[0].to[0].operation.paths[0]"},
	    {"template with a named wildcard", OPERATION("paths: ['/{*}/{a=*}']"),
	     "spec.rules[0].to[0].operation.paths[0]"},
	    {"template with a star", OPERATION("notPaths: ['/{*}/*']"), "spec.rules[0].to[0].operation.notPaths[0]"},
	    {"template within a segment", OPERATION("paths: ['/a{*}']"), "~spec.rules[0].to[0].operation.paths[0]"},
	    {"star within a template", OPERATION("paths: ['/{*}/a*']"), "~spec.rules[0].to[0].operation.paths[0]"},
	    {"star before a slash", OPERATION("paths: ['/a*/{*}']"), "spec.rules[0].to[0].operation.paths[0]"},
	    {"template with a space", OPERATION("paths: ['/{*}/a b']"), "spec.rules[0].to[0].operation.paths[0]"},
	    {"template with an empty segment", OPERATION("paths: ['/a//{*}']"),
	     "spec.rules[0].to[0].operation.paths[0]"},
	    {"template that ends with a slash", OPERATION("paths: ['/{*}/']"), ""},
	    {"template with a long tail", OPERATION("paths: ['/{*}//']"), "spec.rules[0].to[0].operation.paths[0]"},
	    {"template, no slash", OPERATION("paths: ['{*}/a']"), "spec.rules[0].to[0].operation.paths[0]"},
	    {"template with text behind a wildcard", OPERATION("paths: ['/a/{*}.txt', '/a/{**}.txt']"), ""},
	    {"template with text behind a wildcard and more", OPERATION("paths: ['/{*}x/y']"),
	     "spec.rules[0].to[0].operation.paths[0]"},
	    {"template with text behind all and more", OPERATION("notPaths: ['/{**}x/']"),
	     "spec.rules[0].to[0].operation.notPaths[0]"},
	    {"template that is as long as can be", OPERATION("paths: ['/{*}/" X63 "/" X63 "/" X63 "/x" X60 "']"), ""},
	    {"template that is too long", OPERATION("paths: ['/{*}/" X63 "/" X63 "/" X63 "/xx" X60 "']"),
	     "spec.rules[0].to[0].operation.paths[0]"},
	    {"template after all", OPERATION("paths: ['/{**}/a/{*}']"), "spec.rules[0].to[0].operation.paths[0]"},
	    {"two stars in a path", OPERATION("paths: ['/a/*/b/*']"), "~spec.rules[0].to[0].operation.paths[0]"},
	    {"condition", WHEN("key: 'request.headers[a]', values: [b], notValues: [c]"), ""},
	    {"no key", WHEN("values: [a]"), "spec.rules[0].when[0].key"},
	    {"unknown key", WHEN("key: source.moon, values: [a]"), "spec.rules[0].when[0].key"},
	    {"key without a member", WHEN("key: 'request.headers[]', values: [a]"), "spec.rules[0].when[0].key"},
	    {"retired key", WHEN("key: 'destination.labels[a]', values: [a]"), "spec.rules[0].when[0].key"},
	    {"no values", WHEN("key: connection.sni"), "spec.rules[0].when[0].values"},
	    {"empty value", WHEN("key: connection.sni, values: ['']"), "spec.rules[0].when[0].values[0]"},
	    {"address of a key", WHEN("key: source.ip, values: [a]"), "spec.rules[0].when[0].values[0]"},
	    {"port of a key", WHEN("key: destination.port, notValues: [a]"), "spec.rules[0].when[0].notValues[0]"},
	    {"filter state", WHEN("key: 'experimental.envoy.filters.a.b[c]', values: [a]"), ""},
	    {"deny by method", DENY("to: [{operation: {methods: [GET]}}]"), "~spec.rules[0]"},
	    {"deny by token", DENY("from: [{source: {requestPrincipals: [a]}}]"), "~spec.rules[0]"},
	    {"deny by method and port", DENY("to: [{operation: {methods: [GET], ports: ['80']}}]"), ""},
	    {"deny by method of a namespace",
	     DENY("from: [{source: {namespaces: [a]}}], to: [{operation: {methods: [GET]}}]"), "~spec.rules[0]"},
	    {"deny by token and port",
	     DENY("from: [{source: {requestPrincipals: [a]}}], to: [{operation: {ports: ['80']}}]"), ""},
	};
	CHECK_SECURITY("AuthorizationPolicy", rows);
}
END_TEST

START_TEST(test_dry_run)
{
	static const struct {
		const char *kind, *value, *spec, *want;
	} rows[] = {
	    {"AuthorizationPolicy", "true", "{}", ""},
	    {"AuthorizationPolicy", "False", "{action: DENY, rules: [{}]}", ""},
	    {"AuthorizationPolicy", "yes", "{}", "metadata"},
	    {"AuthorizationPolicy", "true", "{action: AUDIT, rules: [{}]}", "spec.action"},
	    {"PeerAuthentication", "true", "{}", "metadata"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CLEANUP(text_done) struct text yaml = {0};
		text_printf(&yaml,
		            "apiVersion: security.istio.io/v1\nkind: %s\n"
		            "metadata: {name: a, namespace: here, annotations: {istio.io/dry-run: '%s'}}\nspec: %s\n",
		            rows[i].kind, rows[i].value, rows[i].spec);
		struct decoded decoded = decode(text_get(&yaml));
		ck_assert_msg(strcmp(decoded_issues(&decoded), rows[i].want) == 0, "%s %s: got \"%s\"", rows[i].kind,
		              rows[i].value, decoded_issues(&decoded));
		decoded_done(&decoded);
	}
}
END_TEST

UNIT_MAIN("check_security", test_peer_authentication, test_request_authentication, test_authorization_policy,
          test_dry_run)

/*
 * What an emission takes over from the one before it must be what a cold one would make. Each edit changes one input of
 * one mesh, on a warm emission, there and back, alone and on top of all edits before it; every set of every proxy is
 * compared with a cold run. `want` says what the edit reaches at all, so that an edit that changes nothing is noticed.
 */
#include "server/emission.h"

#include "tests/unit/world.h"

#include <stdio.h>

#define DOCUMENT(kind, name, namespace) "kind: " kind "\nmetadata: {name: " name ", namespace: " namespace "}\n"
#define V1 "apiVersion: v1\n"
#define ISTIO "apiVersion: networking.istio.io/v1\n"
#define SECURITY "apiVersion: security.istio.io/v1\n"
#define END "---\n"
/* One root each, as a string in YAML. */
#define ROOT_A                                                                                                         \
	"-----BEGIN CERTIFICATE-----\\n"                                                                               \
	"MIIBmjCCAUGgAwIBAgIUI1zSGDdUa9KtkGUSrF0kX62zZKwwCgYIKoZIzj0EAwIw\\n"                                          \
	"EjEQMA4GA1UECgwHY2xpZW50czAgFw0yNjExMjQyMzExMDVaGA8yMTI2MTAzMTIz\\n"                                          \
	"MTEwNVowEjEQMA4GA1UECgwHY2xpZW50czBZMBMGByqGSM49AgEGCCqGSM49AwEH\\n"                                          \
	"A0IABGQEGY+T7zZSEC6eiFfE1YFi0VoRMrGoG1YKPktvUC+Vn8/fYMQV8XjM35Gu\\n"                                          \
	"Pk7almNKTyLBb6CgV6FmO7hMHvSjczBxMB0GA1UdDgQWBBQIjOcTLkFN9w2Zg/+F\\n"                                          \
	"wbCL/csktjAfBgNVHSMEGDAWgBQIjOcTLkFN9w2Zg/+FwbCL/csktjAPBgNVHRMB\\n"                                          \
	"Af8EBTADAQH/MB4GA1UdEQQXMBWCE2NsaWVudHMuZXhhbXBsZS5jb20wCgYIKoZI\\n"                                          \
	"zj0EAwIDRwAwRAIgT65LipDi0M0AtpvvAMO7V5j83W/iVqCrYe1+XvVG4w0CIBET\\n"                                          \
	"waFWyVGX0XY7p1KEEWJh/zwosV4zDy9tWHWz8HTB\\n"                                                                  \
	"-----END CERTIFICATE-----\\n"
#define ROOT_B                                                                                                         \
	"-----BEGIN CERTIFICATE-----\\n"                                                                               \
	"MIIBkzCCATigAwIBAgIUfm+X2s2WTIVs1AZvdSQAsKzDt4gwCgYIKoZIzj0EAwIw\\n"                                          \
	"DzENMAsGA1UECgwEc2hvcDAgFw0yNjExMjQyMzExMDVaGA8yMTI2MTAzMTIzMTEw\\n"                                          \
	"NVowDzENMAsGA1UECgwEc2hvcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNU4\\n"                                          \
	"OF2oDdB9m3jgx86copFGko71mKFvpgsSH3tDKZ2Tn1ipK5d5pKwNJEp2+AMxmdoR\\n"                                          \
	"65lL7JDiWP8mS4hX1oajcDBuMB0GA1UdDgQWBBRbjGiu06ENNytNqFLwZpC+brKJ\\n"                                          \
	"HTAfBgNVHSMEGDAWgBRbjGiu06ENNytNqFLwZpC+brKJHTAPBgNVHRMBAf8EBTAD\\n"                                          \
	"AQH/MBsGA1UdEQQUMBKCEHNob3AuZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSQAw\\n"                                          \
	"RgIhAPapvs+4qC/wnQz8heS8pWQsS9aUV6aJS0HtoNCN3ZKzAiEA8HH/jByBoK44\\n"                                          \
	"TrtneOJ3Faec5nKGL5h8I2Q523bbh0w=\\n"                                                                          \
	"-----END CERTIFICATE-----\\n"
#define SECRET(name, root) V1 DOCUMENT("Secret", name, "default") "stringData: {ca.crt: \"" root "\"}\n"

/* Whom a policy asks, and that policy. */
#define ASKED                                                                                                          \
	"    extensionProviders: [{name: b, envoyExtAuthzGrpc: {service: b.default.svc.cluster.local, port: 9000}}]\n"
#define ASKING                                                                                                         \
	SECURITY DOCUMENT("AuthorizationPolicy", "ask", "default") "spec: {action: CUSTOM, provider: {name: b}, "      \
	                                                           "rules: [{}]}\n" END
#define EDGE                                                                                                           \
	ISTIO DOCUMENT(                                                                                                \
	    "Gateway", "edge",                                                                                         \
	    "default") "spec: {selector: {istio: gateway}, servers: [{port: {number: 443, name: s, "                   \
	               "protocol: HTTPS}, hosts: "                                                                     \
	               "[tls.example.com], tls: {mode: MUTUAL, credentialName: edge}}, {port: {number: "               \
	               "15443, name: x, protocol: TLS}, hosts: ['*.local'], tls: {mode: AUTO_PASSTHROUGH}}]}\n" END    \
	                   SECRET("edge", ROOT_A)

static const char mesh[] = V1 DOCUMENT(
    "ConfigMap", "istio",
    "istio-system") "data:\n  mesh: |\n    connectTimeout: 10s\n    defaultVirtualServiceExportTo: ['*']\n" ASKED END V1
    DOCUMENT(
        "Service", "a",
        "default") "spec: {clusterIP: 10.0.0.1, selector: {app: a}, ports: [{name: http, port: 80, targetPort: "
                   "8080}]}\n" END "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                   "metadata: {name: a-1, namespace: default, labels: {kubernetes.io/service-name: a}}\n"
                   "addressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints: [{addresses: [10.1.0.1]}, "
                   "{addresses: [10.1.0.2]}]\n" END V1 DOCUMENT(
                       "Service", "b",
                       "default") "spec: {clusterIP: 10.0.0.2, ports: [{name: tcp, port: 9000}]}\n" END
                                  "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                                  "metadata: {name: b-1, namespace: default, labels: {kubernetes.io/service-name: b}}\n"
                                  "addressType: IPv4\nports: [{name: tcp, port: 9000}]\nendpoints: [{addresses: "
                                  "[10.2.0.1]}]\n" END V1 DOCUMENT(
                                      "Service", "headless",
                                      "default") "spec: {clusterIP: None, ports: [{name: tcp, port: 7000}]}\n" END
                                                 "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                                                 "metadata: {name: headless-1, namespace: default, labels: "
                                                 "{kubernetes.io/service-name: headless}}\n"
                                                 "addressType: IPv4\nports: [{name: tcp, port: 7000}]\nendpoints: "
                                                 "[{addresses: [10.3.0.1]}]\n" END V1
                                                 "kind: Pod\nmetadata: {name: a-pod, namespace: default, labels: "
                                                 "{app: a, version: v1}}\n"
                                                 "status: {podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}]}\n" END V1
                                                 "kind: Pod\nmetadata: {name: gw-pod, namespace: default, labels: "
                                                 "{istio: gateway}}\n"
                                                 "status: {podIP: 10.9.0.1, podIPs: [{ip: 10.9.0.1}]}\n" END ISTIO
                                                     DOCUMENT(
                                                         "ServiceEntry", "dns",
                                                         "default") "spec: {hosts: [api.example.com], resolution: "
                                                                    "DNS, ports: [{number: 80, name: http, "
                                                                    "protocol: HTTP}],\n"
                                                                    "  endpoints: [{address: "
                                                                    "one.example.com}]}\n" END ISTIO DOCUMENT(
                                                                        "DestinationRule", "a",
                                                                        "default") "spec: {host: a, subsets: "
                                                                                   "[{name: "
                                                                                   "v1, labels: {version: "
                                                                                   "v1}}]}\n" END ISTIO DOCUMENT(
                                                                                       "VirtualService", "a",
                                                                                       "default") "spec: {hosts: "
                                                                                                  "[a], "
                                                                                                  "http: [{match: "
                                                                                                  "[{uri: "
                                                                                                  "{prefix: "
                                                                                                  "/x}}], route: "
                                                                                                  "[{destination: "
                                                                                                  "{host: a, "
                                                                                                  "subset: "
                                                                                                  "v1}}]},\n"
                                                                                                  "  {route: "
                                                                                                  "[{destination: "
                                                                                                  "{host: "
                                                                                                  "a}}]}]}\n" END
                                                                                                      ISTIO DOCUMENT("V"
                                                                                                                     "i"
                                                                                                                     "r"
                                                                                                                     "t"
                                                                                                                     "u"
                                                                                                                     "a"
                                                                                                                     "l"
                                                                                                                     "S"
                                                                                                                     "e"
                                                                                                                     "r"
                                                                                                                     "v"
                                                                                                                     "i"
                                                                                                                     "c"
                                                                                                                     "e",
                                                                                                                     "e"
                                                                                                                     "d"
                                                                                                                     "g"
                                                                                                                     "e",
                                                                                                                     "d"
                                                                                                                     "e"
                                                                                                                     "f"
                                                                                                                     "a"
                                                                                                                     "u"
                                                                                                                     "l"
                                                                                                                     "t") "spec: {hosts: [edge.example.com], gateways: [gw], http: [{route: [{destination: {host: a}}]}]}\n" END
                                                                                                          ISTIO DOCUMENT(
                                                                                                              "Gatewa"
                                                                                                              "y",
                                                                                                              "gw",
                                                                                                              "defaul"
                                                                                                              "t") "sp"
                                                                                                                   "ec"
                                                                                                                   ": "
                                                                                                                   "{s"
                                                                                                                   "el"
                                                                                                                   "ec"
                                                                                                                   "to"
                                                                                                                   "r:"
                                                                                                                   " {"
                                                                                                                   "is"
                                                                                                                   "ti"
                                                                                                                   "o:"
                                                                                                                   " g"
                                                                                                                   "at"
                                                                                                                   "ew"
                                                                                                                   "ay"
                                                                                                                   "},"
                                                                                                                   " s"
                                                                                                                   "er"
                                                                                                                   "ve"
                                                                                                                   "rs"
                                                                                                                   ": "
                                                                                                                   "[{"
                                                                                                                   "po"
                                                                                                                   "rt"
                                                                                                                   ": "
                                                                                                                   "{n"
                                                                                                                   "um"
                                                                                                                   "be"
                                                                                                                   "r:"
                                                                                                                   " 8"
                                                                                                                   "0,"
                                                                                                                   " n"
                                                                                                                   "am"
                                                                                                                   "e:"
                                                                                                                   " h"
                                                                                                                   "tt"
                                                                                                                   "p,"
                                                                                                                   " p"
                                                                                                                   "ro"
                                                                                                                   "to"
                                                                                                                   "co"
                                                                                                                   "l:"
                                                                                                                   " H"
                                                                                                                   "TT"
                                                                                                                   "P}"
                                                                                                                   ", "
                                                                                                                   "ho"
                                                                                                                   "st"
                                                                                                                   "s:"
                                                                                                                   " ["
                                                                                                                   "'*"
                                                                                                                   "']"
                                                                                                                   "}]"
                                                                                                                   "}"
                                                                                                                   "\n" END ASKING
                                                                                                                       EDGE;

#define CDS (1u << RESOURCE_CLUSTER)
#define SDS (1u << RESOURCE_SECRET)
#define EDS (1u << RESOURCE_ENDPOINTS)
#define LDS (1u << RESOURCE_LISTENER)
#define RDS (1u << RESOURCE_ROUTE)

/* `from` is replaced by `to`; an empty `from` adds `to` at the end. */
static const struct edit {
	const char *name, *from, *to;
	unsigned want; /* types of which some proxy gets another set */
} edits[] = {
    {"nothing", "10.1.0.1", "10.1.0.1", 0},
    {"an endpoint", "10.1.0.2", "10.1.0.7", EDS},
    {"an endpoint of another service", "10.2.0.1", "10.2.0.9", EDS},
    {"an endpoint of a headless service", "10.3.0.1", "10.3.0.9", LDS | EDS},
    {"the labels of a pod", "version: v1}}\nstatus", "version: v2}}\nstatus", EDS},
    {"the account of a pod", "version: v1}}\nstatus", "version: v1}}\nspec: {serviceAccountName: x}\nstatus", CDS},
    {"a proxy in a pod", "version: v1}}\nstatus", "version: v1, security.istio.io/tlsMode: istio}}\nstatus", EDS},
    {"a host name behind an entry", "one.example.com", "two.example.com", CDS},
    {"the port of a service", "port: 9000}]}", "port: 9001}]}", CDS | EDS | LDS},
    {"the protocol of a port", "{name: tcp, port: 9000}]}", "{name: http-x, port: 9000}]}", CDS | EDS | LDS | RDS},
    {"the address of a service", "10.0.0.2", "10.0.0.3", LDS},
    {"the port behind a service", "port: 8080}]\nendpoints", "port: 8081}]\nendpoints", CDS | EDS | LDS},
    {"the labels of a subset", "labels: {version: v1}}]", "labels: {version: v3}}]", EDS},
    {"the name of a subset", "name: v1, labels", "name: v9, labels", CDS | EDS | LDS},
    {"a policy", "host: a, subsets", "host: a, trafficPolicy: {connectionPool: {tcp: {maxConnections: 7}}}, subsets",
     CDS},
    {"who sees a policy", "host: a, subsets", "host: a, exportTo: [.], subsets", CDS | EDS},
    {"a route", "prefix: /x", "prefix: /y", RDS},
    {"who sees a route", "hosts: [a], http", "hosts: [a], exportTo: [.], http", RDS},
    {"the host of a gateway's route", "edge.example.com", "rim.example.com", RDS},
    {"the claims of a gateway's route", "gateways: [gw], http: [{route",
     "gateways: [gw], http: [{match: [{headers: {'@request.auth.claims.a': {exact: x}}}], route", RDS},
    {"a gateway's port", "number: 80, name: http, protocol: HTTP}, hosts: ['*']",
     "number: 81, name: http, protocol: HTTP}, hosts: ['*']", LDS | RDS},
    {"a gateway's selector", "selector: {istio: gateway}", "selector: {istio: other}", LDS | RDS},
    {"the mesh's settings", "connectTimeout: 10s", "connectTimeout: 3s", CDS},
    {"where proxies log", "connectTimeout: 10s", "connectTimeout: 10s\n    accessLogFile: /dev/stdout", LDS},
    {"who is of the mesh", "connectTimeout: 10s", "connectTimeout: 10s\n    trustDomainAliases: [old]", CDS | LDS},
    {"the mesh's TLS version", "connectTimeout: 10s",
     "connectTimeout: 10s\n    meshMTLS: {minProtocolVersion: TLSV1_3}", LDS},
    {"the mutual TLS of a namespace", "",
     END SECURITY DOCUMENT("PeerAuthentication", "all", "default") "spec: {mtls: {mode: STRICT}}\n", LDS},
    {"a namespace that refuses mutual TLS", "",
     END SECURITY DOCUMENT("PeerAuthentication", "none", "default") "spec: {mtls: {mode: DISABLE}}\n", CDS | LDS},
    {"the mutual TLS of a workload", "",
     END SECURITY DOCUMENT("PeerAuthentication", "of-a", "default") "spec: {selector: {matchLabels: {app: a}}, mtls: "
                                                                    "{mode: PERMISSIVE}, portLevelMtls: {8080: "
                                                                    "{mode: DISABLE}}}\n",
     LDS},
    {"the mutual TLS of nobody here", "",
     END SECURITY DOCUMENT("PeerAuthentication", "of-z", "default") "spec: {selector: {matchLabels: {app: z}}, mtls: "
                                                                    "{mode: STRICT}}\n",
     0},
    {"access to a workload", "",
     END SECURITY DOCUMENT("AuthorizationPolicy", "of-a", "default") "spec: {selector: {matchLabels: {app: a}}}\n",
     LDS},
    {"access through a gateway", "",
     END SECURITY DOCUMENT("AuthorizationPolicy", "of-gw",
                           "default") "spec: {selector: {matchLabels: {istio: gateway}}, rules: [{}]}\n",
     LDS},
    {"access to nobody here", "",
     END SECURITY DOCUMENT("AuthorizationPolicy", "of-z", "default") "spec: {selector: {matchLabels: {app: z}}}\n", 0},
    {"access to the whole mesh", "",
     END SECURITY DOCUMENT("AuthorizationPolicy", "all", "istio-system") "spec: {action: DENY, rules: [{}]}\n", LDS},
    {"how policies ask", "port: 9000}}]", "port: 9000, failOpen: true}}]", LDS},
    {"whom policies ask, who is not there", "service: b.default", "service: z.default", LDS},
    {"whom nobody asks", "extensionProviders: [",
     "extensionProviders: [{name: z, envoyExtAuthzGrpc: {service: b.default.svc.cluster.local, port: 9000}}, ", 0},
    {"two services where policies ask one", "",
     END ISTIO DOCUMENT(
         "ServiceEntry", "own",
         "other") "spec: {hosts: [b.default.svc.cluster.local], resolution: STATIC, exportTo: [.],\n"
                  "  ports: [{number: 9000, name: tcp, protocol: TCP}], endpoints: [{address: 10.5.0.1}]}\n",
     CDS | EDS | LDS},
    {"another policy that asks somebody else", "",
     END SECURITY DOCUMENT("AuthorizationPolicy", "rival",
                           "default") "spec: {action: CUSTOM, provider: {name: z}, rules: [{}]}\n",
     LDS},
    {"tokens that a workload takes", "",
     END SECURITY DOCUMENT("RequestAuthentication", "of-a", "default") "spec: {selector: {matchLabels: {app: a}}, "
                                                                       "jwtRules: [{issuer: https://a.example}]}\n",
     LDS},
    {"tokens that a gateway takes", "",
     END SECURITY DOCUMENT("RequestAuthentication", "of-gw",
                           "default") "spec: {selector: {matchLabels: {istio: gateway}}, jwtRules: [{issuer: "
                                      "https://a.example}]}\n",
     LDS},
    {"tokens that nobody here takes", "",
     END SECURITY DOCUMENT("RequestAuthentication", "of-z", "default") "spec: {selector: {matchLabels: {app: z}}, "
                                                                       "jwtRules: [{issuer: https://a.example}]}\n",
     0},
    {"a Secret that a gateway names", "", END SECRET("edge-cacert", ROOT_B), SDS},
    {"a Secret that nobody names", "", END SECRET("other", ROOT_B), 0},
    {"what a gateway believes", "credentialName: edge", "credentialName: rim", LDS | SDS},
    {"the mesh's default visibility", "defaultVirtualServiceExportTo: ['*']", "defaultVirtualServiceExportTo: ['.']",
     RDS},
    {"a service of the same host in another namespace", "",
     END ISTIO DOCUMENT(
         "ServiceEntry", "own",
         "other") "spec: {hosts: [api.example.com], resolution: STATIC, exportTo: [.],\n"
                  "  ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.5.0.1}]}\n",
     CDS | EDS},
    {"a new service", "",
     END V1 DOCUMENT("Service", "new", "default") "spec: {clusterIP: 10.0.0.8, ports: [{name: http, port: 80}]}\n",
     CDS | EDS | LDS | RDS},
    {"a TCP route of sidecars", "",
     END ISTIO DOCUMENT("VirtualService", "b", "default") "spec: {hosts: [b], tcp: [{route: [{destination: {host: a, "
                                                          "subset: v1}}]}]}\n",
     LDS},
    {"a TCP route of a gateway that has none", "",
     END ISTIO DOCUMENT("VirtualService", "c", "default") "spec: {hosts: [b], gateways: [gw], tcp: [{route: "
                                                          "[{destination: {host: a}}]}]}\n",
     0},
    {"a policy with a selector", "",
     END ISTIO DOCUMENT("DestinationRule", "own",
                        "default") "spec: {host: b, workloadSelector: {matchLabels: {app: a}}, trafficPolicy: "
                                   "{connectionPool: {tcp: {maxConnections: 3}}}}\n",
     CDS},
};

static const struct {
	const char *id;
	bool has_agent;
} nodes[] = {
    {"sidecar~10.1.0.1~a-pod.default~default.svc.cluster.local", true},
    {"sidecar~192.0.2.1~c.default~default.svc.cluster.local", false},
    {"sidecar~192.0.2.2~d.other~other.svc.cluster.local", false},
    {"router~10.9.0.1~gw-pod.default~default.svc.cluster.local", true},
};
#define N_NODES (sizeof nodes / sizeof nodes[0])

/* A roster, and the emissions of one pipeline for it. */
struct line {
	struct roster_node *nodes[N_NODES];
	struct roster *roster;
	struct emit_cache *cache;
	struct emission *emission;
	struct generation *generation;
};

static struct line line_new(void)
{
	struct line line = {.cache = emit_cache_new()};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	static const char agent[] = "{\"ISTIO_VERSION\": \"1.0.0\"}";
	for (size_t i = 0; i < N_NODES; i++) {
		struct error error;
		const struct json *metadata =
		    nodes[i].has_agent ? json_parse(arena, agent, strlen(agent), &error) : NULL;
		line.nodes[i] = roster_node_new(nodes[i].id, metadata, &error);
		ck_assert_msg(line.nodes[i] != NULL, "%s", error.message);
		line.nodes[i]->node.is_verified = nodes[i].has_agent;
	}
	line.roster = roster_new(line.nodes, N_NODES);
	return line;
}

static void line_done(struct line *line)
{
	for (size_t i = 0; i < N_NODES; i++)
		roster_node_unref(line->nodes[i]);
	roster_unref(line->roster);
	generation_unref(line->generation);
	emission_free(line->emission);
	emit_cache_free(line->cache);
}

/* The former generation is the caller's. */
static struct generation *line_emit(struct line *line, const char *yaml)
{
	struct world world = world_of(yaml);
	ck_assert_uint_eq(world.issues.n, 0);
	struct resolved *resolved = resolved_new(world.snapshot);
	struct generation *former = line->generation;
	line->generation = generation_new(resolved);
	struct emission *emission = emission_new(&(struct emission_input){
	    .generation = line->generation, .roster = line->roster, .cache = line->cache, .former = line->emission});
	emission_free(line->emission);
	line->emission = emission;
	emit_cache_sweep(line->cache);
	resolved_unref(resolved);
	world_done(&world);
	return former;
}

static void assert_same(const struct resource_set *warm, const struct resource_set *cold, const char *what)
{
	ck_assert_msg(!warm == !cold, "%s", what);
	if (!warm)
		return;
	ck_assert_msg(warm->n == cold->n, "%s: %zu %s, cold %zu", what, warm->n, resource_types[warm->type].plural,
	              cold->n);
	for (size_t i = 0; i < warm->n; i++) {
		const struct resource *a = warm->v[i], *b = cold->v[i];
		ck_assert_msg(strcmp(a->name, b->name) == 0 && a->body_n == b->body_n &&
		                  memcmp(a->body, b->body, a->body_n) == 0,
		              "%s: %s is stale", what, b->name);
	}
	ck_assert_msg(digest_equal(warm->version, cold->version), "%s", what);
}

static void assert_as_cold(const struct line *warm, const char *yaml, const char *what)
{
	struct line cold = line_new();
	line_emit(&cold, yaml);
	for (size_t i = 0; i < N_NODES; i++) {
		const struct proxy_config *a = generation_config(warm->generation, warm->nodes[i]);
		const struct proxy_config *b = generation_config(cold.generation, cold.nodes[i]);
		for (size_t type = 0; type < RESOURCE_TYPE_COUNT; type++) {
			assert_same(a->view[type], b->view[type], what);
			assert_same(a->workload[type], b->workload[type], what);
		}
	}
	line_done(&cold);
}

/* Which types differ for some node; and what is equal is one object. */
static unsigned difference(const struct line *line, const struct generation *former)
{
	unsigned types = 0;
	for (size_t i = 0; i < N_NODES; i++) {
		const struct proxy_config *now = generation_config(line->generation, line->nodes[i]);
		const struct proxy_config *then = generation_config(former, line->nodes[i]);
		for (size_t type = 0; type < RESOURCE_TYPE_COUNT; type++) {
			bool is_same =
			    now->view[type] == then->view[type] && now->workload[type] == then->workload[type];
			ck_assert_int_eq(now->view[type] == then->view[type],
			                 digest_equal(now->view[type]->version, then->view[type]->version));
			types |= is_same ? 0 : 1u << type;
		}
	}
	return types;
}

static const char *edited(struct arena *arena, const char *yaml, const struct edit *edit)
{
	const char *at = *edit->from ? strstr(yaml, edit->from) : yaml + strlen(yaml);
	ck_assert_msg(at != NULL, "%s: nothing to edit", edit->name);
	return arena_printf(arena, "%.*s%s%s", (int)(at - yaml), yaml, edit->to, at + strlen(edit->from));
}

static void check_edit(const struct edit *edit)
{
	struct arena *arena = arena_new();
	const char *after = edited(arena, mesh, edit);
	struct line line = line_new();
	line_emit(&line, mesh);
	struct generation *before = line_emit(&line, after);
	assert_as_cold(&line, after, edit->name);
	unsigned types = difference(&line, before);
	ck_assert_msg(types == edit->want, "%s: types %x, want %x", edit->name, types, edit->want);
	generation_unref(before);
	generation_unref(line_emit(&line, mesh));
	assert_as_cold(&line, mesh, edit->name);
	line_done(&line);
	arena_free(arena);
}

START_TEST(each_edit_there_and_back)
{
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
		check_edit(&edits[i]);
}
END_TEST

START_TEST(edits_on_top_of_each_other)
{
	struct arena *arena = arena_new();
	struct line line = line_new();
	const char *yaml = mesh;
	line_emit(&line, yaml);
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		if (*edits[i].from && !strstr(yaml, edits[i].from))
			continue; /* an edit before has it */
		yaml = edited(arena, yaml, &edits[i]);
		generation_unref(line_emit(&line, yaml));
		assert_as_cold(&line, yaml, edits[i].name);
	}
	line_done(&line);
	arena_free(arena);
}
END_TEST

/* Cost follows the change: what was emitted again is counted. */
START_TEST(endpoints_emit_no_view_anew)
{
	struct line line = line_new();
	struct arena *arena = arena_new();
	line_emit(&line, mesh);
	generation_unref(line_emit(&line, edited(arena, mesh, &edits[1])));
	ck_assert_uint_eq(line.emission->n_emitted, 0);
	/* the sidecars share one set; the gateway has the headless service, too */
	ck_assert_uint_eq(line.emission->n_changed[RESOURCE_ENDPOINTS], 2);
	line_done(&line);
	arena_free(arena);
}
END_TEST

UNIT_MAIN("emission_carry", each_edit_there_and_back, edits_on_top_of_each_other, endpoints_emit_no_view_anew)

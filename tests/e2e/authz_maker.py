"""Draws meshes and requests in which the words of AuthorizationPolicies meet.

    maker = Maker(random.Random(seed))
    made = maker.mesh()              three namespaces, their pods and policies
    made.policies, made.pods         as naive_authz wants them; each pod has a "name" besides
    maker.request(pod, policies)     as naive_authz wants it
    text_of(made, key_set)           as YAML
"""
import collections
import json

import naive_authz

ROOT_NAMESPACE = "istio-system"
NORMALIZATIONS = ["BASE", "BASE", "NONE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]
NAMESPACES = ["shop", "bank", "sa"]
PODS_OF_NAMESPACE, POLICIES_OF_NAMESPACE, POLICIES_OF_MESH = 2, 4, 2
PORTS = {8080: "http", 5000: "tcp", 7000: "any"}  # of the Service; no Service has 6001
HTTP_PORTS, TCP_PORTS = [8080, 8080, 7000, 6001], [5000, 5000, 7000, 6001]
CALLERS = [f"{domain}/ns/{namespace}/sa/{account}" for domain, namespace, account in [
    ("cluster.local", "shop", "web"), ("cluster.local", "shop", "api"), ("cluster.local", "bank", "web"), ("cluster.local", "sa", "ns"), ("old.domain", "shop", "web")]]
CLAIMS = [
    {"iss": "iss.example", "sub": "ann", "aud": ["shop", "bank"], "azp": "app", "group": ["staff", "clerk"], "realm": {"role": "clerk"}},
    {"iss": "iss.example", "sub": "bob", "aud": "shop", "group": "staff", "scope": "read write", "realm": "clerk"},
    {"iss": "other.example", "sub": "ann", "azp": "other", "group": 7, "scope": "read", "realm": {"role": ["chief", "clerk"]}},
]
ADDRESSES = ["127.0.0.1", "127.0.1.1", "127.0.1.2", "127.1.0.1"]  # connections come from loopback
REMOTE = ["203.0.113.7", "127.0.1.1", "2001:db8::7"]  # as X-Forwarded-For says
BLOCKS = ["127.0.0.0/8", "127.0.1.0/24", "127.0.1.1", "127.0.1.2/32", "127.1.0.0/16", "::ffff:127.0.1.0/120", "::ffff:127.1.0.1", "203.0.113.0/24", "2001:db8::/32", "::/0", "0.0.0.0/0", "127.0.1.7/24"]
SERVER_NAMES = [None, "orders.example.com", "outbound_.80_._.orders.shop.svc.cluster.local"]
HEADERS = {"x-role": [["user"], ["root"], ["user", "root"], ["user,root"], ["admin"], ["user, admin"], ["rooted"]], "x-tier": [["gold"], ["goldish"], ["silver", "gold"]]}
PRINCIPALS = [*CALLERS, "*", "cluster.local/*", "*/sa/web", "cluster.local/ns/shop/*", "*web", "*/ns/bank/sa/web", "old.domain/ns/shop/sa/api", "cluster.local/ns/shop/sa/w*", "other.domain/ns/shop/sa/web", "spiffe"]
VALUES = {
    "principals": PRINCIPALS, "namespaces": ["shop", "bank", "sa", "s*", "*a", "*", "*op", "sh*", "ns", "*k"], "serviceAccounts": ["web", "api", "shop/web", "bank/web", "sa/ns", "shop/we"],
    "trustDomains": ["cluster.local", "old.domain", "other.domain", "*", "*.domain", "old*"], "ipBlocks": BLOCKS, "remoteIpBlocks": BLOCKS,
    "requestPrincipals": ["iss.example/ann", "iss.example/*", "*/ann", "*", "other.example/ann", "*nn", "iss*", "*.example/bob", "iss.example/b*"],
    "hosts": ["orders.example.com", "*.example.com", "orders*", "*", "ORDERS.example.com", "orders", "orders.example.com:8080", "*:8080", "api.internal", "*.INTERNAL"],
    "ports": ["8080", "5000", "7000", "6001", "80"], "methods": ["GET", "POST", "PUT", "DELETE", "*", "P*", "*T", "get"],
    "paths": ["/", "/a", "/a/*", "/a/b", "*/b", "*.txt", "*", "/a*", "/b", "//a", "/a/{*}", "/a/{**}", "/{*}/b", "/a/{**}/b", "/{*}/b/{**}", "/a%2Fb", "/{**}", "/a/", "/a/x*", "/a/~b", "/~a", "/a//b", "/{*}", "/x/{*}/b", "/{*}.txt", "/a/{**}.txt", "/{**}/", "/a\\b", "/a/.."],
}
CONDITIONS = {
    "request.headers[x-role]": ["user", "root", "adm*", "*ot", "*", "us*", "*min", "admin"], "request.headers[X-Role]": ["user", "root", "us*", "*ot", "adm*"], "request.headers[X-Tier]": ["gold", "go*", "*old", "silver"], "source.ip": BLOCKS, "remote.ip": BLOCKS,
    "source.namespace": VALUES["namespaces"], "source.serviceAccount": VALUES["serviceAccounts"], "source.principal": PRINCIPALS, "source.trustDomain": VALUES["trustDomains"],
    "destination.ip": ["10.1.0.0/16", "10.1.0.1", "10.1.0.2", "::ffff:10.1.0.0/112", "0.0.0.0/0", "10.9.0.0/16"], "destination.port": VALUES["ports"], "connection.sni": ["orders.example.com", "*.com", "outbound*", "*", "*.local"],
    "request.auth.principal": VALUES["requestPrincipals"], "request.auth.audiences": ["shop", "bank", "*", "sh*"], "request.auth.presenter": ["app", "other", "*"],
    "request.auth.claims[group]": ["staff", "clerk", "st*", "7"], "request.auth.claims[realm][role]": ["clerk", "*f"], "request.auth.claims[realm]": ["clerk", "*"], "request.auth.claims[scope]": ["read", "write", "w*"],
}
HOSTS = ["orders.example.com", "Orders.Example.COM", "orders.example.com:8080", "orders.example.com.", "orders.example.com.:80", "orders", "a.internal", "api.internal:80", "example.com"]
METHODS = ["GET", "GET", "POST", "PUT", "DELETE"]
PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/c.txt", "/a//b", "//a", "/%61", "/a/../b", "/a/./b", "/a%2Fb", "/a%2fb", "/a\\b", "/b?x=/a", "/a?x", "/A", "/c.txt", "/a/b;v=1", "/%2e%2E/a", "/a/..", "/x/b/y", "/x/b", "/a/x/y/b", "/%252e/a",
         "/a/b/", "/a/%7Eb", "/b/../../a", "/a/.", "/*/b", "/a/x%20y", "/a/", "/%7ea", "/x/%2E", "/a/*", "/a/[x]", "/a/x|y/b", "/a/^", "/[x]/b", "/a/\"x"]
SOURCES = ["principals", "requestPrincipals", "namespaces", "trustDomains", "ipBlocks", "remoteIpBlocks"]
OPERATIONS = ["hosts", "hosts", "ports", "methods", "paths", "paths", "paths"]  # paths are what is most easily got wrong
HTTP_ONLY = ["requestPrincipals", "hosts", "methods", "paths"]
AIMS_MAX = 10
ACTIONS = ["ALLOW"] * 11 + ["DENY"] * 6 + ["AUDIT"]

Mesh = collections.namedtuple("Mesh", "pods policies")


class Maker:
    def __init__(self, random):
        self.random, self.one = random, random.choice

    def is_so(self, probability):
        return self.random.random() < probability

    def some(self, values, most=3):
        return self.random.sample(values, self.random.randint(1, min(most, len(values))))

    def lists(self, fields, most):
        """Of some fields values, negations, or both."""
        made = {}
        for field in {self.one(fields): None for _ in range(self.random.randint(1, most))}:
            kind = self.random.random()
            if kind < 0.75:
                made[field] = self.some(VALUES[field])
            if kind > 0.65:
                made["not" + field[0].upper() + field[1:]] = self.some(VALUES[field], 2)
        return made

    def source(self, is_of_tcp, most=2):
        fields = ["serviceAccounts"] if self.is_so(0.2) else [field for field in SOURCES if not is_of_tcp or field not in HTTP_ONLY]
        return {"source": self.lists(fields, most)}

    def operation(self, is_of_tcp, most=2):
        return {"operation": self.lists([field for field in OPERATIONS if not is_of_tcp or field not in HTTP_ONLY], most)}

    def condition(self, is_of_tcp):
        keys = [key for key in CONDITIONS if not is_of_tcp or not naive_authz.is_http(key)]
        key = self.one(keys if is_of_tcp or self.is_so(0.6) else [key for key in keys if key.startswith("request.headers")])
        kind = self.random.random()
        return {"key": key, **({"values": self.some(CONDITIONS[key])} if kind < 0.75 else {}), **({"notValues": self.some(CONDITIONS[key], 2)} if kind > 0.65 else {})}

    def rule(self):
        """Most ask one thing, so that it decides; some ask nothing that is known of HTTP only."""
        is_of_tcp = self.is_so(0.35)
        if self.is_so(0.65):
            return self.one([lambda: {"from": [self.source(is_of_tcp, 1)]}, lambda: {"to": [self.operation(is_of_tcp, 1)]}, lambda: {"to": [self.operation(is_of_tcp, 1)]}, lambda: {"when": [self.condition(is_of_tcp)]}])()
        made = {}
        if self.is_so(0.5):
            made["from"] = [self.source(is_of_tcp) for _ in range(self.random.randint(1, 2))]
        if self.is_so(0.5):
            made["to"] = [self.operation(is_of_tcp) for _ in range(self.random.randint(1, 2))]
        if self.is_so(0.5) or not made and self.is_so(0.8):
            made["when"] = [self.condition(is_of_tcp) for _ in range(self.random.randint(1, 2))]
        return made

    def policy(self, name, namespace, apps):
        action = self.one(ACTIONS)
        rules = [self.rule() for _ in range(self.random.randint(1, 2))]
        if action == "ALLOW" and self.is_so(0.05):
            rules = []  # allow nothing
        selector = self.one([None, *[{"app": self.one(apps)}] * 3, {"version": "v1"}, {"app": self.one(apps), "version": "v1"}])
        annotations = {"istio.io/dry-run": self.one(["true", "true", "false"])} if action != "AUDIT" and self.is_so(0.15) else {}
        spec = {**({"action": action} if action != "ALLOW" or self.is_so(0.5) else {}), **({"rules": rules} if rules else {}), **({"selector": {"matchLabels": selector}} if selector else {})}
        return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": name, "namespace": namespace, "annotations": annotations}, "spec": spec}

    def mesh(self):
        pods, policies, normalization = [], [], self.one(NORMALIZATIONS)
        apps = [f"app-{i}" for i in range(PODS_OF_NAMESPACE)]
        for namespace in NAMESPACES:
            for app in apps:
                pods.append({"name": f"{app}-1", "namespace": namespace, "labels": {"app": app, "version": self.one(["v1", "v2"])}, "ip": f"10.1.0.{len(pods) + 1}", "is_strict": self.is_so(0.3), "normalization": normalization})
            policies += [self.policy(f"p-{i}", namespace, apps) for i in range(POLICIES_OF_NAMESPACE)]
        policies += [self.policy(f"p-{i}", ROOT_NAMESPACE, apps) for i in range(self.random.randint(0, POLICIES_OF_MESH))]
        return Mesh(pods, policies)

    def request(self, pod, policies):
        """Most are aimed at a rule that decides: without it the verdict would be another."""
        asked = [policy for policy in policies if naive_authz.is_for(policy, pod)]
        rules = [(policy, rule) for policy in asked for rule in policy["spec"].get("rules", [])]
        made = self.any_request(pod)
        if not rules or self.is_so(0.2):
            return made
        for _ in range(AIMS_MAX):
            policy, rule = self.one(rules)
            made = self.aim(self.any_request(pod), pod, policy, rule)
            without = [one if one is not policy else {**one, "spec": {**one["spec"], "rules": [other for other in one["spec"]["rules"] if other is not rule]}} for one in asked]
            if naive_authz.decide(without, pod, made) != naive_authz.decide(asked, pod, made):
                break
        return made

    def any_request(self, pod):
        is_tcp, caller, address = self.is_so(0.2), self.one([*CALLERS, *CALLERS, None, None]), self.one(ADDRESSES)
        made = {"to": f"{pod['namespace']}/{pod['name']}", "from": caller, "tcp": is_tcp, "port": self.one(TCP_PORTS if is_tcp else HTTP_PORTS), "sourceIp": address, "remoteIp": address,
                "serverName": self.one(SERVER_NAMES) if caller else None, "headers": {}, "jwtClaims": None, "method": "GET", "path": "/", "host": None}
        if is_tcp:
            return made
        return {**made, "method": self.one(METHODS), "path": self.one(PATHS), "host": self.one(HOSTS), "headers": {name: self.one(texts) for name, texts in HEADERS.items() if self.is_so(0.5)}, "jwtClaims": self.one([None, *CLAIMS])}

    def aim(self, request, pod, policy, rule):
        asked = [naive_authz.conditions_of(self.one(rule[place])[name]) for place, name in (("from", "source"), ("to", "operation")) if place in rule]
        for key, values, not_values in sum(asked, naive_authz.conditions_in(rule)):
            others = [other for other in self.others(key, request) if naive_authz.does_hold(key, values, not_values, policy, pod, other) == self.is_so(0.95)]
            request = self.one(others or [request])
        if request["remoteIp"] != request["sourceIp"]:
            request = {**request, "headers": {**request["headers"], "x-forwarded-for": [request["remoteIp"]]}}
        return request

    def others(self, key, request):
        """The request with each of what it may say there."""
        if request["tcp"] and naive_authz.is_http(key):
            return [request]
        name, _, rest = key.partition("[")
        if name == "request.headers":
            header = rest[:-1].lower()
            without = {name: texts for name, texts in request["headers"].items() if name != header}
            return [{**request, "headers": headers} for headers in [without, *({**without, header: texts} for texts in HEADERS[header])]]
        if name.startswith("request.auth"):
            return [{**request, "jwtClaims": claims} for claims in [None, *CLAIMS]]
        fields = {
            "source.ip": ("sourceIp", ADDRESSES), "remote.ip": ("remoteIp", [request["sourceIp"], *([] if request["tcp"] else REMOTE)]), "destination.port": ("port", TCP_PORTS if request["tcp"] else HTTP_PORTS),
            "connection.sni": ("serverName", SERVER_NAMES if request["from"] else [None]), "hosts": ("host", HOSTS), "methods": ("method", METHODS), "paths": ("path", PATHS), "destination.ip": ("port", [request["port"]]),
        }
        field, values = fields.get(name, ("from", [*CALLERS, None]))
        changed = [{**request, field: value} for value in values]
        for one in changed:
            one["serverName"] = one["serverName"] if one["from"] else None
            one["remoteIp"] = one["sourceIp"] if field == "sourceIp" and request["remoteIp"] == request["sourceIp"] or one["tcp"] else one["remoteIp"]
        return changed


# --- as YAML


def objects_of(mesh, key_set):
    """key_set: of who signs tokens."""
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": ROOT_NAMESPACE}, "data": {"mesh": json.dumps({"trustDomainAliases": ["old.domain"], "pathNormalization": {"normalization": mesh.pods[0]["normalization"]}})}}
    yield {"apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "metadata": {"name": "tokens", "namespace": ROOT_NAMESPACE},
           "spec": {"jwtRules": [{"issuer": issuer, "jwks": json.dumps(key_set)} for issuer in sorted({claims["iss"] for claims in CLAIMS})]}}
    for pod in mesh.pods:
        named = lambda name, **more: {"name": name, "namespace": pod["namespace"], **more}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": named(pod["name"], labels=pod["labels"]), "status": {"phase": "Running", "podIP": pod["ip"], "podIPs": [{"ip": pod["ip"]}]}}
        app = pod["labels"]["app"]
        yield {"apiVersion": "v1", "kind": "Service", "metadata": named(app), "spec": {"clusterIP": pod["ip"].replace("10.", "11.", 1), "selector": {"app": app}, "ports": [{"name": name, "port": port} for port, name in PORTS.items()]}}
        yield {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": named(f"{app}-1", labels={"kubernetes.io/service-name": app}), "addressType": "IPv4", "ports": [{"name": name, "port": port} for port, name in PORTS.items()],
               "endpoints": [{"addresses": [pod["ip"]], "targetRef": {"kind": "Pod", "name": pod["name"], "namespace": pod["namespace"]}}]}
        if pod["is_strict"]:
            yield {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": named(app), "spec": {"selector": {"matchLabels": {"app": app}}, "mtls": {"mode": "STRICT"}}}
    yield from mesh.policies


def text_of(mesh, key_set):
    return "\n---\n".join(json.dumps(one) for one in objects_of(mesh, key_set))

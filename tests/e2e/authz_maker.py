"""Draws meshes and requests in which the words of AuthorizationPolicies meet.

    maker = Maker(random.Random(seed))
    made = maker.mesh()              three namespaces, their pods and policies
    made.policies, made.pods         as naive_authz wants them; each pod has a "name" besides
    maker.request(pod)               as naive_authz wants it
    text_of(made, key_set)           as YAML
"""
import collections
import json

ROOT_NAMESPACE = "istio-system"
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
    "paths": ["/", "/a", "/a/*", "/a/b", "*/b", "*.txt", "*", "/a*", "/b", "//a", "/a/{*}", "/a/{**}", "/{*}/b", "/a/{**}/b", "/{*}/b/{**}", "/a%2Fb", "/{**}"],
}
CONDITIONS = {
    "request.headers[x-role]": ["user", "root", "adm*", "*ot", "*", "us*", "*min"], "request.headers[X-Tier]": ["gold", "go*", "*old", "silver"], "source.ip": BLOCKS, "remote.ip": BLOCKS,
    "source.namespace": VALUES["namespaces"], "source.serviceAccount": VALUES["serviceAccounts"], "source.principal": PRINCIPALS, "source.trustDomain": VALUES["trustDomains"],
    "destination.ip": ["10.1.0.0/16", "10.1.0.1", "10.1.0.2", "::ffff:10.1.0.0/112", "0.0.0.0/0", "10.9.0.0/16"], "destination.port": VALUES["ports"], "connection.sni": ["orders.example.com", "*.com", "outbound*", "*", "*.local"],
    "request.auth.principal": VALUES["requestPrincipals"], "request.auth.audiences": ["shop", "bank", "*", "sh*"], "request.auth.presenter": ["app", "other", "*"],
    "request.auth.claims[group]": ["staff", "clerk", "*", "st*", "7"], "request.auth.claims[realm][role]": ["clerk", "*f", "*"], "request.auth.claims[realm]": ["clerk", "*"], "request.auth.claims[scope]": ["read", "write", "read write", "w*"],
}
HOSTS = ["orders.example.com", "Orders.Example.COM", "orders.example.com:8080", "orders.example.com.", "orders.example.com.:80", "orders", "a.internal", "api.internal:80", "example.com"]
METHODS = ["GET", "GET", "POST", "PUT", "DELETE"]
PATHS = ["/", "/a", "/a/", "/a/b", "/a/b/c.txt", "/a//b", "//a", "/%61", "/a/../b", "/a/./b", "/a%2Fb", "/a%2fb", "/a\\b", "/b?x=/a", "/a?x", "/A", "/c.txt", "/a/b;v=1", "/%2e%2E/a", "/a/..", "/x/b/y", "/x/b", "/a/x/y/b", "/%252e/a",
         "/a/b/", "/a/%7Eb", "/b/../../a", "/a/.", "/*/b", "/a/x%20y", "/a/."]
SOURCES = ["principals", "requestPrincipals", "namespaces", "trustDomains", "ipBlocks", "remoteIpBlocks"]
OPERATIONS = ["hosts", "ports", "methods", "paths"]
HTTP_ONLY = ["requestPrincipals", "hosts", "methods", "paths"]
ACTIONS = ["ALLOW"] * 11 + ["DENY"] * 6 + ["AUDIT"]

Mesh = collections.namedtuple("Mesh", "pods policies")


class Maker:
    def __init__(self, random):
        self.random, self.one = random, random.choice

    def is_so(self, probability):
        return self.random.random() < probability

    def some(self, values, most=3):
        return self.random.sample(values, self.random.randint(1, min(most, len(values))))

    def lists(self, fields, is_of_tcp):
        """Of one to two fields values, negations, or both."""
        made = {}
        for field in self.some([field for field in fields if not is_of_tcp or field not in HTTP_ONLY], 2):
            kind = self.random.random()
            if kind < 0.75:
                made[field] = self.some(VALUES[field])
            if kind > 0.65:
                made["not" + field[0].upper() + field[1:]] = self.some(VALUES[field], 2)
        return made

    def condition(self, is_of_tcp):
        key = self.one([key for key in CONDITIONS if not is_of_tcp or not key.startswith("request.")])
        kind = self.random.random()
        return {"key": key, **({"values": self.some(CONDITIONS[key])} if kind < 0.75 else {}), **({"notValues": self.some(CONDITIONS[key], 2)} if kind > 0.65 else {})}

    def rule(self):
        """Half of them ask nothing that is known of HTTP only."""
        made, is_of_tcp = {}, self.is_so(0.5)
        if self.is_so(0.5):
            fields = ["serviceAccounts"] if self.is_so(0.15) else SOURCES
            made["from"] = [{"source": self.lists(fields, is_of_tcp)} for _ in range(self.random.randint(1, 2))]
        if self.is_so(0.6):
            made["to"] = [{"operation": self.lists(OPERATIONS, is_of_tcp)} for _ in range(self.random.randint(1, 2))]
        if self.is_so(0.35) or not made and self.is_so(0.8):
            made["when"] = [self.condition(is_of_tcp) for _ in range(self.random.randint(1, 2))]
        return made

    def policy(self, name, namespace, apps):
        action = self.one(ACTIONS)
        rules = [self.rule() for _ in range(self.random.randint(1, 3 if action == "ALLOW" else 2))]
        if action == "ALLOW" and self.is_so(0.05):
            rules = []  # allow nothing
        selector = self.one([None, {"app": self.one(apps)}, {"app": self.one(apps)}, {"version": "v1"}, {"app": self.one(apps), "version": "v1"}])
        annotations = {"istio.io/dry-run": self.one(["true", "true", "false"])} if action != "AUDIT" and self.is_so(0.15) else {}
        spec = {**({"action": action} if action != "ALLOW" or self.is_so(0.5) else {}), **({"rules": rules} if rules else {}), **({"selector": {"matchLabels": selector}} if selector else {})}
        return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": name, "namespace": namespace, "annotations": annotations}, "spec": spec}

    def mesh(self):
        pods, policies = [], []
        apps = [f"app-{i}" for i in range(PODS_OF_NAMESPACE)]
        for namespace in NAMESPACES:
            for app in apps:
                pods.append({"name": f"{app}-1", "namespace": namespace, "labels": {"app": app, "version": self.one(["v1", "v2"])}, "ip": f"10.1.0.{len(pods) + 1}", "is_strict": self.is_so(0.3)})
            policies += [self.policy(f"p-{i}", namespace, apps) for i in range(POLICIES_OF_NAMESPACE)]
        policies += [self.policy(f"p-{i}", ROOT_NAMESPACE, apps) for i in range(self.random.randint(0, POLICIES_OF_MESH))]
        return Mesh(pods, policies)

    def request(self, pod):
        is_tcp, caller, address = self.is_so(0.25), self.one([*CALLERS, *CALLERS, None, None]), self.one(ADDRESSES)
        made = {"to": f"{pod['namespace']}/{pod['name']}", "from": caller, "tcp": is_tcp, "port": self.one(TCP_PORTS if is_tcp else HTTP_PORTS), "sourceIp": address, "remoteIp": address,
                "serverName": self.one(SERVER_NAMES) if caller else None, "headers": {}, "jwtClaims": None, "method": "GET", "path": "/", "host": None}
        if is_tcp:
            return made
        made |= {"method": self.one(METHODS), "path": self.one(PATHS), "host": self.one(HOSTS), "headers": {name: self.one(texts) for name, texts in HEADERS.items() if self.is_so(0.5)}}
        if self.is_so(0.4):
            made["jwtClaims"] = self.one(CLAIMS)
        if self.is_so(0.2):
            made["remoteIp"] = self.one(REMOTE)
            made["headers"]["x-forwarded-for"] = [made["remoteIp"]]
        return made


# --- as YAML


def objects_of(mesh, key_set):
    """key_set: of who signs tokens."""
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": ROOT_NAMESPACE}, "data": {"mesh": json.dumps({"trustDomainAliases": ["old.domain"], "pathNormalization": {"normalization": "BASE"}})}}
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

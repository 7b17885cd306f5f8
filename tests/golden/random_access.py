"""Access control with odd values, for random_test.py: policies of all actions and fields, request authentications, external authorizers.

A policy with one bad value is refused whole, and what is left of it says little: so values that must be refused are rare.
"""
import json

TEXTS = ["x", "x*", "*x", "*", "**", "*x*", "x*y", "*.a.com", "a.com:80", "A.com", ".", "a.b+c?(d)[e]{f}|g^h$\\", "\\", "(", "[", "[x]", "[*]", "ä*", "👍", "*ä", "a\nb", "\t", " ", "\"'`", "%REQ(x)%", "%", "x" * 4000, "\x7f", "spiffe://x"]
PATHS = ["/", "/*", "/x", "/a//b", "/a/../b", "/%2f", "/a?b#c", "x", "/{*}", "/{**}", "/a/{*}/b/{**}", "/{*}.x", "/a.(b)+$&'@=:,;!", "/{**}/x", "/a/{**}/b.", "*/x", "/ä", "/" + "x/" * 400]
BAD_PATHS = ["/{*}/{**}/{*}", "/{x}", "{*}", "/a//{*}", "/{*}ä"]
PRINCIPALS = ["cluster.local/ns/default/sa/x", "other.td/ns/default/sa/x", "td/ns/*", "*/ns/default/sa/x", "*", "*/x.y+", "cluster.local/*", "spiffe://td/ns/x/sa/y", "a(b[c", "ä/ns/x/sa/y"]
ACCOUNTS = ["x", "default/x", "other/x.y", "x-1", "a.b/c+d"]
BLOCKS = ["10.0.0.9", "10.0.0.0/8", "0.0.0.0/0", "0.0.0.0", "255.255.255.255/32", "10.1.2.3/9", "2001:db8::1", "2001:db8::/32", "::/0", "::", "::1/128", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "fe80::1/1"]
BAD_BLOCKS = ["10.0.0.0/33", "x", "::/129", "10.0.0"]
PORTS = ["0", "1", "80", "443", "8080", "15006", "15021", "65535"]
BAD_PORTS = ["65536", "-1", "80 ", "http"]
METHODS = ["GET", "POST", "get", "P*", "*T", "*", "CONNECT", "ä"]
KEYS = {
    "request.headers[x]": TEXTS, "request.headers[X-Upper_case]": TEXTS, "request.headers[:path]": PATHS, "request.headers[:authority]": TEXTS, "request.headers[a b]": TEXTS, "request.headers[ä]": TEXTS,
    "request.experimental.inline.headers[x]": TEXTS, "source.ip": BLOCKS, "remote.ip": BLOCKS, "destination.ip": BLOCKS, "destination.port": PORTS, "connection.sni": TEXTS,
    "experimental.envoy.filters.network.mysql_proxy[db.table]": TEXTS, "experimental.envoy.filters.a.b[c]": ["[x]", "[*x]", "x"],
}
KEYS_OF_IDENTITY = {
    "source.namespace": TEXTS, "source.principal": PRINCIPALS, "source.serviceAccount": ACCOUNTS, "source.trustDomain": TEXTS, "request.auth.principal": TEXTS, "request.auth.audiences": TEXTS, "request.auth.presenter": TEXTS,
    "request.auth.claims[groups]": TEXTS, "request.auth.claims[a][b][c]": TEXTS, "request.auth.claims[a.b]": TEXTS,
}
RSA = {"kty": "RSA", "e": "AQAB", "kid": "r", "n": "xAE7eB6qugXyCAG3yhh7pkDkT65pHymX-P7KfIupjf59vsdo91bSP9C8H07pSAGQO1MV"
       "_xFj9VswgsCg4R6otmg5PV2He95lZdHtOcU5DXIg_pbhLdKXbi66GlVeK6ABZOUW3WYtnNHD-91gVuoeJT_DwtGGcp4ignkgXfkiEm4sw-4sfb4qdt5oLbyVpmW6x9cfa7vs2WTfURiCrBoUqgBo_-4WTiULmmHSGZHOjzwa8WtrtOQGsAFjIbno85jp6MnGGGZPYZbDAa_b3y5u-YpW7ypZrvD8BgtKVjgtQgZhLAGezMt0ua3DRrWnKqTZ0BJ_EyxOGuHJrLsn00fnMQ"}
EC = {"kty": "EC", "crv": "P-256", "kid": "e", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
OCT = {"kty": "oct", "alg": "HS256", "k": "GawgguFyGrWKav7AX4VKUg"}
OKP = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
NAMES = ["x-token", "X-Upper", "authorization", "a b", "ä", ":path", "cookie", "x" * 300]
HEADERS = ["x-a", "X-B", "x-*", "*-y", "authorization", "set-cookie"]


class Access:
    """What random_test.Maker draws of access control, by its `one`, `some`, `maybe` and `labels`; `provider` is the external authorizer of (nearly) all."""

    def values(self, good, bad=()):
        drawn = self.some(lambda: self.one(good), 1, self.one([1, 2, 5]))
        if self.random.random() < 0.01:
            drawn += [f"{i}{self.one(good)}" if good is TEXTS else self.one(good) for i in range(1000)]
        if bad and self.random.random() < 0.01:
            drawn.append(self.one(bad))
        return drawn + self.rarely("")[:self.random.random() < 0.2]

    def lists(self, fields, least=1):
        """Some of the fields, each as it is, as its negation, or both."""
        drawn = {}
        for field in self.random.sample(sorted(fields), self.random.randint(least, min(3, len(fields)))):
            negation = "not" + field[0].upper() + field[1:]
            for name in self.one([[field], [field], [negation], [field, negation]]):
                drawn[name] = self.values(*fields[field])
        return drawn

    def source(self, is_custom):
        fields = {"ipBlocks": (BLOCKS, BAD_BLOCKS), "remoteIpBlocks": (BLOCKS, BAD_BLOCKS)}
        if not is_custom:
            fields |= {"requestPrincipals": (TEXTS,), "trustDomains": (TEXTS,), **self.one([{"serviceAccounts": (ACCOUNTS, ["*"])}, {"principals": (PRINCIPALS,), "namespaces": (TEXTS,)}])}
        return {"source": self.lists(fields)}

    def operation(self):
        return {"operation": self.lists({"hosts": (TEXTS,), "ports": (PORTS, BAD_PORTS), "methods": (METHODS,), "paths": (PATHS, BAD_PATHS)})}

    def condition(self, is_custom):
        keys = KEYS if is_custom else {**KEYS, **KEYS_OF_IDENTITY}
        key = self.one(sorted(keys))
        return {"key": key, **self.one([{"values": self.values(keys[key])}, {"notValues": self.values(keys[key])}, {"values": self.values(keys[key]), "notValues": self.values(keys[key])}])}

    def selection(self):
        target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}
        return self.one([{}, {}, {"selector": {"matchLabels": self.labels()}}, {"selector": {"matchLabels": {"istio": "gw"}}}, {"targetRefs": [target]}])

    def authorization_policy(self, _):
        action = self.one(["ALLOW", "ALLOW", "DENY", "DENY", "AUDIT", "CUSTOM"])
        is_custom = action == "CUSTOM"
        rule = lambda: self.maybe(**{"from": lambda: self.some(lambda: self.source(is_custom), 1), "to": lambda: self.some(self.operation, 1), "when": lambda: self.some(lambda: self.condition(is_custom), 1)})
        provider = {"provider": {"name": self.one([self.provider] * 20 + ["odd"])}} if is_custom else {}
        rules = self.some(rule, 1 if action in ("DENY", "CUSTOM") else 0, self.one([3, 3, 40]))
        return "security.istio.io/v1", "AuthorizationPolicy", {"action": action, "rules": rules, **self.selection(), **provider}

    def jwt_rule(self):
        keys = lambda: self.some(lambda: self.one([RSA, EC, OCT, OKP]), 1)
        jwks = lambda: json.dumps(self.one([{"keys": keys()}, RSA, {"keys": []}] + self.rarely({"keys": [{"kty": "RSA"}]})))
        source = self.one([{"jwks": jwks()}, {"jwks": jwks()}, {"jwksUri": self.one(["https://keys.a.com/x?y=z", "http://[2001:db8::1]:8080/", "https://keys.a.com"])}, {}])
        name = lambda: self.one(NAMES)
        return {"issuer": self.one(["https://a.com", "https://a.com/", "issuer", "ä", "x" * 3000, *self.rarely("")]), **source,
                **self.maybe(audiences=lambda: self.values(TEXTS), fromHeaders=lambda: self.some(lambda: {"name": name(), **self.maybe(prefix=lambda: self.one(["Bearer ", "", "ä", "x" * 1000]))}), fromParams=lambda: self.some(lambda: self.one(TEXTS)),
                             fromCookies=lambda: self.some(lambda: self.one(["x", "a b", "ä", "a=b;c"])), forwardOriginalToken=lambda: True, outputPayloadToHeader=lambda: self.one(NAMES), timeout=lambda: self.one(["0.001s", "5s", "315576000000s"]),
                             outputClaimToHeaders=lambda: self.some(lambda: {"claim": self.one(["a", "a.b", "ä", "a[b"]), "header": self.one(["x-a", "X_b"] + self.rarely("ä"))}), spaceDelimitedClaims=lambda: self.some(lambda: self.one(["scope", "a.b", "ä"])))}

    def request_authentication(self, _):
        return "security.istio.io/v1", "RequestAuthentication", {"jwtRules": self.some(self.jwt_rule, 0, 4), **self.selection()}

    def providers(self, service):
        """MeshConfig's: "http", "grpc" and "odd", which is invalid; the first two at one service, so that they can be asked."""
        body = lambda: {"maxRequestBytes": self.one([1, 8192, 64 * 1024 * 1024]), **self.maybe(allowPartialMessage=lambda: True, packAsBytes=lambda: True)}
        both = lambda: {"service": service, "port": 9000, **self.maybe(timeout=lambda: self.one(["0.001s", "10s", "315576000000s"]), failOpen=lambda: True, statusOnError=lambda: self.one(["403", "200", "511"]), clearRouteCache=lambda: True, includeRequestBodyInCheck=body)}
        headers = lambda: self.some(lambda: self.one(HEADERS))
        http = lambda: {**both(), **self.maybe(pathPrefix=lambda: self.one(["", "/", "/check", "/%20{x}$ä"]), includeRequestHeadersInCheck=headers, includeHeadersInCheck=headers, includeAdditionalHeadersInCheck=lambda: {"x-a": "", "X-B": "ä %REQ(x)% 100%"}, headersToUpstreamOnAllow=headers,
                                               headersToDownstreamOnDeny=headers, headersToDownstreamOnAllow=headers)}
        odd = {"service": self.one(["", "/", "x/", "a.com"]), "port": self.one([0, 9000, 70000]), "timeout": self.one(["0s", "1s"]), "statusOnError": self.one(["x", "999", "0"]), "pathPrefix": "x y", "headersToUpstreamOnAllow": ["a b"]}
        return [{"name": "http", "envoyExtAuthzHttp": http()}, {"name": "grpc", "envoyExtAuthzGrpc": both()}, {"name": "odd", "envoyExtAuthzHttp": odd}]

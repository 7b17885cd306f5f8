#!/usr/bin/env python3
"""What must not get past an AuthorizationPolicy: requests that no client library sends, by callers whose names look like another's.

The judge is the application behind the sidecar: what it was told is what got past. Each port has a policy of its own, all are in force at once.
"""
import json
import os

import tap

import mesh
import pods
import raw

NORMALIZATIONS = ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "{trustDomainAliases: [old.domain], pathNormalization: {normalization: %s}}"}
"""
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: NAME, namespace: default}
spec: SPEC
---
"""
PREFIX = "spiffe://cluster.local/ns/"
WHO = {"friend": PREFIX + "default/sa/friend", "friend, once": "spiffe://old.domain/ns/default/sa/friend", "s": PREFIX + "s/sa/s"}
LOOKALIKES = {
    "begins with its name": PREFIX + "default/sa/friend2", "ends with its name": PREFIX + "default/sa/afriend", "in upper case": PREFIX + "default/sa/Friend",
    "its name in another namespace": PREFIX + "other/sa/friend", "a namespace that begins so": PREFIX + "default2/sa/friend",
    "a namespace that ends so": PREFIX + "kube-default/sa/friend", "a namespace of the account's name": PREFIX + "friend/sa/default",
    "a namespace called ns": PREFIX + "ns/sa/default", "a namespace called sa": PREFIX + "sa/sa/friend",
    "an account called as the words between": PREFIX + "ns/sa/friend",
}
ATTACKER = "10.244.0.11"  # the second pod
# Policies by port; of ALLOW what is let in, of DENY what is not.
ALLOW, DENY = {
    "allow path": {"to": [{"operation": {"paths": ["/public", "/public/*"]}}]},
    "allow header": {"when": [{"key": "request.headers[x-role]", "values": ["user"]}]},
    "allow account": {"from": [{"source": {"serviceAccounts": ["friend"]}}]},
    "allow principal": {"from": [{"source": {"principals": ["cluster.local/ns/default/sa/friend"]}}]},
    "allow namespace": {"from": [{"source": {"namespaces": ["s*", "*a"]}}]},
    "allow trust domain": {"from": [{"source": {"trustDomains": ["cluster.local"]}}]},
    "allow address": {"from": [{"source": {"ipBlocks": ["10.9.9.0/24"]}}]},
}, {
    "deny path": {"to": [{"operation": {"paths": ["/admin", "/admin/*"]}}]},
    "deny any path": {"to": [{"operation": {"paths": ["*"]}}]},
    "deny template": {"to": [{"operation": {"paths": ["/admin/{**}", "/user/{*}/keys"]}}]},
    "deny host": {"to": [{"operation": {"hosts": ["admin.example.com", "*.internal"]}}]},
    "deny header": {"when": [{"key": "request.headers[x-role]", "values": ["root", "adm*", "*-op"]}]},
    "deny other header": {"when": [{"key": "request.headers[x-role]", "notValues": ["user"]}]},
    "deny method": {"to": [{"operation": {"methods": ["DELETE"]}}]},
    "deny address": {"from": [{"source": {"ipBlocks": [ATTACKER]}}]},
    "deny mapped address": {"from": [{"source": {"ipBlocks": ["::ffff:10.244.0.0/120"]}}]},
}
PORT = {name: 8100 + i for i, name in enumerate([*ALLOW, *DENY])}
SERVED = [(f"http-{port}", port, port, "http1") for port in PORT.values()]

# request target: what the application gets, by NORMALIZATIONS, where /admin is denied; None: nothing. One for all if it is the same.
TARGETS = {
    "/public/x": "/public/x", "/admin": None, "/admin/": None, "/admin/x": None, "/admin?x": None, "/admin?/../public": None,
    "//admin": ["//admin", "//admin", None, None], "/./admin": ["/./admin", None, None, None],
    "/public/../admin": ["/public/../admin", None, None, None], "/public/..//admin": ["/public/..//admin", "//admin", None, None],
    "/%61dmin": ["/%61dmin", None, None, None], "/%2e/admin": ["/%2e/admin", None, None, None],
    "/public/%2e%2E/admin": ["/public/%2e%2E/admin", None, None, None], "/../../admin": ["/../../admin", None, None, None],
    "/%2fadmin": ["/%2fadmin", "/%2fadmin", "/%2fadmin", None], "/admin%2Fx": ["/admin%2Fx", "/admin%2Fx", "/admin%2Fx", None],
    "/public/..%2fadmin": ["/public/..%2fadmin", "/public/..%2fadmin", "/public/..%2fadmin", None],
    "/admin%5cx": ["/admin%5cx", "/admin%5cx", "/admin%5cx", None], "/public\\..\\admin": ["/public\\..\\admin", None, None, None],
    "/\\admin": ["/\\admin", "//admin", None, None], "\\admin": None, "/%zz/../admin": ["/%zz/../admin", None, None, None],
    "/%252e/admin": "/%252e/admin",  # once, not twice
    "/admin;x": "/admin;x", "/ADMIN": "/ADMIN", "/admin.": "/admin.", "/admin%20": "/admin%20", "/admin%00": ["/admin%00", None, None, None],  # other paths
    "/public?/../admin": "/public?/../admin", "/?/admin": "/?/admin",  # a query is none
    "/admin#x": None, "/public#/../admin": None, "/admin\0": None, "/\0/admin": None, "/admin\t": None, "/public/ /admin": None, "/admin\xff": None, "/\xff": None,
    "admin": None, "*": None, "": None, "?/admin": None,
    "http://server/admin": None, "HTTP://SERVER/admin": None, "https://other/admin": None, "http://server//admin": ["//admin", "//admin", None, None],
    "http://server/public/../admin": ["/public/../admin", None, None, None], "http://user@server/admin": None,
}
# request target: the same where only /public is allowed
ALLOWED = {
    "/public": "/public", "/public/x": "/public/x", "/public?/../admin": "/public?/../admin", "/publicx": None, "/PUBLIC": None, "/": None, "/x?/public/": None, "/x#/public/": None,
    "/public/../x": ["/public/../x", None, None, None], "/public/..//x": ["/public/..//x", None, None, None], "/public/%2e%2e/x": ["/public/%2e%2e/x", None, None, None],
    "/public\\..\\x": None, "/public/..\\x": ["/public/..\\x", None, None, None], "/public/..%2fx": ["/public/..%2fx", "/public/..%2fx", "/public/..%2fx", None],
    "/public/..%5cx": ["/public/..%5cx", "/public/..%5cx", "/public/..%5cx", None], "//public/x": [None, None, "/public/x", "/public/x"],
    "/public%2f..%2fx": None, "/public;/../x": None, "/public%00/x": None, "http://server/public": "/public", "http://public/x": None,
}
HOSTS = {  # Host: whether it reaches the application where admin.example.com and *.internal are denied
    "example.com": True, "admin.example.com.evil": True, "xadmin.example.com": True, "internal": True,
    "admin.example.com": False, "x@admin.example.com": False, "ADMIN.Example.COM": False, "admin.example.com:80": False, "admin.example.com:": False, "Admin.example.com:8090": False,
    "admin.example.com.": False, "admin.example.com.:80": False, " admin.example.com ": False, "a.internal": False, "a.INTERNAL:443": False, "a.internal.": False,
}
ROLES = {  # lines of a head: whether they get past a DENY of root, adm* and *-op; past an ALLOW of user; past a DENY of all but user
    "x-role: user": (True, True, True), "x-other: root": (True, False, False), "x-role: rooted": (True, False, False), "x-role: Root": (True, False, False),
    "x-role: root": (False, False, False), "X-ROLE: root": (False, False, False), "x-role:root": (False, False, False), "x-role: \t root \t": (False, False, False),
    "x-role: user\r\nx-role: root": (False, False, False), "x-role: root\r\nx-role: user": (False, False, False), "x-role: user\r\nX-Role: root\r\nx-role: user": (False, False, False),
    "x-role: user,root": (False, False, False), "x-role: user ,\troot , user": (False, False, False), "x-role: ,root": (False, False, False),
    "x-role: user\r\nx-role: admin": (False, False, False), "x-role: user\r\nx-role: an-op\r\nx-role: user": (False, False, False),
    "x-role: root\r\nx-role: \xff": (False, False, False), "x-role: \xff,root,\xfe": (False, False, False), "x-role: adm\xff": (False, False, False), "x-role: \xff-op,\xff": (False, False, False),
    "x-role : root": (False, False, False), "x-role: user\r\n root": (True, False, False),  # a fold: "user root"
    "x-role: root\0": (False, False, False),
    "x_role: root": (True, False, False),  # another header
    "connection: close, x-role\r\nx-role: root": (True, False, False),  # the proxy takes it away
    "x-role: ": (True, False, False), "x-role: user, ": (True, False, False),
}
SMUGGLED = b"GET /admin HTTP/1.1\r\nhost: server\r\n\r\n"
CHUNKED = b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n"
# bytes: targets that may reach the application where /admin is denied, none of which must
MESSAGES = {
    "HTTP/1.0": b"GET /admin HTTP/1.0\r\n\r\n", "HTTP/0.9": b"GET /admin\r\n\r\n", "HTTP/1.2": b"GET /admin HTTP/1.2\r\nhost: server\r\n\r\n", "HTTP/2.0": b"GET /admin HTTP/2.0\r\nhost: server\r\n\r\n",
    "empty lines first": b"\r\n\r\n" + SMUGGLED, "a line feed alone": b"GET /public HTTP/1.1\nhost: server\n\n" + SMUGGLED, "a tab": b"GET\t/admin\tHTTP/1.1\r\nhost: server\r\n\r\n",
    "h2c": b"GET /admin HTTP/1.1\r\nhost: server\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n",
    "a WebSocket": b"GET /admin HTTP/1.1\r\nhost: server\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    "behind a WebSocket": b"GET /public HTTP/1.1\r\nhost: server\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" + SMUGGLED,
    "CONNECT": b"CONNECT /admin HTTP/1.1\r\nhost: server\r\n\r\n", "CONNECT and more": b"CONNECT server:80 HTTP/1.1\r\nhost: server\r\n\r\n" + SMUGGLED,
    "chunked and a length": b"POST /public HTTP/1.1\r\nhost: server\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n" + CHUNKED,
    "a length and chunked": b"POST /public HTTP/1.1\r\nhost: server\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked twice": b"POST /public HTTP/1.1\r\nhost: server\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\ncontent-length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "nearly chunked": b"POST /public HTTP/1.1\r\nhost: server\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": b"POST /public HTTP/1.1\r\nhost: server\r\ncontent-length: 0\r\ncontent-length: 9\r\n\r\n" + SMUGGLED,
    "a length with a sign": b"POST /public HTTP/1.1\r\nhost: server\r\ncontent-length: +0\r\n\r\n" + SMUGGLED,
    "pipelined": b"GET /public HTTP/1.1\r\nhost: server\r\n\r\n" + SMUGGLED,
    "two Hosts": b"GET /admin HTTP/1.1\r\nhost: server\r\nhost: other\r\n\r\n", "no Host": b"GET /admin HTTP/1.1\r\n\r\n",
    "a path of its own in headers": b"GET /admin HTTP/1.1\r\nhost: server\r\nx-envoy-original-path: /public\r\nx-original-url: /public\r\n:path: /public\r\n\r\n",
}


def policies():
    """One policy that allows, with what the other ports need, and one that denies."""
    for action, by_port in ("ALLOW", ALLOW), ("DENY", DENY):
        rules = []
        for name, rule in by_port.items():
            ports = {"ports": [str(PORT[name])]}
            rules.append({**rule, "to": [{"operation": {**to["operation"], **ports}} for to in rule.get("to", [{"operation": {}}])]})
        if action == "ALLOW":
            rules.append({"to": [{"operation": {"ports": [str(PORT[name]) for name in DENY]}}]})
        yield POLICY.replace("NAME", action.lower()).replace("SPEC", json.dumps({"action": action, "rules": rules}))


class Ring:
    """The pods, and who asks."""

    def __init__(self, cluster):
        self.server, self.attacker = cluster.pod("server"), cluster.pod("attacker", sidecar=None)
        assert self.attacker.ip == ATTACKER
        cluster.service("server", [self.server], ports=SERVED)
        self.apps = {name: raw.Application(self.server, port) for name, port in PORT.items()}
        self.who = {name: raw.Certificate(cluster, uri) for name, uri in {**WHO, **LOOKALIKES}.items()}

    def reached(self, port, said, who="friend"):
        """What the application was told: a head for each request."""
        raw.ask(self.attacker, (self.server.ip, PORT[port]), said, self.who.get(who))
        return self.apps[port].take()

    def targets(self, port, said, who="friend"):
        return [head.split(b" ")[1].decode("latin-1") for head in self.reached(port, said, who)]

    def targets2(self, port, **headers):
        """The same over HTTP/2; a header's name is given as an argument's, "_" for ":"."""
        pairs = [(name.replace("_", ":").encode(), value.encode("latin-1")) for name, value in {"_method": "GET", "_scheme": "http", "_authority": "server", "_path": "/", **headers}.items()]
        raw.ask_http2(self.attacker, (self.server.ip, PORT[port]), pairs, self.who["friend"])
        return self.apps[port].take()


def get(target="/", lines="host: server"):
    return f"GET {target} HTTP/1.1\r\n{lines}\r\n\r\n".encode("latin-1")


def check(wants, gots):
    wrong = [f"{what!r}: want {wants[what]!r}, got {got!r}" for what, got in gots.items() if got != wants[what]]
    assert not wrong, "\n".join(wrong)


def check_paths(ring, mode):
    i = NORMALIZATIONS.index(mode)
    for port, table, what in ("deny path", TARGETS, "DENY of /admin"), ("allow path", ALLOWED, "ALLOW of /public"):
        wants = {target: want[i] if isinstance(want, list) else want for target, want in table.items()}
        wants = {target: [want] if want else [] for target, want in wants.items()}
        with tap.case(f"{mode}: no request target gets past a {what}, and what passes is what was judged"):
            check(wants, {target: ring.targets(port, get(target)) for target in table})
    with tap.case(f"{mode}: nothing is no path; templates hold"):
        for target in "/", "/%ff", "/x?y", "http://server", "/" + "a" * 5000:
            assert ring.reached("deny any path", get(target)) == [], target
        for target in "/admin/x", "/admin/x/y?z", "/user/a/keys", "/user/%61/keys", "/admin/[", "/admin/x]/y", "/user/[a]/keys", "/admin/a|b", "/admin/\"", "/admin/*", "/user/{a}/keys":
            assert ring.reached("deny template", get(target)) == [], target
        assert ring.targets("deny template", get("/user/a/b/keys")) == ["/user/a/b/keys"]


def check_heads(ring):
    with tap.case("no form of a host gets past a DENY of it"):
        check(HOSTS, {host: bool(ring.reached("deny host", get(lines=f"host: {host}"))) for host in HOSTS})
    with tap.case("an absolute target's host is the host, whatever Host says; two Hosts are refused"):
        assert ring.reached("deny host", get("http://admin.example.com/")) == []
        assert ring.reached("deny host", get("http://admin.example.com:80/", "host: example.com")) == []
        heads = ring.reached("deny host", get("http://example.com/", "host: admin.example.com"))
        assert [raw.header(head, b"host") for head in heads] == [[b"example.com"]], heads
        for lines in "host: example.com\r\nhost: admin.example.com", "host: admin.example.com\r\nhost: example.com", "host: example.com, admin.example.com":
            heads = ring.reached("deny host", get(lines=lines))
            assert not any(b"admin.example.com" == host for head in heads for host in raw.header(head, b"host")), heads
    for port, i, what in ("deny header", 0, "DENY of some values"), ("allow header", 1, "ALLOW of one"), ("deny other header", 2, "DENY of all others"):
        with tap.case(f"no form of a header gets past a {what}"):
            check({lines: want[i] for lines, want in ROLES.items()}, {lines: bool(ring.reached(port, get(lines=f"host: server\r\n{lines}"))) for lines in ROLES})
    with tap.case("a method in another case is none"):
        for method in "DELETE", "delete", "Delete", "DELETE ", " DELETE":
            assert ring.reached("deny method", get().replace(b"GET", method.encode())) == [], method
        assert len(ring.reached("deny method", get())) == 1


def check_messages(ring):
    with tap.case("no framing gets a request past a DENY of /admin"):
        check({what: False for what in MESSAGES}, {what: any(not target.startswith("/public") for target in ring.targets("deny path", said)) for what, said in MESSAGES.items()})
    with tap.case("HTTP/2: pseudo headers, and a Host beside them"):
        assert len(ring.targets2("deny path", _path="/public")) == 1
        for path in "/admin", "/public/../admin", "/admin#", "/%61dmin", "/admin?", "", "admin", "http://server/admin":
            assert ring.targets2("deny path", _path=path) == [], path
        for path in "/", "/\xff", "/ ", "*", "x":
            assert ring.targets2("deny any path", _path=path) == [], path
        for host in "admin.example.com", "ADMIN.example.com", "admin.example.com:80", "a.internal.":
            assert ring.targets2("deny host", _authority=host) == [], host
        heads = ring.targets2("deny host", _authority="example.com", host="admin.example.com")
        assert all(raw.header(head, b"host") == [b"example.com"] for head in heads), heads
        for name, value in ("x-role", "root"), ("X-Role", "root"), ("x-role", "a,root"), ("x-role", "root,\xff"):
            assert ring.targets2("deny header", **{name: value}) == [], (name, value)


def check_names(ring):
    reach = lambda port, who: bool(ring.reached(port, get(), who))
    for port, friends in {"allow account": ["friend", "friend, once"], "allow principal": ["friend", "friend, once"], "allow namespace": ["s", "a namespace called sa"],
                          "allow trust domain": [*WHO, *LOOKALIKES]}.items():
        with tap.case(f"{port}: those that are meant get in, and nobody whose name looks like theirs"):
            check({who: who in friends for who in ring.who}, {who: reach(port, who) for who in ring.who})


def check_addresses(ring):
    said = ["x-forwarded-for: 10.9.9.9", "x-forwarded-for: 10.9.9.9, 10.9.9.9", "x-forwarded-for: ::ffff:10.9.9.9", "forwarded: for=10.9.9.9", "x-real-ip: 10.9.9.9",
            "x-envoy-external-address: 10.9.9.9", "x-client-ip: 10.9.9.9", "true-client-ip: 10.9.9.9"]
    with tap.case("no header changes where a connection comes from"):
        for line in said:
            for port in "allow address", "deny address", "deny mapped address":
                assert ring.reached(port, get(lines=f"host: server\r\n{line}")) == [], (port, line)


def main():
    with pods.Cluster() as cluster:
        cluster.write("strict.yaml", STRICT)
        cluster.write("mesh.yaml", CONFIG % "BASE")
        cluster.write("policies.yaml", "".join(policies()))
        cluster.weftd()
        ring = Ring(cluster)
        cluster.wait_ready()
        mesh.wait_for("the policies", lambda: ring.targets("deny path", get("/public")) == ["/public"] and ring.reached("deny path", get("/admin")) == [])
        check_names(ring)
        check_addresses(ring)
        check_heads(ring)
        check_messages(ring)
        for mode in ["BASE", *(mode for mode in NORMALIZATIONS if mode != "BASE")]:
            if mode != "BASE":
                with cluster.changed():
                    cluster.write("mesh.yaml", CONFIG % mode)
            check_paths(ring, mode)
        with tap.case("no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()


if os.geteuid() != 0:
    tap.report(True, "attacks on policies", " # SKIP pods are network namespaces: needs root")
    tap.done()
main()
tap.done()

#!/usr/bin/env python3
"""AuthorizationPolicies between pods: who gets in by which, what they do under load, what wrong ones do; and examples/zero-trust as it stands."""
import contextlib
import glob
import json
import os
import shutil

import tap

import issuer
import mesh
import pods
import raw

EXAMPLE = os.path.join(mesh.ROOT, "examples", "zero-trust")
EXAMPLE_PORTS = [("http", 80, 8080, "http1"), ("tcp-export", 9000, 9000, "tcp")]
MESH_CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "{trustDomainAliases: [old.domain], protocolDetectionTimeout: 1s}"}
"""
HOST = "server.default"  # as all namespaces can call it
HTTP, TCP, TCP_TOO, SNIFFED = 80, 9000, 7001, 7000  # of the Service; 8080, 9000, 7001 and 7000 of the application
RATE = 300  # requests in a second, of each load
KEPT = 2  # connections that a client's sidecar may have to a port
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {metadata}
spec: {spec}
---
"""


def policy(name, namespace="default", annotations=None, **spec):
    return POLICY.format(metadata=json.dumps({"name": name, "namespace": namespace, "annotations": annotations or {}}), spec=json.dumps(spec))


def rule(*, who=None, when=None, **operation):
    """From whom, to do what, when."""
    made = {"from": [{"source": who}]} if who else {}
    made |= {"to": [{"operation": operation}]} if operation else {}
    return made | ({"when": when} if when else {})


def http(pod, address, method="GET", path="/", host=HOST, lines=""):
    return raw.ask(pod, address, f"{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n{lines}\r\n".encode()) == 200


def tcp(pod, address):
    with raw.connect(pod, address) as connection:
        try:
            connection.sendall(b"hello\n")
            return connection.recv(100).endswith(b" hello\n")
        except ConnectionError:
            return False


class Ring:
    """One server; who asks it: of its namespace, of another, and without a sidecar."""

    def __init__(self, cluster):
        self.cluster = cluster
        cluster.write("shop.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
        self.server, self.client, self.other = cluster.pod("server"), cluster.pod("client"), cluster.pod("other", namespace="shop")
        self.plain = cluster.pod("plain", sidecar=None)
        cluster.service("server", [self.server])
        cluster.wait_ready()
        mesh.wait_for("the service", lambda: self.http("client") and self.http("other") and self.tcp("client") and self.tcp("other"))

    def address(self, who, port):
        """By the Service, or, without a sidecar that knows it, by the pod."""
        target = next(target for _, number, target, _ in pods.PORTS if number == port)
        return (self.server.ip, target) if who == "plain" else (self.cluster.services["server"], port)

    def http(self, who, path="/", port=HTTP, **how):
        return http(getattr(self, who), self.address(who, port), path=path, **how)

    def tcp(self, who, port=TCP):
        return tcp(getattr(self, who), self.address(who, port))

    def set(self, *policies):
        """These and no others, in every proxy."""
        with self.cluster.changed(quiet_s=0.1):
            self.cluster.write("policies.yaml", "".join(policies))
        self.renew()

    def renew(self):
        """A connection between sidecars is kept, and the answer that says it is to end is the last by the policies of its time."""
        for who in "client", "other":
            for port in HTTP, SNIFFED:
                for _ in range(KEPT):
                    self.http(who, port=port)

    def is_reported(self, name):
        return any(row["object"] == f"AuthorizationPolicy/default/{name}" and row["severity"] == "error" for row in json.loads(self.cluster.admin("/debug/report")))

    def is_open(self):
        return self.http("client") and self.tcp("client") and self.http("other")

    def is_closed(self):
        return not (self.http("client") or self.tcp("client") or self.http("other") or self.http("plain") or self.tcp("plain"))


def expect(table):
    """Rows of what, wanted, got."""
    wrong = [f"{what}: want {want}, got {got}" for what, want, got in table if want != got]
    assert not wrong, "\n".join(wrong)


DENY_ALL = policy("deny-all")
DENY_ALL_OF_MESH = policy("deny-all", "istio-system")


def check_allows(ring):
    with tap.case("deny all: `spec: {}` lets nobody in"):
        ring.set(DENY_ALL)
        assert ring.is_closed()
    rules = [
        rule(who={"serviceAccounts": ["client"]}, paths=["/account"]), rule(who={"namespaces": ["default"]}, paths=["/namespace"]),
        rule(who={"principals": ["cluster.local/ns/default/sa/client"]}, paths=["/principal"]), rule(who={"principals": ["old.domain/ns/default/sa/client"]}, paths=["/alias"]),
        rule(who={"principals": ["*/sa/client"]}, paths=["/ends"]), rule(who={"trustDomains": ["old.domain"]}, paths=["/domain"]),
        rule(who={"ipBlocks": [ring.client.ip]}, paths=["/address"]), rule(who={"notNamespaces": ["shop"], "notIpBlocks": [ring.plain.ip]}, paths=["/not"]),
        rule(paths=["/exact", "/prefix/*", "*/suffix", "/one/{*}/x", "/any/{**}"]), rule(paths=["/method"], methods=["PUT"]),
        rule(paths=["/host"], hosts=["server", "*.cluster.local"]), rule(paths=["/port"], ports=["7000"]),
        rule(paths=["/header"], when=[{"key": "request.headers[x-key]", "values": ["one", "two*"]}]), rule(paths=["/when"], when=[{"key": "source.namespace", "values": ["shop"]}]),
    ]
    ring.set(DENY_ALL, policy("allow", rules=rules))
    with tap.case("allowed by identity, and nobody else"):
        meant = {"/account": "client", "/namespace": "client", "/principal": "client", "/alias": "client", "/ends": "client", "/domain": "client other", "/address": "client", "/not": "client", "/when": "other"}
        expect((path, who, " ".join(one for one in ("client", "other", "plain") if ring.http(one, path))) for path, who in meant.items())
    with tap.case("allowed by path"):
        for path, want in {"/exact": True, "/exact/": False, "/exactly": False, "/prefix/": True, "/prefix/a/b?c": True, "/prefix": False, "/a/suffix": True, "/suffix": True, "/suffixes": False,
                           "/one/a/x": True, "/one/a/b/x": False, "/one//x": False, "/any/a/b": True, "/any": False, "/": False}.items():
            assert ring.http("client", path) == want, path
    with tap.case("allowed by method, host, port and header"):
        expect([("PUT", True, ring.http("client", "/method", method="PUT")), ("GET", False, ring.http("client", "/method")),
                ("a host", True, ring.http("client", "/host", host="server")), ("a suffix", True, ring.http("client", "/host", host="server.default.svc.cluster.local")), ("another", False, ring.http("client", "/host")),
                ("a port", True, ring.http("client", "/port", port=SNIFFED)), ("another", False, ring.http("client", "/port")),
                ("a header", True, ring.http("client", "/header", lines="x-key: one\r\n")), ("its prefix", True, ring.http("client", "/header", lines="X-Key: twofold\r\n")),
                ("another", False, ring.http("client", "/header", lines="x-key: ones\r\n")), ("none", False, ring.http("client", "/header")),
                ("two texts", False, ring.http("client", "/header", lines="x-key: one\r\nx-key: none\r\n"))])


def check_denies(ring):
    with tap.case("a DENY stands above an ALLOW"):
        ring.set(policy("allow", rules=[rule(paths=["/*"])]), policy("deny", action="DENY", rules=[rule(who={"serviceAccounts": ["client"]}, paths=["/no"])]))
        expect([("/no", False, ring.http("client", "/no")), ("/yes", True, ring.http("client", "/yes")), ("another's /no", True, ring.http("other", "/no"))])
    with tap.case("the root namespace's policies are for all; beside a namespace's own"):
        ring.set(DENY_ALL_OF_MESH)
        assert ring.is_closed()
        ring.set(policy("deny", "istio-system", action="DENY", rules=[rule(paths=["/no"], ports=["8080"])]), policy("allow", rules=[rule(who={"namespaces": ["shop"]})]))
        expect([("/no", False, ring.http("other", "/no")), ("/yes", True, ring.http("other", "/yes")), ("client", False, ring.http("client", "/yes")), ("TCP", True, ring.tcp("other"))])
        ring.set(policy("elsewhere", "shop", action="DENY", rules=[{}]))
        assert ring.is_open(), "another namespace's policy"


def check_tcp(ring):
    with tap.case("TCP: an ALLOW that speaks of HTTP lets nothing in, a DENY that does denies all"):
        ring.set(policy("allow", rules=[rule(methods=["GET"]), rule(ports=["9000"], paths=["/*"])]))
        expect([("HTTP", True, ring.http("client")), ("TCP", False, ring.tcp("client"))])
        ring.set(policy("deny", action="DENY", rules=[rule(paths=["/no"], ports=["9000", "8080"])]))
        expect([("HTTP", True, ring.http("client")), ("TCP", False, ring.tcp("client")), ("TCP on another port", True, ring.tcp("client", TCP_TOO))])
    with tap.case("TCP: by principal, port and address"):
        ring.set(policy("allow", rules=[rule(who={"principals": ["cluster.local/ns/default/sa/client"]}, ports=["9000"]), rule(who={"ipBlocks": [ring.other.ip + "/32"]}, ports=["7001"])]))
        expect((who, wants, [ring.tcp(who), ring.tcp(who, TCP_TOO)]) for who, wants in {"client": [True, False], "other": [False, True], "plain": [False, False]}.items())


def check_no_change(ring):
    with tap.case("AUDIT changes nothing"):
        ring.set(policy("audit", action="AUDIT", rules=[{}]))
        assert ring.is_open()
    for action in "DENY", "ALLOW":
        with tap.case(f"a dry run of {action} changes nothing but its statistic"):
            ring.set(policy("try", annotations={"istio.io/dry-run": "true"}, action=action, rules=[rule(paths=["/no"] if action == "DENY" else ["/yes"], ports=["8080"])]))
            count = lambda: sum(ring.server.stats(f"inbound_0.0.0.0_8080;.*istio_dry_run_{action.lower()}_.shadow_denied").values())
            before = count()
            assert ring.is_open() and ring.http("client", "/no")
            assert count() > before, (before, count())


def check_permissive(ring):
    with tap.case("PERMISSIVE: who has no certificate has no name: not the one that is denied, none that is allowed"):
        ring.set(policy("deny", action="DENY", rules=[rule(who={"namespaces": ["default"]})]))
        expect([("client", False, ring.http("client")), ("plaintext", True, ring.http("plain")), ("plaintext TCP", True, ring.tcp("plain"))])
        ring.set(policy("allow", rules=[rule(who={"principals": ["*"]})]))
        expect([("client", True, ring.http("client")), ("plaintext", False, ring.http("plain")), ("plaintext TCP", False, ring.tcp("plain"))])
        ring.set(policy("deny", action="DENY", rules=[rule(who={"notPrincipals": ["*"]})]))
        expect([("client", True, ring.http("client")), ("plaintext", False, ring.http("plain"))])


def check_mistakes(ring):
    """Each as the first form that is ever seen. What is wrong in a policy is no part of it; but it never says less for that."""
    mistakes = {
        "unknown-field": {"rules": [{"to": [{"operation": {"path": ["/x"]}}]}]}, "empty-list": {"rules": [{"from": [{"source": {"principals": []}}]}]},
        "no-values": {"rules": [{"when": [{"key": "source.ip", "values": []}]}]}, "unknown-field-of-deny": {"action": "DENY", "rules": [{"to": [{"operation": {"path": ["/x"]}}]}]},
        "unknown-action": {"action": "deny", "rules": [{}]},
    }
    for name, spec in mistakes.items():
        with tap.case(f"{name} never widens"):
            ring.set(policy(name, **spec))
            assert ring.is_closed() and ring.is_reported(name), ring.cluster.admin("/debug/report")


def check_hundred(ring):
    cluster, one = ring.cluster, lambda i, paths="paths": policy(f"p-{i}", rules=[{"from": [{"source": {"serviceAccounts": ["client"]}}], "to": [{"operation": {paths: [f"/{i}"]}}]}])
    allowed = lambda: [i for i in (0, 49, 50, 51, 99, 100) if ring.http("client", f"/{i}")]
    with tap.case("two bad policies among a hundred, one of which is no YAML: their last good forms stay in force, and so do the others"):
        ring.set(*map(one, range(100)))
        assert allowed() == [0, 49, 50, 51, 99]
        broken = [one(i, "path" if i == 50 else "paths") for i in range(100)]
        broken[51] = broken[51].replace("\"rules\": [", "\"rules\": ]")
        cluster.write("policies.yaml", "".join(broken))
        mesh.wait_for("its row", lambda: ring.is_reported("p-50"))
        cluster.wait_synced()
        assert allowed() == [0, 49, 50, 51, 99] and not ring.http("other", "/50")
    with tap.case("after a restart what they covered is closed, and the others are in force"):
        cluster.daemon.stop()
        with cluster.changed():
            cluster.weftd()
        mesh.wait_for("the last answers by the former policies", lambda: allowed() == [0, 49, 99])  # a connection that was kept has one more
        assert allowed() == [0, 49, 99] and not ring.http("other", "/50")
    with tap.case("a DENY that is no YAML, and was never anything else, is not open"):
        cluster.daemon.stop()
        cluster.write("policies.yaml", policy("deny", action="DENY", rules=[rule(paths=["/no"])]).replace("[", "]"))
        with cluster.changed():
            cluster.weftd()
        ring.renew()
        assert ring.is_closed()


ALLOWED = [("http1", HTTP), ("http2", HTTP), ("tcp", TCP)]


@contextlib.contextmanager
def under_load(ring):
    """During the block the client is let in, always, and the other never."""
    with contextlib.ExitStack() as stack:
        load = lambda pod, protocol, port: stack.enter_context(pod.load(protocol, f"server:{port}", host=HOST, rate=RATE, connections=2))
        let_in = {protocol: load(ring.client, protocol, port) for protocol, port in ALLOWED}
        kept_out = {protocol: load(ring.other, protocol, port) for protocol, port in ALLOWED}
        flow = lambda: [each.flow(30) for each in let_in.values()]
        flow()
        yield flow
        flow()
        for protocol, each in let_in.items():
            each.check(f"{protocol} that is allowed")
        for protocol, each in kept_out.items():
            results = each.stop()
            assert results["errors"] and not results["answers"], f"{protocol} that is forbidden: {results}"
            assert protocol == "tcp" or all(error.startswith("403") for error in results["errors"]), results


def check_load(ring):
    cluster = ring.cluster
    by_account, by_principal = (policy(name, rules=[rule(who=who)]) for name, who in (("by-account", {"serviceAccounts": ["client"]}), ("by-principal", {"principals": ["cluster.local/ns/default/sa/client"]})))
    deny = policy("deny", action="DENY", rules=[rule(who={"namespaces": ["shop"]})])
    ring.set(DENY_ALL, by_account)
    with tap.case("under load: policies come and go; nobody else gets in, nobody is turned away"):
        with under_load(ring) as flow:
            for policies in [DENY_ALL, by_account, deny], [by_account, deny], [by_account], [DENY_ALL, by_account]:
                ring.set(*policies)
                flow()
    with tap.case("under load: from one ALLOW to another, at once and one after the other"):
        with under_load(ring) as flow:
            for policies in [DENY_ALL, by_principal], [DENY_ALL, by_principal, by_account], [by_account]:
                ring.set(*policies)
                flow()
    with tap.case("under load: a DENY alone keeps somebody out, whatever comes and goes beside it, and when another takes its place"):
        allow_all, unconcerned, too = policy("allow-all", rules=[{}]), policy("unconcerned", action="DENY", rules=[rule(who={"namespaces": ["nobodys"]})]), deny.replace('"deny"', '"deny-too"')
        ring.set(deny)
        with under_load(ring) as flow:
            for policies in [deny, allow_all], [deny, unconcerned], [deny, too], [too], [deny], [allow_all, deny, unconcerned]:
                ring.set(*policies)
                flow()
        ring.set(DENY_ALL, by_account)
    with tap.case("under load: weftd is restarted, and killed"):
        with under_load(ring) as flow:
            for end in cluster.daemon.stop, lambda: cluster.daemon.kill():
                end()
                flow()
                cluster.weftd()
                cluster.wait_synced()
                flow()
    with tap.case("a connection that is kept learns of a policy by its next answer"):
        with ring.client.load("http1", f"server:{HTTP}", host=HOST, rate=100, connections=2) as load:
            load.flow(20)
            with cluster.changed(quiet_s=0.1):
                cluster.write("policies.yaml", DENY_ALL)
            refused = lambda: sum(load.so_far()["errors"].values())
            mesh.wait_for("refusals", lambda: refused() >= 20)
            before, answers = refused(), load.so_far()["answers"]
            mesh.wait_for("more of them", lambda: refused() >= before + 50)
            assert load.so_far()["answers"] == answers, (answers, load.so_far())


def policies():
    with pods.Cluster() as cluster:
        cluster.write("mesh.yaml", MESH_CONFIG)
        cluster.weftd()
        ring = Ring(cluster)
        check_allows(ring)
        check_denies(ring)
        check_tcp(ring)
        check_no_change(ring)
        check_permissive(ring)
        check_mistakes(ring)
        check_load(ring)
        check_hundred(ring)
        with tap.case("no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()


def example():
    """examples/zero-trust exactly as it stands, and what a cluster adds: the pods."""
    with pods.Cluster() as cluster:
        for file in glob.glob(os.path.join(EXAMPLE, "*.yaml")):
            shutil.copy(file, cluster.config)
        cluster.weftd()
        orders, shop, report = cluster.pod("orders"), cluster.pod("shop"), cluster.pod("daily", namespace="reports")
        other, plain = cluster.pod("other"), cluster.pod("plain", sidecar=None)
        cluster.endpoints("orders", [orders], ports=EXAMPLE_PORTS)
        cluster.wait_ready()
        vip = "10.96.0.10"  # HTTP goes by its host, whatever the address
        ask = lambda pod, method="GET", path="/orders/1": http(pod, (vip, 80), method, path, host="orders.default")
        mesh.wait_for("orders", lambda: ask(shop))
        with tap.case("example: the shop reads and writes orders, and does nothing else"):
            expect([("GET", True, ask(shop)), ("POST", True, ask(shop, "POST", "/orders")), ("DELETE", False, ask(shop, "DELETE")), ("deeper", False, ask(shop, path="/orders/1/x")), ("/", False, ask(shop, path="/"))])
        with tap.case("example: a refund needs a clerk's token as well, and a wrong one is refused everywhere"):
            with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "zero_trust_issuer.pem"), "rb") as pem:
                key = issuer.Key("zero-trust", pem.read())
            clerk = {"iss": "https://people.example.com", "aud": "orders", "sub": "ann", "groups": ["staff", "clerks"]}
            bearer = lambda signer, **claims: f"authorization: Bearer {signer.token({**clerk, **claims})}\r\n"
            refund = lambda lines="": http(shop, (vip, 80), "POST", "/orders/1/refund", host="orders.default", lines=lines)
            status = lambda lines: raw.ask(shop, (vip, 80), f"GET /orders/1 HTTP/1.1\r\nhost: orders.default\r\n{lines}\r\n".encode())
            expect([("a clerk", True, refund(bearer(key))), ("nobody", False, refund()), ("no clerk", False, refund(bearer(key, groups=["staff"]))),
                    ("a clerk by another's workload", False, http(other, (vip, 80), "POST", "/orders/1/refund", host="orders.default", lines=bearer(key))),
                    ("expired", 401, status(bearer(key, exp=1))), ("for another audience", 403, status(bearer(key, aud="reports"))),
                    ("another key", 401, status(bearer(issuer.Key("zero-trust")))), ("good", 200, status(bearer(key)))])
        with tap.case("example: a report reads and exports"):
            expect([("GET", True, ask(report, path="/orders/2026/11")), ("POST", False, ask(report, "POST")), ("TCP", True, tcp(report, (orders.ip, 9000))), ("the shop's TCP", False, tcp(shop, (orders.ip, 9000)))])
        with tap.case("example: what nobody may, nobody can, however it is spelt"):
            for pod in shop, report:
                for path in "/orders/internal", "/orders/internal/x", "/orders/./internal", "/orders/%69nternal", "/orders/x/../internal", "/orders/internal?x":
                    assert not ask(pod, path=path), path
        with tap.case("example: nobody else"):
            expect([("another workload", False, ask(other)), ("its TCP", False, tcp(other, (orders.ip, 9000))),
                    ("without a certificate", 0, raw.ask(plain, (orders.ip, 8080), b"GET /orders/1 HTTP/1.1\r\nhost: orders\r\n\r\n"))])
        with tap.case("example: no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()


if os.geteuid() != 0:
    tap.report(True, "policies", " # SKIP pods are network namespaces: needs root")
    tap.done()
policies()
example()
tap.done()

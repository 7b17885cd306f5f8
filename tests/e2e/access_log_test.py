#!/usr/bin/env python3
"""The access log as an administrator reads it: who was denied what, by which rule, and why; the log played through policies that are only proposed,
and what becomes of the same requests once they are applied; the mesh's own file, format and encoding."""
import json
import os
import subprocess

import tap

import issuer
import mesh
import pods
import raw

HOST = "server.default"
MESH_CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: %s}
"""
PLAIN = {"protocolDetectionTimeout": "1s"}
ALL_AS_JSON = {**PLAIN, "accessLogFile": "/dev/stdout", "accessLogEncoding": "JSON"}
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {metadata}
spec: {spec}
---
"""
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""
AUTHENTICATION = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: server, namespace: default}
spec: {selector: {matchLabels: {app: server}}, jwtRules: [{issuer: idp, jwks: '%s'}]}
"""
CLIENT = "spiffe://cluster.local/ns/default/sa/client"


def policy(name, action="ALLOW", rules=(), dry_run=False):
    metadata = {"name": name, "namespace": "default", "annotations": {"istio.io/dry-run": "true"} if dry_run else {}}
    spec = {"selector": {"matchLabels": {"app": "server"}}, "action": action, "rules": list(rules)}
    return POLICY.format(metadata=json.dumps(metadata), spec=json.dumps(spec))


def to(who=None, **operation):
    return {"to": [{"operation": operation}], **({"from": [{"source": who}]} if who else {})}


class Rig:
    def __init__(self, cluster):
        self.cluster = cluster
        self.key = issuer.Key("k")
        cluster.write("shop.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
        self.mesh_config(PLAIN)
        cluster.weftd()
        self.server, self.client, self.other = cluster.pod("server"), cluster.pod("client"), cluster.pod("other", namespace="shop")
        self.plain = cluster.pod("plain", sidecar=None)
        cluster.service("server", [self.server])
        cluster.wait_ready()
        mesh.wait_for("the service", lambda: self.http("client", "/") == 200 and self.http("other", "/") == 200 and self.tcp("client") and self.tcp("other"))

    def mesh_config(self, config):
        self.cluster.write("mesh.yaml", MESH_CONFIG % json.dumps(json.dumps(config)))

    def set(self, *objects, config=None):
        """These objects and no others, and the mesh's settings, in every proxy; connections of former settings are used up."""
        with self.cluster.changed():
            self.cluster.write("objects.yaml", "---".join(objects))
            if config:
                self.mesh_config(config)
        for who in "client", "other":
            for _ in range(3):
                self.http(who, "/renewed")

    def caller(self, who):
        return self.client if who == "passing" else getattr(self, who)

    def address(self, who, port):
        """By the Service, or the pod's, which a sidecar passes on to as it is: in plaintext."""
        target = {80: 8080}.get(port, port)
        return (self.server.ip, target) if who in ("plain", "passing") else (self.cluster.services["server"], port)

    def http(self, who, path, method="GET", lines=""):
        return raw.ask(self.caller(who), self.address(who, 80), f"{method} {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 0\r\n{lines}\r\n".encode())

    def tcp(self, who, port=9000):
        with raw.connect(self.caller(who), self.address(who, port)) as connection:
            try:
                connection.sendall(b"hello\n")
                return connection.recv(100).endswith(b" hello\n")
            except ConnectionError:
                return False

    def bearer(self, **claims):
        return f"authorization: Bearer {self.key.token({'iss': 'idp', 'sub': 'ann', **claims})}\r\n"

    def lines(self):
        return [json.loads(line) for line in self.server.sidecar.log().splitlines() if line.startswith("{")]

    def logged(self, what, match):
        """The one line of which this is so, once it is there: Envoy writes them each ten seconds."""
        mesh.wait_for(what, lambda: any(map(match, self.lines())))
        found = [line for line in self.lines() if match(line)]
        assert len(found) == 1, found
        return found[0]


def of_path(path):
    return lambda line: line.get("path") == path


def of_connection(details, port):
    return lambda line: not line.get("method") and details in (line["connection_termination_details"] or "") and line["downstream_local_address"].endswith(f":{port}")


def refused(port):
    return lambda line: line["response_flags"] == "NR" and line["downstream_local_address"].endswith(f":{port}")


DENIED = {"authz_result": "denied", "source_principal": CLIENT, "route_name": "default", "upstream_cluster": "inbound|8080||", "authority": HOST}
NO_CHAIN = "no filter chain takes the connection, such as plaintext where mutual TLS is required"
BY_DRY_RUN = "ns[default]-policy[try-deny]-rule[0]"


def check_denials(rig):
    """What is logged where the mesh asks for no log."""
    rig.set(
        policy("deny", "DENY", [to(ports=["9000"]), to(paths=["/deny"], ports=["8080"])]),
        policy("allow", rules=[to(paths=["/allow", "/audit", "/try-deny", "/token"], ports=["8080"])]),
        policy("mark", "AUDIT", [to(paths=["/audit", "/audit-none"], ports=["8080"])]),
        policy("try-deny", "DENY", [to(paths=["/try-deny"], ports=["8080"])], dry_run=True),
        policy("try-allow", rules=[to(paths=["/try-allow"], ports=["8080"])], dry_run=True),
        AUTHENTICATION % json.dumps(issuer.jwks(rig.key)), STRICT)
    http = lambda *request, **how: (lambda: rig.http("client", *request, **how))
    table = [
        ("a rule of DENY", http("/deny?q=1"), 403, of_path("/deny?q=1"),
         {**DENIED, "authz_policy": "ns[default]-policy[deny]-rule[1]", "authz_reason": "a policy denies it",
          "response_code_details": "rbac_access_denied_matched_policy[ns[default]-policy[deny]-rule[1]]"}),
        ("no ALLOW", http("/else", "PUT"), 403, of_path("/else"),
         {**DENIED, "method": "PUT", "authz_policy": None, "authz_reason": "no policy allows it", "authz_audit": None, "response_code_details": "rbac_access_denied_matched_policy[none]"}),
        ("no ALLOW, but AUDIT, which denied nothing", http("/audit-none"), 403, of_path("/audit-none"),
         {**DENIED, "authz_policy": None, "authz_reason": "no policy allows it", "authz_audit": "ns[default]-policy[mark]-rule[0]"}),
        ("an expired token", http("/token?expired", lines=rig.bearer(exp=1)), 401, of_path("/token?expired"),
         {"authz_reason": "its token is not accepted", "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}", "source_principal": CLIENT, "upstream_cluster": "inbound|8080||"}),
        ("no token at all", http("/token?bad", lines="authorization: Bearer x\r\n"), 401, of_path("/token?bad"),
         {"authz_reason": "its token is not accepted", "response_code_details": "jwt_authn_access_denied{Jwt_is_not_in_the_form_of_Header.Payload.Signature_with_two_dots_and_3_sections}"}),
        ("TCP: a rule of DENY", lambda: rig.tcp("client"), False, of_connection("deny", 9000),
         {"authz_reason": "a policy denies it", "connection_termination_details": "rbac_access_denied_matched_policy[ns[default]-policy[deny]-rule[0]]",
          "source_principal": CLIENT, "upstream_cluster": "inbound|9000||", "upstream_host": f"{rig.server.ip}:9000"}),
        ("TCP: no ALLOW", lambda: rig.tcp("client", 7001), False, of_connection("none", 7001),
         {"authz_reason": "no policy allows it", "connection_termination_details": "rbac_access_denied_matched_policy[none]", "source_principal": CLIENT, "upstream_cluster": "inbound|7001||"}),
        ("plaintext where mutual TLS is required", lambda: rig.http("plain", "/allow?plain"), 0, refused(8080),
         {"authz_reason": NO_CHAIN, "response_code_details": "filter_chain_not_found"}),
        ("TCP: plaintext where mutual TLS is required", lambda: rig.tcp("plain"), False, refused(9000), {"authz_reason": NO_CHAIN}),
        ("a dry run of DENY would deny it", http("/try-deny"), 200, of_path("/try-deny"),
         {"authz_result": "allowed", "authz_reason": None, "authz_dry_run_deny": BY_DRY_RUN, "authz_dry_run_deny_result": "denied", "source_principal": CLIENT}),
        ("a dry run of ALLOW would allow it", http("/try-allow"), 403, of_path("/try-allow"),
         {**DENIED, "authz_dry_run_allow": "ns[default]-policy[try-allow]-rule[0]", "authz_dry_run_deny_result": "allowed"}),
        ("an AUDIT marked it", http("/audit"), 200, of_path("/audit"),
         {"authz_result": "allowed", "authz_policy": "ns[default]-policy[allow]-rule[0]", "authz_audit": "ns[default]-policy[mark]-rule[0]", "authz_reason": None}),
    ]
    got = [rig.http("client", "/allow?unlogged"), rig.http("client", "/token?good", lines=rig.bearer()), *[ask() for _, ask, *_ in table]]
    check_table(rig, table, got)
    with tap.case("what is allowed is not logged"):
        assert not [line for line in rig.lines() if line.get("path") in ("/allow?unlogged", "/token?good")], rig.lines()


def check_table(rig, table, got):
    for (name, _, want, match, fields), answer in zip(table, got[-len(table):]):
        with tap.case(f"denied, by default: {name}"):
            assert answer == want, (answer, want)
            line = rig.logged(name, match)
            assert {key: line.get(key, "missing") for key in fields} == fields, line


def check_dry_run_alone(rig):
    with tap.case("dry runs of ALLOW beside no other: what they would deny is logged, for requests and connections"):
        rig.set(policy("try-allow", rules=[to({"serviceAccounts": ["client"]}, paths=["/tried"], ports=["8080"]), to(ports=["7001"])], dry_run=True))
        assert [rig.http("client", "/tried"), rig.http("client", "/untried"), rig.tcp("client", 7001), rig.tcp("other")] == [200, 200, True, True]
        line = rig.logged("the request", of_path("/untried"))
        assert (line["authz_dry_run_allow"], line["authz_dry_run_allow_result"], line["authz_reason"], line["response_code"]) == (None, "denied", None, 200), line
        line = rig.logged("the connection", lambda line: line.get("authz_dry_run_allow_result") == "denied" and line["downstream_local_address"].endswith(":9000"))
        assert line["source_principal"] == rig.other.id, line
        assert not [line for line in rig.lines() if line.get("path") == "/tried" or line["downstream_local_address"].endswith(":7001") and "authz_dry_run_allow_result" in line], rig.lines()


def check_own_format(rig):
    """MeshConfig's words: all requests, where and how it says."""
    allow = policy("allow", rules=[to(paths=["/*"], ports=["8080"])])
    text = lambda: rig.server.sidecar.log().splitlines()
    with tap.case("accessLogFile alone: all requests, in Envoy's text as Istio's users parse it"):
        rig.set(allow, config={**PLAIN, "accessLogFile": "/dev/stdout"})
        assert rig.http("client", "/text") == 200 and not rig.tcp("client")
        mesh.wait_for("the request", lambda: [line for line in text() if '"GET /text HTTP/1.1" 200 - via_upstream' in line])
        mesh.wait_for("the denied connection", lambda: [line for line in text() if "rbac_access_denied_matched_policy[none]" in line and "inbound|9000||" in line])
    with tap.case("accessLogFormat as text"):
        rig.set(allow, config={**PLAIN, "accessLogFile": "/dev/stdout", "accessLogFormat": "OWN %REQ(:PATH)% %DOWNSTREAM_PEER_URI_SAN% %RESPONSE_CODE%"})
        assert rig.http("client", "/own") == 200
        mesh.wait_for("the line", lambda: f"OWN /own {CLIENT} 200" in text())
    with tap.case("accessLogFormat as JSON, also where it is for denials only"):
        own = {**PLAIN, "accessLogEncoding": "JSON", "accessLogFormat": '{"own": "%REQ(:PATH)%", "why": "%RESPONSE_CODE_DETAILS%"}'}
        rig.set(allow, config={**own, "accessLogFile": "/dev/stdout"})
        assert rig.http("client", "/own-json") == 200
        line = rig.logged("the line", lambda line: line.get("own") == "/own-json")
        assert line == {"own": "/own-json", "why": "via_upstream"}, line
        rig.set(policy("allow", rules=[to(paths=["/own-allowed"])]), config=own)
        assert [rig.http("client", "/own-allowed"), rig.http("client", "/own-denied")] == [200, 403]
        line = rig.logged("the denial", lambda line: line.get("own") == "/own-denied")
        assert line == {"own": "/own-denied", "why": "rbac_access_denied_matched_policy[none]"}, line
        assert not [line for line in rig.lines() if line.get("own") == "/own-allowed"]
    with tap.case("accessLogFile elsewhere"):
        file = os.path.join(rig.server.folder, "access.log")
        rig.set(allow, config={**ALL_AS_JSON, "accessLogFile": file})
        assert rig.http("client", "/file") == 200
        mesh.wait_for("the line", lambda: os.path.exists(file) and '"/file"' in open(file, encoding="utf-8").read())


# Who asks for what; TCP by its port.
REQUESTS = [("client", "GET", "/orders/1"), ("client", "GET", "/orders/1?page=2"), ("client", "POST", "/orders"), ("client", "GET", "/admin/x"), ("client", "GET", "/a/../admin/%78"),
            ("other", "GET", "/orders/1"), ("other", "GET", "/public"), ("plain", "GET", "/public"), ("plain", "GET", "/orders/1"),
            ("client", "tcp", 9000), ("other", "tcp", 9000), ("plain", "tcp", 9000), ("other", "tcp", 7001), ("passing", "tcp", 9000)]
READ = policy("read", rules=[to({"serviceAccounts": ["client"]}, methods=["GET"], paths=["/orders/*"]), to(paths=["/public"]), to({"namespaces": ["shop"]}, ports=["9000"])])
NO_ADMIN = policy("no-admin", "DENY", [to(paths=["/admin/*"], ports=["8080"]), to({"notPrincipals": ["*"]}, ports=["8080", "9000"])])


def ask(rig, who, method, what):
    return rig.tcp(who, what) if method == "tcp" else rig.http(who, what, method) == 200


def weft_authz(rig, *arguments):
    return subprocess.run([os.path.join(mesh.BIN, "weft"), "authz", *arguments], capture_output=True, text=True, timeout=60)


def take_log(rig, name, n):
    """A file with what all sidecars have logged since they were asked REQUESTS, once the server's n lines are there; those lines."""
    asked = {what for _, method, what in REQUESTS if method != "tcp"} | {"/admin/x"}
    ours = lambda text: [line for line in text.splitlines() if line.startswith("{") and (json.loads(line).get("path") in asked or json.loads(line).get("method") is None)]
    since = lambda pod: ours(pod.sidecar.log()[rig.marks[pod.name]:])
    mesh.wait_for(f"{n} lines", lambda: len(since(rig.server)) >= n)
    assert len(since(rig.server)) == n, since(rig.server)
    mesh.wait_for("what the client's sidecar passed on", lambda: any(json.loads(line)["upstream_cluster"] == "PassthroughCluster" for line in since(rig.client)))
    file = os.path.join(rig.cluster.folder, name)
    with open(file, "w", encoding="utf-8") as out:
        out.write("\n".join(line for pod in (rig.server, rig.client, rig.other) for line in since(pod)) + "\n")
    return file, [json.loads(line) for line in since(rig.server)]


def all_of(rig):
    rig.marks = {pod.name: len(pod.sidecar.log()) for pod in (rig.server, rig.client, rig.other)}
    return [ask(rig, *request) for request in REQUESTS]


def identity(rig, who):
    return "plaintext" if who in ("plain", "passing") else getattr(rig, who).id


def in_words(rig, method, what):
    if method == "tcp":
        return f"TCP to {rig.server.ip}:{what}"
    return f"{method} {'/admin/x' if 'admin' in what else what.partition('?')[0]} at {rig.server.ip}:8080"


def check_replay(rig):
    """What the log says before a policy is what happens after it."""
    before, stage = [True] * len(REQUESTS), 0
    rig.set(config=ALL_AS_JSON)
    objects = []
    for name, proposed in ("the first policy of a mesh", READ), ("another one", NO_ADMIN):
        stage += 1
        with tap.case(f"replay: {name}: whose fate changes, by caller and request"):
            assert all_of(rig) == before, before
            log, _ = take_log(rig, f"log-{stage}", len(REQUESTS))
            file = os.path.join(rig.cluster.folder, f"proposed-{stage}.yaml")
            with open(file, "w", encoding="utf-8") as out:
                out.write(proposed)
            done = weft_authz(rig, "replay", "--config", rig.cluster.config, "--policy", file, "--log", log, "-o", "json")
            assert done.returncode == 0, done.stderr
            said = json.loads(done.stdout)
            assert said["played"] == len(REQUESTS), said
        with tap.case(f"replay: {name}: what is said is what happens once it is applied"):
            objects.append(proposed)
            rig.set(*objects)
            after = all_of(rig)
            changed = {}
            for request, was, now in zip(REQUESTS, before, after):
                if was != now:
                    key = identity(rig, request[0]), in_words(rig, *request[1:])
                    changed[key] = changed.get(key, 0) + 1
            assert changed and {(one["caller"], one["request"]): one["requests"] for one in said["changes"]} == changed, (said["changes"], changed)
            assert 0 < sum(after) < len(after), after
        with tap.case(f"check: {name}: a line's request is decided as the proxy did, by the same rule"):
            check_lines(rig, take_log(rig, f"log-{stage}-after", len(REQUESTS))[1])
        before = after


def check_lines(rig, lines):
    for line in lines:
        how = ["--port", line["downstream_local_address"].rpartition(":")[2], "--source-ip", line["downstream_remote_address"].rpartition(":")[0]]
        how += ["--from", line["source_principal"]] if line["source_principal"] else []
        how += ["--method", line["method"], "--path", line["path"], "--host", line["authority"]] if line.get("method") else ["--tcp"]
        done = weft_authz(rig, "check", "--config", rig.cluster.config, "--to", "default/server", "-o", "json", *how)
        verdict = json.loads(done.stdout)
        assert verdict["decision"] == ("denied" if line["authz_reason"] else "allowed"), (line, verdict)
        if line.get("method"):
            assert verdict["by"] == line["authz_policy"], (line, verdict)
        elif line["authz_reason"]:
            assert line["connection_termination_details"] == f"rbac_access_denied_matched_policy[{verdict['by'] or 'none'}]", (line, verdict)


def main():
    with pods.Cluster() as cluster:
        rig = Rig(cluster)
        check_denials(rig)
        check_dry_run_alone(rig)
        check_own_format(rig)
        check_replay(rig)
        with tap.case("no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()


if os.geteuid() != 0:
    tap.report(True, "access log", " # SKIP pods are network namespaces: needs root")
    tap.done()
main()
tap.done()

#!/usr/bin/env python3
"""External authorization as one sees it from outside: sidecars ask OPA, by gRPC and by HTTP over mutual TLS, whether a request or a connection may
pass; and what happens when nobody answers, and when nobody can be asked."""
import contextlib
import json
import os

import tap

import mesh
import pods
import raw

RATE = 200  # requests in a second, of each load
OPA_PORTS = [("grpc", 9191, 9191, "grpc"), ("http", 9192, 9192, "http1")]
MESH = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: v1
kind: Namespace
metadata: {name: auth}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hello, namespace: default}
spec: {host: hello, trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}}  # connections keep the policy that they were opened under
"""
MESH_CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    extensionProviders:
    - name: opa-grpc
      envoyExtAuthzGrpc:
        service: auth/opa.auth.svc.cluster.local
        port: 9191
        timeout: 5s
        includeRequestBodyInCheck: {maxRequestBytes: 16, allowPartialMessage: true}
    - name: opa-grpc-open
      envoyExtAuthzGrpc: {service: opa.auth.svc.cluster.local, port: 9191, timeout: 5s, failOpen: true}
    - name: opa-http
      envoyExtAuthzHttp:
        service: opa.auth.svc.cluster.local
        port: 9192
        timeout: 5s
        pathPrefix: /check
        statusOnError: "503"
        includeRequestHeadersInCheck: [x-token, x-forwarded-client-*]
        includeAdditionalHeadersInCheck: {x-mesh: weft}
        includeRequestBodyInCheck: {maxRequestBytes: 16, allowPartialMessage: true}
        headersToUpstreamOnAllow: [x-user]
        headersToDownstreamOnDeny: [x-reason]
        headersToDownstreamOnAllow: [x-checked]
    - name: opa-http-open
      envoyExtAuthzHttp: {service: opa.auth.svc.cluster.local, port: 9192, timeout: 5s, failOpen: true}
"""
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: ask, namespace: default}}
spec:
  selector: {{matchLabels: {{app: hello}}}}
  action: CUSTOM
  provider: {{name: {provider}}}
  rules: [{{to: [{{operation: {operation}}}]}}]
"""
EDGE_PORT = 8888
EDGE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: default}
spec: {selector: {app: edge}, servers: [{port: {number: 8888, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: default}
spec: {hosts: [shop.example.com], gateways: [edge], http: [{route: [{destination: {host: hello, port: {number: 80}}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask-at-the-edge, namespace: default}
spec: {selector: {matchLabels: {app: edge}}, action: CUSTOM, provider: {name: opa-grpc}, rules: [{to: [{operation: {paths: [/ask/*]}}]}]}
"""
REQUESTS, CONNECTIONS = "{paths: [/ask/*]}", "{ports: ['9000']}"
REGO = """
package weft

default decision := {"allow": false, "status": 403, "body": "not allowed"}

path := trim_prefix(input.path, "/check")

is_client if input.principal == "spiffe://cluster.local/ns/default/sa/client"
is_client if contains(input.headers["x-forwarded-client-cert"], "URI=spiffe://cluster.local/ns/default/sa/client")

# by HTTP it is told the prefix, and what the mesh adds
is_asked_right if input.asker == "grpc"
is_asked_right if {
	startswith(input.path, "/check/")
	input.headers["x-mesh"] == "weft"
}

yes := {"allow": true, "upstream": {"x-user": "alice"}, "client": {"x-checked": input.asker}}

decision := yes if {
	path == "/ask/open"
	is_asked_right
}

decision := yes if {
	path == "/ask/token"
	input.headers["x-token"] == "alice"
}

decision := yes if {
	path == "/ask/principal"
	is_client
}

decision := yes if {
	path == "/ask/body"
	input.body == "0123456789abcdef"
}

decision := {"allow": false, "status": 401, "client": {"x-reason": "log in", "x-other": "kept back by HTTP"}, "body": "who are you?"} if path == "/ask/login"

decision := {"allow": true} if {
	not input.isHttp
	input.port == 9000
	is_client
}
"""


class Rig:
    def __init__(self, cluster):
        self.cluster = cluster
        self.policy = os.path.join(cluster.folder, "policy.rego")
        with open(self.policy, "w", encoding="utf-8") as out:
            out.write(REGO)
        cluster.write("mesh.yaml", MESH)
        cluster.write("mesh-config.yaml", MESH_CONFIG)
        cluster.weftd()
        self.client, self.stranger = cluster.pod("client"), cluster.pod("stranger")
        self.hello, self.opa = cluster.pod("hello"), cluster.pod("opa", namespace="auth")
        cluster.service("hello", [self.hello])
        cluster.service("opa", [self.opa], namespace="auth", ports=OPA_PORTS)
        self.edge, self.outside = cluster.pod("edge", sidecar="gateway"), cluster.pod("outside", sidecar=None)
        self.authorizer = None
        self.authorize()
        cluster.wait_ready()

    def authorize(self):
        self.authorizer = self.cluster.start("authorizer", [*self.opa.enter("exec"), self.cluster.app, "authorize", "--policy", self.policy])
        mesh.wait_for("the authorizer", lambda: self.authorizer.check() or "ready" in self.authorizer.log())

    def ask(self, provider, operation=REQUESTS):
        with self.cluster.changed():
            self.cluster.write("ask.yaml", POLICY.format(provider=provider, operation=operation))

    def get(self, pod, path, *options, to=None, host="hello"):
        """(status, headers, body) of what the pod gets from the service hello, or where it is sent to."""
        code, out = pod.run("curl", "-s", "-i", "--max-time", "20", "-H", f"host: {host}", *options, f"http://{to or self.cluster.address('hello')}{path}", user="exec")
        assert code == 0, (path, code, out)
        head, _, body = out.replace("\r\n", "\n").partition("\n\n")
        first, *lines = head.split("\n")
        return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body


    def get_at_edge(self, path, *options):
        return self.get(self.outside, path, *options, to=f"{self.edge.ip}:{EDGE_PORT}", host="shop.example.com")

    def logged(self, pod, what, match):
        """The last line of the pod's proxy of which that is so."""
        lines = lambda: [json.loads(line) for line in pod.sidecar.log().splitlines() if line.startswith("{")]
        mesh.wait_for(what, lambda: any(map(match, lines())))
        return [line for line in lines() if match(line)][-1]


DENIES, NO_ANSWER = "the service that a CUSTOM policy asks denies it", "the service that a CUSTOM policy asks gives no answer"


def requests(rig, way):
    """What each provider of OPA decides, with what it is told."""
    client = rig.client
    with tap.case(f"{way}: what the policy's rules do not match is not asked about"):
        status, headers, body = rig.get(client, "/free")
        assert status == 200 and "x-checked" not in headers and json.loads(body)["user"] == "", (status, headers, body)
    with tap.case(f"{way}: yes by the path; its headers go on to the application and back to the client"):
        status, headers, body = rig.get(client, "/ask/open")
        assert status == 200 and headers.get("x-checked") == way and json.loads(body)["user"] == "alice", (status, headers, body)
    with tap.case(f"{way}: no, with its status, header and body"):
        status, headers, body = rig.get(client, "/ask/login")
        assert (status, headers.get("x-reason"), body) == (401, "log in", "who are you?"), (status, headers, body)
        assert ("x-other" in headers) == (way == "grpc"), headers
    with tap.case(f"{way}: the sidecar's log has the refusal: which rule left it to the authorizer, and whose request it was"):
        rule = f"istio-ext-authz-opa-{way}-ns[default]-policy[ask]-rule[0]"
        line = rig.logged(rig.hello, "the line", lambda line: line["path"] == "/ask/login" and line["authz_custom"] == rule)
        assert line["response_flags"] == "UAEX" and line["response_code"] == 401 and line["source_principal"] == client.id, line
        assert (line["authz_reason"], line["route_name"], line["upstream_cluster"]) == (DENIES, "default", "inbound|8080||"), line
    with tap.case(f"{way}: by a header of the request"):
        assert rig.get(client, "/ask/token", "-H", "x-token: alice")[0] == 200
        status, _, body = rig.get(client, "/ask/token", "-H", "x-token: mallory")
        assert (status, body) == (403, "not allowed"), (status, body)
    with tap.case(f"{way}: by who the client is"):
        assert rig.get(client, "/ask/principal")[0] == 200
        assert rig.get(rig.stranger, "/ask/principal")[0] == 403
    with tap.case(f"{way}: a name that the client made up does not get through"):
        header = "x-forwarded-client-cert: URI=spiffe://cluster.local/ns/default/sa/client"
        assert rig.get(rig.stranger, "/ask/principal", "-H", header)[0] == 403
    with tap.case(f"{way}: by the first bytes of the body"):
        assert rig.get(client, "/ask/body", "-d", "0123456789abcdefghij")[0] == 200
        assert rig.get(client, "/ask/body", "-d", "0123")[0] == 403
    with tap.case(f"{way}: a path that is written otherwise is asked about like the plain one"):
        for path in "/free/../ask/login", "/ask/%2e/login", "//ask/login":
            status = rig.get(client, path, "--path-as-is")[0]
            assert status == (200 if path.startswith("//") else 401), (path, status)  # "//" is another path, unless MERGE_SLASHES


def connections(rig):
    with tap.case("tcp: a connection that the authorizer lets pass, by who the client is"):
        tally = rig.client.ask("tcp", "hello:9000", n=4)
        assert tally["answers"] == {"hello": 4} and not tally["errors"], tally
    with tap.case("tcp: one that it refuses is closed"):
        tally = rig.stranger.ask("tcp", "hello:9000", n=4)
        assert not tally["answers"] and sum(tally["errors"].values()) == 4, tally
    with tap.case("tcp: the sidecar's log has the refusal, of which rule and of whom"):
        line = rig.logged(rig.hello, "the line", lambda line: line["source_principal"] == rig.stranger.id and line["downstream_local_address"] == f"{rig.hello.ip}:9000")
        assert line["authz_custom"] == "istio-ext-authz-opa-grpc-ns[default]-policy[ask]-rule[0]", line
        assert (line["authz_reason"], line["response_flags"], line["upstream_cluster"]) == (DENIES, "UAEX", "inbound|9000||"), line
    with tap.case("tcp: ports that the rules do not name are not asked about"):
        tally = rig.stranger.ask("tcp", "hello:7001", n=4)
        assert tally["answers"] == {"hello": 4}, tally


@contextlib.contextmanager
def under_load(rig):
    """During the block what the authorizer lets pass passes, always, and what it refuses never does, on connections that are kept and on new ones."""
    with contextlib.ExitStack() as stack:
        load = lambda path: stack.enter_context(rig.client.load("http1", "hello:80", path=path, host="hello", rate=RATE, connections=2))
        passed, refused = load("/ask/open"), load("/ask/nobody")

        def flow():
            passed.flow(30)
            errors = lambda: sum(refused.so_far()["errors"].values())
            goal = errors() + 30
            mesh.wait_for("more refusals", lambda: errors() >= goal)
        flow()
        yield flow
        flow()
        passed.check("what the authorizer lets pass")
        results = refused.stop()
        assert results["errors"] and not results["answers"] and all(error.startswith("403") for error in results["errors"]), results


def under_load_changes(rig):
    rig.ask("opa-grpc")
    with tap.case("under load: from one provider to another, with another policy beside it, and back"):
        with under_load(rig) as flow:
            for provider in "opa-http", "opa-grpc":
                rig.ask(provider)
                flow()
                with rig.cluster.changed():
                    rig.cluster.write("beside.yaml", POLICY.format(provider=provider, operation="{paths: [/other]}").replace("ask", "beside"))
                flow()
                with rig.cluster.changed():
                    rig.cluster.remove("beside.yaml")
                flow()
    with tap.case("under load: weftd is restarted, and killed"):
        with under_load(rig) as flow:
            for end in "stop", "kill":
                getattr(rig.cluster.daemon, end)()
                flow()
                rig.cluster.weftd()
                rig.cluster.wait_synced()
                flow()


def at_the_edge(rig):
    with rig.cluster.changed():
        rig.cluster.write("edge.yaml", EDGE)
    mesh.wait_for("the gateway", lambda: raw.ask(rig.outside, (rig.edge.ip, EDGE_PORT), b"GET /free HTTP/1.1\r\nhost: shop.example.com\r\n\r\n") == 200)
    with tap.case("gateway: what the policy's rules do not match is not asked about"):
        status, headers, _ = rig.get_at_edge("/free")
        assert status == 200 and "x-checked" not in headers, headers
    with tap.case("gateway: yes, and its headers go on to the application and back to the client"):
        status, headers, body = rig.get_at_edge("/ask/open")
        assert status == 200 and headers.get("x-checked") == "grpc" and json.loads(body)["user"] == "alice", (status, headers, body)
        assert rig.get_at_edge("/ask/token", "-H", "x-token: alice")[0] == 200
    with tap.case("gateway: no, with its status, header and body; who comes from outside is not the client by saying so"):
        status, headers, body = rig.get_at_edge("/ask/login")
        assert (status, headers.get("x-reason"), body) == (401, "log in", "who are you?"), (status, headers, body)
        assert rig.get_at_edge("/ask/token", "-H", "x-token: mallory")[0] == 403
        assert rig.get_at_edge("/ask/principal", "-H", f"x-forwarded-client-cert: URI={rig.client.id}")[0] == 403
    with tap.case("gateway: its log has the refusal: which rule asked, and where the request would have gone"):
        line = rig.logged(rig.edge, "the line", lambda line: line["path"] == "/ask/login")
        assert line["authz_custom"] == "istio-ext-authz-opa-grpc-ns[default]-policy[ask-at-the-edge]-rule[0]", line
        assert (line["authz_reason"], line["response_flags"], line["response_code"]) == (DENIES, "UAEX", 401), line
        assert (line["source_principal"], line["upstream_cluster"]) == (None, "outbound|80||hello.default.svc.cluster.local"), line


def nobody_answers(rig):
    rig.authorizer.kill()
    with tap.case("the authorizer is away: the gateway is closed where it would have been asked, and says so"):
        assert rig.get_at_edge("/ask/open?away")[0] == 403 and rig.get_at_edge("/free")[0] == 200
        line = rig.logged(rig.edge, "the line", lambda line: line["path"] == "/ask/open?away")
        assert (line["authz_reason"], line["response_flags"]) == (NO_ANSWER, "UAEX"), line
    for provider, want in ("opa-grpc", 403), ("opa-http", 503), ("opa-grpc-open", 200), ("opa-http-open", 200):
        with tap.case(f"the authorizer is away: {provider} is {want}"):
            rig.ask(provider)
            assert rig.get(rig.client, "/ask/open")[0] == want
            assert rig.get(rig.client, "/free")[0] == 200
    for provider, is_open in ("opa-grpc", False), ("opa-grpc-open", True):
        with tap.case(f"the authorizer is away: a connection by {provider} is {'let pass' if is_open else 'closed'}"):
            rig.ask(provider, CONNECTIONS)
            tally = rig.client.ask("tcp", "hello:9000", n=2)
            assert bool(tally["answers"]) == is_open and bool(tally["errors"]) != is_open, tally
    with tap.case("the authorizer is back: it decides again"):
        rig.authorize()
        rig.ask("opa-grpc")
        mesh.wait_for("an answer", lambda: rig.get(rig.client, "/ask/open")[0] == 200)
        assert rig.get(rig.client, "/ask/login")[0] == 401
        assert rig.get_at_edge("/ask/open")[0] == 200 and rig.get_at_edge("/ask/login")[0] == 401


def nobody_to_ask(rig):
    with tap.case("a provider that nobody knows: what the rules match is refused, the rest is not, and the report says so"):
        rig.ask("nobody")
        status, _, body = rig.get(rig.client, "/ask/open")
        assert (status, body) == (403, "RBAC: access denied"), (status, body)
        assert rig.get(rig.client, "/free")[0] == 200
        rows = [row for row in json.loads(rig.cluster.admin("/debug/report")) if row["object"] == "AuthorizationPolicy/default/ask"]
        assert [(row["severity"], row["reason"], row["field"]) for row in rows] == [("error", "ProviderNotFound", "spec.provider.name")], rows
    with tap.case("a provider whose service goes: the same"):
        rig.ask("opa-grpc")
        assert rig.get(rig.client, "/ask/open")[0] == 200
        with rig.cluster.changed():
            rig.cluster.remove("service-opa.yaml")
        assert rig.get(rig.client, "/ask/open")[0] == 403 and rig.get(rig.client, "/free")[0] == 200


def main():
    with pods.Cluster() as cluster:
        rig = Rig(cluster)
        for way in "grpc", "http":
            rig.ask(f"opa-{way}")
            requests(rig, way)
        rig.ask("opa-grpc", CONNECTIONS)
        connections(rig)
        under_load_changes(rig)
        rig.cluster.remove("ask.yaml")
        at_the_edge(rig)
        nobody_answers(rig)
        nobody_to_ask(rig)
        with tap.case("no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()


if os.geteuid() != 0:
    tap.report(True, "external authorization", " # SKIP pods are network namespaces: needs root")
    tap.done()
main()
tap.done()

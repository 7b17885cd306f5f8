#!/usr/bin/env python3
"""A gateway in every mode of TLS, with traffic: a real Envoy that weft-agent starts, its certificates out of Secrets by way of weftd. Clients are curl
and openssl outside the mesh; behind the gateway are a pod with a sidecar and one that speaks TLS itself."""
import base64
import os
import subprocess
import threading

import tap

import client_certificates
import identity
import mesh as mesh_rig
import pods

TLS_PORT, MESH_PORT, HTTP_PORT, OWN_TLS_PORT = 8443, 8444, 8088, 9443
REFUSED = 7  # curl's exit code: nobody listens
SIMPLE, MUTUAL, OPTIONAL, MESH, PASSED, MISSING = (f"{name}.example.com" for name in ("simple", "mutual", "optional", "mesh", "passed", "missing"))
CONFIG = f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge, namespace: default}}
spec:
  selector: {{app: edge}}
  servers:
  - {{port: {{number: {HTTP_PORT}, name: http, protocol: HTTP}}, hosts: [{SIMPLE}], tls: {{httpsRedirect: true}}}}
  - {{port: {{number: {TLS_PORT}, name: simple, protocol: HTTPS}}, hosts: [{SIMPLE}], tls: {{mode: SIMPLE, credentialName: simple}}}}
  - {{port: {{number: {TLS_PORT}, name: mutual, protocol: HTTPS}}, hosts: [{MUTUAL}], tls: {{mode: MUTUAL, credentialName: mutual}}}}
  - {{port: {{number: {TLS_PORT}, name: optional, protocol: HTTPS}}, hosts: [{OPTIONAL}], tls: {{mode: OPTIONAL_MUTUAL, credentialName: optional}}}}
  - {{port: {{number: {TLS_PORT}, name: missing, protocol: HTTPS}}, hosts: [{MISSING}], tls: {{mode: SIMPLE, credentialName: missing}}}}
  - {{port: {{number: {TLS_PORT}, name: passed, protocol: TLS}}, hosts: [{PASSED}], tls: {{mode: PASSTHROUGH}}}}
  - {{port: {{number: {MESH_PORT}, name: mesh, protocol: HTTPS}}, hosts: [{MESH}], tls: {{mode: ISTIO_MUTUAL}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: hello, namespace: default}}
spec:
  hosts: [{SIMPLE}, {MUTUAL}, {OPTIONAL}, {MISSING}, {MESH}]
  gateways: [edge]
  http: [{{route: [{{destination: {{host: hello, port: {{number: 80}}}}}}]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: passed, namespace: default}}
spec:
  hosts: [{PASSED}]
  gateways: [edge]
  tls: [{{match: [{{sniHosts: [{PASSED}]}}], route: [{{destination: {{host: own-tls, port: {{number: 443}}}}}}]}}]
"""


def secret(name, pair, authority=None):
    parts = {"tls.crt": "".join(pair[1][:-1]), "tls.key": pair[0].pem, **({"ca.crt": authority.chain[-1]} if authority else {})}
    data = "".join(f"  {part}: |\n" + "".join(f"    {line}\n" for line in text.splitlines()) for part, text in parts.items())
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: default}}\nstringData:\n{data}"


class Edge:
    """The gateway, and who comes to it from the node."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.servers, self.clients, self.strangers = (client_certificates.Maker.self_signed(cluster.folder, name) for name in ("servers", "clients", "strangers"))
        self.workloads = client_certificates.Maker(cluster.folder, cluster.roots(), os.path.join(cluster.state, "ca-key.pem"))
        self.keys = []  # that Secrets hold, in PEM
        for host in SIMPLE, MUTUAL, OPTIONAL:
            self.give(host, self.servers.make(f"{host}-1", dns=[host]))
        cluster.write("gateway.yaml", CONFIG)
        self.pod = cluster.pod("edge", sidecar="gateway")
        cluster.service("hello", [cluster.pod("v1")])
        self._serve_own_tls(cluster.pod("own-tls", sidecar=None))
        cluster.wait_ready()
        for port in TLS_PORT, MESH_PORT, HTTP_PORT:
            mesh_rig.wait_for(f"port {port}", lambda p=port: self.curl("edge", p)[0] != REFUSED)
        mesh_rig.wait_for("the way to hello", lambda: "v1" in self.curl(SIMPLE)[1])

    def give(self, host, pair):
        name = host.split(".", maxsplit=1)[0]
        self.keys.append(pair[0].pem)
        self.cluster.write(f"secret-{name}.yaml", secret(name, pair, self.clients if host in (MUTUAL, OPTIONAL) else None))

    def _serve_own_tls(self, pod):
        key, chain = self.passed = self.servers.make("passed", dns=[PASSED])
        with open(os.path.join(self.cluster.folder, "passed.pem"), "w", encoding="utf-8") as file:
            file.write(chain[0] + key.pem)
        os.chmod(file.name, 0o644)
        self.cluster.start("own-tls", [*pod.enter("exec"), "openssl", "s_server", "-accept", str(OWN_TLS_PORT), "-cert", file.name, "-key", file.name, "-www", "-quiet"])
        self.cluster.service("own-tls", [pod], ports=[("tls", 443, OWN_TLS_PORT, "")])

    def curl(self, host, port=TLS_PORT, pair=None, scheme="https", options=()):
        """(exit code, what came with the status and the redirect behind)"""
        who = ["--cert", self.file(pair), "--key", pair[0].path] if pair else []
        done = subprocess.run(self.cluster.on_node("curl", "-sS", "--max-time", "10", "--resolve", f"{host}:{port}:{self.pod.ip}", "--cacert", self.servers.certificate,
                                                   "-w", "\n%{http_code} %{redirect_url}", *who, *options, f"{scheme}://{host}:{port}/"),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, done.stdout

    @staticmethod
    def file(pair):
        with open(f"{pair[0].path}.chain", "w", encoding="utf-8") as file:
            file.write("".join(pair[1][:-1]))
        return file.name

    def answers(self, host, **options):
        code, out = self.curl(host, **options)
        assert code == 0 and "v1" in out and out.splitlines()[-1].startswith("200"), (code, out)
        return True

    def refuses(self, host, count, **options):
        """The handshake fails, and Envoy counts it under this name."""
        before = self.count(count)
        code, out = self.curl(host, **options)
        assert code != 0 and "v1" not in out and out.splitlines()[-1].startswith("000"), (code, out)
        mesh_rig.wait_for(count, lambda: self.count(count) > before)

    def count(self, name):
        return sum(self.pod.stats(f"listener.*ssl.{name}$").values())

    def talk(self, host, pair=None):
        return Talk(self, host, pair)

    def shows(self, host, pair, port=TLS_PORT):
        """Whether this certificate is what a client sees."""
        done = subprocess.run(self.cluster.on_node("openssl", "s_client", "-connect", f"{self.pod.ip}:{port}", "-servername", host), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        return "".join(pair[1][0].split()) in "".join(done.stdout.split())


class Talk:
    """A connection that is kept, over which one asks again and again."""

    def __init__(self, edge, host, pair):
        self.host = host
        who = ["-cert", edge.file(pair), "-key", pair[0].path] if pair else []
        self._process = subprocess.Popen(edge.cluster.on_node("openssl", "s_client", "-quiet", "-connect", f"{edge.pod.ip}:{TLS_PORT}", "-servername", host, *who),
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self):
        """The answer's status and body."""
        self._process.stdin.write(f"GET / HTTP/1.1\r\nhost: {self.host}\r\n\r\n".encode())
        self._process.stdin.flush()
        head = [line.strip().decode() for line in iter(self._process.stdout.readline, b"\r\n")]
        assert head and head[0], "the connection has ended"
        length = next(int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:"))
        return head[0], self._process.stdout.read(length).decode()

    def close(self):
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()


class Callers:
    """New connections, one after the other, until the block ends; each must be answered."""

    def __init__(self, edge, host):
        self.codes, self._is_on = [], True
        self._thread = threading.Thread(target=self._run, args=(edge, host))

    def _run(self, edge, host):
        while self._is_on:
            self.codes.append(edge.curl(host)[0])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._is_on = False
        self._thread.join()


with pods.Cluster() as cluster:
    cluster.weftd()
    edge = Edge(cluster)
    client, stranger = edge.clients.make("client"), edge.strangers.make("stranger")
    with tap.case("SIMPLE: the Secret's certificate is shown, and requests arrive"):
        edge.answers(SIMPLE)
        assert not edge.shows(SIMPLE, edge.passed)
    with tap.case("a Secret that changes: new connections see the new certificate, and none is lost, old or new"):
        kept, fresh = edge.talk(SIMPLE), edge.servers.make("simple-2", dns=[SIMPLE])
        assert kept.ask()[0].endswith("200 OK") and not edge.shows(SIMPLE, fresh)
        with Callers(edge, SIMPLE) as callers:
            edge.give(SIMPLE, fresh)
            mesh_rig.wait_for("the new certificate", lambda: edge.shows(SIMPLE, fresh))
            before = len(callers.codes)
            mesh_rig.wait_for("more callers", lambda: len(callers.codes) >= before + 5)
        assert set(callers.codes) == {0}, callers.codes
        status, body = kept.ask()
        assert status.endswith("200 OK") and "v1" in body, (status, body)
        kept.close()
    with tap.case("MUTUAL: a client's certificate is demanded, and another authority's is refused"):
        edge.answers(MUTUAL, pair=client)
        edge.refuses(MUTUAL, "fail_verify_no_cert")
        edge.refuses(MUTUAL, "fail_verify_error", pair=stranger)
        edge.refuses(MUTUAL, "fail_verify_error", pair=edge.workloads.make("workload", [identity.spiffe_id("default", "v1")]))
        edge.refuses(MUTUAL, "fail_verify_error", pair=edge.clients.make("late", start_s=-7200, end_s=-3600))
    with tap.case("OPTIONAL_MUTUAL: with a certificate or without, but with no wrong one"):
        edge.answers(OPTIONAL)
        edge.answers(OPTIONAL, pair=client)
        edge.refuses(OPTIONAL, "fail_verify_error", pair=stranger)
    with tap.case("a Secret that is missing: handshakes are refused, others go on, and once it is there it is used"):
        assert edge.curl(MISSING)[0] != 0 and edge.answers(SIMPLE)
        found = edge.servers.make("missing", dns=[MISSING])
        edge.give(MISSING, found)
        mesh_rig.wait_for("the certificate", lambda: edge.shows(MISSING, found))
        edge.answers(MISSING)
    with tap.case("PASSTHROUGH: by its name to the pod, whose own certificate is shown"):
        assert edge.shows(PASSED, edge.passed)
        code, out = edge.curl(PASSED)
        assert code == 0 and "s_server" in out, (code, out)
    with tap.case("a name that no server has is refused"):
        assert edge.curl("other.example.com")[0] != 0
    with tap.case("ISTIO_MUTUAL: workloads of the mesh come in, and nobody else"):
        workload = edge.workloads.make("caller", [identity.spiffe_id("default", "caller")])
        edge.answers(MESH, port=MESH_PORT, pair=workload, options=["-k"])
        edge.refuses(MESH, "fail_verify_no_cert", port=MESH_PORT, options=["-k"])
        edge.refuses(MESH, "fail_verify_error", port=MESH_PORT, pair=client, options=["-k"])
    with tap.case("httpsRedirect: plaintext is sent to https"):
        code, out = edge.curl(SIMPLE, port=HTTP_PORT, scheme="http")
        status, where = out.splitlines()[-1].split(" ")
        assert code == 0 and status == "301" and where.startswith(f"https://{SIMPLE}") and "v1" not in out, out
    with tap.case("the gateway took everything, and no key is in a log or on a page"):
        assert not cluster.nacks(), cluster.nacks()
        shown = cluster.daemon.log() + edge.pod.sidecar.log() + cluster.admin("/debug/proxies")
        shown += cluster.admin(f"/debug/config_dump?proxy={next(one['id'] for one in cluster.proxies() if '~edge.' in one['id'])}")
        assert "[redacted; version" in shown and "PRIVATE KEY" not in shown
        for key in edge.keys:  # in PEM, and as JSON has bytes
            assert key.splitlines()[1] not in shown and base64.b64encode(key.encode()).decode()[:100] not in shown
tap.done()

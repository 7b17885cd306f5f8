#!/usr/bin/env python3
"""Connections that go by routes without being looked into: TCP and TLS routes in sidecars, and a gateway between networks that leads the
mesh's TLS on (AUTO_PASSTHROUGH)."""
import json
import os
import subprocess

import tap

import mesh
import pods

TCP = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: blue, namespace: default}}
spec:
  hosts: [blue]
  tcp:
  - match: [{{port: 9000, sourceLabels: {{app: special}}}}]
    route: [{{destination: {{host: green}}}}]
  - match: [{{port: 9000}}]
    route: [{{destination: {{host: blue}}, weight: {blue}}}, {{destination: {{host: green}}, weight: {green}}}]
"""
HOST = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: default}}
spec: {{hosts: [{name}.example.com], resolution: STATIC, ports: [{{number: 9443, name: tls, protocol: TLS}}], endpoints: [{{address: {ip}}}]}}
"""
TLS = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one, namespace: default}
spec:
  hosts: [one.example.com]
  tls: [{match: [{sniHosts: [one.example.com]}], route: [{destination: {host: two.example.com}}]}]
"""
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: across, namespace: default}
spec:
  selector: {app: eastwest}
  servers: [{port: {number: 15443, name: across, protocol: TLS}, hosts: ["*.local"], tls: {mode: AUTO_PASSTHROUGH}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hello, namespace: default}
spec: {host: hello, subsets: [{name: v1, labels: {app: v1}}, {name: outsider, labels: {app: outsider}}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""
NOWHERE = "198.51.100.1"  # TLS without an address goes by its name, whatever was dialled
HELLO = "hello.default.svc.cluster.local"


def who(client, n, to="blue:9000", protocol="tcp"):
    tally = client.ask(protocol, to, n=n, fresh=True)
    assert not tally["errors"], tally
    return set(tally["answers"])


def tcp(cluster):
    client, special = cluster.pod("client"), cluster.pod("special")
    for name in "blue", "green":
        cluster.service(name, [cluster.pod(name)])
    cluster.wait_ready()
    mesh.wait_for("both services", lambda: who(client, 4) == {"blue"} and who(client, 4, "green:9000") == {"green"})
    with tap.case("TCP by weights: all to another service"), cluster.changed():
        cluster.write("tcp.yaml", TCP.format(blue=0, green=100))
    with tap.case("TCP by weights: it answers, and nobody else"):
        assert who(client, 40) == {"green"}
    with tap.case("a change of weights loses nothing"), client.load("tcp", "blue:9000", rate=100, connections=4, fresh=True) as load:
        load.flow(50)
        with cluster.changed():
            cluster.write("tcp.yaml", TCP.format(blue=50, green=50))
        load.flow(100)
        load.check("the load")
    with tap.case("TCP by weights: both halves are answered, and a client with a route of its own has that"):
        assert who(client, 100) == {"blue", "green"} and who(special, 40) == {"green"}
    with tap.case("other ports of the service stay with it"):
        assert who(client, 10, "blue:80", "http1") == {"blue"} and who(client, 10, "blue:7001") == {"blue"}


def certificate_of(client, name):
    """Whose certificate a client sees that calls the name."""
    command = f"echo | openssl s_client -connect {NOWHERE}:9443 -servername {name} 2>/dev/null | openssl x509 -noout -subject"
    return client.run("sh", "-c", command, user="exec")[1].strip().replace(" ", "")


def tls(cluster):
    client = cluster.pods["client"]
    with cluster.changed():
        for name in "one", "two":
            server = cluster.pod(name, sidecar=None)
            key, certificate = (os.path.join(cluster.folder, f"{name}.{kind}") for kind in ("key", "pem"))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", f"/CN={name}",
                            "-keyout", key, "-out", certificate], check=True, capture_output=True)
            os.chmod(key, 0o644)
            cluster.start(f"tls-{name}", [*server.enter("exec"), "openssl", "s_server", "-accept", "9443", "-key", key, "-cert", certificate, "-quiet", "-www"])
            cluster.write(f"host-{name}.yaml", HOST.format(name=name, ip=server.ip))
    with tap.case("TLS services without an address share a port: the name in the handshake decides"):
        for name in "one", "two":
            mesh.wait_for(name, lambda n=name: certificate_of(client, f"{n}.example.com") == f"subject=CN={n}")
    with cluster.changed():
        cluster.write("tls.yaml", TLS)
    with tap.case("a TLS route leads a name elsewhere, and its TLS is what the other one shows"):
        assert [certificate_of(client, f"{name}.example.com") for name in ("one", "two")] == ["subject=CN=two"] * 2
    cluster.remove("tls.yaml")


class Traveller:
    """A client of the mesh from another network: a workload's certificate, and no sidecar."""

    def __init__(self, cluster):
        self.pod = cluster.pod("traveller", sidecar=None)
        self.folder = os.path.join(cluster.folder, "traveller")
        os.mkdir(self.folder)
        token = cluster.token(os.path.join(self.folder, "token"), "default", "traveller")
        done = subprocess.run(cluster.on_node(cluster.app, "ca", "--to", f"{pods.NODE}:{pods.TLS}", "--server-name", pods.CONTROL_PLANE, "--roots", cluster.roots(),
                                              "--token-file", token, "--id", self.pod.id, "--out", self.folder), env=cluster.env, capture_output=True, text=True)
        assert done.returncode == 0 and not json.loads(done.stdout).get("fault"), done.stdout + done.stderr
        os.chmod(self.folder, 0o755)
        for name in os.listdir(self.folder):
            os.chmod(os.path.join(self.folder, name), 0o644)

    def ask(self, gateway, name, alpn="istio-http/1.1"):
        """What it is answered, with what openssl says of the connection."""
        file = lambda kind: os.path.join(self.folder, f"{kind}.pem")
        command = (f"printf 'GET / HTTP/1.1\\r\\nhost: hello\\r\\nconnection: close\\r\\n\\r\\n' | timeout 10 openssl s_client -connect {gateway.ip}:15443 -servername {name} "
                   f"-alpn {alpn} -cert {file('leaf')} -cert_chain {file('cert-chain')} -key {file('key')} -CAfile {file('root-cert')} -verify_return_error -ign_eof -showcerts")
        return self.pod.run("sh", "-c", command, user="exec")[1]


def auto_passthrough(cluster):
    eastwest = cluster.pod("eastwest", sidecar="gateway")
    v1, outsider = cluster.pod("v1", account="hello"), cluster.pod("outsider", sidecar=None)
    cluster.service("hello", [v1, outsider])
    cluster.write("gateway.yaml", GATEWAY)
    traveller = Traveller(cluster)
    cluster.wait_ready()
    name = f"outbound_.80_._.{HELLO}"
    mesh.wait_for("the gateway", lambda: "200 OK" in traveller.ask(eastwest, name))
    with tap.case("the gateway leads TLS on by its server name, and the service sees its client's own certificate"):
        answer = traveller.ask(eastwest, name)
        assert '"v1"' in answer and f"URI={traveller.pod.id}" in answer and f"By={v1.id}" in answer, answer
    with tap.case("by the name of a subset, too"):
        assert '"v1"' in traveller.ask(eastwest, f"outbound_.80_.v1_.{HELLO}")
    with tap.case("endpoints that take no mutual TLS are not for the gateway"):
        answers = [traveller.ask(eastwest, name) for _ in range(8)]
        assert all('"v1"' in answer for answer in answers), answers
        assert "BEGIN CERTIFICATE" not in traveller.ask(eastwest, f"outbound_.80_.outsider_.{HELLO}")
    with tap.case("what is not the mesh's TLS, or names nothing of it, gets nowhere"):
        for other, alpn in (name, "http/1.1"), (HELLO, "istio-http/1.1"), ("outbound_.80_._.nothing.default.svc.cluster.local", "istio-http/1.1"):
            answer = traveller.ask(eastwest, other, alpn)
            assert "BEGIN CERTIFICATE" not in answer and "200 OK" not in answer, (other, alpn, answer)
    with tap.case("an endpoint that comes is led to"):
        v2 = cluster.pod("v2", account="hello")
        cluster.endpoints("hello", [v2, outsider])
        mesh.wait_for("v2", lambda: '"v2"' in traveller.ask(eastwest, name))


def main():
    if os.geteuid() != 0:
        tap.report(True, "routes of connections", " # SKIP pods are network namespaces: needs root")
        tap.done()
    with pods.Cluster() as cluster:
        cluster.weftd()
        tcp(cluster)
        tls(cluster)
        auto_passthrough(cluster)
        with tap.case("no proxy refused anything"):
            assert not cluster.nacks(), cluster.nacks()
    tap.done()


main()

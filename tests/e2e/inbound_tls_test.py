#!/usr/bin/env python3
"""Who gets in by which filter chain: virtualInbound as `weft translate` makes it, in a real Envoy, asked by clients of every kind.

What redirection would tell the listener (the port that was dialled) a PROXY header tells it here, and secrets come from files; all
else is what a sidecar gets. An outcome is what reaches the application: "http" or "tcp" (what Envoy took it for), "+peer" when Envoy says
who the client is, "tls" when the client's own TLS goes through; "mesh" when Envoy takes that for itself (and wants a certificate), or "refused".
"""
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading

import tap
from mesh import BIN, ENVOY, Mesh, Process, free_port, is_open, wait_for

SERVICE = """apiVersion: v1
kind: Service
metadata: {name: app, namespace: NS}
spec: {clusterIP: 10.96.0.10, selector: {app: app}, ports: [{name: http, port: 8080}, {name: tcp, port: 5000}, {name: any, port: 7000}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, namespace: NS, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: http, port: 8080}, {name: tcp, port: 5000}, {name: any, port: 7000}]
endpoints: [{addresses: [ADDRESS], targetRef: {kind: Pod, name: app-1, namespace: NS}}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: app, namespace: NS}
spec: {selector: {matchLabels: {app: app}}, mtls: {mode: MODE}, portLevelMtls: {6000: {mode: DISABLE}}}
---
"""
CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "trustDomainAliases: [old.domain]"}
---
"""
MODES = {"PERMISSIVE": "10.1.0.1", "STRICT": "10.1.0.2", "DISABLE": "10.1.0.3"}
PEERS = {"friend": ("root", "cluster.local"), "alias": ("root", "old.domain"), "stranger": ("root", "other.domain"), "lookalike": ("root", "cluster.local.evil"), "forger": ("forged", "cluster.local")}
HTTP = ["istio-http/1.1", "istio", "http/1.1"]
TCP = ["istio-peer-exchange", "istio"]
# client: certificate, what it offers, what it says; ports: http 8080, tcp 5000, any 7000, none names 6001, 6000 (DISABLE)
CLIENTS = {
    "plaintext HTTP": (None, None, "http"), "plaintext TCP": (None, None, "tcp"), "an application's TLS": (None, [], "hello"),
    "the mesh's HTTP": ("friend", HTTP, "http"), "the mesh's TCP": ("friend", TCP, "tcp"), "HTTP of an alias": ("alias", HTTP, "http"),
    "another trust domain": ("stranger", HTTP, "http"), "a name that only begins so": ("lookalike", HTTP, "http"),
    "another root": ("forger", HTTP, "http"), "no certificate": ("", HTTP, "http"),
}
WANT = {  # by mode: client -> outcome on 8080, 5000, 7000, 6001
    "PERMISSIVE": {
        "plaintext HTTP": ["http", "tcp", "http", "http"], "plaintext TCP": ["refused", "tcp", "tcp", "tcp"], "an application's TLS": ["refused", "tls", "tls", "tls"],
        "the mesh's HTTP": ["http+peer", "tcp", "http+peer", "http+peer"], "the mesh's TCP": ["refused", "tcp", "tcp", "tcp"], "HTTP of an alias": ["http+peer", "tcp", "http+peer", "http+peer"],
        "another trust domain": ["refused"] * 4, "a name that only begins so": ["refused"] * 4, "another root": ["refused"] * 4, "no certificate": ["refused"] * 4},
    "STRICT": {
        "plaintext HTTP": ["refused"] * 4, "plaintext TCP": ["refused"] * 4, "an application's TLS": ["mesh"] * 4,
        "the mesh's HTTP": ["http+peer", "tcp", "http+peer", "http+peer"], "the mesh's TCP": ["refused", "tcp", "tcp", "tcp"], "HTTP of an alias": ["http+peer", "tcp", "http+peer", "http+peer"],
        "another trust domain": ["refused"] * 4, "a name that only begins so": ["refused"] * 4, "another root": ["refused"] * 4, "no certificate": ["refused"] * 4},
    "DISABLE": {
        "plaintext HTTP": ["http", "tcp", "http", "http"], "plaintext TCP": ["refused", "tcp", "tcp", "tcp"], "an application's TLS": ["refused", "tls", "tls", "tls"]},
}
PORTS = [8080, 5000, 7000, 6001]


class Application:
    """Answers with the first bytes that it gets; HTTP as HTTP."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection:
            said = connection.recv(65536)
            if said.startswith(b"GET") and b"x-request-id" in said:
                peer = b"+peer" if b"x-forwarded-client-cert: " in said and b"URI=spiffe://" in said else b""
                connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\nx-seen: http%s\r\ncontent-length: 0\r\n\r\n" % peer)
            elif said:
                connection.sendall(b"x-seen: %s\r\n" % (b"tls" if said[0] == 22 else b"tcp"))


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_certificates(folder):
    path = lambda name: os.path.join(folder, name)
    for root in ("root", "forged"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", f"/O={root}", "-keyout", path(f"{root}.key"), "-out", path(f"{root}.pem"))
    for name, (root, domain) in {**PEERS, "server": ("root", "cluster.local")}.items():
        with open(path("ext"), "w", encoding="utf-8") as out:
            out.write(f"subjectAltName=URI:spiffe://{domain}/ns/default/sa/{name}\nextendedKeyUsage=clientAuth,serverAuth\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-keyout", path(f"{name}.key"), "-out", path("csr"))
        openssl("x509", "-req", "-in", path("csr"), "-CA", path(f"{root}.pem"), "-CAkey", path(f"{root}.key"), "-CAcreateserial", "-days", "1", "-extfile", path("ext"), "-out", path(f"{name}.pem"))
    secrets = {"default": {"tlsCertificate": {"certificateChain": {"filename": path("server.pem")}, "privateKey": {"filename": path("server.key")}}},
               "ROOTCA": {"validationContext": {"trustedCa": {"filename": path("root.pem")}}}}
    for name, secret in secrets.items():
        with open(path(name), "w", encoding="utf-8") as out:
            json.dump({"resources": [{"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "name": name, **secret}]}, out)


def translate(mode, folder):
    file = os.path.join(folder, "config.yaml")
    with open(file, "w", encoding="utf-8") as out:
        out.write(CONFIG + "".join(SERVICE.replace("NS", mode.lower()).replace("ADDRESS", address).replace("MODE", mode) for mode, address in MODES.items()))
    node = f"sidecar~{MODES[mode]}~app-1.{mode.lower()}~{mode.lower()}.svc.cluster.local"
    meta = {"NAMESPACE": mode.lower(), "LABELS": {"app": "app"}, "ISTIO_VERSION": "1.0.0"}
    done = subprocess.run([os.path.join(BIN, "weft"), "translate", "--config", file, "--node", node, "--meta", json.dumps(meta)], capture_output=True, text=True, timeout=60, check=True)
    return next(one for one in json.loads(done.stdout)["listeners"] if one["name"] == "virtualInbound")


def from_files(value, folder):
    """Secrets from files; returns the names of clusters."""
    clusters = set()
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        clusters |= from_files(item, folder)
    if isinstance(value, dict):
        if "sdsConfig" in value:
            value["sdsConfig"] = {"pathConfigSource": {"path": os.path.join(folder, value["name"])}, "resourceApiVersion": "V3"}
        if isinstance(value.get("cluster"), str):
            clusters.add(value["cluster"])
    return clusters


def bootstrap(mode, folder, port, application):
    listener = translate(mode, folder)
    listener["address"] = {"socketAddress": {"address": "127.0.0.1", "portValue": port}}
    assert listener["listenerFilters"][0]["name"] == "envoy.filters.listener.original_dst"
    listener["listenerFilters"][0] = {"name": "envoy.filters.listener.proxy_protocol", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"}}
    clusters = [{"name": name, "loadAssignment": {"clusterName": name, "endpoints": [] if name == "BlackHoleCluster" else [
        {"lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "127.0.0.1", "portValue": application}}}}]}]}} for name in sorted(from_files(listener, folder))]
    file = os.path.join(folder, f"{mode}.json")
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"node": {"id": mode, "cluster": mode}, "staticResources": {"listeners": [listener], "clusters": clusters}}, out)
    return file


def call(listener, port, client, folder):
    certificate, alpn, what = CLIENTS[client]
    said = b"GET / HTTP/1.1\r\nhost: app\r\nx-forwarded-client-cert: URI=spiffe://me\r\n\r\n" if what == "http" else b"hello\r\n"
    try:
        with socket.create_connection(("127.0.0.1", listener), timeout=10) as connection:
            connection.sendall(b"PROXY TCP4 10.9.9.9 10.1.0.1 4000 %d\r\n" % port)
            if alpn is None:
                return seen(connection, said)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if alpn:
                context.set_alpn_protocols(alpn)
            if what == "hello":  # the application would answer it: its first bytes are enough
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                try:
                    context.wrap_bio(incoming, outgoing).do_handshake()
                except ssl.SSLWantReadError:
                    return seen(connection, outgoing.read())
            if certificate:
                context.load_cert_chain(os.path.join(folder, f"{certificate}.pem"), os.path.join(folder, f"{certificate}.key"))
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(os.path.join(folder, "root.pem"))
            with context.wrap_socket(connection) as secure:
                assert secure.selected_alpn_protocol() != "istio-peer-exchange", "the server agreed to it"
                return seen(secure, said)
    except TimeoutError:
        raise
    except OSError:
        return "refused"


def seen(connection, said):
    connection.sendall(said)
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
        if answer[0] == 22:
            return "mesh"  # Envoy's own answer to a handshake
        if b"x-seen: " in answer and b"\r\n" in answer.split(b"x-seen: ")[1]:
            return answer.split(b"x-seen: ")[1].split(b"\r\n")[0].decode()
    return "refused"


def main():
    with tempfile.TemporaryDirectory() as folder, Mesh(None) as mesh:
        make_certificates(folder)
        application = Application()
        for mode, clients in WANT.items():
            port = free_port()
            with tap.case(f"{mode}: Envoy takes the listener"):
                envoy = mesh.own(Process(f"envoy-{mode}", [ENVOY, "-c", bootstrap(mode, folder, port, application.port), "--disable-hot-restart", "--concurrency", "1", "-l", "warning"], mesh.folder))
                wait_for("Envoy", lambda: envoy.check() or is_open("127.0.0.1", port))
            for client, wants in clients.items():
                with tap.case(f"{mode}: {client}"):
                    got = [call(port, to, client, folder) for to in PORTS]
                    assert got == wants, f"want {wants}, got {got}"
            with tap.case(f"{mode}: a port of its own that takes plaintext only"):
                assert call(port, 6000, "plaintext HTTP", folder) == "http"
            with tap.case(f"{mode}: the listener's own port"):
                assert call(port, 15006, "plaintext HTTP", folder) == "refused"
    tap.done()


if __name__ == "__main__":
    main()

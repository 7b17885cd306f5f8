#!/usr/bin/env python3
"""Who is given a gateway's Secret: the gateway that a Gateway names it for, in its namespace, proved. Nobody else sees a byte of a key, however the
name is spelt and over whichever method: every byte that comes is searched. Each that is withheld is counted, with a line in the log."""
import os

import tap
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2

import cert_client
import client_certificates
import identity
import mesh as mesh_rig
import xds_client

SERVICE = "/envoy.service.secret.v3.SecretDiscoveryService/"
METHODS = "StreamAggregatedResources", "DeltaAggregatedResources", f"{SERVICE}StreamSecrets", f"{SERVICE}DeltaSecrets"
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 8443, name: https, protocol: HTTPS}, hosts: [shop.example.com], tls: {mode: MUTUAL, credentialName: shop}}
  - {port: {number: 8444, name: https-theirs, protocol: HTTPS}, hosts: [bank.example.com], tls: {mode: SIMPLE, credentialName: kubernetes://bank/vault}}
---
apiVersion: v1
kind: Pod
metadata: {name: gateway-1, namespace: istio-system, labels: {istio: ingressgateway}}
spec: {serviceAccountName: gateway}
status: {podIP: 10.9.9.9, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: app-1, namespace: istio-system, labels: {app: app}}
spec: {serviceAccountName: app}
status: {podIP: 10.9.9.8, phase: Running}
"""
# (name asked for, why it is withheld): by a gateway of istio-system that proved who it is
SPELLINGS = [
    ("kubernetes://bank/vault", "other_namespace"),  # though a Gateway of its own names it
    ("kubernetes-gateway://bank/vault", "other_namespace"),
    ("kubernetes-gateway://istio-system/shop", "not_named"),
    ("kubernetes://bank/vault-cacert", "other_namespace"),
    ("kubernetes://../bank/vault", "other_namespace"),
    ("kubernetes://istio-system/../bank/vault", "not_named"),
    ("kubernetes:///bank/vault", "other_namespace"),
    ("kubernetes://bank%2Fvault", "not_named"),
    ("bank/vault", "not_named"),
    ("../bank/vault", "not_named"),
    ("vault", "not_named"),
    ("kubernetes://vault", "not_named"),
    ("shop", "not_named"),
    ("kubernetes://shop/", "other_namespace"),
    ("kubernetes://shop ", "not_named"),
    ("KUBERNETES://shop", "not_named"),
    ("kubernetes://unnamed", "not_named"),
    ("kubernetes://unnamed-cacert", "not_named"),
    ("kubernetes://shop-cacert-cacert", "not_named"),
    ("kubernetes://istio-ca-secret", "not_named"),
    ("/var/run/secrets/kubernetes.io/serviceaccount/token", "not_named"),
    ("default", "not_named"),
]
SECRETS = ("kubernetes://shop", "kubernetes://istio-system/shop", "kubernetes-gateway://istio-system/shop", "kubernetes://shop-cacert", "shop")


def secret(namespace, name, folder):
    """The Secret's YAML, and its key."""
    key = cert_client.Key(folder, f"{namespace}-{name}")
    pem = cert_client.openssl("req", "-x509", "-new", "-key", key.path, "-subj", f"/CN={name}")
    parts = {"tls.crt": pem, "tls.key": key.pem, "ca.crt": pem}
    data = "".join(f"  {part}: |\n" + "".join(f"    {line}\n" for line in text.splitlines()) for part, text in parts.items())
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\nstringData:\n{data}", key.pem


def has_key(data, pems):
    """Whether a line of one of these keys is in the bytes."""
    return any(line.encode() in data for pem in pems for line in pem.splitlines() if "-----" not in line)


class Proxy:
    """Who asks: identity None is the plaintext port."""

    def __init__(self, server, role, namespace, is_verified=True, account="gateway", address="10.9.9.9", name="gateway-1"):
        self.server, self.namespace = server, namespace
        self.id = f"{role}~{address}~{name}.{namespace}~{namespace}.svc.cluster.local"
        self.identity = server.maker.make(f"{role}-{namespace}-{account}", [identity.spiffe_id(namespace, account)]) if is_verified else None

    def _client(self, method):
        if not self.identity:
            return xds_client.Client(self.server.weftd.xds_port, method)
        return xds_client.Client(self.server.weftd.tls_port, method, credentials=cert_client.credentials(self.server.roots, self.identity),
                                 options=cert_client.options())

    def _request(self, method, names):
        is_delta = "Delta" in method
        request = (discovery_pb2.DeltaDiscoveryRequest if is_delta else discovery_pb2.DiscoveryRequest)(type_url=xds_client.SDS)
        request.node.id = self.id
        request.node.metadata.update({"NAMESPACE": self.namespace, "LABELS": {"istio": "ingressgateway"}})
        (request.resource_names_subscribe if is_delta else request.resource_names).extend(names)
        return request

    def ask(self, names, method="DeltaAggregatedResources"):
        """(the secrets by name, all bytes that came): of one answer, which is to all of the names."""
        client = self._client(method)
        client.send(self._request(method, names))
        data = next(client.responses)
        client.close()
        if "Delta" in method:
            found = [one.resource for one in discovery_pb2.DeltaDiscoveryResponse.FromString(data).resources]
        else:
            found = discovery_pb2.DiscoveryResponse.FromString(data).resources
        secrets = [secret_pb2.Secret.FromString(one.value) for one in found]
        return {one.name: one for one in secrets}, data


class Server:
    def __init__(self, mesh):
        self.keys = []
        for namespace, name in (("istio-system", "shop"), ("istio-system", "unnamed"), ("bank", "vault")):
            text, key = secret(namespace, name, mesh.folder)
            mesh.write(f"secret-{namespace}-{name}.yaml", text)
            self.keys.append(key)
        mesh.write("gateway.yaml", GATEWAY)
        authority = identity.Authority(mesh)
        self.weftd = authority.weftd
        self.maker = client_certificates.Maker(mesh.folder, authority.roots, os.path.join(authority.state, "ca-key.pem"))
        with open(authority.roots, encoding="utf-8") as file:
            self.roots = file.read()

    def withheld(self, why):
        return self.weftd.metrics()[f'weft_xds_withheld_secrets_total{{reason="{why}"}}']

    def check_withheld(self, proxy, name, why, methods=METHODS):
        """Over each method: counted for this reason, and nothing but the public roots came."""
        for method in methods:
            before = self.withheld(why)
            secrets, data = proxy.ask([name, "ROOTCA"], method)
            assert set(secrets) == {"ROOTCA"}, (method, set(secrets))
            assert not has_key(data, self.keys) and b"PRIVATE KEY" not in data, method
            assert self.withheld(why) == before + 1, (method, self.withheld(why), before)


with mesh_rig.Mesh() as mesh:
    server = Server(mesh)
    gateway = Proxy(server, "router", "istio-system")
    with tap.case("the gateway that it is named for gets it, over each method, and its authority apart from it"):
        for method in METHODS:
            secrets, data = gateway.ask(["kubernetes://shop", "kubernetes://shop-cacert", "ROOTCA"], method)
            assert set(secrets) == {"kubernetes://shop", "kubernetes://shop-cacert", "ROOTCA"}, (method, set(secrets))
            assert secrets["kubernetes://shop"].tls_certificate.private_key.inline_bytes.decode().strip() == server.keys[0].strip()
            assert has_key(data, server.keys[:1]) and not has_key(data, server.keys[1:])
            assert not has_key(secrets["kubernetes://shop-cacert"].SerializeToString(), server.keys)
    with tap.case("the Gateway that names another namespace's is told so"):
        assert "Secret bank/vault is not given to the proxies in namespace istio-system" in server.weftd.get("/debug/report")[1]
    for name, why in SPELLINGS:
        with tap.case(f"it asks for {name!r}: withheld ({why})"):
            server.check_withheld(gateway, name, why, METHODS[:2])
    for what, proxy, why in (("a sidecar beside it", Proxy(server, "sidecar", "istio-system"), {}),
                             ("another workload of the namespace that says it is that gateway's pod", Proxy(server, "router", "istio-system", account="app"), {}),
                             ("another workload of the namespace that says it is a gateway", Proxy(server, "router", "istio-system", account="app", address="10.9.9.8", name="app-1"), {}),
                             ("another workload of the namespace that says it is a gateway that nobody knows",
                              Proxy(server, "router", "istio-system", account="app", address="10.9.9.7", name="gateway-2"), {}),
                             ("a gateway of another namespace", Proxy(server, "router", "elsewhere"),
                              {"kubernetes://istio-system/shop": "other_namespace", "kubernetes-gateway://istio-system/shop": "other_namespace"}),
                             ("who says on the plaintext port that he is that gateway", Proxy(server, "router", "istio-system", is_verified=False),
                              dict.fromkeys(SECRETS, "unverified"))):
        with tap.case(f"{what} gets none of it by any name"):
            for name in SECRETS:
                server.check_withheld(proxy, name, why.get(name, "not_named"))
        with tap.case(f"{what} asks for all there are, and gets the roots"):
            for method in METHODS:
                secrets, data = proxy.ask(["*"], method)
                assert set(secrets) == {"ROOTCA"} and not has_key(data, server.keys), (method, set(secrets))
    with tap.case("the log says who asked for what, and why it was withheld"):
        plain = Proxy(server, "router", "istio-system", is_verified=False)
        for proxy, name, words in ((gateway, "kubernetes://bank/vault", "of its own namespace only"), (gateway, "kubernetes://unnamed", "nothing in its configuration names it"),
                                   (plain, "kubernetes://shop", "did not prove who it is")):
            line = f'~gateway-1.istio-system~istio-system.svc.cluster.local is not given the secret "{name}": '
            mesh_rig.wait_for(f"a line: {words}", lambda n=name, p=proxy, w=words, li=line: any(
                li in one and w in one for one in server.weftd.log().splitlines()) or p.ask([n]) and False, step_s=0.2)
    with tap.case("no key is in the log or on the admin's pages"):
        pages = "".join(server.weftd.get(path)[1] for path in ("/metrics", "/debug/proxies", "/debug/report", "/debug/ca"))
        assert not has_key((server.weftd.log() + pages).encode(), server.keys)
tap.done()

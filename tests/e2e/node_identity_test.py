#!/usr/bin/env python3
"""Proxies that say that they are somebody else than they proved to be, by certificate and by token, in state of the world and in delta: the stream
ends before a byte of configuration, weftd counts it and says who it was. And who proves nothing does not even get to say a name."""
import os

import grpc
import tap
from envoy.service.discovery.v3 import discovery_pb2

import cert_client
import identity
import mesh as mesh_rig
import xds_client

METHODS = ("StreamAggregatedResources", discovery_pb2.DiscoveryRequest), ("DeltaAggregatedResources", discovery_pb2.DeltaDiscoveryRequest)
DENIED = "weft_xds_denied_streams_total"

# (what it says, the namespace in the node id, the node's metadata): the caller is default/hello
LIES = [
    ("another namespace", "kube-system", {}),
    ("another namespace, in the metadata too", "kube-system", {"NAMESPACE": "kube-system", "SERVICE_ACCOUNT": "hello"}),
    ("another namespace, in the metadata alone", "default", {"NAMESPACE": "kube-system"}),
    ("another namespace's pod in the id, its own namespace in the metadata", "kube-system", {"NAMESPACE": "default"}),
    ("another service account", "default", {"NAMESPACE": "default", "SERVICE_ACCOUNT": "admin"}),
    ("another identity altogether", "kube-system", {"NAMESPACE": "kube-system", "SERVICE_ACCOUNT": "admin"}),
    ("a namespace that only begins like its own", "default2", {"NAMESPACE": "default2"}),
]


def node_of(namespace, metadata, name="hello-1"):
    node = discovery_pb2.DiscoveryRequest().node
    node.id = f"sidecar~10.9.9.9~{name}.{namespace}~{namespace}.svc.cluster.local"
    node.metadata.update(metadata)
    return node


class Server:
    def __init__(self, mesh):
        self.authority = identity.Authority(mesh)
        with open(self.authority.roots, encoding="utf-8") as file:
            self.roots = file.read()
        with open(self.authority.token("default", "hello"), encoding="utf-8") as file:
            self.token = file.read().strip()
        key = cert_client.Key(mesh.folder, "hello")
        chain = cert_client.ask(self.authority.port, self.roots, key.request(), token=self.token)
        self.proofs = {"certificate": {"identity": (key, chain)}, "token": {"token": self.token}}

    def open(self, method, identity=None, token=None):
        return xds_client.Client(self.authority.port, method, credentials=cert_client.credentials(self.roots, identity), token=token,
                                 options=cert_client.options())

    def denied(self):
        return self.authority.weftd.metrics()[DENIED]

    def proxies(self):
        return [proxy["id"] for proxy in self.authority.weftd.proxies()]


def refused(client):
    """The code and the words; not a message may come before."""
    try:
        raise AssertionError(f"it got {len(next(client.responses))} bytes")
    except grpc.RpcError as error:
        return error.code(), error.details()
    finally:
        client.close()


with mesh_rig.Mesh(os.path.join(mesh_rig.ROOT, "examples", "canary")) as mesh:
    server = Server(mesh)
    for proof, shown in server.proofs.items():
        for claim, namespace, metadata in LIES:
            with tap.case(f"by {proof} default/hello, says {claim}: denied, nothing sent, counted"):
                for method, request in METHODS:
                    before = server.denied()
                    client = server.open(method, **shown)
                    client.send(request(node=node_of(namespace, metadata), type_url=xds_client.CDS))
                    code, words = refused(client)
                    assert code == grpc.StatusCode.PERMISSION_DENIED, (method, code, words)
                    assert "proved to be spiffe://cluster.local/ns/default/sa/hello" in words, words
                    assert server.denied() == before + 1 and not server.proxies()
        with tap.case(f"by {proof}, says who it is: served, as that one"):
            for method, request in METHODS:
                client = server.open(method, **shown)
                client.send(request(node=node_of("default", {"NAMESPACE": "default", "SERVICE_ACCOUNT": "hello"}), type_url=xds_client.CDS))
                next(client.responses)
                assert server.authority.weftd.proxies()[0]["identity"] == identity.spiffe_id("default", "hello")
                client.close()
                mesh_rig.wait_for("its end", lambda: not server.proxies())
        with tap.case(f"by {proof}: another node on the same stream changes nothing of who it is"):
            for method, request in METHODS:
                client = server.open(method, **shown)
                client.send(request(node=node_of("default", {"NAMESPACE": "default"}), type_url=xds_client.LDS))
                next(client.responses)
                client.send(request(node=node_of("kube-system", {"NAMESPACE": "kube-system", "SERVICE_ACCOUNT": "admin"}, "admin-1"), type_url=xds_client.CDS))
                next(client.responses)
                shown_now = server.authority.weftd.proxies()
                assert [proxy["id"].split("~")[2] for proxy in shown_now] == ["hello-1.default"], shown_now
                assert shown_now[0]["identity"] == identity.spiffe_id("default", "hello")
                client.close()
                mesh_rig.wait_for("its end", lambda: not server.proxies())
    with tap.case("the log says who said what"):
        assert 'says that it is of namespace "kube-system"' in server.authority.weftd.log()
    with tap.case("without any proof, or with an empty or a nonsensical one: no stream, whatever the node says"):
        for token in None, "", "x", "a.b.c":
            for method, request in METHODS:
                name = f'weft_callers_refused_total{{reason="{"token" if token else "nothing_shown"}"}}'
                before = server.authority.weftd.metrics()[name]
                client = server.open(method, token=token)
                client.send(request(node=node_of("default", {"NAMESPACE": "default"}), type_url=xds_client.CDS))
                code, words = refused(client)
                assert code == grpc.StatusCode.UNAUTHENTICATED and words, (code, words)
                assert server.authority.weftd.metrics()[name] == before + 1 and not server.proxies()
tap.done()

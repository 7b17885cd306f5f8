#!/usr/bin/env python3
"""Client certificates that count for nothing at the TLS port: whoever shows one is told no certificate, no configuration and nothing else, also with
a good token beside it; weftd counts him and says why. In the handshake where the path to a root is wrong, at the door where the name is."""
import collections
import os

import grpc
import tap
from envoy.service.discovery.v3 import discovery_pb2

import cert_client
import client_certificates
import identity
import mesh as mesh_rig
import xds_client

HELLO = identity.spiffe_id("default", "hello")
HANDSHAKE, DOOR = 'weft_grpc_failed_handshakes_total{reason="certificate"}', 'weft_callers_refused_total{reason="certificate"}'

# (what it is, how it is made, who refuses it, what weftd's log says)
Row = collections.namedtuple("Row", "name make where why")


def rows(folder, authority, good):
    ours = client_certificates.Maker(folder, authority.roots, os.path.join(authority.state, "ca-key.pem"))
    stranger = client_certificates.Maker.self_signed(folder, "stranger")
    workload = client_certificates.Maker.of(folder, good)
    return [
        Row("of another trust domain", lambda: ours.make("domain", ["spiffe://other.example/ns/default/sa/hello"]), DOOR, 'trust domain "other.example"'),
        Row("of another root, with our name", lambda: stranger.make("foreign", [HELLO]), HANDSHAKE, "unable to get local issuer certificate"),
        Row("self-signed, with our name", lambda: client_certificates.self_signed(folder, HELLO), HANDSHAKE, "self-signed certificate"),
        Row("expired", lambda: ours.make("expired", [HELLO], start_s=-7200, end_s=-3600), HANDSHAKE, "certificate has expired"),
        Row("not yet valid", lambda: ours.make("early", [HELLO], start_s=3600), HANDSHAKE, "certificate is not yet valid"),
        Row("signed with a workload's key (CA:FALSE)", lambda: workload.make("child", [HELLO]), HANDSHAKE, "invalid CA certificate"),
        Row("not for clients", lambda: ours.make("server", [HELLO], uses="serverAuth"), HANDSHAKE, "unsuitable certificate purpose"),
        Row("of a server, by its DNS name", lambda: ours.make("dns", dns=["weftd.istio-system.svc"], uses="serverAuth"), HANDSHAKE, "unsuitable certificate purpose"),
        Row("with a DNS name alone", lambda: ours.make("host", dns=["weftd.istio-system.svc"]), DOOR, "has 0 URIs"),
        Row("with two names", lambda: ours.make("two", [HELLO, identity.spiffe_id("kube-system", "admin")]), DOOR, "has 2 URIs"),
        Row("with the same name twice", lambda: ours.make("twice", [HELLO, HELLO]), DOOR, "has 2 URIs"),
        Row("with a name that is no workload's", lambda: ours.make("path", ["spiffe://cluster.local/ns/default/sa/hello/../admin"]), DOOR, "URI"),
        Row("of an authority, as a client", lambda: ours.make("authority", [HELLO], is_ca=True), DOOR, "is an authority's"),
    ]


class Attack:
    def __init__(self, authority, token):
        self.authority, self.token = authority, token
        with open(authority.roots, encoding="utf-8") as file:
            self.roots = file.read()

    def count(self, name):
        return self.authority.weftd.metrics()[name]

    def certificate(self, who, token):
        """The code and words with which the certificate service refuses; it must."""
        try:
            cert_client.ask(self.authority.port, self.roots, who[0].request(), identity=who, token=token)
        except grpc.RpcError as error:
            return error.code(), error.details()
        raise AssertionError("it got a certificate")

    def stream(self, who, token, method):
        """The same of an xDS stream: not a message must come."""
        client = xds_client.Client(self.authority.port, method, credentials=cert_client.credentials(self.roots, who), token=token,
                                   options=cert_client.options())
        kind = discovery_pb2.DeltaDiscoveryRequest if method.startswith("Delta") else discovery_pb2.DiscoveryRequest
        client.send(kind(node=xds_client.node("hello"), type_url=xds_client.CDS))
        try:
            raise AssertionError(f"{method}: it got {len(next(client.responses))} bytes")
        except grpc.RpcError as error:
            return error.code(), error.details()
        finally:
            client.close()

    def is_said(self, who, why):
        """Whether the log has the reason; it says one thing a second, so it is tried again until it has."""
        return why in self.authority.weftd.log() or self.certificate(who, None) and False

    def try_everywhere(self, row, who):
        for token in None, self.token:
            for code, words in (self.certificate(who, token), self.stream(who, token, "StreamAggregatedResources"), self.stream(who, token, "DeltaAggregatedResources")):
                want = grpc.StatusCode.UNAVAILABLE if row.where == HANDSHAKE else grpc.StatusCode.UNAUTHENTICATED
                assert code == want and (row.where == HANDSHAKE or row.why in words), (code, words)


with mesh_rig.Mesh() as mesh:
    authority = identity.Authority(mesh)
    with open(authority.token("default", "hello"), encoding="utf-8") as file:
        attack = Attack(authority, file.read().strip())
    key = cert_client.Key(mesh.folder, "good")
    good = key, cert_client.ask(authority.port, attack.roots, key.request(), token=attack.token)
    issued = attack.count("weft_certificates_issued_total")
    for row in rows(mesh.folder, authority, good):
        with tap.case(f"a certificate {row.name}: refused {'in the handshake' if row.where == HANDSHAKE else 'at the door'}, counted, and the log says why"):
            before = attack.count(row.where)
            who = row.make()
            attack.try_everywhere(row, who)
            mesh_rig.wait_for("the count", lambda: attack.count(row.where) >= before + 6)
            mesh_rig.wait_for(f"a line in the log: {row.why}", lambda: attack.is_said(who, row.why), step_s=0.2)
    with tap.case("after all that nobody was admitted, and none was signed"):
        assert attack.count("weft_certificates_issued_total") == issued and not authority.weftd.proxies()
        assert attack.count('weft_callers_admitted_total{way="certificate"}') == 0
    with tap.case("and who has a good one gets the next, and its stream"):
        cert_client.ask(authority.port, attack.roots, key.request(), identity=good)
        client = xds_client.Client(authority.port, credentials=cert_client.credentials(attack.roots, good), options=cert_client.options())
        client.send(discovery_pb2.DiscoveryRequest(node=xds_client.node("hello"), type_url=xds_client.CDS))
        assert client.read().type_url == xds_client.CDS
        assert authority.weftd.proxies()[0]["identity"] == HELLO
        client.close()
tap.done()

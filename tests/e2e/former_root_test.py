#!/usr/bin/env python3
"""A root that was rotated away: who has a certificate of it is refused from then on, on new connections in the handshake and on one that he kept at
the door; who has one of the new root is served. The certificate is good for a day, so it is the root alone that it lacks."""
import json
import os
import shutil
import subprocess

import grpc
import tap
from envoy.service.discovery.v3 import discovery_pb2

import cert_client
import client_certificates
import identity
import mesh as mesh_rig
import xds_client

HANDSHAKE, DOOR = 'weft_grpc_failed_handshakes_total{reason="certificate"}', 'weft_callers_refused_total{reason="certificate"}'
LIVES = "--workload-cert-ttl", "10s", "--max-workload-cert-ttl", "10s"  # how long the former root must be trusted still


class Rotation:
    def __init__(self, mesh):
        self.mesh = mesh
        self.authority = identity.Authority(mesh, LIVES)
        self.weftd = self.authority.weftd
        with open(self.authority.token("default", "hello"), encoding="utf-8") as file:
            self.token = file.read().strip()
        kept = [shutil.copy(os.path.join(self.authority.state, name), os.path.join(mesh.folder, f"former-{name}")) for name in ("ca-cert.pem", "ca-key.pem")]
        self.former = client_certificates.Maker(mesh.folder, *kept).make("former", [identity.spiffe_id("default", "hello")])

    def roots(self):
        with open(self.authority.roots, encoding="utf-8") as file:
            return file.read()

    def weft(self, *arguments):
        done = subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "ca", *arguments, "--control-socket", os.path.join(self.authority.state, "control.sock")],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def state(self):
        return json.loads(self.weft("show", "--output", "json"))

    def count(self, name):
        return self.weftd.metrics()[name]

    def ask(self, **options):
        return cert_client.ask(self.authority.port, self.roots(), cert_client.Key(self.mesh.folder, "hello").request(), **options)

    def stream(self, who):
        client = xds_client.Client(self.authority.port, credentials=cert_client.credentials(self.roots(), who), options=cert_client.options())
        client.send(discovery_pb2.DiscoveryRequest(node=xds_client.node("hello"), type_url=xds_client.CDS))
        try:
            return client.read()
        finally:
            client.close()


class Kept:
    """A connection that stays open, whoever is trusted meanwhile."""

    def __init__(self, rotation):
        self._channel = grpc.secure_channel(f"127.0.0.1:{rotation.authority.port}", cert_client.credentials(rotation.roots(), rotation.former), cert_client.options())
        self._message = cert_client.field(1, rotation.former[0].request())

    def ask(self):
        return self._channel.unary_unary(cert_client.PATH, request_serializer=bytes, response_deserializer=bytes)(self._message, timeout=20)

    def close(self):
        self._channel.close()


def refused(code, call, *arguments, **options):
    """The words."""
    try:
        call(*arguments, **options)
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        return error.details()
    raise AssertionError("it was served")


with mesh_rig.Mesh() as mesh:
    rotation = Rotation(mesh)
    kept = Kept(rotation)
    with tap.case("before: a certificate of the root gets the next, and configuration"):
        assert kept.ask() and rotation.ask(identity=rotation.former) and rotation.stream(rotation.former).type_url == xds_client.CDS
        former_roots = rotation.roots()
    with tap.case("while both roots are trusted, too"):
        mesh_rig.wait_for("no proxy", lambda: not rotation.weftd.proxies())
        rotation.weft("rotate-root")
        mesh_rig.wait_for("the new signer", lambda: rotation.state()["rotation"]["phase"] == "active", timeout_s=60)
        assert kept.ask()
    with tap.case("the former root is forgotten"):
        mesh_rig.wait_for("its end", lambda: rotation.state()["rotation"]["phase"] == "idle", timeout_s=60)
        assert len(rotation.state()["roots"]) == 1 and rotation.roots() != former_roots
    with tap.case("a new connection is refused in the handshake, with a good token beside it too; counted, and said"):
        before = rotation.count(HANDSHAKE)
        refused(grpc.StatusCode.UNAVAILABLE, rotation.ask, identity=rotation.former)
        refused(grpc.StatusCode.UNAVAILABLE, rotation.ask, identity=rotation.former, token=rotation.token)
        refused(grpc.StatusCode.UNAVAILABLE, rotation.stream, rotation.former)
        mesh_rig.wait_for("the count", lambda: rotation.count(HANDSHAKE) >= before + 3)
        assert "the client's certificate does not count now: unable to get local issuer certificate" in rotation.weftd.log()
    with tap.case("on the connection that was kept he is refused at the door; counted, and told why"):
        before = rotation.count(DOOR)
        words = refused(grpc.StatusCode.UNAUTHENTICATED, kept.ask)
        assert "does not lead to a trusted root" in words, words
        assert rotation.count(DOOR) == before + 1 and words in rotation.weftd.log()
        kept.close()
    with tap.case("a token gets a certificate of the new root, which gets the next and configuration"):
        key = cert_client.Key(mesh.folder, "new")
        chain = cert_client.ask(rotation.authority.port, rotation.roots(), key.request(), token=rotation.token)
        assert rotation.ask(identity=(key, chain)) and rotation.stream((key, chain)).type_url == xds_client.CDS
tap.done()

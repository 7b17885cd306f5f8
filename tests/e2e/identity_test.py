#!/usr/bin/env python3
"""Who gets a certificate, and whose: tokens of a real API server, of weftd's own key and of a key set, then certificates; and whoever shows nothing,
something else, or asks for another's gets none. The client is grpc's, not ours."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grpc  # noqa: E402

import cert_client  # noqa: E402
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402

kube.enter_network()

REVIEWS = "URI:spiffe://cluster.local/ns/shop/sa/reviews"


class Identity(kube.Cluster):
    def __init__(self):
        super().__init__()
        self.state = os.path.join(self.folder, "state")
        self.faults = self.own(self.rig.faults())
        self.rig.kubectl("create", "namespace", "shop")
        self.rig.kubectl("create", "serviceaccount", "reviews", "-n", "shop")
        self.server = self.weftd(port=self.faults.port,
                                 arguments=["--tls-address", "127.0.0.1:0", "--state-dir", self.state, "--log-level", "debug"])
        self.roots = mesh_rig.wait_for("the roots", self.read_roots)
        self.key = cert_client.Key(self.folder, "reviews")

    def read_roots(self):
        found = self.rig.get("/api/v1/namespaces/shop/configmaps/istio-ca-root-cert")
        return found and found["data"]["root-cert.pem"]

    def token(self, account="reviews", audience="istio-ca", ttl_s=3600, bound=None):
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                "spec": {"audiences": [audience], "expirationSeconds": ttl_s, **({"boundObjectRef": bound} if bound else {})}}
        return self.rig.request("POST", f"/api/v1/namespaces/shop/serviceaccounts/{account}/token", body)["status"]["token"]

    def own_token(self, *arguments):
        done = subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "token", "create", "--state-dir", self.state, "--namespace", "shop",
                               "--service-account", "reviews", *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def ask(self, request=None, **options):
        return cert_client.ask(self.server.tls_port, self.roots, request or self.key.request(), **options)

    def refused(self, code, *words, **options):
        try:
            self.ask(**options)
        except grpc.RpcError as error:
            assert error.code() == code, f"want {code}, got {error.code()}: {error.details()}"
            assert all(word in error.details() for word in words), error.details()
            return
        raise AssertionError("it was not refused")


def check_chain(mesh, chain):
    assert cert_client.names(chain[0]) == REVIEWS, cert_client.names(chain[0])
    leaf, roots = os.path.join(mesh.folder, "leaf.pem"), os.path.join(mesh.folder, "roots.pem")
    for path, pem in ((leaf, chain[0]), (roots, chain[-1])):
        with open(path, "w", encoding="utf-8") as file:
            file.write(pem)
    cert_client.openssl("verify", "-CAfile", roots, "-purpose", "sslserver", leaf)
    assert chain[-1].strip() == mesh.roots.strip()


CODE = grpc.StatusCode

with Identity() as mesh:
    with tap.case("a service account's token gets its certificate, and the certificate renews itself"):
        first = mesh.ask(token=mesh.token())
        check_chain(mesh, first)
        check_chain(mesh, mesh.ask(identity=(mesh.key, first)))
        other = cert_client.Key(mesh.folder, "other")
        second = mesh.ask(other.request(REVIEWS), identity=(mesh.key, first))
        check_chain(mesh, mesh.ask(identity=(other, second)))
        check_chain(mesh, mesh.ask(cert_client.Key(mesh.folder, "rsa", ("RSA", "rsa_keygen_bits:2048")).request(), identity=(other, second)))

    with tap.case("a token of weftd's own key does too, and no other maker's with that issuer"):
        token = mesh.own_token()
        check_chain(mesh, mesh.ask(token=token))
        mesh.refused(CODE.UNAUTHENTICATED, "not meant for", token=mesh.own_token("--audience", "somebody-else"))
        head, claims, signature = token.split(".")
        forged = "A" if signature[0] != "A" else "B"
        mesh.refused(CODE.UNAUTHENTICATED, "signature", token=f"{head}.{claims}.{forged}{signature[1:]}")

    with tap.case("who shows nothing, or what is not believed, gets none"):
        mesh.refused(CODE.UNAUTHENTICATED, "client certificate", "token")
        mesh.refused(CODE.UNAUTHENTICATED, "JSON Web Token", token="secret")
        mesh.refused(CODE.UNAUTHENTICATED, token=mesh.token(audience="vault"))
        admin = mesh.rig.token("istio-system", "weftd")  # for the API server itself
        mesh.refused(CODE.UNAUTHENTICATED, token=admin)

    with tap.case("a bad certificate is not helped by a good token"):
        foreign = cert_client.Key(mesh.folder, "foreign")
        pem = cert_client.openssl("req", "-x509", "-new", "-key", foreign.path, "-subj", "/", "-addext", f"subjectAltName={REVIEWS}")
        mesh.refused(CODE.UNAVAILABLE, identity=(foreign, [pem, ""]), token=mesh.token())  # the handshake fails

    with tap.case("nobody gets another's name, and no other maker's"):
        token = mesh.token()
        mesh.refused(CODE.INVALID_ARGUMENT, "ratings", token=token, request=mesh.key.request("URI:spiffe://cluster.local/ns/shop/sa/ratings"))
        mesh.refused(CODE.INVALID_ARGUMENT, token=token, request="no request")
        mesh.refused(CODE.INVALID_ARGUMENT, token=token, ttl_s=10 * 365 * 86400)
        mesh.refused(CODE.PERMISSION_DENIED, "ImpersonatedIdentity", token=token,
                     metadata=cert_client.struct(ImpersonatedIdentity="spiffe://cluster.local/ns/shop/sa/ratings"))
        mesh.refused(CODE.INVALID_ARGUMENT, "CertSigner", token=token, metadata=cert_client.struct(CertSigner="clusterissuers.x/y"))
        check_chain(mesh, mesh.ask(token=token, metadata=cert_client.struct(WorkloadName="reviews", ClusterID="Kubernetes")))

    with tap.case("a token of a pod that is gone is not believed"):
        mesh.rig.pod("reviews-1", "10.244.0.7", {"app": "reviews"}, "reviews", "shop")
        bound = {"kind": "Pod", "apiVersion": "v1", "name": "reviews-1"}
        check_chain(mesh, mesh.ask(token=mesh.token(bound=bound)))
        gone = mesh.token(bound=bound)
        mesh.rig.kubectl("delete", "pod", "reviews-1", "-n", "shop", "--grace-period=0", "--force")
        mesh.refused(CODE.UNAUTHENTICATED, token=gone)

    with tap.case("while the API server is away, what it said counts for a while, and what needs no asking goes on"):
        known, unknown = mesh.token(), mesh.token()
        mesh.ask(token=known)
        mesh.faults.refuse()
        mesh.faults.cut()
        mesh.ask(token=known)
        mesh.ask(token=mesh.own_token())
        mesh.ask(identity=(mesh.key, first))
        mesh.refused(CODE.UNAVAILABLE, "API server", token=unknown)
        mesh.faults.accept()

        def believed():
            try:
                return mesh.ask(token=unknown)
            except grpc.RpcError:
                return None
        mesh_rig.wait_for("the API server's word", believed)

    with tap.case("no token is in the log"):
        log = mesh.server.log()
        assert "eyJ" not in log and "PRIVATE" not in log, [line for line in log.splitlines() if "eyJ" in line][:3]
        assert "has a certificate until" in log
tap.done()

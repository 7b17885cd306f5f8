#!/usr/bin/env python3
"""A plugged-in authority in the Secret `cacerts` that is broken: at the start no root is made in its place; while weftd runs the last good one goes on, and
what is mended counts with no restart. All ways to be broken are cacerts_test's business: these are for the Secret."""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import pki  # noqa: E402
import tap  # noqa: E402

kube.enter_network()

AT_START = ["a truncated ca-cert.pem", "an empty ca-key.pem", "no root-cert.pem"]
LATER = ["a truncated ca-key.pem", "an intermediate certificate that expired", "a ca-cert.pem that may sign nothing (CA:FALSE)"]
SECRETS = "/api/v1/namespaces/istio-system/secrets"


class SecretCluster(kube.Cluster):
    def plug_in(self, files):
        """The whole Secret anew."""
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cacerts", "namespace": "istio-system"},
                "data": {name: base64.b64encode(text.encode()).decode() for name, text in files.items() if text is not None}}
        is_there = self.rig.get(f"{SECRETS}/cacerts") is not None
        self.rig.request("PUT" if is_there else "POST", f"{SECRETS}/cacerts" if is_there else SECRETS, body)

    def page(self):
        return json.loads(self.server.get("/debug/ca")[1])

    def note(self, *words):
        """Waits until /debug/ca says that."""
        try:
            mesh_rig.wait_for("the note", lambda: all(word in self.page()["note"] for word in words))
        except mesh_rig.Timeout:
            raise AssertionError(f"want {words}, got {self.page()['note']!r}") from None


with SecretCluster() as mesh:
    authorities = pki.Pki(mesh.folder)
    broken = {row.name: row for row in pki.broken(authorities)}
    root = authorities.make("good-root")
    good = pki.files(authorities.make("good-signer", root), root)

    mesh.plug_in(broken[AT_START[0]].files)
    mesh.server = mesh.weftd(is_ready=False)
    for row in (broken[name] for name in AT_START):
        with tap.case(f"from the start, {row.name}: weftd is not ready, says what is wrong, and signs nothing"):
            mesh.plug_in(row.files)
            mesh.note("Secret istio-system/cacerts", *row.words, "put ")
            status, text = mesh.server.get("/readyz")
            assert status == 503 and mesh.page()["note"] in text and "signer" not in mesh.page(), text
    with tap.case("a good set: weftd is ready, and nothing was made in its place"):
        mesh.plug_in(good)
        mesh.server.wait_ready()
        assert mesh.page()["place"] == "secret" and not mesh.page()["note"]
        assert mesh.rig.get(f"{SECRETS}/istio-ca-secret") is None
    first = mesh.page()["signer"]["sha256"]
    for row in (broken[name] for name in LATER):
        with tap.case(f"as a change, {row.name}: the last good one goes on"):
            mesh.plug_in(row.files)
            mesh.note("Secret istio-system/cacerts", *row.words, "put ")
            assert mesh.page()["isStale"] and mesh.page()["signer"]["sha256"] == first
            metrics = mesh.server.metrics()
            assert metrics["weft_ca_stale"] == 1 and metrics["weft_ca_signing"] == 1
            status, text = mesh.server.get("/readyz")
            assert status == 200 and mesh.page()["note"] in text, text
    with tap.case("mending it is enough; nothing was made in its place, and no key is in the log"):
        mesh.plug_in(good)
        mesh_rig.wait_for("all to be well", lambda: not mesh.page()["note"])
        assert mesh.rig.get(f"{SECRETS}/istio-ca-secret") is None and mesh.page()["signer"]["sha256"] == first
        assert "PRIVATE" not in mesh.server.log() and mesh.server.log().count("keeping the former signer") == len(LATER)
tap.done()

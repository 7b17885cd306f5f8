#!/usr/bin/env python3
"""A plugged-in authority (--ca-dir) that is broken: at the start weftd signs nothing and says what is wrong; while it runs the last good one goes on, and
what is mended counts with no restart. One that runs out signs nothing more."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import identity  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import pki  # noqa: E402
import tap  # noqa: E402
import wall_clock  # noqa: E402

TLS = ("--tls-address", "127.0.0.1:0")


def page(weftd):
    return json.loads(weftd.get("/debug/ca")[1])


def signer(weftd):
    return page(weftd).get("signer", {}).get("sha256")


class CaDirMesh(mesh_rig.Mesh):
    """With a place for a self-signed root too, where there must never be one."""

    def __init__(self, files):
        super().__init__()
        self.ca_dir, self.state = os.path.join(self.folder, "ca"), os.path.join(self.folder, "state")
        pki.plug_in(self.ca_dir, files)
        self.server = self.own(mesh_rig.Weftd(self, self.config, arguments=("--ca-dir", self.ca_dir, "--state-dir", self.state, *TLS)))

    def __exit__(self, *failure):
        has_own_root = os.path.exists(os.path.join(self.state, "ca-cert.pem"))
        super().__exit__(*failure)
        assert not has_own_root, "a self-signed root stepped in"

    def note(self, *words):
        """Waits until /debug/ca says that."""
        def said():
            self.server.check()
            return all(word in page(self.server)["note"] for word in words)
        try:
            mesh_rig.wait_for("the note", said)
        except mesh_rig.Timeout:
            raise AssertionError(f"want {words}, got {page(self.server)['note']!r}") from None

    def ask(self, roots):
        """One certificate, of a client that trusts these roots."""
        client = identity.Authority.__new__(identity.Authority)
        client.mesh, client.state, client.port, client.roots = self, self.state, self.server.tls_port, roots.path
        return client.ask("default", "hello", token=client.token("default", "hello"))


with mesh_rig.Mesh() as shelf:
    authorities = pki.Pki(shelf.folder)
    rows = pki.broken(authorities)
    root = authorities.make("good-root")
    good = pki.files(authorities.make("good-signer", root), root)

    for row in rows:
        with tap.case(f"at the start, {row.name}: weftd is not ready, says what is wrong, and signs nothing"), CaDirMesh(row.files) as mesh:
            mesh.note(*row.words, "put ")
            status, text = mesh.server.get("/readyz")
            assert status == 503 and page(mesh.server)["note"] in text, text
            assert signer(mesh.server) is None and mesh.server.metrics()["weft_ca_signing"] == 0
            assert page(mesh.server)["note"] in mesh.server.log()

    with tap.case("a set that was broken at the start is mended: weftd is ready, with no restart"), CaDirMesh(rows[0].files) as mesh:
        mesh.note(*rows[0].words)
        pki.plug_in(mesh.ca_dir, good)
        mesh.server.wait_ready()
        assert not page(mesh.server)["note"] and mesh.ask(root)["code"] == "OK"

    with CaDirMesh(good) as mesh:
        mesh.server.wait_ready()
        first = signer(mesh.server)
        for row in rows:
            with tap.case(f"as a change, {row.name}: the last good one goes on signing, and mending it is enough"):
                pki.plug_in(mesh.ca_dir, row.files)
                mesh.note(*row.words, "put ")
                assert page(mesh.server)["isStale"] and signer(mesh.server) == first
                assert mesh.server.metrics()["weft_ca_stale"] == 1 and mesh.server.metrics()["weft_ca_signing"] == 1
                status, text = mesh.server.get("/readyz")
                assert status == 200 and page(mesh.server)["note"] in text, text
                assert f"{page(mesh.server)['note']}; keeping the former signer" in mesh.server.log()
                assert mesh.ask(root)["code"] == "OK"
                pki.plug_in(mesh.ca_dir, good)
                mesh_rig.wait_for("all to be well", lambda: not page(mesh.server)["note"] and not page(mesh.server)["isStale"])
                assert signer(mesh.server) == first
        with tap.case("all of that is in the log once, and no key"):
            log = mesh.server.log()
            assert log.count("keeping the former signer") == len(rows) and "PRIVATE" not in log, log

    with tap.case("an authority that runs out signs nothing more and weftd says so, not ready and once; another one plugged in is enough"):
        ending = authorities.make("ending", days=1, begin_s=-wall_clock.DAY_S + 8)
        with CaDirMesh(pki.files(ending, ending)) as mesh:
            mesh.server.wait_ready()
            assert mesh.ask(ending)["code"] == "OK"
            mesh.note("ca", "expired at", "no certificate is signed", "plug in another one")
            status, text = mesh.server.get("/readyz")
            assert status == 503 and page(mesh.server)["note"] in text, text
            assert mesh.server.metrics()["weft_ca_signing"] == 0 and mesh.server.metrics()["weft_ca_signer_expiry_seconds"] <= 0
            verdict = mesh.ask(ending)
            assert verdict["code"] == "Unavailable" and "expired" in verdict["message"], verdict  # weftd's own certificate ended with it
            time.sleep(2)  # two looks
            assert mesh.server.log().count("expired at") == 1, mesh.server.log()
            pki.plug_in(mesh.ca_dir, good)
            mesh.server.wait_ready()
            assert not page(mesh.server)["note"] and mesh.ask(root)["code"] == "OK"
tap.done()

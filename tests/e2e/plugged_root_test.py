#!/usr/bin/env python3
"""The root of a plugged-in Secret changes, with two replicas: the new one is trusted first and signs when every proxy of both trusts it; putting the
former back undoes that; a restart forgets no former root."""
import base64
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import plugged  # noqa: E402
import tap  # noqa: E402

kube.enter_network()

SYSTEM = "/api/v1/namespaces/istio-system"
WEFT = os.path.join(mesh_rig.BIN, "weft")


class Cluster(kube.Cluster):
    def start(self, name):
        return self.weftd(name=name, arguments=("--control-socket", os.path.join(self.folder, f"{name}.sock")))

    def plug_in(self, cert, key):
        def read(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
        secret = {"metadata": {"name": "cacerts"}, "stringData": {"ca-cert.pem": read(cert), "ca-key.pem": read(key), "root-cert.pem": read(cert)}}
        if self.rig.get(f"{SYSTEM}/secrets/cacerts"):
            self.rig.request("PATCH", f"{SYSTEM}/secrets/cacerts", secret, "application/merge-patch+json")
        else:
            self.rig.request("POST", f"{SYSTEM}/secrets", secret)

    def kept(self):
        return self.rig.get(f"{SYSTEM}/secrets/weft-plugged-roots")

    def notes(self):
        return [name for name in self.kept()["metadata"].get("annotations", {}) if name.startswith("rotation.weft/")]

    def n_roots_of(self, namespace):
        one = self.rig.get(f"/api/v1/namespaces/{namespace}/configmaps/istio-ca-root-cert")
        return (one or {"data": {}})["data"].get("root-cert.pem", "").count("BEGIN CERTIFICATE")


def weft(weftd, *arguments, code=0):
    done = subprocess.run([WEFT, "ca", *arguments, "--control-socket", weftd.argv[weftd.argv.index("--control-socket") + 1]], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stderr if code else done.stdout


def state(weftd):
    """(phase, who signs, how many roots are trusted)."""
    ca = json.loads(weft(weftd, "show", "--output", "json"))
    return ca["rotation"]["phase"], ca["signer"]["sha256"], len(ca["roots"])


def wait_all(replicas, want, timeout_s=60):
    try:
        mesh_rig.wait_for(want, lambda: all(state(one) == want for one in replicas), timeout_s, step_s=0.5)
    except mesh_rig.Timeout as late:
        raise AssertionError(f"{late}: {[(state(one), weft(one, 'show')) for one in replicas]}") from late


with Cluster() as mesh:
    first, second = (plugged.make(mesh.folder, name) for name in ("first", "second"))
    one, two = plugged.fingerprint(first[0]), plugged.fingerprint(second[0])
    mesh.plug_in(*first)
    a, b = (mesh.start(name) for name in ("weftd-a", "weftd-b"))
    with tap.case("what is plugged in signs, and its roots are kept, without a key"):
        wait_all((a, b), ("idle", one, 1))
        kept = mesh_rig.wait_for("the kept roots", mesh.kept)
        assert set(kept["data"]) == {"roots.json"}, kept
        assert "PRIVATE" not in base64.b64decode(kept["data"]["roots.json"]).decode()
        assert "replacing its files" in weft(a, "rotate-root", code=1)
    with tap.case("another root is trusted by all and signs nothing, as long as a proxy of one replica does not know it"):
        mesh.gateway(b, is_delta=True)  # it never asks for roots
        mesh_rig.wait_for("the proxy", b.proxies)
        mesh.plug_in(*second)
        wait_all((a, b), ("prepared", one, 2))
        mesh_rig.wait_for("the reason, at both", lambda: all("--skip-unaware" in weft(weftd, "show") for weftd in (a, b)))
        mesh_rig.wait_for("both roots in a namespace", lambda: mesh.n_roots_of("default") == 2)
        assert "put the former files back" in weft(a, "rotate-root", "--undo", code=1)
        assert "does not sign yet" in weft(a, "rotate-root", "--finish", code=1)
    with tap.case("the former files put back undo it"):
        mesh.plug_in(*first)
        wait_all((a, b), ("idle", one, 1))
        mesh_rig.wait_for("the end of all notes", lambda: not mesh.notes())
    with tap.case("proxies that never ask are passed over when one replica is told so, and then the new root signs everywhere"):
        mesh.plug_in(*second)
        wait_all((a, b), ("prepared", one, 2))
        weft(a, "rotate-root", "--skip-unaware")
        wait_all((a, b), ("active", two, 2), timeout_s=120)
    with tap.case("after a restart of all the former root is still trusted"):
        mesh_rig.wait_for("what is kept", lambda: "former" in base64.b64decode(mesh.kept()["data"]["roots.json"]).decode())
        for weftd in a, b:
            weftd.kill()
        a, b = (mesh.start(name) for name in ("weftd-c", "weftd-d"))
        wait_all((a, b), ("active", two, 2))
        assert mesh.n_roots_of("default") == 2
    with tap.case("until somebody ends that, at whatever replica"):
        weft(b, "rotate-root", "--finish")
        wait_all((a, b), ("idle", two, 1))
        mesh_rig.wait_for("one root in a namespace", lambda: mesh.n_roots_of("default") == 1)
    with tap.case("a change while no weftd runs cuts nobody off"):
        for weftd in a, b:
            weftd.kill()
        mesh.plug_in(*first)
        a = mesh.start("weftd-e")
        wait_all((a,), ("active", one, 2))
    with tap.case("no note is left, also of those that were killed"):
        mesh.start("weftd-f")
        weft(a, "rotate-root", "--finish")
        mesh_rig.wait_for("the end of all notes", lambda: not mesh.notes(), timeout_s=120)

tap.done()

#!/usr/bin/env python3
"""The self-signed root is replaced: in a folder and in a cluster with two replicas, seen through with "weft ca", held up by a proxy that does not say
what it trusts, undone, and carried on after a crash."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402

kube.enter_network()

WEFT = os.path.join(mesh_rig.BIN, "weft")
LIVES = ("--workload-cert-ttl", "20s", "--max-workload-cert-ttl", "20s")


def socket_of(weftd):
    return weftd.argv[weftd.argv.index("--control-socket") + 1]


def weft(weftd, *arguments, code=0):
    """Standard output, or of a failure standard error."""
    done = subprocess.run([WEFT, "ca", *arguments, "--control-socket", socket_of(weftd)], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stderr if code else done.stdout


def state(weftd):
    return json.loads(weft(weftd, "show", "--output", "json"))


def phase(weftd):
    return state(weftd)["rotation"]["phase"]


def signer(weftd):
    return state(weftd)["signer"]["sha256"]


def n_roots(weftd):
    return len(state(weftd)["roots"])


class Replica:
    """What starts a replica anew, by its name."""

    def __init__(self, mesh, name, start):
        self.arguments = ("--control-socket", os.path.join(mesh.folder, f"{name}.sock"), *LIVES)
        self.start = lambda: start(name=name, arguments=self.arguments)


def check_rotation(replicas):
    """From one root to another, with a crash on the way."""
    running = [replica.start() for replica in replicas]
    old = signer(running[0])
    with tap.case("a rotation begins: both roots are trusted, the old one signs"):
        out = weft(running[0], "rotate-root")
        mesh_rig.wait_for("prepared", lambda: all(phase(one) == "prepared" and n_roots(one) == 2 for one in running))
        assert {signer(one) for one in running} == {old}, out
        assert "under way" in weft(running[-1], "rotate-root", code=1)
    with tap.case("a crash on the way forgets nothing"):
        running[0].kill()
        running[0] = replicas[0].start()
        assert phase(running[0]) in ("prepared", "active")
    with tap.case("then the new one signs, everywhere, and at last the old one is forgotten"):
        mesh_rig.wait_for("active", lambda: all(phase(one) == "active" for one in running), timeout_s=90)
        new, = {signer(one) for one in running}
        assert new != old and n_roots(running[0]) == 2
        assert "no rotation" in weft(running[0], "show", "--watch")
        mesh_rig.wait_for("idle", lambda: all(phase(one) == "idle" and n_roots(one) == 1 for one in running), timeout_s=30)
        assert {signer(one) for one in running} == {new}
    return running


with mesh_rig.Mesh(mesh_rig.ROOT + "/examples") as mesh:
    state_dir = os.path.join(mesh.folder, "state")

    def in_folder(name, arguments):
        weftd = mesh.own(mesh_rig.Weftd(mesh, mesh_rig.ROOT + "/examples", name=name, arguments=("--state-dir", state_dir, "--tls-address", "127.0.0.1:0", *arguments)))
        weftd.wait_ready()
        return weftd

    weftd, = check_rotation([Replica(mesh, "weftd-f", in_folder)])
    with tap.case("the socket and the key are their owner's alone"):
        for path in (socket_of(weftd), os.path.join(state_dir, "ca-key.pem")):
            assert os.stat(path).st_mode & 0o077 == 0, path
    with tap.case("a proxy that never asked for roots is waited for, and passed over when asked to"):
        mesh.gateway(weftd, is_delta=True)
        mesh_rig.wait_for("the proxy", lambda: weftd.proxies())
        before = signer(weftd)
        weft(weftd, "rotate-root")
        mesh_rig.wait_for("the reason", lambda: "--skip-unaware" in state(weftd)["rotation"]["waitingFor"])
        assert signer(weftd) == before
        assert "phase" not in weft(weftd, "rotate-root", "--undo")
        assert phase(weftd) == "idle" and n_roots(weftd) == 1 and signer(weftd) == before
        weft(weftd, "rotate-root", "--skip-unaware")
        mesh_rig.wait_for("active", lambda: phase(weftd) == "active", timeout_s=30)
        assert signer(weftd) != before
        weft(weftd, "rotate-root", "--undo")
        assert phase(weftd) == "active" and signer(weftd) == before and n_roots(weftd) == 2
        mesh_rig.wait_for("its end", lambda: phase(weftd) == "idle", timeout_s=60)
        assert signer(weftd) == before

with kube.Cluster() as mesh:
    def in_cluster(name, arguments):
        return mesh.weftd(name=name, arguments=arguments)
    a, b = check_rotation([Replica(mesh, name, in_cluster) for name in ("weftd-a", "weftd-b")])
    with tap.case("a replica that is killed on the way, and stays away, holds nothing up"):
        def notes():
            secret = mesh.rig.get("/api/v1/namespaces/istio-system/secrets/istio-ca-secret")
            return [name for name in secret["metadata"].get("annotations", {}) if name.startswith("rotation.weft/")]
        mesh_rig.wait_for("the end of the notes of all that lived and died", lambda: not notes(), timeout_s=90)
        before = signer(a)
        weft(a, "rotate-root")
        mesh_rig.wait_for("both replicas' notes", lambda: len(notes()) == 2)
        b.kill()
        mesh_rig.wait_for("active", lambda: phase(a) == "active", timeout_s=120)
        assert signer(a) != before and n_roots(a) == 2
        mesh_rig.wait_for("idle", lambda: phase(a) == "idle" and n_roots(a) == 1, timeout_s=60)
    with tap.case("and no note is left of it"):
        mesh_rig.wait_for("the end of its note", lambda: not notes(), timeout_s=90)

tap.done()

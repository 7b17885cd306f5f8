#!/usr/bin/env python3
"""Where the authority lives in a cluster: two replicas that start at once have one root, a broken or missing Secret changes nothing, a plugged-in
one comes first, and every namespace hears of the roots."""
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
MAP = "configmaps/istio-ca-root-cert"


def authority(weftd):
    status, text = weftd.get("/debug/ca")
    assert status == 200, text
    return json.loads(text)


def signer(weftd):
    return authority(weftd).get("signer", {}).get("sha256")


def roots(weftd):
    return {root["sha256"] for root in authority(weftd).get("roots", [])}


def data(secret):
    return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


def fingerprint(pem):
    done = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=pem, capture_output=True, text=True, check=True)
    return done.stdout.strip().split("=")[1].replace(":", "").lower()


class Cluster(kube.Cluster):
    def __init__(self):
        super().__init__()
        self.replicas = [self.weftd(name=name, is_ready=False) for name in ("weftd-a", "weftd-b")]
        for weftd in self.replicas:
            weftd.wait_ready()


    def secret(self):
        return self.rig.get(f"{SYSTEM}/secrets/istio-ca-secret")

    def wait_all(self, what, condition, timeout_s=30):
        mesh_rig.wait_for(what, lambda: all(condition(weftd) for weftd in self.replicas), timeout_s)

    def patch(self, entries):
        self.rig.request("PATCH", f"{SYSTEM}/secrets/istio-ca-secret", {"stringData": entries}, "application/merge-patch+json")

    def map(self, namespace):
        return self.rig.get(f"/api/v1/namespaces/{namespace}/{MAP}")

    def bundle(self, namespace):
        one = self.map(namespace)
        return one and one["data"].get("root-cert.pem")


with Cluster() as mesh:
    a, b = mesh.replicas
    namespaces = ["default", "other", "istio-system", "kube-system"]

    with tap.case("two replicas that start at once have one root, and keep it in the Secret"):
        assert signer(a) == signer(b)
        kept = data(mesh.secret())
        assert fingerprint(kept["ca-cert.pem"]) == signer(a)
        assert kept["root-cert.pem"] == kept["ca-cert.pem"] and kept["cert-chain.pem"] == kept["key.pem"] == "", kept.keys()
        assert authority(a)["place"] == "self-signed-secret"

    with tap.case("every namespace hears of the root"):
        for namespace in namespaces:
            mesh_rig.wait_for(namespace, lambda n=namespace: mesh.bundle(n) == kept["ca-cert.pem"])
            assert mesh.map(namespace)["metadata"]["labels"]["istio.io/config"] == "true"

    with tap.case("so does a new one; what is deleted or changed comes back, and what others added stays"):
        mesh.rig.kubectl("create", "namespace", "late")
        mesh_rig.wait_for("the new one", lambda: mesh.bundle("late") == kept["ca-cert.pem"], timeout_s=10)
        mesh.rig.kubectl("delete", "configmap", "istio-ca-root-cert", "-n", "other")
        mesh_rig.wait_for("the deleted one", lambda: mesh.bundle("other") == kept["ca-cert.pem"], timeout_s=10)
        mesh.rig.kubectl("patch", "configmap", "istio-ca-root-cert", "-n", "default", "--type=merge", "-p",
                         '{"data": {"root-cert.pem": "mine", "more": "stays"}}')
        mesh_rig.wait_for("the changed one", lambda: mesh.bundle("default") == kept["ca-cert.pem"], timeout_s=10)
        assert mesh.map("default")["data"]["more"] == "stays"
        mesh.rig.kubectl("delete", "namespace", "late")
        mesh_rig.wait_for("its end", lambda: mesh.rig.get("/api/v1/namespaces/late") is None)

    with tap.case("a Secret that is deleted changes nothing, and is taken back as it was"):
        first = signer(a)
        saved = mesh.secret()
        mesh.rig.kubectl("delete", "secret", "istio-ca-secret", "-n", "istio-system")
        mesh.wait_all("the note", lambda weftd: authority(weftd)["isStale"])
        assert {signer(a), signer(b)} == {first}
        assert mesh.secret() is None, "it was made again"
        assert a.get("/readyz")[0] == 200 and "is gone" in a.get("/readyz")[1], a.get("/readyz")
        mesh.rig.request("POST", f"{SYSTEM}/secrets", {"metadata": {"name": "istio-ca-secret"}, "data": saved["data"]})
        mesh.wait_all("the end of the note", lambda weftd: not authority(weftd)["isStale"])
        assert {signer(a), signer(b)} == {first}

    with tap.case("a Secret that is broken changes nothing"):
        mesh.patch({"ca-key.pem": "none"})
        mesh.wait_all("the note", lambda weftd: "ca-key.pem" in authority(weftd)["note"])
        assert {signer(a), signer(b)} == {first}
        mesh.patch({"ca-key.pem": kept["ca-key.pem"]})
        mesh.wait_all("the end of the note", lambda weftd: not authority(weftd)["note"])

    with tap.case("another root in the Secret, of RSA, is taken up; the former stays trusted"):
        cert, key = plugged.make(mesh.folder, "cluster.local", ("-newkey", "rsa:2048"))
        with open(cert, encoding="utf-8") as one, open(key, encoding="utf-8") as two:
            pem = one.read()
            mesh.patch({"ca-cert.pem": pem, "ca-key.pem": two.read(), "root-cert.pem": pem})
        mesh.wait_all("the other root", lambda weftd: signer(weftd) == fingerprint(pem))
        assert roots(a) == {first, fingerprint(pem)}
        mesh_rig.wait_for("both roots", lambda: (mesh.bundle("other") or "").count("BEGIN CERTIFICATE") == 2)

    with tap.case("a restart finds the root that is kept"):
        a.kill()
        a = mesh.weftd(name="weftd-c")
        assert signer(a) == fingerprint(pem)
        mesh.replicas = [a, b]

    with tap.case("a plugged-in Secret comes first; when it breaks or goes, nothing else steps in"):
        cert, key = plugged.make(mesh.folder, "plugged")
        mesh.rig.kubectl("create", "secret", "generic", "cacerts", "-n", "istio-system", f"--from-file=ca-cert.pem={cert}",
                         f"--from-file=ca-key.pem={key}", f"--from-file=root-cert.pem={cert}")
        theirs = plugged.fingerprint(cert)
        mesh.wait_all("its being trusted", lambda weftd: theirs in roots(weftd))
        mesh.wait_all("its signing", lambda weftd: signer(weftd) == theirs, timeout_s=120)
        assert fingerprint(pem) in roots(a)
        assert authority(a)["place"] == "secret"
        mesh.rig.kubectl("patch", "secret", "cacerts", "-n", "istio-system", "-p", '{"stringData": {"root-cert.pem": "none"}}')
        mesh.wait_all("the note", lambda weftd: "root-cert.pem" in authority(weftd)["note"])
        assert {signer(a), signer(b)} == {theirs}
        mesh.rig.kubectl("delete", "secret", "cacerts", "-n", "istio-system")
        mesh.wait_all("its being gone", lambda weftd: "is gone" in authority(weftd)["note"])
        assert {signer(a), signer(b)} == {theirs}

    with tap.case("no key is in a log or on a page"):
        for weftd in mesh.replicas:
            assert "PRIVATE" not in weftd.log() + json.dumps(authority(weftd))
            assert "forbidden" not in weftd.log(), weftd.log()

tap.done()

#!/usr/bin/env python3
"""The rig itself (tests/kube, kube.py): what other tests lean on is so. A real API server, without weftd."""
import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402

ALL = "serviceaccount,rootca,namespace,gc,endpointslice,deployment,replicaset,fakenode"
MAPS = "/api/v1/namespaces/default/configmaps"
ROUTES = "/apis/networking.istio.io/v1/namespaces/default/virtualservices"
ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec: {hosts: [a.example.com], http: [{route: [{destination: {host: a}}]}]}
"""
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: none.invalid/x, ports: [{containerPort: 8080}]}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""
READER = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: asker}]
"""
BROKEN = (OSError, http.client.HTTPException)  # of a connection, or of an answer that ends too early


def refused(ask, *arguments, **options):
    """(status, headers, body) of what must not succeed."""
    try:
        ask(*arguments, **options)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.loads(error.read())
    raise AssertionError(f"{arguments} went well")


def breaks(ask, *arguments, **options):
    """The error of what must not get an answer."""
    try:
        got = ask(*arguments, **options)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{arguments} got {error.code}") from None
    except StopIteration:
        raise AssertionError(f"{arguments} ended as it should") from None
    except BROKEN as error:
        return error
    raise AssertionError(f"{arguments} gave {got}")


def is_timeout(error):
    return isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)


def make(rig, name, **options):
    return rig.request("POST", MAPS, {"metadata": {"name": name}, "data": {"x": "y" * 200}}, **options)


def version_of(rig, path=MAPS):
    return rig.get(path)["metadata"]["resourceVersion"]


def objects(rig):
    rig.kubectl("create", "namespace", "gone")
    inside_gone = MAPS.replace("default", "gone")
    rig.request("POST", inside_gone, {"metadata": {"name": "with-it"}})
    rig.kubectl("delete", "namespace", "gone", "--wait=false")  # takes 5 s
    with tap.case("the version is told, and a link named kubectl is kubectl"):
        version = subprocess.run([kube.KUBE, "version"], capture_output=True, text=True, check=True).stdout.strip()
        assert rig.get("/version")["gitVersion"] == version, version
        link = os.path.join(rig.dir, "kubectl")
        os.symlink(os.path.realpath(kube.KUBE), link)
        done = subprocess.run([link, "version", "--client", "-o", "json"], env={"HOME": rig.dir}, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["clientVersion"]["gitVersion"] == version, done.stdout
    with tap.case("kubectl: our CRDs, an object that they refuse, one that they take"):
        rig.kubectl("apply", "-f", os.path.join(mesh_rig.ROOT, "crds"))
        rig.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        code, _, errors = rig.kubectl("apply", "-f", "-", stdin=ROUTE.replace("[a.example.com]", "7"), check=False)
        assert code != 0 and "spec.hosts" in errors, errors
        before = version_of(rig, ROUTES)
        assert "created" in rig.apply(ROUTE)
        rig.apply(ROUTE.replace("host: a}", "host: b}"))
        rig.kubectl("patch", "virtualservice", "a", "--subresource=status", "--type=merge", "-p", '{"status":{"observedGeneration":2}}')
        assert rig.get(f"{ROUTES}/a")["metadata"]["generation"] == 2
        rig.delete(ROUTE)
        assert rig.get(f"{ROUTES}/a") is None
        with contextlib.closing(rig.watch(ROUTES, before, timeout_s=10)) as events:
            assert [next(events)[0] for _ in range(4)] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
    with tap.case("an update from an old version is a conflict"):
        lease = {"metadata": {"name": "one"}, "spec": {"holderIdentity": "a"}}
        path = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
        first = rig.request("POST", path, lease)
        rig.request("PUT", f"{path}/one", {**first, "spec": {"holderIdentity": "b"}})
        assert refused(rig.request, "PUT", f"{path}/one", {**first, "spec": {"holderIdentity": "c"}})[0] == 409
    with tap.case("Deployment to Pods to EndpointSlices, on a node that is none; what is deleted takes all of it along"):
        rig.apply(WEB)
        rig.kubectl("rollout", "status", "deployment/web", "--timeout=20s")

        def addresses():
            slices = rig.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")["items"]
            return sorted(one["addresses"][0] for item in slices for one in item["endpoints"] or () if one["conditions"]["ready"])
        found = mesh_rig.wait_for("two endpoints", lambda: len(got := addresses()) == 2 and got)
        assert all(address.startswith("10.244.") for address in found), found
        rig.delete(WEB)
        mesh_rig.wait_for("no endpoint, no Pod", lambda: not addresses() and not rig.get("/api/v1/namespaces/default/pods")["items"])
    with tap.case("kube load makes what it is told to, and ends with an error when it can't"):
        load = [kube.KUBE, "load", "--kubeconfig", os.path.join(rig.dir, "kubeconfig"),
                "--services", "20", "--endpoints", "60", "--pods", "40", "--routes", "10"]
        subprocess.run(load, capture_output=True, text=True, check=True, timeout=60)
        core, istio, discovery = (f"/{group}/v1/namespaces/load" for group in ("api", "apis/networking.istio.io", "apis/discovery.k8s.io"))
        for path, n in ((f"{core}/services", 20), (f"{core}/pods", 40), (f"{istio}/virtualservices", 10), (f"{istio}/destinationrules", 10)):
            assert len(rig.get(path)["items"]) == n, path
        mine = rig.get(f"{discovery}/endpointslices?labelSelector=!endpointslice.kubernetes.io/managed-by")["items"]
        assert sum(len(one["endpoints"]) for one in mine) == 60, mine
        again = subprocess.run(load, capture_output=True, text=True, timeout=60)
        assert again.returncode != 0 and "failed" in again.stderr, again
    with tap.case("a namespace that is deleted goes, with what is in it"):
        mesh_rig.wait_for("the end of the namespace", lambda: rig.get("/api/v1/namespaces/gone") is None)
        assert rig.get(f"{inside_gone}/with-it") is None


def accounts(rig, folder):
    rig.kubectl("create", "serviceaccount", "asker")
    token = rig.token("default", "asker")
    with tap.case("a service account may do what a Role allows, and nothing else; no account may do nothing"):
        assert refused(rig.request, "GET", MAPS, token=token)[0] == 403
        rig.apply(READER)
        config = rig.kubeconfig(token)
        mesh_rig.wait_for("the right", lambda: rig.kubectl("get", "configmaps", "--kubeconfig", config, check=False)[0] == 0)
        assert rig.request("GET", MAPS, token=token)["kind"] == "ConfigMapList"
        assert refused(make, rig, "x", token=token)[0] == 403
        assert refused(rig.request, "GET", MAPS, token="wrong")[0] == 401
    with tap.case("a pod's folder has the account's token; written again it has another"):
        rig.write_account(folder, "default", "asker", ttl_s=1200)

        def read(name):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return file.read()
        first = read("token")
        assert sorted(os.listdir(folder)) == ["ca.crt", "namespace", "token"] and read("namespace") == "default"
        assert ssl.create_default_context(cafile=os.path.join(folder, "ca.crt")).get_ca_certs()
        payload = first.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert claims["sub"] == "system:serviceaccount:default:asker" and claims["exp"] - claims["iat"] == 1200, claims
        rig.write_account(folder, "default", "asker")
        assert read("token") != first and rig.request("GET", MAPS, token=read("token"))

    def review(audience):
        return rig.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
            "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "spec": {"token": token, "audiences": [audience]}})["status"]
    with tap.case("TokenReview: for the audience that the token is for, and for no other"):
        own = review("https://kubernetes.default.svc.cluster.local")
        assert own.get("authenticated") and own["user"]["username"] == "system:serviceaccount:default:asker", own
        assert not review("other").get("authenticated")
    with tap.case("a client certificate is the admin too"):
        out = rig.kubectl("auth", "whoami", "--kubeconfig", os.path.join(rig.dir, "kubeconfig-cert"))
        assert "system:masters" in out, out


def answers(rig, faults):
    """Faults of single requests."""
    there = {"port": faults.port}
    with tap.case("the proxy without faults: the same answers, counted by verb and resource"):
        assert rig.request("GET", MAPS, **there) == rig.get(MAPS)
        make(rig, "through", **there)
        before = faults.stats()
        assert (before["byKind"]["list configmaps"], before["byKind"]["create configmaps"], before["hits"]) == (1, 1, 0), before
        assert refused(rig.request, "GET", MAPS, token="wrong", **there)[0] == 401
    with tap.case("an answer of the fault's own: of this path, so often, with Retry-After"):
        for status in (429, 500, 503, 401, 403, 410):
            faults.answer(status, "configmaps", count=2, retry_after_s=7)
            for _ in range(2):
                code, headers, body = refused(rig.request, "GET", MAPS, **there)
                assert (code, headers["Retry-After"], body["code"]) == (status, "7", status), (code, headers, body)
                assert rig.request("GET", "/api/v1/namespaces/default/services", **there)["items"]
            assert rig.request("GET", MAPS, **there)["items"]  # used up
        assert faults.stats()["hits"] == 12

    def pattern(proxy):
        proxy.answer(503, share=0.5)
        got = []
        for _ in range(40):
            try:
                got.append(rig.request("GET", MAPS, port=proxy.port) is None)
            except urllib.error.HTTPError as error:
                got.append(error.code == 503)
        return got
    with tap.case("a share of the requests, the same ones for the same seed"):
        with rig.faults(seed=5) as one, rig.faults(seed=5) as two, rig.faults(seed=6) as other:
            got = pattern(one)
            assert 5 < sum(got) < 35, got
            assert got == pattern(two) and got != pattern(other)
    with tap.case("a late answer, and one that does not come"):
        faults.delay(400, count=1)
        started = time.monotonic()
        rig.request("GET", MAPS, **there)
        assert time.monotonic() - started >= 0.4
        faults.hang(count=1)
        assert is_timeout(breaks(rig.request, "GET", MAPS, timeout_s=2, **there))
        rig.request("GET", MAPS, **there)
    with tap.case("half an answer, as if it were all or with a reset, over HTTP/1.1 and HTTP/2"):
        def body():
            with rig.open(MAPS, **there) as answer:
                return answer.read()
        whole = body()
        curl = ["curl", "-sS", "--http2", "--cacert", os.path.join(rig.dir, "ca.crt"), "-w", "\n%{http_version} %{size_download}",
                "-H", f"Authorization: Bearer {rig.token('default', 'asker')}"]
        for is_clean in (True, False):
            faults.truncate(100, "configmaps", count=2, is_clean=is_clean)
            if is_clean:
                assert body() == whole[:100]
            else:
                assert isinstance(breaks(body), (http.client.IncompleteRead, ConnectionResetError))
            done = subprocess.run([*curl, f"https://127.0.0.1:{faults.port}{MAPS}"], capture_output=True, text=True, timeout=30)
            assert done.stdout.endswith("\n2 100"), done
            assert (done.returncode == 0) == is_clean, done


def connections(rig, faults):
    """Faults of connections and watches."""
    faults.clear()

    def watching():
        """An open watch that has just shown that it works, and a name that it has not seen."""
        faults.clear()
        watching.n += 2
        events = rig.watch(MAPS, version_of(rig), port=faults.port, timeout_s=4)
        make(rig, f"w{watching.n}")
        kind, got = next(events)
        assert (kind, got["metadata"]["name"]) == ("ADDED", f"w{watching.n}"), got
        assert faults.stats()["watches"] == {"configmaps": 1}, faults.stats()
        return contextlib.closing(events), f"w{watching.n + 1}"
    watching.n = 0

    def nobody_watches():
        mesh_rig.wait_for("no open watch", lambda: faults.stats()["watches"] == {})
    with tap.case("events come through at once; all connections are cut at once, new ones work"):
        opened, name = watching()
        with opened as events:
            with socket.create_connection(("127.0.0.1", faults.port), timeout=5) as line:  # OpenSSL would hide how it ends
                mesh_rig.wait_for("two connections", lambda: faults.stats()["connections"] == 2)
                faults.cut()
                assert isinstance(breaks(line.recv, 1), ConnectionResetError)
            error = breaks(next, events)
            assert not is_timeout(error), error
        nobody_watches()
        assert faults.stats()["connections"] == 0, faults.stats()
        make(rig, name, port=faults.port)
    with tap.case("refused, then accepted"):
        opened, _ = watching()
        with opened as events:
            faults.refuse()
            assert not is_timeout(breaks(next, events))
        assert not is_timeout(breaks(rig.request, "GET", MAPS, port=faults.port, timeout_s=5))
        faults.accept()
        rig.request("GET", MAPS, port=faults.port)
        nobody_watches()
    with tap.case("mute: an open watch stays open and gets nothing, nothing gets through, new connections hang"):
        line = http.client.HTTPSConnection("127.0.0.1", faults.port, context=rig._tls, timeout=0.5)

        def ask():
            line.request("GET", MAPS, headers={"Authorization": f"Bearer {rig.token('default', 'asker')}"})
            return line.getresponse().read()
        assert ask()
        opened, name = watching()
        with opened as events:
            faults.mute()
            make(rig, name)
            assert is_timeout(breaks(next, events))
        asked = faults.stats()["requests"]
        assert is_timeout(breaks(ask))  # on the connection that was fine just now
        assert faults.stats()["requests"] == asked
        line.close()
        assert is_timeout(breaks(make, rig, "lost", port=faults.port, timeout_s=0.5))
        faults.accept()
        rig.request("GET", MAPS, port=faults.port)
        assert rig.get(f"{MAPS}/lost") is None and faults.stats()["requests"] == asked + 1
        faults.cut()
        nobody_watches()
    with tap.case("watches are cut again and again, other requests not"):
        faults.cut_watches(200)
        for _ in range(3):
            error = breaks(next, rig.watch(MAPS, version_of(rig), port=faults.port, timeout_s=5))
            assert not is_timeout(error), error
        rig.request("GET", MAPS, port=faults.port)
        faults.clear()
        opened, _ = watching()
        with opened:
            pass
        nobody_watches()


def restarts(rig, faults):
    with tap.case("kill -9 and again: the same port, keys and data; through the proxy as well; watches from before get 410"):
        kept, old, url = make(rig, "kept"), version_of(rig), rig.url
        make(rig, "later")
        token = rig.token("default", "asker")
        rig.kill()
        assert not is_timeout(breaks(rig.get, MAPS))
        assert not is_timeout(breaks(rig.request, "GET", MAPS, port=faults.port))
        rig.start()
        assert rig.url == url and rig.get(f"{MAPS}/kept") == kept
        assert rig.request("GET", MAPS, token=token, port=faults.port)["items"]
        kind, status = next(rig.watch(MAPS, old, timeout_s=10))
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired"), status
        new = version_of(rig)
        make(rig, "latest")
        assert next(rig.watch(MAPS, new, timeout_s=10))[1]["metadata"]["name"] == "latest"
    with tap.case("it ends in order when it is told to, and when nobody holds its input"):
        assert rig.stop() == 0
        assert rig.stop() is None
        rig.start()
        assert rig.get(f"{MAPS}/kept") == kept
        rig._let_go()
        assert rig.process.wait(20) == 0
        rig.stop()


def compaction(folder):
    with (kube.Rig(folder, flags=["--watch-cache=false"]) as rig,
          tap.case("compaction: 410 for a watch from before, and for the rest of a list")):
        for name in "abcd":
            make(rig, name)
        page = rig.get(f"{MAPS}?limit=2")
        old, more = page["metadata"]["resourceVersion"], f"{MAPS}?limit=2&continue={page['metadata']['continue']}"
        make(rig, "e")
        make(rig, "f")  # compaction leaves the last write: the version just before it is not too old
        assert next(rig.watch(MAPS, old, timeout_s=10))[0] == "ADDED" and len(rig.get(more)["items"]) == 2
        rig.compact()
        kind, status = next(rig.watch(MAPS, old, timeout_s=10))
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired"), status
        code, _, status = refused(rig.request, "GET", more)
        assert (code, status["reason"]) == (410, "Expired"), status
        new = version_of(rig)
        make(rig, "g")
        assert next(rig.watch(MAPS, new, timeout_s=10))[1]["metadata"]["name"] == "g"


with tempfile.TemporaryDirectory(prefix="weft-") as scratch:
    with kube.Rig(scratch, controllers=ALL) as server:
        objects(server)
        accounts(server, os.path.join(scratch, "account"))
        with server.faults() as proxy:
            answers(server, proxy)
            connections(server, proxy)
            restarts(server, proxy)
    alone = os.path.join(scratch, "alone")
    os.mkdir(alone)
    compaction(alone)
tap.done()

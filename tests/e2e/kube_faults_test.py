#!/usr/bin/env python3
"""The API server in every kind of trouble, with traffic flowing: nothing is lost, nothing is sent that is not so, and all is well
afterwards. weftd reaches the API server through a proxy that does harm (kube.Faults)."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

kube.enter_network()

HOST, PORT, STALE_S = "hello.example.com", 8080, 3
BASE = """
apiVersion: v1
kind: Service
metadata: {name: hello}
spec: {ports: [{name: http, port: 80, targetPort: 9080}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: hello-1, labels: {kubernetes.io/service-name: hello}}
addressType: IPv4
ports: [{name: http, port: 9080}]
endpoints: [{addresses: [10.244.0.11], conditions: {ready: true}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: hello}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""
# One that stays, for the load; and `mark`, whose answer tells how far weftd is.
STAYS = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hello}
spec: {hosts: [hello.example.com], gateways: [hello], http: [{route: [{destination: {host: hello}}]}]}
"""
MARK = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}}}
spec: {{hosts: [{name}.example.com], gateways: [hello], http: [{{directResponse: {{status: 200, body: {{string: "{text}"}}}}}}]}}
"""
ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside}
spec: {hosts: [outside.internal], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 9080}], endpoints: [{address: 10.244.0.12}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outside}
spec: {hosts: [outside.example.com], gateways: [hello], http: [{route: [{destination: {host: outside.internal}}]}]}
"""


class Cluster(kube.Cluster):
    def __init__(self):
        super().__init__()
        self.own(traffic.Backend("hello", "10.244.0.11", 9080))
        self.own(traffic.Backend("outside", "10.244.0.12", 9080))
        self.rig.apply(BASE + "---" + STAYS)
        self.faults = self.own(kube.Faults(self.rig, self.folder))
        self.server, self.envoy, self.marks = None, None, 0

    def start(self):
        self.server = self.weftd(port=self.faults.port, is_ready=False, arguments=["--stale-seconds", str(STALE_S)])

    def start_envoy(self):
        self.envoy = self.gateway(self.server, is_delta=True)
        self.envoy.wait_listening(PORT)

    def answer(self, name):
        return "".join(traffic.send(PORT, 1, host=f"{name}.example.com"))

    def put_mark(self, name="mark"):
        self.marks += 1
        self.rig.apply(MARK.format(name=name, text=f"{name}-{self.marks}"))
        return f"{name}-{self.marks}"

    def wait_mark(self, text, timeout_s=60):
        """Until traffic shows it."""
        mesh_rig.wait_for(f"the answer {text}", lambda: self.answer(text.split("-")[0]) == text, timeout_s)

    def arrives(self, timeout_s=60):
        """A change of now comes through, and the source is well."""
        self.wait_mark(self.put_mark(), timeout_s)
        self.server.wait_ready()

    def kube(self, kind=None):
        state = json.loads(self.server.get("/debug/kube")[1])
        return next(one for one in state["kinds"] if one["kind"] == kind) if kind else state

    def wait_stale(self):
        def is_stale():
            status, text = self.server.get("/readyz")
            return status == 503 and "keeping last state" in text and text
        text = mesh_rig.wait_for("/readyz to fall", is_stale)
        assert self.server.metrics()["weft_kube_stale"] == 1
        return text


def lists(kind_path, **fault):
    return {"path": f"/{kind_path}\\?limit=", **fault}


def watches(kind_path, **fault):
    return {"path": f"/{kind_path}\\?watch=1", **fault}


def run(mesh):
    with tap.case("weftd started before the API server: not ready, says why, and sends nothing; then all is there"):
        mesh.faults.refuse()
        mesh.start()
        mesh_rig.wait_for("a reason", lambda: "waiting for" in mesh.server.get("/readyz")[1] and "onnect" in mesh.server.get("/readyz")[1])
        assert mesh.server.get("/readyz")[0] == 503 and mesh.server.get("/healthz")[0] == 200
        envoy = mesh.own(mesh_rig.Envoy(mesh, mesh.server.xds_port, mesh_rig.GATEWAY_NODE, mesh_rig.GATEWAY_META, True, "early"))
        envoy.wait_connected()
        assert not any(kind.get("version") for proxy in mesh.server.proxies() for kind in proxy["types"].values()), mesh.server.proxies()
        mesh.faults.accept()
        mesh.server.wait_ready()
        envoy.wait_listening(PORT)
        mesh.envoy = envoy
        mesh.arrives()
    with traffic.Load(PORT, host=HOST) as load:
        with tap.case("API server killed and started again: the last state stays, readiness falls and returns, changes go on"):
            mesh.rig.kill()
            text = mesh.wait_stale()
            print(f"# {text.strip()}")
            load.flow(200)
            mesh.rig.start()
            mesh.server.wait_ready()
            mesh.arrives()
        with tap.case("what was deleted and changed while weftd was cut off is seen after it is back; what is the same is not pushed"):
            kept, gone = mesh.put_mark("kept"), mesh.put_mark("gone")
            mesh.wait_mark(kept)
            mesh.wait_mark(gone)
            mesh.wait_quiet()
            mesh.faults.refuse()
            mesh.rig.kubectl("delete", "virtualservice", "gone")
            changed = mesh.put_mark("changed")
            mesh.rig.apply(MARK.format(name="kept", text="other"))
            mesh.rig.apply(MARK.format(name="kept", text=kept))  # changed and changed back
            mesh.faults.accept()
            mesh.wait_mark(changed)
            mesh_rig.wait_for("404", lambda: mesh.answer("gone") == "404 ")
            assert "VirtualService/default/kept changed" not in mesh.server.log()
        with tap.case("etcd compacted under a watch: 410, a new list, and no moment without what is there"):
            mesh.faults.refuse()
            mark = mesh.put_mark()
            mesh.rig.kubectl("delete", "virtualservice", "changed")
            mesh.rig.compact()
            mesh.rig.kill()  # its memory of versions goes with it
            mesh.rig.start()
            before, log = mesh.kube("VirtualService"), len(mesh.server.log())
            mesh.faults.accept()
            mesh.wait_mark(mark)
            mesh.server.wait_ready()
            after = mesh.kube("VirtualService")
            assert after["expiredWatches"] > before["expiredWatches"], (before, after)
            removed = [line for line in mesh.server.log()[log:].splitlines() if "removed" in line]
            assert removed and all("VirtualService/default/changed removed" in line and line.count("removed") == 1 for line in removed), removed
        with tap.case("watches cut at random while things change: every change arrives, none twice"):
            mesh.faults.set({"path": "watch=1", "cutMs": 200})
            mesh.faults.cut()
            for _ in range(15):
                mark = mesh.put_mark()
            mesh.wait_mark(mark)
            assert mesh.faults.stats()["cut"] > 10, mesh.faults.stats()
            mesh.faults.set()
            mesh.arrives()
        for name, fault in (("429 with Retry-After", {"status": 429, "retryAfter": 1}), ("500", {"status": 500}), ("503", {"status": 503}),
                            ("slowly", {"delayMs": 1500}), ("with half an object", {"cutAfter": 700}), ("with half a list, as if it were all", {"cutAfter": 700, "cutClean": True}),
                            ("not at all", {"hang": True})):
            with tap.case(f"API server answers {name}: for lists, then for watches"):
                former = mesh.kube("VirtualService")["objects"]
                mesh.faults.set(lists("virtualservices", count=3, **fault))
                hits = mesh.faults.stats()["hits"]
                mesh.server.process.send_signal(signal.SIGHUP)  # lists everything again
                mesh_rig.wait_for("the fault", lambda: mesh.faults.stats()["hits"] > hits)
                assert mesh.kube("VirtualService")["objects"] == former
                if "hang" in fault:
                    mesh.faults.set()
                    mesh.faults.cut()
                mesh.arrives()
                mesh.faults.set(watches("virtualservices", count=1 if "hang" in fault else 3, **fault))
                hits = mesh.faults.stats()["hits"]
                mesh.faults.cut()
                mesh_rig.wait_for("the fault", lambda: mesh.faults.stats()["hits"] > hits)
                mesh.arrives()  # a watch that is not answered is given up after a while
                mesh.faults.set()
        with tap.case("a connection that is silent without an end is noticed and made anew"):
            before = mesh.server.metrics()["weft_kube_connections_total"]
            mesh.faults.mute()
            mesh_rig.wait_for("another connection", lambda: "has been silent" in mesh.server.log(), timeout_s=60)
            mesh.faults.accept()
            mesh.arrives()
            assert mesh.server.metrics()["weft_kube_connections_total"] > before
        with tap.case("the token is rotated; one that is no longer good is an error that says so, until there is another"):
            mesh.rig.kubectl("delete", "serviceaccount", "weftd", "-n", "istio-system")
            mesh.rig.kubectl("apply", "-f", os.path.join(mesh_rig.ROOT, "deploy", "rbac.yaml"))

            def is_refused():
                mesh.faults.cut()  # what is asked from now on is asked with a token that is nobody's, once the server has forgotten it
                return "status 401" in mesh.kube("Pod").get("error", "")
            mesh_rig.wait_for("401", is_refused, step_s=0.5)
            load.flow(100)
            mesh.rig.write_account(mesh.account, "istio-system", "weftd")
            mesh.arrives()
            mesh.rig.write_account(mesh.account, "istio-system", "weftd")
            mesh.faults.cut()
            mesh.arrives()
        with tap.case("CRDs deleted and made again: objects are gone and come back, the others stay"):
            mesh.rig.apply(ENTRY)
            mesh_rig.wait_for("the entry", lambda: mesh.answer("outside") == "outside")
            mesh.rig.kubectl("delete", "crd", "serviceentries.networking.istio.io")
            mesh_rig.wait_for("503", lambda: mesh.answer("outside").startswith("503"))
            mesh_rig.wait_for("a kind that is not served", lambda: mesh.kube("ServiceEntry")["state"] == "not served", timeout_s=60)
            mesh.arrives()
            mesh.rig.kubectl("apply", "-f", os.path.join(mesh_rig.ROOT, "crds", "networking.istio.io_serviceentries.yaml"))
            mesh.rig.kubectl("wait", "--for=condition=Established", "crd/serviceentries.networking.istio.io", "--timeout=60s")
            mesh.rig.apply(ENTRY)
            mesh_rig.wait_for("the entry", lambda: mesh.answer("outside") == "outside")
    with tap.case("through all of this no request was lost and none went astray"):
        assert load.total > 1000 and set(load.results) == {"hello"}, dict(load.results)
        print(f"# {load.total} requests")
    with tap.case("and nothing is left over: the same objects, one connection, no refusal by a proxy"):
        mesh.server.wait_ready()
        objects = len(json.loads(mesh.rig.kubectl("get", "virtualservices", "-A", "-o", "json"))["items"])
        mesh_rig.wait_for("the same count", lambda: mesh.kube("VirtualService")["objects"] == objects)
        assert mesh_rig.wait_for("one connection", lambda: mesh.faults.stats()["connections"] == 1)
        assert not any(kind.get("nack") for proxy in mesh.server.proxies() for kind in proxy["types"].values()), mesh.server.proxies()


with Cluster() as cluster:
    run(cluster)
tap.done()

#!/usr/bin/env python3
"""weftd in a cluster, as deploy/ has it: the real API server, the service account's own rights, kubectl, a real Envoy and its traffic."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

kube.enter_network()  # a network namespace in which pods' addresses exist

HOST = "hello.example.com"
PORT = 8080
HELLO = """
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
endpoints:
- {addresses: [10.244.0.11], conditions: {ready: true}, targetRef: {kind: Pod, name: v1, namespace: default}}
- {addresses: [10.244.0.12], conditions: {ready: true}, targetRef: {kind: Pod, name: v2, namespace: default}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: hello}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*/*.example.com"]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hello}
spec: {host: hello, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
"""
ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: hello}}
spec:
  hosts: [hello.example.com]
  gateways: [hello]
  http: [{{route: [{{destination: {{host: hello, subset: v1}}, weight: {v1}}}, {{destination: {{host: hello, subset: v2}}, weight: {v2}}}]}}]
"""
OTHER = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: other, namespace: other}
spec: {hosts: [other.example.com], gateways: [default/hello], http: [{directResponse: {status: 200, body: {string: other}}}]}
"""
SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    discoverySelectors: [{matchLabels: {mesh: "on"}}]
"""


class Cluster(kube.Cluster):
    def __init__(self, is_delta):
        super().__init__()
        for name, address in (("v1", "10.244.0.11"), ("v2", "10.244.0.12"), ("v3", "10.244.0.13")):
            self.own(traffic.Backend(name, address, 9080))
            self.rig.pod(name, address, {"app": "hello", "version": name})
        self.rig.apply(HELLO + "---" + ROUTE.format(v1=100, v2=0))
        self.server = self.weftd()
        self.envoy = self.gateway(self.server, is_delta)
        self.envoy.wait_listening(PORT)

    def send(self, n=50):
        return traffic.send(PORT, n, host=HOST)

    def wait_split(self, *names):
        """Until only these answer, and each of them does."""
        mesh_rig.wait_for(f"answers of {names}", lambda: set(self.send()) == set(names))

    def pushes(self):
        return {name: value for name, value in self.server.metrics().items() if name.startswith("weft_xds_pushes_total")}

    def answer(self, name):
        return "".join(traffic.send(PORT, 1, host=f"{name}.example.com"))

    def condition(self, kind, name, namespace="default"):
        return kube.condition(self.rig, kind, name, namespace)


def run(form, is_delta):
    with Cluster(is_delta) as mesh:
        with tap.case(f"{form}: what deploy/ allows is enough: every kind is watched, over one connection, and nothing was forbidden"):
            def status():
                return json.loads(mesh.server.get("/debug/kube")[1])
            mesh_rig.wait_for("all kinds", lambda: all(kind["live"] and "error" not in kind for kind in status()["kinds"]))
            mesh_rig.wait_for("the lease", lambda: status()["leader"])
            assert status()["health"] == "live" and status()["connections"] == 1, status()
            assert "forbidden" not in mesh.server.log(), mesh.server.log()
        with tap.case(f"{form}: objects applied with kubectl reach the traffic"):
            mesh.wait_split("v1")
            before = mesh.server.metrics()
            with traffic.Load(PORT, host=HOST) as load:
                mesh.rig.apply(ROUTE.format(v1=0, v2=100))
                mesh.wait_split("v2")
                mesh.rig.apply(ROUTE.format(v1=50, v2=50))
                mesh.wait_split("v1", "v2")
            assert set(load.results) <= {"v1", "v2"}, load.results
            after = mesh.server.metrics()
            count, total = "weft_xds_convergence_seconds_count", "weft_xds_convergence_seconds_sum"
            assert after[count] >= before[count] + 2, after
            print(f"# from the watch event to the last acknowledgement: {1000 * (after[total] - before[total]) / (after[count] - before[count]):.1f} ms")
        with tap.case(f"{form}: Services, Pods and EndpointSlices that change reach the traffic"):
            mesh.rig.apply(HELLO.replace("10.244.0.12", "10.244.0.13").replace("name: v2, namespace", "name: v3, namespace"))
            mesh.rig.kubectl("label", "pod", "v3", "version=v2", "--overwrite")
            mesh.wait_split("v1", "v3")
            mesh.rig.apply(HELLO)
            mesh.wait_split("v1", "v2")
        with tap.case(f"{form}: what kubectl deletes is gone: the route, then all"):
            mesh.rig.kubectl("delete", "virtualservice", "hello")
            mesh_rig.wait_for("404", lambda: set(mesh.send()) == {"404 "})
            mesh.rig.apply(ROUTE.format(v1=0, v2=100))
            mesh.wait_split("v2")
            mesh.rig.kubectl("delete", "endpointslice", "hello-1")
            mesh_rig.wait_for("503", lambda: all(key.startswith("503") for key in mesh.send()))
            mesh.rig.apply(HELLO)
            mesh.wait_split("v2")
        with tap.case(f"{form}: what does not matter is not pushed: a status, annotations, labels of a route, a thing and its opposite"):
            mesh_rig.wait_for("acknowledgements", mesh.server.is_acknowledged)
            before, seen = mesh.pushes(), mesh.server.metrics()
            mesh.rig.kubectl("annotate", "virtualservice", "hello", "example.com/note=x")
            mesh.rig.kubectl("annotate", "service", "hello", "example.com/note=x")
            mesh.rig.kubectl("patch", "pod", "v1", "--subresource=status", "--type=merge", "-p", '{"status":{"message":"hello"}}')
            path = "/apis/networking.istio.io/v1/namespaces/default/virtualservices/hello"
            for weight in (7, 100):  # at once: within the time that a change settles
                mesh.rig.request("PATCH", path, [{"op": "replace", "path": "/spec/http/0/route/1/weight", "value": weight}], "application/json-patch+json")
            last = mesh.rig.get(path)["metadata"]["resourceVersion"]

            def is_seen():
                metrics = mesh.server.metrics()
                events = sum(metrics[f'weft_kube_events_total{{kind="{kind}"}}'] - seen[f'weft_kube_events_total{{kind="{kind}"}}']
                             for kind in ("VirtualService", "Service", "Pod"))
                return events >= 5
            mesh_rig.wait_for(f"the events up to {last}", is_seen)
            mesh.wait_quiet()
            assert mesh.pushes() == before, (before, mesh.pushes())
        with tap.case(f"{form}: each object's status says what became of it"):
            accepted = mesh_rig.wait_for("a condition", lambda: mesh.condition("virtualservice", "hello"))
            assert (accepted["status"], accepted["reason"]) == ("True", "Accepted"), accepted
            mesh.rig.kubectl("wait", "--for=condition=Accepted", "virtualservice/hello", "gateway/hello", "destinationrule/hello", "--timeout=20s")
            mesh.rig.apply(ROUTE.format(v1=50, v2=50).replace("subset: v2", "subset: v9"))
            refused = mesh_rig.wait_for("another condition", lambda: (c := mesh.condition("virtualservice", "hello")) and c["reason"] != "Accepted" and c)
            assert refused["reason"] == "SubsetNotFound" and "v9" in refused["message"], refused
            generation = mesh.rig.get("/apis/networking.istio.io/v1/namespaces/default/virtualservices/hello")["metadata"]["generation"]
            assert refused["observedGeneration"] == generation, refused
        with tap.case(f"{form}: one wrong object leaves the others in force, and its own last good form"):
            mesh.rig.apply(ROUTE.format(v1=0, v2=100))
            mesh.wait_split("v2")
            mesh.rig.apply(HELLO.replace("subsets: [{name: v1", 'subsets: [{name: "not a name"'), "-n", "other")
            condition = mesh_rig.wait_for("the refusal", lambda: (c := kube.condition(mesh.rig, "destinationrule", "hello", "other")) and c)
            assert condition["status"] == "False", condition
            mesh.wait_split("v2")
        with tap.case(f"{form}: status is written once, and quietly"):
            mesh.wait_quiet()
            writes = mesh.server.metrics()["weft_kube_status_writes_total"]
            mesh.rig.kubectl("annotate", "virtualservice", "hello", "example.com/note=y", "--overwrite")
            mesh.wait_quiet()
            assert mesh.server.metrics()["weft_kube_status_writes_total"] == writes
        with tap.case(f"{form}: discoverySelectors: namespaces that are not selected are not in the mesh, and get no status"):
            mesh.rig.apply(OTHER)
            mesh_rig.wait_for("the other namespace", lambda: mesh.answer("other") == "other")
            mesh.rig.kubectl("label", "namespace", "default", "mesh=on")
            mesh.rig.apply(SETTINGS)
            mesh_rig.wait_for("404", lambda: mesh.answer("other") == "404 ")
            assert set(mesh.send()) == {"v2"}
            mesh.rig.kubectl("patch", "virtualservice", "other", "-n", "other", "--type=merge", "-p", '{"spec":{"hosts":["else.example.com"]}}')
            mesh.wait_quiet()
            observed = mesh.condition("virtualservice", "other", "other")["observedGeneration"]
            assert observed == 1, observed
            mesh.rig.kubectl("label", "namespace", "other", "mesh=on")
            mesh_rig.wait_for("the other namespace", lambda: mesh.answer("else") == "other")
            mesh_rig.wait_for("its condition", lambda: mesh.condition("virtualservice", "other", "other")["observedGeneration"] == 2)
            mesh.rig.delete(SETTINGS)
        with tap.case(f"{form}: the account may do no more than it needs"):
            for verb, resource in (("get", "secrets"), ("list", "configmaps"), ("update", "virtualservices"), ("create", "pods"), ("delete", "leases")):
                code, out, _ = mesh.rig.kubectl("auth", "can-i", verb, resource, "-n", "istio-system", "--as=system:serviceaccount:istio-system:weftd", check=False)
                assert out.strip() == "no", (verb, resource, out)


for form, is_delta in (("state of the world", False), ("delta", True)):
    run(form, is_delta)
tap.done()

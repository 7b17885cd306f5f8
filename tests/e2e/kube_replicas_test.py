#!/usr/bin/env python3
"""Several replicas: all serve proxies, one writes. The one that writes is killed; clocks step; status is written without storms."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402
import wall_clock  # noqa: E402

kube.enter_network()

PORT, HOST = 8080, "hello.example.com"
ROUTE = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: hello}}
spec: {{selector: {{istio: ingressgateway}}, servers: [{{port: {{number: 8080, name: http, protocol: HTTP}}, hosts: ["*"]}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: hello}}
spec: {{hosts: [hello.example.com], gateways: [hello], http: [{{directResponse: {{status: 200, body: {{string: "{text}"}}}}}}]}}
"""
MANY = "---".join(f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: many-{i}}}
spec: {{hosts: [many-{i}.example.com], http: [{{directResponse: {{status: 200}}}}]}}
""" for i in range(60))


def lease(mesh):
    return mesh.rig.get("/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/weftd")["spec"]


def is_leader(weftd):
    return weftd.metrics()["weft_kube_leader"] == 1


def writes(*replicas):
    return sum(weftd.metrics()["weft_kube_status_writes_total"] for weftd in replicas)


class Cluster(kube.Cluster):
    """Two replicas, whose wall clocks can be stepped."""

    def __init__(self):
        super().__init__()
        self.rig.apply(ROUTE.format(text="one"))
        self.clock = wall_clock.Clock(self.folder)
        self.replicas = [self.weftd(name=name, env=self.clock.env) for name in ("weftd-a", "weftd-b")]
        mesh_rig.wait_for("a leader", lambda: any(map(is_leader, self.replicas)))
        self.leader, self.other = sorted(self.replicas, key=is_leader, reverse=True)

    def answer(self):
        return "".join(traffic.send(PORT, 1, host=HOST))


with Cluster() as mesh:
    with tap.case("both replicas serve, and one of them writes"):
        assert not is_leader(mesh.other)
        for i, weftd in enumerate(mesh.replicas):
            envoy = mesh.own(mesh_rig.Envoy(mesh, weftd.xds_port, mesh_rig.GATEWAY_NODE, mesh_rig.GATEWAY_META, True, f"envoy-{i}"))
            envoy.wait_connected()
            envoy.wait_listening(PORT)
            assert mesh.answer() == "one"
            envoy.stop()
        mesh_rig.wait_for("a condition", lambda: kube.condition(mesh.rig, "virtualservice", "hello"))
        assert writes(mesh.other) == 0
    with tap.case("60 objects: each gets its condition once, at a limited rate; nothing is written again for a list"):
        before = writes(mesh.leader)
        mesh.rig.apply(MANY)

        def accepted():
            items = json.loads(mesh.rig.kubectl("get", "virtualservices", "-o", "json"))["items"]
            return all(item.get("status", {}).get("conditions") for item in items)
        mesh_rig.wait_for("all conditions", accepted)
        mesh.wait_quiet(mesh.leader)
        mesh.leader.process.send_signal(signal.SIGHUP)  # lists everything again
        mesh.wait_quiet(mesh.leader)
        assert writes(mesh.leader) - before == 60, writes(mesh.leader) - before
    with tap.case("the clock steps a day ahead and two days back: the lease stays, changes go on, nothing is written for it"):
        holder, transitions, count = lease(mesh)["holderIdentity"], lease(mesh)["leaseTransitions"], writes(*mesh.replicas)
        for step in (wall_clock.DAY_S, -wall_clock.DAY_S):
            mesh.clock.step(step)
            renewed = lease(mesh)["renewTime"]
            for _ in range(2):  # renewals by the clock that is wrong
                mesh_rig.wait_for("a renewal", lambda: lease(mesh)["renewTime"] != renewed)
                renewed = lease(mesh)["renewTime"]
            seen = [weftd.metrics()["weft_generations_total"] for weftd in mesh.replicas]
            mesh.rig.apply(ROUTE.format(text=f"step{step}"))
            for weftd, n in zip(mesh.replicas, seen):
                mesh_rig.wait_for("the change", lambda: weftd.metrics()["weft_generations_total"] > n)
                status, text = weftd.get("/readyz")  # a day back the root, which was made a moment ago, is not valid yet
                assert status == 200 if step > 0 else status == 503 and "clock is right" in text, text
        assert (lease(mesh)["holderIdentity"], lease(mesh)["leaseTransitions"]) == (holder, transitions), lease(mesh)
        assert is_leader(mesh.leader) and not is_leader(mesh.other)
        mesh.clock.step(0)
        mesh.wait_quiet(mesh.leader)
        assert writes(*mesh.replicas) - count == 2, writes(*mesh.replicas) - count  # observedGeneration of the two changes
    with tap.case("the one that writes is killed: the other goes on serving, then writes, and writes only what is new"):
        count = writes(mesh.other)
        mesh.leader.kill()
        mesh.rig.apply(ROUTE.format(text="two"))
        envoy = mesh.own(mesh_rig.Envoy(mesh, mesh.other.xds_port, mesh_rig.GATEWAY_NODE, mesh_rig.GATEWAY_META, True, "envoy-after"))
        envoy.wait_connected()
        envoy.wait_listening(PORT)
        mesh_rig.wait_for("the change", lambda: mesh.answer() == "two")
        mesh_rig.wait_for("another leader", lambda: is_leader(mesh.other), timeout_s=60)

        def is_observed():
            now = mesh.rig.get("/apis/networking.istio.io/v1/namespaces/default/virtualservices/hello")
            return kube.condition(mesh.rig, "virtualservice", "hello")["observedGeneration"] == now["metadata"]["generation"]
        mesh_rig.wait_for("the new generation's condition", is_observed)
        mesh.wait_quiet(mesh.other)
        assert writes(mesh.other) - count == 1, writes(mesh.other) - count
        assert lease(mesh)["leaseTransitions"] == transitions + 1, lease(mesh)
    with tap.case("one that stops lets go of the lease, and the next has it at once"):
        mesh.other.stop()
        assert lease(mesh)["holderIdentity"] == "", lease(mesh)
        third = mesh.weftd(name="weftd-c")
        mesh_rig.wait_for("the next leader", lambda: is_leader(third), timeout_s=10)
tap.done()

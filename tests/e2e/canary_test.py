#!/usr/bin/env python3
"""The canary example through a real Envoy, state of the world and delta: the split, and every kind of change under load."""
import collections
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

HOST = "hello.example.com"
EXAMPLE = os.path.join(mesh_rig.ROOT, "examples", "canary")

# Another service for the same host: where traffic goes when hello.internal is taken away.
OTHER = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: other, namespace: default}
spec:
  hosts: [other.internal]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 9080}]
  endpoints: [{address: 127.0.0.13}]
"""
TO_OTHER = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hello, namespace: default}
spec:
  hosts: [hello.example.com]
  gateways: [hello]
  http: [{route: [{destination: {host: other.internal}}]}]
"""


def assert_none_lost(load, *names):
    assert load.total > 0 and set(load.results) <= set(names), dict(load.results)


class Canary(mesh_rig.Mesh):
    def __init__(self, is_delta):
        super().__init__(EXAMPLE)
        self.port = mesh_rig.free_port()
        self.edit("gateway.yaml", "number: 8080", f"number: {self.port}")
        for name, address in (("v1", "127.0.0.11"), ("v2", "127.0.0.12"), ("other", "127.0.0.13")):
            self.own(traffic.Backend(name, address, 9080))
        self.server = self.weftd()
        self.envoy = self.gateway(self.server, is_delta)
        self.envoy.wait_listening(self.port)

    def load(self):
        return traffic.Load(self.port, host=HOST)

    def weights(self, v1, v2):
        text = iter((v1, v2))
        self.write("virtual-service.yaml", re.sub(r"weight: \d+", lambda _: f"weight: {next(text)}", self.read("virtual-service.yaml")))

    def wait_serves(self, name, n=20):
        """Until n requests in a row are answered by `name`."""
        mesh_rig.wait_for(f"{name} to serve", lambda: traffic.send(self.port, n, host=HOST) == collections.Counter({name: n}))

    def wait_acknowledged(self):
        mesh_rig.wait_for("the acknowledgements", self.server.is_acknowledged)

    def pushes(self):
        return {key: value for key, value in self.server.metrics().items() if key.startswith("weft_xds_pushes_total")}


def run(form, is_delta):
    with tap.case(f"{form}: 10,000 requests at 90/10 fall within 3 standard deviations"):
        with Canary(is_delta) as mesh:
            traffic.check_split(lambda: traffic.send(mesh.port, 10000, host=HOST), "v2", 10000, 10)

    with tap.case(f"{form}: a weight edit under load loses no request and comes into force"):
        with Canary(is_delta) as mesh, mesh.load() as load:
            for v1, v2 in ((50, 50), (0, 100), (100, 0), (0, 100)):
                load.flow(100)
                mesh.weights(v1, v2)
            mesh.wait_serves("v2")
            load.flow(100)
            load.stop()
            assert_none_lost(load, "v1", "v2")

    with tap.case(f"{form}: weftd killed and started again under load loses no request and pushes nothing new"):
        with Canary(is_delta) as mesh, mesh.load() as load:
            load.flow(200)
            mesh.server.kill()
            mesh.envoy.wait_connected(False)
            load.flow(200)
            mesh.server = mesh.restart(mesh.server)
            mesh.envoy.wait_connected()
            mesh.wait_acknowledged()
            load.flow(200)
            mesh.weights(0, 100)
            mesh.wait_serves("v2")
            load.stop()
            assert_none_lost(load, "v1", "v2")
            stats = mesh.envoy.stats("update_rejected")
            assert not any(stats.values()), stats

    with tap.case(f"{form}: an edit made while weftd was down is in force after it is back, and no request is lost"):
        with Canary(is_delta) as mesh, mesh.load() as load:
            mesh.server.kill()
            mesh.weights(0, 100)
            load.flow(100)
            mesh.server = mesh.restart(mesh.server)
            mesh.wait_serves("v2")
            load.stop()
            assert_none_lost(load, "v1", "v2")

    with tap.case(f"{form}: a cluster's removal under load loses no request (make before break)"):
        with Canary(is_delta) as mesh:
            # One file, so that each change is one: the route moves to another service and the old one is gone at the same moment.
            names = ("service-entry.yaml", "destination-rule.yaml", "virtual-service.yaml")
            old = "---\n".join(mesh.read(name) for name in names)
            mesh.write(names[0], old)
            for name in names[1:]:
                mesh.remove(name)
            with mesh.load() as load:
                for _ in range(3):
                    load.flow(200)
                    mesh.write(names[0], OTHER + "---" + TO_OTHER)
                    mesh.wait_serves("other")
                    mesh.wait_acknowledged()
                    mesh_rig.wait_for("the old cluster to go", lambda: "hello.internal" not in mesh.envoy.get("/clusters")[1])
                    load.flow(200)
                    mesh.write(names[0], old)
                    mesh_rig.wait_for("v1 and v2", lambda: "other" not in traffic.send(mesh.port, 20, host=HOST))
                load.stop()
                assert_none_lost(load, "v1", "v2", "other")

    with tap.case(f"{form}: a change that changes nothing pushes nothing"):
        with Canary(is_delta) as mesh:
            mesh.wait_acknowledged()
            before = mesh.pushes()
            mesh.write("virtual-service.yaml", "# a comment\n" + mesh.read("virtual-service.yaml"))
            mesh.write("marker.yaml", OTHER)  # a change that is seen, so that the first one was read before it
            mesh_rig.wait_for("the marker", lambda: "other.internal" in mesh.envoy.get("/clusters")[1])
            mesh.wait_acknowledged()
            after = mesh.pushes()
            routes, listeners = ('weft_xds_pushes_total{type="RDS"}', 'weft_xds_pushes_total{type="LDS"}')
            assert before[routes] == after[routes] and before[listeners] == after[listeners], (before, after)


for form, is_delta in (("state of the world", False), ("delta", True)):
    run(form, is_delta)
tap.done()

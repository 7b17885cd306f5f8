#!/usr/bin/env python3
"""The circuit-breaker example through a real Envoy: overload is refused at once, a failing instance is put aside."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

HOST = "orders.example.com"
CLUSTER = "outbound|80||orders.internal;"


def run(form, is_delta):
    with mesh_rig.Mesh(os.path.join(mesh_rig.ROOT, "examples", "circuit-breaker")) as mesh:
        port = mesh_rig.free_port()
        mesh.edit("service.yaml", "number: 8081", f"number: {port}")
        one, two = (mesh.own(traffic.Backend(name, address, 9080)) for name, address in (("one", "127.0.0.21"), ("two", "127.0.0.22")))
        envoy = mesh.gateway(mesh.weftd(), is_delta)
        envoy.wait_listening(port)

        def stat(name):
            return next(iter(envoy.stats(f"^cluster.outbound.*{name}$").values()))

        with tap.case(f"{form}: within the limits every request is served"):
            assert set(traffic.send(port, 200, host=HOST, connections=4)) == {"one", "two"}

        with tap.case(f"{form}: what is above connections and waiting requests is refused at once with 503"):
            one.delay_s = two.delay_s = 0.2
            results = traffic.send(port, 120, host=HOST, connections=40)
            refused = sum(count for key, count in results.items() if key.startswith("503"))
            assert refused > 0 and results["one"] + results["two"] >= 8, results
            assert sum(results.values()) == 120 and refused + results["one"] + results["two"] == 120, results
            assert stat("upstream_rq_pending_overflow") > 0
            one.delay_s = two.delay_s = 0.0

        with tap.case(f"{form}: an instance that fails three times in a row is ejected and gets nothing more"):
            two.status = 500
            mesh_rig.wait_for("the ejection", lambda: traffic.send(port, 20, host=HOST, connections=2) and stat("outlier_detection.ejections_active") == 1)
            seen = two.requests
            results = traffic.send(port, 200, host=HOST, connections=4)
            assert results == {"one": 200}, results
            assert two.requests == seen, f"the ejected instance got {two.requests - seen} requests"


for form, is_delta in (("state of the world", False), ("delta", True)):
    run(form, is_delta)
tap.done()

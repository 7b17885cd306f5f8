#!/usr/bin/env python3
"""The pods themselves, before any identity: every kind of traffic through two sidecars that know of weftd only, counted; and past them."""
import os

import tap

import mesh
import pods

if os.geteuid() != 0:
    tap.report(True, "pods", " # SKIP pods are network namespaces: needs root")
    tap.done()

with pods.Cluster() as cluster:
    cluster.weftd(has_tls=False)
    client, v1, v2 = (cluster.pod(name, sidecar="envoy") for name in ("client", "v1", "v2"))
    plain = cluster.pod("plain", sidecar=None)
    cluster.service("hello", [v1, v2])
    cluster.wait_ready()
    for name, port, target, protocol in pods.PORTS:
        with tap.case(f"{protocol} by the Service's port {name}: both instances answer, nothing is lost"):
            mesh.wait_for("both", lambda: len(client.ask(protocol, f"hello:{port}", n=8, fresh=True)["answers"]) == 2)
            tally = client.ask(protocol, f"hello:{port}", n=200, fresh=protocol in ("tcp", "server-first"))
            assert sum(tally["answers"].values()) == 200 and not tally["errors"], tally
            if protocol in ("http1", "grpc"):
                assert tally["last"]["protocol"] == {"http1": "HTTP/1.1", "grpc": "gRPC"}[protocol], tally
        with tap.case(f"{protocol} from a pod outside the mesh to port {target} of one inside"):
            tally = plain.ask(protocol, f"v1:{target}", n=20)
            assert tally["answers"] == {"v1": 20} and not tally["errors"], tally
    with tap.case("load: counted while it runs, ended when told"):
        with client.load("http1", "hello:80", rate=500) as load:
            load.flow(200)
        assert load.check("load")["dials"] == 4
    with tap.case("no sidecar refused anything"):
        assert not cluster.nacks(), cluster.nacks()
tap.done()

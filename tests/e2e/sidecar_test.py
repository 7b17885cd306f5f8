#!/usr/bin/env python3
"""Sidecars as in a cluster: pods are network namespaces, their traffic is captured by iptables and goes through a real Envoy on both
sides. A client calls a Service by its virtual IP; nothing in the client knows of the mesh."""
import collections
import os

import tap

import mesh
import pods
import traffic

RULES = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: hello, namespace: default}}
spec: {{host: hello, subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: hello, namespace: default}}
spec:
  hosts: [hello]
  http:
  - match: [{{uri: {{exact: /fixed}}}}]
    directResponse: {{status: 200, body: {{string: "direct"}}}}
  - route:
    - {{destination: {{host: hello, subset: v1}}, weight: {v1}}}
    - {{destination: {{host: hello, subset: v2}}, weight: {v2}}}
"""


def answers(client, n, to="hello:80", protocol="http1", **options):
    """Who answered, and what else came."""
    tally = client.ask(protocol, to, n=n, **options)
    return collections.Counter({**tally["answers"], **tally["errors"]})


def run(form, is_delta):
    with pods.Cluster(is_delta) as cluster:
        cluster.write("rules.yaml", RULES.format(v1=90, v2=10))
        cluster.weftd(has_tls=False)
        client = cluster.pod("client", sidecar="envoy")
        servers = {name: cluster.pod(name, account="hello", labels={"app": "hello", "version": name}, sidecar="envoy") for name in ("v1", "v2")}
        cluster.service("hello", list(servers.values()))
        cluster.wait_ready()
        mesh.wait_for("the service to answer", lambda: set(answers(client, 4)) <= {"v1", "v2"})
        with tap.case(f"{form}: a pod calls a Service by its virtual IP, through both sidecars, split 90/10"):
            traffic.check_split(lambda: answers(client, 1000), "v2", 1000, 10)
        with tap.case(f"{form}: hosts by short name, name.namespace, full name"):
            for host in ("hello", "hello.default", "hello.default.svc", "hello.default.svc.cluster.local", "hello:80", cluster.address("hello")):
                found = answers(client, 1, host=host, path="/fixed")
                assert found == {"200 direct": 1}, (host, found)
        with tap.case(f"{form}: a TCP port of the same Service passes through"):
            assert set(answers(client, 20, "hello:9000", "tcp", fresh=True)) <= {"v1", "v2"}
        with tap.case(f"{form}: the inbound side is the sidecar's: the application sees its own Envoy"):
            stats = servers["v1"].stats("inbound_.*downstream_rq_total|inbound.*upstream_rq_total")
            assert any(value > 0 for value in stats.values()), stats
            assert client.ask("http1", "hello:80")["last"]["peer"].startswith("127.0.0.6:")
        with tap.case(f"{form}: a pod's own address and unknown destinations pass through"):
            assert answers(client, 1, "v2:8080", host="x") == {"v2": 1}
            code, out = client.run("curl", "-sf", f"http://{pods.NODE}:{pods.ADMIN}/healthz", user="exec")
            assert code == 0 and out, out
        with tap.case(f"{form}: changed weights reach the client's sidecar"):
            cluster.write("rules.yaml", RULES.format(v1=0, v2=100))
            mesh.wait_for("all traffic at v2", lambda: answers(client, 20) == {"v2": 20})
        with tap.case(f"{form}: no sidecar refused anything"):
            assert not cluster.nacks(), cluster.nacks()


if os.geteuid() != 0:
    tap.report(True, "sidecars", " # SKIP pods are network namespaces: needs root")
    tap.done()
for form, is_delta in (("state of the world", False), ("delta", True)):
    run(form, is_delta)
tap.done()

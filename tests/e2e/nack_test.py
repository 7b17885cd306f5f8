#!/usr/bin/env python3
"""A proxy that refuses a cluster: the refusal is kept with the proxy's own words and shown, the refused form is not sent again, the
others keep flowing, and a changed form is tried again. State of the world and delta."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
from envoy.config.cluster.v3 import cluster_pb2  # noqa: E402
from envoy.service.discovery.v3 import discovery_pb2  # noqa: E402
from xds_client import CDS, Client, node  # noqa: E402

REASON = "Error adding/updating cluster(s) outbound|80||bad.internal: ring hash: the proxy's own words"
SERVICE = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: default}}
spec: {{hosts: [{name}.internal], location: MESH_INTERNAL, resolution: STATIC, ports: [{{number: {port}, name: http, protocol: HTTP}}], endpoints: [{{address: 10.1.1.1}}]}}
"""
POLICY = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: bad, namespace: default}}
spec: {{host: bad.internal, trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: {n}}}}}}}}}
"""
BAD = "outbound|80||bad.internal"


class Proxy:
    """Acknowledges everything but one form of one cluster, that with `refused_limit`; remembers each form of each cluster it was sent."""

    def __init__(self, port, is_delta):
        self.is_delta, self.refused_limit, self.sent, self.responses = is_delta, None, {}, 0
        self.client = Client(port, "DeltaAggregatedResources" if is_delta else "StreamAggregatedResources")
        self.request = discovery_pb2.DeltaDiscoveryRequest if is_delta else discovery_pb2.DiscoveryRequest
        self.accepted = ""
        self.client.send(self.request(node=node(), type_url=CDS))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        kind = discovery_pb2.DeltaDiscoveryResponse if self.is_delta else discovery_pb2.DiscoveryResponse
        try:
            while True:
                self._answer(self.client.read(kind))
        except Exception:  # the stream's end is the test's end
            pass

    def _answer(self, response):
        is_refused = False
        for resource in response.resources:
            packed = resource.resource if self.is_delta else resource
            cluster = cluster_pb2.Cluster.FromString(packed.value)
            is_refused |= cluster.name == BAD and cluster.circuit_breakers.thresholds[0].max_connections.value == self.refused_limit
            forms = self.sent.setdefault(cluster.name, [])
            if not forms or forms[-1] != packed.value:
                forms.append(packed.value)
        self.responses += 1
        answer = self.request(type_url=CDS, response_nonce=response.nonce)
        if is_refused:
            answer.error_detail.code, answer.error_detail.message = 13, REASON
        elif not self.is_delta:
            self.accepted = response.version_info
        if not self.is_delta:
            answer.version_info = self.accepted
        self.client.send(answer)

    def max_connections(self, name):
        """The limits with which the cluster came, in order."""
        return [cluster_pb2.Cluster.FromString(form).circuit_breakers.thresholds[0].max_connections.value for form in self.sent.get(name, [])]


def shown(weftd):
    return [proxy["types"]["CDS"].get("nack") for proxy in weftd.proxies()]


def run(form, is_delta):
    with mesh_rig.Mesh() as mesh:
        mesh.write("bad.yaml", SERVICE.format(name="bad", port=80))
        mesh.write("policy.yaml", POLICY.format(n=1))
        mesh.write("good.yaml", SERVICE.format(name="good", port=80))
        weftd = mesh.weftd()
        proxy = Proxy(weftd.xds_port, is_delta)
        mesh_rig.wait_for("the clusters", lambda: BAD in proxy.sent and weftd.is_acknowledged())

        with tap.case(f"{form}: a refusal is kept in the proxy's own words, by resource, in /debug/proxies, the metrics and the log"):
            proxy.refused_limit = 2
            mesh.write("policy.yaml", POLICY.format(n=2))
            nack = mesh_rig.wait_for("the refusal", lambda: next(iter(shown(weftd)), None))
            assert nack["message"] == REASON and nack["resource"] == BAD, nack
            assert weftd.metrics()['weft_xds_nacks_total{type="CDS"}'] == 1
            assert BAD in weftd.log() and "the proxy's own words" in weftd.log(), weftd.log()

        with tap.case(f"{form}: other resources keep flowing, and the refused form is not sent again"):
            for i in range(5):
                mesh.write("more.yaml", "---".join(SERVICE.format(name=f"more-{k}", port=80) for k in range(i + 1)))
                mesh_rig.wait_for(f"cluster more-{i}", lambda i=i: f"outbound|80||more-{i}.internal" in proxy.sent)
            limits = proxy.max_connections(BAD)
            assert limits.count(2) == 1, limits
            assert proxy.responses < 20, f"{proxy.responses} responses: a loop"
            assert weftd.metrics()['weft_xds_nacks_total{type="CDS"}'] == 1

        with tap.case(f"{form}: a changed form is tried again, and its acknowledgement ends the refusal"):
            mesh.write("policy.yaml", POLICY.format(n=3))
            mesh_rig.wait_for("the changed cluster", lambda: proxy.max_connections(BAD)[-1] == 3)
            mesh_rig.wait_for("the refusal to go", lambda: shown(weftd) == [None])
            mesh_rig.wait_for("the acknowledgement", weftd.is_acknowledged)
        proxy.client.close()


for form, is_delta in (("state of the world", False), ("delta", True)):
    run(form, is_delta)
tap.done()

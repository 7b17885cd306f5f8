#!/usr/bin/env python3
"""Sidecars as in a cluster: pods are network namespaces, their traffic is captured by iptables and goes through a real Envoy on both
sides. A client calls a Service by its virtual IP; nothing in the client knows of the mesh."""
import collections
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = f"weft{os.getpid()}"
ENV = dict(os.environ, PODS_PREFIX=PREFIX)
NODE_ADDRESS, XDS, ADMIN = "10.244.0.1", 15010, 15014
VIP = "10.96.0.10"

SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: hello, namespace: default}}
spec:
  clusterIP: {vip}
  selector: {{app: hello}}
  ports: [{{name: http, port: 80, targetPort: 8080}}, {{name: tcp, port: 9000, targetPort: 9000}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: hello-a, namespace: default, labels: {{kubernetes.io/service-name: hello}}}}
addressType: IPv4
ports: [{{name: http, port: 8080}}, {{name: tcp, port: 9000}}]
endpoints:
- {{addresses: [{v1}], conditions: {{ready: true}}, targetRef: {{kind: Pod, name: v1, namespace: default}}}}
- {{addresses: [{v2}], conditions: {{ready: true}}, targetRef: {{kind: Pod, name: v2, namespace: default}}}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: default, labels: {{app: {app}, version: {name}}}}}
spec: {{serviceAccountName: {app}, containers: [{{name: app}}]}}
status: {{phase: Running, podIP: {ip}}}
"""
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


def pods(*arguments, **options):
    done = subprocess.run([os.path.join(HERE, "pods.sh"), *arguments], env=ENV, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"pods.sh {' '.join(arguments)}: {done.stderr}"
    return done.stdout


class Cluster(mesh_rig.Mesh):
    """A node with weftd, and pods each with an application and a sidecar."""

    def __init__(self, is_delta):
        super().__init__()
        self.is_delta = is_delta
        os.chmod(self.folder, 0o755)  # the pods' users read their bootstrap and Envoy here
        self.envoy = os.path.join(self.folder, "envoy")
        try:
            os.link(os.path.realpath(mesh_rig.ENVOY), self.envoy)
        except OSError:
            shutil.copy(os.path.realpath(mesh_rig.ENVOY), self.envoy)
        self.ips = dict(line.split() for line in pods("up", "client", "v1", "v2").splitlines())
        self.write("pods.yaml", "---".join(POD.format(name=name, app="client" if name == "client" else "hello", ip=ip) for name, ip in self.ips.items()))
        self.write("service.yaml", SERVICE.format(vip=VIP, v1=self.ips["v1"], v2=self.ips["v2"]))
        self.write("rules.yaml", RULES.format(v1=90, v2=10))
        self.start("weftd", ["ip", "netns", "exec", f"{PREFIX}-node", os.path.join(mesh_rig.BIN, "weftd"), "--config", self.config,
                             "--xds-address", f"{NODE_ADDRESS}:{XDS}", "--admin-address", f"{NODE_ADDRESS}:{ADMIN}"])
        mesh_rig.wait_for("weftd", lambda: self.admin("/readyz", is_checked=False) is not None)
        with open(os.path.join(HERE, "traffic.py"), encoding="utf-8") as file:
            source = file.read()
        for name in ("v1", "v2"):
            self.start(f"app-{name}", [os.path.join(HERE, "pods.sh"), "exec", name, sys.executable, "-c",
                                       source + f"\nBackend('{name}', '0.0.0.0', 8080)\nBackend('tcp-{name}', '0.0.0.0', 9000)\ntime.sleep(3600)\n"])
        for name, ip in self.ips.items():
            bootstrap = mesh_rig.Envoy.bootstrap(XDS, f"sidecar~{ip}~{name}.default~default.svc.cluster.local",
                                                 {"NAMESPACE": "default", "LABELS": {"app": "client" if name == "client" else "hello"}}, is_delta)
            cluster = bootstrap["staticResources"]["clusters"][0]
            cluster["loadAssignment"]["endpoints"][0]["lbEndpoints"][0]["endpoint"]["address"]["socketAddress"]["address"] = NODE_ADDRESS
            bootstrap["admin"]["address"]["socketAddress"]["portValue"] = 15000
            file = os.path.join(self.folder, f"{name}.json")
            with open(file, "w", encoding="utf-8") as out:
                json.dump(bootstrap, out)
            self.start(f"sidecar-{name}", [os.path.join(HERE, "pods.sh"), "proxy", name, self.envoy, "-c", file, "--concurrency", "1", "-l", "warning",
                                           "--disable-hot-restart", "--base-id", str(len(name))])
        mesh_rig.wait_for("all sidecars' acknowledgements", self.is_acknowledged, timeout_s=60)
        mesh_rig.wait_for("the service to answer", lambda: set(self.curl("/", 4)) <= {"v1", "v2"} and self.curl("/", 4))

    def start(self, name, argv):
        return self.own(mesh_rig.Process(name, argv, self.folder, env=ENV))

    def admin(self, path, is_checked=True):
        done = subprocess.run(["ip", "netns", "exec", f"{PREFIX}-node", "curl", "-sf", "--max-time", "5", f"http://{NODE_ADDRESS}:{ADMIN}{path}"],
                              capture_output=True, text=True, check=is_checked)
        return done.stdout if done.returncode == 0 else None

    def is_acknowledged(self):
        proxies = json.loads(self.admin("/debug/proxies"))
        return len(proxies) == 3 and all(kind["version"] == kind["acknowledged"] for proxy in proxies for kind in proxy["types"].values())

    def curl(self, path, n=1, host="hello", port=80, pod="client", address=VIP):
        """n requests from inside a pod, as its application does them; the bodies counted."""
        out = subprocess.run([os.path.join(HERE, "pods.sh"), "exec", pod, "curl", "-s", "--max-time", "20", "-w", "\\n", "-H", f"Host: {host}",
                              f"http://{address}:{port}{path}#[1-{n}]"], env=ENV, capture_output=True, text=True).stdout
        return collections.Counter(out.split("\n")[:-1])

    def __exit__(self, *error):
        super().__exit__(*error)
        pods("down")


def run(form, is_delta):
    with Cluster(is_delta) as mesh:
        with tap.case(f"{form}: a pod calls a Service by its virtual IP, through both sidecars, split 90/10"):
            traffic.check_split(lambda: mesh.curl("/", 1000), "v2", 1000, 10)
        with tap.case(f"{form}: hosts by short name, name.namespace, full name"):
            for host in ("hello", "hello.default", "hello.default.svc", "hello.default.svc.cluster.local", "hello:80", VIP):
                assert mesh.curl("/fixed", host=host) == {"direct": 1}, host
        with tap.case(f"{form}: a TCP port of the same Service passes through"):
            assert set(mesh.curl("/", 20, port=9000)) <= {"tcp-v1", "tcp-v2"}
        with tap.case(f"{form}: the inbound side is the sidecar's: the application sees its own Envoy"):
            stats = subprocess.run([os.path.join(HERE, "pods.sh"), "proxy", "v1", "curl", "-s", "http://127.0.0.1:15000/stats?filter=inbound_.*downstream_rq_total|inbound.*upstream_rq_total"],
                                   env=ENV, capture_output=True, text=True).stdout
            assert any(int(line.rsplit(" ", 1)[1]) > 0 for line in stats.splitlines()), stats
        with tap.case(f"{form}: a pod's own address and unknown destinations pass through"):
            assert mesh.curl("/", host="x", port=8080, address=mesh.ips["v2"]) == {"v2": 1}
        with tap.case(f"{form}: a changed weight reaches the client's sidecar"):
            mesh.write("rules.yaml", RULES.format(v1=0, v2=100))
            mesh_rig.wait_for("all traffic at v2", lambda: mesh.curl("/", 20) == {"v2": 20})
        with tap.case(f"{form}: no sidecar refused anything"):
            assert not any("nack" in kind for proxy in json.loads(mesh.admin("/debug/proxies")) for kind in proxy["types"].values() if kind.get("nack")), mesh.admin("/debug/proxies")


if os.geteuid() != 0:
    tap.report(True, "sidecars", " # SKIP pods are network namespaces: needs root")
    tap.done()
for form, is_delta in (("state of the world", False), ("delta", True)):
    try:
        run(form, is_delta)
    finally:
        pods("down")
tap.done()

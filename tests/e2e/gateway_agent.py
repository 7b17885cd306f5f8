"""weft-agent beside a gateway, on loopback: a real weftd, a real Envoy, two backends.

    with gateway_agent.AgentMesh("--workload-cert-ttl", "8s") as mesh:
        agent = mesh.agent("--ttl", "8s")
        agent.wait_ready(); agent.metrics(); agent.certificates(); mesh.answers(20)
"""
import json
import os
import subprocess

import mesh as mesh_rig
import traffic

EXAMPLE = os.path.join(mesh_rig.ROOT, "examples", "canary")
NAME = "spiffe://cluster.local/ns/istio-system/sa/gateway"


class Agent(mesh_rig.Process):
    """Beside a gateway; port 0 is no choice for what Envoy itself binds."""

    def __init__(self, mesh, tls_port, *arguments, envoy_arguments=(), name="agent", env=None):
        folder = os.path.join(mesh.folder, name)
        os.makedirs(folder)
        labels = os.path.join(folder, "labels")
        with open(labels, "w", encoding="utf-8") as file:
            file.write('istio="ingressgateway"\n')
        self.socket, self.bootstrap = os.path.join(folder, "sds", "socket"), os.path.join(folder, "envoy", "bootstrap.json")
        self.admin_port, self.stats_port, self.status_port = (mesh_rig.free_port() for _ in range(3))
        super().__init__(name, [
            os.path.join(mesh_rig.BIN, "weft-agent"), "--control-plane", f"127.0.0.1:{tls_port}", "--server-name", "istiod.istio-system.svc",
            "--roots", mesh.roots, "--token-file", mesh.token, "--role", "router", "--namespace", "istio-system",
            "--pod-name", "gateway-1", "--service-account", "gateway", "--instance-ip", "127.0.0.1", "--labels-file", labels,
            "--socket", self.socket, "--bootstrap", self.bootstrap, "--envoy", mesh_rig.ENVOY, "--admin-address", f"127.0.0.1:{self.admin_port}",
            "--stats-address", f"127.0.0.1:{self.stats_port}", "--status-address", f"127.0.0.1:{self.status_port}", "--log-level", "debug",
            *arguments, "--", "-l", "warning", *envoy_arguments], mesh.folder, env)

    def ready(self):
        self.check()
        return mesh_rig.get(f"http://127.0.0.1:{self.status_port}/healthz/ready")

    def wait_ready(self, is_ready=True):
        return mesh_rig.wait_for(f"ready {is_ready}", lambda: (self.ready()[0] == 200) == is_ready and self.ready(), timeout_s=40, step_s=0.1)

    def metrics(self):
        text = mesh_rig.get(f"http://127.0.0.1:{self.status_port}/metrics")[1]
        return {line.split()[0]: float(line.split()[1]) for line in text.split("\n") if line and line[0] != "#"}

    def certificates(self):
        """(serial of the own one, its names, serials of the roots), as Envoy holds them"""
        found = json.loads(mesh_rig.get(f"http://127.0.0.1:{self.admin_port}/certs")[1])["certificates"]
        own = [chain for entry in found for chain in entry.get("cert_chain", [])]
        roots = {root["serial_number"] for entry in found for root in entry.get("ca_cert", [])}
        return own[0]["serial_number"], [name["uri"] for name in own[0]["subject_alt_names"]], roots


class AgentMesh(mesh_rig.Mesh):
    """roots: a file that says whom agents trust; None: weftd's own root. env: weftd's."""

    def __init__(self, *weftd_arguments, roots=None, env=None):
        super().__init__(EXAMPLE)
        self.port = mesh_rig.free_port()
        self.edit("gateway.yaml", "number: 8080", f"number: {self.port}")
        self.state = os.path.join(self.folder, "state")
        self.roots = roots or os.path.join(self.state, "ca-cert.pem")
        self.token = os.path.join(self.folder, "token")
        for name, address in (("v1", "127.0.0.11"), ("v2", "127.0.0.12")):
            self.own(traffic.Backend(name, address, 9080))
        self.tls_port = mesh_rig.free_port()
        self.arguments = ["--state-dir", self.state, "--tls-address", f"127.0.0.1:{self.tls_port}", *weftd_arguments]
        self.server = self.weftd(arguments=self.arguments, env=env)
        self.write_token()

    def write_token(self, *arguments, env=None):
        with open(self.token, "w", encoding="utf-8") as file:
            subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "token", "create", "--state-dir", self.state, "--namespace", "istio-system",
                            "--service-account", "gateway", *arguments], stdout=file, env=env, check=True)

    def agent(self, *arguments, **options):
        return self.own(Agent(self, self.tls_port, *arguments, **options))

    def answers(self, n=50):
        counts = traffic.send(self.port, n, "hello.example.com")
        assert set(counts) <= {"v1", "v2"} and sum(counts.values()) == n, counts

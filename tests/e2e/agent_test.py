#!/usr/bin/env python3
"""weft-agent between a real weftd and a real Envoy: the certificate and its renewals, the control plane away, the root replaced,
and the end."""
import json
import os
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

EXAMPLE = os.path.join(mesh_rig.ROOT, "examples", "canary")
NAME = "spiffe://cluster.local/ns/istio-system/sa/gateway"


class Agent(mesh_rig.Process):
    """Beside a gateway; port 0 is no choice for what Envoy itself binds."""

    def __init__(self, mesh, tls_port, *arguments, envoy_arguments=(), name="agent"):
        folder = os.path.join(mesh.folder, name)
        os.makedirs(folder)
        labels = os.path.join(folder, "labels")
        with open(labels, "w", encoding="utf-8") as file:
            file.write('istio="ingressgateway"\n')
        self.socket, self.bootstrap = os.path.join(folder, "sds", "socket"), os.path.join(folder, "envoy", "bootstrap.json")
        self.admin_port, self.stats_port, self.status_port = (mesh_rig.free_port() for _ in range(3))
        super().__init__(name, [
            os.path.join(mesh_rig.BIN, "weft-agent"), "--control-plane", f"127.0.0.1:{tls_port}", "--server-name", "istiod.istio-system.svc",
            "--roots", os.path.join(mesh.state, "ca-cert.pem"), "--token-file", mesh.token, "--role", "router", "--namespace", "istio-system",
            "--pod-name", "gateway-1", "--service-account", "gateway", "--instance-ip", "127.0.0.1", "--labels-file", labels,
            "--socket", self.socket, "--bootstrap", self.bootstrap, "--envoy", mesh_rig.ENVOY, "--admin-address", f"127.0.0.1:{self.admin_port}",
            "--stats-address", f"127.0.0.1:{self.stats_port}", "--status-address", f"127.0.0.1:{self.status_port}", "--log-level", "debug",
            *arguments, "--", "-l", "warning", *envoy_arguments], mesh.folder)

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
    def __init__(self, *weftd_arguments):
        super().__init__(EXAMPLE)
        self.port = mesh_rig.free_port()
        self.edit("gateway.yaml", "number: 8080", f"number: {self.port}")
        self.state = os.path.join(self.folder, "state")
        self.token = os.path.join(self.folder, "token")
        for name, address in (("v1", "127.0.0.11"), ("v2", "127.0.0.12")):
            self.own(traffic.Backend(name, address, 9080))
        self.tls_port = mesh_rig.free_port()
        self.arguments = ["--state-dir", self.state, "--tls-address", f"127.0.0.1:{self.tls_port}", *weftd_arguments]
        self.server = self.weftd(arguments=self.arguments)
        with open(self.token, "w", encoding="utf-8") as file:
            subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "token", "create", "--state-dir", self.state, "--namespace", "istio-system",
                            "--service-account", "gateway"], stdout=file, check=True)

    def agent(self, *arguments, **options):
        return self.own(Agent(self, self.tls_port, *arguments, **options))

    def answers(self, n=50):
        counts = traffic.send(self.port, n, "hello.example.com")
        assert set(counts) <= {"v1", "v2"} and sum(counts.values()) == n, counts


with tap.case("Envoy's bootstrap is one that Envoy takes"), AgentMesh() as mesh:
    agent = mesh.agent("--no-envoy")
    mesh_rig.wait_for("a bootstrap", lambda: os.path.exists(agent.bootstrap))
    done = subprocess.run([mesh_rig.ENVOY, "--mode", "validate", "--config-path", agent.bootstrap, "-l", "warning"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and "eprecated" not in done.stderr, done.stderr
    agent.wait_ready()
    assert agent.stop() == 0

with tap.case("a gateway gets its name, its configuration, and carries traffic"), AgentMesh() as mesh:
    agent = mesh.agent()
    agent.wait_ready()
    serial, names, roots = agent.certificates()
    assert names == [NAME] and len(roots) == 1, (names, roots)
    mesh_rig.wait_for("the listener", lambda: mesh_rig.is_open("127.0.0.1", mesh.port))
    mesh.answers()
    modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (agent.socket, agent.bootstrap)]
    assert modes == [0o600, 0o600], modes
    assert "# TYPE" in mesh_rig.get(f"http://127.0.0.1:{agent.stats_port}/stats/prometheus")[1]
    shown = subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "ca", "show", "-o", "json", "--control-socket", os.path.join(mesh.state, "control.sock")],
                           capture_output=True, text=True, timeout=30, check=True)
    issued = json.loads(shown.stdout)["issued"]
    assert issued["total"] == 1 and issued["recent"][0]["id"] == NAME and int(issued["recent"][0]["serial"], 16) == int(serial, 16), issued
    assert "PRIVATE" not in agent.log() and open(mesh.token, encoding="utf-8").read().strip() not in agent.log()
    assert agent.stop() == 0, agent.log()[-3000:]

with tap.case("renewals lose no request; without the control plane the certificate stays until its end, and no longer"), AgentMesh() as mesh:
    agent = mesh.agent("--ttl", "8s")
    agent.wait_ready()
    mesh_rig.wait_for("the listener", lambda: mesh_rig.is_open("127.0.0.1", mesh.port))
    first = agent.certificates()[0]
    mesh_rig.wait_for("two more certificates", lambda: mesh.answers(5) or agent.metrics()["weft_agent_certificates_total"] >= 3)
    assert agent.certificates()[0] != first
    mesh.server.stop()
    mesh_rig.wait_for("a failure", lambda: agent.metrics()["weft_agent_certificate_failures_total"] >= 1)
    assert agent.ready()[0] == 200 and "the certificate is valid for another" in agent.log()
    mesh.answers(20)
    status, words = agent.wait_ready(False)
    assert status == 503 and "the certificate expired" in words, words
    mesh.answers(20)
    mesh.own(mesh_rig.Weftd(mesh, mesh.config, arguments=mesh.arguments, name="again")).wait_ready()
    agent.wait_ready()
    assert agent.stop() == 0

with tap.case("a new root is acknowledged when Envoy trusts it, and no request is lost"), AgentMesh() as mesh:
    agent = mesh.agent("--ttl", "10s")
    agent.wait_ready()
    mesh_rig.wait_for("the listener", lambda: mesh_rig.is_open("127.0.0.1", mesh.port))
    before = agent.certificates()[2]
    done = subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "ca", "rotate-root", "--control-socket", os.path.join(mesh.state, "control.sock")],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    mesh_rig.wait_for("two roots in Envoy", lambda: mesh.answers(5) or len(agent.certificates()[2]) == 2)
    assert before < agent.certificates()[2]
    mesh_rig.wait_for("Envoy's acknowledgement at the control plane", lambda: "Envoy acknowledged ROOTCA" in agent.log())
    assert agent.ready()[0] == 200
    assert agent.stop() == 0

with tap.case("the agent ends with Envoy's status"), AgentMesh() as mesh:
    agent = mesh.agent(envoy_arguments=("--no-such-argument",))
    mesh_rig.wait_for("its end", lambda: not agent.is_running)
    assert agent.process.returncode == 1 and "Envoy ended by itself" in agent.log(), agent.log()

tap.done()

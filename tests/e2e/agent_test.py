#!/usr/bin/env python3
"""weft-agent between a real weftd and a real Envoy: the certificate and its renewals, the control plane away, the root replaced,
and the end."""
import json
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
from gateway_agent import NAME, AgentMesh  # noqa: E402

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

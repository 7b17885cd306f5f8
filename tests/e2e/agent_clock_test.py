#!/usr/bin/env python3
"""The wall clock of a proxy's machine is stepped by a day, ahead and back: alone, and together with the control plane's. Traffic goes on; what is wrong
is said; where the control plane can be believed there is another certificate at once; and nothing is asked for again and again."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import pki  # noqa: E402
import tap  # noqa: E402
import wall_clock  # noqa: E402
from gateway_agent import AgentMesh  # noqa: E402

DAY_S = wall_clock.DAY_S
WATCH_S = 3
RETRIES_MAX = 5  # in that time: pauses double from half a second
STEPS = {"ahead": (DAY_S, "the certificate expired"), "back": (-DAY_S, "was the clock set back?")}


def asked(agent):
    metrics = agent.metrics()
    return metrics["weft_agent_certificates_total"] + metrics["weft_agent_certificate_failures_total"]


def watch(mesh):
    """Traffic, for a while."""
    began = time.monotonic()
    mesh_rig.wait_for("the time to pass", lambda: mesh.answers(5) or time.monotonic() - began > WATCH_S, step_s=0.1)


class Machines(AgentMesh):
    """A clock for the control plane, and one for the agent and its Envoy; an authority and a token that are older than all steps."""

    def __init__(self, folder):
        self.clock, self.agent_clock, before = (wall_clock.Clock(folder, name) for name in ("control-plane", "proxy", "before"))
        root = pki.Pki(folder).make("root", begin_s=-10 * DAY_S)
        ca_dir = os.path.join(folder, "ca")
        pki.plug_in(ca_dir, pki.files(root, root))
        super().__init__("--ca-dir", ca_dir, roots=root.path, env=self.clock.env)
        before.step(-2 * DAY_S)
        self.write_token("--ttl", "7d", env=before.env)
        self.agent = self.agent(env=self.agent_clock.env)
        self.agent.wait_ready()
        mesh_rig.wait_for("the listener", lambda: mesh_rig.is_open("127.0.0.1", self.port))


with mesh_rig.Mesh() as shelf, Machines(shelf.folder) as mesh:
    agent = mesh.agent
    first = agent.certificates()[0]
    for way, (step, words) in STEPS.items():
        with tap.case(f"the proxy's clock alone, a day {way}: it is not ready and says why, traffic goes on, and it does not ask without end"):
            before = asked(agent)
            mesh.agent_clock.step(step)
            status, text = agent.wait_ready(False)
            assert status == 503 and words in text, text
            mesh_rig.wait_for("an attempt", lambda: asked(agent) > before)
            watch(mesh)
            assert asked(agent) - before <= RETRIES_MAX, asked(agent) - before
            log = agent.log()
            assert words in log and "this proxy is not ready; asking for another" in log
            assert f"this machine's clock was set {way} by" in log and "certificate verify failed" in log, log  # the control plane's
        with tap.case(f"the proxy's clock alone, a day {way}, and right again: it is ready with the certificate that it has"):
            mesh.agent_clock.step(0)
            agent.wait_ready()
            mesh.answers()
            assert agent.certificates()[0] == first and agent.metrics()["weft_agent_certificates_total"] == 1

    for way, (step, words) in STEPS.items():
        with tap.case(f"both clocks, a day {way}: the agent has another certificate at once, and one is enough"):
            before, held = agent.metrics()["weft_agent_certificates_total"], agent.certificates()[0]
            mesh.clock.step(step)
            mesh_rig.wait_for("weftd's own certificate", lambda: DAY_S * 9 / 10 < mesh.server.metrics()["weft_ca_serving_expiry_seconds"] <= DAY_S)
            mesh.agent_clock.step(step)
            mesh_rig.wait_for("another certificate", lambda: agent.metrics()["weft_agent_certificates_total"] > before)
            agent.wait_ready()
            mesh_rig.wait_for("Envoy to have it", lambda: agent.certificates()[0] != held)
            watch(mesh)
            assert agent.metrics()["weft_agent_certificates_total"] == before + 1, agent.metrics()
            mesh_rig.wait_for("the stream of roots", lambda: agent.metrics()["weft_agent_roots_stream_open"] == 1)
        with tap.case(f"both clocks, a day {way}, and right again: once more"):
            mesh.clock.step(0)
            mesh_rig.wait_for("weftd's own certificate", lambda: DAY_S * 9 / 10 < mesh.server.metrics()["weft_ca_serving_expiry_seconds"] <= DAY_S)
            mesh.agent_clock.step(0)
            mesh_rig.wait_for("another certificate", lambda: agent.metrics()["weft_agent_certificates_total"] > before + 1)
            agent.wait_ready()
            watch(mesh)
            assert agent.metrics()["weft_agent_certificates_total"] == before + 2, agent.metrics()
    with tap.case("no connection to Envoy is lost, and the agent ends in order"):
        assert agent.metrics()["weft_agent_sds_refusals_total"] == 0
        assert agent.stop() == 0, agent.log()[-3000:]
tap.done()

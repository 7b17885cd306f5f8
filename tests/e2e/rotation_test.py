#!/usr/bin/env python3
"""Certificates that live for 20 seconds, and roots that change, under traffic of every kind: nothing is lost. And without a certificate
authority: nothing for longer than half a life, no new connection past the whole of it.

WEFT_ROTATION_S: how long the first part takes (60; 300 is fifteen lives)."""
import contextlib
import datetime
import json
import os
import time

import tap

import mesh
import plugged
import pods

LIFE_S = 20
ROTATION_S = int(os.environ.get("WEFT_ROTATION_S", "60"))
LOADS = {"HTTP/1.1 kept alive": ("http1", 80), "HTTP/2": ("http2", 80), "gRPC": ("grpc", 81), "a long TCP stream": ("tcp", 9000)}
# The maximum is how long a former root stays trusted for certificates that nobody has seen replaced.
LIVES = ("--workload-cert-ttl", f"{LIFE_S}s", "--max-workload-cert-ttl", f"{LIFE_S}s")
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
"""


@contextlib.contextmanager
def traffic(client, what):
    """Every kind of load; what of it was lost is a test each."""
    with contextlib.ExitStack() as stack:
        loads = {name: stack.enter_context(client.load(protocol, f"hello:{port}", rate=100, connections=4)) for name, (protocol, port) in LOADS.items()}
        fresh = {f"{name}, each on a new connection": stack.enter_context(client.load(protocol, f"hello:{port}", rate=20, connections=2, fresh=True))
                 for name, (protocol, port) in LOADS.items()}
        for load in (*loads.values(), *fresh.values()):
            load.flow(20)
        yield {**loads, **fresh}
        for name, load in {**loads, **fresh}.items():
            with tap.case(f"{what}: {name}: nothing lost"):
                results = load.check(name)
                if name == "a long TCP stream":
                    assert results["dials"] == 4, f"a stream was broken off: {results}"


def serial(pod):
    certificate = pod.certificate()
    return certificate and certificate["serial_number"]


def left_s(pod):
    """Until the certificate that Envoy holds ends."""
    certificate = pod.certificate()
    end = certificate and datetime.datetime.fromisoformat(certificate["expiration_time"].replace("Z", "+00:00"))
    return end.timestamp() - time.time() if end else 0


def lives(cluster, client, server):
    """Several lives of a certificate."""
    seen, began = {client.name: set(), server.name: set()}, time.monotonic()
    with traffic(client, f"certificates of {LIFE_S} s, for {ROTATION_S} s") as loads:
        def is_over():
            for pod in client, server:
                seen[pod.name].add(serial(pod))
            for load in loads.values():
                load.so_far()
            return time.monotonic() - began > ROTATION_S
        mesh.wait_for("the time to pass", is_over, ROTATION_S + 60, step_s=1)
    with tap.case(f"certificates were renewed at half of their life: {ROTATION_S // (LIFE_S // 2) - 1} or more each"):
        assert all(len(serials) >= ROTATION_S // (LIFE_S // 2) - 1 and None not in serials for serials in seen.values()), seen


def new_root(cluster, client):
    """The root changes, from trusting both to signing with the new one to forgetting the old."""
    old = cluster.weft("ca", "show", "--control-socket", cluster.control)
    with traffic(client, "a new root"):
        with tap.case("a new root: asked for, trusted by every proxy, in use"):
            cluster.weft("ca", "rotate-root", "--control-socket", cluster.control, "--watch")
            assert cluster.weft("ca", "show", "--control-socket", cluster.control) != old


def plugged_root(cluster, client, second):
    """Another root is plugged in: it signs when all trust it, and the former is trusted until what it signed is over."""
    def ca():
        return json.loads(cluster.weft("ca", "show", "--output", "json", "--control-socket", cluster.control))
    with traffic(client, "a plugged-in root"):
        plugged.put(cluster.ca_dir, *second)
        with tap.case("a plugged-in root: trusted by every proxy, in use, the former forgotten, with no help"):
            mesh.wait_for("both to be trusted", lambda: len(ca()["roots"]) == 2)
            mesh.wait_for("it to sign", lambda: ca()["signer"]["sha256"] == plugged.fingerprint(second[0]), 60)
            assert len(ca()["roots"]) == 2
            mesh.wait_for("the end of the former", lambda: ca()["rotation"]["phase"] == "idle" and len(ca()["roots"]) == 1, 3 * LIFE_S, step_s=0.2)


def authority_away(cluster, client, server):
    """weftd is gone: what is there goes on, until the certificates end."""
    away_s = LIFE_S * 6 // 10
    with traffic(client, f"no authority for {away_s} s, more than half of a life"):
        mesh.wait_for("certificates to be new", lambda: min(left_s(client), left_s(server)) > away_s + 2, 3 * LIFE_S, step_s=0.2)
        gone = time.monotonic()
        cluster.daemon.kill()
        mesh.wait_for("the time to pass", lambda: time.monotonic() - gone > away_s, LIFE_S, step_s=0.1)
    with tap.case("past the whole life no new connection is made"):
        mesh.wait_for("the certificates' end", lambda: not client.ask("tcp", "hello:9000", n=4, fresh=True, timeout="3s")["answers"], 2 * LIFE_S)
        mesh.wait_for("readiness to fall", lambda: client.run("curl", "-sf", "--max-time", "5", "http://127.0.0.1:15021/healthz/ready")[0] != 0)
    with tap.case("and with the authority back all is well again, with no help"):
        cluster.weftd(*LIVES)
        mesh.wait_for("answers", lambda: client.ask("http1", "hello:80", n=20, fresh=True)["answers"].get("server") == 20, 60)
        mesh.wait_for("readiness", lambda: client.run("curl", "-sf", "--max-time", "5", "http://127.0.0.1:15021/healthz/ready")[0] == 0, 60)


if os.geteuid() != 0:
    tap.report(True, "rotation", " # SKIP pods are network namespaces: needs root")
    tap.done()
with pods.Cluster() as cluster:
    cluster.write("policy.yaml", STRICT)
    cluster.weftd(*LIVES)
    client, server = (cluster.pod(name) for name in ("client", "server"))
    cluster.service("hello", [server])
    cluster.wait_ready()
    mesh.wait_for("answers", lambda: client.ask("http1", "hello:80")["answers"])
    lives(cluster, client, server)
    new_root(cluster, client)
    authority_away(cluster, client, server)
with pods.Cluster() as cluster:
    cluster.write("policy.yaml", STRICT)
    cluster.ca_dir = os.path.join(cluster.folder, "ca")
    first, second = (plugged.make(cluster.folder, name) for name in ("first", "second"))
    plugged.put(cluster.ca_dir, *first)
    cluster.weftd(*LIVES)
    client, server = (cluster.pod(name) for name in ("client", "server"))
    cluster.service("hello", [server])
    cluster.wait_ready()
    mesh.wait_for("answers", lambda: client.ask("http1", "hello:80")["answers"])
    plugged_root(cluster, client, second)
tap.done()

#!/usr/bin/env python3
"""What weftd costs in front of a real API server: a cluster of some size, weftd started on it, one change of each kind, and then nothing.
Prints one Markdown table. See scripts/bench."""
import argparse
import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "e2e")]
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
from proc import cpu_s, exact_cpu_s, memory_mib  # noqa: E402

HEAD = ["services/endpoints/pods/routes", "ready", "CPU-s to ready", "RSS/peak MiB", "requests", "received", "status written in", "CPU-s for it",
        "Pod status change, CPU-ms", "VirtualService change, CPU-ms", "Service added, CPU-ms", "whole relist, CPU-s", "idle, CPU-s a minute"]
REPS = 20


def changes(mesh, weftd, change):
    """CPU-milliseconds for one change, from many."""
    pid, start = weftd.process.pid, exact_cpu_s(weftd.process.pid)
    for i in range(REPS):
        seen = weftd.metrics()
        change(i)
        mesh_rig.wait_for("the change", lambda: weftd.metrics()["weft_kube_received_bytes_total"] > seen["weft_kube_received_bytes_total"])
        time.sleep(0.15)  # it settles
    used = exact_cpu_s(pid) - start
    start = exact_cpu_s(pid)
    for i in range(REPS):
        weftd.metrics()
        weftd.metrics()
        time.sleep(0.15)
    return 1000 * (used - (exact_cpu_s(pid) - start)) / REPS


def measure(options):
    services, endpoints, pods, routes = options.size
    with mesh_rig.Mesh() as mesh:
        rig = mesh.own(kube.Rig(mesh.folder))
        rig.kubectl("apply", "-f", os.path.join(ROOT, "crds"))
        rig.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        rig.kubectl("create", "namespace", "istio-system")
        print("loading the API server", file=sys.stderr, flush=True)
        done = subprocess.run([kube.KUBE, "load", "--kubeconfig", os.path.join(rig.dir, "kubeconfig"), "--services", str(services), "--endpoints", str(endpoints),
                               "--pods", str(pods), "--routes", str(routes)], capture_output=True, text=True, check=True)
        print(done.stdout, file=sys.stderr)
        started = time.monotonic()
        weftd = mesh.own(mesh_rig.Weftd(mesh, None, arguments=["--kubeconfig", os.path.join(rig.dir, "kubeconfig"), "--log-level", "warn"]))
        weftd.wait_ready()
        ready_s, pid = time.monotonic() - started, weftd.process.pid
        row = [f"{services}/{endpoints}/{pods}/{routes}", f"{ready_s:.2f} s", f"{cpu_s(pid):.2f}"]
        at_ready = exact_cpu_s(pid)
        metrics = weftd.metrics()
        requests, received = metrics["weft_kube_requests_total"], metrics["weft_kube_received_bytes_total"]
        mesh_rig.wait_for("all conditions", lambda: weftd.metrics()["weft_kube_status_writes_total"] >= 2 * routes, timeout_s=300, step_s=0.5)
        written_s, written_cpu_s = time.monotonic() - started, exact_cpu_s(pid) - at_ready
        time.sleep(5)  # memory is given back
        row += [f"{memory_mib(pid, 'VmRSS')}/{memory_mib(pid, 'VmHWM')}", f"{requests:.0f}", f"{received / 1e6:.1f} MB", f"{written_s:.0f} s", f"{written_cpu_s:.2f}"]
        base = "/api/v1/namespaces/load"
        row.append(f"{changes(mesh, weftd, lambda i: rig.request('PATCH', f'{base}/pods/pod-{i}/status', {'status': {'message': 'm'}}, 'application/merge-patch+json')):.2f}")
        rules = "/apis/networking.istio.io/v1/namespaces/load/virtualservices"
        row.append(f"{changes(mesh, weftd, lambda i: rig.request('PATCH', f'{rules}/svc-{i}', {'spec': {'http': [{'route': [{'destination': {'host': f'svc-{i}'}}]}]}}, 'application/merge-patch+json')):.2f}")
        row.append(f"{changes(mesh, weftd, lambda i: rig.request('POST', f'{base}/services', {'metadata': {'name': f'new-{i}'}, 'spec': {'ports': [{'name': 'http', 'port': 80}]}})):.2f}")
        start, lists = exact_cpu_s(pid), json.loads(weftd.get("/debug/kube")[1])
        weftd.process.send_signal(1)
        before = sum(kind["lists"] for kind in lists["kinds"])
        mesh_rig.wait_for("lists", lambda: sum(kind["lists"] for kind in json.loads(weftd.get("/debug/kube")[1])["kinds"]) >= before + len(lists["kinds"]), step_s=0.1)
        time.sleep(0.5)
        row.append(f"{exact_cpu_s(pid) - start:.2f}")
        time.sleep(2)
        start = exact_cpu_s(pid)
        time.sleep(options.idle_s)
        row.append(f"{(exact_cpu_s(pid) - start) * 60 / options.idle_s:.3f}")
        return row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=4, default=[1000, 5000, 2000, 200], metavar=("SERVICES", "ENDPOINTS", "PODS", "ROUTES"))
    parser.add_argument("--idle-s", type=int, default=60)
    options = parser.parse_args()
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    print("| " + " | ".join(measure(options)) + " |")


if __name__ == "__main__":
    main()

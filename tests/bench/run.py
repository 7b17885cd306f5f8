#!/usr/bin/env python3
"""Runs the load generator against weftd for some sizes and prints one Markdown table. See scripts/bench."""
import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile

DEFAULT = ["100x100", "100x1000", "1000x200", "1000x1000", "1000x1000:sotw"]
HEAD = ["services x proxies", "ready", "connect wall", "CPU-s", "RSS/peak MiB", "bytes a proxy",
        "VirtualService p50/p99/max ms", "CPU-s", "bytes a proxy", "endpoint p50/p99/max ms", "CPU-s", "bytes a proxy",
        "new service p50/p99/max ms", "CPU-s", "bytes a proxy", "lost"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def size(b):
    return f"{b / 1e6:.2f} MB" if b >= 1e6 else f"{b / 1e3:.1f} KB"


def measure(options, name):
    shape, _, form = name.partition(":")
    services, proxies = (int(n) for n in shape.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        config, out = os.path.join(folder, "config"), os.path.join(folder, "out.json")
        xds, admin = free_port(), free_port()
        server = f"{options.weftd} --config {config} --xds-address 127.0.0.1:{xds} --admin-address 127.0.0.1:{admin} --log-level warn"
        command = [options.meshload, "-n", str(proxies), "-s", str(services), "-reps", str(options.reps), "-addr", f"127.0.0.1:{xds}",
                   "-dir", config, "-server", server, "-ready", f"http://127.0.0.1:{admin}/readyz", "-out", out,
                   "-log", os.path.join(folder, "weftd.log"), "-tag", name] + ([] if form == "sotw" else ["-delta"])
        done = subprocess.run(command, capture_output=True, text=True)
        if options.verbose:
            print(done.stdout, file=sys.stderr)
        if done.returncode or not os.path.exists(out):
            with open(os.path.join(folder, "weftd.log"), encoding="utf-8", errors="replace") as log:
                sys.exit(f"{name}: the load generator ended with {done.returncode}\n{done.stderr}\n{log.read()[-2000:]}")
        with open(out, encoding="utf-8") as file:
            phases = {phase["Name"]: phase for phase in json.load(file)["phases"]}
    connect, row = phases["connect"], [shape + (" state of the world" if form == "sotw" else "")]
    row += [f"{phases['start']['Wall']:.2f} s", f"{connect['Wall']:.2f} s", f"{connect['CPU']:.2f}", f"{connect['RSS']}/{connect['HWM']}",
            size(connect["Total"] / proxies)]
    lost = connect["Lost"]
    for change in ("chg-vs", "chg-ep", "chg-svc"):
        phase = phases[change]
        row += [f"{phase['P50']:.0f}/{phase['P99']:.0f}/{phase['Max']:.0f}", f"{phase['CPU'] / options.reps:.3f}",
                size(phase["Total"] / proxies / options.reps)]
        lost += phase["Lost"]
    return row + [str(lost)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=DEFAULT, metavar="SERVICESxPROXIES[:sotw]")
    parser.add_argument("--weftd", required=True)
    parser.add_argument("--meshload", required=True)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("-v", "--verbose", action="store_true", help="print what the load generator prints")
    options = parser.parse_args()
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    for name in options.sizes or DEFAULT:
        print("| " + " | ".join(measure(options, name)) + " |", flush=True)


if __name__ == "__main__":
    main()

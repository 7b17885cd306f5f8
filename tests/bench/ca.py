#!/usr/bin/env python3
"""What a certificate costs: CPU of ca/issue.h by itself, and of the whole of weftd when many are asked for over TLS with a token each, beside
the ECDSA that neither can do without, in one run. Prints one Markdown table. See scripts/bench."""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "e2e")]
import identity  # noqa: E402
import mesh as mesh_rig  # noqa: E402
from proc import exact_cpu_s, memory_mib  # noqa: E402

HEAD = ["what", "certificates", "CPU-us each", "bare ECDSA, CPU-us", "ratio", "p50/p99/max ms", "RSS/peak MiB"]


def openssl_us():
    """One signature and one verification, as `openssl speed` has them."""
    out = subprocess.run(["openssl", "speed", "-seconds", "1", "ecdsap256"], capture_output=True, text=True, check=True).stdout
    sign, verify = re.search(r"nistp256\)\s+\S+\s+\S+\s+([\d.]+)\s+([\d.]+)", out).groups()
    return 1e6 / float(sign) + 1e6 / float(verify)


def bare(seconds):
    done = subprocess.run([os.path.join(mesh_rig.BIN, "issue_loop"), str(seconds)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return ["ca/issue.h, one thread", found["n"], found["issue_us"], found["ecdsa_us"], found["ratio"], "", ""]


def through_the_service(n, parallel):
    with mesh_rig.Mesh() as mesh:
        authority = identity.Authority(mesh)
        pid = authority.weftd.process.pid
        authority.flood(n=100, parallel=10)  # warm
        before, started = openssl_us(), exact_cpu_s(pid)
        found = authority.flood(n=n, parallel=parallel)
        used = exact_cpu_s(pid) - started
        ecdsa = (before + openssl_us()) / 2
        issued = found["codes"].get("OK", 0)
        if issued != n:
            print(f"not all were issued: {found['codes']} {found['messages']}", file=sys.stderr)
        each = 1e6 * used / max(issued, 1)
        return [f"weftd, {parallel} at once, a token each", issued, round(each, 1), round(ecdsa, 1), round(each / ecdsa, 2),
                "/".join(f"{1000 * found[key]:.0f}" for key in ("p50_s", "p99_s", "max_s")),
                f"{memory_mib(pid, 'VmRSS')}/{memory_mib(pid, 'VmHWM')}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=10000, help="certificates through the service")
    parser.add_argument("--seconds", type=float, default=5, help="of the loop without network")
    options = parser.parse_args()
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    for row in (lambda: bare(options.seconds), lambda: through_the_service(options.n, 64), lambda: through_the_service(options.n, 2000)):
        print("| " + " | ".join(map(str, row())) + " |", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Each folder of examples/ as it stands: `weft validate` finds nothing, `weft translate` gives what a real Envoy loads."""
import glob
import json
import os
import subprocess

import tap
from golden import envoy_load

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEFT = os.path.join(os.environ.get("WEFT_BIN", os.path.join(ROOT, "build", "test", "bin")), "weft")
NODES = [("router~127.0.0.1~gw.istio-system~istio-system.svc.cluster.local", {"NAMESPACE": "istio-system", "LABELS": {"istio": "ingressgateway"}}),
         ("sidecar~127.0.0.1~app-1.default~default.svc.cluster.local", {"NAMESPACE": "default"})]

for name in sorted(os.listdir(os.path.join(ROOT, "examples"))):
    folder = os.path.join(ROOT, "examples", name)
    if not os.path.isdir(folder):
        continue
    with tap.case(f"{name}: weft validate finds nothing"):
        done = subprocess.run([WEFT, "validate", folder, "--output", "json"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout) == [], done.stdout
    with tap.case(f"{name}: it has a README"):
        assert os.path.exists(os.path.join(folder, "README.md"))
    has_gateway = any("kind: Gateway" in open(file, encoding="utf-8").read() for file in glob.glob(os.path.join(folder, "*.yaml")))
    for node, meta in NODES[not has_gateway:]:
        with tap.case(f"{name}: Envoy loads what {node.split('~')[0]} gets"):
            done = subprocess.run([WEFT, "translate", "--config", folder, "--node", node, "--meta", json.dumps(meta)], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            result = json.loads(done.stdout)
            assert result["report"] == [], result["report"]
            assert result["listeners"] and result["clusters"] and result["routes"]
            envoy_load.validate(result)
tap.done()

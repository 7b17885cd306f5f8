#!/usr/bin/env python3
"""Golden tests: cases/NAME.yaml is what a user would write; cases/NAME.json is what the proxies named in it get.

    tests/golden/run.py [NAME…]     compare, TAP
    tests/golden/run.py --update    rewrite all goldens, delete stale ones; read the diff: it is the change of behaviour

The head of a case says who asks, one line a proxy (and optionally the mesh settings by a ConfigMap `istio` among the documents):

    # node: sidecar~10.0.0.9~client-1.default~default.svc.cluster.local {"NAMESPACE": "default"}

Each case runs through `weft translate`, once more with its documents in another order (same bytes), and what comes out is loaded
into a real Envoy (--mode validate). A line `# why: …` says what the case is about.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

import tap
from golden import envoy_load

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases")
WEFT = os.path.join(os.environ.get("WEFT_BIN", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "test", "bin")), "weft")
NODE = re.compile(r"^# node: (\S+)(?: (\{.*\}))?$", re.M)


def documents(text):
    return [part for part in re.split(r"^---[ \t]*$\n?", text, flags=re.M) if part.strip()]


def translate(file, node, meta):
    command = [WEFT, "translate", "--config", file, "--node", node] + (["--meta", meta] if meta else [])
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def run_case(text):
    """The golden's text: {node: what it gets}. The file has one name wherever it lies, so reports are the same everywhere."""
    nodes = NODE.findall(text)
    assert nodes, "no '# node:' line"
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "config.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        results = {}
        for node, meta in nodes:
            result = json.loads(translate(file, node, meta))
            for row in result["report"]:
                row.pop("line", None)  # order of the documents is not the case's subject
                row["file"] = os.path.basename(row["file"]) if row.get("file") else None
            result["report"].sort(key=lambda row: json.dumps(row, sort_keys=True))
            results[node + (" " + meta if meta else "")] = result
    return json.dumps(results, indent=1, ensure_ascii=False) + "\n"


def shuffled(text, seed):
    parts = documents(text)
    heads = "\n".join(line for line in text.split("\n") if line.startswith("# node:"))
    random.Random(seed).shuffle(parts)
    return heads + "\n" + "\n---\n".join(parts)


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    is_update = "--update" in sys.argv
    names = sorted(name[:-5] for name in os.listdir(CASES) if name.endswith(".yaml"))
    for name in names:
        if arguments and name not in arguments:
            continue
        with open(os.path.join(CASES, name + ".yaml"), encoding="utf-8") as file:
            text = file.read()
        golden = os.path.join(CASES, name + ".json")
        got = None
        with tap.case(f"{name}: what the proxies get"):
            got = run_case(text)
            if is_update:
                with open(golden, "w", encoding="utf-8") as out:
                    out.write(got)
            with open(golden, encoding="utf-8") as file:
                want = file.read()
            if got != want:
                diff = subprocess.run(["diff", "-u", golden, "-"], input=got, capture_output=True, text=True).stdout
                raise AssertionError(diff[:6000] + "\nif this is meant: tests/golden/run.py --update")
        if got is None:
            continue
        with tap.case(f"{name}: the order of documents does not matter"):
            for seed in (1, 2):
                assert run_case(shuffled(text, seed)) == got, f"another order (seed {seed}) gave other bytes"
        for i, (node, result) in enumerate(json.loads(got).items()):
            with tap.case(f"{name}: Envoy loads it ({i})"):
                envoy_load.validate(result)
    if is_update:
        for file in os.listdir(CASES):
            if file.endswith(".json") and file[:-5] not in names:
                os.remove(os.path.join(CASES, file))
                print(f"# deleted stale {file}")
    tap.done()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""`weft translate` on the rows of Istio's goldens that lie within weft's features agrees with Istio by meaning.

One TAP row a golden; a row left for later is a SKIP with its reason. `-v NAME` prints the difference in full.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile

import tap
from cases import istio_goldens

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = os.path.join(ROOT, "..", "shared", "istio", "cases", "core_goldens.json")
WEFT = os.path.join(os.environ.get("WEFT_BIN", os.path.join(ROOT, "build", "test", "bin")), "weft")


def translate(row, folder):
    node, metadata = istio_goldens.node(row)
    file = os.path.join(folder, "config.yaml")
    with open(file, "w", encoding="utf-8") as out:
        out.write(istio_goldens.input_text(row))
    command = [WEFT, "translate", "--config", file, "--node", node, "--meta", json.dumps(metadata)]
    settings = istio_goldens.mesh_of(row)
    if settings:
        mesh = os.path.join(folder, "mesh.yaml")
        with open(mesh, "w", encoding="utf-8") as out:
            out.write(settings)
        command += ["--mesh", mesh]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def differences(want, got, path=""):
    """Lines that say where two values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(set(want) | set(got)):
            yield from differences(want.get(key), got.get(key), f"{path}.{key}")
    elif isinstance(want, list) and isinstance(got, list):
        named = all(isinstance(item, dict) and "name" in item for item in want + got)
        if named and len({item["name"] for item in want}) == len(want) and len({item["name"] for item in got}) == len(got):
            wants, gots = ({item["name"]: item for item in items} for items in (want, got))
            for key in [*wants, *(key for key in gots if key not in wants)]:
                yield from differences(wants.get(key), gots.get(key), f"{path}[{key}]")
        else:
            for i in range(max(len(want), len(got))):
                yield from differences(want[i] if i < len(want) else None, got[i] if i < len(got) else None, f"{path}[{i}]")
    elif want != got:
        yield f"{path}: Istio {json.dumps(want)[:300]}  weft {json.dumps(got)[:300]}"


def compare(row):
    with tempfile.TemporaryDirectory() as folder:
        result = translate(row, folder)
    want, got = ({item["name"]: istio_goldens.meaning(item, row) for item in items} for items in (row["resources"], result[row["kind"]]))
    lines = [line for name in sorted(set(want) | set(got)) for line in differences(want.get(name), got.get(name), name)]
    assert not lines, "\n".join(lines[:25 if "-v" not in sys.argv else None])


def main():
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not os.path.exists(CASES):
        tap.report(True, "Istio's goldens", " # SKIP the folder with Istio's cases (../shared/istio/cases) is not here")
        tap.done()
    with open(CASES, encoding="utf-8") as file:
        rows = [istio_goldens.with_host_names(row) for row in json.load(file)]
    later = collections.Counter()
    for row in rows:
        if names and not any(name in row["id"] for name in names):
            continue
        reason = istio_goldens.left_for_later(row)
        with tap.case(f"{row['id']} {row['kind']}"):
            if reason:
                later[reason] += 1
                raise tap.Skip(reason)
            compare(row)
    for reason, n in later.most_common():
        print(f"# {n} rows left for later: {reason}")
    tap.done()


if __name__ == "__main__":
    main()

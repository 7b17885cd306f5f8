#!/usr/bin/env python3
"""Real configurations (Istio's samples and the inputs of its tests) are read without an error and make what a real Envoy loads, as TAP.

One row a file for `weft validate`, one for each proxy that it is translated for: a sidecar in each namespace of the file, and the
gateway that the file's Gateways select. A file of which weft reads nothing yet is run all the same and then a SKIP; so is one
that is a template of Go and not YAML. Names as arguments select rows.
"""
import collections
import json
import os
import re
import subprocess
import sys

import tap
import yaml
from cases import istio_goldens_test
from golden import envoy_load

CASES = os.path.dirname(istio_goldens_test.CASES)
WEFT = istio_goldens_test.WEFT
# Reasons for which an error is no failure: the part is valid, Istio does it and weft does not yet.
ALLOWED = {"NotSupported"}


def run(*arguments):
    done = subprocess.run([WEFT, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1) and "Sanitizer" not in done.stderr, f"ended with {done.returncode}:\n{done.stderr[-4000:]}"
    return json.loads(done.stdout), done


def validate(file, notes):
    rows, done = run("validate", "--output", "json", file)
    notes.update(re.sub(r": left out$", "", row["message"]) for row in rows if row["reason"] in ALLOWED)
    errors = [row for row in rows if row["severity"] == "error" and row["reason"] not in ALLOWED]
    assert not errors, json.dumps(errors, indent=1)
    return int(re.search(r"(\d+) objects? accepted", done.stderr).group(1))


def proxies(objects):
    """(name, node, metadata) of those who ask."""
    namespaces = sorted({one["metadata"].get("namespace", "default") for one in objects})
    for namespace in namespaces:
        yield f"a sidecar in {namespace}", f"sidecar~10.0.0.9~app-1.{namespace}~{namespace}.svc.cluster.local", {"NAMESPACE": namespace, "LABELS": {"app": "app"}}
    labels = {"istio": "ingressgateway"}
    for one in objects:
        if one["kind"] == "Gateway":
            labels |= one["spec"].get("selector", {})
    yield "a gateway", "router~10.0.0.8~gw-1.istio-system~istio-system.svc.cluster.local", {"NAMESPACE": "istio-system", "LABELS": labels}


def translate(file, node, metadata):
    result, done = run("translate", "--config", file, "--node", node, "--meta", json.dumps(metadata))
    assert done.returncode == 0, done.stderr
    if not os.path.exists(envoy_load.ENVOY):
        raise tap.Skip(f"{envoy_load.ENVOY} is not here")
    envoy_load.validate(result)


def try_file(key, file, notes):
    with open(file, encoding="utf-8") as opened:
        text = opened.read()
    if "{{" in text:
        with tap.case(key):
            raise tap.Skip("a template of Go, not YAML")
        return
    objects = [one for one in yaml.safe_load_all(text) if one]
    n_read = None
    with tap.case(f"{key}: no errors"):
        n_read = validate(file, notes)
        refuse_vacuous(n_read, objects)
    for name, node, metadata in proxies(objects):
        with tap.case(f"{key}: {name} loads it"):
            translate(file, node, metadata)
            refuse_vacuous(n_read, objects)


def refuse_vacuous(n_read, objects):
    if n_read == 0:
        raise tap.Skip("weft reads nothing of it: " + ", ".join(sorted({one["kind"] for one in objects})))


def main():
    names = sys.argv[1:]
    if not os.path.exists(os.path.join(CASES, "index.json")):
        tap.report(True, "Istio's samples", " # SKIP the folder with Istio's cases (../shared/istio/cases) is not here")
        tap.done()
    with open(os.path.join(CASES, "index.json"), encoding="utf-8") as file:
        index = json.load(file)
    notes = collections.Counter()
    for row in index["samples"] + index["input-configs"]:
        if not names or any(name in row["key"] for name in names):
            try_file(row["key"], os.path.join(CASES, "files", row["input"]), notes)
    for note, n in notes.most_common():
        print(f"# {n} times: {note}")
    tap.done()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Calls of Istio's simulation tests (sim_cases.json) through what `weft translate` makes of their environments, as TAP: one row a call.

The outcome (listener, filter chain, route table, virtual host, route, cluster, or how the call fails) equals Istio's wherever Istio's
test says something. A call that needs what weft does not have yet is a SKIP with that feature; names as arguments select rows.
"""
import collections
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile

import tap
import yaml
from cases import envoy_matcher, istio_goldens, istio_goldens_test

CASES = os.path.join(os.path.dirname(istio_goldens_test.CASES), "sim_cases.json")
FIELDS = [field.name for field in dataclasses.fields(envoy_matcher.Outcome)]


def objects_of(environment):
    texts = environment["configs"] + [text for texts in environment["k8s"].values() for text in texts]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def left_for_later(environment, call):
    """The feature that the call needs and weft lacks, or None."""
    if environment["goServices"]:
        return "inputs that the row does not hold (services made in Go)"
    objects = objects_of(environment)
    for one in objects:
        if one["kind"] in istio_goldens.LATER_KINDS:
            return istio_goldens.LATER_KINDS[one["kind"]]
        if "internal.istio.io/gateway-service" in one["metadata"].get("annotations", {}):
            return "Gateway API (the annotation of its generated Gateways)"
    return None


def mode_of(environment, call):
    return call["mode"] or ("gateway" if environment["proxy"]["type"] == "router" else "outbound")


def compare(config, environment, case):
    call = {**case["call"], "mode": mode_of(environment, case["call"])}
    got, want = dataclasses.asdict(envoy_matcher.follow(config, call)), case["want"]
    if not environment["k8s"]:  # Istio's configuration store has no domain in tests
        got["cluster"] = got["cluster"].removesuffix(".svc.cluster.local")
    wrong = [f"{field}: want {want[field]!r}, got {got[field]!r}" for field in FIELDS
             if got[field] != want[field] and (want[field] or want["strict"] or field == "error")]
    assert not wrong, "\n".join(wrong + [f"call: {call}"])


def translate(environment):
    with tempfile.TemporaryDirectory() as folder:
        return istio_goldens_test.translate({**environment, "goServices": []}, folder)


def main():
    names = sys.argv[1:]
    if not os.path.exists(CASES):
        tap.report(True, "Istio's simulations", " # SKIP the folder with Istio's cases (../shared/istio/cases) is not here")
        tap.done()
    with open(CASES, encoding="utf-8") as file:
        environments = json.load(file)
    later = collections.Counter()
    for environment in environments:
        cases = [(f"{environment['id']} {i} {case['name'].removeprefix(environment['test']).lstrip('/')}".rstrip(), case)
                 for i, case in enumerate(environment["calls"], 1)]
        cases = [(name, case) for name, case in cases if not names or any(one in name for one in names)]
        config = None
        for name, case in cases:
            with tap.case(name):
                reason = left_for_later(environment, case["call"])
                if reason:
                    later[reason] += 1
                    raise tap.Skip(reason)
                config = config or translate(environment)
                compare(config, environment, case)
        if cases:
            with tap.case(f"{environment['id']}: the matcher itself, on what Istio made"):
                for _, case in cases:
                    compare(environment["istio"], environment, case)
    for reason, n in later.most_common():
        print(f"# {n} calls left for later: {reason}")
    tap.done()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Istio's verdicts on single objects against ours, as TAP: one test for each row of validation_cases.json.

    tests/cases/validation_test.py [BUILD/tests/cases/validate_objects]

A row agrees when both accept or both refuse, and when an accepted object has warnings in both or in neither; the texts
are our own. Rows of kinds that weft has no check for yet are skipped, and all are when the cases are not there.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build"))
PROGRAM = BUILD / "test" / "tests" / "cases" / "validate_objects"
CASES = ROOT.parent / "shared" / "istio" / "cases" / "validation_cases.json"

# Rows name the kind by Istio's function.
API_VERSIONS = {
    "EnvoyFilter": "networking.istio.io/v1alpha3",
    "ProxyConfig": "networking.istio.io/v1beta1",
    "AuthorizationPolicy": "security.istio.io/v1",
    "PeerAuthentication": "security.istio.io/v1",
    "RequestAuthentication": "security.istio.io/v1",
    "Telemetry": "telemetry.istio.io/v1",
    "WasmPlugin": "extensions.istio.io/v1alpha1",
    "TrafficExtension": "extensions.istio.io/v1alpha1",
}
# Rows whose object Istio's test builds in Go and that no document can say, by func and key. Of a list that is empty but there, Istio's decoder
# makes none, whether the document says [] or null, so that Istio accepts `to: []`; weft does, with a warning (check_security_test.c).
UNSAID = {
    "ValidateAuthorizationPolicy 9c165a82f449": "it has an empty list that is not nil, which no JSON or YAML decodes to",
}


def to_object(row):
    """The object that the row's spec belongs to; rows without a name or a namespace do not depend on them."""
    kind = row["func"].removeprefix("Validate")
    metadata = {"name": row["name"] or "some-name"}
    for key in ("namespace", "labels", "annotations"):
        if row[key]:
            metadata[key] = row[key]
    return {
        "apiVersion": API_VERSIONS.get(kind, "networking.istio.io/v1"),
        "kind": kind,
        "metadata": metadata,
        "spec": row["spec"],
    }


def judge(program, rows):
    lines = "".join(json.dumps(to_object(row)) + "\n" for row in rows)
    done = subprocess.run([program], input=lines, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    if len(verdicts) != len(rows):
        raise SystemExit(f"Bail out! {len(verdicts)} verdicts for {len(rows)} rows")
    return verdicts


def disagreement(row, verdict):
    """What differs, in words, or None."""
    if row["valid"] != verdict["valid"]:
        words = {True: "accepted", False: "refused"}
        return f"Istio: {words[row['valid']]} ({row['error']}), weft: {words[verdict['valid']]}"
    warns = any(issue["warning"] for issue in verdict["issues"])
    if row["valid"] and bool(row["warning"]) != warns:
        return f"Istio warns {row['warning']!r}, weft: {warns}"
    return None


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else PROGRAM
    print("TAP version 13")
    if not CASES.exists():
        print(f"1..1\nok 1 - Istio's verdicts # SKIP {CASES} is not here")
        return 0
    rows = json.loads(CASES.read_text())
    verdicts = judge(program, rows)
    print(f"1..{len(rows)}")
    failed = 0
    for number, (row, verdict) in enumerate(zip(rows, verdicts), 1):
        name = f"{row['func']} {row['key']}"
        skip = UNSAID.get(name, None if verdict["judged"] else "no check for this kind yet")
        if skip:
            print(f"ok {number} - {name} # SKIP {skip}")
            continue
        why = disagreement(row, verdict)
        failed += why is not None
        print(f"{'not ok' if why else 'ok'} {number} - {name}")
        if why:
            print(f"  # {why}")
            for issue in verdict["issues"]:
                print(f"  # {issue['path']}: {issue['message']}{' (warning)' if issue['warning'] else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

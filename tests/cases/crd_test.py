#!/usr/bin/env python3
"""Istio's verdicts on objects at the API server against those of our CustomResourceDefinitions at a real one, as TAP.

One row for each row of crd_cases.json (accepted, or refused with the text that it names), and one for each document of our kinds in the
files of Istio's samples and tests: they must be accepted. Names as arguments select rows. Skipped when the cases are not there.
"""
import copy
import json
import os
import pathlib
import sys
import tempfile

import tap
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT.parent / "shared" / "istio" / "cases"
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import kube  # noqa: E402

# Rows that no API server judges as the row says, with Istio's own definitions neither: the row was made by a validator of Istio's that
# has the object as Go has it. What the server says of the object as it stands, and of the object as it was meant.
NO_SERVER = {
    "serviceentry-valid.yaml#0:full": ("the IPv6 address was read as a map when the row was made: an object in a list of texts",
                                       'unknown field "spec.addresses[1]', "addresses"),
    "wasm-invalid.yaml#11:nil": ("an API server drops a null before it validates, so the spec is absent", "spec: Required value", None),
}


# Fields that Istio's API had once and some of its own files still write: pruned with a warning, by Istio's definitions too.
RETIRED = ("websocketUpgrade",)


def create(rig, document, validate="strict"):
    """(is accepted, what the server says)"""
    code, _, errors = rig.kubectl("create", "--dry-run=server", f"--validate={validate}", "-n", "default", "-f", "-",
                                  stdin=json.dumps(document), check=False)
    return code == 0, errors


def judge(rig, row):
    is_accepted, errors = create(rig, row["object"])
    if row["key"] in NO_SERVER:
        _, want, mended = NO_SERVER[row["key"]]
        assert not is_accepted and want in errors, f"want {want!r}, got {errors}"
        if mended:
            meant = copy.deepcopy(row["object"])
            meant["spec"][mended] = [value if isinstance(value, str) else "2001:db8::" for value in meant["spec"][mended]]
            is_accepted, errors = create(rig, meant)
            assert is_accepted, errors
    elif row["error"] is None:
        assert is_accepted, errors
    else:
        assert not is_accepted, f"accepted; Istio's says {row['error']!r}"
        assert row["error"] in errors, f"want {row['error']!r}, got {errors}"


def documents(groups):
    """(file, place, document) of each document of our groups below files/samples and files/tests."""
    for folder in ("samples", "tests"):
        for path in sorted((CASES / "files" / folder).rglob("*.yaml")):
            text = path.read_text()
            if "{{" in text:  # a template of Go
                continue
            for place, document in enumerate(one for one in yaml.safe_load_all(text) if one):
                if document.get("apiVersion", "").split("/")[0] in groups:
                    yield path.relative_to(CASES / "files"), place, document


def prepare(document):
    """As it can be at a server: in the namespace that is there, and without capitals in its name, which only Istio's own tests have."""
    document = json.loads(json.dumps(document, default=str))
    document["metadata"].pop("namespace", None)
    document["metadata"]["name"] = document["metadata"]["name"].lower()
    return document


def check_accepted(rig, document):
    is_accepted, errors = create(rig, document)
    if not is_accepted and any(f'.{name}"' in errors for name in RETIRED):
        is_accepted, errors = create(rig, document, "warn")
    assert is_accepted, errors


def main():
    names = sys.argv[1:]
    if not CASES.exists():
        tap.report(True, "Istio's verdicts at the API server", f" # SKIP {CASES} is not here")
        tap.done()
    if not os.access(kube.KUBE, os.X_OK):
        tap.report(True, "Istio's verdicts at the API server", f" # SKIP {kube.KUBE} is not here")
        tap.done()
    rows = [row for row in json.loads((CASES / "crd_cases.json").read_text()) if not names or any(name in row["key"] for name in names)]
    with tempfile.TemporaryDirectory() as folder:
        rig = kube.Rig(folder, "none")
        try:
            rig.kubectl("apply", "-f", str(ROOT / "crds"))
            rig.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
            for row in rows:
                with tap.case(f"{row['key']}: {row['error'] or 'accepted'}"):
                    judge(rig, row)
            crds = rig.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
            for path, place, document in documents({crd["spec"]["group"] for crd in crds}):
                label = f"{path}#{place}: {document['kind']} {document['metadata'].get('name')}"
                if not names or any(name in label for name in names):
                    with tap.case(label):
                        check_accepted(rig, prepare(document))
        finally:
            rig.stop()
    for key, (why, _, _) in NO_SERVER.items():
        print(f"# {key}: {why}")
    tap.done()


if __name__ == "__main__":
    main()

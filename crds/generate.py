#!/usr/bin/env python3
"""Writes the CustomResourceDefinitions: crds/GROUP_PLURAL.yaml, one for each row of kinds.c that has a `crd`.

    scripts/crds                                              builds what this needs and runs it
    generate.py --kinds PROGRAM [--out FOLDER]                PROGRAM prints the table of kinds.c as JSON (crds/main.c)

Schemas come from the messages of proto/ and the comments beside them (schema.py, rules.py), names and columns from kinds.c. What
lies in the folder and is generated no longer is removed. Same input, same bytes.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

import print_yaml
import rules
import schema

HERE = os.path.dirname(os.path.abspath(__file__))
PROTO = os.path.join(os.path.dirname(HERE), "proto")
STATUS = "istio.meta.v1alpha1.IstioStatus"
COMMAND = "scripts/crds"
HEADER = "# Generated from proto/{file} and crds/kinds.c by {command}: change those and run it.\n"
# Columns that every kind has beside its own: what weft says of the object, and its age.
STATE_COLUMNS = (
    ("Accepted", "string", '.status.conditions[?(@.type=="Accepted")].status', "Whether the object is accepted and in force."),
    ("Reason", "string", '.status.conditions[?(@.type=="Accepted")].reason', "Why it is accepted or not, in one word."),
    ("Age", "date", ".metadata.creationTimestamp", "Time since the object was created."),
)


def read_protos(folder=PROTO):
    """Descriptors of all .proto files, with their comments."""
    names = sorted(os.path.relpath(path, folder) for path in glob.glob(os.path.join(folder, "istio", "**", "*.proto"), recursive=True))
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "set")
        done = subprocess.run(["protoc", f"-I{folder}", "--include_imports", "--include_source_info", f"--descriptor_set_out={out}",
                               *names], capture_output=True, text=True)
        if done.returncode:
            raise rules.Mistake(f"protoc: {done.stderr.strip()}")
        files = descriptor_pb2.FileDescriptorSet()
        with open(out, "rb") as file:
            files.ParseFromString(file.read())
    return files.file


def read_kinds(program):
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _columns(kind):
    own = [(column["name"], "string", column["path"], column["help"]) for column in kind["columns"]]
    return [{"name": name, "type": type_, "jsonPath": path, "description": help_} for name, type_, path, help_ in
            (*own, *STATE_COLUMNS)]


def _object_schema(kind, messages):
    spec = messages.schema(kind["message"], is_spec=True)
    root = {"type": "object"}
    if "description" in spec:
        root["description"] = spec["description"]
    if messages.is_spec_required(kind["message"]):
        root["required"] = ["spec"]
    root["properties"] = {"spec": spec, "status": messages.schema(STATUS)}
    return root


def _version(kind, name, object_schema):
    return {
        "name": name,
        "served": True,
        "storage": name == kind["storageVersion"],
        "subresources": {"status": {}},
        "additionalPrinterColumns": _columns(kind),
        "schema": {"openAPIV3Schema": object_schema},
    }


def crd(kind, messages):
    """The CustomResourceDefinition of a row of kinds.c."""
    names = {"kind": kind["kind"], "listKind": kind["kind"] + "List", "plural": kind["plural"], "singular": kind["kind"].lower()}
    if kind["shortNames"]:
        names["shortNames"] = kind["shortNames"]
    names["categories"] = kind["categories"]
    object_schema = _object_schema(kind, messages)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind['plural']}.{kind['group']}", "labels": {"app.kubernetes.io/part-of": "weft"}},
        "spec": {
            "group": kind["group"],
            "names": names,
            "scope": "Cluster" if kind["isClusterScoped"] else "Namespaced",
            "versions": [_version(kind, name, object_schema) for name in kind["versions"]],
        },
    }


def generate(kinds, messages):
    """{file name: text}."""
    files = {}
    for kind in kinds:
        header = HEADER.format(file=messages.get(kind["message"]).file, command=COMMAND)
        files[f"{kind['group']}_{kind['plural']}.yaml"] = header + print_yaml.dump(crd(kind, messages))
    return files


def write(files, folder):
    for path in glob.glob(os.path.join(folder, "*.yaml")):
        if os.path.basename(path) not in files:
            os.remove(path)
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", required=True, metavar="PROGRAM", help="prints the table of kinds as JSON")
    parser.add_argument("--out", default=HERE, metavar="FOLDER", help="where the files go; default: beside this program")
    options = parser.parse_args()
    try:
        files = generate(read_kinds(options.kinds), schema.Messages(read_protos()))
    except rules.Mistake as mistake:
        print(f"generate.py: {mistake}", file=sys.stderr)
        return 1
    write(files, options.out)
    print(f"{len(files)} definitions in {os.path.relpath(options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

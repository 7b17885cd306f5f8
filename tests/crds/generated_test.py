#!/usr/bin/env python3
"""The CustomResourceDefinitions under crds/ are what proto/ and kinds.c say today; every field of them is described; they fit into
what `kubectl apply` can carry. No API server: tests/e2e/crds_test.py and tests/cases/crd_test.py ask one."""
import glob
import json
import os
import sys

import tap
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("WEFT_BUILD", os.path.join(ROOT, "build"))
FOLDER = os.path.join(ROOT, "crds")
sys.path.insert(0, FOLDER)
import generate  # noqa: E402
import print_yaml  # noqa: E402
import schema  # noqa: E402

# `kubectl apply` keeps the object as JSON in an annotation, and annotations have 256 KiB in all.
JSON_BYTES_MAX = 250 * 1024


def load_kinds():
    return generate.read_kinds(os.path.join(BUILD, "test", "bin", "print_kinds"))


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


kinds = load_kinds()
messages = schema.Messages(generate.read_protos())
wanted = generate.generate(kinds, messages)
present = {os.path.basename(path) for path in glob.glob(os.path.join(FOLDER, "*.yaml"))}

with tap.case("the folder has a definition for each kind, and no other"):
    assert len(wanted) == len(kinds) > 10
    assert present == set(wanted), f"run scripts/crds: missing {sorted(set(wanted) - present)}, stale {sorted(present - set(wanted))}"

for name in sorted(set(wanted) & present):
    with tap.case(f"{name} is what its sources say"):
        assert read(name) == wanted[name], f"run scripts/crds: crds/{name} is not what proto/ and kinds.c say"

for kind in kinds:
    name = f"{kind['group']}_{kind['plural']}.yaml"
    with tap.case(f"{name} reads back as what was printed, and fits into an annotation"):
        value = generate.crd(kind, messages)
        assert yaml.load(wanted[name], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) == value
        size = len(json.dumps(value, separators=(",", ":")).encode())
        assert size <= JSON_BYTES_MAX, f"{size} bytes of JSON, at most {JSON_BYTES_MAX}: shorten descriptions"

with tap.case("odd values read back as what was printed"):
    TEXTS = ["", " ", "yes", "No", "null", "~", "1", "-1.5", "0x1f", "1e3", "a: b", "a #b", "#a", "- a", "a\nb", "a\n", "\na", "a \nb",
             "a\tb", "'", "\"",
             "\\", "{}", "[a]", "*", "&a", "!a", "%a", "@a", "a,b", "é", "\u2028", "2026-01-01", "=", "<<", ".5",
             "x" * 500, "a  b " * 60, "ab " * 80 + "c",
             "- a b " * 40 + "c", "# a b " * 40 + "c", "a:\n- b: c\n- d", "...", "---", "1_000", "12:30:45"]
    value = {"texts": TEXTS, "empty": {}, "none": [], "numbers": [0, -1, 1.5, 4294967295], "flags": [True, False],
             "lists": [[1, [2, {"a": [3]}]], {"a": {"b": []}}], "keys": {text: 1 for text in TEXTS}, "deep": {"a": [{"b": [{"c": TEXTS}]}]}}
    assert yaml.safe_load(print_yaml.dump(value)) == value

described = {}
for kind in kinds:
    messages.described(kind["message"], described)
messages.described(generate.STATUS, described)
for file, parts in sorted(described.items()):
    fields = {f"{name}.{field}": has for name, part in parts.items() for field, has in part.items()}
    with tap.case(f"proto/{file}: every field is described"):
        bare = sorted(name for name, has in fields.items() if not has)
        assert not bare, f"{len(bare)} of {len(fields)} fields have no comment: {', '.join(bare)}"


def properties(node, path):
    for name, inner in node.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from properties(inner, f"{path}.{name}")
    for member in ("items", "additionalProperties"):
        if isinstance(node.get(member), dict):
            yield from properties(node[member], path + "[]")


for kind in kinds:
    found = [pair for version in generate.crd(kind, messages)["spec"]["versions"]
             for pair in properties(version["schema"]["openAPIV3Schema"], f"{kind['kind']} {version['name']}")]
    bare = [path for path, inner in found if not inner.get("description")]
    share = 100 * (len(found) - len(bare)) // len(found)
    print(f"# {kind['kind']}: {len(found) - len(bare)} of {len(found)} properties described ({share}%)")
    with tap.case(f"{kind['kind']}: every property of the schema is described"):
        assert not bare, "\n".join(bare)

tap.done()

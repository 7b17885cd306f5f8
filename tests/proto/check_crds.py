#!/usr/bin/env python3
"""Our CustomResourceDefinitions against those that Istio serves: what Istio's API server accepts, ours must not refuse. Speaks TAP.

    check_crds.py [--venv FOLDER]      the virtual environment with PyYAML; else $WEFT_VENV; else this Python

Read from the Go module istio.io/api (go.mod): kubernetes/customresourcedefinitions.gen.yaml. Compared for each kind and version:
names, storage, and at every place of the schema the fields, types, enums, bounds, required fields and lists. Expressions (CEL) are
not compared, for equal ones can be written in many ways: tests/cases/crd_test.py asks an API server about them. One row a kind,
and one a kind of seeded mistake: each must be found.
"""
import argparse
import copy
import glob
import os
import re
import sys

from check_subset import ROOT, Rows, use_venv

UPSTREAM = os.path.join("kubernetes", "customresourcedefinitions.gen.yaml")
OURS = os.path.join(ROOT, "crds")

# Where ours refuses more, with the reason: (kind, path as a regular expression, member of the schema).
STRICTER = (
    (r".*", r"status\.conditions", "x-kubernetes-list-type", "one condition a type, so that server-side apply can merge them"),
    (r".*", r"status\.conditions", "x-kubernetes-list-map-keys", "as above"),
    (r".*", r"status\.conditions\[\]", "required type", "a map's key"),
    (r".*", r"status\.conditions\[\]", "required status", "a condition without it says nothing"),
    (r".*", r"status\.conditions\[\]\.type", "minLength", "a map's key"),
    (r".*", r"status\.conditions\[\]\.type", "maxLength", "a map's key; as Kubernetes has it"),
)

SAME = ("type", "format", "x-kubernetes-int-or-string", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "oneOf", "anyOf", "allOf")
LEAST = ("minimum", "minLength", "minItems", "minProperties")
MOST = ("maximum", "maxLength", "maxItems", "maxProperties")


def load(text):
    import yaml
    documents = yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {document["metadata"]["name"]: document for document in documents if document}


def read(path):
    with open(path, encoding="utf-8") as file:
        return load(file.read())


def _is_choice_of_one(groups):
    """Upstream's oneOf for a field that stands alone in its oneof: forbids nothing."""
    return len(groups or []) == 2 and "not" in groups[0]


def _members(path, theirs, ours):
    """(path, member, what) for each way in which ours differs to a user's harm at one place."""
    for member in SAME:
        if theirs.get(member) != ours.get(member) and not (member == "oneOf" and _is_choice_of_one(theirs.get(member))):
            yield path, member, f"upstream {theirs.get(member)}, ours {ours.get(member)}"
    for member in LEAST:
        if ours.get(member, 0) > theirs.get(member, 0) or (member in ours and member not in theirs and member == "minimum"):
            yield path, member, f"upstream {theirs.get(member)}, ours {ours[member]}"
    for member in MOST:
        if member in ours and (member not in theirs or ours[member] < theirs[member]):
            yield path, member, f"upstream {theirs.get(member)}, ours {ours[member]}"
    if "pattern" in ours and ours["pattern"] != theirs.get("pattern"):
        yield path, "pattern", f"upstream {theirs.get('pattern')}, ours {ours['pattern']}"
    for member in ("nullable", "x-kubernetes-preserve-unknown-fields"):
        if theirs.get(member) and not ours.get(member):
            yield path, member, "upstream has it"
    if "enum" in ours:
        lost = [value for value in theirs.get("enum", ["anything"]) if value not in ours["enum"]]
        if lost:
            yield path, "enum", f"ours has not {', '.join(lost)}"
    for name in sorted(set(ours.get("required", ())) - set(theirs.get("required", ()))):
        yield path, f"required {name}", "upstream has it not"


def compare(path, theirs, ours):
    yield from _members(path, theirs, ours)
    mine = ours.get("properties", {})
    for name, inner in theirs.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        if name in mine:
            yield from compare(at, inner, mine[name])
        elif not ours.get("x-kubernetes-preserve-unknown-fields"):
            yield at, "properties", "ours has no such field"
    for member, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(theirs.get(member), dict):
            if isinstance(ours.get(member), dict):
                yield from compare(path + suffix, theirs[member], ours[member])
            else:
                yield path, member, "ours has none"


def _is_excused(kind, path, member):
    return any(re.fullmatch(k, kind) and re.fullmatch(p, path) and member == m for k, p, m, _ in STRICTER)


def check(theirs, ours):
    """What is wrong with our definition of a kind, as texts."""
    kind, wrong = theirs["spec"]["names"]["kind"], []
    for member in ("group", "scope"):
        if theirs["spec"][member] != ours["spec"][member]:
            wrong.append(f"{member}: upstream {theirs['spec'][member]}, ours {ours['spec'][member]}")
    for member, value in theirs["spec"]["names"].items():
        if value != ours["spec"]["names"].get(member):
            wrong.append(f"{member}: upstream {value}, ours {ours['spec']['names'].get(member)}")
    versions = {version["name"]: version for version in ours["spec"]["versions"]}
    for version in theirs["spec"]["versions"]:
        mine = versions.get(version["name"])
        if mine is None:
            wrong.append(f"no version {version['name']}")
            continue
        for member in ("served", "storage", "subresources"):
            if version.get(member) != mine.get(member):
                wrong.append(f"{version['name']}: {member}: upstream {version.get(member)}, ours {mine.get(member)}")
        columns = {column["name"]: column["jsonPath"] for column in mine.get("additionalPrinterColumns", ())}
        wrong += [f"{version['name']}: no column {column['name']} of {column['jsonPath']}" for column in
                  version.get("additionalPrinterColumns", ()) if columns.get(column["name"]) != column["jsonPath"]]
        found = compare("", version["schema"]["openAPIV3Schema"], mine["schema"]["openAPIV3Schema"])
        wrong += [f"{version['name']}: {path}: {member}: {what}" for path, member, what in found if not _is_excused(kind, path, member)]
    return wrong


# ---- self-test: one mistake at a time in upstream's own definition ----

def _places(node):
    yield node
    for inner in node.get("properties", {}).values():
        yield from _places(inner)
    for member in ("items", "additionalProperties"):
        if isinstance(node.get(member), dict):
            yield from _places(node[member])


def lost_field(node):
    if node.get("properties"):
        node["properties"].pop(sorted(node["properties"])[0])
        return not node.get("x-kubernetes-preserve-unknown-fields")
    return False


def other_type(node):
    if "type" in node:
        node["type"] = "boolean" if node["type"] != "boolean" else "string"
    return "type" in node


def lost_enum_value(node):
    return bool(node.get("enum")) and bool(node["enum"].pop())


def more_required(node):
    names = sorted(set(node.get("properties", ())) - set(node.get("required", ())) - {"type", "status"})
    if names:
        node["required"] = node.get("required", []) + names[:1]
    return bool(names)


def narrower(node):
    if node.get("type") == "integer":
        node["maximum"] = node.get("maximum", 1 << 31) - 1
    elif node.get("type") == "array":
        node["maxItems"] = node.get("maxItems", 1 << 20) - 1
    else:
        return False
    return True


def lost_unknown_fields(node):
    return bool(node.pop("x-kubernetes-preserve-unknown-fields", False))


SEEDS = (lost_field, other_type, lost_enum_value, more_required, narrower, lost_unknown_fields)


def seeded(seed, upstream):
    """The mistakes of one kind that were not found, and how many were seeded (one a kind and place, spread over the places)."""
    missed, n = [], 0
    for definition in upstream.values():
        total = sum(1 for _ in _places(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))
        for place in range(0, total, max(1, total // 12)):
            mistaken = copy.deepcopy(definition)
            node = list(_places(mistaken["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))[place]
            if seed(node):
                n += 1
                if not check(definition, mistaken):
                    missed.append(f"{definition['metadata']['name']}: place {place}")
    return missed, n


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", default=os.environ.get("WEFT_VENV", ""), help="where PyYAML is installed")
    use_venv(parser.parse_args().venv, __file__)
    rows = Rows()
    try:
        import upstream
        theirs = read(os.path.join(upstream.modules()["istio.io/api"], UPSTREAM))
    except (ImportError, upstream.Missing, OSError) as error:
        rows.add("Istio's definitions are at hand", str(error).split("\n"))
        return rows.done()
    rows.add("Istio's definitions are at hand", [])
    ours = {}
    for path in sorted(glob.glob(os.path.join(OURS, "*.yaml"))):
        ours.update(read(path))
    for name, definition in sorted(theirs.items()):
        rows.add(f"{name} accepts what Istio's accepts", check(definition, ours[name]) if name in ours else ["we have none"])
    for seed in SEEDS:
        missed, n = seeded(seed, theirs)
        rows.add(f"self-test: {seed.__name__.replace('_', ' ')}, {n} seeded", missed if n else ["nothing was seeded"])
    return rows.done()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The rules of the tree that a program can check: every header compiles alone, includes point downwards, files stay small,
basenames are unique, folders explain themselves, formatting is clang-format's."""
import collections
import concurrent.futures
import os
import re
import subprocess

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("WEFT_BUILD", os.path.join(ROOT, "build"))
LINES_MAX = 600
LAYERS = ["base", "proto", "ca", "token", "rpc", "crds", "translator", "server", "agent", "cli"]  # may include what stands left of it, and itself
FOLDERS = LAYERS + ["translator/istio", "translator/envoy", "server/source", "server/source/kube", "server/xds", "server/identity", "tests", "tests/unit",
                    "tests/golden", "tests/e2e", "tests/fuzz", "tests/kube", "tests/proto", "tests/crds", "tests/cases", "tests/bench",
                    "examples", "scripts", "docs", "deploy"]


def tracked(*patterns):
    output = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout
    return [name for name in output.split("\n") if name and os.path.exists(os.path.join(ROOT, name))]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


sources = tracked("*.c", "*.h", "*.cc")
headers = [name for name in sources if name.endswith(".h")]

with tap.case("every header compiles alone"):
    def compiles(header):
        command = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", '-DWEFT_VERSION="0"', "-Wall", "-Wextra", "-Werror", f"-I{ROOT}",
                   f"-I{BUILD}/test/proto/generated", "-fsyntax-only", "-x", "c", os.path.join(ROOT, header)]
        # "#pragma once in main file" is what compiling a header alone means
        done = subprocess.run(command + ["-w"], capture_output=True, text=True)
        return f"{header}:\n{done.stderr}" if done.returncode else None
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        errors = [error for error in pool.map(compiles, headers) if error]
    assert not errors, "\n".join(errors)

with tap.case("every header says what it is"):
    bare = [name for name in headers if not re.match(r"#pragma once\n/\*\n \* ", read(name))]
    assert not bare, f"no top comment: {bare}"

with tap.case("includes point downwards"):
    upward = []
    for name in sources:
        layer = name.split("/")[0]
        if layer not in LAYERS:
            continue
        for include in re.findall(r'^#include "([a-z]+)/', read(name), re.M):
            if include in LAYERS and LAYERS.index(include) > LAYERS.index(layer):
                upward.append(f"{name} includes {include}/")
        if layer == "ca":
            upward += [f"{name} includes {i}" for i in re.findall(r'^#include "((?!base/|ca/)[^"]+)"', read(name), re.M)]
        if layer == "token":
            upward += [f"{name} includes {i}" for i in re.findall(r'^#include "((?!base/|ca/|token/)[^"]+)"', read(name), re.M)]
        if layer == "cli":
            upward += [f"{name} includes {i}" for i in re.findall(r'^#include "(server/(?!source/)\S+)"', read(name), re.M)]
    assert not upward, "\n".join(upward)

with tap.case("the model knows no dialect, dialects no proxy, back ends no dialect"):
    crossed = []
    for name in tracked("translator/*.h", "translator/*.c"):
        text = read(name)
        inside = name.split("/")[1]
        if inside == "istio" and re.search(r'#include "(proto/envoy|translator/envoy)', text):
            crossed.append(f"{name} includes the Envoy side")
        if inside == "envoy" and re.search(r'#include "(proto/istio|proto/kubernetes|translator/istio)', text):
            crossed.append(f"{name} includes the dialect's side")
        if inside not in ("istio", "envoy") and name.endswith(".h") and re.search(r'#include "proto/(envoy|istio)', text):
            crossed.append(f"{name} includes a dialect's or a proxy's protos")
    assert not crossed, "\n".join(crossed)

with tap.case(f"no source file is longer than {LINES_MAX} lines"):
    long = [f"{name}: {n}" for name in sources + tracked("*.py", "*.go") if (n := read(name).count("\n")) > LINES_MAX]
    assert not long, "\n".join(long)

with tap.case("basenames are unique"):
    names = collections.defaultdict(list)
    for name in sources:
        names[os.path.basename(name)].append(name)
    twice = [where for base, where in names.items() if len(where) > 1 and base != "main.c"]
    assert not twice, twice

with tap.case("every folder has a README"):
    missing = [folder for folder in FOLDERS if os.path.isdir(os.path.join(ROOT, folder)) and
               not os.path.exists(os.path.join(ROOT, folder, "README.md"))]
    assert not missing, missing

with tap.case("nothing is left for later in the code"):
    left = []
    for name in sources + tracked("*.py", "*.go", "*.sh", "scripts/*"):
        if name == "tests/house.py":
            continue
        left += [f"{name}:{i}" for i, line in enumerate(read(name).split("\n"), 1) if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)]
    assert not left, left

with tap.case("formatting is clang-format's"):
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *[name for name in sources]], cwd=ROOT, capture_output=True, text=True)
    files = sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error: code should be clang-formatted", done.stderr, re.M)))
    assert done.returncode == 0, f"clang-format -i {' '.join(files)}"

tap.done()

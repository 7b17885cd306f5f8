#!/usr/bin/env python3
"""Static analysis: clang-tidy by .clang-tidy, and gcc's -fanalyzer. One row a file.

A file that was found clean is not looked at again until it, a header of ours that it includes, or the rules change: digests
of what was clean are kept in $WEFT_CACHE/lint (~/.cache/weft/lint). `tests/lint.py FILE...` looks at those only.
"""
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("WEFT_BUILD", os.path.join(ROOT, "build"))
CACHE = os.path.join(os.environ.get("WEFT_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "weft"), "lint")
JOBS = 2

# Where gcc 12's analyzer is wrong, and rewriting would only please it: (file or folder, what is not asked for, why).
GCC_WRONG = [
    ("tests/", ["null-dereference", "possible-null-dereference", "null-argument", "possible-null-argument"],
     "what is not there when a test looks for it ends the test, which is a failure with a name"),
    ("server/options.c", ["null-argument", "null-dereference"],
     "default_value, a constant, is read twice: it takes the two for different"),
    ("server/source/file.c", ["malloc-leak"], "forgets what is stored through a parameter (root_init)"),
    ("server/source/file_watch.c", ["malloc-leak"], "forgets what is stored in an array of the source (touch_path)"),
    ("server/source/store.c", ["malloc-leak"], "does not know that tsearch() keeps its key (add_claim)"),
    ("translator/istio/service_endpoints.c", ["null-dereference"], "a service's ports are those of its spec (spec_port)"),
    ("translator/print.c", ["null-dereference"], "loses that a set that is absent counts 0 (print_sets)"),
]


def compile_flags():
    """-D, -I, -isystem and -std, which all files share: headers are found, sanitizers and warnings are left out."""
    with open(os.path.join(BUILD, "test", "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    words = next(shlex.split(c["command"]) for c in commands if c["file"].startswith(os.path.join(ROOT, "server", "")))
    flags = [w for w in words if w.startswith(("-D", "-I", "-std="))]
    return flags + [f for a, b in zip(words, words[1:]) if a == "-isystem" for f in (a, b)]


FLAGS = compile_flags()


def sources():
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.c"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.split("\n")
    return sorted(name for name in names if name and os.path.exists(os.path.join(ROOT, name)))


def tidy_command(_):
    return ["clang-tidy", "--quiet"]


def gcc_command(source):
    off = [f"-Wno-analyzer-{check}" for where, checks, _ in GCC_WRONG if source.startswith(where) for check in checks]
    return ["gcc", "-O1", "-fanalyzer", "-Werror", *off, "-c", "-o", os.devnull]


TOOLS = [(tidy_command, ["--"]), (gcc_command, [])]


def version(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


def read(name):
    with open(os.path.join(ROOT, name), "rb") as file:
        return file.read()


RULES = b"\0".join([read(".clang-tidy"), version("clang-tidy").encode(), version("gcc").encode()])


def digest(source, commands):
    """Of the commands, the file and every header of ours (generated ones too) that it includes; None when one is missing."""
    done = subprocess.run(["gcc", "-M", "-MT", "x", *FLAGS, source], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return None
    total = hashlib.sha256(RULES + repr(commands).encode())
    for name in sorted(done.stdout.replace("\\\n", " ").split()[1:]):
        if not name.startswith("/") or name.startswith((ROOT, BUILD)):
            total.update(hashlib.sha256(read(name)).digest())
    return total.hexdigest()


def look(source):
    """What the tools say; "" when they are content."""
    commands = [[*make(source), source, *middle, *FLAGS] for make, middle in TOOLS]
    key = digest(source, commands)
    if key and os.path.exists(os.path.join(CACHE, key)):
        return ""
    findings = ""
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            findings += f"{command[0]} ended with {done.returncode}:\n{done.stdout or done.stderr}"
    if key and not findings:
        with open(os.path.join(CACHE, key), "w", encoding="utf-8"):
            pass
    return findings


def main():
    os.makedirs(CACHE, exist_ok=True)
    names = [os.path.relpath(os.path.abspath(name), ROOT) for name in sys.argv[1:]] or sources()
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for source, findings in zip(names, pool.map(look, names)):
            with tap.case(source):
                assert not findings, findings
    tap.done()


main()

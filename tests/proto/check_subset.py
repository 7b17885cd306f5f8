#!/usr/bin/env python3
"""Checks proto/*.proto against upstream's definitions, and the alias headers against proto/*.proto. Speaks TAP.

    check_subset.py [--venv FOLDER]      the virtual environment with xds-protos; else $WEFT_VENV; else this Python

One row a .proto file, one a header, and one a kind of mistake: seeds.py puts each mistake into each place, and every one
must be found. README.md says where upstream's definitions come from.
"""
import argparse
import glob
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTO = os.path.join(ROOT, "proto")
SHOWN_MAX = 40  # problems of one row


class Rows:
    def __init__(self):
        self.n = 0
        self.failed = 0

    def add(self, name, problems):
        self.n += 1
        self.failed += bool(problems)
        for problem in problems[:SHOWN_MAX]:
            print(f"# {problem}")
        if len(problems) > SHOWN_MAX:
            print(f"# and {len(problems) - SHOWN_MAX} more")
        print(f"{'not ok' if problems else 'ok'} {self.n} - {name}", flush=True)

    def done(self):
        print(f"1..{self.n}", flush=True)
        return 1 if self.failed else 0


def use_venv(venv, program):
    """Goes on in the environment's Python, when this is another."""
    python = os.path.join(venv, "bin", "python3")
    if not venv or os.path.realpath(sys.prefix) == os.path.realpath(venv):
        return
    if os.access(python, os.X_OK):
        os.execv(python, [python, os.path.abspath(program), "--venv", venv])


def seeded(seed, files, upstream, subset):
    """The mistakes of one kind that were not found, and how many were seeded."""
    missed, n = [], 0
    for file in files:
        for mistaken in seed(file):
            n += 1
            if not subset.check_file(mistaken, upstream):
                missed.append(f"not found in {file.name}: {str(mistaken)[:200]!r}")
    return missed, n


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", default=os.environ.get("WEFT_VENV", ""), help="where xds-protos is installed")
    use_venv(parser.parse_args().venv, __file__)
    rows = Rows()
    try:
        import aliases
        import seeds
        import subset
        import upstream
    except ImportError as error:
        rows.add("upstream's definitions are at hand", [f"{error}; install xds-protos, and see --venv"])
        return rows.done()
    names = sorted(os.path.relpath(path, PROTO) for path in glob.glob(os.path.join(PROTO, "**", "*.proto"), recursive=True))
    try:
        ours = upstream.compile_protos([PROTO], names)
        theirs = upstream.load({file.package for file in ours})
    except upstream.Missing as error:
        rows.add("upstream's definitions are at hand", str(error).split("\n"))
        return rows.done()
    rows.add("upstream's definitions are at hand", [])
    for file in ours:
        rows.add(file.name, subset.check_file(file, theirs))
    for header, problems in aliases.check(PROTO, ours).items():
        rows.add(f"proto/{header} names every message", problems)
    for seed in seeds.SEEDS:
        missed, n = seeded(seed, ours, theirs, subset)
        name = seed.__name__.replace("_", " ")
        rows.add(f"self-test: {name}, {n} seeded", missed if n else ["nothing was seeded"])
    return rows.done()


if __name__ == "__main__":
    sys.exit(main())

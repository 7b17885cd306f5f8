#!/usr/bin/env python3
"""Runs test programs and counts what they say.

Every test program speaks TAP ("ok 1 - name", "not ok 2 - name", "ok 3 - name # SKIP reason"), whatever it is written in.
A program that fails without saying which test failed, says nothing, or takes too long is itself a failed test.
A suite is one row of SUITES below. The last line printed is "N passed, N failed".
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import glob
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("WEFT_BUILD", os.path.join(ROOT, "build"))
PYTHON = os.path.join(BUILD, "venv-test", "bin", "python3")


@dataclasses.dataclass
class Suite:
    name: str
    what: str
    programs: object  # () -> [(name, argv)]
    parallel: int = 1
    timeout_s: int = 600


def path(*parts):
    return os.path.join(ROOT, *parts)


def executables(configuration, only=None):
    def found():
        for program in sorted(glob.glob(os.path.join(BUILD, configuration, "tests", "unit", "*_test"))):
            name = os.path.basename(program)
            if only is None or name in only:
                yield name, [program]
    return found


def scripts(*pattern):
    def found():
        for script in sorted(glob.glob(path("tests", *pattern))):
            yield os.path.relpath(script, path("tests"))[:-3], [PYTHON, script]
    return found


def goldens():
    yield from scripts("golden", "run.py")()
    yield from scripts("golden", "*_test.py")()


# What shares state between threads runs once more under ThreadSanitizer.
THREADED = {"slot_test", "wake_test", "xds_server_test", "grpc_transport_test", "grpc_client_test", "xds_tls_test", "pipeline_test", "admin_test", "http_test", "resource_test", "generation_test",
            "kube_feed_test", "kube_http_test", "jwks_keeper_test", "pipeline_keys_test", "issue_test", "cert_service_test", "signing_test", "door_test"}


def threaded():
    yield from executables("tsan", THREADED)()
    for name in "canary_test", "hostile_client_test", "kube_test":
        yield f"e2e/{name}", ["env", "WEFT_BIN=" + os.path.join(BUILD, "tsan", "bin"), PYTHON, path("tests", "e2e", f"{name}.py")]



FUZZ_S = int(os.environ.get("WEFT_FUZZ_S") or (20 if os.environ.get("CI") else 5))


def fuzzers():
    for target in sorted(glob.glob(os.path.join(BUILD, "fuzz", "tests", "fuzz", "fuzz_*"))):
        name = os.path.basename(target)
        if os.access(target, os.X_OK) and os.path.isfile(target):
            yield name, [PYTHON, path("tests", "fuzz", "run.py"), target, str(FUZZ_S)]


SUITES = [
    Suite("house", "rules of the tree: headers, links, sizes, formatting", scripts("house.py")),
    Suite("lint", "clang-tidy and gcc's analyzer, what changed since it was clean", scripts("lint.py"), timeout_s=1800),
    Suite("proto", "our protos and CRDs against upstream's", scripts("proto", "check_*.py")),
    Suite("crds", "the CRDs are what proto/ and kinds.c say, and described", scripts("crds", "*_test.py")),
    Suite("unit", "each noun by itself, ASan and UBSan", executables("test"), parallel=2, timeout_s=180),
    Suite("golden", "YAML to resources, shuffled, loaded by Envoy; random YAML too", goldens, timeout_s=900),
    Suite("cases", "Istio's own cases", scripts("cases", "*_test.py"), timeout_s=900),
    Suite("tsan", "what shares state between threads, ThreadSanitizer", threaded, timeout_s=300),
    Suite("e2e", "real Envoys, real traffic, faults", scripts("e2e", "*_test.py"), timeout_s=1200),
    Suite("fuzz", f"each fuzz target for {FUZZ_S} s", fuzzers, parallel=2, timeout_s=FUZZ_S + 120),
]

TAP = re.compile(r"^(ok|not ok)\b\s*(\d+)?\s*-?\s*(.*)$")


def environment():
    env = dict(os.environ)
    env.setdefault("WEFT_BIN", os.path.join(BUILD, "test", "bin"))
    env.setdefault("WEFT_ENVOY", os.path.join(BUILD, "envoy"))
    env.setdefault("WEFT_VENV", os.path.join(BUILD, "venv-test"))
    env.setdefault("WEFT_KUBE", os.path.join(BUILD, "kube"))
    env.setdefault("WEFT_APP", os.path.join(BUILD, "app"))
    env.setdefault("WEFT_GO", os.path.join(BUILD, "go"))
    env["PYTHONPATH"] = path("tests")
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env["CK_TAP_LOG_FILE_NAME"] = "-"
    env["CK_VERBOSITY"] = "silent"
    env["ASAN_OPTIONS"] = "abort_on_error=0:detect_leaks=1:strict_string_checks=1"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    env["TSAN_OPTIONS"] = f"halt_on_error=1:suppressions={path('tests', 'tsan.supp')}"
    return env


def run_program(suite, name, argv):
    started = time.monotonic()
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=suite.timeout_s, env=environment(), cwd=ROOT)
        output, code = done.stdout.decode("utf-8", "replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode("utf-8", "replace") + f"\nstopped after {suite.timeout_s} s"
        code = -1
    except OSError as error:
        output, code = str(error), -1
    passed, failed, skipped = 0, [], []
    for line in output.splitlines():
        match = TAP.match(line)
        if not match:
            continue
        label = match.group(3)
        if match.group(1) == "not ok":
            failed.append(label)
        elif re.search(r"#\s*SKIP", label, re.I):
            skipped.append(label)
        else:
            passed += 1
    if code != 0 and not failed:
        failed.append(f"{name} ended with {code}")
    if code == 0 and not passed and not failed and not skipped:
        failed.append(f"{name} ran no test")
    return name, passed, failed, skipped, output, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="suites to run: " +
                        ", ".join(f"{suite.name} ({suite.what})" for suite in SUITES) + "; all when none is named")
    parser.add_argument("-k", "--keyword", default="", help="only programs whose name contains this")
    parser.add_argument("-v", "--verbose", action="store_true", help="print what the programs print")
    parser.add_argument("--list", action="store_true", help="list the suites and their programs")
    options = parser.parse_args()
    unknown = set(options.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    total_passed = total_failed = total_skipped = 0
    for suite in SUITES:
        if options.suites and suite.name not in options.suites:
            continue
        programs = [(name, argv) for name, argv in suite.programs() if options.keyword in name]
        if options.list:
            print(f"{suite.name}: {suite.what}")
            print("".join(f"  {name}\n" for name, _ in programs), end="")
            continue
        started = time.monotonic()
        passed = failed = skipped = 0
        if not programs and not options.keyword:
            print(f"not ok - suite {suite.name} has no programs: was it built?", flush=True)
            total_failed += 1
        with concurrent.futures.ThreadPoolExecutor(suite.parallel) as pool:
            jobs = [pool.submit(run_program, suite, name, argv) for name, argv in programs]
            for job in concurrent.futures.as_completed(jobs):
                name, ok, bad, left, output, seconds = job.result()
                passed, failed, skipped = passed + ok, failed + len(bad), skipped + len(left)
                if options.verbose or bad:
                    print(f"--- {suite.name}/{name}")
                    print(output if len(output) < 60000 else "[…]" + output[-60000:])
                for label in bad:
                    print(f"FAILED {suite.name}/{name}: {label}", flush=True)
                for reason, n in collections.Counter(re.split(r"#\s*SKIP\s*", label)[-1] for label in left).most_common():
                    print(f"skipped {suite.name}/{name}: {n} for: {reason}", flush=True)
        print(f"{suite.name:8} {passed:5} passed {failed:3} failed {skipped:3} skipped  "
              f"{time.monotonic() - started:6.1f} s  ({suite.what})", flush=True)
        total_passed, total_failed, total_skipped = total_passed + passed, total_failed + failed, total_skipped + skipped
    if options.list:
        return 0
    print(f"{total_passed} passed, {total_failed} failed" + (f", {total_skipped} skipped" if total_skipped else ""))
    return 1 if total_failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs one libFuzzer target for some seconds: run.py TARGET SECONDS. One TAP line; a finding is kept under build/."""
import os
import shutil
import subprocess
import sys

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
target, seconds = sys.argv[1], sys.argv[2]
name = os.path.basename(target)
cache = os.environ.get("WEFT_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "weft")
corpus = os.path.join(cache, "corpus", name)  # grows from run to run
seeds = os.path.join(ROOT, "tests", "fuzz", "seeds", name)
finds = os.path.join(os.path.dirname(target), "finds", name) + os.sep
os.makedirs(corpus, exist_ok=True)
shutil.rmtree(finds, ignore_errors=True)
os.makedirs(finds)
command = [target, f"-max_total_time={seconds}", "-max_len=65536", "-timeout=10", "-rss_limit_mb=1024", f"-artifact_prefix={finds}",
           "-print_final_stats=1", corpus] + ([seeds] if os.path.isdir(seeds) else [])
with tap.case(f"{name} for {seconds} s"):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = done.stdout.decode("utf-8", "replace")
    for line in output.splitlines():
        if line.startswith("stat::number_of_executed_units"):
            print("#", line)
    assert done.returncode == 0, f"{output[-4000:]}\nthe input is in {finds}"
tap.done()

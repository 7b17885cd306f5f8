#!/usr/bin/env python3
"""The Go program in the pods by itself: whether its judge of certificates tells good ones from bad ones."""
import json
import os
import subprocess

import tap

APP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "app")


def main():
    env = dict(os.environ, CGO_ENABLED="0", GOFLAGS="-trimpath")  # as scripts/deps builds it, so that its libraries are there already
    done = subprocess.run([os.environ["WEFT_GO"], "test", "-json", "./..."], cwd=APP, env=env, capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    said = {}
    for event in events:
        said.setdefault(event.get("Test"), []).append(event.get("Output", ""))
    for event in events:
        if event.get("Test") and event["Action"] in ("pass", "fail"):
            with tap.case(event["Test"]):
                assert event["Action"] == "pass", "".join(said[event["Test"]])
    with tap.case("go test ends well"):
        assert done.returncode == 0, done.stdout + done.stderr
    tap.done()


main()

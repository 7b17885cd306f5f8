#!/usr/bin/env python3
"""Broken input never takes the mesh down: each case breaks the configuration of a mesh under load, finds the row that says what is
wrong (file, line, field), and sees that traffic, the object's last good form and everything else stay in force."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

HOST = "hello.example.com"
GOOD = "virtual-service.yaml"


def billion_laughs():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, 12)]
    return "\n".join(lines) + "\n"


def edited(old, new):
    """The good VirtualService with one thing changed."""
    def make(text):
        assert old in text
        return text.replace(old, new, 1)
    return make


# name, what becomes of the VirtualService's file, what the row must hold ("field" as a prefix, "line" exact where it is known)
CASES = [
    ("unreadable YAML", lambda text: text + "\n  :\n- {[", {"reason": "Unreadable"}),
    ("half a file", lambda text: text[: len(text) // 2] + "\n   - [", {"reason": "Unreadable"}),
    ("a binary file", lambda text: bytes(range(256)) * 50, {"reason": "Unreadable"}),
    ("a wrong type", edited("weight: 90", "weight: lots"), {"field": "spec.http[0].route[0].weight", "reason": "InvalidValue", "line": True}),
    ("an unknown field", edited("weight: 90", "wieght: 90"), {"field": "spec.http[0].route[0].wieght", "reason": "UnknownField", "line": True}),
    ("a weight that is negative", edited("weight: 90", "weight: -1"), {"field": "spec.http[0].route[0].weight", "reason": "InvalidValue"}),
    ("a bad regular expression", edited("    route:", "    match: [{uri: {regex: '(['}}]\n    route:"), {"field": "spec.http[0].match[0].uri", "reason": "InvalidValue"}),
    ("a 50 MB file", lambda text: text + "# " + "x" * 50_000_000, {"reason": "Unreadable"}),
    ("billion laughs", lambda text: billion_laughs(), {"reason": "Unreadable"}),
    ("a NUL in a name", edited("name: hello", 'name: "hel\\0lo"'), {}),
    ("a NUL in a host", edited("- hello.example.com", '- "hello\\0.example.com"'), {}),
    ("10,000-deep nesting", lambda text: text.replace("spec:", "spec: " + "[" * 10000 + "]" * 10000 + "\nx:"), {"reason": "Unreadable"}),
    ("10,000-deep flow maps", lambda text: "{a: " * 10000, {"reason": "Unreadable"}),
]


def rows(weftd):
    status, text = weftd.get("/debug/report")
    assert status == 200, text
    return json.loads(text)


def run(is_delta):
    form = "delta" if is_delta else "state of the world"
    with mesh_rig.Mesh(os.path.join(mesh_rig.ROOT, "examples", "canary")) as mesh:
        port = mesh_rig.free_port()
        mesh.edit("gateway.yaml", "number: 8080", f"number: {port}")
        for name, address in (("v1", "127.0.0.11"), ("v2", "127.0.0.12")):
            mesh.own(traffic.Backend(name, address, 9080))
        weftd = mesh.weftd()
        envoy = mesh.gateway(weftd, is_delta)
        envoy.wait_listening(port)
        good = mesh.read(GOOD)
        with traffic.Load(port, host=HOST, connections=2) as load:
            for name, broken, want in CASES:
                with tap.case(f"{form}: {name}"):
                    content = broken(good)
                    if isinstance(content, bytes):
                        draft = os.path.join(mesh.config, ".draft")
                        with open(draft, "wb") as file:
                            file.write(content)
                        os.rename(draft, os.path.join(mesh.config, GOOD))
                    else:
                        mesh.write(GOOD, content)

                    def found():
                        weftd.check()
                        return [row for row in rows(weftd) if row["severity"] == "error" and (row["file"] or "").endswith(GOOD)]
                    bad = mesh_rig.wait_for("the row", found, timeout_s=60)
                    assert any(all((key == "line" and row.get("line", 0) > 1) or (key == "field" and (row.get("field") or "").startswith(value)) or row.get(key) == value
                                   for key, value in want.items()) and row["message"] for row in bad), bad
                    load.flow(50)
                    assert set(load.results) <= {"v1", "v2"}, dict(load.results)
                    # everything else still moves: another object's edit comes through while this one is broken
                    mesh.edit("destination-rule.yaml", "version: v1", "version: v2")
                    mesh_rig.wait_for("the other object's change", lambda: set(traffic.send(port, 10, host=HOST)) == {"v2"})
                    mesh.edit("destination-rule.yaml", "- name: v1\n    labels:\n      version: v2", "- name: v1\n    labels:\n      version: v1")
                    mesh_rig.wait_for("the change back", lambda: "v1" in traffic.send(port, 10, host=HOST))
                    mesh.write(GOOD, good)
                    mesh_rig.wait_for("the row to go", lambda: not rows(weftd))

        with tap.case(f"{form}: a reference to a missing host is a row that names the field; the other routes stay"):
            mesh.write("missing.yaml", good.replace("name: hello\n", "name: missing\n", 1).replace("hello.example.com", "missing.example.com")
                       .replace("host: hello.internal", "host: nowhere.internal"))
            row = mesh_rig.wait_for("the row", lambda: [row for row in rows(weftd) if row["reason"] == "HostNotFound"])[0]
            assert row["field"].startswith("spec.http[0].route[0].destination.host") and "nowhere.internal" in row["message"], row
            assert set(traffic.send(port, 50, host=HOST)) <= {"v1", "v2"}
            mesh.remove("missing.yaml")

        with tap.case(f"{form}: a reference to a missing subset is a row that names the field; the other routes stay"):
            mesh.write("missing.yaml", good.replace("name: hello\n", "name: missing\n", 1).replace("hello.example.com", "missing.example.com").replace("subset: v2", "subset: v9"))
            row = mesh_rig.wait_for("the row", lambda: [row for row in rows(weftd) if row["reason"] == "SubsetNotFound"])[0]
            assert row["field"].startswith("spec.http[0].route[1].destination.subset") and "v9" in row["message"], row
            assert set(traffic.send(port, 50, host=HOST)) <= {"v1", "v2"}
            mesh.remove("missing.yaml")

        with tap.case(f"{form}: an unreadable folder takes nothing away"):
            away = mesh.config + ".away"
            os.rename(mesh.config, away)
            assert set(traffic.send(port, 200, host=HOST)) <= {"v1", "v2"}
            weftd.check()
            os.rename(away, mesh.config)
            mesh.edit(GOOD, "weight: 90", "weight: 0")
            mesh.edit(GOOD, "weight: 10", "weight: 100")
            mesh_rig.wait_for("the edit after its return", lambda: set(traffic.send(port, 20, host=HOST)) == {"v2"})

        with tap.case(f"{form}: no proxy refused anything, and weftd ends in order"):
            assert not any(envoy.stats("update_rejected").values()), envoy.stats("update_rejected")
            assert weftd.stop() == 0, weftd.log()[-2000:]


run(is_delta=True)
tap.done()

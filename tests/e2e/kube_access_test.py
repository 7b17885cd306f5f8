#!/usr/bin/env python3
"""Ways to the API server, each with a real one: kubeconfig with token, certificate, exec plugin, contexts, a list of files; and what weftd
says when there is no way."""
import json
import os
import re
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402

PLUGIN = """#!/bin/sh
echo x >> {runs}
echo "$KUBERNETES_EXEC_INFO" > {info}
cat <<END
{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {{"token": "$(cat {token})", "expirationTimestamp": "$(date -u -d '+12 seconds' +%Y-%m-%dT%H:%M:%SZ)"}}}}
END
"""


class Access(mesh_rig.Mesh):
    """An API server, and kubeconfig files made from the rig's own by some replacements."""

    def __init__(self):
        super().__init__()
        self.rig = self.own(kube.Rig(self.folder))
        self.rig.kubectl("apply", "-f", os.path.join(mesh_rig.ROOT, "crds"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def kubeconfig(self, name="kubeconfig", **replacements):
        with open(os.path.join(self.rig.dir, name), encoding="utf-8") as file:
            text = file.read()
        for pattern, new in replacements.items():
            text, n = re.subn({"token": r"    token: .*\n", "ca": r"    certificate-authority-data: .*\n", "server": r"    server: .*\n",
                               "context": r"current-context: .*\n", "name": r"name: rig"}[pattern], lambda _: new, text)
            assert n, pattern
        return text

    def start(self, *arguments, env=None, is_ready=True):
        env = {**os.environ, **(env or {})}
        weftd = self.own(mesh_rig.Weftd(self, None, arguments=arguments, env=env))
        if is_ready:
            weftd.wait_ready()
            assert json.loads(weftd.get("/debug/kube")[1])["health"] == "live"
        return weftd

    def works(self, *arguments, **options):
        weftd = self.start(*arguments, **options)
        mesh_rig.wait_for("the lease", lambda: weftd.metrics()["weft_kube_leader"] == 1)
        weftd.stop()
        self._started.remove(weftd)
        return weftd.log()

    def why_not(self, text):
        """What /readyz says of a kubeconfig that leads nowhere."""
        weftd = self.start("--kubeconfig", self.write("wrong", text), is_ready=False)

        def why():
            status, note = weftd.get("/readyz")
            assert status == 503
            return note if note.count(":") > 3 else None
        note = mesh_rig.wait_for("a reason", why)
        weftd.stop()
        self._started.remove(weftd)
        return note


with Access() as mesh:
    mesh.rig.kubectl("create", "namespace", "istio-system")
    token = open(os.path.join(mesh.rig.dir, "tokens.csv"), encoding="utf-8").readline().split(",")[0]
    own = os.path.join(mesh.rig.dir, "kubeconfig")
    with tap.case("a token, and a client certificate"):
        mesh.works("--kubeconfig", own)
        mesh.works("--kubeconfig", os.path.join(mesh.rig.dir, "kubeconfig-cert"))
    with tap.case("KUBECONFIG lists files, some of them missing; a context is named"):
        first = mesh.write("first", "apiVersion: v1\nkind: Config\ncurrent-context: nowhere\ncontexts: [{name: nowhere, context: {cluster: none}}]\n")
        log = mesh.works("--context", "rig", env={"KUBECONFIG": f"/nonexistent/x:{first}:{own}"})
        assert f"context rig of {own}" in log, log
    with tap.case("files beside the kubeconfig, a token file that is read again, another name for TLS"):
        mesh.write("token", token)
        mesh.write("ca.pem", open(os.path.join(mesh.rig.dir, "ca.crt"), encoding="utf-8").read())
        text = mesh.kubeconfig(token="    tokenFile: token\n", ca="    certificate-authority: ca.pem\n    tls-server-name: kubernetes.default\n")
        mesh.works("--kubeconfig", mesh.write("by-files", text.replace("127.0.0.1", "localhost")))
    with tap.case("an exec plugin: run before its credential ends, told what it is for"):
        runs, info = mesh.path("runs"), mesh.path("info")
        mesh.write("plugin.sh", PLUGIN.format(runs=runs, info=info, token=mesh.path("token")), stat.S_IRWXU)
        text = mesh.kubeconfig(token="    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin.sh, interactiveMode: Never, provideClusterInfo: true}\n")
        weftd = mesh.start("--kubeconfig", mesh.write("by-plugin", text))
        mesh_rig.wait_for("another run", lambda: len(open(runs, encoding="utf-8").read()) > 2)
        asked = json.loads(open(info, encoding="utf-8").read())
        assert asked["spec"]["cluster"]["server"] == mesh.rig.url and asked["spec"]["interactive"] is False, asked
        assert weftd.get("/readyz")[0] == 200
        weftd.stop()
        mesh._started.remove(weftd)
    with tap.case("without looking at the server's certificate, when told so"):
        mesh.works("--kubeconfig", mesh.write("insecure", mesh.kubeconfig(ca="    insecure-skip-tls-verify: true\n")))
    with tap.case("no way, and why: an unknown authority, a token that is nobody's, a plugin that fails, nobody there, no rights"):
        for what, text in (("certificate", mesh.kubeconfig(ca="")), ("status 401", mesh.kubeconfig(token="    token: nobody-knows-me\n")),
                           ("ended with 3: no account", mesh.kubeconfig(token="    exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo no account >&2; exit 3']}\n")),
                           ("onnect", mesh.kubeconfig(server=f"    server: https://127.0.0.1:{mesh_rig.free_port()}\n")),
                           ("status 403", mesh.kubeconfig(token="    token: %s\n" % open(os.path.join(mesh.rig.dir, "tokens.csv"), encoding="utf-8").readlines()[1].split(",")[0]))):
            note = mesh.why_not(text)
            assert what in note and "nobody-knows-me" not in note, (what, note)
    with tap.case("what cannot even be tried ends weftd with a reason"):
        for arguments, what in ((["--kubeconfig", "/nonexistent/x"], "/nonexistent/x"), (["--kubeconfig", own, "--context", "none"], 'no context "none"')):
            weftd = mesh_rig.Process("refused", [os.path.join(mesh_rig.BIN, "weftd"), *arguments], mesh.folder)
            assert weftd.process.wait(20) == 1 and what in weftd.log(), (arguments, weftd.log())
tap.done()

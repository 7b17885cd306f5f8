"""weftd as a certificate authority on loopback, and who asks it: tokens, and `app` as a client that is not ours.

    with mesh.Mesh() as m:
        authority = Authority(m)                                   weftd with a state directory, TLS on a port of its own
        token = authority.token("default", "hello")                a file
        verdict = authority.ask("default", "hello", token=token)   {"code": "OK", "fault": "", "not_after": …}; see app/ask.go
"""
import json
import os
import subprocess

import mesh as mesh_rig

APP = os.environ.get("WEFT_APP", os.path.join(mesh_rig.ROOT, "build", "app"))
TRUST_DOMAIN = "cluster.local"


def spiffe_id(namespace, account):
    return f"spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{account}"


class Authority:
    def __init__(self, mesh, arguments=()):
        self.mesh = mesh
        self.state = os.path.join(mesh.folder, "state")
        self.roots = os.path.join(self.state, "ca-cert.pem")  # self-signed: the authority is the root
        self.weftd = mesh.weftd(arguments=["--tls-address", "127.0.0.1:0", "--state-dir", self.state, *arguments])
        mesh_rig.wait_for("the root", lambda: os.path.exists(self.roots))
        self.port = self.weftd.tls_port

    def token(self, namespace, account, *arguments):
        """A file with a token of weftd's own."""
        done = subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "token", "create", "--state-dir", self.state, "--namespace", namespace,
                               "--service-account", account, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        file = os.path.join(self.mesh.folder, f"token-{namespace}-{account}-{len(arguments)}")
        with open(file, "w", encoding="utf-8") as out:
            out.write(done.stdout)
        return file

    def app(self, command, *arguments):
        """The lines that the client prints, as values."""
        done = subprocess.run([APP, command, "--to", f"127.0.0.1:{self.port}", "--roots", self.roots, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, f"app {command}: {done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ask(self, namespace, account, *arguments, token=None, cert=None):
        """One certificate. cert: a folder that an earlier answer was saved to (`--out`)."""
        who = ["--token-file", token] if token else []
        who += ["--cert", os.path.join(cert, "cert-chain.pem"), "--key", os.path.join(cert, "key.pem")] if cert else []
        return self.app("ca", "--id", spiffe_id(namespace, account), *who, *arguments)[0]

    def attack(self, namespace, account, token):
        return self.app("attack", "--id", spiffe_id(namespace, account), "--token-file", token, "--token-key", os.path.join(self.state, "token-key.pem"))

    def flood(self, n, parallel, account="flood"):
        return self.app("flood", "--n", str(n), "--parallel", str(parallel), "--token-file", self.token("default", account))[0]

"""A real Kubernetes API server for end-to-end tests, and weftd in front of it. Standard library only.

    with kube.Rig(folder, flags=["--watch-cache=false"]) as rig:      an API server alone
        rig.apply(yaml); rig.kubectl("get", "services"); rig.request("GET", "/api/v1/services")
        rig.kill(); rig.start()                   it goes and comes back on the same port, with its data
        with rig.faults() as faults:              a proxy before it, which does harm on command
            faults.answer(429, "services", count=3, retry_after_s=1)
    kube.enter_network()                          once, first: a network namespace with pods' addresses (10.244.0.0/16)
    with kube.Cluster() as mesh:                  API server, CRDs and deploy/ applied; a Mesh (mesh.py)
        mesh.rig.apply(yaml)
        weftd = mesh.weftd()                      as the service account of deploy/, with no other rights

kubectl is the rig's own. Everything binds to loopback and ends with the Cluster.
"""
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import mesh as mesh_rig
import tap

KUBE = os.environ.get("WEFT_KUBE", os.path.join(mesh_rig.ROOT, "build", "kube"))
CONTROLLERS = "serviceaccount,rootca,namespace,gc"
ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"


def enter_network():
    """Goes on in a network namespace of the program's own, in which all of 10.244.0.0/16 is this machine: EndpointSlices may not name
    loopback addresses."""
    if os.environ.get("WEFT_IN_NETWORK"):
        return
    if os.geteuid() != 0:
        tap.report(True, "Kubernetes", " # SKIP pods' addresses live in a network namespace: needs root")
        tap.done()
    script = "ip link set lo up && ip route add local 10.244.0.0/16 dev lo && exec \"$@\""
    os.environ["WEFT_IN_NETWORK"] = "1"
    os.execvp("unshare", ["unshare", "--net", "sh", "-c", script, "sh", sys.executable, *sys.argv])


class Rig(mesh_rig.Process):
    """The API server, with etcd and some controllers, in one process that ends with the test. flags: kube-apiserver's."""

    def __init__(self, folder, controllers=CONTROLLERS, flags=()):
        assert os.access(KUBE, os.X_OK), f"no {KUBE}: scripts/deps test builds it"
        self.dir, self._folder, self._controllers, self._flags = os.path.join(folder, "kube"), folder, controllers, flags
        self.start()

    def start(self):
        """Again after kill() or stop(): the same port, keys and data."""
        reader, self._hold = os.pipe()  # its standard input: when we end, however, it ends
        self.name, self.log_path = "kube", os.path.join(self._folder, "kube.log")
        self._log = open(self.log_path, "ab")
        ready = os.path.join(self._folder, "kube.ready")
        with open(ready, "wb") as out:
            self.process = subprocess.Popen([KUBE, "up", "--dir", self.dir, "--controllers", self._controllers, "--until-eof", "--", *self._flags],
                                            stdin=reader, stdout=out, stderr=self._log)
        os.close(reader)

        def url():
            self.check()
            with open(ready, encoding="utf-8") as file:
                match = re.search(r"^ready (\S+)$", file.read(), re.M)
            return match and match.group(1)
        self.url = mesh_rig.wait_for("the API server", url, timeout_s=120)
        self.port = int(self.url.rsplit(":", 1)[1])
        with open(os.path.join(self.dir, "tokens.csv"), encoding="utf-8") as file:
            self._token = file.readline().split(",")[0]
        self._tls = ssl.create_default_context(cafile=os.path.join(self.dir, "ca.crt"))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.stop()

    def _let_go(self):
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None

    def kill(self):
        super().kill()
        self._let_go()
        self._log.close()

    def stop(self, timeout_s=30):
        """Returns the exit code: 0 of an orderly end, and nothing when it was not there."""
        try:
            return super().stop(timeout_s) if self.is_running else None
        finally:
            self._let_go()

    # ---- kubectl ----

    def kubectl(self, *arguments, stdin=None, check=True):
        """Standard output; with check=False (code, output, errors)."""
        env = {"PATH": os.environ["PATH"], "HOME": self.dir, "KUBECONFIG": os.path.join(self.dir, "kubeconfig")}
        done = subprocess.run([KUBE, "kubectl", *arguments], input=stdin, capture_output=True, text=True, env=env, timeout=120)
        if not check:
            return done.returncode, done.stdout, done.stderr
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def apply(self, yaml, *arguments):
        return self.kubectl("apply", "-f", "-", *arguments, stdin=yaml)

    def delete(self, yaml, *arguments):
        return self.kubectl("delete", "--ignore-not-found", "-f", "-", *arguments, stdin=yaml)

    def pod(self, name, address, labels, account="default", namespace="default"):
        """A Pod that runs, at this address."""
        label_list = ", ".join(f"{key}: {value}" for key, value in labels.items())
        self.apply(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{{label_list}}}}}\n"
                   f"spec: {{serviceAccountName: {account}, containers: [{{name: app, image: none.invalid/app}}]}}\n")
        self.kubectl("patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", json.dumps(
            {"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": [{"type": "Ready", "status": "True"}]}}))

    # ---- the API itself ----

    def open(self, path, method="GET", body=None, content_type="application/json", token=None, port=None, timeout_s=30):
        """The answer as it comes, from the API server or from what stands before it at another port. The admin asks, unless there is
        another's token."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self._token}", "Content-Type": content_type}
        request = urllib.request.Request(f"https://127.0.0.1:{port or self.port}{path}", data, headers, method=method)
        return urllib.request.urlopen(request, timeout=timeout_s, context=self._tls)

    def request(self, method, path, body=None, content_type="application/json", **options):
        with self.open(path, method, body, content_type, **options) as answer:
            return json.loads(answer.read() or b"null")

    def watch(self, path, version, **options):
        """Gives (type, object) of each event after that version. Ends when the stream does, if as it should; else it raises http.client's
        error or the socket's."""
        with self.open(f"{path}?watch=1&resourceVersion={version}", **options) as answer:
            rest = b""
            while piece := answer.read1(65536):  # not by lines: http.client's readline takes a stream that broke for one that ended
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    yield event["type"], event["object"]

    def get(self, path):
        """None when it is not there."""
        try:
            return self.request("GET", path)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def compact(self):
        """etcd forgets all versions but the present ones. Who gets 410 for it: tests/kube/README.md."""
        subprocess.run([KUBE, "compact", "--dir", self.dir], check=True, capture_output=True, timeout=30)

    # ---- who asks ----

    def token(self, namespace, account, ttl_s=3600):
        answer = self.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
                              {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": ttl_s}})
        return answer["status"]["token"]

    def write_account(self, folder, namespace, account, ttl_s=3600):
        """A folder as a pod finds its service account's; again to replace the token, as the kubelet does it."""
        os.makedirs(folder, exist_ok=True)
        for name, content in (("token", self.token(namespace, account, ttl_s)), ("namespace", namespace)):
            draft = os.path.join(folder, f".{name}")
            with open(draft, "w", encoding="utf-8") as file:
                file.write(content)
            os.rename(draft, os.path.join(folder, name))
        shutil.copy(os.path.join(self.dir, "ca.crt"), folder)

    def kubeconfig(self, token=None, port=None):
        """A new kubeconfig: the admin's unless there is another's token, for the API server unless there is another port."""
        with open(os.path.join(self.dir, "kubeconfig"), encoding="utf-8") as file:
            text = file.read()
        text = text.replace(self._token, token or self._token).replace(self.url, f"https://127.0.0.1:{port or self.port}")
        handle, path = tempfile.mkstemp(prefix="kubeconfig-", dir=self.dir)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def faults(self, seed=1):
        return Faults(self, self._folder, seed)


class Faults(mesh_rig.Process):
    """A proxy before the API server that does harm on command (tests/kube/faults.go). `port` is what weftd is told."""

    def __init__(self, rig, folder, seed=1):
        reader, self._hold = os.pipe()
        self.name, self.log_path = "faults", os.path.join(folder, "faults.log")
        self._log = open(self.log_path, "ab")
        self.process = subprocess.Popen([KUBE, "faults", "--dir", rig.dir, "--until-eof", "--seed", str(seed)], stdin=reader,
                                        stdout=subprocess.PIPE, stderr=self._log, text=True)
        os.close(reader)
        ready = self.process.stdout.readline().split()
        assert len(ready) == 3, f"the proxy did not start:\n{self.log()}"
        _, address, self._control = ready
        self.port = int(address.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.stop()

    def _post(self, path, body=None):
        request = urllib.request.Request(f"http://{self._control}{path}", json.dumps(body or []).encode(), method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def set(self, *faults):
        """What happens from now on, instead of what did: each a dict as in faults.go."""
        self._post("/faults", faults)

    def clear(self):
        """No harm any more."""
        self.set()
        self.accept()

    # One fault each, instead of those before. path: a regular expression for path and query; count 0: until told otherwise;
    # share: of the requests that match, 0: all.

    def answer(self, status, path="", count=0, share=0.0, retry_after_s=0):
        self.set({"path": path, "count": count, "share": share, "status": status, "retryAfter": retry_after_s})

    def delay(self, delay_ms, path="", count=0):
        self.set({"path": path, "count": count, "delayMs": delay_ms})

    def truncate(self, length, path="", count=0, is_clean=False):
        """The body ends after so many bytes: as if that were all, or with a reset."""
        self.set({"path": path, "count": count, "cutAfter": length, "cutClean": is_clean})

    def cut_watches(self, about_ms, path="", count=0):
        self.set({"path": path, "count": count, "cutMs": about_ms})

    def hang(self, path="", count=0):
        """No byte of the answer comes."""
        self.set({"path": path, "count": count, "hang": True})

    # What happens to connections.

    def cut(self):
        """All connections, now."""
        self._post("/cut")

    def refuse(self):
        """As if nobody were there."""
        self._post("/refuse")

    def mute(self):
        """Connections stay open, and nothing comes or goes any more."""
        self._post("/mute")

    def accept(self):
        """As before refuse() and mute()."""
        self._post("/accept")

    def stats(self):
        """requests, hits (of faults), cut, connections (open ones), byKind ({"list pods": n}), watches ({"pods": open ones})."""
        with urllib.request.urlopen(f"http://{self._control}/stats", timeout=10) as answer:
            return json.loads(answer.read())

    def stop(self, timeout_s=20):
        os.close(self._hold)
        self.process.wait(timeout_s)
        self.process.stdout.close()
        self._log.close()


def condition(rig, kind, name, namespace="default", wanted="Accepted"):
    """The object's condition, None when it has none."""
    code, out, _ = rig.kubectl("get", kind, name, "-n", namespace, "-o", "json", check=False)
    conditions = json.loads(out).get("status", {}).get("conditions", []) if code == 0 else []
    return next((one for one in conditions if one["type"] == wanted), None)


class Cluster(mesh_rig.Mesh):
    """An API server with the CRDs and with deploy/, applied as they stand."""

    def __init__(self, controllers=CONTROLLERS, flags=()):
        super().__init__()
        self.rig = self.own(Rig(self.folder, controllers, flags))
        self.account = os.path.join(self.folder, "account")
        self.rig.kubectl("apply", "-f", os.path.join(mesh_rig.ROOT, "crds"))
        self.rig.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        for file in ("namespace.yaml", "rbac.yaml", "weftd.yaml"):
            self.rig.kubectl("apply", "-f", os.path.join(mesh_rig.ROOT, "deploy", file))
        self.rig.kubectl("create", "namespace", "other")
        mesh_rig.wait_for("the default account", lambda: self.rig.get("/api/v1/namespaces/default/serviceaccounts/default"))
        self.rig.write_account(self.account, "istio-system", "weftd")

    def weftd(self, port=None, is_ready=True, name="weftd", env=None, **options):
        """weftd as in its pod: nothing but the variables and the folder that a pod has. port: of the API server, another than its own."""
        inside = f"mount -t tmpfs tmpfs /run && mkdir -p {ACCOUNT_DIR} && mount --bind \"$0\" {ACCOUNT_DIR} && exec \"$@\""
        env = {**os.environ, **(env or {}), "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port or self.rig.port)}
        weftd = self.own(mesh_rig.Weftd(self, None, prefix=["unshare", "--mount", "sh", "-c", inside, self.account], env=env, name=name, **options))
        if is_ready:
            weftd.wait_ready()
        return weftd

    def wait_quiet(self, weftd=None, quiet_s=1.0):
        """Until weftd has made nothing new for some time."""
        weftd = weftd or self.server

        def work():
            metrics = weftd.metrics()
            return [metrics[name] for name in ("weft_generations_total", "weft_unchanged_total", "weft_kube_status_writes_total")]
        mesh_rig.wait_quiet(work, quiet_s)

"""Pods as in a cluster: network namespaces whose traffic is captured by iptables (pods.sh), each with an application (`app serve`) and a
sidecar, and a node beside them where weftd runs.

    with Cluster() as cluster:
        cluster.weftd("--workload-cert-ttl", "20s")                 on the node; its state directory, TLS on 15012
        client, v1 = cluster.pod("client"), cluster.pod("v1")       service account of the pod's name, weft-agent and Envoy beside it
        plain = cluster.pod("plain", sidecar=None)                  outside the mesh
        cluster.service("hello", [v1])                              a virtual IP, the ports of PORTS
        cluster.wait_ready()
        tally = client.ask("http1", "hello:80", n=100)              {"answers": {"v1": 100}, "errors": {}, "dials": 4, "last": {…}}
        with client.load("tcp", "hello:9000") as load: …            load.results once it has ended; load.so_far() before
        with client.network(): socket.create_connection(…)          a socket of this process in the pod; it stays there

sidecar is "agent" (weft-agent starts Envoy), "envoy" (Envoy alone, plaintext to weftd), "gateway" (as "agent", but a router that nothing is
captured for), or None. Root only. What a pod runs is linked into the cluster's folder, for a pod's users need not be able to read the clone.
"""
import contextlib
import ctypes
import json
import os
import shutil
import subprocess

import mesh

HERE = os.path.dirname(os.path.abspath(__file__))
APP = os.environ.get("WEFT_APP", os.path.join(mesh.ROOT, "build", "app"))
NODE, XDS, TLS, ADMIN = "10.244.0.1", 15010, 15012, 15014
CONTROL_PLANE = "weftd.istio-system.svc"
UID_PROXY = 1337
CLONE_NEWNET = 0x40000000

# (name in the Service, port, port of the application, what `app load` calls it); "any" is left to be sniffed
PORTS = [("http", 80, 8080, "http1"), ("grpc", 81, 8081, "grpc"), ("tcp", 9000, 9000, "tcp"), ("tcp-greeting", 9001, 9001, "server-first"),
         ("any", 7000, 7000, "http1"), ("any-tcp", 7001, 7001, "tcp")]
SERVE = ["--http", "8080,8081,7000", "--tcp", "9000,7001", "--server-first", "9001"]

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}
spec: {{serviceAccountName: {account}, containers: [{{name: app}}]}}
status: {{phase: Running, podIP: {ip}}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{clusterIP: {vip}, selector: {{service: {name}}}, ports: {ports}}}
"""
ENDPOINTS = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-a, namespace: {namespace}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
ports: {ports}
endpoints: {endpoints}
"""


class Load:
    """Steady load from inside a pod, in a process of its own; every answer is counted and none asked for again."""

    def __init__(self, argv, env):
        self.results = None
        self._process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def so_far(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def flow(self, n, timeout_s=60):
        """Waits until n more answers have come."""
        goal = sum(self.so_far()["answers"].values()) + n
        mesh.wait_for(f"{n} more answers", lambda: sum(self.so_far()["answers"].values()) >= goal, timeout_s, step_s=0.1)

    def stop(self):
        if self.results is None:
            out, _ = self._process.communicate("")
            self.results = json.loads(out.splitlines()[-1])
        return self.results

    def check(self, what):
        """Everything was answered, and something was."""
        results = self.stop()
        assert results["answers"] and not results["errors"], f"{what}: {results}"
        return results

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()


class Pod:
    def __init__(self, cluster, name, namespace, account, ip):
        self.cluster, self.name, self.namespace, self.account, self.ip = cluster, name, namespace, account, ip
        self.folder = os.path.join(cluster.folder, f"pod-{name}")
        self.id = f"spiffe://cluster.local/ns/{namespace}/sa/{account}"
        self.sidecar = None

    def enter(self, user):
        """What to put before a command: "exec" is the application's user, "proxy" the sidecar's."""
        return [os.path.join(HERE, "pods.sh"), user, self.name]

    def _load_argv(self, protocol, to, options):
        host, _, port = to.rpartition(":")
        argv = [*self.enter("exec"), self.cluster.app, "load", "--protocol", protocol,
                "--to", f"{self.cluster.address(host)}:{port}", "--host", host]
        for name, value in options.items():
            argv += [f"--{name}={str(value).lower() if isinstance(value, bool) else value}"]
        return argv

    def ask(self, protocol, to, n=1, **options):
        """n requests; the tally of `app load`. Options are its flags."""
        argv = self._load_argv(protocol, to, {"n": n, "connections": min(n, 4), "timeout": "10s", **options})
        done = subprocess.run(argv, env=self.cluster.env, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    def load(self, protocol, to, **options):
        return Load(self._load_argv(protocol, to, options), self.cluster.env)

    def run(self, *argv, user="proxy"):
        """A command in the pod: (exit code, output)."""
        done = subprocess.run([*self.enter(user), *argv], env=self.cluster.env, capture_output=True, text=True)
        return done.returncode, done.stdout

    @contextlib.contextmanager
    def network(self):
        """Sockets that this thread makes in the block are the pod's."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(namespace):
            assert libc.setns(namespace.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        with open("/proc/thread-self/ns/net", "rb") as own, open(f"/run/netns/{self.cluster.prefix}-{self.name}", "rb") as its:
            enter(its)
            try:
                yield
            finally:
                enter(own)

    def envoy(self, path):
        """What Envoy's admin says; None when it does not."""
        code, out = self.run("curl", "-sf", "--max-time", "5", f"http://127.0.0.1:15000{path}")
        return out if code == 0 else None

    def stats(self, pattern):
        rows = json.loads(self.envoy(f"/stats?format=json&filter={pattern}"))["stats"]
        return {row["name"]: row["value"] for row in rows if "value" in row}

    def control_plane(self):
        """What Envoy has counted of its way to weftd and the agent, but for zeros."""
        return {name: value for name, value in self.stats("control_plane|sds|xds-grpc|cds|lds").items() if value}

    def certificate(self):
        """The workload certificate that Envoy holds now, as its admin tells; None before there is one."""
        text = self.envoy("/certs")
        for entry in json.loads(text)["certificates"] if text else []:
            for certificate in entry.get("cert_chain", []):
                if any(name.get("uri") == self.id for name in certificate.get("subject_alt_names", [])):
                    return certificate
        return None


class Cluster(mesh.Mesh):
    def __init__(self, is_delta=True):
        super().__init__()
        self.prefix = f"weft{os.getpid()}"
        # pods have names in /etc/hosts and no DNS server: gRPC's own resolver waits seconds for one to say that a name has no IPv6 address
        self.env = dict(os.environ, PODS_PREFIX=self.prefix, GRPC_DNS_RESOLVER="native")
        self.is_delta = is_delta
        self.state = os.path.join(self.folder, "state")
        self.control = os.path.join(self.state, "control.sock")
        self.ca_dir = None  # of an authority that is plugged in
        self.pods, self.services, self.daemon = {}, {}, None
        os.chmod(self.folder, 0o755)
        self.app = self.program(APP)
        self.pods_sh("up")
        self.write("namespaces.yaml", "---".join(f"\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n" for name in ("default", "istio-system")))

    def __exit__(self, *error):
        try:
            super().__exit__(*error)
        finally:
            self.pods_sh("down")

    def program(self, path):
        """A copy (a link, if it can be) that pods' users can run."""
        copy = os.path.join(self.folder, os.path.basename(path))
        if not os.path.exists(copy):
            try:
                os.link(os.path.realpath(path), copy)
            except OSError:
                shutil.copy(os.path.realpath(path), copy)
        return copy

    def pods_sh(self, *arguments, text=None):
        done = subprocess.run([os.path.join(HERE, "pods.sh"), *arguments], env=self.env, capture_output=True, text=True, input=text)
        assert done.returncode == 0, f"pods.sh {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def on_node(self, *argv):
        return ["ip", "netns", "exec", f"{self.prefix}-node", *argv]

    def start(self, name, argv):
        return self.own(mesh.Process(name, argv, self.folder, env=self.env))

    # --- the control plane

    def weftd(self, *arguments, has_tls=True):
        """weftd on the node, also again after its end."""
        secure = ["--tls-address", f"{NODE}:{TLS}", "--state-dir", self.state] if has_tls else []
        secure += ["--ca-dir", self.ca_dir] if self.ca_dir else []
        self.daemon = self.start("weftd", self.on_node(os.path.join(mesh.BIN, "weftd"), "--config", self.config, "--xds-address", f"{NODE}:{XDS}",
                                                       "--admin-address", f"{NODE}:{ADMIN}", *secure, *arguments))
        mesh.wait_for("weftd", lambda: self.daemon.check() or self.admin("/readyz") is not None)
        return self.daemon

    def admin(self, path):
        done = subprocess.run(self.on_node("curl", "-sf", "--max-time", "5", f"http://{NODE}:{ADMIN}{path}"), env=self.env, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None

    def proxies(self):
        return json.loads(self.admin("/debug/proxies") or "[]")

    def metrics(self):
        text = self.admin("/metrics") or ""
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.split("\n") if line and line[0] != "#"}

    def is_synced(self):
        proxies = self.proxies()
        wanted = {f"{pod.name}.{pod.namespace}" for pod in self.pods.values() if pod.sidecar}
        # (an agent has a stream of its own beside its Envoy's, under the same name)
        return {proxy["id"].split("~")[2] for proxy in proxies} == wanted and all(kind["version"] == kind["acknowledged"] for proxy in proxies for kind in proxy["types"].values())

    def wait_synced(self, timeout_s=60):
        """Every proxy has acknowledged everything."""
        def all_synced():
            for pod in self.pods.values():
                if pod.sidecar:
                    pod.sidecar.check()
            return self.is_synced()
        mesh.wait_for("every proxy's acknowledgement", all_synced, timeout_s)

    def wait_ready(self):
        """Also, each sidecar takes traffic."""
        self.wait_synced()
        for pod in self.pods.values():
            if not pod.sidecar:
                continue
            try:
                mesh.wait_for(f"{pod.name}'s Envoy", lambda p=pod: (p.envoy("/ready") or "").startswith("LIVE"))
            except mesh.Timeout as late:
                raise mesh.Timeout(f"{late}: {pod.envoy('/ready')}, {pod.control_plane()}") from late

    def _versions(self):
        return sorted((proxy["id"], name, kind["version"]) for proxy in self.proxies() for name, kind in proxy["types"].items())

    @contextlib.contextmanager
    def changed(self, timeout_s=60, quiet_s=0.5):
        """What is written in the block reaches the proxies: something was pushed, everything is acknowledged, and no more comes."""
        before = self._versions()
        yield
        mesh.wait_for("a push", lambda: self._versions() != before, timeout_s)
        mesh.wait_quiet(self._versions, quiet_s, timeout_s)
        self.wait_synced(timeout_s)

    def nacks(self):
        return [(proxy.get("id"), kind["nack"]) for proxy in self.proxies() for kind in proxy["types"].values() if kind.get("nack")]

    def weft(self, *arguments):
        """The command line on the node; its output."""
        done = subprocess.run(self.on_node(os.path.join(mesh.BIN, "weft"), *arguments), env=self.env, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"weft {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def roots(self):
        """File with the roots that weftd starts from, once it is there."""
        file = os.path.join(self.ca_dir, "root-cert.pem") if self.ca_dir else os.path.join(self.state, "ca-cert.pem")  # self-signed: it is the root
        mesh.wait_for("the root", lambda: os.path.exists(file))
        return file

    def token(self, file, namespace, account, *arguments):
        text = self.weft("token", "create", "--state-dir", self.state, "--namespace", namespace, "--service-account", account, *arguments)
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        return file

    # --- workloads

    def address(self, host):
        """A service's virtual IP, a pod's address, or what was given."""
        if host in self.services:
            return self.services[host]
        return self.pods[host].ip if host in self.pods else host

    def pod(self, name, namespace="default", account=None, labels=(), sidecar="agent", arguments=()):
        _, ip = self.pods_sh("up" if sidecar in ("agent", "envoy") else "plain", name).split()
        pod = self.pods[name] = Pod(self, name, namespace, account or name, ip)
        labels = {"app": name, **dict(labels), **({"security.istio.io/tlsMode": "istio"} if sidecar == "agent" else {})}
        self.write(f"pod-{name}.yaml", POD.format(name=name, namespace=namespace, labels=json.dumps(labels), account=pod.account, ip=ip))
        self.start(f"app-{name}", [*pod.enter("exec"), self.app, "serve", "--name", name, *SERVE])
        if sidecar:
            os.mkdir(pod.folder, 0o700)
            role = ["--role", "router"] if sidecar == "gateway" else []
            pod.sidecar = self._with_envoy(pod, labels) if sidecar == "envoy" else self._with_agent(pod, labels, [*role, *arguments])
        return pod

    def _with_envoy(self, pod, labels):
        bootstrap = mesh.Envoy.bootstrap(XDS, f"sidecar~{pod.ip}~{pod.name}.{pod.namespace}~{pod.namespace}.svc.cluster.local",
                                         {"NAMESPACE": pod.namespace, "LABELS": labels}, self.is_delta)
        cluster = bootstrap["staticResources"]["clusters"][0]
        cluster["loadAssignment"]["endpoints"][0]["lbEndpoints"][0]["endpoint"]["address"]["socketAddress"]["address"] = NODE
        bootstrap["admin"]["address"]["socketAddress"]["portValue"] = 15000
        file = os.path.join(pod.folder, "bootstrap.json")
        with open(file, "w", encoding="utf-8") as out:
            json.dump(bootstrap, out)
        self._give(pod)
        return self.start(f"sidecar-{pod.name}", [*pod.enter("proxy"), self.program(mesh.ENVOY), "-c", file, "--concurrency", "1",
                                                  "-l", "warning", "--disable-hot-restart"])

    def _with_agent(self, pod, labels, arguments):
        self.pods_sh("hosts", pod.name, text=f"127.0.0.1 localhost\n{NODE} {CONTROL_PLANE}\n{pod.ip} {pod.name}\n")
        token = self.token(os.path.join(pod.folder, "token"), pod.namespace, pod.account)
        roots = shutil.copy(self.roots(), os.path.join(pod.folder, "root-cert.pem"))
        with open(os.path.join(pod.folder, "labels"), "w", encoding="utf-8") as out:
            out.writelines(f'{name}="{value}"\n' for name, value in labels.items())
        self._give(pod)
        return self.start(f"sidecar-{pod.name}", [
            *pod.enter("proxy"), "env", f"POD_NAME={pod.name}", f"POD_NAMESPACE={pod.namespace}", f"INSTANCE_IP={pod.ip}",
            f"SERVICE_ACCOUNT={pod.account}", self.program(os.path.join(mesh.BIN, "weft-agent")), "--control-plane", f"{CONTROL_PLANE}:{TLS}", "--roots", roots,
            "--token-file", token, "--labels-file", os.path.join(pod.folder, "labels"), "--socket", os.path.join(pod.folder, "sds"),
            "--bootstrap", os.path.join(pod.folder, "bootstrap.json"), "--envoy", self.program(mesh.ENVOY), "--concurrency", "1", "--drain-seconds", "1",
            *arguments])

    @staticmethod
    def _give(pod):
        """The pod's folder to its sidecar."""
        for name in [pod.folder, *(os.path.join(pod.folder, name) for name in os.listdir(pod.folder))]:
            os.chown(name, UID_PROXY, UID_PROXY)

    def service(self, name, pods, namespace="default", ports=PORTS):
        """A Service by a virtual IP, with these pods behind it."""
        vip = self.services.setdefault(name, f"10.96.0.{10 + len(self.services)}")
        self.write(f"service-{name}.yaml", SERVICE.format(name=name, namespace=namespace, vip=vip, ports=json.dumps(
            [{"name": port, "port": number, "targetPort": target} for port, number, target, _ in ports])))
        self.endpoints(name, pods, namespace, ports)

    def endpoints(self, name, pods, namespace="default", ports=PORTS):
        """What a cluster says of the pods behind a Service, wherever that comes from."""
        self.write(f"endpoints-{name}.yaml", ENDPOINTS.format(
            name=name, namespace=namespace, ports=json.dumps([{"name": port, "port": target} for port, _, target, _ in ports]),
            endpoints=json.dumps([{"addresses": [pod.ip], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": pod.name, "namespace": pod.namespace}}
                                  for pod in pods])))

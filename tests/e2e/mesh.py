"""The pieces of a mesh on loopback, for end-to-end tests and the demo: weftd, Envoys, backends, load.

    with Mesh(config) as mesh:                      # config: a folder of YAML
        mesh.own(traffic.Backend("v1", "127.0.0.11", 9080))
        weftd = mesh.weftd()
        envoy = mesh.gateway(weftd, is_delta=True)
        envoy.wait_listening(8080)
        counts = traffic.send(8080, 1000)

Standard library only. Everything binds to loopback and ends with the Mesh; processes are ended by the ids they were started
with. A name that ends in _s is seconds.
"""
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("WEFT_BIN", os.path.join(ROOT, "build", "test", "bin"))
ENVOY = os.environ.get("WEFT_ENVOY", os.path.join(ROOT, "build", "envoy"))

GATEWAY_NODE = "router~127.0.0.1~gateway-1.istio-system~istio-system.svc.cluster.local"
GATEWAY_META = {"NAMESPACE": "istio-system", "LABELS": {"istio": "ingressgateway"}}


class Timeout(AssertionError):
    """Something did not come about in time."""


def wait_for(what, condition, timeout_s=30, step_s=0.02):
    """Calls condition() until it gives something true, and returns that."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"waited {timeout_s} s for {what}")
        time.sleep(step_s)


def wait_quiet(look, quiet_s, timeout_s=30):
    """Until look() has given the same for some time."""
    last, since, end = look(), time.monotonic(), time.monotonic() + timeout_s
    while time.monotonic() - since < quiet_s:
        if time.monotonic() > end:
            raise Timeout(f"waited {timeout_s} s for quiet")
        time.sleep(0.05)
        now = look()
        if now != last:
            last, since = now, time.monotonic()


PORTS = itertools.cycle(random.sample(range(20000, 32000), 12000))


def free_port():
    """One that nobody listens on, and that the kernel gives to no connection and no other server before it is used: from below its own range."""
    for port in PORTS:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port


def get(url, timeout_s=5):
    """(status, text); status 0 when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def is_open(address, port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((address, port)) == 0


class Process:
    """A program with its log in a file; ended by its own id."""

    def __init__(self, name, argv, folder, env=None):
        self.name, self.argv, self.log_path = name, argv, os.path.join(folder, f"{name}.log")
        self._log = open(self.log_path, "ab")
        self.process = subprocess.Popen(argv, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL, env=env)

    @property
    def is_running(self):
        return self.process.poll() is None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def check(self):
        assert self.is_running, f"{self.name} ended with {self.process.returncode}:\n{self.log()[-4000:]}"

    def kill(self):
        """As a crash: no chance to say goodbye."""
        if self.is_running:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout_s=20):
        """As an orderly end. Returns the exit code."""
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Timeout(f"{self.name} did not end within {timeout_s} s of SIGTERM:\n{self.log()[-4000:]}") from None
        finally:
            self._log.close()
        return self.process.returncode


class Weftd(Process):
    """config: a folder of YAML, or None. prefix: a command that starts weftd in surroundings of its own."""

    def __init__(self, mesh, config, xds_port=0, admin_port=0, arguments=(), prefix=(), env=None, name="weftd"):
        port_file = os.path.join(mesh.folder, f"{name}.ports")
        if os.path.exists(port_file):
            os.remove(port_file)
        source = ["--config", config] if config else []
        super().__init__(name, [*prefix, os.path.join(BIN, "weftd"), *source, "--xds-address", f"127.0.0.1:{xds_port}",
                                "--admin-address", f"127.0.0.1:{admin_port}", "--port-file", port_file, *arguments], mesh.folder, env)

        def ports():
            self.check()
            try:
                with open(port_file, encoding="utf-8") as file:
                    return json.load(file)
            except (OSError, ValueError):
                return None
        found = wait_for("weftd's ports", ports)
        self.xds_port, self.admin_port = found["xds"], found["admin"]
        self.tls_port = found.get("tls")

    def stop(self, timeout_s=20):
        """Unless a test killed it, it ends with 0: what a sanitizer finds, leaks too, shows as another code."""
        code = super().stop(timeout_s)
        assert code in (0, -signal.SIGKILL), f"{self.name} ended with {code}:\n{self.log()[-8000:]}"
        return code

    def get(self, path):
        return get(f"http://127.0.0.1:{self.admin_port}{path}")

    def wait_ready(self):
        def ready():
            self.check()
            self.not_ready = self.get("/readyz")
            return self.not_ready[0] == 200
        try:
            wait_for("weftd's /readyz", ready)
        except Timeout as late:
            raise Timeout(f"{late}: {self.not_ready}") from None

    def proxies(self):
        status, text = self.get("/debug/proxies")
        assert status == 200, text
        return json.loads(text)

    def metrics(self):
        """{name with labels: value}"""
        status, text = self.get("/metrics")
        assert status == 200, text
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.split("\n") if line and line[0] != "#"}

    def is_acknowledged(self):
        """Whether every proxy has acknowledged all that it was sent (and there is one)."""
        proxies = self.proxies()
        return bool(proxies) and all(kind["version"] == kind["acknowledged"] for proxy in proxies for kind in proxy["types"].values())


class Envoy(Process):
    def __init__(self, mesh, xds_port, node, metadata, is_delta, name):
        self.is_delta = is_delta
        admin = os.path.join(mesh.folder, f"{name}.admin")
        bootstrap = os.path.join(mesh.folder, f"{name}.json")
        if os.path.exists(admin):
            os.remove(admin)
        with open(bootstrap, "w", encoding="utf-8") as file:
            json.dump(self.bootstrap(xds_port, node, metadata, is_delta), file)
        super().__init__(name, [ENVOY, "-c", bootstrap, "--concurrency", "1", "-l", "warning", "--disable-hot-restart",
                                "--admin-address-path", admin, "--drain-time-s", "1"], mesh.folder)

        def address():
            self.check()
            try:
                with open(admin, encoding="utf-8") as file:
                    return file.read().strip()
            except OSError:
                return None
        self.admin = wait_for(f"{name}'s admin address", address)

    @staticmethod
    def bootstrap(xds_port, node, metadata, is_delta):
        window = 1 << 20  # bounds what the server must hold for a slow reader
        return {
            "node": {"id": node, "cluster": "weft", "metadata": metadata},
            "admin": {"address": {"socketAddress": {"address": "127.0.0.1", "portValue": 0}}},
            "dynamicResources": {
                "adsConfig": {"apiType": "DELTA_GRPC" if is_delta else "GRPC", "transportApiVersion": "V3", "setNodeOnFirstMessageOnly": True,
                              "grpcServices": [{"envoyGrpc": {"clusterName": "weftd"}}]},
                "cdsConfig": {"ads": {}, "resourceApiVersion": "V3", "initialFetchTimeout": "0s"},
                "ldsConfig": {"ads": {}, "resourceApiVersion": "V3", "initialFetchTimeout": "0s"}},
            "staticResources": {"clusters": [{
                "name": "weftd", "type": "STATIC", "connectTimeout": "1s",
                "typedExtensionProtocolOptions": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicitHttpConfig": {"http2ProtocolOptions": {"initialStreamWindowSize": window, "initialConnectionWindowSize": window}}}},
                "loadAssignment": {"clusterName": "weftd", "endpoints": [{"lbEndpoints": [{"endpoint": {
                    "address": {"socketAddress": {"address": "127.0.0.1", "portValue": xds_port}}}}]}]}}]},
        }

    def get(self, path):
        return get(f"http://{self.admin}{path}")

    def stats(self, pattern):
        status, text = self.get(f"/stats?format=json&filter={pattern}")
        assert status == 200, text
        return {row["name"]: row["value"] for row in json.loads(text)["stats"] if "value" in row}

    def wait_listening(self, port, address="127.0.0.1"):
        def listening():
            self.check()
            return is_open(address, port)
        wait_for(f"{self.name} to listen on {port}", listening)

    def wait_connected(self, is_connected=True):
        wait_for(f"{self.name} to be {'' if is_connected else 'dis'}connected",
                 lambda: bool(self.stats("control_plane.connected_state").get("control_plane.connected_state")) == is_connected)


class Mesh:
    """Owns a folder for logs and all that was started; ends it in reverse order."""

    def __init__(self, config=None):
        self.folder = tempfile.mkdtemp(prefix="weft-")
        self.config = os.path.join(self.folder, "config")
        if config:
            shutil.copytree(config, self.config)
        else:
            os.makedirs(self.config)
        self._started = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        failure = None
        for thing in reversed(self._started):
            try:
                thing.stop()
            except Exception as late:  # the first error is the one to show
                failure = failure or late
                if error:
                    print(f"# {late}")
            if error and isinstance(thing, Process):
                print("".join(f"# {thing.name}: {line}\n" for line in thing.log().splitlines()[-30:]), end="")
        shutil.rmtree(self.folder, ignore_errors=True)
        if failure and not error:
            raise failure

    def own(self, thing):
        self._started.append(thing)
        return thing

    def write(self, name, text):
        """A file of the configuration, replaced as editors and kubectl do: atomically."""
        target, draft = os.path.join(self.config, name), os.path.join(self.config, f".{name}.tmp")
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(draft, target)

    def read(self, name):
        with open(os.path.join(self.config, name), encoding="utf-8") as file:
            return file.read()

    def edit(self, name, old, new):
        text = self.read(name)
        assert old in text, f"{name} does not hold {old!r}"
        self.write(name, text.replace(old, new))

    def remove(self, name):
        os.remove(os.path.join(self.config, name))

    def weftd(self, **options):
        weftd = self.own(Weftd(self, self.config, **options))
        weftd.wait_ready()
        return weftd

    def restart(self, weftd, **options):
        """A new weftd on the same ports."""
        return self.weftd(xds_port=weftd.xds_port, admin_port=weftd.admin_port, **options)

    def gateway(self, weftd, is_delta, node=GATEWAY_NODE, metadata=None, name="envoy"):
        envoy = self.own(Envoy(self, weftd.xds_port, node, metadata or GATEWAY_META, is_delta, name))
        envoy.wait_connected()
        return envoy

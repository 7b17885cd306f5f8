#!/usr/bin/env python3
"""Generated policies and requests (authz_maker.py), judged three times: by a real Envoy with what `weft translate` gives, by `weft authz check`, and
by an evaluator written from the documentation (naive_authz.py). All agree, or the smallest mesh and request that do not are shown.

Envoy has a listener for each pod, at an address of its own. What redirection would tell it (the port that was dialled) a PROXY header tells it
here, and secrets come from files; all else is what the pod's sidecar gets.

    WEFT_AUTHZ_SEED=7 WEFT_AUTHZ_MESHES=1000 tests/e2e/authz_property_test.py
"""
import asyncio
import collections
import concurrent.futures
import copy
import itertools
import json
import os
import random
import socket
import ssl
import subprocess
import threading

import tap

import authz_maker
import issuer
import mesh as rig
import naive_authz
import raw

SEED = int(os.environ.get("WEFT_AUTHZ_SEED", "1"))
MESHES = int(os.environ.get("WEFT_AUTHZ_MESHES", "160"))
REQUESTS = 13  # of a pod
BATCH = 10  # meshes that Envoy has at once
SHRINKS_MAX, SHRINKS_AT_ONCE = 400, 12
TIMEOUT_S = 20
SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
PROXY = {"name": "envoy.filters.listener.proxy_protocol", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"}}
CLUSTERS = [*(f"inbound|{port}||" for port in authz_maker.PORTS), "InboundPassthroughCluster", "BlackHoleCluster"]
# as weft-agent starts its Envoy: several headers of a name are one
RUNTIME = {"layers": [{"name": "bootstrap", "staticLayer": {"envoy.reloadable_features.rbac_match_headers_individually": False}}]}

Pair = collections.namedtuple("Pair", "mesh pod request")


class Application:
    """Says "in" to HTTP as HTTP, and to all else."""

    def __init__(self):
        self._loop, self.port = asyncio.new_event_loop(), None
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def _run(self, ready):
        server = self._loop.run_until_complete(asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _answer(self, reader, writer):
        try:
            while said := await reader.read(65536):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nin" if b" HTTP/1.1\r\n" in said else b"in")
        except OSError:
            pass
        writer.close()


class Callers:
    """Certificates of one root, and the connections that are made with them."""

    def __init__(self, folder):
        self.folder, self._contexts, self._lock = folder, {}, threading.Lock()
        raw.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/O=root", "-keyout", self.path("root.key"), "-out", self.path("root.pem"))
        for i, name in enumerate(["server", *authz_maker.CALLERS]):
            uri = name if i else "cluster.local/ns/default/sa/server"
            with open(self.path("ext"), "w", encoding="utf-8") as out:
                out.write(f"subjectAltName=critical,URI:spiffe://{uri}\nextendedKeyUsage=clientAuth,serverAuth\n")
            raw.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-keyout", self.path(f"{i}.key"), "-out", self.path("csr"))
            raw.openssl("x509", "-req", "-in", self.path("csr"), "-CA", self.path("root.pem"), "-CAkey", self.path("root.key"), "-CAcreateserial", "-days", "1", "-extfile", self.path("ext"), "-out", self.path(f"{i}.pem"))
            self._contexts |= {(name, is_tcp): self._context(i, is_tcp) for is_tcp in (False, True)}
        secrets = {"default": {"tlsCertificate": {"certificateChain": {"filename": self.path("0.pem")}, "privateKey": {"filename": self.path("0.key")}}},
                   "ROOTCA": {"validationContext": {"trustedCa": {"filename": self.path("root.pem")}}}}
        for name, secret in secrets.items():
            with open(self.path(name), "w", encoding="utf-8") as out:
                json.dump({"resources": [{"@type": SECRET, "name": name, **secret}]}, out)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _context(self, i, is_tcp):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.path("root.pem"))
        context.load_cert_chain(self.path(f"{i}.pem"), self.path(f"{i}.key"))
        context.set_alpn_protocols(["istio"] if is_tcp else raw.HTTP)
        return context

    def connect(self, address, pod, request):
        connection = socket.create_connection(address, TIMEOUT_S, (request["sourceIp"], 0))
        try:
            connection.sendall(f"PROXY TCP4 {request['sourceIp']} {pod['ip']} 4000 {request['port']}\r\n".encode())
            if not request["from"]:
                return connection
            return self._contexts[request["from"], request["tcp"]].wrap_socket(connection, server_hostname=request["serverName"])
        except OSError:
            connection.close()
            raise


class Judge:
    """One Envoy, whose listeners are replaced."""

    def __init__(self, mesh):
        self.mesh, self.folder = mesh, mesh.folder
        self.callers, self.application, self.key = Callers(self.folder), Application(), issuer.Key("k")
        self.tokens = {json.dumps(claims): self.key.token(claims) for claims in authz_maker.CLAIMS}
        self.port, self.n_listeners, self.addresses, self.n_updates = rig.free_port(), 0, {}, 0
        self.pool = concurrent.futures.ThreadPoolExecutor(8)
        self._write_listeners([])
        self.envoy = self._start()

    def _start(self):
        clusters = [{"name": name, "loadAssignment": {"clusterName": name, "endpoints": [] if name == "BlackHoleCluster" else [
            {"lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "127.0.0.1", "portValue": self.application.port}}}}]}]},
            "circuitBreakers": {"thresholds": [{"maxConnections": 10000, "maxPendingRequests": 10000, "maxRequests": 10000}]}} for name in CLUSTERS]
        admin = os.path.join(self.folder, "admin")
        bootstrap = {"node": {"id": "authz", "cluster": "authz"}, "admin": {"address": {"socketAddress": {"address": "127.0.0.1", "portValue": 0}}}, "layeredRuntime": RUNTIME,
                     "staticResources": {"clusters": clusters}, "dynamicResources": {"ldsConfig": {"pathConfigSource": {"path": os.path.join(self.folder, "lds.json")}, "resourceApiVersion": "V3"}}}
        file = os.path.join(self.folder, "bootstrap.json")
        with open(file, "w", encoding="utf-8") as out:
            json.dump(bootstrap, out)
        process = self.mesh.own(rig.Process("envoy", [rig.ENVOY, "-c", file, "--disable-hot-restart", "--concurrency", "1", "-l", "error", "--admin-address-path", admin, "--drain-time-s", "1"], self.folder))
        rig.wait_for("Envoy", lambda: process.check() or os.path.exists(admin) and os.path.getsize(admin))
        with open(admin, encoding="utf-8") as text:
            self.admin = text.read()
        return process

    def _write_listeners(self, listeners):
        draft = os.path.join(self.folder, "lds.draft")
        with open(draft, "w", encoding="utf-8") as out:
            json.dump({"resources": [{"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", **one} for one in listeners]}, out)
        os.rename(draft, os.path.join(self.folder, "lds.json"))

    def _stats(self):
        status, text = rig.get(f"http://{self.admin}/stats?format=json&filter=listener_manager")
        assert status == 200, text
        return {row["name"]: row["value"] for row in json.loads(text)["stats"] if "value" in row}

    def _listener(self, file, pod):
        """What the pod's sidecar gets, at an address of its own."""
        node = f"sidecar~{pod['ip']}~{pod['name']}.{pod['namespace']}~{pod['namespace']}.svc.cluster.local"
        meta = {"NAMESPACE": pod["namespace"], "LABELS": pod["labels"], "ISTIO_VERSION": "1.0.0"}
        resources = json.loads(weft("translate", "--config", file, "--node", node, "--meta", json.dumps(meta)))
        errors = [row for row in resources["report"] if row["severity"] == "error"]
        assert not errors, f"a policy that is generated is wrong: {errors}"
        listener = next(one for one in resources["listeners"] if one["name"] == "virtualInbound")
        secrets_from_files(listener, self.folder)
        assert listener["listenerFilters"][0]["name"] == "envoy.filters.listener.original_dst"
        listener["listenerFilters"][0] = PROXY
        for chain in listener["filterChains"]:
            forget_logs(chain)
        return listener

    def take(self, meshes):
        """Envoy and files for these meshes and no others."""
        listeners, places = [], [(i, mesh, pod) for i, mesh in enumerate(meshes) for pod in mesh.pods]
        files = []
        for i, mesh in enumerate(meshes):
            files.append(os.path.join(self.folder, f"mesh-{i}.yaml"))
            with open(files[-1], "w", encoding="utf-8") as out:
                out.write(authz_maker.text_of(mesh, issuer.jwks(self.key)))
        made = self.pool.map(lambda place: self._listener(files[place[0]], place[2]), places)
        for (i, mesh, pod), listener in zip(places, made):
            self.n_listeners += 1
            address = f"127.{64 + (self.n_listeners >> 16)}.{self.n_listeners >> 8 & 255}.{self.n_listeners & 255}"
            listener |= {"name": f"pod-{self.n_listeners}", "address": {"socketAddress": {"address": address, "portValue": self.port}}}
            listeners.append(listener)
            self.addresses[id(mesh), pod["ip"]] = address
        before = self._stats()
        self._write_listeners(listeners)

        def is_taken():
            self.envoy.check()
            now = self._stats()
            assert now["listener_manager.lds.update_rejected"] == before["listener_manager.lds.update_rejected"], f"Envoy refused what weft made: {self.envoy.log()[-3000:]}"
            return now["listener_manager.listener_create_success"] == self.n_listeners and not now["listener_manager.total_listeners_warming"]
        rig.wait_for("Envoy's listeners", is_taken)
        return files

    def by_envoy(self, pair):
        """allowed, denied or refused; a connection that ends is both of the latter."""
        request = pair.request
        try:
            with self.callers.connect((self.addresses[id(pair.mesh), pair.pod["ip"]], self.port), pair.pod, request) as connection:
                connection.sendall(b"hello\n" if request["tcp"] else self.bytes_of(request))
                said = connection.recv(65536)
        except TimeoutError:
            raise
        except OSError:
            said = b""
        answers = {b"": "refused", b"in": "allowed"} if request["tcp"] else {b"": "refused", b"HTTP/1.1 200": "allowed", b"HTTP/1.1 403": "denied"}
        return answers.get(said[:12], f"said {said[:40]}")

    def bytes_of(self, request):
        lines = [f"{request['method']} {request['path']} HTTP/1.1", f"host: {request['host']}", "content-length: 0"]
        lines += [f"{name}: {text}" for name, texts in request["headers"].items() for text in texts]
        if request["jwtClaims"]:
            lines.append(f"authorization: Bearer {self.tokens[json.dumps(request['jwtClaims'])]}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def by_weft(self, file, pairs):
        requests = "".join(json.dumps(pair.request) + "\n" for pair in pairs)
        verdicts = [json.loads(line) for line in weft("authz", "check", "--config", file, "--requests", "-", "--output", "json", text=requests).splitlines()]
        assert len(verdicts) == len(pairs), f"{len(pairs)} requests, {len(verdicts)} verdicts"
        return verdicts

    def verdicts(self, meshes, pairs):
        """For each pair three: Envoy's, weft's, the evaluator's."""
        files = self.take(meshes)
        envoys = self.pool.map(self.by_envoy, pairs)
        wefts = {}
        for file, mesh in zip(files, meshes):
            of_mesh = [pair for pair in pairs if pair.mesh is mesh]
            wefts |= {id(pair): verdict for pair, verdict in zip(of_mesh, self.by_weft(file, of_mesh))}
        return [(envoy, wefts[id(pair)]["decision"], naive_authz.decide(pair.mesh.policies, pair.pod, pair.request)) for envoy, pair in zip(envoys, pairs)]


def weft(*arguments, text=None):
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")  # of a thousand processes it takes half of the time, and other tests look for leaks
    done = subprocess.run([os.path.join(rig.BIN, "weft"), *arguments], input=text, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode in (0, 1) and not done.stderr, f"weft {' '.join(arguments)} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def secrets_from_files(value, folder):
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        secrets_from_files(item, folder)
    if isinstance(value, dict) and "sdsConfig" in value:
        value["sdsConfig"] = {"pathConfigSource": {"path": os.path.join(folder, value["name"])}, "resourceApiVersion": "V3"}


def forget_logs(chain):
    for one in chain["filters"]:
        one["typedConfig"].pop("accessLog", None)


def do_agree(pair, verdicts):
    if pair.request["tcp"]:  # a connection that ends says not why
        return len({verdict == "allowed" for verdict in verdicts}) == 1
    return len(set(verdicts)) == 1


# --- the smallest that shows it


FIXED = ("apiVersion", "kind", "metadata", "spec", "key", "source", "operation")


def less(value):
    """Each way to leave one thing out, however deep."""
    for at, item in list(enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else []):
        copied = copy.copy(value)
        if at not in FIXED:
            del copied[at]
            yield copied
        if at != "metadata":
            for smaller in less(item):
                yield {**value, at: smaller} if isinstance(value, dict) else [*value[:at], smaller, *value[at + 1:]]


def is_whole(policy):
    """Whether what is left may be written so."""
    spec = policy["spec"]
    rules = spec.get("rules", [])
    parts = [part for rule in rules for place, name in (("from", "source"), ("to", "operation")) for one in rule.get(place, []) for part in [one[name]]]
    lists = [one for part in parts for one in part.values()] + [one.get(name, ["x"]) for rule in rules for one in rule.get("when", []) for name in ("values", "notValues")]
    return (bool(rules) or spec.get("action", "ALLOW") == "ALLOW") and all(parts) and all(lists) and all(len(one) > 1 for rule in rules for one in rule.get("when", [])) and \
        all(rule.get(place, ["x"]) for rule in rules for place in ("from", "to", "when")) and spec.get("selector", {"matchLabels": 1}).get("matchLabels")


def smaller_pairs(pair):
    """Those that leave most out first."""
    policies = pair.mesh.policies
    asked = [policy for policy in policies if naive_authz.is_for(policy, pair.pod)]
    if len(asked) < len(policies) or len(pair.mesh.pods) > 1:
        yield pair._replace(mesh=authz_maker.Mesh([pair.pod], asked))
    plain = {"headers": {}, "jwtClaims": None, "serverName": None, "method": "GET", "path": "/"}
    for name, value in plain.items():
        if pair.request[name] != value and not (name == "headers" and "x-forwarded-for" in pair.request["headers"]):
            yield pair._replace(request={**pair.request, name: value})
    for fewer in sorted(less(policies), key=lambda fewer: len(json.dumps(fewer))):
        if all(map(is_whole, fewer)):
            yield pair._replace(mesh=authz_maker.Mesh([pair.pod], fewer))


def smallest(judge, pair, verdicts):
    """Greedy: the first smaller one that shows a difference as well, again and again."""
    left = SHRINKS_MAX
    tries = iter(smaller_pairs(pair))
    while left > 0 and (some := list(itertools.islice(tries, SHRINKS_AT_ONCE))):
        left -= len(some)
        found = next(((one, each) for one, each in zip(some, judge.verdicts([one.mesh for one in some], some)) if not do_agree(one, each)), None)
        if found:
            pair, verdicts = found
            tries = iter(smaller_pairs(pair))
    return pair, verdicts


def describe(pair, verdicts):
    lines = [f"seed {SEED}: Envoy: {verdicts[0]}, weft: {verdicts[1]}, by the documentation: {verdicts[2]}", f"pod {json.dumps(pair.pod)}", f"request {json.dumps(pair.request)}"]
    return "\n".join(lines + [json.dumps({"name": policy["metadata"], **policy["spec"]}) for policy in pair.mesh.policies if naive_authz.is_for(policy, pair.pod)])


# --- all


class Tally:
    def __init__(self):
        self.n_policies, self.verdicts, self.different = 0, collections.Counter(), []

    def add(self, pairs, verdicts):
        for pair, each in zip(pairs, verdicts):
            self.verdicts["tcp" if pair.request["tcp"] else "http", each[2]] += 1
            if not do_agree(pair, each):
                self.different.append((pair, each))


def judge_all(judge, tally):
    for first in range(0, MESHES, BATCH):
        makers = [authz_maker.Maker(random.Random(f"{SEED}.{i}")) for i in range(first, min(first + BATCH, MESHES))]
        meshes = [maker.mesh() for maker in makers]
        pairs = [Pair(mesh, pod, maker.request(pod, mesh.policies)) for maker, mesh in zip(makers, meshes) for pod in mesh.pods for _ in range(REQUESTS)]
        tally.n_policies += sum(len(mesh.policies) for mesh in meshes)
        tally.add(pairs, judge.verdicts(meshes, pairs))
        if tally.different:
            return


def main():
    tally = Tally()
    with rig.Mesh() as mesh:
        judge = Judge(mesh)
        with tap.case(f"seed {SEED}: Envoy, weft authz check and the documentation agree on every request"):
            judge_all(judge, tally)
            n = len(tally.different)
            assert n == 0, f"{n} differ; the first, as small as it gets:\n" + describe(*smallest(judge, *tally.different[0]))
    print(f"# {tally.n_policies} policies, {sum(tally.verdicts.values())} requests: {dict(tally.verdicts)}")
    with tap.case("what was drawn is no matter of course: each verdict is given often"):
        n = sum(tally.verdicts.values())
        often = [("http", "allowed"), ("http", "denied"), ("tcp", "allowed"), ("tcp", "denied")]
        assert tally.different or all(tally.verdicts[key] * 20 > n for key in often), tally.verdicts
    tap.done()


main()

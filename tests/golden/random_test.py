#!/usr/bin/env python3
"""Whatever configuration weft accepts, Envoy must load what comes out.

Each seed makes a mesh of Services, ServiceEntries, VirtualServices, DestinationRules, Gateways, policies of access control (random_access.py) and
external authorizers whose values are drawn from the odd ends of what is valid (and some beyond: those must be reported and left out, not sent). Names and addresses come from small
pools, so that things meet: hosts, ports, addresses, wildcards, subsets. A failure names its seed; to see the documents of one:

    tests/golden/random_test.py SEED
"""
import json
import os
import random
import sys
import tempfile

import tap
from golden import envoy_load
from golden.random_access import Access
from golden.run import translate

SEEDS = range(1, 5)
DOMAIN = "default.svc.cluster.local"
PROXIES = {
    "sidecar": (f"sidecar~10.0.0.9~a-1.default~{DOMAIN}", {"NAMESPACE": "default", "ENVOY_STATUS_PORT": 15021}),
    "dual-stack sidecar": (f"sidecar~10.0.0.9~a-1.default~{DOMAIN}", {"NAMESPACE": "default", "INSTANCE_IPS": "10.0.0.9,2001:db8::9"}),
    "sidecar without redirection": (f"sidecar~10.0.0.9~a-1.default~{DOMAIN}", {"NAMESPACE": "default", "INTERCEPTION_MODE": "NONE"}),
    "sidecar with an agent": (f"sidecar~10.0.0.9~a-1.default~{DOMAIN}", {"NAMESPACE": "default", "LABELS": {"version": "v1"}, "ISTIO_VERSION": "1.0.0"}),
    "gateway": (f"router~10.0.0.8~gw-1.default~{DOMAIN}", {"NAMESPACE": "default", "LABELS": {"istio": "gw"}}),
}
NAMESPACES = ["default", "other"]
HOSTS = ["a.com", "A.com", "a.com.", "b.a.com", "c.net", "*.a.com", "*.com", "*a.com", "svc-0.default.svc.cluster.local", "svc-1"]
RULE_HOSTS = HOSTS + ["10.0.0.1", "2001:db8::1"]
PORTS = [80, 80, 81, 443, 8080, 3306, 15001, 15006, 15021, 65535]
PROTOCOLS = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS", "TCP", "MONGO", "REDIS", "MYSQL", "UDP", ""]
ADDRESSES = ["10.0.0.1", "10.0.0.0/8", "10.0.0.1/32", "0.0.0.0", "0.0.0.0/0", "127.0.0.1", "2001:db8::1", "2001:DB8:0::1", "::", "::/0", "2001:db8::/32"]
DURATIONS = ["0.001s", "1s", "315576000000s"]
TEXTS = ["/", "x", "/a b", "/a?b#c", "/ä", "/line\nbreak", "*"]
NAMES = ["x", "X-Upper_case", "x-1"]


class Maker(Access):
    """Draws one mesh. maybe() leaves a field out half of the time."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.one = self.random.choice
        self.provider = self.one(["http", "grpc"])

    def some(self, make, least=0, most=3):
        return [make() for _ in range(self.random.randint(least, most))]

    def maybe(self, **makers):
        return {name: make() for name, make in makers.items() if self.random.random() < 0.5}

    def rarely(self, value):
        return [value] if self.random.random() < 0.05 else []

    def number(self):
        return self.one([0, 1, 2, 100, 2147483647])

    def percent(self):
        return {"value": self.one([0, 0.0001, 0.1, 50, 99.9999, 100])}

    def labels(self):
        return {"version": self.one(["v1", "v2"])}

    def string_match(self):
        return self.one([{"exact": self.one(TEXTS)}, {"prefix": self.one(TEXTS)}, {"regex": self.one([".*", "/[a-z]+", "a|b"])}])

    def string_matches(self):
        return {self.one(NAMES): self.string_match() for _ in range(self.random.randint(0, 2))}

    def service(self, i):
        port = lambda n: {"name": f"{self.one(['http', 'grpc', 'tcp', 'x', 'redis', 'udp'])}-{n}", "port": self.one(PORTS), "targetPort": self.one(PORTS), "protocol": self.one(["TCP", "TCP", "UDP"])}
        spec = {"clusterIP": self.one(["None", f"10.0.0.{i + 1}", "10.0.0.1", "2001:db8::1"]), "ports": [port(n) for n in range(self.random.randint(0, 4))]}
        if self.random.random() < 0.2:
            spec = {"type": "ExternalName", "externalName": self.one(["a.com", "svc-0.default.svc.cluster.local", "A.com."]), "ports": spec["ports"]}
        return "v1", "Service", spec

    def workload(self, addresses):
        address = self.one(addresses)
        return {"address": address, **self.maybe(weight=lambda: self.one([0, 1, 4294967295]), labels=self.labels, locality=lambda: self.one(["r", "r/z", "r/z/s", "/"]), network=lambda: "n")}

    def service_entry(self, _):
        port = lambda n: {"number": self.one(PORTS), "name": f"p-{n}", "protocol": self.one(PROTOCOLS), **self.maybe(targetPort=lambda: self.one(PORTS))}
        ports = [port(n) for n in range(self.random.randint(1, 3))]
        resolution = self.one(["NONE", "STATIC", "STATIC", "DNS", "DNS_ROUND_ROBIN"])
        is_dns = resolution.startswith("DNS")
        addresses = [address for address in ADDRESSES if not is_dns or "/" not in address]
        endpoints = ["10.0.0.9", "10.0.0.7", "2001:db8::7"]
        if is_dns:
            endpoints.append("c.com")
        elif len(ports) == 1:
            endpoints += ["unix:///run/x", "unix://@x", "unix:///" + "x" * 120]
        most = {"NONE": 0, "DNS_ROUND_ROBIN": 1}.get(resolution, 4)
        return "networking.istio.io/v1", "ServiceEntry", {
            "hosts": self.some(lambda: self.one(HOSTS), 1, self.one([1, 1, 2])), "ports": ports, "resolution": resolution, "location": self.one(["MESH_EXTERNAL", "MESH_INTERNAL"]),
            **self.maybe(addresses=lambda: self.some(lambda: self.one(addresses)), endpoints=lambda: self.some(lambda: self.workload(endpoints), is_dns and 1, most))}

    def destination(self):
        return {"host": self.one(HOSTS), **self.maybe(subset=lambda: self.one(["v1", "v2", "missing"]), port=lambda: {"number": self.one(PORTS)})}

    def headers(self):
        operations = lambda: self.maybe(set=lambda: {f"x-{n}": "v" for n in range(1001)} if self.rarely(1) else {self.one(NAMES + ["host"]): self.one(["", "x", "/ä", "%REQ(x)%"])}, add=lambda: {self.one(NAMES): self.one(["%REQ(x)%", "100%%"])}, remove=lambda: [self.one(NAMES)])
        return self.maybe(request=operations, response=operations)

    def action(self):
        kind = self.random.random()
        if kind < 0.2:
            return {"redirect": {**self.maybe(uri=lambda: self.one(TEXTS), authority=lambda: self.one(TEXTS), scheme=lambda: self.one(["http", "https"]), redirectCode=lambda: self.one([301, 302, 308])),
                                 **self.one([{}, {"port": self.one(PORTS)}, {"derivePort": "FROM_REQUEST_PORT"}, {"derivePort": "FROM_PROTOCOL_DEFAULT"}, {"prefixRewrite": self.one(TEXTS)}])}}
        if kind < 0.3:
            return {"directResponse": {"status": self.one([200, 204, 599, 600]), **self.maybe(body=lambda: {"string": self.one(["", "x", "x" * 100000])})}}
        return {"route": self.some(lambda: {"destination": self.destination(), "weight": self.one([1, 100, 2147483647]), **self.maybe(headers=self.headers)}, 1),
                **self.maybe(rewrite=lambda: self.one([{"uri": self.one(TEXTS)}, {"authority": self.one(TEXTS)}, {"uriRegexRewrite": {"match": "/(.*)", "rewrite": self.one(TEXTS + ["\\1", "\\9"])}}]),
                             timeout=lambda: self.one(DURATIONS), mirror=self.destination, mirrorPercentage=self.percent,
                             retries=lambda: {"attempts": self.one([1, 2147483647]), **self.maybe(perTryTimeout=lambda: self.one(DURATIONS), backoff=lambda: self.one(DURATIONS), retryOn=lambda: self.one(["503", "5xx,reset,404", "retriable-status-codes"]), retryIgnorePreviousHosts=lambda: True, retryRemoteLocalities=lambda: True)},
                             fault=lambda: dict(delay={"fixedDelay": self.one(DURATIONS), "percentage": self.percent()}, **self.maybe(abort=lambda: {"percentage": self.percent(), **self.one([{"httpStatus": self.one([200, 599, 600])}, {"grpcStatus": "OK"}])})))}

    def route(self):
        match = lambda: self.maybe(uri=self.string_match, ignoreUriCase=lambda: True, headers=self.string_matches, withoutHeaders=self.string_matches, queryParams=lambda: {"x": self.string_match(), **{name: {"exact": "x"} for name in self.rarely("")}},
                                   method=self.string_match, authority=self.string_match, port=lambda: self.one(PORTS), gateways=lambda: [self.one(["mesh", "g-0", "g-1"])])
        cors = lambda: self.maybe(allowOrigins=lambda: self.some(self.string_match), allowMethods=lambda: ["GET"], allowHeaders=lambda: ["*"], maxAge=lambda: self.one(["1s", "315576000000s"]))
        return {**self.action(), **self.maybe(match=lambda: self.some(match), headers=self.headers, corsPolicy=cors)}

    def connection_route(self, names):
        """Of TLS by names in handshakes, of TCP without."""
        match = lambda: {**({"sniHosts": self.some(lambda: self.one(names), 1, 2)} if names else {}),
                         **self.maybe(destinationSubnets=lambda: self.some(lambda: self.one(ADDRESSES), 1), port=lambda: self.one(PORTS), sourceLabels=self.labels, gateways=lambda: [self.one(["mesh", "g-0"])])}
        return {"match": self.some(match, 1 if names else 0), "route": self.some(lambda: {"destination": self.destination(), "weight": self.one([1, 100, 2147483647])}, 1)}

    def virtual_service(self, _):
        hosts = self.random.sample(RULE_HOSTS, self.random.choice([1, 1, 2]))
        names = [host for host in hosts if host not in ("10.0.0.1", "2001:db8::1")]
        return "networking.istio.io/v1", "VirtualService", {
            "hosts": hosts, "http": self.some(self.route, 1, 4), **self.maybe(gateways=lambda: self.random.sample(["mesh", "g-0", "g-1", "g-2"], 2)),
            **self.maybe(tcp=lambda: self.some(lambda: self.connection_route([]), 1)), **(self.maybe(tls=lambda: self.some(lambda: self.connection_route(names), 1)) if names else {})}

    def balancer(self):
        key = self.one([{"httpHeaderName": self.one(NAMES + [""])}, {"httpQueryParameterName": self.one(NAMES + [""])}, {"useSourceIp": True}, {"httpCookie": {"name": self.one(["x", "a b"]), **self.maybe(path=lambda: "/", ttl=lambda: self.one(["0s"] + DURATIONS))}}])
        size = self.one([{}, {"ringHash": {"minimumRingSize": self.one([0, 1, 8388608])}}, {"maglev": {"tableSize": self.one([1, 2, 65537])}}])
        simple = {"simple": self.one(["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "PASSTHROUGH", "UNSPECIFIED"]), **self.maybe(warmup=lambda: {"duration": self.one(DURATIONS), "minimumPercent": self.one([0, 1, 100]), "aggression": self.one([1, 1e300])})}
        return self.one([simple, {"consistentHash": {**key, **size}}])

    def policy(self):
        tcp = lambda: {"maxConnections": self.number(), "connectTimeout": self.one(DURATIONS), **self.maybe(idleTimeout=lambda: self.one(["0s"] + DURATIONS), maxConnectionDuration=lambda: self.one(DURATIONS), tcpKeepalive=lambda: {"probes": 4294967295, "time": self.one(DURATIONS)})}
        http = lambda: self.maybe(http1MaxPendingRequests=self.number, maxRequestsPerConnection=self.number, maxConcurrentStreams=self.number, h2UpgradePolicy=lambda: self.one(["UPGRADE", "DO_NOT_UPGRADE"]), idleTimeout=lambda: self.one(DURATIONS))
        outlier = lambda: self.maybe(consecutive5xxErrors=lambda: self.one([0, 4294967295]), interval=lambda: self.one(DURATIONS), baseEjectionTime=lambda: self.one(DURATIONS), maxEjectionPercent=lambda: self.one([0, 100]), minHealthPercent=lambda: self.one([0, 100]))
        return {"loadBalancer": self.balancer(), **self.maybe(connectionPool=lambda: {"tcp": tcp(), "http": http()}, outlierDetection=outlier)}

    def destination_rule(self, _):
        subset = lambda name: {"name": name, "labels": self.labels(), **self.maybe(trafficPolicy=self.policy)}
        ports = lambda: self.some(lambda: {"port": {"number": self.one(PORTS)}, **self.policy()})
        return "networking.istio.io/v1", "DestinationRule", {"host": self.one(HOSTS), "trafficPolicy": {**self.policy(), **self.maybe(portLevelSettings=ports)}, "subsets": [subset("v1"), subset("v2")]}

    def gateway(self, _):
        host = lambda: self.one(["*", "*/*", "*.a.com", "A.com", "a.com", "./a.com", "10.0.0.1", "b.a.com"])
        server = lambda n: {"port": {"number": self.one(PORTS), "name": f"p-{n}", "protocol": self.one(["HTTP", "HTTP2", "GRPC", "HTTP"])}, "hosts": self.some(host, 1),
                            **self.maybe(bind=lambda: self.one(["0.0.0.0", "::", "::1", "0:0:0:0:0:0:0:1", "127.0.0.1"]), tls=lambda: {"httpsRedirect": True})}
        passed = lambda n: {"port": {"number": self.one([443, 15443]), "name": f"passed-{n}", "protocol": self.one(["TLS", "HTTPS"])}, "hosts": self.some(host, 1), "tls": {"mode": self.one(["PASSTHROUGH", "AUTO_PASSTHROUGH"])}}
        return "networking.istio.io/v1", "Gateway", {"selector": {"istio": "gw"}, "servers": [self.one([server, passed])(n) for n in range(self.random.randint(1, 4))]}

    def peer_authentication(self, _):
        mode = lambda: {"mode": self.one(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"])}
        ports = lambda: {str(self.one(PORTS)): mode() for _ in range(self.random.randint(1, 5))}
        selected = {"selector": {"matchLabels": self.labels()}, **self.maybe(portLevelMtls=ports)}
        return "security.istio.io/v1", "PeerAuthentication", {**self.maybe(mtls=mode), **self.one([{}, selected])}

    def mesh(self):
        kinds = {"svc": (self.service, 8), "se": (self.service_entry, 12), "vs": (self.virtual_service, 16), "dr": (self.destination_rule, 10), "g": (self.gateway, 3), "pa": (self.peer_authentication, 6),
                 "ap": (self.authorization_policy, 12), "ra": (self.request_authentication, 4)}
        for prefix, (make, n) in kinds.items():
            for i in range(n):
                version, kind, spec = make(i)
                namespace = "default" if prefix == "svc" else self.one(NAMESPACES)
                yield {"apiVersion": version, "kind": kind, "metadata": {"name": f"{prefix}-{i}", "namespace": namespace}, "spec": spec}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "authorizer", "namespace": "other"}, "spec": {"clusterIP": "10.0.1.1", "ports": [{"name": self.one(["grpc", "http", "x"]), "port": 9000}]}}
        settings = {"dnsRefreshRate": self.one(DURATIONS), "connectTimeout": self.one(DURATIONS), "proxyListenPort": self.one([0, 80, 15006, 15001]),
                    "extensionProviders": self.providers("other/authorizer.other.svc.cluster.local"), "pathNormalization": {"normalization": self.one(["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"])}, **self.maybe(trustDomainAliases=lambda: ["other.td", "*-td", "td"]),
                    "defaultConfig": {"proxyMetadata": {"ISTIO_DUAL_STACK": self.one(["true", "false"])}}}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": json.dumps(settings)}}


def text_of(seed):
    return "\n---\n".join(json.dumps(document) for document in Maker(seed).mesh())


def main():
    if len(sys.argv) > 1:
        print(text_of(int(sys.argv[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "config.yaml")
        for seed in SEEDS:
            with open(file, "w", encoding="utf-8") as out:
                out.write(text_of(seed))
            for name, (node, meta) in PROXIES.items():
                with tap.case(f"seed {seed}: Envoy loads what a {name} gets"):
                    envoy_load.validate(json.loads(translate(file, node, json.dumps(meta))))
    tap.done()


if __name__ == "__main__":
    main()

"""A gateway with services behind it, for scenarios about tokens."""
import http.client

import mesh
import tap
import traffic

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shop, namespace: default}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: PORT, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""
SERVICE = """---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: NAME, namespace: default}
spec:
  hosts: [NAME.internal]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: TARGET}]
  endpoints: [{address: 127.0.0.1}]
"""
ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec: {hosts: ["*"], gateways: [shop], http: [{route: [{destination: {host: shop.internal}}]}]}
"""


class Shop(mesh.Mesh):
    """Services NAME.internal; the routes are the scenario's, unless there is one service, "shop"."""

    def __init__(self, is_delta, services=("shop",)):
        super().__init__()
        self.is_delta = is_delta
        self.port = mesh.free_port()
        self.backends = {name: self.own(traffic.Backend(name, "127.0.0.1", mesh.free_port())) for name in services}
        self.write("gateway.yaml", GATEWAY.replace("PORT", str(self.port)) + "".join(
            SERVICE.replace("NAME", name).replace("TARGET", str(backend.port)) for name, backend in self.backends.items()))
        if services == ("shop",):
            self.write("route.yaml", ROUTE)

    def open(self, server):
        """The gateway's proxy, served by that weftd."""
        self.server = server
        self.envoy = self.gateway(server, self.is_delta)
        self.envoy.wait_listening(self.port)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def exchange(self, target="/", headers=(), method="GET", connection=None):
        """(status, body). headers: (name, value) pairs, as they are sent; a connection that is given is kept."""
        used = connection or self.connect()
        try:
            used.putrequest(method, target)
            for name, value in headers:
                used.putheader(name, value)
            used.endheaders()
            answer = used.getresponse()
            return answer.status, answer.read().decode()
        finally:
            if not connection:
                used.close()

    def last_head(self):
        """The head of the last request that the one service got."""
        return self.backends["shop"].last_head


def bearer(token):
    """Its header, as pairs; None: no token."""
    return [("Authorization", f"Bearer {token}")] if token else []


def run(make, checks):
    """Each check, (name, function of a shop), in both forms of xDS. make: is_delta to a shop."""
    for form, is_delta in (("state of the world", False), ("delta", True)):
        with make(is_delta) as shop:
            for name, check in checks:
                with tap.case(f"{form}: {name}"):
                    check(shop)

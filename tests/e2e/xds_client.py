"""An xDS client by hand, for tests that need what no Envoy does.

    client = Client(port)                                  state of the world; Client(port, "DeltaAggregatedResources") for delta
    client = Client(tls_port, credentials=cert_client.credentials(roots, identity), options=cert_client.options(), token=token)
    client.send(discovery_pb2.DiscoveryRequest(node=node(), type_url=CDS))
    response = client.read()

Requests may be messages or bytes, so that they can be anything.
"""
import threading

import grpc
from envoy.service.discovery.v3 import discovery_pb2

ADS = "/envoy.service.discovery.v3.AggregatedDiscoveryService/"
CDS, EDS, LDS, RDS, SDS = ("type.googleapis.com/" + name for name in (
    "envoy.config.cluster.v3.Cluster", "envoy.config.endpoint.v3.ClusterLoadAssignment", "envoy.config.listener.v3.Listener",
    "envoy.config.route.v3.RouteConfiguration", "envoy.extensions.transport_sockets.tls.v3.Secret"))


class Client:
    """A stream whose requests are bytes, so that they can be anything. method: of ADS, or with its path of any other service."""

    def __init__(self, port, method="StreamAggregatedResources", options=(), credentials=None, token=None):
        address, options = f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1), *options]
        self.channel = grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options)
        metadata = [("authorization", f"Bearer {token}")] if token else []
        self._queue, self._ready, self._is_open = [], threading.Condition(), True
        self.responses = self.channel.stream_stream(method if method[0] == "/" else ADS + method)(self._requests(), metadata=metadata)

    def _requests(self):
        while True:
            with self._ready:
                while self._is_open and not self._queue:
                    self._ready.wait()
                if not self._queue:
                    return
                request = self._queue.pop(0)
            yield request

    def send(self, *requests):
        with self._ready:
            self._queue += [r if isinstance(r, bytes) else r.SerializeToString() for r in requests]
            self._ready.notify()

    def read(self, kind=discovery_pb2.DiscoveryResponse):
        return kind.FromString(next(self.responses))

    def end(self):
        """The status with which the server ended the stream (None: it did not within 20 s)."""
        result = []

        def drain():
            try:
                for _ in self.responses:
                    pass
                result.append(grpc.StatusCode.OK)
            except grpc.RpcError as error:
                result.append(error.code())
        thread = threading.Thread(target=drain, daemon=True)
        thread.start()
        thread.join(20)
        return result[0] if result else None

    def close(self):
        with self._ready:
            self._is_open = False
            self._ready.notify()
        self.responses.cancel()
        self.channel.close()


def node(name="client-1"):
    message = discovery_pb2.DiscoveryRequest().node
    message.id = f"sidecar~10.9.9.9~{name}.default~default.svc.cluster.local"
    message.metadata.update({"NAMESPACE": "default"})
    return message

#!/usr/bin/env python3
"""Clients that do not play by the protocol: weftd neither dies nor grows without bound, and a well-behaved proxy beside them
goes on getting its changes."""
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grpc  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402
from envoy.service.discovery.v3 import discovery_pb2  # noqa: E402
from xds_client import ADS, CDS, EDS, Client, node  # noqa: E402

HOST = "hello.example.com"
SERVICES = 2000  # so that one proxy's configuration is some megabytes
RSS_SLACK = 400 << 20  # sanitizers keep freed memory for a while: this is "bounded", not "small"


def deep_struct(depth):
    """A Struct nested `depth` deep, as wire bytes (the library would refuse to build it)."""
    value = b""
    for _ in range(depth):
        fields = b"\x0a" + varint(1) + b"a" + b"\x12" + varint(len(value)) + value  # map entry: key "a", value
        struct_bytes = b"\x0a" + varint(len(fields)) + fields
        value = b"\x2a" + varint(len(struct_bytes)) + struct_bytes  # Value.struct_value
    fields = b"\x0a\x01a\x12" + varint(len(value)) + value
    return b"\x0a" + varint(len(fields)) + fields


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def rss(weftd):
    with open(f"/proc/{weftd.process.pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmRSS"))


def garbage_frames(port):
    for i in range(200):
        with socket.create_connection(("127.0.0.1", port)) as s:
            try:
                if i % 3 == 0:
                    s.sendall(os.urandom(4096))
                elif i % 3 == 1:  # a proper preface, then nonsense frames
                    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">I", 0)[1:] + b"\x04\x00\x00\x00\x00\x00" + os.urandom(4096))
                else:  # a frame that claims 16 MB
                    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + b"x" * 1024)
                s.settimeout(0.05)
                s.recv(1024)
            except OSError:
                pass


def garbage_messages(port):
    for i in range(100):
        client = Client(port)
        client.send(os.urandom(1 + i * 7))
        assert client.end() is not None, "a stream of garbage was kept open"
        client.close()


def wrong_nonces(port):
    client = Client(port)
    client.send(discovery_pb2.DiscoveryRequest(node=node(), type_url=CDS))
    first = client.read()
    for i in range(1000):
        client.send(discovery_pb2.DiscoveryRequest(type_url=CDS, version_info=f"v{i}", response_nonce=f"nonsense-{i}"))
    client.send(discovery_pb2.DiscoveryRequest(type_url=CDS, version_info=first.version_info, response_nonce=first.nonce))
    client.close()


def unknown_types(port):
    client = Client(port)
    client.send(discovery_pb2.DiscoveryRequest(node=node(), type_url="type.googleapis.com/no.such.Type"))
    for i in range(1000):
        client.send(discovery_pb2.DiscoveryRequest(type_url=f"type.googleapis.com/no.such.Type{i}"))
    client.send(discovery_pb2.DiscoveryRequest(type_url=CDS))
    assert client.read().type_url == CDS, "a type it knows is answered all the same"
    client.close()


def many_names(port):
    for method, request in (("StreamAggregatedResources", lambda names: discovery_pb2.DiscoveryRequest(node=node(), type_url=EDS, resource_names=names)),
                            ("DeltaAggregatedResources", lambda names: discovery_pb2.DeltaDiscoveryRequest(node=node(), type_url=EDS, resource_names_subscribe=names))):
        client = Client(port, method)
        client.send(request([f"outbound|80||name-{i}.example.com" for i in range(100_000)]))
        assert client.end() not in (None, grpc.StatusCode.OK), "100,000 names were accepted"
        client.close()
        client = Client(port, method)  # the same, bit by bit
        client.send(*[request([f"outbound|80||name-{i}-{j}.example.com" for j in range(1000)]) for i in range(100)])
        client.end() if method.startswith("Delta") else time.sleep(0)
        client.close()


def deep_structs(port):
    for depth in (100, 10_000, 100_000):
        metadata = deep_struct(depth)
        identity = b"sidecar~10.9.9.9~x.default~default.svc.cluster.local"
        body = b"\x0a" + varint(len(identity)) + identity + b"\x1a" + varint(len(metadata)) + metadata
        client = Client(port)
        client.send(b"\x12" + varint(len(body)) + body + b"\x22" + varint(len(CDS)) + CDS.encode())
        assert client.end() not in (None, grpc.StatusCode.OK), f"a Struct {depth} deep was accepted"
        client.close()


def bad_nodes(port):
    for identity in ("", "~~~", "sidecar", "sidecar~1.1.1.1~a", "nobody~1.1.1.1~a.b~c", "sidecar~not-an-ip~a.b~c", "x" * 100_000, "sidecar~1.1.1.1~a.b~c~d"):
        client = Client(port)
        request = discovery_pb2.DiscoveryRequest(type_url=CDS)
        request.node.id = identity
        client.send(request)
        assert client.end() not in (None, grpc.StatusCode.OK), f"node id {identity[:40]!r} was accepted"
        client.close()
    client = Client(port)
    client.send(discovery_pb2.DiscoveryRequest(type_url=CDS))
    assert client.end() not in (None, grpc.StatusCode.OK), "a first request without a node was accepted"
    client.close()
    client = Client(port)
    request = discovery_pb2.DiscoveryRequest(node=node(), type_url=CDS)
    request.node.metadata.update({f"k{i}": "v" * 1000 for i in range(3000)})
    client.send(request)
    assert client.end() not in (None, grpc.StatusCode.OK), "3 MB of metadata were accepted"
    client.close()


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def raw_stream(port, *requests):
    """An ADS stream by hand, on a socket that is never read and whose windows never grow: what a library would not do."""
    def text(s):
        return bytes([len(s)]) + s.encode()
    headers = {":method": "POST", ":scheme": "http", ":path": ADS + "StreamAggregatedResources", ":authority": "weftd",
               "content-type": "application/grpc", "te": "trailers"}
    block = b"".join(b"\x00" + text(name) + text(value) for name, value in headers.items())  # literals, no index, no Huffman
    data = b"".join(b"\x00" + struct.pack(">I", len(r)) + r for r in (request.SerializeToString() for request in requests))
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    chunks = [data[i:i + 16384] for i in range(0, len(data), 16384)]
    assert len(data) < 65535, "the server's first window"
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, block) + b"".join(frame(0, 0, 1, chunk) for chunk in chunks))
    return connection


def stalled_readers(port):
    """Proxies that ask for everything and read nothing: what is held for them is bounded, and they are put out."""
    before = weftd.metrics()["weft_xds_stalled_streams_total"]
    connections = [raw_stream(port, discovery_pb2.DiscoveryRequest(node=node(f"stalled-{i}"), type_url=CDS)) for i in range(100)]
    mesh_rig.wait_for("the stalled streams to be put out", lambda: weftd.metrics()["weft_xds_stalled_streams_total"] >= before + len(connections))
    for connection in connections:
        connection.close()


def storm(port):
    """Connects and disconnects as fast as it goes, from several threads."""
    def run():
        for i in range(100):
            client = Client(port)
            client.send(discovery_pb2.DiscoveryRequest(node=node(f"storm-{i}"), type_url=CDS))
            if i % 2:
                client.read()
            client.close()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def many_streams(port):
    """More streams over one connection than a proxy ever needs."""
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
    calls = [channel.stream_stream(ADS + "StreamAggregatedResources")(iter(())) for _ in range(2000)]
    for call in calls:
        call.cancel()
    channel.close()


ATTACKS = [garbage_frames, garbage_messages, wrong_nonces, unknown_types, many_names, deep_structs, bad_nodes, stalled_readers, storm, many_streams]

with mesh_rig.Mesh(os.path.join(mesh_rig.ROOT, "examples", "canary")) as mesh:
    port = mesh_rig.free_port()
    mesh.edit("gateway.yaml", "number: 8080", f"number: {port}")
    for name, address in (("v1", "127.0.0.11"), ("v2", "127.0.0.12")):
        mesh.own(traffic.Backend(name, address, 9080))
    mesh.write("many.yaml", "".join(f"""---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: service-{i}, namespace: default}}
spec: {{hosts: [service-{i}.internal], location: MESH_INTERNAL, resolution: STATIC, ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: [{{address: 10.0.{i // 250}.{i % 250 + 1}}}]}}
""" for i in range(SERVICES)))
    weftd = mesh.weftd(arguments=["--stalled-seconds", "3"])
    envoy = mesh.gateway(weftd, is_delta=True)
    envoy.wait_listening(port)
    to = "v1"
    for attack in ATTACKS:
        with tap.case(attack.__name__.replace("_", " ")):
            before = rss(weftd)
            attack(weftd.xds_port)
            weftd.check()
            grown = rss(weftd) - before
            print(f"# {attack.__name__}: {grown >> 20} MiB")
            assert grown < RSS_SLACK, f"weftd grew by {grown >> 20} MiB"
            # the well-behaved proxy gets a change within the usual time
            to = "v1" if to == "v2" else "v2"
            text = mesh.read("virtual-service.yaml")
            head = text[: text.index("    route:")]
            mesh.write("virtual-service.yaml", head + f"""    route:
    - destination: {{host: hello.internal, subset: v1}}
      weight: {'0' if to == 'v2' else '100'}
    - destination: {{host: hello.internal, subset: v2}}
      weight: {'100' if to == 'v2' else '0'}
""")
            mesh_rig.wait_for(f"all traffic at {to}", lambda: set(traffic.send(port, 20, host=HOST)) == {to})
    with tap.case("once they are gone, only the proxy is connected and weftd ends in order"):
        mesh_rig.wait_for("the streams to go", lambda: weftd.metrics()["weft_proxies"] == 1, timeout_s=90)
        assert weftd.stop() == 0, weftd.log()[-3000:]
tap.done()

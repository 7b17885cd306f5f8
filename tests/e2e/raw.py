"""HTTP byte by byte, for what no client library would send: who asks in a pod's network with any certificate, and an application that keeps
what reached it.

    app = raw.Application(pod, 8080)                               in the pod, behind its sidecar
    friend = raw.Certificate(cluster, "spiffe://cluster.local/ns/default/sa/friend")
    raw.ask(pod, (ip, 8080), b"GET / HTTP/1.1\\r\\n…", friend)       the answer, as bytes; over mutual TLS if there is a certificate
    app.take()                                                     the heads that came, each as bytes, and forgets them
"""
import os
import socket
import ssl
import subprocess
import threading

HTTP, HTTP2 = ["istio-http/1.1", "istio", "http/1.1"], ["istio-h2", "istio", "h2"]
TIMEOUT_S = 10


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Application:
    """Answers every request with 200; a body is what the head says, by RFC 9112, and what follows it is the next request."""

    def __init__(self, pod, port):
        self._heads, self._lock = [], threading.Lock()
        with pod.network():
            self._listener = socket.create_server(("0.0.0.0", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, connection.makefile("rb") as stream:
            while head := read_head(stream):
                read_body(stream, head)
                with self._lock:
                    self._heads.append(head)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    def take(self):
        with self._lock:
            heads, self._heads = self._heads, []
        return heads


def read_head(stream):
    """Empty when nothing more comes."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    return head


def header(head, name):
    """All values, in order."""
    pairs = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    return [value.strip() for key, _, value in pairs if key.lower() == name]


def read_body(stream, head):
    if header(head, b"transfer-encoding"):
        while size := int(stream.readline(), 16):
            stream.read(size + 2)
        stream.readline()
    else:
        stream.read(int((header(head, b"content-length") or [b"0"])[0]))


class Certificate:
    """By the mesh's own root, whatever the name."""

    def __init__(self, cluster, uri):
        root, folder = cluster.roots(), os.path.join(cluster.folder, f"minted-{len(os.listdir(cluster.folder))}")
        os.mkdir(folder)
        path = lambda name: os.path.join(folder, name)
        with open(path("extensions"), "w", encoding="utf-8") as out:
            out.write(f"subjectAltName=critical,URI:{uri}\nextendedKeyUsage=clientAuth,serverAuth\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-keyout", path("key.pem"), "-out", path("csr.pem"))
        openssl("x509", "-req", "-in", path("csr.pem"), "-CA", root, "-CAkey", os.path.join(os.path.dirname(root), "ca-key.pem"), "-set_serial", "1", "-days", "1",
                "-extfile", path("extensions"), "-out", path("cert.pem"))
        self.file, self.key, self.root = path("cert.pem"), path("key.pem"), root

    def wrap(self, connection, alpn):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.root)
        context.load_cert_chain(self.file, self.key)
        context.set_alpn_protocols(alpn)
        return context.wrap_socket(connection)


def connect(pod, address, certificate=None, alpn=HTTP):
    with pod.network():
        connection = socket.create_connection(address, timeout=TIMEOUT_S)
    return certificate.wrap(connection, alpn) if certificate else connection


def ask(pod, address, said, certificate=None):
    """The status of the answer, 0 when the connection ends without one."""
    try:
        with connect(pod, address, certificate) as connection:
            connection.sendall(said)
            with connection.makefile("rb") as stream:
                head = read_head(stream)
                read_body(stream, head)
                return int(head.split(b" ", 2)[1]) if head else 0
    except TimeoutError:
        raise
    except OSError:
        return 0


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def ask_http2(pod, address, headers, certificate):
    """One request with these headers, as they stand; waits until the stream or the connection has its end."""
    text = lambda value: bytes([len(value)]) + value  # shorter than 127 bytes, not Huffman-coded
    block = b"".join(b"\0" + text(name) + text(value) for name, value in headers)
    with connect(pod, address, certificate, HTTP2) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 5, 1, block))
        with connection.makefile("rb") as stream:
            while head := stream.read(9):
                kind, flags, stream_id = head[3], head[4], int.from_bytes(head[5:], "big")
                stream.read(int.from_bytes(head[:3], "big"))
                if kind == 7 or stream_id == 1 and (kind == 3 or kind in (0, 1) and flags & 1):
                    return

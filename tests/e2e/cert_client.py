"""A client of the certificate service by hand: keys and requests by openssl, calls by grpc, messages byte by byte. It is nobody's agent, so that
tests can ask for what no agent asks.

    key = cert_client.Key(folder, "a")
    chain = cert_client.ask(port, roots, key.request(), token=token)          PEMs; raises grpc.RpcError
    chain = cert_client.ask(port, roots, key.request(), identity=(key, chain))

As a program of its own, for a client by another clock: {"port", "roots", "token", "key" (path), "chain"} as JSON on standard input, {"code", "words",
"chain"} on standard output.
"""
import calendar
import json
import os
import subprocess
import sys
import time

import grpc

PATH = "/istio.v1.auth.IstioCertificateService/CreateCertificate"


def openssl(*arguments, stdin=None):
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr}"
    return done.stdout


class Key:
    def __init__(self, folder, name, algorithm=("EC", "ec_paramgen_curve:P-256")):
        """A file that is there is read."""
        self.path = os.path.join(folder, f"{name}.key")
        if not os.path.exists(self.path):
            openssl("genpkey", "-algorithm", algorithm[0], "-pkeyopt", algorithm[1], "-out", self.path)
        with open(self.path, encoding="utf-8") as file:
            self.pem = file.read()

    def request(self, names=None):
        """A certificate request in PEM; names: "URI:spiffe://…"."""
        return openssl("req", "-new", "-key", self.path, "-subj", "/", *(["-addext", f"subjectAltName={names}"] if names else []))


def _varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    """A string, bytes, or a number."""
    if isinstance(data, int):
        return _varint(number << 3) + _varint(data)
    data = data.encode() if isinstance(data, str) else data
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def struct(**members):
    """google.protobuf.Struct of strings."""
    return b"".join(field(1, field(1, name) + field(2, field(3, value))) for name, value in members.items())


def _strings(data):
    found, at = [], 0
    while at < len(data):
        assert data[at] == 10, data[at:at + 20]
        at, n, shift = at + 1, 0, 0
        while True:
            n |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                break
        found.append(data[at:at + n].decode())
        at += n
    return found


def credentials(roots, identity=None):
    """identity: (Key, chain) for mutual TLS; the chain's last is a root and stays at home."""
    pair = (identity[0].pem.encode(), "".join(identity[1][:-1]).encode()) if identity else (None, None)
    return grpc.ssl_channel_credentials(roots.encode(), *pair)


def options(name="istiod.istio-system.svc"):
    """Of a channel of its own to who is called so."""
    return [("grpc.ssl_target_name_override", name), ("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]


def call(port, roots, message, token=None, identity=None, timeout_s=20, path=PATH, name="istiod.istio-system.svc"):
    metadata = [("authorization", f"Bearer {token}")] if token is not None else []
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials(roots, identity), options(name)) as channel:
        method = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
        return method(message, metadata=metadata, timeout=timeout_s)


def ask(port, roots, request, ttl_s=0, metadata=None, **options):
    """The chain: the certificate, what lies between, the roots in the last."""
    message = field(1, request) + (field(3, ttl_s) if ttl_s else b"") + (field(4, metadata) if metadata else b"")
    return _strings(call(port, roots, message, **options))


def names(certificate):
    return openssl("x509", "-noout", "-ext", "subjectAltName", stdin=certificate).strip().splitlines()[-1].strip()


def times(certificate):
    """(begin, end), in seconds since 1970"""
    dates = openssl("x509", "-noout", "-startdate", "-enddate", stdin=certificate).split("\n")
    return tuple(calendar.timegm(time.strptime(date.split("=")[1], "%b %d %H:%M:%S %Y GMT")) for date in dates[:2])


def main():
    question = json.load(sys.stdin)
    folder, name = os.path.split(question["key"])
    key = Key(folder, name.removesuffix(".key"))
    identity = (key, question["chain"]) if question["chain"] else None
    answer = {"code": "OK", "words": "", "chain": []}
    try:
        answer["chain"] = ask(question["port"], question["roots"], key.request(), token=question["token"], identity=identity)
    except grpc.RpcError as error:
        answer["code"], answer["words"] = error.code().name, error.details()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

"""A token issuer for tests: keys made by openssl, tokens signed with them, and a web server that has what issuers publish.

    key = Key("k1")
    with Site() as site:
        site.pages["/keys"] = jwks(key)                a page; a str is a redirect to that URL
        key.token({"iss": site.url, "sub": "ann"})     for an hour, unless the claims say otherwise
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


class Key:
    """RSA, 2048 bits: a new one, or the one of the PEM."""

    def __init__(self, kid, pem=None):
        self.kid = kid
        self._pem = pem or _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        modulus = _openssl("rsa", "-noout", "-modulus", data=self._pem).decode().strip().partition("=")[2]
        self._n = bytes.fromhex(modulus)

    def public(self):
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": base64url(self._n), "e": "AQAB"}

    def token(self, claims):
        head = {"alg": "RS256", "typ": "JWT", "kid": self.kid}
        claims = {"exp": int(time.time()) + 3600, **claims}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (head, claims))
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(self._pem)
            pem.flush()
            return text + "." + base64url(_openssl("dgst", "-sha256", "-sign", pem.name, data=text.encode()))


def jwks(*keys):
    return {"keys": [key.public() for key in keys]}


def certificate(folder, name, issuer=None, address=None):
    """The name of a PEM file in the folder, with NAME.key beside it: an authority, or for the server at an address."""
    path, key = (os.path.join(folder, f"{name}.{ending}") for ending in ("pem", "key"))
    by = ["-CA", issuer, "-CAkey", issuer.removesuffix("pem") + "key"] if issuer else []
    usage = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName=IP:{address}"] if address else ["-addext", "basicConstraints=critical,CA:TRUE"]
    _openssl("req", "-x509", *by, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", path, "-days", "2", "-subj", f"/CN={name}", *usage)
    return path


class Site:
    """http://127.0.0.1:PORT, or https with the file of a certificate; what is not among the pages is 404. With a port it may come back where it was."""

    def __init__(self, port=0, tls=None):
        self.pages, self.asked = {}, []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 (the library's name)
                site.asked.append(self.path)
                page = site.pages.get(self.path)
                self.send_response(404 if page is None else 302 if isinstance(page, str) else 200)
                body = b"" if page is None or isinstance(page, str) else page if isinstance(page, bytes) else json.dumps(page).encode()
                if isinstance(page, str):
                    self.send_header("location", page)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls, tls.removesuffix("pem") + "key")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
            self._server.handle_error = lambda *_: None  # clients that do not believe it
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

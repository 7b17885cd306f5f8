"""A token issuer for tests: keys made by openssl, tokens signed with them, and a web server that has what issuers publish.

    key = Key("k1")
    with Site() as site:
        site.pages["/keys"] = jwks(key)                a page; a str is a redirect to that URL
        key.token({"iss": site.url, "sub": "ann"})     for an hour, unless the claims say otherwise
"""
import base64
import http.server
import json
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


class Site:
    """http://127.0.0.1:PORT; what is not among the pages is 404. With a port it may come back where it was."""

    def __init__(self, port=0):
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
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

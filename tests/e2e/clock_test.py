#!/usr/bin/env python3
"""weftd's wall clock is stepped by a day, ahead and back: what it issues is right by the clock there is, its own certificate follows at once, callers
by the true time are told what is wrong, and with the clock right again all is as before."""
import base64
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cert_client  # noqa: E402
import identity  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import pki  # noqa: E402
import tap  # noqa: E402
import wall_clock  # noqa: E402

DAY_S = wall_clock.DAY_S
STEPS = {"ahead": DAY_S, "back": -DAY_S}
ISSUER = "https://issuer.example"
MAY_DIFFER_S = 10  # between two looks at a clock


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Of tokens, with its key in a file as a set of keys."""

    def __init__(self, folder):
        self._key, self.keys = os.path.join(folder, "issuer.key"), os.path.join(folder, "issuer.jwks")
        cert_client.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self._key)
        modulus = cert_client.openssl("rsa", "-in", self._key, "-noout", "-modulus").strip().split("=")[1]
        with open(self.keys, "w", encoding="utf-8") as file:
            json.dump({"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}]}, file)

    def token(self, begin_s, ttl_s):
        claims = {"iss": ISSUER, "sub": "system:serviceaccount:default:hello", "aud": ["istio-ca"], "nbf": int(begin_s), "iat": int(begin_s), "exp": int(begin_s + ttl_s)}
        text = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1", "typ": "JWT"}, claims))
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key], input=text.encode(), capture_output=True, check=True)
        return f"{text}.{base64url(done.stdout)}"


class ClockMesh(mesh_rig.Mesh):
    def __init__(self):
        super().__init__()
        self.clock, self.true_clock = wall_clock.Clock(self.folder), wall_clock.Clock(self.folder, "true")
        self.authorities, self.issuer = pki.Pki(self.folder), Issuer(self.folder)
        self.root = self.authorities.make("root", begin_s=-10 * DAY_S)
        self.signer = self.authorities.make("signer", self.root, days=4, begin_s=-5 * DAY_S // 2)  # ends in a day and a half
        self.ca_dir, self.state = os.path.join(self.folder, "ca"), os.path.join(self.folder, "state")
        pki.plug_in(self.ca_dir, pki.files(self.signer, self.root))
        self.server = self.weftd(env=self.clock.env, arguments=["--ca-dir", self.ca_dir, "--state-dir", self.state, "--tls-address", "127.0.0.1:0",
                                                               "--token-jwks", self.issuer.keys, "--token-issuer", ISSUER])
        self.key = cert_client.Key(self.folder, "client")
        self.end_s = self.clock.now() + 3 * DAY_S / 2

    def own_token(self, *arguments):
        done = subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "token", "create", "--state-dir", self.state, "--namespace", "default",
                               "--service-account", "hello", *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def ask(self, token=None, identity=None, clock=None):
        """{"code", "words", "chain"}; a client by that clock, or by weftd's."""
        question = {"port": self.server.tls_port, "roots": self.root.pem, "token": token, "key": self.key.path, "chain": identity}
        done = subprocess.run([sys.executable, cert_client.__file__], input=json.dumps(question), capture_output=True, text=True, env=(clock or self.clock).env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def certificate(self, **question):
        """The PEM of a certificate that is right by weftd's clock, with its chain."""
        answer = self.ask(**question)
        assert answer["code"] == "OK", answer
        begin_s, end_s = cert_client.times(answer["chain"][0])
        now_s = self.clock.now()
        assert begin_s <= now_s < end_s, (begin_s, now_s, end_s)
        assert abs(end_s - min(now_s + DAY_S, self.end_s)) < MAY_DIFFER_S, (end_s - now_s, self.end_s - now_s)
        return answer["chain"]

    def refused(self, code, *words, **question):
        answer = self.ask(**question)
        assert answer["code"] == code and all(word in answer["words"] for word in words), answer

    def wait_serving(self):
        """Until weftd has a certificate of its own that is valid by its clock."""
        def is_there():
            return self.ask(token="none")["code"] == "UNAUTHENTICATED"
        mesh_rig.wait_for("weftd's own certificate", is_there)

    def renewals(self):
        return self.server.metrics()["weft_ca_serving_certificates_total"]


with ClockMesh() as mesh:
    tokens = {"our own": mesh.own_token("--ttl", "30m"), "one of a key set": mesh.issuer.token(time.time(), 1800)}
    lasting = mesh.own_token("--ttl", "7d")
    with tap.case("by the true time: a certificate, by each token and by a certificate"):
        for token in tokens.values():
            first = mesh.certificate(token=token)
        mesh.certificate(identity=first)
        assert mesh.renewals() == 1

    for way, step in STEPS.items():
        renewed = mesh.renewals()
        with tap.case(f"a day {way}: weftd's own certificate follows at once, and is not renewed again and again"):
            mesh.clock.step(step)
            mesh.wait_serving()
            time.sleep(3)  # three looks
            assert mesh.renewals() == renewed + 1, mesh.renewals()
            assert mesh.server.get("/readyz")[0] == 200, mesh.server.get("/readyz")
            assert f"this machine's clock was set {way} by {DAY_S} s" in mesh.server.log()
        with tap.case(f"a day {way}: a caller by the true time is told what is wrong with the certificate"):
            mesh.refused("UNAVAILABLE", "certificate is not yet valid" if step > 0 else "certificate has expired", token=lasting, clock=mesh.true_clock)
        with tap.case(f"a day {way}: tokens are judged by that clock, and none is believed for what was known of it"):
            for name, token in tokens.items():
                too_early = "in the future" if name == "our own" else "the token begins in"
                mesh.refused("UNAUTHENTICATED", "the token ended" if step > 0 else too_early, token=token)
            mesh.certificate(token=mesh.issuer.token(mesh.clock.now(), 1800))
            if step > 0:
                mesh.certificate(token=lasting)
        with tap.case(f"a day {way}: certificates are judged by that clock too"):
            mesh.refused("UNAVAILABLE", identity=first)
            again = mesh.certificate(token=mesh.issuer.token(mesh.clock.now(), 1800))
            mesh.certificate(identity=again)
        with tap.case(f"a day {way}, and right again: the port is back by itself, and tokens and certificates count as before"):
            mesh.clock.step(0)
            mesh.wait_serving()
            for token in tokens.values():
                mesh.certificate(token=token)
            mesh.certificate(identity=first, clock=mesh.true_clock)
            assert mesh.renewals() == renewed + 2, mesh.renewals()

    with tap.case("two days ahead the authority is over: nothing is signed, which is said once; right again, it signs"):
        mesh.clock.step(2 * DAY_S)
        mesh_rig.wait_for("the note", lambda: mesh.server.get("/readyz")[0] == 503)
        assert "expired at" in mesh.server.get("/readyz")[1] and mesh.server.metrics()["weft_ca_signing"] == 0
        time.sleep(2)  # two looks
        assert mesh.server.log().count("no certificate is signed") == 1
        mesh.refused("UNAVAILABLE", "certificate has expired", token=lasting)
        mesh.clock.step(0)
        mesh.server.wait_ready()
        mesh.wait_serving()
        mesh.certificate(token=tokens["our own"])
        assert mesh.server.metrics()["weft_ca_stale"] == 0

with mesh_rig.Mesh() as mesh, tap.case("a certificate of a Gateway that expires is a row of the report then, and none with the clock right again"):
    clock, shop = wall_clock.Clock(mesh.folder), pki.Pki(mesh.folder).make("shop", days=1, constraints="CA:FALSE")
    mesh.write("gateway.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gateway-1", "namespace": "istio-system", "labels": {"istio": "ingressgateway"}},
         "status": {"podIP": "10.244.0.8", "phase": "Running"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop", "namespace": "istio-system"}, "stringData": {"tls.crt": shop.pem, "tls.key": shop.key}},
        {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge", "namespace": "default"},
         "spec": {"selector": {"istio": "ingressgateway"},
                  "servers": [{"port": {"number": 443, "name": "shop", "protocol": "HTTPS"}, "hosts": ["shop.example.com"], "tls": {"mode": "SIMPLE", "credentialName": "shop"}}]}}]}))
    server = mesh.weftd(env=clock.env)

    def reasons():
        return [row["reason"] for row in json.loads(server.get("/debug/report")[1])]
    assert reasons() == [], server.get("/debug/report")[1]
    for step, want in (DAY_S, ["Expired"]), (0, []):
        clock.step(step)
        mesh_rig.wait_for(f"the report to be {want}", lambda: reasons() == want)

with mesh_rig.Mesh() as mesh, tap.case("a step does not end a rotation of the root: both are trusted for the life of a certificate"):
    clock, control = wall_clock.Clock(mesh.folder), os.path.join(mesh.folder, "control.sock")
    server = mesh.weftd(env=clock.env, arguments=["--state-dir", os.path.join(mesh.folder, "state"), "--tls-address", "127.0.0.1:0",
                                                 "--control-socket", control, "--workload-cert-ttl", "1m", "--max-workload-cert-ttl", "1m"])

    def state():
        return json.loads(server.get("/debug/ca")[1])
    subprocess.run([os.path.join(mesh_rig.BIN, "weft"), "ca", "rotate-root", "--control-socket", control], capture_output=True, check=True)
    mesh_rig.wait_for("active", lambda: state()["rotation"]["phase"] == "active")
    for step in DAY_S, 0:
        clock.step(step)
        mesh_rig.wait_for("a look at the clock", lambda: 0 < server.metrics()["weft_ca_serving_expiry_seconds"] <= 60)
        time.sleep(2)  # two more
        assert state()["rotation"]["phase"] == "active" and len(state()["roots"]) == 2, state()

tap.done()

#!/usr/bin/env python3
"""Tokens at real Envoys: which are believed, what policies and applications get to know, where keys come from, and what if they do not."""
import contextlib
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import issuer  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import pods  # noqa: E402
import shop as shop_rig  # noqa: E402
import tap  # noqa: E402
import traffic  # noqa: E402

REFRESH_S = 1

# One policy a path: what it asks of the token.
POLICIES = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: somebody, namespace: istio-system}
spec:
  action: DENY
  rules: [{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {paths: [/somebody]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ann, namespace: istio-system}
spec:
  action: DENY
  rules: [{from: [{source: {notRequestPrincipals: ["ISSUER/ann"]}}], to: [{operation: {paths: [/ann]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: claims, namespace: istio-system}
spec:
  action: DENY
  rules:
  - {to: [{operation: {paths: [/staff]}}], when: [{key: "request.auth.claims[groups]", notValues: [staff]}]}
  - {to: [{operation: {paths: [/write]}}], when: [{key: "request.auth.claims[scope]", notValues: [write]}]}
  - {to: [{operation: {paths: [/till]}}], when: [{key: request.auth.audiences, notValues: [till]}]}
"""

AUTHENTICATION = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: NAME, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules: [RULE]
"""

OUTPUT = "audiences: [shop, till], forwardOriginalToken: true, outputPayloadToHeader: x-payload, outputClaimToHeaders: [{header: x-sub, claim: sub}]"


# At a workload: who may call it is said by the peer's certificate and the token together.
WORKLOAD = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: server, namespace: default}
spec:
  selector: {matchLabels: {app: server}}
  jwtRules: [{issuer: idp, jwks: 'JWKS'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: server, namespace: default}
spec:
  selector: {matchLabels: {app: server}}
  rules: [{from: [{source: {principals: [cluster.local/ns/default/sa/client], requestPrincipals: [idp/ann]}}]}]
"""


class Shop(shop_rig.Shop):
    def __init__(self, is_delta):
        super().__init__(is_delta)
        self.site = self.own(issuer.Site())
        self.key = issuer.Key("k1")
        self.iss = self.site.url + "/a"
        self.site.pages["/keys"] = issuer.jwks(self.key)
        self.write("policies.yaml", POLICIES.replace("ISSUER", self.iss))
        self.authentication("a", f"{{issuer: {self.iss}, jwksUri: {self.site.url}/keys, {OUTPUT}}}")

    def __enter__(self):
        self.open(self.start())
        return self

    def start(self, *arguments, **options):
        return self.weftd(arguments=("--jwks-refresh-seconds", str(REFRESH_S), *arguments), **options)

    def start_anew(self, *arguments):
        """A weftd in the place of the one that ended, which serves the proxy again."""
        self.server = self.start(*arguments, xds_port=self.server.xds_port, admin_port=self.server.admin_port)
        mesh_rig.wait_for("the proxy to be served again", self.server.is_acknowledged)

    def authentication(self, name, rule):
        self.write(f"{name}.yaml", AUTHENTICATION.replace("NAME", name).replace("RULE", rule))

    def token(self, key=None, **claims):
        return (key or self.key).token({"iss": self.iss, "sub": "ann", "aud": "shop", **claims})

    def ask(self, path="/", token=None, headers=()):
        return self.exchange(path, [*dict(headers).items(), *shop_rig.bearer(token)])[0]

    def wait_status(self, want, token, path="/"):
        mesh_rig.wait_for(f"{want} for the token on {path}", lambda: self.ask(path, token) == want)

    def sources(self):
        status, text = self.server.get("/debug/jwks")
        assert status == 200, text
        return {row["url"]: row for row in json.loads(text)}


def check_tokens(shop):
    good = shop.token()
    now = int(time.time())
    stranger = issuer.Key("k1")  # of the same name
    table = (
        ("none", None, 200),
        ("good", good, 200),
        ("expired", shop.token(exp=now - 3600), 401),
        ("not yet", shop.token(nbf=now + 3600), 401),
        ("another audience", shop.token(aud="bank"), 403),
        ("no audience", shop.key.token({"iss": shop.iss, "sub": "ann"}), 403),
        ("another key", shop.token(key=stranger), 401),
        ("another issuer", shop.token(iss="https://other.example.com"), 401),
        ("changed", good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"), 401),
        ("not signed", issuer.base64url(b'{"alg":"none"}') + "." + good.split(".")[1] + ".", 401),
        ("no token at all", "nonsense", 401),
    )
    got = [(name, shop.ask(token=token)) for name, token, _ in table]
    assert got == [(name, want) for name, _, want in table], got


def check_policies(shop):
    staff = shop.token(groups=["guests", "staff"], scope="read write", aud=["shop", "till"])
    for path in ("/somebody", "/ann", "/staff", "/write", "/till"):
        got = shop.ask(path), shop.ask(path, shop.token(sub="bob", groups=["guests"], scope="read")), shop.ask(path, staff)
        want = (403, 200 if path == "/somebody" else 403, 200)
        assert got == want, (path, got)


def check_output(shop):
    token = shop.token()
    assert shop.ask(token=token, headers={"x-sub": "root"}) == 200
    head = dict(line.lower().split(": ", 1) for line in shop.last_head().split("\r\n")[1:] if ": " in line)
    assert head["x-sub"] == "ann" and head["x-payload"] and head["authorization"].endswith(token.lower()), head
    assert shop.ask(headers={"x-sub": "root"}) == 200
    assert "x-sub: root" not in shop.last_head().lower(), shop.last_head()


def check_rotation(shop):
    former, later = shop.token(), issuer.Key("k2")
    shop.site.pages["/keys"] = issuer.jwks(later, shop.key)
    shop.wait_status(200, shop.token(key=later))
    assert shop.ask(token=former) == 200
    shop.site.pages["/keys"] = issuer.jwks(later)
    shop.wait_status(401, former)
    shop.key = later


def check_bad_answers(shop):
    """None of them takes the keys away."""
    url = shop.site.url + "/keys"
    for page, why in ((b"<html>", "expected a value"), ({"keys": []}, "no key"), (b'{"keys":[' + b" " * (1 << 20) + b"]}", "bytes"), (None, "404"),
                      ({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "can sign"), ("file:///etc/passwd", "no http URL")):
        shop.site.pages["/keys"] = page
        mesh_rig.wait_for(f"it to be said: {why}", lambda: why in (shop.sources()[url]["lastError"] or ""))
        assert shop.ask(token=shop.token()) == 200 and shop.ask(token=shop.token(key=issuer.Key("k9"))) == 401
    assert shop.server.metrics()["weft_jwks_sources_failing"] == 1
    shop.site.pages["/keys"] = issuer.jwks(shop.key)
    mesh_rig.wait_for("it to be good again", lambda: shop.sources()[url]["lastError"] is None)


def check_down_at_start(shop):
    port = mesh_rig.free_port()
    url = f"http://127.0.0.1:{port}"
    shop.authentication("down", f"{{issuer: {url}, jwksUri: {url}/keys}}")
    mesh_rig.wait_for("the keys to be asked for in vain", lambda: (shop.sources().get(url + "/keys") or {}).get("failures", 0) > 0)
    key = issuer.Key("d")
    token = key.token({"iss": url, "sub": "dan"})
    shop.wait_status(401, token)
    assert shop.ask(token=shop.token()) == 200, "the others stay in force"
    site = shop.own(issuer.Site(port))
    site.pages["/keys"] = issuer.jwks(key)
    shop.wait_status(200, token)
    shop.remove("down.yaml")


def check_discovery(shop):
    iss, key = shop.site.url + "/realm/", issuer.Key("r")
    shop.site.pages["/realm/.well-known/openid-configuration"] = {"issuer": iss, "jwks_uri": shop.site.url + "/realm/certs"}
    shop.site.pages["/realm/certs"] = issuer.jwks(key)
    shop.authentication("discovery", f"{{issuer: {iss}}}")
    shop.wait_status(200, key.token({"iss": iss, "sub": "eve"}), "/somebody")
    row = shop.sources()[shop.site.url + "/realm/.well-known/openid-configuration"]
    assert row["keysUrl"] == shop.site.url + "/realm/certs" and row["keys"] == 1 and row["lastSuccess"] and row["nextTrySeconds"] >= 0, row
    assert row["issuer"] == iss, row
    object_name = "RequestAuthentication/istio-system/discovery"
    assert object_name not in shop.server.get("/debug/report")[1]
    # of another issuer than it was asked about
    other = iss.removesuffix("/")
    shop.site.pages["/realm/.well-known/openid-configuration"]["issuer"] = other
    mesh_rig.wait_for("that to be said", lambda: f'that of \\"{other}\\"' in shop.server.get("/debug/report")[1])
    assert object_name in shop.server.get("/debug/report")[1] and shop.sources()[row["url"]]["issuer"] == other
    got = [shop.ask("/somebody", key.token({"iss": name, "sub": "eve"})) for name in (iss, other)]
    assert got == [200, 401], got
    shop.site.pages["/realm/.well-known/openid-configuration"]["issuer"] = iss
    mesh_rig.wait_for("it to be good again", lambda: object_name not in shop.server.get("/debug/report")[1])
    shop.remove("discovery.yaml")


def check_led_astray(shop):
    """A stranger's answer leads to what only this machine can reach."""
    inside, key = shop.own(issuer.Site()), issuer.Key("i")
    inside.pages["/keys"] = issuer.jwks(key)
    shop.site.pages["/redirect"] = inside.url + "/keys"
    shop.site.pages["/lost/.well-known/openid-configuration"] = {"jwks_uri": inside.url + "/keys"}
    shop.authentication("redirect", f"{{issuer: redirect, jwksUri: {shop.site.url}/redirect}}")
    shop.authentication("lost", f"{{issuer: {shop.site.url}/lost}}")
    for url, iss in ((shop.site.url + "/redirect", "redirect"), (shop.site.url + "/lost/.well-known/openid-configuration", shop.site.url + "/lost")):
        mesh_rig.wait_for("that to be refused", lambda: "no public address" in ((shop.sources().get(url) or {}).get("lastError") or ""))
        shop.wait_status(401, key.token({"iss": iss, "sub": "eve"}))
    assert inside.asked == [], inside.asked
    shop.remove("redirect.yaml")
    shop.remove("lost.yaml")


def check_bad_object(shop):
    shop.authentication("bad", "{issuer: https://bad.example.com, jwks: '{}'}")
    mesh_rig.wait_for("the mistake to be reported", lambda: "RequestAuthentication/istio-system/bad" in shop.server.get("/debug/report")[1])
    check_tokens(shop)
    shop.remove("bad.yaml")


@contextlib.contextmanager
def under_load(shop):
    """Valid tokens are always believed and forged ones never, on connections that are kept and on new ones."""
    valid, forged = (f"Bearer {token}" for token in (shop.token(), shop.token(key=issuer.Key(shop.key.kid))))
    with contextlib.ExitStack() as stack:
        loads = {(token, close): stack.enter_context(traffic.Load(shop.port, connections=2, headers=[("authorization", token), *close], source="127.0.0.21"))
                 for token in (valid, forged) for close in ((), (("connection", "close"),))}

        def flow():
            for load in loads.values():
                load.flow(50)
        flow()
        yield flow
        flow()
    for (token, close), load in loads.items():
        wrong = {key: n for key, n in load.results.items() if (key != "shop" if token == valid else not key.startswith("401"))}
        assert not wrong, (token == valid, close, wrong)


def check_restart(shop):
    with under_load(shop) as flow:
        for end in "stop", "kill", "stop", "kill":
            getattr(shop.server, end)()
            flow()
            shop.start_anew()
            flow()


def check_restart_alone(shop):
    """The issuer is away while weftd is started anew: its keys are known if there was a place to keep them."""
    url, port, pages = shop.site.url + "/keys", shop.site.port, shop.site.pages
    state = os.path.join(shop.folder, "state")
    place = ("--state-dir", state, "--tls-address", "127.0.0.1:0")
    shop.server.stop()
    shop.start_anew(*place)
    mesh_rig.wait_for("the keys", lambda: os.path.exists(os.path.join(state, "jwks", "keys.json")))
    for end in "stop", "kill":
        with under_load(shop) as flow:
            getattr(shop.server, end)()
            if end == "stop":
                shop.site.stop()
            shop.start_anew(*place)
            mesh_rig.wait_for("it to be asked in vain", lambda: shop.sources()[url]["lastError"])
            flow()
        row = shop.sources()[url]
        assert row["keys"] == 1 and row["lastSuccess"], row
        assert "keys from before the start" in shop.server.log(), shop.server.log()
    with open(os.path.join(state, "jwks", "keys.json"), "w", encoding="utf-8") as file:
        file.write("{")
    for arguments in place, ():
        shop.server.stop()
        shop.start_anew(*arguments)
        shop.wait_status(401, shop.token())
        assert shop.ask(token=shop.token(key=issuer.Key("k9"))) == 401 and shop.sources()[url]["keys"] == 0, shop.sources()
        assert "no token of this issuer is believed" in shop.server.log(), shop.server.log()
        assert not arguments or "keys of before are not known" in shop.server.log(), shop.server.log()
    shop.site = shop.own(issuer.Site(port))
    shop.site.pages.update(pages)
    shop.wait_status(200, shop.token())


def check_private_authority():
    """Keys over https from who has a certificate that only --jwks-ca vouches for."""
    key = issuer.Key("s")
    with shop_rig.Shop(is_delta=True) as mesh:
        ours, others = (issuer.certificate(mesh.folder, name) for name in ("ours", "others"))
        believed = os.path.join(mesh.folder, "believed.pem")
        shutil.copy(others, believed)
        site = mesh.own(issuer.Site(tls=issuer.certificate(mesh.folder, "site", ours, "127.0.0.1")))
        elsewhere = mesh.own(issuer.Site(tls=issuer.certificate(mesh.folder, "elsewhere", ours, "127.0.0.2")))
        for one in (site, elsewhere):
            one.pages["/keys"] = issuer.jwks(key)
        for name, one in (("site", site), ("elsewhere", elsewhere)):
            mesh.write(f"{name}.yaml", AUTHENTICATION.replace("NAME", name).replace("RULE", f"{{issuer: {name}, jwksUri: {one.url}/keys}}"))
        server = mesh.weftd(arguments=("--jwks-refresh-seconds", str(REFRESH_S), "--jwks-ca", believed))
        mesh.open(server)

        def ask(name):
            return mesh.exchange(headers=shop_rig.bearer(key.token({"iss": name, "sub": "ann"})))[0]

        def why(one):
            return {row["url"]: row["lastError"] or "" for row in json.loads(server.get("/debug/jwks")[1])}.get(f"{one.url}/keys", "")
        mesh_rig.wait_for("the certificate to be refused", lambda: "certificate" in why(site))
        assert f"{site.url}/keys" in server.log() and "no token of this issuer is believed" in server.log()
        assert (ask("site"), ask("elsewhere")) == (401, 401) and not site.asked and not elsewhere.asked, "refused before anything was asked"
        os.replace(ours, believed)  # as a mounted ConfigMap changes
        mesh_rig.wait_for("the other authority to be believed", lambda: ask("site") == 200)
        mesh_rig.wait_for("the name to be looked at", lambda: "127.0.0.1" in why(elsewhere) and "name" in why(elsewhere))
        assert ask("elsewhere") == 401 and not elsewhere.asked


def check_sidecars():
    key = issuer.Key("k")
    good, bob = key.token({"iss": "idp", "sub": "ann"}), key.token({"iss": "idp", "sub": "bob"})
    expired, forged = key.token({"iss": "idp", "sub": "ann", "exp": 1}), issuer.Key("k").token({"iss": "idp", "sub": "ann"})
    with pods.Cluster() as cluster:
        cluster.weftd()
        server, client, other = (cluster.pod(name) for name in ("server", "client", "other"))
        cluster.service("server", [server])
        cluster.wait_ready()
        with cluster.changed():
            cluster.write("workload.yaml", WORKLOAD.replace("JWKS", json.dumps(issuer.jwks(key))))

        def ask(pod, token):
            header = ["-H", f"Authorization: Bearer {token}"] if token else []
            code, out = pod.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", *header,
                                f"http://{cluster.address('server')}:80/", user="exec")
            assert code == 0, (code, out)
            return int(out)
        got = [ask(client, token) for token in (good, bob, None, expired, forged)] + [ask(other, good)]
        assert got == [200, 403, 403, 401, 401, 403], got
        assert cluster.nacks() == [], cluster.nacks()


CHECKS = (
    ("valid, expired, of others, changed, none", check_tokens),
    ("claims in policies: principals, audiences, lists, words", check_policies),
    ("what the application gets to know", check_output),
    ("keys are replaced", check_rotation),
    ("a bad answer keeps the keys that there are", check_bad_answers),
    ("an issuer that is away at first: nothing of its is believed until it answers", check_down_at_start),
    ("keys found by the issuer's OpenID configuration", check_discovery),
    ("redirect and jwks_uri to loopback are refused", check_led_astray),
    ("a bad RequestAuthentication leaves the others in force", check_bad_object),
    ("a restart takes no keys away, under load", check_restart),
    ("a restart while the issuer is away", check_restart_alone),
)

shop_rig.run(Shop, CHECKS)
with tap.case("keys over https: a private authority, a wrong one, another one later, another name"):
    check_private_authority()
with tap.case("behind a sidecar, with mutual TLS: the peer and the token must both be right"):
    check_sidecars()
tap.done()

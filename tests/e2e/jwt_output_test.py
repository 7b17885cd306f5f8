#!/usr/bin/env python3
"""Where tokens are found in requests, and what of them applications get: tokens, claims in headers, never a client's own words in these."""
import base64
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import issuer  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import shop as shop_rig  # noqa: E402
import tap  # noqa: E402

CONFIG = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules:
  - issuer: first
    jwks: 'KEYS'
    outputPayloadToHeader: x-payload
    outputClaimToHeaders: [{header: x-sub, claim: sub}, {header: x-city, claim: address.city}, {header: X-Age, claim: age}, {header: x-vip, claim: vip},
      {header: x-roles, claim: roles}, {header: x-address, claim: address}]
  - issuer: second
    jwks: 'KEYS'
    fromHeaders: [{name: x-token}, {name: X-Auth, prefix: "Token "}]
    fromParams: [t]
    fromCookies: [session]
    outputPayloadToHeader: x-second-payload
    outputClaimToHeaders: [{header: x-second, claim: sub}]
  - issuer: third
    jwks: 'KEYS'
    fromHeaders: [{name: x-kept}]
    fromParams: [k]
    fromCookies: [kept]
    forwardOriginalToken: true
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: somebody, namespace: istio-system}
spec:
  action: DENY
  rules: [{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {paths: [/somebody]}}]}]
"""

OUTPUT = ("x-payload", "x-sub", "x-city", "x-age", "x-vip", "x-roles", "x-address", "x-second-payload", "x-second")
PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}


class Shop(shop_rig.Shop):
    def __init__(self, is_delta):
        super().__init__(is_delta)
        self.key = issuer.Key("k1")
        self.write("config.yaml", CONFIG.replace("KEYS", json.dumps(issuer.jwks(self.key))))

    def __enter__(self):
        self.open(self.weftd())
        mesh_rig.wait_for("the route to be there", lambda: self.ask() == 200)
        return self

    def token(self, iss, key=None, **claims):
        return (key or self.key).token({"iss": iss, "sub": "ann", **claims})

    def ask(self, path="/", headers=(), method="GET"):
        """headers: (name, value) pairs, or a dict."""
        return self.exchange(path, headers.items() if isinstance(headers, dict) else headers, method)[0]

    def seen(self):
        """The target and the headers that the application got."""
        lines = self.last_head().split("\r\n")
        return lines[0].split(" ")[1], [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:] if line)]

    def output(self):
        return {name: value for name, value in self.seen()[1] if name in OUTPUT}


# (issuer, how the token is sent: path and headers)
PLACES = (
    ("first", "Authorization", lambda token: ("/somebody", {"Authorization": f"Bearer {token}"})),
    ("first", "access_token", lambda token: (f"/somebody?a=1&access_token={token}&b=2", {})),
    ("second", "header", lambda token: ("/somebody", {"X-Token": token})),
    ("second", "header with a prefix", lambda token: ("/somebody", {"x-auth": f"Token {token}"})),
    ("second", "parameter", lambda token: (f"/somebody?t={token}", {})),
    ("second", "cookie", lambda token: ("/somebody", {"Cookie": f"a=1; session={token}; b=2"})),
    ("third", "header", lambda token: ("/somebody", {"x-kept": token})),
    ("third", "parameter", lambda token: (f"/somebody?k={token}&b=2", {})),
    ("third", "cookie", lambda token: ("/somebody", {"Cookie": f"kept={token}"})),
)


def check_places(shop):
    for iss, place, send in PLACES:
        wrong = next(name for name in ("second", "first") if name != iss)
        got = [shop.ask(*send(token)) for token in (
            shop.token(iss), shop.token(iss, exp=1), shop.token(iss, key=issuer.Key("k1")), shop.token(wrong))]
        assert got == [200, 401, 401, 401], (iss, place, got)
    elsewhere = (("first", {"x-token-2": "TOKEN"}), ("second", {"x-auth": "TOKEN"}), ("second", {"Cookie": "sessions=TOKEN"}))
    for iss, headers in elsewhere:
        got = shop.ask("/somebody", {name: value.replace("TOKEN", shop.token(iss)) for name, value in headers.items()})
        assert got == 403, ("nobody looks there", headers, got)


def check_forwarding(shop):
    for iss, place, send in PLACES:
        token = shop.token(iss)
        assert shop.ask(*send(token)) == 200
        target, headers = shop.seen()
        is_there = token in target or any(token in value for _, value in headers)
        assert is_there == (iss == "third" or place == "cookie"), (iss, place, target)  # Envoy leaves cookies alone
        assert "?" not in target or is_there or target == "/somebody?a=1&b=2", target
    assert '"field":"spec.jwtRules[1].fromCookies"' in shop.server.get("/debug/report")[1].replace('": "', '":"')


def check_claims(shop):
    claims = {"address": {"city": "Bonn"}, "age": 42, "vip": True, "roles": ["a", "b"]}
    assert shop.ask(headers={"Authorization": f"Bearer {shop.token('first', **claims)}"}) == 200
    got = shop.output()
    payload = got.pop("x-payload")
    payload = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert {name: payload[name] for name in claims} == claims and payload["sub"] == "ann", payload
    lists = {name: json.loads(base64.urlsafe_b64decode(got.pop(f"x-{name}"))) for name in ("roles", "address")}
    assert lists == {name: claims[name] for name in lists}, lists
    assert got == {"x-sub": "ann", "x-city": "Bonn", "x-age": "42", "x-vip": "true"}, got


def check_spoofed(shop):
    """Whoever asks, and however: what stands in these headers is the token's or nothing."""
    spoofed = [(spelled, "root") for name in OUTPUT for spelled in (name, name.upper(), name)]
    first, second = shop.token("first"), shop.token("second")
    ways = (
        ("no token", {}, {}),
        ("a token without most of the claims", {"Authorization": f"Bearer {first}"}, {"x-sub": "ann"}),
        ("a token of the other issuer", {"x-token": second}, {"x-second": "ann"}),
        ("a token where nobody looks", {"x-none": first}, {}),
        ("both", {"Authorization": f"Bearer {first}", "x-token": second}, {"x-sub": "ann", "x-second": "ann"}),
        ("a preflight", PREFLIGHT, {}),
        ("a preflight with a token", {**PREFLIGHT, "Authorization": f"Bearer {first}"}, {}),
    )
    wrong = []
    for name, headers, want in ways:
        method = "OPTIONS" if "Origin" in headers else "GET"
        got = shop.ask("/", [*spoofed, *headers.items()], method), {key: value for key, value in shop.output().items() if "payload" not in key or value == "root"}
        if got != (200, want):
            wrong.append((name, got))
    assert not wrong, wrong


def check_second_token(shop):
    """A sound token at one place does not vouch for what stands at another."""
    first, forged = shop.token("first"), shop.token("second", key=issuer.Key("k1"))
    got = shop.ask(headers={"Authorization": f"Bearer {first}", "x-token": forged}), shop.ask(headers={"Authorization": f"Bearer {forged}", "x-token": shop.token("second")})
    assert got == (401, 401), got


def check_same_place(shop):
    """Of several tokens in headers of one name each is looked at; of parameters and cookies of one name the first counts. A cookie's others go on."""
    for iss, name, prefix in (("first", "Authorization", "Bearer "), ("second", "x-auth", "Token "), ("third", "x-kept", "")):
        good, bad = prefix + shop.token(iss), prefix + shop.token(iss, key=issuer.Key("k1"))
        for one, two in ((good, bad), (bad, good)):
            got = shop.ask(headers=[(name, one), (name, two)]), shop.ask(headers={name: f"{one},{two}"})
            assert got == (401, 401), (iss, one == good, got)
    first, bad = shop.token("first"), shop.token("first", key=issuer.Key("k1"))
    assert shop.ask(f"/?access_token={bad}", {"Authorization": f"Bearer {first}"}) == shop.ask(f"/?access_token={first}", {"Authorization": f"Bearer {bad}"}) == 401
    good, bad = shop.token("second"), shop.token("second", key=issuer.Key("k1"))
    for send, is_left in ((lambda one, two: (f"/?t={one}&t={two}", {}), False), (lambda one, two: ("/", {"Cookie": f"session={one}; session={two}"}), True)):
        assert (shop.ask(*send(bad, good)), shop.ask(*send(good, bad))) == (401, 200)
        assert (bad in str(shop.seen())) == is_left, shop.seen()


CHECKS = (
    ("tokens in headers, parameters and cookies", check_places),
    ("tokens stay with the proxy, unless they are forwarded", check_forwarding),
    ("claims in headers: texts, numbers, nested ones, lists", check_claims),
    ("a client's own words in these headers never arrive", check_spoofed),
    ("of tokens at two places both must be sound", check_second_token),
    ("several tokens at one place", check_same_place),
)

shop_rig.run(Shop, CHECKS)
tap.done()

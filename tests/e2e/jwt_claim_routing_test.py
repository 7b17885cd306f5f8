#!/usr/bin/env python3
"""Routes by the claims of tokens at a real gateway: texts, lists, nested ones, none; what is no token of ours; policies by the same claims."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import issuer  # noqa: E402
import mesh as mesh_rig  # noqa: E402
import shop as shop_rig  # noqa: E402
import tap  # noqa: E402

SERVICES = ("staff", "admin", "team", "somebody", "rest")
GROUP, ROLES, TEAM = "@request.auth.claims.group", "@request.auth.claims[roles]", "@request.auth.claims[https://example.com/org][team]"

# Each path asks something else; on all others it is the group, then the roles, then the team.
ROUTES = f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop, namespace: default}}
spec:
  hosts: ["*"]
  gateways: [shop]
  http:
  - match: [{{uri: {{exact: /present}}, headers: {{"@request.auth.claims.extra": {{}}}}}}]
    route: [{{destination: {{host: somebody.internal}}}}]
  - match: [{{uri: {{exact: /absent}}, withoutHeaders: {{"@request.auth.claims.extra": {{}}}}}}]
    route: [{{destination: {{host: somebody.internal}}}}]
  - match: [{{uri: {{exact: /no-guest}}, withoutHeaders: {{"{GROUP}": {{exact: guest}}}}}}]
    route: [{{destination: {{host: somebody.internal}}}}]
  - match: [{{uri: {{exact: /both}}, headers: {{"{GROUP}": {{exact: staff}}, "{ROLES}": {{exact: admin}}, x-too: {{exact: "1"}}}}}}]
    route: [{{destination: {{host: somebody.internal}}}}]
  - match: [{{uri: {{exact: /cut-others}}, headers: {{"{GROUP}": {{exact: staff}}}}}}]
    route: [{{destination: {{host: staff.internal}}}}]
  - match: [{{uri: {{exact: /cut-others}}}}]
    fault: {{abort: {{httpStatus: 418, percentage: {{value: 100}}}}}}
    route: [{{destination: {{host: rest.internal}}}}]
  - match: [{{uri: {{exact: /cut-staff}}, headers: {{"{GROUP}": {{exact: staff}}}}}}]
    fault: {{abort: {{httpStatus: 418, percentage: {{value: 100}}}}}}
    route: [{{destination: {{host: staff.internal}}}}]
  - match: [{{headers: {{"{GROUP}": {{exact: staff}}}}}}]
    route: [{{destination: {{host: staff.internal}}}}]
  - match: [{{headers: {{"{ROLES}": {{prefix: adm}}}}}}]
    route: [{{destination: {{host: admin.internal}}}}]
  - match: [{{headers: {{"{TEAM}": {{regex: "t[0-9]+"}}}}}}]
    route: [{{destination: {{host: team.internal}}}}]
  - route: [{{destination: {{host: rest.internal}}}}]
"""

AUTHENTICATION = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: shop, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules:
  - {issuer: first, jwks: 'FIRST'}
  - {issuer: second, jwks: 'SECOND', fromHeaders: [{name: x-token}]}
"""

POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: staff, namespace: istio-system}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: [/staff-only]}}], when: [{key: "request.auth.claims[group]", notValues: [staff]}]}]
"""


class Shop(shop_rig.Shop):
    def __init__(self, is_delta):
        super().__init__(is_delta, SERVICES)
        self.first, self.second = issuer.Key("k1"), issuer.Key("k2")
        self.write("routes.yaml", ROUTES)
        self.authentication = AUTHENTICATION.replace("FIRST", json.dumps(issuer.jwks(self.first))).replace("SECOND", json.dumps(issuer.jwks(self.second)))
        self.write("tokens.yaml", self.authentication)
        self.write("policy.yaml", POLICY)

    def __enter__(self):
        self.open(self.weftd())
        mesh_rig.wait_for("the routes to be there", lambda: self.ask() == "rest")
        return self

    def token(self, key=None, **claims):
        return (key or self.first).token({"iss": "first", "sub": "ann", **claims})

    def ask(self, token=None, path="/", headers=(), method="GET", connection=None):
        """The service's name, or the status of what is no 200."""
        status, body = self.exchange(path, [*dict(headers).items(), *shop_rig.bearer(token)], method, connection)
        return body if status == 200 else status


def compare(rows):
    """(what, got, want)"""
    wrong = [row for row in rows if row[1] != row[2]]
    assert not wrong, wrong


def check_values(shop):
    rows = (
        ("a text", {"group": "staff"}, "staff"),
        ("another text", {"group": "staff2"}, "rest"),
        ("the same in capitals", {"group": "STAFF"}, "rest"),
        ("a list of one", {"group": ["staff"]}, "staff"),
        ("one of a list", {"group": ["guest", "staff", "x"]}, "staff"),
        ("a list without it", {"group": ["guest", "staffs"]}, "rest"),
        ("a list in a list", {"group": [["staff"]]}, "rest"),
        ("an object of that name", {"group": {"staff": "staff"}}, "rest"),
        ("words are no list", {"group": "guest staff"}, "rest"),
        ("an empty list", {"group": []}, "rest"),
        ("a number", {"group": 1}, "rest"),
        ("a prefix", {"roles": "administrator"}, "admin"),
        ("a prefix in a list", {"roles": ["x", "adm"]}, "admin"),
        ("the end of it", {"roles": "badm"}, "rest"),
        ("a nested one", {"https://example.com/org": {"team": "t17"}}, "team"),
        ("a nested list", {"https://example.com/org": {"team": ["x", "t1"]}}, "team"),
        ("more than the expression", {"https://example.com/org": {"team": "t17x"}}, "rest"),
        ("not nested", {"https://example.com/org": "t17"}, "rest"),
        ("nested elsewhere", {"team": "t17"}, "rest"),
        ("a name with the path in it", {"https://example.com/org][team": "t17"}, "rest"),
        ("the first route counts", {"group": "staff", "roles": "admin"}, "staff"),
        ("none of them", {}, "rest"),
    )
    compare([(name, shop.ask(shop.token(**claims)), want) for name, claims, want in rows])
    assert shop.ask() == "rest"


def check_presence(shop):
    for extra in ("x", "", 0, False, None, ["x"], [], {"a": 1}, {}):
        token = shop.token(extra=extra)
        got = shop.ask(token, "/present"), shop.ask(token, "/absent")
        assert got == ("somebody", "rest"), (extra, got)
    for token in (None, shop.token()):
        got = shop.ask(token, "/present"), shop.ask(token, "/absent")
        assert got == ("rest", "somebody"), got


def check_without(shop):
    compare([(str(claims), shop.ask(shop.token(**claims), "/no-guest"), want) for claims, want in (
        ({"group": "guest"}, "rest"), ({"group": ["x", "guest"]}, "rest"), ({"group": "other"}, "somebody"), ({}, "somebody"))])
    assert shop.ask(path="/no-guest") == "somebody"


def check_all_must_hold(shop):
    both = shop.token(group="staff", roles=["admin"])
    compare([
        ("all", shop.ask(both, "/both", {"x-too": "1"}), "somebody"),
        ("no header", shop.ask(both, "/both"), "staff"),
        ("one claim", shop.ask(shop.token(group="staff"), "/both", {"x-too": "1"}), "staff"),
        ("the other", shop.ask(shop.token(roles=["admin"]), "/both", {"x-too": "1"}), "admin"),
        ("no token", shop.ask(path="/both", headers={"x-too": "1"}), "rest"),
    ])


def check_attacks(shop):
    """Nothing but a token that was verified leads to the staff."""
    before = shop.backends["staff"].requests
    good = shop.token(group="guest")
    head, claims, signature = good.split(".")
    other = issuer.base64url(json.dumps({"iss": "first", "sub": "ann", "exp": int(time.time()) + 60, "group": "staff"}).encode())
    refused = (
        ("expired", shop.token(group="staff", exp=int(time.time()) - 3600)),
        ("not yet valid", shop.token(group="staff", nbf=int(time.time()) + 3600)),
        ("another key of the name", shop.token(key=issuer.Key("k1"), group="staff")),
        ("claims of another token", f"{head}.{other}.{signature}"),
        ("not signed", f"{issuer.base64url(json.dumps({'alg': 'none'}).encode())}.{other}."),
        ("another issuer's key", shop.token(key=shop.second, group="staff")),
        ("an issuer that nobody knows", shop.first.token({"iss": "third", "group": "staff"})),
    )
    compare([(name, shop.ask(token), 401) for name, token in refused])
    compare([(name, shop.ask(path=f"/?access_token={token}"), 401) for name, token in refused])
    compare([(f"{name}, with a good one", shop.ask(good, headers={"x-token": token}), 401) for name, token in refused])
    names = (GROUP, "x-jwt-claim", "x-jwt-claim.group", "x-jwt-claim-group", "request.auth.claims.group", "group", "payload", "envoy.filters.http.jwt_authn")
    for name in names:
        got = shop.ask(headers={name: "staff"}), shop.ask(good, headers={name: "staff"})
        # a name that HTTP has not may be refused
        assert set(got) <= ({"rest", 400} if name == GROUP else {"rest"}), (name, got)
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    for token in (shop.token(group="staff"), refused[2][1]):
        got = shop.ask(token, headers=preflight, method="OPTIONS"), shop.ask(token, "/staff-only", preflight, "OPTIONS")
        assert got == ("rest", 403), ("a preflight request has no claims", got)
    assert shop.backends["staff"].requests == before


def check_kept_connection(shop):
    """What one request was is not the next one's."""
    staff, guest = shop.token(group="staff"), shop.token(group="guest")
    connection = shop.connect()
    try:
        got = [shop.ask(token, connection=connection) for token in (None, staff, None, guest, staff, guest, None)]
    finally:
        connection.close()
    assert got == ["rest", "staff", "rest", "rest", "staff", "rest", "rest"], got


def check_policies(shop):
    compare([(name, shop.ask(token, "/staff-only"), want) for name, token, want in (
        ("staff", shop.token(group="staff"), "staff"), ("one of a list", shop.token(group=["x", "staff"]), "staff"),
        ("guest", shop.token(group="guest"), 403), ("admin", shop.token(roles="admin"), 403), ("none", None, 403))])


def check_two_tokens(shop):
    """Each is sound; that of the later issuer decides, about the route as about what may be asked."""
    for groups in (("staff", "guest"), ("guest", "staff"), ("staff", None), (None, "staff")):
        one, two = ({"group": group} if group else {} for group in groups)
        first, second = shop.token(**one), shop.second.token({"iss": "second", "sub": "bob", **two})
        headers = {"x-token": second}
        got = shop.ask(first, "/", headers), shop.ask(first, "/staff-only", headers)
        assert got == (("staff", "staff") if groups[1] == "staff" else ("rest", 403)), (groups, got)
    second = {"x-token": shop.second.token({"iss": "second", "sub": "bob", "group": "staff"})}
    assert shop.ask(headers=second) == shop.ask(path="/staff-only", headers=second) == "staff"


def check_route_counts_last(shop):
    """What a route does besides forwarding is that of the one which the token chose."""
    staff, guest = shop.token(group="staff"), shop.token(group="guest")
    compare([
        ("the former route's fault", shop.ask(staff, "/cut-others"), "staff"),
        ("its own for others", shop.ask(guest, "/cut-others"), 418),
        ("and without a token", shop.ask(path="/cut-others"), 418),
        ("the route's own fault", shop.ask(staff, "/cut-staff"), 418),
        ("not for others", shop.ask(guest, "/cut-staff"), "rest"),
    ])


def check_changes(shop):
    staff, boss = shop.token(group="staff"), shop.token(group="boss")
    shop.edit("routes.yaml", "{exact: staff}", "{exact: boss}")
    mesh_rig.wait_for("the new claim to count", lambda: shop.ask(boss) == "staff")
    assert shop.ask(staff) == "rest"
    shop.edit("routes.yaml", "{exact: boss}", "{exact: staff}")
    mesh_rig.wait_for("the former claim to count again", lambda: shop.ask(staff) == "staff")
    shop.remove("tokens.yaml")
    mesh_rig.wait_for("no token to be read", lambda: shop.ask(staff) == "rest")
    mesh_rig.wait_for("that to be said", lambda: "no RequestAuthentication" in shop.server.get("/debug/report")[1])
    assert shop.ask(staff, "/present") == "rest" and shop.ask(staff, "/absent") == "somebody" and shop.ask(staff, "/staff-only") == 403
    shop.write("tokens.yaml", shop.authentication)
    mesh_rig.wait_for("tokens to be read again", lambda: shop.ask(staff) == "staff")


def check_nothing_refused(shop):
    status, text = shop.server.get("/debug/report")
    assert status == 200 and "VirtualService" not in text, text
    mesh_rig.wait_for("the proxy to have taken everything", shop.server.is_acknowledged)
    assert shop.server.metrics().get("weft_xds_rejected_resources", 0) == 0


CHECKS = (
    ("texts, lists, nested claims; exact, prefix, regex", check_values),
    ("a claim that is there, of any kind, and one that is not", check_presence),
    ("without a value: so is who has no token", check_without),
    ("claims and headers: all must hold", check_all_must_hold),
    ("headers that look like claims, tokens that are not sound, preflights: none gets the route", check_attacks),
    ("on one connection each request has its own token", check_kept_connection),
    ("a policy by the same claim", check_policies),
    ("two tokens: routed and judged by one", check_two_tokens),
    ("faults are those of the route that the token chose", check_route_counts_last),
    ("another claim, and no RequestAuthentication any more", check_changes),
    ("weftd and the proxy have nothing to say against it", check_nothing_refused),
)

shop_rig.run(Shop, CHECKS)
tap.done()

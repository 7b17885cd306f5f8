#!/usr/bin/env python3
"""`weft authz`: what it decides, by which rule, and what it says of the others; whose fate a proposed policy changes."""
import json
import os
import subprocess
import tempfile

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEFT = os.path.join(os.environ.get("WEFT_BIN", os.path.join(ROOT, "build", "test", "bin")), "weft")
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: orders-1, namespace: default, labels: {app: orders}}
status: {podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: free-1, namespace: free, labels: {app: free}}
status: {podIP: 10.1.0.2, podIPs: [{ip: 10.1.0.2}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, namespace: default, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{name: http, port: 8080}, {name: tcp-export, port: 9000}]
endpoints: [{addresses: [10.1.0.1], targetRef: {kind: Pod, name: orders-1, namespace: default}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: odds, namespace: default}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - to: [{operation: {hosts: ["*.example.com"], paths: ["/odd/{*}/{**}"]}}]
    when:
    - {key: "request.headers[x-tier]", values: [gold, silver*]}
    - {key: source.ip, values: [192.0.2.0/24], notValues: [192.0.2.7]}
    - {key: "request.auth.claims[groups]", values: [staff]}
  - to: [{operation: {paths: [/scope]}}]
    when: [{key: "request.auth.claims[scope]", values: [write]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-roots, namespace: default}
spec:
  action: DENY
  selector: {matchLabels: {app: orders}}
  rules: [{to: [{operation: {ports: ["8080"]}}], when: [{key: "request.headers[x-role]", values: [root]}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: try, namespace: default, annotations: {istio.io/dry-run: "true"}}
spec: {action: DENY, selector: {matchLabels: {app: orders}}, rules: [{to: [{operation: {ports: ["8080"], methods: [GET]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: default}
spec: {action: CUSTOM, provider: {name: nobody}, selector: {matchLabels: {app: orders}}, rules: [{to: [{operation: {ports: ["8080"], paths: [/ask]}}]}]}
"""
SHOP = ["--from", "cluster.local/ns/default/sa/shop"]
ODD = ["--from", "spiffe://x/y", "--path", "/odd/a/b/c?q", "--host", "www.example.com", "--header", "x-tier=silver-1", "--source-ip", "192.0.2.1",
       "--jwt-claims", '{"groups": ["staff", "x"]}']


# A gateway with a server of each kind, and what it is to let in.
EDGE = """
apiVersion: v1
kind: Pod
metadata: {name: edge-1, namespace: edge, labels: {istio: edge}}
status: {podIP: 10.1.0.9, podIPs: [{ip: 10.1.0.9}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: edge}
spec:
  selector: {istio: edge}
  servers:
  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: [shop.example.com]}
  - {port: {number: 8443, name: https, protocol: HTTPS}, hosts: [shop.example.com], tls: {mode: SIMPLE, credentialName: shop}}
  - {port: {number: 8443, name: staff, protocol: HTTPS}, hosts: [staff.example.com], tls: {mode: MUTUAL, credentialName: staff}}
  - {port: {number: 8443, name: guests, protocol: HTTPS}, hosts: ["*.guests.example.com"], tls: {mode: OPTIONAL_MUTUAL, credentialName: staff}}
  - {port: {number: 8443, name: mesh, protocol: HTTPS}, hosts: [mesh.example.com], tls: {mode: ISTIO_MUTUAL}}
  - {port: {number: 8443, name: db, protocol: TLS}, hosts: [db.example.com], tls: {mode: PASSTHROUGH}}
  - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: edge}
spec: {hosts: [db.example.com], ports: [{number: 8443, name: tls, protocol: TLS}], resolution: STATIC, endpoints: [{address: 10.1.1.1}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: edge}
spec:
  hosts: [db.example.com]
  gateways: [edge]
  tls: [{match: [{sniHosts: [db.example.com]}], route: [{destination: {host: db.example.com}}]}]
  tcp: [{match: [{port: 9000}], route: [{destination: {host: db.example.com, port: {number: 8443}}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: open, namespace: edge}
spec:
  selector: {matchLabels: {istio: edge}}
  rules:
  - to: [{operation: {hosts: [shop.example.com], notPaths: [/admin*]}}]
  - from: [{source: {principals: [example.com/ann, cluster.local/ns/shop/sa/web]}}]
  - when: [{key: connection.sni, values: [db.example.com]}]
  - from: [{source: {ipBlocks: [192.0.2.0/24]}}]
    to: [{operation: {ports: ["9000"]}}]
"""
ANN = ["--from", "example.com/ann"]
NO_ONE = "the server asks for no client certificate: the caller has no identity here"
# The port, arguments; the decision; the lines that must be there.
EDGE_ROWS = [
    ("HTTP", 8080, ["--host", "shop.example.com"], "allowed by edge/open, rule 0", ["listener 0.0.0.0_8080"]),
    ("HTTP, a path that no rule allows", 8080, ["--host", "shop.example.com", "--path", "/x/../admin"], "denied: no policy allows it", ["the path is compared as /admin"]),
    ("HTTP, where nobody has an identity", 8080, [*ANN, "--host", "other"], "denied: no policy allows it",
     ["the server takes plaintext: the caller has no identity here", "  ALLOW  edge/open, rule 1: does not match: there is no principal; wanted spiffe://example.com/ann or spiffe://cluster.local/ns/shop/sa/web"]),
    ("HTTPS, by the host", 8443, ["--host", "shop.example.com"], "allowed by edge/open, rule 0", ["listener 0.0.0.0_8443"]),
    ("HTTPS that asks for no certificate", 8443, [*ANN, "--host", "shop.example.com", "--path", "/admin"], "denied: no policy allows it", [NO_ONE]),
    ("mutual TLS", 8443, [*ANN, "--host", "staff.example.com"], "allowed by edge/open, rule 1", []),
    ("mutual TLS without a certificate", 8443, ["--host", "staff.example.com:8443"], "refused: the server at port 8443 of the gateway wants a client certificate", []),
    ("mutual TLS for one name, and the host of another", 8443, ["--host", "shop.example.com", "--server-name", "staff.example.com", *ANN], "allowed by edge/open, rule 0", []),
    ("optional mutual TLS", 8443, [*ANN, "--host", "x.guests.example.com"], "allowed by edge/open, rule 1", []),
    ("optional mutual TLS without a certificate", 8443, ["--host", "X.Guests.example.com"], "denied: no policy allows it", []),
    ("no name like the server's", 8443, ["--host", "guests.example.com"], "refused: no server at port 8443 of the gateway is for the server name guests.example.com", ["listener 0.0.0.0_8443"]),
    ("no name at all", 8443, [], "refused: no server at port 8443 of the gateway is for TLS without a server name", []),
    ("the mesh's mutual TLS", 8443, ["--from", "cluster.local/ns/shop/sa/web", "--host", "mesh.example.com"], "allowed by edge/open, rule 1", []),
    ("passed through", 8443, [*ANN, "--host", "db.example.com", "--path", "/admin"], "allowed by edge/open, rule 2",
     ["the server passes TLS on as it is: nothing but the connection is seen, and no identity"]),
    ("TCP", 9000, ["--tcp", "--source-ip", "192.0.2.7"], "allowed by edge/open, rule 3", []),
    ("TCP from elsewhere", 9000, ["--tcp", "--source-ip", "198.51.100.7"], "denied: no policy allows it", []),
    ("HTTP where connections are forwarded", 9000, ["--source-ip", "192.0.2.7"], "allowed by edge/open, rule 3", ["the server forwards connections: nothing of the request is seen"]),
    ("TCP where HTTP is served", 8080, ["--tcp"], "refused: port 8080 of the gateway takes nothing but HTTP", []),
    ("no such port", 80, [], "refused: the gateway does not listen on port 80; it does on 8080, 8443, 9000", []),
]


def check(folder, *arguments, to="default/orders-1", port=8080):
    done = subprocess.run([WEFT, "authz", "check", "--config", folder, "--to", to, "--port", str(port), *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.splitlines(), done.stderr


def without(option, value):
    """ODD with another value of one option."""
    changed = list(ODD)
    changed[changed.index(option) + 1] = value
    return changed


# Arguments; the decision; a line that must be there.
ROWS = [
    ("a rule allows", [*SHOP, "--path", "/orders/1"], "allowed by default/orders, rule 0", "  DENY   default/orders-not-internal, rule 0: does not match: path is /orders/1, not /orders/internal or /orders/internal/*"),
    ("none allows", [*SHOP, "--method", "DELETE", "--path", "/orders/1"], "denied: no policy allows it", "  ALLOW  default/orders, rule 0: does not match: method is DELETE, not GET or POST"),
    ("a rule denies", [*SHOP, "--path", "/orders/x/..//internal"], "denied: no policy allows it", "the path is compared as /orders//internal"),
    ("a rule denies, however it is spelt", [*SHOP, "--path", "/orders/%69nternal?x"], "denied by default/orders-not-internal, rule 0", "the path is compared as /orders/internal"),
    ("who it is", ["--from", "cluster.local/ns/default/sa/shop2", "--path", "/orders/1"], "denied: no policy allows it",
     "  ALLOW  default/orders, rule 0: does not match: principal is spiffe://cluster.local/ns/default/sa/shop2, not /spiffe://.+/ns/default/(.+/|)sa/shop(/.+)?/"),
    ("plaintext", ["--path", "/orders/1"], "refused: port 8080 takes no plaintext with HTTP", None),
    ("everything at once", ODD, "allowed by default/odds, rule 0", None),
    ("another host", without("--host", "www.example.org"), "denied: no policy allows it", "  ALLOW  default/odds, rule 0: does not match: host is www.example.org, not *.example.com"),
    ("another path", without("--path", "/odd//b"), "denied: no policy allows it", "  ALLOW  default/odds, rule 0: does not match: path is /odd//b, not /odd/*/**"),
    ("a star in a path, where a template has a segment", without("--path", "/odd/*/**"), "allowed by default/odds, rule 0", None),
    ("another header", without("--header", "x-tier=bronze"), "denied: no policy allows it", "  ALLOW  default/odds, rule 0: does not match: header x-tier is bronze, not gold or silver*"),
    ("no such header", without("--header", "x-other=1"), "denied: no policy allows it", "  ALLOW  default/odds, rule 0: does not match: there is no header x-tier; wanted gold or silver*"),
    ("an address that is excluded", without("--source-ip", "192.0.2.7"), "denied: no policy allows it", "  ALLOW  default/odds, rule 0: does not match: source ip is 192.0.2.7, and 192.0.2.7/32 is excluded"),
    ("another address", without("--source-ip", "198.51.100.1"), "denied: no policy allows it", "  ALLOW  default/odds, rule 0: does not match: source ip is 198.51.100.1, not 192.0.2.0/24"),
    ("other claims", without("--jwt-claims", '{"groups": "guests"}'), "denied: no policy allows it", '  ALLOW  default/odds, rule 0: does not match: claim groups is "guests", not staff'),
    ("one of a claim's words", ["--from", "spiffe://x/y", "--path", "/scope", "--jwt-claims", '{"iss": "https://people.example.com", "scope": "read  write"}'], "allowed by default/odds, rule 1", None),
    ("another claim's words", ["--from", "spiffe://x/y", "--path", "/scope", "--jwt-claims", '{"scope": "writes"}'], "denied: no policy allows it", '  ALLOW  default/odds, rule 1: does not match: claim scope is ["writes"], not write'),
    ("one of a header's texts", [*SHOP, "--path", "/orders/1", "--header", "x-role=user", "--header", "X-Role=root"], "denied by default/no-roots, rule 0", None),
    ("a dry run changes nothing", [*SHOP, "--path", "/orders/1"], "allowed by default/orders, rule 0", "  DENY   default/try, rule 0 (dry run): matches"),
    ("a provider that is not there", [*SHOP, "--path", "/ask"], "denied by default/ask, rule 0 (its provider cannot be asked)", None),
]


def log_line(principal, method="GET", path="/orders/1", to="10.1.0.1:8080", **more):
    return json.dumps({"downstream_local_address": to, "downstream_remote_address": "192.0.2.1:40000", "source_principal": principal, "method": method, "path": path,
                       "authority": "orders", **more})


# A line of a file of requests, with --port 8080; the decision.
REQUESTS = [
    ({"from": SHOP[1], "path": "/orders/1"}, "allowed by default/orders, rule 0"),
    ({"from": f"spiffe://{SHOP[1]}", "method": "DELETE", "path": "/orders/1"}, "denied: no policy allows it"),
    ({"path": "/orders/1"}, "refused: port 8080 takes no plaintext with HTTP"),
    ({"from": SHOP[1], "path": "/orders/1", "headers": {"x-role": "user"}}, "allowed by default/orders, rule 0"),
    ({"from": SHOP[1], "path": "/orders/1", "headers": {"x-other": "1", "x-role": ["user", "root"]}}, "denied by default/no-roots, rule 0"),
    ({"from": "x/y", "path": "/odd/a/b", "host": "www.example.com", "headers": {"x-tier": ["gold"]}, "sourceIp": "192.0.2.1", "jwtClaims": {"groups": ["staff"]}}, "allowed by default/odds, rule 0"),
    ({"from": "x/y", "path": "/odd/a/b", "host": None, "headers": {"x-tier": ["gold"]}, "sourceIp": "192.0.2.1", "jwtClaims": None}, "denied: no policy allows it"),
    ({"from": "cluster.local/ns/reports/sa/x", "tcp": True, "port": 9000}, "allowed by default/orders, rule 2"),
    ({"to": "free/free-1", "from": None, "serverName": "x", "remoteIp": "::ffff:192.0.2.9"}, "refused: port 8080 takes no plaintext with HTTP"),
]
BAD_REQUESTS = [
    ("no JSON", "{", "line 1, column 2"), ("no object", "[1]", "must be an object, not an array"), ("a member that is none", '{"form": "x"}', 'did you mean "from"?'),
    ("a path that is none", '{"path": "x"}', "begin with"), ("a port that is none", '{"port": 70000}', "port: 70000 is not a port"), ("a port in quotes", '{"port": "80"}', "port: must be a number, not a string"),
    ("headers that are none", '{"headers": {"x": [1]}}', "headers: x: must be a string or a list of strings"), ("claims that are none", '{"jwtClaims": []}', "jwtClaims: must be an object"),
    ("tcp that is neither", '{"tcp": 1}', "tcp: must be true or false"), ("a method that is none", '{"method": null}', "method: must be a string"),
    ("an address that is none", '{"sourceIp": "192.0.2.1.1"}', "source IP: \"192.0.2.1.1\" is not an IP address"), ("no such pod", '{"to": "default/x"}', "to: the configuration has no pod default/x"), ("too long", '{"path": "/' + "x" * 65536 + '"}', "more than 65536 bytes"),
]


SHOP_ID, REPORT_ID = "spiffe://cluster.local/ns/default/sa/shop", "spiffe://cluster.local/ns/reports/sa/daily"
OUTBOUND = json.dumps({key: value for key, value in json.loads(log_line(None)).items() if key != "source_principal"})  # of the caller's own proxy, to the very pod
LOG = [*[log_line(SHOP_ID)] * 3, log_line(SHOP_ID, path="/orders/2?x=1"), log_line(SHOP_ID, "POST"), log_line(REPORT_ID, path="/orders/2026/11"), log_line(None),
       log_line(REPORT_ID, None, None, "10.1.0.1:9000"), log_line(SHOP_ID, to="10.9.9.9:80"), OUTBOUND, "no JSON", "[]", ""]
# In the place of the one of this name; the shop may only read /orders/1, the reports no longer anything over HTTP, and others may write.
PROPOSED = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: default}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - from: [{source: {serviceAccounts: [shop]}}]
    to: [{operation: {methods: [GET], paths: [/orders/1]}}]
  - from: [{source: {namespaces: [reports]}}]
    to: [{operation: {ports: ["9000"]}}]
"""


def replay(folder, *arguments):
    policy, log = os.path.join(folder, "proposed"), os.path.join(folder, "log")
    os.makedirs(policy, exist_ok=True)
    with open(os.path.join(policy, "policy.yaml"), "w", encoding="utf-8") as out:
        out.write(PROPOSED)
    with open(log, "w", encoding="utf-8") as out:
        out.write("\n".join(LOG) + "\n")
    config = os.path.join(folder, "config")
    done = subprocess.run([WEFT, "authz", "replay", "--config", config, "--policy", policy, "--log", log, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def try_replay(folder):
    with tap.case("replay: who would be locked out, by caller and request"):
        code, out, complaint = replay(folder)
        assert code == 0, complaint
        assert out == f"""1× {SHOP_ID}
   GET /orders/2 at 10.1.0.1:8080
   now  allowed by default/orders, rule 0
   then denied: no policy allows it
1× {SHOP_ID}
   POST /orders/1 at 10.1.0.1:8080
   now  allowed by default/orders, rule 0
   then denied: no policy allows it
1× {REPORT_ID}
   GET /orders/2026/11 at 10.1.0.1:8080
   now  allowed by default/orders, rule 1
   then denied: no policy allows it
8 requests played, 3 kinds of them would fare differently
4 lines left out, the first at line 9: the configuration has no pod with address 10.9.9.9
""", out
    with tap.case("replay: as JSON"):
        code, out, complaint = replay(folder, "-o", "json")
        result = json.loads(out)
        assert code == 0 and result["played"] == 8 and result["leftOut"] == 4, (out, complaint)
        assert [(change["caller"], change["requests"]) for change in result["changes"]] == [(SHOP_ID, 1), (SHOP_ID, 1), (REPORT_ID, 1)], out
    with tap.case("replay: usage"):
        done = subprocess.run([WEFT, "authz", "replay", "--config", folder], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "--policy FILE and --log FILE" in done.stderr, done.stderr
        done = subprocess.run([WEFT, "authz", "replay", "--config", folder, "--policy", folder, "--log", os.path.join(folder, "none")], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "none" in done.stderr, done.stderr


def try_gateway(folder):
    with open(os.path.join(folder, "edge.yaml"), "w", encoding="utf-8") as out:
        out.write(EDGE)
    for name, port, arguments, decision, wanted in EDGE_ROWS:
        with tap.case(f"gateway: {name}"):
            code, lines, complaint = check(folder, *arguments, to="edge/edge-1", port=port)
            assert lines and lines[0] == decision, (lines, complaint)
            assert code == (0 if decision.startswith("allowed") else 1), code
            assert set(wanted) <= set(lines), "\n".join(lines)
    with tap.case("gateway: as JSON"):
        verdict = json.loads("\n".join(check(folder, *ANN, "--host", "shop.example.com", "-o", "json", to="edge/edge-1", port=8443)[1]))
        assert (verdict["decision"], verdict["listener"], verdict["note"], verdict["refusal"]) == ("allowed", "0.0.0.0_8443", NO_ONE, None), verdict
        verdict = json.loads("\n".join(check(folder, "-o", "json", to="edge/edge-1", port=80)[1]))
        assert (verdict["decision"], verdict["listener"], verdict["refusal"]) == ("refused", None, EDGE_ROWS[-1][3].partition(": ")[2]), verdict
    with tap.case("gateway: a log is played through it, too; who was let in without a name was what the server wanted"):
        log = lambda **more: log_line(None, path="/admin", to="10.1.0.9:8443", **{"authority": "shop.example.com", "requested_server_name": "shop.example.com", **more})
        lines = [log(), log(authority="staff.example.com", requested_server_name="staff.example.com"), log(authority="staff.example.com", requested_server_name="staff.example.com", source_principal="spiffe://example.com/ann")]
        with open(os.path.join(folder, "edge.log"), "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
        os.mkdir(os.path.join(folder, "open"))
        with open(os.path.join(folder, "open", "open.yaml"), "w", encoding="utf-8") as out:
            out.write("""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: open, namespace: edge}
spec: {selector: {matchLabels: {istio: edge}}, rules: [{to: [{operation: {hosts: ["*.example.com"]}}]}]}
""")
        done = subprocess.run([WEFT, "authz", "replay", "--config", os.path.join(folder, "edge.yaml"), "--policy", os.path.join(folder, "open"), "--log", os.path.join(folder, "edge.log"), "-o", "json"],
                              capture_output=True, text=True, timeout=60)
        result = json.loads(done.stdout)
        assert [(change["caller"], change["request"], change["now"], change["then"]) for change in result["changes"]] == \
            [("no certificate", f"GET {host}.example.com/admin at 10.1.0.9:8443", "denied: no policy allows it", "allowed by edge/open, rule 0") for host in ("shop", "staff")], (result, done.stderr)


def try_requests(folder, whole):
    file = os.path.join(whole, "requests")

    def ask(text, *arguments, to="default/orders-1"):
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        return check(folder, "--requests", file, *arguments, to=to)
    lines = [json.dumps(request) for request, _ in REQUESTS]
    with tap.case("requests: a decision a line, in their order"):
        code, decisions, complaint = ask("\n".join([*lines[:2], "", " \t\r", *lines[2:]]))
        assert code == 1 and not complaint and decisions == [decision for _, decision in REQUESTS], (code, decisions, complaint)
    with tap.case("requests: allowed all"):
        assert ask(lines[0] + "\r\n" + lines[3] + "\n")[0] == 0
        assert ask("") == (0, [], "")
    with tap.case("requests: as JSON, each what it is by itself"):
        code, verdicts, _ = ask("\n".join(lines[:2]) + "\n", "-o", "json")
        alone = [json.loads("\n".join(check(folder, *SHOP, "--path", "/orders/1", *more, "-o", "json")[1])) for more in ([], ["--method", "DELETE"])]
        assert code == 1 and [json.loads(verdict) for verdict in verdicts] == alone, verdicts
    with tap.case("requests: what a line leaves out is as the option says"):
        assert ask('{}\n{"path": "/orders/1", "from": null}\n{"method": "DELETE"}\n', *SHOP, "--path", "/orders/1")[1] == [REQUESTS[i][1] for i in (0, 2, 1)]
    with tap.case("requests: from standard input"):
        done = subprocess.run([WEFT, "authz", "check", "--config", folder, "--requests", "-"], input='{"to": "default/orders-1", "port": 8080}', capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and done.stdout == REQUESTS[2][1] + "\n", done
    for name, line, words in BAD_REQUESTS:
        with tap.case(f"requests: {name}"):
            code, decisions, complaint = ask(lines[0] + "\n\n" + line + "\n" + lines[0])
            assert code == 2 and decisions == [REQUESTS[0][1]] and f"{file}:3: " in complaint and words in complaint, (code, decisions, complaint)
    with tap.case("requests: a line that says no pod, and a file that is not there"):
        done = subprocess.run([WEFT, "authz", "check", "--config", folder, "--requests", file], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and ':1: says no "to"' in done.stderr, done
        code, decisions, complaint = check(folder, "--requests", file + "-none")
        assert code == 2 and "-none: No such file" in complaint and not decisions, complaint


def main():
    with tempfile.TemporaryDirectory() as whole:
        folder = os.path.join(whole, "config")
        os.mkdir(folder)
        with open(os.path.join(folder, "pods.yaml"), "w", encoding="utf-8") as out:
            out.write(PODS)
        for name in os.listdir(os.path.join(ROOT, "examples", "zero-trust")):
            if name.endswith(".yaml"):
                os.symlink(os.path.join(ROOT, "examples", "zero-trust", name), os.path.join(folder, name))
        for name, arguments, decision, line in ROWS:
            with tap.case(name):
                code, lines, complaint = check(folder, *arguments)
                assert lines and lines[0] == decision, (lines, complaint)
                assert code == (0 if decision.startswith("allowed") else 1), code
                assert line is None or line in lines, "\n".join(lines)
        with tap.case("connections that are not HTTP"):
            assert check(folder, "--from", "cluster.local/ns/reports/sa/x", "--tcp", port=9000)[1][0] == "allowed by default/orders, rule 2"
            assert check(folder, *SHOP, "--tcp", port=9000)[1][0] == "denied: no policy allows it"
        with tap.case("as JSON"):
            code, lines, _ = check(folder, *SHOP, "--path", "/orders/1", "-o", "json")
            verdict = json.loads("\n".join(lines))
            assert code == 0 and verdict["decision"] == "allowed" and verdict["by"] == "ns[default]-policy[orders]-rule[0]", verdict
            assert [rule["matches"] for rule in verdict["rules"] if rule["name"] == verdict["by"]] == [True], verdict
        for name, arguments, words in [
            ("no such pod", {"to": "default/orders-2"}, "no pod default/orders-2"),
            ("no namespace", {"to": "orders-1"}, "not NAMESPACE/POD"),
            ("no port", {"port": 70000}, "is not a port"),
        ]:
            with tap.case(f"usage: {name}"):
                code, lines, complaint = check(folder, **arguments)
                assert code == 2 and words in complaint and not lines, (code, lines, complaint)
        for name, extra, words in [("header", ["--header", "x"], "NAME=VALUE"), ("claims", ["--jwt-claims", "[1]"], "JSON object"), ("path", ["--path", "x"], "begin with"),
                                   ("address", ["--source-ip", "192.0.2.0/24"], "not an IP address"), ("client's address", ["--remote-ip", "x"], "not an IP address")]:
            with tap.case(f"usage: {name}"):
                code, lines, complaint = check(folder, *extra)
                assert code == 2 and words in complaint and not lines, (code, lines, complaint)
        try_requests(folder, whole)
        try_replay(whole)
    with tempfile.TemporaryDirectory() as folder:
        try_gateway(folder)
    tap.done()


main()

"""Where a connection and its request go in an Envoy with a given configuration: listener, filter chain, route, cluster, or why not.

`follow(config, call)` gives an Outcome. `config` is what `weft translate` prints, `call` a row's call (Istio's simulation):
address, port, path, protocol (http, http2, tcp), tls (plaintext, tls, mtls), sni, alpn, hostHeader, headers, mode (gateway, outbound,
inbound: how the connection is redirected). The order of precedence is Envoy's, which never steps back: once a chain's destination port
has matched, chains without a port are out, and so on with each criterion.
A condition that this file does not know raises: it must not pass for one that matches.
"""
import dataclasses
import ipaddress
import re

HCM = "envoy.filters.network.http_connection_manager"
TCP_PROXY = "envoy.filters.network.tcp_proxy"
DETECTED_BY_HTTP_INSPECTOR = {"http": "http/1.1", "http2": "h2c"}
OFFERED_ALPN = {
    ("tls", "http"): ["http/1.1"], ("tls", "http2"): ["h2"],
    ("mtls", "http"): ["istio-http/1.1"], ("mtls", "http2"): ["istio-h2"], ("mtls", "tcp"): ["istio-peer-exchange", "istio"],
}


@dataclasses.dataclass
class Outcome:
    listener: str = ""
    filterChain: str = ""
    routeConfig: str = ""
    virtualHost: str = ""
    route: str = ""
    cluster: str = ""
    error: str = ""


class Refused(Exception):
    """Envoy ends the connection or the request here; the text is Istio's word for it."""


def follow(config, call):
    call, outcome = with_defaults(call), Outcome()
    try:
        listener = find_listener(config["listeners"], call)
        outcome.listener = listener["name"]
        seen = inspect(listener, call)
        chain = find_chain(listener, call, seen)
        outcome.filterChain = chain.get("name", "")
        shake_hands(chain, call)
        follow_filter(config, chain, call, outcome)
    except Refused as why:
        outcome.error = str(why)
    return outcome


def with_defaults(call):
    call = {key: value for key, value in call.items() if value}
    filled = {"address": "1.3.3.7", "path": "/", "tls": "plaintext", "protocol": "tcp", "mode": "outbound", "hostHeader": "", "headers": {}, **call}
    filled.setdefault("sni", filled["hostHeader"] if filled["tls"] == "tls" else "")
    offered = [filled["alpn"]] if "alpn" in filled else OFFERED_ALPN.get((filled["tls"], filled["protocol"]), [])
    return {**filled, "alpn": offered}


# ---- listener ----

def addresses_of(listener):
    for item in [listener, *listener.get("additionalAddresses", [])]:
        socket = item["address"]["socketAddress"]
        yield socket["address"], socket["portValue"]


def find_listener(listeners, call):
    """A redirected connection arrives at the virtual listener, which hands it over if it uses the original destination."""
    by_address = {address: listener for listener in listeners for address in addresses_of(listener)}
    wildcard = "::" if ":" in call["address"] else "0.0.0.0"
    named = by_address.get((call["address"], call["port"])) or by_address.get((wildcard, call["port"]))
    if call["mode"] != "gateway":
        virtual = next((one for one in listeners if one["name"] == {"outbound": "virtualOutbound", "inbound": "virtualInbound"}[call["mode"]]), None)
        named = (named if virtual and virtual.get("useOriginalDst") else None) or virtual
    if not named:
        raise Refused("no listener matched")
    return named


def is_matching(predicate, port):
    """A listener filter's ChainMatchPredicate."""
    (kind, value), = predicate.items()
    if kind == "anyMatch":
        return value
    if kind == "orMatch":
        return any(is_matching(rule, port) for rule in value["rules"])
    if kind == "andMatch":
        return all(is_matching(rule, port) for rule in value["rules"])
    if kind == "notMatch":
        return not is_matching(value, port)
    assert kind == "destinationPortRange", kind
    return value.get("start", 0) <= port < value["end"]


def inspect(listener, call):
    """What the listener filters find out: transport protocol, server name, application protocols."""
    active = {one["name"] for one in listener.get("listenerFilters", []) if "filterDisabled" not in one or not is_matching(one["filterDisabled"], call["port"])}
    seen = {"transport": "raw_buffer", "sni": "", "alpn": []}
    if call["tls"] != "plaintext":
        if "envoy.filters.listener.tls_inspector" in active:
            seen.update(transport="tls", sni=call["sni"].lower(), alpn=call["alpn"])
    elif "envoy.filters.listener.http_inspector" in active and call["protocol"] in DETECTED_BY_HTTP_INSPECTOR:
        seen["alpn"] = [DETECTED_BY_HTTP_INSPECTOR[call["protocol"]]]
    return seen


# ---- filter chain ----

KNOWN_CRITERIA = {"destinationPort", "prefixRanges", "serverNames", "transportProtocol", "applicationProtocols"}


def narrow(chains, rank):
    """The chains of the best rank; `rank` gives None for a chain that cannot match, 0 for one that does not ask."""
    ranks = [rank(chain.get("filterChainMatch", {})) for chain in chains]
    best = max((one for one in ranks if one is not None), default=None)
    return [chain for chain, one in zip(chains, ranks) if one is not None and one == best]


def rank_of_prefix(match, address):
    ranges = [ipaddress.ip_network(f"{one['addressPrefix']}/{one['prefixLen']}", strict=False) for one in match.get("prefixRanges", [])]
    if not ranges:
        return 0
    return max((1 + one.prefixlen for one in ranges if ipaddress.ip_address(address) in one), default=None)


def rank_of_server_name(match, sni):
    names = match.get("serverNames", [])
    if not names:
        return 0
    ranks = [1 + len(name) + (1000 if name == sni else 0) for name in names if name == sni or (name.startswith("*.") and sni.endswith(name[1:]))]
    return max(ranks, default=None)


def rank_of_value(wanted, values):
    """Among several values of the connection the first counts most."""
    if not wanted:
        return 0
    return max((len(values) - i for i, value in enumerate(values) if value in wanted), default=None)


def find_chain(listener, call, seen):
    chains = listener.get("filterChains", [])
    for chain in chains:
        unknown = set(chain.get("filterChainMatch", {})) - KNOWN_CRITERIA
        assert not unknown, f"filter chain criteria that the matcher does not know: {unknown}"
    for rank in (
            lambda match: rank_of_value([match["destinationPort"]] if "destinationPort" in match else [], [call["port"]]),
            lambda match: rank_of_prefix(match, call["address"]),
            lambda match: rank_of_server_name(match, seen["sni"]),
            lambda match: rank_of_value([match["transportProtocol"]] if "transportProtocol" in match else [], [seen["transport"]]),
            lambda match: rank_of_value(match.get("applicationProtocols", []), seen["alpn"])):
        chains = narrow(chains, rank)
    assert len(chains) <= 1, f"chains with equal matches: {[chain.get('name') for chain in chains]}"
    if chains:
        return chains[0]
    if "defaultFilterChain" in listener:
        return listener["defaultFilterChain"]
    raise Refused("no filter chains matched")


def shake_hands(chain, call):
    """The TLS handshake, where the chain ends TLS: a mesh client wants the mesh's certificate (or the one it names) and shows its own."""
    if "transportSocket" not in chain:
        return
    if call["tls"] == "plaintext":
        raise Refused("invalid TLS")
    context = chain["transportSocket"]["typedConfig"]
    names = [one["name"] for one in context["commonTlsContext"].get("tlsCertificateSdsSecretConfigs", [])]
    is_mutual = context.get("requireClientCertificate", False) and call.get("mtlsSecret", "default") in names
    if is_mutual != (call["tls"] == "mtls"):
        raise Refused("invalid mTLS")


# ---- what the chain does ----

def follow_filter(config, chain, call, outcome):
    filters = {one["name"]: one["typedConfig"] for one in chain["filters"]}
    if HCM not in filters:
        outcome.cluster = filters[TCP_PROXY].get("cluster", "")
        return
    is_encrypted = call["tls"] != "plaintext" and "transportSocket" not in chain
    if is_encrypted or call["protocol"] not in DETECTED_BY_HTTP_INSPECTOR:
        raise Refused("protocol error")
    table = filters[HCM].get("routeConfig")
    if table is None:
        outcome.routeConfig = filters[HCM]["rds"]["routeConfigName"]
        table = next(one for one in config["routes"] if one["name"] == outcome.routeConfig)
    host = find_virtual_host(table, call["hostHeader"])
    outcome.virtualHost = host["name"]
    if host.get("requireTls") == "ALL" and call["tls"] == "plaintext":
        raise Refused("tls required, sending 301")
    route = next((one for one in host.get("routes", []) if is_route(one["match"], call)), None)
    if route is None:
        raise Refused("no route matched")
    outcome.route = route.get("name", "")
    outcome.cluster = route.get("route", {}).get("cluster", "")


def rank_of_domain(domain, host):
    """Exact before the longest `*suffix` before the longest `prefix*` before `*`; None: another host."""
    domain = domain.lower()
    if domain == host:
        return 3, 0
    if domain == "*":
        return 0, 0
    if domain.startswith("*") and host.endswith(domain[1:]) and len(host) >= len(domain):
        return 2, len(domain)
    if domain.endswith("*") and host.startswith(domain[:-1]) and len(host) >= len(domain):
        return 1, len(domain)
    return None


def find_virtual_host(table, host):
    host = host.lower()
    if table.get("ignorePortInHostMatching"):
        host = re.sub(r":\d+$", "", host)
    ranked = [(rank_of_domain(domain, host), i) for i, one in enumerate(table.get("virtualHosts", [])) for domain in one["domains"]]
    ranked = [(rank, i) for rank, i in ranked if rank is not None]
    if not ranked:
        raise Refused("no virtual host matched")
    return table["virtualHosts"][max(ranked)[1]]


def is_text(matcher, text):
    """A StringMatcher."""
    matcher = dict(matcher)
    if matcher.pop("ignoreCase", False):
        matcher, text = {kind: value.lower() for kind, value in matcher.items()}, text.lower()
    (kind, value), = matcher.items()
    tests = {"exact": text.__eq__, "prefix": text.startswith, "suffix": text.endswith, "contains": text.__contains__,
             "safeRegex": lambda regex: re.fullmatch(regex["regex"], text) is not None}
    return tests[kind](value)


def is_header(matcher, headers):
    matcher = dict(matcher)
    text = headers.get(matcher.pop("name").lower())
    is_inverted = matcher.pop("invertMatch", False)
    if matcher.pop("treatMissingHeaderAsEmpty", False) and text is None:
        text = ""
    (kind, value), = matcher.items()
    if kind == "presentMatch":
        return ((text is not None) == value) != is_inverted
    assert kind == "stringMatch", kind
    return text is not None and is_text(value, text) != is_inverted


def is_route(match, call):
    match = dict(match)
    path = call["path"].partition("?")[0]
    is_case_sensitive = match.pop("caseSensitive", True)
    headers = {name.lower(): ",".join(values) if isinstance(values, list) else values for name, values in call["headers"].items()}
    headers |= {":path": call["path"], ":method": "GET", ":authority": call["hostHeader"], ":scheme": "http" if call["tls"] == "plaintext" else "https"}
    if not all(is_header(one, headers) for one in match.pop("headers", [])):
        return False
    (kind, value), = match.items()
    if kind == "safeRegex":
        return re.fullmatch(value["regex"], path) is not None
    if not is_case_sensitive:
        path, value = path.lower(), value.lower()
    tests = {"prefix": path.startswith, "path": path.__eq__, "pathSeparatedPrefix": lambda prefix: (path + "/").startswith(prefix + "/")}
    return tests[kind](value)

"""What AuthorizationPolicies mean by Istio's reference (authorization-policy, conditions, normalization, trust domain migration) and by what weft's
translator/README.md says it does otherwise. Deliberately simple, and nothing of weft's code: a third opinion.

    decide(policies, pod, request)       "allowed", "denied" or "refused" (no mutual TLS where it is wanted)

policies: objects as in YAML. pod: {"namespace", "labels", "ip", "is_strict", "normalization"}. request: an object as `weft authz check --requests` takes it; its
remoteIp is said, its headers are {name in lower case: [texts]}, its host is said unless it is TCP.
"""
import ipaddress
import re

ROOT_NAMESPACE = "istio-system"
TRUST_DOMAINS = ["cluster.local", "old.domain"]  # the mesh's own, its alias
WORD_CLAIMS = ["scope", "permission"]  # lists of words with spaces between
FIELDS = {  # of a source and an operation
    "principals": "source.principal", "requestPrincipals": "request.auth.principal", "namespaces": "source.namespace", "serviceAccounts": "source.serviceAccount",
    "trustDomains": "source.trustDomain", "ipBlocks": "source.ip", "remoteIpBlocks": "remote.ip",
    "hosts": "hosts", "ports": "destination.port", "methods": "methods", "paths": "paths",
}


def decide(policies, pod, request):
    if pod["is_strict"] and not request["from"]:
        return "refused"
    asked = [policy for policy in policies if is_for(policy, pod) and not is_dry_run(policy)]
    met = [policy for policy in asked if is_met(policy, pod, request)]
    if any(action_of(policy) == "DENY" for policy in met):
        return "denied"
    if not any(action_of(policy) == "ALLOW" for policy in asked):
        return "allowed"
    return "allowed" if any(action_of(policy) == "ALLOW" for policy in met) else "denied"


# --- policies


def action_of(policy):
    return policy["spec"].get("action", "ALLOW")


def is_dry_run(policy):
    return policy["metadata"].get("annotations", {}).get("istio.io/dry-run") == "true"


def is_for(policy, pod):
    if policy["metadata"]["namespace"] not in (ROOT_NAMESPACE, pod["namespace"]):
        return False
    wanted = policy["spec"].get("selector", {}).get("matchLabels", {})
    return all(pod["labels"].get(name) == value for name, value in wanted.items())


def is_met(policy, pod, request):
    return any(is_rule_met(rule, policy, pod, request) for rule in policy["spec"].get("rules", []))


def is_rule_met(rule, policy, pod, request):
    """One source, one operation and all conditions."""
    sources = [conditions_of(one["source"]) for one in rule.get("from", [])] or [[]]
    operations = [conditions_of(one["operation"]) for one in rule.get("to", [])] or [[]]
    when = conditions_in(rule)
    if request["tcp"] and action_of(policy) == "ALLOW" and any(is_http(key) for key, _, _ in sum(sources + operations, when)):
        return False  # it must not allow more than it says
    do_hold = lambda conditions: all(does_hold(*condition, policy, pod, request) for condition in conditions)
    return any(map(do_hold, sources)) and any(map(do_hold, operations)) and do_hold(when)


def conditions_of(lists):
    """Of a source or an operation, as those of "when"."""
    negation = lambda field: "not" + field[0].upper() + field[1:]
    return [(key, lists.get(field, []), lists.get(negation(field), [])) for field, key in FIELDS.items() if field in lists or negation(field) in lists]


def conditions_in(rule):
    return [(one["key"], one.get("values", []), one.get("notValues", [])) for one in rule.get("when", [])]


def is_http(key):
    return key in ("hosts", "methods", "paths") or key.startswith("request.")


def does_hold(key, values, not_values, policy, pod, request):
    if request["tcp"] and is_http(key):
        return True  # of a DENY: what is not known is left out
    closes = action_of(policy) == "DENY"
    return (not values or any(is_value(key, value, policy, pod, request, closes) for value in values)) and \
        not any(is_value(key, value, policy, pod, request, False) for value in not_values)


# --- values


def is_text(value, text):
    if text is None:
        return False
    if value == "*":
        return text != ""
    if value.startswith("*"):
        return text.endswith(value[1:])
    if value.endswith("*"):
        return text.startswith(value[:-1])
    return text == value


def is_any(value, texts):
    return any(is_text(value, text) for text in texts)


def is_value(key, value, policy, pod, request, closes):
    """closes: what a DENY looks for is found in all forms."""
    name, _, rest = key.partition("[")
    members = rest[:-1].split("][") if rest else []
    if name == "request.headers":
        return is_header(value, request["headers"].get(members[0].lower()), closes)
    if name == "request.auth.claims":
        return is_any(value, claim(request["jwtClaims"], members))
    return VALUES[name](value, policy, pod, request, closes)


def is_header(value, texts, closes):
    if texts is None:
        return False
    if closes:
        texts = [part.strip(" \t") for text in texts for part in text.split(",")]
    else:
        texts = [",".join(texts)]
    return value == "*" or is_any(value, texts)


def is_host(value, host, closes):
    value, host = value.lower(), host.lower()
    forms = [host]
    if closes:  # with a user before, a port and a dot behind
        forms += [form.rpartition("@")[2] for form in forms]
        forms += [form.partition(":")[0] for form in forms]
        forms += [form[:-1] for form in forms if form.endswith(".")]
    return is_any(value, forms)


def is_address(value, address):
    block = ipaddress.ip_network(value, strict=False)
    if block.version == 6 and block.prefixlen >= 96 and block.network_address.ipv4_mapped:
        block = ipaddress.ip_network(f"{block.network_address.ipv4_mapped}/{block.prefixlen - 96}")
    return ipaddress.ip_address(address) in block


def is_principal(value, caller):
    if caller is None:
        return False
    domain, _, rest = value.partition("/")
    if value.count("/") == 4 and domain in TRUST_DOMAINS:  # the mesh's trust domains are one
        return any(is_text(f"{one}/{rest}", caller) for one in TRUST_DOMAINS)
    return is_text(value, caller)


def is_account(value, caller, namespace):
    if caller is None:
        return False
    _, _, theirs, _, account = caller.split("/")
    return f"{theirs}/{account}" == (value if "/" in value else f"{namespace}/{value}")


def is_trust_domain(value, caller):
    if caller is None:
        return False
    domain = caller.partition("/")[0]
    return domain in TRUST_DOMAINS if value in TRUST_DOMAINS else is_text(value, domain)


def namespace_of(caller):
    return caller.split("/")[2] if caller else None


# --- paths


def normalized(path, mode):
    """What the MeshConfig's pathNormalization makes of it."""
    path = re.split("[?#]", path)[0]
    if mode == "NONE":
        return path
    if mode == "DECODE_AND_MERGE_SLASHES":
        path = re.sub("%2f|%5c", "/", path, flags=re.IGNORECASE)
    path = re.sub("[\"<>^`{|}]", lambda found: f"%{ord(found[0]):02X}", path)  # Envoy's: no path may have them as they stand
    path = re.sub("%([0-9a-fA-F]{2})", lambda found: one if re.fullmatch("[-._~0-9a-zA-Z]", one := chr(int(found[1], 16))) else found[0], path)
    out, segments = [], path.replace("\\", "/").split("/")[1:]
    for i, segment in enumerate(segments):
        is_last = i == len(segments) - 1
        if segment == "..":
            out = out[:-1]
        if segment not in (".", ".."):
            out.append(segment)
        elif is_last:
            out.append("")
    path = "/" + "/".join(out)
    return path if mode == "BASE" else re.sub("/+", "/", path)


def is_path(value, path, closes):
    if "{*}" not in value and "{**}" not in value:
        return is_text(value, path)
    segment = "[^/]" if closes else "[-a-zA-Z0-9._~%!$&'()+,;:@=*]"  # as Envoy's templates are
    expression = "".join({"{*}": f"{segment}+", "{**}": f"({segment}|/)*"}.get(part) or re.escape(part) for part in re.split(r"(\{\*\*?\})", value))
    return re.fullmatch(expression, path) is not None


# --- tokens


def claim(claims, members):
    """Its texts."""
    for member in members:
        claims = claims.get(member) if isinstance(claims, dict) else None
    if isinstance(claims, str):
        return claims.split() if members[-1] in WORD_CLAIMS else [claims]
    return [one for one in claims if isinstance(one, str)] if isinstance(claims, list) else []


def request_principal(claims):
    return f"{claims['iss']}/{claims['sub']}" if claims else None


VALUES = {
    "source.principal": lambda value, policy, pod, request, closes: is_principal(value, request["from"]),
    "source.namespace": lambda value, policy, pod, request, closes: is_text(value, namespace_of(request["from"])),
    "source.serviceAccount": lambda value, policy, pod, request, closes: is_account(value, request["from"], policy["metadata"]["namespace"]),
    "source.trustDomain": lambda value, policy, pod, request, closes: is_trust_domain(value, request["from"]),
    "source.ip": lambda value, policy, pod, request, closes: is_address(value, request["sourceIp"]),
    "remote.ip": lambda value, policy, pod, request, closes: is_address(value, request["remoteIp"]),
    "destination.ip": lambda value, policy, pod, request, closes: is_address(value, pod["ip"]),
    "destination.port": lambda value, policy, pod, request, closes: int(value) == request["port"],
    "connection.sni": lambda value, policy, pod, request, closes: is_text(value, request["serverName"]),
    "request.auth.principal": lambda value, policy, pod, request, closes: is_text(value, request_principal(request["jwtClaims"])),
    "request.auth.audiences": lambda value, policy, pod, request, closes: is_any(value, claim(request["jwtClaims"], ["aud"])),
    "request.auth.presenter": lambda value, policy, pod, request, closes: is_any(value, claim(request["jwtClaims"], ["azp"])),
    "hosts": lambda value, policy, pod, request, closes: is_host(value, request["host"], closes),
    "methods": lambda value, policy, pod, request, closes: is_text(value, request["method"]),
    "paths": lambda value, policy, pod, request, closes: is_path(value, normalized(request["path"], pod["normalization"]), closes),
}

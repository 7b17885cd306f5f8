"""Whether proto/{envoy,istio,google,kubernetes}.h name every message, once, and nothing else. That each alias fits its C
type is the compiler's to check: the macro does not compile otherwise."""
import collections
import os
import re

HEADERS = {"envoy": "envoy.h", "google": "google.h", "istio": "istio.h", "k8s": "kubernetes.h"}  # by first word of the package


def c_type(full_name):
    """What protoc-c calls a message: foo_bar.v1.Thing.Inner -> FooBar__V1__Thing__Inner."""
    words = ["".join(word[:1].upper() + word[1:] for word in part.split("_")) for part in full_name.split(".")]
    return "__".join(words)


def _messages(file):
    def walk(prefix, messages):
        for message in messages:
            if not message.options.map_entry:
                yield f"{prefix}.{message.name}"
                yield from walk(f"{prefix}.{message.name}", message.nested_type)
    return walk(file.package, file.message_type)


def check(folder, files):
    """{header: what is wrong with it}, for all headers."""
    wanted = collections.defaultdict(dict)  # header -> C type -> full name
    includes = collections.defaultdict(set)
    wrong = {header: [] for header in HEADERS.values()}
    for file in files:
        header = HEADERS.get(file.package.split(".")[0])
        if header is None:
            wrong["google.h"].append(f"{file.name}: no header for package {file.package}")
            continue
        includes[header].add(re.sub(r"\.proto$", ".pb-c.h", file.name))
        for name in _messages(file):
            wanted[header][c_type(name)] = name
    seen = collections.Counter()
    for header, problems in wrong.items():
        with open(os.path.join(folder, header), encoding="utf-8") as source:
            text = source.read()
        found = re.findall(r"^PROTO_ALIAS\(\s*(\w+),\s*(\w+),\s*(\w+)\s*\)", text, re.M)
        seen.update(alias for alias, _, _ in found)
        types = collections.Counter(type_ for _, type_, _ in found)
        problems += [f"no alias for {name}" for type_, name in sorted(wanted[header].items()) if type_ not in types]
        problems += [f"{type_} is not a message of proto/" for type_ in types if type_ not in wanted[header]]
        problems += [f"{type_} has {n} aliases" for type_, n in types.items() if n > 1]
        included = set(re.findall(r'#include "(.+\.pb-c\.h)"', text))
        problems += [f"{name} is not included" for name in sorted(includes[header] - included)]
    wrong["google.h"] += [f"{alias} names {n} messages" for alias, n in seen.items() if n > 1]  # in whichever headers
    return wrong

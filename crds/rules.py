"""Comments of .proto files: what of them describes, and what rules. The grammar is in README.md.

    comment = parse("Port number.\\n+required\\n+min 1\\n", "istio.X.port")
    comment.text             "Port number."
    comment.rules            [Rule("", "required", ""), Rule("", "min", "1")]

A line that begins with "+" is a rule: NAME ARGUMENT, or PREFIX.NAME ARGUMENT where the prefix says what it is about instead of
the thing itself: `items` (a list's elements), `values` (a map's values), `spec` (a message where it is a kind's spec).
"""
import dataclasses

PREFIXES = ("items", "values", "spec")


class Mistake(Exception):
    """What is wrong in a .proto file, and where."""


@dataclasses.dataclass(frozen=True)
class Rule:
    prefix: str
    name: str
    argument: str


@dataclasses.dataclass
class Comment:
    text: str
    rules: list


def _rule(line, where):
    head, _, argument = line[1:].strip().partition(" ")
    if not head:
        raise Mistake(f"{where}: a line with nothing but \"+\"")
    first, dot, rest = head.partition(".")
    prefix, name = (first, rest) if dot and first in PREFIXES else ("", head)
    return Rule(prefix, name, argument.strip())


def parse(text, where):
    """Blank comment lines part paragraphs; all other line ends are spaces."""
    paragraphs, rules = [[]], []
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("+"):
            rules.append(_rule(line, where))
        elif line:
            paragraphs[-1].append(" ".join(line.split()))
        elif paragraphs[-1]:
            paragraphs.append([])
    return Comment("\n\n".join(" ".join(lines) for lines in paragraphs if lines), rules)


def _number(text):
    try:
        return int(text)
    except ValueError:
        return float(text)


def _size(text):
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def _cel(text):
    """EXPRESSION :: MESSAGE, the last "::" counts."""
    rule, separator, message = text.rpartition("::")
    if not separator or not rule.strip() or not message.strip():
        raise ValueError
    return {"rule": rule.strip(), "message": message.strip()}


def _names(text):
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ValueError
    return names


def _word(text):
    if not text or " " in text:
        raise ValueError
    return text


def _text(text):
    if not text:
        raise ValueError
    return text


def _nothing(text):
    if text:
        raise ValueError
    return True


# name: (how the argument is read, what it may stand at). Kinds of places: those that schema.py gives to a schema.
ANY_PLACE = ("string", "enum", "integer", "number", "boolean", "duration", "struct", "message", "list", "map", "bytes", "timestamp")
RULES = {
    "required": (_nothing, ANY_PLACE),
    "min": (_number, ("integer", "number")),
    "max": (_number, ("integer", "number")),
    "minLength": (_size, ("string",)),
    "maxLength": (_size, ("string", "duration", "bytes")),
    "pattern": (_text, ("string",)),
    "minItems": (_size, ("list",)),
    "maxItems": (_size, ("list",)),
    "minProperties": (_size, ("map", "message", "struct")),
    "maxProperties": (_size, ("map", "message", "struct")),
    "uniqueBy": (_word, ("list",)),
    "set": (_nothing, ("list",)),
    "duration.min": (_word, ("duration",)),
    "cel": (_cel, ANY_PLACE),
    "intOrString": (_nothing, ("integer", "string")),
    "preserve": (_nothing, ("message", "struct")),
    "nullable": (_nothing, ANY_PLACE),
    "enum": (_names, ("string", "enum")),
    "hide": (_nothing, ANY_PLACE),
}


def argument(rule, place, where):
    """The rule's argument as a value, for a place of this kind."""
    if rule.name not in RULES:
        raise Mistake(f"{where}: no such rule: +{rule.name}; there are {', '.join(sorted(RULES))}")
    read, places = RULES[rule.name]
    if place not in places:
        raise Mistake(f"{where}: +{rule.name} cannot stand at a {place}")
    try:
        return read(rule.argument)
    except ValueError:
        raise Mistake(f"{where}: +{rule.name} {rule.argument}: not an argument for it") from None

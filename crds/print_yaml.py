"""Plain values (dict, list, str, int, float, bool) as YAML that people can read: block style, members in their order, long
texts folded. What is printed reads back as the same values."""
import json
import re
import textwrap

WIDTH = 120
PLAIN = re.compile(r"[A-Za-z_/.](?:[A-Za-z0-9_./()+-]| (?=[A-Za-z0-9(]))*\Z")
# What a YAML parser takes for something else than text.
RESERVED = re.compile(r"(y|n|yes|no|on|off|true|false|null|nan|inf|infinity|\.nan|\.inf|[.+-]?\d.*)\Z", re.I)


def _quoted(text):
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _text(text, indent):
    """A text as what follows a member's colon."""
    pad = " " * (indent + 2)
    if "\n" in text and not re.search(r"[^\S\n]\n|\n[^\S\n]|^\s|\s$|[^\x20-\x7e\n]", text):
        return "|-\n" + "\n".join(pad + line if line else "" for line in text.split("\n"))
    if PLAIN.match(text) and not RESERVED.match(text):
        if len(text) + indent < WIDTH:
            return text
    elif len(_quoted(text)) + indent < WIDTH:
        return _quoted(text)
    if " ".join(text.split()) != text or re.search(r"[^\x20-\x7e]", text):
        return _quoted(text)
    lines = textwrap.wrap(text, max(40, WIDTH - indent - 2), break_long_words=False, break_on_hyphens=False)
    return ">-\n" + "\n".join(pad + line for line in lines)


def _key(text):
    return text if PLAIN.match(text) and not RESERVED.match(text) else _quoted(text)


def _scalar(value, indent):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return _text(value, indent)


def _member(value, indent):
    if isinstance(value, dict) and value:
        return "\n" + _block(value, indent + 2)
    if isinstance(value, list) and value:
        return "\n" + _block(value, indent)
    return " " + ("{}" if value == {} else "[]" if value == [] else _scalar(value, indent))


def _block(value, indent):
    pad = " " * indent
    if isinstance(value, dict):
        return "\n".join(f"{pad}{_key(key)}:{_member(item, indent)}" for key, item in value.items())
    lines = []
    for item in value:
        inner = _block(item, indent + 2) if isinstance(item, (dict, list)) and item else pad + "  " + _member(item, indent)[1:]
        lines.append(f"{pad}- {inner[indent + 2:]}")
    return "\n".join(lines)


def dump(value):
    return _block(value, 0) + "\n"

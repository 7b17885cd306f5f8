"""The structural schema of a message, from protoc's descriptors and the comments beside them (rules.py).

    messages = Messages(files)                     FileDescriptorProtos with source_code_info
    messages.schema("istio.networking.v1alpha3.Gateway", is_spec=True)

What follows from the descriptors alone: JSON names, types, enums by name, ranges of unsigned numbers, wrappers that may be null,
and that of a oneof's members one at most is set (as oneOf: the API server does not count that as the cost of a rule).
"""
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

import rules
from rules import Mistake

# Fields that Istio serves under their proto name as well, for objects that were written before its names were camelCase.
SNAKE_CASE_TOO = {
    "istio.networking.v1alpha3.HTTPRoute.mirror_percent",
    "istio.security.v1beta1.JWTRule.jwks_uri",
}

UINT32 = {"type": "integer", "maximum": 4294967295, "minimum": 0}
# (kind of place, schema) of what is not a message, and of the messages whose JSON is not an object of their fields.
SCALARS = {
    Field.TYPE_STRING: ("string", {"type": "string"}),
    Field.TYPE_BOOL: ("boolean", {"type": "boolean"}),
    Field.TYPE_BYTES: ("bytes", {"type": "string", "format": "byte"}),
    Field.TYPE_DOUBLE: ("number", {"type": "number", "format": "double"}),
    Field.TYPE_FLOAT: ("number", {"type": "number", "format": "float"}),
    Field.TYPE_INT32: ("integer", {"type": "integer", "format": "int32"}),
    Field.TYPE_INT64: ("integer", {"type": "integer", "format": "int64"}),
    Field.TYPE_UINT32: ("integer", UINT32),
    Field.TYPE_UINT64: ("integer", {"type": "integer", "minimum": 0}),
}
WELL_KNOWN = {
    "google.protobuf.Duration": ("duration", {"type": "string"}),
    "google.protobuf.Timestamp": ("timestamp", {"type": "string", "format": "date-time"}),
    "google.protobuf.Struct": ("struct", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    "google.protobuf.StringValue": SCALARS[Field.TYPE_STRING],
    "google.protobuf.BoolValue": SCALARS[Field.TYPE_BOOL],
    "google.protobuf.BytesValue": SCALARS[Field.TYPE_BYTES],
    "google.protobuf.DoubleValue": SCALARS[Field.TYPE_DOUBLE],
    "google.protobuf.FloatValue": SCALARS[Field.TYPE_FLOAT],
    "google.protobuf.Int32Value": SCALARS[Field.TYPE_INT32],
    "google.protobuf.Int64Value": SCALARS[Field.TYPE_INT64],
    "google.protobuf.UInt32Value": SCALARS[Field.TYPE_UINT32],
    "google.protobuf.UInt64Value": SCALARS[Field.TYPE_UINT64],
}
# Rules whose argument is a member of the schema as it stands.
MEMBERS = {"min": "minimum", "max": "maximum", "minLength": "minLength", "maxLength": "maxLength", "pattern": "pattern",
           "minItems": "minItems", "maxItems": "maxItems", "minProperties": "minProperties", "maxProperties": "maxProperties",
           "nullable": "nullable", "preserve": "x-kubernetes-preserve-unknown-fields"}
DEPTH_MAX = 40  # a message that holds itself has no schema


class Part:
    """A descriptor and the comment above it."""

    def __init__(self, name, descriptor, file, path, comments):
        self.name = name
        self.descriptor = descriptor
        self.file = file
        self._path = path
        self._comments = comments
        self.comment = self.comment_at(name)

    def comment_at(self, name, *path):
        return rules.parse(self._comments.get(self._path + path, ""), name)


class Messages:
    """Messages and enums by full name."""

    def __init__(self, files):
        self._messages = {}
        self._enums = {}
        for file in files:
            comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
            for i, enum in enumerate(file.enum_type):
                self._add_enum(file, f"{file.package}.{enum.name}", enum, (5, i), comments)
            for i, message in enumerate(file.message_type):
                self._add_message(file, f"{file.package}.{message.name}", message, (4, i), comments)

    def _add_enum(self, file, name, enum, path, comments):
        self._enums[name] = Part(name, enum, file.name, path, comments)

    def _add_message(self, file, name, message, path, comments):
        self._messages[name] = Part(name, message, file.name, path, comments)
        for i, enum in enumerate(message.enum_type):
            self._add_enum(file, f"{name}.{enum.name}", enum, path + (4, i), comments)
        for i, nested in enumerate(message.nested_type):
            self._add_message(file, f"{name}.{nested.name}", nested, path + (3, i), comments)

    def get(self, name):
        if name not in self._messages:
            raise Mistake(f"no message {name} in proto/")
        return self._messages[name]

    def is_spec_required(self, name):
        return any(rule.prefix == "spec" and rule.name == "required" for rule in self.get(name).comment.rules)

    def schema(self, name, is_spec=False, depth=0):
        """Of a message; is_spec: as a kind's spec, where its `+spec.` rules hold as well."""
        part = self.get(name)
        if depth > DEPTH_MAX:
            raise Mistake(f"{name}: holds itself")
        schema = {"type": "object"}
        if part.comment.text:
            schema["description"] = part.comment.text
        properties, required = {}, []
        for i, field in enumerate(part.descriptor.field):
            comment = part.comment_at(f"{name}.{field.name}", 2, i)
            if any(rule.name == "hide" for rule in comment.rules):
                continue
            properties[field.json_name] = self._field(f"{name}.{field.name}", field, comment, depth)
            if f"{name}.{field.name}" in SNAKE_CASE_TOO:
                properties[field.name] = properties[field.json_name]
            if any(rule.name == "required" and not rule.prefix for rule in comment.rules):
                required.append(field.json_name)
        if properties:
            schema["properties"] = properties
        if required:
            schema["required"] = required
        self._add_oneofs(schema, part, properties)
        for rule in part.comment.rules:
            if rule.prefix not in ("", "spec") or (rule.name == "required" and not rule.prefix):
                raise Mistake(f"{name}: +{rule.prefix}{'.' * bool(rule.prefix)}{rule.name} cannot stand at a message")
            if rule.name != "required" and (is_spec or not rule.prefix):
                _apply(schema, "message", rule, name)
        return schema

    def _add_oneofs(self, schema, part, properties):
        groups = []
        for i, oneof in enumerate(part.descriptor.oneof_decl):
            members = [field.json_name for field in part.descriptor.field
                       if field.HasField("oneof_index") and field.oneof_index == i and field.json_name in properties]
            found = part.comment_at(f"{part.name}.{oneof.name}", 8, i).rules
            if any(rule.prefix or rule.name != "oneofRequired" or rule.argument for rule in found):
                raise Mistake(f"{part.name}.{oneof.name}: +oneofRequired is the only rule of a oneof")
            choices = [{"required": [name]} for name in members]
            if found:
                groups.append({"oneOf": choices})
            elif len(members) > 1:  # of one: how proto3's optional is written here
                groups.append({"oneOf": [{"not": {"anyOf": choices}}] + choices})
        if len(groups) == 1:
            schema.update(groups[0])
        elif groups:
            schema["allOf"] = groups

    def _value(self, where, field, depth):
        """(kind of place, schema, the enum's values as text) of one value of the field."""
        if field.type in SCALARS:
            place, schema = SCALARS[field.type]
            return place, dict(schema), ""
        name = field.type_name.lstrip(".")
        if field.type == Field.TYPE_ENUM:
            return self._enum(self._enums[name])
        if field.type != Field.TYPE_MESSAGE:
            raise Mistake(f"{where}: has no schema: type {Field.Type.Name(field.type)}")
        if name in WELL_KNOWN:
            place, schema = WELL_KNOWN[name]
            is_wrapper = name.endswith("Value")
            return place, {**schema, **({"nullable": True} if is_wrapper else {})}, ""
        if name.startswith("google.protobuf."):
            raise Mistake(f"{where}: has no schema: {name}")
        return "message", self.schema(name, depth=depth + 1), ""

    def _enum(self, part):
        names, lines = [], []
        for i, value in enumerate(part.descriptor.value):
            comment = part.comment_at(f"{part.name}.{value.name}", 2, i)
            if any(rule.name == "hide" for rule in comment.rules):
                continue
            names.append(value.name)
            if comment.text:
                lines.append(f"- {value.name}: {comment.text}")
        return "enum", {"type": "string", "enum": names}, "\n".join(lines)

    def _field(self, where, field, comment, depth):
        entry = self._map_entry(field)
        prefix = ""
        if entry:
            prefix = "values"
            value_place, value, choices = self._value(where, entry.field[1], depth)
        else:
            value_place, value, choices = self._value(where, field, depth)
        place, schema, inner = value_place, value, None
        if entry:
            place, inner, schema = "map", value, {"type": "object", "additionalProperties": value}
        elif field.label == Field.LABEL_REPEATED:
            prefix = "items"
            place, inner, schema = "list", value, {"type": "array", "items": value}
        description = comment.text or value.get("description", "")
        if choices and description:
            description += "\n\n" + choices
        if inner is not None:
            inner.pop("description", None)
        schema.pop("description", None)
        for rule in comment.rules:
            if not rule.prefix:
                _apply(schema, place, rule, where)
            elif inner is not None and rule.prefix == prefix:
                _apply(inner, value_place, rule, where)
            else:
                raise Mistake(f"{where}: +{rule.prefix}.{rule.name} cannot stand at a {place}")
        return {"description": description, **schema} if description else schema

    def _map_entry(self, field):
        if field.type != Field.TYPE_MESSAGE or field.label != Field.LABEL_REPEATED:
            return None
        name = field.type_name.lstrip(".")
        part = self._messages.get(name)
        return part.descriptor if part and part.descriptor.options.map_entry else None

    def described(self, name, seen=None):
        """{file: {message: {field: whether it has a comment}}} of the message and all that it holds."""
        found = {} if seen is None else seen
        part = self.get(name)
        if part.name in found.setdefault(part.file, {}):
            return found
        fields = found[part.file][part.name] = {}
        for i, field in enumerate(part.descriptor.field):
            comment = part.comment_at(f"{name}.{field.name}", 2, i)
            if any(rule.name == "hide" for rule in comment.rules):
                continue
            fields[field.name] = bool(comment.text)
            entry = self._map_entry(field)
            value = entry.field[1] if entry else field
            inner = value.type_name.lstrip(".")
            if value.type == Field.TYPE_MESSAGE and inner not in WELL_KNOWN:
                self.described(inner, found)
        return found


def _apply(schema, place, rule, where):
    argument = rules.argument(rule, place, where)
    if rule.name in MEMBERS:
        schema[MEMBERS[rule.name]] = argument
    elif rule.name == "cel":
        schema.setdefault("x-kubernetes-validations", []).append(argument)
    elif rule.name == "duration.min":
        schema.setdefault("x-kubernetes-validations", []).append(
            {"rule": f"duration(self) >= duration('{argument}')", "message": f"must be a valid duration greater than {argument}"})
    elif rule.name == "uniqueBy":
        items = schema["items"]
        if argument not in items.get("properties", {}) or argument not in items.get("required", []):
            raise Mistake(f"{where}: +uniqueBy {argument}: elements have no required field {argument}")
        schema["x-kubernetes-list-type"] = "map"
        schema["x-kubernetes-list-map-keys"] = [argument]
    elif rule.name == "set":
        if schema["items"]["type"] in ("object", "array"):
            raise Mistake(f"{where}: +set is for lists of strings, numbers and booleans")
        schema["x-kubernetes-list-type"] = "set"
    elif rule.name == "intOrString":
        for member in ("type", "format", "minimum", "maximum"):
            schema.pop(member, None)
        schema["anyOf"] = [{"type": "integer"}, {"type": "string"}]
        schema["x-kubernetes-int-or-string"] = True
    elif rule.name == "enum":
        unknown = set(argument) - set(schema["enum"]) if "enum" in schema else set()
        if unknown:
            raise Mistake(f"{where}: +enum {', '.join(sorted(unknown))}: no values of the enum")
        schema["enum"] = argument

"""Whether our definitions are a subset of upstream's: each function returns what is wrong, as texts.

Everything that ends up on the wire or in JSON must be equal: package, names, numbers, types, labels, oneofs, packing,
JSON names, enum values. What upstream has and we do not is fine. proto3 `optional` is the one thing written otherwise
(protoc-c has none): a oneof of one member, which is the same on the wire.
"""
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

FIELDS_MAX = 256  # codec and guard hold one bit for each

PACKABLE = {Field.TYPE_STRING: False, Field.TYPE_BYTES: False, Field.TYPE_MESSAGE: False, Field.TYPE_GROUP: False}


def _type(field):
    name = Field.Type.Name(field.type)[len("TYPE_"):].lower()
    return f"{name} {field.type_name}" if field.type_name else name


def _label(field):
    return Field.Label.Name(field.label)[len("LABEL_"):].lower()


def _is_packed(field, syntax):
    if field.label != Field.LABEL_REPEATED or not PACKABLE.get(field.type, True):
        return False
    return field.options.packed if field.options.HasField("packed") else syntax == "proto3"


def _json_name(field):
    """Descriptors inside Python packages leave it out where it follows from the name."""
    if field.json_name:
        return field.json_name
    first, *rest = field.name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _oneof(message, field):
    return message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None


def _check_oneof(ours, field, theirs, upstream):
    our, their = _oneof(ours, field), _oneof(theirs, upstream)
    if upstream.proto3_optional:
        members = [other for other in ours.field if _oneof(ours, other) == our]
        if our is None or len(members) != 1:
            return [f"optional upstream: must stand alone in a oneof, is in {our} of {len(members)}"]
    elif our != their:
        return [f"oneof {our}, upstream {their}"]
    return []


def _check_field(ours, field, theirs, syntaxes):
    upstream = next((other for other in theirs.field if other.name == field.name), None)
    if upstream is None:
        same = next((other.name for other in theirs.field if other.number == field.number), None)
        return ["no such field upstream" + (f"; number {field.number} is {same}" if same else "")]
    pairs = [("number", field.number, upstream.number), ("type", _type(field), _type(upstream)),
             ("label", _label(field), _label(upstream)), ("JSON name", _json_name(field), _json_name(upstream)),
             ("default", field.default_value, upstream.default_value),
             ("packed", _is_packed(field, syntaxes[0]), _is_packed(upstream, syntaxes[1]))]
    wrong = [f"{what} {our}, upstream {their}" for what, our, their in pairs if our != their]
    return wrong + _check_oneof(ours, field, theirs, upstream)


def _check_own_rules(message):
    """What proto/codec_field.c takes for granted."""
    wrong = []
    if len(message.field) > FIELDS_MAX:
        wrong.append(f"more than {FIELDS_MAX} fields")
    for nested in message.nested_type:
        if nested.options.map_entry:
            if nested.field[0].type not in (Field.TYPE_STRING, Field.TYPE_UINT32):
                wrong.append(f"{nested.name}: a map whose keys are neither strings nor uint32")
        elif nested.name.endswith("Entry") and [field.name for field in nested.field] == ["key", "value"]:
            wrong.append(f"{nested.name}: looks like a map's entry and is none")
    return wrong


def check_message(name, ours, syntax, upstream):
    theirs = upstream.messages.get(name)
    if theirs is None:
        return [f"{name}: no such message upstream"]
    wrong = [f"{name}: {what}" for what in _check_own_rules(ours)]
    if ours.options.map_entry != theirs.options.map_entry:
        wrong.append(f"{name}: a map on one side only")
    names = {oneof.name for oneof in theirs.oneof_decl}
    for field in ours.field:
        wrong += [f"{name}.{field.name}: {what}" for what in _check_field(ours, field, theirs, (syntax, upstream.syntax[name]))]
    for oneof in ours.oneof_decl:
        members = [field.name for field in ours.field if _oneof(ours, field) == oneof.name]
        is_optional = any(field.proto3_optional for field in theirs.field if field.name in members)
        if oneof.name not in names and not is_optional:
            wrong.append(f"{name}: no oneof {oneof.name} upstream")
    for nested in ours.nested_type:
        wrong += check_message(f"{name}.{nested.name}", nested, syntax, upstream)
    for enum in ours.enum_type:
        wrong += check_enum(f"{name}.{enum.name}", enum, upstream)
    return wrong


def check_enum(name, ours, upstream):
    theirs = upstream.enums.get(name)
    if theirs is None:
        return [f"{name}: no such enum upstream"]
    numbers = {value.name: value.number for value in theirs.value}
    wrong = [f"{name}.{value.name}: number {value.number}, upstream {numbers.get(value.name, 'has none')}"
             for value in ours.value if numbers.get(value.name) != value.number]
    if ours.value[0].number != theirs.value[0].number:
        wrong.append(f"{name}: the first value, which is the default, differs")
    return wrong


def check_service(name, ours, upstream):
    theirs = upstream.services.get(name)
    if theirs is None:
        return [f"{name}: no such service upstream"]
    methods = {method.name: method for method in theirs.method}
    wrong = []
    for method in ours.method:
        their = methods.get(method.name)
        if their is None:
            wrong.append(f"{name}.{method.name}: no such method upstream")
            continue
        for part in ("input_type", "output_type", "client_streaming", "server_streaming"):
            if getattr(method, part) != getattr(their, part):
                wrong.append(f"{name}.{method.name}: {part} {getattr(method, part)}, upstream {getattr(their, part)}")
    return wrong


def check_file(file, upstream):
    wrong = []
    syntax = file.syntax or "proto2"
    if file.package not in upstream.packages:
        wrong.append(f"no package {file.package} upstream")
    for message in file.message_type:
        name = f"{file.package}.{message.name}"
        wrong += check_message(name, message, syntax, upstream)
        if upstream.syntax.get(name, syntax) != syntax:
            wrong.append(f"{name}: {syntax}, upstream {upstream.syntax[name]}")
    for enum in file.enum_type:
        wrong += check_enum(f"{file.package}.{enum.name}", enum, upstream)
    for service in file.service:
        wrong += check_service(f"{file.package}.{service.name}", service, upstream)
    return wrong

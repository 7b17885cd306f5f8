"""Mistakes, seeded one at a time into copies of our descriptors: a check that finds nothing proves nothing until it has
found these. Each function of SEEDS takes a file and yields copies of it, each with one mistake of its kind."""
import copy

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

OTHER_TYPE = {Field.TYPE_STRING: Field.TYPE_BYTES, Field.TYPE_BYTES: Field.TYPE_STRING, Field.TYPE_INT32: Field.TYPE_UINT32,
              Field.TYPE_UINT32: Field.TYPE_INT32, Field.TYPE_INT64: Field.TYPE_SINT64, Field.TYPE_UINT64: Field.TYPE_INT64,
              Field.TYPE_BOOL: Field.TYPE_INT32, Field.TYPE_DOUBLE: Field.TYPE_FLOAT, Field.TYPE_FLOAT: Field.TYPE_DOUBLE}


def _parts(message):
    """The message and all within it."""
    yield message
    for nested in message.nested_type:
        yield from _parts(nested)


def _each(file, pick, is_used=lambda item: True):
    """For each item that pick finds in one top-level message: a small file with a copy of that message, and the item there."""
    for message in file.message_type:
        for i, item in enumerate(pick(message)):
            if not is_used(item):
                continue
            small = type(file)(package=file.package, syntax=file.syntax)
            small.message_type.append(message)
            yield small, pick(small.message_type[0])[i]


def _fields(message):
    return [field for part in _parts(message) for field in part.field]


def wrong_number(file):
    for small, field in _each(file, _fields):
        field.number += 1000
        yield small


def wrong_name(file):
    for small, field in _each(file, _fields):
        field.name += "_x"
        yield small


def wrong_type(file):
    for small, field in _each(file, _fields):
        if field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM):
            field.type_name += "X"
        else:
            field.type = OTHER_TYPE[field.type]
        yield small


def wrong_label(file):
    for small, field in _each(file, _fields):
        field.label = Field.LABEL_OPTIONAL if field.label == Field.LABEL_REPEATED else Field.LABEL_REPEATED
        yield small


def wrong_packing(file):
    packable = (Field.TYPE_INT32, Field.TYPE_UINT32, Field.TYPE_INT64, Field.TYPE_UINT64, Field.TYPE_ENUM, Field.TYPE_DOUBLE)
    for small, field in _each(file, _fields, lambda field: field.type in packable and field.label == Field.LABEL_REPEATED):
        field.options.packed = file.syntax != "proto3"
        yield small


def wrong_json_name(file):
    for small, field in _each(file, _fields):
        field.json_name += "X"
        yield small


def out_of_oneof(file):
    for small, field in _each(file, _fields, lambda field: field.HasField("oneof_index")):
        field.ClearField("oneof_index")
        yield small


def into_oneof(file):
    """The first field outside of any oneof goes into one."""
    for small, part in _each(file, lambda message: list(_parts(message))):
        field = next((f for f in part.field if not f.HasField("oneof_index") and f.label != Field.LABEL_REPEATED), None)
        if field is None or part.options.map_entry:
            continue
        part.oneof_decl.add(name="seeded")
        field.oneof_index = len(part.oneof_decl) - 1
        yield small


def wrong_oneof_name(file):
    for small, part in _each(file, lambda message: list(_parts(message)), lambda part: len(part.oneof_decl)):
        if all(sum(f.HasField("oneof_index") and f.oneof_index == i for f in part.field) < 2
               for i in range(len(part.oneof_decl))):
            continue  # of one member: may stand for proto3's optional, and a name that is only ours is then right
        next(o for i, o in enumerate(part.oneof_decl)
             if sum(f.HasField("oneof_index") and f.oneof_index == i for f in part.field) > 1).name += "_x"
        yield small


def wrong_message_name(file):
    for small, part in _each(file, lambda message: list(_parts(message))):
        part.name += "X"
        yield small


def lost_map(file):
    for small, part in _each(file, lambda message: list(_parts(message)), lambda part: part.options.map_entry):
        part.options.ClearField("map_entry")
        yield small


def _values(message):
    return [value for part in _parts(message) for enum in part.enum_type for value in enum.value]


def _with_file_enums(file):
    """A file's own enums are tried as if a message held nothing else."""
    for i, enum in enumerate(file.enum_type):
        for j in range(len(enum.value)):
            small = type(file)(package=file.package, syntax=file.syntax)
            small.enum_type.append(copy.deepcopy(enum))
            yield small, small.enum_type[0].value[j]


def wrong_enum_number(file):
    for source in (_each(file, _values), _with_file_enums(file)):
        for small, value in source:
            value.number += 1000
            yield small


def wrong_enum_name(file):
    for source in (_each(file, _values), _with_file_enums(file)):
        for small, value in source:
            value.name += "_X"
            yield small


def wrong_package(file):
    if file.message_type or file.enum_type:
        seeded = copy.deepcopy(file)
        seeded.package += ".x"
        yield seeded


def wrong_syntax(file):
    for message in file.message_type:
        small = type(file)(package=file.package, syntax="proto2" if file.syntax == "proto3" else "proto3")
        small.message_type.append(message)
        yield small


SEEDS = (wrong_number, wrong_name, wrong_type, wrong_label, wrong_packing, wrong_json_name, out_of_oneof, into_oneof,
         wrong_oneof_name, wrong_message_name, lost_map, wrong_enum_number, wrong_enum_name, wrong_package, wrong_syntax)

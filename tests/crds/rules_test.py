#!/usr/bin/env python3
"""Comments of .proto files to schemas: what each rule gives, and that what cannot be meant is refused with its place."""
import json
import os
import sys
import tempfile

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "crds"))
import generate  # noqa: E402
import rules  # noqa: E402
import schema  # noqa: E402

HEAD = """syntax = "proto3";
package istio.x;
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/timestamp.proto";
"""
UINT32 = {"type": "integer", "maximum": 4294967295, "minimum": 0}


def schema_of(text, message="istio.x.M", is_spec=False):
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "istio"))
        os.symlink(os.path.join(ROOT, "proto", "google"), os.path.join(folder, "google"))
        with open(os.path.join(folder, "istio", "x.proto"), "w", encoding="utf-8") as file:
            file.write(HEAD + text)
        return schema.Messages(generate.read_protos(folder)).schema(message, is_spec=is_spec)


def field(lines, declaration="string a = 1;", more=""):
    comment = "".join(f"  // {line}\n" for line in lines.split("\n"))
    return f"message M {{\n{comment}  {declaration}\n}}\n{more}"


# name, the field's comment, its declaration, the property's schema
FIELDS = [
    ("text of many lines is one", "One\ntwo,\nthree.", "string a = 1;", {"description": "One two, three.", "type": "string"}),
    ("a blank line parts paragraphs", "One.\n\nTwo.", "string a = 1;", {"description": "One.\n\nTwo.", "type": "string"}),
    ("lengths and pattern", "A.\n+minLength 1\n+maxLength 9\n+pattern ^[a-z]+ ?$", "string a = 1;",
     {"description": "A.", "type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[a-z]+ ?$"}),
    ("a range", "+min 1\n+max 65535", "uint32 a = 1;", {"type": "integer", "maximum": 65535, "minimum": 1}),
    ("a range that is not whole", "+min 0\n+max 0.5", "double a = 1;",
     {"type": "number", "format": "double", "minimum": 0, "maximum": 0.5}),
    ("unsigned numbers have a range", "A.", "uint32 a = 1;", {"description": "A.", **UINT32}),
    ("signed numbers have a format", "+min 0", "int32 a = 1;", {"type": "integer", "format": "int32", "minimum": 0}),
    ("a wrapper may be null", "+max 3", "google.protobuf.UInt32Value a = 1;",
     {"type": "integer", "maximum": 3, "minimum": 0, "nullable": True}),
    ("nullable", "+nullable", "string a = 1;", {"type": "string", "nullable": True}),
    ("bytes", "A.", "bytes a = 1;", {"description": "A.", "type": "string", "format": "byte"}),
    ("a time", "A.", "google.protobuf.Timestamp a = 1;", {"description": "A.", "type": "string", "format": "date-time"}),
    ("a Struct keeps what it has", "A.", "google.protobuf.Struct a = 1;",
     {"description": "A.", "type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    ("a duration's least", "+duration.min 1ms", "google.protobuf.Duration a = 1;",
     {"type": "string", "x-kubernetes-validations": [
         {"rule": "duration(self) >= duration('1ms')", "message": "must be a valid duration greater than 1ms"}]}),
    ("a list and its elements", "A.\n+minItems 1\n+maxItems 4\n+set\n+items.maxLength 8\n+items.cel self != \"*\" :: no wildcard",
     "repeated string a = 1;",
     {"description": "A.", "type": "array", "items": {"type": "string", "maxLength": 8, "x-kubernetes-validations": [
         {"rule": 'self != "*"', "message": "no wildcard"}]}, "minItems": 1, "maxItems": 4, "x-kubernetes-list-type": "set"}),
    ("a map and its values", "A.\n+maxProperties 4\n+values.minLength 1", "map<string, string> a = 1;",
     {"description": "A.", "type": "object", "additionalProperties": {"type": "string", "minLength": 1}, "maxProperties": 4}),
    ("a map by numbers", "A.", "map<uint32, string> a = 1;", {"description": "A.", "type": "object",
                                                              "additionalProperties": {"type": "string"}}),
    ("the last :: parts rule and message", "+cel a :: b :: c", "string a = 1;",
     {"type": "string", "x-kubernetes-validations": [{"rule": "a :: b", "message": "c"}]}),
    ("several rules stay in order", "+cel a :: b\n+cel c :: d", "string a = 1;",
     {"type": "string", "x-kubernetes-validations": [{"rule": "a", "message": "b"}, {"rule": "c", "message": "d"}]}),
    ("a number or a text", "+intOrString", "int64 a = 1;", {"anyOf": [{"type": "integer"}, {"type": "string"}],
                                                            "x-kubernetes-int-or-string": True}),
    ("words of a text", "+enum A, B", "string a = 1;", {"type": "string", "enum": ["A", "B"]}),
]

ENUM = "enum E {\n  // The first.\n  A = 0;\n  // The second.\n  B = 1;\n  // +hide\n  C = 2;\n}\n"
INNER = "// An inner one.\n// +cel has(self.k) :: k it is\nmessage I {\n  // Key.\n  // +required\n  string k = 1;\n}\n"
INNER_SCHEMA = {"type": "object", "properties": {"k": {"description": "Key.", "type": "string"}}, "required": ["k"],
                "x-kubernetes-validations": [{"rule": "has(self.k)", "message": "k it is"}]}

# name, declarations, whole schema
MESSAGES = [
    ("names are JSON's, in the order of the file", "message M {\n  // +required\n  string b_c = 2;\n  string a = 1;\n}",
     {"type": "object", "properties": {"bC": {"type": "string"}, "a": {"type": "string"}}, "required": ["bC"]}),
    ("a hidden field is not there", "message M {\n  string a = 1;\n  // +hide\n  string b = 2;\n}",
     {"type": "object", "properties": {"a": {"type": "string"}}}),
    ("the message's own rules",
     "// All.\n// +cel has(self.a) :: a it is\n// +preserve\n// +minProperties 1\nmessage M {\n  string a = 1;\n}",
     {"type": "object", "description": "All.", "properties": {"a": {"type": "string"}},
      "x-kubernetes-validations": [{"rule": "has(self.a)",
                                    "message": "a it is"}], "x-kubernetes-preserve-unknown-fields": True, "minProperties": 1}),
    ("an enum's names, with what each means", ENUM + field("Which.", "E a = 1;"),
     {"type": "object", "properties": {"a": {"description": "Which.\n\n- A: The first.\n- B: The second.", "type": "string",
                                             "enum": ["A", "B"]}}}),
    ("some of an enum's names", ENUM + field("+enum B", "E a = 1;"),
     {"type": "object", "properties": {"a": {"type": "string", "enum": ["B"]}}}),
    ("a message's description stands in for its field's", INNER + "message M {\n  I a = 1;\n}",
     {"type": "object", "properties": {"a": {"description": "An inner one.", **INNER_SCHEMA}}}),
    ("lists that are maps", INNER + field("Each.\n+uniqueBy k", "repeated I a = 1;"),
     {"type": "object", "properties": {"a": {"description": "Each.", "type": "array", "items": INNER_SCHEMA,
                                             "x-kubernetes-list-type": "map",
                                             "x-kubernetes-list-map-keys": ["k"]}}}),
    ("of a oneof one at most", "message M {\n  oneof x {\n    string a = 1;\n    string b_c = 2;\n  }\n}",
     {"type": "object", "properties": {"a": {"type": "string"}, "bC": {"type": "string"}},
      "oneOf": [{"not": {"anyOf": [{"required": ["a"]}, {"required": ["bC"]}]}}, {"required": ["a"]}, {"required": ["bC"]}]}),
    ("of a oneof exactly one", "message M {\n  // +oneofRequired\n  oneof x {\n    string a = 1;\n    string b = 2;\n  }\n}",
     {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
      "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
    ("two oneofs", "message M {\n  oneof x {\n    string a = 1;\n    string b = 2;\n  }\n"
     "  // +oneofRequired\n  oneof y {\n    string c = 3;\n    string d = 4;\n  }\n}",
     {"type": "object", "properties": {name: {"type": "string"} for name in "abcd"},
      "allOf": [{"oneOf": [{"not": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}}, {"required": ["a"]}, {"required": ["b"]}]},
                {"oneOf": [{"required": ["c"]}, {"required": ["d"]}]}]}),
    ("a oneof of one member is no choice", "message M {\n  oneof x {\n    string a = 1;\n  }\n}",
     {"type": "object", "properties": {"a": {"type": "string"}}}),
]

SPEC = "// +spec.required\n// +spec.cel has(self.a) :: a it is\nmessage M {\n  string a = 1;\n}\nmessage N {\n  M m = 1;\n}"

# name, declarations, what is said
MISTAKES = [
    ("no such rule", field("+requird"), "istio.x.M.a: no such rule: +requird"),
    ("a rule without a name", field("+ "), 'istio.x.M.a: a line with nothing but "+"'),
    ("a rule of numbers at a text", field("+min 1"), "istio.x.M.a: +min cannot stand at a string"),
    ("a rule of texts at a number", field("+maxLength 1", "uint32 a = 1;"), "istio.x.M.a: +maxLength cannot stand at a integer"),
    ("not a number", field("+min one", "uint32 a = 1;"), "istio.x.M.a: +min one: not an argument"),
    ("a negative length", field("+minLength -1"), "istio.x.M.a: +minLength -1: not an argument"),
    ("an argument too many", field("+required yes"), "istio.x.M.a: +required yes: not an argument"),
    ("an expression without a message", field("+cel has(self.a)"), "istio.x.M.a: +cel has(self.a): not an argument"),
    ("elements of what is no list", field("+items.minLength 1"), "istio.x.M.a: +items.minLength cannot stand at a string"),
    ("values of what is no map", field("+values.minLength 1", "repeated string a = 1;"),
     "istio.x.M.a: +values.minLength cannot stand at a list"),
    ("a rule of elements at their list", field("+minLength 1", "repeated string a = 1;"), "istio.x.M.a: +minLength cannot stand at a list"),
    ("a map by a field that is not required", "message I {\n  string k = 1;\n}\n" + field("+uniqueBy k", "repeated I a = 1;"),
     "istio.x.M.a: +uniqueBy k: elements have no required field k"),
    ("a set of messages", INNER + field("+set", "repeated I a = 1;"), "istio.x.M.a: +set is for lists of"),
    ("a name that the enum has not", ENUM + field("+enum A,D", "E a = 1;"), "istio.x.M.a: +enum D: no values of the enum"),
    ("a message that is required", "// +required\nmessage M {\n  string a = 1;\n}", "istio.x.M: +required cannot stand at a message"),
    ("another rule at a oneof", "message M {\n  // +required\n  oneof x {\n    string a = 1;\n    string b = 2;\n  }\n}",
     "istio.x.M.x: +oneofRequired is the only"),
    ("a message in itself", "message M {\n  M a = 1;\n}", "istio.x.M: holds itself"),
]

for name, comment, declaration, want in FIELDS:
    with tap.case(name):
        got = schema_of(field(comment, declaration))["properties"]["a"]
        assert got == want, f"got {json.dumps(got)}"
for name, text, want in MESSAGES:
    with tap.case(name):
        got = schema_of(text)
        assert got == want and list(got.get("properties", {})) == list(want["properties"]), f"got {json.dumps(got)}"
with tap.case("a kind's spec has rules of its own, which do not hold elsewhere"):
    plain = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert schema_of(SPEC, is_spec=True) == {**plain, "x-kubernetes-validations": [{"rule": "has(self.a)", "message": "a it is"}]}
    assert schema_of(SPEC, "istio.x.N")["properties"]["m"] == plain
for name, text, want in MISTAKES:
    with tap.case(f"refused: {name}"):
        try:
            got = schema_of(text)
        except rules.Mistake as mistake:
            assert want in str(mistake), str(mistake)
        else:
            raise AssertionError(f"accepted: {json.dumps(got)}")
tap.done()

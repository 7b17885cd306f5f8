"""Upstream's descriptors, by full name: what the .proto files under proto/ are checked against.

Envoy, xDS and Google come from the Python package xds-protos; Istio and Kubernetes from their Go modules at the versions
in go.mod, compiled with protoc. Whatever cannot be had raises Missing: without upstream nothing is checked.
"""
import importlib
import json
import os
import subprocess
import tempfile

from google.protobuf import descriptor_pb2

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = ("istio.io/api", "k8s.io/api", "k8s.io/apimachinery")


class Missing(Exception):
    """Upstream's descriptors could not be had."""


class Definitions:
    """Messages, enums and services of many files by full name."""

    def __init__(self):
        self.messages = {}
        self.enums = {}
        self.services = {}
        self.syntax = {}  # of each message and enum
        self.packages = set()

    def add_file(self, file):
        self.packages.add(file.package)
        for enum in file.enum_type:
            self._add_enum(file, f"{file.package}.{enum.name}", enum)
        for message in file.message_type:
            self._add_message(file, f"{file.package}.{message.name}", message)
        for service in file.service:
            self.services[f"{file.package}.{service.name}"] = service

    def _add_enum(self, file, name, enum):
        self.enums[name] = enum
        self.syntax[name] = file.syntax or "proto2"

    def _add_message(self, file, name, message):
        self.messages[name] = message
        self.syntax[name] = file.syntax or "proto2"
        for enum in message.enum_type:
            self._add_enum(file, f"{name}.{enum.name}", enum)
        for nested in message.nested_type:
            self._add_message(file, f"{name}.{nested.name}", nested)


def compile_protos(includes, files):
    """protoc's descriptors of the files, and of what they import."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "set")
        command = ["protoc", "--include_imports", f"--descriptor_set_out={out}", *[f"-I{path}" for path in includes], *files]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise Missing(f"protoc: {error}") from error
        if done.returncode:
            raise Missing(f"protoc failed: {done.stderr.strip()}")
        files = descriptor_pb2.FileDescriptorSet()
        with open(out, "rb") as file:
            files.ParseFromString(file.read())
        return list(files.file)


def _go():
    """The go command: that of scripts/deps where there is one."""
    beside = os.environ.get("WEFT_GO", "")
    return beside if os.access(beside, os.X_OK) and os.path.isfile(beside) else "go"


def modules():
    """Folder of each Go module in go.mod, downloaded when it is not there yet."""
    command = [_go(), "mod", "download", "-json", *MODULES]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    except OSError as error:
        raise Missing(f"go: {error}") from error
    folders = {}
    decoder, rest = json.JSONDecoder(), done.stdout.strip()
    while rest:
        module, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
        if module.get("Error"):
            raise Missing(f"{module['Path']}: {module['Error']}")
        folders[module["Path"]] = module["Dir"]
    absent = [path for path in MODULES if path not in folders]
    if absent:
        raise Missing(f"go mod download gave no {', '.join(absent)}: {done.stderr.strip()}")
    return folders


def _protos(root, *folders):
    found = []
    for folder in folders:
        for path, _, names in os.walk(os.path.join(root, folder)):
            found += [os.path.relpath(os.path.join(path, name), root) for name in names if name.endswith(".proto")]
    return sorted(found)


def _load_istio(definitions, folders):
    root = folders["istio.io/api"]
    files = _protos(root, "mesh", "networking", "security", "telemetry", "extensions", "type", "meta", "analysis")
    for file in compile_protos([root, os.path.join(root, "common-protos")], files):
        if file.package.startswith("istio."):
            definitions.add_file(file)


def _load_kubernetes(definitions, folders):
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "k8s.io"))
        for path in ("k8s.io/api", "k8s.io/apimachinery"):
            os.symlink(folders[path], os.path.join(root, path))
        files = [f"{path}/{name}" for path in ("k8s.io/api", "k8s.io/apimachinery") for name in _protos(folders[path], "")
                 if name.endswith("generated.proto")]
        for file in compile_protos([root], files):
            definitions.add_file(file)


def _load_python(definitions, packages):
    """Every *_pb2 module of each package (a list such as ["envoy.config.core.v3"])."""
    for package in packages:
        try:
            folders = importlib.import_module(package).__path__
        except ImportError as error:
            raise Missing(f"xds-protos has no {package}: {error}") from error
        for folder in folders:
            for name in sorted(os.listdir(folder)):
                if not name.endswith("_pb2.py"):
                    continue
                module = importlib.import_module(f"{package}.{name[:-3]}")
                file = descriptor_pb2.FileDescriptorProto()
                module.DESCRIPTOR.CopyToProto(file)
                if file.package == package:
                    definitions.add_file(file)


def load(our_packages):
    """All that our packages could be checked against."""
    definitions = Definitions()
    python = sorted(p for p in our_packages if p.split(".")[0] not in ("istio", "k8s"))
    _load_python(definitions, python)
    folders = modules()
    _load_istio(definitions, folders)
    _load_kubernetes(definitions, folders)
    return definitions

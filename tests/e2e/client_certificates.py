"""Client certificates as no authority makes them, each wrong in what it is told to be wrong in; by openssl.

    maker = Maker(folder, "ca-cert.pem", "ca-key.pem")              who signs, as files
    maker = Maker.self_signed(folder, "stranger")                   a root of nobody's
    identity = maker.make("late", [spiffe_id], start_s=3600)        (Key, chain) as cert_client takes it
    other = Maker.of(folder, identity)                              what that certificate's key signs
"""
import os
import time

import cert_client

DAY_S = 24 * 3600
CLIENT_AND_SERVER = "serverAuth,clientAuth"

CONFIG = """
[ca]
default_ca = maker
[maker]
database = {folder}/index.txt
new_certs_dir = {folder}
certificate = {certificate}
private_key = {key}
default_md = sha256
policy = anything
unique_subject = no
rand_serial = yes
x509_extensions = extensions
[anything]
commonName = optional
[extensions]
basicConstraints = critical,CA:{is_ca}
keyUsage = critical,{key_usage}
{more}
"""


def _utc(offset_s):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset_s))


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def self_signed(folder, uri):
    """A certificate that is its own authority's."""
    key = cert_client.Key(folder, "self-signed")
    pem = cert_client.openssl("req", "-x509", "-new", "-key", key.path, "-subj", "/CN=self", "-addext", f"subjectAltName=URI:{uri}",
                              "-addext", f"extendedKeyUsage={CLIENT_AND_SERVER}")
    return key, [pem, pem]


class Maker:
    """chain: what comes behind what it signs, the root last."""

    def __init__(self, folder, certificate, key, chain=None):
        self.folder = os.path.join(folder, f"maker-{len([name for name in os.listdir(folder) if name.startswith('maker-')])}")
        os.mkdir(self.folder)
        open(os.path.join(self.folder, "index.txt"), "w", encoding="utf-8").close()
        self.certificate, self.key = certificate, key
        self.chain = chain or [_read(certificate)]

    @classmethod
    def self_signed(cls, folder, name):
        key = cert_client.Key(folder, f"{name}-root")
        certificate = os.path.join(folder, f"{name}-root.pem")
        cert_client.openssl("req", "-x509", "-new", "-key", key.path, "-subj", f"/CN={name}", "-days", "30", "-out", certificate)
        return cls(folder, certificate, key.path)

    @classmethod
    def of(cls, folder, identity):
        key, chain = identity
        certificate = f"{key.path}.pem"
        with open(certificate, "w", encoding="utf-8") as file:
            file.write(chain[0])
        return cls(folder, certificate, key.path, chain)

    def make(self, name, uris=(), dns=(), uses=CLIENT_AND_SERVER, start_s=-60, end_s=DAY_S, is_ca=False):
        """start_s, end_s: from now. uses: extended key usage, "" for none."""
        key = cert_client.Key(self.folder, name)
        config, request = os.path.join(self.folder, f"{name}.cnf"), os.path.join(self.folder, f"{name}.csr")
        names = ",".join([f"URI:{uri}" for uri in uris] + [f"DNS:{host}" for host in dns])
        more = [f"subjectAltName = {names}"] if names else []
        more += [f"extendedKeyUsage = {uses}"] if uses else []
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder, certificate=self.certificate, key=self.key, is_ca=str(is_ca).upper(),
                                     key_usage="digitalSignature,keyCertSign" if is_ca else "digitalSignature", more="\n".join(more)))
        with open(request, "w", encoding="utf-8") as file:
            file.write(cert_client.openssl("req", "-new", "-key", key.path, "-subj", f"/CN={name}"))
        pem = cert_client.openssl("ca", "-batch", "-notext", "-config", config, "-in", request, "-startdate", _utc(start_s), "-enddate", _utc(end_s))
        return key, [pem, *self.chain]

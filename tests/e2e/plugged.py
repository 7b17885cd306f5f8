"""Authorities as an administrator plugs them in.

    cert, key = plugged.make(folder, "one")         a root that signs itself: its two files
    plugged.put(ca_dir, cert, key)                  as the folder of --ca-dir, swapped in whole
"""
import hashlib
import os
import shutil
import ssl
import subprocess

P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def make(folder, name, algorithm=P256):
    key, cert = os.path.join(folder, f"{name}.key"), os.path.join(folder, f"{name}.pem")
    subprocess.run(["openssl", "req", "-x509", *algorithm, "-nodes", "-keyout", key, "-out", cert, "-days", "100", "-subj", f"/O={name}",
                    "-addext", "keyUsage=critical,keyCertSign"], check=True, capture_output=True)
    return cert, key


def fingerprint(cert):
    """As weftd shows it."""
    with open(cert, encoding="utf-8") as file:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()


def put(ca_dir, cert, key):
    """All files at once, as the kubelet does it: `..data` is a link to the folder with one version."""
    version, link = f"..{os.path.basename(cert)}", os.path.join(ca_dir, "..data")
    os.makedirs(os.path.join(ca_dir, version), exist_ok=True)
    for name, file in (("ca-cert.pem", cert), ("ca-key.pem", key), ("root-cert.pem", cert)):
        shutil.copy(file, os.path.join(ca_dir, version, name))
        if not os.path.lexists(os.path.join(ca_dir, name)):
            os.symlink(os.path.join("..data", name), os.path.join(ca_dir, name))
    os.symlink(version, link + ".new")
    os.replace(link + ".new", link)

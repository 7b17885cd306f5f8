"""Authorities as an administrator plugs them in: certificates by openssl, folders with a set of files, and the ways in which a set can be broken.

    authorities = pki.Pki(folder)
    root = authorities.make("root")                              self-signed, good for 100 days from an hour ago
    signer = authorities.make("signer", root, days=1, begin_s=-3600)
    files = pki.files(signer, root, between=[middle])            {"ca-cert.pem": …}
    pki.plug_in(ca_dir, files)                                   all at once, by a link, as the kubelet does it
    for row in pki.broken(authorities): …                        name, files, words: each says what is wrong, and where
"""
import collections
import os
import subprocess
import tempfile

import wall_clock

Certificate = collections.namedtuple("Certificate", "pem key path key_path")
Broken = collections.namedtuple("Broken", "name files words")
CERT, KEY, CHAIN, ROOT = "ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"


class Pki:
    def __init__(self, folder):
        self._folder = tempfile.mkdtemp(prefix="pki-", dir=folder)
        self._clock = wall_clock.Clock(self._folder)
        self._n = 0

    def make(self, name, issuer=None, days=100, begin_s=-3600, constraints="critical,CA:TRUE"):
        """It begins so many seconds from now."""
        self._n += 1
        path, key_path = (os.path.join(self._folder, f"{name}-{self._n}.{ending}") for ending in ("pem", "key"))
        by = ["-CA", issuer.path, "-CAkey", issuer.key_path] if issuer else []
        self._clock.step(begin_s)
        done = subprocess.run(["openssl", "req", "-x509", *by, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key_path, "-out", path,
                               "-days", str(days), "-subj", f"/CN={name}", "-addext", f"basicConstraints={constraints}", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
                              capture_output=True, text=True, env=self._clock.env)
        assert done.returncode == 0, done.stderr
        with open(path, encoding="utf-8") as pem, open(key_path, encoding="utf-8") as key:
            return Certificate(pem.read(), key.read(), path, key_path)


def files(signer, root, between=()):
    return {CERT: signer.pem, KEY: signer.key, CHAIN: "".join(one.pem for one in between), ROOT: root.pem}


def plug_in(ca_dir, texts):
    """Another version of the whole folder. None instead of a file's text: it is missing."""
    os.makedirs(ca_dir, exist_ok=True)
    version = tempfile.mkdtemp(prefix="..version-", dir=ca_dir)
    for name, text in texts.items():
        if text is not None:
            with open(os.path.join(version, name), "w", encoding="utf-8") as file:
                file.write(text)
    os.symlink(os.path.basename(version), os.path.join(ca_dir, "..new"))
    os.rename(os.path.join(ca_dir, "..new"), os.path.join(ca_dir, "..data"))


def broken(pki):
    """Sets that must not sign, the file that is to blame, and what is said of it."""
    past, future = {"days": 10, "begin_s": -20 * wall_clock.DAY_S}, {"begin_s": 20 * wall_clock.DAY_S}
    root = pki.make("root")
    middle = pki.make("middle", root)
    signer = pki.make("signer", middle)
    good = files(signer, root, [middle])
    old_root = pki.make("root", **past)
    old_middle = pki.make("middle", root, **past)
    return [
        Broken("a truncated ca-cert.pem", {**good, CERT: signer.pem[:len(signer.pem) // 2]}, (CERT, "ends in the middle")),
        Broken("a truncated ca-key.pem", {**good, KEY: signer.key[:len(signer.key) // 2]}, (KEY, "ends in the middle")),
        Broken("a truncated root-cert.pem", {**good, ROOT: root.pem[:len(root.pem) // 2]}, (ROOT, "ends in the middle")),
        Broken("an empty ca-cert.pem", {**good, CERT: ""}, (CERT, "no certificate")),
        Broken("an empty ca-key.pem", {**good, KEY: ""}, (KEY, "no private key")),
        Broken("an empty root-cert.pem", {**good, ROOT: ""}, (ROOT, "no certificate")),
        Broken("no ca-key.pem", {**good, KEY: None}, (KEY, "missing")),
        Broken("no root-cert.pem", {**good, ROOT: None}, (ROOT, "missing")),
        Broken("the key of another certificate", {**good, KEY: middle.key}, (KEY, "not the private key of the certificate in", CERT)),
        Broken("a ca-cert.pem that expired", files(pki.make("signer", middle, **past), root, [middle]), (CERT, "expired at")),
        Broken("a ca-cert.pem that is not valid yet", files(pki.make("signer", middle, **future), root, [middle]), (CERT, "not valid before")),
        Broken("a ca-cert.pem that may sign nothing (CA:FALSE)", files(pki.make("signer", middle, constraints="CA:FALSE"), root, [middle]), (CERT, "CA:TRUE")),
        Broken("an intermediate certificate that expired", files(pki.make("signer", old_middle), root, [old_middle]), (CERT, ROOT, "has expired")),
        Broken("a root that expired", files(pki.make("signer", old_root), old_root), (CERT, ROOT, "has expired")),
        Broken("a root that did not sign the ca-cert.pem", files(signer, pki.make("other"), [middle]), (CERT, "does not lead to a root in", ROOT)),
    ]

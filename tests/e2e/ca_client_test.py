#!/usr/bin/env python3
"""The certificate service as clients see it that are not ours: Istio's messages, grpc-go, Go's TLS and X.509, and openssl. With a token, then with
the certificate; every part of what comes is looked at."""
import os
import subprocess

import tap

import identity
import mesh as mesh_rig


def folder(mesh, name):
    path = os.path.join(mesh.folder, name)
    os.mkdir(path)
    return path


def expect(verdict, code="OK"):
    assert verdict["code"] == code and not verdict["fault"], verdict
    assert code == "OK" or verdict["message"], verdict


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


with mesh_rig.Mesh() as mesh:
    authority = identity.Authority(mesh)
    token = authority.token("default", "hello")
    first, second = folder(mesh, "first"), folder(mesh, "second")
    with tap.case("a token gets a certificate: right name, key, uses, 24 hours, chain in order, root last"):
        expect(authority.ask("default", "hello", "--out", first, token=token))
    with tap.case("openssl verifies it for servers and for clients, and reads the name"):
        leaf, roots = os.path.join(first, "leaf.pem"), os.path.join(first, "root-cert.pem")
        for purpose in "sslserver", "sslclient":
            code, out = openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", roots, "-untrusted", os.path.join(first, "cert-chain.pem"), leaf)
            assert code == 0, out
        out = openssl("x509", "-in", leaf, "-noout", "-ext", "subjectAltName,keyUsage,extendedKeyUsage,basicConstraints")[1]
        for line in (f"URI:{identity.spiffe_id('default', 'hello')}\n", "Digital Signature, Key Encipherment", "TLS Web Server Authentication, TLS Web Client Authentication", "CA:FALSE"):
            assert line in out, out
    with tap.case("the roots that come are those in the state directory"):
        assert openssl("x509", "-in", roots, "-noout", "-fingerprint")[1] == openssl("x509", "-in", authority.roots, "-noout", "-fingerprint")[1]
    with tap.case("the certificate gets the next one, without a token"):
        expect(authority.ask("default", "hello", "--out", second, cert=first))
    with tap.case("and that one the next; every serial number is another"):
        verdicts = [authority.ask("default", "hello", cert=second) for _ in range(5)]
        for verdict in verdicts:
            expect(verdict)
        assert len({verdict["serial"] for verdict in verdicts}) == 5, verdicts
    with tap.case("a certificate is for its own name only"):
        expect(authority.ask("default", "other", cert=first), "InvalidArgument")
    with tap.case("with both, the certificate says who it is"):
        expect(authority.ask("default", "hello", token=token, cert=first))
    with tap.case("a request without a name gets its caller's"):
        expect(authority.ask("default", "hello", "--no-name", token=token))
    for kind in "p384", "rsa2048":
        with tap.case(f"a key of type {kind}"):
            expect(authority.ask("default", "hello", "--key-type", kind, token=token))
    for ttl in "20s", "1h", "2160h":
        with tap.case(f"a lifetime of {ttl}, as asked"):
            expect(authority.ask("default", "hello", "--ttl", ttl, token=token))
    with tap.case("one second more than the maximum is refused"):
        expect(authority.ask("default", "hello", "--ttl", "2160h1s", token=token), "InvalidArgument")
    with tap.case("nobody: unauthenticated, and it says what was missing"):
        verdict = authority.ask("default", "hello")
        expect(verdict, "Unauthenticated")
        assert "token" in verdict["message"], verdict
    with tap.case("a certificate that another authority has signed is nobody's, with a good token beside it too"):
        other = folder(mesh, "other")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", os.path.join(other, "key.pem"), "-out",
                os.path.join(other, "cert-chain.pem"), "-subj", "/", "-addext", f"subjectAltName=critical,URI:{identity.spiffe_id('default', 'hello')}")
        for given in None, token:
            assert authority.ask("default", "hello", token=given, cert=other)["code"] in ("Unavailable", "Unauthenticated")
    with tap.case("a client that trusts another root goes no further than the handshake"):
        verdict = authority.app("ca", "--id", identity.spiffe_id("default", "hello"), "--token-file", token, "--roots", os.path.join(other, "cert-chain.pem"))[0]
        assert verdict["code"] == "Unavailable" and "certificate" in verdict["message"], verdict
    with tap.case("a client that calls it by another name, too"):
        verdict = authority.app("ca", "--id", identity.spiffe_id("default", "hello"), "--token-file", token, "--server-name", "other.example")[0]
        assert verdict["code"] == "Unavailable" and "certificate" in verdict["message"], verdict
    for name in "weftd.istio-system.svc", "istiod.istio-system.svc":
        with tap.case(f"by the name {name}"):
            expect(authority.ask("default", "hello", "--server-name", name, token=token))
    with tap.case("a restart: the same root, the old certificate and the old token are good"):
        authority.weftd.stop()
        again = identity.Authority(mesh)
        expect(again.ask("default", "hello", cert=first))
        expect(again.ask("default", "hello", token=token))
    with tap.case("nothing secret is in the log"):
        log = again.weftd.log()
        with open(token, encoding="utf-8") as file:
            assert file.read().strip() not in log and "PRIVATE KEY" not in log
with mesh_rig.Mesh() as mesh:
    authority = identity.Authority(mesh, ["--workload-cert-ttl", "20s"])
    with tap.case("--workload-cert-ttl is what a request gets that asks for none"):
        expect(authority.ask("default", "hello", "--expect-ttl", "20s", token=authority.token("default", "hello")))
tap.done()

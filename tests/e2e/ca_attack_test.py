#!/usr/bin/env python3
"""Requests to the certificate service that must not get what they ask for (app/attack.go has the table), and ten thousand at once."""
import concurrent.futures

import tap

import identity
import mesh as mesh_rig

with mesh_rig.Mesh() as mesh:
    authority = identity.Authority(mesh)
    token = authority.token("default", "hello")
    for row in authority.attack("default", "hello", token):
        tap.report(not row["fault"], row["name"], f" # {row['fault']}" if row["fault"] else "")
    with tap.case("after all that it answers who comes rightly"):
        verdict = authority.ask("default", "hello", token=token)
        assert verdict["code"] == "OK" and not verdict["fault"], verdict
    with tap.case("10,000 requests at once: each is answered, with a certificate or that there is too much to do"):
        found = authority.flood(n=10000, parallel=10000)
        assert set(found["codes"]) <= {"OK", "ResourceExhausted"} and sum(found["codes"].values()) == 10000 and found["codes"]["OK"], found
    with tap.case("while one asks so much, another is served"):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            flood = pool.submit(authority.flood, 10000, 5000)
            codes = []
            while not flood.done():
                codes.append(authority.ask("default", "hello", token=token)["code"])
            assert codes and set(codes) == {"OK"}, codes
    with tap.case("and when it is over, everybody"):
        assert authority.flood(n=100, parallel=4)["codes"] == {"OK": 100}
    with tap.case("nothing secret is in the log"):
        log = authority.weftd.log()
        assert "eyJ" not in log and "PRIVATE KEY" not in log
tap.done()

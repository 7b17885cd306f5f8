#!/usr/bin/env python3
"""What went over the wire: TCP streams put together from a bridge's frames, and what TLS they are.

    capture = Capture("br0", prefix=["ip", "netns", "exec", "mesh-node"])    in a process of its own, in that network namespace
    ...traffic...
    for flow in capture.stop(marker="s3cret"):
        flow["from"], flow["to"]                "10.244.0.10:51234", "10.244.0.11:8080"; `from` has opened the connection
        flow["tls"]                             None, or {"version": "1.3", "cipher": 0x1301, "sni": …, "alpn": […]} as negotiated
        flow["is_all_tls"]                      both directions are TLS records from the first byte to the last
        flow["has_marker"]                      the marker's bytes stand in one of the directions

Standard library only (AF_PACKET, Linux, root). A frame that the kernel had to drop is an error, for "no plaintext seen" must mean that.
"""
import collections
import json
import socket
import struct
import subprocess
import sys
import threading
import time

SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_MR_PROMISC, ETH_P_ALL = 263, 1, 6, 1, 3
SO_RCVBUFFORCE = 33
FIN, SYN, RST, ACK = 1, 2, 4, 16
VERSIONS = {0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}
DRAIN_S = 2                # to read what had been sent when it was told to end, while more comes
BYTES_MAX = 256 << 20  # of what is kept


class Segments:
    """The frames' TCP payloads, by direction."""

    def __init__(self):
        self.streams = collections.defaultdict(dict)  # (source, port, destination, port) -> {sequence number: payload}
        self.starts = {}                              # direction -> first sequence number
        self.openers = []                             # directions that sent a SYN without ACK, in order
        self.bytes = 0

    def take(self, frame):
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP:
            return
        ip = 14
        header, total = (frame[ip] & 15) * 4, struct.unpack_from("!H", frame, ip + 2)[0]
        tcp = ip + header
        source, target, seq = struct.unpack_from("!HHI", frame, tcp)
        offset, flags = (frame[tcp + 12] >> 4) * 4, frame[tcp + 13]
        key = (frame[ip + 12:ip + 16], source, frame[ip + 16:ip + 20], target)
        if flags & SYN:
            if self.starts.get(key) != seq + 1:  # not the same frame again; a port that is used anew begins anew
                self.streams[key] = {}
                self.starts[key] = (seq + 1) & 0xFFFFFFFF
                if not flags & ACK:
                    self.openers.append(key)
            return
        payload = bytes(frame[tcp + offset:ip + total])
        if payload and key in self.starts:
            at = (seq - self.starts[key]) & 0xFFFFFFFF
            kept = self.streams[key].get(at, b"")
            if len(payload) > len(kept):
                self.streams[key][at] = payload
                self.bytes += len(payload) - len(kept)
                assert self.bytes < BYTES_MAX, "more was captured than is kept: let less traffic flow"

    def stream(self, key):
        """The bytes of a direction, up to the first hole; whether there is one."""
        out = bytearray()
        for at in sorted(self.streams.get(key, {})):
            if at > len(out):
                return bytes(out), True
            out += self.streams[key][at][len(out) - at:]
        return bytes(out), False


def records(data):
    """(type, body) of each TLS record; the last may be cut short. None stands for what is no record."""
    at = 0
    while at + 5 <= len(data):
        kind, version, length = struct.unpack_from("!BHH", data, at)
        if not (20 <= kind <= 24 and 0x0301 <= version <= 0x0304 and length <= (1 << 14) + 256):
            yield None
            return
        yield kind, data[at + 5:at + 5 + length]
        at += 5 + length
    if at < len(data) and not 20 <= data[at] <= 24:
        yield None


def handshake(data, wanted):
    """The body of the first handshake message, if it is of the wanted type."""
    body = b""
    for record in records(data):
        if not record or record[0] != 22:
            break
        body += record[1]
        if len(body) >= 4 and len(body) >= 4 + int.from_bytes(body[1:4], "big"):
            break
    return body[4:4 + int.from_bytes(body[1:4], "big")] if len(body) > 4 and body[0] == wanted else None


def extensions(data, at):
    found = {}
    if at + 2 <= len(data):
        end = at + 2 + struct.unpack_from("!H", data, at)[0]
        at += 2
        while at + 4 <= min(end, len(data)):
            kind, length = struct.unpack_from("!HH", data, at)
            found[kind] = data[at + 4:at + 4 + length]
            at += 4 + length
    return found


def client_hello(data):
    """SNI and ALPN of a ClientHello's body."""
    at = 34 + 1 + data[34]
    at += 2 + struct.unpack_from("!H", data, at)[0]
    at += 1 + data[at]
    found = extensions(data, at)
    sni = found[0][5:].decode("latin-1") if len(found.get(0, b"")) > 5 else None
    alpn, names, at = [], found.get(16, b""), 2
    while at < len(names):
        alpn.append(names[at + 1:at + 1 + names[at]].decode("latin-1"))
        at += 1 + names[at]
    return {"sni": sni, "alpn": alpn}


def server_hello(data):
    """Version and cipher suite of a ServerHello's body."""
    version, at = struct.unpack_from("!H", data, 0)[0], 34 + 1 + data[34]
    cipher = struct.unpack_from("!H", data, at)[0]
    chosen = extensions(data, at + 3).get(43)  # supported_versions: TLS 1.3 stands there alone
    version = struct.unpack("!H", chosen)[0] if chosen else version
    return {"version": VERSIONS.get(version, hex(version)), "cipher": cipher}


def flows(segments, marker):
    for key in segments.openers:
        back = (key[2], key[3], key[0], key[1])
        (up, up_hole), (down, down_hole) = segments.stream(key), segments.stream(back)
        asked, chosen = handshake(up, 1), handshake(down, 2)
        yield {"from": f"{socket.inet_ntoa(key[0])}:{key[1]}", "to": f"{socket.inet_ntoa(key[2])}:{key[3]}",
               "bytes": len(up) + len(down), "has_hole": up_hole or down_hole,
               "tls": {**client_hello(asked), **(server_hello(chosen) if chosen else {"version": None, "cipher": None})} if asked else None,
               "is_all_tls": bool(up) and all(None not in records(data) for data in (up, down)),
               "has_marker": marker in up or marker in down}


class Capture:
    """A capture under way, from a namespace that the prefix enters."""

    def __init__(self, device, prefix=()):
        self._process = subprocess.Popen([*prefix, sys.executable, __file__, device], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n", "the capture did not start"

    def stop(self, marker):
        out, _ = self._process.communicate(marker)
        assert self._process.returncode == 0, f"the capture ended with {self._process.returncode}"
        found = json.loads(out)
        assert found["dropped"] == 0, f"{found['dropped']} frames were not seen"
        return found["flows"]


def main(device):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as raw:
        raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        raw.bind((device, ETH_P_ALL))
        # A bridge shows what it forwards to who is promiscuous.
        raw.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", socket.if_nametoindex(device), PACKET_MR_PROMISC, 0, b""))
        raw.settimeout(0.1)
        marker = []
        threading.Thread(target=lambda: marker.append(sys.stdin.read()), daemon=True).start()
        print("ready", flush=True)
        segments, end = Segments(), None
        while end is None or time.monotonic() < end:
            if marker and end is None:
                end = time.monotonic() + DRAIN_S
            try:
                segments.take(raw.recv(65536))
            except TimeoutError:  # quiet: all that had been sent when it was told to end has been read
                end = end and 0
        _, dropped = struct.unpack("II", raw.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    json.dump({"dropped": dropped, "flows": list(flows(segments, marker[0].encode()))}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

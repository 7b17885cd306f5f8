"""HTTP traffic for end-to-end tests and the demo: backends that say who they are, and load that counts every answer.

    backend = Backend("v1", "127.0.0.11", 9080)        a server in a thread of its own; answers 200 "v1"
    counts = send(8080, 10000)                         Counter({"v1": 9017, "v2": 983})
    with Load(8080) as load:                           steady load until the block ends
        ...
    load.results                                       Counter; anything but an answer of 200 is a key such as "503 …" or "ConnectionReset"

Standard library only. HTTP/1.1 with keep-alive; a request that fails is counted, never retried.
"""
import asyncio
import collections
import threading
import time


class _Loop:
    """An event loop in a thread."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine, timeout_s=None):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout_s)

    def close(self):
        async def end():
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Backend:
    """Answers every request with its name. `status` and `delay_s` may be changed while it runs."""

    def __init__(self, name, address, port):
        self.name, self.address, self.port = name, address, port
        self.status, self.delay_s, self.requests, self.last_head = 200, 0.0, 0, ""
        self._loop = _Loop()
        self._server = self._loop.run(asyncio.start_server(self._serve, address, port, backlog=1024))

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = 0
                for line in head.split("\r\n")[1:]:
                    name, _, value = line.partition(":")
                    if name.lower() == "content-length":
                        length = int(value)
                if length:
                    await reader.readexactly(length)
                self.requests += 1
                self.last_head = head
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                body = self.name.encode()
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (self.status, len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def stop(self):
        self._server.close()
        self._loop.close()


async def _request(reader, writer, request):
    """(status, body)"""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    status, length, is_closing, is_chunked = int(lines[0].split(" ", 2)[1]), 0, False, False
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        length = int(value) if name == "content-length" else length
        is_closing |= name == "connection" and value.lower() == "close"
        is_chunked |= name == "transfer-encoding" and value.lower() == "chunked"
    body = b""
    if is_chunked:
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    elif length:
        body = await reader.readexactly(length)
    return status, body.decode("latin-1"), is_closing


async def _client(address, port, request, take, count, source=None):
    """One connection's worth of requests, reconnecting as often as needed, while take() says go on. From an address (source) of its own a
    client takes no port that somebody else wants to listen on."""
    writer = None
    while take():
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(address, port, local_addr=(source, 0) if source else None)
            status, body, is_closing = await asyncio.wait_for(_request(reader, writer, request), 30)
            count(body if status == 200 else f"{status} {body[:80]}")
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError, IndexError) as error:
            count(type(error).__name__)
            is_closing = True
            await asyncio.sleep(0.05)
        if is_closing and writer is not None:
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


def request_bytes(host, path="/", headers=(), method="GET"):
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send(port, n, host="localhost", path="/", headers=(), address="127.0.0.1", connections=16):
    """n requests over some connections; what came back, counted."""
    results, left = collections.Counter(), [n]

    def take():
        left[0] -= 1
        return left[0] >= 0

    def count(key):
        results[key] += 1

    loop = _Loop()
    try:
        request = request_bytes(host, path, headers)

        async def all_of_them():
            await asyncio.gather(*(_client(address, port, request, take, count) for _ in range(min(n, connections))))
        loop.run(all_of_them())
    finally:
        loop.close()
    return results


def split_error(results, name, n, percent):
    """What is wrong with a random split of n answers of which `percent` should be `name`'s; None within 3 standard deviations."""
    p = percent / 100
    sigma = (n * p * (1 - p)) ** 0.5
    if sum(results.values()) != n or abs(results[name] - n * p) > 3 * sigma:
        return f"{name} got {results[name]} of {n}, expected {n * p:.0f} ± {3 * sigma:.0f}: {dict(results)}"
    return None


def check_split(sample, name, n, percent):
    """Asserts the split of sample(), n answers counted. One right split in 400 lies outside by chance, so one more sample is taken
    then: a wrong one is outside again."""
    first = split_error(sample(), name, n, percent)
    if first:
        second = split_error(sample(), name, n, percent)
        assert not second, f"twice in a row: {first}; {second}"


class Load:
    """Steady load in the background: `with Load(port) as load: …`, then load.results."""

    def __init__(self, port, host="localhost", path="/", address="127.0.0.1", connections=8, headers=(), source=None):
        self.results, self._is_on = collections.Counter(), True
        self._loop = _Loop()
        request = request_bytes(host, path, headers)

        async def all_of_them():
            await asyncio.gather(*(_client(address, port, request, lambda: self._is_on, self._count, source) for _ in range(connections)))
        self._done = asyncio.run_coroutine_threadsafe(all_of_them(), self._loop._loop)

    def _count(self, key):
        self.results[key] += 1

    @property
    def total(self):
        return sum(self.results.values())

    def flow(self, n, timeout_s=60):
        """Waits until n more requests have been answered."""
        goal, end = self.total + n, time.monotonic() + timeout_s
        while self.total < goal:
            assert time.monotonic() < end, f"{n} requests did not come through in {timeout_s} s"
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        if self._is_on:
            self._is_on = False
            self._done.result(60)
            self._loop.close()

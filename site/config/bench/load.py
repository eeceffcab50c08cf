"""Clients over HTTP, in one loop of one process: cheap, since they share the cores.

Each client keeps its connection and sends its next request when it has the whole
answer, as pgbench's clients do.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Load:
    """What a run of some seconds saw: answers by status, and how long each took."""

    seconds: float = 0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Good answers a second."""
        good = sum(n for status, n in self.statuses.items() if status < 300)
        return good / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class Client:
    socket: socket.socket
    sent_at: float = 0
    buffer: bytes = b""
    has_done: bool = False


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_of_whole(buffer: bytes) -> int | None:
    """The status, once the whole answer is there."""
    head, mark, body = buffer.partition(b"\r\n\r\n")
    if not mark:
        return None
    lower = head.lower()
    status = int(head[9:12])
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(lower[at + 17 :].split(b"\r\n", 1)[0])
        return status if len(body) >= length else None
    if b"transfer-encoding: chunked" in lower:
        return status if body.endswith(b"0\r\n\r\n") else None
    return status


def finish(client: Client) -> None:
    """Wait for what is under way, so that it does not reach into the next measure."""
    while not client.has_done and status_of_whole(client.buffer) is None:
        received = client.socket.recv(65536)
        if not received:
            return
        client.buffer += received


def run(port: int, requests: Iterator[bytes], clients: int, seconds: float) -> Load:
    """`clients` at once for some seconds, or until there are no more requests; what is
    under way at the end is not counted."""
    selector = selectors.DefaultSelector()
    load = Load()
    everybody = []
    for _ in range(clients):
        connected = socket.create_connection(("127.0.0.1", port), timeout=30)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(connected)
        everybody.append(client)
        selector.register(connected, selectors.EVENT_READ, client)
    began = time.perf_counter()
    for client in everybody:
        client.sent_at = time.perf_counter()
        client.socket.sendall(next(requests))
    while selector.get_map() and time.perf_counter() - began < seconds:
        for key, _event in selector.select(timeout=1):
            client = key.data
            received = client.socket.recv(65536)
            if not received:
                raise ConnectionError("The server closed a connection.")
            client.buffer += received
            status = status_of_whole(client.buffer)
            if status is None:
                continue
            now = time.perf_counter()
            load.statuses[status] += 1
            load.latencies.append(now - client.sent_at)
            client.buffer = b""
            following = next(requests, None)
            if following is None:
                client.has_done = True
                selector.unregister(client.socket)
                continue
            client.sent_at = now
            client.socket.sendall(following)
    load.seconds = time.perf_counter() - began
    selector.close()
    for client in everybody:
        finish(client)
        client.socket.close()
    return load

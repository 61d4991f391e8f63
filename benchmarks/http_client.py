"""A client that costs little itself: one connection, kept open, and just as much of HTTP/1.1 as the benchmark needs."""

from __future__ import annotations

import json
import socket
import time
from typing import Any


class Connection:
    """One connection to the server, with one API key."""

    def __init__(self, port: int, key: str) -> None:
        self._address = ("127.0.0.1", port)
        self._key = key
        self._socket: socket.socket | None = None

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes, float]:
        """Send one request; return status, body, and milliseconds from the first byte out to the last byte in."""
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.perf_counter()
        self._socket.sendall(head.encode() + data)
        status, answer = self._receive(self._socket)
        return status, answer, 1000 * (time.perf_counter() - start)

    @staticmethod
    def _receive(connection: socket.socket) -> tuple[int, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("the server closed the connection")
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65536)
        return int(lines[0].split()[1]), body

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

"""A frugal HTTP/1.1 client: the machine that measures is the machine that is measured, so asking must cost little.

It keeps one connection, sends what a caller sends, and reads the status line, every header and the whole body.
"""

import socket
from types import TracebackType
from typing import NamedTuple

CHUNK = 1 << 16


class Reply(NamedTuple):
    """An answer. The names of `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One kept connection to a server on this machine. A server that closes it or says no length: OSError."""

    def __init__(self, port: int, timeout: float = 30) -> None:
        self._host = f"127.0.0.1:{port}"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._socket.close()

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        """Send one request and read its answer to the end."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        return self._answer()

    def _answer(self) -> Reply:
        head, ended, rest = self._more().partition(b"\r\n\r\n")
        while not ended:
            head, ended, rest = (head + self._more()).partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if "content-length" not in headers:
            raise OSError("the answer does not say how long it is")
        missing, parts = int(headers["content-length"]) - len(rest), [rest]
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        return Reply(int(status.split(" ", 2)[1]), headers, b"".join(parts))

    def _more(self) -> bytes:
        if not (part := self._socket.recv(CHUNK)):
            raise OSError("the server closed the connection")
        return part

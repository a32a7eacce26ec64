"""Plain HTTP clients of a served house: one kept connection, one key, answers as they come."""

import contextlib
import http.client
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    """An answer. `status` 0 means none came: the connection broke, and what happened is unknown."""

    status: int
    body: Any = None
    replayed: bool = False


class Client:
    """One caller. Reconnects after a failure, or for each request; never repeats one by itself."""

    def __init__(self, port: int, key: str, timeout: float = 30.0, keep: bool = True) -> None:
        self.port, self.key, self.timeout, self.keep = port, key, timeout, keep
        self.connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, idempotency: str | None = None) -> Said:
        try:
            self._send(method, path, body, idempotency)
            assert self.connection is not None
            answer = self.connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return Said(0)
        if answer.will_close or not self.keep:
            self.close()
        try:
            return Said(answer.status, json.loads(raw), "Idempotency-Replayed" in answer.headers)
        except ValueError:
            return Said(answer.status, raw.decode(errors="replace"))

    def leave(self, method: str, path: str, body: Mapping[str, Any], idempotency: str) -> None:
        """Send and hang up before the answer: the caller will not know whether it was done."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._send(method, path, body, idempotency)
        self.close()

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, idempotency: str | None) -> None:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": idempotency or uuid.uuid4().hex}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body), "application/json"
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        self.connection.request(method, path, content, headers)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

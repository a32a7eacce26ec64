"""What another system sends us by itself: the call as it came, and what a connector heard in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.sync.incoming import Incoming


@dataclass(frozen=True)
class Push:
    """A call at a connection's own address. Names of `headers` are in lower case; `at` is our clock when it came."""

    method: str
    path: str  # behind the connection's address, without a leading slash
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True)
class PushAnswer:
    """An answer in the other system's own format."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Heard:
    """What a push says. `key` is the sender's own name of it: the same one is stored once and answered again alike."""

    key: str
    records: tuple[Incoming, ...]
    answer: PushAnswer
    kind: str = ""  # the sender's name of the method, shown to people


class PushRefused(Exception):
    """The push is not taken: a wrong signature, a clock out of bounds, a body that cannot be read."""

    def __init__(self, code: str, message: str, answer: PushAnswer) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.answer = code, message, answer

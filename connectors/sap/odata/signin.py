"""Who we are to the system: a user with a password, an OAuth client, or a certificate on the connection itself."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

EARLY = 60.0  # seconds before its end at which a token is replaced
SHORTEST = 30.0  # seconds a token is used at least, whatever its end says


@dataclass(frozen=True)
class Basic:
    """A technical user."""

    user: str
    password: str


@dataclass(frozen=True)
class ClientCredentials:
    """An OAuth 2.0 client that signs in for itself."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""


@dataclass(frozen=True)
class Certificate:
    """A client certificate. The session handed to us presents it; we add nothing."""


Credentials = Basic | ClientCredentials | Certificate


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


class Token:
    """One access token of one client, fetched by `ask` when it is needed. Callers from several threads fetch once."""

    def __init__(
        self, ask: Callable[[], tuple[str, float]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def __call__(self, stale: str = "") -> str:
        """A token that still holds and is not the `stale` one. Raises what `ask` raises."""
        with self._lock:
            if not self._token or self._token == stale or self._clock() >= self._until:
                self._token, seconds = self._ask()
                self._until = self._clock() + max(seconds - EARLY, min(seconds, SHORTEST))
            return self._token

    @property
    def held(self) -> str:
        """The token as it is now, for hiding it in what is shown."""
        return self._token

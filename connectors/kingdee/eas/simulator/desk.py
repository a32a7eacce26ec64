"""Who may call: one data centre with its users, and the sessions they opened."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """A data centre and the one user who may call its services."""

    user: str
    password: str
    solution: str = "eas"
    data_centre: str = "TSDEMO"
    database: int = 1


DEMO = Account("tongshang", "Eas-Simulator-1")


class Desk:
    """Sessions by id; each goes with the HTTP cookie it was opened under, as behind a cluster port."""

    def __init__(self, account: Account, seconds: float) -> None:
        self.account, self.seconds = account, seconds
        self._lock = threading.Lock()
        self._sessions: dict[str, tuple[str, float]] = {}  # id -> (cookie, until)

    def login(self, user: str, password: str, solution: str, data_centre: str) -> tuple[str, str] | None:
        """(session id, cookie), or None for a login that is refused."""
        told = self.account
        if (user, password, solution, data_centre) != (
            told.user,
            told.password,
            told.solution,
            told.data_centre,
        ):
            return None
        id, cookie = secrets.token_hex(16), secrets.token_hex(16).upper()
        with self._lock:
            self._sessions[id] = (cookie, time.monotonic() + self.seconds)
        return id, cookie

    def admits(self, id: str, cookies: str) -> bool:
        with self._lock:
            cookie, until = self._sessions.get(id, ("", 0.0))
        return bool(cookie) and time.monotonic() < until and f"JSESSIONID={cookie}" in cookies

    def lose(self) -> int:
        """Forget every session; how many there were."""
        with self._lock:
            lost = len(self._sessions)
            self._sessions.clear()
        return lost

    def logout(self, user: str) -> bool:
        """EAS's logout names a user: every session of that user ends."""
        return user == self.account.user and self.lose() > 0

    @property
    def ids(self) -> list[str]:
        with self._lock:
            return list(self._sessions)

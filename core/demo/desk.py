"""Somebody at a desk, working over the public API like any program: signs in, asks, acts, and keeps every answer."""

import uuid
from typing import Any

from core.sync import OutboundRule, session


class Wrong(Exception):
    """The API answered something else than expected; the message shows what."""


class Desk:
    """One signed-in person. All paths are below `/api/v1`."""

    def __init__(self, portal: str, login: str, password: str) -> None:
        self.portal = portal.rstrip("/")
        self.http = session([OutboundRule.parse("127.0.0.1:1-65535")])
        signed_in = self._call("POST", "/session", {"login": login, "password": password})
        self.http.headers["Authorization"] = f"Bearer {signed_in['token']}"
        self.name = self._call("GET", "/me", None)["name"]

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, None, query)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """A change, with an idempotency key of its own."""
        return self._call("POST", path, body or {})

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, Any] | None = None
    ) -> Any:
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Accept-Language": "zh-CN"}
        answer = self.http.request(
            method, f"{self.portal}/api/v1{path}", json=body, params=query, headers=headers, timeout=30
        )
        if answer.status_code >= 400:
            raise Wrong(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else {}

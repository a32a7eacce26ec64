"""Who we are to the system: a user with a password, an OAuth 2.0 client, or a certificate on the connection itself.

A certificate is presented by the session handed to us, so nothing is added here. A token is fetched when it is needed
and fetched anew once when the system says 401, which proves that nothing was executed.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable

import requests

from tongshang.connect import (
    Access,
    Blocked,
    Exchange,
    FixSettings,
    NotSent,
    RetryLater,
    Unreachable,
)

BASIC, OAUTH, CERTIFICATE = "basic", "oauth", "certificate"
EARLY = 30.0  # seconds before its end at which a token is no longer used


class SignIn:
    """What goes into the Authorization header. Several threads may ask; one of them fetches."""

    def __init__(
        self, access: Access, http: requests.Session, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.access, self.http, self.clock = access, http, clock
        self.way = access["way"] or BASIC
        self.timeout: tuple[float, float] = (10.0, 25.0)
        self.trace: Callable[[Exchange], None] = lambda _: None
        self._token, self._until = "", 0.0
        self._fetching = threading.Lock()

    @property
    def renews(self) -> bool:
        return self.way == OAUTH

    @property
    def secrets(self) -> list[str]:
        """What must not be shown."""
        told = [self.access["password"], self.access["client_secret"], self._token]
        return [each for each in told if each]

    def headers(self, stale: str = "") -> dict[str, str]:
        """Raises FixSettings when something is missing or refused, RetryLater when the token cannot be had now."""
        if self.way == CERTIFICATE:
            return {}
        if self.way == OAUTH:
            return {"Authorization": f"Bearer {self._held(stale)}"}
        return {"Authorization": _basic(*self._given("username", "password"))}

    def _given(self, *keys: str) -> list[str]:
        missing = [key for key in keys if not self.access[key]]
        if missing:
            raise FixSettings(
                "sap.credentials_missing", f"missing for this way to sign in: {', '.join(missing)}"
            )
        return [self.access[key] for key in keys]

    def _held(self, stale: str) -> str:
        with self._fetching:
            if not self._token or f"Bearer {self._token}" == stale or self.clock() >= self._until:
                self._token, seconds = self._fetch()
                self._until = self.clock() + max(seconds - EARLY, 1.0)
            return self._token

    def _fetch(self) -> tuple[str, float]:
        url, client, secret = self._given("token_url", "client_id", "client_secret")
        form = {"grant_type": "client_credentials"}
        if self.access["scope"]:
            form["scope"] = self.access["scope"]
        sent = {"Authorization": _basic(client, secret), "Accept": "application/json"}
        began, note = time.monotonic(), ""
        status: int | None = None
        try:
            response = self.http.post(url, data=form, headers=sent, timeout=self.timeout)
            status = response.status_code
            if status in (400, 401, 403):
                note = response.text[:500]
                raise FixSettings("sap.token_refused", f"the token endpoint answered {status}")
            told = json.loads(response.content)
            token, seconds = str(told["access_token"]), float(told.get("expires_in") or 300)
            note = f"a token for {seconds:g} s"
            return token, seconds
        except Blocked as error:
            note = str(error)
            raise FixSettings("outbound.blocked", note) from error
        except Unreachable as error:
            note = str(error)
            raise RetryLater(f"unreachable.{error.stage}", note) from error
        except (NotSent, requests.RequestException) as error:
            note = str(error)
            raise RetryLater("sap.token", "no token: the endpoint did not answer") from error
        except (ValueError, KeyError, TypeError, AttributeError):
            note = "no token in the answer"
            raise RetryLater("sap.token", f"no token in the answer ({status})") from None
        finally:
            taken = int((time.monotonic() - began) * 1000)
            asked = f"grant_type=client_credentials, client {client}"
            self.trace(Exchange("token", url, asked, status, note.replace(secret, "•••"), taken))


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")

"""One HTTP exchange of SOAP: zeep's transport over the guarded session, with every way it can go wrong sorted by remedy.

zeep's own constructor would give the session a door to local files and another name, so it is not called.
A write that may have reached the server and has no readable answer is `Uncertain`; nothing is sent twice here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

import requests
from zeep.exceptions import ValidationError
from zeep.transports import Transport

from connectors.sap.soap.signin import SignIn
from connectors.sap.soap.wsdl import Operation, bundled
from tongshang.connect import (
    Asked,
    Exchange,
    FixSettings,
    Rejected,
    SyncError,
    Uncertain,
    call,
    perhaps,
    slow_down,
)

PATIENCE = (10.0, 25.0)  # seconds to connect, to read
BUSY = timedelta(seconds=5)
HIDDEN = "•••"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


class Wire(Transport):
    """The sockets of one link. `write` says of the call under way whether it may change something there."""

    def __init__(
        self,
        http: requests.Session,
        signin: SignIn,
        *,
        timeout: tuple[float, float] = PATIENCE,
    ) -> None:
        self.session = http
        self.cache = None
        self.load_timeout = self.operation_timeout = timeout
        self.logger = logging.getLogger(__name__)
        self._close_session = False
        self.signin = signin
        signin.timeout = timeout
        self.trace: Callable[[Exchange], None] = lambda _: None
        self.before_write: Callable[[], None] = lambda: None
        self.write = False
        self.left = False  # whether anything of the message under way may be outside
        self.operation = ""

    def call(self, operation: Operation, url: str, given: Mapping[str, Any]) -> requests.Response:
        """Write the message as the WSDL has it and post it. Raises SyncError."""
        self.left = False
        service = operation.client.create_service(operation.binding, url)
        try:
            return service[operation.name](**given)
        except (ValidationError, TypeError, ValueError, AttributeError, LookupError) as error:
            said = f"{operation.name}: {type(error).__name__}: {error}"[:500]
            if self.left and self.write:
                raise Uncertain("sap.parameter_unfit", said) from error
            raise Rejected("sap.parameter_unfit", said) from error

    def load(self, url: str) -> bytes:
        """A bundled schema, or a refusal: nothing is fetched for a WSDL."""
        return bundled(url)

    def get(self, address: str, params: Any, headers: Any) -> requests.Response:
        raise FixSettings("sap.binding", "the port is bound to HTTP GET; name a SOAP port")

    def post(self, address: str, message: Any, headers: Mapping[str, str]) -> requests.Response:
        """The answer whatever its status below; raises SyncError when there is none.

        A 401 to a token proves that nothing was executed: it is followed by one new token and one repetition.
        """
        body = message.encode("utf-8") if isinstance(message, str) else bytes(message)
        self.signin.trace = self.trace
        login = self.signin.headers()
        response = self._once(address, body, {**headers, **login})
        if response.status_code == 401 and self.signin.renews:
            login = self.signin.headers(stale=login["Authorization"])
            response = self._once(address, body, {**headers, **login})
        return response

    def _once(self, address: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        unclear = perhaps(self.write)
        if self.write:
            self.before_write()
        self.left = True
        asked = Asked(self.operation, address, body.decode("utf-8", "replace"), self._hide)
        send = partial(self.session.post, address, data=body, headers=headers, timeout=self.operation_timeout)
        return call(send, asked, self.trace, unclear)

    def _hide(self, text: str) -> str:
        for secret in self.signin.secrets:
            text = text.replace(secret, HIDDEN).replace(escape(secret), HIDDEN)
        return MOBILE.sub(HIDDEN, text)


def status_error(response: requests.Response, *, write: bool) -> SyncError | None:
    """What an HTTP status alone says; None where the body has to be read (200, 202, and 500 for a fault)."""
    status = response.status_code
    if status in (200, 202, 500):
        return None
    if status in (401, 403):
        said = f"the server answered {status}: user, password, authorisation, or a service that is not active (SICF)"
        return FixSettings("http.forbidden", said)
    if status in (404, 405):
        return FixSettings("http.not_found", f"the server answered {status}: no such service at this address")
    if 300 <= status < 400:
        return FixSettings(
            "http.redirected", f"the server wants another address: {response.headers.get('Location')}"
        )
    if status == 429:
        return slow_down(response, BUSY)
    unclear = perhaps(write)
    return unclear("http.status", f"the server answered {status}")

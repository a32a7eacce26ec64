"""The calls of both gateways: a signed form around JSON text, or signed JSON; and answers sorted row by row.

An answer tells three things apart: all done (`returnFlag` 1), nothing done (0), a part of the rows done (2). For a
single order only its own row counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from connectors.wms import signing
from connectors.wms.calls import BUSY, Caller
from connectors.wms.flux.wire import Unreadable, encode, read, rows, said
from connectors.wms.goods import Exists, Missing
from tongshang.connect import FixSettings, Rejected, RetryLater, SyncError, perhaps

OK = ("", "0", "0000")

MESSAGES = {
    "put": "SO",
    "cancel": "SOC",
    "state": "SOQ",
    "stock": "INVQ",
    "put_asn": "ASN",
    "cancel_asn": "ASNC",
    "state_asn": "ASNQ",
}

# What answer codes ask for; a site may use others, see the setting `codes`.
CODES = {
    "S001": "settings",
    "S002": "unclear",
    "S003": "refused",
    "S004": "settings",
    "S006": "exists",
    "S007": "refused",
}


@dataclass(frozen=True)
class Account:
    """Where the gateway is and as whom we come."""

    url: str
    gateway: str  # form or json
    app_key: str
    app_token: str
    secret: str
    customer: str  # client_customerid: who calls
    database: str  # client_db
    variant: str = "base64"
    methods: Mapping[str, str] = field(default_factory=dict)


class Client:
    """Signed calls of one account."""

    def __init__(
        self,
        caller: Caller,
        account: Account,
        remedies: Mapping[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.caller, self.account, self.remedies, self.now = caller, account, remedies, now

    def call(self, what: str, data: Any, order: str = "", *, write: bool) -> Mapping[str, Any]:
        """The answer of one of `MESSAGES`; `order` is the order whose row counts.

        Raises `Exists`, `Missing` or another SyncError.
        """
        account, text = self.account, encode(data)
        method = account.methods[what]
        fields = {
            "method": method,
            "client_customerid": account.customer,
            "client_db": account.database,
            "messageid": MESSAGES[what],
            "apptoken": account.app_token,
            "appkey": account.app_key,
            "timestamp": signing.stamp(self.now()),
            "sign": signing.flux(text, account.secret, account.variant),
            "format": "JSON",
        }
        if account.gateway == "form":
            told = {**fields, "data": text}
            body = urlencode(told).encode()
            shown = "&".join(f"{name}={value}" for name, value in told.items())
            headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
            content = self.caller.post(method, account.url, body, headers, write=write, shown=shown)
        else:
            headers = {"Content-Type": "application/json; charset=utf-8"}
            url = f"{account.url}?{urlencode(fields)}"
            content = self.caller.post(method, url, text.encode(), headers, write=write)
        return self._read(content, order, write)

    def _read(self, content: bytes, order: str, write: bool) -> Mapping[str, Any]:
        unclear = perhaps(write)
        try:
            value = read(content)
        except Unreadable as error:
            raise unclear("flux.unreadable", str(error)) from None
        response = value.get("response") if isinstance(value, Mapping) else None
        told = response.get("return") if isinstance(response, Mapping) else None
        flag, code = said(told, "returnflag"), said(told, "returncode")
        if not isinstance(response, Mapping) or (flag not in ("0", "1", "2") and not code):
            raise unclear("flux.unreadable", "the answer says neither yes nor no")
        own = [row for row in rows(told, "resultinfo") if said(row, "orderno") == order]
        bad = next((row for row in own if said(row, "errorcode") not in OK), None)
        if bad is not None:
            raise self._refused(said(bad, "errorcode"), said(bad, "errordescr"), write)
        if flag == "1" and code not in OK:
            raise unclear("flux.unreadable", f"the answer says yes and, with {code}, no")
        if flag == "0" and code in OK[1:]:
            raise unclear("flux.unreadable", f"the answer says no and, with {code}, yes")
        if flag == "1" or (flag == "2" and (own or not order)) or (not flag and code in OK):
            return response
        if flag == "2" and write:
            # Some rows failed, and ours is not among them: it was done, as far as anybody can tell; look.
            raise unclear("flux.partial", "a part was done, and the order is not named")
        raise self._refused(code, said(told, "returndesc"), write)

    def _refused(self, code: str, message: str, write: bool) -> SyncError:
        remedy = self.remedies.get(code.upper(), "refused" if write else "")
        text = f"{code}: {message}"
        if remedy == "exists":
            return Exists("flux.exists", text)
        if remedy == "missing":
            return Missing("flux.missing", text)
        if remedy == "later":
            return RetryLater("flux.busy", text, after=BUSY)
        if remedy == "unclear":
            return perhaps(write)("flux.system", text)
        if remedy == "settings":
            return FixSettings("flux.signature", text)
        if remedy == "refused":
            return Rejected("flux.refused", text)
        return Rejected("flux.code_unknown", text)

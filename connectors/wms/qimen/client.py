"""The calls of the protocol: signed XML over HTTP, and answers sorted by a table of codes, never by their words.

HTTP says 200 whatever happened; `flag` says success or failure. The codes behind a failure differ from warehouse
to warehouse, so the table is part of the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from connectors.wms import signing, xmltext
from connectors.wms.calls import BUSY, Caller
from connectors.wms.goods import Exists, Missing
from tongshang.connect import FixSettings, Rejected, RetryLater, SyncError, perhaps

PREFIX = "taobao.qimen."
# How codes of the router itself begin: it, or the way to the warehouse behind it, failed; it takes no more calls for now.
ROUTER = {"isp.": "unclear", "accesscontrol.limited": "later"}

# What the answer codes of one live integration ask for; a warehouse may use others, see the setting `codes`.
CODES = {
    "S07": "exists",
    "ORDER_ALREADY_EXISTS": "exists",
    "ORDER_NOT_EXIST": "missing",
    "ORDER_NOT_FOUND": "missing",
    "S01": "unclear",
    "S02": "unclear",
    "S05": "unclear",
    "S09": "unclear",
    "SYSTEM_ERROR": "unclear",
    "TIMEOUT": "unclear",
    "S03": "refused",
    "S12": "refused",
    "S04": "settings",
    "sign-check-failure": "settings",
    "isv.sign-check-failure": "settings",
}


@dataclass(frozen=True)
class Account:
    """Where the router is and as whom we come."""

    url: str  # whole, with the path of the router
    app_key: str
    secret: str
    customer_id: str
    both_ends: bool = True
    prefixed: bool = True


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

    def call(self, method: str, request: str, *, write: bool) -> Any:
        """The `response` element of a success. Raises `Exists`, `Missing` or another SyncError."""
        body = xmltext.document(xmltext.tag("request", request))
        params = self._params(method)
        params["sign"] = signing.qimen(params, body, self.account.secret, both_ends=self.account.both_ends)
        url = f"{self.account.url}?{urlencode(params, quote_via=quote)}"
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        return self._read(self.caller.post(method, url, body, headers, write=write), write)

    def _params(self, method: str) -> dict[str, str]:
        account = self.account
        return {
            "method": (PREFIX if account.prefixed else "") + method,
            "timestamp": signing.stamp(self.now()),
            "format": "xml",
            "app_key": account.app_key,
            "v": "2.0",
            "sign_method": "md5",
            "customerId": account.customer_id,
        }

    def _read(self, content: bytes, write: bool) -> Any:
        unclear = perhaps(write)
        try:
            root = xmltext.read(content)
        except xmltext.Unreadable as error:
            raise unclear("qimen.unreadable", str(error)) from None
        if root.tag == "error_response":  # the router itself, before any warehouse
            code = xmltext.said(root, "sub_code") or xmltext.said(root, "code")
            raise self._refused(code, xmltext.said(root, "sub_msg") or xmltext.said(root, "msg"), write)
        flag = xmltext.said(root, "flag").lower()
        if root.tag != "response" or flag not in ("success", "failure"):
            raise unclear("qimen.unreadable", "the answer says neither success nor failure")
        if flag == "failure":
            raise self._refused(xmltext.said(root, "code"), xmltext.said(root, "message"), write)
        return root

    def _refused(self, code: str, message: str, write: bool) -> SyncError:
        told = next((remedy for start, remedy in ROUTER.items() if code.lower().startswith(start)), "")
        remedy = self.remedies.get(code.upper()) or told or ("refused" if write else "")
        said = f"{code}: {message}"
        if remedy == "exists":
            return Exists("qimen.exists", said)
        if remedy == "missing":
            return Missing("qimen.missing", said)
        if remedy == "later":
            return RetryLater("qimen.busy", said, after=BUSY)
        if remedy == "unclear":
            return perhaps(write)("qimen.system", said)
        if remedy == "settings":
            return FixSettings("qimen.signature", said)
        if remedy == "refused":
            return Rejected("qimen.refused", said)
        return Rejected("qimen.code_unknown", said)

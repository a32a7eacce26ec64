"""What an answer asks for that is no plain yes: its status, its headers and its complaint sorted by remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

import requests

from connectors.sap.odata import wire
from tongshang.connect import FixSettings, Rejected, RetryLater, SyncError, Uncertain

BUSY = timedelta(seconds=5)
# "Customer reference exists already": a warning by default, an error where the site made it one. This call did nothing, but an
# order with our number is there, perhaps by our own earlier try: so it is looked up, and never filed as refused.
TAKEN = "V4/115"
NO_SERVICE = "/IWFND/MED/"  # the gateway's own messages about services that are not there or not active
KNOWN = {"M7/022": "sap.over_delivery", "M7/053": "sap.period_closed"}  # refusals with a remedy of their own
# How SAP says, in the languages our customers sign on with, that somebody else holds the document or the table.
LOCKED = re.compile(
    r"(currently being|already) (processed|processing|edited|used)|is (currently )?locked|locked by|gesperrt"
    r"|正被|正由|正在(被|由)?.{0,20}(处理|编辑|使用)|被.{0,20}锁定|已锁定",
    re.IGNORECASE,
)


def told_by(response: requests.Response) -> list[str]:
    """The messages that came in a header beside the answer, such as the warning that an order is incomplete."""
    return [
        line
        for name in ("sap-message", "sap-messages")
        for line in wire.messages(response.headers.get(name, ""))
    ]


def refusal(response: requests.Response, write: bool) -> SyncError:
    """The error a status other than 2xx stands for."""
    return sorted_error(response.status_code, response.headers, response.content, write)


def sorted_error(status: int, headers: Mapping[str, str], body: bytes, write: bool) -> SyncError:
    """What a refused call, or a refused part of a batch, asks for; names of `headers` in any case the mapping finds."""
    told = wire.complaint(body)
    said = f"{told.code} {told.message}".strip() if told else f"the server answered {status}"
    if status == 401:
        return FixSettings("sap.login_refused", said)
    if status >= 500:
        # A failure in the middle, or a page of something in between, whatever it says: only a look can tell.
        perhaps = Uncertain if write else RetryLater
        if status == 503 and not write:
            return RetryLater("sap.unavailable", said, after=_after(headers))
        return perhaps("sap.exception" if told else "http.status", said)
    if told and told.code.startswith(NO_SERVICE):
        return FixSettings("sap.service_missing", said)
    if status == 403:
        return FixSettings("sap.no_permission", said)
    if 300 <= status < 400:
        where = headers.get("location") or headers.get("Location") or "another address"
        return FixSettings("http.redirected", f"the server sends us to {where[:200]}")
    if status == 429:
        return RetryLater("http.too_many", "the server asks for fewer calls", after=_after(headers))
    if write and told and TAKEN in told.codes:
        return Uncertain("sap.reference_taken", said)
    if status == 423 or (told and LOCKED.search(told.message)):
        return RetryLater("sap.locked", said, after=BUSY)
    if status in (409, 412):
        return RetryLater("sap.changed_meanwhile", said)
    if status == 404 and not told:
        return FixSettings(
            "sap.service_missing", "no such service: is it activated, and is the address right?"
        )
    if status in (404, 410):
        return Rejected("sap.not_found", said)
    if told or status in (405, 406, 411, 413, 414, 415, 428, 431):
        codes = told.codes if told else ()
        code = next((KNOWN[one] for one in codes if one in KNOWN), "sap.refused")
        return Rejected(code, said, field=told.target if told else "")
    # A page of something in between: it says nothing about what stands behind it.
    return (Uncertain if write else RetryLater)("http.status", said)


def _after(headers: Mapping[str, str]) -> timedelta:
    wait = headers.get("retry-after") or headers.get("Retry-After") or ""
    return timedelta(seconds=min(int(wait), 3600)) if wait.isdecimal() else BUSY

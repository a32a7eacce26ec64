"""BAPIRET2: what a function says about itself, and which remedy that asks for.

A row of type E or A means failure, whatever else the answer holds. Messages are known by class and number, which
do not depend on the language; the text is only shown. The same call with HTTP status 200 carries both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.sap.soap import xml
from tongshang.connect import Rejected, RetryLater, SyncError, Uncertain

KINDS = {"S", "W", "I", "E", "A"}
BAD = {"E", "A"}

# Class and number -> why the same call may work later. A site adds its own; `no` takes one of these away.
RETRIABLE = {
    "MC 601": "locked",  # the object is locked by a user
    "V1 042": "locked",  # the sales document is being processed
    "M3 023": "locked",  # plant data of a material
    "M3 024": "locked",  # its valuation data
}
TAKEN = "V4 115"  # a site's own error for a purchase order number given twice: perhaps by our own earlier try
LOCKED_FOR = timedelta(seconds=20)  # how long a person usually holds a document open


@dataclass(frozen=True)
class Message:
    """One row. `key` is class and number, such as `V1 311`."""

    kind: str
    key: str
    text: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.key} {self.text}".strip()


def messages(found: Any) -> list[Message]:
    """The rows of a RETURN that is a table, one structure or empty. Raises xml.Unreadable for rows nobody can judge."""
    told = []
    for row in xml.rows(found):
        kind = str(row.get("TYPE") or "").strip().upper()
        id, no = str(row.get("ID") or "").strip(), str(row.get("NUMBER") or "").strip()
        text = str(row.get("MESSAGE") or "").strip()
        if not (kind or id or text or no.strip("0")):
            continue  # the initial structure of a function that had nothing to say
        if kind not in KINDS:
            raise xml.Unreadable(f"a message of type {kind!r}")
        told.append(Message(kind, f"{id} {no.zfill(3)}".strip(), text, str(row.get("FIELD") or "").strip()))
    return told


def refusal(
    told: Sequence[Message], retriable: Mapping[str, str], *, rolls_back: bool, write: bool
) -> SyncError | None:
    """The error that the messages stand for, None when none of them is bad.

    Only a function that rolls back has certainly done nothing; of any other a write is uncertain.
    """
    bad = [one for one in told if one.kind in BAD]
    if not bad:
        return None
    said = "; ".join(str(one) for one in told if one.kind != "S")
    waits = [retriable.get(one.key, "no") for one in bad]
    locked = next((why for why in waits if why != "no"), "")
    if write and not rolls_back:
        return Uncertain("sap.refused_without_rollback", said)
    if write and any(one.key == TAKEN for one in bad):
        return Uncertain("sap.reference_taken", said)
    if locked:
        return RetryLater(f"sap.{'locked' if locked == 'locked' else 'busy'}", said, after=LOCKED_FOR)
    return Rejected("sap.refused", said, field=next((one.field for one in bad if one.field), ""))

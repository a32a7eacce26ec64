"""The calls of the facade: import a bill, look it up, carry it through its life, list base data.

`importBill` of `WSSCMWebServiceFacade` is publicly known (bill type, JSON text, status). Every other call is one that
the site's own facade brings; its names are settings, its text is the one of docs/guides/connect-eas.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors.kingdee.eas.session import Session
from connectors.kingdee.eas.soap import Service, SessionLost
from connectors.kingdee.eas.text import NoVerdict, Said, encode, read
from connectors.kingdee.eas.wsdl import Part
from tongshang.connect import FixSettings, Rejected, RetryLater, SyncError, Uncertain

BUSY = timedelta(seconds=5)
OPERATIONS = {
    "import": "importBill",
    "query": "queryBill",
    "submit": "submitBill",
    "audit": "auditBill",
    "unaudit": "unauditBill",
    "cancel": "cancelBill",
    "materials": "exportMaterials",
    "customers": "exportCustomers",
    "stock": "exportInventory",
}
ERRORS = {
    "session": "SESSION",
    "locked": "LOCKED",
    "busy": "BUSY",
    "duplicate": "DUPLICATE",
    "permission": "PERMISSION",
    "state": "STATE",
    "missing": "MISSING",
    "invalid": "INVALID",
    "exception": "EXCEPTION",
}
"""Our words for what can be wrong, and the code that the answer carries for each."""

REMEDIES: dict[str, tuple[str, type[SyncError]]] = {
    "locked": ("eas.locked", RetryLater),
    "busy": ("eas.busy", RetryLater),
    "permission": ("eas.no_permission", FixSettings),
    "duplicate": ("eas.number_taken", Uncertain),  # perhaps our own, from a call whose answer was lost
    "state": (
        "eas.state",
        RetryLater,
    ),  # not as we saw it: done by an earlier call, or by a person; look again
    "missing": ("eas.bill_missing", Rejected),
    "invalid": ("eas.validation", Rejected),
}


@dataclass(frozen=True)
class Names:
    """What the site calls things: the operations, the error codes, the kind of bill and its states."""

    operations: Mapping[str, str]
    errors: Mapping[str, str]
    bill_type: str = "003"
    saved: int = 1


class Facade:
    """The facade service within a session."""

    def __init__(self, service: Service, session: Session, names: Names) -> None:
        self.service, self.session, self.names = service, session, names
        self._ours = {theirs.lower(): ours for ours, theirs in names.errors.items()}

    # -- reads

    def look_up(self, field: str, value: str) -> tuple[Mapping[str, Any], ...]:
        """The bills whose `field` is `value`. Raises RetryLater when the answer is about something else."""
        rows = self._rows("query", {"billType": self.names.bill_type, field: value})
        if any(str(row.get(field)) != value for row in rows):
            raise RetryLater("eas.query_ignored", f"asked for {value}, got other bills")
        return rows

    def listed(self, what: str, ask: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        """Rows of base data or stock."""
        return self._rows(what, ask)

    def _rows(self, what: str, ask: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
        said = self._ask(what, encode(ask), write=False)
        if said.rows is None:
            raise RetryLater("eas.unreadable", f"{self.names.operations[what]}: no list in the answer")
        return said.rows

    # -- writes

    def take_in(self, bill: Mapping[str, Any]) -> None:
        """Import one bill, as saved and not yet submitted; one a call, for several at once are not rolled back."""
        self._ask("import", encode([bill]), write=True)

    def carry(self, act: str, ask: Mapping[str, Any]) -> None:
        """submit, audit, unaudit or cancel the bill that `ask` names."""
        self._ask(act, encode({"billType": self.names.bill_type, **ask}), write=True)

    # -- one call

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """Which operations of those the WSDL does not have. Raises FixSettings when it cannot be read."""
        there = set(self.service.described.operations)
        return [name for what in wanted if (name := self.names.operations[what]) not in there]

    def _ask(self, what: str, text: str, *, write: bool) -> Said:
        operation = self.names.operations[what]
        values = self._arguments(self.service.parts(operation), text)

        def once(headers: list[Any]) -> Said:
            answer = self.service.call(operation, values, headers, write=write)
            try:
                said = read(answer)
            except NoVerdict as error:
                perhaps = Uncertain if write else RetryLater
                raise perhaps("eas.unreadable", f"{operation}: {error}") from None
            if not said.ok:
                raise self._refused(said, write)
            return said

        return self.session.within(once)

    def _arguments(self, parts: tuple[Part, ...], text: str) -> list[str | int]:
        """The text where it belongs, the bill type and the status where there is a place for them."""
        texts = [part.name for part in parts if not part.whole]
        wholes = [part.name for part in parts if part.whole]
        if len(texts) not in (1, 2) or len(wholes) > 1:
            said = ", ".join(part.name for part in parts)
            raise FixSettings(
                "eas.signature", f"({said}): one text, or bill type and text, and a status at most"
            )
        kind = next((name for name in texts if "type" in name.lower()), texts[0]) if len(texts) == 2 else ""
        return [
            self.names.saved if part.whole else self.names.bill_type if part.name == kind else text
            for part in parts
        ]

    def _refused(self, said: Said, write: bool) -> SyncError:
        word = self._ours.get(said.code.lower(), "")
        if word == "session":
            return SessionLost("eas.session_lost", said.message)
        if word == "exception":
            # It failed in the middle: rolled back most likely, but only a look can tell.
            return (Uncertain if write else RetryLater)("eas.exception", said.message)
        code, remedy = REMEDIES.get(word, ("eas.refused", Rejected))
        if remedy is RetryLater:
            return RetryLater(code, said.message, after=BUSY)
        if remedy is Uncertain and not write:
            return RetryLater(code, said.message)
        return remedy(code, said.message, field=said.field)

"""Documents of one connection: found by our reference, filed, changed, cancelled, and read back after each write."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from connectors.generic.rest import wire
from connectors.generic.rest.client import Ask, Client
from connectors.generic.rest.streams import KINDS_OF_STREAM
from connectors.generic.shapes import LAYOUTS, Shape
from connectors.generic.values import NOT_TOLD, pick, text
from tongshang.connect import (
    Ambiguous,
    Bill,
    CallerLink,
    Filing,
    FixSettings,
    Found,
    Lookup,
    Outgoing,
    Rejected,
    RetryLater,
    Stream,
    SyncError,
    Uncertain,
    differences,
)

ACTS = ("find", "create", "change", "cancel", "confirm", "day")
PLACES = ("reference", "number", "id", "organisation", "day")


class RestFiling(Filing):
    """One kind of document at one service: its paths and the names its answers use."""

    def __init__(self, client: Client, kind: str) -> None:
        self.client, self.kind = client, kind
        access = client.access
        if kind == "sales_order":
            self.paths = {act: access[f"{act}_path"] for act in ACTS}
            self.named = {act: f"{act}_path" for act in ACTS}  # how a person knows each path
            self.shape = Shape(access, kind)
        else:
            told = access.table(f"out_{kind}", {})
            self.paths = {act: "" if told.get(act) == NOT_TOLD else told.get(act, "") for act in ACTS}
            self.named = {act: f"{act} in out_{kind}" for act in ACTS}
            self.shape = Shape(access, kind, told)
        self._seen = ("", "")  # the id found last and our reference of it

    def bill(self, document: Outgoing, lookup: Lookup) -> Bill:
        self._offered()
        return self.shape.bill(document, lookup)

    def _offered(self) -> None:
        for act in ("find", "create"):
            if not self.paths[act]:
                said = (
                    f"{self.named[act]} is not set: this connection files no document of the kind {self.kind}"
                )
                raise Rejected("rest.kind_not_set", said)

    # -- read

    def find(self, reference: str) -> Found | None:
        """The one document with our reference. Documents of others in the answer mean that the search does not search."""
        self._offered()
        ask = Ask("find", "GET", self._url("find", {"reference": reference}), seeks=True)
        rows = self._rows(self.client.call(ask))
        if self.shape.tells("reference"):
            path = self.shape.answer["reference"]
            ours = [row for row in rows if _plain(pick(row, path)) == reference]
            if rows and not ours:
                said = f"the search for {reference} answered other documents, so it proves nothing"
                raise FixSettings("rest.find_not_exact", said)
            rows = ours
        all_found = self._documents(rows, reference)
        alive = [each for each in all_found if not each.cancelled] or all_found[-1:]
        if len(alive) > 1:
            numbers = ", ".join(each.number for each in alive[:5])
            raise Ambiguous("rest.found_twice", f"{reference}: {numbers}")
        if not alive:
            return None
        self._seen = (alive[0].remote_id, reference)
        return alive[0]

    def tally(self, day: date) -> list[tuple[str, Decimal, bool]] | None:
        """What the service lists of a day; None where no path asks for it, or no field tells our reference and the total."""
        if not (self.paths["day"] and self.shape.tells("reference") and self.shape.tells("total")):
            return None
        rows = self._rows(self.client.call(Ask("day", "GET", self._url("day", {"day": day.isoformat()}))))
        named = [_plain(pick(row, self.shape.answer["reference"])) for row in rows]
        found = self._documents(rows, str(day))
        return [(name, each.total, each.cancelled) for name, each in zip(named, found, strict=True)]

    def _documents(self, rows: Sequence[Mapping[str, Any]], about: str) -> list[Found]:
        try:
            return [self.shape.found(row) for row in rows]
        except ValueError as error:
            raise RetryLater("rest.unreadable", f"{about}: {error}") from None

    def _rows(self, value: Any) -> list[Mapping[str, Any]]:
        """The documents of an answer: under the path `list`, or the answer itself.

        Where a list is told, an answer without one proves nothing: something in between may have answered.
        """
        path = self.shape.answer.get("list", NOT_TOLD)
        if value == [] or (path == NOT_TOLD and value in (None, {})):
            return []
        if path != NOT_TOLD:
            parent, _, last = path.rpartition(".")
            holder = pick(value, parent) if parent else value
            if not isinstance(holder, Mapping) or last not in holder:
                raise RetryLater("rest.unreadable", f"nothing at {path} in the answer of the search")
            value = holder[last]
        rows = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(row, Mapping) for row in rows):
            raise RetryLater("rest.unreadable", "the search answered no documents")
        return rows

    # -- write

    def send(self, bill: Bill, found: Found | None) -> Found:
        if found is None:
            url = self._url("create", {"reference": bill.reference})
            self._write("create", self.client.access["create_method"] or "POST", url, bill.body)
        elif differences(bill, found):
            places = {"reference": bill.reference, "number": found.number, "id": found.remote_id}
            url = self._url("change", places)
            self._write("change", self.client.access["change_method"] or "PUT", url, bill.body)
        there = self._there(bill.reference)
        if there.finished or not self.paths["confirm"]:
            return there
        places = {"reference": bill.reference, "number": there.number, "id": there.remote_id}
        body = {"reference": bill.reference, "number": there.number}
        self._write("confirm", "POST", self._url("confirm", places), body)
        return self._there(bill.reference)

    def cancel(self, found: Found) -> Found:
        id, reference = self._seen
        if id != found.remote_id:
            raise RetryLater("rest.not_looked_up", f"{found.number} was not looked up on this connection")
        places = {"reference": reference, "number": found.number, "id": found.remote_id}
        method = self.client.access["cancel_method"] or "POST"
        body = None if method == "DELETE" else {"reference": reference, "number": found.number}
        self._write("cancel", method, self._url("cancel", places), body)
        return self._there(reference)

    def _write(self, act: str, method: str, url: str, body: Any) -> None:
        named = f"{act} {url} {wire.encode(body)}".encode()
        key = hashlib.sha256(named).hexdigest()[:40]
        self.client.call(Ask(act, method, url, write=True, body=body, key=key))

    def _there(self, reference: str) -> Found:
        try:
            found = self.find(reference)
        except Ambiguous:
            raise
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if found is None:
            raise Uncertain("rest.vanished", f"{reference} was sent and cannot be found")
        return found

    def _url(self, act: str, places: Mapping[str, str]) -> str:
        """The path of an act with `{reference}` and its like filled in, each as one piece of a path."""
        path, setting = self.paths[act], self.named[act]
        if not path:
            raise Rejected("rest.not_offered", f"{setting} is not set: this system does not offer it")
        given = {"organisation": self.client.access.organisation, **places}
        for name in PLACES:
            if f"{{{name}}}" in path:
                piece = given.get(name, "")
                if not piece or piece in (".", ".."):
                    raise Rejected("rest.path_place", f"{setting}: nothing to put for {{{name}}}")
                path = path.replace(f"{{{name}}}", quote(piece, safe=""))
        if "{" in path or "}" in path:
            raise FixSettings("rest.path", f"{setting}: only {', '.join(PLACES)} may stand in braces")
        return self.client.url(path)


class RestLink(CallerLink):
    """One service, filing for one organisation."""

    def __init__(self, client: Client) -> None:
        self.caller = client
        self.client = client
        self._filings = {kind: RestFiling(client, kind) for kind in LAYOUTS}
        self.orders = self._filings["sales_order"]

    def filing(self, kind: str) -> Filing:
        return self._filings[kind]

    def bill(self, document: Outgoing, lookup: Lookup) -> Bill:
        return self.orders.bill(document, lookup)

    def find(self, reference: str) -> Found | None:
        return self.orders.find(reference)

    def send(self, bill: Bill, found: Found | None) -> Found:
        return self.orders.send(bill, found)

    def cancel(self, found: Found) -> Found:
        return self.orders.cancel(found)

    def stream(self, key: str) -> Stream:
        return KINDS_OF_STREAM[key](self.client)

    def close(self) -> None:
        self.client.http.close()


def _plain(value: Any) -> str:
    return "" if isinstance(value, dict | list) else text(value)

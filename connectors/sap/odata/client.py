"""The calls of OData V2 and V4: one entity, a page, all pages; create, change, and many writes in one batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests

from connectors.sap.odata import multipart, wire
from connectors.sap.odata.addresses import Service
from connectors.sap.odata.refusals import sorted_error
from connectors.sap.odata.session import Session
from tongshang.connect import RetryLater, SyncError, Uncertain

MOST_PAGES = 10_000  # links followed in one query; a server that leads in circles is stopped here
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Change:
    """One change of one entity inside a batch. An empty `etag` sends no If-Match."""

    path: str
    values: Mapping[str, Any]
    etag: str = ""


class Client(Session):
    """What can be asked of a service, in the platform's order of words: what to find, what to write."""

    # -- reads

    def get(self, service: Service, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON value at a path. Raises SyncError."""
        return self._value(self._get(service, self.system.url(service, path, self._query(service, query))))

    def one(self, service: Service, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """One entity by its key; its ETag is where `wire.etag` looks."""
        response = self._get(service, self.system.url(service, path, self._query(service, query)))
        value = self._value(response)
        return self._readable(lambda: _with_etag(wire.entity(value), response))

    def page(self, service: Service, path: str, query: Mapping[str, str]) -> wire.Rows:
        """The first page of a list; an empty one that names a next page is followed."""
        rows = self.rows(service, self.system.url(service, path, self._query(service, query)))
        for _ in range(MOST_PAGES):
            if rows.entities or not rows.next:
                return rows
            rows = self.more(service, rows)
        raise RetryLater("sap.circle", f"{path}: the pages never end")

    def pages(self, service: Service, path: str, query: Mapping[str, str]) -> Iterator[wire.Rows]:
        """Every page of a list, as the server cuts it."""
        rows = self.rows(service, self.system.url(service, path, self._query(service, query)))
        yield rows
        for _ in range(MOST_PAGES):
            if not rows.next:
                return
            rows = self.more(service, rows)
            yield rows
        raise RetryLater("sap.circle", f"{path}: the pages never end")

    def more(self, service: Service, rows: wire.Rows) -> wire.Rows:
        """The page behind this one."""
        return self.rows(service, self.system.followed(service, rows.next))

    def rows(self, service: Service, url: str) -> wire.Rows:
        value = self._value(self._get(service, url))
        return self._readable(lambda: wire.rows(value))

    def count(self, service: Service, path: str, query: Mapping[str, str] | None = None) -> int:
        """`$count` of a set."""
        url = self.system.url(service, f"{path}/$count", query)
        response = self.call(
            service, "GET", url, headers={"Accept": "text/plain"}, write=False, operation="count"
        )
        told = response.content.decode("utf-8-sig", "replace").strip()
        if not told.isdecimal():
            raise RetryLater("sap.unreadable", f"{path}: the count is no number")
        return int(told)

    # -- writes

    def create(self, service: Service, path: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create an entity with all that hangs on it (deep insert); what the server made of it."""
        url = self.system.url(service, path)
        response = self._write(service, "POST", url, values, {}, f"create {path}")
        try:
            return _with_etag(wire.entity(wire.read(response.content)), response)
        except wire.Unreadable as error:
            raise Uncertain("sap.unreadable", str(error)) from None

    def change(self, service: Service, change: Change) -> None:
        """Change fields of an entity. 204 and 200 are both a yes; a stale ETag raises RetryLater."""
        headers = {"If-Match": change.etag} if change.etag else {}
        url = self.system.url(service, change.path)
        _answered(self._write(service, "PATCH", url, change.values, headers, f"change {change.path}"))

    def delete(self, service: Service, path: str, etag: str) -> None:
        """Delete an entity, or mark it as deleted where SAP keeps it. An empty `etag` sends no If-Match."""
        headers = {"If-Match": etag} if etag else {}
        url = self.system.url(service, path)
        _answered(self.call(service, "DELETE", url, headers=headers, write=True, operation=f"delete {path}"))

    def invoke(self, service: Service, name: str, asked: Mapping[str, str]) -> None:
        """A function of the service that changes something; its parameters stand in the address, as literals."""
        url = self.system.url(service, name, asked)
        _answered(self.call(service, "POST", url, write=True, operation=f"invoke {name}"))

    def changes(self, service: Service, changes: Sequence[Change]) -> list[SyncError | None]:
        """Many changes in one batch, each in a change set of its own: None where it was done, else why not.

        SAP takes one change per change set of a sales document, so the batch as a whole is not all-or-nothing.
        Raises Uncertain when the answer does not say what became of each.
        """
        sets = [[_patch(change, self.system.client)] for change in changes]
        answers = self.batch(service, sets)
        return [_verdict(answer) for answer in answers]

    def batch(
        self, service: Service, parts: Sequence[multipart.Request | multipart.ChangeSet]
    ) -> list[list[multipart.Part]]:
        """Reads and change sets in one call; the answers in the same order."""
        boundary = f"batch_{uuid4().hex}"
        writes = any(not isinstance(part, multipart.Request) for part in parts)
        headers = {
            "Content-Type": f"multipart/mixed; boundary={boundary}",
            "Accept": "multipart/mixed",
        }
        response = self.call(
            service,
            "POST",
            self.system.url(service, "$batch"),
            body=multipart.encode(parts, boundary),
            headers=headers,
            write=True,  # a batch always carries the token, even when it only reads
            operation="batch",
        )
        try:
            answers = multipart.decode(response.content, response.headers.get("Content-Type", ""))
            if len(answers) != len(parts):
                raise multipart.Torn(f"{len(parts)} requests and {len(answers)} answers")
        except multipart.Torn as error:
            raise (Uncertain if writes else RetryLater)("sap.batch_torn", str(error)) from None
        return answers

    # -- the same for all

    def _get(self, service: Service, url: str) -> requests.Response:
        return self.call(service, "GET", url, write=False, operation=f"read {_last(url)}")

    def _write(
        self,
        service: Service,
        method: str,
        url: str,
        values: Mapping[str, Any],
        headers: Mapping[str, str],
        operation: str,
    ) -> requests.Response:
        body = wire.encode(values).encode()
        kind = JSON if service.version == 2 else {"Content-Type": "application/json;IEEE754Compatible=true"}
        return self.call(
            service, method, url, body=body, headers={**kind, **headers}, write=True, operation=operation
        )

    @staticmethod
    def _query(service: Service, query: Mapping[str, str] | None) -> dict[str, str]:
        told = dict(query or {})
        return told if service.version == 4 else told | {"$format": "json"}

    @staticmethod
    def _value(response: requests.Response) -> Any:
        try:
            return wire.read(response.content)
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None

    @staticmethod
    def _readable(taken: Any) -> Any:
        try:
            return taken()
        except wire.Unreadable as error:
            raise RetryLater("sap.unreadable", str(error)) from None


def _with_etag(entity: Mapping[str, Any], response: requests.Response) -> Mapping[str, Any]:
    """V4 may say the ETag in the header alone."""
    told = response.headers.get("ETag", "")
    return entity if wire.etag(entity) or not told else {**entity, "@odata.etag": told}


def _answered(response: requests.Response) -> None:
    """204, or a whole answer of the service. A page with status 200 comes from something in between; Uncertain."""
    if response.status_code == 204:
        return
    try:
        wire.read(response.content)
    except wire.Unreadable as error:
        raise Uncertain("sap.unreadable", str(error)) from None


def _patch(change: Change, client: str) -> multipart.Request:
    headers = {**JSON, "Accept": "application/json"}
    if change.etag:
        headers["If-Match"] = change.etag
    path = change.path + (f"?sap-client={client}" if client else "")
    return multipart.Request("PATCH", path, headers, wire.encode(change.values).encode())


def _verdict(answer: Sequence[multipart.Part]) -> SyncError | None:
    """What became of a change set of one request."""
    if not answer:
        return Uncertain("sap.batch_torn", "a change set without an answer")
    part = answer[0]
    if 200 <= part.status < 300:
        return None
    return sorted_error(part.status, part.headers, part.body, write=True)


def _last(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2].partition("(")[0] or "service"

"""The calls of the WebAPI: queries and views, and the writes that carry a document through its life."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kingdee import wire
from connectors.kingdee.session import (
    FORM_SERVICE,
    Account,
    Credentials,
    LoginBySecret,
    LoginBySign,
    Password,
    Session,
    SignedHeaders,
    refusal,
)
from tongshang.connect import Rejected, RetryLater, SyncError, Uncertain

__all__ = ["Account", "Client", "Credentials", "LoginBySecret", "LoginBySign", "Password", "Saved"]
__all__ += ["SignedHeaders", "literal"]

DATA_CENTRES = "Kingdee.BOS.ServiceFacade.ServicesStub.Account.AccountService.GetDataCenterList"
INVENTORY = "Kingdee.K3.SCM.WebApi.ServicesStub.InventoryQueryService.GetInventoryData"
BATCH_DONE = 2
SAVING: Mapping[str, Any] = {
    "NeedUpDateFields": [],
    "NeedReturnFields": ["FBillNo"],
    "IsDeleteEntry": "true",
    "SubSystemId": "",
    "IsVerifyBaseDataField": "false",
    "IsEntryBatchFill": "true",
    "ValidateFlag": "true",
    "NumberSearch": "true",
    "InterationFlags": "",
}
PAGE = 2000  # rows; the largest page every release accepts


@dataclass(frozen=True)
class Saved:
    id: str
    number: str


def literal(value: str) -> str:
    """A text literal of a FilterString."""
    return "'" + value.replace("'", "''") + "'"


def _is_row(row: Any, width: int) -> bool:
    """A row has a plain value for each field: an object in a cell is an error in a shape we do not know."""
    return (
        isinstance(row, list) and len(row) == width and not any(isinstance(cell, dict | list) for cell in row)
    )


def _one(number: str, id: str) -> dict[str, Any]:
    """One document by its id, which is only its own, or by its number, which sites may give twice."""
    return {"Numbers": [], "Ids": id} if id else {"Numbers": [number], "Ids": ""}


def _is_end(value: Any) -> bool:
    """The end of a batch; a server that does not work by itself says it at once."""
    return isinstance(value, dict) and (
        value.get("Status") == BATCH_DONE or wire.status_of(value) is not None
    )


def _each(status: wire.Status, count: int) -> list[Saved | SyncError]:
    """What became of each packet of a batch, by its index."""
    saved = {entity.index: Saved(entity.id, entity.number) for entity in status.entities if entity.id}
    refused = {each.index: each for each in reversed(status.complaints)}  # the first reason counts
    return [saved.get(index) or _left_out(status.code, refused.get(index), index) for index in range(count)]


def _left_out(code: int, reason: wire.Complaint | None, index: int) -> SyncError:
    """Why a packet of a batch was not saved; of one that nothing is said of, nobody knows whether it was."""
    if reason is None:
        return Uncertain("kingdee.unreadable", f"the answer is silent about packet {index}")
    if code == wire.CONTEXT_LOST:  # the batch lost its session somewhere in its middle
        return Uncertain("kingdee.batch_open", reason.message)
    refused = refusal(wire.Status(False, code, (reason,)), write=True)
    if type(refused) is not Rejected:
        return refused
    return Rejected("kingdee.validation", reason.message, field=reason.field)


class Client(Session):
    """The calls of one account, in the platform's order of words: what to find, what to write."""

    # -- reads

    def query(
        self,
        form: str,
        fields: Sequence[str],
        where: str = "",
        order: str = "",
        start: int = 0,
        limit: int = PAGE,
    ) -> list[list[Any]]:
        """One page of rows, values in the order of `fields`."""
        data = {
            "FormId": form,
            "FieldKeys": ",".join(fields),
            "FilterString": where,
            "OrderString": order,
            "TopRowCount": 0,
            "StartRow": start,
            "Limit": limit,
            "SubSystemId": "",
        }
        value = self.call(FORM_SERVICE + "ExecuteBillQuery", {"data": data}, write=False)
        rows = wire.rows_of(value)
        if rows is None or not all(_is_row(row, len(fields)) for row in rows):
            raise RetryLater(
                "kingdee.unreadable", f"{form}: the query answered no rows of {len(fields)} values"
            )
        return rows

    def pages(
        self, form: str, fields: Sequence[str], where: str, order: str, *, start: int = 0, size: int = PAGE
    ) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Pages until a short one, each as (row to go on from, rows by field). `order` must be stable."""
        while True:
            rows = self.query(form, fields, where, order, start, size)
            start += len(rows)
            yield start, [dict(zip(fields, row, strict=True)) for row in rows]
            if len(rows) < size:
                return

    def count(self, form: str, where: str, field: str) -> int | None:
        """How many rows a query has, None where this server does not count: it only shows how far a run is."""
        try:
            ((found,),) = self.query(form, (field,), where, limit=1)
        except (Rejected, RetryLater, ValueError):
            return None
        return int(found) if str(found).isdecimal() and len(str(found)) < 12 else None

    def view(self, form: str, *, number: str = "", id: str = "") -> dict[str, Any]:
        """One document with Kingdee's own names (BillNo, not FBillNo)."""
        data = {"CreateOrgId": 0, "Number": number, "Id": id}
        value = self.call(FORM_SERVICE + "View", {"formid": form, "data": data}, write=False)
        document = value.get("Result", {}).get("Result") if isinstance(value, dict) else None
        if not isinstance(document, dict):
            raise RetryLater("kingdee.unreadable", f"{form} {number or id}: no document in the answer")
        return document

    def fields_of(self, form: str) -> set[str]:
        """The field keys a form has on this site."""
        value = self.call(FORM_SERVICE + "QueryBusinessInfo", {"data": {"FormId": form}}, write=False)
        info = value.get("Result", {}).get("NeedReturnData", {}) if isinstance(value, dict) else {}
        return {field["Key"] for entry in info.get("Entrys", ()) for field in entry.get("Fields", ())}

    def inventory(
        self, org: str, materials: Sequence[str] = (), page: int = 1, size: int = 1000
    ) -> list[dict[str, Any]]:
        """One page of the stock service; ids are Kingdee's internal ones."""
        ask = {
            "fstockorgnumbers": org,
            "fmaterialnumbers": ",".join(materials),
            "fstocknumbers": "",
            "flotnumbers": "",
            "isshowstockloc": True,
            "isshowauxprop": True,
            "pageindex": page,
            "pagerows": size,
        }
        value = self.call(INVENTORY, {"parameters": wire.encode([ask])}, write=False)
        if not isinstance(value, dict) or not value.get("Success"):
            message = value.get("Message") if isinstance(value, dict) else ""
            raise RetryLater("kingdee.inventory", str(message or "no stock in the answer"))
        return list(value.get("Data") or ())

    def data_centres(self) -> list[dict[str, Any]]:
        """The data centres of the server; needs no login."""
        value = self.answer(DATA_CENTRES, {}, write=False)
        return [row for row in wire.rows_of(value) or [] if isinstance(row, dict)]

    # -- writes

    def save(self, form: str, model: Mapping[str, Any], **options: Any) -> Saved:
        """Create (no id in the model) or change a document; keys of `model` travel in their order."""
        data = {**SAVING, **options, "Model": model}
        status, result = self._write("Save", {"formid": form, "data": data})
        entity = status.entities[0] if status.entities else None
        id, number = wire.plain(result.get("Id")), wire.plain(result.get("Number"))
        saved = Saved(id or (entity.id if entity else ""), number or (entity.number if entity else ""))
        if not saved.id:
            raise Uncertain("kingdee.unreadable", "saved, but the answer names no document")
        return saved

    def change_lines(self, form: str, id: int, entry: str, lines: Sequence[Mapping[str, Any]]) -> Saved:
        """Change these lines (each with its `FEntryID`) and leave the others; a plain save would delete them."""
        if any(not line.get("FEntryID") for line in lines):
            raise ValueError("a line without FEntryID would be a new one")
        changed = [key for line in lines for key in line if key != "FEntryID"]
        named = list(dict.fromkeys((entry, *changed)))
        return self.save(
            form,
            {"FID": id, entry: [dict(line) for line in lines]},
            IsDeleteEntry="false",
            NeedUpDateFields=named,
        )

    def save_many(
        self,
        form: str,
        models: Sequence[Mapping[str, Any]],
        *,
        patience: float = 60.0,
        pause: float = 1.0,
        **options: Any,
    ) -> list[Saved | SyncError]:
        """Many documents in one call the server works off by itself, asked for each second until it is done.

        Answers for each model what became of it: some saved and some refused is normal. Raises `Uncertain` when the server
        does not come to an end within `patience` seconds, or cannot be asked any more: then nobody knows of any of them.
        """
        data = {**SAVING, **options, "BatchCount": 1, "Model": list(models)}
        body = {
            "formid": form,
            "data": data,
            "beginmethod": "BeginQueryImpl",
            "querymethod": "QueryAsyncResult",
        }
        value = self.call(FORM_SERVICE + "BatchSave", body, write=True, partly=True)
        ends = time.monotonic() + patience
        while not _is_end(value):
            task = value.get("TaskId") if isinstance(value, dict) else None
            if not task or time.monotonic() > ends:
                raise Uncertain(
                    "kingdee.batch_open", f"{form}: {len(models)} documents were sent, no end is known"
                )
            time.sleep(pause)
            try:
                value = self._how_far(str(task))
            except SyncError as error:  # only the question failed: the documents were sent
                raise Uncertain("kingdee.batch_open", error.message) from error
        status = wire.status_of(value)
        if status is None:
            raise Uncertain("kingdee.unreadable", "BatchSave: the answer says neither yes nor no")
        return _each(status, len(models))

    def _how_far(self, task: str) -> Any:
        """What the server says of a batch. A refusal of the question is no end of the batch; a lost session is renewed once."""
        asked, said = {"queryInfo": wire.encode({"TaskId": task, "Cancelled": False})}, ""
        for _ in range(2):
            self.sign_in()
            sid = self._sid
            value = self.answer(FORM_SERVICE + "QueryAsyncResult", asked, write=False)
            status = wire.status_of(value)
            if status is None or (isinstance(value, dict) and value.get("Status") == BATCH_DONE):
                return value
            said = status.message
            if not status.session_lost:
                break
            self._forget(sid)
        raise RetryLater("kingdee.batch_open", said)

    def push(self, form: str, numbers: Sequence[str], target: str) -> list[Saved]:
        """Bills made from others by the default rule; each still wants its submit and audit.

        Raises `Uncertain` when some were made and others were not: pushed again, the first would be there twice.
        """
        data = {
            "Ids": "",
            "Numbers": list(numbers),
            "EntryIds": "",
            "RuleId": "",
            "TargetFormId": target,
            "TargetBillTypeId": "",
            "TargetOrgId": 0,
            "IsEnableDefaultRule": "true",
            "IsDraftWhenSaveFail": "false",
            "CustomParams": {},
        }
        status, _ = self._write("Push", {"formid": form, "data": data}, partly=True)
        if not status.ok and not status.entities:
            raise refusal(status, write=True)
        if not status.ok:
            made = ", ".join(entity.number for entity in status.entities)
            raise Uncertain("kingdee.refused", f"{made} made, but: {status.message}")
        return [Saved(entity.id, entity.number) for entity in status.entities]

    def submit(self, form: str, number: str = "", *, id: str = "") -> None:
        self._operate("Submit", form, number, id, {"SelectedPostId": 0})

    def audit(self, form: str, number: str = "", *, id: str = "") -> None:
        self._operate("Audit", form, number, id, {"InterationFlags": ""})

    def unaudit(self, form: str, number: str = "", *, id: str = "") -> None:
        self._operate("UnAudit", form, number, id, {"InterationFlags": ""})

    def delete(self, form: str, number: str = "", *, id: str = "") -> None:
        self._operate("Delete", form, number, id, {})

    def operate(self, form: str, operation: str, number: str = "", *, id: str = "") -> None:
        """An operation by its number: Cancel, BillClose, Forbid ..."""
        data = {"CreateOrgId": 0, **_one(number, id), "PkEntryIds": [], "NetworkCtrl": ""}
        self._write("ExcuteOperation", {"formid": form, "opNumber": operation, "data": data})

    def _operate(self, verb: str, form: str, number: str, id: str, extra: Mapping[str, Any]) -> None:
        data = {"CreateOrgId": 0, **_one(number, id), **extra, "NetworkCtrl": ""}
        self._write(verb, {"formid": form, "data": data})

    def _write(
        self, verb: str, body: Mapping[str, Any], *, partly: bool = False
    ) -> tuple[wire.Status, dict[str, Any]]:
        value = self.call(FORM_SERVICE + verb, body, write=True, partly=partly)
        status = wire.status_of(value)
        if status is None:
            raise Uncertain("kingdee.unreadable", f"{verb}: the answer says neither yes nor no")
        return status, value["Result"] if isinstance(value, dict) and isinstance(
            value.get("Result"), dict
        ) else {}

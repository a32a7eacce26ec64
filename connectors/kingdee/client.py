"""The calls of the WebAPI: queries and views, and the writes that carry a document through its life."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kingdee import wire
from connectors.kingdee.session import (
    FORM_SERVICE,
    Account,
    Credentials,
    LoginBySign,
    Password,
    Session,
    SignedHeaders,
)
from tongshang.connect import RetryLater, Uncertain

__all__ = ["Account", "Client", "Credentials", "LoginBySign", "Password", "Saved", "SignedHeaders", "literal"]

DATA_CENTRES = "Kingdee.BOS.ServiceFacade.ServicesStub.Account.AccountService.GetDataCenterList"
INVENTORY = "Kingdee.K3.SCM.WebApi.ServicesStub.InventoryQueryService.GetInventoryData"
PAGE = 2000  # rows; the largest page every release accepts


@dataclass(frozen=True)
class Saved:
    id: str
    number: str


def literal(value: str) -> str:
    """A text literal of a FilterString."""
    return "'" + value.replace("'", "''") + "'"


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
        if rows is None or not all(isinstance(row, list) and len(row) == len(fields) for row in rows):
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
        data = {
            "NeedUpDateFields": [],
            "NeedReturnFields": ["FBillNo"],
            "IsDeleteEntry": "true",
            "SubSystemId": "",
            "IsVerifyBaseDataField": "false",
            "IsEntryBatchFill": "true",
            "ValidateFlag": "true",
            "NumberSearch": "true",
            "InterationFlags": "",
            **options,
            "Model": model,
        }
        status, result = self._write("Save", {"formid": form, "data": data})
        entity = status.entities[0] if status.entities else None
        id, number = str(result.get("Id") or ""), str(result.get("Number") or "")
        saved = Saved(id or (entity.id if entity else ""), number or (entity.number if entity else ""))
        if not saved.id:
            raise Uncertain("kingdee.unreadable", "saved, but the answer names no document")
        return saved

    def submit(self, form: str, number: str) -> None:
        self._operate("Submit", form, number, {"SelectedPostId": 0})

    def audit(self, form: str, number: str) -> None:
        self._operate("Audit", form, number, {"InterationFlags": ""})

    def unaudit(self, form: str, number: str) -> None:
        self._operate("UnAudit", form, number, {"InterationFlags": ""})

    def delete(self, form: str, number: str) -> None:
        self._operate("Delete", form, number, {})

    def operate(self, form: str, operation: str, number: str) -> None:
        """An operation by its number: Cancel, BillClose, Forbid ..."""
        data = {"CreateOrgId": 0, "Numbers": [number], "Ids": "", "PkEntryIds": [], "NetworkCtrl": ""}
        self._write("ExcuteOperation", {"formid": form, "opNumber": operation, "data": data})

    def _operate(self, verb: str, form: str, number: str, extra: Mapping[str, Any]) -> None:
        data = {"CreateOrgId": 0, "Numbers": [number], "Ids": "", **extra, "NetworkCtrl": ""}
        self._write(verb, {"formid": form, "data": data})

    def _write(self, verb: str, body: Mapping[str, Any]) -> tuple[wire.Status, dict[str, Any]]:
        value = self.call(FORM_SERVICE + verb, body, write=True)
        status = wire.status_of(value)
        if status is None:
            raise Uncertain("kingdee.unreadable", f"{verb}: the answer says neither yes nor no")
        return status, value["Result"] if isinstance(value, dict) and isinstance(
            value.get("Result"), dict
        ) else {}

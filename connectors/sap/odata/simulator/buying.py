"""The buyer's side of the books: purchase orders, and the goods that are received against them and given back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.sap.odata.simulator.books import SCHEDULE, Books, Row, fields_of, inner_rows
from connectors.sap.odata.simulator.model import SETS
from connectors.sap.odata.simulator.shapes import Refused

ORDER, ITEM, NOTE = "A_PurchaseOrder", "A_PurchaseOrderItem", "A_PurchaseOrderNote"
HEADER, MOVED = "A_MaterialDocumentHeader", "A_MaterialDocumentItem"
FIRST_ORDER, FIRST_MOVEMENT = 4500000001, 5000000001
TAX_CODES = ("J0", "J1", "J2", "J3")
COMPANIES, PLANTS = ("1010",), ("1010",)


class Buying:
    """What happens to purchase orders and material documents. Whoever calls holds the lock of the books."""

    def __init__(self, books: Books) -> None:
        self.books = books

    # -- purchase orders

    def create_order(self, body: Mapping[str, Any], user: str) -> Row:
        head = fields_of(ORDER, body)
        self._own(ORDER, head)
        for name in (
            "CompanyCode",
            "PurchaseOrderType",
            "PurchasingOrganization",
            "PurchasingGroup",
            "Supplier",
        ):
            if not head.get(name):
                raise Refused(400, "ME/083", f"Enter {name}", name)
        if head["CompanyCode"] not in COMPANIES:
            raise Refused(400, "ME/036", f"Company code {head['CompanyCode']} is not defined", "CompanyCode")
        if head["Supplier"] not in {row["Supplier"] for row in self.books.rows("A_BusinessPartner")}:
            raise Refused(400, "06/321", f"Supplier {head['Supplier']} has not been created", "Supplier")
        wanted = inner_rows(body, "to_PurchaseOrderItem")
        if not wanted:
            raise Refused(400, "ME/038", "The purchase order holds no items")
        used = [int(key[0]) for key in self.books.tables[ORDER]]
        number = str(max([FIRST_ORDER - 1, *used]) + 1)
        numbers: set[int] = set()
        items = [self._item(number, head, one, numbers) for one in wanted]
        notes = [fields_of(NOTE, one) for one in inner_rows(body, "to_PurchaseOrderNote")]
        dates = {
            "CreationDate": date.today(),
            "PurchaseOrderDate": head.get("PurchaseOrderDate") or date.today(),
        }
        own = {"PurchaseOrder": number, "CreatedByUser": user.upper()[:12], "PurchasingProcessingStatus": "02"}
        order = self.books.put(ORDER, head | dates | own | {"LastChangeDateTime": self.books.stamp()})
        for row, schedule in items:
            self._keep(row, schedule)
        for note in notes:
            self.books.put(NOTE, note | {"PurchaseOrder": number})
        return order

    def add_item(self, order: Row, body: Mapping[str, Any]) -> Row:
        self._free(order["PurchaseOrder"])
        numbers = {
            int(one["PurchaseOrderItem"]) for one in self.books.below(ORDER, order, "to_PurchaseOrderItem")
        }
        row, schedule = self._item(order["PurchaseOrder"], order, body, numbers)
        kept = self._keep(row, schedule)
        order["LastChangeDateTime"] = self.books.stamp()
        return kept

    def change(self, name: str, row: Row, body: Mapping[str, Any]) -> None:
        order = self.order_of(name, row)
        self._free(order["PurchaseOrder"])
        told = fields_of(name, body)
        self._own(name, told)
        for one in told:
            if one in SETS[name].key or one in ("Material", "Supplier", "CompanyCode"):
                raise Refused(400, "06/055", f"Field {one} cannot be changed", one)
        if name == ITEM and told.get("OrderQuantity") is not None:
            received = self.received(row["PurchaseOrder"], row["PurchaseOrderItem"])
            if told["OrderQuantity"] <= 0 or told["OrderQuantity"] < received:
                said = f"Order quantity {told['OrderQuantity']} is below the {received} received"
                raise Refused(400, "06/020", said, "OrderQuantity")
        row |= told
        order["LastChangeDateTime"] = self.books.stamp()

    def delete_item(self, row: Row) -> None:
        """DELETE keeps the item and sets its deletion code."""
        order = self.order_of(ITEM, row)
        self._free(order["PurchaseOrder"])
        if self.received(row["PurchaseOrder"], row["PurchaseOrderItem"]):
            said = f"Item {row['PurchaseOrderItem']} cannot be deleted: goods were received for it"
            raise Refused(400, "06/115", said)
        row["PurchasingDocumentDeletionCode"] = "L"
        order["LastChangeDateTime"] = self.books.stamp()

    def order_of(self, name: str, row: Row) -> Row:
        number = row["PurchasingDocument" if name == SCHEDULE else "PurchaseOrder"]
        return self.books.tables[ORDER][(number,)]

    def _free(self, number: str) -> None:
        if user := self.books.locked.get(number):
            raise Refused(400, "ME/006", f"User {user} already processing Purchase order {number}")

    @staticmethod
    def _own(name: str, told: Mapping[str, Any]) -> None:
        for one in told:
            if SETS[name].fields[one].own:
                raise Refused(400, "/IWBEP/CM_MGW_RT/021", f"Property {one} cannot be set", one)

    def _item(
        self, number: str, head: Mapping[str, Any], body: Mapping[str, Any], numbers: set[int]
    ) -> tuple[Row, list[Row]]:
        row = fields_of(ITEM, body)
        self._own(ITEM, row)
        product = self.books.tables["A_Product"].get((str(row.get("Material") or ""),))
        if product is None or product["IsMarkedForDeletion"]:
            raise Refused(400, "06/026", f"Material {row.get('Material')} does not exist", "Material")
        if row.get("Plant") not in PLANTS:
            raise Refused(400, "06/048", f"Plant {row.get('Plant')} is not defined", "Plant")
        if not row.get("OrderQuantity") or row["OrderQuantity"] <= 0:
            raise Refused(400, "06/070", "Enter a quantity", "OrderQuantity")
        if row.get("TaxCode") and row["TaxCode"] not in TAX_CODES:
            raise Refused(400, "FS/216", f"Tax code {row['TaxCode']} does not exist", "TaxCode")
        told = str(row.get("PurchaseOrderItem") or "")
        no = int(told) if told.isdecimal() else max([0, *numbers]) // 10 * 10 + 10
        if no in numbers:
            raise Refused(400, "06/354", f"Item {no} is there already", "PurchaseOrderItem")
        numbers.add(no)
        unit = row.get("PurchaseOrderQuantityUnit") or product["BaseUnit"]
        own = {"PurchaseOrder": number, "PurchaseOrderItem": str(no), "PurchaseOrderQuantityUnit": unit}
        own |= {
            "DocumentCurrency": head.get("DocumentCurrency"),
            "OrderPriceUnit": row.get("OrderPriceUnit") or unit,
        }
        own["NetPriceQuantity"] = row.get("NetPriceQuantity") or Decimal(1)
        lines = [fields_of(SCHEDULE, one) for one in inner_rows(body, "to_ScheduleLine")]
        return row | own, lines

    def _keep(self, row: Row, schedule: list[Row]) -> Row:
        kept = self.books.put(ITEM, row)
        where = {
            "PurchasingDocument": row["PurchaseOrder"],
            "PurchasingDocumentItem": row["PurchaseOrderItem"],
        }
        for no, line in enumerate(schedule or [{}], 1):
            self.books.put(SCHEDULE, line | where | {"ScheduleLine": str(line.get("ScheduleLine") or no)})
        return kept

    # -- goods

    def received(self, order: str, item: str) -> Decimal:
        """What was received for an item and not given back."""
        return sum(
            (
                row["QuantityInEntryUnit"] * (1 if row["GoodsMovementType"] == "101" else -1)
                for row in self.books.rows(MOVED)
                if (row["PurchaseOrder"], row["PurchaseOrderItem"]) == (order, item)
            ),
            Decimal(0),
        )

    def post(self, body: Mapping[str, Any], user: str) -> Row:
        """A material document of code 01. Raises Refused; then nothing is there."""
        head = fields_of(HEADER, body)
        if head.get("GoodsMovementCode") != "01":
            raise Refused(400, "M7/128", "Enter the goods movement code 01", "GoodsMovementCode")
        self._period(head.get("PostingDate"))
        wanted = [fields_of(MOVED, one) for one in inner_rows(body, "to_MaterialDocumentItem")]
        if not wanted:
            raise Refused(400, "M7/001", "The document holds no items")
        more: dict[tuple[str, str], Decimal] = {}
        rows = [self._move(one, more) for one in wanted]
        return self._put(head, rows, user)

    def cancel(self, year: str, number: str, posting: date | None, user: str) -> Row:
        """The function `Cancel`: a document of movement type 102 for every item."""
        head = self.books.tables[HEADER].get((year, number))
        if head is None:
            raise Refused(404, "M7/061", f"Material document {number} {year} does not exist")
        self._period(posting or head["PostingDate"])
        items = self.books.below(HEADER, head, "to_MaterialDocumentItem")
        live = [
            one for one in items if one["GoodsMovementType"] == "101" and not one["GoodsMovementIsCancelled"]
        ]
        if not live:
            raise Refused(400, "M7/305", f"Document {number} {year} has been cancelled already")
        rows = []
        for one in live:
            self._free(one["PurchaseOrder"])
            back = {"ReversedMaterialDocumentYear": year, "ReversedMaterialDocument": number}
            back["ReversedMaterialDocumentItem"] = one["MaterialDocumentItem"]
            rows.append({**one, **back, "GoodsMovementType": "102"})
        made = self._put({**head, "PostingDate": posting or head["PostingDate"]}, rows, user)
        for one in live:
            one["GoodsMovementIsCancelled"] = True
            self.books.tables[ITEM][one["PurchaseOrder"], one["PurchaseOrderItem"]][
                "IsCompletelyDelivered"
            ] = False
        return made

    def _period(self, day: date | None) -> None:
        if day is None or day < self.books.open_from:
            said = (
                f"Posting only possible in periods from {self.books.open_from:%Y/%m} on in company code 1010"
            )
            raise Refused(400, "M7/053", said, "PostingDate")

    def _move(self, row: Row, more: dict[tuple[str, str], Decimal]) -> Row:
        key = (str(row.get("PurchaseOrder") or ""), str(row.get("PurchaseOrderItem") or ""))
        item = self.books.tables[ITEM].get(key)
        if row.get("GoodsMovementType") != "101" or row.get("GoodsMovementRefDocType") != "B":
            raise Refused(400, "M7/130", "Movement type 101 needs a purchase order", "GoodsMovementType")
        if item is None or item["PurchasingDocumentDeletionCode"] == "L":
            raise Refused(
                400, "M7/064", f"Purchase order {key[0]} has no item {key[1]} to receive", "PurchaseOrder"
            )
        self._free(key[0])
        quantity = row.get("QuantityInEntryUnit") or Decimal(0)
        if quantity <= 0 or row.get("EntryUnit") != item["PurchaseOrderQuantityUnit"]:
            raise Refused(400, "M7/066", "Enter a quantity in the order unit", "QuantityInEntryUnit")
        if not row.get("StorageLocation"):
            raise Refused(400, "M7/018", "Enter the storage location", "StorageLocation")
        more[key] = more.get(key, Decimal(0)) + quantity
        over = self.received(*key) + more[key] - item["OrderQuantity"]
        if over > 0:
            said = f"PU Ordered quantity exceeded by {over} {row['EntryUnit']}: {item['Material']} {item['Plant']}"
            raise Refused(400, "M7/022", said, "QuantityInEntryUnit")
        supplier = self.books.tables[ORDER][(key[0],)]["Supplier"]
        return {**row, "Material": item["Material"], "Plant": item["Plant"], "Supplier": supplier}

    def _put(self, head: Mapping[str, Any], rows: list[Row], user: str) -> Row:
        used = [int(key[1]) for key in self.books.tables[HEADER]]
        number, year = str(max([FIRST_MOVEMENT - 1, *used]) + 1), str(head["PostingDate"].year)
        key = {"MaterialDocumentYear": year, "MaterialDocument": number}
        told = {"CreationDate": date.today(), "CreatedByUser": user.upper()[:12], "InventoryTransactionType": "WE"}
        told["ReferenceDocument"] = str(head.get("ReferenceDocument") or "").upper()
        made = self.books.put(HEADER, {**head, **told, **key})
        for no, row in enumerate(rows, 1):
            moved = self.books.put(MOVED, {**row, **key, "MaterialDocumentItem": str(no)})
            at = (moved["PurchaseOrder"], moved["PurchaseOrderItem"])
            item = self.books.tables[ITEM][at]
            item["IsCompletelyDelivered"] = self.received(*at) >= item["OrderQuantity"]
        return made

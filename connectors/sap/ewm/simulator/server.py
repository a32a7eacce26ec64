"""The socket: sign-in and CSRF, reads of OData V2 and V4 in pages, deliveries made and deleted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urlencode

from connectors.sap.ewm.simulator.world import DEMO, REHEARSED, World
from connectors.sap.odata.simulator import doing, query, shapes
from connectors.sap.odata.simulator.model import Field, Set
from connectors.sap.odata.simulator.sessions import TOKEN_PATH, Desk, csrf_required, logon_failed
from connectors.sap.odata.simulator.shapes import Refused
from tongshang.simulate import Call, Fault, NoSuchAct, Practice, Reply

FOREIGN = "http://s4hana.internal:8000"  # what the server thinks its own address is
SEGMENT = re.compile(r"(?P<set>\w+)(?P<key>\(.*\))?")
DRILL = re.compile(rf"PurchaseOrderByCustomer eq '({REHEARSED}[^']+)'")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def _of(name: str, key: str, fields: str, below: str = "") -> tuple[Set, str]:
    made = [Field.parse(told) for told in fields.replace("\n", ",").split(",") if told.strip()]
    return Set(name, tuple(key.split()), {each.name: each for each in made}), below


ITEM = _of(
    "A_SalesOrderItem",
    "SalesOrder SalesOrderItem",
    """SalesOrder s10, SalesOrderItem s6, HigherLevelItem s6, Material s40, RequestedQuantity d15.3
    RequestedQuantityUnit s3, SalesDocumentRjcnReason s2""",
)
DELIVERED = _of(
    "A_OutbDeliveryItem",
    "DeliveryDocument DeliveryDocumentItem",
    """DeliveryDocument s10, DeliveryDocumentItem s6, Material s40, ActualDeliveryQuantity d13.3, DeliveryQuantityUnit s3
    ReferenceSDDocument s10, ReferenceSDDocumentItem s6""",
)
BOUGHT = _of(
    "A_PurchaseOrderItem",
    "PurchaseOrder PurchaseOrderItem",
    """PurchaseOrder s10, PurchaseOrderItem s5, Material s40, OrderQuantity d13.3, PurchaseOrderQuantityUnit s3
    PurchasingDocumentDeletionCode s1""",
)
BELOW = {"to_Item": ITEM[0], "to_DeliveryDocumentItem": DELIVERED[0], "to_PurchaseOrderItem": BOUGHT[0]}
DELIVERIES = ("A_OutbDeliveryHeader", "A_InbDeliveryHeader")


@dataclass(frozen=True)
class Offered:
    """A service: its sets and its version of the protocol."""

    sets: Mapping[str, tuple[Set, str]]
    version: int = 2


def _service(*sets: tuple[Set, str], version: int = 2) -> Offered:
    return Offered({each[0].name: each for each in sets}, version)


ROOT = "/sap/opu/odata/sap/"
SERVICES = {
    f"{ROOT}API_SALES_ORDER_SRV": _service(
        _of(
            "A_SalesOrder",
            "SalesOrder",
            "SalesOrder s10, SoldToParty s10, PurchaseOrderByCustomer s35, OverallSDDocumentRejectionSts s1",
            "to_Item",
        )
    ),
    f"{ROOT}API_OUTBOUND_DELIVERY_SRV;v=0002": _service(
        _of(
            "A_OutbDeliveryHeader",
            "DeliveryDocument",
            """DeliveryDocument s10, SoldToParty s10, OverallPickingStatus s1, OverallGoodsMovementStatus s1
            LastChangeDateTime o =""",
            "to_DeliveryDocumentItem",
        ),
        DELIVERED,
    ),
    f"{ROOT}API_PURCHASEORDER_PROCESS_SRV": _service(
        _of(
            "A_PurchaseOrder",
            "PurchaseOrder",
            "PurchaseOrder s10, Supplier s10, CompanyCode s4, CorrespncInternalReference s12",
            "to_PurchaseOrderItem",
        )
    ),
    f"{ROOT}API_INBOUND_DELIVERY_SRV;v=0002": _service(
        _of(
            "A_InbDeliveryHeader",
            "DeliveryDocument",
            """DeliveryDocument s10, DeliveryDocumentBySupplier s35, Supplier s10, OverallPickingStatus s1
            OverallGoodsMovementStatus s1, LastChangeDate t, ActualGoodsMovementDate t, LastChangeDateTime o =""",
            "to_DeliveryDocumentItem",
        )
    ),
    f"{ROOT}API_WHSE_OUTB_DLV_ORDER": _service(
        _of(
            "WhseOutboundDeliveryOrderHead",
            "OutboundDeliveryOrder",
            "OutboundDeliveryOrder s35, Warehouse s4, Carrier s10, LastChangeDateTime o",
        ),
        _of(
            "WhseOutboundDeliveryOrderItem",
            "OutboundDeliveryOrder OutboundDeliveryOrderItem",
            """OutboundDeliveryOrder s35, OutboundDeliveryOrderItem s10, Product s40, ProductQuantity d31.14
            QuantityUnit s3, GoodsIssueStatus s1, SalesOrder s10, SalesOrderItem s6, ActlGoodsIssueStartUTCDateTime o""",
        ),
    ),
    "/sap/opu/odata4/sap/api_whse_physstockprod/srvd_a2x/sap/whsephysicalstockproducts/0001": _service(
        _of(
            "WarehousePhysicalStockProducts",
            "ParentHandlingUnitUUID StockItemUUID",
            """ParentHandlingUnitUUID s36, StockItemUUID s36, EWMWarehouse s4, Product s40, EWMStockType s2
            EntitledToDisposeParty s10, Batch s10, EWMStorageBin s18, EWMStockQuantityInBaseUnit d31.14
            EWMStockQuantityBaseUnit s3""",
        ),
        version=4,
    ),
}


class Warehouse(Practice):
    """A practice S/4HANA with client 100 and EWM warehouse 1710.

    Sales orders come by `/_sim/order`, those of a fault drill by themselves: elsewhere another connection files them.
    """

    title: ClassVar[str] = "SAP S/4HANA with EWM"
    server_name: ClassVar[str] = "SAP NetWeaver Application Server / ABAP 757"
    modes: ClassVar[dict[str, str]] = {
        "csrf_expired": "the CSRF tokens handed out are worthless, the call is not done (403 Required)",
        "session_lost": "every session is forgotten, the call is not done when it needed one",
        "locked": "another user holds the document, a write is not done",
        "too_many_requests": "429 with Retry-After, nothing was done",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = {
        "order": ("reference", "lines"),
        "purchase": ("reference", "lines"),
        "pick": ("delivery",),
        "issue": ("delivery",),
        "take_in": ("delivery",),
        "stock": ("product", "quantity"),
    }

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, seed: int = 1, page: int | None = None
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.world, self.desk, self.page = World(), Desk(DEMO), page
        self.world.put("BRG-6204", "480")
        self.world.put("RB-HRB400E-16", "62.5", "TO")

    def logins(self) -> dict[str, object]:
        return {
            "sap_client": DEMO.client,
            "user": DEMO.user,
            "password": DEMO.password,
            "warehouse": self.world.warehouse,
        }

    def state(self) -> dict[str, object]:
        world = self.world
        with world.lock:
            return {
                "orders": {number: reference for number, (reference, _, _) in world.orders.items()},
                "deliveries": {
                    each.number: f"{each.outbound} picking {each.picking} issue {each.issue} "
                    + ", ".join(f"{order}/{item}: {count}" for order, item, count in each.items.values())
                    for each in world.deliveries.values()
                },
                "stock": [f"{row['Product']} {row['EWMStockQuantityInBaseUnit']}" for row in world.stock],
            }

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what in ("order", "purchase"):
            lines = {str(item): tuple(map(str, told)) for item, told in dict(given["lines"]).items()}
            make = self.world.sell if what == "order" else self.world.buy
            return {"order": make(str(given["reference"]), lines)}  # type: ignore[arg-type]
        if what == "pick":
            self.world.pick(str(given["delivery"]))
            return {}
        if what == "issue":
            self.world.issue(str(given["delivery"]), tuple(map(str, given.get("items") or ())))
            return {}
        if what == "take_in":
            self.world.take_in(str(given["delivery"]), given.get("items"))
            return {}
        if what == "stock":
            self.world.put(str(given["product"]), str(given["quantity"]), str(given.get("unit") or "PC"))
            return {}
        raise NoSuchAct(what)

    # -- names and trouble

    def name_of(self, call: Call) -> tuple[str, str, str]:
        """token, csrf, read, create, delete; the entity set; the number of the document it is about."""
        if call.path == TOKEN_PATH:
            return "token", "", ""
        match = SEGMENT.search(unquote(call.path).rpartition("/")[2])
        kind, number = (match["set"], (match["key"] or "").strip("()'")) if match else ("", "")
        if call.method in ("GET", "HEAD"):
            return ("csrf" if _fetches(call) else "read"), kind, number
        return {"POST": "create"}.get(call.method, "delete"), kind, number

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        if fault.mode == "too_many_requests":
            wait = {"Retry-After": str(max(1, int(fault.seconds)))}
            return replace(
                self._refusal(Refused(429, "/IWFND/THROTTLE", "Too many requests"), call), headers=wait
            )
        if fault.mode == "session_lost":
            self.desk.lose()
        if fault.mode == "csrf_expired":
            self.desk.expire_csrf()
        if fault.mode == "locked" and call.method in WRITES:
            said = "Delivery is currently being processed (by user MUELLER)"
            return self._refusal(Refused(400, "VL/046", said), call)
        return None

    # -- the true protocol

    def answer(self, call: Call) -> Reply:
        if call.path == TOKEN_PATH:
            return self.desk.token(call)
        if not self.desk.who(call):
            return logon_failed()
        if call.method in WRITES and not self.desk.protected(call):
            return csrf_required()
        headers = self.desk.handed_out(call) if _fetches(call) else {}
        try:
            with self.world.lock:
                reply = self._served(call)
        except Refused as refused:
            return self._refusal(refused, call)
        return replace(reply, headers={**reply.headers, **headers})

    def _served(self, call: Call) -> Reply:
        client = call.query.get("sap-client") or DEMO.client
        if client != DEMO.client:
            raise Refused(403, "/IWFND/CM_CONSUMER/101", f"Client {client} is not available")
        root, offered, rest = _route(unquote(call.path))
        if not rest:
            return _json({"d": {"EntitySets": list(offered.sets)}})
        match = SEGMENT.fullmatch(rest)
        if match is None or match["set"] not in offered.sets:
            raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{rest}'")
        of, below = offered.sets[match["set"]]
        if call.method in ("GET", "HEAD"):
            if match["key"] is None:
                return _json(self._list(call, root, of, below, offered.version))
            return _json({"d": self._entity(of, self._one(of, match["key"]), below, call.query)})
        return self._written(call, of, match["key"], below)

    def _written(self, call: Call, of: Set, key: str | None, below: str) -> Reply:
        if of.name not in DELIVERIES:
            raise Refused(405, "/IWBEP/CM_MGW_RT/029", f"Method {call.method} is not allowed on {of.name}")
        if call.method == "POST" and key is None:
            try:
                body = call.json()
            except ValueError as error:
                raise Refused(400, "/IWBEP/CM_MGW_RT/057", f"The request body is no JSON: {error}") from None
            body = body if isinstance(body, dict) else {}
            outbound = of.name == DELIVERIES[0]
            number = self.world.create(body).number if outbound else self.world.announce(body)
            row = next(each for each in self.world.rows(of.name) if each["DeliveryDocument"] == number)
            return replace(_json({"d": self._entity(of, row, below, {})}), status=201)
        if call.method == "DELETE" and key is not None:
            row = self._one(of, key)
            doing.guard(call, shapes.etag_of(row, of))
            self.world.delete(row["DeliveryDocument"])
            return Reply(b"", 204)
        raise Refused(405, "/IWBEP/CM_MGW_RT/029", f"Method {call.method} is not allowed on {of.name}")

    def _one(self, of: Set, key: str) -> dict[str, Any]:
        wanted = shapes.key_of(key.strip("()"), of)
        for row in self.world.rows(of.name):
            if tuple(row[name] for name in of.key) == wanted:
                return row
        raise Refused(404, "/IWBEP/CM_MGW_RT/022", f"Resource not found: {of.name}{key}")

    def _entity(
        self, of: Set, row: Mapping[str, Any], below: str, asked: Mapping[str, str]
    ) -> dict[str, Any]:
        """A row as JSON of V2."""
        etag = shapes.etag_of(row, of)
        made: dict[str, Any] = {"__metadata": {"type": f"SRV.{of.type}"} | ({"etag": etag} if etag else {})}
        only = set(filter(None, asked.get("$select", "").split(",")))
        made |= {
            name: shapes.shown(row[name], one, 2)
            for name, one in of.fields.items()
            if not only or name in only
        }
        if below and below in asked.get("$expand", "").split(","):
            inner = BELOW[below]
            made[below] = {
                "results": [self._entity(inner, each, "", {}) for each in self.world.below(of.name, row)]
            }
        elif below:
            made[below] = {"__deferred": {"uri": f"{FOREIGN}/{of.name}/{below}"}}
        return made

    def _list(self, call: Call, root: str, of: Set, below: str, version: int) -> dict[str, Any]:
        asked = call.query
        if of.name == "A_SalesOrder" and (drill := DRILL.search(asked.get("$filter", ""))):
            self.world.rehearse(drill[1])
        try:
            test = query.condition_of(asked["$filter"], of) if asked.get("$filter") else None
            rows = [row for row in self.world.rows(of.name) if test is None or test(row)]
            rows = query.sorted_rows(rows, asked.get("$orderby") or ",".join(of.key), of)  # type: ignore[assignment]
            rows = rows[: int(asked.get("$top") or len(rows))]
            start = int(asked.get("$skiptoken") or 0)
        except ValueError as error:  # query.Wrong is one
            raise Refused(400, "/IWCOR/CX_DS_EXPR_SYNTAX_ERROR/002", str(error)) from None
        part = rows[start : start + self.page] if self.page else rows[start:]
        told = {name: value for name, value in asked.items() if name != "$skiptoken"}
        after = urlencode(told | {"$skiptoken": str(start + len(part))}, quote_via=quote)
        more = start + len(part) < len(rows)
        if version == 4:
            exact = "ieee754compatible=true" in call.headers.get("accept", "").lower()
            found = [
                {name: shapes.shown(row[name], one, 4, exact) for name, one in of.fields.items()}
                for row in part
            ]
            link = {"@odata.nextLink": f"{of.name}?{after}"} if more else {}  # V4 links may be relative
            return {"@odata.context": f"$metadata#{of.name}", "value": found, **link}
        inner: dict[str, Any] = {"results": [self._entity(of, row, below, asked) for row in part]}
        return {"d": inner | ({"__next": f"{FOREIGN}{root}/{of.name}?{after}"} if more else {})}

    def _refusal(self, refused: Refused, call: Call) -> Reply:
        version = 4 if "/odata4/" in call.path else 2
        body = shapes.error_json(refused, version, call.headers.get("sap-language", "en"))
        return Reply(body, refused.status, content_type="application/json;charset=utf-8")


def _fetches(call: Call) -> bool:
    return call.method in ("GET", "HEAD") and call.headers.get("x-csrf-token", "").lower() == "fetch"


def _route(path: str) -> tuple[str, Offered, str]:
    for root, offered in SERVICES.items():
        if path == root or path.startswith(f"{root}/"):
            return root, offered, path[len(root) :].strip("/")
    raise Refused(404, "/IWFND/MED/170", "No service found for this address")


def _json(value: Any) -> Reply:
    return Reply(shapes.dumps(value), 200, content_type="application/json;charset=utf-8")

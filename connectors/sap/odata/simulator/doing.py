"""Writes of the buyer's services: which entity a request makes, changes or deletes, and the guard of the ETag in front of it."""

from __future__ import annotations

import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from connectors.sap.odata.simulator import shapes
from connectors.sap.odata.simulator.books import SCHEDULE
from connectors.sap.odata.simulator.buying import HEADER, ITEM, ORDER, Buying
from connectors.sap.odata.simulator.model import MOVEMENT, SETS, Set
from connectors.sap.odata.simulator.reading import Reader
from connectors.sap.odata.simulator.shapes import Refused
from tongshang.simulate import Call, Reply

if TYPE_CHECKING:
    from connectors.sap.odata.simulator.gateway import Gateway

CANCEL = "Cancel"  # the function of material documents


def written(
    gateway: Gateway,
    call: Call,
    reader: Reader,
    of: Set,
    key: str | None,
    below: list[str],
    body: dict[str, Any],
    lag: float,
) -> Reply:
    """A write to purchase orders or material documents. Raises Refused."""
    buying, user = Buying(gateway.books), gateway.desk.who(call)
    if call.method == "POST":
        return _created(gateway, buying, reader, of, key, below, body, user, lag)
    if key is None or of.name not in (ORDER, ITEM, SCHEDULE) or (call.method == "DELETE") > (of.name == ITEM):
        raise Refused(405, "/IWBEP/CM_MGW_RT/029", f"Method {call.method} is not allowed on {of.name}")
    row = gateway.books.get(of, key)
    order = buying.order_of(of.name, row)
    guard(call, shapes.etag_of(order, SETS[ORDER]))
    if call.method == "DELETE":
        buying.delete_item(row)
    else:
        buying.change(of.name, row, body)
    return Reply(b"", 204, {"ETag": shapes.etag_of(order, SETS[ORDER])})


def guard(call: Call, held: str) -> None:
    """An entity with an ETag is changed only by whoever names it."""
    given = call.headers.get("if-match", "")
    if not given:
        raise Refused(428, "/IWBEP/CM_MGW_RT/157", "The request needs an If-Match header")
    if given not in ("*", held):
        raise Refused(
            412, "/IWBEP/CM_MGW_RT/156", "The ETag does not match: the entity was changed meanwhile"
        )


def _created(
    gateway: Gateway,
    buying: Buying,
    reader: Reader,
    of: Set,
    key: str | None,
    below: list[str],
    body: dict[str, Any],
    user: str,
    lag: float,
) -> Reply:
    if of.name == ORDER and key is not None and below == ["to_PurchaseOrderItem"]:
        row = buying.add_item(gateway.books.get(of, key), body)
        return _answer(reader, SETS[ITEM], row)
    if key is not None or of.name not in (ORDER, HEADER):
        raise Refused(405, "/IWBEP/CM_MGW_RT/029", f"{of.name} is not creatable by itself")
    row = buying.create_order(body, user) if of.name == ORDER else buying.post(body, user)
    if lag:
        gateway.books.hidden[str(row[of.key[-1]])] = time.monotonic() + lag
    return _answer(reader, of, row)


def cancelled(gateway: Gateway, call: Call, reader: Reader) -> Reply:
    """`Cancel`: its parameters are literals in the address. Raises Refused."""
    told = {name: call.query.get(name, "") for name in ("MaterialDocumentYear", "MaterialDocument")}
    if not all(value[:1] == value[-1:] == "'" and len(value) > 2 for value in told.values()):
        raise Refused(400, "/IWBEP/CM_MGW_RT/022", "Cancel needs MaterialDocumentYear and MaterialDocument")
    day: date | None = None
    if posting := call.query.get("PostingDate"):
        try:
            day = datetime.fromisoformat(posting.removeprefix("datetime'").removesuffix("'")).date()
        except ValueError:
            raise Refused(400, "/IWBEP/CM_MGW_RT/022", "PostingDate is no datetime literal") from None
    year, number = (value[1:-1] for value in told.values())
    made = Buying(gateway.books).cancel(year, number, day, gateway.desk.who(call))
    return _answer(reader, MOVEMENT.sets[HEADER], made, 200)


def _answer(reader: Reader, of: Set, row: dict[str, Any], status: int = 201) -> Reply:
    reader.paths, reader.only = [], set()
    where = shapes.uri(reader.base, of, [str(row[name]) for name in of.key])
    etag = shapes.etag_of(row, of)
    headers = {"DataServiceVersion": "2.0", "Location": where, **({"ETag": etag} if etag else {})}
    return Reply(reader.single(of, row), status, headers, "application/json;charset=utf-8")

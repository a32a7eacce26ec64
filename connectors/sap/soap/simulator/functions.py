"""The functions the practice SAP offers: wrappers that do their work and commit, readers, and the BAPI alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sap.soap.simulator.world import Refused, Row, Work, World

TEXT, NUMBER, DAY = "text", "decimal", "date10"
Fields = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Table:
    """A table parameter; `row` is the name of its type."""

    row: str
    fields: Fields


ITEM = Table(
    "ZTS_ITEM",
    (
        ("ITM_NUMBER", TEXT),
        ("MATERIAL", TEXT),
        ("TARGET_QTY", NUMBER),
        ("TARGET_QU", TEXT),
        ("GROSS_PRICE", NUMBER),
        ("GROSS_AMOUNT", NUMBER),
        ("SHORT_TEXT", TEXT),
    ),
)
BAPIRET2 = Table(
    "BAPIRET2",
    tuple(
        (name, "int" if name == "ROW" else TEXT)
        for name in (
            "TYPE",
            "ID",
            "NUMBER",
            "MESSAGE",
            "LOG_NO",
            "LOG_MSG_NO",
            "MESSAGE_V1",
            "MESSAGE_V2",
            "MESSAGE_V3",
            "MESSAGE_V4",
            "PARAMETER",
            "ROW",
            "FIELD",
            "SYSTEM",
        )
    ),
)
HEAD_OUT = Table(
    "ZTS_ORDER",
    tuple(
        (n, NUMBER if n == "GROSS_TOTAL" else TEXT)
        for n in ("SALESDOCUMENT", "PURCH_NO_C", "SOLD_TO", "CURRENCY", "GROSS_TOTAL", "REJECTED")
    ),
)
ITEM_OUT = Table(
    "ZTS_ORDER_ITEM",
    (("SALESDOCUMENT", TEXT), *ITEM.fields[:4], ("GROSS_AMOUNT", NUMBER), ("REJECTED", TEXT)),
)
CUSTOMER = Table("ZTS_CUSTOMER", (("CUSTOMER", TEXT), ("TAX_CODE", TEXT)))
IDOC = Table("ZTS_IDOC", (("DOCNUM", TEXT), ("ARCKEY", TEXT), ("STATUS", TEXT), ("STATUS_TEXT", TEXT)))

ORDER: Fields = (
    ("SOLD_TO", TEXT),
    ("PURCH_NO_C", TEXT),
    ("DOC_TYPE", TEXT),
    ("SALES_ORG", TEXT),
    ("DISTR_CHAN", TEXT),
    ("DIVISION", TEXT),
    ("CURRENCY", TEXT),
    ("PURCH_DATE", DAY),
    ("REQ_DATE", DAY),
    ("PURCH_NO_S", TEXT),
    ("NOTE", TEXT),
    ("ITEMS", ITEM),
)
SAID: Fields = (("SALESDOCUMENT", TEXT), ("RETURN", BAPIRET2))
SAVED: Row = ("S", "V1", "311", "Standard order {0} has been saved")


@dataclass(frozen=True)
class Function:
    takes: Fields
    gives: Fields
    run: Callable[[World, Work, Mapping[str, Any]], dict[str, Any]]
    commits: bool = False


def _rows(*rows: Row) -> list[dict[str, str]]:
    return [{"TYPE": kind, "ID": id, "NUMBER": no, "MESSAGE": text} for kind, id, no, text in rows]


def _saved(number: str) -> dict[str, Any]:
    kind, id, no, text = SAVED
    return {"SALESDOCUMENT": number, "RETURN": _rows((kind, id, no, text.format(number.lstrip("0"))))}


def _create(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    return _saved(world.create(work, given).number)


def _change(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    return _saved(world.change(work, str(given.get("SALESDOCUMENT") or ""), given).number)


def _cancel(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    return _saved(world.cancel(work, str(given.get("SALESDOCUMENT") or "")).number)


def _read(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    found = world.by_reference(str(given.get("PURCH_NO_C") or ""))
    heads = [
        {
            "SALESDOCUMENT": order.number,
            "PURCH_NO_C": order.reference,
            "SOLD_TO": order.sold_to,
            "CURRENCY": order.currency,
            "GROSS_TOTAL": format(order.total, ".2f"),
            "REJECTED": "X" if all(item.rejected for item in order.items) else "",
        }
        for order in found
    ]
    items = [
        {
            "SALESDOCUMENT": order.number,
            "ITM_NUMBER": item.no,
            "MATERIAL": item.material,
            "TARGET_QTY": format(item.quantity, ".3f"),
            "TARGET_QU": item.unit,
            "GROSS_AMOUNT": format(item.amount, ".2f"),
            "REJECTED": "X" if item.rejected else "",
        }
        for order in found
        for item in order.items
    ]
    return {"ORDERS": heads, "ORDER_ITEMS": items, "RETURN": []}


def _customer(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    code = str(given.get("TAX_CODE") or "")
    return {"CUSTOMERS": [{"CUSTOMER": n, "TAX_CODE": code} for n in world.by_tax_code(code)], "RETURN": []}


def _idoc(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    key = str(given.get("ARCKEY") or "")
    with world.lock:
        return {"IDOCS": [dict(one) for one in world.idocs if key and one["ARCKEY"] == key], "RETURN": []}


def _bare(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    return _create(world, work, given)


def _commit(world: World, work: Work, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"SALESDOCUMENT": "", "RETURN": []}  # a session of its own: there is nothing in it to commit


FUNCTIONS: dict[str, Function] = {
    "Z_TS_SALESORDER_CREATE": Function(ORDER, SAID, _create, commits=True),
    "Z_TS_SALESORDER_CHANGE": Function((("SALESDOCUMENT", TEXT), *ORDER), SAID, _change, commits=True),
    "Z_TS_SALESORDER_CANCEL": Function((("SALESDOCUMENT", TEXT),), SAID, _cancel, commits=True),
    "Z_TS_SALESORDER_READ": Function(
        (("PURCH_NO_C", TEXT),),
        (("ORDERS", HEAD_OUT), ("ORDER_ITEMS", ITEM_OUT), ("RETURN", BAPIRET2)),
        _read,
    ),
    "Z_TS_CUSTOMER_FIND": Function(
        (("TAX_CODE", TEXT),), (("CUSTOMERS", CUSTOMER), ("RETURN", BAPIRET2)), _customer
    ),
    "Z_TS_IDOC_STATUS": Function((("ARCKEY", TEXT),), (("IDOCS", IDOC), ("RETURN", BAPIRET2)), _idoc),
    "BAPI_SALESORDER_CREATEFROMDAT2": Function(ORDER, SAID, _bare),
    "BAPI_TRANSACTION_COMMIT": Function((), SAID, _commit),
}
WRAPPERS = tuple(name for name in FUNCTIONS if name.startswith("Z_"))


def run(
    world: World, function: Function, given: Mapping[str, Any], *, forgets: bool = False, lag: float = 0.0
) -> dict[str, Any]:
    """One call: its own unit of work, committed by a wrapper, gone after a BAPI alone, undone after an error."""
    with world.lock:  # no other unit of work between a check and the commit that rests on it
        return _run(world, function, given, forgets, lag)


def _run(
    world: World, function: Function, given: Mapping[str, Any], forgets: bool, lag: float
) -> dict[str, Any]:
    work = Work()
    try:
        told = function.run(world, work, given)
    except Refused as why:
        empty = {name: [] if isinstance(kind, Table) else "" for name, kind in function.gives}
        return empty | {"RETURN": _rows(*why.rows)}
    if function.commits and not forgets:
        world.commit(work, lag)
    else:
        world.forget(work)
    return told


def refused(function: Function, *rows: Row) -> dict[str, Any]:
    """The answer of a function that did nothing but say why."""
    empty = {name: [] if isinstance(kind, Table) else "" for name, kind in function.gives}
    return empty | {"RETURN": _rows(*rows)}

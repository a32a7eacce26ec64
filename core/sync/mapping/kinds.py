"""What rules may speak of: the facts of what goes out, the fields of what comes in, and the kinds a value may have."""

import re
from dataclasses import fields
from decimal import Decimal
from typing import Any

from core.sync.incoming import (
    DeliveryIn,
    InvoiceIn,
    PartnerIn,
    PaymentIn,
    PriceIn,
    ProductIn,
    ReceiptIn,
    StockIn,
    StockMoveIn,
    UnitIn,
)
from core.sync.mapping.faults import ExpressionError
from core.sync.mapping.functions import (
    DATE_FORMAT,
    MOST_PLACES,
    date_of,
    number,
    number_of,
    rounded,
    text,
    to_date,
    written,
)
from core.sync.mapping.language import ANYTHING, Names
from core.sync.outgoing import (
    INBOUND_ORDER,
    PAYMENT,
    PURCHASE_ORDER,
    RECEIPT,
    SALES_ORDER,
    InvoicePart,
    LineOut,
)
from core.sync.outgoing import KINDS as DOCUMENTS

STANDARD_TABLES = ("units", "currencies", "taxes", "partners", "suppliers", "materials")
KINDS = ("text", "number", "date", "flag")
_YES, _NO = ("true", "1", "x", "y", "yes"), ("", "false", "0", "n", "no")
_FLAG = re.compile(r"[^/]{0,20}/[^/]{0,20}")


def _plain_fields(kind: type) -> dict[str, Any]:
    return {each.name: None for each in fields(kind)}


HEADS = {
    SALES_ORDER: "order",
    PURCHASE_ORDER: "order",
    INBOUND_ORDER: "goods",
    RECEIPT: "goods",
    PAYMENT: "payment",
}
"""What the rules of a kind of document call the document itself."""


def out_names(kind: str, *, lines: bool = True) -> Names:
    """What a rule of that kind may speak of. `value` is what the connector itself put at the target.

    `line` is only there where a rule speaks of each line; the lines of a payment are the invoices it settles.
    """
    head = {name: None for name in _plain_fields(DOCUMENTS[kind]) if name not in ("lines", "invoices")}
    line = _plain_fields(InvoicePart if kind == PAYMENT else LineOut)
    return {HEADS[kind]: head, **({"line": line} if lines else {}), "today": None, "value": ANYTHING}


STREAMS: dict[str, type] = {
    "products": ProductIn,
    "partners": PartnerIn,
    "units": UnitIn,
    "prices": PriceIn,
    "stock": StockIn,
    "moves": StockMoveIn,
    "deliveries": DeliveryIn,
    "receipts": ReceiptIn,
    "invoices": InvoiceIn,
    "payments": PaymentIn,
}
_KIND_OF = {"str": "text", "Decimal": "number", "date": "date", "date | None": "date", "bool": "flag"}
FIELDS: dict[str, dict[str, str]] = {
    stream: {
        each.name: _KIND_OF[str(each.type)]
        for each in fields(kind)
        if str(each.type) in _KIND_OF and each.name != "external_id"
    }
    for stream, kind in STREAMS.items()
}
"""The fields a rule may set, with the kind each has. `external_id` tells records apart and is the connector's alone."""

MATERIAL = {"products": "code", "stock": "material", "moves": "material", "prices": "material"}
"""Where a record carries a material's number, which the table of that name brings back to ours."""


def in_names(stream: str) -> Names:
    """`row` is the other system's own record, `item` what the connector made of it."""
    return {"row": ANYTHING, "item": dict.fromkeys(FIELDS[stream]), "today": None}


def format_fault(kind: str, form: str) -> bool:
    """Whether a format does not fit its kind."""
    if not form:
        return False
    if kind == "number":
        return not (form.isascii() and form.isdecimal() and int(form[:3]) <= MOST_PLACES)
    if kind == "date":
        return not DATE_FORMAT.fullmatch(form)
    return kind == "text" or not _FLAG.fullmatch(form)


def inward(value: Any, kind: str, form: str) -> Any:
    """What an expression came to as a field of ours. Nothing stays nothing."""
    if value is None:
        return None
    if kind == "text":
        return text(value)
    if kind == "number":
        found = number(value)
        return found if found is None or not form else rounded(found, Decimal(form))
    if kind == "date":
        return to_date(value)
    return _flag(value)


def outward(value: Any, kind: str, form: str) -> Any:
    """What an expression came to as the other system wants it: numbers stay numbers, days and flags as their format says."""
    if value is None:
        return None
    if kind == "number":
        found = number(value)
        return found if found is None or not form else rounded(number_of(found), Decimal(form))
    if kind == "date":
        day = to_date(value)
        return None if day is None else written(date_of(day), form)
    if kind == "flag":
        yes, _, no = form.partition("/")
        return (yes if _flag(value) else no) if form else _flag(value)
    return text(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        return value != 0
    typed = text(value).strip().lower()
    if typed in _YES:
        return True
    if typed in _NO:
        return False
    raise ExpressionError("not_a_flag", what=typed[:40])

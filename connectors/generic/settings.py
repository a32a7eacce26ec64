"""What both connectors ask for alike: words of the trade, and one setting for each kind of record and of document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.generic.records import KINDS
from connectors.generic.shapes import LAYOUTS
from tongshang.connect import Access, Setting

PARTNER_BY = Setting(
    "partner_by",
    "Customers are known by",
    kind="choice",
    default="code",
    choices=(("code", "Unified social credit code"), ("number", "Their own number, mapped by hand")),
)
UNITS = Setting("units", "Units", kind="pairs", hint="Only where they differ, one a line: pcs=PCE")
CURRENCIES = Setting(
    "currencies", "Currencies", kind="pairs", hint="Only where they differ, one a line: CNY=RMB"
)
DONE = Setting(
    "done_statuses", "Statuses that mean done", hint="With commas; empty: a document that is there is done"
)
CANCELLED = Setting(
    "cancelled_statuses", "Statuses that mean cancelled", default="cancelled", hint="With commas"
)


def answer(hint: str) -> Setting:
    return Setting("answer", "Names in an answer about an order", kind="pairs", hint=hint)


def reading(hint: str) -> tuple[Setting, ...]:
    """`read_products` and its like: where the records are and what their fields are called."""
    return tuple(
        Setting(f"read_{kind.key}", f"{kind.title}: where and under which names", kind="pairs", hint=hint)
        for kind in KINDS.values()
    )


def filing(hint: str) -> tuple[Setting, ...]:
    """`out_receipt` and its like: where documents of the other kinds go, and what differs in their names from an order's."""
    return tuple(
        Setting(f"out_{kind}", f"{layout.title} out: where and under which names", kind="pairs", hint=hint)
        for kind, layout in LAYOUTS.items()
        if kind != "sales_order"
    )


def filled(access: Access, settings: Sequence[Setting]) -> Access:
    """The same access where what nobody told has its default."""
    standard = {each.key: each.default for each in settings if each.default}
    return replace(access, settings=standard | dict(access.settings))

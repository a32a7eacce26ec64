"""A connector wired by hand to its own practice server, without a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, cast
from urllib.parse import urlsplit
from uuid import UUID

import requests

from core.kernel import uuid7
from core.sync.contract import Access, Bill, Connector, Link, Step
from core.sync.incoming import Incoming
from core.sync.outbound import OutboundRule, session
from core.sync.outcome import Trace
from core.sync.outgoing import (
    PAYMENT,
    PURCHASE_ORDER,
    SALES_ORDER,
    GoodsOut,
    InvoicePart,
    LineOut,
    MoneyOut,
    OrderOut,
    Outgoing,
)


class Server(Protocol):
    """What a practice server (`tongshang.simulate.Practice`) is to a test."""

    @property
    def url(self) -> str: ...


def sample_order(
    reference: str = "SO-1",
    *,
    material: str = "BRG-6204",
    unit: str = "pcs",
    quantity: str = "120",
    price: str = "36.50",
    partner_code: str = "91350100M000100Y43",
    version: int = 1,
) -> OrderOut:
    """An order of one line, as connectors get it. `price` is with tax, per `unit`."""
    gross = Decimal(quantity) * Decimal(price)
    return OrderOut(
        object_id=uuid7(),
        reference=reference,
        version=version,
        partner_id=uuid7(),
        partner_name="锡安达机电",
        partner_code=partner_code,
        buyer_po="PO-77",
        currency="CNY",
        total=gross,
        ordered_on=date(2026, 11, 22),
        delivery_on=date(2026, 12, 5),
        ship_to="福州市仓山区",
        note="周三前送到",
        lines=(
            LineOut(1, uuid7(), material, "深沟球轴承 6204", unit, Decimal(quantity), Decimal("0.13"), gross),
        ),
    )


def sample_of(kind: str, reference: str = "X-1", *, order_reference: str = "SO-1", **of: Any) -> Outgoing:
    """A document of any kind; goods and money belong to the order filed under `order_reference`. `of` as in `sample_order`."""
    order = sample_order(reference, **of)
    if kind in (SALES_ORDER, PURCHASE_ORDER):
        return replace(order, kind=cast(Any, kind))
    names = (
        "object_id",
        "reference",
        "version",
        "partner_id",
        "partner_name",
        "partner_code",
        "currency",
        "total",
        "note",
    )
    head = {name: getattr(order, name) for name in names} | {"order_reference": order_reference}
    if kind == PAYMENT:
        invoices = (InvoicePart("INV-1", order.total),)
        return MoneyOut(
            direction="in", paid_on=order.ordered_on, bank_ref="BANK-1", invoices=invoices, **head
        )
    lines = tuple(replace(line, order_reference=order_reference, order_line=line.no) for line in order.lines)
    more = {"kind": cast(Any, kind), "moved_on": order.ordered_on, "carrier": "顺丰", "waybill": "SF-1"}
    return GoodsOut(lines=lines, **more, **head)


def nobody(_kind: str, _id: UUID) -> None:
    """A look-up that knows no number for anything of ours."""


def access_to(connector: Connector, server: Server, organisation: str = "100", **values: str) -> Access:
    """What a person would have typed: the defaults, the values for the demonstration, and `values` over them."""
    told = {each.key: each.default for each in connector.settings if each.default}
    told |= {**connector.demo_values(), **values}
    secret = {each.key for each in connector.settings if each.kind == "secret"}
    plain = {key: value for key, value in told.items() if key not in secret}
    return Access(
        server.url, organisation, plain, {key: value for key, value in told.items() if key in secret}
    )


def rule_for(server: Server) -> OutboundRule:
    """What the operator would write into `outbound.conf` to let us reach it."""
    return OutboundRule.parse(urlsplit(server.url).netloc)


@dataclass
class Desk:
    """An open link to a practice server. The last calls it made are at `trace.exchanges`."""

    connector: Connector
    access: Access
    http: requests.Session
    link: Link
    trace: Trace

    def bill(self, reference: str, kind: str = SALES_ORDER, **of: Any) -> Bill:
        """The bill of a sample, nothing of which has a counterpart yet; `of` as in `sample_of`."""
        return self.link.filing(kind).bill(sample_of(kind, reference, **of), nobody)

    def records(self, key: str, since: str | None = None) -> list[Incoming]:
        """All records of a stream in the platform's words. Raises SkipRecord for one that cannot be used."""
        stream = self.link.stream(key)
        return [stream.to_core(row) for page in stream.pull(since, None) for row in page.rows]

    def check(self) -> Iterator[Step]:
        """The steps of the connector's own check."""
        return self.connector.check(self.access, self.http)


@contextmanager
def practising(kind: type[Connector], server: Server, **values: str) -> Iterator[Desk]:
    """A link to a practice server that runs; `values` are settings and secrets that differ from those of the demonstration.

    `organisation` is one of them where it is not 100.
    """
    connector = kind()
    access = access_to(connector, server, **values)
    http = session([rule_for(server)])
    link = connector.open(access, http)
    link.trace, link.before_write = (trace := Trace(keep=50)), lambda: None
    try:
        yield Desk(connector, access, http, link, trace)
    finally:
        link.close()
        http.close()

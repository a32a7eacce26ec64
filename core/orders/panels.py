"""What rooms above and plugins show on an order: their documents, their acts, their own part of the page.

The order's page is drawn here, its shipments, invoices and payments live in rooms above. They register a section once
at start-up, so the arrows keep pointing down.

    def shipments(ctx, order, lines) -> Section | None: ...
    panels.register_section(shipments)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from core.kernel import Context, Money
from core.orders.model import OrderLine, TradeOrder


@dataclass(frozen=True)
class Document:
    """A paper that belongs to an order: a shipment, a receipt, an invoice, a payment.

    `state` and `tone` as states have them (tone ok, warn, bad, acc or empty); `what` says the rest in a few words.
    `endpoint` with `values` is its own page, where it has one.
    """

    kind: str
    id: UUID
    number: str
    at: datetime | None
    state: str = ""
    tone: str = ""
    what: str = ""
    amount: Money | None = None
    endpoint: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """An act the actor may do now, offered as a button of the order's page.

    `endpoint` with `values` takes the POST. `form` is a template with the fields of its dialog, which sees `act.facts`;
    without one only `consequences` (sentences) are shown. `ask` is the endpoint of the page that asks the same without
    scripts; None lets the order's own page do it. `rank` orders the buttons: the lowest is the primary one.
    """

    key: str
    text: str
    endpoint: str
    values: Mapping[str, Any]
    icon: str = "right"
    title: str = ""
    consequences: tuple[str, ...] = ()
    form: str | None = None
    facts: Any = None
    ask: str | None = None
    danger: bool = False
    rank: int = 50


@dataclass(frozen=True)
class Section:
    """A room's part of an order. `template` draws the body of its card with `section.facts`; None lists the documents."""

    key: str
    title: str
    icon: str
    documents: tuple[Document, ...] = ()
    acts: tuple[Act, ...] = ()
    template: str | None = None
    facts: Any = None
    rank: int = 50


Provider = Callable[[Context, TradeOrder, Sequence[OrderLine]], Section | None]
_providers: list[Provider] = []


def register_section(provider: Provider) -> None:
    """Show a section on every order; called once at start-up from a room's `wiring.py`. None shows nothing."""
    if provider not in _providers:
        _providers.append(provider)


def sections(ctx: Context, order: TradeOrder, lines: Sequence[OrderLine]) -> tuple[Section, ...]:
    """Every room's section of this order, in rank order."""
    found = [section for provider in _providers if (section := provider(ctx, order, lines)) is not None]
    return tuple(sorted(found, key=lambda section: (section.rank, section.key)))

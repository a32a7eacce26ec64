"""What plugins answer: objections, gates, price components, plan items, fragments. Plain frozen values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.kernel import Event, Money


@dataclass(frozen=True)
class Objection:
    """A plugin's no: a stable code and the sentence shown (through the plugin's own words when it has them)."""

    code: str
    text: str


@dataclass(frozen=True)
class PriceComponent:
    """An adjustment of one line's unit price, with its reason; the core adds it up and shows it."""

    line: int
    adjustment: Decimal
    reason: str


@dataclass(frozen=True)
class AgreedPrice:
    """The price of one line that was agreed outside the price lists: of one unit of the line, in the order's currency.

    `reason` is shown as where the price comes from.
    """

    unit_price: Decimal
    tax_included: bool
    vat_rate: Decimal
    reason: str


@dataclass(frozen=True)
class GateRequest:
    """A condition a plugin puts before a stage (confirm, start, ship, invoice, pay, complete)."""

    key: str
    stage: str
    title: str


@dataclass(frozen=True)
class PlanItem:
    """One payment of an order: kind earnest, prepay, progress, delivery, balance or retention.

    `due_days` counts from `due_base` (confirm, invoice, receipt); `gate` names the stage that waits for the money.
    """

    kind: str
    amount: Decimal
    due_base: str = "invoice"
    due_days: int = 30
    gate: str | None = None


@dataclass(frozen=True)
class MoneyMove:
    """One move of a cancel or settlement plan, from a side to a side.

    `reason`: `outstanding` pays invoices, `refund` gives an advance back, `penalty` is compensation paid at once, `forfeit`
    lets the seller keep a part of the advance, `claim` is compensation that is owed.
    """

    payer: str
    payee: str
    amount: Decimal
    reason: str


@dataclass(frozen=True)
class Payee:
    """Another account an invoice is to be paid to (an assignment, a factor), and why."""

    name: str
    bank: str
    account: str
    reason: str


@dataclass(frozen=True)
class SlotFragment:
    """What a plugin shows in a slot: its own template and the values for it."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    icon: str = "plug"
    order: int = 100
    permission: str | None = None


@dataclass(frozen=True)
class Subscription:
    """An event and the handler that runs after the commit, at least once: it must be idempotent by event id."""

    event: type[Event]
    handler: Callable[[Any, Any], None]


@dataclass(frozen=True)
class Hit:
    """One find of a search: a title, a line below it, an endpoint with its values."""

    title: str
    detail: str
    url: str
    kind: str


@dataclass(frozen=True)
class Offer:
    """What somebody offers for an order or an invoice (finance, freight, insurance); `url` leads to where it is taken.

    `until` is when it ends. Readers without `permission` do not see it.
    """

    title: str
    url: str
    detail: str = ""
    price: Money | None = None
    until: datetime | None = None
    permission: str | None = None


@dataclass(frozen=True)
class Report:
    """A table that a plugin draws for a period.

    `rows(ctx, since, until)` answers tuples with one value for each column: text, Decimal, Money, date, datetime or None,
    for the days from `since` up to and not with `until`. Readers need `permission`.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: Callable[[Any, date, date], Iterable[tuple[Any, ...]]]
    permission: str
    description: str = ""


@dataclass(frozen=True)
class Health:
    """A plugin's own word on its state."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class TradeMode:
    """How one mode of trade bends the order: one object instead of a dozen hooks.

    `payment_plan(ctx, order)` answers plan items that sum to the order's total. `cancel_plan(ctx, order, by)` answers the
    money moves when one side (`by`: buyer or seller) calls a confirmed order off alone, None where the mode allows none.
    Both are asked on the seller's side, with the seller's settings. `billable(line, accepted)` answers the quantity and
    unit price to bill. `agreed(ctx, quotation)` answers an `AgreedPrice` for every line, in order, where prices come from
    something signed (a quote, a contract) instead of the price lists; it refuses lines that were never agreed.
    `settlement_plan(ctx, order)` answers the damages a running order owes by its own terms. With `escrow`, money paid in
    advance is held in escrow until it is invoiced, forfeited or sent back.
    """

    key: str
    title: str
    payment_plan: Callable[[Any, Any], list[PlanItem]]
    cancel_plan: Callable[[Any, Any, str], list[MoneyMove] | None]
    billable: Callable[[Any, Decimal], tuple[Decimal, Decimal]]
    reserve: bool = True
    agreed: Callable[[Any, Any], list[AgreedPrice]] | None = None
    settlement_plan: Callable[[Any, Any], list[MoneyMove]] | None = None
    escrow: bool = False

"""What a page or an answer says about one order: frozen, complete, no rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.hooks import OrderFacts
from core.kernel import round2
from core.orders.panels import Section

ZERO = Decimal(0)
ARRIVED = ("delivered", "accepted", "completed", "closed")
"""States after which nothing more is delivered."""
OVER = ("rejected", "expired", "cancelled", "terminated", "completed", "closed")


@dataclass(frozen=True)
class Partner:
    """A party by its two names; `en` is None where it never said one."""

    id: UUID
    zh: str
    en: str | None
    uscc: str


@dataclass(frozen=True)
class Head:
    """The order itself. `side` is the reader's; amounts include VAT except `net` and `tax`."""

    id: UUID
    number: str | None
    buyer_po: str | None
    mode: str
    state: str
    version: int
    terms_version: int
    side: str
    buyer_id: UUID
    seller_id: UUID
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    invoiced: Decimal
    prepaid: Decimal
    paid: Decimal
    under_tol: Decimal
    over_tol: Decimal
    terms_days: int
    accept_days: int
    delivery_date: date | None
    ship_to: str
    note: str
    source_ref: str | None
    approval_needed: bool
    rounds: int
    reason: str | None
    offer_expires_at: datetime | None
    created_at: datetime
    submitted_at: datetime | None
    confirmed_at: datetime | None
    started_at: datetime | None
    delivered_at: datetime | None
    accepted_at: datetime | None
    completed_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Line:
    """An order line with everything counted so far, in its own unit. `components` explain the unit price."""

    id: UUID
    no: int
    sku_id: UUID
    sku_code: str
    name_zh: str
    name_en: str
    spec: str
    unit: str
    quantity: Decimal
    factor: Decimal
    unit_price: Decimal
    tax_incl: bool
    vat_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    components: tuple[Mapping[str, Any], ...]
    over_tol: Decimal
    shipped: Decimal
    received: Decimal
    accepted: Decimal
    rejected: Decimal
    short_closed: Decimal
    invoiced: Decimal


@dataclass(frozen=True)
class Event:
    """One step of the order's life; `detail` holds its values as text."""

    version: int
    verb: str
    source: str
    target: str
    side: str
    actor: str
    at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class GateFacts:
    """A condition before a stage; `plugin` None is the payment plan's own.

    `orphaned` says why its plugin does not look after it now: stopped (with `orphaned_reason`), absent or off.
    """

    key: str
    stage: str
    title: str
    plugin: str | None
    state: str
    evidence: str
    decided_by: str | None
    decided_at: datetime | None
    orphaned: str | None = None
    orphaned_reason: str = ""


@dataclass(frozen=True)
class HoldFacts:
    """A stop on some acts; `side` is who placed it and alone may lift it.

    One of the side `platform` is no row: `plugin_quarantined:<plugin>` stands there as long as a plugin with open gates on
    the order is stopped.
    """

    id: UUID
    key: str
    side: str
    reason: str
    blocks: tuple[str, ...]
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


@dataclass(frozen=True)
class Change:
    """One difference a proposal asks for: `what` is quantity, unit_price (of line `no`) or delivery_date (`no` None)."""

    no: int | None
    name: str
    unit: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class ProposalFacts:
    """What one side asks of the other. `total` is the order's total if it is agreed to; `moves` those of a settlement."""

    id: UUID
    kind: str
    side: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    changes: tuple[Change, ...]
    moves: tuple[Mapping[str, str], ...]
    total: Decimal


@dataclass(frozen=True)
class PlanFacts:
    """One payment the order asks for."""

    no: int
    kind: str
    amount: Decimal
    due_base: str
    due_days: int
    gate: str | None


@dataclass(frozen=True)
class VersionFacts:
    """The terms both sides agreed on at a moment."""

    no: int
    at: datetime
    terms: Mapping[str, Any]


@dataclass(frozen=True)
class Allowed:
    """An act of this room that the actor may do now. `needs` names what its body must say: reason, changes, moves ...

    `target` is the hold or gate it is about, where there may be several.
    """

    verb: str
    needs: tuple[str, ...] = ()
    target: str | None = None


@dataclass(frozen=True)
class Detail:
    """An order whole, as its reader may see it. `facts` are what plugins see of it."""

    head: Head
    partner: Partner
    buyer: Partner
    seller: Partner
    lines: tuple[Line, ...]
    events: tuple[Event, ...]
    gates: tuple[GateFacts, ...]
    holds: tuple[HoldFacts, ...]
    proposal: ProposalFacts | None
    plan: tuple[PlanFacts, ...]
    versions: tuple[VersionFacts, ...]
    sections: tuple[Section, ...]
    acts: tuple[Allowed, ...]
    facts: OrderFacts

    def may(self, verb: str) -> bool:
        return any(act.verb == verb for act in self.acts)

    def still_due(self) -> Decimal:
        """What the buyer will still have to pay: what can still be billed, and what is billed and not paid.

        Goods that will not come any more (closed short, rejected, missing within the tolerance once everything has
        arrived) are not billed. Nothing is due on an order that ended otherwise than by completion.
        """
        head = self.head
        if head.state in OVER:
            return ZERO
        billable = sum((_billable(line, head.state not in ARRIVED) for line in self.lines), ZERO)
        return max(billable + head.invoiced - head.paid - head.prepaid, ZERO)


def _billable(line: Line, awaited: bool) -> Decimal:
    """The value of a line's goods that are not invoiced and may still be, VAT included."""
    coming = max(line.quantity - line.short_closed - line.received, ZERO) if awaited else ZERO
    rest = max(coming + line.received - line.rejected - line.invoiced, ZERO)
    return line.gross if rest == line.quantity else round2(line.gross * rest / line.quantity)

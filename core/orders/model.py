"""An order and everything that hangs on it. Both parties share these rows; what is private to one lies in `order_private`.

Quantities on a line and sums on an order are kept by one verb each (`tally`, `book`), so constraints can hold them
(I1, I2, I3, I7 of the invariants); `verify` compares them with the shipment, receipt and invoice rows they came from.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Select, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from core.db import Amount, Append, Measure, Model, Price, TenantOwned, TwoSided, uuid_pk

ZERO = text("0")
NUMBERED = "number IS NOT NULL OR buyer_id = (SELECT ts.home())"
"""An order gets its number when it is submitted; until then its seller sees it only while its buyer crosses over."""
OF_A_NUMBERED_ORDER = "numbered OR buyer_id = (SELECT ts.home())"
"""The same for its lines and events. A trigger keeps the mark, so that a policy need not look the order up for each row."""


class TradeOrder(TwoSided, Model):
    """One order between one buyer and one seller. `total` includes VAT; `number` comes from the seller's series."""

    __tablename__ = "trade_order"
    __seller_sees__: ClassVar[str] = NUMBERED
    __table_args__ = (
        UniqueConstraint("id", "buyer_id", "seller_id"),
        UniqueConstraint("seller_id", "number"),
        Index("ix_trade_order_buyer_new", "buyer_id", text("created_at DESC"), text("id DESC")),
        Index("ix_trade_order_seller_new", "seller_id", text("created_at DESC"), text("id DESC")),
        Index("ix_trade_order_buyer_po", "buyer_id", "buyer_po"),
        Index("ix_trade_order_open_credit", "seller_id", "buyer_id", "state"),
        Index(
            "ix_trade_order_buyer_delivered",
            "buyer_id",
            "delivered_at",
            postgresql_where=text("delivered_at IS NOT NULL"),
        ),
        Index(
            "ix_trade_order_seller_delivered",
            "seller_id",
            "delivered_at",
            postgresql_where=text("delivered_at IS NOT NULL"),
        ),
        Index("ix_trade_order_expiring", "offer_expires_at", postgresql_where=text("offer_expires_at IS NOT NULL")),
        CheckConstraint("buyer_id <> seller_id", name="two_parties"),
        CheckConstraint("total >= 0 AND net >= 0 AND tax >= 0 AND total = net + tax", name="sums"),
        CheckConstraint(
            "invoiced >= 0 AND invoiced <= total * (1 + over_tol) + 1 AND prepaid >= 0 AND paid >= 0 AND paid <= invoiced",
            name="money",
        ),
    )

    id: Mapped[uuid_pk]
    number: Mapped[str | None]
    buyer_po: Mapped[str | None]
    mode: Mapped[str]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    terms_version: Mapped[int] = mapped_column(server_default=ZERO)
    currency: Mapped[str] = mapped_column(server_default="CNY")
    net: Mapped[Decimal] = mapped_column(Amount())
    tax: Mapped[Decimal] = mapped_column(Amount())
    total: Mapped[Decimal] = mapped_column(Amount())
    invoiced: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    prepaid: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    paid: Mapped[Decimal] = mapped_column(Amount(), server_default=ZERO)
    under_tol: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    over_tol: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    terms_days: Mapped[int] = mapped_column(server_default=text("30"))
    accept_days: Mapped[int] = mapped_column(server_default=text("7"))
    delivery_date: Mapped[date | None]
    ship_to: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
    source_ref: Mapped[str | None]
    creator_side: Mapped[str] = mapped_column(server_default="buyer")
    created_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]
    approval_needed: Mapped[bool] = mapped_column(server_default=text("false"))
    rounds: Mapped[int] = mapped_column(server_default=ZERO)
    reason: Mapped[str | None]
    offer_expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


def _of_order() -> ForeignKeyConstraint:
    """A child's parties are its order's parties."""
    return ForeignKeyConstraint(
        ["order_id", "buyer_id", "seller_id"], ["trade_order.id", "trade_order.buyer_id", "trade_order.seller_id"]
    )


class OrderLine(TwoSided, Model):
    """What is ordered. Quantities are in `unit`; stock is reserved and shipped in the base unit (`factor` base units each).

    Lines are deleted while a draft is edited and never after: a trigger holds that (ddl.sql).
    """

    __tablename__ = "order_line"
    __seller_sees__: ClassVar[str] = OF_A_NUMBERED_ORDER
    __grants__ = "SELECT, INSERT, UPDATE, DELETE"
    __table_args__ = (
        _of_order(),
        UniqueConstraint("order_id", "no"),
        CheckConstraint("quantity > 0 AND factor > 0", name="positive"),
        CheckConstraint("accepted + rejected <= received", name="i1_disposed"),
        CheckConstraint("shipped <= quantity * (1 + over_tol)", name="i2_shipped"),
        CheckConstraint("invoiced <= accepted", name="i3_invoiced"),
        CheckConstraint("short_closed >= 0 AND short_closed <= quantity", name="i7_short"),
        CheckConstraint("gross = net + tax", name="sums"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    no: Mapped[int]
    numbered: Mapped[bool] = mapped_column(default=False)  # a trigger decides it
    sku_id: Mapped[UUID]
    sku_code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    spec: Mapped[str] = mapped_column(server_default="")
    unit: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Measure())
    factor: Mapped[Decimal] = mapped_column(Measure(), server_default=text("1"))
    unit_price: Mapped[Decimal] = mapped_column(Price())
    tax_incl: Mapped[bool]
    vat_rate: Mapped[Decimal] = mapped_column(Measure())
    net: Mapped[Decimal] = mapped_column(Amount())
    tax: Mapped[Decimal] = mapped_column(Amount())
    gross: Mapped[Decimal] = mapped_column(Amount())
    components: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    over_tol: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    shipped: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    received: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    accepted: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    rejected: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    short_closed: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)
    invoiced: Mapped[Decimal] = mapped_column(Measure(), server_default=ZERO)


class OrderEvent(Append, TwoSided, Model):
    """One step of an order's life; replaying them all gives its state (V-S4)."""

    __tablename__ = "order_event"
    __seller_sees__: ClassVar[str] = OF_A_NUMBERED_ORDER
    __table_args__ = (_of_order(), UniqueConstraint("order_id", "version"))

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    numbered: Mapped[bool] = mapped_column(default=False)  # a trigger decides it
    version: Mapped[int]
    verb: Mapped[str]
    source: Mapped[str]
    target: Mapped[str]
    side: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class OrderVersion(Append, TwoSided, Model):
    """The binding terms as both sides agreed them: version 1 at confirmation, one more for each amendment."""

    __tablename__ = "order_version"
    __table_args__ = (_of_order(), UniqueConstraint("order_id", "no"))

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    no: Mapped[int]
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime]


class PlanItem(TwoSided, Model):
    """One payment the order asks for; the items of an order sum to its total."""

    __tablename__ = "plan_item"
    __table_args__ = (_of_order(), UniqueConstraint("order_id", "no"), CheckConstraint("amount >= 0", name="amount"))

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    no: Mapped[int]
    kind: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Amount())
    due_base: Mapped[str]
    due_days: Mapped[int]
    gate: Mapped[str | None]


def select_plan(order_id: UUID) -> Select[tuple[PlanItem]]:
    return select(PlanItem).where(PlanItem.order_id == order_id).order_by(PlanItem.no)


class Gate(TwoSided, Model):
    """A condition before a stage. It is satisfied with evidence or waived with a reason, and never just vanishes."""

    __tablename__ = "gate"
    __table_args__ = (
        _of_order(),
        UniqueConstraint("order_id", "key"),
        CheckConstraint("state IN ('open', 'satisfied', 'waived', 'failed')", name="state"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    key: Mapped[str]
    stage: Mapped[str]
    title: Mapped[str]
    plugin: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="open")
    evidence: Mapped[str] = mapped_column(server_default="")
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class Hold(TwoSided, Model):
    """A stop that one side (or the platform) put on some acts; only that side, or the platform, lifts it."""

    __tablename__ = "hold"
    __table_args__ = (_of_order(), Index("ix_hold_open", "order_id", postgresql_where=text("lifted_at IS NULL")))

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    key: Mapped[str]
    side: Mapped[str]
    reason: Mapped[str]
    blocks: Mapped[list[str]] = mapped_column(ARRAY(Text))
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]


class Proposal(TwoSided, Model):
    """What needs both sides: a counter, an amendment, a cancellation or a termination, from one side to the other."""

    __tablename__ = "proposal"
    __table_args__ = (
        _of_order(),
        Index("uq_proposal_open", "order_id", unique=True, postgresql_where=text("state = 'open'")),
        CheckConstraint("state IN ('open', 'agreed', 'refused', 'withdrawn')", name="state"),
    )

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    kind: Mapped[str]
    side: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    reason: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="open")
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]


class OrderPrivate(TenantOwned, Model):
    """What one side keeps to itself about an order."""

    __tablename__ = "order_private"
    __table_args__ = (UniqueConstraint("tenant_id", "order_id"),)

    id: Mapped[uuid_pk]
    order_id: Mapped[UUID]
    cost_centre: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")


class NumberSeries(TenantOwned, Model):
    """The next free number of a kind and year; taken in blocks, so gaps happen and repeats never do."""

    __tablename__ = "number_series"
    __table_args__ = (UniqueConstraint("tenant_id", "kind", "year"),)

    id: Mapped[uuid_pk]
    kind: Mapped[str]
    year: Mapped[int]
    next: Mapped[int] = mapped_column(server_default=text("1"))

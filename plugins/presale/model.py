"""What is offered before it exists, who has reserved of it, who waits, and what one side asks of the other."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import tongshang as ts

SCHEMA = {"schema": "plugin_presale"}
LIVE = ("reserved", "earnest_paid", "balance_due", "paid")
ENDS = ("void_unpaid", "defaulted_buyer", "defaulted_seller", "released")
ZERO = text("0")


class Offer(ts.Published, ts.Model):
    """A presale and its terms, as its seller published them. Rates are percentages; `taken` counts what is reserved.

    The windows are [opens_at, closes_at) to reserve and [balance_opens, balance_closes) to pay the balance.
    """

    __tablename__ = "offer"
    __table_args__ = (
        Index("ix_offer_state", "state", "closes_at"),
        CheckConstraint("state IN ('open', 'reached', 'failed', 'withdrawn')", name="state"),
        CheckConstraint("taken >= 0", name="taken"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    number: Mapped[str]
    title: Mapped[str]
    state: Mapped[str]
    currency: Mapped[str]
    unit: Mapped[str]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    balance_opens: Mapped[datetime]
    balance_closes: Mapped[datetime]
    ship_by: Mapped[date]
    min_total: Mapped[Decimal | None] = mapped_column(ts.Measure())
    max_total: Mapped[Decimal | None] = mapped_column(ts.Measure())
    taken: Mapped[Decimal] = mapped_column(ts.Measure(), server_default=ZERO)
    earnest_percent: Mapped[Decimal] = mapped_column(ts.Measure())
    earnest_kind: Mapped[str]
    pay_hours: Mapped[int]
    price_kind: Mapped[str]
    index_code: Mapped[str | None]
    index_from: Mapped[date | None]
    index_to: Mapped[date | None]
    factor: Mapped[Decimal] = mapped_column(ts.Measure(), server_default=text("1"))
    premium: Mapped[Decimal] = mapped_column(ts.Price(), server_default=ZERO)
    price_fixed_at: Mapped[datetime | None]
    buyer_may_cut: Mapped[bool] = mapped_column(server_default=text("false"))
    cost_cap: Mapped[Decimal] = mapped_column(ts.Measure(), server_default=ZERO)
    late_rate: Mapped[Decimal] = mapped_column(ts.Measure())
    late_cap: Mapped[Decimal] = mapped_column(ts.Measure())
    wait_hours: Mapped[int]
    note: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]

    @property
    def priced(self) -> bool:
        return self.price_kind == "fixed" or self.price_fixed_at is not None


class OfferItem(ts.Published, ts.Model):
    """A product of an offer with its price for one unit; of a formula the price is provisional until `final_price`."""

    __tablename__ = "offer_item"
    __table_args__ = (
        UniqueConstraint("offer_id", "sku_id"),
        Index("ix_offer_item_sku", "sku_id"),
        CheckConstraint("unit_price > 0", name="unit_price"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    offer_id: Mapped[UUID]
    sku_id: Mapped[UUID]
    code: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    spec: Mapped[str]
    unit_price: Mapped[Decimal] = mapped_column(ts.Price())
    final_price: Mapped[Decimal | None] = mapped_column(ts.Price())
    tax_included: Mapped[bool]
    vat_rate: Mapped[Decimal] = mapped_column(ts.Measure())

    @property
    def price(self) -> Decimal:
        return self.unit_price if self.final_price is None else self.final_price


class IndexValue(ts.Append, ts.Published, ts.Model):
    """What a price index said of a day. A value is never changed: a later row for the day supersedes it."""

    __tablename__ = "index_value"
    __table_args__ = (
        Index("ix_index_value_day", "tenant_id", "code", "day", "id"),
        CheckConstraint("status IN ('prelim', 'final')", name="status"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    code: Mapped[str]
    day: Mapped[date]
    value: Mapped[Decimal] = mapped_column(ts.Price())
    status: Mapped[str]
    source: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]


class Reservation(ts.TwoSided, ts.Model):
    """So much of one product of an offer for one buyer, and the order it became.

    `earnest` and `prepay` were agreed at the start and shrink with a cut. `to_buyer` and `to_seller` say how it ended.
    `late_days_amount` sums the unshipped amount over late days; `late_first` is that of the first one.
    """

    __tablename__ = "reservation"
    __table_args__ = (
        Index("ix_reservation_offer", "offer_id"),
        Index("ix_reservation_order", "order_id"),
        Index("ix_reservation_buyer", "buyer_id", text("id DESC")),
        Index("ix_reservation_seller", "seller_id", text("id DESC")),
        Index("ix_reservation_due", "state", "pay_by"),
        CheckConstraint("quantity > 0", name="quantity"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    offer_id: Mapped[UUID]
    item_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    order_number: Mapped[str] = mapped_column(server_default="")
    quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    unit: Mapped[str]
    currency: Mapped[str]
    total: Mapped[Decimal] = mapped_column(ts.Amount(), server_default=ZERO)
    earnest: Mapped[Decimal] = mapped_column(ts.Amount(), server_default=ZERO)
    prepay: Mapped[Decimal] = mapped_column(ts.Amount(), server_default=ZERO)
    state: Mapped[str]
    ending: Mapped[str | None]
    cost: Mapped[Decimal] = mapped_column(ts.Amount(), server_default=ZERO)
    pay_by: Mapped[datetime]
    balance_opens: Mapped[datetime]
    balance_closes: Mapped[datetime]
    reserved_by: Mapped[str]
    reserved_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")
    to_buyer: Mapped[Decimal | None] = mapped_column(ts.Amount())
    to_seller: Mapped[Decimal | None] = mapped_column(ts.Amount())
    goods_held: Mapped[bool] = mapped_column(server_default=text("false"))
    retry_at: Mapped[datetime | None]
    late_on: Mapped[date | None]
    late_first: Mapped[Decimal] = mapped_column(ts.Amount(), server_default=ZERO)
    late_days_amount: Mapped[Decimal] = mapped_column(ts.Amount(), server_default=ZERO)
    late_claimed: Mapped[Decimal] = mapped_column(ts.Amount(), server_default=ZERO)


class Waiting(ts.TwoSided, ts.Model):
    """A buyer who comes next. Offered a place, it has until `until` to take it."""

    __tablename__ = "waiting"
    __table_args__ = (
        Index("ix_waiting_offer", "offer_id", "state"),
        CheckConstraint("state IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')", name="state"),
        CheckConstraint("quantity > 0", name="quantity"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    offer_id: Mapped[UUID]
    item_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    state: Mapped[str]
    until: Mapped[datetime | None]
    asked_at: Mapped[datetime]


class Plea(ts.TwoSided, ts.Model):
    """What one side asks of the other about a reservation: to take less (`cut`), to end it with nobody to blame
    (`release`, with evidence), or to leave against an agreed cost (`leave`)."""

    __tablename__ = "plea"
    __grants__: ClassVar[str] = "SELECT, INSERT, UPDATE"
    __table_args__ = (
        Index("ix_plea_reservation", "reservation_id"),
        Index("uq_plea_open", "reservation_id", unique=True, postgresql_where=text("state = 'open'")),
        CheckConstraint("kind IN ('cut', 'release', 'leave')", name="kind"),
        CheckConstraint("state IN ('open', 'agreed', 'refused', 'withdrawn')", name="state"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    reservation_id: Mapped[UUID]
    kind: Mapped[str]
    side: Mapped[str]
    quantity: Mapped[Decimal | None] = mapped_column(ts.Measure())
    force_majeure: Mapped[bool] = mapped_column(server_default=text("false"))
    file_id: Mapped[UUID | None]
    reason: Mapped[str]
    state: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]

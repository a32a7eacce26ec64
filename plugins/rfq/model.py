"""A request, who is invited to it, their quotes, what was talked, and what was awarded.

A request is its buyer's and is read by the sellers it was sent to. Everything that hangs on an invitation has two sides:
the buyer and that one seller, so a competitor's row is not there for anybody else. A sealed request keeps its quotes from
the buyer until it closes; the policies of the migration hold that, no page does.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

import tongshang as ts

SCHEMA = {"schema": "plugin_rfq"}


class Request(ts.TenantOwned, ts.Model):
    """What a buyer asks for. `version` counts what sellers were told; `closes_at` is the first moment that is too late.

    `state`: draft, open, closed (the time is over and the buyer decides), awarded, withdrawn.
    """

    __tablename__ = "request"
    __table_args__ = (
        UniqueConstraint("id", "tenant_id"),
        Index("ix_request_new", "tenant_id", text("id DESC")),
        Index("ix_request_closing", "closes_at", postgresql_where=text("state = 'open'")),
        CheckConstraint("state IN ('draft', 'open', 'closed', 'awarded', 'withdrawn')", name="state"),
        CheckConstraint("audience IN ('chosen', 'partners')", name="audience"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    number: Mapped[str | None]
    title: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    currency: Mapped[str]
    sealed: Mapped[bool]
    audience: Mapped[str]
    closes_at: Mapped[datetime | None]
    deliver_by: Mapped[date | None]
    ship_to: Mapped[str]
    payment_wish: Mapped[str]
    note: Mapped[str]
    reason: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]


class RequestLine(ts.TenantOwned, ts.Model):
    """A line of one version of a request: a product of the catalogue, or what is wanted in words. `no` is 1, 2, 3 ..."""

    __tablename__ = "request_line"
    __table_args__ = (
        ForeignKeyConstraint(["request_id", "tenant_id"], ["plugin_rfq.request.id", "plugin_rfq.request.tenant_id"]),
        UniqueConstraint("request_id", "version", "no"),
        CheckConstraint("quantity > 0", name="quantity"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    version: Mapped[int]
    no: Mapped[int]
    sku_id: Mapped[UUID | None]
    sku_code: Mapped[str]
    text: Mapped[str]
    spec: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    unit: Mapped[str]


class Document(ts.TenantOwned, ts.Model):
    """A drawing or a specification that goes with a request; its invited sellers read it too."""

    __tablename__ = "document"
    __table_args__ = (
        ForeignKeyConstraint(["request_id", "tenant_id"], ["plugin_rfq.request.id", "plugin_rfq.request.tenant_id"]),
        Index("ix_document_request", "request_id"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary, nullable=False))


class Invitation(ts.TwoSided, ts.Model):
    """One seller's part in a request. `told_version` is the version the seller was told of last.

    `state`: drafted (the seller does not know), invited, declined, quoted, retracted (the quote was withdrawn), expired.
    `quote_id` is the quote that stands. `better_until` lets the seller revise after the request closed.
    `result`: empty, won or lost; `winning_total` is told only where the buyer's setting says so.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        ForeignKeyConstraint(["request_id", "buyer_id"], ["plugin_rfq.request.id", "plugin_rfq.request.tenant_id"]),
        UniqueConstraint("request_id", "seller_id"),
        UniqueConstraint("id", "request_id", "buyer_id", "seller_id"),
        Index("ix_invitation_seller", "seller_id", text("id DESC")),
        Index("ix_invitation_valid", "valid_until", postgresql_where=text("state = 'quoted'")),
        CheckConstraint(
            "state IN ('drafted', 'invited', 'declined', 'quoted', 'retracted', 'expired')", name="state"
        ),
        CheckConstraint("result IN ('', 'won', 'lost')", name="result"),
        CheckConstraint("buyer_id <> seller_id", name="two_parties"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    state: Mapped[str]
    told_version: Mapped[int]
    invited_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    quote_id: Mapped[UUID | None]
    quote_version: Mapped[int]
    valid_until: Mapped[datetime | None]
    better_until: Mapped[datetime | None]
    result: Mapped[str]
    winning_total: Mapped[Decimal | None] = mapped_column(ts.Amount())


def _of_invitation() -> ForeignKeyConstraint:
    """A child's request and parties are those of its invitation."""
    own = ["request_id", "buyer_id", "seller_id"]
    return ForeignKeyConstraint(
        ["invitation_id", *own], [f"plugin_rfq.invitation.{name}" for name in ("id", *own)]
    )


class Quote(ts.Append, ts.TwoSided, ts.Model):
    """One version of a seller's binding offer against one version of the request; never changed, only followed by another.

    `prepay_percent` of the order is paid before it starts, the rest `terms_days` after the invoice.
    """

    __tablename__ = "quote"
    __table_args__ = (
        _of_invitation(),
        UniqueConstraint("invitation_id", "version"),
        CheckConstraint("gross = net + tax", name="sums"),
        CheckConstraint("prepay_percent BETWEEN 0 AND 100", name="prepay"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    invitation_id: Mapped[UUID]
    version: Mapped[int]
    request_version: Mapped[int]
    valid_until: Mapped[datetime]
    tax_included: Mapped[bool]
    prepay_percent: Mapped[Decimal] = mapped_column(ts.Measure())
    terms_days: Mapped[int]
    remarks: Mapped[str]
    net: Mapped[Decimal] = mapped_column(ts.Amount())
    tax: Mapped[Decimal] = mapped_column(ts.Amount())
    gross: Mapped[Decimal] = mapped_column(ts.Amount())
    given_by: Mapped[str]
    given_at: Mapped[datetime]


class QuoteLine(ts.Append, ts.TwoSided, ts.Model):
    """A price for one line: as asked (`option` 0) or an alternative (1, 2 ...), always of a product of the seller.

    `quantity` is how much is offered, in the request's unit; amounts are of that quantity.
    """

    __tablename__ = "quote_line"
    __table_args__ = (
        _of_invitation(),
        UniqueConstraint("quote_id", "line_no", "option"),
        CheckConstraint("quantity > 0 AND unit_price >= 0 AND vat_rate BETWEEN 0 AND 1", name="positive"),
        CheckConstraint("gross = net + tax", name="sums"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    invitation_id: Mapped[UUID]
    quote_id: Mapped[UUID]
    line_no: Mapped[int]
    option: Mapped[int]
    sku_id: Mapped[UUID]
    sku_code: Mapped[str]
    text: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    unit: Mapped[str]
    unit_price: Mapped[Decimal] = mapped_column(ts.Price())
    vat_rate: Mapped[Decimal] = mapped_column(ts.Measure())
    lead_days: Mapped[int | None]
    remark: Mapped[str]
    net: Mapped[Decimal] = mapped_column(ts.Amount())
    tax: Mapped[Decimal] = mapped_column(ts.Amount())
    gross: Mapped[Decimal] = mapped_column(ts.Amount())


class QuoteTier(ts.Append, ts.TwoSided, ts.Model):
    """Another unit price of a quoted line, from `min_quantity` on."""

    __tablename__ = "quote_tier"
    __table_args__ = (
        _of_invitation(),
        UniqueConstraint("quote_line_id", "min_quantity"),
        CheckConstraint("min_quantity > 0 AND unit_price >= 0", name="positive"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    invitation_id: Mapped[UUID]
    quote_line_id: Mapped[UUID]
    min_quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    unit_price: Mapped[Decimal] = mapped_column(ts.Price())


class Message(ts.Append, ts.TwoSided, ts.Model):
    """Something said about a request between its buyer and one seller. `kind`: question, answer, better, notice."""

    __tablename__ = "message"
    __table_args__ = (
        _of_invitation(),
        Index("ix_message_invitation", "invitation_id", "id"),
        CheckConstraint("side IN ('buyer', 'seller')", name="side"),
        CheckConstraint("kind IN ('question', 'answer', 'better', 'notice')", name="kind"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    invitation_id: Mapped[UUID]
    side: Mapped[str]
    kind: Mapped[str]
    body: Mapped[str]
    said_by: Mapped[str]
    said_at: Mapped[datetime]


class Award(ts.TwoSided, ts.Model):
    """What one seller won, and the order it became. `state`: made, or void when its order came to nothing."""

    __tablename__ = "award"
    __table_args__ = (
        _of_invitation(),
        UniqueConstraint("order_id"),
        Index("ix_award_request", "request_id"),
        CheckConstraint("state IN ('made', 'void')", name="state"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    invitation_id: Mapped[UUID]
    quote_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    state: Mapped[str]
    total: Mapped[Decimal] = mapped_column(ts.Amount())
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class AwardLine(ts.Append, ts.TwoSided, ts.Model):
    """So much of a line at the quoted price; all awards of a line together never exceed what was asked for (a trigger)."""

    __tablename__ = "award_line"
    __table_args__ = (
        _of_invitation(),
        UniqueConstraint("award_id", "no"),
        Index("ix_award_line_request", "request_id", "line_no"),
        CheckConstraint("quantity > 0", name="quantity"),
        SCHEMA,
    )

    id: Mapped[ts.uuid_pk]
    request_id: Mapped[UUID]
    invitation_id: Mapped[UUID]
    award_id: Mapped[UUID]
    quote_line_id: Mapped[UUID]
    no: Mapped[int]
    line_no: Mapped[int]
    sku_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(ts.Measure())
    unit: Mapped[str]
    unit_price: Mapped[Decimal] = mapped_column(ts.Price())
    tax_included: Mapped[bool]
    vat_rate: Mapped[Decimal] = mapped_column(ts.Measure())

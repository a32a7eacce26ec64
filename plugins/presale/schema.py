"""What comes in and goes out: the plugin's settings, offers and reservations over JSON, and the fields of its forms."""

from decimal import Decimal
from typing import Any

from marshmallow import validate

import tongshang as ts
from tongshang import fields

PERCENT = validate.Range(min=Decimal(0), max=Decimal(100))


def word(*choices: str, **more: Any) -> Any:
    """A field that takes one of a few words."""
    field = fields.Text(max=20, **more)
    field.validators.append(validate.OneOf(choices))
    return field


class Settings(ts.Schema):
    """How an enterprise sells before it has the goods. Offers may say otherwise."""

    earnest_percent = fields.Decimal(
        2,
        load_default=Decimal(20),
        validate=validate.Range(min=Decimal("0.01"), max=Decimal("99.99")),
        metadata={
            "title": "First payment (% of the total)",
            "hint": "Above 20 % the excess is an advance, not earnest money.",
        },
    )
    earnest_kind = fields.Choice(
        "earnest",
        "prepay",
        labels=("Earnest money: lost or doubled on default", "Advance: refundable"),
        load_default="earnest",
        metadata={"title": "Kind of first payment"},
    )
    pay_hours = fields.Integer(
        load_default=24,
        validate=validate.Range(min=1, max=720),
        metadata={"title": "Hours to make the first payment"},
    )
    late_rate = fields.Decimal(
        4,
        load_default=Decimal("0.05"),
        validate=PERCENT,
        metadata={"title": "Damages for late shipment (% a day)", "hint": "Of the amount not shipped yet."},
    )
    late_cap = fields.Decimal(
        2, load_default=Decimal(5), validate=PERCENT, metadata={"title": "Most damages for late shipment (%)"}
    )
    wait_hours = fields.Integer(
        load_default=24,
        validate=validate.Range(min=1, max=720),
        metadata={"title": "Hours to take a place from the waiting list"},
    )


class NewItem(ts.Schema):
    """A product by its code. `unit_price` is of one base unit; with a formula it is provisional."""

    code = fields.Text(required=True, min=1, max=60)
    unit_price = fields.Price(required=True)
    tax_included = fields.Boolean(load_default=True)
    vat_rate = fields.Decimal(4, load_default=Decimal("0.13"), minimum=Decimal(0))


class OfferTerms(ts.Schema):
    """The terms of an offer. Windows are [opens_at, closes_at) and [balance_opens, balance_closes)."""

    title = fields.Text(required=True, min=1, max=120)
    opens_at = fields.DateTime(required=True)
    closes_at = fields.DateTime(required=True)
    balance_opens = fields.DateTime(required=True)
    balance_closes = fields.DateTime(required=True)
    ship_by = fields.Date(required=True)
    min_total = fields.Quantity(load_default=None, allow_none=True)
    max_total = fields.Quantity(load_default=None, allow_none=True)
    earnest_percent = fields.Decimal(2, load_default=None, allow_none=True)
    earnest_kind = word("earnest", "prepay", load_default=None, allow_none=True)
    pay_hours = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1, max=720))
    price_kind = word("fixed", "formula", load_default="fixed")
    index_code = fields.Text(load_default=None, allow_none=True, max=40)
    index_from = fields.Date(load_default=None, allow_none=True)
    index_to = fields.Date(load_default=None, allow_none=True)
    factor = fields.Decimal(6, load_default=Decimal(1))
    premium = fields.Decimal(6, load_default=Decimal(0))
    buyer_may_cut = fields.Boolean(load_default=False)
    cost_cap = fields.Decimal(2, load_default=Decimal(0))
    note = fields.Text(load_default="", max=1000)


class NewOffer(OfferTerms):
    items = fields.List(fields.Nested(NewItem), required=True)


class ItemAnswer(ts.Schema):
    id = fields.UUID()
    sku_id = fields.UUID()
    code = fields.Text()
    name_zh = fields.Text()
    name_en = fields.Text()
    spec = fields.Text()
    unit_price = fields.Decimal(6)
    final_price = fields.Decimal(6, allow_none=True)
    tax_included = fields.Boolean()
    vat_rate = fields.Decimal(6)


class OfferAnswer(ts.Schema):
    """An offer as every enterprise may see it. `taken` is what is reserved of `max_total`."""

    id = fields.UUID()
    seller_id = fields.UUID()
    number = fields.Text()
    title = fields.Text()
    state = fields.Text()
    currency = fields.Text()
    unit = fields.Text()
    opens_at = fields.DateTime()
    closes_at = fields.DateTime()
    balance_opens = fields.DateTime()
    balance_closes = fields.DateTime()
    ship_by = fields.Date()
    min_total = fields.Decimal(6, allow_none=True)
    max_total = fields.Decimal(6, allow_none=True)
    taken = fields.Decimal(6)
    earnest_percent = fields.Decimal(2)
    earnest_kind = fields.Text()
    pay_hours = fields.Integer()
    price_kind = fields.Text()
    index_code = fields.Text(allow_none=True)
    index_from = fields.Date(allow_none=True)
    index_to = fields.Date(allow_none=True)
    factor = fields.Decimal(6)
    premium = fields.Decimal(6)
    price_fixed_at = fields.DateTime(allow_none=True)
    buyer_may_cut = fields.Boolean()
    cost_cap = fields.Decimal(2)
    late_rate = fields.Decimal(4)
    late_cap = fields.Decimal(2)
    note = fields.Text()
    items = fields.List(fields.Nested(ItemAnswer))


class OfferQuery(ts.Schema):
    """`side` own: one's own offers; other: those of others. `state` narrows."""

    side = word("own", "other", load_default="other")
    state = fields.Text(load_default=None, allow_none=True, max=20)


class OffersAnswer(ts.Schema):
    offers = fields.List(fields.Nested(OfferAnswer))


class OrderWish(ts.Schema):
    buyer_po = fields.Text(load_default=None, allow_none=True, max=60)
    ship_to = fields.Text(load_default=None, allow_none=True, max=300)
    note = fields.Text(load_default=None, allow_none=True, max=1000)


class NewReservation(OrderWish):
    item_id = fields.UUID(required=True)
    quantity = fields.Quantity(required=True)


class NewWaiting(ts.Schema):
    item_id = fields.UUID(required=True)
    quantity = fields.Quantity(required=True)


class WaitingAnswer(ts.Schema):
    id = fields.UUID()
    offer_id = fields.UUID()
    item_id = fields.UUID()
    quantity = fields.Decimal(6)
    state = fields.Text()
    until = fields.DateTime(allow_none=True)


class ReservationAnswer(ts.Schema):
    """A reservation. `to_buyer` and `to_seller` say who got what where it ended otherwise or was cut."""

    id = fields.UUID()
    offer_id = fields.UUID()
    item_id = fields.UUID()
    buyer_id = fields.UUID()
    seller_id = fields.UUID()
    order_id = fields.UUID(allow_none=True)
    order_number = fields.Text()
    state = fields.Text()
    quantity = fields.Decimal(6)
    unit = fields.Text()
    currency = fields.Text()
    total = fields.Money()
    earnest = fields.Money()
    prepay = fields.Money()
    pay_by = fields.DateTime()
    balance_opens = fields.DateTime()
    balance_closes = fields.DateTime()
    reserved_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)
    reason = fields.Text()
    to_buyer = fields.Money(allow_none=True)
    to_seller = fields.Money(allow_none=True)


class ReservationsAnswer(ts.Schema):
    reservations = fields.List(fields.Nested(ReservationAnswer))


class NewPayment(ts.Schema):
    """One transfer to a seller. Without `reservation_id` it goes to what falls due first."""

    seller_id = fields.UUID(required=True)
    amount = fields.Money(required=True)
    bank_ref = fields.Text(required=True, min=1, max=80)
    reservation_id = fields.UUID(load_default=None, allow_none=True)


class PaidPart(ts.Schema):
    reservation_id = fields.UUID()
    amount = fields.Money()


class PaidAnswer(ts.Schema):
    parts = fields.List(fields.Nested(PaidPart))


class Reason(ts.Schema):
    reason = fields.Text(required=True, min=1, max=500)


class Cut(Reason):
    """The quantity that stays."""

    quantity = fields.Quantity(required=True)


class Release(Reason):
    """An end with nobody to blame: the evidence as a base64 file."""

    force_majeure = fields.Boolean(load_default=False)
    file_name = fields.Text(required=True, min=1, max=120)
    file_base64 = fields.Text(required=True, min=1, max=8_000_000)


class PleaAnswer(ts.Schema):
    id = fields.UUID()
    reservation_id = fields.UUID()
    kind = fields.Text()
    side = fields.Text()
    quantity = fields.Decimal(6, allow_none=True)
    force_majeure = fields.Boolean()
    file_id = fields.UUID(allow_none=True)
    reason = fields.Text()
    state = fields.Text()


class Verdict(ts.Schema):
    agree = fields.Boolean(required=True)
    cost = fields.Money(load_default=Decimal(0))
    reason = fields.Text(load_default="", max=500)


class DamagesAnswer(ts.Schema):
    amount = fields.Money()


class NewValue(ts.Schema):
    """What an index said of a day; a later entry supersedes it."""

    code = fields.Text(required=True, min=1, max=40)
    day = fields.Date(required=True)
    value = fields.Price(required=True)
    status = word("prelim", "final", load_default="final")
    source = fields.Text(required=True, min=1, max=120)


class ValueAnswer(ts.Schema):
    id = fields.UUID()
    code = fields.Text()
    day = fields.Date()
    value = fields.Decimal(6)
    status = fields.Text()
    source = fields.Text()


class ValuesQuery(ts.Schema):
    code = fields.Text(required=True, max=40)
    first = fields.Date(required=True)
    last = fields.Date(required=True)
    seller_id = fields.UUID(load_default=None, allow_none=True)


class ValuesAnswer(ts.Schema):
    values = fields.List(fields.Nested(ValueAnswer))


class Percent(ts.Schema):
    percent = fields.Decimal(2, required=True, minimum=Decimal(0))

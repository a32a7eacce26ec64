"""Orders as JSON. Amounts are text with two decimals, quantities and prices text with as many as they need."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from marshmallow import validate
from marshmallow.fields import String

from core.orders.standing import BLOCKABLE
from core.orders.states import ORDER
from core.web import Schema, fields
from core.web.schema import QuantityField

STATES = sorted(ORDER.states)
MOST = Decimal(10) ** 9
"""No line and no price is larger, so that no product of the two leaves what a column holds."""


def _quantity(**options: Any) -> QuantityField:
    return fields.Quantity(validate=validate.Range(max=MOST), **options)


def _choice(known: Iterable[str], **options: Any) -> String:
    return String(validate=validate.OneOf(tuple(known)), **options)


class WantedLineIn(Schema):
    sku_id = fields.UUID(required=True)
    quantity = _quantity(required=True)
    unit = fields.Text(max=20, min=1, load_default=None, allow_none=True)


class OrderIn(Schema):
    """What a buyer orders. `unit` None is the product's base unit; the price is the seller's for this buyer."""

    seller_id = fields.UUID(required=True)
    lines = fields.List(fields.Nested(WantedLineIn), required=True, validate=validate.Length(min=1, max=500))
    mode = fields.Text(max=40, min=1, load_default="spot")
    buyer_po = fields.Text(max=60, load_default=None, allow_none=True)
    ship_to = fields.Text(max=500, load_default="")
    delivery_date = fields.Date(load_default=None, allow_none=True)
    note = fields.Text(max=2000, load_default="")
    source_ref = fields.Text(max=200, load_default=None, allow_none=True)


class OrderQuery(Schema):
    side = _choice(("all", "buyer", "seller"), load_default="all")
    state = _choice(STATES, load_default=None)
    waiting = fields.Boolean(load_default=False)
    q = fields.Text(max=100, load_default="")
    after = fields.Text(max=300, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class StepIn(Schema):
    """`version` is the order's version as the caller knows it; another one is refused with 409."""

    version = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(min=1, max=2**31 - 1)
    )


class ReasonedIn(StepIn):
    reason = fields.Text(required=True, min=1, max=500)


class ChangedLineIn(Schema):
    no = fields.Integer(required=True, validate=validate.Range(min=1, max=10_000))
    quantity = _quantity(load_default=None, allow_none=True)
    unit_price = fields.Price(load_default=None, allow_none=True, validate=validate.Range(max=MOST))


class ChangesIn(ReasonedIn):
    """Other quantities, prices (in a counter only) or another date; lines are named by their number."""

    lines = fields.List(fields.Nested(ChangedLineIn), load_default=list, validate=validate.Length(max=500))
    delivery_date = fields.Date(load_default=None, allow_none=True)


class ReasonIn(Schema):
    reason = fields.Text(required=True, min=1, max=500)


class AmendmentIn(ReasonIn):
    lines = fields.List(fields.Nested(ChangedLineIn), load_default=list, validate=validate.Length(max=500))
    delivery_date = fields.Date(load_default=None, allow_none=True)


class MoneyMoveIn(Schema):
    payer = _choice(("buyer", "seller"), required=True)
    payee = _choice(("buyer", "seller"), required=True)
    amount = fields.Money(required=True, above=Decimal(0))
    reason = _choice(("outstanding", "refund", "penalty"), required=True)


class TerminationIn(ReasonIn):
    moves = fields.List(fields.Nested(MoneyMoveIn), required=True, validate=validate.Length(max=50))


class HoldIn(ReasonIn):
    key = fields.Text(load_default="manual", min=1, max=40)
    blocks = fields.List(
        _choice(BLOCKABLE), required=True, validate=validate.Length(min=1, max=len(BLOCKABLE))
    )


class OrderAnswer(Schema):
    """An order's own fields; its ETag is `version`."""

    id = fields.UUID(required=True)
    number = fields.Text(required=True, allow_none=True)
    buyer_po = fields.Text(required=True, allow_none=True)
    mode = fields.Text(required=True)
    state = _choice(STATES, required=True)
    version = fields.Integer(required=True)
    buyer_id = fields.UUID(required=True)
    seller_id = fields.UUID(required=True)
    currency = fields.Text(required=True)
    net = fields.Money(required=True)
    tax = fields.Money(required=True)
    total = fields.Money(required=True)
    invoiced = fields.Money(required=True)
    prepaid = fields.Money(required=True)
    paid = fields.Money(required=True)
    terms_version = fields.Integer(required=True)
    terms_days = fields.Integer(required=True)
    delivery_date = fields.Date(required=True, allow_none=True)
    offer_expires_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    submitted_at = fields.DateTime(required=True, allow_none=True)
    confirmed_at = fields.DateTime(required=True, allow_none=True)


class OrderRowAnswer(Schema):
    id = fields.UUID(required=True)
    number = fields.Text(required=True, allow_none=True)
    buyer_po = fields.Text(required=True, allow_none=True)
    mode = fields.Text(required=True)
    state = _choice(STATES, required=True)
    version = fields.Integer(required=True)
    side = _choice(("buyer", "seller"), required=True)
    partner_id = fields.UUID(required=True)
    partner = fields.Text(required=True, attribute="partner_zh")
    currency = fields.Text(required=True)
    total = fields.Money(required=True)
    invoiced = fields.Money(required=True)
    prepaid = fields.Money(required=True)
    paid = fields.Money(required=True)
    delivery_date = fields.Date(required=True, allow_none=True)
    offer_expires_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    submitted_at = fields.DateTime(required=True, allow_none=True)


class OrderList(Schema):
    items = fields.List(fields.Nested(OrderRowAnswer), required=True, attribute="rows")
    next = fields.Text(required=True, allow_none=True)


class PartyAnswer(Schema):
    id = fields.UUID(required=True)
    name = fields.Text(required=True, attribute="zh")
    name_en = fields.Text(required=True, allow_none=True, attribute="en")
    uscc = fields.Text(required=True)


class LineAnswer(Schema):
    id = fields.UUID(required=True)
    no = fields.Integer(required=True)
    sku_id = fields.UUID(required=True)
    sku_code = fields.Text(required=True)
    name_zh = fields.Text(required=True)
    name_en = fields.Text(required=True)
    spec = fields.Text(required=True)
    unit = fields.Text(required=True)
    quantity = fields.Quantity(required=True)
    factor = fields.Quantity(required=True)
    unit_price = fields.Price(required=True)
    tax_incl = fields.Boolean(required=True)
    vat_rate = fields.Decimal(6, required=True)
    net = fields.Money(required=True)
    tax = fields.Money(required=True)
    gross = fields.Money(required=True)
    components = fields.List(fields.Dict(), required=True)
    shipped = fields.Quantity(required=True)
    received = fields.Quantity(required=True)
    accepted = fields.Quantity(required=True)
    rejected = fields.Quantity(required=True)
    short_closed = fields.Quantity(required=True)
    invoiced = fields.Quantity(required=True)


class EventAnswer(Schema):
    version = fields.Integer(required=True)
    verb = fields.Text(required=True)
    source = fields.Text(required=True)
    target = fields.Text(required=True)
    side = fields.Text(required=True)
    actor = fields.Text(required=True)
    at = fields.DateTime(required=True)
    detail = fields.Dict(required=True)


class EventList(Schema):
    items = fields.List(fields.Nested(EventAnswer), required=True)


class GateAnswer(Schema):
    key = fields.Text(required=True)
    stage = fields.Text(required=True)
    title = fields.Text(required=True)
    plugin = fields.Text(required=True, allow_none=True)
    state = fields.Text(required=True)
    evidence = fields.Text(required=True)
    decided_by = fields.Text(required=True, allow_none=True)
    decided_at = fields.DateTime(required=True, allow_none=True)
    orphaned = fields.Text(required=True, allow_none=True)
    orphaned_reason = fields.Text(required=True)


class HoldAnswer(Schema):
    id = fields.UUID(required=True)
    key = fields.Text(required=True)
    side = fields.Text(required=True)
    reason = fields.Text(required=True)
    blocks = fields.List(fields.Text(), required=True)
    placed_by = fields.Text(required=True)
    placed_at = fields.DateTime(required=True)
    lifted_by = fields.Text(required=True, allow_none=True)
    lifted_at = fields.DateTime(required=True, allow_none=True)


class ChangeAnswer(Schema):
    no = fields.Integer(required=True, allow_none=True)
    what = fields.Text(required=True)
    before = fields.Text(required=True)
    after = fields.Text(required=True)


class ProposalAnswer(Schema):
    id = fields.UUID(required=True)
    kind = fields.Text(required=True)
    side = fields.Text(required=True)
    reason = fields.Text(required=True)
    proposed_by = fields.Text(required=True)
    proposed_at = fields.DateTime(required=True)
    changes = fields.List(fields.Nested(ChangeAnswer), required=True)
    moves = fields.List(fields.Dict(), required=True)
    total = fields.Money(required=True)


class PlanAnswer(Schema):
    no = fields.Integer(required=True)
    kind = fields.Text(required=True)
    amount = fields.Money(required=True)
    due_base = fields.Text(required=True)
    due_days = fields.Integer(required=True)
    gate = fields.Text(required=True, allow_none=True)


class VersionAnswer(Schema):
    no = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    terms = fields.Dict(required=True)


class DocumentAnswer(Schema):
    kind = fields.Text(required=True)
    id = fields.UUID(required=True)
    number = fields.Text(required=True)
    at = fields.DateTime(required=True, allow_none=True)
    state = fields.Text(required=True)


class ActAnswer(Schema):
    """An act the caller may do now: the POST's path below the order, and the fields its body needs."""

    verb = fields.Text(required=True)
    path = fields.Text(required=True)
    needs = fields.List(fields.Text(), required=True)


class DetailAnswer(OrderAnswer):
    """An order whole, as the caller may see it, with the acts they may do now."""

    side = fields.Text(required=True)
    buyer = fields.Nested(PartyAnswer, required=True)
    seller = fields.Nested(PartyAnswer, required=True)
    under_tol = fields.Decimal(6, required=True)
    over_tol = fields.Decimal(6, required=True)
    accept_days = fields.Integer(required=True)
    ship_to = fields.Text(required=True)
    note = fields.Text(required=True)
    source_ref = fields.Text(required=True, allow_none=True)
    reason = fields.Text(required=True, allow_none=True)
    rounds = fields.Integer(required=True)
    lines = fields.List(fields.Nested(LineAnswer), required=True)
    gates = fields.List(fields.Nested(GateAnswer), required=True)
    holds = fields.List(fields.Nested(HoldAnswer), required=True)
    proposal = fields.Nested(ProposalAnswer, required=True, allow_none=True)
    plan = fields.List(fields.Nested(PlanAnswer), required=True)
    versions = fields.List(fields.Nested(VersionAnswer), required=True)
    documents = fields.List(fields.Nested(DocumentAnswer), required=True)
    acts = fields.List(fields.Nested(ActAnswer), required=True)


class PlacedLineAnswer(Schema):
    id = fields.UUID(required=True)
    no = fields.Integer(required=True)
    sku_id = fields.UUID(required=True)
    sku_code = fields.Text(required=True)
    unit = fields.Text(required=True)
    quantity = fields.Quantity(required=True)
    unit_price = fields.Price(required=True)
    tax_incl = fields.Boolean(required=True)
    vat_rate = fields.Decimal(6, required=True)
    gross = fields.Money(required=True)


class PlacedAnswer(OrderAnswer):
    """A new order with its lines at the price that was found."""

    lines = fields.List(fields.Nested(PlacedLineAnswer), required=True)


class ProposedAnswer(Schema):
    """A proposal that now waits for the other side."""

    id = fields.UUID(required=True)
    order_id = fields.UUID(required=True)
    kind = fields.Text(required=True)
    side = fields.Text(required=True)
    state = fields.Text(required=True)
    proposed_at = fields.DateTime(required=True)

"""The buyer's half: goods arrive, are counted, and each piece is accepted, rejected, or held because it is too many."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from core import orders
from core.fulfilment.events import GoodsReceived, ReceiptReversed
from core.fulfilment.model import Receipt, ReceiptLine, Shipment, ShipmentLine
from core.hooks import GateRequest
from core.kernel import Conflict, Context, FieldError, Invalid, NotFound, uuid7
from core.orders import OrderLine, TradeOrder
from core.orders.standing import add_gates

ZERO = Decimal(0)
ReversalCheck = Callable[[Context, Receipt], None]
_reversal_checks: list[ReversalCheck] = []


class Count(NamedTuple):
    """What was counted of one order line on a shipment, in the line's unit.

    `accepted` None accepts all that is not rejected; accepted + rejected below received leaves the rest undecided.
    """

    line_id: UUID
    received: Decimal
    rejected: Decimal = ZERO
    accepted: Decimal | None = None
    reason: str = ""


class Verdict(NamedTuple):
    """A decision about pieces that were received earlier and not decided then."""

    receipt_line_id: UUID
    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    reason: str = ""


def receive(ctx: Context, shipment_id: UUID, counts: Sequence[Count], note: str = "") -> Receipt:
    """Count a shipment in. What came beyond the shipped quantity is held (`over_held`) and counts nowhere yet."""
    order, shipment = lock_shipment(ctx, shipment_id)
    ctx.require("receipt.create")
    orders.need_side(ctx, order, "buyer")
    orders.allow(ctx, order, "receive")
    loaded = {line.order_line_id: line for line in _lines_of(ctx, shipment)}
    ordered = {line.id: line for line in orders.lines(ctx, order.id)}
    _check(loaded, counts)

    receipt = Receipt(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, number=orders.number(ctx, "GR"),
        shipment_id=shipment.id, note=note.strip(), received_by=ctx.actor.name, received_at=ctx.now,
        reversed_by=None, reversed_at=None, reversed_why=None,
    )  # fmt: skip
    ctx.session.add(receipt)
    ctx.session.flush()
    deltas = {}
    held = ZERO
    for count in counts:
        taken, too_many = _take_in(ctx, receipt, loaded[count.line_id], ordered[count.line_id], count)
        deltas[count.line_id] = taken
        held += too_many
    if held:
        add_gates(ctx, order, [(None, GateRequest(_held_key(receipt), "accept", "over_held"))])
    ctx.session.flush()
    orders.tally(ctx, order, deltas)
    told = {str(ordered[line_id].no): delta for line_id, delta in deltas.items()}
    orders.note(ctx, order, "received", receipt=receipt.number, shipment=shipment.number, lines=told)
    ctx.record("receipt.create", receipt, order=order.number, shipment=shipment.number, lines=told)
    ctx.publish(
        GoodsReceived(
            order.id, order.buyer_id, order.seller_id, order.number, receipt.id, receipt.number,
            tuple(deltas), tuple(delta["received"] for delta in deltas.values()), ctx.now,
        )
    )  # fmt: skip
    orders.advance(ctx, order)
    return receipt


def _check(loaded: Mapping[UUID, ShipmentLine], counts: Sequence[Count]) -> None:
    if not counts:
        raise Invalid.one("lines", "receipt.no_lines")
    errors: list[FieldError] = []
    seen: set[UUID] = set()
    for index, count in enumerate(counts):
        disposed = count.rejected + (count.accepted or ZERO)
        if count.line_id not in loaded:
            errors.append(FieldError(f"lines.{index}.line_id", "receipt.not_shipped", {}))
        elif count.line_id in seen:
            errors.append(FieldError(f"lines.{index}.line_id", "receipt.line_twice", {}))
        elif count.received <= 0:
            errors.append(FieldError(f"lines.{index}.received", "decimal.must_be_positive", {}))
        elif min(count.rejected, count.accepted or ZERO) < 0:
            errors.append(FieldError(f"lines.{index}.rejected", "decimal.too_small", {}))
        elif disposed > count.received:
            values = {"disposed": disposed.normalize(), "received": count.received.normalize()}
            errors.append(FieldError(f"lines.{index}.accepted", "receipt.more_than_received", values))
        elif count.rejected and not count.reason.strip():
            errors.append(FieldError(f"lines.{index}.reason", "receipt.why_rejected", {}))
        seen.add(count.line_id)
    if errors:
        raise Invalid(errors)


def _take_in(
    ctx: Context, receipt: Receipt, loaded: ShipmentLine, ordered: OrderLine, count: Count
) -> tuple[dict[str, Decimal], Decimal]:
    """One receipt line. The answer is what it adds to the order line, and how much of it is held as too many."""
    room = max(min(loaded.quantity - loaded.received, _still_wanted(ordered)), ZERO)
    received = min(count.received, room)
    rejected = min(count.rejected, received)
    accepted = received - rejected if count.accepted is None else min(count.accepted, received - rejected)
    ctx.session.add(
        ReceiptLine(
            id=uuid7(), buyer_id=receipt.buyer_id, seller_id=receipt.seller_id, receipt_id=receipt.id,
            shipment_line_id=loaded.id, order_id=loaded.order_id, order_line_id=loaded.order_line_id,
            received=received, accepted=accepted, rejected=rejected, over_held=count.received - received,
            excess_accepted=ZERO, excess_returned=ZERO, returned=ZERO, reopened=ZERO, reason=count.reason.strip(),
        )
    )  # fmt: skip
    loaded.received += received
    return {"received": received, "accepted": accepted, "rejected": rejected}, count.received - received


def _held_key(receipt: Receipt) -> str:
    """The gate that keeps an order from being accepted while pieces of a receipt are held."""
    return f"over_held:{receipt.number}"


def _still_wanted(line: OrderLine) -> Decimal:
    """What the line can still take: closing it short also closes the door for goods that were under way."""
    if not line.short_closed:
        return line.quantity * (1 + line.over_tol) - line.received
    return line.quantity - line.short_closed - line.received


def inspect(ctx: Context, receipt_id: UUID, verdicts: Sequence[Verdict]) -> Receipt:
    """Decide about pieces that were received and left open."""
    order, receipt = lock_receipt(ctx, receipt_id)
    ctx.require("receipt.create")
    orders.need_side(ctx, order, "buyer")
    orders.allow(ctx, order, "receive")
    found = {line.id: line for line in receipt_lines(ctx, receipt.id)}
    deltas: dict[UUID, dict[str, Decimal]] = {}
    for index, verdict in enumerate(verdicts):
        line = found.get(verdict.receipt_line_id)
        if line is None:
            raise Invalid.one(f"lines.{index}.receipt_line_id", "receipt.no_such_line")
        if min(verdict.accepted, verdict.rejected) < 0 or verdict.accepted + verdict.rejected <= 0:
            raise Invalid.one(f"lines.{index}.accepted", "decimal.must_be_positive")
        undecided = line.received - line.accepted - line.rejected
        if verdict.accepted + verdict.rejected > undecided:
            raise Invalid.one(
                f"lines.{index}.accepted", "receipt.more_than_undecided", undecided=undecided.normalize()
            )
        if verdict.rejected and not verdict.reason.strip():
            raise Invalid.one(f"lines.{index}.reason", "receipt.why_rejected")
        line.accepted += verdict.accepted
        line.rejected += verdict.rejected
        line.reason = verdict.reason.strip() or line.reason
        _add(deltas, line.order_line_id, accepted=verdict.accepted, rejected=verdict.rejected)
    _settle(ctx, order, receipt, "inspected", deltas)
    return receipt


def accept_waiting(ctx: Context, order: TradeOrder) -> None:
    """Accept what nobody decided about. Orders ask for it when the days to object are over (T16); they advance."""
    deltas: dict[UUID, dict[str, Decimal]] = {}
    waiting = ctx.session.scalars(
        select(ReceiptLine)
        .join(Receipt, Receipt.id == ReceiptLine.receipt_id)
        .where(ReceiptLine.order_id == order.id, Receipt.reversed_at.is_(None))
        .where(ReceiptLine.received > ReceiptLine.accepted + ReceiptLine.rejected)
        .with_for_update(of=ReceiptLine)
    )
    for line in waiting:
        undecided = line.received - line.accepted - line.rejected
        line.accepted += undecided
        _add(deltas, line.order_line_id, accepted=undecided)
    ctx.session.flush()
    orders.tally(ctx, order, deltas)
    if deltas:
        told = {str(line): delta["accepted"] for line, delta in deltas.items()}
        orders.note(ctx, order, "accepted_by_time", lines=told)


def accept_excess(ctx: Context, receipt_line_id: UUID, quantity: Decimal | None = None) -> Receipt:
    """Keep pieces that came beyond the order; they are received, accepted and billed like the others."""
    return _decide_excess(ctx, receipt_line_id, quantity, keep=True)


def return_excess(ctx: Context, receipt_line_id: UUID, quantity: Decimal | None = None) -> Receipt:
    """Send pieces back that came beyond the order; no tally ever counted them."""
    return _decide_excess(ctx, receipt_line_id, quantity, keep=False)


def _decide_excess(ctx: Context, receipt_line_id: UUID, quantity: Decimal | None, *, keep: bool) -> Receipt:
    receipt_id = ctx.session.scalar(select(ReceiptLine.receipt_id).where(ReceiptLine.id == receipt_line_id))
    if receipt_id is None:
        raise NotFound("receipt.not_found")
    order, receipt = lock_receipt(ctx, receipt_id)
    ctx.require("receipt.create")
    orders.need_side(ctx, order, "buyer")
    counted = receipt_lines(ctx, receipt.id)
    line = next(line for line in counted if line.id == receipt_line_id)
    taken = line.over_held if quantity is None else quantity
    if taken <= 0 or taken > line.over_held:
        raise Invalid.one("quantity", "receipt.not_held", held=line.over_held.normalize())
    line.over_held -= taken
    deltas: dict[UUID, dict[str, Decimal]] = {}
    if keep:
        orders.allow(ctx, order, "receive")
        line.received += taken
        line.accepted += taken
        line.excess_accepted += taken
        loaded = ctx.session.get_one(ShipmentLine, line.shipment_line_id)
        loaded.received += taken
        _add(deltas, line.order_line_id, received=taken, accepted=taken)
    else:
        line.excess_returned += taken
    if not any(other.over_held for other in counted):
        orders.satisfy_gate(ctx, order, _held_key(receipt), receipt.number)
    _settle(ctx, order, receipt, "excess_accepted" if keep else "excess_returned", deltas, quantity=taken)
    return receipt


def reverse_receipt(ctx: Context, receipt_id: UUID, reason: str) -> Receipt:
    """Take a wrong receipt back as a whole (T17). What is invoiced or was returned to the seller stays put."""
    order, receipt = lock_receipt(ctx, receipt_id)
    ctx.require("receipt.reverse")
    orders.need_side(ctx, order, "buyer")
    orders.allow(ctx, order, "receive")
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    for check in _reversal_checks:
        check(ctx, receipt)
    deltas: dict[UUID, dict[str, Decimal]] = {}
    for line in receipt_lines(ctx, receipt.id):
        if line.returned:
            raise Conflict("receipt.already_returned", receipt=receipt.number)
        loaded = ctx.session.get_one(ShipmentLine, line.shipment_line_id)
        loaded.received -= line.received
        _add(
            deltas,
            line.order_line_id,
            received=-line.received,
            accepted=-line.accepted,
            rejected=-line.rejected,
        )
    orders.satisfy_gate(ctx, order, _held_key(receipt), receipt.number)
    receipt.reversed_by, receipt.reversed_at, receipt.reversed_why = ctx.actor.name, ctx.now, reason.strip()
    _settle(ctx, order, receipt, "receipt_reversed", deltas, reason=reason.strip())
    ctx.publish(
        ReceiptReversed(
            order.id, order.buyer_id, order.seller_id, order.number, receipt.id, receipt.number,
            tuple(deltas), tuple(delta["received"] for delta in deltas.values()), ctx.now,
        )
    )  # fmt: skip
    return receipt


def register_reversal_check(check: ReversalCheck) -> None:
    """Billing says, once at start-up, when a receipt can no longer be reversed: `check` raises Refused."""
    if check not in _reversal_checks:
        _reversal_checks.append(check)


def lock_shipment(ctx: Context, shipment_id: UUID) -> tuple[TradeOrder, Shipment]:
    """A shipment and its order, the order locked: whoever counts or ships waits here."""
    order_id = ctx.session.scalar(
        select(ShipmentLine.order_id).where(ShipmentLine.shipment_id == shipment_id).limit(1)
    )
    if order_id is None:
        raise NotFound("shipment.not_found")
    order = orders.lock(ctx, order_id)
    return order, ctx.session.get_one(Shipment, shipment_id)


def lock_receipt(ctx: Context, receipt_id: UUID) -> tuple[TradeOrder, Receipt]:
    """A receipt that still counts, and its order, locked."""
    shipment_id = ctx.session.scalar(select(Receipt.shipment_id).where(Receipt.id == receipt_id))
    if shipment_id is None:
        raise NotFound("receipt.not_found")
    order, _ = lock_shipment(ctx, shipment_id)
    receipt = ctx.session.get_one(Receipt, receipt_id, populate_existing=True)
    if receipt.reversed_at is not None:
        raise Conflict("receipt.reversed", receipt=receipt.number)
    return order, receipt


def receipt_lines(ctx: Context, receipt_id: UUID) -> list[ReceiptLine]:
    return list(
        ctx.session.scalars(
            select(ReceiptLine)
            .where(ReceiptLine.receipt_id == receipt_id)
            .order_by(ReceiptLine.id)
            .execution_options(populate_existing=True)
        )
    )


def _lines_of(ctx: Context, shipment: Shipment) -> list[ShipmentLine]:
    return list(
        ctx.session.scalars(
            select(ShipmentLine)
            .where(ShipmentLine.shipment_id == shipment.id)
            .execution_options(populate_existing=True)
        )
    )


def _add(deltas: dict[UUID, dict[str, Decimal]], line_id: UUID, **changes: Decimal) -> None:
    row = deltas.setdefault(line_id, {})
    for name, change in changes.items():
        row[name] = row.get(name, ZERO) + change


def _settle(
    ctx: Context,
    order: TradeOrder,
    receipt: Receipt,
    verb: str,
    deltas: dict[UUID, dict[str, Decimal]],
    **detail: object,
) -> None:
    """What every change of a receipt ends with: tally, note, audit, and the steps that became due."""
    ctx.session.flush()
    orders.tally(ctx, order, deltas)
    orders.note(ctx, order, verb, receipt=receipt.number, **detail)
    ctx.record(f"receipt.{verb}", receipt, order=order.number, **detail)
    orders.advance(ctx, order)

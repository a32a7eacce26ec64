"""When less comes than was ordered: the seller takes rejected goods back, and a line is closed short."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core import orders, stock
from core.fulfilment.events import GoodsTakenBack, LineShortClosed
from core.fulfilment.model import Receipt, ReceiptLine, ShortClose
from core.fulfilment.receiving import lock_receipt, receipt_lines
from core.kernel import Conflict, Context, Invalid, NotFound, uuid7
from core.orders import OrderLine, TradeOrder
from core.orders.sides import side

ZERO = Decimal(0)
CLOSABLE = ("confirmed", "in_progress", "delivered")


def open_rest(line: OrderLine) -> Decimal:
    """What of a line has neither arrived nor been given up."""
    return max(line.quantity - line.received - line.short_closed, ZERO)


def take_back(ctx: Context, receipt_line_id: UUID, quantity: Decimal | None = None) -> Receipt:
    """The seller has rejected goods back. While the order is under way the line waits for replacements (T17)."""
    receipt_id = ctx.session.scalar(select(ReceiptLine.receipt_id).where(ReceiptLine.id == receipt_line_id))
    if receipt_id is None:
        raise NotFound("receipt.not_found")
    order, receipt = lock_receipt(ctx, receipt_id)
    ctx.require("shipment.create")
    orders.need_side(ctx, order, "seller")
    line = next(line for line in receipt_lines(ctx, receipt.id) if line.id == receipt_line_id)
    waiting = line.rejected - line.returned
    taken = waiting if quantity is None else quantity
    if taken <= 0 or taken > waiting:
        raise Invalid.one("quantity", "receipt.not_rejected", rejected=waiting.normalize())
    line.returned += taken
    reopened = order.state in ("in_progress", "delivered")
    if reopened:
        line.reopened += taken
        orders.tally(
            ctx, order, {line.order_line_id: {"shipped": -taken, "received": -taken, "rejected": -taken}}
        )
    orders.note(ctx, order, "taken_back", receipt=receipt.number, quantity=taken, reopened=reopened)
    ctx.record("receipt.taken_back", receipt, order=order.number, quantity=taken, reopened=reopened)
    ctx.publish(
        GoodsTakenBack(
            order.id, order.buyer_id, order.seller_id, order.number, receipt.id, receipt.number,
            (line.order_line_id,), (taken,), ctx.now,
        )
    )  # fmt: skip
    orders.advance(ctx, order)
    return receipt


def short_close(ctx: Context, order_id: UUID, line_id: UUID, reason: str) -> ShortClose:
    """Give up the open rest of a line. Within the order's under-tolerance one side does it alone.

    Beyond it the first side's call leaves an open request (`state` is `open`), and the other side's call agrees.
    """
    order, line = _locked(ctx, order_id, line_id)
    ctx.require("line.short_close")
    here = orders.side_of(ctx, order)
    rest = open_rest(line)
    if rest <= 0:
        raise Conflict("short_close.nothing_open", line=line.no)
    asked = _asked(ctx, line)
    if asked is not None and asked.side != here:
        if asked.quantity != rest:
            raise Conflict(
                "short_close.changed", line=line.no, asked=asked.quantity.normalize(), open=rest.normalize()
            )
        asked.state, asked.answered_by, asked.answered_at = "done", ctx.actor.name, ctx.now
        return _close(ctx, order, line, asked)
    if asked is not None:
        raise Conflict("short_close.waiting", line=line.no)
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    alone = line.short_closed + rest <= line.quantity * order.under_tol
    request = ShortClose(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, order_line_id=line.id,
        quantity=rest, reason=reason.strip(), side=here, asked_by=ctx.actor.name, asked_at=ctx.now,
        state="done" if alone else "open", answered_by=None, answered_at=None,
    )  # fmt: skip
    ctx.session.add(request)
    if alone:
        return _close(ctx, order, line, request)
    orders.note(ctx, order, "short_close_asked", line=line.no, quantity=rest, reason=request.reason)
    ctx.record("short_close.ask", request, order=order.number, line=line.no, quantity=rest)
    return request


def refuse_short_close(ctx: Context, order_id: UUID, line_id: UUID) -> ShortClose:
    """Answer an open request with no (or, on the asking side, take it back); the line stays open."""
    order, line = _locked(ctx, order_id, line_id)
    ctx.require("line.short_close")
    asked = _asked(ctx, line)
    if asked is None:
        raise Conflict("short_close.not_asked", line=line.no)
    asked.state, asked.answered_by, asked.answered_at = "refused", ctx.actor.name, ctx.now
    orders.note(ctx, order, "short_close_refused", line=line.no)
    ctx.record("short_close.refuse", asked, order=order.number, line=line.no)
    return asked


def _locked(ctx: Context, order_id: UUID, line_id: UUID) -> tuple[TradeOrder, OrderLine]:
    order = orders.lock(ctx, order_id)
    if order.state not in CLOSABLE:
        raise Conflict("order.wrong_state", verb="short_close", state=order.state)
    for line in orders.lines(ctx, order.id):
        if line.id == line_id:
            return order, line
    raise NotFound("shipment.no_such_line")


def _asked(ctx: Context, line: OrderLine) -> ShortClose | None:
    found: ShortClose | None = ctx.session.scalar(
        select(ShortClose).where(ShortClose.order_line_id == line.id, ShortClose.state == "open")
    )
    return found


def _close(ctx: Context, order: TradeOrder, line: OrderLine, done: ShortClose) -> ShortClose:
    """The rest is given up: counted, its stock set free, and the order moves on when that was all it waited for."""
    number = line.no
    with side(ctx, order, "seller"):
        stock.release(ctx, order.id, line.id)
    orders.tally(ctx, order, {line.id: {"short_closed": done.quantity}})
    orders.note(ctx, order, "short_closed", line=number, quantity=done.quantity, reason=done.reason)
    ctx.record("short_close.done", done, order=order.number, line=number, quantity=done.quantity)
    ctx.publish(
        LineShortClosed(
            order.id,
            order.buyer_id,
            order.seller_id,
            order.number,
            line.id,
            done.quantity,
            done.reason,
            ctx.now,
        )
    )
    orders.advance(ctx, order)
    return done

"""Fulfilment's part of an order's page: its shipments and receipts, and what may be done with the goods now."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from core import orders
from core.fulfilment.closing import CLOSABLE, open_rest
from core.fulfilment.model import Receipt, ReceiptLine, Shipment, ShipmentLine, ShortClose
from core.fulfilment.shipping import shippable, still_owed
from core.kernel import Context, round_to
from core.orders import OrderLine, TradeOrder
from core.orders.panels import Act, Document, Section
from core.web import gettext as _
from core.web.i18n import CHINESE, language

ZERO = Decimal(0)


@dataclass(frozen=True)
class FieldLine:
    """A line of a dialog: `id` names its fields, `open` is how much of it is meant and `most` how much is allowed, in `unit`.

    They differ where a tolerance lets more leave than was ordered: what is proposed is what is still owed.
    """

    id: UUID
    no: int
    code: str
    name: str
    unit: str
    open: Decimal
    most: Decimal


@dataclass(frozen=True)
class Goods:
    """What a dialog about goods shows. `document_id` is the shipment or receipt it is about."""

    lines: tuple[FieldLine, ...]
    document_id: UUID | None = None
    asked: bool = False


@dataclass(frozen=True)
class _Rows:
    """The rows of one order, read in two statements."""

    shipments: tuple[tuple[Shipment, tuple[ShipmentLine, ...]], ...]
    receipts: tuple[tuple[Receipt, tuple[ReceiptLine, ...]], ...]


def section(ctx: Context, order: TradeOrder, lines: Sequence[OrderLine]) -> Section | None:
    """Nothing before an order is under way; afterwards its papers and the acts of this side."""
    if order.started_at is None or not ctx.allows("shipment.view"):
        return None
    rows = _rows(ctx, order)
    by_id = {line.id: line for line in lines}
    acts = _seller_acts(ctx, order, by_id, rows) if orders.side_of(ctx, order) == "seller" else ()
    if orders.side_of(ctx, order) == "buyer":
        acts = _buyer_acts(ctx, order, by_id, rows)
    return Section(
        "fulfilment", _("Shipments and receipts"), "truck", documents=_documents(rows),
        acts=(*acts, *_closing(ctx, order, lines)), rank=20,
    )  # fmt: skip


def _rows(ctx: Context, order: TradeOrder) -> _Rows:
    sent = ctx.session.execute(
        select(Shipment, ShipmentLine)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .where(ShipmentLine.order_id == order.id)
        .order_by(Shipment.id, ShipmentLine.id)
    ).all()
    counted = ctx.session.execute(
        select(Receipt, ReceiptLine)
        .join(ReceiptLine, ReceiptLine.receipt_id == Receipt.id)
        .where(ReceiptLine.order_id == order.id)
        .order_by(Receipt.id, ReceiptLine.id)
    ).all()
    shipments = {shipment.id: shipment for shipment, _line in sent}
    receipts = {receipt.id: receipt for receipt, _line in counted}
    return _Rows(
        tuple((s, tuple(line for other, line in sent if other.id == s.id)) for s in shipments.values()),
        tuple((r, tuple(line for other, line in counted if other.id == r.id)) for r in receipts.values()),
    )


def _documents(rows: _Rows) -> tuple[Document, ...]:
    found = []
    for shipment, lines in rows.shipments:
        arrived = all(line.received >= line.quantity for line in lines)
        state, tone = (_("Arrived"), "ok") if arrived else (_("On the road"), "acc")
        what = " · ".join(text for text in (shipment.carrier, shipment.waybill) if text)
        found.append(
            Document(
                _("Shipment"), shipment.id, shipment.number, shipment.shipped_at, state, tone, what,
                endpoint="fulfilment.shipment", values={"shipment_id": shipment.id},
            )
        )  # fmt: skip
    for receipt, counted in rows.receipts:
        found.append(
            Document(
                _("Receipt"), receipt.id, receipt.number, receipt.received_at, *_verdict(receipt, counted),
                endpoint="fulfilment.shipment", values={"shipment_id": receipt.shipment_id},
            )
        )  # fmt: skip
    return tuple(found)


def _verdict(receipt: Receipt, lines: Sequence[ReceiptLine]) -> tuple[str, str]:
    if receipt.reversed_at is not None:
        return _("Reversed"), ""
    if any(line.over_held for line in lines):
        return _("Too many, held"), "warn"
    if any(line.received > line.accepted + line.rejected for line in lines):
        return _("To inspect"), "warn"
    if any(line.rejected for line in lines):
        return _("Partly rejected"), "bad"
    return _("Accepted"), "ok"


def _seller_acts(
    ctx: Context, order: TradeOrder, by_id: dict[UUID, OrderLine], rows: _Rows
) -> tuple[Act, ...]:
    if not ctx.allows("shipment.create"):
        return ()
    acts = []
    ready = [_field(line, still_owed(line), most=shippable(line)) for line in by_id.values() if shippable(line) > 0]
    waits = any(still_owed(line) > 0 for line in by_id.values())
    if order.state == "in_progress" and ready:
        acts.append(_act(order, "ship", _("Ship"), "truck", Goods(tuple(ready)), rank=20 if waits else 55))
    back = [
        _field(by_id[line.order_line_id], line.rejected - line.returned, line.id)
        for receipt, counted in rows.receipts
        for line in counted
        if receipt.reversed_at is None and line.rejected > line.returned
    ]
    if back:
        acts.append(
            _act(order, "take_back", _("Take rejected goods back"), "undo", Goods(tuple(back)), rank=58)
        )
    return tuple(acts)


def _buyer_acts(
    ctx: Context, order: TradeOrder, by_id: dict[UUID, OrderLine], rows: _Rows
) -> tuple[Act, ...]:
    acts: list[Act] = []
    running = order.state in ("in_progress", "delivered")
    live = [(receipt, counted) for receipt, counted in rows.receipts if receipt.reversed_at is None]
    if running and ctx.allows("receipt.create"):
        acts += _receiving(order, by_id, rows)
        for receipt, counted in live:
            acts += _deciding(order, by_id, receipt, counted)
    if running and live and ctx.allows("receipt.reverse"):
        choices = tuple(
            FieldLine(receipt.id, 0, receipt.number, receipt.number, "", ZERO, ZERO) for receipt, _counted in live
        )
        acts.append(
            _act(order, "reverse", _("Reverse a receipt"), "undo", Goods(choices), rank=80, danger=True)
        )
    return tuple(acts)


def _receiving(order: TradeOrder, by_id: dict[UUID, OrderLine], rows: _Rows) -> list[Act]:
    acts: list[Act] = []
    for shipment, lines in rows.shipments:
        left = [_field(by_id[line.order_line_id], line.quantity - line.received) for line in lines]
        if any(line.open > 0 for line in left):
            key = f"receive-{shipment.number}"  # a number of its own: it still means this one when others are in
            text = _("Receive %(number)s", number=shipment.number)
            goods = Goods(tuple(line for line in left if line.open > 0), shipment.id)
            acts.append(_act(order, key, text, "box", goods, rank=20 + len(acts), path="receive"))
    return acts


def _deciding(
    order: TradeOrder, by_id: dict[UUID, OrderLine], receipt: Receipt, counted: Sequence[ReceiptLine]
) -> list[Act]:
    acts = []
    open_lines = tuple(
        _field(by_id[line.order_line_id], line.received - line.accepted - line.rejected, line.id)
        for line in counted
        if line.received > line.accepted + line.rejected
    )
    held = tuple(
        _field(by_id[line.order_line_id], line.over_held, line.id) for line in counted if line.over_held
    )
    if open_lines:
        text = _("Inspect %(number)s", number=receipt.number)
        goods = Goods(open_lines, receipt.id)
        acts.append(_act(order, f"inspect-{receipt.number}", text, "eye", goods, rank=30, path="inspect"))
    if held:
        text = _("Decide about the excess of %(number)s", number=receipt.number)
        goods = Goods(held, receipt.id)
        acts.append(_act(order, f"excess-{receipt.number}", text, "scale", goods, rank=35, path="excess"))
    return acts


def _closing(ctx: Context, order: TradeOrder, lines: Sequence[OrderLine]) -> tuple[Act, ...]:
    rest = [_field(line, open_rest(line)) for line in lines if open_rest(line) > 0]
    if order.state not in CLOSABLE or not rest or not ctx.allows("line.short_close"):
        return ()
    asked = ctx.session.scalars(
        select(ShortClose).where(ShortClose.order_id == order.id, ShortClose.state == "open")
    ).all()
    here = orders.side_of(ctx, order)
    acts = []
    theirs = {row.order_line_id for row in asked if row.side != here}
    answer = tuple(line for line in rest if line.id in theirs)
    if answer:
        acts.append(
            _act(
                order,
                "agree_short",
                _("Answer the short-close request"),
                "check",
                Goods(answer, asked=True),
                rank=40,
            )
        )
    fresh = tuple(line for line in rest if line.id not in {row.order_line_id for row in asked})
    if fresh:
        acts.append(
            _act(
                order,
                "short_close",
                _("Close a line short"),
                "stop",
                Goods(fresh),
                rank=60,
                path="short_close",
            )
        )
    return tuple(acts)


def _act(
    order: TradeOrder,
    key: str,
    text: str,
    icon: str,
    goods: Goods,
    *,
    rank: int,
    path: str = "",
    danger: bool = False,
) -> Act:
    name = path or key
    return Act(
        key, text, f"fulfilment.{name}", {"order_id": order.id}, icon, text, form=f"fulfilment/{name}_fields.html",
        facts=goods, danger=danger, rank=rank,
    )  # fmt: skip


def _field(
    line: OrderLine, open_quantity: Decimal, ident: UUID | None = None, *, most: Decimal | None = None
) -> FieldLine:
    name = line.name_zh if language() == CHINESE or not line.name_en else line.name_en
    meant = max(open_quantity, ZERO)
    allowed = meant if most is None else round_to(max(most, ZERO), 6)
    return FieldLine(ident or line.id, line.no, line.sku_code, name, line.unit, meant, allowed)

"""Shipments and receipts over JSON: one endpoint for each act, and the act is the verb of the same name."""

from typing import Any
from uuid import UUID

from core import fulfilment
from core.fulfilment import finding
from core.fulfilment.schema import (
    InspectionIn,
    LineIn,
    PiecesIn,
    ReasonIn,
    ReceiptAnswer,
    ReceiptIn,
    ShipmentAnswer,
    ShipmentIn,
    ShipmentList,
    ShipmentQuery,
    ShortCloseAnswer,
    ShortCloseIn,
)
from core.kernel import Context
from core.orders import reading
from core.web import Api, Rejected
from core.web.pager import cut, decode

api = Api("fulfilment")


@api.get("/shipments", permission="shipment.view", query=ShipmentQuery, answer=ShipmentList)
def list_shipments(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Shipments of one side, newest first. `next` is the `after` of the next page."""
    found = finding.recent(ctx, query["side"], before=_before(query["after"]), limit=query["limit"])
    page = cut(found, query["limit"], lambda row: (row.id,))
    return {"items": page.rows, "next": page.next}


@api.get("/orders/<uuid:order_id>/shipments", permission="shipment.view", answer=ShipmentList)
def shipments_of_order(ctx: Context, order_id: UUID) -> dict[str, Any]:
    """Every shipment of an order with its receipts, oldest first."""
    order = reading.find(ctx, order_id)
    return {"items": finding.of_order(ctx, order.id), "next": None}


@api.post(
    "/orders/<uuid:order_id>/shipments", permission="shipment.create", body=ShipmentIn, answer=ShipmentAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def ship(ctx: Context, order_id: UUID, body: dict[str, Any]) -> finding.ShipmentView:
    """Send goods of an order."""
    portions = [fulfilment.Portion(line["line_id"], line["quantity"]) for line in body["lines"]]
    made = fulfilment.ship(ctx, order_id, portions, body["carrier"], body["waybill"], body["note"])
    return finding.shipment(ctx, made.id)


@api.get("/shipments/<uuid:shipment_id>", permission="shipment.view", answer=ShipmentAnswer)
def shipment(ctx: Context, shipment_id: UUID) -> finding.ShipmentView:
    """One shipment with its receipts."""
    return finding.shipment(ctx, shipment_id)


@api.post(
    "/shipments/<uuid:shipment_id>/receipts", permission="receipt.create", body=ReceiptIn, answer=ReceiptAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def receive(ctx: Context, shipment_id: UUID, body: dict[str, Any]) -> finding.ReceiptView:
    """Count a shipment in. What came beyond it is held until it is accepted or returned."""
    counts = [fulfilment.Count(**line) for line in body["lines"]]
    made = fulfilment.receive(ctx, shipment_id, counts, body["note"])
    return finding.receipt(ctx, made.id)


@api.post(
    "/receipts/<uuid:receipt_id>/inspections", permission="receipt.create", body=InspectionIn, answer=ReceiptAnswer,
    idempotent=True,
)  # fmt: skip
def inspect(ctx: Context, receipt_id: UUID, body: dict[str, Any]) -> finding.ReceiptView:
    """Decide about pieces that were received and left open."""
    made = fulfilment.inspect(ctx, receipt_id, [fulfilment.Verdict(**line) for line in body["lines"]])
    return finding.receipt(ctx, made.id)


@api.post(
    "/receipts/<uuid:receipt_id>/reverse", permission="receipt.reverse", body=ReasonIn, answer=ReceiptAnswer,
    idempotent=True,
)  # fmt: skip
def reverse_receipt(ctx: Context, receipt_id: UUID, body: dict[str, Any]) -> finding.ReceiptView:
    """Take a wrong receipt back as a whole."""
    made = fulfilment.reverse_receipt(ctx, receipt_id, body["reason"])
    return finding.receipt(ctx, made.id)


@api.post(
    "/receipt-lines/<uuid:receipt_line_id>/accept-excess", permission="receipt.create", body=PiecesIn, answer=ReceiptAnswer,
    idempotent=True,
)  # fmt: skip
def accept_excess(ctx: Context, receipt_line_id: UUID, body: dict[str, Any]) -> finding.ReceiptView:
    """Keep pieces that came beyond the order; they are billed."""
    made = fulfilment.accept_excess(ctx, receipt_line_id, body["quantity"])
    return finding.receipt(ctx, made.id)


@api.post(
    "/receipt-lines/<uuid:receipt_line_id>/return-excess", permission="receipt.create", body=PiecesIn, answer=ReceiptAnswer,
    idempotent=True,
)  # fmt: skip
def return_excess(ctx: Context, receipt_line_id: UUID, body: dict[str, Any]) -> finding.ReceiptView:
    """Send pieces back that came beyond the order."""
    made = fulfilment.return_excess(ctx, receipt_line_id, body["quantity"])
    return finding.receipt(ctx, made.id)


@api.post(
    "/receipt-lines/<uuid:receipt_line_id>/take-back", permission="shipment.create", body=PiecesIn, answer=ReceiptAnswer,
    idempotent=True,
)  # fmt: skip
def take_back(ctx: Context, receipt_line_id: UUID, body: dict[str, Any]) -> finding.ReceiptView:
    """Have rejected goods back; while the order is under way the line waits for replacements."""
    made = fulfilment.take_back(ctx, receipt_line_id, body["quantity"])
    return finding.receipt(ctx, made.id)


@api.post(
    "/orders/<uuid:order_id>/short-close", permission="line.short_close", body=ShortCloseIn, answer=ShortCloseAnswer,
    idempotent=True,
)  # fmt: skip
def short_close(ctx: Context, order_id: UUID, body: dict[str, Any]) -> fulfilment.ShortClose:
    """Give up the open rest of a line, or ask the other side to; the other side's call agrees."""
    return fulfilment.short_close(ctx, order_id, body["line_id"], body["reason"])


@api.post(
    "/orders/<uuid:order_id>/short-close/refuse", permission="line.short_close", body=LineIn, answer=ShortCloseAnswer,
    idempotent=True,
)  # fmt: skip
def refuse_short_close(ctx: Context, order_id: UUID, body: dict[str, Any]) -> fulfilment.ShortClose:
    """Answer the other side's request with no, or take the own one back."""
    return fulfilment.refuse_short_close(ctx, order_id, body["line_id"])


def _before(cursor: str | None) -> UUID | None:
    keys = decode(cursor, 1)
    if keys is None:
        return None
    try:
        return UUID(keys[0])
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None

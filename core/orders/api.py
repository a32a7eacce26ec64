"""Orders over JSON: one endpoint for each act, and the act is the verb of the same name."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from core import orders
from core.hooks import MoneyMove
from core.kernel import Context
from core.orders import reading
from core.orders.drafting import NewOrder, WantedLine
from core.orders.model import OrderLine, Proposal, TradeOrder
from core.orders.reading import Allowed, Detail
from core.orders.schema import (
    AmendmentIn,
    ChangesIn,
    DetailAnswer,
    EventList,
    HoldIn,
    OrderAnswer,
    OrderIn,
    OrderList,
    OrderQuery,
    PlacedAnswer,
    ProposedAnswer,
    ReasonedIn,
    ReasonIn,
    StepIn,
    TerminationIn,
)
from core.web import Answer, Api

api = Api("orders")

PATHS = {
    "edit": "",
    "amend": "amendments",
    "propose_cancel": "cancellations",
    "terminate": "terminations",
    "hold": "holds",
    "lift": "holds/{target}/lift",
    "waive": "gates/{target}/waive",
}
"""Where an act is posted, where the path is not the verb itself with dashes."""


def new_order(body: Mapping[str, Any]) -> NewOrder:
    wanted = [WantedLine(line["sku_id"], line["quantity"], line["unit"]) for line in body["lines"]]
    return NewOrder(**{**body, "lines": wanted})


def _changes(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"lines": body["lines"], "delivery_date": body["delivery_date"]}


def _now(order: TradeOrder, status: int | None = None) -> Answer:
    return Answer(order, etag=order.version, status=status)


SHOWN = tuple(OrderAnswer().fields)


def _born(ctx: Context, order: TradeOrder) -> Answer:
    """A new order with its lines, which the session still holds: no statement is needed to read them back."""
    held = sorted(
        (row for row in ctx.session if isinstance(row, OrderLine) and row.order_id == order.id),
        key=lambda line: line.no,
    )
    shown = {name: getattr(order, name) for name in SHOWN}
    return Answer({**shown, "lines": held}, etag=order.version)


@api.get("/orders", permission="order.view", query=OrderQuery, answer=OrderList)
def list_orders(ctx: Context, query: dict[str, Any]) -> object:
    """Orders of the enterprise as buyer and as seller, newest first. `next` is the `after` of the next page."""
    states = (query["state"],) if query["state"] else ()
    return reading.list_orders(
        ctx,
        query["side"],
        states,
        query["q"],
        query["after"],
        query["limit"],
        waiting=query["waiting"],
        written=True,
    )


@api.post(
    "/orders", permission="order.submit", body=OrderIn, answer=PlacedAnswer, status=201, idempotent=True
)
def place(ctx: Context, body: dict[str, Any]) -> Answer:
    """Place an order: priced, reserved, numbered and with the seller; or waiting for the buyer's own approver."""
    return _born(ctx, orders.place(ctx, new_order(body)))


@api.post(
    "/orders/drafts", permission="order.draft", body=OrderIn, answer=PlacedAnswer, status=201, idempotent=True
)
def draft(ctx: Context, body: dict[str, Any]) -> Answer:
    """Keep a priced draft that only the buyer sees; nothing is reserved."""
    return _born(ctx, orders.draft(ctx, new_order(body)))


@api.get("/orders/<uuid:order_id>", permission="order.view", answer=DetailAnswer)
def detail(ctx: Context, order_id: UUID) -> Answer:
    """One order whole, with the acts the caller may do now."""
    found = reading.detail(ctx, order_id)
    return Answer(_whole(found), etag=found.head.version)


@api.put("/orders/<uuid:order_id>", permission="order.draft", body=OrderIn, answer=OrderAnswer, if_match=True)
def edit(ctx: Context, order_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Replace a draft; its lines are priced again. Seller and mode stay as they are."""
    return _now(orders.edit(ctx, order_id, new_order(body), version))


@api.get("/orders/<uuid:order_id>/events", permission="order.view", answer=EventList)
def list_events(ctx: Context, order_id: UUID) -> dict[str, Any]:
    """Every step of the order's life, newest first."""
    return {"items": reading.events(ctx, reading.find(ctx, order_id))}


@api.post(
    "/orders/<uuid:order_id>/submit",
    permission="order.submit",
    body=StepIn,
    answer=OrderAnswer,
    idempotent=True,
)
def submit(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Submit a draft at the prices of now (T3), or send it to the approver (T2)."""
    return _now(orders.submit(ctx, order_id, body["version"]))


@api.post(
    "/orders/<uuid:order_id>/approve",
    permission="order.approve",
    body=StepIn,
    answer=OrderAnswer,
    idempotent=True,
)
def approve(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Approve a colleague's order (T4)."""
    return _now(orders.approve(ctx, order_id, body["version"]))


@api.post(
    "/orders/<uuid:order_id>/send-back",
    permission="order.draft",
    body=ReasonedIn,
    answer=OrderAnswer,
    idempotent=True,
)
def send_back(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Decline to approve an order, or withdraw it; it is a draft again (T5)."""
    return _now(orders.send_back(ctx, order_id, body["reason"], body["version"]))


@api.post(
    "/orders/<uuid:order_id>/confirm",
    permission="order.confirm",
    body=StepIn,
    answer=OrderAnswer,
    idempotent=True,
)
def confirm(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Confirm as the seller: from here on it binds both (T6)."""
    return _now(orders.confirm(ctx, order_id, body["version"]))


@api.post(
    "/orders/<uuid:order_id>/counter",
    permission="order.confirm",
    body=ChangesIn,
    answer=OrderAnswer,
    idempotent=True,
)
def counter(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Answer an order with other quantities, prices or another date (T7)."""
    return _now(orders.counter(ctx, order_id, _changes(body), body["reason"], body["version"]))


@api.post(
    "/orders/<uuid:order_id>/accept",
    permission="order.submit",
    body=StepIn,
    answer=OrderAnswer,
    idempotent=True,
)
def accept(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Take the seller's counter; from here on it binds both (T8)."""
    return _now(orders.accept(ctx, order_id, body["version"]))


@api.post(
    "/orders/<uuid:order_id>/counter-offer",
    permission="order.submit",
    body=ChangesIn,
    answer=OrderAnswer,
    idempotent=True,
)
def counter_offer(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Answer a counter with another offer (T9); at most ten rounds."""
    return _now(orders.counter_offer(ctx, order_id, _changes(body), body["reason"], body["version"]))


@api.post(
    "/orders/<uuid:order_id>/reject",
    permission="order.confirm",
    body=ReasonedIn,
    answer=OrderAnswer,
    idempotent=True,
)
def reject(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Decline an order and say why (T10)."""
    return _now(orders.reject(ctx, order_id, body["reason"], body["version"]))


@api.post(
    "/orders/<uuid:order_id>/cancel",
    permission="order.draft",
    body=ReasonedIn,
    answer=OrderAnswer,
    idempotent=True,
)
def cancel(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Take an own order back before it binds anybody (T12)."""
    return _now(orders.cancel(ctx, order_id, body["reason"], body["version"]))


@api.post(
    "/orders/<uuid:order_id>/cancel-confirmed",
    permission="order.change",
    body=ReasonedIn,
    answer=OrderAnswer,
    idempotent=True,
)
def cancel_confirmed(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Leave a confirmed order alone, where its mode of trade has a plan for that (T14)."""
    return _now(orders.cancel_confirmed(ctx, order_id, body["reason"], body["version"]))


@api.post(
    "/orders/<uuid:order_id>/amendments", permission="order.change", body=AmendmentIn, answer=ProposedAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def propose_amendment(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Proposal:
    """Ask the other side for other quantities or another date on a binding order (T22)."""
    return orders.propose_amendment(ctx, order_id, _changes(body), body["reason"])


@api.post(
    "/orders/<uuid:order_id>/cancellations", permission="order.change", body=ReasonIn, answer=ProposedAnswer, status=201,
    idempotent=True,
)  # fmt: skip
def propose_cancel(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Proposal:
    """Ask the other side to call a confirmed order off (T14)."""
    return orders.propose_cancel(ctx, order_id, body["reason"])


@api.post(
    "/orders/<uuid:order_id>/terminations", permission="order.terminate", body=TerminationIn, answer=ProposedAnswer,
    status=201, idempotent=True,
)  # fmt: skip
def propose_termination(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Proposal:
    """Offer to end a running order against a list of money moves that squares what is open (T20)."""
    moves = [MoneyMove(**move) for move in body["moves"]]
    return orders.propose_termination(ctx, order_id, moves, body["reason"])


@api.post(
    "/orders/<uuid:order_id>/agree",
    permission="order.change",
    body=StepIn,
    answer=OrderAnswer,
    idempotent=True,
)
def agree(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Sign what the other side proposes; it takes effect at once."""
    return _now(orders.agree(ctx, order_id, body["version"]))


@api.post(
    "/orders/<uuid:order_id>/refuse",
    permission="order.change",
    body=ReasonIn,
    answer=OrderAnswer,
    idempotent=True,
)
def refuse(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Do not sign what the other side proposes; the order stays as it is."""
    return _now(orders.refuse(ctx, order_id, body["reason"]))


@api.post("/orders/<uuid:order_id>/withdraw", permission="order.change", answer=OrderAnswer, idempotent=True)
def withdraw(ctx: Context, order_id: UUID) -> Answer:
    """Take the own proposal back."""
    return _now(orders.withdraw(ctx, order_id))


@api.post(
    "/orders/<uuid:order_id>/holds",
    permission="order.hold",
    body=HoldIn,
    answer=OrderAnswer,
    status=201,
    idempotent=True,
)
def place_hold(ctx: Context, order_id: UUID, body: dict[str, Any]) -> Answer:
    """Stop some acts on an order; only this side lifts the hold again."""
    return _now(orders.place_hold(ctx, order_id, body["key"], body["reason"], body["blocks"]))


@api.post(
    "/orders/<uuid:order_id>/holds/<uuid:hold_id>/lift",
    permission="order.hold",
    answer=OrderAnswer,
    idempotent=True,
)
def lift_hold(ctx: Context, order_id: UUID, hold_id: UUID) -> Answer:
    """Lift an own hold."""
    return _now(orders.lift_hold(ctx, order_id, hold_id))


@api.post(
    "/orders/<uuid:order_id>/gates/<gate_key>/waive",
    permission="order.gate",
    body=ReasonIn,
    answer=OrderAnswer,
    idempotent=True,
)
def waive_gate(ctx: Context, order_id: UUID, gate_key: str, body: dict[str, Any]) -> Answer:
    """Do without a gate, with a reason that stays on the order."""
    return _now(orders.waive_gate(ctx, order_id, gate_key, body["reason"]))


def _whole(found: Detail) -> dict[str, Any]:
    return {
        **asdict(found.head),
        "buyer": found.buyer,
        "seller": found.seller,
        "lines": found.lines,
        "gates": found.gates,
        "holds": found.holds,
        "proposal": found.proposal,
        "plan": found.plan,
        "versions": found.versions,
        "documents": [document for section in found.sections for document in section.documents],
        "acts": [_act(act) for act in found.acts],
    }


def _act(act: Allowed) -> dict[str, Any]:
    path = PATHS.get(act.verb, act.verb.replace("_", "-"))
    return {"verb": act.verb, "path": path.format(target=act.target), "needs": act.needs}

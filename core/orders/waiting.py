"""What orders tell the workbench: what waits for this person, and how much is open."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, cast, func, literal, null, select, union_all

from core.kernel import Context, Money
from core.orders.model import Proposal, TradeOrder
from core.orders.states import BINDING
from core.orders.talk import OrderTalk
from core.tenancy import EnterpriseCard
from core.web import gettext as _
from core.web.i18n import CHINESE, language
from core.workbench import Figure, Todo

KINDS = {
    "confirm": ("Answer an order", "Answer", "order"),
    "approve": ("Approve an order", "Approve", "sign"),
    "counter": ("Answer a counter-offer", "Answer", "chat"),
    "proposal": ("Answer a proposal", "Answer", "pen"),
    "message": ("Read a message", "Read", "cmt"),
}
"""Title, button and icon of each kind."""


def todos(ctx: Context, limit: int) -> list[Todo]:
    """Orders that wait for an act this actor may do. One statement."""
    me, order = ctx.tenant_id, TradeOrder
    arms = []
    if ctx.allows("order.confirm"):
        arms.append(
            _arm("confirm", order.buyer_id, limit).where(order.seller_id == me, order.state == "submitted")
        )
    if ctx.allows("order.submit"):
        arms.append(
            _arm("counter", order.seller_id, limit).where(order.buyer_id == me, order.state == "countered")
        )
    if ctx.allows("order.approve"):
        mine = order.created_by.is_distinct_from(ctx.actor.person_id)
        arms.append(
            _arm("approve", order.seller_id, limit).where(
                order.buyer_id == me, order.state == "pending_approval", mine
            )
        )
    if ctx.allows("order.change"):
        for own, partner, theirs in (
            (order.buyer_id, order.seller_id, "seller"),
            (order.seller_id, order.buyer_id, "buyer"),
        ):
            arms.append(
                _arm("proposal", partner, limit)
                .join(Proposal, Proposal.order_id == order.id)
                .where(
                    own == me, Proposal.state == "open", Proposal.kind != "counter", Proposal.side == theirs
                )
            )
    if ctx.allows("order.message"):
        for own, partner, mine in (
            (order.buyer_id, order.seller_id, "buyer"),
            (order.seller_id, order.buyer_id, "seller"),
        ):
            arms.append(
                _arm("message", partner, limit)
                .join(OrderTalk, OrderTalk.order_id == order.id)
                .where(own == me, _talk_side(mine) == me, OrderTalk.waits_for == mine)
            )
    if not arms:
        return []
    found = union_all(*arms).subquery()
    card = EnterpriseCard.__table__
    rows = ctx.session.execute(
        select(found, card.c.name, card.c.name_en).join_from(
            found, card, card.c.tenant_id == found.c.partner_id
        )
    )
    return [_todo(row) for row in rows if _within(ctx, row.kind, row.total)]


def _arm(kind: str, partner: Any, limit: int) -> Select[Any]:
    """Orders of one kind, the one that runs out first at the top."""
    due = TradeOrder.offer_expires_at if kind in ("confirm", "counter") else null()
    columns = (
        literal(kind).label("kind"),
        TradeOrder.id,
        TradeOrder.number,
        TradeOrder.buyer_po,
        TradeOrder.total,
        TradeOrder.currency,
        partner.label("partner_id"),
        cast(due, TradeOrder.created_at.type).label("due"),
    )
    return select(*columns).order_by(TradeOrder.offer_expires_at, TradeOrder.id).limit(limit)


def _talk_side(side: str) -> Any:
    """The party as the talk has it, so that its own index finds what is unread."""
    return OrderTalk.buyer_id if side == "buyer" else OrderTalk.seller_id


def _within(ctx: Context, kind: str, total: Decimal) -> bool:
    """Above one's own limit it is somebody else's to decide."""
    asked = {"confirm": "order.confirm", "approve": "order.approve"}
    return kind not in asked or ctx.allows(asked[kind], total)


def _todo(row: Row[Any]) -> Todo:
    title, verb, icon = KINDS[row.kind]
    due: datetime | None = row.due
    return Todo(
        kind=f"order.{row.kind}",
        title=_(title),
        what=row.number or row.buyer_po or _("No number yet"),
        endpoint="orders.detail",
        values={"order_id": row.id} | ({"_anchor": "h-tl"} if row.kind == "message" else {}),
        verb=_(verb),
        partner=row.name if language() == CHINESE or not row.name_en else row.name_en,
        amount=Money(row.total, row.currency),
        due=due,
        icon=icon,
        rank=30,
    )


def figures(ctx: Context) -> list[Figure]:
    """What is under way on both sides, in money. One statement; only binding orders are read."""
    if not ctx.allows("order.view"):
        return []
    arms = [
        select(
            literal(side).label("side"),
            func.count().label("orders"),
            func.coalesce(func.sum(TradeOrder.total), 0).label("total"),
            func.coalesce(func.sum(TradeOrder.invoiced - TradeOrder.paid), 0).label("owed"),
        ).where(own == ctx.tenant_id, TradeOrder.state.in_(BINDING), TradeOrder.currency == "CNY")
        for side, own in (("seller", TradeOrder.seller_id), ("buyer", TradeOrder.buyer_id))
    ]
    found = {row.side: row for row in ctx.session.execute(union_all(*arms))}
    shown = []
    for side, title, owed in (
        ("seller", _("Sales under way"), _("To be paid by customers")),
        ("buyer", _("Purchases under way"), _("To be paid by us")),
    ):
        row = found[side]
        if not row.orders:
            continue
        hint = _("%(n)s orders", n=row.orders)
        shown.append(Figure(title, Money(row.total), hint, "orders.index", {"side": side, "open": 1}))
        shown.append(
            Figure(owed, Money(row.owed), _("invoiced and not yet paid"), "orders.index", {"side": side})
        )
    return shown

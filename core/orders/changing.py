"""Changing what binds: amendment (T22), cancellation (T14) and termination (T20), each signed by both sides."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from core import stock
from core.hooks import MoneyMove, PlanItem
from core.kernel import Conflict, Context, FieldError, Invalid, Refused, split, uuid7
from core.orders import deciding, model
from core.orders.changes import apply_changes, offered_total, read_changes
from core.orders.drafting import total
from core.orders.facts import order_facts
from core.orders.locking import lines, lock, note, step
from core.orders.model import OrderLine, OrderVersion, Proposal, TradeOrder
from core.orders.progress import advance
from core.orders.sides import side, side_of
from core.orders.states import ORDER

ZERO = Decimal(0)
SettlementPoster = Callable[[Context, TradeOrder, list[MoneyMove]], None]
_posters: list[SettlementPoster] = []


def register_settlement_poster(poster: SettlementPoster) -> None:
    """Billing says, once at start-up, how the money of a settlement is posted."""
    if poster not in _posters:
        _posters.append(poster)


def propose_amendment(ctx: Context, order_id: UUID, wish: Mapping[str, Any], reason: str) -> Proposal:
    """Either side asks for other quantities or another date on a binding order; prices stay as agreed."""
    order = lock(ctx, order_id)
    ctx.require("order.change")
    ORDER.find("amend", order.state)
    current = lines(ctx, order.id)
    changes = read_changes(order, current, wish, prices=False)
    _not_below_delivered(current, changes)
    with side(ctx, order, "seller"):
        deciding.within_credit(ctx, order, offered_total(order, current, changes))
    return _offer(ctx, order, "amend", changes, reason)


def propose_cancel(ctx: Context, order_id: UUID, reason: str) -> Proposal:
    """Either side asks to call a confirmed order off before it starts, at no cost."""
    order = lock(ctx, order_id)
    ctx.require("order.change")
    ORDER.find("agree_cancel", order.state)
    return _offer(ctx, order, "cancel", {}, reason)


def propose_termination(ctx: Context, order_id: UUID, moves: list[MoneyMove], reason: str) -> Proposal:
    """Either side offers to end a running order against a list of money moves that squares what is open."""
    order = lock(ctx, order_id)
    ctx.require("order.terminate", amount=order.total)
    ORDER.find("terminate", order.state)
    check_settlement(order, moves)
    body = {"moves": [{"payer": m.payer, "payee": m.payee, "amount": str(m.amount), "reason": m.reason} for m in moves]}
    return _offer(ctx, order, "terminate", body, reason)


def agree(ctx: Context, order_id: UUID, version: int | None = None) -> TradeOrder:
    """The other side signs what is proposed, and it takes effect."""
    order = lock(ctx, order_id, version)
    proposal = deciding.open_proposal(ctx, order)
    if proposal is None or proposal.kind == "counter":
        raise Conflict("order.no_proposal")
    ctx.require("order.terminate" if proposal.kind == "terminate" else "order.change")
    deciding.answer(ctx, order, "agreed")
    {"amend": _amend, "cancel": _call_off, "terminate": _terminate}[proposal.kind](ctx, order, proposal)
    return order


def refuse(ctx: Context, order_id: UUID, reason: str) -> TradeOrder:
    """The other side does not sign; the order stays as it is."""
    order = lock(ctx, order_id)
    ctx.require("order.change")
    proposal = deciding.answer(ctx, order, "refused")
    if proposal.kind == "counter":
        raise Refused("order.answer_the_counter")
    note(ctx, order, "proposal_refused", kind=proposal.kind, reason=reason)
    return order


def withdraw(ctx: Context, order_id: UUID) -> TradeOrder:
    """The proposing side takes its proposal back."""
    order = lock(ctx, order_id)
    ctx.require("order.change")
    proposal = deciding.open_proposal(ctx, order)
    if proposal is None or proposal.kind == "counter" or proposal.side != side_of(ctx, order):
        raise Conflict("order.no_proposal")
    proposal.state, proposal.answered_by, proposal.answered_at = "withdrawn", ctx.actor.name, ctx.now
    note(ctx, order, "proposal_withdrawn", kind=proposal.kind)
    return order


def cancel_confirmed(ctx: Context, order_id: UUID, reason: str, version: int | None = None) -> TradeOrder:
    """T14 by one side alone, where the mode has a plan for it; its money moves are posted."""
    order = lock(ctx, order_id, version)
    mode = ctx.ports.dispatch.modes[order.mode].mode
    facts, by = order_facts(order, lines(ctx, order.id)), side_of(ctx, order)
    with side(ctx, order, "seller"):
        plan = mode.cancel_plan(ctx, facts, by)  # by the seller's settings
    if plan is None:
        raise Refused("order.cancel_needs_both", mode=order.mode)
    kept = sum((move.amount for move in plan if move.reason == "forfeit"), ZERO)
    if order.prepaid > kept:
        plan = [*plan, MoneyMove("seller", "buyer", order.prepaid - kept, "refund")]
    order.reason = reason.strip() or None
    step(ctx, order, "cancel_confirmed", reason=reason)
    _release_all(ctx, order)
    _post(ctx, order, plan)
    return order


def check_settlement(order: TradeOrder, moves: list[MoneyMove]) -> None:
    """A settlement squares the books: outstanding less refund = invoiced - paid - prepaid. Penalties come on top."""
    errors = []
    for index, move in enumerate(moves):
        if {move.payer, move.payee} != {"buyer", "seller"}:
            errors.append(FieldError(f"moves.{index}.payer", "order.settlement_parties", {}))
        if move.amount <= 0:
            errors.append(FieldError(f"moves.{index}.amount", "decimal.must_be_positive", {}))
        if move.reason not in ("outstanding", "refund", "penalty"):
            errors.append(FieldError(f"moves.{index}.reason", "order.settlement_reason", {}))
    if errors:
        raise Invalid(errors)
    signed = {"buyer": Decimal(1), "seller": Decimal(-1)}
    squared = sum((signed[move.payer] * move.amount for move in moves if move.reason != "penalty"), ZERO)
    open_amount = order.invoiced - order.paid - order.prepaid
    if squared != open_amount:
        raise Invalid.one("moves", "order.settlement_does_not_sum", moves=squared, open=open_amount)


def _offer(ctx: Context, order: TradeOrder, kind: str, body: dict[str, Any], reason: str) -> Proposal:
    if deciding.open_proposal(ctx, order) is not None:
        raise Conflict("order.proposal_open")
    if not reason.strip():
        raise Invalid.one("reason", "field.required")
    proposal = deciding.propose(ctx, order, kind, body, reason)
    note(ctx, order, f"proposed_{kind}", reason=reason.strip(), changes=body)
    return proposal


def _amend(ctx: Context, order: TradeOrder, proposal: Proposal) -> None:
    current = lines(ctx, order.id)
    _not_below_delivered(current, proposal.body)
    with side(ctx, order, "seller"):  # again, for other orders may have used the limit meanwhile
        deciding.within_credit(ctx, order, offered_total(order, current, proposal.body), lock=True)
    before = order.total
    apply_changes(order, current, proposal.body)
    total(order, current)
    if side_of(ctx, order) == "buyer":
        deciding.approval_again(ctx, order, before)
    with side(ctx, order, "seller"):
        _reserve_rest(ctx, order, current)
    order.terms_version += 1
    step(ctx, order, "amend", total=order.total, changes=proposal.body)
    _replan(ctx, order)
    ctx.session.add(
        OrderVersion(
            id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id,
            no=order.terms_version, at=ctx.now, terms=deciding.terms_of(order, current),
        )
    )  # fmt: skip
    advance(ctx, order)


def _call_off(ctx: Context, order: TradeOrder, proposal: Proposal) -> None:
    order.reason = proposal.reason
    step(ctx, order, "agree_cancel", reason=proposal.reason)
    _release_all(ctx, order)
    if order.prepaid:
        _post(ctx, order, [MoneyMove("seller", "buyer", order.prepaid, "refund")])


def _terminate(ctx: Context, order: TradeOrder, proposal: Proposal) -> None:
    moves = [MoneyMove(m["payer"], m["payee"], Decimal(m["amount"]), m["reason"]) for m in proposal.body["moves"]]
    check_settlement(order, moves)
    order.reason = proposal.reason
    step(ctx, order, "terminate", amount=order.total, reason=proposal.reason, moves=proposal.body["moves"])
    _release_all(ctx, order)
    _post(ctx, order, moves)


def _post(ctx: Context, order: TradeOrder, moves: list[MoneyMove]) -> None:
    if moves and not _posters:
        raise Refused("order.no_settlement_poster")
    for poster in _posters:
        poster(ctx, order, moves)


def _release_all(ctx: Context, order: TradeOrder) -> None:
    with side(ctx, order, "seller"):
        stock.release(ctx, order.id)


def _reserve_rest(ctx: Context, order: TradeOrder, current: list[OrderLine]) -> None:
    """Hold exactly what is still to be shipped, hard."""
    if not ctx.ports.dispatch.modes[order.mode].mode.reserve:
        return
    stock.release(ctx, order.id)
    rest = [
        (line.id, line.sku_id, (line.quantity - line.shipped - line.short_closed) * line.factor)
        for line in current
        if line.quantity > line.shipped + line.short_closed
    ]
    if rest:
        stock.reserve_soft(ctx, order.id, rest, ctx.now)
        stock.harden(ctx, order.id)


def _replan(ctx: Context, order: TradeOrder) -> None:
    """Items already covered by money stay; the rest is split again over what is left, largest remainder first."""
    items = list(ctx.session.scalars(model.select_plan(order.id)))
    covered = order.paid + order.prepaid
    kept: list[model.PlanItem] = []
    for item in items:
        if covered < item.amount or item.amount == 0:
            break
        covered -= item.amount
        kept.append(item)
    rest = items[len(kept) :]
    left = order.total - sum((item.amount for item in kept), ZERO)
    if not rest:
        if left:
            deciding.write_plan_item(ctx, order, len(kept) + 1, PlanItem("balance", left, "invoice", order.terms_days))
        return
    weights = [item.amount for item in rest]
    shares = split(left, weights if sum(weights) > 0 else [Decimal(1)] * len(rest))
    for item, share in zip(rest, shares, strict=True):
        item.amount = share


def _not_below_delivered(current: list[OrderLine], changes: Mapping[str, Any]) -> None:
    by_number = {line.no: line for line in current}
    for index, entry in enumerate(changes.get("lines", ())):
        line = by_number[entry["no"]]
        floor = max(line.shipped, line.received) + line.short_closed
        if "quantity" in entry and (Decimal(entry["quantity"]) < floor or Decimal(entry["quantity"]) <= 0):
            raise Invalid.one(f"lines.{index}.quantity", "order.below_delivered", no=line.no, delivered=floor)

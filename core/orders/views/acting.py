"""The acts of an order as forms: one POST for each verb."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response, request

from core import orders
from core.hooks import MoneyMove
from core.kernel import Context, FieldError, Invalid
from core.orders import reading
from core.orders.views.asking import Given, asked, carry_out, fields_named
from core.orders.views.frame import figure, pages
from core.orders.views.wording import WORDINGS

Verb = Callable[[Context, UUID, Given], object]


def _version(given: Given) -> int | None:
    text = given.get("version", "")
    return int(text) if text.isdigit() and len(text) < 10 else None


def changes(ctx: Context, order_id: UUID, given: Given) -> dict[str, Any]:
    """What the form of changes says differently from the order: only those lines and that date."""
    wished: list[dict[str, Any]] = []
    wrong: list[FieldError] = []
    for line in orders.lines(ctx, order_id):
        entry: dict[str, Any] = {"no": line.no}
        for field, name in (("quantity", "quantity"), ("unit_price", "price")):
            wish = _figure(f"{name}-{line.no}", given, wrong)
            if wish is not None and wish != getattr(line, field):
                entry[field] = wish
        if len(entry) > 1:
            wished.append(entry)
    if wrong:
        raise Invalid(wrong)
    current = reading.find(ctx, order_id).delivery_date
    day = given.get("delivery_date", "").strip()
    moved = day if day and (current is None or day != current.isoformat()) else None
    return {"lines": wished, "delivery_date": moved}


def _figure(name: str, given: Given, wrong: list[FieldError]) -> Decimal | None:
    """A typed number; what is none is noted under its field, so that all of them are told at once."""
    try:
        return figure(name, given.get(name, ""))
    except Invalid as refused:
        wrong += refused.errors
        return None


def moves(given: Given) -> list[MoneyMove]:
    """The money of a settlement: what is outstanding, what goes back, and a penalty with its payer."""
    found: list[MoneyMove] = []
    wrong: list[FieldError] = []
    payer = "seller" if given.get("penalty_payer") == "seller" else "buyer"
    for reason, pays in (("outstanding", "buyer"), ("refund", "seller"), ("penalty", payer)):
        amount = _figure(reason, given, wrong)
        if amount:
            found.append(MoneyMove(pays, "seller" if pays == "buyer" else "buyer", amount, reason))
    if wrong:
        raise Invalid(wrong)
    return found


def _changed(verb: Callable[..., object]) -> Verb:
    def run(ctx: Context, order_id: UUID, given: Given) -> object:
        wish = changes(ctx, order_id, given)
        with fields_named(_names(wish)):
            return verb(ctx, order_id, wish, given.get("reason", ""), _version(given))

    return run


def _amend(ctx: Context, order_id: UUID, given: Given) -> object:
    wish = changes(ctx, order_id, given)
    with fields_named(_names(wish)):
        return orders.propose_amendment(ctx, order_id, wish, given.get("reason", ""))


def _names(wish: Mapping[str, Any]) -> dict[str, str]:
    """`lines.0.quantity` of the verb is `quantity-10` of the form."""
    return {
        f"lines.{index}.{field}": f"{name}-{line['no']}"
        for index, line in enumerate(wish["lines"])
        for field, name in (("quantity", "quantity"), ("unit_price", "price"))
    }


def _terminate(ctx: Context, order_id: UUID, given: Given) -> object:
    offered = moves(given)
    with fields_named({f"moves.{index}.amount": move.reason for index, move in enumerate(offered)}):
        return orders.propose_termination(ctx, order_id, offered, given.get("reason", ""))


def _plain(verb: Callable[..., object]) -> Verb:
    return lambda ctx, order_id, given: verb(ctx, order_id, _version(given))


def _reasoned(verb: Callable[..., object]) -> Verb:
    return lambda ctx, order_id, given: verb(ctx, order_id, given.get("reason", ""), _version(given))


ACTS: dict[str, tuple[str, Verb]] = {
    "submit": ("order.submit", _plain(orders.submit)),
    "approve": ("order.approve", _plain(orders.approve)),
    "send_back": ("order.draft", _reasoned(orders.send_back)),
    "confirm": ("order.confirm", _plain(orders.confirm)),
    "counter": ("order.confirm", _changed(orders.counter)),
    "accept": ("order.submit", _plain(orders.accept)),
    "counter_offer": ("order.submit", _changed(orders.counter_offer)),
    "reject": ("order.confirm", _reasoned(orders.reject)),
    "cancel": ("order.draft", _reasoned(orders.cancel)),
    "cancel_confirmed": ("order.change", _reasoned(orders.cancel_confirmed)),
    "amend": ("order.change", _amend),
    "propose_cancel": (
        "order.change",
        lambda ctx, order_id, given: orders.propose_cancel(ctx, order_id, given.get("reason", "")),
    ),
    "terminate": ("order.terminate", _terminate),
    "agree": ("order.change", _plain(orders.agree)),
    "refuse": (
        "order.change",
        lambda ctx, order_id, given: orders.refuse(ctx, order_id, given.get("reason", "")),
    ),
    "withdraw": ("order.change", lambda ctx, order_id, given: orders.withdraw(ctx, order_id)),
    "hold": (
        "order.hold",
        lambda ctx, order_id, given: orders.place_hold(
            ctx, order_id, "manual", given.get("reason", ""), request.form.getlist("blocks")
        ),
    ),
}
"""Each act of the page: the permission of its route, and the verb behind it."""


def _done(ctx: Context, order_id: UUID, key: str, verb: Verb) -> Response:
    def act(ctx: Context, order_id: UUID, given: Given) -> str:
        verb(ctx, order_id, given)
        return str(WORDINGS[key.split(".")[0]].said)

    return carry_out(ctx, order_id, key, act)


def _register(key: str, permission: str, act: Verb) -> None:
    def view(ctx: Context, order_id: UUID) -> Response:
        return _done(ctx, order_id, key, act)

    view.__name__ = key
    view.__doc__ = f"{WORDINGS[key].text.msgid}."
    pages.post(f"/<uuid:order_id>/{key.replace('_', '-')}", permission=permission, idempotent=True)(view)


for _key, (_permission, _act) in ACTS.items():
    _register(_key, _permission, _act)


@pages.post("/<uuid:order_id>/holds/<uuid:hold_id>/lift", permission="order.hold", idempotent=True)
def lift(ctx: Context, order_id: UUID, hold_id: UUID) -> Response:
    """Lift an own hold."""
    return _done(
        ctx, order_id, f"lift.{hold_id}", lambda ctx, order, given: orders.lift_hold(ctx, order, hold_id)
    )


@pages.post("/<uuid:order_id>/gates/<gate_key>/waive", permission="order.gate", idempotent=True)
def waive(ctx: Context, order_id: UUID, gate_key: str) -> Response:
    """Do without a gate."""
    return _done(
        ctx,
        order_id,
        f"waive.{gate_key}",
        lambda ctx, order, given: orders.waive_gate(ctx, order, gate_key, given.get("reason", "")),
    )


@pages.get("/<uuid:order_id>/ask/<key>", permission="order.view")
def ask(ctx: Context, order_id: UUID, key: str) -> Response:
    """Ask one act on a page, for readers without scripts."""
    return asked(ctx, order_id, key)

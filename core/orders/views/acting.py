"""The acts of an order as forms: one POST for each verb, and one page that asks any of them without scripts."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response, request

from core import orders
from core.hooks import MoneyMove
from core.kernel import Context, Invalid, NotFound
from core.orders import reading
from core.orders.views.buttons import buttons_of
from core.orders.views.frame import Errors, errors_of, figure, pages, undone_when_invalid
from core.orders.views.page import AskPage
from core.orders.views.wording import WORDINGS
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.page import Crumb

Given = Mapping[str, str]
Act = Callable[[Context, UUID, Given], object]
ZERO = Decimal(0)


def _version(given: Given) -> int | None:
    text = given.get("version", "")
    return int(text) if text.isdigit() and len(text) < 10 else None


def changes(ctx: Context, order_id: UUID, given: Given) -> dict[str, Any]:
    """What the form of changes says differently from the order: only those lines and that date."""
    wished: list[dict[str, Any]] = []
    for line in orders.lines(ctx, order_id):
        entry: dict[str, Any] = {"no": line.no}
        for field, name in (("quantity", "quantity"), ("unit_price", "price")):
            wish = figure(f"{name}-{line.no}", given.get(f"{name}-{line.no}", ""))
            if wish is not None and wish != getattr(line, field):
                entry[field] = wish
        if len(entry) > 1:
            wished.append(entry)
    current = reading.find(ctx, order_id).delivery_date
    day = given.get("delivery_date", "").strip()
    moved = day if day and (current is None or day != current.isoformat()) else None
    return {"lines": wished, "delivery_date": moved}


def moves(given: Given) -> list[MoneyMove]:
    """The money of a settlement: what is outstanding, what goes back, and a penalty with its payer."""
    found = []
    payer = "seller" if given.get("penalty_payer") == "seller" else "buyer"
    for reason, pays in (("outstanding", "buyer"), ("refund", "seller"), ("penalty", payer)):
        amount = figure(reason, given.get(reason, ""))
        if amount:
            found.append(MoneyMove(pays, "seller" if pays == "buyer" else "buyer", amount, reason))
    return found


def _changed(verb: Callable[..., object]) -> Act:
    def run(ctx: Context, order_id: UUID, given: Given) -> object:
        wish = changes(ctx, order_id, given)
        try:
            return verb(ctx, order_id, wish, given.get("reason", ""), _version(given))
        except Invalid as wrong:
            raise _by_number(wrong, wish) from None

    return run


def _amend(ctx: Context, order_id: UUID, given: Given) -> object:
    wish = changes(ctx, order_id, given)
    try:
        return orders.propose_amendment(ctx, order_id, wish, given.get("reason", ""))
    except Invalid as wrong:
        raise _by_number(wrong, wish) from None


def _by_number(wrong: Invalid, wish: Mapping[str, Any]) -> Invalid:
    """`lines.0.quantity` of the verb is `quantity-10` of the form."""
    renamed = []
    for error in wrong.errors:
        parts = error.path.split(".")
        path = error.path
        if (
            len(parts) == 3
            and parts[0] == "lines"
            and parts[1].isdigit()
            and int(parts[1]) < len(wish["lines"])
        ):
            path = f"{'price' if parts[2] == 'unit_price' else parts[2]}-{wish['lines'][int(parts[1])]['no']}"
        renamed.append(type(error)(path, error.code, error.values))
    return Invalid(renamed, wrong.code, **wrong.values)


def _plain(verb: Callable[..., object]) -> Act:
    return lambda ctx, order_id, given: verb(ctx, order_id, _version(given))


def _reasoned(verb: Callable[..., object]) -> Act:
    return lambda ctx, order_id, given: verb(ctx, order_id, given.get("reason", ""), _version(given))


ACTS: dict[str, tuple[str, Act]] = {
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
    "terminate": (
        "order.terminate",
        lambda ctx, order_id, given: orders.propose_termination(
            ctx, order_id, moves(given), given.get("reason", "")
        ),
    ),
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


def carry_out(ctx: Context, order_id: UUID, key: str, act: Act) -> Response:
    """Do it and go back to the order; what was not understood is asked again with what was typed."""
    given = form()
    try:
        with undone_when_invalid(ctx):
            act(ctx, order_id, given)
    except Invalid as wrong:
        return asked(ctx, order_id, key, errors_of(wrong), given, 422)
    flash(str(WORDINGS[key.split(".")[0]].said))
    return redirect("orders.detail", order_id=order_id)


def asked(
    ctx: Context,
    order_id: UUID,
    key: str,
    errors: Errors | None = None,
    given: Given | None = None,
    status: int = 200,
) -> Response:
    """The question of one act as a page of its own."""
    found = reading.detail(ctx, order_id)
    button = next((each for each in buttons_of(found) if each.key == key), None)
    if button is None:
        raise NotFound("order.act_not_open")
    number = found.head.number or _("Draft")
    back = request.path.split("/ask/")[0] if "/ask/" in request.path else f"{pages.prefix}/{order_id}"
    page = AskPage(number, button, back, errors or {}, given or {})
    crumbs = (Crumb(_("Orders"), pages.prefix), Crumb(number, back), Crumb(button.text))
    return render("orders/ask.html", page, status, crumbs)


def _register(key: str, permission: str, act: Act) -> None:
    def view(ctx: Context, order_id: UUID) -> Response:
        return carry_out(ctx, order_id, key, act)

    view.__name__ = key
    view.__doc__ = f"{WORDINGS[key].text.msgid}."
    pages.post(f"/<uuid:order_id>/{key.replace('_', '-')}", permission=permission, idempotent=True)(view)


for _key, (_permission, _act) in ACTS.items():
    _register(_key, _permission, _act)


@pages.post("/<uuid:order_id>/holds/<uuid:hold_id>/lift", permission="order.hold", idempotent=True)
def lift(ctx: Context, order_id: UUID, hold_id: UUID) -> Response:
    """Lift an own hold."""
    return carry_out(
        ctx, order_id, f"lift.{hold_id}", lambda ctx, order, given: orders.lift_hold(ctx, order, hold_id)
    )


@pages.post("/<uuid:order_id>/gates/<gate_key>/waive", permission="order.gate", idempotent=True)
def waive(ctx: Context, order_id: UUID, gate_key: str) -> Response:
    """Do without a gate."""
    return carry_out(
        ctx,
        order_id,
        f"waive.{gate_key}",
        lambda ctx, order, given: orders.waive_gate(ctx, order, gate_key, given.get("reason", "")),
    )


@pages.get("/<uuid:order_id>/ask/<key>", permission="order.view")
def ask(ctx: Context, order_id: UUID, key: str) -> Response:
    """Ask one act on a page, for readers without scripts."""
    return asked(ctx, order_id, key)

"""Asking for one act of an order: its question as a page, and again, with everything typed, when it is refused.

Every form on an order's page ends here, whichever room brings it. A room above writes only what its act does:

    @order_act(pages, "/orders/<uuid:order_id>/ship", permission="shipment.create")
    def ship(ctx, order_id, typed) -> str:
        with fields_named({"lines.0.quantity": "qty-7"}):
            made = fulfilment.ship(ctx, order_id, ...)
        return _("Shipment %(number)s is on its way", number=made.number)
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response, render_template, request, url_for
from markupsafe import Markup

from core.kernel import Context, FieldError, Invalid, NotFound, Refused
from core.orders import reading
from core.orders.reading import Detail
from core.orders.views.buttons import buttons_of
from core.orders.views.frame import Errors, errors_of
from core.orders.views.page import AskPage, Button
from core.web import Pages, flash, form, redirect, render
from core.web import gettext as _
from core.web.page import Crumb
from core.web.refill import Typed, refill

Given = dict[str, str]
Act = Callable[[Context, UUID, Given], str]
"""Does what a form asks for and answers what the next page reports."""
MENDABLE = (409, 422)
"""A refusal with one of these may be gone when the form is sent again; any other one is not the form's affair."""


def order_act(to: Pages, path: str, permission: str) -> Callable[[Act], Callable[..., Any]]:
    """Take the form of an act that another room offers on an order's page; `path` names the order."""

    def register(act: Act) -> Callable[..., Any]:
        @wraps(act)
        def view(ctx: Context, order_id: UUID) -> Response:
            return carry_out(ctx, order_id, request.form.get("_act", ""), act)

        return to.post(path, permission=permission, idempotent=True)(view)

    return register


def carry_out(ctx: Context, order_id: UUID, key: str, act: Act) -> Response:
    """Do it and go back to the order. Refused, it is undone and asked again, as long as it can still be done at all."""
    try:
        with ctx.whole():
            said = act(ctx, order_id, form())
    except Refused as refused:
        if refused.status not in MENDABLE:
            raise
        found = reading.detail(ctx, order_id)
        button = _button(found, key)
        if button is None:
            raise
        typed = request.form.to_dict(flat=False)
        return _page(found, button, typed, errors_of(refused), refused.status)
    flash(said)
    return redirect("orders.detail", order_id=order_id)


def asked(ctx: Context, order_id: UUID, key: str) -> Response:
    """The question of one act as a page of its own. NotFound when it is not this reader's to do now."""
    found = reading.detail(ctx, order_id)
    button = _button(found, key)
    if button is None:
        raise NotFound("order.act_not_open")
    return _page(found, button)


@contextmanager
def fields_named(names: Mapping[str, str]) -> Iterator[None]:
    """What a verb calls `lines.0.quantity` is a field with a name of its own on the form; errors take that name."""
    try:
        yield
    except Invalid as wrong:
        renamed = [FieldError(names.get(each.path, each.path), each.code, each.values) for each in wrong.errors]
        raise Invalid(renamed, wrong.code, **wrong.values) from None


def _button(found: Detail, key: str) -> Button | None:
    """By its key; a form that does not say which dialog it was goes by its address, if that is only one act's."""
    buttons = list(buttons_of(found))
    matching = [each for each in buttons if each.key == key] if key else [
        each for each in buttons if each.action == request.path
    ]  # fmt: skip
    return matching[0] if len(matching) == 1 else None


def _page(
    found: Detail, button: Button, typed: Typed | None = None, errors: Errors | None = None, status: int = 200
) -> Response:
    drawn = Markup(render_template(button.form, act=button) if button.form else "")
    again = refill(drawn, typed or {}, errors or {}) if errors else None
    number = found.head.number or _("Draft")
    back = url_for("orders.detail", order_id=found.head.id)
    page = AskPage(number, button, back, drawn, ()) if again is None else AskPage(
        number, button, back, again.html, again.faults, again.at_fault
    )  # fmt: skip
    crumbs = (Crumb(_("Orders"), url_for("orders.index")), Crumb(number, back), Crumb(button.text))
    response = render("orders/ask.html", page, status, crumbs)
    if errors:  # where the same form leads when it arrives a second time: its answer is this question
        response.headers["Location"] = button.ask_url
    return response

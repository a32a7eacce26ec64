"""One order on a page: who, what, how far, and what to do next."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from flask import Response, request, url_for

from core import files, orders
from core.hooks import OrderFacts
from core.kernel import Context, Invalid, NotFound, Refused
from core.orders import reading
from core.orders.drafting import NewOrder, WantedLine
from core.orders.reading import Detail
from core.orders.sides import other, party
from core.orders.views.asking import MENDABLE
from core.orders.views.draft import DraftLine, DraftPage
from core.orders.views.frame import Errors, errors_of, figure, named, pages
from core.orders.views.page import FileView
from core.orders.views.shown import order_page
from core.orders.views.talking import activity
from core.web import flash, form, redirect, render, slots
from core.web import gettext as _
from core.web.page import Crumb, Fragment

SLOTS = ("order:action", "order:timeline")
MOST_LINES = 50
"""Plugins are asked about that many lines of an order, not about every one of five hundred."""


@pages.get("/<uuid:order_id>", permission="order.view")
def detail(ctx: Context, order_id: UUID) -> Response:
    """One order whole."""
    found = reading.detail(ctx, order_id)
    page = order_page(
        ctx,
        found,
        _slots(ctx, found),
        files=tuple(_file(each) for each in files.files_of(ctx, "order", order_id))
        if ctx.allows("file.view")
        else (),
        upload_url=url_for("orders.upload", order_id=order_id) if ctx.allows("file.add") else None,
    )
    side = _("Purchases") if found.head.side == "buyer" else _("Sales")
    crumbs = (
        Crumb(_("Orders"), url_for("orders.index")),
        Crumb(side, url_for("orders.index", side=found.head.side)),
    )
    page = replace(
        page,
        activity=activity(ctx, found, page.events),
        offers_url=slots.offers_url(ctx, "order:panel", str(order_id)),
    )
    return render("orders/detail.html", page, crumbs=crumbs)


@pages.post("/<uuid:order_id>/files", permission="file.add", upload=True)
def upload(ctx: Context, order_id: UUID) -> Response:
    """Keep a file with an order; the other side sees it too."""
    order = reading.find(ctx, order_id)
    handed = request.files.get("file")
    if handed is None or not handed.filename:
        raise Invalid.one("file", "field.required")
    side = orders.side_of(ctx, order)
    files.keep(
        ctx,
        handed.filename,
        handed.read(),
        "order",
        order_id,
        party(order, other(side)) if order.number else None,
    )
    flash(_("File kept"))
    return redirect("orders.detail", order_id=order_id)


@pages.get("/<uuid:order_id>/edit", permission="order.draft")
def edit_draft(ctx: Context, order_id: UUID) -> Response:
    """The form of a draft."""
    return _draft_form(ctx, order_id)


@pages.post("/<uuid:order_id>/edit", permission="order.draft", idempotent=True)
def save_draft(ctx: Context, order_id: UUID) -> Response:
    """Change a draft; it is priced again."""
    given = form()
    order = reading.find(ctx, order_id)
    try:
        with ctx.whole():
            wished = []
            for line in orders.lines(ctx, order_id):
                quantity = figure(f"quantity-{line.no}", given.get(f"quantity-{line.no}", ""))
                if quantity:
                    wished.append(WantedLine(line.sku_id, quantity, line.unit))
            orders.edit(ctx, order_id, _wish(order.seller_id, order.mode, wished, given), _version(given))
    except Refused as refused:
        if refused.status not in MENDABLE or reading.find(ctx, order_id).state != "draft":
            raise
        return _draft_form(ctx, order_id, errors_of(refused), given, refused.status)
    flash(_("Draft saved"))
    return redirect("orders.detail", order_id=order_id)


def _wish(seller_id: UUID, mode: str, lines: list[WantedLine], given: Mapping[str, str]) -> NewOrder:
    day = given.get("delivery_date", "").strip()
    return NewOrder(
        seller_id,
        lines,
        mode,
        buyer_po=given.get("buyer_po", "").strip()[:60] or None,
        ship_to=given.get("ship_to", "").strip()[:500],
        delivery_date=_day(day) if day else None,
        note=given.get("note", "").strip()[:2000],
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid.one("delivery_date", "date.not_a_date") from None


def _version(given: Mapping[str, str]) -> int | None:
    text = given.get("version", "")
    return int(text) if text.isdigit() and len(text) < 10 else None


def _draft_form(
    ctx: Context,
    order_id: UUID,
    errors: Errors | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    found = reading.detail(ctx, order_id)
    head, typed = found.head, given or {}
    page = DraftPage(
        number=head.number or _("Draft"),
        version=head.version,
        lines=tuple(
            DraftLine(
                line.no,
                named(line.name_zh, line.name_en),
                line.sku_code,
                line.unit,
                line.quantity,
                line.unit_price,
            )
            for line in found.lines
        ),
        given={
            "buyer_po": head.buyer_po or "",
            "ship_to": head.ship_to,
            "delivery_date": head.delivery_date.isoformat() if head.delivery_date else "",
            "note": head.note,
            **typed,
        },
        errors=errors or {},
        save_url=url_for("orders.save_draft", order_id=order_id),
        back_url=url_for("orders.detail", order_id=order_id),
    )
    crumbs = (Crumb(_("Orders"), url_for("orders.index")), Crumb(_("Draft"), page.back_url))
    return render("orders/draft.html", page, status, crumbs)


def subject(ctx: Context, key: str) -> OrderFacts:
    """What the panels of an order are about."""
    try:
        return reading.detail(ctx, UUID(key)).facts
    except ValueError:
        raise NotFound("order.not_found") from None


def _slots(ctx: Context, found: Detail) -> dict[str, tuple[Fragment, ...]]:
    """What plugins put on the page; nothing is asked where no plugin fills slots at all."""
    if not ctx.ports.dispatch.implementers("fill_slot"):
        return {}
    here = url_for("orders.detail", order_id=found.head.id)
    filled = {slot: slots.fill(ctx, slot, found.facts, here) for slot in SLOTS}
    filled["order:panel"] = slots.announced(ctx, "order:panel", str(found.head.id))
    for line in found.facts.lines[:MOST_LINES]:
        filled[f"line:{line.no}"] = slots.fill(ctx, "order:line", line, here)
    return filled


def _file(row: files.StoredFile) -> FileView:
    return FileView(
        row.name, url_for("files.download", file_id=row.id), row.media_type, row.added_at, row.added_by
    )

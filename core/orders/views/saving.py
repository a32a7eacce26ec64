"""Saved views on pages: keep the list as it stands, rename, make the default, drop. Every act works without scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context, Invalid, NotFound
from core.orders import saved
from core.orders.saved import Look, SavedView, views_of
from core.orders.saved.service import LONGEST, MOST
from core.orders.views.frame import Errors, errors_of, pages
from core.orders.views.listing import address
from core.orders.views.looks import in_words
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.page import Confirmation, Crumb


@dataclass(frozen=True)
class SavePage:
    """The question under which name to keep a look; `fields` are the look, `shows` the look in words."""

    action: str
    fields: Mapping[str, str]
    shows: str
    name: str
    default: bool
    back_url: str
    longest: int
    errors: Errors


@dataclass(frozen=True)
class ViewRow:
    """A saved view to manage; `name` is what was typed when a new name was refused."""

    id: str
    name: str
    shows: str
    href: str
    default: bool
    rename_url: str
    default_url: str
    drop_url: str
    ask_url: str
    errors: Errors


@dataclass(frozen=True)
class ViewsPage:
    rows: tuple[ViewRow, ...]
    list_url: str
    longest: int
    most: int


def _given_look() -> Look:
    return Look.asked(form(), request.form.getlist("cols"))


@pages.get("/views/new", permission="order.view")
def new_view(ctx: Context) -> Response:
    """Ask for the name of a new view, for readers without scripts."""
    return _ask_name(Look.asked(request.args, request.args.getlist("cols")))


@pages.post("/views", permission="order.view", idempotent=True)
def keep_view(ctx: Context) -> Response:
    """Keep the list as it stands under a name."""
    given, look = form(), _given_look()
    try:
        view = saved.keep_view(ctx, given.get("name", ""), look, bool(given.get("default")))
    except Invalid as wrong:
        return _ask_name(look, given, errors_of(wrong), 422)
    flash(_("View saved"))
    return redirect("orders.index", view=view.id, **look.args())


@pages.get("/views", permission="order.view")
def my_views(ctx: Context) -> Response:
    """The reader's own views, to rename and to drop."""
    return _manage(ctx)


@pages.post("/views/<uuid:view_id>/rename", permission="order.view", idempotent=True)
def rename_view(ctx: Context, view_id: UUID) -> Response:
    """Give a view another name."""
    name = form().get("name", "")
    try:
        saved.rename_view(ctx, view_id, name)
    except Invalid as wrong:
        return _manage(ctx, view_id, name, errors_of(wrong), 422)
    flash(_("View renamed"))
    return redirect("orders.my_views")


@pages.post("/views/<uuid:view_id>/default", permission="order.view", idempotent=True)
def default_view(ctx: Context, view_id: UUID) -> Response:
    """Let the list open with a view, or no longer."""
    wanted = form().get("default") == "1"
    saved.set_default(ctx, view_id, wanted)
    flash(_("The list opens with this view") if wanted else _("The list opens with all orders"))
    return redirect("orders.my_views")


@pages.post("/views/<uuid:view_id>/change", permission="order.view", idempotent=True)
def change_view(ctx: Context, view_id: UUID) -> Response:
    """Let a view show what the list shows now."""
    look = _given_look()
    saved.change_view(ctx, view_id, look)
    flash(_("View changed"))
    return redirect("orders.index", view=view_id, **look.args())


@pages.get("/views/<uuid:view_id>/drop", permission="order.view")
def ask_drop(ctx: Context, view_id: UUID) -> Response:
    """Ask whether to delete a view, for readers without scripts."""
    view = next((each for each in views_of(ctx) if each.id == view_id), None)
    if view is None:
        raise NotFound("order.view_not_found")
    page = Confirmation(
        title=_("Delete the view %(name)s?", name=view.name),
        consequences=(_("Only the view goes. The orders it shows stay as they are."),),
        action=url_for("orders.drop_view", view_id=view_id),
        verb=_("Delete view"),
        keep=_("Keep view"),
        keep_url=url_for("orders.my_views"),
        danger=True,
        fields={},
    )
    return render("shell/confirm.html", page, crumbs=_crumbs())


@pages.post("/views/<uuid:view_id>/drop", permission="order.view", idempotent=True)
def drop_view(ctx: Context, view_id: UUID) -> Response:
    """Delete a view."""
    flash(_("View %(name)s deleted", name=saved.drop_view(ctx, view_id)))
    return redirect("orders.my_views")


def _ask_name(
    look: Look, given: Mapping[str, str] | None = None, errors: Errors | None = None, status: int = 200
) -> Response:
    typed = given or {}
    page = SavePage(
        action=url_for("orders.keep_view"),
        fields=look.args(),
        shows=in_words(look),
        name=typed.get("name", ""),
        default=bool(typed.get("default")),
        back_url=url_for("orders.index", **look.args()),
        longest=LONGEST,
        errors=errors or {},
    )
    return render("orders/save_view.html", page, status, _crumbs())


def _manage(
    ctx: Context, wrong: UUID | None = None, typed: str = "", errors: Errors | None = None, status: int = 200
) -> Response:
    rows = tuple(_row(view, typed, errors if view.id == wrong else None) for view in views_of(ctx))
    page = ViewsPage(rows, url_for("orders.index", side="all"), LONGEST, MOST)
    return render("orders/views.html", page, status, _crumbs()[:1])


def _row(view: SavedView, typed: str, errors: Errors | None) -> ViewRow:
    return ViewRow(
        id=str(view.id),
        name=typed if errors else view.name,
        shows=in_words(Look.kept(view)),
        href=address(view),
        default=view.is_default,
        rename_url=url_for("orders.rename_view", view_id=view.id),
        default_url=url_for("orders.default_view", view_id=view.id),
        drop_url=url_for("orders.drop_view", view_id=view.id),
        ask_url=url_for("orders.ask_drop", view_id=view.id),
        errors=errors or {},
    )


def _crumbs() -> tuple[Crumb, ...]:
    return Crumb(_("Orders"), url_for("orders.index", side="all")), Crumb(_("Saved views"), url_for("orders.my_views"))

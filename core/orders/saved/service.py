"""Keep, rename, change and drop a view. Each belongs to one person in one enterprise; a foreign one is not there."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import func, select

from core.kernel import Context, Invalid, NotFound, Refused, uuid7
from core.orders.saved.look import Look
from core.orders.saved.model import SavedView

MOST = 20
LONGEST = 40


def views_of(ctx: Context) -> list[SavedView]:
    """The actor's own views, the oldest first. One statement; none for an actor who is no person."""
    ctx.require("order.view")
    if ctx.actor.person_id is None:
        return []
    found = ctx.session.scalars(
        select(SavedView).where(SavedView.person_id == ctx.actor.person_id).order_by(SavedView.created_at, SavedView.id)
    )
    return list(found)


def keep_view(ctx: Context, name: str, look: Look, default: bool = False) -> SavedView:
    """Keep a look under a name. Invalid when the name is empty, too long or taken; at most twenty for each person."""
    mine = _mine(ctx)
    named = _free_name(name, mine)
    if len(mine) >= MOST:
        raise Refused("order.too_many_views", most=MOST)
    if default:
        _no_default(ctx, mine)
    view = SavedView(
        id=uuid7(), tenant_id=ctx.tenant_id, person_id=ctx.actor.person_id, name=named, is_default=default,
        created_at=ctx.now, **_columns_of(look),
    )  # fmt: skip
    ctx.session.add(view)
    ctx.session.flush()
    ctx.record("order_view.keep", view, name=named, default=default)
    return view


def rename_view(ctx: Context, view_id: UUID, name: str) -> SavedView:
    """Give a view another name."""
    mine = _mine(ctx)
    view = _one(mine, view_id)
    before, view.name = view.name, _free_name(name, [each for each in mine if each is not view])
    ctx.record("order_view.rename", view, before=before, after=view.name)
    return view


def change_view(ctx: Context, view_id: UUID, look: Look) -> SavedView:
    """Let a view show something else."""
    view = _one(_mine(ctx), view_id)
    for field, value in _columns_of(look).items():
        setattr(view, field, value)
    ctx.record("order_view.change", view, name=view.name)
    return view


def set_default(ctx: Context, view_id: UUID, default: bool = True) -> SavedView:
    """The default view is what the list opens with; without one it opens with all orders."""
    mine = _mine(ctx)
    view = _one(mine, view_id)
    if default:
        _no_default(ctx, mine)
    view.is_default = default
    ctx.record("order_view.default", view, name=view.name, default=default)
    return view


def drop_view(ctx: Context, view_id: UUID) -> str:
    """Delete a view; answers its name. The orders it shows are not touched."""
    view = _one(_mine(ctx), view_id)
    ctx.session.delete(view)
    ctx.session.flush()
    ctx.record("order_view.drop", view, name=view.name)
    return view.name


def _mine(ctx: Context) -> list[SavedView]:
    """The actor's views, and nobody else changes them until the commit: names and the default stay unique."""
    ctx.require("order.view")
    if ctx.actor.person_id is None:
        raise Refused("order.views_are_personal")
    ctx.session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"saved_view:{ctx.actor.person_id}", 0)))
    )
    return views_of(ctx)


def _one(mine: list[SavedView], view_id: UUID) -> SavedView:
    view = next((each for each in mine if each.id == view_id), None)
    if view is None:
        raise NotFound("order.view_not_found")
    return view


def _no_default(ctx: Context, mine: list[SavedView]) -> None:
    for view in mine:
        view.is_default = False
    ctx.session.flush()  # before another becomes it: there is never more than one


def _free_name(name: str, others: list[SavedView]) -> str:
    named = " ".join(name.split())
    if not named:
        raise Invalid.one("name", "field.required")
    if not named.isprintable():
        raise Invalid.one("name", "order.view_name_unprintable")
    if len(named) > LONGEST:
        raise Invalid.one("name", "order.view_name_too_long", most=LONGEST)
    if any(each.name.casefold() == named.casefold() for each in others):
        raise Invalid.one("name", "order.view_name_taken", name=named)
    return named


def _columns_of(look: Look) -> dict[str, object]:
    return {**asdict(look), "columns": list(look.columns)}

"""Taking a request or an invitation in hand: the row lock, the clock read after it, and telling the other side."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

import tongshang as ts
from plugins.rfq.events import OfInvitation
from plugins.rfq.model import Invitation, Request

_CLOCK = text("SELECT ts.clock()")


def lock_request(ctx: ts.Context, request_id: UUID, version: int | None = None) -> Request:
    """The buyer's own request, locked, with `ctx.now` read after the wait. NotFound for a foreign one.

    `version` is what the caller read; another one is a Conflict.
    """
    found: Request | None = ctx.session.scalar(
        select(Request)
        .where(Request.id == request_id, Request.tenant_id == ctx.tenant_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise ts.NotFound("rfq.not_found")
    ctx.now = ctx.session.scalar(_CLOCK)
    if version is not None and version != found.version:
        raise ts.Conflict("rfq.version_changed", current=found.version)
    return found


def lock_invitation(ctx: ts.Context, invitation_id: UUID) -> tuple[Invitation, Request]:
    """An invitation of either side, locked, with its request; `ctx.now` read after the wait."""
    found: Invitation | None = ctx.session.scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    request = ctx.session.get(Request, found.request_id, populate_existing=True) if found is not None else None
    if found is None or request is None:
        raise ts.NotFound("rfq.not_found")
    ctx.now = ctx.session.scalar(_CLOCK)
    return found, request


def invitations(ctx: ts.Context, request_id: UUID, *, lock: bool = False) -> list[Invitation]:
    """Every invitation of a request that the acting enterprise may see, in the order they were made."""
    wanted = select(Invitation).where(Invitation.request_id == request_id).order_by(Invitation.id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return list(ctx.session.scalars(wanted))


def need_seller(ctx: ts.Context, invitation: Invitation) -> None:
    if invitation.seller_id != ctx.tenant_id:
        raise ts.NotFound("rfq.not_found")


def is_open(request: Request, now: datetime) -> bool:
    """Whether quotes are still taken: the closing moment itself is too late."""
    return request.state == "open" and request.closes_at is not None and now < request.closes_at


def tell(ctx: ts.Context, kind: type[OfInvitation], request: Request, invitation: Invitation, **more: Any) -> None:
    """Publish what happened to one seller's part."""
    ctx.publish(
        kind(
            request.id, invitation.id, invitation.buyer_id, invitation.seller_id, request.number or "",
            request.version, ctx.now, **more,
        )
    )  # fmt: skip


def tell_all(ctx: ts.Context, kind: type[OfInvitation], request: Request, whom: Iterable[Invitation]) -> None:
    for invitation in whom:
        tell(ctx, kind, request, invitation)

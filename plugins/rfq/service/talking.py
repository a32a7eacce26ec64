"""What buyer and seller say about a request: questions, answers, the wish for a better offer."""

from datetime import datetime
from uuid import UUID

import tongshang as ts
from plugins.rfq import events
from plugins.rfq.model import Invitation, Message, Request
from plugins.rfq.service.holding import invitations, is_open, lock_invitation, need_seller, tell

MOST = 2000


def ask(ctx: ts.Context, invitation_id: UUID, body: str) -> Message:
    """The seller asks; only the buyer reads it."""
    ctx.require("rfq.quote.write")
    invitation, request = lock_invitation(ctx, invitation_id)
    need_seller(ctx, invitation)
    _need_talk(request)
    return _say(ctx, request, invitation, "seller", "question", body)


def answer(ctx: ts.Context, invitation_id: UUID, body: str, *, to_all: bool = False) -> Message:
    """The buyer answers one seller, or tells every invited seller the same, without naming who asked."""
    ctx.require("rfq.request.write")
    invitation, request = lock_invitation(ctx, invitation_id)
    _need_buyer(ctx, invitation)
    _need_talk(request)
    said = _say(ctx, request, invitation, "buyer", "answer", body)
    if to_all:
        for other in invitations(ctx, request.id):
            if other.id != invitation.id:
                _say(ctx, request, other, "buyer", "notice", body)
    return said


def ask_better(ctx: ts.Context, invitation_id: UUID, body: str, until: datetime) -> Invitation:
    """Ask one seller for a better offer by `until`, which may lie after the request closed. Its quote stands meanwhile."""
    ctx.require("rfq.request.write")
    invitation, request = lock_invitation(ctx, invitation_id)
    _need_buyer(ctx, invitation)
    if request.state not in ("open", "closed"):
        raise ts.Conflict("rfq.not_open")
    if request.sealed and is_open(request, ctx.now):
        raise ts.Conflict("rfq.still_sealed", closes_at=request.closes_at)
    if invitation.state not in ("quoted", "expired", "retracted"):
        raise ts.Conflict("rfq.no_quote")
    if until <= ctx.now:
        raise ts.Invalid.one("until", "rfq.deadline_past")
    invitation.better_until = until
    _say(ctx, request, invitation, "buyer", "better", body)
    tell(ctx, events.BetterOfferAsked, request, invitation)
    return invitation


def _say(ctx: ts.Context, request: Request, invitation: Invitation, side: str, kind: str, body: str) -> Message:
    plain = body.strip()
    if not plain:
        raise ts.Invalid.one("body", "field.required")
    if len(plain) > MOST:
        raise ts.Invalid.one("body", "text.wrong_length")
    row = Message(
        id=ts.uuid7(), buyer_id=invitation.buyer_id, seller_id=invitation.seller_id, request_id=request.id,
        invitation_id=invitation.id, side=side, kind=kind, body=plain, said_by=ctx.actor.name, said_at=ctx.now,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    ctx.record(f"rfq.talk.{kind}", invitation, request=request.number)
    tell(ctx, events.RequestTalked, request, invitation)
    return row


def _need_buyer(ctx: ts.Context, invitation: Invitation) -> None:
    if invitation.buyer_id != ctx.tenant_id:
        raise ts.NotFound("rfq.not_found")


def _need_talk(request: Request) -> None:
    if request.state not in ("open", "closed"):
        raise ts.Conflict("rfq.not_open")

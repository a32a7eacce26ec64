"""What time does: a request closes, a quote runs out. The worker asks the database for what is due."""

from uuid import UUID

import tongshang as ts
from plugins.rfq import events
from plugins.rfq.model import Invitation, Request
from plugins.rfq.service.holding import lock_invitation, lock_request, tell


def close(ctx: ts.Context, request_id: UUID) -> Request | None:
    """The deadline has come. None when it was moved meanwhile."""
    request = lock_request(ctx, request_id)
    if request.state != "open" or request.closes_at is None or ctx.now < request.closes_at:
        return None
    request.state = "closed"
    ctx.session.flush()
    ctx.record("rfq.request.close", request)
    return request


def expire(ctx: ts.Context, invitation_id: UUID) -> Invitation | None:
    """The validity of the standing quote has ended. None when there is a newer one."""
    invitation, request = lock_invitation(ctx, invitation_id)
    if invitation.state != "quoted" or invitation.valid_until is None or ctx.now < invitation.valid_until:
        return None
    invitation.state = "expired"
    ctx.session.flush()
    ctx.record("rfq.quote.expire", invitation, request=request.number, version=invitation.quote_version)
    tell(ctx, events.QuoteExpired, request, invitation)
    return invitation

"""The verbs of identity, one file per occasion: coming in, one's own account, the members, the keys."""

from typing import Any

from core.db import Unit
from core.identity.service.rescue import Reset
from core.identity.service.signin import SignedIn
from core.kernel import Actor


def note_reset(unit: Unit, session: Any, done: Reset, remote: str, trace_id: str) -> None:
    """Write a used reset link into the trail of the enterprise that made it."""
    actor = Actor("person", done.person_id, done.name, done.person_id)
    ctx = unit.enter(session, done.tenant_id, actor, trace_id=trace_id, remote=remote)
    ctx.record("account.reset_password", f"person:{done.person_id}", sessions_ended=done.sessions_ended)
    unit.finish(ctx)


def welcome(unit: Unit, session: Any, signed: SignedIn, remote: str, trace_id: str) -> None:
    """Write a finished sign-in into its enterprise's trail. A pending one is no entry yet."""
    principal = signed.principal
    if principal is None:
        return
    ctx = unit.enter(
        session,
        principal.tenant_id,
        principal.actor,
        principal.grants,
        now=principal.now,
        locale=principal.locale,
        trace_id=trace_id,
        remote=remote,
    )
    ctx.record("session.open", f"session:{principal.actor.session_id}")
    unit.finish(ctx)

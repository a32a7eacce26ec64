"""The verbs of identity, one file per occasion: coming in, one's own account, the members, the keys."""

from typing import Any

from core.db import Unit
from core.identity.service.signin import SignedIn


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

"""How a request becomes a Context: authenticate, enter the tenant, run the view, commit; all in one transaction."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request

from core.db import TenantSession, Unit, count_statements
from core.kernel import Context
from core.web.endpoint import Endpoint
from core.web.platform import Platform, Principal, platform
from core.web.problem import Rejected


@dataclass
class Visit:
    """A request nobody has signed in for: a session without a tenant, for the public routes."""

    session: TenantSession
    platform: Platform
    trace_id: str
    remote: str
    agent: str = ""

    def enter(self, principal: Principal) -> Context:
        """Become this principal for the rest of the visit, so that signing in can be recorded; see `finish`."""
        return self.platform.unit.enter(
            self.session,
            principal.tenant_id,
            principal.actor,
            principal.grants,
            now=principal.now,
            locale=principal.locale,
            trace_id=self.trace_id,
            remote=self.remote,
        )

    def finish(self, ctx: Context) -> None:
        self.platform.unit.finish(ctx)


def trace_id() -> str:
    found: str | None = g.get("trace_id")
    if found is None:
        found = g.trace_id = secrets.token_hex(8)
    return found


def fingerprint(route: str, body: bytes) -> bytes:
    return hashlib.sha256(route.encode() + b"\0" + body).digest()


def idempotency_key() -> str:
    """The caller's key, made once by it; refused when missing or unusable (ruling: 400)."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Rejected(400, "idempotency.key_missing")
    if len(key) > 200 or not key.isprintable() or not key.isascii():
        raise Rejected(400, "idempotency.key_unusable")
    return key


def inside(
    endpoint: Endpoint, find: Callable[[Any], Principal | None], work: Callable[[Context], Response]
) -> Response | None:
    """Run `work` for the signed-in principal and commit; None when nobody is signed in."""
    here = platform()

    def attempt() -> Response | None:
        with here.unit.database.session() as session:
            principal = find(session)
            if principal is None:
                session.commit()
                return None
            ctx = here.unit.enter(
                session,
                principal.tenant_id,
                principal.actor,
                principal.grants,
                now=principal.now,
                locale=principal.locale,
                trace_id=trace_id(),
                remote=request.remote_addr or "",
            )
            g.ctx, g.principal = ctx, principal  # for the shell; `close_visit` ends what an error page still asks
            if endpoint.permission:
                ctx.require(endpoint.permission)
            response = work(ctx)
            here.unit.finish(ctx)
            return response

    return counted(lambda: Unit.retrying(attempt))


def close_visit(_error: BaseException | None = None) -> None:
    """teardown: an error page may have read through the context after its transaction ended."""
    if ctx := g.pop("ctx", None):
        ctx.session.close()


def outside(work: Callable[[Visit], Response]) -> Response:
    """Run a public view with a session that belongs to no tenant, and commit."""
    here = platform()
    with here.unit.database.session() as session:
        response = work(Visit(session, here, trace_id(), request.remote_addr or "", str(request.user_agent)[:200]))
        session.commit()
        return response


def counted(call: Callable[[], Response | None]) -> Response | None:
    """With counting switched on (bench, tests) the answer says how many statements it cost."""
    if not platform().count_sql:
        return call()
    with count_statements() as seen:
        response = call()
    if response is not None:
        response.headers["X-Statements"] = str(len(seen))
    return response

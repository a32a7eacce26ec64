"""The circuit breaker of a connection, and its stop when the settings themselves are refused."""

import random
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from core.kernel import Context
from core.sync.model import ErpConnection
from core.sync.outcome import Failed, Outcome, Unknown
from core.sync.plainly import plain

AFTER = 5  # failures in a row that open the circuit
FIRST, LONGEST = 5.0, 300.0  # seconds it stays open
STOP_AFTER = 3  # refusals of the settings in a row that stop the connection
SEEN = timedelta(seconds=5)  # how exactly `last_ok_at` is kept: not every document writes the connection's row


def note(
    ctx: Context,
    tenant_id: UUID,
    connection_id: UUID,
    outcome: Outcome | None,
    *,
    refused: bool,
    pace: float = 1.0,
    called: bool = True,
) -> None:
    """What one call says about its connection. `pace` stretches the waits; tests shorten them.

    A document that was refused before anything was `called` says nothing: it closes no circuit.
    A call that carried several documents is one call: it is noted once for each way they went, see `Result.said`.
    """
    here = (ErpConnection.tenant_id == tenant_id, ErpConnection.id == connection_id)
    if not (refused or _troubled(outcome)):
        if isinstance(outcome, Failed) and not called:
            return
        stale = ErpConnection.last_ok_at.is_(None) | (ErpConnection.last_ok_at < ctx.now - SEEN)
        ctx.session.execute(
            update(ErpConnection)
            .where(*here, (ErpConnection.failures > 0) | stale)
            .values(failures=0, refusals=0, open_until=None, last_ok_at=ctx.now)
        )
        return
    # Without the key, so that whoever writes a document for it need not wait.
    locking = select(ErpConnection).where(*here).with_for_update(key_share=True)
    connection = ctx.session.scalar(locking.execution_options(populate_existing=True))
    assert connection is not None and isinstance(outcome, Failed | Unknown)
    connection.failures += 1
    connection.refusals = connection.refusals + 1 if refused else 0
    connection.last_error = str(plain(f"{outcome.code}: {outcome.message}"))[:500]
    sending = connection.state == "active" or connection.draining_since is not None
    if connection.refusals >= STOP_AFTER and sending:
        connection.state, connection.state_reason = "stopped", connection.last_error
        ctx.record("connection.stop", connection, reason=connection.last_error)
    elif connection.failures >= AFTER:
        seconds = min(FIRST * 2.0 ** (connection.failures - AFTER), LONGEST) * pace
        connection.open_until = ctx.now + timedelta(seconds=seconds * random.uniform(0.75, 1.25))


def _troubled(outcome: Outcome | None) -> bool:
    """Whether an outcome is a sign that something is wrong there: neither what is awaited nor a double is."""
    if isinstance(outcome, Unknown):
        return not (outcome.after or outcome.hopeless or outcome.calm)
    return isinstance(outcome, Failed) and outcome.retry and not outcome.early

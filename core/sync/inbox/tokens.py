"""The token in the address under which another system calls: made here, shown once, kept as a hash."""

import hashlib
import secrets
from uuid import UUID

from core import identity
from core.kernel import Conflict, Context
from core.sync.contract import Connector
from core.sync.service import lock_connection

MARK = "tsp_"


def hashed(token: str) -> bytes:
    """What is kept of a token. Plain sha256 is enough: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def renew_token(ctx: Context, connector: Connector, connection_id: UUID) -> str:
    """A new token for the connection; the one before opens nothing from now on. Needs a fresh second factor.

    The answer is the only time it is seen. Conflict when the connector does not take calls.
    """
    ctx.require("connection.edit")
    identity.require_fresh_second_factor(ctx)
    if not connector.hears:
        raise Conflict("connection.takes_no_calls")
    connection = lock_connection(ctx, connection_id)
    token = MARK + secrets.token_urlsafe(32)
    connection.push_hash = hashed(token)
    ctx.record("connection.renew_token", connection)
    return token


def withdraw_token(ctx: Context, connection_id: UUID) -> None:
    """Nobody calls this connection any more, until a new token is made."""
    ctx.require("connection.edit")
    connection = lock_connection(ctx, connection_id)
    connection.push_hash = None
    ctx.record("connection.withdraw_token", connection)

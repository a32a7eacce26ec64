"""Every invariant that one side can see, asked inside the test's own transaction."""

from sqlalchemy import text

from core.billing.invariants import CHECKS as MONEY
from core.fulfilment.invariants import CHECKS as GOODS
from core.ledger.invariants import CHECKS as BOOKS
from tests.fulfilment.trading import Trade

BOTH_BOOKS = ("I1.receivable", "I1.advances")
"""These compare the books of two enterprises; only `verify` sees both."""


def breaches(trade: Trade) -> dict[str, list[object]]:
    trade.ctx.session.flush()
    checks = [check for check in (*MONEY, *GOODS, *BOOKS) if check[0] not in BOTH_BOOKS]
    found = {ident: list(trade.ctx.session.execute(text(sql))) for ident, _, sql in checks}
    trade.ctx.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    return {ident: rows for ident, rows in found.items() if rows}

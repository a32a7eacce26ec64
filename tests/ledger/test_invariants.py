"""The checks of the books stay silent on sound books and name the rows of broken ones."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import ledger
from core.db import Unit
from core.ledger.invariants import CHECKS
from tests.conftest import Server


def breaches(server: Server, database: str, before: str = "") -> set[str]:
    engine = create_engine(server.url_for("ts_migrator", database), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET ROLE ts_owner"))
        if before:
            connection.execute(text(before))
        found = {ident for ident, _, sql in CHECKS if connection.execute(text(sql)).all()}
        connection.rollback()
    engine.dispose()
    return found


def test_sound_books_break_nothing_and_a_forged_balance_is_named(
    server: Server, unit: Unit, tenant: UUID
) -> None:
    with unit.system(tenant, "sale") as ctx:
        ledger.post(ctx, "payment", "P-1", "CNY", [("bank", Decimal("5")), ("revenue", Decimal("-5"))])
    name = unit.database.name  # type: ignore[attr-defined]
    assert breaches(server, name) == set()
    forged = "UPDATE ts.account SET balance = balance + 1 WHERE code = 'bank'"
    assert breaches(server, name, forged) == {"I1.balance", "I1.zero_sum"}
    lost = "ALTER TABLE ts.ledger_entry DISABLE TRIGGER USER; DELETE FROM ts.ledger_entry WHERE amount < 0"
    assert breaches(server, name, lost) == {"I1.balanced", "I1.balance"}

"""Crossing to the counterparty ends at home, whatever goes wrong on the way, and what went wrong is told as it is."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.db import Unit
from core.kernel import Actor, Context, Refused, uuid7
from core.stock import Warehouse

TENANT_NOW = text("SELECT ts.tenant()")


def crossing(unit: Unit, session: object, tenant: UUID) -> Context:
    return unit.enter(session, tenant, Actor.system("test"), everything=True)  # type: ignore[arg-type]


def test_a_refusal_leaves_the_transaction_at_home(unit: Unit, tenant: UUID, other_tenant: UUID) -> None:
    with unit.database.session() as session:
        ctx = crossing(unit, session, tenant)
        with pytest.raises(Refused), ctx.as_tenant(other_tenant, "seller"):
            assert session.scalar(TENANT_NOW) == other_tenant
            raise Refused("order.wrong_state")
        assert session.scalar(TENANT_NOW) == ctx.tenant_id == tenant


def test_a_failing_statement_is_told_as_it_is_and_the_next_transaction_begins_at_home(
    unit: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    """A lost race inside a crossing must reach the unit of work as itself, which then tries again."""
    with unit.database.session() as session:
        ctx = crossing(unit, session, tenant)
        with pytest.raises(DBAPIError, match="division by zero"), ctx.as_tenant(other_tenant, "seller"):
            session.execute(text("SELECT 1 / 0"))
        session.rollback()
        assert session.scalar(TENANT_NOW) == ctx.tenant_id == tenant


def test_a_row_the_database_refuses_does_not_leave_the_session_with_the_other_side(
    unit: Unit, tenant: UUID, other_tenant: UUID
) -> None:
    with unit.database.session() as session:
        ctx = crossing(unit, session, tenant)
        with pytest.raises(IntegrityError), ctx.as_tenant(other_tenant, "seller"):
            session.add_all(Warehouse(id=uuid7(), tenant_id=other_tenant, code="W1", name="W1") for _ in range(2))
        session.close()
        assert session.scalar(TENANT_NOW) == tenant
        session.rollback()


def test_a_killed_backend_is_told_as_a_lost_database(unit: Unit, tenant: UUID, other_tenant: UUID, server: object) -> None:
    with unit.database.session() as session:
        ctx = crossing(unit, session, tenant)
        with pytest.raises(DBAPIError) as fault, ctx.as_tenant(other_tenant, "seller"):
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            server.run(f"SELECT pg_terminate_backend({pid})")  # type: ignore[attr-defined]
            session.execute(text("SELECT 1"))
        assert fault.value.connection_invalidated
        session.rollback()
        assert session.scalar(TENANT_NOW) == tenant

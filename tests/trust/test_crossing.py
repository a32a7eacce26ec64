"""Crossing to the counterparty ends at home, whatever goes wrong on the way, and what went wrong is told as it is."""

from dataclasses import replace
from uuid import UUID

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.db import Database, Unit
from core.hooks import Dispatch, hookimpl
from core.kernel import Actor, Context, Refused, uuid7
from core.stock import Warehouse
from tests.conftest import make_unit

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


class Kills:
    """A plugin that is asked at the moment the database goes away, or loses a race."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    @hookimpl
    def check_transition(self, ctx: Context) -> None:
        ctx.session.execute(text(self.statement))

    @hookimpl
    def fill_slot(self, ctx: Context) -> None:
        ctx.session.execute(text(self.statement))


DEADLOCK = "DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = 'deadlock_detected'; END $$"
GONE = "DO $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'admin_shutdown'; END $$"


@pytest.mark.parametrize("statement", [DEADLOCK, GONE])
@pytest.mark.parametrize("hook", ["check_transition", "fill_slot"])
def test_what_happens_to_the_database_is_not_the_plugins_fault(
    fresh_db: Database, tenant: UUID, statement: str, hook: str
) -> None:
    """Else a restart of the database would switch off every plugin that was asked meanwhile."""
    dispatch = Dispatch()
    dispatch.register("spot", Kills(statement), {})
    unit = make_unit(fresh_db, dispatch)
    unit.ports = replace(
        unit.ports,
        enabled=lambda ctx, tenant: frozenset({"spot"}),
        settings=lambda ctx, tenant: lambda plugin: {},
    )
    with fresh_db.session() as session:
        ctx = crossing(unit, session, tenant)
        with pytest.raises(DBAPIError) as fault:
            if hook == "check_transition":
                dispatch.decide(hook, ctx, order=None, transition=None)
            else:
                list(dispatch.decorate(hook, ctx, slot="order:panel", subject=None))
        assert isinstance(fault.value.orig, DeadlockDetected) or "gone" in str(fault.value)
        session.rollback()
    assert not dispatch.breakers["spot"].faults

"""A plugin cannot end the transaction it is called in, nor leave its role or tenant: by no road it would take by accident."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.audit.model import AuditEntry
from core.db import count_statements
from core.hooks import Broken, PluginBroke, PluginFailed, hookimpl
from core.kernel import Context

Plugged = Callable[..., Context]
Act = Callable[[Context], Any]


class Runs:
    def __init__(self, act: Act) -> None:
        self.act = act

    @hookimpl
    def check_transition(self, ctx: Context) -> Any:
        return self.act(ctx)

    @hookimpl
    def fill_slot(self, ctx: Context) -> Any:
        return self.act(ctx)


def driver(ctx: Context) -> Any:
    return ctx.session.connection().connection.driver_connection


def says(statement: str) -> Act:
    return lambda ctx: ctx.session.execute(text(statement))


def drives(statement: str) -> Act:
    return lambda ctx: ctx.session.connection().exec_driver_sql(statement)


ROADS: dict[str, Act] = {
    "session.commit": lambda ctx: ctx.session.commit(),
    "session.rollback": lambda ctx: ctx.session.rollback(),
    "session.close": lambda ctx: ctx.session.close(),
    "session.reset": lambda ctx: ctx.session.reset(),
    "session.invalidate": lambda ctx: ctx.session.invalidate(),
    "connection.commit": lambda ctx: ctx.session.connection().commit(),
    "connection.rollback": lambda ctx: ctx.session.connection().rollback(),
    "driver.commit": lambda ctx: driver(ctx).commit(),
    "driver.rollback": lambda ctx: driver(ctx).rollback(),
    "driver.close": lambda ctx: driver(ctx).close(),
    "driver.execute": lambda ctx: driver(ctx).execute("COMMIT"),
    "cursor": lambda ctx: driver(ctx).cursor().execute(b"END"),
    "COMMIT": drives("COMMIT"),
    "commit and chain": drives("/* done */ commit AND CHAIN"),
    "ROLLBACK": says("ROLLBACK"),
    "BEGIN": says("-- again\n BEGIN"),
    "ABORT": says("ABORT"),
    "ROLLBACK TO": says("ROLLBACK TO SAVEPOINT sa_savepoint_1"),
    "RELEASE": says("RELEASE sa_savepoint_1"),
    "PREPARE": says("PREPARE TRANSACTION 'later'"),
    "RESET ROLE": says("RESET ROLE"),
    "SET ROLE": says("SET ROLE ts_app"),
    "SET LOCAL ROLE": drives("set local role ts_app"),
    "AUTHORIZATION": says("SET SESSION AUTHORIZATION DEFAULT"),
    "SET tenant": says("SET LOCAL ts.tenant = ''"),
    "RESET ALL": says("RESET ALL"),
    "DISCARD": says("DISCARD ALL"),
    "set_config": says("SELECT set_config('ts.tenant', '', true)"),
    "set_config role": says("SELECT Set_Config ( 'role', 'ts_app', true)"),
    "set_config by name": lambda ctx: ctx.session.execute(text("SELECT set_config(:n, '', true)"), {"n": "ts.tenant"}),
    "search_path": says("SET search_path = ts"),
    "a block": says("DO $$ BEGIN EXECUTE 'RESET ROLE'; END $$"),
}


def state(ctx: Context) -> tuple[Any, ...]:
    return tuple(
        ctx.session.execute(
            text("SELECT pg_current_xact_id()::text, current_user::text, ts.tenant(), current_setting('strange.mark', true)")
        ).one()
    )


@pytest.fixture
def marked(plugged: Plugged) -> Callable[..., tuple[Context, tuple[Any, ...]]]:
    """A transaction in which something was done before the plugin is asked."""

    def make(act: Act) -> tuple[Context, tuple[Any, ...]]:
        ctx = plugged(rude=Runs(act))
        ctx.session.execute(text("SELECT set_config('strange.mark', 'done before', true)"))
        return ctx, state(ctx)

    return make


@pytest.mark.parametrize("road", ROADS)
def test_no_road_ends_the_transaction_and_the_plugin_is_named(marked: Any, road: str) -> None:
    ctx, before = marked(ROADS[road])
    with pytest.raises(PluginFailed) as refused:
        ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None)
    assert (refused.value.code, refused.value.values["plugin"]) == ("plugin.failed", "rude")
    assert state(ctx) == before


@pytest.mark.parametrize("road", ROADS)
def test_an_attempt_that_is_swallowed_is_found_out(marked: Any, road: str) -> None:
    def swallow(ctx: Context) -> str:
        with suppress(Exception):
            ROADS[road](ctx)
        return "never mind"

    ctx, before = marked(swallow)
    [(_, answer)] = ctx.ports.dispatch.decorate("fill_slot", ctx, slot="order:panel", subject=None)
    assert isinstance(answer, Broken) and "TransactionKept" in answer.reason
    assert state(ctx) == before


@pytest.mark.parametrize("said", [b"COMMIT", b"COMMIT; BEGIN", b"ROLLBACK AND CHAIN"])
def test_a_transaction_that_was_ended_all_the_same_is_given_up_whole_and_loudly(
    marked: Any, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    ctx, _ = marked(lambda ctx: driver(ctx).pgconn.exec_(said))
    told: list[Any] = []
    ctx.ports.dispatch.heard = told.append
    with pytest.raises(PluginBroke) as refused:
        list(ctx.ports.dispatch.decorate("fill_slot", ctx, slot="order:panel", subject=None))
    assert refused.value.code == "plugin.ended_transaction" and refused.value.values["plugin"] == "rude"
    assert [(each.kind, each.opened) for each in told] == [("transaction", True)]
    assert any(record.levelname == "CRITICAL" for record in caplog.records)
    ctx.session.rollback()
    assert ctx.session.scalar(text("SELECT ts.tenant()")) == ctx.tenant_id


@pytest.mark.filterwarnings("ignore:transaction already deassociated")
@pytest.mark.parametrize(
    "act",
    [
        lambda ctx: ctx.session.get_transaction().rollback(),
        lambda ctx: ctx.session.get_transaction().commit(),
        lambda ctx: ctx.session.connection().get_transaction().rollback(),
        lambda ctx: ctx.session.connection().get_transaction().commit(),
        lambda ctx: ctx.session.connection().close(),
        lambda ctx: ctx.session.connection().invalidate(),
    ],
)
def test_where_the_session_is_torn_off_its_transaction_nothing_goes_on_in_another(marked: Any, act: Act) -> None:
    def swallow(ctx: Context) -> str:
        with suppress(Exception):
            act(ctx)
        return "never mind"

    ctx, _ = marked(swallow)
    ctx.session.info["writes_nothing"] = True
    with pytest.raises(PluginBroke) as refused:
        list(ctx.ports.dispatch.decorate("fill_slot", ctx, slot="order:panel", subject=None))
    assert refused.value.code == "plugin.ended_transaction"
    ctx.session.rollback()
    assert ctx.session.scalar(text("SELECT ts.tenant()")) == ctx.tenant_id


def test_a_plugin_that_leaves_for_another_enterprise_is_brought_back(
    plugged: Plugged, tenant: UUID, other_tenant: UUID
) -> None:
    def leave(ctx: Context) -> None:
        ctx.ports.set_tenant(ctx.session, other_tenant)
        ctx.tenant_id = other_tenant

    ctx = plugged(rude=Runs(leave))
    with pytest.raises(PluginFailed, match="another enterprise"):
        ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None)
    assert ctx.tenant_id == tenant == ctx.session.scalar(text("SELECT ts.tenant()"))


def test_savepoints_of_its_own_are_a_plugins_to_end(plugged: Plugged) -> None:
    def careful(ctx: Context) -> Any:
        for line in ("SAVEPOINT mine", "ROLLBACK TO SAVEPOINT mine", "RELEASE mine", "SET CONSTRAINTS ALL IMMEDIATE"):
            ctx.session.execute(text(line))
        list(ctx.ports.dispatch.decorate("search", ctx, query="x"))
        with ctx.session.begin_nested():
            return ctx.session.scalar(text("SELECT 'begin and commit are words here'"))

    class Both(Runs):
        @hookimpl
        def search(self, ctx: Context) -> None:
            with ctx.session.begin_nested():
                ctx.session.execute(text("SELECT 1"))

    ctx = plugged(careful=Both(careful))
    assert ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None) == [
        ("careful", "begin and commit are words here")
    ]


def test_a_flush_that_fails_is_told_as_itself_and_what_comes_after_it_is_refused(plugged: Plugged) -> None:
    def write(ctx: Context) -> None:
        ctx.session.add(AuditEntry(tenant_id=ctx.tenant_id, action="nothing of a plugin's"))
        ctx.session.flush()

    def write_and_go_on(ctx: Context) -> None:
        with suppress(DBAPIError):
            write(ctx)
        driver(ctx).execute("DELETE FROM ts.hold")

    for act, told in ((write, "InsufficientPrivilege"), (write_and_go_on, "rolled back")):
        ctx = plugged(rude=Runs(act))
        with pytest.raises(PluginFailed, match=told):
            ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None)
        assert ctx.session.scalar(text("SELECT current_user || ts.tenant()::text")) == f"ts_app{ctx.tenant_id}"


def test_a_page_and_a_handler_cannot_end_it_either(plugged: Plugged) -> None:
    ctx = plugged(rude=Runs(lambda ctx: None))
    before = state(ctx)
    dispatch = ctx.ports.dispatch
    with pytest.raises(PluginBroke, match="commit"):
        dispatch.visit("rude", "GET /rude", ctx, lambda: ctx.session.commit())
    with pytest.raises(RuntimeError, match="COMMIT"):
        dispatch.hear("rude", "event:OrderConfirmed", ctx, lambda: ROADS["COMMIT"](ctx))
    assert state(ctx) == before

    def works() -> Any:
        with ctx.session.begin_nested():
            return dispatch.decide("check_transition", ctx, order=None, transition=None)

    assert dispatch.visit("rude", "GET /rude", ctx, works) == []


def test_looking_costs_no_statement(plugged: Plugged) -> None:
    ctx = plugged(quiet=Runs(lambda ctx: ctx.session.scalar(text("SELECT 7"))))
    with count_statements() as seen:
        ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None)
        ctx.session.execute(text("VALUES (1)"))
    assert [each.split()[0] for each in seen] == ["SELECT", "SAVEPOINT", "VALUES", "RELEASE"]
    assert "SET LOCAL ROLE" in seen[1] and "RESET ROLE" in seen[3]

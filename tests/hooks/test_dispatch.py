"""Whatever a plugin does in a hook, the command is either carried out whole or refused with the plugin's name."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.db import count_statements
from core.hooks import Broken, Dispatch, Objection, PluginFailed, hookimpl
from core.kernel import Conflict, Context, Refused

Plugged = Callable[..., Context]


class Objects:
    @hookimpl
    def check_transition(self, order: Any) -> Objection:
        return Objection("demo.no", f"not {order}")


class Agrees:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    @hookimpl
    def check_transition(self, ctx: Context) -> None:
        self.seen.append((ctx.plugin, dict(ctx.settings)))


class Raises:
    def __init__(self, fault: BaseException) -> None:
        self.fault = fault

    @hookimpl
    def check_transition(self) -> None:
        raise self.fault

    @hookimpl
    def fill_slot(self) -> None:
        raise self.fault


class Runs:
    """A plugin whose hooks run what the test hands it."""

    def __init__(self, act: Callable[[Context], Any]) -> None:
        self.act = act

    @hookimpl
    def check_transition(self, ctx: Context) -> Any:
        return self.act(ctx)

    @hookimpl
    def fill_slot(self, ctx: Context) -> Any:
        return self.act(ctx)


def decide(ctx: Context) -> list[tuple[str, Any]]:
    return ctx.ports.dispatch.decide("check_transition", ctx, order="order", transition=None)


def decorate(ctx: Context) -> list[tuple[str, Any]]:
    return list(ctx.ports.dispatch.decorate("fill_slot", ctx, slot="order:panel", subject=None))


def works(ctx: Context) -> bool:
    return ctx.session.scalar(text("SELECT current_user || ts.tenant()::text")) == f"ts_app{ctx.tenant_id}"


def test_a_hook_gets_only_the_arguments_it_names_and_its_own_settings(plugged: Plugged) -> None:
    agrees = Agrees()
    ctx = plugged(agrees=agrees, objects=Objects())
    assert decide(ctx) == [("objects", Objection("demo.no", "not order"))]
    assert agrees.seen == [("agrees", {"plugin": "agrees"})]
    assert ctx.plugin is None and ctx.settings == {}


def test_a_plugin_that_is_not_switched_on_is_never_called(plugged: Plugged) -> None:
    agrees = Agrees()
    ctx = plugged(agrees=agrees, objects=Objects(), enabled={"other"})
    assert decide(ctx) == []
    assert agrees.seen == []


def test_plugins_are_asked_in_the_order_they_were_brought_in(plugged: Plugged) -> None:
    asked: list[str] = []
    plugins = {name: Runs(lambda ctx: asked.append(ctx.plugin or "")) for name in ("c", "a", "b")}
    decide(plugged(**plugins))
    assert asked == ["c", "a", "b"]


@pytest.mark.parametrize("fault", [RuntimeError("boom"), SystemExit(3), ZeroDivisionError()])
def test_a_deciding_hook_that_fails_refuses_and_names_the_plugin(plugged: Plugged, fault: BaseException) -> None:
    ctx = plugged(bad=Raises(fault))
    with pytest.raises(PluginFailed) as refused:
        decide(ctx)
    assert refused.value.status == 409
    assert refused.value.code == "plugin.failed"
    assert refused.value.values["plugin"] == "bad"
    assert type(fault).__name__ in refused.value.values["reason"]
    assert works(ctx)


@pytest.mark.parametrize("fault", [RuntimeError("boom"), SystemExit(3)])
def test_a_decorating_hook_that_fails_leaves_the_others_alone(plugged: Plugged, fault: BaseException) -> None:
    ctx = plugged(bad=Raises(fault), good=Runs(lambda ctx: "here"))
    broken, good = decorate(ctx)
    assert isinstance(broken[1], Broken) and broken[1].plugin == "bad"
    assert good == ("good", "here")
    assert works(ctx)


def test_a_refusal_by_a_plugin_passes_as_it_is_but_hides_a_decoration(plugged: Plugged) -> None:
    ctx = plugged(strict=Raises(Refused("strict.no")))
    with pytest.raises(Refused, match=r"strict\.no"):
        decide(ctx)
    assert decorate(ctx) == [("strict", None)]


def test_what_a_failing_hook_wrote_is_undone_and_the_command_goes_on(plugged: Plugged) -> None:
    def write_and_fail(ctx: Context) -> None:
        ctx.session.execute(text("SELECT set_config('ts.mark', 'written', true)"))
        raise ValueError("after writing")

    ctx = plugged(bad=Runs(write_and_fail))
    assert isinstance(decorate(ctx)[0][1], Broken)
    assert ctx.session.scalar(text("SELECT coalesce(current_setting('ts.mark', true), '')")) == ""


def test_a_swallowed_database_error_does_not_poison_the_transaction(plugged: Plugged) -> None:
    def swallow(ctx: Context) -> str:
        try:
            ctx.session.execute(text("SELECT 1 / 0"))
        except Exception:
            return "never mind"
        return ""

    ctx = plugged(careless=Runs(swallow))
    assert isinstance(decorate(ctx)[0][1], Broken)
    assert works(ctx)


def test_a_statement_that_could_not_even_be_said_leaves_its_plugin_in_order(plugged: Plugged) -> None:
    """Its savepoint and role were to travel with it."""

    class Odd:
        @hookimpl
        def fill_slot(self, ctx: Context) -> Any:
            with suppress(Exception):
                ctx.session.execute(text("SELECT :odd"), {"odd": object()})
            return ctx.session.scalar(text("SELECT current_user"))

    ctx = plugged(odd=Odd())
    assert [answer for _, answer in ctx.ports.dispatch.decorate("fill_slot", ctx, slot="x", subject=None)] == ["ts_plugin"]
    assert ctx.session.scalar(text("SELECT current_user")) == "ts_app"


def test_readers_cost_their_own_messages_and_no_more(plugged: Plugged, tmp_path: Path) -> None:
    class Reads:
        @hookimpl
        def check_transition(self, ctx: Context) -> Any:
            ctx.session.scalar(text("SELECT ts.tenant()"))

    ctx = plugged(one=Reads(), two=Reads(), three=Reads())
    wire = ctx.session.connection().connection.driver_connection.pgconn

    def ask() -> None:
        ctx.ports.dispatch.decide("check_transition", ctx, order=None, transition=None)
        ctx.session.execute(text("SELECT ts.clock()"))

    for _ in range(6):  # by then psycopg has prepared both statements
        ask()
    with (tmp_path / "trace").open("w+") as file:
        wire.trace(file.fileno())
        ask()
        wire.untrace()
        file.seek(0)
        said = file.read()
    assert said.count("\tSync") + said.count("\tQuery") == 4
    assert said.count("SAVEPOINT") and said.count("ROLE")


def test_plugin_code_reads_as_the_plugin_role_and_writes_no_table_of_the_core(plugged: Plugged) -> None:
    seen: list[str] = []

    def look(ctx: Context) -> None:
        seen.append(ctx.session.scalar(text("SELECT current_user")))
        ctx.session.execute(text("DELETE FROM ts.trade_order"))

    ctx = plugged(nosy=Runs(look))
    with pytest.raises(PluginFailed, match="InsufficientPrivilege"):
        decide(ctx)
    assert seen == ["ts_plugin"]
    assert works(ctx)


def test_a_hook_that_runs_no_sql_costs_no_statement(plugged: Plugged) -> None:
    ctx = plugged(quiet=Runs(lambda ctx: None))
    with count_statements() as seen:
        decide(ctx)
    assert seen == []


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_a_hook_that_ends_the_transaction_is_refused(plugged: Plugged, end: str) -> None:
    ctx = plugged(rude=Runs(lambda ctx: getattr(ctx.session, end)()))
    ctx.session.execute(text("SELECT set_config('ts.mark', 'before', false)"))
    with pytest.raises(PluginFailed) as refused:
        decide(ctx)
    assert refused.value.values["plugin"] == "rude"
    assert works(ctx)


def test_a_hook_that_commits_has_committed_nothing(plugged: Plugged) -> None:
    def write_and_commit(ctx: Context) -> None:
        ctx.session.execute(text("SELECT set_config('ts.mark', 'committed', false)"))
        ctx.session.commit()

    ctx = plugged(rude=Runs(write_and_commit))
    assert isinstance(decorate(ctx)[0][1], Broken)
    assert ctx.session.scalar(text("SELECT coalesce(current_setting('ts.mark', true), '')")) == ""


def test_a_hook_may_use_savepoints_of_its_own(plugged: Plugged) -> None:
    def try_twice(ctx: Context) -> str:
        try:
            with ctx.session.begin_nested():
                ctx.session.execute(text("SELECT 1 / 0"))
        except Exception:
            with ctx.session.begin_nested():
                return str(ctx.session.scalar(text("SELECT 'second try'")))
        return ""

    ctx = plugged(careful=Runs(try_twice))
    assert decorate(ctx) == [("careful", "second try")]
    assert works(ctx)


def test_a_hook_called_inside_a_hook_leaves_the_role_of_the_outer_one(plugged: Plugged) -> None:
    roles: list[str] = []

    def outer(ctx: Context) -> None:
        ctx.session.execute(text("SELECT 1"))
        list(ctx.ports.dispatch.decorate("search", ctx, query="x"))
        roles.append(ctx.session.scalar(text("SELECT current_user")))

    class Both(Runs):
        @hookimpl
        def search(self, ctx: Context) -> None:
            roles.append(ctx.session.scalar(text("SELECT current_user")))

    ctx = plugged(both=Both(outer))
    decide(ctx)
    assert roles == ["ts_plugin", "ts_plugin"]
    assert works(ctx)


def test_after_five_faults_the_breaker_passes_the_plugin_over(plugged: Plugged) -> None:
    ctx = plugged(bad=Raises(RuntimeError("boom")))
    for _ in range(5):
        decorate(ctx)
    calls: list[str] = []
    ctx.ports.dispatch.manager.get_plugin("bad").fault = _Counting(calls)
    assert isinstance(decorate(ctx)[0][1], Broken)
    with pytest.raises(PluginFailed) as refused:
        decide(ctx)
    assert refused.value.code == "plugin.out_of_order"
    assert calls == []


class _Counting(RuntimeError):
    def __init__(self, calls: list[str]) -> None:
        super().__init__()
        self.calls = calls

    def with_traceback(self, tb: Any) -> "_Counting":
        self.calls.append("raised")
        return self


def test_an_unknown_hook_argument_is_refused_when_the_plugin_comes_in() -> None:
    class Odd:
        @hookimpl
        def check_transition(self, ctx: Context, colour: str) -> None: ...

    with pytest.raises(Exception, match="colour"):
        Dispatch().register("odd", Odd())


def test_an_unknown_hook_is_refused_when_the_plugin_comes_in() -> None:
    class Odd:
        @hookimpl
        def before_everything(self) -> None: ...

    with pytest.raises(Exception, match="before_everything"):
        Dispatch().register("odd", Odd())


def test_a_plugin_error_is_a_conflict_for_the_web() -> None:
    assert issubclass(PluginFailed, Conflict)


def test_generators_of_hooks_are_exhausted_one_by_one(plugged: Plugged) -> None:
    asked: list[str] = []

    def ask(ctx: Context) -> str:
        asked.append(ctx.plugin or "")
        return "x"

    ctx = plugged(a=Runs(ask), b=Runs(ask))
    found: Iterator[Any] = ctx.ports.dispatch.decorate("fill_slot", ctx, slot="s", subject=None)
    next(found)
    assert asked == ["a"]


def test_a_glance_costs_its_own_statement_and_a_failing_one_shows_nothing(plugged: Plugged) -> None:
    ctx = plugged(menu=Agrees())
    dispatch = ctx.ports.dispatch
    with count_statements() as seen:
        assert dispatch.glance("menu", "menu", ctx, lambda ctx: ctx.session.scalar(text("SELECT 7"))) == 7
    assert len(seen) == 1
    assert isinstance(dispatch.glance("menu", "menu", ctx, lambda ctx: ctx.session.scalar(text("SELECT 1 / 0"))), Broken)
    assert works(ctx)
    assert dispatch.glance("absent", "menu", ctx, lambda ctx: 1) is None


def test_a_plugin_that_is_stopped_everywhere_refuses_commands_and_shows_nothing(plugged: Plugged) -> None:
    agrees = Agrees()
    ctx = plugged(agrees=agrees, shows=Runs(lambda ctx: "shown"))
    ctx.ports.dispatch.stopped = {"agrees": "the operator says so", "shows": "too slow"}
    with pytest.raises(PluginFailed) as refused:
        decide(ctx)
    assert refused.value.code == "plugin.out_of_order"
    assert refused.value.values["reason"] == "the operator says so"
    found = list(ctx.ports.dispatch.decorate("fill_slot", ctx, slot="order:panel", subject=None))
    assert found == [("shows", Broken("shows", "too slow"))]
    assert agrees.seen == []
    ctx.ports.dispatch.stopped = {}
    assert decide(ctx) == [("shows", "shown")]


def test_every_fault_is_told_and_the_one_that_opens_the_breaker_says_so(plugged: Plugged) -> None:
    ctx = plugged(bad=Raises(ValueError("no")))
    told: list[Any] = []
    ctx.ports.dispatch.heard = told.append
    for _ in range(5):
        with pytest.raises(PluginFailed):
            decide(ctx)
    assert [(fault.plugin, fault.hook, fault.kind, fault.opened) for fault in told] == [
        ("bad", "check_transition", "error", False)
    ] * 4 + [("bad", "check_transition", "error", True)]


def test_a_plugin_out_of_order_is_not_asked_whether_it_may_be_switched_off(plugged: Plugged) -> None:
    class Clings(Agrees):
        @hookimpl
        def tenant_enabled(self) -> None:
            self.seen.append("on")

        @hookimpl
        def tenant_disabled(self) -> None:
            raise RuntimeError("never")

    clings = Clings()
    ctx = plugged(clings=clings)
    dispatch = ctx.ports.dispatch
    with pytest.raises(PluginFailed, match="never"):
        dispatch.tell("clings", "tenant_disabled", ctx)
    dispatch.stopped = {"clings": "the operator says so"}
    dispatch.tell("clings", "tenant_disabled", ctx)
    with pytest.raises(PluginFailed, match="out_of_order"):
        dispatch.tell("clings", "tenant_enabled", ctx)
    assert clings.seen == []

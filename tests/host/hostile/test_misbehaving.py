"""Eight plugins that misbehave while they run, each in a scenario of its own; after each the same is true of the house.

The platform serves on: the other pair trades. The culprit is named in the answer. It is stopped, and its page says why. Its
gates stay and say who may lift them. No row of the core and of the other plugins has changed.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.host.hostile.checksums import Sums, changed, checksums
from tests.host.hostile.conftest import BIG, Stage, soon
from tests.trust.clients import Said

pytestmark = pytest.mark.slow
SELLER, BUYER = "lianhang", "hengke"


@dataclass
class Trouble:
    """One plugin, switched on at the seller, with a gate of its own on an order that was placed before it misbehaved."""

    stage: Stage
    plugin: str
    gated: str
    before: Sums
    answers: list[Said] = field(default_factory=list)

    def big_order(self, patience: float = 30.0) -> Said:
        """What the plugin stumbles over."""
        said = self.stage.place(BUYER, SELLER, BIG, patience)
        self.answers.append(said)
        return said

    def until_it_is_stopped(self, times: int = 5) -> None:
        """Big orders, each refused by name, until its breaker opens in every process."""
        for _ in range(times):
            said = self.big_order()
            assert (said.status, said.body["code"]) == (409, "plugin.failed"), said
            assert self.plugin in said.body["detail"]
        soon(lambda: self.stage.plugin(self.plugin)["by"], 3)

    def checked(self, reason: str, taken: bool = False) -> None:
        """What is true after every one of them. `reason` is in the words why it was stopped; `taken`: its order was, too."""
        stage, plugin = self.stage, self.plugin
        spoilt = changed(self.before, checksums(stage.sql, f"plugin_{plugin}"))
        before = checksums(stage.sql)
        stage.traded("zhuda", "yongtai")
        written_by_trade = changed(before, stage.at_rest()) if taken else []
        assert set(spoilt) <= set(written_by_trade), spoilt

        stopped = stage.plugin(plugin)
        assert stopped["by"] == "platform" and reason in stopped["reason"], stopped
        assert any(reason in why for _, _, why in stage.faults(plugin))
        page = stage.page(SELLER, f"/plugins/{plugin}")
        assert reason in page, page

        refused = self.big_order()
        assert (refused.status, refused.body["code"]) == (409, "plugin.out_of_order"), refused
        assert plugin in refused.body["detail"] and reason in refused.body["detail"]

        found = stage.ask(SELLER, "GET", f"/orders/{self.gated}").body
        [gate] = found["gates"]
        assert (gate["plugin"], gate["state"], gate["orphaned"]) == (plugin, "open", "stopped")
        assert [hold["key"] for hold in found["holds"]] == [f"plugin_quarantined:{plugin}"]
        shown = stage.page(BUYER, f"/orders/{self.gated}")
        assert reason in shown and "permission order.gate" in shown and "operator lifts it" in shown
        goods = {"lines": [{"line_id": found["lines"][0]["id"], "quantity": "1"}]}
        kept = stage.ask(SELLER, "POST", f"/orders/{self.gated}/shipments", goods)
        assert (kept.status, kept.body["code"]) == (409, "order.gate_plugin_stopped"), kept

    def lifted(self) -> None:
        """The minute is over for the database; and the seller does without the gate, and says why."""
        stage = self.stage
        stage.sql("UPDATE ts.plugin SET stopped_by = NULL, stopped_reason = NULL WHERE name = %s", self.plugin)
        stage.switch(self.plugin, on=False)
        waive = f"/orders/{self.gated}/gates/{self.plugin}:seen/waive"
        waived = stage.ask(SELLER, "POST", waive, {"reason": "seen by ourselves"})
        assert waived.status == 200, waived
        told = "SELECT action FROM ts.audit_entry WHERE object_id = %s AND detail ->> 'reason' = 'seen by ourselves'"
        assert stage.sql(told, self.gated)


@contextmanager
def trouble(stage: Stage, plugin: str) -> Iterator[Trouble]:
    stage.switch(plugin, on=True)
    gated = stage.traded(BUYER, SELLER)
    found = Trouble(stage, plugin, gated, stage.at_rest(f"plugin_{plugin}"))
    try:
        yield found
    except BaseException:
        stage.switch(plugin, on=False)  # so that the next has its own trouble only
        raise
    found.lifted()


def test_a_hook_that_raises(stage: Stage) -> None:
    with trouble(stage, "raises") as it:
        it.until_it_is_stopped()
        it.checked("ZeroDivisionError: nobody thought of big orders")


def test_a_hook_that_ends_the_process(stage: Stage) -> None:
    processes = stage.processes()
    with trouble(stage, "exits") as it:
        it.until_it_is_stopped()
        it.checked("SystemExit: enough")
    assert stage.processes() == processes


def test_a_hook_that_sleeps_for_a_minute(stage: Stage) -> None:
    with trouble(stage, "sleeps") as it:
        waiting = threading.Thread(target=it.big_order, args=(4.0,))  # a caller who gives up after a while
        waiting.start()
        soon(lambda: stage.plugin("sleeps")["by"], 4)  # while it still sleeps
        it.checked("check_transition takes longer than it may")
        waiting.join()


def test_a_hook_that_breaks_the_transaction_and_says_nothing(stage: Stage) -> None:
    with trouble(stage, "breaks") as it:
        it.until_it_is_stopped()
        it.checked("went on after a database error")


def test_a_hook_that_commits_by_every_road(stage: Stage) -> None:
    with trouble(stage, "commits") as it:
        it.until_it_is_stopped()
        it.checked("commit() is not for a plugin")


def test_a_handler_that_grows_has_the_worker_replaced(stage: Stage) -> None:
    worker = stage.processes()["worker"]
    with trouble(stage, "grows") as it:
        assert it.big_order().status == 201  # its own hooks have nothing against it
        soon(lambda: stage.processes().get("worker", worker) != worker, 30)
        [(hook, kind, _)] = stage.faults("grows")
        assert (hook, kind) == ("event:OrderSubmitted", "memory")
        it.checked("memory grew by", taken=True)


def test_a_hook_that_forgets_the_tenant_and_writes_for_another(stage: Stage) -> None:
    stage.note("yongtai", "foreign")
    with trouble(stage, "foreign") as it:
        own = checksums(stage.sql)["plugin_foreign.note"]
        it.until_it_is_stopped()
        it.checked("InsufficientPrivilege")
        assert checksums(stage.sql)["plugin_foreign.note"] == own


def test_a_hook_that_writes_tables_of_the_core(stage: Stage) -> None:
    with trouble(stage, "writes_core") as it:
        it.until_it_is_stopped()
        it.checked("InsufficientPrivilege")


def test_the_checksums_find_a_single_changed_amount(stage: Stage) -> None:
    before = stage.at_rest()
    first = "WHERE id = (SELECT id FROM ts.order_line ORDER BY id LIMIT 1)"
    stage.sql(f"UPDATE ts.order_line SET unit_price = unit_price + 0.0001 {first}")
    assert changed(before, checksums(stage.sql)) == ["ts.order_line"]
    stage.sql(f"UPDATE ts.order_line SET unit_price = unit_price - 0.0001 {first}")
    assert changed(before, checksums(stage.sql)) == []

"""What the operator has in hand: the kill switch over all enterprises and processes, a start without any plugin, a limit."""

import pytest

from core.catalog.events import ProductsImported
from core.kernel import uuid7
from tests.host.hostile.conftest import HUGE, SMALL, Stage, served, soon

pytestmark = pytest.mark.slow
WHY = "its author called: do not use it"


@pytest.fixture(scope="module")
def one(bare: Stage) -> Stage:
    """A house with one plugin, which is well as long as orders are small, switched on by both sellers."""
    outcome = bare.hand_in("raises")
    assert outcome.state == "done", outcome
    for seller in ("lianhang", "yongtai"):
        bare.enable(seller, "raises")
    return bare


def test_the_kill_switch_reaches_every_process_and_every_enterprise_and_says_why(one: Stage) -> None:
    with served(one, workers=2) as stage:
        gated = stage.traded("hengke", "lianhang")
        stopped = stage.ask("operator", "POST", "/plugins/raises/stop", {"reason": WHY})
        assert stopped.status == 200, stopped
        for _ in range(2):  # all of them within two seconds, whichever process answers
            soon(lambda: all(_refused(stage) for _ in range(8)), 2.5)

        for key in ("lianhang", "yongtai"):
            assert WHY in stage.page(key, "/plugins/raises")
            assert WHY in stage.page(key, "/plugins") or "Stopped" in stage.page(key, "/plugins")
        assert WHY in stage.page("lianhang", f"/orders/{gated}")
        refused = stage.place("zhuda", "yongtai", SMALL)
        assert (refused.status, refused.body["code"]) == (409, "plugin.out_of_order") and WHY in refused.body["detail"]

        off = stage.ask("lianhang", "POST", "/plugins/raises/disable", {"drain": False})
        assert off.status == 200, off  # it is not asked
        assert stage.ask("hengke", "GET", f"/orders/{gated}").body["gates"][0]["state"] == "open"
        stage.sql("UPDATE ts.plugin SET stopped_by = NULL, stopped_reason = NULL, stopped_at = NULL")
        soon(lambda: stage.place("zhuda", "yongtai", SMALL).status == 201, 3)


def _refused(stage: Stage) -> bool:
    said = stage.place("hengke", "lianhang", SMALL)
    return (said.status, said.body["code"] if said.status == 409 else "") == (409, "plugin.out_of_order")


def test_in_safe_mode_the_house_serves_without_any_plugin_and_nothing_is_lost(one: Stage) -> None:
    with served(one, "--safe-mode") as stage:
        loaded = "SELECT DISTINCT loaded::text FROM ts.plugin_process WHERE seen_at > now() - interval '2 seconds'"
        assert stage.sql(loaded) == [("{}",)]
        assert stage.ask("zhuda", "GET", "/orders").status == 200
        assert stage.page("zhuda", "/orders")
        placed = stage.place("zhuda", "yongtai", SMALL)
        assert placed.status in (409, 422), placed  # nobody brings the mode it would be traded in
        waiting = "SELECT count(*) FROM ts.outbox_event WHERE state = 'waiting'"
        with stage.house.acting("yongtai") as ctx:  # something happens all the same
            ctx.publish(ProductsImported(ctx.tenant_id, uuid7(), 1, 0))
        soon(lambda: stage.sql(waiting) == [(1,)], 5)
    with served(one) as stage:
        soon(lambda: stage.sql(waiting) == [(0,)], 5)
        assert stage.place("zhuda", "yongtai", SMALL).status == 201


def test_a_web_process_past_its_limit_is_replaced_without_a_failed_request(one: Stage) -> None:
    outcome = one.hand_in("grows")
    assert outcome.state == "done", outcome
    one.sql("UPDATE ts.plugin_enablement SET state = 'disabled' WHERE plugin = 'raises'")
    one.enable("lianhang", "grows")
    with served(one, workers=2, web_memory="1") as stage:
        before = webs(stage)
        assert stage.place("hengke", "lianhang", HUGE).status == 201
        answers = []

        def replaced() -> bool:
            answers.append(stage.ask("zhuda", "GET", "/orders").status)
            now = webs(stage)
            return len(now) == 2 and now != before

        soon(replaced, 40)
        assert set(answers) == {200}
        assert ("memory",) in stage.sql("SELECT DISTINCT kind FROM ts.plugin_fault WHERE plugin = 'grows' AND hook <> %s", HEARS)
        assert stage.plugin("grows")["by"] == "platform"


HEARS = "event:OrderSubmitted"  # where the worker saw it


def webs(stage: Stage) -> set[str]:
    reporting = "SELECT id FROM ts.plugin_process WHERE kind = 'web' AND seen_at > clock_timestamp() - interval '2 seconds'"
    return {name for (name,) in stage.sql(reporting)}

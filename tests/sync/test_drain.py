"""Draining: what is queued goes out, nothing new is begun, then it stands still until somebody resumes it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.kernel import Conflict, Context, Forbidden
from core.sync import drain, pause, replay, resume, schedule, standings, sync_now
from tests.sync.test_sync_pages import act, api, app, signed_in, texts, troubled  # noqa: F401


def seller(house: Any) -> Any:
    return house.app.system(house.seller, "test")


def stand(house: Any) -> tuple[str, int | None]:
    with seller(house) as ctx:
        (row,) = standings(ctx)
        return row.state, row.left


def act_on(house: Any, verb: Callable[..., Any], *more: Any) -> Any:
    with seller(house) as ctx:
        return verb(ctx, house.connection_id, *more)


def test_what_is_queued_goes_out_and_what_comes_later_waits(house: Any, engine: Any) -> None:
    house.order("SO-1")
    house.order("SO-2")
    (under_way, *_) = engine.claim(1)
    act_on(house, drain, "月末停机")
    assert stand(house) == ("paused", 2)
    house.order("SO-3")
    assert stand(house) == ("paused", 2)
    assert engine.run(under_way) == "done"
    assert [engine.run(task) for task in engine.claim()] == ["done"]
    assert engine.claim() == [] and stand(house) == ("paused", 0)
    assert house.states() == {"SO-1": "done", "SO-2": "done", "SO-3": "new"}
    act_on(house, resume)
    assert stand(house) == ("active", None)
    assert house.push(engine) == ["done"] and set(house.bills()) == {"SO-1", "SO-2", "SO-3"}
    assert house.sql("SELECT detail ->> 'reason' FROM ts.audit_entry WHERE action = 'connection.drain'") == [("月末停机",)]


def test_an_uncertain_document_is_settled_before_it_is_drained(house: Any, engine: Any) -> None:
    house.kingdee.faults.set([{"match": "Save", "mode": "drop_after", "times": 1}])
    house.order("SO-1")
    (task,) = engine.claim()
    assert engine.run(task) == "unknown"
    act_on(house, drain)
    assert stand(house) == ("paused", 1)
    house.later(30)
    house.push(engine)
    assert house.states() == {"SO-1": "done"} and stand(house) == ("paused", 0)
    assert len(house.bills()["SO-1"]) == 1


def test_what_is_replayed_meanwhile_waits_too(troubled: Any, engine: Any) -> None:  # noqa: F811
    act_on(troubled, drain)
    assert stand(troubled) == ("paused", 0)
    assert act_on(troubled, replay) == 2
    assert engine.claim() == [] and stand(troubled) == ("paused", 0)
    act_on(troubled, resume)
    assert len(engine.claim()) == 2


def test_no_stream_starts_and_a_run_under_way_counts_as_left(house: Any) -> None:
    act_on(house, sync_now, "products")
    house.sql("UPDATE ts.sync_stream SET next_at = NULL WHERE key = 'check'")
    puller = house.puller()
    claimed = puller.claim()
    act_on(house, schedule, "stock", 5)
    act_on(house, drain)
    assert puller.claim() is None and stand(house) == ("paused", 1)
    assert puller.run(claimed) == "done"
    assert stand(house) == ("paused", 0)
    with pytest.raises(Conflict):
        act_on(house, sync_now, "products")


def test_pausing_ends_a_drain_at_once_and_nothing_is_lost(house: Any, engine: Any) -> None:
    house.order("SO-1")
    act_on(house, drain)
    house.order("SO-2")
    act_on(house, pause)
    assert stand(house) == ("paused", None) and engine.claim() == []
    for verb in (pause, drain):
        with pytest.raises(Conflict):
            act_on(house, verb)
    act_on(house, resume)
    assert sorted(house.push(engine)) == ["done", "done"]


def test_an_order_being_written_while_it_is_drained_is_finished_or_waits(house: Any, engine: Any) -> None:
    """Whoever wrote first is counted; the drain waits for it, so its 0 is true."""
    house.order("SO-1")
    with ThreadPoolExecutor(1) as pool, seller(house) as writing:
        writing.session.connection().exec_driver_sql(
            "INSERT INTO ts.sync_document"
            " (id, tenant_id, connection_id, kind, object_id, intent, version, idem_key, reference, total, body)"
            " SELECT gen_random_uuid(), tenant_id, connection_id, kind, object_id, intent, 99, 'late', 'SO-9', total, body"
            " FROM ts.sync_document"
        )
        draining = pool.submit(act_on, house, drain)
        with pytest.raises(TimeoutError):
            draining.result(0.5)
    draining.result(10)
    assert stand(house) == ("paused", 2)


def test_draining_needs_the_right_to_change_connections(house: Any, make_ctx: Callable[..., Context]) -> None:
    with pytest.raises(Forbidden):
        drain(make_ctx(tenant_id=house.seller, grants={"connection.view": None}), house.connection_id)


@pytest.mark.parametrize(
    ("language", "asked", "draining", "drained"),
    [
        ("en", "Drain 金蝶云·星空?", "Draining, 1 left", "the other system may be taken down"),
        ("zh-CN", "排空 金蝶云·星空？", "排空中，剩 1 项", "对方系统可以停机"),
    ],
)
def test_the_page_asks_says_what_is_left_and_that_it_stands_still(
    house: Any,
    engine: Any,
    signed_in: Any,  # noqa: F811
    language: str,
    asked: str,
    draining: str,
    drained: str,
) -> None:
    it, here = signed_in("it", language=language), f"/connections/{house.connection_id}"
    house.order("SO-1")
    assert asked in texts(it, f"{here}/drain") and asked in texts(it, here)
    assert act(it, f"{here}/drain", f"{here}/drain").status_code == 303
    assert draining in texts(it, here) and draining in texts(it, "/connections")
    house.push(engine)
    assert drained in texts(it, here) and f'action="{here}/resume"' in texts(it, here)
    sales = texts(signed_in("seller.sales", language=language), here)
    assert f"{here}/drain" not in sales and drained in sales


def test_the_api_drains_and_counts_down(troubled: Any, api: Any, engine: Any) -> None:  # noqa: F811
    here = f"/connections/{troubled.connection_id}"
    troubled.order("SO-9")
    made = api("POST", f"{here}/drain", {"reason": "停机"})
    assert (made.status_code, made.json["state"], made.json["left"]) == (200, "paused", 1)
    assert api("POST", f"{here}/drain", {}).status_code == 409
    troubled.push(engine)
    found = api("GET", here).json
    assert (found["left"], found["draining_since"] is None) == (0, False)
    (row,) = api("GET", "/connections").json["rows"]
    assert row["left"] == 0
    assert api("POST", f"{here}/resume").json["draining_since"] is None

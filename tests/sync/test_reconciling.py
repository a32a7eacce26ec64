"""A day counted on both sides: what differs is listed with what to do, and doing it never makes a second document."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from time import sleep
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from core.kernel import Conflict, Invalid
from core.orders import TradeOrder
from core.sync import RetryLater, enqueue, pause
from core.sync.facts import booked_on
from core.sync.reconciling import (
    Reconciler,
    SyncDifference,
    SyncTally,
    act_on,
    differences_of,
    tallies,
    tally_day,
)
from core.sync.reconciling.comparing import Ours, Theirs, compare, gathered, held_of
from tests.sync.test_sync_pages import app, signed_in  # noqa: F401

D = Decimal


def ours(reference: str, expected: bool | None = True, total: str = "10") -> Ours:
    return Ours(uuid4(), uuid4(), reference, "CNY", D(total), expected)


def theirs(reference: str, total: str = "10.00", cancelled: bool = False, times: int = 1) -> Theirs:
    return Theirs(reference, D(total), cancelled, times)


@pytest.mark.parametrize(
    ("one", "other", "kind", "act"),
    [
        (ours("A"), theirs("A"), None, None),
        (ours("A"), None, "missing_there", "replay"),
        (ours("A"), theirs("A", "10.01"), "differs", "look"),
        (ours("A"), theirs("A", cancelled=True), "cancelled_there", "look"),
        (ours("A", False), theirs("A"), "alive_there", "cancel"),
        (ours("A", False), theirs("A", cancelled=True), None, None),
        (ours("A", False), None, None, None),
        (ours("A", None), None, None, None),
        (None, theirs("B"), "missing_here", "look"),
        (None, theirs("B", cancelled=True), None, None),
        (None, theirs("KNOWN"), None, None),
        (ours("A"), theirs("A", "20", times=2), "twice_there", "look"),
        (ours("A", False), theirs("A", times=2), "twice_there", "look"),
    ],
)
def test_what_differs(one: Ours | None, other: Theirs | None, kind: str | None, act: str | None) -> None:
    there = {other.reference: other} if other else {}
    found = compare([one] if one else [], there, ["KNOWN"])
    assert [(each.kind, each.act) for each in found] == ([(kind, act)] if kind else [])


def test_documents_of_one_reference_are_counted_together() -> None:
    listed = [("A", D(1), True), ("A", D(2), False), ("A", D(3), True), ("A", D(4), False), ("B", D(5), True), ("B", D(6), True)]
    assert gathered(listed) == {"A": theirs("A", "6", times=2), "B": theirs("B", "5", cancelled=True)}


def test_their_figures_stand_beside_ours_of_the_same_documents() -> None:
    told = [theirs("A"), theirs("B", times=2), theirs("C"), theirs("D"), theirs("E", cancelled=True)]
    there = {each.reference: each for each in told}
    mine = [ours("A"), ours("B"), ours("C", None)]  # C is under way, D of another day
    assert [each.reference for each in held_of(mine, there, ["A", "D"])] == ["A", "B"]


def count(house: Any, day: Any = None) -> tuple[SyncTally, list[tuple[str, str, str]]]:
    """Ask for today and let the worker count."""
    with house.app.system(house.seller, "test") as ctx:
        id = tally_day(ctx, house.connection_id, day or booked_on(ctx, ctx.now)).id
    reconciler = Reconciler(house.worker, house.registry, house.rules)
    while claimed := reconciler.claim():
        reconciler.run(claimed)
    with house.app.system(house.seller, "test") as ctx:
        rows = [(each.reference, each.kind, each.act) for each in differences_of(ctx, id)]
        return ctx.session.get_one(SyncTally, id), rows


@pytest.fixture
def filed(house: Any, engine: Any) -> Any:
    """Three orders, all in the ERP."""
    for number in ("SO-1", "SO-2", "SO-3"):
        house.order(number)
    house.push(engine)
    assert set(house.states().values()) == {"done"}
    return house


def test_a_day_on_which_both_sides_hold_the_same(filed: Any) -> None:
    tally, rows = count(filed)
    assert (tally.state, tally.ours, tally.theirs, tally.differing, rows) == ("done", 3, 3, 0, [])
    assert D(tally.our_sums["CNY"]) == D(tally.their_sums["CNY"]) == 3 * D("12316")
    assert (tally.checked, tally.total) == (3, 3)


def test_a_document_that_vanished_is_sent_again_when_somebody_says_so_and_lands_once(
    filed: Any, engine: Any
) -> None:
    vanish(filed, "SO-2")
    tally, rows = count(filed)
    assert rows == [("SO-2", "missing_there", "replay")]
    assert (tally.ours, tally.theirs) == (3, 2)
    with filed.app.system(filed.seller, "test") as ctx:
        (row,) = differences_of(ctx, tally.id)
        assert act_on(ctx, row.id).acted_by
        with pytest.raises(Conflict, match="document_moved"):
            act_on(ctx, row.id)
    filed.push(engine)
    assert {number: len(bills) for number, bills in filed.bills().items()} == {
        "SO-1": 1,
        "SO-2": 1,
        "SO-3": 1,
    }
    assert count(filed)[1] == []


def vanish(house: Any, number: str) -> None:
    """Somebody deleted the document there."""
    store = house.kingdee.store
    with store.lock:
        for bill in store.all_by_number("SAL_SaleOrder", number):
            store.remove(bill)


def test_what_somebody_did_there_is_seen(filed: Any) -> None:
    """A second bill of one reference, another date, and a bill of ours that we know nothing of."""
    store = filed.kingdee.store
    with store.lock:
        (first,) = store.all_by_number("SAL_SaleOrder", "SO-1")
        store.put(replace(first, id=store.new_id()))
        (second,) = store.all_by_number("SAL_SaleOrder", "SO-2")
        second.head["FDate"] = "2026-01-31"
        store.put(second)
    filed.sql("DELETE FROM ts.sync_document WHERE reference = 'SO-3'")
    tally, rows = count(filed)
    assert rows == [("SO-1", "twice_there", "look"), ("SO-3", "missing_here", "look")]
    assert (tally.ours, tally.theirs) == (2, 4)  # both documents of SO-1 stand there


def test_what_is_under_way_or_failed_is_told_apart(house: Any, engine: Any) -> None:
    house.order("SO-1")
    tally, rows = count(house)
    assert (tally.under_way, tally.ours, rows) == (1, 0, [])
    house.sql("UPDATE ts.sync_document SET state = 'failed', cause = 'x'")
    assert count(house)[1] == [("SO-1", "missing_there", "replay")]


def test_an_order_cancelled_here_that_still_stands_there(filed: Any) -> None:
    with filed.app.system(filed.seller, "test") as ctx:
        order = ctx.session.scalars(select(TradeOrder).where(TradeOrder.number == "SO-1")).one()
        enqueue(ctx, order, "cancel", 9)
    filed.sql("UPDATE ts.sync_document SET state = 'failed', cause = 'x' WHERE intent = 'cancel'")
    tally, rows = count(filed)
    assert rows == [("SO-1", "alive_there", "cancel")]
    with filed.app.system(filed.seller, "test") as ctx:
        act_on(ctx, differences_of(ctx, tally.id)[0].id)
    engine = filed.engine()
    filed.push(engine)
    engine.close()
    assert count(filed)[1] == []


def test_a_connector_that_lists_a_day_shows_what_only_it_has(filed: Any, monkeypatch: Any) -> None:
    listed = [
        ("SO-1", "1", False),
        ("SO-2", "12316.00", False),
        ("SO-9", "5", False),
        ("", "7", False),
        ("SO-8", "1", True),
    ]
    listing(filed, monkeypatch, lambda day: listed)
    tally, rows = count(filed)
    assert rows == [("SO-1", "differs", "look"), ("SO-9", "missing_here", "look")]
    assert (tally.ours, tally.theirs) == (3, 4)  # SO-3 was not listed under its day, and was found by its reference
    with filed.app.system(filed.seller, "test") as ctx:
        only_there = next(each for each in differences_of(ctx, tally.id) if each.reference == "SO-9")
        with pytest.raises(Conflict, match="only_to_look_at"):
            act_on(ctx, only_there.id)


def test_a_day_that_cannot_be_counted_says_why_and_can_be_asked_for_again(
    filed: Any, monkeypatch: Any
) -> None:
    def broken(access: Any, http: Any) -> Any:
        raise RetryLater("unreachable.tcp", "no answer")

    monkeypatch.setattr(filed.registry["kingdee"], "open", broken)
    tally, _ = count(filed)
    assert (tally.state, tally.said) == ("failed", "unreachable.tcp: no answer")
    monkeypatch.undo()
    assert count(filed)[0].state == "done"


def test_a_worker_that_was_away_writes_nothing(filed: Any) -> None:
    with filed.app.system(filed.seller, "test") as ctx:
        id = tally_day(ctx, filed.connection_id, booked_on(ctx, ctx.now)).id
    slow = Reconciler(filed.worker, filed.registry, filed.rules, lease=timedelta(0))
    away = slow.claim()
    again = slow.claim()
    assert away and again and away.id == again.id == id
    assert (slow.run(again), slow.run(away)) == ("done", "lost")


def test_yesterday_is_asked_for_by_itself_once(filed: Any) -> None:
    reconciler = Reconciler(filed.worker, filed.registry, filed.rules)
    assert reconciler.plan() == 0
    filed.sql(
        "UPDATE ts.sync_document SET dated_on = ((ts.clock() - interval '1 hour') AT TIME ZONE 'UTC')::date - 1"
    )
    assert (reconciler.plan(), reconciler.plan()) == (1, 0)
    day = reconciler.claim()
    assert day is not None and reconciler.run(day) == "done"
    with filed.app.system(filed.seller, "test") as ctx:
        (row,) = tallies(ctx, filed.connection_id)
        assert (row.ours, row.theirs, row.asked_by) == (3, 3, "")


def test_a_paused_connection_and_a_day_to_come_are_refused(house: Any) -> None:
    with house.app.system(house.seller, "test") as ctx:
        with pytest.raises(Invalid):
            tally_day(ctx, house.connection_id, booked_on(ctx, ctx.now) + timedelta(days=1))
        pause(ctx, house.connection_id)
        with pytest.raises(Conflict):
            tally_day(ctx, house.connection_id, booked_on(ctx, ctx.now))


def test_the_page_counts_a_day_and_shows_what_to_do(filed: Any, signed_in: Any) -> None:  # noqa: F811
    browser = signed_in("admin")
    here = f"/connections/{filed.connection_id}/reconciling"
    page = browser.get(here).get_data(as_text=True)
    assert "No day was counted yet" in page
    token = page.split('name="_csrf" value="')[1].split('"')[0]
    today = filed.sql("SELECT (ts.clock() AT TIME ZONE 'Asia/Shanghai')::date")[0][0].isoformat()
    told = browser.post(here, data={"_csrf": token, "day": today})
    assert told.status_code == 303
    filed.sql("DELETE FROM ts.external_ref")
    filed.sql("UPDATE ts.sync_document SET reference = 'SO-77' WHERE reference = 'SO-2'")
    count(filed)
    shown = browser.get(f"{here}?day={today}").get_data(as_text=True)
    assert "SO-77" in shown and "Not there" in shown and "Send again" in shown
    assert "SO-2" in shown and "Only there" in shown  # it bears our mark, and no document of ours its reference
    (row,) = filed.sql("SELECT id FROM ts.sync_difference WHERE reference = 'SO-77'")
    assert browser.post(f"/connections/reconciling/{row[0]}/act", data={"_csrf": token}).status_code == 303
    assert filed.states()["SO-77"] == "new"
    assert browser.post(here, data={"_csrf": token, "day": "soon"}).status_code == 303
    with filed.app.system(filed.seller, "test") as ctx:
        acted = {row.reference: row.acted_by for row in ctx.session.scalars(select(SyncDifference))}
        assert acted == {"SO-2": "", "SO-77": "Li"}


def test_each_kind_that_goes_out_is_counted_by_itself(filed: Any) -> None:
    with filed.app.system(filed.seller, "test") as ctx:
        day = booked_on(ctx, ctx.now)
        with pytest.raises(Invalid) as refused:
            tally_day(ctx, filed.connection_id, day, "payment")
        assert refused.value.errors[0].code == "connection.document_unknown"
    filed.sql("UPDATE ts.erp_connection SET documents = '{sales_order,payment}'")
    with filed.app.system(filed.seller, "test") as ctx:
        asked = [tally_day(ctx, filed.connection_id, day, kind).kind for kind in ("payment", "sales_order")]
    assert asked == ["payment", "sales_order"]
    reconciler = Reconciler(filed.worker, filed.registry, filed.rules)
    while claimed := reconciler.claim():
        reconciler.run(claimed)
    with filed.app.system(filed.seller, "test") as ctx:
        found = {each.kind: (each.state, each.ours, each.differing) for each in tallies(ctx, filed.connection_id)}
    assert found == {"payment": ("done", 0, 0), "sales_order": ("done", 3, 0)}


def test_what_is_suggested_can_be_done_though_the_order_goes_to_another_system_too(house: Any, engine: Any) -> None:
    house.connect("金蝶·二")
    house.order("SO-1")
    house.push(engine)
    vanish(house, "SO-1")
    tally, rows = count(house)
    assert rows == [("SO-1", "missing_there", "replay")]
    with house.app.system(house.seller, "test") as ctx:
        assert act_on(ctx, differences_of(ctx, tally.id)[0].id).acted_by


def test_several_there_of_which_nobody_says_the_amount(filed: Any, monkeypatch: Any) -> None:
    store = filed.kingdee.store
    with store.lock:
        (first,) = store.all_by_number("SAL_SaleOrder", "SO-1")
        store.put(replace(first, id=store.new_id()))
    listing(filed, monkeypatch, lambda day: None)
    tally, rows = count(filed)
    assert rows == [("SO-1", "twice_there", "look")]
    assert (tally.ours, tally.theirs) == (3, 4)
    with filed.app.system(filed.seller, "test") as ctx:
        (row,) = differences_of(ctx, tally.id)
        assert (row.ours, row.theirs) == (D("12316"), None)


def listing(house: Any, monkeypatch: Any, tally: Any) -> None:
    """Let the connector list a day as told."""
    original = house.registry["kingdee"].open

    def opened(access: Any, http: Any) -> Any:
        made = original(access, http)
        filing = made.filing("sales_order")
        filing.tally = tally
        made.filing = lambda kind: filing
        return made

    monkeypatch.setattr(house.registry["kingdee"], "open", opened)


@pytest.mark.slow
def test_a_slow_system_keeps_its_day_with_the_worker_that_asks_it(filed: Any, monkeypatch: Any) -> None:
    """Each look takes a third of the lease and more; nobody else may begin the day again meanwhile."""
    with filed.app.system(filed.seller, "test") as ctx:
        tally_day(ctx, filed.connection_id, booked_on(ctx, ctx.now))
    lease = timedelta(seconds=1.5)
    mine, other = (Reconciler(filed.worker, filed.registry, filed.rules, lease=lease) for _ in range(2))
    found: list[Any] = []

    def slow(filing: Any, reference: str) -> Theirs:
        sleep(0.55)
        found.append(other.claim())
        return theirs(reference, "12316.00")

    listing(filed, monkeypatch, lambda day: None)
    monkeypatch.setattr("core.sync.reconciling.working._held", slow)
    day = mine.claim()
    assert day is not None and mine.run(day) == "done"
    assert found == [None] * 3

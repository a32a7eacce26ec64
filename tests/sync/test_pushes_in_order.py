"""Calls that come twice, wait, or are landed again: the newest word counts, and none keeps another from landing."""

import json

from sqlalchemy import select

from core.stock import StockLevel
from core.sync import SyncIssue, SyncPush, pause, resume
from core.sync.inbox import land_waiting, replay_push
from tests.sync.test_pushes import OK, ONE, Post, post  # noqa: F401


def test_the_same_key_with_other_words_is_listed_once(post: Post) -> None:  # noqa: F811
    for body in (ONE, ONE, ONE | {"products": [["1", "B1", "kg"]]}, ONE | {"products": [["1", "B1", "kg"]]}):
        assert post.send(body) == OK
    (row,), (issue,) = post.rows(SyncPush), post.rows(SyncIssue)
    assert (issue.push_id, issue.code, issue.external_id) == (row.id, "sync.call_differs", "k1")
    assert json.loads(issue.record["records"])[0]["unit"] == "kg"


def test_a_call_does_not_land_before_those_that_wait(post: Post) -> None:  # noqa: F811
    """Else the count told last would be overwritten by an older one."""
    post.send(ONE)
    post.as_system(pause, post.connection_id)
    post.send({"key": "k2", "stock": [["8", "B1", "9"]]})
    post.as_system(resume, post.connection_id)
    assert post.send({"key": "k3", "stock": [["8", "B1", "5"]]}) == OK
    assert [row.state for row in post.rows(SyncPush)] == ["landed", "waiting", "waiting"]
    assert land_waiting(post.worker, post.registry) == 2
    with post.app.system(post.tenant, "test") as ctx:
        assert ctx.session.scalars(select(StockLevel.on_hand)).all() == [5]
    assert post.send({"key": "k4", "products": [["2", "B2", "pcs"]]}) == OK
    assert post.rows(SyncPush)[-1].state == "landed"


def test_a_call_of_many_records_does_not_keep_the_other_system_waiting(post: Post) -> None:  # noqa: F811
    post.send(ONE)
    assert post.send({"key": "k2", "stock": [[f"{n}", "B1", f"{n}"] for n in range(501)]}) == OK
    assert post.rows(SyncPush)[-1].state == "waiting"
    assert land_waiting(post.worker, post.registry) == 1
    assert post.rows(SyncPush)[-1].stored == 501


def test_a_call_nobody_can_read_any_more_keeps_no_other_waiting(post: Post) -> None:  # noqa: F811
    post.as_system(pause, post.connection_id)
    post.send(ONE)
    post.send({"key": "k2", "products": [["2", "B2", "pcs"]]})
    post.as_system(
        lambda ctx: ctx.session.connection().exec_driver_sql(
            "UPDATE ts.sync_push SET records = '[{\"is\": \"Gone\"}]' WHERE key = 'k1'"
        )
    )
    post.as_system(resume, post.connection_id)
    assert land_waiting(post.worker, post.registry) == 2
    assert post.codes() == ["B2"]
    first, second = post.rows(SyncPush)
    assert (first.state, first.stored, first.skipped) == ("landed", 0, 1)
    assert first.said == "sync.connector_error: KeyError: 'Gone'"


def test_what_a_call_told_before_is_not_told_again_when_it_is_replayed(post: Post) -> None:  # noqa: F811
    """The count of the call after it stays: only what was left out has another chance."""
    post.send(ONE)
    post.send({"key": "k2", "stock": [["8", "B1", "9"], ["9", "B2", "3"]]})
    post.send({"key": "k3", "stock": [["8", "B1", "5"]]})
    post.send({"key": "k4", "products": [["2", "B2", "pcs"]]})
    post.as_system(replay_push, post.rows(SyncPush)[1].id)
    assert land_waiting(post.worker, post.registry) == 1
    with post.app.system(post.tenant, "test") as ctx:
        assert sorted(ctx.session.scalars(select(StockLevel.on_hand))) == [3, 5]
    assert [(row.stored, row.skipped) for row in post.rows(SyncPush)][1] == (2, 0)

"""What another system sends by itself: kept and landed once, answered alike, refused with a trace, never without a token."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from core import identity
from core.catalog import Product
from core.db import Database
from core.kernel import Actor, Conflict, Forbidden, NotFound
from core.sync import (
    Connector,
    Heard,
    NewConnection,
    ProductIn,
    PushAnswer,
    PushRefused,
    Registry,
    Setting,
    StockIn,
    SyncIssue,
    SyncPush,
    connect,
    pause,
    resume,
)
from core.sync.inbox import Inbox, land_waiting, pushes, renew_token, replay_push, withdraw_token
from core.sync.inbox import door as inbox_door
from core.sync.mapping.service import save_mapping
from core.sync.pushed import Push
from core.tenancy import register_enterprise
from tests.app.installation import app_over
from tests.conftest import Server, make_unit

OK = PushAnswer(b'{"flag":"success"}')
SECRET = "s3cr3t-key"


class Talker(Connector):
    """Takes `{"key", "products": [[id, code, unit]], "stock": [[id, code, quantity]]}` signed with the secret in a header."""

    key = "talker"
    title = "Talker"
    summary = "A system that calls"
    settings = (Setting("secret", "Secret", "secret", required=True),)
    streams = ()
    unique_reference = True
    can_look_up = True
    settle = timedelta(seconds=1)
    hears = True

    def open(self, access: Any, http: Any) -> Any:
        raise NotImplementedError

    def check(self, access: Any, http: Any) -> Any:
        yield from ()

    def hear(self, access: Any, push: Push) -> Heard:
        if push.headers.get("x-sign") != access["secret"]:
            raise PushRefused("talker.sign", f"wrong sign, not {access['secret']}", PushAnswer(b"sign", 400))
        if push.path == "broken":
            raise KeyError("broken")
        told = json.loads(push.body)
        goods = tuple(
            ProductIn(id, code, f"螺栓 {code}", unit) for id, code, unit in told.get("products", ())
        )
        counts = tuple(StockIn(id, code, "W1", "pcs", Decimal(n)) for id, code, n in told.get("stock", ()))
        return Heard(told.get("key", ""), goods + counts, OK, kind=push.path)


class Post:
    """The installation of a test, its connection and its token."""

    def __init__(self, app: Database, worker: Database) -> None:
        self.app, self.worker = make_unit(app), make_unit(worker)
        self.registry = Registry([Talker()])
        self.tenant = UUID("01990000-0000-7000-8000-0000000000a1")
        with self.app.system(self.tenant, "test") as ctx:
            register_enterprise(ctx, name="华东联钢", uscc="91310000MA1FL4XY7W", kind="trader")
            given = NewConnection("仓库", "https://wms.example.com", "", {"secret": SECRET})
            self.connection_id = connect(ctx, Talker(), given).id
            self.token = renew_token(ctx, Talker(), self.connection_id)
        self.inbox = Inbox(self.app, self.registry)

    def send(self, body: Any, path: str = "stock.report", sign: str = SECRET, token: str = "") -> PushAnswer:
        with self.app.system(self.tenant, "test") as ctx:
            now = ctx.now
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.inbox.take(token or self.token, Push("POST", path, {}, {"x-sign": sign}, raw, now))

    def rows(self, model: Any) -> list[Any]:
        with self.app.system(self.tenant, "test") as ctx:
            return list(ctx.session.scalars(select(model).order_by(model.id)))

    def codes(self) -> list[str]:
        return sorted(each.code for each in self.rows(Product))

    def as_system(self, act: Callable[..., Any], *args: Any) -> Any:
        with self.app.system(self.tenant, "test") as ctx:
            return act(ctx, *args)


@pytest.fixture
def post(fresh_db: Database, worker_db: Database) -> Post:
    return Post(fresh_db, worker_db)


@pytest.fixture
def app(post: Post, fresh_db: Any, server: Server, tmp_path: Path) -> Iterator[Flask]:
    with app_over(server, fresh_db.name, tmp_path) as made:
        yield made


ONE = {"key": "k1", "products": [["1", "B1", "pcs"]]}


def test_a_call_is_kept_and_landed_in_one_go(post: Post) -> None:
    assert post.send(ONE) == OK
    assert post.codes() == ["B1"]
    (row,) = post.rows(SyncPush)
    assert (row.state, row.key, row.kind, row.stored, row.skipped) == ("landed", "k1", "stock.report", 1, 0)
    assert json.loads(row.body) == ONE


def test_the_same_key_again_gets_the_stored_answer_and_lands_nothing(post: Post) -> None:
    post.send(ONE)
    assert post.send({"key": "k1", "products": [["2", "B2", "pcs"]]}) == OK
    assert post.codes() == ["B1"]
    assert len(post.rows(SyncPush)) == 1


def test_calls_without_a_key_are_told_apart_by_their_words(post: Post) -> None:
    for body in (b'{"products":[["1","B1","pcs"]]}',) * 2 + (b'{"products":[["2","B2","pcs"]]}',):
        post.send(body)
    assert (post.codes(), len(post.rows(SyncPush))) == (["B1", "B2"], 2)


@pytest.mark.parametrize("round", range(3))
def test_the_same_call_many_times_at_once_lands_once(post: Post, round: int) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post.send(ONE), range(6)))
    assert answers == [OK] * 6
    assert (post.codes(), len(post.rows(SyncPush))) == (["B1"], 1)


def test_what_cannot_land_is_an_issue_of_the_call_and_the_answer_is_still_yes(post: Post) -> None:
    assert post.send(ONE | {"stock": [["9", "NONE", "5"], ["8", "B1", "7"]]}) == OK
    (row,) = post.rows(SyncPush)
    (issue,) = post.rows(SyncIssue)
    assert (row.stored, row.skipped) == (2, 1)
    assert (issue.push_id, issue.run_id, issue.code, issue.external_id) == (
        row.id,
        None,
        "sync.product_unknown",
        "9",
    )
    assert issue.record["material"] == "NONE"


def test_a_wrong_signature_gets_the_connectors_answer_and_leaves_a_row_without_the_secret(post: Post) -> None:
    answer = post.send(f'{{"app_secret": "{SECRET}"}}'.encode(), sign="wrong")
    assert (answer.body, answer.status) == (b"sign", 400)
    (row,) = post.rows(SyncPush)
    assert (row.state, row.said) == ("refused", "talker.sign: wrong sign, not ***")
    assert row.body == '{"app_secret": "***"}'


def test_refused_calls_are_noted_up_to_a_rate_and_only_the_newest_stay(post: Post, monkeypatch: Any) -> None:
    monkeypatch.setattr("core.sync.inbox.taking.REFUSED_A_MINUTE", 10)
    for n in range(13):
        assert post.send(f"{n}".encode(), sign="wrong").status == 400
    assert [each.body for each in post.rows(SyncPush)] == [str(n) for n in range(10)]
    monkeypatch.setattr("core.sync.inbox.taking.REFUSED_A_MINUTE", 99)
    monkeypatch.setattr("core.sync.inbox.taking.REFUSED_KEPT", 15)
    for n in range(13, 23):
        post.send(f"{n}".encode(), sign="wrong")
    assert [each.body for each in post.rows(SyncPush)] == [str(n) for n in (*range(5, 10), *range(13, 23))]
    assert post.send(ONE) == OK


def test_of_a_refused_call_only_the_beginning_is_kept_and_nothing_that_signs_in(post: Post) -> None:
    post.send(f"Authorization: Basic {'A' * 40}\n{SECRET} {'x' * 100_000}".encode(), sign="wrong")
    (row,) = post.rows(SyncPush)
    assert row.body.startswith("Authorization: •••\n*** xxx") and len(row.body) == 20_000


def test_a_connector_with_a_mistake_answers_that_it_was_not_taken(post: Post) -> None:
    assert post.send(ONE, "broken").status == 500
    assert post.codes() == []
    (row,) = post.rows(SyncPush)
    assert row.said.startswith("sync.connector_error: KeyError")
    assert post.send(b"[" * 200_000).status == 500
    assert post.rows(SyncPush)[-1].said.startswith("sync.connector_error: RecursionError")
    assert len(post.rows(SyncPush)[-1].body) == 20_000  # of what is not taken no more is kept


def test_a_paused_connection_takes_calls_and_lands_them_when_it_goes_on(post: Post) -> None:
    post.as_system(pause, post.connection_id)
    assert post.send(ONE | {"stock": [["8", "B1", "7.25"]]}) == OK
    assert post.send({"key": "k2", "products": [["2", "B2", "pcs"]]}) == OK
    assert land_waiting(post.worker, post.registry) == 0
    assert (post.codes(), [row.state for row in post.rows(SyncPush)]) == ([], ["waiting", "waiting"])
    post.as_system(resume, post.connection_id)
    assert land_waiting(post.worker, post.registry) == 2
    assert (post.codes(), [row.stored for row in post.rows(SyncPush)]) == (["B1", "B2"], [2, 1])
    assert land_waiting(post.worker, post.registry) == 0


def test_a_call_that_could_not_land_lands_when_it_is_replayed(post: Post) -> None:
    post.send({"key": "k1", "stock": [["8", "B1", "7"]]})
    post.send({"key": "k2", "products": [["1", "B1", "pcs"]]})
    first, second = post.rows(SyncPush)
    assert (first.stored, first.skipped) == (0, 1)
    post.as_system(replay_push, first.id)
    assert land_waiting(post.worker, post.registry) == 1
    first, second = post.rows(SyncPush)
    assert (first.state, first.stored, first.skipped) == ("landed", 1, 0)


def test_a_call_is_mapped_as_the_connection_is_when_it_lands(post: Post, monkeypatch: Any) -> None:
    monkeypatch.setattr("core.sync.mapping.service.connector_of", lambda connection: Talker())
    post.send(ONE | {"stock": [["8", "THEIRS", "7"]]})
    assert [each.said for each in post.rows(SyncIssue)] == ["THEIRS"]
    tables = {"tables": {"materials": {"B1": "THEIRS"}}}
    post.as_system(save_mapping, post.connection_id, tables, 0)
    post.as_system(replay_push, post.rows(SyncPush)[0].id)
    assert land_waiting(post.worker, post.registry) == 1
    assert [(row.stored, row.skipped) for row in post.rows(SyncPush)] == [(2, 0)]


def test_refused_calls_are_not_replayed_and_pages_see_the_newest_first(post: Post) -> None:
    post.send(ONE)
    post.send(b"x", sign="wrong")
    rows = post.as_system(pushes, post.connection_id)
    assert [row.state for row in rows] == ["refused", "landed"]
    with pytest.raises(Conflict, match="push_refused"):
        post.as_system(replay_push, rows[0].id)


def test_only_the_newest_token_opens_and_none_after_it_is_withdrawn(post: Post) -> None:
    old, post.token = post.token, post.as_system(renew_token, Talker(), post.connection_id)
    for token in (old, "", "tsp_x"):
        with pytest.raises(NotFound):
            post.inbox.take(token, Push("POST", "", {}, {}, b"", None))  # type: ignore[arg-type]
    assert post.send(ONE) == OK
    post.as_system(withdraw_token, post.connection_id)
    with pytest.raises(NotFound):
        post.send(ONE)


def test_a_token_is_kept_as_a_hash_and_made_only_with_a_fresh_second_factor(post: Post) -> None:
    (kept,) = post.as_system(
        lambda ctx: ctx.session.connection().exec_driver_sql("SELECT push_hash FROM ts.erp_connection").one()
    )
    assert len(kept) == 32 and post.token.encode() not in kept
    person = Actor("person", post.connection_id, "陈工", person_id=post.connection_id)
    with (
        pytest.raises(Forbidden, match="step_up"),
        post.app.acting(post.tenant, person, {"connection.edit": None}) as ctx,
    ):
        renew_token(ctx, Talker(), post.connection_id)


def test_a_connector_that_hears_nothing_gets_no_token(post: Post) -> None:
    deaf = Talker()
    deaf.hears = False  # type: ignore[misc]
    with pytest.raises(Conflict, match="takes_no_calls"):
        post.as_system(renew_token, deaf, post.connection_id)


def test_the_door_answers_without_a_session_in_the_others_own_format(
    post: Post, app: Flask, monkeypatch: Any
) -> None:
    monkeypatch.setattr(inbox_door, "connectors", lambda: post.registry)
    client = app.test_client(use_cookies=False)
    sent = {"data": json.dumps(ONE), "headers": {"X-Sign": SECRET}, "content_type": "text/plain"}
    for path in ("", "/router/qimen"):
        answer = client.post(f"/connect/{post.token}{path}", **sent)
        assert (answer.status_code, answer.data) == (200, OK.body)
        assert answer.content_type == "application/json; charset=utf-8"
    assert post.codes() == ["B1"]
    assert client.post("/connect/tsp_nobody", **sent).status_code == 404
    assert client.get(f"/connect/{post.token}").status_code == 405
    large = client.post(
        f"/connect/{post.token}", data=b"x" * (2 * 1024 * 1024 + 1), headers={"X-Sign": SECRET}
    )
    assert large.status_code == 413


def test_the_api_shows_calls_and_replays_them(post: Post, app: Flask, monkeypatch: Any) -> None:
    monkeypatch.setattr("core.sync.api.connectors", lambda: post.registry)
    post.send(ONE | {"stock": [["9", "NONE", "5"]]})

    def key(ctx: Any) -> str:
        who = identity.add_person(
            ctx, name="It", email="it@acme.example", password="seven horses", roles=["admin"]
        )
        scopes = ["connection.view", "connection.replay", "connection.edit"]
        return identity.create_api_key(ctx, "key", scopes, created_by=who).token

    client = app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {post.as_system(key)}"}
    here = f"/api/v1/connections/{post.connection_id}"
    told = client.get(f"{here}/pushes", headers=headers).json
    (row,) = told["rows"]
    assert (row["key"], row["state"], row["stored"], row["skipped"], told["next"]) == (
        "k1",
        "landed",
        1,
        1,
        None,
    )
    (issue,) = client.get(f"{here}/issues", headers=headers).json["rows"]
    assert (issue["push_id"], issue["run_id"]) == (row["id"], None)
    replayed = client.post(f"/api/v1/sync-pushes/{row['id']}/replay", headers=headers)
    assert (replayed.status_code, replayed.json["state"]) == (202, "waiting")
    assert client.post(f"{here}/push-token", headers=headers).json["code"] == "identity.needs_person"
    assert client.get(here, headers=headers).json["push_open"] is True
    assert client.delete(f"{here}/push-token", headers=headers).status_code == 204
    assert client.get(here, headers=headers).json["push_open"] is False


def test_the_page_shows_calls_and_an_address_only_once(
    post: Post, app: Flask, fresh_db: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("core.sync.inbox.views.connectors", lambda: post.registry)
    monkeypatch.setattr("core.sync.views.detail.connectors", lambda: post.registry)
    post.send(ONE | {"stock": [["9", "NONE", "5"]]})
    post.send(b"x", sign="wrong")
    with post.app.system(post.tenant, "test") as ctx:
        identity.add_person(
            ctx, name="Li", email="li@acme.example", password="seven horses", roles=["admin"], locale="en"
        )
    with fresh_db.session() as session:
        token = identity.sign_in(
            session, "li@acme.example", "seven horses", remote="127.0.0.1", agent="t"
        ).token
        session.commit()
    browser = app.test_client()
    browser.set_cookie("ts_session", token)
    browser.set_cookie("ts_lang", "en")
    here = f"/connections/{post.connection_id}/calls"
    page = browser.get(here).get_data(as_text=True)
    for shown in (
        "Landed",
        "Refused",
        "stock.report",
        "The product is not known here",
        "Land again",
        ">Calls to us<",
    ):
        assert shown in page
    asked = browser.get(f"{here}/token")
    assert asked.status_code == 303 and "step-up" in asked.location
    monkeypatch.setattr("core.identity.require_fresh_second_factor", lambda ctx: None)
    form = browser.get(f"{here}/token").get_data(as_text=True)
    csrf = {"_csrf": form.split('name="_csrf" value="')[1].split('"')[0]}
    made = browser.post(f"{here}/token", data=csrf).get_data(as_text=True)
    post.token = made.split("/connect/")[1].split("<")[0].strip()
    assert post.token.startswith("tsp_") and post.token not in browser.get(here).get_data(as_text=True)
    assert post.send({"key": "k9"}) == OK
    row = next(each for each in post.rows(SyncPush) if each.key == "k1")
    assert browser.post(f"/connections/calls/{row.id}/replay", data=csrf).status_code == 303
    assert browser.post(f"{here}/close", data=csrf).status_code == 303
    with pytest.raises(NotFound):
        post.send(ONE)

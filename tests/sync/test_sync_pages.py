"""The pages and the API of connections, as a signed-in person and a key meet them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text as sql_text

from core import identity
from core.sync import bind
from tests.app.installation import app_over
from tests.conftest import Server

PASSWORD = "seven horses over the wall"
FACTOR = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def app(house: Any, fresh_db: Any, server: Server, tmp_path: Path) -> Iterator[Flask]:
    with app_over(server, fresh_db.name, tmp_path) as made:
        yield made


@pytest.fixture
def signed_in(app: Flask, house: Any, fresh_db: Any) -> Callable[..., FlaskClient]:
    """signed_in(role) -> a browser of a person of the seller; with `factor` the second factor was shown just now."""
    serial = iter(range(100))

    def enter(*roles: str, language: str = "en", tenant: Any = None, factor: bool = False) -> FlaskClient:
        email = f"p{next(serial)}@acme.example"
        with house.app.system(tenant or house.seller, "test") as ctx:
            identity.add_person(
                ctx, name="Li", email=email, password=PASSWORD, roles=roles, locale="en",
                totp_secret=FACTOR if factor else None,
            )  # fmt: skip
        with fresh_db.session() as session:
            token = identity.sign_in(session, email, PASSWORD, remote="127.0.0.1", agent="test").token
            session.commit()
        if factor:
            with fresh_db.session() as session:
                now = session.scalar(sql_text("SELECT ts.clock()"))
                token = identity.verify_totp(session, token, pyotp.TOTP(FACTOR).at(now), remote="127.0.0.1").token
                session.commit()
        client = app.test_client()
        client.set_cookie("ts_session", token)
        client.set_cookie("ts_lang", language)
        return client

    return enter


@pytest.fixture
def troubled(house: Any, engine: Any) -> Any:
    """One order that landed, two that failed for their customer, one that is held."""
    house.order("SO-1")
    house.push(engine)
    house.sql("DELETE FROM ts.external_ref")
    house.kingdee.world.merge({"customers": [{"number": "C0217", "name": "别人", "tax_code": "X"}]})
    house.order("SO-2")
    house.order("SO-3")
    house.push(engine)
    return house


def texts(client: FlaskClient, url: str) -> str:
    page = client.get(url)
    text = page.get_data(as_text=True)
    assert page.status_code == 200, (url, text[:3000])
    return text


def act(client: FlaskClient, page: str, url: str, **fields: Any) -> Any:
    found = re.search(r'name="_csrf" value="([^"]+)"', texts(client, page))
    assert found
    return client.post(
        url, data={"_csrf": found.group(1), **fields}, headers={"Referer": f"http://localhost{page}"}
    )


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_shows_in_both_languages(troubled: Any, signed_in: Any, language: str) -> None:
    it = signed_in("it", language=language)
    here = f"/connections/{troubled.connection_id}"
    ((document,),) = troubled.sql("SELECT id FROM ts.sync_document WHERE reference = 'SO-2'")
    for url in (
        "/connections",
        "/connections/new?connector=kingdee",
        here,
        f"{here}/documents",
        f"{here}/documents?state=failed",
        f"{here}/settings",
        f"/connections/documents/{document}",
    ):
        text = texts(it, url)
        assert ("连接器" in text) == (language == "zh-CN"), url
        assert "style=" not in text and " onclick" not in text
        if language == "zh-CN":
            words = re.sub(r"<pre.*?</pre>|<[^>]+>", " ", text, flags=re.S)
            assert not re.search(r"\b(Waiting|Replay|Failed|Schedule|Settings|cause\.|remedy\.)\b", words), (
                url
            )


def test_failures_stand_by_cause_with_the_remedy_and_the_call(troubled: Any, signed_in: Any) -> None:
    text = texts(signed_in("it"), f"/connections/{troubled.connection_id}")
    assert "2 documents" in text and "The buyer is no customer in Kingdee" in text
    assert "unified social credit code" in text and "FTAXREGISTERCODE" in text
    assert "app_secret" not in text


def test_binding_the_customer_replays_what_waited_for_it(troubled: Any, signed_in: Any, engine: Any) -> None:
    it, here = signed_in("it"), f"/connections/{troubled.connection_id}"
    fields = {"partner_id": str(troubled.buyer), "number": "C0217", "cause": "kingdee.customer_missing"}
    assert act(it, here, f"{here}/bind", **fields).status_code == 303
    assert troubled.push(engine) == ["done", "done"]
    assert "Nothing failed" in texts(it, here)


def test_ticked_documents_are_replayed_alone(troubled: Any, signed_in: Any) -> None:
    it, here = signed_in("it"), f"/connections/{troubled.connection_id}"
    with troubled.app.system(troubled.seller, "test") as ctx:
        bind(ctx, troubled.connection_id, "partner", troubled.buyer, "C0217")
    ((document,),) = troubled.sql("SELECT id FROM ts.sync_document WHERE reference = 'SO-2'")
    act(it, here, f"{here}/replay", ids=str(document), cause="kingdee.customer_missing")
    assert troubled.states() == {"SO-1": "done", "SO-2": "new", "SO-3": "failed"}


def test_a_connection_is_paused_resumed_checked_and_scheduled(troubled: Any, signed_in: Any) -> None:
    it, here = signed_in("it"), f"/connections/{troubled.connection_id}"
    act(it, here, f"{here}/pause")
    assert "Paused" in texts(it, here)
    act(it, here, f"{here}/resume")
    act(it, here, f"{here}/check")
    puller = troubled.puller()
    puller.run(puller.claim())
    assert "华东联钢贸易有限公司" in texts(it, here)
    act(it, here, f"{here}/streams/products/schedule", every_minutes="30")
    act(it, here, f"{here}/streams/stock/run")
    rows = troubled.sql("SELECT key, enabled, every_minutes, wanted_by FROM ts.sync_stream ORDER BY key")
    found = {key: rest for key, *rest in rows}
    assert (found["check"], found["products"], found["stock"]) == ([True, 0, ""], [True, 30, ""], [False, 15, "Li"])
    assert not any(enabled for key, (enabled, *_) in found.items() if key not in ("check", "products"))


def test_a_failed_document_is_settled_by_hand_with_a_reason(troubled: Any, signed_in: Any) -> None:
    it = signed_in("it")
    ((document,),) = troubled.sql("SELECT id FROM ts.sync_document WHERE reference = 'SO-2'")
    page = f"/connections/documents/{document}"
    act(it, page, f"{page}/dismiss", reason="")
    assert troubled.states()["SO-2"] == "failed"
    act(it, page, f"{page}/dismiss", reason="手工录入")
    assert troubled.states()["SO-2"] == "superseded"


def test_settings_keep_their_secrets_and_lose_them_with_the_address(troubled: Any, signed_in: Any) -> None:
    it, here = signed_in("it", factor=True), f"/connections/{troubled.connection_id}/settings"
    values = {
        "name": "星空",
        "base_url": troubled.kingdee.url,
        "organisation": "100",
        "way": "signed",
        "version": "1",
    }
    values |= {"acct_id": "A", "username": "U", "app_id": "I", "saler": "XS01"}
    assert act(it, here, here, **values).status_code == 303
    assert "5f0c3b7e" not in texts(it, here)
    from core.sync import ErpConnection
    from core.sync.secrets import access_of

    def secret() -> str:
        with troubled.app.system(troubled.seller, "test") as ctx:
            return access_of(ctx.session.get(ErpConnection, troubled.connection_id)).secrets.get(
                "app_secret", ""
            )

    assert secret()
    moved = values | {"base_url": "https://elsewhere.example.com/k3cloud", "version": "2"}
    assert act(it, here, here, **moved).status_code == 303
    assert secret() == ""
    assert (
        act(it, here, here, **(moved | {"base_url": "ftp://x", "name": "", "version": "3"})).status_code
        == 422
    )


def test_a_salesperson_sees_and_replays_but_changes_nothing(troubled: Any, signed_in: Any) -> None:
    sales, here = signed_in("seller.sales"), f"/connections/{troubled.connection_id}"
    text = texts(sales, here)
    assert "Replay" in text and f"{here}/pause" not in text
    assert sales.get(f"{here}/settings").status_code == 403
    assert signed_in("seller.planner").get("/connections").status_code == 403


def test_another_enterprise_sees_nothing(troubled: Any, signed_in: Any) -> None:
    other = signed_in("it", tenant=troubled.buyer)
    ((document,),) = troubled.sql("SELECT id FROM ts.sync_document WHERE reference = 'SO-2'")
    for url in (f"/connections/{troubled.connection_id}", f"/connections/documents/{document}"):
        assert other.get(url).status_code == 404
    assert "金蝶云·星空" not in texts(other, "/connections")


def test_lists_cost_as_many_statements_for_one_row_as_for_many(troubled: Any, signed_in: Any) -> None:
    it, here = signed_in("it"), f"/connections/{troubled.connection_id}/documents"
    it.get(here)
    counts = [
        int(it.get(url).headers["X-Statements"]) for url in (here, f"{here}?state=held", "/connections")
    ]
    assert max(counts) <= 6 and counts[0] == counts[1]


@pytest.fixture
def api(troubled: Any, app: Flask) -> Any:
    """api(method, path, body) -> (status, answer), as a key of the seller's IT."""
    with troubled.app.system(troubled.seller, "test") as ctx:
        maker = identity.add_person(
            ctx, name="Qian", email="q@acme.example", password=PASSWORD, roles=["it"], locale="en"
        )
        scopes = ["connection.view", "connection.edit", "connection.replay"]
        token = identity.create_api_key(ctx, "it", scopes, created_by=getattr(maker, "id", maker)).token
    client = app.test_client()

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        told = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": f"{method}{path}{body}".encode().hex()[:150],
        }
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers=told | headers)
        return answer

    return call


def test_the_api_does_what_the_pages_do(troubled: Any, api: Any, engine: Any) -> None:
    (connector,) = [row for row in api("GET", "/connectors").json["rows"] if row["key"] == "kingdee"]
    assert connector["key"] == "kingdee"
    (row,) = api("GET", "/connections").json["rows"]
    assert (row["stuck"], row["out_today"]) == (2, 1)
    here = f"/connections/{row['id']}"
    found = api("GET", here)
    assert "secrets" not in found.json and "app_secret" not in found.json["settings"]
    (cause,) = api("GET", f"{here}/causes").json["rows"]
    assert (cause["code"], cause["count"]) == ("kingdee.customer_missing", 2)
    assert (
        api(
            "PUT", f"{here}/refs", {"kind": "partner", "local_id": str(troubled.buyer), "number": "C0217"}
        ).status_code
        == 200
    )
    assert api("POST", f"{here}/replay", {"cause": cause["code"]}).json == {"count": 2}
    troubled.push(engine)
    page = api("GET", f"{here}/documents?limit=2").json
    assert len(page["rows"]) == 2 and page["next"]
    assert len(api("GET", f"{here}/documents?limit=2&after={page['next']}").json["rows"]) == 1
    detail = api("GET", f"/sync-documents/{page['rows'][0]['id']}").json
    assert detail["state"] == "done" and detail["exchanges"][0]["request"]
    assert api("POST", f"{here}/pause", {"reason": "盘点"}).json["state"] == "paused"
    assert api("POST", f"{here}/pause", {}).status_code == 409
    assert api("POST", f"{here}/resume").json["state"] == "active"
    assert api("POST", f"{here}/check").status_code == 202
    assert api("POST", f"{here}/streams/products/run").status_code == 202
    assert api("POST", f"{here}/streams/nothing/run").status_code == 404
    streams = api("PUT", f"{here}/streams/products", {"every_minutes": 30}).json["streams"]
    assert {each["key"]: each["enabled"] for each in streams}["products"] is True
    assert api("GET", f"{here}/runs").json == {"rows": []}
    assert api("GET", f"{here}/issues").json == {"rows": []}


def test_the_api_sets_up_and_changes_connections(troubled: Any, api: Any) -> None:
    body = {
        "connector": "kingdee",
        "name": "第二账套",
        "base_url": "https://k3.example.com/k3cloud",
        "organisation": "200",
    }
    wrong = api("POST", "/connections", body)
    assert wrong.status_code == 422
    values = {"acct_id": "1", "username": "u", "way": "password", "password": "geheim-123", "saler": "1"}
    made = api("POST", "/connections", {**body, "values": values})
    assert made.status_code == 201 and "geheim" not in made.get_data(as_text=True)
    here = f"/connections/{made.json['id']}"
    kept = {key: value for key, value in values.items() if key != "password"}
    change = {"name": "第二账套", "base_url": body["base_url"], "organisation": "201", "values": kept}
    assert api("PUT", here, change).status_code == 428
    assert api("PUT", here, change, **{"If-Match": '"9"'}).status_code == 412
    changed = api("PUT", here, change, **{"If-Match": made.headers["ETag"]})
    assert (changed.status_code, changed.json["organisation"], changed.json["version"]) == (200, "201", 2)
    for credential in ({"values": values}, {"base_url": "https://elsewhere.example.com/k3cloud"}):
        refused = api("PUT", here, {**change, **credential}, **{"If-Match": changed.headers["ETag"]})
        assert (refused.status_code, refused.json["code"]) == (403, "identity.needs_person")
    assert api("GET", here).json["version"] == 2


def test_the_order_says_where_it_stands_and_the_workbench_what_waits(troubled: Any, signed_in: Any) -> None:
    sales = signed_in("seller.sales")
    ((order,),) = troubled.sql("SELECT object_id FROM ts.sync_document WHERE reference = 'SO-2'")
    ((document,),) = troubled.sql("SELECT id FROM ts.sync_document WHERE reference = 'SO-2'")
    assert f"/connections/documents/{document}" in texts(sales, f"/orders/{order}")
    assert "Mend 2 documents" in texts(sales, "/")
    assert f"/connections/documents/{document}" not in texts(
        signed_in("buyer.clerk", tenant=troubled.buyer), f"/orders/{order}"
    )


@pytest.mark.parametrize(
    "odd", ["http://[::1", "http://x:99999999", "https://u:p@x.example.com/", "https:///k3cloud"]
)
def test_an_address_that_is_none_is_said_so(troubled: Any, api: Any, odd: str) -> None:
    values = {"acct_id": "1", "username": "u", "way": "password", "password": "geheim-123", "saler": "1"}
    body = {"connector": "kingdee", "name": "x", "base_url": odd, "values": values}
    assert api("POST", "/connections", body).status_code == 422


def test_invariants_hold_and_name_what_breaks_them(troubled: Any) -> None:
    from core.sync.invariants import CHECKS

    found = {ident: troubled.sql(query) for ident, _, query in CHECKS}
    assert found == {ident: [] for ident in found}
    troubled.sql("UPDATE ts.sync_document SET remote_id = NULL WHERE state = 'done'")
    broken = {ident for ident, _, query in CHECKS if troubled.sql(query)}
    assert broken == {"ERP.number"}


def test_what_differs_is_said_in_the_readers_words(troubled: Any, signed_in: Any) -> None:
    said = "total: 4380.00 → 4379.00; 1 price: 36.5 → 36.49"
    troubled.sql(
        f"UPDATE ts.sync_document SET cause = 'sync.differs', cause_text = '{said}' WHERE state = 'failed'"
    )
    here = f"/connections/{troubled.connection_id}"
    assert "总额：4380.00 → 4379.00; 第 1 行单价：36.5 → 36.49" in texts(
        signed_in("it", language="zh-CN"), here
    )
    assert "line 1, Price: 36.5" in texts(signed_in("it"), here)

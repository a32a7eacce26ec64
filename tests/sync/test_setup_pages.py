"""From nothing to a connection that works: the steps, as a person of IT goes them."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.kingdee.simulator import DEMO_ACCOUNT
from core.sync.contract import Setting
from core.sync.model import ErpConnection, SyncStream
from tests.sync.test_sync_pages import act, app, signed_in, texts  # noqa: F401

FIELDS = {
    "connector": "kingdee",
    "name": "Second line",
    "organisation": "100",
    "way": "signed",
    "acct_id": DEMO_ACCOUNT.acct_id,
    "username": "demo",
    "app_id": DEMO_ACCOUNT.app_id,
    "app_secret": DEMO_ACCOUNT.app_secret,
    "saler": "XS01",
}


def made(house: Any) -> ErpConnection:
    with house.app.system(house.seller, "test") as ctx:
        return ctx.session.scalar(select(ErpConnection).where(ErpConnection.name == "Second line"))


def test_the_systems_stand_side_by_side_and_each_leads_on(house: Any, signed_in: Any) -> None:  # noqa: F811
    text = texts(signed_in("it"), "/connections/choose")
    assert "Kingdee K/3 Cloud" in text and "/connections/new?connector=kingdee" in text
    assert "选择系统" in texts(signed_in("it", language="zh-CN"), "/connections/choose")


def test_nothing_leaves_before_the_last_step(house: Any, signed_in: Any) -> None:  # noqa: F811
    it = signed_in("it")
    put = act(it, "/connections/new?connector=kingdee", "/connections/new", base_url=house.kingdee.url, **FIELDS)
    found = made(house)
    here = f"/connections/{found.id}/setup"
    assert (put.status_code, put.headers["Location"]) == (303, here)
    assert found.state == "paused"
    assert "The test runs" in texts(it, here)

    puller = house.puller()
    while claimed := puller.claim():
        puller.run(claimed)
    text = texts(it, here)
    assert "First record is read" in text and "How to mend it" not in text

    assert act(it, here, f"{here}/enable", streams="products").status_code == 303
    assert made(house).state == "active"
    with house.app.system(house.seller, "test") as ctx:
        rows = ctx.session.scalars(select(SyncStream).where(SyncStream.connection_id == found.id)).all()
    assert {row.key for row in rows if row.enabled} == {"check", "products"}


@pytest.mark.parametrize(
    ("changed", "step", "cure"),
    [
        ({"base_url": "http://127.0.0.1:9/k3cloud"}, "Address is allowed", "have the operator allow"),
        ({"acct_id": "no-such-centre"}, "Service is there", "Choose one of those listed"),
        ({"app_secret": "wrong"}, "Sign-in works", "Check data centre, user"),
    ],
)
def test_a_failing_step_is_named_with_its_cure(
    house: Any,
    signed_in: Any,  # noqa: F811
    changed: dict[str, str],
    step: str,
    cure: str,
) -> None:
    it = signed_in("it")
    given = {"base_url": house.kingdee.url, **FIELDS, **changed}
    act(it, "/connections/new?connector=kingdee", "/connections/new", **given)
    puller = house.puller()
    while claimed := puller.claim():
        puller.run(claimed)
    text = texts(it, f"/connections/{made(house).id}/setup")
    assert step in text and cure in text


def test_an_uploaded_file_becomes_a_setting_and_stays(
    house: Any,
    signed_in: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from connectors.kingdee.system import Kingdee

    asked = (*Kingdee.settings, Setting("wsdl", "Service description", kind="file"), Setting("loud", "Loud", kind="flag"))
    monkeypatch.setattr(Kingdee, "settings", asked)
    it, file = signed_in("it"), tmp_path / "service.wsdl"
    file.write_text("<definitions>\n\t描述\n</definitions>", encoding="utf-8")
    with file.open("rb") as content:
        put = act(
            it, "/connections/new?connector=kingdee", "/connections/new",
            base_url=house.kingdee.url, wsdl=(content, "service.wsdl"), loud="1", **FIELDS,
        )  # fmt: skip
    assert put.status_code == 303
    found = made(house)
    assert found.settings["wsdl"].startswith("<definitions>") and found.settings["loud"] == "1"
    settings = f"/connections/{found.id}/settings"
    assert "A file is there" in texts(it, settings)
    kept = {name: value for name, value in FIELDS.items() if name not in ("connector", "app_secret")}
    assert act(it, settings, settings, base_url=house.kingdee.url, version="1", **kept).status_code == 303
    assert made(house).settings["wsdl"].startswith("<definitions>") and "loud" not in made(house).settings

    file.write_bytes("描述".encode("gb18030"))
    with file.open("rb") as content:
        put = act(
            it, settings, settings, base_url=house.kingdee.url, version="2", wsdl=(content, "s.wsdl"), **kept
        )  # fmt: skip
    assert put.status_code == 422 and "UTF-8" in put.get_data(as_text=True)


def test_secrets_do_not_follow_an_address_that_stands_among_the_settings(
    house: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from connectors.kingdee.system import Kingdee
    from core.kernel import Invalid
    from core.sync import NewConnection, change_connection

    asked = (*Kingdee.settings, Setting("token_url", "Where tokens are made"))
    monkeypatch.setattr(Kingdee, "settings", asked)
    values = {name: value for name, value in FIELDS.items() if name not in ("connector", "name", "organisation")}
    id = house.connect("third", token_url="https://login.example/token", **values)
    kept = {name: value for name, value in values.items() if name != "app_secret"}

    def change(version: int, **more: str) -> ErpConnection:
        with house.app.system(house.seller, "test") as ctx:
            given = NewConnection("third", house.kingdee.url, "100", {**kept, **more})
            return change_connection(ctx, Kingdee(), id, version, given)

    from core.sync.secrets import access_of

    assert access_of(change(1, token_url="https://login.example/token")).secrets["app_secret"]
    try:
        moved = change(2, token_url="https://elsewhere.example/token")
    except Invalid as wrong:
        assert "app_secret" in {error.path for error in wrong.errors}
    else:
        assert "app_secret" not in access_of(moved).secrets


def test_which_documents_go_out_is_ticked_and_what_was_not_shown_stays(house: Any, signed_in: Any) -> None:  # noqa: F811
    it, settings = signed_in("it"), f"/connections/{house.connection_id}/settings"
    text = texts(it, settings)
    assert "Documents that go out" in text and 'value="sales_order" checked' in text
    assert "采购订单" in texts(signed_in("it", language="zh-CN"), settings)
    kept = {name: value for name, value in FIELDS.items() if name not in ("connector", "app_secret")}

    def documents(version: int, **ticked: Any) -> list[str]:
        put = act(it, settings, settings, version=str(version), **{**kept, "name": "金蝶云·星空"}, **ticked)
        assert put.status_code == 303
        with house.app.system(house.seller, "test") as ctx:
            return ctx.session.get(ErpConnection, house.connection_id).documents

    both = ["sales_order", "purchase_order"]
    assert documents(1, documents_shown="1", documents=both) == both
    assert documents(2) == both
    assert documents(3, documents_shown="1") == []
    put = act(it, settings, settings, version="4", documents_shown="1", documents="anything", **kept)
    assert put.status_code == 422 and 'id="h-out"' in put.text

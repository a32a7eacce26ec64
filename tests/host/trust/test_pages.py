"""The operator adds publishers and sources on pages, sees what follows, and fetches what is offered."""

from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import OTHER
from tests.host.life.wheels import file_name, library, wheel
from tests.host.trust.index_server import IndexServer
from tests.host.trust.publisher import Maker
from tests.identity.browser import Browser
from tests.identity.conftest import House

TRUST = "/plugins/trust"


@pytest.fixture
def operator(app: Flask, house: House) -> Browser:
    """The operator's browser, with the second factor just shown."""
    email = house.person("operator.admin", tenant=OTHER, totp=True)
    house.scalar("UPDATE auth.mfa SET last_step = 1 RETURNING 1")
    return Browser(app).sign_in_fully(house, email)


def test_a_publisher_is_trusted_changed_and_revoked_with_the_consequences_shown(operator: Browser, house: House) -> None:
    maker = Maker("Nordwind")
    wrong = operator.post(
        f"{TRUST}/publishers/new", _from=f"{TRUST}/publishers/new", name="Nordwind", public_key="RWx", tier="community"
    )
    assert wrong.status_code == 422
    assert "no public key of minisign" in operator.page and 'value="Nordwind"' in operator.page
    done = operator.post(f"{TRUST}/publishers/new", name="Nordwind", public_key=maker.line, tier="community")
    assert (done.status_code, done.headers["Location"]) == (303, TRUST)
    operator.get(TRUST)
    assert "Nordwind" in operator.page and "Community" in operator.page and maker.key_id in operator.page

    operator.get(f"{TRUST}/publishers/new?key={maker.key_id}")
    assert maker.line in operator.page and "readonly" in operator.page
    operator.post(
        f"{TRUST}/publishers/new", name="Nordwind", public_key=maker.line, tier="verified", open_to_enterprises="1"
    )
    assert "Enterprises install it themselves" in operator.get(TRUST).text

    name = file_name("breeze")
    kept = "INSERT INTO ts.plugin_package (sha256, kind, plugin, distribution, version, filename, size, content, signer, source,"
    kept += " added_by) VALUES (repeat('a', 64), 'plugin', 'breeze', 'b', '1', :name, 1, 'x', :key, 'upload', 'x') RETURNING 1"
    assert house.scalar(kept, name=name, key=maker.key_id)
    asked = operator.get(f"{TRUST}/publishers/{maker.key_id}/revoke").text
    assert "1 package in store bears its signature." in asked and "No installed plugin comes from" in asked
    assert operator.post(f"{TRUST}/publishers/{maker.key_id}/revoke").status_code == 303
    after = operator.get(TRUST).text
    assert "Trusted no longer" in after and "Trust again" in after
    house.scalar("DELETE FROM ts.plugin_package WHERE plugin = 'breeze' RETURNING 1")


def test_a_folder_is_allowed_looked_at_and_a_plugin_fetched_to_its_plan(operator: Browser, tmp_path: Path) -> None:
    maker = Maker()
    maker.put(tmp_path, file_name("apple"), wheel("apple", libraries=["core_lib>=1"]))
    maker.put(tmp_path, "core_lib-1.0-py3-none-any.whl", library("core_lib", "1.0"))
    maker.put(tmp_path, file_name("rotten"), b"no zip", signed=False)
    wrong = operator.post(f"{TRUST}/sources/new", _from=f"{TRUST}/sources/new", address="not/absolute")
    assert wrong.status_code == 422 and "not/absolute" in operator.page
    added = operator.post(f"{TRUST}/sources/new", address=str(tmp_path))
    assert added.status_code == 303
    seen = operator.get(added.headers["Location"]).text
    assert "Plugin apple" in seen and "Library" in seen and "cannot be read as a wheel" in seen
    query = f"source={tmp_path}&distribution=made-apple"
    versions = operator.get(f"{TRUST}/offers/versions?{query}").text
    assert "1.0" in versions and "core_lib" in versions
    fetched = operator.post(f"{TRUST}/offers/fetch?{query}&version=1.0")
    assert fetched.status_code == 303, fetched.text
    assert fetched.headers["Location"].startswith("/plugins/apple/plan?")
    plan = operator.get(fetched.headers["Location"])
    assert plan.status_code == 200
    assert "With it came: core-lib 1.0" in plan.text and "Nobody vouches" in plan.text
    assert "Fetched already" in operator.get(f"{TRUST}/offers?source={tmp_path}").text
    asked = operator.get(f"{TRUST}/sources/remove?address={tmp_path}").text
    assert str(tmp_path) in asked
    assert operator.post(f"{TRUST}/sources/remove?address={tmp_path}").status_code == 303
    assert str(tmp_path) not in operator.get(TRUST).text.split("toast")[0]


def test_an_index_that_misbehaves_says_so_on_the_page(operator: Browser, index: IndexServer) -> None:
    operator.post(f"{TRUST}/sources/new", _from=f"{TRUST}/sources/new", address=index.address)
    filename = file_name("far")
    index.files[filename] = wheel("far")
    assert "made-far" in operator.get(f"{TRUST}/offers?source={index.address}&q=far").text
    query = f"source={index.address}&distribution=made-far"
    assert filename in operator.get(f"{TRUST}/offers/versions?{query}").text
    index.wrong = "hash"
    back = operator.post(f"{TRUST}/offers/fetch?{query}")
    assert back.status_code == 303
    index.wrong = "500"
    assert "answered with 500" in operator.get(f"{TRUST}/offers?source={index.address}").text
    versions = operator.get(f"{TRUST}/offers/versions?{query}")
    assert versions.status_code == 409 and "answered with 500" in versions.text


def test_the_pages_are_the_operators(app: Flask, house: House) -> None:
    trader = Browser(app)
    trader.sign_in(house.person("admin"))
    for path in (TRUST, f"{TRUST}/publishers/new", f"{TRUST}/sources/new", f"{TRUST}/offers"):
        assert trader.get(path).status_code == 403


def test_the_pages_speak_chinese(operator: Browser) -> None:
    operator.client.set_cookie("ts_lang", "zh-CN")
    spoken = {TRUST: "发布者与来源", f"{TRUST}/publishers/new": "信任这个密钥", f"{TRUST}/offers": "来源提供的插件"}
    for path, words in spoken.items():
        assert words in operator.get(path).text


def test_a_signature_with_a_chinese_name_is_uploaded_with_its_wheel(operator: Browser) -> None:
    maker = Maker("北方软件")
    operator.post(
        f"{TRUST}/publishers/new", _from=f"{TRUST}/publishers/new", name=maker.name, public_key=maker.line, tier="verified"
    )
    name, content = file_name("north"), wheel("north")
    signature = (BytesIO(maker.signature(name, content).encode()), f"{name}.minisig")
    operator.get("/plugins/upload")
    sent = operator.post("/plugins/upload", wheel=(BytesIO(content), name), signature=signature)
    assert sent.status_code == 303, sent.text
    assert "北方软件" in operator.get(sent.headers["Location"]).text

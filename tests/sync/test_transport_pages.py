"""The page of the way to a system: what it shows, what it takes, what it says about what it cannot use."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from core.sync.model import ErpConnection
from tests.sync.test_sync_pages import act, api, app, signed_in, texts, troubled  # noqa: F401
from tests.sync.test_tls import CA, CLIENT, SERVER

KEPT = {"at_once": "3", "per_minute": "600", "ca_pem": CA.pem, "pinned_sha256": SERVER.pin, "client_cert_pem": CLIENT.pem}


@pytest.fixture
def here(house: Any) -> str:
    return f"/connections/{house.connection_id}/transport"


def row(house: Any) -> ErpConnection:
    with house.app.system(house.seller, "test") as ctx:
        return ctx.session.get(ErpConnection, house.connection_id)


def test_the_way_is_changed_shown_and_checked(house: Any, signed_in: Any, here: str) -> None:  # noqa: F811
    it = signed_in("it", factor=True)
    text = texts(it, here)
    assert "2 (the platform" in text and "as a browser does" in text and "we show none" in text
    change = f"{here}/change"
    put = act(it, change, change, version="1", client_key=CLIENT.key_pem, **KEPT)
    assert (put.status_code, put.headers["Location"]) == (303, here)
    text = texts(it, here)
    assert "CN=Own CA" in text and "CN=tongshang" in text and "Expires soon" in text and "encrypted" in text
    assert " ".join(SERVER.pin[at : at + 4] for at in range(0, 64, 4)) in text
    assert "The test runs" in text and 'hx-trigger="every 2s"' in text
    for page in (here, change):
        assert "PRIVATE KEY-----\n" not in texts(it, page)
    puller = house.puller()
    while claimed := puller.claim():
        puller.run(claimed)
    assert "First record is read" in texts(it, here) and "The test runs" not in texts(it, here)

    assert act(it, change, change, version="2", **KEPT).status_code == 303  # without a key: the one there stays
    assert row(house).client_key == CLIENT.key_pem.strip()
    assert act(it, change, change, version="3").status_code == 303
    assert (row(house).client_key, row(house).ca_pem, row(house).at_once) == (None, "", None)
    assert "有人刚改过" in act(signed_in("it", factor=True, language="zh-CN"), change, change, version="3").text


def test_certificates_come_as_files_too(house: Any, signed_in: Any, here: str, tmp_path: Path) -> None:  # noqa: F811
    it, change = signed_in("it", factor=True), f"{here}/change"
    for name, content in (("ca", CA.pem), ("cert", CLIENT.pem), ("key", CLIENT.key_pem)):
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "der").write_bytes(CA.certificate.public_bytes(serialization.Encoding.DER))
    with (tmp_path / "ca").open("rb") as ca, (tmp_path / "cert").open("rb") as cert, (tmp_path / "key").open("rb") as key:
        put = act(
            it, change, change, version="1",
            ca_file=(ca, "ca.pem"), client_cert_file=(cert, "me.pem"), client_key_file=(key, "me.key"),
        )  # fmt: skip
    assert put.status_code == 303
    assert (row(house).ca_pem, row(house).client_key) == (CA.pem.strip(), CLIENT.key_pem.strip())
    with (tmp_path / "der").open("rb") as der:
        put = act(it, change, change, version="2", ca_file=(der, "ca.cer"))
    assert put.status_code == 422 and "openssl x509 -inform der" in put.text


def locked(form: Any) -> str:
    password = serialization.BestAvailableEncryption(b"passphrase")
    return CLIENT.key.private_bytes(serialization.Encoding.PEM, form, password).decode()


WRONG = [
    ({"at_once": "17"}, "填写 1 到 16", "1 to 16"),
    ({"per_minute": "many"}, "填写整数", "whole number"),
    ({"ca_pem": "hello"}, "不是 PEM 格式的证书", "no certificate in PEM"),
    ({"ca_pem": CA.pem + CA.key_pem}, "这里有私钥", "a private key in here"),
    ({"client_cert_pem": CLIENT.pem + CLIENT.key_pem}, "这里有私钥", "a private key in here"),
    ({"pinned_sha256": "ab:cd"}, "64 位十六进制", "64 hexadecimal digits"),
    ({"client_key": ""}, "有客户端证书就要有它的私钥", "needs its key"),
    ({"client_key": SERVER.key_pem}, "不配对", "does not belong"),
    ({"client_key": locked(serialization.PrivateFormat.PKCS8)}, "带有口令", "has a passphrase"),
    ({"client_key": locked(serialization.PrivateFormat.TraditionalOpenSSL)}, "带有口令", "has a passphrase"),
    ({"client_key": "hello"}, "读不出私钥", "no key in PEM"),
]


def test_what_cannot_be_used_is_said_with_what_to_do_and_no_key_comes_back(
    house: Any,
    signed_in: Any,  # noqa: F811
    here: str,
) -> None:
    change = f"{here}/change"
    for place, language in ((1, "zh-CN"), (2, "en")):
        it = signed_in("it", factor=True, language=language)
        for case in WRONG:
            given = {"version": "1", "client_key": CLIENT.key_pem, **KEPT, **case[0]}
            put = act(it, change, change, **given)
            assert put.status_code == 422 and case[place] in put.text, case
            for secret in (CLIENT.key_pem, CA.key_pem, SERVER.key_pem):
                assert secret.splitlines()[1] not in put.text
    assert row(house).version == 1


def test_changing_asks_for_the_second_factor_before_anything_is_typed(
    house: Any,
    signed_in: Any,  # noqa: F811
    here: str,
) -> None:
    it, change = signed_in("it"), f"{here}/change"
    assert texts(it, here)
    asked = it.get(change)
    assert asked.status_code == 303 and asked.headers["Location"].startswith("/step-up?next=")
    assert act(it, here, change, version="1", at_once="1").headers["Location"].startswith("/step-up")
    assert act(it, here, f"{here}/check").headers["Location"] == here
    assert row(house).at_once is None
    sales = signed_in("seller.sales")
    assert sales.get(here).status_code == 403 and here not in texts(sales, f"/connections/{house.connection_id}")


def test_a_certificate_that_is_not_trusted_is_cured_here(house: Any, signed_in: Any, here: str) -> None:  # noqa: F811
    checked = '{"at": "2026-11-20T12:00:00+00:00", "ok": false, "steps": [{"name": "tls", "ok": false, "said": "self-signed"}]}'
    house.sql(f"UPDATE ts.erp_connection SET checked = '{checked}'")
    setup = f"/connections/{house.connection_id}/setup"
    assert f'href="{here}">' in texts(signed_in("it"), setup)
    assert "传输与证书" in texts(signed_in("it", language="zh-CN"), setup)


def test_the_api_describes_certificates_and_never_the_key(troubled: Any, api: Any) -> None:  # noqa: F811
    values = {name: text.strip() for name, text in KEPT.items() if name.endswith("pem")}
    sets = ", ".join(f"{name} = '{text}'" for name, text in values.items())
    troubled.sql(f"UPDATE ts.erp_connection SET {sets}")
    found = api("GET", f"/connections/{troubled.connection_id}/transport")
    told = {(each["field"], each["subject"], each["sha256"]) for each in found.json["certificates"]}
    assert told == {("ca_pem", "CN=Own CA", CA.pin), ("client_cert_pem", "CN=tongshang", CLIENT.pin)}
    assert "client_key" not in found.json


FORM = {"name": "星空", "organisation": "100", "way": "signed", "acct_id": "A", "username": "U", "app_id": "I", "saler": "XS01"}


@pytest.mark.parametrize(
    ("changed", "asks"),
    [
        ({}, False),
        ({"base_url": "SAME"}, False),
        ({"app_secret": ""}, False),
        ({"base_url": "https://elsewhere.example.com/k3cloud"}, True),
        ({"app_secret": "new-secret"}, True),
    ],
)
def test_credentials_and_address_alone_ask_for_the_second_factor(
    house: Any,
    signed_in: Any,  # noqa: F811
    changed: dict[str, str],
    asks: bool,
) -> None:
    settings = f"/connections/{house.connection_id}/settings"
    given = {name: house.kingdee.url if value == "SAME" else value for name, value in changed.items()}
    it = signed_in("it")
    put = act(it, settings, settings, version="1", **FORM, **given)
    assert put.status_code == 303 and put.headers["Location"].startswith("/step-up") == asks
    found = row(house)
    assert (found.name, found.base_url) == ("金蝶云·星空" if asks else "星空", house.kingdee.url)


def test_the_form_shows_address_and_secrets_only_after_the_second_factor(
    house: Any,
    signed_in: Any,  # noqa: F811
) -> None:
    settings = f"/connections/{house.connection_id}/settings"
    it, opened = signed_in("it"), f"{settings}?credentials=1"
    text = texts(it, settings)
    assert 'name="app_secret"' not in text and 'name="base_url"' not in text and house.kingdee.url in text
    assert "kept, never shown" in text and opened in text
    asked = it.get(opened)
    assert asked.headers["Location"].startswith("/step-up") and "credentials%3D1" in asked.headers["Location"]
    it = signed_in("it", factor=True)
    text = texts(it, opened)
    assert 'name="app_secret"' in text and f'action="{opened}"' in text
    put = act(it, opened, opened, version="1", base_url=house.kingdee.url, app_secret="rotated", **FORM)
    assert put.status_code == 303
    from core.sync.secrets import access_of

    with house.app.system(house.seller, "test") as ctx:
        assert access_of(ctx.session.get(ErpConnection, house.connection_id)).secrets["app_secret"] == "rotated"
    ((told,),) = house.sql("SELECT detail::text FROM ts.audit_entry WHERE action = 'connection.change'")
    assert "app_secret" in told and "rotated" not in told


def test_a_running_stream_says_how_far_it_is(house: Any, signed_in: Any) -> None:  # noqa: F811
    it, page = signed_in("it"), f"/connections/{house.connection_id}"
    house.sql(
        "INSERT INTO ts.sync_run (id, tenant_id, connection_id, stream, trigger, started_at, total, read, stored, skipped)"
        " SELECT gen_random_uuid(), tenant_id, id, 'products', 'Li', clock_timestamp() - interval '100 s',"
        " 40000, 10000, 9900, 100"
        " FROM ts.erp_connection"
    )
    text = texts(it, page)
    assert "25%" in text and 'value="10000" max="40000"' in text and "about 5 minutes left" in text
    assert re.search(r"(99|100) a second", text) and 'hx-trigger="every 3s"' in text
    assert "约剩 5 分钟" in texts(signed_in("it", language="zh-CN"), page)
    house.sql("UPDATE ts.sync_run SET total = NULL")
    text = texts(it, page)
    assert "25%" not in text and "10,000 read" in text and "minutes left" not in text
    house.sql("UPDATE ts.sync_run SET state = 'done', ended_at = clock_timestamp()")
    assert 'hx-trigger="every 3s"' in texts(it, page)  # the other streams are due: they start in a moment
    house.sql("UPDATE ts.sync_stream SET next_at = NULL")
    assert 'hx-trigger="every 3s"' not in texts(it, page)

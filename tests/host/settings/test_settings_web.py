"""Settings over JSON and on pages: drawn from the schema, mended in place, never overwritten unseen, never telling a secret."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from core.identity import name_operator
from tests.conftest import OTHER, TENANT
from tests.host.settings import scales
from tests.host.settings.conftest import weighbridge
from tests.identity.browser import Browser, open_app
from tests.identity.conftest import House, house

__all__ = ["house"]
KEY = "open sesame 4711"
OWN = "/plugins/scales/settings"
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def app(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with house.unit.system(OTHER, "test") as ctx:
        name_operator(ctx)
    house.scalar("INSERT INTO ts.plugin (name, version, installed_by) VALUES ('scales', '1.0', 'test') RETURNING name")
    with open_app(house, tmp_path_factory.mktemp("data")) as made:
        host = made.extensions["ts.host"]
        host.loaded["scales"] = weighbridge()
        host.broken.pop("scales", None)
        host.dispatch.register("scales", scales)
        yield made


@pytest.fixture(autouse=True)
def unset(house: House) -> Iterator[None]:
    """Nothing chosen by anybody, before and after."""
    yield
    for table in ("plugin_settings", "plugin_enablement", "plugin_default"):
        house.scalar(f"WITH gone AS (DELETE FROM ts.{table} WHERE plugin = 'scales' RETURNING 1) SELECT count(*) FROM gone")


def caller(app: Flask, token: str) -> Call:
    def call(method: str, path: str = "", body: Any = None, version: int | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        headers |= {"If-Match": f'"{version}"'} if version is not None else {}
        return app.test_client().open(f"/api/v1{OWN}{path}", method=method, json=body, headers=headers)

    return call


@pytest.fixture
def call(app: Flask, house: House) -> Call:
    return caller(app, house.sign_in(house.person("admin")).token)


@pytest.fixture
def operator(app: Flask, house: House) -> Call:
    return caller(app, house.sign_in_fully(house.person("operator.admin", "admin", tenant=OTHER, totp=True)).token)


@pytest.fixture
def browser(app: Flask, house: House) -> Browser:
    found = Browser(app)
    found.sign_in(house.person("admin"))
    return found


def of(answer: Any, name: str) -> dict[str, Any]:
    return next(each for each in answer.get_json()["settings"] if each["name"] == name)


def seen(browser: Browser) -> dict[str, str]:
    """The hidden stamps of the form that the browser shows."""
    return dict(re.findall(r'name="(_seen|_platform)" value="(\d+)"', browser.page))


def test_settings_are_chosen_over_json_and_the_etag_guards_them(call: Call) -> None:
    empty = call("GET")
    assert (empty.status_code, empty.headers["ETag"], empty.get_json()["chosen"]) == (200, '"0"', {})
    assert of(empty, "days") | {"title": ""} == {
        "name": "days", "kind": "whole", "title": "", "hint": "", "group": "", "unit": "days", "required": False,
        "nullable": False, "choices": [], "value": 3, "source": "plugin", "below": 3, "below_source": "plugin",
    }  # fmt: skip
    assert call("PUT", body={"settings": {}}).status_code == 428
    chosen = call("PUT", body={"settings": {"site": "North", "days": 9, "token": KEY}, "note": "first"}, version=0)
    assert (chosen.status_code, chosen.headers["ETag"]) == (200, '"1"'), chosen.text
    assert chosen.get_json()["chosen"] == {"days": 9, "site": "North"}
    assert (of(chosen, "token")["source"], of(chosen, "token")["value"]) == ("own", None)
    late = call("PUT", body={"settings": {"site": "South"}}, version=0)
    assert (late.status_code, late.get_json()["code"]) == (409, "plugin.settings_changed")
    wrong = call("PUT", body={"settings": {"site": "South", "days": "many"}}, version=1)
    assert (wrong.status_code, wrong.get_json()["errors"][0]["path"]) == (422, "settings.days")


def test_versions_are_listed_compared_and_undone_over_json(call: Call) -> None:
    call("PUT", body={"settings": {"site": "North", "token": KEY}, "note": "first"}, version=0)
    call("PUT", body={"settings": {"site": "South", "token": "other key"}}, version=1)
    versions = call("GET", "/versions").get_json()["items"]
    assert [(each["no"], each["note"], each["plugin_version"]) for each in versions] == [(2, "", "1.0"), (1, "first", "1.0")]
    found = call("GET", "/diff?older=1&newer=2").get_json()["items"]
    assert [(each["name"], each["before"], each["after"], each["secret"]) for each in found] == [
        ("site", "North", "South", ""),
        ("token", None, None, "changed"),
    ]
    back = call("POST", "/undo", {"no": 1, "note": "better"}, version=2)
    assert (back.status_code, back.get_json()["chosen"]) == (200, {"site": "North"})
    assert call("POST", "/undo", {"no": 9}, version=3).status_code == 404
    assert call("POST", "/undo", {"no": 1}, version=2).status_code == 409


def test_the_operators_defaults_reach_who_did_not_choose(call: Call, operator: Call) -> None:
    assert operator("PUT", "/defaults", {"settings": {"days": 20, "token": KEY}}, version=0).status_code == 200
    found = call("GET")
    assert (of(found, "days")["value"], of(found, "days")["source"]) == (20, "platform")
    assert (of(found, "token")["value"], of(found, "token")["source"]) == (None, "platform")
    call("PUT", body={"settings": {"site": "North", "days": 30}}, version=0)
    operator("PUT", "/defaults", {"settings": {"days": 21, "fee": "5"}}, version=1)
    found = call("GET")
    assert (of(found, "days")["value"], of(found, "days")["below"], of(found, "fee")["value"]) == (30, 21, "5.00")
    back = operator("POST", "/defaults/undo", {"no": 1}, version=2)
    assert (back.status_code, back.get_json()["chosen"]) == (200, {"days": 20})
    assert [each["no"] for each in operator("GET", "/defaults/versions").get_json()["items"]] == [3, 2, 1]
    assert len(operator("GET", "/defaults/diff?older=1&newer=2").get_json()["items"]) == 2, "the secret stayed"
    assert call("GET", "/defaults").status_code == 403
    assert call("PUT", "/defaults", {"settings": {}}, version=3).status_code == 403


def test_a_secret_is_in_no_answer_no_row_and_no_trail(call: Call, operator: Call, house: House, app: Flask) -> None:
    said = [
        call("PUT", body={"settings": {"site": "North", "token": KEY}}, version=0).text,
        operator("PUT", "/defaults", {"settings": {"token": KEY}}, version=0).text,
        call("PUT", body={"settings": {"site": "North", "token": KEY + " more", "days": 400}}, version=1).text,
        call("GET").text,
        call("GET", "/diff?older=0&newer=1").text,
        operator("GET", "/defaults").text,
        operator("GET", "/defaults/versions").text,
    ]
    browser = Browser(app)
    browser.sign_in(house.person("admin"))
    said += [browser.get(OWN).text, browser.get(f"{OWN}/versions").text, browser.get(f"{OWN}/versions/1/undo").text]
    said.append(browser.post(OWN, _from=OWN, **seen(browser), site="", token=KEY + "!").text)
    assert KEY not in "".join(said)
    for table in ("plugin_settings", "plugin_enablement", "plugin_default", "audit_entry", "outbox_event", "stored_answer"):
        if house.scalar("SELECT to_regclass(:name) IS NOT NULL", name=f"ts.{table}"):
            assert KEY not in str(house.scalar(f"SELECT string_agg(t::text, ' ') FROM ts.{table} t"))
    detail = house.scalar("SELECT string_agg(detail::text, ' ') FROM ts.audit_entry WHERE action LIKE 'plugin.%'")
    assert '"secret": "set"' in str(detail)


def test_the_form_shows_every_kind_of_field(browser: Browser) -> None:
    page = browser.get(OWN).text
    for control in (
        'type="checkbox" id="f-automatic"', '<select class="inp" id="f-rounding"', 'name="shifts" value="night"',
        '<textarea class="inp" id="f-plates"', 'id="f-since" name="since" type="date" value="2026-01-01"',
        'id="f-address" name="address" type="url"', 'id="f-token" name="token" type="password"',
        '<span class="aff">days</span>', "From 1 to 90.", "Half up", "Tolerance", "Connection",
    ):  # fmt: skip
        assert control in page, control


def test_what_only_repeats_a_default_is_no_choice(browser: Browser, call: Call, operator: Call) -> None:
    operator("PUT", "/defaults", {"settings": {"days": 20}}, version=0)
    browser.get(OWN)
    shown = {**seen(browser), "automatic": "1", "days": "20", "lower": "0.50", "upper": "1.5", "site": "North",
             "rounding": "half_up", "shifts": "day", "since": "2026-01-01"}  # fmt: skip
    assert browser.post(OWN, **shown).status_code == 303
    assert call("GET").get_json()["chosen"] == {"site": "North"}
    browser.get(OWN)
    assert browser.post(OWN, **shown | seen(browser), **{"_act": "on"} | {}).status_code == 303
    operator("PUT", "/defaults", {"settings": {"days": 25}}, version=1)
    browser.post(OWN, **shown | {"_seen": "1", "fee": "3"})
    assert call("GET").get_json()["chosen"] == {"fee": "3.00", "site": "North"}, "the form was drawn over the older default"


def test_errors_stand_at_their_fields_and_what_was_typed_is_kept(browser: Browser, call: Call) -> None:
    browser.get(OWN)
    answer = browser.post(
        OWN, **seen(browser), days="400", site="North gate", lower="5", upper="1", since="2026-01-01",
        extra="{a: 1}", rounding="half_up", plates="A 1\nB 2",
    )  # fmt: skip
    page = answer.text
    assert answer.status_code == 422
    assert 'id="f-days-e"' in page and 'value="400"' in page and 'value="North gate"' in page
    assert "This is not JSON" in page and "{a: 1}" in page and "A 1\nB 2" in page
    assert call("GET").get_json()["version"] == 0


def test_two_who_save_at_once_lose_nothing(browser: Browser, call: Call) -> None:
    call("PUT", body={"settings": {"site": "North", "days": 5}}, version=0)
    browser.get(OWN)
    call("PUT", body={"settings": {"site": "South", "days": 6}}, version=1)
    typed = {"automatic": "1", "site": "North", "days": "9", "lower": "0.5", "upper": "1.5", "shifts": "day",
             "rounding": "half_up", "since": "2026-01-01"}  # fmt: skip
    answer = browser.post(OWN, _seen="1", _platform="0", **typed)
    page = answer.text
    assert answer.status_code == 409
    assert 'value="South"' in page and 'value="9"' in page, "theirs where nothing was typed, ours where it was"
    assert "saved version 2 while you were typing" in page and "North → South" in page
    assert seen_in(page)["_seen"] == "2"


def seen_in(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(_seen|_platform)" value="(\d+)"', page))


def test_a_choice_is_given_up_and_a_secret_is_removed(browser: Browser, call: Call) -> None:
    call("PUT", body={"settings": {"site": "North", "days": 5, "token": KEY}}, version=0)
    page = browser.get(OWN).text
    assert "Back to the plugin&#39;s default: 3 days" in page and "Set and encrypted." in page
    typed = {**seen(browser), "automatic": "1", "site": "North", "days": "5", "lower": "0.5", "upper": "1.5",
             "shifts": "day", "rounding": "half_up", "since": "2026-01-01"}  # fmt: skip
    assert browser.post(OWN, **typed, **{"_back.days": "1", "_clear.token": "1"}).status_code == 303
    found = call("GET")
    assert (found.get_json()["chosen"], of(found, "token")["source"]) == ({"site": "North"}, "")


def test_going_back_is_asked_and_done_on_a_page(browser: Browser, call: Call) -> None:
    call("PUT", body={"settings": {"site": "North"}}, version=0)
    call("PUT", body={"settings": {"site": "South", "days": 9}}, version=1)
    page = browser.get(f"{OWN}/versions").text
    assert "Readings are valid for" in page and f"{OWN}/versions/1/undo" in page
    page = browser.get(f"{OWN}/versions/1/undo").text
    assert "Readings are valid for: 9 days → Follows the default" in page and "South → North" in page
    assert browser.post(f"{OWN}/versions/1/undo", seen="2").status_code == 303
    assert call("GET").get_json()["chosen"] == {"site": "North"}
    browser.get(f"{OWN}/versions/2/undo")
    browser.post(f"{OWN}/versions/2/undo", seen="2")
    assert call("GET").get_json()["version"] == 3, "another version came meanwhile"


def test_a_version_that_no_longer_fits_opens_as_a_form_to_mend(browser: Browser, call: Call, house: House) -> None:
    call("PUT", body={"settings": {"site": "North"}}, version=0)
    with house.owner.begin() as owner:
        owner.execute(
            text("UPDATE ts.plugin_settings SET settings = '{\"site\": \"Old gate\", \"days\": 400}' WHERE tenant_id = :t"),
            {"t": TENANT},
        )
    call("PUT", body={"settings": {"site": "South"}}, version=1)
    page = browser.get(f"{OWN}/versions/1/undo").text
    assert "Version 1 no longer fits" in page and 'value="400"' in page and 'id="f-days-e"' in page


def test_the_operator_sets_defaults_on_a_page_and_others_may_not(app: Flask, house: House, browser: Browser) -> None:
    chief = Browser(app).sign_in_fully(house, house.person("operator.admin", "admin", tenant=OTHER, totp=True))
    page = chief.get(f"{OWN}/defaults").text
    assert "What every enterprise gets that does not choose for itself." in page
    typed = {**seen(chief), "automatic": "1", "days": "33", "lower": "0.5", "upper": "1.5", "shifts": "day",
             "rounding": "half_up", "since": "2026-01-01"}  # fmt: skip
    assert chief.post(f"{OWN}/defaults", **typed).status_code == 303
    assert "From the platform" in browser.get(OWN).text and 'value="33"' in browser.page
    assert chief.get(f"{OWN}/defaults/versions").status_code == 200
    assert "two seconds" in chief.get(f"{OWN}/defaults/versions/1/undo").text
    assert browser.get(f"{OWN}/defaults").status_code == 403


def test_who_may_only_look_sees_values_and_no_form(app: Flask, house: House, call: Call) -> None:
    call("PUT", body={"settings": {"site": "North gate", "token": KEY}}, version=0)
    reader = Browser(app)
    reader.sign_in(house.person("auditor"))
    page = reader.get(OWN).text
    assert "North gate" in page and "<dd>Set</dd>" in page and 'name="site"' not in page

"""From a file to a change: a wheel is handed in on a page, its plan read, consented to, watched, answered."""

import io
import re

import pytest

from tests.conftest import OTHER
from tests.identity.browser import Browser

pytestmark = pytest.mark.slow

CHANGE = re.compile(r"/plugins/changes/[0-9a-f-]{36}")


def consented(browser, place):
    """Read the plan at an address and consent to it as its form says."""
    page = browser.get(place).text
    fields = dict(re.findall(r'type="hidden" name="(verb|sha256|version|digest)" value="([^"]*)"', page))
    return browser.post(place.partition("?")[0], **fields)


def test_a_wheel_is_uploaded_planned_and_consented_to(operator, upload, made_wheel, house):
    taken = upload(*made_wheel("alpha", permission="alpha.use"))
    plan = taken.headers["Location"]
    assert plan.startswith("/plugins/alpha/plan?verb=install&sha256=")
    page = operator.get(plan).text
    assert "plugin.warns" not in page and "versions of the platform that do not exist yet" in page
    for said in ("Nobody vouches for this package.", "alpha.use", "It calls no other server.", "MIT", "&gt;=0.1,&lt;2"):
        assert said in page, said
    answer = consented(operator, plan)
    assert CHANGE.fullmatch(answer.headers["Location"])
    change = operator.get(answer.headers["Location"]).text
    assert "Waiting for its turn" in change and "Start it in a process of its own" in change
    assert 'hx-trigger="every 1s"' in change
    assert house.scalar("SELECT state FROM ts.plugin_change WHERE plugin = 'alpha'") == "queued"
    again = consented(operator, plan)
    assert again.headers["Location"] == answer.headers["Location"], "sent twice, it is one change"
    assert "Plugin alpha" in operator.get("/plugins").text
    assert answer.headers["Location"] in operator.get("/plugins/installation").text


def test_consent_holds_for_the_plan_that_was_read(operator, upload, made_wheel):
    upload(*made_wheel("beta"))
    answer = operator.post("/plugins/beta/plan", _from="/plugins/beta/plan?verb=install", verb="install", digest="0" * 16)
    assert answer.status_code == 409
    assert "is another one by now" in answer.text
    assert 'name="digest"' in answer.text, "the plan as it is now stands there"


def test_what_is_no_wheel_is_refused_on_the_form(operator, upload):
    nothing = operator.post("/plugins/upload", _from="/plugins/upload")
    assert nothing.status_code == 422
    wrong = upload("notes.txt", b"hello")
    assert wrong.status_code == 422
    assert "notes.txt" in wrong.text and 'aria-invalid="true"' in wrong.text


def test_a_signature_that_is_none_is_refused_beside_its_field(operator, made_wheel):
    name, content = made_wheel("signed")
    for said in (b"not a signature", b"\xff\xfe"):
        files = {"wheel": (io.BytesIO(content), name), "signature": (io.BytesIO(said), f"{name}.minisig")}
        answer = operator.post("/plugins/upload", _from="/plugins/upload", **files)
        assert answer.status_code == 422 and 'href="#f-signature"' in answer.text


def test_a_conflict_is_told_wish_by_wish(operator, upload, made_wheel):
    plan = upload(*made_wheel("gamma", libraries=["no-such-library>=2"])).headers["Location"]
    page = operator.get(plan)
    assert page.status_code == 409
    assert "This cannot be done as things are." in page.text
    assert "<li>gamma 1.0: no-such-library &gt;=2</li>" in page.text
    assert 'name="digest"' not in page.text


def test_a_plan_for_an_act_there_is_not_is_refused(operator):
    assert operator.get("/plugins/alpha/plan?verb=paint").status_code == 422


def test_an_enterprise_asks_and_reads_the_operators_answer(operator, enterprise, upload, made_wheel, house):
    upload(*made_wheel("delta"))
    assert "Ask for it" in enterprise.get("/plugins").text
    plan = "/plugins/delta/plan?verb=install"
    assert "The operator has the last word." in enterprise.get(plan).text
    where = consented(enterprise, plan).headers["Location"]
    assert "The operator is asked." in enterprise.get(where).text
    assert where in operator.get("/plugins").text
    empty = operator.post(f"{where}/answer", _from=f"{where}/answer", word="no", reason="")
    assert empty.status_code == 422
    operator.post(f"{where}/answer", word="no", reason="Not before the audit")
    assert "Not before the audit" in enterprise.get(where).text
    second = consented(enterprise, plan).headers["Location"]
    operator.post(f"{second}/answer", _from=f"{second}/answer", word="yes", reason="")
    assert house.scalar("SELECT state FROM ts.plugin_change WHERE id = :id", id=second[-36:]) == "queued"


def test_another_enterprises_wish_is_as_if_it_were_not(operator, enterprise, app, house):
    mine = house.scalar("SELECT id FROM ts.plugin_change WHERE plugin = 'delta' LIMIT 1")
    operators = house.scalar("SELECT id FROM ts.plugin_change WHERE plugin = 'alpha'")
    assert enterprise.get(f"/plugins/changes/{mine}").status_code == 200
    assert enterprise.get(f"/plugins/changes/{operators}").status_code == 404
    assert str(operators) not in enterprise.get("/plugins/changes").text


def test_an_enterprise_comes_near_nothing_of_the_operators(enterprise):
    for path in ("upload", "installation", "alpha/stop", "alpha/lift"):
        assert enterprise.get(f"/plugins/{path}").status_code == 403, path
    assert enterprise.get("/plugins/alpha/plan?verb=archive").status_code == 403


def test_who_showed_no_second_factor_shows_it_first(app, house):
    stale = Browser(app)
    stale.sign_in(house.person("operator.admin", tenant=OTHER))
    for path in ("/plugins/upload", "/plugins/alpha/plan?verb=install"):
        answer = stale.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/step-up?next=/plugins/")


def test_a_failed_change_says_why_in_the_readers_language(operator, house):
    ident = house.scalar(
        "INSERT INTO ts.plugin_change (id, plugin, verb, state, version, asked_by, steps, reason) VALUES (gen_random_uuid(),"
        " 'alpha', 'upgrade', 'failed', '2.0', 'ops', :steps, :reason) RETURNING id",
        steps='[{"step": "import", "state": "done", "at": "2026-11-23T10:00:00Z"},'
        ' {"step": "migrate", "state": "running", "at": "2026-11-23T10:00:01Z"}]',
        reason='{"code": "plugin.migration_failed", "values": {"plugin": "alpha", "reason": "no such column"}}',
    )
    page = operator.get(f"/plugins/changes/{ident}").text
    assert "no such column" in page and "See a new plan" in page
    assert page.count('<li class="bad">') == 1 and page.count('<li class="done">') == 1
    operator.client.set_cookie("ts_lang", "zh-CN")
    assert "数据表升级失败：no such column" in operator.get(f"/plugins/changes/{ident}").text
    operator.client.delete_cookie("ts_lang")
    assert 'hx-trigger="every 1s"' not in page

"""Looking round in the store: found by words, shown with pictures, stopped with a reason, measured."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.hooks.places import SLOTS as KNOWN
from core.host.store.measures import measures, percentile
from core.host.store.places import SLOTS
from tests.conftest import OTHER, TENANT


@pytest.fixture
def installed(house):
    """A plugin of the installation whose code does not run in this process."""
    house.scalar(
        "INSERT INTO ts.plugin (name, version, installed_by, manifest) VALUES ('odd', '2.0', 'ops',"
        """ '{"title": {"zh": "怪件", "en": "Odd one"}, "summary": {"en": "Does odd things"}, "category": "quality"}')"""
        " ON CONFLICT (name) DO UPDATE SET state = 'installed', stopped_by = NULL, stopped_until = NULL RETURNING 1"
    )
    yield "odd"
    house.scalar("DELETE FROM ts.plugin WHERE name = 'odd' RETURNING 1")


def test_an_empty_store_says_what_to_do(operator, enterprise):
    assert "Upload a package, read what it would do" in operator.get("/plugins").text
    assert "The operator installs plugins" in enterprise.get("/plugins").text
    assert "Nothing is installed" in operator.get("/plugins/installation").text
    assert "No changes yet" in operator.get("/plugins/changes").text
    assert "You have asked for nothing yet" in enterprise.get("/plugins/changes").text


def test_it_is_found_by_words_and_category(enterprise, installed):
    for query in ("q=odd+things", "q=ODD", "category=quality"):
        assert "Odd one" in enterprise.get(f"/plugins?{query}").text, query
    page = enterprise.get("/plugins?q=nothing-like-this").text
    assert "Odd one" not in page and "No plugin matches" in page
    assert "Nothing switched on" in enterprise.get("/plugins?tab=used").text
    assert "Everything is up to date" in enterprise.get("/plugins?tab=newer").text


def test_what_is_not_there_is_not_found(enterprise):
    for page in ("", "/permissions", "/health", "/versions"):
        assert enterprise.get(f"/plugins/nosuch{page}").status_code == 404


def test_the_kill_switch_asks_for_a_reason_and_the_page_says_who_can_lift_it(operator, enterprise, installed):
    assert "Enterprises read your reason" in operator.get(f"/plugins/{installed}/stop").text
    assert operator.post(f"/plugins/{installed}/stop", reason=" ").status_code == 422
    operator.post(f"/plugins/{installed}/stop", reason="It answers wrongly")
    seen = enterprise.get(f"/plugins/{installed}").text
    assert "This plugin is stopped." in seen and "It answers wrongly" in seen
    assert "The operator of the platform can lift it." in seen and "/lift" not in seen
    assert "It answers wrongly" in operator.get(f"/plugins/{installed}/lift").text
    operator.post(f"/plugins/{installed}/lift")
    assert "This plugin is stopped." not in enterprise.get(f"/plugins/{installed}").text


def test_quarantine_says_when_it_is_tried_again(enterprise, installed, house):
    house.scalar(
        "UPDATE ts.plugin SET stopped_by = 'platform', stopped_reason = 'it failed five times', stopped_at = now(),"
        " stopped_until = now() + interval '1 minute' WHERE name = 'odd' RETURNING 1"
    )
    seen = enterprise.get(f"/plugins/{installed}").text
    assert "The platform took it out of use: it failed five times" in seen and "It is tried again by itself" in seen


def test_pictures_of_a_package_are_pictures_and_nothing_else(operator, enterprise, upload, made_wheel, picture):
    files = {
        "README.md": b"# How\n\nIt **helps** <b>you</b>, see [there](https://x.example).\n\n- one\n",
        "static/screenshots/02-prices.png": picture,
        "static/screenshots/01-evil.png": b"<svg onload=alert(1)>",
        "static/screenshots/03-large.png": picture[:8] + b"0" * 2_100_000,
    }
    upload(*made_wheel("shown", files=files))
    page = enterprise.get("/plugins/shown").text
    assert "It helps &lt;b&gt;you&lt;/b&gt;, see there." in page and "<h3>How</h3>" in page and "<li>one</li>" in page
    assert page.count("<img") == 1 and 'alt="Prices"' in page
    got = enterprise.get("/plugins/shown/pictures/0")
    assert (got.status_code, got.mimetype, got.data) == (200, "image/png", picture)
    assert "sandbox" in got.headers["Content-Security-Policy"] and got.headers["X-Content-Type-Options"] == "nosniff"
    assert enterprise.get("/plugins/shown/pictures/1").status_code == 404


def test_an_archived_plugin_is_the_operators_to_restore(operator, enterprise, installed, house):
    house.scalar("UPDATE ts.plugin SET state = 'archived' WHERE name = 'odd' RETURNING 1")
    assert "Odd one" not in enterprise.get("/plugins").text
    assert "This plugin is archived." in enterprise.get(f"/plugins/{installed}").text
    page = operator.get(f"/plugins/{installed}").text
    assert "verb=restore" in page and "verb=purge" in page and "/stop" not in page


def test_deleting_for_good_asks_for_a_file_and_the_typed_name(operator, installed, house):
    house.scalar("UPDATE ts.plugin SET state = 'archived', changed_at = now() WHERE name = 'odd' RETURNING 1")
    assert operator.get(f"/plugins/{installed}/plan?verb=purge").status_code == 409
    change = house.scalar(
        "INSERT INTO ts.plugin_export (change_id, no, plugin, content, made_at) VALUES (gen_random_uuid(), 0, 'odd', 'PK-one',"
        " now() + interval '1 second') RETURNING change_id"
    )
    house.scalar(
        "INSERT INTO ts.plugin_export (change_id, no, plugin, content, made_at) VALUES (:id, 1, 'odd', '-two', now())"
        " RETURNING 1",
        id=change,
    )
    page = operator.get(f"/plugins/{installed}/plan?verb=purge").text
    assert "This cannot be undone." in page
    digest = page.split('name="digest" value="')[1].split('"')[0]
    wrong = operator.post(f"/plugins/{installed}/plan", verb="purge", digest=digest, typed_name="od")
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.text
    right = operator.post(f"/plugins/{installed}/plan", verb="purge", digest=digest, typed_name="odd")
    assert "/plugins/changes/" in right.headers["Location"]
    house.scalar("DELETE FROM ts.plugin_change WHERE plugin = 'odd' RETURNING 1")


def test_the_file_of_its_data_streams_to_the_operator_alone(operator, enterprise, installed, house):
    change = house.scalar("SELECT change_id FROM ts.plugin_export WHERE plugin = 'odd' LIMIT 1")
    where = f"/plugins/odd/exports/{change}.zip"
    got = operator.get(where)
    assert (got.data, got.mimetype, got.headers["Content-Length"]) == (b"PK-one-two", "application/zip", "10")
    assert "attachment" in got.headers["Content-Disposition"]
    assert where in operator.get("/plugins/odd/versions").text
    assert enterprise.get(where).status_code == 403
    assert operator.get(f"/plugins/other/exports/{change}.zip").status_code == 404
    assert house.scalar("SELECT count(*) FROM ts.audit_entry WHERE action = 'plugin.export_read'") == 1


def test_health_shows_hooks_and_only_ones_own_faults(operator, enterprise, installed, house):
    house.scalar(
        "INSERT INTO ts.plugin_minute (plugin, hook, minute, calls, errors, micros, slower) VALUES"
        " ('odd', 'price_lines', date_trunc('minute', now()), 100, 3, 500000, '{0,0,90,0,0,0,10}') RETURNING 1"
    )
    for tenant, reason in ((TENANT, "mine broke"), (OTHER, "the other broke")):
        house.scalar(
            "INSERT INTO ts.plugin_fault (plugin, hook, kind, reason, process, tenant_id) VALUES"
            " ('odd', 'price_lines', 'error', :reason, 'host:77:1', :tenant) RETURNING 1",
            reason=reason, tenant=tenant,
        )  # fmt: skip
    whole = operator.get(f"/plugins/{installed}/health").text
    for said in ("price_lines", "≤ 4 ms", "≤ 64 ms", "5 ms", "mine broke", "the other broke", "host:77:1"):
        assert said in whole, said
    own = enterprise.get(f"/plugins/{installed}/health?hours=24").text
    assert "mine broke" in own and "the other broke" not in own and "host:77:1" not in own


def test_percentiles_are_the_upper_edge_of_their_bucket():
    assert percentile([], Decimal("0.5")) is None and percentile([0, 0], Decimal("0.5")) is None
    assert percentile([10], Decimal("0.95")) == 1
    assert percentile([50, 50], Decimal("0.5")) == 1
    assert percentile([49, 51], Decimal("0.5")) == 2
    assert percentile([94, 0, 0, 6], Decimal("0.95")) == 8


def test_minutes_add_up_over_hooks_and_processes():
    class Minute:
        def __init__(self, hook, ago, calls, slower):
            self.hook, self.minute, self.calls, self.errors = hook, now - timedelta(minutes=ago), calls, 1
            self.micros, self.slower = calls * 1000, slower

    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    found = [Minute("a", 1, 4, [4]), Minute("a", 59, 2, [1, 1]), Minute("b", 30, 1, [0, 0, 1])]
    total, (first, second) = measures(found, now - timedelta(hours=1), 1)
    assert (total.calls, total.errors, total.mean) == (7, 3, 1)
    assert (first.hook, first.calls, second.hook) == ("a", 6, "b")
    assert (first.calls_by[1], first.calls_by[59], sum(total.calls_by)) == (2, 4, 7)


def test_every_place_on_a_page_has_its_words():
    assert set(SLOTS) == set(KNOWN)

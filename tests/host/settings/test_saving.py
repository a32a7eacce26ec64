"""Settings are checked, kept version by version, and never overwritten unseen."""

from typing import Any

import pytest
from sqlalchemy import text

from core.host.settings import history, saving
from core.host.settings.differing import differences
from core.host.settings.reading import settings
from core.kernel import Conflict, Forbidden, Invalid, NotFound
from core.tenancy import keep_plugin_settings, sealing
from tests.host.settings import scales
from tests.host.settings.conftest import Desk

KNOWN = settings(scales.Settings)
KEY = "open sesame 4711"


def paths(refused: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {error.path: error.code for error in refused.value.errors}


def trail(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    return [(row["action"], row["detail"]) for row in desk.ctx.session.info["audit"]]


def test_a_choice_stands_above_the_authors_default_and_the_rest_follows(desk: Desk) -> None:
    saved = desk.save({"site": "North gate", "days": "7"}, on=True)
    assert (saved.no, saved.values) == (1, {"days": 7, "site": "North gate"})
    read = desk.read()
    assert (read["days"], read["site"], read["lower"], read["shifts"]) == (7, "North gate", "0.5", ["day"])
    assert (read["since"], read["fee"], read["automatic"]) == ("2026-01-01", None, True)
    scales.Settings().load(read)


def test_everything_wrong_is_said_at_once_and_at_its_field(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        desk.save({"days": 400, "rounding": "up", "address": "nowhere", "colour": "red", "shifts": ["noon"]})
    assert paths(refused) == {
        "settings.days": "number.out_of_range",
        "settings.rounding": "choice.unknown",
        "settings.address": "url.not_a_url",
        "settings.colour": "field.unknown",
        "settings.shifts.0": "choice.unknown",
        "settings.site": "field.required",
    }
    assert history.latest(desk.ctx, desk.holder).no == 0


@pytest.mark.parametrize("wrong", ["a\x00b", {"a": ["\x00"]}, {"\ud800": 1}])
def test_what_no_database_can_keep_is_refused_at_its_field(desk: Desk, wrong: Any) -> None:
    with pytest.raises(Invalid) as refused:
        desk.save({"site": "North", "extra": wrong if isinstance(wrong, dict) else {"name": wrong}})
    assert list(paths(refused)) == ["settings.extra"]


def test_a_rule_between_fields_is_judged_on_what_the_plugin_would_read(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        desk.save({"site": "North", "lower": "2"})
    assert paths(refused) == {"settings.lower": "The lower limit lies above the upper one"}
    assert desk.save({"site": "North", "lower": "2", "upper": "3"}).no == 1


def test_what_does_not_change_makes_no_version(desk: Desk) -> None:
    desk.save({"site": "North", "days": 4})
    assert desk.save({"site": "North", "days": "4"}).no == 1
    assert desk.save(None, on=True).no == 1
    assert [action for action, _ in trail(desk)] == ["plugin.settings", "plugin.enable"]


def test_the_second_of_two_who_save_at_once_is_told_and_nothing_is_lost(desk: Desk) -> None:
    desk.save({"site": "North"})
    desk.save({"site": "North", "days": 5}, seen=1)
    with pytest.raises(saving.SettingsChanged) as refused:
        desk.save({"site": "South"}, seen=1)
    assert (refused.value.status, refused.value.values) == (409, {"by": "test", "no": 2})
    assert desk.read()["site"] == "North"


def test_any_two_versions_can_be_compared(desk: Desk) -> None:
    desk.save({"site": "North", "token": KEY})
    desk.save({"site": "North", "days": 5, "token": "another key"})
    desk.save({"site": "East", "days": 5, "token": None})
    one, two, three = (history.version(desk.ctx, desk.holder, no).values for no in (1, 2, 3))
    assert [(d.name, d.before, d.after, d.secret) for d in differences(one, two, KNOWN)] == [
        ("days", None, 5, ""),
        ("token", None, None, "changed"),
    ]
    assert [(d.name, d.secret) for d in differences(one, three, KNOWN)] == [
        ("days", ""),
        ("site", ""),
        ("token", "removed"),
    ]
    assert differences(two, two, KNOWN) == ()


def test_going_back_is_a_version_of_its_own(desk: Desk) -> None:
    desk.save({"site": "North", "token": KEY}, on=True)
    desk.save({"site": "South", "days": 9, "token": None})
    assert "token" in saving.preview(desk.ctx, desk.loaded, desk.holder, 1).to.values
    back = desk.undo(1, note="as it was")
    assert (back.no, back.note, back.values["site"]) == (3, "as it was", "North")
    assert desk.read()["token"] == KEY and desk.read()["days"] == 3
    assert [version.no for version in history.versions(desk.ctx, desk.holder)] == [3, 2, 1]


def test_going_back_to_what_no_longer_fits_is_refused_and_says_why(desk: Desk) -> None:
    desk.save({"site": "North", "days": 80})
    desk.save({"site": "North"})

    class Narrower(scales.Settings):
        days = scales.fields.Integer(load_default=3, validate=scales.validate.Range(min=1, max=30))

    desk.loaded.module = type("module", (), {"Settings": Narrower})
    assert [error.path for error in saving.preview(desk.ctx, desk.loaded, desk.holder, 1).errors] == ["settings.days"]
    with pytest.raises(Invalid) as refused:
        desk.undo(1)
    assert paths(refused) == {"settings.days": "number.out_of_range"}


def test_a_setting_that_a_newer_plugin_dropped_is_left_out_and_named(desk: Desk) -> None:
    desk.save({"site": "North", "days": 8})
    desk.save({"site": "South"})

    class Fewer(scales.Settings):
        class Meta:
            exclude = ("days",)

    desk.loaded.module = type("module", (), {"Settings": Fewer})
    found = saving.preview(desk.ctx, desk.loaded, desk.holder, 1)
    assert (found.gone, found.errors) == (("days",), ())
    assert desk.undo(1).values == {"site": "North"}


def test_what_an_enterprise_was_set_up_with_stays_to_go_back_to(desk: Desk) -> None:
    from core.tenancy import enable_plugin

    enable_plugin(desk.ctx, "scales", version="0.9", settings={"site": "Old", "days": 2})
    assert desk.save({"site": "New"}, seen=0).no == 2
    assert desk.undo(1).values == {"days": 2, "site": "Old"}


def test_a_version_that_never_was_is_not_found(desk: Desk) -> None:
    for no in (7, -1, 2**40):
        with pytest.raises(NotFound):
            desk.undo(no)


def test_only_who_may_manage_plugins_chooses_and_only_the_operator_gives_defaults(
    desk: Desk, platform: Desk, make_ctx: Any, dispatch: Any, tenant: Any
) -> None:
    reader = make_ctx(tenant, grants={"plugin.view": None}, dispatch=dispatch)
    with pytest.raises(Forbidden):
        Desk(reader, desk.loaded, desk.holder).save({"site": "North"})
    manager = make_ctx(tenant, grants={"plugin.manage": None}, dispatch=dispatch)
    with pytest.raises(Forbidden):
        Desk(manager, desk.loaded, platform.holder).save({"days": 2})


def test_the_platforms_default_lies_between_the_authors_and_the_enterprises(platform: Desk) -> None:
    ctx, own = platform.ctx, Desk(platform.ctx, platform.loaded, history.Holder("scales", platform.ctx.tenant_id))
    assert platform.save({"days": 20, "site": "Harbour"}).no == 1
    own.save({}, on=True)
    assert (own.read()["days"], own.read()["site"]) == (20, "Harbour")
    own.save({"days": 30})
    platform.save({"days": 21, "site": "Harbour", "fee": "12.5"})
    assert (own.read()["days"], own.read()["fee"]) == (30, "12.50")
    own.save({})
    assert own.read()["days"] == 21
    platform.undo(1)
    assert (own.read()["days"], own.read()["fee"]) == (20, None)
    assert [row.no for row in history.versions(ctx, platform.holder)] == [3, 2, 1]
    with pytest.raises(Invalid):
        platform.save({"upper": "11"})


def test_a_default_that_would_break_an_enterprises_settings_is_refused_and_names_it(platform: Desk) -> None:
    own = Desk(platform.ctx, platform.loaded, history.Holder("scales", platform.ctx.tenant_id))
    own.save({"site": "North", "lower": "1.4"}, on=True)
    platform.save({"upper": "1.45"})
    with pytest.raises(Conflict) as refused:
        platform.save({"upper": "1"})
    assert refused.value.code == "plugin.default_does_not_suit"
    assert refused.value.values == {"enterprise": str(platform.ctx.tenant_id), "settings": "lower"}
    own.save({"site": "North"})
    platform.save({"upper": "1"})


def test_secrets_are_nowhere_in_clear_but_in_the_plugins_hands(desk: Desk) -> None:
    desk.save({"site": "North", "token": KEY}, on=True)
    assert desk.read()["token"] == KEY
    kept = history.latest(desk.ctx, desk.holder).values["token"]
    assert desk.save({"site": "North", "token": KEY}).no == 1, "the same secret is no change"
    assert desk.save({"site": "South"}).values["token"] == kept, "not named: it stays"
    assert desk.save({"site": "South", "token": ""}).values["token"] == kept
    desk.ctx.session.flush()
    for table in ("plugin_settings", "plugin_enablement"):
        rows = desk.ctx.session.execute(text(f"SELECT row_to_json(t)::text FROM ts.{table} t")).scalars().all()
        assert rows and KEY not in "".join(rows)
    assert KEY not in str(trail(desk))
    assert ("token", "set") in [
        (name, each.get("secret")) for _, detail in trail(desk) for name, each in (detail.get("changes") or {}).items()
    ]
    removed = desk.save({"site": "South", "token": None})
    assert "token" not in removed.values and desk.read()["token"] is None


def test_a_secret_that_was_moved_here_does_not_open(desk: Desk, make_ctx: Any, dispatch: Any) -> None:
    desk.save({"site": "North", "token": KEY}, on=True)
    stolen = history.latest(desk.ctx, desk.holder).values["token"]
    with pytest.raises(Invalid):
        desk.save({"site": "North", "extra": stolen})
    with pytest.raises(Invalid):
        desk.save({"site": "North", "token": stolen})


def test_a_secret_that_cannot_be_read_any_more_is_replaced_or_removed(desk: Desk) -> None:
    desk.save({"site": "North", "token": KEY}, on=True)
    lost = {**history.latest(desk.ctx, desk.holder).values, "token": sealing.seal(KEY, "somewhere else", "token")}
    history.append(desk.ctx, desk.holder, 2, lost, plugin_version="1.0", note="", by="")
    keep_plugin_settings(desk.ctx, "scales", version="1.0", settings=lost)
    with pytest.raises(Conflict, match="secret_unreadable"):
        desk.read()
    with pytest.raises(Conflict, match="secret_unreadable"):
        desk.save({"site": "South"})
    assert desk.save({"site": "South", "token": KEY}).no == 3 and desk.read()["token"] == KEY
    assert "token" not in desk.save({"site": "South", "token": None}).values

"""A plugin that is broken in whatever way is listed with its reason, and the platform starts without it."""

import sys
from collections.abc import Callable

import pytest

from core.host import Host
from core.orders import ORDER

Install = Callable[..., None]
Start = Callable[..., Host]

GOOD = """
import tongshang as ts
from tongshang import hookimpl

@hookimpl
def register_permissions():
    return [ts.Permission("good.thing.do", "Do things")]
"""


def test_a_plugin_is_found_by_its_entry_point_and_read_before_it_is_imported(install: Install, start: Start) -> None:
    install("good", GOOD)
    host = start("good")
    plugin = host.loaded["good"]
    assert plugin.manifest.title == {"zh": "插件good", "en": "Plugin good"}
    assert (plugin.manifest.schema, plugin.manifest.version) == ("plugin_good", "1.2")
    assert [permission.code for permission in host.all("permissions")] == ["good.thing.do"]
    assert host.dispatch.title("good", "zh") == "插件good"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("1 / 0", "ZeroDivisionError"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_plugin_that_fails_at_import_is_listed_as_broken(
    install: Install, start: Start, code: str, reason: str
) -> None:
    install("bad", code)
    install("good", GOOD)
    host = start("bad", "good")
    assert reason in host.broken["bad"]
    assert list(host.loaded) == ["good"]
    assert [name for name, _ in host.dispatch.implementers("register_permissions")] == ["good"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def check_transition(ctx, colour): ...", "colour"),
        ("def before_everything(ctx): ...", "before_everything"),
        ("def register_permissions(): return [ts.Permission('other.thing', 'No')]", "must start with bad."),
        ("def register_permissions(): raise SystemExit(1)", "SystemExit"),
        (
            "def register_menu(): return [ts.NavEntry(key=k, endpoint='bad.x', icon='box', title=k) for k in 'ab']",
            "at most one menu entry",
        ),
        (
            "def register_order_transitions(): return [ts.Transition('vanish', 'draft', 'nowhere', 'buyer', None)]",
            "no way out",
        ),
        ("def register_blueprints(): return [pages('/orders')]", "must lie under /bad"),
        ("def register_api(): return [api('/orders')]", "must lie under /api/v1/bad"),
    ],
)
def test_a_declaration_that_does_not_fit_quarantines_the_plugin(
    install: Install, start: Start, code: str, reason: str
) -> None:
    before = list(ORDER.transitions)
    install(
        "bad",
        f"""
import tongshang as ts
from tongshang import hookimpl

def pages(path):
    made = ts.Pages("bad")
    made.get(path, permission="bad.see")(lambda ctx: None)
    return made

def api(path):
    made = ts.Api("bad")
    made.get(path, permission="bad.see")(lambda ctx: None)
    return made

@hookimpl
{code}
""",
    )
    host = start("bad")
    assert reason in host.broken["bad"]
    assert host.loaded == {} and not host.dispatch.manager.has_plugin("bad")
    assert list(ORDER.transitions) == before


def test_two_plugins_cannot_bring_the_same_trade_mode(install: Install, start: Start) -> None:
    code = """
import tongshang as ts
from tongshang import hookimpl

@hookimpl
def register_trade_modes():
    return [ts.TradeMode("barter", "Barter", lambda c, o: [], lambda c, o, by: None, lambda l, a: (a, l.unit_price))]
"""
    install("first", code)
    install("second", code)
    host = start("first", "second")
    assert list(host.loaded) == ["first"]
    assert "already brought by first" in host.broken["second"]
    assert host.dispatch.modes["barter"].plugin == "first"


@pytest.mark.parametrize("core", [">=9", "<0.1"])
def test_a_plugin_made_for_another_core_stays_out(install: Install, start: Start, core: str) -> None:
    install("old", "raise SystemExit('imported')", core=core)
    host = start("old")
    assert host.broken == {"old": f"made for core {core}"}
    assert "strange_old" not in sys.modules


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("", "lacks category, core, name, title"),
        ("name = [", "cannot be read"),
        ('name = "Bad Name"\ntitle = "x"\ncategory = "x"\ncore = ">=0"', "no plugin name"),
        ('name = "other"\ntitle = "x"\ncategory = "x"\ncore = ">=0"', "'other' inside"),
        ('name = "bad"\ntitle = "x"\ncategory = "x"\ncore = "soon"', "no version range"),
        ('name = "trust"\ntitle = "x"\ncategory = "x"\ncore = ">=0"', "a page of the store"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(install: Install, start: Start, manifest: str, reason: str) -> None:
    install("bad", "raise SystemExit('imported')", manifest=manifest)
    assert reason in start("bad").broken["bad"]


def test_plugins_come_after_what_they_require_and_never_without_it(install: Install, start: Start) -> None:
    install("auction", "", more='requires = ["tender>=1.0"]')
    install("tender", "", more='after = ["presale"]')
    install("presale", "")
    install("lonely", "", more='requires = ["absent"]')
    install("waiting", "", more='requires = ["lonely"]')
    install("modern", "", more='requires = ["tender>=2"]')
    host = start("auction", "tender", "presale", "lonely", "waiting", "modern")
    assert list(host.loaded) == ["presale", "tender", "auction"]
    assert host.broken == {"lonely": "needs absent", "waiting": "needs lonely", "modern": "needs tender>=2"}


def test_a_plugin_whose_requirement_fails_at_import_is_broken_too(install: Install, start: Start) -> None:
    install("auction", "", more='requires = ["tender"]')
    install("tender", "1 / 0")
    host = start("auction", "tender")
    assert host.loaded == {}
    assert host.broken["auction"] == "needs tender"


def test_a_circle_of_requirements_is_broken_as_a_whole(install: Install, start: Start) -> None:
    install("hen", "", more='requires = ["egg"]')
    install("egg", "", more='requires = ["hen"]')
    install("farm", "")
    host = start("hen", "egg", "farm")
    assert list(host.loaded) == ["farm"]
    assert set(host.broken) == {"hen", "egg"}


def test_safe_mode_starts_with_none(install: Install, start: Start) -> None:
    install("good", GOOD)
    assert start("good", safe_mode=True).loaded == {}


def test_a_plugin_that_cannot_begin_is_put_out(install: Install, start: Start) -> None:
    code = """
from tongshang import hookimpl

@hookimpl
def startup({arguments}):
    {body}
"""
    install("good", code.format(arguments="app", body="app.append('good')"))
    install("lazy", code.format(arguments="", body="pass"))
    install("bad", code.format(arguments="app", body="raise SystemExit(2)"))
    host = start("good", "lazy", "bad")
    begun: list[str] = []
    host.start(begun)
    assert begun == ["good"]
    assert host.broken == {"bad": "SystemExit: 2"}
    assert sorted(host.loaded) == ["good", "lazy"]
    assert not host.dispatch.manager.has_plugin("bad")

"""The plan says all that an operator must know before saying yes: what comes, what it may do, what it touches."""

import pytest

from core import tenancy
from core.host.life.plan import Plan
from core.kernel import Actor
from tests.host.life.conftest import Ground
from tests.host.life.wheels import file_name, library, table, wheel

RICH = """
@hookimpl
def register_trade_modes():
    return [ts.TradeMode("{name}", "Rich", lambda ctx, order: [], lambda ctx, order, by: None, lambda line, accepted: (0, 0))]


pages = ts.Pages("{name}", "/{name}")


@pages.get("/scales", permission="{name}.use")
def scales(ctx):
    return "heavy"


@hookimpl
def register_blueprints():
    return [pages]


@hookimpl
def check_transition(ctx, order, transition):
    return None
"""
MORE = """hosts = ["scales.example.com"]
slots = ["order:panel"]
definers = ["due"]
"""
DEFINER = """CREATE FUNCTION plugin_{name}.due() RETURNS bigint LANGUAGE sql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp AS 'SELECT 1::bigint'"""


def rich(name: str, version: str = "1.0", permission: str = "") -> bytes:
    """A plugin that brings a little of everything."""
    from tests.host.life.wheels import MANIFEST

    manifest = MANIFEST.format(name=name, core=">=0.1,<0.2", version=version, requires=[]) + MORE
    return wheel(
        name, version, steps=[[*table(name), DEFINER.format(name=name)]], more=RICH.format(name=name), libraries=["feathers>=1"],
        files={f"made_{name}/plugin.toml": manifest}, permission=permission,
    )  # fmt: skip


@pytest.fixture(scope="module")
def shown(ground: Ground) -> Plan:
    ground.keep(library("feathers", "1.2"), "feathers-1.2-py3-none-any.whl")
    sha256 = ground.keep(rich("rich"), file_name("rich"))
    return ground.plan("install", "rich", sha256)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verb", "install"), ("from_version", None), ("to_version", "1.0"), ("publisher", ""), ("licence", "MIT"),
        ("core", ">=0.1,<0.2"), ("libraries", ("feathers 1.2",)), ("permissions_new", ("rich.use",)), ("tables_new", ("note",)),
        ("migrations", True), ("hosts", ("scales.example.com",)), ("slots", ("order:panel",)), ("modes", ("rich",)),
        ("routes", ("GET /rich/scales",)), ("definers", ("due",)), ("open_orders", 0), ("enterprises", 0),
        ("warnings", ("plugin.warns_unsigned", "plugin.warns_definers")),
    ],
)  # fmt: skip
def test_what_comes_is_in_the_plan(shown: Plan, field: str, value: object) -> None:
    assert getattr(shown, field) == value


def test_hooks_and_packages_are_in_the_plan(shown: Plan) -> None:
    assert {"register_trade_modes", "register_blueprints", "check_transition", "register_permissions"} <= set(shown.hooks)
    assert len(shown.packages) == 2 and shown.packages[0] == shown.sha256
    assert set(shown.unsigned) == {file_name("rich"), "feathers-1.2-py3-none-any.whl"}


@pytest.mark.slow
def test_an_upgrade_shows_what_changes_and_whom_it_touches(ground: Ground, shown: Plan) -> None:
    assert ground.carry_out(shown).state == "done"
    with ground.unit.acting(ground.ids["lianhang"], Actor.system("test"), {}, everything=True) as ctx:
        tenancy.enable_plugin(ctx, "rich", version="1.0")
    sha256 = ground.keep(rich("rich", "1.1", permission="rich.weigh"), file_name("rich", "1.1"))

    found = ground.plan("upgrade", "rich", sha256)

    assert (found.verb, found.from_version, found.to_version) == ("upgrade", "1.0", "1.1")
    assert (found.permissions_new, found.permissions_gone) == (("rich.weigh",), ("rich.use",))
    assert (found.tables_new, found.migrations, found.enterprises) == ((), False, 1)


def test_a_range_that_promises_too_much_is_warned_of(ground: Ground) -> None:
    sha256 = ground.keep(wheel("boaster", steps=[], core=">=0.1"), file_name("boaster"))
    assert "plugin.warns_range" in ground.plan("install", "boaster", sha256).warnings

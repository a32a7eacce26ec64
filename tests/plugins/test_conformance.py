"""Every first-party plugin holds what a stranger's must; its tables are closed by policy; the door keeps its word."""

import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

import plugins.spot
import tongshang
from core.db import Database, Model
from core.host import conformance
from tests.conftest import Server
from tongshang.testing import PluginConformance

ROOT = Path(tongshang.__file__).parent.parent


class TestPresale(PluginConformance):
    plugin = "plugins.presale"


class TestRfq(PluginConformance):
    plugin = "plugins.rfq"


class TestSpot(PluginConformance):
    plugin = "plugins.spot"


def test_every_plugin_of_the_house_is_tested_here() -> None:
    found = {path.parent.name for path in (ROOT / "plugins").glob("*/plugin.toml")}
    tested = {each.plugin for each in PluginConformance.__subclasses__()}
    assert found == {name.removeprefix("plugins.") for name in tested if name.startswith("plugins.")}


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (("import tongshang as ts\n", "import tongshang as ts\nimport core.orders\n"), "test_it_enters_through_the_door_only"),
        (
            ('"spot.cart.use", "Fill a cart"', '"spot.other", "Fill a cart"'),
            "test_its_permissions_are_its_own_and_those_of_its_manifest",
        ),
        (('ts.Permission("spot', 'ts.Permission("stock'), "test_it_comes_in"),
    ],
)
def test_the_checks_notice_a_plugin_that_does_not_conform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], check: str
) -> None:
    package = f"spoiled_{abs(hash(change))}"
    folder = tmp_path / package
    folder.mkdir()
    source = (ROOT / "plugins" / "spot" / "__init__.py").read_text(encoding="utf-8")
    assert change[0] in source
    (folder / "__init__.py").write_text(source.replace(*change, 1), encoding="utf-8")
    (folder / "plugin.toml").write_text((ROOT / "plugins" / "spot" / "plugin.toml").read_text(encoding="utf-8"))
    monkeypatch.syspath_prepend(str(tmp_path))

    class Spoiled(PluginConformance):
        plugin = package

    try:
        with pytest.raises((AssertionError, KeyError)):
            getattr(Spoiled(), check)()
    finally:
        del Spoiled


def test_the_table_a_migration_makes_is_the_table_the_model_means(spot_db: Database, server: Server) -> None:
    engine = create_engine(server.url_for("ts_migrator", spot_db.name))  # type: ignore[attr-defined]
    found = inspect(engine)
    meant = [table for table in Model.metadata.tables.values() if table.schema == "plugin_spot"]
    assert [table.name for table in meant] == [name for name in found.get_table_names("plugin_spot") if name != "version"]
    for table in meant:
        columns = {each["name"]: (each["type"], each["nullable"]) for each in found.get_columns(table.name, "plugin_spot")}
        assert set(columns) == {column.name for column in table.columns}
        for column in table.columns:
            kind, nullable = columns[column.name]
            assert nullable == column.nullable, column.name
            assert kind._type_affinity == column.type._type_affinity, column.name
        indexes = {each["name"] for each in found.get_indexes(table.name, "plugin_spot")}
        assert indexes == {index.name for index in table.indexes}
    engine.dispose()


def test_every_table_of_a_plugin_has_forced_row_security_and_policies(spot_db: Database) -> None:
    with spot_db.session() as session:
        rows = session.execute(
            text("""
            SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
                   (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'plugin_spot' AND c.relkind = 'r' AND c.relname <> 'version'""")
        ).all()
        assert [(row.relname, row.forced) for row in rows] == [("cart_item", True)]
        assert all(row.policies >= 2 for row in rows)


def test_without_an_enterprise_the_plugins_tables_are_empty(spot_db: Database) -> None:
    with spot_db.session() as session:
        assert session.scalar(text("SELECT count(*) FROM plugin_spot.cart_item")) == 0


def test_everything_the_door_names_is_there_and_explained() -> None:
    page = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", page))
    for name in tongshang.__all__:
        assert hasattr(tongshang, name)
    assert sorted(set(tongshang.__all__) - explained) == []


def test_every_hook_has_its_row_in_the_reference() -> None:
    from core.hooks import POLICIES

    page = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)\(?[^`]*`\s*\| (declare|decide|decorate|life) ", page, re.M))
    assert rows == POLICIES
    assert len(POLICIES) == 23


def test_the_conformance_suite_is_the_one_the_door_shows() -> None:
    assert PluginConformance is conformance.PluginConformance
    assert plugins.spot.__doc__

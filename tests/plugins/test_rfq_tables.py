"""The tables of requests and quotes: as the models mean them, closed to everybody who is not a party."""

import pytest
from sqlalchemy import create_engine, inspect, text

from core.db import Database, Model
from core.host import tables
from tests.conftest import Server

NAMES = [
    "award", "award_line", "document", "invitation", "message", "quote", "quote_line", "quote_tier", "request", "request_line",
]  # fmt: skip


def test_the_tables_a_migration_makes_are_the_tables_the_models_mean(rfq_db: Database, server: Server) -> None:
    engine = create_engine(server.url_for("ts_migrator", rfq_db.name))  # type: ignore[attr-defined]
    found = inspect(engine)
    meant = {table.name: table for table in Model.metadata.tables.values() if table.schema == "plugin_rfq"}
    assert sorted(meant) == NAMES == sorted(set(found.get_table_names("plugin_rfq")) - {"version"})
    for name, table in meant.items():
        columns = {each["name"]: (each["type"], each["nullable"]) for each in found.get_columns(name, "plugin_rfq")}
        assert set(columns) == {column.name for column in table.columns}, name
        for column in table.columns:
            kind, nullable = columns[column.name]
            assert nullable == column.nullable, (name, column.name)
            assert kind._type_affinity == column.type._type_affinity, (name, column.name)
        plain = {each["name"] for each in found.get_indexes(name, "plugin_rfq") if not each.get("duplicates_constraint")}
        assert plain == {index.name for index in table.indexes}, name
    with engine.connect() as connection:
        assert tables.complaints(connection, "plugin_rfq", ["due"]) == []
    engine.dispose()


def test_without_an_enterprise_the_tables_are_empty(rfq_db: Database) -> None:
    with rfq_db.session() as session:
        for name in NAMES:
            assert session.scalar(text(f"SELECT count(*) FROM plugin_rfq.{name}")) == 0


@pytest.mark.parametrize("name", ["quote", "quote_line", "quote_tier", "message", "award_line"])
def test_what_was_said_is_never_changed(rfq_db: Database, name: str) -> None:
    with rfq_db.session() as session:
        for right in ("UPDATE", "DELETE"):
            held = "SELECT has_table_privilege(:table, :right) OR has_any_column_privilege(:table, :column_right)"
            given = {"table": f"plugin_rfq.{name}", "right": right, "column_right": "UPDATE"}
            assert session.scalar(text(held), given) is False

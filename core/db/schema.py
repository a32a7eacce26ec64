"""The schema as the models say it: what the first migration froze, and what tests hold the migrations against."""

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from core.db.rls import CLOCK, security_statements


def statements(metadata: MetaData, extra: list[str]) -> list[str]:
    """Every statement that makes the core's schema: functions, tables, indexes, the rooms' own SQL, security."""
    dialect = postgresql.dialect()
    found = [line.strip() for line in CLOCK.strip().split(";\n") if line.strip()]
    tables = [table for table in metadata.sorted_tables if not (table.schema or "").startswith("plugin_")]
    for table in tables:
        found.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            found.append(str(CreateIndex(index).compile(dialect=dialect)).strip())
    return [*found, *extra, *security_statements(metadata, tables)]


def apply(connection: Connection, lines: list[str]) -> None:
    """Run them as the owner, inside the connection's transaction."""
    connection.execute(text("SET LOCAL ROLE ts_owner"))
    for line in lines:
        connection.exec_driver_sql(line.replace("%", "%%"))

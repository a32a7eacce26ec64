"""A plugin somebody installed with pip: there after the next migration, unless its tables would not keep enterprises apart."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core.db import roles
from core.migrate import upgrade
from tests.conftest import Server

MIGRATION = """
from alembic import op
revision, down_revision = "1", None
def upgrade():
    op.execute("GRANT USAGE ON SCHEMA plugin_{name} TO ts_app")
    op.execute("CREATE TABLE plugin_{name}.note (tenant_id uuid NOT NULL, id uuid PRIMARY KEY)")
    op.execute("GRANT SELECT ON plugin_{name}.note TO ts_app")
    for line in {more!r}:
        op.execute(line)
"""
CLOSED = [
    "ALTER TABLE plugin_{name}.note ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE plugin_{name}.note FORCE ROW LEVEL SECURITY",
    "CREATE POLICY own ON plugin_{name}.note TO ts_app USING (tenant_id = (SELECT ts.tenant()))",
]


def rows(url: str, sql: str) -> list[Any]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.execute(text(sql)).all())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "closed"), [("tidy", True), ("leaky", False)])
def test_migrating_brings_in_what_pip_installed(server: Server, install: Any, tmp_path: Path, name: str, closed: bool) -> None:
    install(name)
    folder = tmp_path / f"strange_{name}" / "migrations"
    folder.mkdir()
    lines = [line.format(name=name) for line in CLOSED] if closed else []
    (folder / "r1.py").write_text(MIGRATION.format(name=name, more=lines), encoding="utf-8")
    database = f"{server.prefix}_beside_{name}"
    roles.provision(server.admin.render_as_string(hide_password=False), database)
    server.made.append(database)
    url = server.url_for("ts_migrator", database)

    said: list[str] = []
    upgrade(url, said.append)

    installed = rows(url, f"SELECT version, installed_by FROM ts.plugins() WHERE name = '{name}'")
    found = rows(url, f"SELECT to_regclass('plugin_{name}.note')")[0][0]
    if closed:
        assert [tuple(row) for row in installed] == [("1.2", "environment")] and found is not None
    else:
        assert installed == [] and found is None
        assert any("leaky is not installed" in line and "row-level security" in line for line in said)

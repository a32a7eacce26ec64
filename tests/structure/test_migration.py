"""The migrations make exactly the schema that the models describe: same columns, constraints, policies, grants.

When this fails before 0.1: `python -m migrations.freeze`. Afterwards: write the missing step.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from core import rooms
from core.db import Model, roles, schema
from core.migrate import upgrade
from tests.conftest import Server

OURS = "n.nspname IN ('ts', 'auth', 'jobs')"
CATALOGUES = {
    "columns": f"""
        SELECT c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {OURS} AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'version'""",
    "constraints": f"""
        SELECT o.conrelid::regclass::text, o.conname, pg_get_constraintdef(o.oid)
        FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
        WHERE {OURS} AND o.conrelid::regclass::text <> 'ts.version'""",
    "indexes": f"""
        SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {OURS} AND c.relname <> 'version'""",
    "policies": f"""
        SELECT p.polrelid::regclass::text, p.polname, p.polcmd::text, p.polpermissive, p.polroles::regrole[]::text,
               pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}""",
    "security": f"""
        SELECT c.oid::regclass::text, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole::text,
               (SELECT array_agg(each::text ORDER BY each::text) FROM unnest(c.relacl) each)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {OURS} AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relname <> 'version'""",
    "column grants": f"""
        SELECT a.attrelid::regclass::text, a.attname,
               (SELECT array_agg(each::text ORDER BY each::text) FROM unnest(a.attacl) each)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {OURS} AND a.attacl IS NOT NULL""",
    "functions": f"""
        SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proowner::regrole::text,
               (SELECT array_agg(each::text ORDER BY each::text) FROM unnest(p.proacl) each)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS} AND p.prokind = 'f'""",
    "triggers": f"""
        SELECT t.tgrelid::regclass::text, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {OURS} AND NOT t.tgisinternal""",
}  # fmt: skip


@pytest.fixture(scope="module")
def both(server: Server) -> Iterator[tuple[str, str]]:
    """Addresses of two databases: one made by the migrations, one by the models."""
    admin = server.admin.render_as_string(hide_password=False)
    names = [f"{server.prefix}_migrated", f"{server.prefix}_modelled"]
    for name in names:
        roles.provision(admin, name)
        server.made.append(name)
    migrated, modelled = (server.url_for("ts_migrator", name) for name in names)
    upgrade(migrated)
    rooms.load_models()
    engine = create_engine(modelled, poolclass=NullPool)
    with engine.begin() as connection:
        schema.apply(connection, schema.statements(Model.metadata, rooms.ddl()))
    engine.dispose()
    yield migrated, modelled


def rows(url: str, query: str) -> set[tuple[Any, ...]]:
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            found = connection.execute(text(query.replace(":", r"\:")))
            return {tuple(str(value) for value in row) for row in found}
    finally:
        engine.dispose()


@pytest.mark.parametrize("what", CATALOGUES)
def test_migrating_makes_what_the_models_say(both: tuple[str, str], what: str) -> None:
    migrated, modelled = (rows(url, CATALOGUES[what]) for url in both)
    assert modelled or what == "column grants"
    assert sorted(migrated - modelled) == sorted(modelled - migrated) == [], f"run `python -m migrations.freeze`: {what}"


def test_migrating_twice_does_nothing_the_second_time(both: tuple[str, str]) -> None:
    assert upgrade(both[0]) == []

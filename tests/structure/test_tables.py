"""Every table is behind row-level security, and no way around it is open to the application."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from core import rooms
from core.db import Model
from tests.conftest import Server

OURS = "(n.nspname IN ('ts', 'auth', 'jobs') OR starts_with(n.nspname, 'plugin_'))"
TABLES = f"pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS} AND c.relname <> 'version'"
OWNERS = "ARRAY['ts_owner'::regrole::oid, 'ts_plugin_owner'::regrole::oid]"
"""Who owns tables and definer functions: of the core, and of plugins."""


@pytest.fixture(scope="module")
def catalogue(house: Any, server: Server) -> Iterator[Connection]:
    """The catalogue of a migrated installation, plugins' schemas included."""
    engine = create_engine(server.url_for("ts_migrator", house.database), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def names(catalogue: Connection, query: str) -> list[str]:
    return sorted(str(row[0]) for row in catalogue.execute(text(query.replace(":", r"\:"))))


def test_every_table_of_the_models_is_in_the_database(catalogue: Connection) -> None:
    rooms.load_models()
    there = names(catalogue, f"SELECT n.nspname || '.' || c.relname FROM {TABLES} AND c.relkind IN ('r', 'p')")
    assert not set(Model.metadata.tables) - set(there)


def test_every_table_forces_row_level_security(catalogue: Connection) -> None:
    assert not names(
        catalogue,
        f"SELECT c.oid::regclass FROM {TABLES} AND c.relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)",
    )


def test_every_table_the_application_may_touch_has_a_policy_for_it(catalogue: Connection) -> None:
    """A grant without a policy is a table that is always empty; a policy for everybody is no policy."""
    assert not names(
        catalogue,
        f"""
        SELECT c.oid::regclass FROM {TABLES} AND c.relkind IN ('r', 'p')
          AND (has_table_privilege('ts_app', c.oid, 'SELECT') OR has_any_column_privilege('ts_app', c.oid, 'SELECT'))
          AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND 'ts_app'::regrole = ANY (p.polroles))""",
    )
    assert not names(
        catalogue,
        f"""
        SELECT c.oid::regclass || ' ' || p.polname FROM {TABLES.replace("WHERE", "JOIN pg_policy p ON p.polrelid = c.oid WHERE")}
          AND (0 = ANY (p.polroles)
            OR (pg_get_expr(p.polqual, p.polrelid) = 'true' AND NOT p.polroles <@ {OWNERS}))""",
    )


def test_every_policy_of_the_application_asks_for_the_tenant(catalogue: Connection) -> None:
    wrong = names(
        catalogue,
        f"""
        SELECT c.oid::regclass || ' ' || p.polname
        FROM {TABLES.replace("WHERE", "JOIN pg_policy p ON p.polrelid = c.oid WHERE")}
          AND NOT p.polroles <@ {OWNERS}
          AND coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) NOT LIKE '%tenant()%'""",
    )
    assert not wrong


def test_exempt_tables_are_out_of_reach_and_say_why(catalogue: Connection) -> None:
    rooms.load_models()
    exempt = [m.class_ for m in Model.registry.mappers if m.class_.__access__ == "exempt"]
    assert exempt
    for model in exempt:
        assert model.__exempt__, model
        name = model.__table__.fullname
        for role in ("ts_app", "ts_worker", "ts_plugin"):
            held = catalogue.scalar(
                text("SELECT has_table_privilege(:role, :name, 'SELECT, INSERT, UPDATE, DELETE')"),
                {"role": role, "name": name},
            )
            assert not held, f"{role} reaches {name}"


def test_the_application_owns_nothing_and_makes_nothing(catalogue: Connection) -> None:
    for role in ("ts_app", "ts_worker", "ts_plugin"):
        assert not names(catalogue, f"SELECT oid::regclass FROM pg_class WHERE relowner = '{role}'::regrole")
        for schema in ("ts", "auth", "jobs", "public"):
            assert not catalogue.scalar(text(f"SELECT has_schema_privilege('{role}', '{schema}', 'CREATE')")), (role, schema)
        assert not names(
            catalogue,
            f"SELECT c.oid::regclass FROM {TABLES} AND c.relkind = 'r' AND has_table_privilege('{role}', c.oid, 'TRUNCATE')",
        )


def test_the_parties_of_a_row_can_never_be_rewritten(catalogue: Connection) -> None:
    assert not names(
        catalogue,
        f"""
        SELECT c.oid::regclass || '.' || a.attname
        FROM {TABLES.replace("WHERE", "JOIN pg_attribute a ON a.attrelid = c.oid WHERE")}
          AND c.relkind IN ('r', 'p') AND n.nspname = 'ts' AND a.attname IN ('tenant_id', 'buyer_id', 'seller_id')
          AND (has_column_privilege('ts_app', c.oid, a.attnum, 'UPDATE')
            OR has_column_privilege('ts_worker', c.oid, a.attnum, 'UPDATE'))""",
    )


def test_definer_functions_fix_their_search_path_and_are_not_everybodys(catalogue: Connection) -> None:
    assert not names(
        catalogue,
        f"""
        SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE {OURS} AND p.prosecdef AND NOT EXISTS (
          SELECT 1 FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%' AND setting LIKE '%pg_temp')""",
    )
    assert not names(
        catalogue,
        f"""
        SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE {OURS} AND p.prosecdef AND (p.proacl IS NULL OR EXISTS (
          SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'))""",
    )
    assert not names(
        catalogue,
        f"""
        SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE {OURS} AND p.prosecdef AND p.proowner <> ALL ({OWNERS})""",
    )


def test_no_view_sees_more_than_its_reader(catalogue: Connection) -> None:
    assert not names(
        catalogue,
        f"""
        SELECT c.oid::regclass FROM {TABLES} AND (c.relkind = 'm' OR
          (c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)))""",
    )


def test_uniques_over_all_tenants_hold_nothing_that_could_be_guessed(catalogue: Connection) -> None:
    """A unique number or name over all tenants would tell one what another has; ids made by us tell nothing.

    What the installation knows of its plugins is nobody's secret, and no tenant writes it.
    """
    wrong = names(
        catalogue,
        f"""
        SELECT i.indexrelid::regclass FROM pg_index i JOIN {TABLES.replace("WHERE", "ON c.oid = i.indrelid WHERE")}
          AND n.nspname <> 'auth' AND NOT starts_with(c.relname, 'plugin') AND i.indisunique AND NOT EXISTS (
            SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
              AND a.atttypid = 'uuid'::regtype)""",
    )
    assert set(wrong) <= ALLOWED, set(wrong) - ALLOWED


ALLOWED = {"ts.uq_enterprise_card_uscc", "ts.pk_audit_entry"}
"""Meant so: a social credit code belongs to one enterprise of the country; the database numbers the trail, nobody else."""

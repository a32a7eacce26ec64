"""Tables that show what is another enterprise's are found out by trying, whatever their policies say; ways round are named."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from core.host import shipping, tables
from tests.host.life.conftest import Ground
from tests.host.life.wheels import MINE, REACH, table

NOTE = "plugin_probe.note"
LEFT = [("ts_migrator", ""), ("ts_migrator", None)]


@pytest.fixture
def owner(ground: Ground) -> Iterator[Connection]:
    """The migrator in a transaction that is given up, with a schema for a plugin's tables."""
    with ground.owner.connect() as connection:
        connection.execute(text("CREATE SCHEMA plugin_probe AUTHORIZATION ts_plugin_owner"))
        yield connection
        connection.rollback()


def make(owner: Connection, *lines: str) -> list[str]:
    """Run them as a plugin's migration would; answers what is found."""
    owner.execute(text("SET LOCAL ROLE ts_plugin_owner"))
    for line in lines:
        owner.exec_driver_sql(line)
    owner.execute(text("RESET ROLE"))
    tables.open_to_their_owner(owner, "plugin_probe")
    return tables.complaints(owner, "plugin_probe")


def test_a_sound_table_is_left_as_it_was(owner: Connection) -> None:
    assert make(owner, *table("probe")) == []
    assert owner.execute(text(f"SELECT count(*) FROM {NOTE}")).scalar() == 0
    policies = owner.execute(text("SELECT polname FROM pg_policy WHERE polrelid = :t ::regclass ORDER BY 1"), {"t": NOTE})
    assert list(policies.scalars()) == ["host_owner", "tenant_all"]
    assert owner.execute(text("SELECT current_user, current_setting('ts.tenant', true)")).one() in LEFT


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("true", "rows are seen without an enterprise"),
        (f"{MINE} OR true", "rows are seen"),
        (f"{MINE} OR length(said) > 0", "rows are seen"),
        (f"{MINE} OR said IS NULL", "rows are seen"),
        ("(SELECT ts.tenant()) IS DISTINCT FROM tenant_id", "rows are seen"),
        ("tenant_id = coalesce((SELECT ts.tenant()), tenant_id)", "rows are seen without an enterprise"),
    ],
)
def test_a_policy_that_only_names_the_enterprise_is_found_out(owner: Connection, policy: str, told: str) -> None:
    found = make(owner, *table("probe", policy=policy))

    assert found and all(each.startswith(NOTE) for each in found)
    assert any(told in each for each in found), found


def test_a_policy_for_one_role_alone_is_tried_as_that_role(owner: Connection) -> None:
    wide = f"CREATE POLICY wide ON {NOTE} FOR SELECT TO ts_worker USING (true)"
    found = make(owner, *table("probe"), wide)
    assert found and all("(as ts_worker)" in each for each in found), found


@pytest.mark.parametrize(
    ("command", "clause", "told"),
    [
        ("INSERT", "WITH CHECK (true)", "rows are written in another enterprise's name"),
        ("UPDATE", "USING (true) WITH CHECK (true)", "rows are changed"),
        ("DELETE", "USING (true)", "rows are removed"),
    ],
)
def test_writing_is_tried_like_reading(owner: Connection, command: str, clause: str, told: str) -> None:
    found = make(owner, *table("probe"), f"CREATE POLICY wide ON {NOTE} FOR {command} TO ts_app {clause}")
    assert any(told in each for each in found), found


def test_constraints_triggers_and_generated_columns_do_not_hide_a_leak(owner: Connection) -> None:
    crowd = [
        "CREATE TABLE plugin_probe.head (id uuid PRIMARY KEY)",
        f"GRANT USAGE ON SCHEMA plugin_probe TO {REACH}",
        "ALTER TABLE plugin_probe.head ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE FUNCTION plugin_probe.never() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'never'; END $$",
        f"CREATE TABLE {NOTE} (tenant_id uuid NOT NULL, id uuid PRIMARY KEY REFERENCES plugin_probe.head,"
        " no bigint GENERATED ALWAYS AS IDENTITY, said text NOT NULL CHECK (said ~ '^[0-9]{6}$'), amount numeric(20, 4) NOT NULL,"
        " day date NOT NULL, tags text[] NOT NULL, more jsonb NOT NULL, double numeric GENERATED ALWAYS AS (amount * 2) STORED,"
        " UNIQUE (tenant_id, said))",
        f"CREATE TRIGGER never BEFORE INSERT ON {NOTE} FOR EACH ROW EXECUTE FUNCTION plugin_probe.never()",
        f"ALTER TABLE {NOTE} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        f"GRANT SELECT ON {NOTE} TO ts_app",
        f"CREATE POLICY wide ON {NOTE} FOR SELECT TO ts_app USING ({MINE} OR amount > 0)",
    ]
    assert any("another enterprise's rows are seen" in each for each in make(owner, *crowd))


def test_types_that_take_little_are_tried_as_well(owner: Connection) -> None:
    narrow = [
        "CREATE DOMAIN plugin_probe.code AS text NOT NULL CHECK (VALUE ~ '^[A-Z]{3}$')",
        f"GRANT USAGE ON SCHEMA plugin_probe TO {REACH}",
        f"CREATE TABLE {NOTE} (tenant_id uuid NOT NULL, flag varchar(1) NOT NULL, share numeric(2, 2) NOT NULL, pair int4range)",
        f"ALTER TABLE {NOTE} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        f"GRANT SELECT ON {NOTE} TO ts_app",
        f"CREATE POLICY wide ON {NOTE} FOR SELECT TO ts_app USING ({MINE} OR share = 0)",
    ]
    assert any("another enterprise's rows are seen" in each for each in make(owner, *narrow))
    strict = f"ALTER TABLE {NOTE} ADD COLUMN code plugin_probe.code"
    assert "cannot be tried" in make(owner, strict)[0]


def test_what_is_published_on_purpose_is_read_by_all_and_written_by_its_owner_only(owner: Connection) -> None:
    lines = table("probe")[:-1]
    read = f"CREATE POLICY public_read ON {NOTE} FOR SELECT TO {REACH} USING ((SELECT ts.tenant()) IS NOT NULL)"
    write = f"CREATE POLICY own ON {NOTE} FOR {{}} TO {REACH} {{}}"
    sound = [*lines, read, write.format("INSERT", f"WITH CHECK ({MINE})")]
    assert make(owner, *sound) == []
    found = make(owner, f"CREATE POLICY wide ON {NOTE} FOR DELETE TO ts_app USING ((SELECT ts.tenant()) IS NOT NULL)")
    assert any("rows are removed" in each for each in found)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"CREATE VIEW plugin_probe.every AS SELECT * FROM {NOTE}", "plugin_probe.every: the view lacks security_invoker"),
        (
            f"CREATE FUNCTION plugin_probe.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS"
            f" 'SELECT count(*) FROM {NOTE}'",
            "plugin_probe.peek(): SECURITY DEFINER, and `definers` in plugin.toml does not name it",
        ),
        (f"CREATE RULE quiet AS ON DELETE TO {NOTE} DO INSTEAD NOTHING", "the rule quiet rewrites"),
    ],
)
def test_ways_round_the_policies_are_named(owner: Connection, line: str, told: str) -> None:
    assert any(told in each for each in make(owner, *table("probe"), line))


def test_a_definer_function_is_let_in_when_the_manifest_names_it_and_its_path_is_fixed(owner: Connection) -> None:
    function = "CREATE FUNCTION plugin_probe.due() RETURNS bigint LANGUAGE sql SECURITY DEFINER {} AS 'SELECT 1::bigint'"
    make(owner, *table("probe"), function.format("SET search_path = pg_catalog, pg_temp"))
    assert tables.complaints(owner, "plugin_probe", ["due"]) == []
    make(owner, "DROP FUNCTION plugin_probe.due()", function.format(""))
    assert "without a search_path" in tables.complaints(owner, "plugin_probe", ["due"])[0]


def test_a_trigger_on_a_table_of_the_core_is_named(owner: Connection) -> None:
    make(owner, "CREATE FUNCTION plugin_probe.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
    owner.execute(text("GRANT USAGE ON SCHEMA plugin_probe TO ts_owner"))
    owner.execute(text("SET LOCAL ROLE ts_owner"))
    owner.execute(text("CREATE TRIGGER spy AFTER INSERT ON ts.stored_file FOR EACH ROW EXECUTE FUNCTION plugin_probe.spy()"))
    owner.execute(text("RESET ROLE"))

    assert any("ts.stored_file: the trigger spy" in each for each in tables.complaints(owner, "plugin_probe"))
    assert "ts.stored_file (spy)" in tables.strangers(owner, "plugin_probe")


def test_functions_policies_and_schemas_outside_are_seen(owner: Connection) -> None:
    owner.execute(text("SET LOCAL ROLE ts_owner"))
    owner.execute(text("CREATE FUNCTION ts.slipped() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
    owner.execute(text("CREATE POLICY slipped ON ts.stored_file USING (true)"))
    with owner.begin_nested():
        owner.execute(text("CREATE SCHEMA plugin_other"))
    owner.execute(text("RESET ROLE"))

    found = tables.strangers(owner, "plugin_probe")
    assert {"ts.slipped()", "ts.stored_file (slipped)", "schema plugin_other"} <= set(found)


@pytest.mark.parametrize("name", sorted(shipping.shipped()))
def test_the_tables_we_ship_are_sound(owner: Connection, name: str) -> None:
    manifest = shipping.shipped()[name]
    assert tables.names(owner, manifest.schema)
    assert tables.complaints(owner, manifest.schema, manifest.definers) == []

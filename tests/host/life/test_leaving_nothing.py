"""A change that fails, whichever way, leaves the database as it was: its shape, its rights, the installation's own rows."""

import pytest
from sqlalchemy import text

from core import tenancy
from core.kernel import Actor
from tests.host.life.conftest import Ground
from tests.host.life.wheels import table

pytestmark = pytest.mark.slow
SHAPE = """SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
  SELECT concat_ws(' ', 'c', c.oid, relname, relkind, relnatts, relowner, relhasrules, relhastriggers, relrowsecurity,
                   relforcerowsecurity, relacl) AS line FROM pg_class c WHERE oid >= 16384 AND relpersistence <> 't'
  UNION ALL SELECT concat_ws(' ', 'a', attrelid, attnum, attname, attnotnull, attacl) FROM pg_attribute WHERE attrelid >= 16384
    AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT concat_ws(' ', 'f', oid, proname, proacl, md5(prosrc)) FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'p', oid, polname, polrelid, polcmd, polroles) FROM pg_policy
  UNION ALL SELECT concat_ws(' ', 't', oid, tgname, tgrelid, tgenabled) FROM pg_trigger WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'n', oid, nspname, nspacl) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%temp%'
  UNION ALL SELECT concat_ws(' ', 'd', datname, datacl) FROM pg_database WHERE datname = current_database()
  UNION ALL SELECT concat_ws(' ', 's', setdatabase, setrole, setconfig) FROM pg_db_role_setting
) everything"""
ROWS = """SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
  SELECT p::text AS line FROM ts.plugin p UNION ALL SELECT e::text FROM ts.plugin_epoch e
  UNION ALL SELECT n::text FROM ts.plugin_enablement n UNION ALL SELECT s::text FROM ts.plugin_settings s
  UNION ALL SELECT x::text FROM auth.permission x UNION ALL SELECT r::text FROM auth.role_permission r) everything"""
HEALTH = """
import os, sys, time


@hookimpl
def check_health():
    {}
"""
STRICT = """
from tongshang import fields


class Settings(ts.Schema):
    limit = fields.Integer(required=True)
"""
WIDE = ["CREATE POLICY wide ON plugin_{0}.note FOR SELECT TO ts_app USING (true)"]
HALF = ["CREATE TABLE plugin_{0}.half (id integer)", "UPDATE plugin_{0}.note SET said = 'x'", "SELECT 1 / 0"]


@pytest.mark.parametrize(
    ("name", "wrong", "code"),
    [
        ("fails_half", {"second": HALF}, "plugin.migration_failed"),
        ("fails_open", {"second": WIDE}, "plugin.tables_open"),
        ("fails_health", {"more": HEALTH.format("return ts.Health(False, 'unwell')")}, "plugin.unhealthy"),
        ("fails_raise", {"more": HEALTH.format("raise KeyError('scales')")}, "plugin.unhealthy"),
        ("fails_exit", {"more": HEALTH.format("sys.exit(3)")}, "plugin.change_crashed"),
        ("fails_killed", {"more": HEALTH.format("os.kill(os.getpid(), 9)")}, "plugin.change_killed"),
        ("fails_settings", {"more": STRICT}, "plugin.settings_no_longer_fit"),
        ("fails_fit", {"second": ["ALTER TABLE plugin_{0}.note RENAME COLUMN said TO told"]}, "plugin.tables_do_not_fit"),
    ],
)
def test_an_upgrade_that_fails_leaves_everything_as_it_was(
    ground: Ground, name: str, wrong: dict[str, object], code: str
) -> None:
    first = table(name)
    assert ground.put(name, steps=[first]).state == "done"
    ground.write("lianhang", name, "one", "two")
    with ground.unit.acting(ground.ids["lianhang"], Actor.system("test"), {}, everything=True) as ctx:
        tenancy.enable_plugin(ctx, name, version="1.0")
    content = f"SELECT md5(string_agg(n::text, ',' ORDER BY n::text)) FROM plugin_{name}.note n"
    before = [ground.scalar(each) for each in (SHAPE, ROWS, content)]
    given = dict(wrong)
    second = [str(each).format(name) for each in given.pop("second", ["SELECT 1"])]  # type: ignore[attr-defined]

    outcome = ground.put(name, "1.1", "upgrade", steps=[first, second], **given)

    assert (outcome.state, outcome.code) == ("failed", code), outcome
    assert [ground.scalar(each) for each in (SHAPE, ROWS, content)] == before
    assert ground.notes("lianhang", name) == ["one", "two"]
    with ground.unit.acting(ground.ids["lianhang"], Actor.system("test"), {}, everything=True) as ctx:
        tenancy.disable_plugin(ctx, name)
        told = ctx.session.execute(text("SELECT count(*) FROM ts.audit_entry WHERE action = 'plugin.upgrade'")).scalar()
    assert not told

"""Installing, upgrading and going back: all of it happens, or nothing."""

import pytest
from sqlalchemy import text

from tests.host.life.conftest import Ground
from tests.host.life.wheels import table

SUM = "SELECT md5(string_agg(n::text, ',' ORDER BY n::text)) FROM plugin_{0}.note n"


def test_an_installation_brings_schema_permission_row_audit_entry_and_epoch(ground: Ground) -> None:
    before = ground.scalar("SELECT ts.plugin_epoch_now()")

    outcome = ground.put("alpha")

    assert outcome.state == "done", outcome
    assert ground.scalar("SELECT to_regclass('plugin_alpha.note') IS NOT NULL")
    assert ground.scalar("SELECT count(*) FROM auth.permission WHERE code = 'alpha.use'") == 1
    row = ground.plugin("alpha")
    assert (row["state"], row["version"], row["revision"]) == ("installed", "1.0", "alpha_0")
    assert ground.scalar("SELECT ts.plugin_epoch_now()") == before + 1
    with ground.unit.system(ground.operator, "test") as ctx:
        kept = ctx.session.execute(text("SELECT action FROM ts.audit_entry WHERE object_id = 'alpha'")).scalars().all()
    assert "plugin.install" in kept
    ground.write("lianhang", "alpha", "ours")
    assert ground.notes("lianhang", "alpha") == ["ours"]
    assert ground.notes("hengke", "alpha") == []


@pytest.mark.slow
def test_versions_come_and_go_and_the_rows_stay(ground: Ground) -> None:
    first = table("beta")
    second = ["ALTER TABLE plugin_beta.note ADD COLUMN seen integer NOT NULL DEFAULT 0", *table("beta", "mark")]
    assert ground.put("beta", steps=[first]).state == "done"
    ground.write("lianhang", "beta", "one", "two")

    assert ground.put("beta", "1.1", "upgrade", steps=[first, second]).state == "done"
    assert ground.notes("lianhang", "beta") == ["one", "two"]
    assert ground.plugin("beta")["revision"] == "beta_1"

    row, rows = ground.plugin("beta"), ground.scalar(SUM.format("beta"))
    assert rows is not None
    broken = ["CREATE TABLE plugin_beta.half (id integer)", "DELETE FROM plugin_beta.note", "SELECT 1 / 0"]
    outcome = ground.put("beta", "1.2", "upgrade", steps=[first, second, broken])
    assert (outcome.state, outcome.code) == ("failed", "plugin.migration_failed")
    assert ground.plugin("beta") == row
    assert ground.scalar(SUM.format("beta")) == rows
    assert ground.scalar("SELECT to_regclass('plugin_beta.half')") is None

    assert ground.do("rollback", "beta").state == "done"
    assert ground.plugin("beta")["version"] == "1.0"
    assert ground.scalar("SELECT to_regclass('plugin_beta.mark') IS NOT NULL")
    assert ground.scalar(SUM.format("beta")) == rows


UNHEALTHY = """
@hookimpl
def check_health():
    return ts.Health(False, "the scales are broken")
"""
OPEN = "plugin.tables_open"


@pytest.mark.parametrize(
    ("name", "wrong", "code", "told"),
    [
        ("unwell", {"more": UNHEALTHY}, "plugin.unhealthy", "the scales are broken"),
        ("bare", {"steps": [table("bare", forced=False)]}, OPEN, "plugin_bare.note"),
        ("wide", {"steps": [table("wide", policy="true")]}, OPEN, "plugin_wide.note"),
        ("greedy", {"steps": [["ALTER TABLE ts.enterprise_card ADD COLUMN x int"]]}, "plugin.migration_failed", "owner"),
        ("nosy", {"steps": [["DELETE FROM ts.enterprise_card"]]}, "plugin.migration_failed", "permission denied"),
    ],
)
def test_what_is_not_sound_leaves_nothing_behind(
    ground: Ground, name: str, wrong: dict[str, object], code: str, told: str
) -> None:
    epoch = ground.scalar("SELECT ts.plugin_epoch_now()")

    outcome = ground.put(name, **wrong)

    assert (outcome.state, outcome.code) == ("failed", code), outcome
    assert told in str(outcome.values)
    assert ground.plugin(name) is None
    assert ground.scalar("SELECT to_regnamespace(:schema)", schema=f"plugin_{name}") is None
    assert ground.scalar("SELECT ts.plugin_epoch_now()") == epoch
    assert ground.scalar("SELECT count(*) FROM auth.permission WHERE starts_with(code, :name || '.')", name=name) == 0

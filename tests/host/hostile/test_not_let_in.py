"""Four plugins that never come in: whoever handed them in is told why by name, and the house is as it was before."""

import pytest

from core.kernel import Refused
from tests.host.hostile.checksums import Sums, changed, checksums
from tests.host.hostile.conftest import Stage
from tests.host.hostile.wheels import NOT_LET_IN
from tests.host.life.wheels import file_name, wheel

pytestmark = pytest.mark.slow
TOLD_OF = {"ts.plugin_package", "ts.plugin_change", "ts.audit_entry", "ts.audit_head"}  # what was handed in, asked for, recorded


def sums(bare: Stage) -> Sums:
    return {name: found for name, found in checksums(bare.sql).items() if name not in TOLD_OF}


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("half_migrated", "plugin.migration_failed", 'column "amount" of relation "second" contains null values'),
        ("collides", "plugin.does_not_come_in", "Table 'ts.trade_order' is already defined"),
        ("no_permission", "plugin.does_not_come_in", "give either a permission or the reason it is public"),
        ("wrong_core", "plugin.does_not_come_in", "made for core >=9,<10"),
    ],
)
def test_what_is_not_sound_is_refused_whole_and_by_name(bare: Stage, name: str, code: str, reason: str) -> None:
    before = sums(bare)

    outcome = bare.hand_in(name)

    assert (outcome.state, outcome.code) == ("failed", code), outcome
    assert (outcome.values or {})["plugin"] == name and reason in outcome.values["reason"], outcome
    [(state, why)] = bare.sql("SELECT state, reason FROM ts.plugin_change WHERE plugin = %s", name)
    assert state == "failed" and reason.split('"')[0] in why
    assert changed(before, sums(bare)) == []
    assert bare.sql("SELECT 1 FROM ts.plugin WHERE name = %s", name) == []
    assert bare.sql("SELECT 1 FROM pg_namespace WHERE nspname = %s", f"plugin_{name}") == []


def test_whoever_plans_such_a_plugin_is_told_before_anything_is_done(bare: Stage) -> None:
    told = {}
    for name in NOT_LET_IN:
        try:
            told[name] = bare.plan(name).verb
        except Refused as refused:
            told[name] = refused.code
    assert told == {
        "half_migrated": "install",  # its files are sound, and only the database can say what its rows make of them
        "collides": "plugin.does_not_come_in",
        "no_permission": "plugin.does_not_come_in",
        "wrong_core": "plugin.conflict",
    }


MAPPED = """
from sqlalchemy.orm import Mapped, relationship

class {kind}(ts.TenantOwned, ts.Model):
    __tablename__ = "{table}"
    __table_args__ = ({{"schema": "{schema}"{more}}},)
    id: Mapped[ts.uuid_pk]
    {line}
"""


@pytest.mark.parametrize(
    ("mapped", "reason"),
    [
        (("Loose", "loose", "plugin_maps", "", 'other: Mapped["Nowhere"] = relationship()'), "Nowhere"),
        (("Spy", "spy", "plugin_presale", "", "said: Mapped[str]"), "it maps the table plugin_presale.spy"),
        (("Wide", "trade_order", "ts", ', "extend_existing": True', "extra: Mapped[str]"), "changes the table ts.trade_order"),
    ],
)
def test_a_mapping_that_would_spoil_everybodys_is_found_out_before(
    bare: Stage, mapped: tuple[str, ...], reason: str
) -> None:
    early = MAPPED.format(**dict(zip(("kind", "table", "schema", "more", "line"), mapped, strict=True)))
    sha256 = bare.keep(file_name("maps"), wheel("maps", steps=[], early=early))
    with pytest.raises(Refused) as refused:
        bare.plan("maps", sha256)
    assert refused.value.code == "plugin.does_not_come_in" and reason in refused.value.values["reason"], refused.value.values


COMMITS = {
    "connection": "op.get_bind().commit()",
    "COMMIT": "op.execute('COMMIT')",
    "RESET ROLE": "op.execute('RESET ROLE'); op.execute('UPDATE ts.trade_order SET note = NULL')",
    "driver": "op.get_bind().connection.driver_connection.commit()",
}


@pytest.mark.parametrize("road", COMMITS)
def test_a_migration_neither_commits_nor_leaves_its_role(bare: Stage, road: str) -> None:
    before = sums(bare)
    name = f"commits_{list(COMMITS).index(road)}"
    outcome = bare.hand_in(name, migration=COMMITS[road])
    assert (outcome.state, outcome.code) == ("failed", "plugin.migration_failed"), outcome
    assert "is not for a plugin" in outcome.values["reason"]
    assert changed(before, sums(bare)) == []
    assert bare.sql("SELECT 1 FROM pg_namespace WHERE nspname = %s", f"plugin_{name}") == []

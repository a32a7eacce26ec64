"""Two plugins that bring the same thing, and one whose migration leaves its schema: the newcomer is refused."""

import pytest

from core.kernel import Refused
from tests.host.life.conftest import Ground
from tests.host.life.wheels import file_name, table, wheel

MODE = """
@hookimpl
def register_trade_modes():
    return [ts.TradeMode("barter", "Barter", lambda ctx, order: [], lambda ctx, order, by: None, lambda line, accepted: (0, 0))]
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zz_newcomer", "aa_newcomer"])  # loaded after the one that is there, and before it
def test_the_second_plugin_with_the_same_trade_mode_is_refused(ground: Ground, name: str) -> None:
    if ground.plugin("middle") is None:
        assert ground.put("middle", steps=[], more=MODE).state == "done"
    sha256 = ground.keep(wheel(name, steps=[], more=MODE), file_name(name))

    with pytest.raises(Refused) as refused:
        ground.plan("install", name, sha256)

    wanted = "plugin.does_not_come_in" if name > "middle" else "plugin.breaks_another"
    assert refused.value.code == wanted
    assert "barter" in refused.value.values["reason"]


def test_a_migration_that_slips_out_of_its_role_is_seen_and_undone(ground: Ground) -> None:
    slip = ["DO $$ BEGIN EXECUTE 'RES' || 'ET ROLE'; END $$", "ALTER TABLE ts.enterprise_card ADD COLUMN slipped integer"]

    outcome = ground.put("slippery", steps=[slip])

    assert (outcome.state, outcome.code) == ("failed", "plugin.migration_outside"), outcome
    assert "ts.enterprise_card" in str(outcome.values)
    assert not ground.rows(
        "SELECT 1 FROM pg_attribute WHERE attrelid = 'ts.enterprise_card'::regclass AND attname = 'slipped'"
    )


def test_a_view_that_shows_everybodys_rows_is_refused_by_name(ground: Ground) -> None:
    view = ["CREATE VIEW plugin_seer.everything AS SELECT * FROM plugin_seer.note",
            "GRANT SELECT ON plugin_seer.everything TO ts_app"]  # fmt: skip

    outcome = ground.put("seer", steps=[[*table("seer"), *view]])

    assert (outcome.state, outcome.code) == ("failed", "plugin.tables_open"), outcome
    assert "plugin_seer.everything" in str(outcome.values)
    assert ground.plugin("seer") is None

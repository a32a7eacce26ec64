"""The life of a stranger's plugin: installed, ordered in, upgraded, a bad upgrade undone, drained, put aside, brought back."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.authoring.trial import Trial
from core.kernel import Conflict
from tests.authoring.consigning import act
from tests.authoring.test_new import in_folder
from tests.examples import VERSIONS, build, source

NAME = "consignment"
COMMON = "SELECT id, code, laid, \"left\", unit_price FROM plugin_consignment.consignment_stock ORDER BY id"


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS[:2])
def test_the_example_holds_what_its_own_tests_say(version: str, tmp_path: Path) -> None:
    folder = source(version, tmp_path)

    tried = in_folder(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tried.returncode == 0, tried.stdout[-4000:] + tried.stderr[-2000:]
    looked = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", str(folder)], capture_output=True, text=True)
    assert looked.returncode == 0, looked.stdout


@pytest.mark.long
@pytest.mark.slow
def test_a_strangers_trade_mode_comes_works_changes_and_goes(trial: Trial) -> None:
    plan, outcome = trial.put("install", build("1.0"))
    assert outcome.state == "done", outcome
    assert (plan.to_version, plan.modes, plan.slots) == ("1.0", ("consignment",), ("order:panel",))
    assert plan.tables_new == ("consignment_stock", "usage_report")
    assert not plan.publisher

    known = act(trial.config, "trade")
    assert (known["state"], known["page"]) == ("completed", 200)
    rows = trial.rows(COMMON)
    assert [(row.code, row.laid, row.left) for row in rows] == [("BAR", 100, 50)]

    plan, outcome = trial.put("upgrade", build("1.1"))
    assert outcome.state == "done", outcome
    assert (plan.from_version, plan.to_version, plan.migrations, plan.open_orders) == ("1.0", "1.1", True, 1)
    assert trial.rows(COMMON) == rows
    seen = act(trial.config, "look", known)
    assert seen == {"stock": [{"left": "50.000000", "place": ""}], "settings": SETTINGS_1_1, "broken": {}}

    before, sums = trial.row(NAME), trial.sums(NAME)
    plan, outcome = trial.put("upgrade", build("1.2"))
    assert (outcome.state, outcome.code) == ("failed", "plugin.migration_failed")
    assert "division by zero" in str(outcome.values)
    assert (trial.row(NAME), trial.sums(NAME)) == (before, sums)
    assert trial.rows("SELECT to_regclass('plugin_consignment.count') AS found")[0].found is None

    outcome = trial.do("archive", NAME)[1]
    assert outcome.code == "plugin.has_open_orders", outcome
    assert act(trial.config, "drain", known) == {"refused": "order.mode_not_enabled", "state": "completed"}

    sums = trial.sums(NAME)
    assert trial.do("archive", NAME)[1].state == "done"
    assert trial.permissions(NAME) == 0
    assert trial.sums(NAME) == sums
    with pytest.raises(Conflict):
        trial.put("install", build("1.0"))
    assert trial.do("restore", NAME)[1].state == "done"
    assert trial.sums(NAME) == sums
    assert trial.permissions(NAME) == 4
    assert act(trial.config, "look", known)["stock"] == [{"left": "50.000000", "place": ""}]


SETTINGS_1_1 = ["confirm_usage", "low_level", "settle_days"]

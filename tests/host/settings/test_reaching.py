"""What is chosen in one process is read in every other within two seconds, and reading it costs no statement."""

import time
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import event

from core.db import Database, Unit
from core.hooks import Dispatch
from core.host import Loaded
from core.host.settings import saving
from core.host.settings.history import Holder
from core.identity import name_operator
from core.tenancy import enablement, plugin_settings
from tests.conftest import OTHER, make_unit


@pytest.fixture
def elsewhere(db: Database, dispatch: Dispatch) -> Unit:
    """Another process on the same database."""
    return make_unit(Database(db.engine.url.render_as_string(hide_password=False), pool_size=2), dispatch)


def read(unit: Unit, tenant: UUID, name: str) -> object:
    with unit.system(tenant, "test") as ctx:
        return plugin_settings(ctx, tenant, "scales")[name]


def test_a_choice_and_a_default_reach_other_processes_within_two_seconds(
    unit: Unit, elsewhere: Unit, loaded: Loaded, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(holder: Holder, values: dict[str, object]) -> None:
        with unit.system(holder.tenant or OTHER, "test") as ctx:
            saving.save(ctx, loaded, holder, values, on=True)

    passed = 0.0
    real: Callable[[], float] = time.monotonic
    monkeypatch.setattr(enablement.time, "monotonic", lambda: real() + passed)
    with unit.system(OTHER, "test") as ctx:
        name_operator(ctx)
    save(Holder("scales", tenant), {"site": "North", "upper": "2"})
    assert (read(elsewhere, tenant, "upper"), read(elsewhere, tenant, "days")) == ("2", 3)
    save(Holder("scales", tenant), {"site": "North", "upper": "4"})
    save(Holder("scales", None), {"days": 50})
    passed += 2.0
    assert (read(elsewhere, tenant, "upper"), read(elsewhere, tenant, "days")) == ("4", 50)
    elsewhere.database.dispose()


def test_reading_settings_again_asks_no_database(unit: Unit, elsewhere: Unit, loaded: Loaded, tenant: UUID) -> None:
    with unit.system(tenant, "test") as ctx:
        saving.save(ctx, loaded, Holder("scales", tenant), {"site": "North", "token": "open sesame"}, on=True)
    asked: list[str] = []
    with elsewhere.system(tenant, "test") as ctx:
        plugin_settings(ctx, tenant, "scales")
        event.listen(elsewhere.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
        for _ in range(20):
            assert plugin_settings(ctx, tenant, "scales")["token"] == "open sesame"
        assert asked == []
    elsewhere.database.dispose()

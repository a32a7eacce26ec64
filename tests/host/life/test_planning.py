"""The plan: a stranger's code is imported in a process of its own, and what does not fit is said in words."""

from types import MappingProxyType

import pytest

from core.host.life import changes
from core.host.life.examination import examine
from core.host.packages import Shelf, resolving
from core.host.standing import Installed, Standing
from core.kernel import Conflict, Refused
from tests.host.life.conftest import Ground
from tests.host.life.wheels import file_name, library, wheel


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("raiser", {"early": "raise RuntimeError('no licence')"}, "no licence"),
        ("quitter", {"early": "raise SystemExit(3)"}, "SystemExit"),
    ],
)
def test_a_module_that_fails_at_import_is_refused_with_its_reason(
    ground: Ground, name: str, wrong: dict[str, str], reason: str
) -> None:
    sha256 = ground.keep(wheel(name, steps=[], **wrong), file_name(name))

    with pytest.raises(Refused) as refused:
        ground.plan("install", name, sha256)

    assert refused.value.code == "plugin.does_not_come_in"
    assert reason in refused.value.values["reason"]


def test_an_import_that_hangs_is_stopped(ground: Ground) -> None:
    sha256 = ground.keep(wheel("sleeper", steps=[], early="import threading; threading.Event().wait()"), file_name("sleeper"))
    content = ground.scalar("SELECT content FROM ts.plugin_package WHERE sha256 = :sha256", sha256=sha256)
    folder = Shelf(ground.data).place(sha256, lambda digest: bytes(content))
    alone = Standing(0, MappingProxyType({"sleeper": Installed("sleeper", "installed", "1.0", (sha256,))}))

    with pytest.raises(Refused) as refused:
        examine(alone, [folder], seconds=2)

    assert refused.value.code == "plugin.import_hangs"


def test_a_plugin_for_another_core_is_a_conflict_told_in_words(ground: Ground) -> None:
    ground.keep(wheel("future", core=">=99"), file_name("future"))

    with pytest.raises(Refused) as refused:
        ground.plan("install", "future")

    assert refused.value.code == "plugin.conflict"
    assert "tongshang >=99" in refused.value.values["reason"]


@pytest.mark.parametrize(
    ("name", "wish", "told"),
    [
        ("lonely", {"requires": ["nowhere>=2"]}, "lonely 1.0: nowhere >=2"),
        ("bookless", {"libraries": ["no-such-library>=3"]}, "bookless 1.0: no-such-library >=3"),
    ],
)
def test_what_is_missing_is_told_with_who_asks_for_it(
    ground: Ground, name: str, wish: dict[str, list[str]], told: str
) -> None:
    ground.keep(wheel(name, **wish), file_name(name))

    with pytest.raises(Refused) as refused:
        ground.plan("install", name)

    assert refused.value.code == "plugin.conflict"
    assert told in refused.value.values["reason"]


def test_a_library_that_was_handed_in_is_taken_along(ground: Ground) -> None:
    held = ground.keep(library("weighing", "1.4"), "weighing-1.4-py3-none-any.whl")
    own = ground.keep(wheel("weigher", libraries=["weighing>=1,<2"]), file_name("weigher"))

    with ground.unit.system(ground.operator, "ops") as ctx:
        found = resolving.resolve(ctx.session, "weigher", Standing(1, MappingProxyType({})))

    assert found.packages == (own, held)
    assert found.libraries == ("weighing 1.4",)


def test_consent_to_another_plan_is_refused(ground: Ground) -> None:
    sha256 = ground.keep(wheel("shifting", steps=[]), file_name("shifting"))

    with ground.unit.system(ground.operator, "ops") as ctx, pytest.raises(Conflict) as refused:
        changes.consent(ctx, "install", "shifting", ground.data, digest="0" * 16, sha256=sha256)

    assert refused.value.code == "plugin.plan_changed"


@pytest.mark.slow
def test_nothing_comes_in_under_the_permission_of_another(ground: Ground) -> None:
    sha256 = ground.keep(wheel("thief", steps=[], permission="owner.use"), file_name("thief"))

    with pytest.raises(Refused) as refused:
        ground.plan("install", "thief", sha256)

    assert refused.value.code == "plugin.does_not_come_in"
    assert "owner.use must start with thief." in refused.value.values["reason"]

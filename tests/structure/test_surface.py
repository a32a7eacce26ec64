"""The public surface against the last released one: what changed is told, and what breaks plugins takes another version."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

import core
from core.host.reference import contract, surface
from core.host.reference.__main__ import release


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    return surface.present()


def test_the_present_surface_may_be_released(now: dict[str, Any]) -> None:
    wrong = surface.complaints(surface.released(), now, surface.CHANGES.read_text(encoding="utf-8"))
    assert not wrong, "\n".join(wrong)


def test_shipped_plugins_fit_this_core_and_promise_nothing_beyond_it() -> None:
    """A range that ends later would bring a plugin into a core that took away what it uses."""
    edge = surface.next_breaking(core.__version__)
    for name, plugin in contract.shipped().items():
        said = SpecifierSet(plugin.manifest.core, prereleases=True)
        assert core.__version__ in said, name
        assert edge not in said, f"{name} is said to work with {edge}, which nobody has seen: core = {plugin.manifest.core!r}"


CHANGES: list[tuple[str, Any, bool]] = [
    ("place", lambda s: s["names"].pop("place"), True),
    ("OrderFacts", lambda s: s["names"]["OrderFacts"]["fields"].pop("total"), True),
    ("OrderFacts", lambda s: s["names"]["OrderFacts"]["fields"].update(weight="Decimal"), True),
    ("OrderFacts", lambda s: s["names"]["OrderFacts"]["fields"].update(weight="Decimal = Decimal(0)"), False),
    ("OrderFacts", lambda s: s["names"]["OrderFacts"]["fields"].update(total="float"), True),
    ("Objection", lambda s: s["names"]["Objection"]["fields"].update(text="str = ''"), False),
    ("OrderStarted", lambda s: s["names"]["OrderStarted"]["fields"].pop("mode"), True),
    ("place", lambda s: s["names"]["place"].update(signature="(ctx: Context, new: NewOrder, at: int) -> TradeOrder"), True),
    ("place", lambda s: s["names"]["place"].update(signature="(ctx: Context, new: NewOrder, at: int=0) -> TradeOrder"), False),
    ("place", lambda s: s["names"]["place"].update(signature="(ctx: Context) -> TradeOrder"), True),
    ("place", lambda s: s["names"]["place"].update(signature="(ctx: Context, new: NewOrder) -> None"), True),
    ("Money", lambda s: s["names"]["Money"].update(kind="function"), True),
    ("price_lines", lambda s: s["hooks"].pop("price_lines"), True),
    ("price_lines", lambda s: s["hooks"]["price_lines"]["arguments"].pop("quotation"), True),
    ("price_lines", lambda s: s["hooks"]["price_lines"]["arguments"].update(side="str"), False),
    ("price_lines", lambda s: s["hooks"]["price_lines"].update(policy="decorate"), True),
    ("order:panel", lambda s: s["slots"].pop("order:panel"), True),
    ("order:panel", lambda s: s["slots"]["order:panel"].update(subject="LineFacts"), True),
    ("order:foot", lambda s: s["slots"].update({"order:foot": {"subject": "OrderFacts"}}), False),
    ("weigh", lambda s: s["names"].update(weigh={"kind": "function", "signature": "() -> None"}), False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "breaks"), CHANGES)
def test_a_change_is_seen_and_told_apart(now: dict[str, Any], name: str, change: Any, breaks: bool) -> None:
    changed = copy.deepcopy(now)
    change(changed)

    found = surface.differences(now, changed)

    assert [(each.name, each.breaks) for each in found] == [(name, breaks)], found


@pytest.mark.parametrize(("name", "change", "breaks"), CHANGES[::5])
def test_it_must_stand_in_the_changelog_and_a_breaking_one_takes_a_version(
    now: dict[str, Any], name: str, change: Any, breaks: bool
) -> None:
    changed = copy.deepcopy(now)
    change(changed)

    untold = surface.complaints(now, changed, "# Changes\n\n## 9.9 (unreleased)\n- Nothing.\n\n## 0.1.0\n- `" + name + "`\n")
    told = surface.complaints(now, changed, f"# Changes\n\n## 9.9 (unreleased)\n- `{name}` is another.\n")

    assert any(f"naming `{name}`" in each for each in untold)
    assert bool(told) == breaks
    assert not breaks or surface.next_breaking(core.__version__) in told[0]
    later = {**changed, "version": surface.next_breaking(core.__version__)}
    assert surface.complaints(now, later, f"# Changes\n\n## 9.9 (unreleased)\n- `{name}` is another.\n") == []


def test_what_was_never_released_may_still_change_when_it_is_told(now: dict[str, Any]) -> None:
    changed = copy.deepcopy(now)
    changed["names"].pop("place")
    heading = f"# Changes\n\n## {core.__version__} (unreleased)\n"

    assert surface.complaints(now, changed, f"{heading}- `place` is gone.\n") == []
    assert surface.complaints(now, changed, heading) != []


@pytest.mark.parametrize(("version", "edge"), [("0.1.0", "0.2"), ("0.9.3", "0.10"), ("1.0.0", "2.0"), ("3.4.5", "4.0")])
def test_which_version_may_break(version: str, edge: str) -> None:
    assert surface.next_breaking(version) == edge


def test_releasing_freezes_the_surface_and_is_refused_while_something_is_wrong(
    now: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen, changes = tmp_path / "surface.json", tmp_path / "CHANGELOG.md"
    monkeypatch.setattr(surface, "FROZEN", frozen)
    monkeypatch.setattr(surface, "CHANGES", changes)
    monkeypatch.setattr(surface.freeze, "__defaults__", (frozen,))
    changes.write_text("## 1 (unreleased)\n", encoding="utf-8")
    old = copy.deepcopy(now)
    old["names"]["gone"] = {"kind": "function", "signature": "() -> None"}
    frozen.write_text(json.dumps(old), encoding="utf-8")

    assert release() == 1
    assert "the name is gone" in capsys.readouterr().err
    frozen.unlink()
    assert release() == 0
    assert json.loads(frozen.read_text(encoding="utf-8")) == now

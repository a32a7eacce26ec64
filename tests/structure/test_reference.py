"""Everything a plugin may rely on has its entry in the reference, with a sentence that says what it is for."""

import re

import pytest

from core.host.reference import contract, reading, writing
from core.host.reference.__main__ import main
from core.host.reference.reading import ROOT

HERE = "python -m core.host.reference"


@pytest.fixture(scope="module")
def plugins() -> dict[str, object]:
    return contract.shipped()


def test_the_pages_are_as_the_source_is() -> None:
    stale = [str(path.relative_to(ROOT)) for path in writing.stale()]
    assert not stale, f"run `{HERE}` and commit: {', '.join(stale)}"
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", reading.names())
def test_every_name_of_the_door_says_what_it_is_for(name: str) -> None:
    entry = reading.entry("tongshang", name)

    assert len(entry.sentence.split()) >= 3, f"{entry.module}.{name} has no docstring of its own"
    assert not entry.doc.startswith(f"{name}("), f"{name} shows what dataclasses writes by itself"
    assert f"\n## {name}\n" in _text(writing.KINDS[entry.kind][0])


def test_every_hook_says_what_it_answers() -> None:
    page = _text("hooks")
    for hook in contract.hooks():
        assert len(hook.doc.split()) >= 4, hook.name
        assert f"\n### {hook.name}\n" in page
    assert len(contract.hooks()) == 23


def test_every_event_says_when_it_is_told_and_every_field_is_there() -> None:
    page = _text("events")
    for event in contract.events():
        part = page.partition(f"\n## {event.name}\n")[2].partition("\n## ")[0]
        assert len(event.sentence.split()) >= 3, f"{event.module}.{event.name} does not say when it is told"
        for member in event.members:
            assert member.kind != "field" or f"| `{member.name}` |" in part, f"{event.name}.{member.name}"


def test_every_slot_setting_and_permission_has_its_line(plugins: dict[str, object]) -> None:
    for page, found in (
        ("slots", contract.slots()),
        ("settings", [each.name for each in contract.settings(plugins)]),
        ("permissions", [permission.code for _, permission in contract.permissions(plugins)]),
    ):
        missing = [each for each in found if f"| `{each}` |" not in _text(page)]
        assert not missing, f"{page}: {missing}"


def test_every_setting_and_permission_has_words_for_people(plugins: dict[str, object]) -> None:
    assert not [f"{each.plugin}.{each.name}" for each in contract.settings(plugins) if not each.title]
    assert not [each.code for _, each in contract.permissions(plugins) if len(str(each.title)) < 4]


def test_the_slots_are_those_that_pages_ask_for() -> None:
    """In the source: `fill(ctx, "order:line", ...)`, and lists named SLOTS."""
    asked = set()
    for path in (ROOT / "core").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r'\(\s*ctx,\s*"([a-z]+:[a-z_]+)"', text))
        if path.name != "places.py":
            for names in re.findall(r"^SLOTS = \(([^)]*)\)", text, flags=re.M):
                asked |= set(re.findall(r'"([a-z]+:[a-z_]+)"', names))
    assert asked == set(contract.slots())


def test_both_pages_point_to_each_other() -> None:
    by_hand = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
    assert "(plugin-api.md)" in by_hand and "(hooks.md)" in (ROOT / "docs" / "reference" / writing.INDEX).read_text("utf-8")
    assert not [name for name in contract.slots() if f"`{name}`" not in by_hand]


def test_what_a_verb_takes_can_be_made_by_who_calls_it() -> None:
    """A class that a public function asks for stands at the door too."""
    names, missing = set(reading.names()), []
    for entry in reading.door():
        if entry.kind == "function":
            asked = re.findall(r"\b[A-Z]\w+", entry.signature.partition(" -> ")[0])
            missing += [f"{entry.name} asks for {each}" for each in asked if each not in names | BUILT_IN]
    assert not missing, "\n".join(missing)


BUILT_IN = {"Any", "Callable", "Decimal", "Iterable", "Mapping", "None", "Sequence", "UUID", "Errors", "False", "True", "CNY"}


def _text(page: str) -> str:
    return (ROOT / "docs" / "reference" / "plugin-api" / f"{page}.md").read_text(encoding="utf-8")

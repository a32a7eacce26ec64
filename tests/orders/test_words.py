"""Everything the room says, it says in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.orders.states import STEPS, TITLES
from core.orders.story import STORY
from core.web.i18n import CHINESE, ENGLISH, Words, word_folders
from tests.structure.source import called, modules

CORE = Path(__file__).parents[2] / "core"
WORDS = Words.load(word_folders(CORE))
RAISING = {
    "Refused",
    "Conflict",
    "NotFound",
    "Forbidden",
    "Invalid",
    "one",
    "FieldError",
    "PluginFailed",
    "KeyReused",
    "Rejected",
}


def raised(*rooms: str) -> Iterator[str]:
    for room in rooms:
        for path in (CORE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) in RAISING:
                    for argument in node.args:
                        if isinstance(argument, ast.Constant) and re.fullmatch(
                            r"[a-z]+\.[a-z_]+", str(argument.value)
                        ):
                            yield argument.value


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.parametrize(
    "code", sorted({*raised("orders", "outbox", "hooks", "kernel"), "order.only_buyer", "order.only_seller"})
)
def test_every_refusal_has_its_sentence(code: str) -> None:
    assert WORDS.knows(CHINESE, code) and WORDS.knows(ENGLISH, code)


def test_every_state_and_step_has_a_chinese_name() -> None:
    said = {title for title, _tone in TITLES.values()} | {title for _key, title in STEPS}
    said |= {told.text.msgid for told in STORY.values()}
    assert {each for each in said if not WORDS.knows(CHINESE, each)} == set()


def test_both_languages_fill_the_same_places() -> None:
    english, chinese = WORDS.catalogues[ENGLISH], WORDS.catalogues[CHINESE]
    for code in english:
        if code.startswith(("order.", "plugin.", "idempotency.")):
            assert places(english[code][0]) == places(chinese[code][0]), code


def places(sentence: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", sentence))


def test_every_step_that_a_room_notes_has_its_sentence() -> None:
    """What nobody declared would read by its name, in English, on a Chinese page."""
    noted = {
        call.args[2].value
        for module in modules("core", "plugins")
        for call in module.calls()
        if called(call) in ("note", "orders.note") and len(call.args) > 2 and isinstance(call.args[2], ast.Constant)
    }
    assert len(noted) > 15
    assert not noted - STORY.keys()

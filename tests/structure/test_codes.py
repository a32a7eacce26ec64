"""Every refusal has its sentence, in Chinese and English, and every value the sentence names is given."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from core.web.headers import SAID
from core.web.i18n import CHINESE, ENGLISH, LANGUAGES, Words, word_folders
from core.web.problem import TITLES
from tests.structure.source import ROOT, Module, called, modules, texts

CODE = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
PLACE = re.compile(r"%\((\w+)\)s")
FIRST = {
    "Refused",
    "NotFound",
    "Forbidden",
    "Conflict",
    "Unavailable",
    "Objection",
    "ValidationError",
    "SignInRefused",
    "TooManyTries",
}
SECOND = {"Rejected", "FieldError", "Invalid.one"}
MADE = {"order.only_": ("buyer", "seller"), "order.": ("seller_is_fixed", "mode_is_fixed")}
"""Codes made of a beginning and a word, by their beginning."""


@cache
def words() -> Words:
    return Words.load(word_folders(ROOT / "core", ROOT / "plugins", ROOT / "connectors"))


def raised() -> Iterator[tuple[Module, ast.Call, str]]:
    """(module, call, code) for every code written at the place it is raised."""
    for module in modules("core", "plugins", "connectors"):
        for call in module.calls():
            name = called(call).removeprefix("ts.")
            index = 0 if name in FIRST else 1 if name in SECOND else None
            if index is None or len(call.args) <= index:
                continue
            made = [part for part in ast.walk(call.args[index]) if isinstance(part, ast.JoinedStr)]
            parts = {text for part in made for text in texts(part)}
            for text in [*(text for text in texts(call.args[index]) if text not in parts), *_completed(made)]:
                if CODE.match(text):
                    yield module, call, text


def _completed(made: list[ast.JoinedStr]) -> Iterator[str]:
    for each in made:
        first = each.values[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and "." in first.value:
            yield from (f"{first.value}{ending}" for ending in MADE.get(first.value, ("?",)))


def test_the_walk_finds_what_is_refused() -> None:
    assert len({code for _, _, code in raised()}) > 100


def test_every_code_has_a_sentence_in_both_languages() -> None:
    missing = {
        f"{module.path}:{call.lineno} {code} ({language})"
        for module, call, code in raised()
        for language in LANGUAGES
        if not words().knows(language, code)
    }
    assert not missing, "\n".join(sorted(missing))


def test_every_value_a_sentence_names_is_given_where_it_is_refused() -> None:
    wrong = set()
    for module, call, code in raised():
        if called(call) == "ValidationError" or any(keyword.arg is None for keyword in call.keywords):
            continue
        given = {str(keyword.arg) for keyword in call.keywords}
        if called(call) in ("FieldError", "Objection"):
            values = next((arg for arg in call.args[2:] if isinstance(arg, ast.Dict)), None)
            if values is None and len(call.args) > 2:
                continue  # values made elsewhere
            given |= {str(key.value) for key in (values.keys if values else []) if isinstance(key, ast.Constant)}
        for language in (CHINESE, ENGLISH):
            sentence = words().gettext(language, code)
            if lacking := set(PLACE.findall(sentence)) - given:
                wrong.add(f"{module.path}:{call.lineno} {code} lacks {', '.join(sorted(lacking))}")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_http_failure_has_a_sentence() -> None:
    """The furniture makes these codes of numbers, which the walk cannot see; what is not among them is told as 400 or 500."""
    for status in SAID:
        for language in LANGUAGES:
            assert words().knows(language, f"http.{status}"), f"http.{status} ({language})"


def test_every_title_of_a_problem_is_translated() -> None:
    for title in TITLES.values():
        assert words().knows(CHINESE, title), title

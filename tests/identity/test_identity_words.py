"""Identity and tenancy say everything in both languages."""

import ast
import re
from pathlib import Path

import pytest

from core.identity import ROLES
from core.tenancy.model import KINDS, STATUSES
from core.web.i18n import CHINESE, ENGLISH, Words, word_folders

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("identity", "tenancy")
SAID = re.compile(r"(?<![\w])_\('((?:[^'\\]|\\.)*)'|ngettext\('((?:[^'\\]|\\.)*)'")
CODE = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")
RAISING = {
    "one",
    "Refused",
    "Conflict",
    "NotFound",
    "Forbidden",
    "SignInRefused",
    "TooManyTries",
    "Rejected",
    "FieldError",
}


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load(word_folders(ROOT / "core"))


def calls(room: str) -> list[tuple[str, str]]:
    found = []
    for path in (ROOT / "core" / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                found += [
                    (name, argument.value)
                    for argument in node.args
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                ]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_every_sentence_of_the_pages_has_its_chinese(room: str, words: Words) -> None:
    said = {
        text for name, text in calls(room) if name in {"_", "lazy", "gettext"} and not CODE.fullmatch(text)
    }
    for path in (ROOT / "templates" / room).glob("*.html"):
        found = SAID.findall(path.read_text("utf-8"))
        said |= {(first or second).replace("\\'", "'") for first, second in found}
    assert said
    assert {text for text in said if not words.knows(CHINESE, text)} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_every_code_has_its_sentence_in_both_languages(room: str, words: Words) -> None:
    codes = {text for name, text in calls(room) if name in RAISING and CODE.fullmatch(text)}
    assert len(codes) > 10
    for language in (CHINESE, ENGLISH):
        assert {code for code in codes if not words.knows(language, code)} == set()


def test_roles_kinds_states_and_permissions_have_names(words: Words) -> None:
    from core.identity.permissions import PERMISSIONS as identity
    from core.tenancy.permissions import PERMISSIONS as tenancy

    english = [*ROLES.values(), *(permission.title for permission in (*identity, *tenancy))]
    coded = [*(f"kind.{kind}" for kind in KINDS), *(f"enterprise.status.{status}" for status in STATUSES)]
    assert [text for text in english if not words.knows(CHINESE, text)] == []
    assert [code for code in coded if not (words.knows(CHINESE, code) and words.knows(ENGLISH, code))] == []

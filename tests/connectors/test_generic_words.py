"""Every setting and every reason of the generic connectors has its sentence, and the guide names every setting's field."""

import re
from pathlib import Path

import pytest

from connectors.generic.files.system import Files
from connectors.generic.records import KINDS
from connectors.generic.rest.system import Rest
from connectors.generic.shapes import LAYOUTS
from core.web.i18n import Words, word_folders

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "connectors" / "generic"
CODE = re.compile(r'"((?:generic|rest|files)\.[a-z_]+)"')


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load(word_folders(ROOT / "core", PACKAGE))


def _catalogue(language: str) -> set[str]:
    files = [*ROOT.glob(f"core/**/words/{language}.po"), PACKAGE / "words" / f"{language}.po"]
    return {name for file in files for name in re.findall(r'^msgid "(.+)"$', file.read_text("utf-8"), re.M)}


@pytest.mark.parametrize("connector", [Rest, Files])
def test_every_setting_can_be_read_in_chinese(connector):
    shown = {connector.title, connector.summary} | {stream.title for stream in connector.streams}
    for each in connector.settings:
        shown |= {each.title, *(title for _, title in each.choices)} | ({each.hint} if each.hint else set())
    assert {text.replace('"', '\\"') for text in shown} - _catalogue("zh") == set()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_reason_has_its_cause_and_remedy(language):
    sources = [file.read_text("utf-8") for file in PACKAGE.rglob("*.py")]
    codes = {code for source in sources for code in CODE.findall(source)}
    assert len(codes) > 70
    wanted = {f"{part}.{code}" for code in codes for part in ("cause", "remedy")}
    assert wanted - _catalogue(language) == set()


def test_the_words_can_be_loaded(words):
    assert words


def test_the_guide_names_every_field():
    guide = (ROOT / "docs" / "guides" / "connect-anything.md").read_text("utf-8")
    fields = (
        {*KINDS}
        | {name for layout in LAYOUTS.values() for name in (*layout.head, *layout.line)}
        | {name for kind in KINDS.values() for name in (*kind.needed, *kind.more)}
    )
    assert {field for field in fields if f"`{field}`" not in guide} == set()

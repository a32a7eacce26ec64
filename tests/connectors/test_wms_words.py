"""Whatever a person may see of the warehouses has its words."""

import re
from pathlib import Path

import pytest

from connectors.wms import flux, qimen
from core.web.i18n import CHINESE, ENGLISH, Words, word_folders

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r'"((?:qimen|flux)\.[a-z_]+)"')
ENDING = re.compile(r'f"\{(?:self|goods)\.code\}\.([a-z_]+)"')
NEVER_SEEN = {"qimen.exists", "qimen.missing", "flux.missing"}  # caught by the connector itself


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load(word_folders(ROOT / "core", ROOT / "plugins", ROOT / "connectors"))


@pytest.mark.parametrize("made", [qimen.connector(), flux.connector()], ids=["qimen", "flux"])
def test_every_setting_is_asked_for_in_chinese(words, made):
    seen = {made.title, made.summary, *(stream.title for stream in made.streams)}
    for setting in made.settings:
        seen |= {setting.title, setting.hint, *(title for _, title in setting.choices)}
    names = re.compile(r"^[a-z]+\.query$")  # names of the protocol stay as they are
    assert [one for one in seen if one and not names.match(one) and not words.knows(CHINESE, one)] == []


@pytest.mark.parametrize("key", ["qimen", "flux"])
def test_every_cause_has_a_sentence_in_both_languages(words, key):
    here = ROOT / "connectors" / "wms"
    codes = {code for path in (here / key).rglob("*.py") for code in CODE.findall(path.read_text())}
    codes |= {f"{key}.{end}" for path in here.glob("*.py") for end in ENDING.findall(path.read_text())}
    codes -= NEVER_SEEN
    assert len(codes) > 15
    missing = [
        (c, tongue) for c in codes for tongue in (CHINESE, ENGLISH) if not words.knows(tongue, f"cause.{c}")
    ]
    assert missing == []


def test_no_word_of_a_warehouse_changes_one_of_the_core(words):
    core = Words.load(word_folders(ROOT / "core", ROOT / "plugins"))
    for key in ("qimen", "flux"):
        own = Words.load([ROOT / "connectors" / "wms" / key / "words"])
        for tongue in (CHINESE, ENGLISH):
            for msgid, forms in own.catalogues[tongue].items():
                assert core.catalogues[tongue].get(msgid, forms) == forms, msgid

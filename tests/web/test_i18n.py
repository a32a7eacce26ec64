"""Two languages, complete: what a page, a menu or a refusal says exists in Chinese and in English."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from shell_samples import WEB, make_app

import core
from core.kernel import Money
from core.web.i18n import CHINESE, ENGLISH, Words, choose, gettext, lazy, speaking, word_folders

ROOT = Path(core.__file__).parent.parent
ROOMS = [ROOT / "core", ROOT / "plugins", ROOT / "connectors"]
FOLDERS = word_folders(*ROOMS)
CALLS = {"_": None, "gettext": None, "lazy": None, "ngettext": (1, 2)}
PLACE = re.compile(r"%\((\w+)\)s")
CODE = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")


@pytest.fixture(scope="module")
def words() -> Words:
    return Words.load(FOLDERS)


def sentences(folder: Path, method: list[tuple[str, str]]) -> set[tuple[str, str]]:
    found = set()
    for file, _line, message, _comments, _context in extract_from_dir(folder, method, {}, keywords=CALLS):
        found.add((message if isinstance(message, str) else message[0], str(folder / file)))
    return found


def said() -> set[tuple[str, str]]:
    pages = [folder for root in ROOMS for folder in root.rglob("templates") if folder.is_dir()]
    found = set().union(
        *(sentences(folder, [("**.html", "jinja2")]) for folder in [ROOT / "templates", *pages])
    )
    return found.union(*(sentences(room, [("**.py", "python")]) for room in ROOMS if room.is_dir()))


def test_every_sentence_on_a_page_or_in_the_code_has_its_chinese(words):
    missing = {(msgid, file) for msgid, file in said() if msgid.strip() and not words.knows(CHINESE, msgid)}
    assert not missing, "\n".join(sorted(f"{file}: {msgid}" for msgid, file in missing))


def test_every_code_that_has_a_sentence_has_it_in_both_languages(words):
    codes = {
        language: {msgid for msgid in words.catalogues[language] if CODE.match(msgid)}
        for language in (CHINESE, ENGLISH)
    }
    assert codes[CHINESE] == codes[ENGLISH]


@pytest.mark.parametrize(
    "path", [f / n for f in FOLDERS for n in ("zh.po", "en.po") if (f / n).is_file()], ids=str
)
def test_a_translation_keeps_the_places_of_its_sentence(path):
    with path.open("rb") as file:
        for message in read_po(file, abort_invalid=True):
            if not message.id or CODE.match(str(message.id)):
                continue
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            source = message.id[0] if isinstance(message.id, tuple) else message.id
            for form in forms:
                assert set(PLACE.findall(form)) == set(PLACE.findall(source)), (path, source)


def test_both_sentences_of_a_code_have_the_same_places(words):
    for code in filter(CODE.match, words.catalogues[ENGLISH]):
        zh, en = words.catalogues[CHINESE].get(code), words.catalogues[ENGLISH][code]
        if zh:
            assert set(PLACE.findall(zh[0])) == set(PLACE.findall(en[0])), code


def test_chinese_copy_is_plain_and_calm(words):
    for msgid, forms in words.catalogues[CHINESE].items():
        for form in forms:
            assert not re.search("[您请！!]", form.replace("申请", "").replace("邀请", "").replace("请求", "")), (msgid, form)


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, [], CHINESE),
        (None, ["en-GB", "zh"], ENGLISH),
        (None, ["fr", "de"], CHINESE),
        ("en", ["zh-CN"], ENGLISH),
        ("zh_CN", ["en"], CHINESE),
        ("klingon", ["en"], ENGLISH),
    ],
)
def test_the_readers_own_wish_goes_before_the_browsers(cookie, accepted, language):
    assert choose(cookie, accepted) == language


def test_a_menu_name_is_said_in_the_language_of_its_reader():
    name = lazy("Trade")
    with make_app().app_context():
        with speaking("zh"):
            assert str(name) == "交易"
        with speaking("en"):
            assert str(name) == "Trade"


def test_values_in_a_sentence_are_shown_in_its_language():
    from decimal import Decimal

    with make_app().app_context(), speaking("zh"):
        sentence = gettext(
            "permission.over_limit", amount=Money(Decimal("1200")), limit=Money(Decimal("1000"))
        )
    assert sentence.replace("\u202f", " ") == "金额 ¥ 1,200.00 超出你的权限上限 ¥ 1,000.00"


def test_plurals_follow_the_language(words):
    fix = ("%(n)s thing needs fixing", "%(n)s things need fixing")
    assert words.ngettext(ENGLISH, *fix, 1) == "1 thing needs fixing"
    assert words.ngettext(ENGLISH, *fix, 2) == "2 things need fixing"
    assert words.ngettext(CHINESE, *fix, 2) == "有 2 处需要修改"


def test_a_sentence_nobody_translated_still_reads_as_english(words):
    assert words.gettext(CHINESE, "Nobody translated this") == "Nobody translated this"


def test_a_sentence_without_values_keeps_its_percent_signs(words):
    assert words.gettext(ENGLISH, "100% done") == "100% done"


def test_a_later_room_refines_the_words_of_an_earlier_one(tmp_path):
    for name, word in (("a", "货"), ("b", "商品")):
        (tmp_path / name).mkdir()
        head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        po = f'{head}msgid "Goods"\nmsgstr "{word}"\n'
        (tmp_path / name / "zh.po").write_text(po, encoding="utf-8")
    assert Words.load([tmp_path / "a", tmp_path / "b"]).gettext(CHINESE, "Goods") == "商品"


def test_the_webs_own_words_are_there():
    assert (WEB / "words") in FOLDERS

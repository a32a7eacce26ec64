"""The terminal speaks the reader's language: every sentence a command can say has its Chinese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli import tongue
from core.cli.boundary import readable
from core.cli.group import COMMANDS
from core.kernel import Invalid, NotFound
from tests.cli.test_command_line import tongshang

CORE = Path(__file__).parents[2] / "core"
TOLD = {
    "UserError": (0, 2), "Finding": (1, 2), "failure": (0, 1), "Wrong": (0,), "say": (0,), "note": (0,), "heading": (0,),
    "tell": (0,),
}  # fmt: skip
"""Calls that say something, and which of their arguments are sentences."""
FILES = [
    *(CORE / "cli").glob("*.py"), *(CORE / "demo").glob("*.py"), *(CORE / "db" / "embedded").glob("*.py"),
    CORE / "config.py", CORE / "db" / "roles.py",
]  # fmt: skip
BARE = re.compile(r"[^a-zA-Z]*(VALUE[^a-zA-Z]*)*|.*[a-z]_[a-z].*|[a-z]+")
"""What is no sentence: names of files, values, one word."""


def sentences() -> Iterator[tuple[str, str]]:
    """(place, sentence) with VALUE where a value goes."""
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                given = [node.args[index] for index in TOLD.get(name, ()) if index < len(node.args)]
            elif isinstance(node, ast.Dict):
                given = [
                    value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value in {"step", "--company", "--uscc"}
                ]
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {"what", "do"}:
                given = [node.value]
            else:
                continue
            for each in given:
                for text in texts(each):
                    if not BARE.fullmatch(text):
                        yield f"{path.name}:{node.lineno}", text


def texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "VALUE" for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
        yield f"{node.left.value}VALUE"


FOUND = sorted({text: place for place, text in sentences()}.items())


def test_the_walk_finds_what_is_said() -> None:
    assert len(FOUND) > 100


@pytest.mark.parametrize(("text", "place"), FOUND, ids=[text[:40] for text, _ in FOUND])
def test_every_sentence_has_its_chinese(text: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_LANG", "zh")
    said = tongue.say(text)
    assert said != text and re.search(r"[\u4e00-\u9fff]", said), place
    assert said.count("VALUE") >= text.count("VALUE"), f"{place}: {said}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_explained_in_chinese(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_LANG", "zh")
    assert re.search(r"[\u4e00-\u9fff]", tongue.say(COMMANDS[name]))


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"LANG": "zh_CN.UTF-8"}, True), ({"LANG": "C", "LC_ALL": "zh_TW"}, True), ({"TS_LANG": "zh"}, True),
        ({"TS_LANG": "en", "LC_ALL": "zh_CN"}, False), ({"LANG": "de_DE.UTF-8"}, False), ({"LC_ALL": "", "LANG": ""}, False),
        ({}, False),
    ],
)  # fmt: skip
def test_the_first_wish_that_is_set_decides(environ: dict[str, str], wanted: bool) -> None:
    assert tongue.chinese(environ) is wanted


def test_what_a_log_said_last_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_LANG", "zh")
    assert tongue.say("The web server did not start.\nYes").endswith("\nYes")
    assert tongue.say("an unknown sentence") == "an unknown sentence"


@pytest.mark.parametrize(("wish", "part"), [("zh", "没有这个订单"), ("en", "not")])
def test_a_refusal_of_the_platform_is_said_in_words(wish: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TS_LANG", wish)
    told = tongue.say(readable(NotFound("order.not_found")).what)
    assert part in told and "order.not_found" not in told
    assert "field.required" not in tongue.sentence_of(Invalid.one("name", "field.required"))


def test_a_command_refuses_in_chinese(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    done = tongshang("demo", "--fresh", data=tmp_path, TS_LANG="zh_CN.UTF-8")
    assert done.returncode == 2
    assert "已停止" in done.stderr and "怎么办" in done.stderr
    assert not re.search(r"Stopped|Where|This is", done.stderr)

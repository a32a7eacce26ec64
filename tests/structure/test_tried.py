"""Nothing of the contract goes untried: each hook, event, slot and setting occurs where a test uses it.

A hook counts when the plugin of a test implements it; an event when a test names it outside of an import; a slot when a test
in which a plugin fills slots names it; a setting when a test of its plugin sets or asks for it. Permissions are tried by
`tests/trust/test_refusals.py`, one by one, from the list the application has. A name that turns up proves little; a name
that does not proves that nobody has tried it.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from core.host.reference import contract
from tests.structure.source import ROOT

TESTS = ROOT / "tests"
HERE = Path(__file__).name
OF_PLUGIN = {
    "rfq": ("plugins/test_rfq*.py", "plugins/fair.py"),
    "spot": ("plugins/test_spot*.py",),
    "presale": ("plugins/presale/*.py",),
}


@cache
def written() -> dict[str, str]:
    """The text of every file of tests, without its imports and its docstring."""
    found = {}
    for path in sorted(TESTS.rglob("*.py")):
        if path.parent.name == "structure":
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for no in range(node.lineno - 1, node.end_lineno or node.lineno):
                    lines[no] = ""
        found[str(path.relative_to(TESTS))] = "\n".join(lines)
    return found


@pytest.mark.parametrize("name", [hook.name for hook in contract.hooks()])
def test_every_hook_is_implemented_by_the_plugin_of_a_test(name: str) -> None:
    implemented = re.compile(rf"@(?:\w+\.)?hookimpl\b[^\n]*\n\s*def {name}\(")
    assert [path for path, text in written().items() if implemented.search(text)], f"no plugin of a test implements {name}"


@pytest.mark.parametrize("name", [event.name for event in contract.events()])
def test_every_event_is_looked_for_by_a_test(name: str) -> None:
    assert [path for path, text in written().items() if re.search(rf"\b{name}\b", text)], f"no test looks for {name}"


@pytest.mark.parametrize("name", list(contract.slots()))
def test_every_slot_is_filled_by_the_plugin_of_a_test(name: str) -> None:
    filled = [path for path, text in written().items() if f'"{name}"' in text and "fill_slot" in text]
    assert filled, f"no plugin of a test fills {name}"


@pytest.mark.parametrize(
    ("plugin", "name"), [(each.plugin, each.name) for each in contract.settings(contract.shipped())]
)
def test_every_setting_is_set_or_asked_for_by_a_test_of_its_plugin(plugin: str, name: str) -> None:
    paths = {path.relative_to(TESTS) for pattern in OF_PLUGIN[plugin] for path in TESTS.glob(pattern)}
    assert [path for path in paths if re.search(rf"\b{name}\b", written()[str(path)])], f"no test sets {plugin}'s {name}"


def test_permissions_are_tried_one_by_one() -> None:
    assert "permission" in written()["trust/test_refusals.py"], HERE

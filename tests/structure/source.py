"""The source as syntax trees, read once, for the tests that walk it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import core

ROOT = Path(core.__file__).parent.parent
FOLDERS = ("core", "plugins", "connectors", "tongshang")


@dataclass(frozen=True)
class Module:
    """One file: its path from the root, and its tree."""

    path: str
    tree: ast.Module
    lines: int

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @property
    def room(self) -> str:
        """`core.orders`, `plugins.spot`; the package two steps down."""
        return ".".join(Path(self.path).with_suffix("").parts[:2])

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def imports(self) -> Iterator[tuple[str, str, int]]:
        """(module, name, line) of every import, the name empty for `import x`."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, "", node.lineno
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    yield node.module, alias.name, node.lineno


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every module below the given folders, all of ours when none is given."""
    paths = (path for folder in folders or FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return tuple(_read(path) for path in paths)


@cache
def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(str(path.relative_to(ROOT)), ast.parse(text), text.count("\n") + 1)


def called(call: ast.Call) -> str:
    """`Invalid.one` for `Invalid.one(...)`, `require` for `anything.require(...)`, `Refused` for `Refused(...)`."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute):
        owner = function.value
        return f"{owner.id}.{function.attr}" if isinstance(owner, ast.Name) and owner.id[0].isupper() else function.attr
    return ""


def texts(node: ast.AST) -> Iterator[str]:
    """Every string constant below a node."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value

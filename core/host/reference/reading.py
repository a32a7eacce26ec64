"""Reads the door as its authors wrote it: kind, signature, fields and docstring of each name, from the source itself.

Nothing of what is described is imported: a signature on the page is the text in the file, the same under every Python.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import core

ROOT = Path(core.__file__).parent.parent
DOOR = "tongshang"
MACHINERY = {"impl", "cache_ok", "process_bind_param", "process_result_value", "register", "metadata"}
"""What the platform itself asks of these classes; no author calls it."""


@dataclass(frozen=True)
class Member:
    """Something of a class: a `field`, a `property`, a `method` or a constant `value`. `needed`: must be given to make one."""

    name: str
    kind: str
    text: str
    note: str
    needed: bool = False


@dataclass(frozen=True)
class Entry:
    """One public name. `signature` is how it is called, if it is; `bases` are the names of its classes, nearest first."""

    name: str
    kind: str  # event, refusal, value, class, function, mark
    module: str
    signature: str
    doc: str
    bases: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    frozen: bool = False

    @property
    def sentence(self) -> str:
        """The first paragraph of its docstring."""
        return self.doc.split("\n\n")[0].replace("\n", " ")


@cache
def parsed(module: str) -> tuple[ast.Module, Path]:
    """The tree of one of our modules, and its file."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8")), path


def ours(module: str) -> bool:
    return module.split(".")[0] in (DOOR, "core")


def found(module: str, name: str) -> tuple[str, str, ast.stmt] | None:
    """(module, name, statement) where a name is made, imports followed; None for one that is not made by us."""
    for statement in parsed(module)[0].body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return found(statement.module, alias.name) if ours(statement.module) else None
        elif _makes(statement, name):
            return module, name, statement
    return None


def door() -> list[Entry]:
    """Every name of `tongshang.__all__`, in order."""
    return [entry(DOOR, name) for name in names()]


def names() -> list[str]:
    for statement in parsed(DOOR)[0].body:
        if isinstance(statement, ast.Assign) and _makes(statement, "__all__"):
            return sorted(ast.literal_eval(statement.value))
    raise ValueError("the door names nothing")


def entry(module: str, name: str) -> Entry:
    """One name as it can be reached in a module, under the name it has there."""
    place = found(module, name)
    if place is None:
        raise ValueError(f"{module}.{name} is not made by the project")
    home, _, statement = place
    if isinstance(statement, ast.FunctionDef):
        return Entry(name, "function", home, signature(statement), _doc(statement))
    if isinstance(statement, ast.ClassDef):
        return _class(name, home, statement)
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Name) and found(home, value.id) is not None:
        behind = entry(home, value.id)
        return Entry(name, behind.kind, home, behind.signature, behind.doc, behind.bases, behind.members)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and found(home, value.func.id) is not None:
        behind = entry(home, value.func.id)
        return Entry(name, "class", home, "", behind.doc, behind.bases, behind.members)
    return Entry(name, "mark", home, "", _said_below(home, statement))


def signature(function: ast.FunctionDef, *, bound: bool = False) -> str:
    """`(ctx: Context, order_id: UUID) -> TradeOrder`, on one line; `bound` leaves `self` out."""
    arguments = function.args
    if bound and (arguments.posonlyargs or arguments.args):
        arguments = ast.parse(f"def f({ast.unparse(arguments)}): ...").body[0].args  # type: ignore[attr-defined]
        (arguments.posonlyargs or arguments.args).pop(0)
    answer = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"({ast.unparse(arguments)}){answer}"


def _class(name: str, module: str, statement: ast.ClassDef) -> Entry:
    line = list(_line(module, statement))
    members: dict[str, Member] = {}
    for home, each in reversed(line):
        members.update({each_.name: each_ for each_ in _members(home, each) if each_.name not in MACHINERY})
    bases = tuple(each.name for _, each in line[1:])
    fields = [member for member in members.values() if member.kind == "field"]
    tuple_ = any(ast.unparse(base) == "NamedTuple" for _, each in line for base in each.bases)
    dataclass_ = tuple_ or any("dataclass" in ast.unparse(mark) for _, each in line for mark in each.decorator_list)
    frozen = tuple_ or any("frozen=True" in ast.unparse(mark) for _, each in line for mark in each.decorator_list)
    called = ""
    if dataclass_:
        called = f"({', '.join(f'{field.name}: {field.text}' for field in fields)})"
    elif made := next((m for _, each in line for m in each.body if _is(m, "__init__")), None):
        assert isinstance(made, ast.FunctionDef)
        called = signature(made, bound=True).partition(" -> ")[0]
    kind = "event" if "Event" in bases else "refusal" if "Refused" in (name, *bases) else "value" if dataclass_ else "class"
    return Entry(name, kind, module, called, _doc(statement) or _nearest(line[1:]), bases, tuple(members.values()), frozen)


def _line(module: str, statement: ast.ClassDef) -> Iterator[tuple[str, ast.ClassDef]]:
    """A class and those of ours it comes from, nearest first."""
    yield module, statement
    for base in statement.bases:
        if isinstance(base, ast.Name) and (place := found(module, base.id)) and isinstance(place[2], ast.ClassDef):
            yield from _line(place[0], place[2])


def _members(module: str, statement: ast.ClassDef) -> Iterator[Member]:
    comments = _comments(module)
    for each in statement.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            if each.target.id.startswith("_") or "ClassVar" in ast.unparse(each.annotation):
                continue
            default = f" = {_default(each.value)}" if each.value is not None else ""
            text = f"{ast.unparse(each.annotation)}{default}"
            yield Member(each.target.id, "field", text, comments.get(each.lineno, ""), each.value is None)
        elif isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
            if not each.targets[0].id.startswith("_"):
                yield Member(each.targets[0].id, "value", ast.unparse(each.value), comments.get(each.lineno, ""))
        elif isinstance(each, ast.FunctionDef) and not each.name.startswith("_"):
            marks = {ast.unparse(mark) for mark in each.decorator_list}
            if marks & {"property", "cached_property"}:
                answer = ast.unparse(each.returns) if each.returns else "Any"
                yield Member(each.name, "property", answer, _doc(each).split("\n\n")[0].replace("\n", " "))
            else:
                called = signature(each, bound="staticmethod" not in marks)
                yield Member(each.name, "method", called, _doc(each).split("\n\n")[0].replace("\n", " "))


def _default(value: ast.expr) -> str:
    """A default as its reader needs it: `field(default_factory=dict)` is `dict()`."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) in ("field", "mapped_column"):
        for keyword in value.keywords:
            if keyword.arg == "default_factory":
                return f"{ast.unparse(keyword.value)}()"
            if keyword.arg == "default":
                return ast.unparse(keyword.value)
        return "..."
    return ast.unparse(value)


@cache
def _comments(module: str) -> dict[int, str]:
    """What is written behind a line, by its number."""
    text = parsed(module)[1].read_text(encoding="utf-8")
    return {
        token.start[0]: token.string.lstrip("# ").split("noqa")[0].strip()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and not token.string.startswith(("# fmt", "# type", "# noqa"))
    }


def _makes(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name == name
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    flat = [each for target in targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return any(isinstance(each, ast.Name) and each.id == name for each in flat)


def _is(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.FunctionDef) and statement.name == name


def _nearest(line: list[tuple[str, ast.ClassDef]]) -> str:
    return next((doc for _, each in line if (doc := _doc(each))), "")


def _doc(statement: ast.ClassDef | ast.FunctionDef) -> str:
    return ast.get_docstring(statement) or ""


def _said_below(module: str, statement: ast.stmt) -> str:
    """The string under an assignment, which says what the name is for."""
    body = parsed(module)[0].body
    after = body[body.index(statement) + 1 : body.index(statement) + 2]
    if after and isinstance(after[0], ast.Expr) and isinstance(after[0].value, ast.Constant):
        return str(after[0].value.value)
    return ""

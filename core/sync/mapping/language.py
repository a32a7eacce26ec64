"""The small language of rules: one expression of names, literals, operators and a fixed list of functions.

It is evaluated by `simpleeval`, of which only a part is switched on: no attributes but the keys of plain dictionaries, no
methods, no power, no repetition of text, no comprehension. An expression has no loops, so its cost is bounded by its size;
numbers are Decimal of 38 digits. Everything that can be known before it runs is refused when it is saved.
"""

import ast
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, DecimalException
from typing import Any

from simpleeval import SimpleEval

from core.sync.mapping.faults import ExpressionError
from core.sync.mapping.functions import ARITHMETIC, FUNCTIONS, LONGEST_TEXT, kind_of, number_of, short

LONGEST = 500  # characters
MOST_PARTS = 200  # nodes of the syntax tree
DEEPEST = 25  # nested parts

Names = Mapping[str, Any]
"""What may be named: a nested mapping of keys, None for a plain value, ANYTHING for data nobody can know beforehand."""

ANYTHING = object()

SYMBOLS = {
    "Pow": "**",
    "FloorDiv": "//",
    "LShift": "<<",
    "RShift": ">>",
    "BitAnd": "&",
    "BitOr": "|",
    "BitXor": "^",
    "Invert": "~",
    "MatMult": "@",
    "Is": "is",
    "IsNot": "is not",
    "List": "[ ]",
    "Tuple": "( , )",
    "Dict": "{ }",
    "Set": "{ }",
    "JoinedStr": "f''",
    "Lambda": "lambda",
    "NamedExpr": ":=",
    "Slice": "[ : ]",
    "bytes": "b''",
}
"""How people write what the language leaves out."""

_parsing = threading.Lock()  # the filters of `warnings` are the whole process's


@dataclass(frozen=True)
class Expression:
    """A checked expression."""

    source: str
    tree: ast.expr

    def value(self, facts: Mapping[str, Any]) -> Any:
        """What it comes to with these facts, as plain data. Raises ExpressionError."""
        evaluator = _of_this_thread()
        evaluator.names, evaluator.source = facts, self.source
        return evaluator.evaluate(self.tree)


def compiled(source: str, names: Names) -> Expression:
    """Read and check an expression. Raises ExpressionError with the place of what is wrong."""
    if not source.strip():
        raise ExpressionError("empty", 1)
    if len(source) > LONGEST:
        raise ExpressionError("long", LONGEST + 1, most=LONGEST)
    for at, char in enumerate(source, 1):
        if not char.isprintable() or char == "\\":
            raise ExpressionError("forbidden", at, what=repr(char).strip("'"))
    tree = _parsed(source)
    if sum(1 for _ in ast.walk(tree)) > 2 * MOST_PARTS:  # operators and contexts count as nodes too
        raise ExpressionError("complex", 1, most=MOST_PARTS)
    _check(tree, source, names, 1)
    return Expression(source, tree)


def _parsed(source: str) -> ast.expr:
    try:
        with _parsing, warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python merely warns of is refused, in every version alike
            return ast.parse(source, mode="eval").body
    except SyntaxError as wrong:
        raise ExpressionError("syntax", min(max(wrong.offset or 1, 1), len(source))) from None
    except (ValueError, RecursionError, MemoryError, Warning):
        raise ExpressionError("syntax", 1) from None


def _symbol(what: Any) -> str:
    name = type(what).__name__
    return SYMBOLS.get(name, name)


def _place(source: str, node: ast.AST) -> int:
    """The character at which a node begins; Python counts bytes."""
    return len(source.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore")) + 1


def _check(node: ast.AST, source: str, names: Names, depth: int) -> None:
    at = _place(source, node)
    if depth > DEEPEST:
        raise ExpressionError("complex", at, most=MOST_PARTS)
    if isinstance(node, ast.Constant):
        return _check_literal(node, source, at)
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise ExpressionError("name", at, what=node.id, known=", ".join(names))
        return None
    if isinstance(node, ast.Call):
        _check_call(node, at)
        parts: list[ast.expr] = node.args
    elif isinstance(node, ast.Attribute | ast.Subscript):
        _check(node.value, source, names, depth + 1)
        _check_field(node, source, names, at)
        parts = [] if isinstance(node, ast.Attribute) else [node.slice]
    elif isinstance(node, ast.BinOp | ast.UnaryOp):
        if type(node.op) not in OPERATORS:
            behind = node.left if isinstance(node, ast.BinOp) else None
            raise _unknown_operator(source, behind, at, node.op)
        parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.operand]
    elif isinstance(node, ast.Compare):
        for behind, operator in zip([node.left, *node.comparators], node.ops, strict=False):
            if type(operator) not in OPERATORS:
                raise _unknown_operator(source, behind, at, operator)
        parts = [node.left, *node.comparators]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.IfExp):
        parts = [node.test, node.body, node.orelse]
    else:
        raise ExpressionError("forbidden", at, what=_symbol(node))
    for part in parts:
        _check(part, source, names, depth + 1)
    return None


def _unknown_operator(source: str, behind: ast.expr | None, at: int, operator: ast.AST) -> ExpressionError:
    """The fault stands where the operator does: behind its left side."""
    symbol = _symbol(operator)
    if behind is not None:
        passed = len(source.encode()[: behind.end_col_offset or 0].decode(errors="ignore"))
        at = max(source.find(symbol, passed) + 1, at)
    return ExpressionError("forbidden", at, what=symbol)


def _check_literal(node: ast.Constant, source: str, at: int) -> None:
    """Text, yes and no, nothing, and numbers, which become the decimals they were written as."""
    if node.value is None or isinstance(node.value, str | bool | Decimal):
        return
    if not isinstance(node.value, int | float):
        raise ExpressionError("forbidden", at, what=_symbol(node.value))
    typed = ast.get_source_segment(source, node) or ""
    try:
        node.value = ARITHMETIC.create_decimal(typed if isinstance(node.value, float) else node.value)  # type: ignore[assignment]
    except (DecimalException, ValueError):
        raise ExpressionError("large", at, most=LONGEST_TEXT) from None


def _check_call(node: ast.Call, at: int) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        what = node.func.id if isinstance(node.func, ast.Name) else "."
        raise ExpressionError("function", at, what=what, known=", ".join(FUNCTIONS))
    _, least, most = FUNCTIONS[node.func.id]
    plain = not node.keywords and not any(isinstance(each, ast.Starred) for each in node.args)
    if not plain or not least <= len(node.args) <= most:
        raise ExpressionError("arguments", at, what=node.func.id, least=least, most=most)


def _check_field(node: ast.Attribute | ast.Subscript, source: str, names: Names, at: int) -> None:
    """`order.reference` and `row['FName']`: the field must be one that is known, as far as it can be."""
    known = _known(node.value, names)
    if isinstance(node, ast.Attribute):
        name: Any = node.attr
    elif isinstance(node.slice, ast.Slice):
        raise ExpressionError("forbidden", at, what=_symbol(node.slice))
    else:
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if known is None:
        raise ExpressionError("field", at, what=str(name), known="")
    if isinstance(known, Mapping) and name not in known:
        raise ExpressionError("field", at, what=str(name), known=", ".join(known))


def _known(node: ast.expr, names: Names) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        above = _known(node.value, names)
        return above.get(node.attr) if isinstance(above, Mapping) else above
    return ANYTHING


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str | None) and isinstance(right, str | None) and not (left is None and right is None):
        return short((left or "") + (right or ""))
    return ARITHMETIC.add(number_of(left), number_of(right))


def _divisor(value: Any) -> Decimal:
    if number_of(value) == 0:
        raise ExpressionError("division")
    return number_of(value)


def _in_order(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        for kind in (Decimal, str, date):
            if isinstance(left, kind) and isinstance(right, kind):
                return compare(left, right)
        raise ExpressionError("not_comparable", what=f"{kind_of(left)}, {kind_of(right)}")

    return compared


def _within(part: Any, whole: Any) -> bool:
    if isinstance(whole, list):
        return part in whole
    if isinstance(part, str) and isinstance(whole, str | None):
        return part in (whole or "")
    raise ExpressionError("not_comparable", what=f"{kind_of(part)}, {kind_of(whole)}")


OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: _add,
    ast.Sub: lambda left, right: ARITHMETIC.subtract(number_of(left), number_of(right)),
    ast.Mult: lambda left, right: ARITHMETIC.multiply(number_of(left), number_of(right)),
    ast.Div: lambda left, right: ARITHMETIC.divide(number_of(left), _divisor(right)),
    ast.Mod: lambda left, right: ARITHMETIC.remainder(number_of(left), _divisor(right)),
    ast.USub: lambda value: ARITHMETIC.minus(number_of(value)),
    ast.UAdd: lambda value: number_of(value),
    ast.Not: lambda value: not value,
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: _in_order(lambda left, right: left < right),
    ast.LtE: _in_order(lambda left, right: left <= right),
    ast.Gt: _in_order(lambda left, right: left > right),
    ast.GtE: _in_order(lambda left, right: left >= right),
    ast.In: _within,
    ast.NotIn: lambda part, whole: not _within(part, whole),
}


class _Evaluator(SimpleEval):
    """simpleeval with everything switched off that plain data does not need."""

    source = ""
    names: Mapping[str, Any]
    nodes: dict[type, Callable[[Any], Any]]

    def __init__(self) -> None:
        super().__init__(dict(OPERATORS), {name: entry[0] for name, entry in FUNCTIONS.items()}, {})
        wanted = (ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Subscript)
        self.nodes = {kind: self.nodes[kind] for kind in (*wanted, ast.Attribute, ast.Constant)}

    def evaluate(self, tree: ast.expr) -> Any:
        try:
            return self._eval(tree)
        finally:
            self.names = {}

    def _eval(self, node: Any) -> Any:
        handler = self.nodes.get(type(node))
        if handler is None:
            raise ExpressionError("forbidden", _place(self.source, node), what=_symbol(node))
        try:
            found = handler(node)
            return short(found) if isinstance(found, str) else found
        except ExpressionError as fault:
            fault.at = fault.at or _place(self.source, node)
            raise
        except DecimalException:
            raise ExpressionError("large", _place(self.source, node), most=LONGEST_TEXT) from None

    def _eval_name(self, node: ast.Name) -> Any:
        return self.names.get(node.id)

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        return _part(self._eval(node.value), node.attr)

    def _eval_subscript(self, node: ast.Subscript) -> Any:
        return _part(self._eval(node.value), self._eval(node.slice))


def _part(whole: Any, key: Any) -> Any:
    """A key of a dictionary or a place in a list; what is not there is nothing, for rows leave out what is empty."""
    if whole is None:
        return None
    if isinstance(whole, dict) and isinstance(key, str):
        return whole.get(key)
    if isinstance(whole, list) and isinstance(key, Decimal) and key == key.to_integral_value():
        return whole[int(key)] if 0 <= key < len(whole) else None
    raise ExpressionError("no_parts", what=kind_of(whole))


_threads = threading.local()


def _of_this_thread() -> _Evaluator:
    if not hasattr(_threads, "evaluator"):
        with _parsing:  # simpleeval touches the filters of `warnings` when it is made
            _threads.evaluator = _Evaluator()
    found: _Evaluator = _threads.evaluator
    return found

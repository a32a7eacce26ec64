"""Money and measures are decimals from end to end: nothing in tables, schemas or verbs may be a float."""

import ast

import sqlalchemy as sa
from marshmallow import fields

from core import rooms
from core.db import Model
from core.web import Schema
from tests.structure.source import modules

PLACES = ("kernel", "ledger", "catalog", "stock", "orders", "fulfilment", "billing", "tenancy", "sync")
SECONDS = {"core/sync"}  # speaks of seconds and retries, never of money
FILES = ("model.py", "schema.py", "service.py", "events.py", "facts.py", "answers.py", "api.py")


def subclasses(kind: type) -> set[type]:
    return {kind, *(below for each in kind.__subclasses__() for below in subclasses(each))}


def test_no_column_is_a_float() -> None:
    rooms.load_models()
    wrong = [
        str(column)
        for table in Model.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.Float)
        or (isinstance(column.type, sa.Numeric) and column.type.scale is None)
    ]
    assert not wrong, wrong


def test_no_schema_reads_or_writes_a_float() -> None:
    rooms.parts("api")
    rooms.parts("schema")
    wrong = [
        f"{schema.__module__}.{schema.__name__}.{name}"
        for schema in subclasses(Schema)
        for name, field in getattr(schema, "_declared_fields", {}).items()
        if isinstance(field, fields.Float)
    ]
    assert not wrong, wrong


def test_no_annotation_of_money_or_measure_is_a_float() -> None:
    wrong = []
    for module in modules("core", "plugins"):
        if not (module.path.endswith(FILES) or module.path.split("/")[1] in PLACES) or module.path.startswith(
            tuple(SECONDS)
        ):
            continue
        for node in module.nodes:
            annotation = getattr(node, "annotation", None) or getattr(node, "returns", None)
            if annotation is None or "float" not in {
                each.id for each in ast.walk(annotation) if isinstance(each, ast.Name)
            }:
                continue
            name = (
                getattr(node, "arg", None)
                or getattr(node, "name", None)
                or ast.unparse(getattr(node, "target", node))
            )
            if not name.startswith("_") and name not in (
                "at",
                "every",
                "seconds",
                "timeout",
            ):
                wrong.append(f"{module.path}:{node.lineno} {name}")
    assert not wrong, "\n".join(wrong)


def test_nothing_of_trade_is_turned_into_a_float() -> None:
    wrong = [
        f"{module.path}:{call.lineno}"
        for module in modules("core", "plugins")
        if module.path.split("/")[1] in PLACES and not module.path.startswith(tuple(SECONDS))
        for call in module.calls()
        if isinstance(call.func, ast.Name) and call.func.id == "float"
    ]
    assert not wrong, "\n".join(wrong)

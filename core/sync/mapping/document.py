"""The document of a mapping: what may stand in it, and the form it is kept in.

{"tables": {"units": {"pcs": "Pcs"}},
 "out": {"sales_order": [{"target": "FNote", "value": "order.buyer_po", "type": "text",
                          "format": "", "default": "", "table": ""}]},
 "in": {"products": [{"field": "group", "value": "row['FMaterialGroup']", ...}]}}
"""

import re
from collections.abc import Mapping
from typing import Any

from core.kernel import FieldError, Invalid
from core.sync.contract import Connector
from core.sync.mapping import paths
from core.sync.mapping.faults import ExpressionError
from core.sync.mapping.kinds import (
    FIELDS,
    KINDS,
    STANDARD_TABLES,
    format_fault,
    in_names,
    out_names,
)
from core.sync.mapping.language import Names, compiled

Document = dict[str, Any]
EMPTY: Document = {"tables": {}, "out": {}, "in": {}}
MOST_TABLES, MOST_ROWS, MOST_RULES = 30, 20_000, 100
LONGEST = 200  # characters of a cell of a table, of a default
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OUT = ("target", "value", "type", "format", "default", "table")
_IN = ("field", "value", "type", "format", "default", "table")


def checked(document: Any, connector: Connector) -> Document:
    """The document as it is kept. Raises Invalid with the path of each thing that is wrong."""
    wrong: list[FieldError] = []
    if not isinstance(document, Mapping):
        raise Invalid.one("document", "mapping.not_an_object")
    for name in document:
        if name not in EMPTY:
            wrong.append(FieldError(str(name)[:80], "field.unknown", {}))
    tables = _tables(document.get("tables", {}), wrong)
    asked = {*STANDARD_TABLES, *tables, *(each.key for each in connector.settings if each.kind == "pairs")}
    out = _sections(document.get("out", {}), "out", connector.documents, asked, wrong)
    into = _sections(
        document.get("in", {}), "in", tuple(each.key for each in connector.streams), asked, wrong
    )
    if wrong:
        raise Invalid(wrong)
    return {"tables": tables, "out": out, "in": into}


def _tables(given: Any, wrong: list[FieldError]) -> dict[str, dict[str, str]]:
    if not isinstance(given, Mapping) or len(given) > MOST_TABLES:
        wrong.append(FieldError("tables", "mapping.not_an_object", {}))
        return {}
    found: dict[str, dict[str, str]] = {}
    for name, rows in given.items():
        path = f"tables.{str(name)[:60]}"
        if not _TABLE.fullmatch(str(name)):
            wrong.append(FieldError(path, "mapping.table_name", {"name": str(name)[:60]}))
        elif not isinstance(rows, Mapping):
            wrong.append(FieldError(path, "mapping.not_an_object", {}))
        elif len(rows) > MOST_ROWS:
            wrong.append(FieldError(path, "mapping.table_long", {"most": MOST_ROWS}))
        else:
            wrong += [
                FieldError(
                    f"{path}.{str(ours)[:60]}", "mapping.table_row", {"row": str(ours)[:60], "most": LONGEST}
                )
                for ours, theirs in rows.items()
                if not (_cell(ours) and _cell(theirs))
            ][:50]
            if rows:
                found[name] = {str(ours).strip(): str(theirs).strip() for ours, theirs in rows.items()}
    return found


def _cell(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST and value.strip().isprintable()


def _sections(
    given: Any, way: str, allowed: tuple[str, ...], tables: set[str], wrong: list[FieldError]
) -> dict[str, list[dict[str, str]]]:
    if not isinstance(given, Mapping):
        wrong.append(FieldError(way, "mapping.not_an_object", {}))
        return {}
    found: dict[str, list[dict[str, str]]] = {}
    for name, rules in given.items():
        path = f"{way}.{str(name)[:60]}"
        if name not in allowed or (way == "in" and name not in FIELDS):
            wrong.append(
                FieldError(
                    path, "mapping.section_unknown", {"name": str(name)[:60], "known": ", ".join(allowed)}
                )
            )
        elif not isinstance(rules, list) or len(rules) > MOST_RULES:
            wrong.append(FieldError(path, "mapping.rules_many", {"most": MOST_RULES}))
        elif rules:
            found[name] = [
                _rule(rule, way, name, f"{path}.{no}", tables, wrong) for no, rule in enumerate(rules)
            ]
            _once(found[name], way, path, wrong)
    return found


def _rule(
    rule: Any, way: str, section: str, path: str, tables: set[str], wrong: list[FieldError]
) -> dict[str, str]:
    keys = _OUT if way == "out" else _IN
    texts = rule if isinstance(rule, Mapping) else {}
    if texts is not rule or not all(isinstance(value, str) for value in texts.values()):
        wrong.append(FieldError(path, "mapping.rule_texts", {}))
        return dict.fromkeys(keys, "")
    wrong += [FieldError(f"{path}.{str(key)[:40]}", "field.unknown", {}) for key in texts if key not in keys]
    kept = {key: texts.get(key, "").strip() for key in keys}
    kept["type"] = kept["type"] or "text"
    if way == "out":
        kind, names = kept["type"], out_names(section)
        steps = paths.parsed(kept["target"])
        if steps is None:
            wrong.append(FieldError(f"{path}.target", "mapping.target", {"target": kept["target"][:80]}))
        elif not any(step.each for step in steps):
            names = out_names(section, lines=False)
    else:
        names = in_names(section)
        kind = FIELDS[section].get(kept["field"], "")
        if not kind:
            known = ", ".join(FIELDS[section])
            wrong.append(
                FieldError(
                    f"{path}.field", "mapping.field_unknown", {"field": kept["field"][:40], "known": known}
                )
            )
        elif kept["type"] != kind:
            wrong.append(
                FieldError(f"{path}.type", "mapping.type_of_field", {"field": kept["field"], "type": kind})
            )
    _details(kept, path, tables, names, wrong)
    return kept


def _details(
    kept: dict[str, str], path: str, tables: set[str], names: Names, wrong: list[FieldError]
) -> None:
    if kept["type"] not in KINDS:
        wrong.append(FieldError(f"{path}.type", "choice.unknown", {}))
    elif format_fault(kept["type"], kept["format"]):
        wrong.append(FieldError(f"{path}.format", "mapping.format", {"format": kept["format"][:40]}))
    if len(kept["default"]) > LONGEST or not kept["default"].isprintable():
        wrong.append(FieldError(f"{path}.default", "connection.text", {"most": LONGEST}))
    if kept["table"] and kept["table"] not in tables:
        wrong.append(FieldError(f"{path}.table", "mapping.table_unknown", {"name": kept["table"][:40]}))
    try:
        compiled(kept["value"], names)
    except ExpressionError as fault:
        lineless = fault.code == "mapping.expr.name" and fault.values["what"] == "line" and "value" in names
        wrong.append(
            FieldError(f"{path}.value", "mapping.line_in_head" if lineless else fault.code, fault.told)
        )


def _once(rules: list[dict[str, str]], way: str, path: str, wrong: list[FieldError]) -> None:
    """Two rules for one place would hide each other."""
    key = "target" if way == "out" else "field"
    seen: set[str] = set()
    for no, rule in enumerate(rules):
        if rule[key] and rule[key] in seen:
            wrong.append(FieldError(f"{path}.{no}.{key}", "mapping.twice", {"target": rule[key][:80]}))
        seen.add(rule[key])


def from_lines(text: str, path: str, *, open_rows: bool = False) -> dict[str, str]:
    """`ours<TAB>theirs` lines as a table; `=` does where no tab is. With `open_rows` a row with an empty side is left out.

    Raises Invalid that names the line.
    """
    found: dict[str, str] = {}
    wrong: list[FieldError] = []
    for no, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        ours, _, theirs = line.partition("\t" if "\t" in line else "=")
        ours, theirs = ours.strip(), theirs.strip()
        if ours and theirs:
            if found.setdefault(ours, theirs) != theirs:
                wrong.append(FieldError(path, "mapping.paste_twice", {"line": no, "ours": ours[:60]}))
        elif not open_rows:
            wrong.append(FieldError(path, "mapping.paste_line", {"line": no}))
    if wrong:
        raise Invalid(wrong[:20])
    return found


def to_lines(table: Mapping[str, str]) -> str:
    return "\n".join(f"{ours}\t{theirs}" for ours, theirs in table.items())


def packed(document: Document) -> dict[str, Any]:
    """The document as the database keeps it: tables as rows, for JSONB forgets the order of keys, and it counts."""
    return {
        **document,
        "tables": {name: [list(row) for row in rows.items()] for name, rows in document["tables"].items()},
    }


def unpacked(stored: Mapping[str, Any]) -> Document:
    tables = {name: dict(rows) for name, rows in stored.get("tables", {}).items()}
    return {"tables": tables, "out": dict(stored.get("out", {})), "in": dict(stored.get("in", {}))}

"""A mapping at work: over a bill before it is sent, over a record before it is stored, under the engine's look-ups.

The engine and the streams call `overlay` and `record`; a connection without a mapping costs one small query.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from core.sync.contract import Bill, Lookup, Record
from core.sync.incoming import DeliveryIn, Incoming, ReceiptIn
from core.sync.mapping import paths
from core.sync.mapping.document import Document, unpacked
from core.sync.mapping.faults import ExpressionError
from core.sync.mapping.kinds import HEADS, MATERIAL, STREAMS, in_names, inward, out_names, outward
from core.sync.mapping.language import Expression, compiled
from core.sync.mapping.model import SyncMapping
from core.sync.mapping.plain import changeable, plain
from core.sync.outcome import Rejected, SkipRecord, SyncError
from core.sync.outgoing import PARTNER, Outgoing, role

_STREAM_OF = {kind: key for key, kind in STREAMS.items()}
BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")


class Unmapped(ValueError):
    """A value that its table does not have."""


@dataclass(frozen=True)
class Rule:
    """One rule, ready to work. `name` is its target or field; `table` the look-up in its own direction, None for none."""

    name: str
    steps: tuple[paths.Step, ...]
    expression: Expression
    kind: str
    format: str
    default: str
    table_name: str
    table: Mapping[str, str] | None

    def value(self, facts: Mapping[str, Any]) -> Any:
        """What the expression comes to, looked up where that is asked for; the default stands for what is empty."""
        found = self.expression.value(facts)
        if self.table is not None and found not in (None, ""):
            key = outward(found, "text", "")
            if key in self.table:
                return self.table[key]
            if not self.default:
                raise Unmapped(f"{self.table_name}: {key}")
            return self.default
        return self.default if self.default and found in (None, "") else found


@dataclass(frozen=True)
class Applied:
    """The mapping of one connection in force. `no` is its version, 0 where nothing was ever saved."""

    no: int
    tables: Mapping[str, Mapping[str, str]]
    out: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    into: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    our_materials: Mapping[str, str] = field(default_factory=dict)  # by theirs

    def lookup(self, known: Lookup, document: Outgoing) -> Lookup:
        """The engine's look-up with the tables of partners or suppliers and materials before it, by our code or name."""
        kept_as, materials = role(document), self.tables.get("materials", {})
        partners = self.tables.get("partners" if kept_as == PARTNER else "suppliers", {})
        if not partners and not materials:
            return known
        by_hand: dict[tuple[str, UUID], str] = {}
        if told := partners.get(document.partner_code) or partners.get(document.partner_name):
            by_hand[kept_as, document.partner_id] = told
        for line in document.lines:
            if line.material in materials:
                by_hand["product", line.sku_id] = materials[line.material]
        return lambda kind, id: by_hand.get((kind, id)) or known(kind, id)


NOTHING = Applied(0, {})


def ready(document: Document, no: int = 0) -> Applied:
    """A checked document made ready to work."""
    tables: dict[str, dict[str, str]] = document["tables"]
    out = {
        kind: tuple(
            _rule(rule, rule["target"], tables, outwards=True, names=_names_of(kind, rule)) for rule in rules
        )
        for kind, rules in document["out"].items()
    }
    into = {
        stream: tuple(
            _rule(rule, rule["field"], tables, outwards=False, names=in_names(stream)) for rule in rules
        )
        for stream, rules in document["in"].items()
    }
    return Applied(no, tables, out, into, _reversed(tables.get("materials", {})))


def _names_of(kind: str, rule: Mapping[str, str]) -> Mapping[str, Any]:
    return out_names(kind, lines="[]" in rule["target"])


def _reversed(table: Mapping[str, str]) -> dict[str, str]:
    """Theirs to ours; of several of ours the first one stands for theirs."""
    return {theirs: ours for ours, theirs in reversed(list(table.items()))}


def _rule(
    rule: Mapping[str, str], name: str, tables: Mapping[str, Mapping[str, str]], *, outwards: bool, names: Any
) -> Rule:
    table: Mapping[str, str] | None = None
    if rule["table"]:
        table = tables.get(rule["table"], {})
        table = table if outwards else _reversed(table)
    return Rule(
        name=name,
        steps=(paths.parsed(name) or ()) if outwards else (),
        expression=compiled(rule["value"], names),
        kind=rule["type"],
        format=rule["format"],
        default=rule["default"],
        table_name=rule["table"],
        table=table,
    )


def mapping_of(session: Any, tenant_id: UUID, connection_id: UUID) -> Applied:
    """The mapping of a connection as it stands now. A version never changes, so it is made ready once per process."""
    mine = (SyncMapping.tenant_id == tenant_id, SyncMapping.connection_id == connection_id)
    newest = session.execute(
        select(SyncMapping.id, SyncMapping.no).where(*mine).order_by(SyncMapping.no.desc()).limit(1)
    ).one_or_none()
    if newest is None:
        return NOTHING
    found = _READY.get(newest.id)
    if found is None:
        document = session.scalar(select(SyncMapping.document).where(SyncMapping.id == newest.id))
        found = _READY.keep(newest.id, ready(unpacked(document), newest.no))
    return found


class _Kept:
    """The versions used last, a few dozen of them."""

    def __init__(self, most: int = 64) -> None:
        self.most = most
        self._found: dict[UUID, Applied] = {}
        self._changing = threading.Lock()

    def get(self, id: UUID) -> Applied | None:
        return self._found.get(id)

    def keep(self, id: UUID, made: Applied) -> Applied:
        with self._changing:
            while len(self._found) >= self.most:
                self._found.pop(next(iter(self._found)))
            self._found[id] = made
        return made


_READY = _Kept()


def overlay(bill: Bill, document: Outgoing, mapping: Applied) -> Bill:
    """The bill with the rules of its kind laid over its message. Raises Rejected that names the rule's target."""
    rules = mapping.out.get(document.kind, ())
    if not rules:
        return bill
    body = changeable(bill.body)
    facts = plain(document)
    lines = facts.pop("lines") or facts.pop("invoices", [])
    known: dict[str, Any] = {HEADS[document.kind]: facts, "today": _today()}
    for rule in rules:
        try:
            _put(rule, body, known, lines, bill.reference)
        except ExpressionError as fault:
            raise Rejected("mapping.expression", f"{rule.name}: {fault}", field=rule.name) from fault
        except paths.NoPlace as fault:
            raise Rejected("mapping.expression", str(fault), field=rule.name) from fault
        except Unmapped as fault:
            raise Rejected("mapping.value_missing", str(fault), field=rule.name) from fault
    return replace(bill, body=body)


def _put(rule: Rule, body: dict[str, Any], known: dict[str, Any], lines: list[Any], reference: str) -> None:
    for spot in list(paths.spots(body, rule.steps)):
        facts = {**known, "value": plain(spot.value)}
        if spot.line is not None:
            if spot.line >= len(lines):
                raise paths.NoPlace(f"{spot.path}: the document has {len(lines)} lines")
            facts["line"] = lines[spot.line]
        found = outward(rule.value(facts), rule.kind, rule.format)
        if found is None:
            continue  # nothing to say: what the connector put there stays
        if spot.value == reference and found != reference:
            # By its reference the document is found again; without it every retry could make a second one.
            raise Rejected(
                "mapping.reference", f"{spot.path} holds the reference {reference}", field=rule.name
            )
        spot.put(found)


def _today() -> date:
    return datetime.now(UTC).astimezone(BUSINESS_ZONE).date()


def record(row: Record, item: Incoming, mapping: Applied) -> Incoming:
    """The record with the rules of its stream laid over it. Raises SkipRecord that names the record."""
    if not mapping.into and not mapping.our_materials:
        return item
    stream = _STREAM_OF.get(type(item), "")
    item = _our_material(row, item, stream, mapping.our_materials)
    rules = mapping.into.get(stream, ())
    if not rules:
        return item
    facts = {"row": plain(row), "item": plain(item), "today": _today()}
    changed: dict[str, Any] = {}
    for rule in rules:
        try:
            found = inward(rule.value(facts), rule.kind, rule.format)
        except ExpressionError as fault:
            raise _skipped("mapping.expression", f"{rule.name}: {fault}", item) from fault
        except Unmapped as fault:
            raise _skipped("mapping.value_missing", str(fault), item) from fault
        if found is not None:
            changed[rule.name] = found
    return replace(item, **changed) if changed else item


def _skipped(code: str, said: str, item: Incoming) -> SyncError:
    return SkipRecord(code, said, field=str(getattr(item, "code", "") or item.external_id))


def _our_material(row: Record, item: Incoming, stream: str, ours: Mapping[str, str]) -> Incoming:
    """Their number of a material as our code, wherever the record carries one.

    Only a number that stands so in the row is theirs; another one the connector has turned into ours itself.
    """
    if not ours:
        return item
    if isinstance(item, DeliveryIn | ReceiptIn):
        if not any(line.material in ours and _carries(row, line.material) for line in item.lines):
            return item
        lines = tuple(replace(line, material=ours.get(line.material, line.material)) for line in item.lines)
        return replace(item, lines=lines)
    name = MATERIAL.get(stream, "")
    theirs = str(getattr(item, name, ""))
    if theirs not in ours or not _carries(row, theirs):
        return item
    changed: dict[str, Any] = {name: ours[theirs]}
    return replace(item, **changed)


def _carries(whole: Any, value: str, depth: int = 0) -> bool:
    if isinstance(whole, Mapping):
        return depth < 6 and any(_carries(part, value, depth + 1) for part in whole.values())
    if isinstance(whole, list | tuple):
        return depth < 6 and any(_carries(part, value, depth + 1) for part in whole)
    return whole is not None and str(whole) == value


__all__ = ["NOTHING", "Applied", "Rule", "mapping_of", "overlay", "ready", "record"]

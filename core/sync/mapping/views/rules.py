"""The rules of a mapping, both ways, with a preview on a real order or record of what they do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context, Invalid, NotFound, Refused
from core.sync.mapping import trial
from core.sync.mapping.api import asked, outbound
from core.sync.mapping.functions import FUNCTIONS
from core.sync.mapping.history import Version
from core.sync.mapping.kinds import FIELDS, HEADS, KINDS, out_names
from core.sync.mapping.plain import readable, shown
from core.sync.mapping.service import Change, connector_of
from core.sync.mapping.views.frame import Head, crumbs, found, head, mended, save
from core.sync.mapping.views.tables import titles
from core.sync.model import ErpConnection
from core.sync.outgoing import SALES_ORDER, TITLES
from core.sync.views.frame import cause_title, pages, remedy, what_of
from core.web import form, redirect, render
from core.web import gettext as _
from core.web.mending import Errors
from core.web.problem import sentence

BLANKS = 3  # empty rows below the rules
KIND_TITLES = {"text": "Text", "number": "Numeric", "date": "Date", "flag": "Yes or no"}
STREAM_TITLES = {
    "products": "Products",
    "partners": "Partners",
    "units": "Units",
    "prices": "Prices",
    "stock": "Stock",
    "moves": "Stock moves",
    "deliveries": "Deliveries",
    "receipts": "Goods receipts",
    "invoices": "Invoices",
    "payments": "Payments received",
}
PARTS = ("value", "type", "format", "default", "table")
TRIES = ("5", "10", "20", "50")


@dataclass(frozen=True)
class RuleView:
    """One row of the form; `name` is the path of its errors."""

    name: str
    place: str
    value: str
    type: str
    format: str
    default: str
    table: str


@dataclass(frozen=True)
class SectionView:
    """The rules of one kind of document or one stream; `places` are the fields a rule may set, empty where it names a path."""

    key: str
    title: str
    rules: tuple[RuleView, ...]
    places: tuple[tuple[str, str], ...]
    count: int
    open: bool


@dataclass(frozen=True)
class TriedView:
    """One order or record tried: what the rules change, why it cannot pass, and the whole of it."""

    title: str
    changes: tuple[Change, ...]
    against: str
    cause: str
    said: str
    remedy: str
    raw: str
    source: str


@dataclass(frozen=True)
class RulesPage:
    """The rules of one direction. `tried` is None where nothing was tried."""

    head: Head
    way: str
    action: str
    sections: tuple[SectionView, ...]
    kinds: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, str], ...]
    samples: tuple[tuple[str, str], ...]
    sample: str
    tries: tuple[tuple[str, str], ...]
    count: str
    names: tuple[str, ...]
    functions: str
    note: str
    tried: tuple[TriedView, ...] | None
    trouble: str
    labels: Mapping[str, str]
    errors: Errors = field(default_factory=dict)


@pages.get("/<uuid:connection_id>/mapping/out", permission="connection.view")
def mapping_out(ctx: Context, connection_id: UUID) -> Response:
    """What is laid over the messages that go out."""
    return _page(ctx, connection_id, "out")


@pages.post("/<uuid:connection_id>/mapping/out", permission="connection.edit")
def save_out(ctx: Context, connection_id: UUID) -> Response:
    """Keep the rules, or try them before they are kept."""
    return _act(ctx, connection_id, "out")


@pages.get("/<uuid:connection_id>/mapping/in", permission="connection.view")
def mapping_in(ctx: Context, connection_id: UUID) -> Response:
    """What is laid over the records that come in."""
    return _page(ctx, connection_id, "in")


@pages.post("/<uuid:connection_id>/mapping/in", permission="connection.edit")
def save_in(ctx: Context, connection_id: UUID) -> Response:
    """Keep the rules, or try them before they are kept."""
    return _act(ctx, connection_id, "in")


def _page(ctx: Context, connection_id: UUID, way: str) -> Response:
    connection, now = found(ctx, connection_id)
    return _show(ctx, connection, now, way, now.document[way], {})


def _act(ctx: Context, connection_id: UUID, way: str) -> Response:
    connection, now = found(ctx, connection_id)
    typed = form()
    rules = _typed(typed, way, _keys(connection, way))
    act = typed.get("act", "save")
    if act == "save":
        wrong = save(ctx, connection_id, {way: rules}, typed.get("note", ""))
        if wrong:
            return _show(ctx, connection, found(ctx, connection_id)[1], way, rules, wrong)
        return redirect(f"sync.mapping_{way}", connection_id=connection_id)
    errors: Errors = {}
    trouble, tried = "", None
    try:
        document = {**now.document, way: rules}
        tried = mended(lambda: _tried(ctx, connection_id, act, typed, document), errors)
    except (Refused, NotFound) as refused:
        if isinstance(refused, Invalid):
            raise
        trouble = sentence(refused.code, refused.values)
    return _show(ctx, connection, now, way, rules, errors, tried, trouble)


def _tried(
    ctx: Context, connection_id: UUID, act: str, typed: Mapping[str, str], document: Any
) -> tuple[TriedView, ...]:
    what, _colon, about = act.partition(":")
    if what == "stream":
        rows = asked(lambda: trial.preview_in(ctx, connection_id, about, outbound(), document))
        return tuple(_stored(each) for each in rows)
    if what == "run":
        count = typed.get("count", "")
        many = int(count) if count in TRIES else int(TRIES[1])
        return tuple(
            _sent(each)
            for each in asked(lambda: trial.dry_run(ctx, connection_id, many, outbound(), document))
        )
    try:
        sample = UUID(typed.get("sample", ""))
    except ValueError:
        raise NotFound("mapping.no_sample") from None
    return (_sent(asked(lambda: trial.preview_out(ctx, connection_id, sample, outbound(), document))),)


def _sent(each: trial.Sent) -> TriedView:
    against = _("Last sent") if each.against == "sent" else _("Without the rules")
    return _view(each.reference, each, against, each.body, {})


def _stored(each: trial.Stored) -> TriedView:
    return _view(each.external_id, each, _("Without the rules"), each.item, each.row)


def _view(
    title: str, each: Any, against: str, whole: Mapping[str, Any], source: Mapping[str, Any]
) -> TriedView:
    return TriedView(
        title=title,
        changes=each.changes,
        against=against,
        cause=cause_title(each.code) if each.code else "",
        said=each.said,
        remedy=remedy(each.code) if each.code else "",
        raw=_pretty(whole),
        source=_pretty(source),
    )


def _pretty(value: Mapping[str, Any]) -> str:
    return json.dumps(readable(value), ensure_ascii=False, indent=2)[:20_000] if value else ""


def _keys(connection: ErpConnection, way: str) -> Sequence[str]:
    connector = connector_of(connection)
    return (
        connector.documents
        if way == "out"
        else [each.key for each in connector.streams if each.key in FIELDS]
    )


def _typed(typed: Mapping[str, str], way: str, keys: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """The rows of the form that say something, in their order."""
    place = "target" if way == "out" else "field"
    rules: dict[str, list[dict[str, str]]] = {}
    for key in keys:
        no = 0
        while f"{way}.{key}.{no}.{place}" in typed:
            row = {part: typed.get(f"{way}.{key}.{no}.{part}", "").strip() for part in (place, *PARTS)}
            if row[place] or row["value"]:
                if way == "in":
                    row["type"] = FIELDS[key].get(row["field"], "text")
                rules.setdefault(key, []).append(row)
            no += 1
    return rules


def _show(
    ctx: Context,
    connection: ErpConnection,
    now: Version,
    way: str,
    rules: Mapping[str, list[dict[str, str]]],
    errors: Errors,
    tried: tuple[TriedView, ...] | None = None,
    trouble: str = "",
) -> Response:
    samples = trial.samples(ctx, connection.id) if way == "out" else []
    page = RulesPage(
        head=head(ctx, connection, f"mapping_{way}", now),
        way=way,
        action=url_for(f"sync.save_{way}", connection_id=connection.id),
        sections=tuple(_section(key, way, rules.get(key, []), errors) for key in _keys(connection, way)),
        kinds=tuple((key, _(KIND_TITLES[key])) for key in KINDS),
        tables=tuple(titles(connection, now).items()),
        samples=tuple(
            (str(each.id), f"{each.reference} · {each.partner} · {what_of(each.kind, each.intent)}")
            for each in samples
        ),
        sample=request.form.get("sample", ""),
        tries=tuple((each, each) for each in TRIES),
        count=request.form.get("count", TRIES[1]),
        names=_names(way, connector_of(connection).documents),
        functions=", ".join(FUNCTIONS),
        note=request.form.get("note", ""),
        tried=tried,
        trouble=trouble,
        labels={path: _label(path, rules) for path in errors},
        errors=errors,
    )
    return render("sync/mapping_rules.html", page, status=422 if errors else 200, crumbs=crumbs(connection)[:1])


def _label(path: str, rules: Mapping[str, list[dict[str, str]]]) -> str:
    """Which rule a fault is about, by its target or field."""
    _way, _dot, rest = path.partition(".")
    key, _dot, rest = rest.partition(".")
    no = rest.partition(".")[0]
    rule = rules.get(key, [])[int(no) : int(no) + 1] if no.isdecimal() else []
    told = rule[0].get("target") or rule[0].get("field") if rule else ""
    return told or (_("Rule %(n)s", n=int(no) + 1) if rule else path)


def _names(way: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """What a rule may name, as it is typed; `kinds` are those of the documents that go out."""
    if way == "in":
        return ("row['…']", "item.name", "today")
    named = [
        f"{name}.{part}" for kind in kinds for name in (HEADS[kind], "line") for part in out_names(kind)[name]
    ]
    return (*dict.fromkeys(named), "today", "value")


def _section(key: str, way: str, rules: Sequence[Mapping[str, str]], errors: Errors) -> SectionView:
    place = "target" if way == "out" else "field"
    blank = dict.fromkeys((place, *PARTS), "")
    rows = tuple(
        RuleView(
            name=f"{way}.{key}.{no}", place=rule[place], **{part: shown(rule.get(part, "")) for part in PARTS}
        )
        for no, rule in enumerate([*rules, *[blank] * BLANKS])
    )
    title = _(TITLES[key]) if way == "out" else _(STREAM_TITLES[key])
    places = (
        ()
        if way == "out"
        else tuple((name, f"{name} · {_(KIND_TITLES[kind])}") for name, kind in FIELDS[key].items())
    )
    faulty = any(path.startswith(f"{way}.{key}.") for path in errors)
    return SectionView(key, title, rows, places, len(rules), bool(rules) or faulty or key in ("products", SALES_ORDER))

"""The buyer's form: a new request, a draft, an amendment. Nothing typed is ever lost; lines may be pasted from a sheet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

import tongshang as ts
from plugins.rfq import reading, schema, service
from plugins.rfq.mode import rules
from plugins.rfq.views.frame import Errors, crumbs, filled, moment, pages, typed_moment, typed_number
from tongshang import gettext as _

HEAD = ("title", "deliver_by", "ship_to", "payment_wish", "note", "audience")
LINE = ("sku", "text", "spec", "quantity", "unit")
ROWS, MORE, MOST_ROWS = 3, 5, 200


@dataclass(frozen=True)
class LineRow:
    """One line as typed. `code` names the product of the catalogue behind it; `errors` by field."""

    index: int
    sku: str
    code: str
    text: str
    spec: str
    quantity: str
    unit: str
    errors: Errors


@dataclass(frozen=True)
class Candidate:
    """A seller that can be invited."""

    id: UUID
    name: str
    chosen: bool
    fixed: bool = False


@dataclass(frozen=True)
class RequestForm:
    """The form. `amending` is the version that is being replaced; then deadline, seal and sellers are not asked."""

    title: str
    action: str
    values: dict[str, str]
    rows: tuple[LineRow, ...]
    candidates: tuple[Candidate, ...]
    addresses: tuple[tuple[str, str], ...]
    amending: int | None
    back_url: str
    key: str
    errors: Errors = field(default_factory=dict)


@pages.get("/new", permission="rfq.request.write")
def new(ctx: ts.Context) -> Response:
    """An empty request, or one with the product whose page asked for it."""
    typed = {"closes_at": typed_moment(ctx, (ctx.now + timedelta(days=rules(ctx).days_open)).replace(second=0))}
    if sku := request.args.get("sku"):
        typed |= _of_product(ctx, sku)
    return _form(ctx, typed)


@pages.post("/new", permission="rfq.request.write", idempotent=True)
def create(ctx: ts.Context) -> Response:
    return _save(ctx, None)


@pages.get("/<uuid:request_id>/edit", permission="rfq.request.write")
def edit(ctx: ts.Context, request_id: UUID) -> Response:
    """A draft, or the next version of an open request."""
    return _form(ctx, _typed(ctx, _own(ctx, request_id)), request_id)


@pages.post("/<uuid:request_id>/edit", permission="rfq.request.write", idempotent=True)
def save(ctx: ts.Context, request_id: UUID) -> Response:
    return _save(ctx, request_id)


def _save(ctx: ts.Context, request_id: UUID | None) -> Response:
    typed = ts.form()
    act = typed.get("act", "draft")
    if act in ("more", "paste", "find"):
        return _form(ctx, typed, request_id, more=act == "more", find=typed.get("find", ""))
    done: list[UUID] = []
    before = _own(ctx, request_id) if request_id else None

    def go() -> None:
        wish = read(ctx, typed)
        if before is None:
            done.append(service.draft(ctx, wish).id)
        elif before.state == "draft":
            done.append(service.edit(ctx, before.id, wish).id)
        else:
            done.append(service.amend(ctx, before.id, wish, int(typed.get("version", "0") or 0)).id)
        if act == "publish":
            service.publish(ctx, done[-1])

    if errors := ts.mend(ctx, go):
        return _form(ctx, typed, request_id, errors=errors)
    if act == "publish":
        ts.flash(_("Request sent to its sellers"))
    elif before is not None and before.state != "draft":
        ts.flash(_("New version sent; quotes against the older one are marked"))
    else:
        ts.flash(_("Draft kept"))
    return ts.redirect("rfq.show", request_id=done[-1])


def read(ctx: ts.Context, typed: Mapping[str, str]) -> service.NewRequest:
    """The form as the verbs take it. Invalid names every field at once; rows without a word are passed over."""
    wrong: list[ts.FieldError] = []
    head: dict[str, Any] = {}
    try:
        head = ts.read_form(schema.HeadIn(), filled(typed, *HEAD))
    except ts.Invalid as refused:
        wrong += refused.errors
    try:
        head["closes_at"] = moment(ctx, "closes_at", typed.get("closes_at"))
    except ts.Invalid as refused:
        wrong += refused.errors
    head["sealed"] = bool(typed.get("sealed"))
    lines = []
    for index in _indexes(typed):
        given = {name: typed.get(f"l{index}_{name}", "") for name in LINE}
        if not any(given[name].strip() for name in ("sku", "text", "spec", "quantity")):
            continue
        values = filled({"sku_id": given.pop("sku"), **given}, "sku_id", "text", "spec", "quantity", "unit")
        try:
            lines.append(service.WantedItem(**ts.read_form(schema.ItemIn(), values)))
        except ts.Invalid as refused:
            wrong += [ts.FieldError(f"l{index}_{each.path}", each.code, each.values) for each in refused.errors]
    if wrong:
        raise ts.Invalid(wrong)
    try:
        return service.NewRequest(**head, lines=tuple(lines), sellers=tuple(_chosen(typed)))
    except ValueError:
        raise ts.Invalid.one("sellers", "rfq.seller_unknown") from None


def _chosen(typed: Mapping[str, str]) -> list[UUID]:
    return [UUID(name.removeprefix("s-")) for name, value in typed.items() if name.startswith("s-") and value]


def _indexes(typed: Mapping[str, str]) -> list[int]:
    found = {int(hit[1]) for name in typed if (hit := re.fullmatch(r"l([0-9]{1,3})_[a-z]+", name))}
    return sorted(found)[:MOST_ROWS]


def _own(ctx: ts.Context, request_id: UUID) -> reading.RequestFacts:
    found = reading.request_facts(ctx, request_id)
    if found.buyer_id != ctx.tenant_id:
        raise ts.NotFound("rfq.not_found")
    return found


def _form(
    ctx: ts.Context,
    typed: Mapping[str, str],
    request_id: UUID | None = None,
    *,
    errors: Errors | None = None,
    more: bool = False,
    find: str = "",
) -> Response:
    values = _pasted(dict(typed)) if typed.get("act") == "paste" else dict(typed)
    before = _own(ctx, request_id) if request_id else None
    amending = before.version if before is not None and before.state != "draft" else None
    errors = _on_the_form(errors or {}, values)
    page = RequestForm(
        title=_("New request") if before is None else before.title,
        action=url_for("rfq.save", request_id=request_id) if request_id else url_for("rfq.create"),
        values=values,
        rows=_rows(values, errors, MORE if more else 0),
        candidates=() if amending else tuple(_candidates(ctx, values, find)),
        addresses=tuple((text, text) for text in _places(ctx, values.get("ship_to", ""))),
        amending=amending,
        back_url=url_for("rfq.show", request_id=request_id) if request_id else url_for("rfq.index"),
        key=str(ts.uuid7()),
        errors=errors,
    )
    return ts.render("rfq/form.html", page, 422 if errors else 200, crumbs())


def _rows(values: Mapping[str, str], errors: Errors, more: int) -> tuple[LineRow, ...]:
    known = _indexes(values)
    kept = [index for index in known if any(values.get(f"l{index}_{name}", "").strip() for name in LINE)]
    blank = max(ROWS - len(kept), 1) + more
    last = max(known, default=-1)
    indexes = [*kept, *range(last + 1, last + 1 + blank)][:MOST_ROWS]
    return tuple(
        LineRow(
            index,
            values.get(f"l{index}_sku", ""),
            values.get(f"l{index}_code", ""),
            *(values.get(f"l{index}_{name}", "") for name in ("text", "spec", "quantity", "unit")),
            errors={name: errors[f"l{index}_{name}"] for name in LINE if f"l{index}_{name}" in errors},
        )
        for index in indexes
    )


def _on_the_form(errors: Errors, values: Mapping[str, str]) -> Errors:
    """`lines.2.quantity` of a verb is the third row with anything in it."""
    rows = [
        index
        for index in _indexes(values)
        if any(values.get(f"l{index}_{name}", "").strip() for name in ("sku", "text", "spec", "quantity"))
    ]
    found: Errors = {}
    for path, sentences in errors.items():
        hit = re.fullmatch(r"lines\.(\d+)\.(\w+)", path)
        if hit and int(hit[1]) < len(rows):
            name = {"sku_id": "text"}.get(hit[2], hit[2])
            path = f"l{rows[int(hit[1])]}_{name}"
        found.setdefault(path.replace("_sku_id", "_text"), []).extend(sentences)
    return found


def _pasted(values: dict[str, str]) -> dict[str, str]:
    """Rows copied from a sheet, one a line: product, specification, quantity, unit; parted by tabs or semicolons."""
    start = max(_indexes(values), default=-1) + 1
    for offset, row in enumerate(filter(str.strip, values.pop("paste", "").splitlines()[:MOST_ROWS])):
        cells = [cell.strip() for cell in re.split(r"\t|;|；", row)]
        for name, cell in zip(("text", "spec", "quantity", "unit"), cells, strict=False):
            values[f"l{start + offset}_{name}"] = cell.replace(",", "") if name == "quantity" else cell
    return values


def _candidates(ctx: ts.Context, values: Mapping[str, str], find: str) -> list[Candidate]:
    """Partners, those chosen already, and what the search found."""
    chosen = {name.removeprefix("s-") for name, value in values.items() if name.startswith("s-") and value}
    rows: dict[UUID, str] = {card.tenant_id: reading.name_of(card) for _relation, card in ts.partners(ctx, limit=50)}
    if find.strip():
        rows |= {card.tenant_id: reading.name_of(card) for card in ts.find_enterprises(ctx, find)}
    missing = [UUID(each) for each in chosen if re.fullmatch(r"[0-9a-f-]{36}", each) and UUID(each) not in rows]
    rows |= reading.names(ctx, missing)
    return [Candidate(each, name, str(each) in chosen) for each, name in rows.items() if each != ctx.tenant_id]


def _of_product(ctx: ts.Context, sku: str) -> dict[str, str]:
    try:
        found = ts.listing(ctx, UUID(sku))
    except ValueError:
        raise ts.NotFound("product.not_found") from None
    named = found.name_zh if ts.language().startswith("zh") else found.name_en or found.name_zh
    return {
        "title": named, "l0_sku": str(found.sku_id), "l0_code": found.code, "l0_text": named, "l0_spec": found.spec,
        "l0_unit": found.base_uom, f"s-{found.seller_id}": "1",
    }  # fmt: skip


def _typed(ctx: ts.Context, facts: reading.RequestFacts) -> dict[str, str]:
    values = {
        "title": facts.title, "deliver_by": facts.deliver_by.isoformat() if facts.deliver_by else "", "ship_to": facts.ship_to,
        "payment_wish": facts.payment_wish, "note": facts.note, "audience": facts.audience,
        "sealed": "1" if facts.sealed else "", "closes_at": typed_moment(ctx, facts.closes_at), "version": str(facts.version),
    }  # fmt: skip
    for index, line in enumerate(facts.lines):
        values |= {
            f"l{index}_sku": str(line.sku_id or ""), f"l{index}_code": line.sku_code, f"l{index}_text": line.text,
            f"l{index}_spec": line.spec, f"l{index}_quantity": typed_number(line.quantity), f"l{index}_unit": line.unit,
        }  # fmt: skip
    return values | {f"s-{part.seller_id}": "1" for part in facts.invitations}


def _places(ctx: ts.Context, chosen: str) -> list[str]:
    """The own addresses, and what stands in the request already. None where there is no address to choose from."""
    known = [_address(one) for one in ts.addresses(ctx)]
    return known if not known or not chosen or chosen in known else [chosen, *known]


def _address(one: Any) -> str:
    place = "".join(part for part in (one.province, one.city, one.district, one.street) if part)
    return f"{place}，{one.contact} {one.phone}"

"""The seller's page: what is asked, the own quote with every version of it, questions, declining."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from flask import Response, url_for

import tongshang as ts
from plugins.rfq import reading, schema, service
from plugins.rfq.mode import rules
from plugins.rfq.views.frame import (
    Errors,
    FileView,
    Said,
    State,
    crumbs,
    files,
    filled,
    moment,
    pages,
    part_state,
    talk,
    typed_moment,
    typed_number,
)
from tongshang import gettext as _

HEAD = ("tax_included", "prepay_percent", "terms_days", "remarks")
SHORT = {
    "unit_price": "price",
    "sku_code": "sku",
    "lead_days": "lead",
    "vat_rate": "vat",
    "line_no": "price",
    "option": "price",
}
"""What the fields of a quoted line are called in the form, where they are called otherwise."""
FIELDS = ("sku", "price", "quantity", "lead", "vat", "tiers", "remark")


@dataclass(frozen=True)
class Asked:
    """A line that is asked, with what was typed as offer and as alternative; `errors` by field name."""

    item: reading.Item
    values: dict[str, str]
    other: dict[str, str]
    errors: Errors


@dataclass(frozen=True)
class InvitationPage:
    """One request as an invited seller sees it. Addresses are None where the act is not possible now."""

    facts: reading.RequestFacts
    part: reading.Part
    state: State
    closes_at: datetime | None
    asked: tuple[Asked, ...]
    head: dict[str, str]
    versions: tuple[reading.QuoteFacts, ...]
    talk: tuple[Said, ...]
    files: tuple[FileView, ...]
    outdated: bool
    quote_url: str | None
    retract_url: str | None
    decline_url: str | None
    say_url: str | None
    order_url: str | None
    key: str
    errors: Errors = field(default_factory=dict)


@pages.get("/in/<uuid:invitation_id>", permission="rfq.quote.view")
def invited(ctx: ts.Context, invitation_id: UUID) -> Response:
    facts, part = _own(ctx, invitation_id)
    if part.seen_at is None:
        service.seen(ctx, invitation_id)
    return _page(ctx, facts, part, {}, {})


@pages.post("/in/<uuid:invitation_id>/quote", permission="rfq.quote.write", idempotent=True)
def quote(ctx: ts.Context, invitation_id: UUID) -> Response:
    """Give a quote. What stands in the way is said on the form, with everything typed kept."""
    facts, part = _own(ctx, invitation_id)
    typed = ts.form()
    rows: list[str] = []

    def go() -> None:
        new = read(ctx, typed, rows)
        service.quote(ctx, invitation_id, new, int(typed.get("version", "0") or 0) or None)

    if errors := ts.mend(ctx, go):
        return _page(ctx, facts, part, typed, _on_the_form(errors, rows))
    ts.flash(_("Quote sent"))
    return ts.redirect("rfq.invited", invitation_id=invitation_id)


@pages.post("/in/<uuid:invitation_id>/retract", permission="rfq.quote.write", idempotent=True)
def retract(ctx: ts.Context, invitation_id: UUID) -> Response:
    service.retract(ctx, invitation_id, ts.form().get("reason", ""))
    ts.flash(_("Quote taken back"))
    return ts.redirect("rfq.invited", invitation_id=invitation_id)


@pages.post("/in/<uuid:invitation_id>/decline", permission="rfq.quote.write", idempotent=True)
def decline(ctx: ts.Context, invitation_id: UUID) -> Response:
    service.decline(ctx, invitation_id, ts.form().get("reason", ""))
    ts.flash(_("Declined; the buyer is told why"))
    return ts.redirect("rfq.invited", invitation_id=invitation_id)


def read(ctx: ts.Context, typed: Mapping[str, str], rows: list[str]) -> service.NewQuote:
    """The form as the verb takes it. Lines without a price are left out; `rows` learns which field prefix each one has."""
    wrong: list[ts.FieldError] = []
    head, lines = {}, []
    try:
        head = ts.read_form(schema.QuoteHeadIn(exclude=("valid_until",)), filled(typed, *HEAD))
        head["valid_until"] = moment(ctx, "valid_until", typed.get("valid_until"))
        if head["valid_until"] is None:
            raise ts.Invalid.one("valid_until", "field.required")
    except ts.Invalid as refused:
        wrong += refused.errors
    for prefix, no, option in _prefixes(typed):
        given = {name: typed.get(f"{prefix}_{name}", "") for name in FIELDS}
        if not given["price"].strip():
            continue
        try:
            lines.append(_offered(no, option, given))
            rows.append(prefix)
        except ts.Invalid as refused:
            wrong += [
                ts.FieldError(f"{prefix}_{SHORT.get(each.path, each.path)}", each.code, each.values)
                for each in refused.errors
            ]
    if wrong:
        raise ts.Invalid(wrong)
    return service.NewQuote(**head, lines=lines)


def _offered(no: int, option: int, given: Mapping[str, str]) -> service.Offered:
    values = {
        "line_no": str(no), "option": str(option), "sku_code": given["sku"], "unit_price": given["price"],
        "quantity": given["quantity"], "lead_days": given["lead"], "vat_rate": _share(given["vat"]), "remark": given["remark"],
    }  # fmt: skip
    found = ts.read_form(schema.OfferedIn(exclude=("tiers",)), filled(values, *values))
    return service.Offered(**found, tiers=_tiers(given["tiers"]))


def _share(percent: str) -> str:
    """13 typed is a rate of 0.13; nonsense is left to the schema."""
    plain = percent.strip().removesuffix("%").strip()
    try:
        return f"{Decimal(plain) / 100:f}" if plain else ""
    except InvalidOperation:
        return percent


def _tiers(text: str) -> tuple[tuple[Decimal, Decimal], ...]:
    """`10:95; 50:90` is 95 from 10 on and 90 from 50 on."""
    found = []
    for part in filter(str.strip, re.split(r"[;；]", text)):
        least, _colon, price = part.replace("：", ":").partition(":")
        try:
            tier = ts.read_form(schema.TierIn(), {"min_quantity": least, "unit_price": price})
        except ts.Invalid:
            raise ts.Invalid.one("tiers", "rfq.tiers_unreadable") from None
        found.append((tier["min_quantity"], tier["unit_price"]))
    return tuple(found)


def _prefixes(typed: Mapping[str, str]) -> list[tuple[str, int, int]]:
    """`q3` is the offer for line 3 as asked, `a3` its alternative."""
    hits = {hit[0]: hit for name in typed if (hit := re.match(r"([qa])([0-9]{1,3})(?=_)", name))}
    found = [(prefix, int(hit[2]), int(hit[1] == "a")) for prefix, hit in hits.items()]
    return sorted(found, key=lambda each: each[1:])


def _on_the_form(errors: Errors, rows: list[str]) -> Errors:
    found: Errors = {}
    for path, sentences in errors.items():
        hit = re.fullmatch(r"lines\.(\d+)\.(\w+)", path)
        if hit and int(hit[1]) < len(rows):
            path = f"{rows[int(hit[1])]}_{SHORT.get(hit[2], hit[2])}"
        found.setdefault(path, []).extend(sentences)
    return found


def _own(ctx: ts.Context, invitation_id: UUID) -> tuple[reading.RequestFacts, reading.Part]:
    facts, part = reading.of_invitation(ctx, invitation_id)
    if part.seller_id != ctx.tenant_id:
        raise ts.NotFound("rfq.not_found")
    return facts, part


def _page(
    ctx: ts.Context, facts: reading.RequestFacts, part: reading.Part, typed: Mapping[str, str], errors: Errors
) -> Response:
    versions = reading.versions(ctx, part.id)
    last = versions[0] if versions else None
    values = dict(typed) or _prefill(ctx, facts, last)
    writes = ctx.allows("rfq.quote.write")
    won = next((each for each in reading.awards(ctx, facts.id) if each.invitation_id == part.id and each.state == "made"), None)

    def to(name: str, possible: bool) -> str | None:
        return url_for(f"rfq.{name}", invitation_id=part.id) if writes and possible else None

    page = InvitationPage(
        facts=facts,
        part=part,
        state=part_state(part.state),
        closes_at=part.better_until if part.better_until and not facts.open else facts.closes_at,
        asked=tuple(_asked(item, values, errors) for item in facts.lines),
        head=values,
        versions=versions,
        talk=talk(ctx, facts, part.id),
        files=files(ctx, facts.id),
        outdated=part.quote is not None and part.quote.request_version != facts.version,
        quote_url=to("quote", part.may_quote),
        retract_url=to("retract", part.may_quote and part.state == "quoted"),
        decline_url=to("decline", part.may_quote and part.state in ("invited", "retracted", "expired")),
        say_url=to("say", facts.state in ("open", "closed")),
        order_url=url_for("orders.detail", order_id=won.order_id)
        if won is not None and won.order_id and ctx.allows("order.view")
        else None,
        key=str(ts.uuid7()),
        errors=errors,
    )
    return ts.render("rfq/invited.html", page, 422 if errors else 200, crumbs("seller"))


def _asked(item: reading.Item, values: Mapping[str, str], errors: Errors) -> Asked:
    def of(prefix: str) -> dict[str, str]:
        return {name: values.get(f"{prefix}_{name}", "") for name in FIELDS}

    mine = (f"q{item.no}_", f"a{item.no}_")
    return Asked(
        item, of(f"q{item.no}"), of(f"a{item.no}"), {name: said for name, said in errors.items() if name.startswith(mine)}
    )


def _prefill(ctx: ts.Context, facts: reading.RequestFacts, last: reading.QuoteFacts | None) -> dict[str, str]:
    """The last quote again, or what is known without one: the own product that was asked for, the usual validity."""
    valid = ctx.now + timedelta(days=rules(ctx).valid_days)
    if last is not None and last.valid_until > ctx.now:
        valid = last.valid_until
    values = {
        "valid_until": typed_moment(ctx, valid),
        "tax_included": "true" if last is None or last.tax_included else "false",
        "prepay_percent": typed_number(last.prepay_percent) if last else "0",
        "terms_days": str(last.terms_days if last else 30),
        "remarks": last.remarks if last else "",
    }
    asked = {item.no: item for item in facts.lines}
    own = ts.own_goods(ctx, [item.sku_code for item in facts.lines if item.sku_code])
    for no, item in asked.items():
        known = own.get(item.sku_code)
        if known is not None and known.sku_id == item.sku_id:
            values[f"q{no}_sku"] = item.sku_code
        values[f"q{no}_vat"] = "13"
    for line in last.lines if last is not None else ():
        if line.option > 1 or line.line_no not in asked:
            continue
        whole = line.quantity == asked[line.line_no].quantity
        prefix = f"{'a' if line.option else 'q'}{line.line_no}"
        values |= {
            f"{prefix}_sku": line.sku_code, f"{prefix}_price": typed_number(line.unit_price),
            f"{prefix}_quantity": "" if whole else typed_number(line.quantity),
            f"{prefix}_lead": "" if line.lead_days is None else str(line.lead_days),
            f"{prefix}_vat": typed_number(line.vat_rate * 100), f"{prefix}_remark": line.remark,
            f"{prefix}_tiers": "; ".join(
                f"{typed_number(each.min_quantity)}:{typed_number(each.unit_price)}" for each in line.tiers
            ),
        }  # fmt: skip
    return values

"""The comparison and the award: pick an offer on each line, look at what it comes to, then decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Response, request, url_for

import tongshang as ts
from plugins.rfq import reading, schema, service
from plugins.rfq.comparing import BASES, Matrix, as_csv, compare
from plugins.rfq.views.frame import crumbs, pages
from tongshang import gettext as _


@dataclass(frozen=True)
class MatrixPage:
    """Quotes side by side. `picked` are the quoted lines chosen so far; `split` shows quantities instead of one choice."""

    facts: reading.RequestFacts
    matrix: Matrix
    picked: frozenset[str]
    quantities: Mapping[str, str]
    split: bool
    may_award: bool
    mix: ts.Money
    mix_net: ts.Money
    mix_vat: ts.Money
    totals: tuple[ts.Money, ...]
    review_url: str
    csv_url: str
    back_url: str
    bases: tuple[tuple[str, str, bool], ...]
    mix_url: str
    take_urls: tuple[str, ...]
    split_url: str
    error: str = ""


@dataclass(frozen=True)
class Share:
    """What one seller would get."""

    seller: str
    version: int
    lines: tuple[tuple[int, str, str, ts.Quantity, Decimal, ts.Money], ...]
    total: ts.Money
    needs_approval: bool


@dataclass(frozen=True)
class ReviewPage:
    """The award before it is made. `choices` go along as hidden fields."""

    title: str
    shares: tuple[Share, ...]
    total: ts.Money
    left: int
    choices: tuple[tuple[str, str], ...]
    version: int
    action: str
    back_url: str
    key: str


@pages.get("/<uuid:request_id>/compare", permission="rfq.request.view")
def matrix(ctx: ts.Context, request_id: UUID) -> Response:
    return _matrix(ctx, _comparable(ctx, request_id), {})


@pages.get("/<uuid:request_id>/compare.csv", permission="rfq.request.view")
def matrix_csv(ctx: ts.Context, request_id: UUID) -> Response:
    """The comparison as a file for a spreadsheet."""
    facts = _comparable(ctx, request_id)
    response = Response(as_csv(facts, compare(facts, ctx.now, _basis())), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{facts.number}.csv"'
    return response


@pages.post("/<uuid:request_id>/compare", permission="rfq.award")
def review(ctx: ts.Context, request_id: UUID) -> Response:
    """What the chosen lines come to, for each seller; nothing is done yet."""
    facts, typed = _comparable(ctx, request_id), ts.form()
    found: list[service.Reckoned] = []
    choices = _choices(typed)

    def go() -> None:
        found.extend(service.reckon(ctx, request_id, choices, _version(typed)))

    if errors := ts.mend(ctx, go):
        return _matrix(ctx, facts, typed, "; ".join(sentence for each in errors.values() for sentence in each))
    called = {part.seller_id: part.seller for part in facts.invitations}

    def money(amount: Decimal) -> ts.Money:
        return ts.Money(amount, facts.currency)

    page = ReviewPage(
        title=facts.title,
        shares=tuple(
            Share(
                called[each.seller_id],
                each.quote_version,
                tuple(
                    (no, code, text, ts.Quantity(quantity, unit), price, money(gross))
                    for no, code, text, quantity, unit, price, gross in each.lines
                ),
                money(each.total),
                each.needs_approval,
            )
            for each in found
        ),
        total=money(sum((each.total for each in found), Decimal(0))),
        left=len(facts.lines) - len({line[0] for each in found for line in each.lines}),
        choices=tuple((name, value) for name, value in typed.items() if name.startswith(("pick-", "qty-")) and value),
        version=facts.version,
        action=url_for("rfq.award", request_id=request_id),
        back_url=url_for("rfq.matrix", request_id=request_id),
        key=str(ts.uuid7()),
    )
    return ts.render("rfq/review.html", page, crumbs=_crumbs(facts))


@pages.post("/<uuid:request_id>/award", permission="rfq.award", idempotent=True)
def award(ctx: ts.Context, request_id: UUID) -> Response:
    """Make the award: one order for each seller."""
    typed = ts.form()
    made = service.award(
        ctx, request_id, _choices(typed), version=_version(typed), finish=not typed.get("keep_open")
    )
    ts.flash(_("Awarded; orders made: %(n)s", n=len(made)))
    return ts.redirect("rfq.show", request_id=request_id)


def _comparable(ctx: ts.Context, request_id: UUID) -> reading.RequestFacts:
    facts = reading.request_facts(ctx, request_id)
    if facts.buyer_id != ctx.tenant_id:
        raise ts.NotFound("rfq.not_found")
    if facts.hidden:
        raise ts.Conflict("rfq.still_sealed", closes_at=facts.closes_at)
    return facts


def _choices(typed: Mapping[str, str]) -> list[service.Choice]:
    """Radios name one quoted line for each line; in the split form every offer has a quantity of its own."""
    found = []
    for name, value in typed.items():
        if not value.strip():
            continue
        if name.startswith("pick-"):
            found.append(service.Choice(**ts.read_form(schema.ChoiceIn(), {"quote_line_id": value})))
        elif name.startswith("qty-"):
            given = {"quote_line_id": name.removeprefix("qty-"), "quantity": value}
            found.append(service.Choice(**ts.read_form(schema.ChoiceIn(), given)))
    return found


def _version(typed: Mapping[str, str]) -> int | None:
    text = typed.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _matrix(ctx: ts.Context, facts: reading.RequestFacts, typed: Mapping[str, str], error: str = "") -> Response:
    basis = _basis()
    found = compare(facts, ctx.now, basis)
    take = request.args.get("take", "")
    split = bool(request.args.get("split") or any(name.startswith("qty-") for name in typed))

    def money(amount: Decimal) -> ts.Money:
        return ts.Money(amount, facts.currency)

    def here(**more: str) -> str:
        return url_for("rfq.matrix", request_id=facts.id, basis=basis, **more)

    page = MatrixPage(
        facts=facts,
        matrix=found,
        picked=frozenset(_picked(found, take, typed)),
        quantities={name: value for name, value in typed.items() if name.startswith("qty-")},
        split=split,
        may_award=ctx.allows("rfq.award") and facts.state in ("open", "closed"),
        mix=money(found.mix),
        mix_net=money(found.mix_net),
        mix_vat=money(found.mix_gross),
        totals=tuple(money(each.total) for each in found.columns),
        review_url=url_for("rfq.review", request_id=facts.id),
        csv_url=url_for("rfq.matrix_csv", request_id=facts.id, basis=basis),
        back_url=url_for("rfq.show", request_id=facts.id),
        bases=tuple(
            (text, url_for("rfq.matrix", request_id=facts.id, basis=name), name == basis)
            for name, text in (("gross", _("With VAT")), ("net", _("Without VAT")))
        ),
        mix_url=here(),
        take_urls=tuple(here(take=str(each.part.id)) for each in found.columns),
        split_url=here() if split else here(split="1"),
        error=error,
    )
    return ts.render("rfq/compare.html", page, 422 if error else 200, _crumbs(facts))


def _picked(found: Matrix, take: str, typed: Mapping[str, str]) -> list[str]:
    """What is chosen when the page opens: what was typed, else all of one seller, else the best of each line."""
    if typed:
        return [value for name, value in typed.items() if name.startswith("pick-")]
    if take:
        return [
            str(cell.line.id)
            for row in found.rows
            for cells in row.cells
            for cell in cells
            if str(cell.invitation_id) == take and cell.standing and cell.line.option == 0
        ]
    return [str(row.best.line.id) for row in found.rows if row.best is not None]


def _basis() -> str:
    wish = request.args.get("basis", "gross")
    return wish if wish in BASES else "gross"


def _crumbs(facts: reading.RequestFacts) -> tuple[ts.Crumb, ...]:
    return (*crumbs(), ts.Crumb(facts.title, url_for("rfq.show", request_id=facts.id)))

"""Which price wins for a customer and why; and the customer groups that lists speak to."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Response, request, url_for

from core import tenancy
from core.catalog import explaining, pricelists
from core.catalog.views.frame import LEVEL_WORDS, named, number, pages
from core.catalog.views.pricelists import customers
from core.kernel import Context, Invalid
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb

VERDICT_WORDS = {
    "wins": "Gives the price",
    "later_level": "A level before it has a price",
    "smaller_tier": "A tier from a larger quantity stands before it",
    "earlier_list": "A list that began later stands before it",
    "dearer": "A cheaper list stands before it",
    "not_reached": "The quantity does not reach its first tier",
}


@dataclass(frozen=True)
class CandidateLine:
    """A list that was looked at; `tone` is ok for the winner."""

    level: str
    list_name: str
    href: str
    min_qty: Decimal
    price: Decimal
    verdict: str
    tone: str
    wins: bool


@dataclass(frozen=True)
class WinnerPage:
    """The question, and where it was answered the price with every list looked at. Prices are per base unit."""

    customers: tuple[tuple[str, str], ...]
    values: Mapping[str, str]
    errors: Errors
    product: str
    customer: str
    group: str
    uom: str
    base_qty: Decimal | None
    unit_price: Decimal | None
    tax_incl: bool
    gross: Decimal | None
    cheaper_elsewhere: bool
    lines: tuple[CandidateLine, ...]


@dataclass(frozen=True)
class MemberLine:
    """A customer in a group."""

    id: str
    name: str
    href: str


@dataclass(frozen=True)
class GroupLine:
    """A customer group; `lists` are (name, address) of those that speak to it."""

    code: str
    members: tuple[MemberLine, ...]
    lists: tuple[tuple[str, str], ...]
    new_list_url: str


@dataclass(frozen=True)
class GroupsPage:
    """The customer groups, and the form that puts a customer into one."""

    groups: tuple[GroupLine, ...]
    customers: tuple[tuple[str, str], ...]
    values: Mapping[str, str]
    may_edit: bool
    may_price: bool
    errors: Errors


@pages.get("/price-lists/explain", permission="product.view")
def explain_price(ctx: Context) -> Response:
    """Which price wins for a customer."""
    values = {name: request.args.get(name, "")[:64] for name in ("customer_id", "code", "quantity")}
    found: list[explaining.Explanation] = []

    def ask() -> None:
        product = pricelists.product_by_code(ctx, values["code"])
        quantity = number(values["quantity"] or "1", "quantity")
        found.append(explaining.explain_price(ctx, _id(values["customer_id"]), product.id, quantity))

    errors = mend(ctx, ask) if values["code"] or values["customer_id"] else {}
    errors = {path.removeprefix("lines.0."): said for path, said in errors.items()}
    page = _winner(ctx, values, found[0] if found else None, errors)
    crumbs = [_crumb(), Crumb(_("Which price wins"))]
    return render("catalog/price_explained.html", page, status=422 if errors else 200, crumbs=crumbs)


def _winner(
    ctx: Context, values: Mapping[str, str], found: explaining.Explanation | None, errors: Errors
) -> WinnerPage:
    names = customers(ctx)
    terms = tenancy.partner(ctx, _id(values["customer_id"])) if found else None
    price = found.price if found else None
    return WinnerPage(
        customers=names,
        values=values,
        errors={("code" if path == "sku_id" else path): said for path, said in errors.items()},
        product=f"{named(price.sku)} {price.sku.code}" if price else "",
        customer=dict(names).get(values["customer_id"], ""),
        group=(terms.price_group or "") if terms else "",
        uom=price.sku.base_uom if price else "",
        base_qty=price.base_qty if price else None,
        unit_price=price.unit_price if price else None,
        tax_incl=price.tax_incl if price else True,
        gross=price.amounts.gross if price else None,
        cheaper_elsewhere=bool(found and found.cheaper_elsewhere),
        lines=tuple(_candidate(each) for each in found.candidates) if found else (),
    )


def _candidate(each: explaining.Candidate) -> CandidateLine:
    return CandidateLine(
        level=_(LEVEL_WORDS[each.tier.level]),
        list_name=each.tier.list_name,
        href=url_for("catalog.price_list", list_id=each.tier.list_id),
        min_qty=each.tier.min_qty,
        price=each.tier.price,
        verdict=_(VERDICT_WORDS[each.verdict]),
        tone="ok" if each.verdict == "wins" else "",
        wins=each.verdict == "wins",
    )


@pages.get("/price-lists/groups", permission="product.view")
def price_groups(ctx: Context) -> Response:
    """The customer groups."""
    return _groups(ctx, {}, {})


@pages.post("/price-lists/groups", permission="partner.edit")
def put_in_group(ctx: Context) -> Response:
    """Put a customer into a group, or with an empty one take it out."""
    values = form()
    code = values.get("group", "").strip()

    def act() -> None:
        if len(code) > 40:
            raise Invalid.one("group", "product.text_too_long", max=40)
        tenancy.set_partner(ctx, _id(values.get("customer_id", "")), price_group=code or None)

    if errors := mend(ctx, act):
        return _groups(ctx, values, errors)
    flash(_("Put into group %(name)s", name=code) if code else _("Taken out of its group"))
    return redirect("catalog.price_groups")


def _groups(ctx: Context, values: Mapping[str, str], errors: Errors) -> Response:
    page = GroupsPage(
        groups=tuple(
            GroupLine(
                code=each.code,
                members=tuple(
                    MemberLine(
                        str(member.partner_id),
                        member.name,
                        url_for("tenancy.partner", partner_id=member.partner_id),
                    )
                    for member in each.members
                ),
                lists=tuple(
                    (found.name, url_for("catalog.price_list", list_id=found.id)) for found in each.lists
                ),
                new_list_url=url_for("catalog.new_price_list", audience="group", group=each.code),
            )
            for each in pricelists.groups(ctx)
        ),
        customers=customers(ctx),
        values=values,
        may_edit=ctx.allows("partner.edit"),
        may_price=ctx.allows("price.edit"),
        errors=errors,
    )
    crumbs = [_crumb(), Crumb(_("Customer groups"))]
    return render("catalog/price_groups.html", page, status=422 if errors else 200, crumbs=crumbs)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.one("customer_id", "field.required") from None


def _crumb() -> Crumb:
    return Crumb(_("Price lists"), url_for("catalog.price_lists"))

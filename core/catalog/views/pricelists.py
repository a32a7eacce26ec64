"""Price lists: which there are, what stands on one, and how long it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from flask import Response, request, url_for

from core import tenancy
from core.catalog import pricelists, tariff
from core.catalog.model import PriceList
from core.catalog.views.frame import day_after, day_begins, first_day, last_day, named, number, pages
from core.kernel import Context, Invalid
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb, here
from core.web.pager import decode, encode

PAGE = 25
TIERS = 5
AUDIENCE_WORDS = {
    "public": "Everybody",
    "group": "A customer group",
    "tenant": "One customer",
    "contract": "One customer, by contract",
    "base": "Where no other list has a price",
}
"""For whom a list is, in the order of the form."""
_VIEWS = (("public", ("public", "base")), ("group", ("group",)), ("customer", ("tenant", "contract")))
_VIEW_WORDS = {"public": "For everybody", "group": "For groups", "customer": "For single customers"}
_PHASES = {"coming": ("Not yet valid", ""), "open": ("Valid", "ok"), "over": ("Over", "warn")}
LADDER_WORDS = {
    "volume": "The tier reached prices the whole quantity",
    "graduated": "Each unit pays the price of its own tier",
}


@dataclass(frozen=True)
class ListLine:
    """A price list in the overview. `whom` names the group or customer."""

    href: str
    name: str
    audience: str
    whom: str
    currency: str
    tax_incl: bool
    valid_from: datetime
    last_day: str
    products: int
    phase: str
    tone: str


@dataclass(frozen=True)
class ListsPage:
    """The price lists; `views` are tabs by audience."""

    rows: tuple[ListLine, ...]
    views: tuple[tuple[str, str, bool, int | None], ...]
    total: int
    may_edit: bool


@dataclass(frozen=True)
class NewListPage:
    """A price list being opened."""

    values: Mapping[str, str]
    audiences: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    customers: tuple[tuple[str, str], ...]
    ladders: tuple[tuple[str, str], ...]
    errors: Errors


@dataclass(frozen=True)
class TierLine:
    """A product on the list; `edit_url` opens it in the form."""

    id: str
    href: str
    code: str
    name: str
    uom: str
    tiers: tuple[tuple[Decimal, Decimal], ...]
    edit_url: str


@dataclass(frozen=True)
class TierTyped:
    """A tier as typed."""

    min_qty: str
    price: str


@dataclass(frozen=True)
class ListPage:
    """One price list: for whom, how long, what stands on it, and the form for the tiers of one product."""

    id: str
    version: int
    line: ListLine
    ladder: str
    values: Mapping[str, str]
    q: str
    rows: tuple[TierLine, ...]
    first_url: str | None
    next_url: str | None
    code: str
    tiers: tuple[TierTyped, ...]
    may_edit: bool
    errors: Errors


@pages.get("/price-lists", permission="product.view")
def price_lists(ctx: Context) -> Response:
    """The own price lists."""
    chosen = request.args.get("view", "")
    found = pricelists.list_rows(ctx)
    kinds = dict(_VIEWS)
    views = [(_("All"), here(view=None), chosen not in kinds, len(found))]
    for key, audiences in _VIEWS:
        count = sum(each.list.audience in audiences for each in found)
        views.append((_(_VIEW_WORDS[key]), here(view=key), chosen == key, count))
    shown = [each for each in found if chosen not in kinds or each.list.audience in kinds[chosen]]
    page = ListsPage(tuple(_line(each) for each in shown), tuple(views), len(found), ctx.allows("price.edit"))
    return render("catalog/price_lists.html", page)


@pages.get("/price-lists/new", permission="price.edit")
def new_price_list(ctx: Context) -> Response:
    """A new price list."""
    values = {name: request.args.get(name, "") for name in ("audience", "group", "customer_id")}
    return _new(ctx, {"audience": "group", "ladder": "volume", "tax_incl": "1"} | _given(values), {})


@pages.post("/price-lists/new", permission="price.edit")
def open_price_list(ctx: Context) -> Response:
    """Open the list, or show what is wrong with it."""
    values = form()
    opened: list[PriceList] = []
    if errors := mend(ctx, lambda: opened.append(_open(ctx, values))):
        return _new(ctx, values, errors)
    flash(_("Price list opened"))
    return redirect("catalog.price_list", list_id=opened[0].id)


@pages.get("/price-lists/<uuid:list_id>", permission="product.view")
def price_list(ctx: Context, list_id: UUID) -> Response:
    """One price list."""
    return _show(ctx, list_id)


@pages.post("/price-lists/<uuid:list_id>", permission="price.edit")
def change_price_list(ctx: Context, list_id: UUID) -> Response:
    """Save name and validity."""
    values = form()

    def act() -> None:
        begins = day_begins(values.get("valid_from", ""), "valid_from")
        if begins is None:
            raise Invalid.one("valid_from", "field.required")
        known = pricelists.find_price_list(ctx, list_id).list
        if first_day(known.valid_from) == values.get("valid_from"):
            begins = known.valid_from  # the hour it began stays where the day does
        pricelists.change_price_list(
            ctx,
            list_id,
            _version(values),
            name=values.get("name", ""),
            valid_from=begins,
            valid_to=day_after(values.get("last_day", ""), "valid_to"),
        )

    if errors := mend(ctx, act):
        return _show(ctx, list_id, values, errors=errors)
    flash(_("Price list saved"))
    return redirect("catalog.price_list", list_id=list_id)


@pages.post("/price-lists/<uuid:list_id>/tiers", permission="price.edit")
def set_tiers(ctx: Context, list_id: UUID) -> Response:
    """Set the tiers of one product."""
    values = form()
    typed = tuple(
        TierTyped(values.get(f"min_qty.{index}", ""), values.get(f"price.{index}", ""))
        for index in range(20)
        if values.get(f"min_qty.{index}") or values.get(f"price.{index}")
    )

    def act() -> None:
        product = pricelists.product_by_code(ctx, values.get("code", ""))
        rows = [
            tariff.NewPrice(
                product.id, number(tier.min_qty, f"min_qty.{index}"), number(tier.price, f"price.{index}")
            )
            for index, tier in enumerate(typed)
        ]
        if not rows:
            raise Invalid.one("price.0", "field.required")
        tariff.set_prices(ctx, list_id, rows)

    if errors := mend(ctx, act):
        places = {
            path.removeprefix("prices.") if path.startswith("prices.") else path: said
            for path, said in errors.items()
        }
        return _show(ctx, list_id, code=values.get("code", ""), tiers=typed, errors=_by_field(places))
    flash(_("Prices saved"))
    return redirect("catalog.price_list", list_id=list_id)


@pages.post("/price-lists/<uuid:list_id>/drop", permission="price.edit")
def drop_product(ctx: Context, list_id: UUID) -> Response:
    """Take a product off the list."""
    try:
        sku_id = UUID(form().get("sku_id", ""))
    except ValueError:
        raise Invalid.one("sku_id", "id.not_an_id") from None
    pricelists.drop_product(ctx, list_id, sku_id)
    flash(_("Taken off the list"))
    return redirect("catalog.price_list", list_id=list_id)


def _by_field(errors: Errors) -> Errors:
    """`0.price`, as the verb says it, is the field `price.0` of the form."""
    found: Errors = {}
    for path, said in errors.items():
        first, _dot, second = path.partition(".")
        found[f"{second}.{first}" if first.isdecimal() else path] = said
    return found


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in values.items() if text}


def _open(ctx: Context, values: Mapping[str, str]) -> PriceList:
    audience = values.get("audience", "")
    customer = values.get("customer_id", "")
    if not values.get("name", "").strip() or len(values["name"]) > 100:
        raise Invalid.one("name", "price.list_name")
    try:
        customer_id = UUID(customer) if customer and audience in ("tenant", "contract") else None
    except ValueError:
        raise Invalid.one("customer_id", "id.not_an_id") from None
    return tariff.open_price_list(
        ctx,
        values["name"].strip(),
        audience,
        group=values.get("group") if audience == "group" else None,
        customer_id=customer_id,
        tax_incl=values.get("tax_incl") == "1",
        ladder=values.get("ladder", ""),
        valid_from=day_begins(values.get("valid_from", ""), "valid_from"),
        valid_to=day_after(values.get("last_day", ""), "valid_to"),
    )


def _new(ctx: Context, values: Mapping[str, str], errors: Errors) -> Response:
    page = NewListPage(
        values=values,
        audiences=tuple((key, _(word)) for key, word in AUDIENCE_WORDS.items()),
        groups=tuple(each.code for each in pricelists.groups(ctx)),
        customers=customers(ctx),
        ladders=tuple((key, _(word)) for key, word in LADDER_WORDS.items()),
        errors=errors,
    )
    return render(
        "catalog/price_list_new.html",
        page,
        status=422 if errors else 200,
        crumbs=[_crumb(), Crumb(_("New price list"))],
    )


def customers(ctx: Context) -> tuple[tuple[str, str], ...]:
    """The partners to choose from, by name."""
    return tuple((str(card.tenant_id), card.name) for _terms, card in tenancy.partners(ctx, limit=500))


def _show(
    ctx: Context,
    list_id: UUID,
    values: Mapping[str, str] | None = None,
    *,
    code: str = "",
    tiers: tuple[TierTyped, ...] = (),
    errors: Errors | None = None,
) -> Response:
    found = pricelists.find_price_list(ctx, list_id)
    after, q = request.args.get("after"), request.args.get("q", "")[:100]
    on_it = pricelists.listed_tiers(ctx, list_id, q, decode(after, 1), PAGE)
    rows = tuple(_tier_line(list_id, each) for each in on_it.rows)
    if not code and (code := request.args.get("code", "")[:64]):
        known = next((each.tiers for each in on_it.rows if each.code == code), ())
        tiers = tuple(TierTyped(f"{low.normalize():f}", f"{price.normalize():f}") for low, price in known)
    each = found.list
    page = ListPage(
        id=str(list_id),
        version=each.version,
        line=_line(found),
        ladder=_(LADDER_WORDS[each.ladder]),
        values=values
        or {"name": each.name, "valid_from": first_day(each.valid_from), "last_day": last_day(each.valid_to)},
        q=q,
        rows=rows,
        first_url=here(after=None) if after else None,
        next_url=here(after=encode(*on_it.next)) if on_it.next else None,
        code=code,
        tiers=tiers + (TierTyped("", ""),) * max(1, TIERS - len(tiers)),
        may_edit=ctx.allows("price.edit"),
        errors=errors or {},
    )
    return render(
        "catalog/price_list.html", page, status=422 if errors else 200, crumbs=[_crumb(), Crumb(each.name)]
    )


def _tier_line(list_id: UUID, each: pricelists.ListedTiers) -> TierLine:
    return TierLine(
        id=str(each.sku_id),
        href=url_for("catalog.product", product_id=each.sku_id),
        code=each.code,
        name=named(each),
        uom=each.base_uom,
        tiers=each.tiers,
        edit_url=url_for("catalog.price_list", list_id=list_id, code=each.code, q=each.code, _anchor="tiers"),
    )


def _line(found: pricelists.ListRow) -> ListLine:
    each = found.list
    word, tone = _PHASES[each.phase]
    return ListLine(
        href=url_for("catalog.price_list", list_id=each.id),
        name=each.name,
        audience=_(AUDIENCE_WORDS[each.audience]),
        whom=each.group_code or found.customer,
        currency=each.currency,
        tax_incl=each.tax_incl,
        valid_from=each.valid_from,
        last_day=last_day(each.valid_to),
        products=found.products,
        phase=_(word),
        tone=tone,
    )


def _crumb() -> Crumb:
    return Crumb(_("Price lists"), url_for("catalog.price_lists"))


def _version(values: Mapping[str, str]) -> int:
    text = values.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0

"""For buyers: search the goods of all sellers, look at one of them, see what it costs and why."""

from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for

from core.catalog import finding, pricing
from core.catalog.availability import availability
from core.catalog.rows import AttributeRule, shelves
from core.catalog.views.frame import LEVEL_WORDS, named, number, pages
from core.kernel import Context
from core.web import render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb, Fragment, here
from core.web.pager import decode, encode
from core.web.slots import fill

PAGE = 25


@dataclass(frozen=True)
class Goods:
    """A row of the result. Prices are per base unit; `own` is what the reader pays, None where it is the public price.

    `free` is what is not promised to anybody, None when nobody knows.
    """

    sku_id: str
    href: str
    name: str
    spec: str
    code: str
    seller: str
    uom: str
    public: Decimal | None
    own: Decimal | None
    own_level: str
    free: Decimal | None
    exact: bool


@dataclass(frozen=True)
class Choice:
    """A value of a facet: `href` takes it or, when it is taken, leaves it."""

    text: str
    hits: int
    href: str
    taken: bool


@dataclass(frozen=True)
class CataloguePage:
    """`total` is exact up to `cap`. `keep` are the filters a new search keeps; `fragments` come from plugins."""

    q: str
    rows: tuple[Goods, ...]
    total: int
    cap: int
    sort: str
    shelves: tuple[Choice, ...]
    sellers: tuple[Choice, ...]
    keep: dict[str, str]
    first_url: str | None
    next_url: str | None
    fragments: tuple[Fragment, ...] = ()


@pages.get("/catalog", permission="catalogue.view")
def search(ctx: Context) -> Response:
    """Search the catalogue."""
    args = request.args
    sort = args.get("sort", "code")
    after = args.get("after")
    asked = finding.Search(
        q=args.get("q", "")[:100],
        shelf=args.get("category") or None,
        seller=_uuid(args.get("seller")),
        sort=sort if sort in finding.SORTS else "code",
        after=decode(after, 2),
        limit=PAGE,
    )
    found = finding.find_listings(ctx, asked)
    skus = tuple(row.sku_id for row in found.rows)
    free = availability.of(ctx, skus)
    page = CataloguePage(
        q=asked.q,
        rows=tuple(_goods(row, free.get(row.sku_id)) for row in found.rows),
        total=found.total,
        cap=finding.CAP,
        sort=asked.sort,
        shelves=_choices(found.shelves, "category", asked.shelf),
        sellers=_choices(found.sellers, "seller", str(asked.seller) if asked.seller else None),
        keep={name: args.get(name, "") for name in ("category", "seller", "sort")},
        first_url=here(after=None) if after else None,
        next_url=here(after=encode(*found.next)) if found.next else None,
        fragments=fill(ctx, "catalogue:badge", finding.Goods(skus)) if skus else (),
    )
    return render("catalog/search.html", page)


@dataclass(frozen=True)
class TierRow:
    """A tier of a price list, per base unit. `reached` says that the quantity looked at pays it."""

    level: str
    list_name: str
    ladder: str
    min_qty: Decimal
    price: Decimal
    tax_incl: bool
    reached: bool


@dataclass(frozen=True)
class PriceRow:
    """A component of the unit price: who set it, why, how much."""

    level: str
    reason: str
    amount: Decimal
    flagged: bool


@dataclass(frozen=True)
class Price:
    """The price of a quantity, explained."""

    qty: Decimal
    uom: str
    base_qty: Decimal
    unit_price: Decimal
    tax_incl: bool
    vat_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    components: tuple[PriceRow, ...]


@dataclass(frozen=True)
class ListingPage:
    """One listing. `price` is None when no price applies; `why_not` then says why. `units` are those it can be bought in."""

    sku_id: str
    name: str
    other_name: str
    code: str
    part_no: str
    spec: str
    seller: str
    seller_url: str
    uom: str
    listed: bool
    free: Decimal | None
    facts: tuple[tuple[str, str], ...]
    weight_kg: Decimal | None
    tiers: tuple[TierRow, ...]
    price: Price | None
    quantity: str
    chosen_uom: str
    units: tuple[str, ...]
    why_not: Errors
    fragments: tuple[Fragment, ...] = field(default=())


@pages.get("/catalog/<uuid:sku_id>", permission="catalogue.view")
def listing(ctx: Context, sku_id: UUID) -> Response:
    """One listing, its tiers, and the price of a quantity explained."""
    row = finding.listing_row(ctx, sku_id)
    tiers = pricing.price_tiers(ctx, sku_id) if row.status == "listed" else []
    least = max([Decimal(1), *([min(tier.min_qty for tier in tiers)] if tiers else [])])
    quantity = request.args.get("quantity") or f"{least.normalize():f}"
    uom = request.args.get("uom") or row.base_uom
    price, why_not = _priced(ctx, sku_id, quantity, uom) if row.status == "listed" else (None, {})
    shelf = shelves(ctx, [row.category_path]).get(row.category_path)
    page = ListingPage(
        sku_id=str(sku_id),
        name=named(row),
        other_name=row.name_en if named(row) == row.name_zh else row.name_zh,
        code=row.code,
        part_no=row.part_no,
        spec=row.spec,
        seller=row.seller_name,
        seller_url=f"{url_for('catalog.search')}?{urlencode({'seller': row.seller_id})}",
        uom=row.base_uom,
        listed=row.status == "listed",
        free=availability.of(ctx, [sku_id]).get(sku_id),
        facts=tuple(
            _fact(rule, row.attributes[rule.key]) for rule in shelf.rules if rule.key in row.attributes
        )
        if shelf
        else tuple(row.attributes.items()),
        weight_kg=row.weight_kg,
        tiers=tuple(_tier(tier, price) for tier in tiers),
        price=_shown(price) if price else None,
        quantity=quantity,
        chosen_uom=uom,
        units=tuple(pricing.units_of(ctx, sku_id, row.base_uom)),
        why_not=why_not,
        fragments=fill(ctx, "product:page", row),
    )
    crumbs = [Crumb(_("Catalogue"), url_for("catalog.search"))]
    if shelf:
        crumbs.append(Crumb(named(shelf), url_for("catalog.search", category=shelf.path)))
    return render("catalog/listing.html", page, crumbs=[*crumbs, Crumb(row.code)])


def _priced(ctx: Context, sku_id: UUID, quantity: str, uom: str) -> tuple[pricing.PricedLine | None, Errors]:
    found: list[pricing.PricedLine] = []

    def ask() -> None:
        wanted = pricing.Wanted(sku_id, number(quantity, "lines.0.quantity"), uom)
        found.extend(pricing.quote_lines(ctx, ctx.tenant_id, [wanted]))

    errors = mend(ctx, ask)
    return next(iter(found), None), {path.rpartition(".")[2]: said for path, said in errors.items()}


def _goods(row: finding.ListingRow, free: Decimal | None) -> Goods:
    own = row.own_price if row.own_level not in (None, "public", "base") else None
    return Goods(
        sku_id=str(row.sku_id),
        href=url_for("catalog.listing", sku_id=row.sku_id),
        name=named(row),
        spec=row.spec,
        code=row.code,
        seller=row.seller_name,
        uom=row.base_uom,
        public=row.public_price if row.public_price is not None else row.own_price if own is None else None,
        own=own,
        own_level=_(LEVEL_WORDS[row.own_level]) if row.own_level and own is not None else "",
        free=free,
        exact=row.exact,
    )


def _choices(facets: tuple[finding.Facet, ...], name: str, taken: str | None) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            named(each),
            each.hits,
            here(**{name: None if each.value == taken else each.value, "after": None}),
            each.value == taken,
        )
        for each in facets[:30]
    )


def _fact(rule: AttributeRule, value: str) -> tuple[str, str]:
    return named(rule), f"{value} {rule.unit}" if rule.unit else value


def _tier(tier: pricing.Tier, price: pricing.PricedLine | None) -> TierRow:
    reached = price is not None and any(
        part.level == tier.level and tier.min_qty <= price.base_qty and part.base == tier.price
        for part in price.components
    )
    return TierRow(
        _(LEVEL_WORDS[tier.level]),
        tier.list_name,
        tier.ladder,
        tier.min_qty,
        tier.price,
        tier.tax_incl,
        reached,
    )


def _shown(price: pricing.PricedLine) -> Price:
    amounts = price.amounts
    return Price(
        qty=price.qty,
        uom=price.uom,
        base_qty=price.base_qty,
        unit_price=price.unit_price,
        tax_incl=price.tax_incl,
        vat_rate=price.vat_rate,
        net=amounts.net,
        tax=amounts.tax,
        gross=amounts.gross,
        components=tuple(
            PriceRow(
                _(LEVEL_WORDS.get(part.level, part.level)),
                _(REASONS.get(part.reason, part.reason)),
                part.base + part.adj,
                part.flag == "cheaper_elsewhere",
            )
            for part in price.components
        ),
    )


REASONS = {"list": "Tier of the price list", "graduated": "Mean over the tiers passed"}


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

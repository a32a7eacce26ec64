"""Finding goods: buyers search the listings of every seller, sellers search their own products.

One page of listings with the reader's own prices is one statement, its facets a second; both cost the same
whatever the page holds. Exact counts stop at `CAP`: past that the answer is "more than".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlalchemy import and_, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import TSQUERY

from core.catalog.model import Category, Listing, Product
from core.catalog.tokens import MAX_QUERY, part_number, query
from core.kernel import Context, NotFound

CAP = 1000
PINNED = 20  # exact part numbers put first, as in ts.find_listings
SORTS = ("code", "price", "-price")

_PAGE = text("""
    WITH hit AS MATERIALIZED (
      SELECT row_number() OVER () AS no, l.*
      FROM ts.find_listings(:query, :shelf, :seller, :part, :sort, :after, :limit) l),
    own AS (
      SELECT q.line_no, q.unit_price, q.tax_incl, q.level FROM ts.quote(ts.tenant(), :currency, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('no', no, 'sku', id)), '[]') FROM hit)) q)
    SELECT hit.no, hit.id, hit.tenant_id, hit.code, hit.name_zh, hit.name_en, hit.spec, hit.base_uom,
           hit.category_path, hit.attributes, hit.weight_kg, hit.part_no, hit.code_key, hit.part_key,
           hit.public_price, hit.price_currency,
           hit.price_tax_incl, hit.tax_class, hit.status, hit.version, card.name AS seller_name,
           own.unit_price AS own_price, own.tax_incl AS own_tax_incl, own.level AS own_level
    FROM hit LEFT JOIN own ON own.line_no = hit.no
    LEFT JOIN ts.enterprise_card card ON card.tenant_id = hit.tenant_id
    ORDER BY hit.no
""")
_ONE = text("""
    SELECT hit.*, card.name AS seller_name, NULL::numeric AS own_price, NULL::boolean AS own_tax_incl,
           NULL AS own_level
    FROM ts.listing hit LEFT JOIN ts.enterprise_card card ON card.tenant_id = hit.tenant_id
    WHERE hit.id = :sku
""")
_FACETS = text("""
    SELECT c.kind, c.shelf, c.seller, c.hits, shelf.name_zh, shelf.name_en, card.name AS seller_name
    FROM ts.count_listings(:query, :shelf, :seller, :cap) c
    LEFT JOIN LATERAL (
      SELECT s.name_zh, s.name_en FROM ts.category s WHERE s.path = c.shelf ORDER BY s.id LIMIT 1) shelf ON true
    LEFT JOIN ts.enterprise_card card ON card.tenant_id = c.seller
    ORDER BY c.kind, c.hits DESC, c.shelf, c.seller
""")


@dataclass(frozen=True)
class Search:
    """What a buyer asks the catalogue. `after` is the keys of the last row seen; `sort` one of SORTS."""

    q: str = ""
    shelf: str | None = None
    seller: UUID | None = None
    sort: str = "code"
    after: Sequence[str] | None = None
    limit: int = 25


@dataclass(frozen=True)
class ListingRow:
    """A listing in a result. `own_price` is what the reader pays from the smallest quantity on, where a
    price applies at all.
    """

    sku_id: UUID
    seller_id: UUID
    seller_name: str
    code: str
    name_zh: str
    name_en: str
    spec: str
    base_uom: str
    category_path: str
    attributes: Mapping[str, str]
    weight_kg: Decimal | None
    part_no: str
    public_price: Decimal | None
    own_price: Decimal | None
    own_level: str | None
    currency: str
    tax_incl: bool
    tax_class: str
    status: str
    version: int
    exact: bool = False


@dataclass(frozen=True)
class Goods:
    """The products on one page, for plugins that have a word to say about them."""

    sku_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Facet:
    """A value one can narrow the result by, with how many listings it would leave (counted up to CAP)."""

    value: str
    name_zh: str
    name_en: str
    hits: int


@dataclass(frozen=True)
class Found:
    """A page of listings. `total` stops at CAP + 1. `next` is the keys to go on after, None on the last
    page.
    """

    rows: tuple[ListingRow, ...]
    next: tuple[str, str] | None
    total: int
    shelves: tuple[Facet, ...]
    sellers: tuple[Facet, ...]


def find_listings(ctx: Context, search: Search, currency: str = "CNY") -> Found:
    """Search the listings of all sellers: Chinese, English and part numbers, the exact part number first.
    Two statements.
    """
    ctx.require("catalogue.view")
    words = query(search.q) if search.q.strip() else None
    if search.q.strip() and words is None:
        return Found((), None, 0, (), ())
    part = part_number(search.q[:MAX_QUERY]) or None if words else None
    given = {
        "query": words,
        "shelf": search.shelf,
        "seller": search.seller,
        "part": part,
        "sort": search.sort,
        "after": list(search.after) if search.after else None,
        "limit": search.limit + 1,
        "currency": currency,
        "cap": CAP,
    }
    rows = [_listing_row(row, part) for row in ctx.session.execute(_PAGE, given)]
    pinned = [] if search.after else list(takewhile(lambda row: row.exact, rows[:PINNED]))
    rest = rows[len(pinned) :]
    more = len(rest) > search.limit
    kept = rest[: search.limit]
    facets = ctx.session.execute(_FACETS, given).all()
    return Found(
        rows=(*pinned, *kept),
        next=(_sort_key(kept[-1], search.sort), str(kept[-1].sku_id)) if more else None,
        total=next((row.hits for row in facets if row.kind == "all"), 0),
        shelves=tuple(
            Facet(row.shelf, row.name_zh or row.shelf, row.name_en or row.shelf, row.hits)
            for row in facets
            if row.kind == "shelf" and row.shelf
        ),
        sellers=tuple(
            Facet(str(row.seller), row.seller_name or "—", row.seller_name or "—", row.hits)
            for row in facets
            if row.kind == "seller"
        ),
    )


def _listing_row(row: Any, part: str | None) -> ListingRow:
    return ListingRow(
        sku_id=row.id,
        seller_id=row.tenant_id,
        seller_name=row.seller_name or "—",
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        spec=row.spec,
        base_uom=row.base_uom,
        category_path=row.category_path,
        attributes=row.attributes,
        weight_kg=row.weight_kg,
        part_no=row.part_no,
        public_price=row.public_price,
        own_price=row.own_price,
        own_level=row.own_level,
        currency=row.price_currency,
        tax_incl=row.own_tax_incl if row.own_tax_incl is not None else row.price_tax_incl,
        tax_class=row.tax_class,
        status=row.status,
        version=row.version,
        exact=part is not None and part in (row.code_key, row.part_key),
    )


def _sort_key(row: ListingRow, sort: str) -> str:
    if sort == "code":
        return row.code
    missing = Decimal("1e15") if sort == "price" else Decimal(-1)
    return f"{row.public_price if row.public_price is not None else missing:f}"


def listing_row(ctx: Context, sku_id: UUID) -> ListingRow:
    """One listing of any seller, withdrawn ones included, because orders point to them."""
    ctx.require("catalogue.view")
    row = ctx.session.execute(_ONE, {"sku": sku_id}).one_or_none()
    if row is None:
        raise NotFound("product.not_found")
    return _listing_row(row, None)


def categories(ctx: Context) -> list[Category]:
    """Every shelf by path, the own one where the operator has one of the same path."""
    wanted = select(Category).order_by(Category.path, Category.tenant_id != ctx.tenant_id)
    return list({shelf.path: shelf for shelf in reversed(ctx.session.scalars(wanted).all())}.values())[::-1]


@dataclass(frozen=True)
class OwnSearch:
    """What a seller asks of the own products."""

    q: str = ""
    status: str | None = None
    shelf: str | None = None
    after: Sequence[str] | None = None
    limit: int = 50


@dataclass(frozen=True)
class OwnRow:
    """An own product with the public price its listing shows, per base unit."""

    product: Product
    public_price: Decimal | None
    currency: str


@dataclass(frozen=True)
class OwnFound:
    """A page of own products with the public price of the listed ones; counts by status stop at CAP + 1."""

    rows: tuple[OwnRow, ...]
    next: tuple[str] | None
    counts: Mapping[str, int]


def find_products(ctx: Context, search: OwnSearch) -> OwnFound:
    """Search the own products by words, state and shelf, ordered by code. Two statements."""
    ctx.require("product.view")
    narrowed = [Product.tenant_id == ctx.tenant_id, *_narrowing(search)]
    page = (
        select(Product, Listing.public_price, Listing.price_currency)
        .outerjoin(Listing, and_(Listing.tenant_id == Product.tenant_id, Listing.id == Product.id))
        .where(*narrowed)
        .order_by(Product.code)
        .limit(search.limit + 1)
    )
    if search.status:
        page = page.where(Product.status == search.status)
    if search.after:
        page = page.where(Product.code > search.after[0])
    rows = [
        OwnRow(product, price, currency or "CNY") for product, price, currency in ctx.session.execute(page)
    ]
    looked_at = select(Product.status).where(*narrowed).limit(10 * CAP + 1).subquery()
    counted = ctx.session.execute(select(looked_at.c.status, func.count()).group_by(looked_at.c.status))
    counts = {status: number for status, number in counted}
    kept = rows[: search.limit]
    after = (kept[-1].product.code,) if len(rows) > search.limit else None
    return OwnFound(tuple(kept), after, counts)


def _narrowing(search: OwnSearch) -> list[Any]:
    conditions: list[Any] = []
    if search.q.strip():
        words = query(search.q)
        part = part_number(search.q[:MAX_QUERY])
        found = Product.search.op("@@")(cast(words, TSQUERY)) if words else text("false")
        conditions.append(or_(found, Product.code_key.startswith(part, autoescape=True)) if part else found)
    if search.shelf:
        below = Product.category_path.startswith(f"{search.shelf}/", autoescape=True)
        conditions.append(or_(Product.category_path == search.shelf, below))
    return conditions

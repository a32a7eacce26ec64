"""Price lists as their keeper sees them: which there are, what stands on one, who is in a customer group; and their changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text

from core.catalog.events import PricesSet
from core.catalog.model import AUDIENCES, PriceList, PriceRow, Product
from core.catalog.service import renew_listings
from core.catalog.tariff import lock_price_list
from core.catalog.tokens import part_number
from core.kernel import Conflict, Context, Invalid, NotFound
from core.tenancy import EnterpriseCard, PartnerRelation


@dataclass(frozen=True)
class ListRow:
    """A price list with the name of its customer, where it is for one, and how many products stand on it."""

    list: PriceList
    customer: str
    products: int


@dataclass(frozen=True)
class ListedTiers:
    """A product on a list with its tiers: (from so many base units, price of one), smallest first."""

    sku_id: UUID
    code: str
    name_zh: str
    name_en: str
    base_uom: str
    tiers: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True)
class Tiers:
    """A page of products on a list. `next` is the code to go on after."""

    rows: tuple[ListedTiers, ...]
    next: tuple[str] | None


@dataclass(frozen=True)
class Member:
    """A customer in a group. `version` is that of the terms one has for it."""

    partner_id: UUID
    name: str
    version: int


@dataclass(frozen=True)
class Group:
    """A customer group: who is in it, and the lists that speak to it."""

    code: str
    members: tuple[Member, ...]
    lists: tuple[PriceList, ...]


def _listed(ctx: Context) -> Select[tuple[PriceList, str | None, int]]:
    counted = (
        select(func.count(PriceRow.product_id.distinct()))
        .where(PriceRow.tenant_id == ctx.tenant_id, PriceRow.price_list_id == PriceList.id)
        .scalar_subquery()
    )
    return (
        select(PriceList, EnterpriseCard.name, counted)
        .outerjoin(EnterpriseCard, EnterpriseCard.tenant_id == PriceList.customer_id)
        .where(PriceList.tenant_id == ctx.tenant_id)
    )


def list_rows(ctx: Context) -> list[ListRow]:
    """All own price lists in the order a price is searched, those that are over last. One statement."""
    ctx.require("product.view")
    order = (
        PriceList.phase == "over",
        func.array_position(list(AUDIENCES), PriceList.audience),
        PriceList.name,
    )
    found = ctx.session.execute(_listed(ctx).order_by(*order))
    return [ListRow(each, customer or "", products) for each, customer, products in found]


def find_price_list(ctx: Context, list_id: UUID) -> ListRow:
    """One own price list; NotFound for everybody else's."""
    ctx.require("product.view")
    found = ctx.session.execute(_listed(ctx).where(PriceList.id == list_id)).one_or_none()
    if found is None:
        raise NotFound("price.list_not_found")
    return ListRow(found[0], found[1] or "", found[2])


def listed_tiers(
    ctx: Context, list_id: UUID, words: str = "", after: Sequence[str] | None = None, limit: int = 50
) -> Tiers:
    """The products on a list by code, narrowed by the beginning of a code or a part of a name. Two statements."""
    ctx.require("product.view")
    on_it = select(PriceRow.product_id).where(
        PriceRow.tenant_id == ctx.tenant_id, PriceRow.price_list_id == list_id
    )
    wanted = select(Product).where(Product.tenant_id == ctx.tenant_id, Product.id.in_(on_it))
    if plain := words.strip().lower():
        hits = [func.strpos(func.lower(name), plain) > 0 for name in (Product.name_zh, Product.name_en)]
        if key := part_number(plain):
            hits.append(Product.code_key.startswith(key, autoescape=True))
        wanted = wanted.where(or_(*hits))
    if after:
        wanted = wanted.where(Product.code > after[0])
    found = list(ctx.session.scalars(wanted.order_by(Product.code).limit(limit + 1)))
    kept = found[:limit]
    rows = select(PriceRow).where(
        PriceRow.tenant_id == ctx.tenant_id,
        PriceRow.price_list_id == list_id,
        PriceRow.product_id.in_([each.id for each in kept]),
    )
    tiers: dict[UUID, list[tuple[Decimal, Decimal]]] = {}
    for row in ctx.session.scalars(rows.order_by(PriceRow.product_id, PriceRow.min_qty)):
        tiers.setdefault(row.product_id, []).append((row.min_qty, row.price))
    return Tiers(
        tuple(
            ListedTiers(
                each.id, each.code, each.name_zh, each.name_en, each.base_uom, tuple(tiers.get(each.id, ()))
            )
            for each in kept
        ),
        (kept[-1].code,) if len(found) > limit else None,
    )


def product_by_code(ctx: Context, code: str) -> Product:
    """An own product by its code; Invalid names the field `code`."""
    ctx.require("product.view")
    found: Product | None = ctx.session.scalar(
        select(Product).where(Product.tenant_id == ctx.tenant_id, Product.code == code.strip())
    )
    if found is None:
        raise Invalid.one("code", "product.no_such_code", product=code.strip()[:64])
    return found


def change_price_list(
    ctx: Context, list_id: UUID, version: int, *, name: str, valid_from: datetime, valid_to: datetime | None
) -> PriceList:
    """Give a list its name and its validity anew. For whom it is stays, and so do orders already placed.

    Conflict when somebody changed the list since `version`. Listings show what a public list says now.
    """
    prices = lock_price_list(ctx, list_id)
    if prices.version != version:
        raise Conflict("version.changed", current=prices.version)
    if not name.strip() or len(name) > 100:
        raise Invalid.one("name", "price.list_name")
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid.one("valid_to", "price.ends_before_it_begins")
    taken = select(PriceList.id).where(
        PriceList.tenant_id == ctx.tenant_id, PriceList.name == name.strip(), PriceList.id != list_id
    )
    if ctx.session.scalar(taken):
        raise Conflict("price.list_name_taken", field="name", name=name.strip())
    before = {"name": prices.name, "valid_from": str(prices.valid_from), "valid_to": str(prices.valid_to)}
    prices.name, prices.valid_from, prices.valid_to = name.strip(), valid_from, valid_to
    over = valid_to is not None and valid_to <= ctx.now
    prices.phase = "over" if over else "coming" if valid_from > ctx.now else "open"
    prices.version += 1
    ctx.session.flush()
    skus = _products_on(ctx, list_id)
    if prices.audience == "public":
        renew_listings(ctx, skus)
    ctx.record("price.change_list", prices, before=before)
    _tell(ctx, list_id, skus)
    return prices


def drop_product(ctx: Context, list_id: UUID, sku_id: UUID) -> None:
    """Take a product off a list; the next list in line then gives its price."""
    prices = lock_price_list(ctx, list_id)
    gone = ctx.session.scalar(
        text("""WITH gone AS (DELETE FROM ts.price_row WHERE tenant_id = ts.tenant() AND price_list_id = :list
                              AND product_id = :sku RETURNING id) SELECT count(*) FROM gone"""),
        {"list": list_id, "sku": sku_id},
    )
    if not gone:
        raise NotFound("product.not_found")
    prices.version += 1
    ctx.session.flush()
    if prices.audience == "public":
        renew_listings(ctx, [sku_id])
    ctx.record("price.drop", prices, product=str(sku_id), rows=gone)
    _tell(ctx, list_id, [sku_id])


def groups(ctx: Context) -> list[Group]:
    """The customer groups by code: those somebody is in, and those a list speaks to. Two statements."""
    ctx.require("partner.view")
    ctx.require("product.view")
    members: dict[str, list[Member]] = {}
    wanted = (
        select(PartnerRelation, EnterpriseCard.name)
        .join(EnterpriseCard, EnterpriseCard.tenant_id == PartnerRelation.partner_id)
        .where(PartnerRelation.tenant_id == ctx.tenant_id, PartnerRelation.price_group.is_not(None))
        .order_by(EnterpriseCard.name)
    )
    for relation, name in ctx.session.execute(wanted):
        if relation.price_group:
            found = Member(relation.partner_id, name, relation.version)
            members.setdefault(relation.price_group, []).append(found)
    lists: dict[str, list[PriceList]] = {}
    speaking = select(PriceList).where(PriceList.tenant_id == ctx.tenant_id, PriceList.audience == "group")
    for each in ctx.session.scalars(speaking.order_by(PriceList.name)):
        lists.setdefault(each.group_code or "", []).append(each)
    return [
        Group(code, tuple(members.get(code, ())), tuple(lists.get(code, ())))
        for code in sorted({*members, *lists})
    ]


def _products_on(ctx: Context, list_id: UUID) -> list[UUID]:
    wanted = select(PriceRow.product_id).distinct().where(
        PriceRow.tenant_id == ctx.tenant_id, PriceRow.price_list_id == list_id
    )
    return sorted(ctx.session.scalars(wanted))


def _tell(ctx: Context, list_id: UUID, skus: Sequence[UUID]) -> None:
    for at in range(0, len(skus), 1000):
        ctx.publish(PricesSet(ctx.tenant_id, list_id, tuple(skus[at : at + 1000])))

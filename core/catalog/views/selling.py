"""For sellers: the own products, their words and attributes, their public prices, what is listed of them."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask import Response, request, url_for

from core.catalog import finding, pricing, service, tariff
from core.catalog.model import STATUSES, Product
from core.catalog.rows import AttributeRule, shelves
from core.catalog.views.frame import LEVEL_WORDS, STATUS_WORDS, TAX_WORDS, named, number, pages
from core.kernel import Context, Invalid
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.i18n import ngettext
from core.web.mending import Errors, mend
from core.web.page import Crumb, here
from core.web.pager import decode, encode

PAGE = 50
TIERS = 6


@dataclass(frozen=True)
class Own:
    """A row of the list; `price` is the public one per base unit, None where there is none."""

    id: str
    href: str
    name: str
    spec: str
    code: str
    uom: str
    price: Decimal | None
    status: str
    tone: str


@dataclass(frozen=True)
class ProductsPage:
    """`views` are tabs by state: (text, address, current, count). `keep` are the filters a new search keeps."""

    q: str
    rows: tuple[Own, ...]
    views: tuple[tuple[str, str, bool, int | None], ...]
    keep: dict[str, str]
    category: str
    may_edit: bool
    may_import: bool
    first_url: str | None
    next_url: str | None


@pages.get("/products", permission="product.view")
def products(ctx: Context) -> Response:
    """One's own products."""
    args = request.args
    status = args.get("status") if args.get("status") in STATUSES else None
    after = args.get("after")
    search = finding.OwnSearch(
        q=args.get("q", "")[:100],
        status=status,
        shelf=args.get("category") or None,
        after=decode(after, 1),
        limit=PAGE,
    )
    found = finding.find_products(ctx, search)
    everything = sum(found.counts.values())
    page = ProductsPage(
        q=search.q,
        rows=tuple(_own(row) for row in found.rows),
        views=(
            (_("All"), here(status=None, after=None), status is None, everything),
            *(
                (
                    _(STATUS_WORDS[each][0]),
                    here(status=each, after=None),
                    status == each,
                    found.counts.get(each, 0),
                )
                for each in STATUSES
            ),
        ),
        keep={"status": status or "", "category": args.get("category", "")},
        category=args.get("category", ""),
        may_edit=ctx.allows("product.edit"),
        may_import=ctx.allows("product.import"),
        first_url=here(after=None) if after else None,
        next_url=here(after=encode(*found.next)) if found.next else None,
    )
    return render("catalog/products.html", page)


def _own(row: finding.OwnRow) -> Own:
    product = row.product
    word, tone = STATUS_WORDS[product.status]
    return Own(
        id=str(product.id),
        href=url_for("catalog.product", product_id=product.id),
        name=named(product),
        spec=product.spec,
        code=product.code,
        uom=product.base_uom,
        price=row.public_price,
        status=_(word),
        tone=tone,
    )


@pages.post("/products/publish", permission="product.edit")
def publish(ctx: Context) -> Response:
    """List the chosen products."""
    count = service.publish_products(ctx, _chosen())
    flash(ngettext("%(n)s product listed", "%(n)s products listed", count))
    return redirect("catalog.products", **_back())


@pages.post("/products/withdraw", permission="product.edit")
def withdraw(ctx: Context) -> Response:
    """Withdraw the chosen products."""
    count = service.withdraw_products(ctx, _chosen())
    flash(ngettext("%(n)s product withdrawn", "%(n)s products withdrawn", count))
    return redirect("catalog.products", **_back())


def _chosen() -> list[UUID]:
    """The ticked products, 200 at most."""
    texts = request.form.getlist("ids")
    if not texts:
        raise Invalid.one("ids", "product.none_chosen")
    if len(texts) > 200:
        raise Invalid.one("ids", "product.too_many_chosen", max=200)
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Invalid.one("ids", "id.not_an_id") from None


def _back() -> dict[str, str]:
    return {
        name: value for name in ("q", "status", "category") if (value := request.form.get(f"keep_{name}"))
    }


@dataclass(frozen=True)
class TierField:
    """A line of the price form, as typed."""

    min_qty: str
    price: str


@dataclass(frozen=True)
class OtherTier:
    """A price for some customers only."""

    level: str
    list_name: str
    min_qty: Decimal
    price: Decimal


@dataclass(frozen=True)
class ProductPage:
    """One product with its public tiers as a form."""

    id: str
    version: int
    name: str
    other_name: str
    code: str
    part_no: str
    spec: str
    category: str
    uom: str
    tax_class: str
    weight_kg: Decimal | None
    status: str
    status_word: str
    tone: str
    facts: tuple[tuple[str, str], ...]
    conversions: tuple[tuple[str, Decimal], ...]
    tiers: tuple[TierField, ...]
    other_tiers: tuple[OtherTier, ...]
    listing_url: str | None
    may_edit: bool
    may_price: bool
    errors: Errors


@pages.get("/products/<uuid:product_id>", permission="product.view")
def product(ctx: Context, product_id: UUID) -> Response:
    """One product."""
    return _show(ctx, service.find_product(ctx, product_id))


def _show(
    ctx: Context, found: Product, tiers: tuple[TierField, ...] = (), errors: Errors | None = None
) -> Response:
    shelf = shelves(ctx, [found.category_path]).get(found.category_path)
    known = {rule.key: rule for rule in shelf.rules} if shelf else {}
    all_tiers = pricing.price_tiers(ctx, found.id)
    mine = [tier for tier in all_tiers if tier.level == "public"]
    word, tone = STATUS_WORDS[found.status]
    shown = tiers or tuple(
        TierField(f"{tier.min_qty.normalize():f}", f"{tier.price.normalize():f}") for tier in mine
    )
    page = ProductPage(
        id=str(found.id),
        version=found.version,
        name=named(found),
        other_name=found.name_en if named(found) == found.name_zh else found.name_zh,
        code=found.code,
        part_no=found.part_no,
        spec=found.spec,
        category=named(shelf) if shelf else "",
        uom=found.base_uom,
        tax_class=_(TAX_WORDS[found.tax_class]),
        weight_kg=found.weight_kg,
        status=found.status,
        status_word=_(word),
        tone=tone,
        facts=tuple(_fact(known.get(key), key, value) for key, value in found.attributes.items()),
        conversions=tuple((each.uom, each.factor) for each in service.conversions(ctx, found.id)),
        tiers=shown + (TierField("", ""),) * max(1, TIERS - len(shown)),
        other_tiers=tuple(
            OtherTier(_(LEVEL_WORDS[tier.level]), tier.list_name, tier.min_qty, tier.price)
            for tier in all_tiers
            if tier.level != "public"
        ),
        listing_url=url_for("catalog.listing", sku_id=found.id) if found.status == "active" else None,
        may_edit=ctx.allows("product.edit"),
        may_price=ctx.allows("price.edit"),
        errors=errors or {},
    )
    crumbs = [Crumb(_("Products"), url_for("catalog.products")), Crumb(found.code)]
    return render("catalog/product.html", page, status=422 if errors else 200, crumbs=crumbs)


def _fact(rule: AttributeRule | None, key: str, value: str) -> tuple[str, str]:
    return (named(rule), f"{value} {rule.unit}" if rule.unit else value) if rule else (key, value)


@pages.post("/products/<uuid:product_id>/publish", permission="product.edit")
def publish_one(ctx: Context, product_id: UUID) -> Response:
    """List this product."""
    service.publish_products(ctx, [product_id])
    flash(_("Listed for all buyers"))
    return redirect("catalog.product", product_id=product_id)


@pages.post("/products/<uuid:product_id>/withdraw", permission="product.edit")
def withdraw_one(ctx: Context, product_id: UUID) -> Response:
    """Withdraw this product."""
    service.withdraw_products(ctx, [product_id])
    flash(_("Listing withdrawn"))
    return redirect("catalog.product", product_id=product_id)


@pages.post("/products/<uuid:product_id>/prices", permission="price.edit")
def prices(ctx: Context, product_id: UUID) -> Response:
    """Set the public tiers of this product."""
    found = service.find_product(ctx, product_id)
    given = form()
    typed = tuple(
        TierField(given.get(f"min_qty.{index}", ""), given.get(f"price.{index}", ""))
        for index in range(20)
        if given.get(f"min_qty.{index}") or given.get(f"price.{index}")
    )

    def act() -> None:
        rows = [
            tariff.NewPrice(
                product_id, number(tier.min_qty, f"min_qty.{index}"), number(tier.price, f"price.{index}")
            )
            for index, tier in enumerate(typed)
        ]
        if not rows:
            raise Invalid.one("price.0", "field.required")
        tariff.set_prices(ctx, tariff.public_list(ctx).id, rows)

    if errors := mend(ctx, act):
        return _show(ctx, found, typed, errors)
    flash(_("Prices saved"))
    return redirect("catalog.product", product_id=product_id)

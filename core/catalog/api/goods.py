"""Search and prices for buyers, own products for sellers, over JSON."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response

from core.catalog import finding, imports, pricing, schema, service
from core.catalog.api.frame import api, csv_file
from core.catalog.rows import Conversion, ProductRow
from core.kernel import Context
from core.web import Answer
from core.web.pager import decode, encode
from core.web.problem import Rejected


@api.get("/listings", permission="catalogue.view", query=schema.ListingQuery, answer=schema.ListingsAnswer)
def search_listings(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Search the goods of all sellers by Chinese, English or part number; with one's own prices."""
    search = finding.Search(
        q=query["q"],
        shelf=query.get("category") or None,
        seller=query.get("seller"),
        sort=query["sort"],
        after=decode(query.get("after"), 2),
        limit=query["limit"],
    )
    found = finding.find_listings(ctx, search)
    return {
        "rows": found.rows,
        "next": encode(*found.next) if found.next else None,
        "total": found.total,
        "categories": found.shelves,
        "sellers": found.sellers,
    }


@api.get(
    "/listings/<uuid:sku_id>",
    permission="catalogue.view",
    query=schema.ListingPriceQuery,
    answer=schema.ListingDetailAnswer,
)
def listing(ctx: Context, sku_id: UUID, query: dict[str, Any]) -> Answer:
    """One listing, the tiers that apply to the asking enterprise, and its price for a quantity explained."""
    row = finding.listing_row(ctx, sku_id)
    wanted = pricing.Wanted(sku_id, query.get("quantity") or Decimal(1), query.get("uom") or None)
    price = pricing.own_prices(ctx, [wanted]).get(sku_id) if row.status == "listed" else None
    data: dict[str, Any] = {"listing": row, "tiers": pricing.price_tiers(ctx, sku_id), "price": price}
    data["units"] = pricing.units_of(ctx, sku_id, row.base_uom)
    return Answer(data)


@api.get("/products", permission="product.view", query=schema.ProductQuery, answer=schema.ProductsAnswer)
def list_products(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """One's own products by code."""
    search = finding.OwnSearch(
        q=query["q"],
        status=query.get("status"),
        shelf=query.get("category") or None,
        after=decode(query.get("after"), 1),
        limit=query["limit"],
    )
    found = finding.find_products(ctx, search)
    following = encode(*found.next) if found.next else None
    return {"rows": [row.product for row in found.rows], "next": following}


@api.post(
    "/products",
    permission="product.edit",
    body=schema.ProductBody,
    answer=schema.ProductAnswer,
    status=201,
    idempotent=True,
)
def add_product(ctx: Context, body: dict[str, Any]) -> Answer:
    """Add a product as a draft."""
    product = service.add_product(ctx, _row(body))
    return Answer(product, etag=product.version)


@api.get("/products/<uuid:product_id>", permission="product.view", answer=schema.ProductAnswer)
def product(ctx: Context, product_id: UUID) -> Answer:
    """One of one's own products; its ETag is what a change must name."""
    found = service.find_product(ctx, product_id)
    return Answer(found, etag=found.version)


@api.put(
    "/products/<uuid:product_id>",
    permission="product.edit",
    body=schema.ProductBody,
    answer=schema.ProductAnswer,
    if_match=True,
)
def edit_product(ctx: Context, product_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Replace what a product says. The listing follows."""
    if service.lock_product(ctx, product_id).version != version:
        raise Rejected(412, "version.changed")
    edited = service.edit_product(ctx, product_id, _row(body), version)
    return Answer(edited, etag=edited.version)


@api.post(
    "/products/publish",
    permission="product.edit",
    body=schema.ProductIdsBody,
    answer=schema.CountAnswer,
    idempotent=True,
)
def publish(ctx: Context, body: dict[str, Any]) -> dict[str, int]:
    """List products for every buyer."""
    return {"count": service.publish_products(ctx, body["ids"])}


@api.post(
    "/products/withdraw",
    permission="product.edit",
    body=schema.ProductIdsBody,
    answer=schema.CountAnswer,
    idempotent=True,
)
def withdraw(ctx: Context, body: dict[str, Any]) -> dict[str, int]:
    """Take products off the catalogue; open orders keep them."""
    return {"count": service.withdraw_products(ctx, body["ids"])}


@api.get("/products/export", permission="product.import", raw="text/csv")
def export(ctx: Context) -> Response:
    """All own products as a CSV file that an import takes back."""
    return csv_file("products.csv", imports.export_products(ctx))


def _row(body: dict[str, Any]) -> ProductRow:
    given = dict(body)
    conversions = given.pop("conversions")
    return ProductRow(
        **given,
        conversions=None if conversions is None else tuple(Conversion(**each) for each in conversions),
    )

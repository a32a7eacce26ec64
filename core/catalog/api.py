"""The catalogue over JSON: search and prices for buyers, products, prices and files for sellers."""

import base64
import binascii
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response

from core.catalog import finding, imports, pricing, schema, service, tariff
from core.catalog.model import Category, PriceList
from core.catalog.rows import AttributeRule, Conversion, ProductRow
from core.kernel import Context, Invalid
from core.web import Answer, Api
from core.web.pager import decode, encode
from core.web.problem import Rejected, sentence

api = Api("catalog")


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


@api.get("/categories", permission="catalogue.view", answer=schema.CategoryAnswer, many=True)
def list_categories(ctx: Context) -> list[Category]:
    """Every shelf of the catalogue by path."""
    return finding.categories(ctx)


@api.post(
    "/categories",
    permission="category.edit",
    body=schema.CategoryBody,
    answer=schema.CategoryAnswer,
    status=201,
    idempotent=True,
)
def add_category(ctx: Context, body: dict[str, Any]) -> Category:
    """Add a shelf with the attributes it asks for, or set those of a known one anew."""
    rules = [AttributeRule(**{**each, "choices": tuple(each["choices"])}) for each in body["attributes"]]
    return service.add_category(ctx, body["code"], body["name_zh"], body["name_en"], body["parent"], rules)


@api.get("/price-lists", permission="product.view", answer=schema.PriceListAnswer, many=True)
def list_price_lists(ctx: Context) -> list[PriceList]:
    """One's own price lists by name."""
    return tariff.price_lists(ctx)


@api.post(
    "/price-lists",
    permission="price.edit",
    body=schema.PriceListBody,
    answer=schema.PriceListAnswer,
    status=201,
    idempotent=True,
)
def open_price_list(ctx: Context, body: dict[str, Any]) -> PriceList:
    """Open a price list."""
    return tariff.open_price_list(ctx, **body)


@api.put(
    "/price-lists/<uuid:list_id>/prices",
    permission="price.edit",
    body=schema.PricesBody,
    answer=schema.CountAnswer,
)
def set_prices(ctx: Context, list_id: UUID, body: dict[str, Any]) -> dict[str, int]:
    """Set the tiers of the products named; each named product's earlier tiers in this list are replaced."""
    prices = [tariff.NewPrice(**each) for each in body["prices"]]
    return {"count": tariff.set_prices(ctx, list_id, prices)}


@api.post(
    "/imports",
    permission="product.import",
    body=schema.ImportBody,
    answer=schema.ImportAnswer,
    status=202,
    idempotent=True,
)
def import_products(ctx: Context, body: dict[str, Any]) -> Answer:
    """Bring a CSV file of products. It is read after the answer; `Location` says where to look how far it is."""
    try:
        content = base64.b64decode(body["content"], validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.one("content", "import.not_base64") from None
    started = imports.start_import(ctx, body["file_name"], content, body["charset"])
    return Answer(_import(started), headers=(("Location", f"/api/v1/imports/{started.id}"),))


@api.get("/imports", permission="product.import", answer=schema.ImportAnswer, many=True)
def list_imports(ctx: Context) -> list[dict[str, Any]]:
    """The latest imports."""
    return [_import(each) for each in imports.recent_imports(ctx)]


@api.get("/imports/<uuid:run_id>", permission="product.import", answer=schema.ImportDetailAnswer)
def import_run(ctx: Context, run_id: UUID) -> dict[str, Any]:
    """An import, how far it is, and the reasons of its refused rows so far."""
    found = imports.find_import(ctx, run_id)
    return {"run": _import(found), "issues": imports.import_reasons(ctx, run_id)}


@api.post(
    "/imports/<uuid:run_id>/cancel", permission="product.import", answer=schema.ImportAnswer, status=202
)
def cancel_import(ctx: Context, run_id: UUID) -> dict[str, Any]:
    """Stop an import after the rows under way; what has landed stays. 409 when it is over."""
    return _import(imports.cancel_import(ctx, run_id))


@api.get("/imports/<uuid:run_id>/refused", permission="product.import", raw="text/csv")
def refused_rows(ctx: Context, run_id: UUID) -> Response:
    """The rows that did not land, with their reasons, as a file that can be mended and brought again."""
    return csv_file("refused.csv", imports.refused_rows(ctx, run_id, sentence))


def _import(found: imports.Imported) -> dict[str, Any]:
    run = found.run
    return {
        "id": found.id,
        "file_name": run.title,
        "file_id": found.file_id,
        "charset": found.charset,
        "state": run.state,
        "stopping": run.stop_asked_at is not None and run.ended_at is None,
        "rows": run.total or 0,
        "done": run.done,
        "added": found.added,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "refused": run.refused,
        "reason": run.reason,
        "by": run.actor_name,
        "at": run.asked_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }


def csv_file(name: str, content: bytes) -> Response:
    """A CSV file to save, never to show."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, mimetype="text/csv", headers=headers)


def _row(body: dict[str, Any]) -> ProductRow:
    given = dict(body)
    conversions = given.pop("conversions")
    return ProductRow(
        **given,
        conversions=None if conversions is None else tuple(Conversion(**each) for each in conversions),
    )

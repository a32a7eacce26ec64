"""Price lists over JSON."""

from typing import Any
from uuid import UUID

from core.catalog import explaining, pricelists, schema, tariff
from core.catalog.api.frame import api
from core.catalog.model import PriceList
from core.kernel import Context
from core.web import Answer
from core.web.pager import decode, encode
from core.web.problem import Rejected


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


@api.get("/price-lists/<uuid:list_id>", permission="product.view", answer=schema.PriceListDetailAnswer)
def price_list(ctx: Context, list_id: UUID) -> Answer:
    """One own price list; its ETag is what a change must name."""
    found = pricelists.find_price_list(ctx, list_id)
    return Answer(found, etag=found.list.version)


@api.put(
    "/price-lists/<uuid:list_id>",
    permission="price.edit",
    body=schema.PriceListChange,
    answer=schema.PriceListAnswer,
    if_match=True,
)
def change_price_list(ctx: Context, list_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Give a list its name and its validity anew; ending it now is a `valid_to` of now."""
    if tariff.lock_price_list(ctx, list_id).version != version:
        raise Rejected(412, "version.changed")
    changed = pricelists.change_price_list(ctx, list_id, version, **body)
    return Answer(changed, etag=changed.version)


@api.get(
    "/price-lists/<uuid:list_id>/prices",
    permission="product.view",
    query=schema.PricesQuery,
    answer=schema.ListedProductsAnswer,
)
def list_prices(ctx: Context, list_id: UUID, query: dict[str, Any]) -> dict[str, Any]:
    """The products on a list with their tiers, by code."""
    pricelists.find_price_list(ctx, list_id)
    found = pricelists.listed_tiers(ctx, list_id, query["q"], decode(query.get("after"), 1), query["limit"])
    rows = [
        {
            **{name: getattr(each, name) for name in ("sku_id", "code", "name_zh", "name_en", "base_uom")},
            "tiers": [{"min_qty": low, "price": price} for low, price in each.tiers],
        }
        for each in found.rows
    ]
    return {"rows": rows, "next": encode(*found.next) if found.next else None}


@api.delete("/price-lists/<uuid:list_id>/prices/<uuid:product_id>", permission="price.edit", status=204)
def drop_product(ctx: Context, list_id: UUID, product_id: UUID) -> None:
    """Take a product off a list; the next list in line then gives its price."""
    pricelists.drop_product(ctx, list_id, product_id)


@api.get(
    "/price-explanations",
    permission="product.view",
    query=schema.ExplainQuery,
    answer=schema.ExplanationAnswer,
)
def explain_price(ctx: Context, query: dict[str, Any]) -> explaining.Explanation:
    """What a customer pays for an own product, and why the other lists do not give the price."""
    return explaining.explain_price(
        ctx, query["customer_id"], query["sku_id"], query["quantity"], query.get("uom") or None
    )


@api.get("/price-groups", permission="product.view", answer=schema.PriceGroupAnswer, many=True)
def list_groups(ctx: Context) -> list[pricelists.Group]:
    """The customer groups; who is in one is set with the terms of a partner."""
    return pricelists.groups(ctx)

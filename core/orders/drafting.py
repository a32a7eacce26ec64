"""What a buyer wants, and the priced lines it becomes: seller's prices, plugins' components, VAT per line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.catalog import Agreed, Component, PricedLine, Wanted, agreed_lines, quote_lines
from core.hooks import PriceComponent, Quotation
from core.kernel import Conflict, Context, Invalid, round_to, uuid7
from core.orders.model import OrderLine, TradeOrder
from core.orders.sides import other, side, side_of

MAX_LINES = 500
MOST = Decimal(10) ** 15
"""No order is worth as much; its columns hold one digit more."""
ZERO = Decimal(0)


@dataclass(frozen=True)
class WantedLine:
    """One wish of the buyer. `quantity` in `unit` (None = the SKU's base unit)."""

    sku_id: UUID
    quantity: Decimal
    unit: str | None = None


@dataclass(frozen=True)
class NewOrder:
    """Everything a buyer says when ordering; the rest follows from the seller's prices and both sides' settings."""

    seller_id: UUID
    lines: Sequence[WantedLine]
    mode: str = "spot"
    buyer_po: str | None = None
    ship_to: str = ""
    delivery_date: date | None = None
    note: str = ""
    source_ref: str | None = None


def price(ctx: Context, order: TradeOrder, wanted: Sequence[WantedLine]) -> list[OrderLine]:
    """Lines at the seller's price for this buyer, or at the price its mode agreed; sets the order's sums.

    Called inside `side(ctx, order, "seller")`.
    """
    if not wanted:
        raise Invalid.one("lines", "order.no_lines")
    if len(wanted) > MAX_LINES:
        raise Invalid.one("lines", "order.too_many_lines", limit=MAX_LINES)
    wishes = [Wanted(line.sku_id, line.quantity, line.unit) for line in wanted]
    quoted = _agreed(ctx, order, wishes) or quote_lines(ctx, order.buyer_id, wishes)
    extras = _components(ctx, order, quoted)
    lines = [_line(order, number, found, extras.get(number - 1, [])) for number, found in enumerate(quoted, start=1)]
    total(order, lines)
    return lines


def _agreed(ctx: Context, order: TradeOrder, wanted: list[Wanted]) -> list[PricedLine]:
    """The lines at the prices the order's mode agreed; empty where it has none and the price lists decide."""
    known = ctx.ports.dispatch.modes.get(order.mode)
    if known is None or known.mode.agreed is None:
        return []
    quotation = Quotation(
        order.buyer_id, order.seller_id, order.mode, tuple(each.sku_id for each in wanted), tuple(each.qty for each in wanted),
        (), order.id, order.source_ref, tuple(each.uom for each in wanted),
    )  # fmt: skip
    prices = known.mode.agreed(ctx, quotation)
    if len(prices) != len(wanted):
        raise Conflict("order.prices_do_not_fit", mode=order.mode)
    found = [Agreed(each.unit_price, each.tax_included, each.vat_rate, known.plugin, each.reason) for each in prices]
    return agreed_lines(ctx, order.buyer_id, wanted, found, order.currency)


def _line(order: TradeOrder, number: int, found: PricedLine, extras: list[tuple[str, PriceComponent]]) -> OrderLine:
    if extras:
        found = found.adjusted(
            *(Component(plugin, None, Decimal(0), extra.adjustment, extra.reason) for plugin, extra in extras)
        )
    amounts = found.amounts
    return OrderLine(
        id=uuid7(), buyer_id=order.buyer_id, seller_id=order.seller_id, order_id=order.id, no=number * 10,
        sku_id=found.sku.sku_id, sku_code=found.sku.code, name_zh=found.sku.name_zh, name_en=found.sku.name_en,
        spec=found.sku.spec, unit=found.uom, quantity=found.qty, factor=found.factor,
        unit_price=round_to(found.unit_price * found.factor, 6), tax_incl=found.tax_incl, vat_rate=found.vat_rate,
        components=[_component(each) for each in found.components],
        over_tol=order.over_tol, shipped=ZERO, received=ZERO, accepted=ZERO, rejected=ZERO, short_closed=ZERO,
        invoiced=ZERO, net=amounts.net, tax=amounts.tax, gross=amounts.gross,
    )  # fmt: skip


def _component(each: Component) -> dict[str, Any]:
    """A price component as it stays on the order: per base unit, as text."""
    return {
        "level": each.level,
        "row": str(each.row_id) if each.row_id else None,
        "base": str(each.base),
        "adjustment": str(each.adj),
        "reason": each.reason,
        "flag": each.flag,
    }


def total(order: TradeOrder, lines: Iterable[OrderLine]) -> None:
    """The order's sums are the sums of its lines, with no second rounding. Invalid when no column could hold them."""
    order.net = order.tax = Decimal(0)
    for line in lines:
        order.net += line.net
        order.tax += line.tax
    order.total = order.net + order.tax
    if order.total >= MOST:
        raise Invalid.one("lines", "order.too_large")


def _components(ctx: Context, order: TradeOrder, quoted: list[PricedLine]) -> dict[int, list[tuple[str, PriceComponent]]]:
    """What plugins of both sides add to the prices, by line."""
    dispatch = ctx.ports.dispatch
    found: dict[int, list[tuple[str, PriceComponent]]] = {}
    if not dispatch.implementers("price_lines"):
        return found
    quotation = Quotation(
        order.buyer_id,
        order.seller_id,
        order.mode,
        tuple(line.sku.sku_id for line in quoted),
        tuple(line.qty for line in quoted),
        tuple(line.unit_price for line in quoted),
    )
    here = side_of(ctx, order)
    for whose in (here, other(here)):
        with side(ctx, order, whose):
            for plugin, components in dispatch.decide("price_lines", ctx, quotation=quotation):
                for component in components:
                    found.setdefault(component.line, []).append((plugin, component))
    return found

"""The cart: at the buyer's own price, by seller, and an order for each of them."""

from decimal import Decimal
from uuid import UUID

import pytest

from core import catalog, orders, stock
from core.db import count_statements
from core.kernel import Conflict, Context, Forbidden, Invalid, NotFound
from plugins.spot import service
from tests.orders.trade import Trade

D = Decimal


def only(ctx: Context) -> service.SellerCart:
    (found,) = service.cart(ctx)
    return found


def put(trade: Trade, *wanted: tuple[str, str]) -> Context:
    ctx = buyer(trade)
    for name, quantity in wanted:
        service.put(ctx, trade.skus[name], D(quantity))
    return ctx


def buyer(trade: Trade, who: str = "Wang Fang") -> Context:
    ctx = trade.as_(who, "buyer.clerk")
    ctx.grants = {**ctx.grants, "spot.cart.use": None}
    return ctx


def test_a_cart_shows_each_sellers_goods_with_prices_vat_and_stock(trade: Trade) -> None:
    found = only(put(trade, ("plate", "2"), ("bar", "10")))
    assert found.seller == "江南钢材有限公司"
    assert [(line.code, line.quantity, line.unit) for line in found.lines] == [("BAR", D(10), "t"), ("PLATE", D(2), "t")]
    bar = found.lines[0]
    assert (bar.unit_price, bar.tax_included, bar.vat_rate) == (D(100), True, D("0.13"))
    assert (bar.net, bar.tax, bar.gross) == (D("884.96"), D("115.04"), D("1000.00"))
    assert bar.components[0].level == "public"
    assert bar.free == D(1000)
    assert found.total == D("1501.00") == sum(line.gross or D(0) for line in found.lines)
    assert found.net + found.tax == found.total
    assert found.orderable and not found.approval_needed


def test_the_same_product_again_adds_to_its_line(trade: Trade) -> None:
    found = only(put(trade, ("bar", "10"), ("bar", "2.5")))
    assert [line.quantity for line in found.lines] == [D("12.5")]


def test_another_unit_takes_the_lines_place_and_is_priced_by_its_factor(trade: Trade) -> None:
    ctx = put(trade, ("bar", "10"))
    service.put(ctx, trade.skus["bar"], D(5000), "kg")
    line = only(ctx).lines[0]
    assert (line.quantity, line.unit, line.unit_price, line.gross) == (D(5000), "kg", D("0.1"), D("500.00"))
    assert line.free == D(1000_000)


def test_an_own_price_list_is_what_its_customer_sees(trade: Trade) -> None:
    seller = trade.system(trade.seller_id)
    own = catalog.open_price_list(seller, "North Machines", "tenant", customer_id=trade.buyer_id)
    catalog.set_prices(seller, own.id, [catalog.NewPrice(trade.skus["bar"], D(1), D("96.5"))])
    line = only(put(trade, ("bar", "10"))).lines[0]
    assert (line.unit_price, line.gross, line.components[0].level) == (D("96.5"), D("965.00"), "tenant")


def test_quantities_change_and_lines_go(trade: Trade) -> None:
    ctx = put(trade, ("bar", "10"), ("plate", "1"))
    bar, plate = only(ctx).lines
    service.change(ctx, {bar.id: D(3)})
    service.take_out(ctx, plate.id)
    assert [(line.code, line.quantity) for line in only(ctx).lines] == [("BAR", D(3))]
    with pytest.raises(NotFound):
        service.take_out(ctx, plate.id)


def test_each_person_has_a_cart_of_their_own(trade: Trade) -> None:
    mine = put(trade, ("bar", "10"))
    item = only(mine).lines[0].id
    other = buyer(trade, "Chen Jing")
    assert service.cart(other) == ()
    with pytest.raises(NotFound):
        service.change(other, {item: D(1)})


def test_another_enterprise_does_not_see_the_cart_at_all(trade: Trade) -> None:
    put(trade, ("bar", "10"))
    there = trade.system(trade.seller_id)
    assert there.session.query(service.CartItem).count() == 0


@pytest.mark.parametrize("quantity", ["0", "-1", "1000000001", "NaN"])
def test_an_impossible_quantity_is_refused(trade: Trade, quantity: str) -> None:
    with pytest.raises(Invalid) as refused:
        service.put(buyer(trade), trade.skus["bar"], D(quantity))
    assert refused.value.errors[0].path == "quantity"


def test_goods_that_cannot_be_bought_are_refused_with_the_reason(trade: Trade) -> None:
    ctx = buyer(trade)
    with pytest.raises(Invalid) as unknown:
        service.put(ctx, UUID(int=1), D(1))
    assert [(error.path, error.code) for error in unknown.value.errors] == [("sku_id", "product.not_found")]
    with pytest.raises(Invalid) as unit:
        service.put(ctx, trade.skus["bar"], D(1), "sheet")
    assert [(error.path, error.code) for error in unit.value.errors] == [("unit", "uom.no_factor")]
    seller = trade.system(trade.seller_id)
    seller.actor = ctx.actor
    with pytest.raises(Invalid) as own:
        service.put(seller, trade.skus["bar"], D(1))
    assert own.value.errors[0].code == "spot.own_goods"


def test_without_the_permission_there_is_no_cart(trade: Trade) -> None:
    with pytest.raises(Forbidden):
        service.put(trade.as_("Guo Tao", "buyer.warehouse"), trade.skus["bar"], D(1))


def test_what_is_withdrawn_meanwhile_keeps_its_name_and_cannot_be_ordered(trade: Trade) -> None:
    put(trade, ("bar", "10"), ("plate", "1"))
    catalog.withdraw_products(trade.system(trade.seller_id), [trade.skus["bar"]])
    found = only(buyer(trade))
    assert [(line.code, line.problem) for line in found.lines] == [("BAR", "spot.no_price"), ("PLATE", None)]
    assert not found.orderable


def test_more_than_there_is_is_said_before_ordering(trade: Trade) -> None:
    ctx = put(trade, ("bar", "1000.001"))
    assert only(ctx).lines[0].problem == "spot.short"
    with pytest.raises(Conflict, match=r"stock\.short"), ctx.session.begin_nested():
        service.order(ctx, trade.seller_id)
    assert len(only(ctx).lines) == 1


def test_an_order_takes_the_sellers_part_out_of_the_cart_and_holds_its_goods(trade: Trade) -> None:
    ctx = put(trade, ("bar", "10"), ("plate", "2"))
    placed = service.order(ctx, trade.seller_id, buyer_po="PO-7", ship_to="北京市", note="周五前")
    assert (placed.state, placed.mode, placed.total) == ("submitted", "spot", D("1501.00"))
    assert (placed.buyer_po, placed.ship_to, placed.note) == ("PO-7", "北京市", "周五前")
    assert service.cart(ctx) == ()
    assert trade.stock_of("bar").soft == D(10)
    with pytest.raises(Conflict, match=r"spot\.nothing_to_order"):
        service.order(buyer(trade), trade.seller_id)


def test_a_cart_at_the_threshold_says_that_it_needs_approval(trade: Trade) -> None:
    trade.move(approval_threshold=D("1501.00"))
    ctx = put(trade, ("bar", "10"), ("plate", "2"))
    assert only(ctx).approval_needed
    placed = service.order(ctx, trade.seller_id)
    assert (placed.state, placed.approval_needed, placed.number) == ("pending_approval", True, None)
    assert trade.stock_of("bar").soft == D(0)
    trade.move(approval_threshold=D("1501.01"))
    assert not only(put(trade, ("bar", "10"), ("plate", "2"))).approval_needed


def test_a_delivery_date_in_the_past_is_refused(trade: Trade) -> None:
    ctx = put(trade, ("bar", "10"))
    yesterday = ctx.now.date().replace(year=ctx.now.year - 1)
    with pytest.raises(Invalid) as refused:
        service.order(ctx, trade.seller_id, delivery_date=yesterday)
    assert refused.value.errors[0].path == "delivery_date"


def test_lines_of_an_order_that_came_to_nothing_lie_in_the_cart_again(trade: Trade) -> None:
    trade.move(approval_threshold=D(1))
    ctx = put(trade, ("bar", "10"), ("plate", "2"))
    placed = service.order(ctx, trade.seller_id)
    put(trade, ("bar", "1"))
    orders.cancel(buyer(trade), placed.id, "changed my mind")
    ctx = buyer(trade)
    service.give_back(ctx, placed.id)
    service.give_back(ctx, placed.id)
    assert [(line.code, line.quantity) for line in only(ctx).lines] == [("BAR", D(1)), ("PLATE", D(2))]


def test_looking_at_a_cart_costs_the_same_however_full_it_is(trade: Trade) -> None:
    ctx = put(trade, ("bar", "1"))
    with count_statements() as one:
        service.cart(ctx)
    ctx = put(trade, ("plate", "1"), ("bearing", "1"))
    with count_statements() as three:
        service.cart(ctx)
    assert len(three) <= len(one) <= 5


def test_free_stock_is_what_nobody_holds(trade: Trade) -> None:
    trade.place(("bar", "400"))
    assert only(put(trade, ("bar", "1"))).lines[0].free == D(600)
    assert stock.on_offer(buyer(trade), [trade.skus["bar"]]) == {trade.skus["bar"]: D(600)}

"""Goods come in, are counted and corrected; every figure is the sum of its moves."""

from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from core import stock
from core.db import count_statements
from core.kernel import Conflict, Context, Invalid, NotFound, uuid7
from core.stock.invariants import CHECKS

D = Decimal


def level(ctx: Context, sku: UUID) -> Decimal:
    return stock.available(ctx, [sku])[sku].on_hand


def test_a_correction_needs_a_reason_and_a_figure(ctx: Context, goods: list[UUID], main_store: UUID) -> None:
    with pytest.raises(Invalid) as refused:
        stock.adjust(ctx, stock.Incoming(goods[0], main_store, D(0)), " ")
    assert [error.path for error in refused.value.errors] == ["quantity", "reason"]


def test_a_correction_moves_the_figure_and_says_who_and_why(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    stock.adjust(ctx, stock.Incoming(goods[0], main_store, D("7.5")), "盘点多出")
    stock.adjust(ctx, stock.Incoming(goods[0], main_store, D("-2.5")), "破损")
    assert level(ctx, goods[0]) == 5
    assert [(move.qty, move.reason, move.by) for move in stock.moves(ctx, goods[0])] == [
        (D("-2.5"), "破损", "test"),
        (D("7.5"), "盘点多出", "test"),
    ]


def test_promised_goods_cannot_be_corrected_away(ctx: Context, goods: list[UUID], main_store: UUID) -> None:
    stock.receive_stock(ctx, [stock.Incoming(goods[0], main_store, D(10))])
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), goods[0], D(8))])
    with pytest.raises(Conflict) as refused:
        stock.adjust(ctx, stock.Incoming(goods[0], main_store, D(-3)), "破损")
    assert (refused.value.code, refused.value.values["free"]) == ("stock.promised", D(2))
    assert level(ctx, goods[0]) == 10


def test_a_count_sets_many_figures_at_once_and_lists_what_is_promised(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    stock.receive_stock(ctx, [stock.Incoming(sku, main_store, D(10)) for sku in goods])
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), goods[1], D(8))])
    counted = [stock.Incoming(sku, main_store, D(qty)) for sku, qty in zip(goods, (12, 5, 10), strict=True)]
    with count_statements() as seen:
        unmoved = stock.set_counted(ctx, counted, "金蝶")
    assert [(row.sku_id, row.change, row.free) for row in unmoved] == [(goods[1], D(-5), D(2))]
    assert [level(ctx, sku) for sku in goods] == [12, 10, 10]
    assert len(seen) == 3
    assert all(not ctx.session.execute(text(sql)).all() for _id, _says, sql in CHECKS)


def test_foreign_and_missing_goods_are_refused_alike(
    ctx: Context, goods: list[UUID], main_store: UUID, other_tenant: UUID
) -> None:
    with ctx.as_tenant(other_tenant, "seller") as other:
        own = stock.add_warehouse(other, "A", "北库").id
        for sku, store in ((goods[0], own), (uuid7(), own)):
            with pytest.raises(NotFound, match="product.not_found"):
                stock.receive_stock(other, [stock.Incoming(sku, store, D(1))])
    with pytest.raises(NotFound, match="warehouse.not_found"):
        stock.receive_stock(ctx, [stock.Incoming(goods[0], own, D(1))])


def test_a_warehouse_code_is_taken_once(ctx: Context, main_store: UUID) -> None:
    with pytest.raises(Conflict, match="warehouse.code_taken"):
        stock.add_warehouse(ctx, "A", "又一个")


def test_the_database_itself_refuses_to_promise_too_much_and_to_rewrite_a_move(
    ctx: Context, goods: list[UUID], main_store: UUID
) -> None:
    stock.receive_stock(ctx, [stock.Incoming(goods[0], main_store, D(10))])
    for statement in (
        update(stock.StockLevel).values(hard=D(11)),
        update(stock.StockMove).values(qty=D(1)),
    ):
        nested = ctx.session.begin_nested()
        with pytest.raises(DBAPIError):
            ctx.session.execute(statement)
        nested.rollback()


def test_levels_are_listed_by_code_and_paged(
    ctx: Context, goods: list[UUID], main_store: UUID, far_store: UUID
) -> None:
    rows = [stock.Incoming(sku, store, D(4)) for sku in goods for store in (main_store, far_store)]
    stock.receive_stock(ctx, rows)
    first, after = stock.find_levels(ctx, limit=4)
    rest, end = stock.find_levels(ctx, limit=4, after=after)
    assert [row.code for row in (*first, *rest)] == ["R12", "R12", "R14", "R14", "R16", "R16"]
    assert end is None
    assert len(stock.find_levels(ctx, q="r14")[0]) == 2
    assert stock.find_levels(ctx, q="!!")[0] == []
    assert len(stock.find_levels(ctx, warehouse_id=far_store)[0]) == 3
    stock.reserve_hard(ctx, uuid7(), [(uuid7(), goods[0], D(8))])
    assert len(stock.find_levels(ctx, state="out")[0]) == 2

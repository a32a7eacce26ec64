"""Moves of a warehouse there: kept once, never applied, and the difference explains itself by them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, select

from core.stock import Incoming, StockLevel, adjust, warehouses
from core.sync import SyncFigure, SyncMove
from core.sync.incoming import StockIn, StockMoveIn
from core.sync.stocktaking import differences, moves
from tests.sync.landing.conftest import DAY, Wired, codes

D = Decimal


def move(quantity: str, id: str = "M1", material: str = "RB12", unit: str = "t", **more: str) -> StockMoveIn:
    told = {"reason": "盘亏", "reference": "PD-1"} | more
    return StockMoveIn(id, material, told.pop("warehouse", "MAIN"), unit, D(quantity), DAY, **told)


def count(quantity: str, material: str = "RB12", warehouse: str = "MAIN") -> StockIn:
    return StockIn(f"{material}@{warehouse}", material, warehouse, "t", D(quantity))


class Store:
    """The seller's stock and what its warehouse told of it yesterday, hour by hour; corrections here are of now."""

    def __init__(self, wired: Wired) -> None:
        self.wired, self.ctx = wired, wired.trade.ctx
        self.ctx.now -= timedelta(days=1)
        self.place = warehouses(self.ctx)[0]

    def tell(self, *items: StockIn | StockMoveIn) -> list[str]:
        self.ctx.now += timedelta(hours=1)
        told = [
            replace(item, warehouse=self.place.code) if item.warehouse == "MAIN" else item for item in items
        ]
        return codes(self.wired.land("seller", *told, stock_counts=False))

    def correct(self, quantity: str) -> None:
        adjust(self.ctx, Incoming(self.wired.trade.skus["RB12"], self.place.id, D(quantity)), "盘点")

    @property
    def ours(self) -> Decimal:
        found = self.ctx.session.scalar(
            select(StockLevel.on_hand).where(StockLevel.product_id == self.wired.trade.skus["RB12"])
        )
        assert found is not None
        return found

    def differing(self) -> list[tuple[Decimal, ...]]:
        found = differences(self.ctx, self.wired.connections["seller"])
        return [(each.difference, each.moved, each.corrected, each.unexplained) for each in found]


def test_a_move_is_kept_once_and_no_stock_follows_it(wired: Wired) -> None:
    store = Store(wired)
    before = store.ours
    for _ in range(2):
        assert store.tell(move("-2.5"), move("1", "M2", reason="盘盈")) == []
    assert store.ours == before
    session = store.ctx.session
    rows = session.scalars(select(SyncMove).order_by(SyncMove.external_id)).all()
    assert [(each.external_id, each.quantity, each.reason, each.reference) for each in rows] == [
        ("M1", D("-2.5"), "盘亏", "PD-1"),
        ("M2", D(1), "盘盈", "PD-1"),
    ]
    noted = [entry for entry in session.info["audit"] if entry["action"] == "sync.moves"]
    assert [entry["detail"] for entry in noted] == [{"moves": 2}]  # the second telling is none


def test_a_move_that_says_something_else_the_second_time_is_listed(wired: Wired) -> None:
    store = Store(wired)
    assert store.tell(move("-2")) == []
    assert store.tell(move("-3")) == ["sync.move_differs"]
    assert store.tell(move("-2", reason="报损")) == []  # the word for it may change
    assert store.tell(move("5", "M2"), move("6", "M2")) == ["sync.move_differs"]
    assert sorted(store.ctx.session.scalars(select(SyncMove.quantity))) == [D(-2), D(5)]


def test_what_cannot_be_kept_is_listed(wired: Wired) -> None:
    store = Store(wired)
    assert store.tell(
        move("-1", "A", "NOTHING"),
        move("-1", "B", unit="kg"),
        move("NaN", "C"),
        move("1e15", "D"),
        move("0.0000001", "E"),
    ) == ["sync.product_unknown", "sync.unit_conflict", "sync.quantity", "sync.quantity", "sync.quantity"]
    assert store.tell(move("0", "F")) == []  # nothing moved
    assert store.ctx.session.scalar(select(func.count()).select_from(SyncMove)) == 0


def test_a_text_no_column_takes_is_kept_without_what_is_wrong_in_it(wired: Wired) -> None:
    store = Store(wired)
    assert store.tell(move("-1", "A\x00", reason="盘\x00亏" * 100)) == []
    (row,) = store.ctx.session.scalars(select(SyncMove))
    assert (row.external_id, len(row.reason), "\x00" in row.reason) == ("A", 100, False)


def test_a_difference_is_explained_by_the_moves_since_both_were_one(wired: Wired) -> None:
    store = Store(wired)
    had = store.ours
    assert store.tell(move("-9", "OLD"), count(str(had))) == []
    assert store.differing() == []
    assert store.tell(move("-2"), count(str(had - 2))) == ["sync.stock_differs"]
    assert store.differing() == [(D(-2), D(-2), D(0), D(0))]
    assert store.tell(count(str(had - 3))) == ["sync.stock_differs"]
    assert store.differing() == [(D(-3), D(-2), D(0), D(-1))]
    (shown,) = differences(store.ctx, wired.connections["seller"])
    assert (shown.agreed, [each.quantity for each in shown.moves]) == (had, [D(-2)])
    assert store.ours == had


def test_our_own_correction_is_reckoned_and_ends_the_difference(wired: Wired) -> None:
    store = Store(wired)
    had = store.ours
    store.tell(count(str(had)))
    store.tell(move("-2"), count(str(had - 2)))
    store.correct("-2")
    assert store.differing() == []
    store.tell(move("-1", "M2"), count(str(had - 3)))
    assert store.differing() == [(D(-1), D(-3), D(-2), D(0))]


def test_a_place_that_never_agreed_is_reckoned_from_its_first_figure(wired: Wired) -> None:
    store = Store(wired)
    assert store.tell(count("4", warehouse="ELSEWHERE")) == ["sync.stock_differs"]
    assert store.tell(move("1", warehouse="ELSEWHERE"), count("5", warehouse="ELSEWHERE")) == [
        "sync.stock_differs"
    ]
    assert store.differing() == [(D(5), D(1), D(0), D(4))]
    assert differences(store.ctx, wired.connections["seller"])[0].agreed is None
    assert store.ctx.session.scalar(select(func.count()).select_from(SyncFigure)) == 1


def test_moves_are_listed_newest_first_page_by_page(wired: Wired) -> None:
    store = Store(wired)
    for no in range(5):
        store.tell(move(str(no + 1), f"M{no}"))
    connection = wired.connections["seller"]
    first = moves(store.ctx, connection, limit=2)
    assert [each.quantity for each in first] == [5, 4, 3]
    assert [each.quantity for each in moves(store.ctx, connection, before=first[1].id, limit=2)] == [3, 2, 1]
    assert moves(store.ctx, wired.connections["buyer"]) == []

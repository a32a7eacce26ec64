"""Deliveries and receipts that come in: landed once, whole or not at all, what differs is listed."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from core.fulfilment import Receipt, Shipment, ShipmentLine
from core.sync.facts import marked
from core.sync.incoming import MovedLine, ReceiptIn
from core.sync.refs import remember
from tests.sync.landing.conftest import DAY, Wired, codes

D = Decimal


def line(no: int, quantity: str, unit: str = "t", material: str = "") -> MovedLine:
    return MovedLine(no, material, D(quantity), unit)


def count(wired: Wired, model: type) -> int:
    return wired.trade.ctx.session.scalar(select(func.count()).select_from(model))


def test_a_delivery_ships_what_it_says(wired: Wired) -> None:
    assert not wired.land("seller", wired.delivery(line(10, "60"), line(20, "20")))
    assert [each.shipped for each in wired.trade.lines] == [60, 20]
    shipment = wired.trade.ctx.session.scalars(select(Shipment)).one()
    assert (shipment.carrier, shipment.waybill, shipment.note) == ("中远", "WB-9", "XSCKD-D1")
    assert shipment.shipped_by == "ERP of the seller"


def test_the_same_delivery_again_ships_nothing(wired: Wired) -> None:
    for _ in range(3):
        assert not wired.land("seller", wired.delivery(line(10, "60")))
    assert wired.trade.lines[0].shipped == 60
    assert count(wired, Shipment) == 1


def test_a_delivery_that_says_something_else_the_second_time_is_listed(wired: Wired) -> None:
    wired.land("seller", wired.delivery(line(10, "60")))
    (left,) = wired.land("seller", wired.delivery(line(10, "61")))
    assert (left.code, left.said) == ("sync.delivery_differs", "10: 60 / 10: 61")
    assert wired.trade.lines[0].shipped == 60


def test_a_delivery_is_found_by_material_and_reckoned_in_the_lines_unit(wired: Wired) -> None:
    trade = wired.trade
    remember(trade.ctx, wired.connections["seller"], "product", trade.skus["RB16"], "9001", "MAT-16")
    said = wired.delivery(
        line(0, "1500", "kg", "RB12"), line(0, "2", "t", "MAT-16"), line(0, "0.5", "", "RB12")
    )
    assert not wired.land("seller", said)
    assert [each.shipped for each in trade.lines] == [2, 2]


@pytest.mark.parametrize(
    ("moved", "code"),
    [
        ((line(10, "60"), line(20, "51")), "shipment.over_limit"),
        ((line(10, "60"), line(30, "1")), "sync.line_unknown"),
        ((line(10, "60"), line(20, "1", "t", "RB12")), "sync.line_unknown"),
        ((line(10, "60"), line(0, "1")), "sync.line_unknown"),
        ((line(10, "60"), line(20, "1", "box")), "sync.unit_conflict"),
        ((line(10, "60"), line(20, "-1")), "sync.quantity"),
        ((line(10, "60"), line(20, "NaN")), "sync.quantity"),
        ((line(10, "0"),), "sync.no_lines"),
        ((line(10, "1e30", "kg"),), "sync.unusable"),
        ((line(10, "1e30"),), "shipment.over_limit"),
    ],
)
def test_a_delivery_that_cannot_land_lands_in_no_part(wired: Wired, moved: tuple, code: str) -> None:
    wired.trade.ctx.session.info["audit"] = []
    assert codes(wired.land("seller", wired.delivery(*moved))) == [code]
    assert [each.shipped for each in wired.trade.lines] == [0, 0]
    assert count(wired, Shipment) == 0
    assert wired.trade.ctx.session.info["audit"] == []


def test_one_delivery_that_cannot_land_keeps_no_other_from_landing(wired: Wired) -> None:
    left = wired.land(
        "seller",
        wired.delivery(line(10, "60"), id="D1"),
        wired.delivery(line(10, "60"), id="D2"),
        wired.delivery(line(10, "40"), id="D3"),
    )
    assert [(each.external_id, each.code) for each in left] == [("D2", "shipment.over_limit")]
    assert wired.trade.lines[0].shipped == 100


def test_an_order_nobody_knows_or_of_another_side_is_listed(wired: Wired) -> None:
    assert codes(wired.land("buyer", wired.delivery(line(10, "60")))) == ["sync.order_unknown"]
    assert codes(wired.land("seller", wired.receipt(line(10, "60")))) == ["sync.order_unknown"]


def test_a_shipment_entered_by_hand_is_known_by_its_waybill(wired: Wired) -> None:
    wired.trade.ship("60", "20")  # under WB-1
    assert not wired.land("seller", wired.delivery(line(10, "60"), line(20, "20"), tracking="WB-1"))
    assert count(wired, Shipment) == 1
    assert not wired.land("seller", wired.delivery(line(10, "5"), tracking="WB-1", id="D2"))
    assert wired.trade.lines[0].shipped == 65


def test_a_receipt_is_counted_against_what_is_under_way_the_oldest_first(wired: Wired) -> None:
    wired.trade.ship("60", "20")
    wired.trade.ship("40", "0")
    said = wired.receipt(line(10, "70"), line(20, "20"))
    for _ in range(2):
        assert not wired.land("buyer", said)
    assert [each.received for each in wired.trade.lines] == [70, 20]
    assert count(wired, Receipt) == 2


def test_more_than_is_under_way_is_listed_and_nothing_is_counted(wired: Wired) -> None:
    wired.trade.ship("60", "20")
    (left,) = wired.land("buyer", wired.receipt(line(10, "10"), line(20, "21")))
    assert (left.code, left.said) == ("sync.receipt_over", "20: 1")
    assert [each.received for each in wired.trade.lines] == [0, 0]
    assert count(wired, Receipt) == 0


def announced(wired: Wired, shipment: Shipment, *lines: MovedLine, id: str = "R1") -> ReceiptIn:
    return ReceiptIn(id, f"CGRK-{id}", marked(shipment.number, shipment.seller_id), DAY, lines)


def test_a_receipt_that_names_the_announcement_is_counted_against_that_shipment(wired: Wired) -> None:
    trade = wired.trade
    trade.ship("60", "0")
    second = trade.ship("40", "20")
    for _ in range(2):
        assert not wired.land("buyer", announced(wired, second, line(1, "38"), line(2, "20000", "kg")))
    rows = trade.ctx.session.scalars(select(ShipmentLine).where(ShipmentLine.received > 0)).all()
    assert {(row.shipment_id, row.received) for row in rows} == {(second.id, D(38)), (second.id, D(20))}
    assert count(wired, Receipt) == 1


def test_the_lines_of_an_announcement_are_numbered_by_themselves(wired: Wired) -> None:
    only_second = wired.trade.ship("0", "20")  # the order's second line is the announcement's first
    assert codes(wired.land("buyer", announced(wired, only_second, line(2, "1")))) == ["sync.line_unknown"]
    assert not wired.land("buyer", announced(wired, only_second, line(1, "20")))
    assert [each.received for each in wired.trade.lines] == [0, 20]


def test_more_than_was_announced_is_listed_though_more_is_under_way(wired: Wired) -> None:
    wired.trade.ship("60", "0")
    second = wired.trade.ship("40", "0")
    (left,) = wired.land("buyer", announced(wired, second, line(1, "41")))
    assert (left.code, left.said) == ("sync.receipt_over", "1: 1")
    assert wired.trade.lines[0].received == 0
    assert codes(wired.land("seller", announced(wired, second, line(1, "1")))) == ["sync.order_unknown"]


def test_a_receipt_that_says_something_else_the_second_time_is_listed(wired: Wired) -> None:
    wired.trade.ship("60", "20")
    wired.trade.ship("40", "0")
    assert not wired.land("buyer", wired.receipt(line(10, "70"), line(20, "20")))
    (left,) = wired.land("buyer", wired.receipt(line(10, "75"), line(20, "20")))
    assert (left.code, left.said) == ("sync.receipt_differs", "10: 70, 20: 20 / 10: 75, 20: 20")
    assert [each.received for each in wired.trade.lines] == [70, 20]


def test_an_announced_receipt_that_says_something_else_the_second_time_is_listed(wired: Wired) -> None:
    sent = wired.trade.ship("40", "20")
    assert not wired.land("buyer", announced(wired, sent, line(1, "38"), line(2, "20")))
    (left,) = wired.land("buyer", announced(wired, sent, line(1, "39"), line(2, "20")))
    assert (left.code, left.said) == ("sync.receipt_differs", "1: 38, 2: 20 / 1: 39, 2: 20")
    assert wired.trade.lines[0].received == 38

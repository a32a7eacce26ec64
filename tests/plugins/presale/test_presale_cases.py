"""The ten ways a presale ends otherwise than planned, each as a trader would tell it: goods 100,000, earnest 20,000."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from core.kernel import Invalid
from plugins.presale import service
from plugins.presale.service import timing
from plugins.presale.service.ending import Evidence
from tests.plugins.presale.fair import Fair

D = Decimal
PROOF = Evidence("flood.txt", b"The furnace stands under water.")


def trust_book(fair: Fair, kind: str) -> list[tuple[str, Decimal]]:
    """A posting of the trust book, as an auditor of the platform reads it."""
    fair.trade.session.flush()
    admin = fair.trade.session.connection()
    admin.execute(text("SELECT set_config('ts.tenant', '00000000-0000-7000-8000-0000000e5c00', true)"))
    rows = admin.execute(
        text("""
        SELECT a.code, e.amount FROM ts.ledger_entry e JOIN ts.ledger_txn t ON t.id = e.txn_id
        JOIN ts.account a ON a.id = e.account_id WHERE t.kind = :kind ORDER BY e.no"""),
        {"kind": kind},
    ).all()
    return [(row.code, row.amount) for row in rows]


def test_c1_unpaid_within_a_day_it_is_void_and_the_place_is_free(fair: Fair) -> None:
    fair.publish(max_total=D(150))
    reservation = fair.reserve()
    assert fair.taken() == 100
    fair.at(reservation.pay_by - timedelta(milliseconds=1))
    assert fair.due() == [] and not timing.void_unpaid(fair.timer(), reservation.id)
    fair.at(reservation.pay_by)
    assert fair.due() == [("unpaid", reservation.id)]
    assert timing.void_unpaid(fair.timer(), reservation.id)
    assert (reservation.state, fair.order(reservation).state) == ("void_unpaid", "cancelled")
    assert (reservation.to_buyer, reservation.to_seller) == (0, 0)
    assert fair.taken() == 0
    assert fair.books("buyer") == fair.books("seller") == {}


def test_c2_without_enough_buyers_everybody_gets_everything_back(fair: Fair) -> None:
    reservation = fair.earnest_paid(min_total=D(101))
    fair.at(fair.offer.closes_at)
    assert fair.due() == [("window", fair.offer.id)]
    assert timing.close_window(fair.timer(), fair.offer.id)
    assert (fair.offer.state, reservation.state) == ("failed", "released")
    assert (reservation.to_buyer, reservation.to_seller) == (D("20000.00"), 0)
    assert fair.escrow(reservation) == (0, 0, D("20000.00"))
    assert fair.books("buyer") == fair.books("seller") == {}


def test_c3_without_the_balance_the_earnest_money_is_the_sellers(fair: Fair) -> None:
    reservation = fair.balance_due()
    fair.at(reservation.balance_closes)
    assert timing.close_balance(fair.timer(), reservation.id)
    assert (reservation.state, fair.order(reservation).state) == ("defaulted_buyer", "cancelled")
    assert (reservation.to_buyer, reservation.to_seller) == (0, D("20000.00"))
    assert fair.escrow(reservation) == (0, D("20000.00"), 0)
    assert fair.books("seller") == {"bank": D("20000.00"), "settlement_income": D("-20000.00")}
    assert fair.books("buyer") == {"bank": D("-20000.00"), "settlement_cost": D("20000.00")}
    assert trust_book(fair, "escrow_release") == [
        (f"escrow:{reservation.order_id}", D(20000)),
        (f"payable:{reservation.seller_id}", D(-20000)),
    ]


def test_c4_the_buyer_takes_sixty_percent_with_the_sellers_consent(fair: Fair) -> None:
    reservation = fair.balance_due()
    service.ask_cut(fair.buyer(), reservation.id, D(60), "fewer orders")
    assert reservation.quantity == 100
    (plea,) = fair.pleas(fair.seller())
    service.answer(fair.seller(), plea.id, agree=True)
    order = fair.order(reservation)
    assert (order.total, order.prepaid) == (D("60000.00"), D("12000.00"))
    assert reservation.to_seller == D("8000.00")
    assert fair.escrow(reservation) == (D("12000.00"), D("8000.00"), 0)
    assert (reservation.earnest, reservation.state) == (D("12000.00"), "balance_due")
    fair.pay(reservation, "48000.00")
    assert (reservation.state, fair.order(reservation).state) == ("paid", "in_progress")


def test_c4_by_the_terms_the_buyer_may_take_less_without_asking(fair: Fair) -> None:
    reservation = fair.balance_due(buyer_may_cut=True)
    service.ask_cut(fair.buyer(), reservation.id, D(60), "fewer orders")
    assert (reservation.quantity, reservation.to_seller) == (60, D("8000.00"))
    assert fair.pleas(fair.seller()) == []


def test_c5_a_seller_who_cannot_deliver_gives_back_double(fair: Fair) -> None:
    reservation = fair.balance_due()
    service.seller_fails(fair.seller(), reservation.id, "the furnace broke")
    assert (reservation.state, fair.order(reservation).state) == ("defaulted_seller", "cancelled")
    assert (reservation.to_buyer, reservation.to_seller) == (D("40000.00"), D("-20000.00"))
    assert fair.escrow(reservation) == (0, 0, D("20000.00"))
    assert fair.books("buyer") == {"claims_receivable": D("20000.00"), "settlement_income": D("-20000.00")}
    assert fair.books("seller") == {"claims_payable": D("-20000.00"), "settlement_cost": D("20000.00")}


def test_c6_a_seller_who_delivers_sixty_percent_doubles_the_rest_of_the_earnest(fair: Fair) -> None:
    reservation = fair.balance_due()
    service.seller_cut(fair.seller(), reservation.id, D(60), "only one furnace")
    order = fair.order(reservation)
    assert (order.total, order.prepaid) == (D("60000.00"), D("12000.00"))
    assert (reservation.to_buyer, reservation.to_seller) == (D("16000.00"), D("-8000.00"))
    assert fair.escrow(reservation) == (D("12000.00"), 0, D("8000.00"))
    assert fair.books("buyer")["claims_receivable"] == D("8000.00")


def test_c6_after_everything_is_paid_the_price_of_the_rest_comes_back_too(fair: Fair) -> None:
    reservation = fair.running()
    service.seller_cut(fair.seller(), reservation.id, D(60), "only one furnace")
    order = fair.order(reservation)
    assert (order.total, order.prepaid, order.state) == (D("60000.00"), D("60000.00"), "in_progress")
    assert (reservation.to_buyer, reservation.to_seller) == (D("48000.00"), D("-8000.00"))
    assert fair.escrow(reservation) == (D("60000.00"), 0, D("40000.00"))


@pytest.mark.parametrize("force_majeure", [True, False])
def test_c7_both_agree_that_nobody_is_to_blame_with_evidence(fair: Fair, force_majeure: bool) -> None:
    reservation = fair.balance_due()
    with pytest.raises(Invalid, match=r"presale\.evidence_required"):
        service.ask_release(fair.seller(), reservation.id, "flood", None, force_majeure=force_majeure)
    plea = service.ask_release(fair.seller(), reservation.id, "flood", PROOF, force_majeure=force_majeure)
    assert plea.file_id is not None and reservation.state == "balance_due"
    service.answer(fair.buyer(), plea.id, agree=True)
    assert reservation.state == "released"
    assert (reservation.to_buyer, reservation.to_seller) == (D("20000.00"), 0)
    assert fair.escrow(reservation) == (0, 0, D("20000.00"))
    assert fair.books("buyer") == fair.books("seller") == {}


def test_c8_an_advance_comes_back_less_an_agreed_cost(fair: Fair) -> None:
    reservation = fair.balance_due(earnest_kind="prepay", cost_cap=D(10))
    assert (reservation.earnest, reservation.prepay) == (0, D("20000.00"))
    service.leave(fair.buyer(), reservation.id, "the project is off")
    (plea,) = fair.pleas(fair.seller())
    with pytest.raises(Invalid, match=r"presale\.cost_above_cap"):
        service.answer(fair.seller(), plea.id, agree=True, cost=D("2000.01"))
    service.answer(fair.seller(), plea.id, agree=True, cost=D("1500.00"))
    assert (reservation.to_buyer, reservation.to_seller) == (D("18500.00"), D("1500.00"))
    assert fair.escrow(reservation) == (0, D("1500.00"), D("18500.00"))


def test_c8_without_a_stated_cap_leaving_is_free_and_at_once(fair: Fair) -> None:
    reservation = fair.balance_due(earnest_kind="prepay")
    service.leave(fair.buyer(), reservation.id, "the project is off")
    assert (reservation.state, reservation.to_buyer, reservation.to_seller) == ("released", D("20000.00"), 0)


def test_c9_above_twenty_percent_only_the_earnest_part_is_lost(fair: Fair) -> None:
    reservation = fair.balance_due(earnest_percent=D(30))
    assert (reservation.earnest, reservation.prepay) == (D("20000.00"), D("10000.00"))
    fair.at(reservation.balance_closes)
    assert timing.close_balance(fair.timer(), reservation.id)
    assert (reservation.to_buyer, reservation.to_seller) == (D("10000.00"), D("20000.00"))
    assert fair.escrow(reservation) == (0, D("20000.00"), D("10000.00"))


def test_c10_nine_late_days_cost_the_seller_nine_twentieths_of_a_percent(fair: Fair) -> None:
    fair.publish()
    reservation = fair.reserve("420")
    fair.pay(reservation, reservation.earnest)
    fair.at(fair.offer.closes_at)
    timing.close_window(fair.timer(), fair.offer.id)
    fair.pay(reservation, "336000.00")
    assert reservation.state == "paid"
    day = fair.offer.closes_at.replace(month=4, day=24)  # nine whole days after 15 April have passed when 25 April begins
    fair.at(day + timedelta(days=1))
    assert service.claim_late(fair.buyer(), reservation.id) == D("1890.00")
    assert fair.books("buyer")["claims_receivable"] == D("1890.00")
    assert fair.books("seller")["claims_payable"] == D("-1890.00")
    fair.at(day + timedelta(days=400))
    assert service.claim_late(fair.buyer(), reservation.id) == D("19110.00")  # up to the cap of 21,000.00


def test_leaving_earnest_money_is_losing_it(fair: Fair) -> None:
    reservation = fair.balance_due()
    service.leave(fair.buyer(), reservation.id, "cheaper elsewhere")
    assert (reservation.state, reservation.to_buyer, reservation.to_seller) == ("defaulted_buyer", 0, D("20000.00"))

"""The enterprises of the demo pass the checks that real ones must pass, and their past hangs together."""

from collections import Counter
from decimal import Decimal

import pytest
from stdnum.cn import uscc

from core.demo.enterprises import (
    Enterprise,
    PastOrder,
    credit_code,
    enterprises,
    operator,
    organisation_code,
    past_orders,
)
from core.demo.goods import Catalogue, catalogue

ALL = (*enterprises(), operator())
ROLES = {
    *("admin", "it", "auditor"),
    *("buyer.clerk", "buyer.approver", "buyer.finance", "buyer.warehouse"),
    *("seller.sales", "seller.planner", "seller.warehouse", "seller.finance"),
    *("operator.admin", "operator.risk"),
}


@pytest.fixture(scope="module")
def goods() -> Catalogue:
    return catalogue()


@pytest.fixture(scope="module")
def past(goods: Catalogue) -> list[PastOrder]:
    return list(past_orders(7, goods, 400))


@pytest.mark.parametrize("enterprise", ALL, ids=lambda enterprise: enterprise.key)
def test_a_credit_code_is_valid(enterprise: Enterprise) -> None:
    assert uscc.is_valid(enterprise.uscc)
    assert enterprise.uscc[8:17] == organisation_code(enterprise.uscc[8:16])


@pytest.mark.parametrize(
    ("stem", "check"),
    [
        ("91350100M000100Y4", "3"),
        ("91310000MA1FL4XY7", "W"),
        ("91110108MA0012345", "5"),
        ("12100000400000001", "0"),
        ("91440300MA5000005", "0"),
    ],
)
def test_the_check_character_agrees_with_known_codes(stem: str, check: str) -> None:
    assert uscc.calc_check_digit(stem) == check


def test_a_credit_code_names_its_region() -> None:
    assert credit_code("310113", "MADEMA01").startswith("91310113MADEMA01")


def test_four_enterprises_trade_and_no_two_share_a_code_an_account_or_a_mail_address() -> None:
    assert len(enterprises()) == 4
    assert max(Counter(each.uscc for each in ALL).values()) == 1
    assert max(Counter(each.invoice.account for each in ALL).values()) == 1
    assert max(Counter(person.email for each in ALL for person in each.people).values()) == 1


@pytest.mark.parametrize("enterprise", ALL, ids=lambda enterprise: enterprise.key)
def test_invoice_details_bear_the_enterprises_own_name_and_code(enterprise: Enterprise) -> None:
    details = enterprise.invoice
    assert (details.title, details.tax_no) == (enterprise.name_zh, enterprise.uscc)
    assert len(details.bank_code) == 12 and details.account.isdigit()


@pytest.mark.parametrize("enterprise", ALL, ids=lambda enterprise: enterprise.key)
def test_people_have_known_roles_and_mail_that_nobody_receives(enterprise: Enterprise) -> None:
    for person in enterprise.people:
        assert set(person.roles) <= ROLES
        assert person.email.endswith(".example.com")
        assert (person.approve_limit is not None) == ("buyer.approver" in person.roles)


def test_each_buyer_has_a_clerk_and_an_approver_who_are_two_people() -> None:
    for buyer in (each for each in enterprises() if not each.families):
        assert buyer.person("buyer.clerk") != buyer.person("buyer.approver")
        assert buyer.warehouses


def test_the_sellers_together_sell_every_family_once(goods: Catalogue) -> None:
    sold = [family for each in enterprises() for family in each.families]
    assert sorted(sold) == sorted(goods.families)


def test_nobody_with_an_unknown_role_is_found() -> None:
    with pytest.raises(KeyError):
        operator().person("seller.sales")


def test_the_past_is_the_same_for_the_same_seed(goods: Catalogue, past: list[PastOrder]) -> None:
    assert list(past_orders(7, goods, 400)) == past
    assert list(past_orders(8, goods, 400)) != past


def test_past_orders_come_oldest_first_with_numbers_of_their_own(past: list[PastOrder]) -> None:
    assert len(past) == len({order.po_no for order in past}) == 400
    days = [order.days_ago for order in past]
    assert days == sorted(days, reverse=True)


def test_every_outcome_and_some_partial_shipments_occur(past: list[PastOrder]) -> None:
    outcomes = Counter(order.outcome for order in past)
    assert set(outcomes) == {"completed", "in_progress", "cancelled", "rejected"}
    assert outcomes["completed"] > 200
    assert {order.outcome for order in past if order.partial} == {"completed", "in_progress"}


def test_a_seller_sells_only_what_is_his(goods: Catalogue, past: list[PastOrder]) -> None:
    his = {
        each.key: {sku.code for name in each.families for sku in goods.family(name)} for each in enterprises()
    }
    for order in past:
        assert order.lines
        assert {line.sku for line in order.lines} <= his[order.seller]
        assert not his[order.buyer]


def test_the_past_never_claims_more_than_half_of_the_stock(goods: Catalogue, past: list[PastOrder]) -> None:
    stock = {sku.code: sku.on_hand for sku in goods.skus}
    claimed: Counter[str] = Counter()
    for order in past:
        for line in order.lines:
            claimed[line.sku] += line.quantity  # type: ignore[assignment]
    assert all(quantity * 2 <= stock[code] for code, quantity in claimed.items())


def test_shipments_carry_what_the_outcome_says(past: list[PastOrder]) -> None:
    for order in past:
        for line in order.lines:
            carried = sum(line.shipped, Decimal(0))
            assert line.quantity > 0 and carried <= line.quantity
            assert all(quantity > 0 for quantity in line.shipped)
            assert len(line.shipped) <= order.shipments
            if order.outcome == "completed":
                assert carried == line.quantity
            if order.outcome in ("cancelled", "rejected"):
                assert not line.shipped

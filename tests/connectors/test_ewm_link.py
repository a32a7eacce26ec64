"""Outbound deliveries in S/4 for the warehouse: made once, changed by deleting while nothing was picked, never twice."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests

from connectors.sap.ewm.mapping import DELIVERIES
from connectors.sap.ewm.simulator import Warehouse
from connectors.sap.ewm.system import SapEwm
from tests.connectors.sap_house import nothing_known, order_out
from tongshang.connect import (
    Access,
    Ambiguous,
    FixSettings,
    Rejected,
    RetryLater,
    SkipRecord,
    SyncError,
    Trace,
    Uncertain,
    differences,
    session,
)
from tongshang.connect import OutboundRule as Rule

D = Decimal
SOLD = {"10": ("BRG-6204", "120", "PC"), "20": ("RB-HRB400E-16", "2", "TO")}


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with Warehouse() as made:
        yield made


def access(warehouse: Warehouse, **changes: str) -> Access:
    told = {each.key: each.default for each in SapEwm.settings if each.default}
    told |= {**SapEwm().demo_values(), **changes}
    kinds = {each.key: each.kind for each in SapEwm.settings}
    secrets = {key: value for key, value in told.items() if kinds[key] == "secret"}
    return Access(warehouse.url, "1710", {k: v for k, v in told.items() if k not in secrets}, secrets)


def http_to(warehouse: Warehouse):
    return session([Rule.parse(f"127.0.0.1:{warehouse.port}")])


@pytest.fixture
def link(warehouse):
    made = SapEwm().open(access(warehouse), http_to(warehouse))
    made.trace, made.before_write = Trace(), lambda: None
    yield made
    made.close()


def sent(link, order=None):
    bill = link.bill(order or order_out(), nothing_known)
    return bill, link.send(bill, link.find(bill.reference))


def test_a_delivery_is_made_with_reference_to_the_sales_order(warehouse, link):
    number = warehouse.world.sell("TS-1", SOLD)
    assert link.find("TS-1") is None
    bill, found = sent(link)
    assert not differences(bill, found) and found.finished and not found.cancelled
    (delivery,) = warehouse.world.deliveries.values()
    assert delivery.items == {"10": (number, "10", D(120)), "20": (number, "20", D(2))}
    assert sent(link)[1] == found and len(warehouse.world.deliveries) == 1


def test_an_order_that_is_not_in_s4_yet_waits_for_it(warehouse, link):
    with pytest.raises(RetryLater) as waits:
        link.bill(order_out(), nothing_known)
    assert waits.value.code == "ewm.order_missing"
    warehouse.world.rejected.add(warehouse.world.sell("TS-1", SOLD))
    with pytest.raises(RetryLater):
        link.bill(order_out(), nothing_known)


@pytest.mark.parametrize(
    ("sold", "code"),
    [
        ({"10": ("BRG-6204", "120", "PC")}, "ewm.order_differs"),
        ({**SOLD, "20": ("RB-HRB400E-18", "2", "TO")}, "ewm.order_differs"),
        ({**SOLD, "20": ("RB-HRB400E-16", "2", "KG")}, "ewm.order_differs"),
    ],
)
def test_an_order_that_is_another_one_there_is_refused(warehouse, link, sold, code):
    warehouse.world.sell("TS-1", sold)
    with pytest.raises(Rejected) as refused:
        link.bill(order_out(), nothing_known)
    assert refused.value.code == code


def test_a_unit_without_a_word_is_refused_and_two_orders_are_ambiguous(warehouse, link):
    warehouse.world.sell("TS-1", SOLD)
    with pytest.raises(Rejected) as refused:
        link.bill(order_out("TS-1", (1, "BRG-6204", "pallet", "1", "1.00")), nothing_known)
    assert refused.value.code == "ewm.unit_missing"
    warehouse.world.sell("TS-1", SOLD)
    with pytest.raises(Uncertain) as twice:
        link.find("TS-1")
    assert twice.value.code == "ewm.reference_twice"


def test_more_than_is_open_is_refused_by_s4(warehouse, link):
    warehouse.world.sell("TS-1", {**SOLD, "10": ("BRG-6204", "100", "PC")})
    with pytest.raises(Rejected) as refused:
        sent(link)
    assert refused.value.code == "sap.refused" and "VL/367" in refused.value.message
    assert warehouse.world.deliveries == {}


def test_a_delivery_that_s4_splits_is_one_document_of_ours(warehouse, link):
    warehouse.world.split = True
    warehouse.world.sell("TS-1", SOLD)
    bill, found = sent(link)
    assert found.number == "80000001,80000002" and not differences(bill, found)
    assert link.cancel(found).cancelled and warehouse.world.deliveries == {}


def test_a_change_deletes_and_makes_anew_until_picking_has_begun(warehouse, link):
    number = warehouse.world.sell("TS-1", SOLD)
    _, first = sent(link)
    less = order_out("TS-1", (1, "BRG-6204", "pcs", "100", "1.00"), (2, "RB-HRB400E-16", "t", "2", "1.00"))
    bill, second = sent(link, less)
    assert second.number != first.number and not differences(bill, second)
    (delivery,) = warehouse.world.deliveries.values()
    assert delivery.items["10"] == (number, "10", D(100))
    warehouse.world.pick(second.number)
    with pytest.raises(Rejected) as begun:
        sent(link)
    assert begun.value.code == "ewm.begun" and set(warehouse.world.deliveries) == {second.number}


def test_a_cancellation_deletes_what_was_not_begun(warehouse, link):
    order = warehouse.world.sell("TS-1", SOLD)
    _, found = sent(link)
    warehouse.world.rejected.add(order)  # S/4 may reject the order first: its delivery is found all the same
    held = link.find("TS-1")
    assert held == found and link.cancel(held).cancelled
    assert link.find("TS-1") is None and warehouse.world.deliveries == {}


def test_a_delivery_that_is_gone_meanwhile_is_as_good_as_deleted(warehouse, link):
    warehouse.world.sell("TS-1", SOLD)
    _, found = sent(link)
    warehouse.world.delete(found.number)  # behind the look-up
    assert link.cancel(found).cancelled


@pytest.mark.parametrize("page", [b"", b"<html><form>Sign in</form></html>"])
def test_a_page_is_no_yes_to_a_deletion(warehouse, link, page):
    warehouse.world.sell("TS-1", SOLD)
    _, found = sent(link)
    real = link.client.http.request

    def paged(method, *args, **told):
        if method != "DELETE":
            return real(method, *args, **told)
        answer = requests.Response()
        answer.status_code, answer._content = 200, page
        return answer

    link.client.http.request = paged
    with pytest.raises(Uncertain):
        link.cancel(found)
    assert found.number in warehouse.world.deliveries


def test_a_deletion_names_the_etag_or_is_refused(warehouse, link):
    warehouse.world.sell("TS-1", SOLD)
    _, found = sent(link)
    for etag, code in (("", "sap.refused"), ('W/"of yesterday"', "sap.changed_meanwhile")):
        with pytest.raises(SyncError) as refused:
            link.client.delete(DELIVERIES, link.path(found.number), etag)
        assert refused.value.code == code  # 428 and 412
    assert found.number in warehouse.world.deliveries


def test_a_second_sales_order_that_comes_behind_the_write_is_for_a_person(warehouse, link):
    warehouse.world.sell("TS-1", SOLD)
    bill = link.bill(order_out(), nothing_known)
    warehouse.world.sell("TS-1", SOLD)
    with pytest.raises(Ambiguous):
        link.send(bill, None)


def test_what_the_warehouse_refuses_to_delete_stays(warehouse, link):
    warehouse.world.sell("TS-1", SOLD)
    _, found = sent(link)
    warehouse.world.pick(found.number)  # behind the look-up
    with pytest.raises(Rejected) as refused:
        link.cancel(found)
    assert "VL/606" in refused.value.message and found.number in warehouse.world.deliveries


@pytest.mark.parametrize("mode", ["csrf_expired", "session_lost"])
def test_a_lost_session_is_renewed_once_and_nothing_is_made_twice(warehouse, link, mode):
    warehouse.world.sell("TS-1", SOLD)
    bill = link.bill(order_out(), nothing_known)
    link.client.csrf(DELIVERIES)
    warehouse.faults.set([{"match": "create", "mode": mode, "times": 1}])
    assert not differences(bill, link.send(bill, None))
    assert len(warehouse.world.deliveries) == 1


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ({"mode": "locked"}, RetryLater, 0),
        ({"mode": "too_many_requests"}, RetryLater, 0),
        ({"mode": "status_500_after"}, Uncertain, 1),
        ({"mode": "drop_after"}, Uncertain, 1),
        ({"mode": "cut_body"}, Uncertain, 1),
        ({"mode": "html_200"}, Uncertain, None),
    ],
)
def test_each_trouble_with_a_write_asks_for_its_remedy(warehouse, link, fault, error, made):
    warehouse.world.sell("TS-1", SOLD)
    bill = link.bill(order_out(), nothing_known)
    warehouse.faults.set([{"match": "create", "times": 1, **fault}])
    with pytest.raises(error):
        link.send(bill, None)
    assert made is None or len(warehouse.world.deliveries) == made
    assert not differences(bill, link.send(bill, link.find("TS-1")))
    assert len(warehouse.world.deliveries) == 1


# -- in


def pulled(link, key, cursor=None, position=None):
    stream = link.stream(key)
    pages = list(stream.pull(cursor, position))
    return [stream.to_core(row) for page in pages for row in page.rows], pages


def test_stock_is_added_up_over_bins_and_pages_and_only_what_is_free(warehouse, link):
    warehouse.page = 1
    warehouse.world.put("BRG-6204", "20.5", bin="02-01")
    warehouse.world.put("BRG-6204", "7", type="B6")
    warehouse.world.put("BRG-6204", "9", warehouse="1720")
    warehouse.world.put("BRG-6205", "1")
    found, pages = pulled(link, "stock")
    assert [(each.material, each.quantity, each.unit, each.warehouse) for each in found] == [
        ("BRG-6204", D("500.5"), "pcs", "1710"),
        ("BRG-6205", D(1), "pcs", "1710"),
        ("RB-HRB400E-16", D("62.5"), "t", "1710"),
    ]
    assert [each.material for each in pulled(link, "stock", position=pages[0].position)[0]] == [
        "BRG-6205",
        "RB-HRB400E-16",
    ]


def test_stock_of_one_party_and_of_other_types(warehouse):
    warehouse.world.put("BRG-6204", "5", type="F1", party="BP9")
    with http_to(warehouse) as http:
        made = SapEwm().open(access(warehouse, stock_types="F1,F2", party="BP9"), http)
        assert [each.quantity for each in pulled(made, "stock")[0]] == [5]


def test_a_quantity_no_column_holds_is_left_out(warehouse, link):
    warehouse.world.put("X", "0.0000001")
    stream = link.stream("stock")
    rows = [row for page in stream.pull(None, None) for row in page.rows]
    with pytest.raises(SkipRecord) as left:
        stream.to_core(rows[-1])
    assert left.value.code == "ewm.quantity"


def test_a_goods_issue_becomes_a_delivery_once_all_of_the_order_has_left(warehouse, link):
    warehouse.world.sell("TS-1", SOLD)
    warehouse.world.sell("", SOLD)  # not of the platform
    _, found = sent(link)
    assert pulled(link, "deliveries")[0] == []
    warehouse.world.issue(found.number, ("10",))
    assert pulled(link, "deliveries")[0] == []
    at = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # the next day in China
    warehouse.world.issue(found.number, at=at)
    (told,), pages = pulled(link, "deliveries")
    assert (told.reference, told.number, str(told.day), told.carrier) == (
        "TS-1",
        f"O{found.number}",
        "2026-11-23",
        "SF",
    )
    assert [(line.line, line.material, line.quantity, line.unit) for line in told.lines] == [
        (1, "BRG-6204", D(120), "pcs"),
        (2, "RB-HRB400E-16", D(2), "t"),
    ]
    again, _ = pulled(link, "deliveries", cursor=pages[-1].cursor)
    assert again == [told]
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert pulled(link, "deliveries", cursor=later)[0] == []


def test_goods_issues_come_page_after_page(warehouse, link):
    for no in range(5):
        warehouse.world.sell(f"TS-{no}", SOLD)
        _, found = sent(link, order_out(f"TS-{no}"))
        warehouse.world.issue(found.number)
    stream = link.stream("deliveries")
    stream.size = 2
    pages = list(stream.pull(None, None))
    assert [len(page.rows) for page in pages] == [2, 2, 1]
    rest = list(stream.pull(None, pages[0].position))
    assert [row["reference"] for page in rest for row in page.rows] == ["TS-2", "TS-3", "TS-4"]


# -- check and harm


def test_the_check_goes_step_by_step_to_the_first_product(warehouse):
    with http_to(warehouse) as http:
        steps = list(SapEwm().check(access(warehouse), http))
    assert all(step.ok for step in steps)
    assert [step.name for step in steps][-4:] == ["login", "service", "organisation", "read"]
    assert steps[-1].said == "BRG-6204"


def test_goods_issues_are_read_here_only_where_somebody_said_so(warehouse):
    elsewhere = access(warehouse, issues="s4")
    with http_to(warehouse) as http:
        *_, last = SapEwm().check(elsewhere, http)
        assert last.ok and last.without == ("deliveries",) and "ewm.read_elsewhere" in last.said
        *_, last = SapEwm().check(access(warehouse), http)
        assert last.without == ()
        made = SapEwm().open(elsewhere, http)
        with pytest.raises(FixSettings, match="ewm.read_elsewhere"):
            pulled(made, "deliveries")
        assert pulled(made, "stock")[0]


def test_the_check_names_what_is_wrong(warehouse):
    with http_to(warehouse) as http:
        *_, wrong = SapEwm().check(access(warehouse, password="no"), http)
        assert not wrong.ok and wrong.name == "login" and "sap.login_refused" in wrong.said
        *_, wrong = SapEwm().check(Access(warehouse.url, "", *_parts(warehouse)), http)
        assert not wrong.ok and "ewm.warehouse_missing" in wrong.said
    with pytest.raises(FixSettings):
        SapEwm().open(access(warehouse, user=""), http_to(warehouse))


def _parts(warehouse):
    told = access(warehouse)
    return told.settings, told.secrets


def test_wounded_answers_break_nothing_and_are_never_a_silent_yes(warehouse, link):
    warehouse.world.sell("TS-1", SOLD)
    bill, found = sent(link)
    warehouse.world.issue(found.number)
    dice, real = random.Random(5), link.client.http.request
    good = pulled(link, "stock")[0], pulled(link, "deliveries")[0]

    def wounded(*args, **told):
        response = real(*args, **told)
        body = bytearray(response.content)
        for _ in range(dice.randint(1, 3)):
            if body:
                body[dice.randrange(len(body))] = dice.randrange(256)
        response._content = bytes(body)
        return response

    link.client.http.request = wounded
    for _ in range(150):
        for look in (
            lambda: pulled(link, "stock"),
            lambda: pulled(link, "deliveries"),
            lambda: link.find("TS-1"),
        ):
            try:
                look()
            except (SyncError, SkipRecord):
                continue
    link.client.http.request = real
    assert (pulled(link, "stock")[0], pulled(link, "deliveries")[0]) == good

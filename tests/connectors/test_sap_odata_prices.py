"""Prices from condition records: with tax, per unit, from a quantity on, for everybody or for one customer."""

from datetime import date
from decimal import Decimal

import pytest

from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import SiteMapping
from tests.connectors import sap_house
from tests.connectors.sap_house import CUSTOMER, access_to
from tests.connectors.test_sap_odata_streams import all_of
from tongshang.connect import FixSettings

gateway, client_of, link = sap_house.gateway, sap_house.client_of, sap_house.link


def by_record(made):
    return {each.external_id.partition("/")[0]: each for each in made}


def test_prices_come_with_tax_per_unit_and_for_whom(gateway, link):
    gateway.load({"prices": [{"record": "0000000103", "material": "BRG-6204", "rate": "2800", "per": 100}]})
    made, left, last = all_of(link.stream("prices"))
    told = by_record(made)
    assert not left and len(told) == 3 and last.cursor is None
    assert told["0000000101"].price == Decimal("36.499") and told["0000000101"].partner == ""
    assert told["0000000101"].unit == "pcs" and told["0000000101"].currency == "CNY"
    assert told["0000000101"].from_day == date(2026, 1, 1) and told["0000000101"].to_day == date(9999, 12, 31)
    assert told["0000000102"].partner == CUSTOMER and told["0000000102"].price == Decimal("35.03")
    assert told["0000000103"].price == Decimal("31.64")


def test_prices_that_include_tax_stay_as_they_are(gateway, client_of):
    link = SapLink(client_of(), SiteMapping(access_to(gateway, price_record_vat="0")))
    made, _, _ = all_of(link.stream("prices"))
    assert by_record(made)["0000000101"].price == Decimal("32.3")


@pytest.mark.parametrize("told", ["", "much"])
def test_without_knowing_the_tax_no_price_is_read(gateway, client_of, told):
    link = SapLink(client_of(), SiteMapping(access_to(gateway, price_record_vat=told)))
    with pytest.raises(FixSettings, match="sap.price_vat_missing"):
        all_of(link.stream("prices"))


def test_a_scale_is_a_price_for_each_of_its_lines_even_where_expanding_gives_none(gateway, link, monkeypatch):
    scale = [(1, "30"), (100, "28.50"), (1000, "27")]
    gateway.load(
        {
            "prices": [
                {
                    "record": "0000000104",
                    "material": "RB-HRB400E-16",
                    "unit": "TO",
                    "rate": "30",
                    "scale": scale,
                }
            ]
        }
    )
    made, left, _ = all_of(link.stream("prices"))
    bands = [(each.from_quantity, each.price) for each in made if each.material == "RB-HRB400E-16"]
    assert bands == [(1, Decimal("33.9")), (100, Decimal("32.205")), (1000, Decimal("30.51"))] and not left
    below = gateway.books.below
    monkeypatch.setattr(
        gateway.books,
        "below",
        lambda name, row, way: [] if way == "to_SlsPrcgCndnRecordScale" else below(name, row, way),
    )
    again, _, _ = all_of(link.stream("prices"))
    assert again == made and gateway.calls["read A_SlsPrcgCndnRecordScale"] == 1


def test_what_is_no_price_of_a_product_is_listed_or_left_out(gateway, link):
    base = {"material": "BRG-6204", "rate": "1"}
    rows = [
        {**base, "record": "0000000201", "group": "01"},
        {**base, "record": "0000000202", "kind": "A"},
        {**base, "record": "0000000203", "currency": "JPY"},
        {**base, "record": "0000000204", "rate": "0"},
        {**base, "record": "0000000205", "scale": [(10, "1")], "scale_type": "B"},
        {**base, "record": "0000000206", "deleted": True},
        {**base, "record": "0000000207", "organisation": "1020"},
        {**base, "record": "0000000208", "type": "ZDIS"},
        {**base, "record": "0000000209", "table": "306"},
        {**base, "record": "0000000210", "unit": "KAR"},
    ]
    gateway.load({"prices": rows})
    made, left, _ = all_of(link.stream("prices"))
    assert len(made) == 2
    assert sorted(left) == sorted(
        [
            "sap.price_key",
            "sap.price_kind",
            "sap.currency_missing",
            "sap.price_zero",
            "sap.price_scale",
            "sap.unit_missing",
        ]
    )


@pytest.mark.parametrize("server_page", [None, 1])
def test_pages_go_on_behind_the_last_record(gateway, link, server_page):
    gateway.page = server_page
    rows = [{"record": f"{no:010}", "material": "BRG-6204", "rate": "1"} for no in range(300, 307)]
    gateway.load({"prices": rows})
    stream = link.stream("prices")
    stream.size = 3
    made, _, last = all_of(stream)
    assert len(made) == 9 and last.position == "0000000306"
    rest, _, _ = all_of(stream, position="0000000304")
    assert [each.external_id[:10] for each in rest] == ["0000000305", "0000000306"]


def test_a_run_tells_how_many_rows_there_are(gateway, link):
    stream = link.stream("products")
    stream.size = 1
    assert [page.total for page in stream.pull(None, None)] == [2, 2]
    assert [page.total for page in stream.pull(None, "BRG-6204")] == [None]
    assert {page.total for page in link.stream("partners").pull(None, None)} == {
        len(gateway.books.rows("A_BusinessPartner"))
    }

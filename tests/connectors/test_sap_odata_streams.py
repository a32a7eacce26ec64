"""What flows in from SAP: page by page, from a little before the newest change, in the platform's own words."""

import json
from datetime import date
from decimal import Decimal

import pytest

from connectors.sap.odata import streams as sap_streams
from connectors.sap.odata.link import SapLink
from connectors.sap.odata.mapping import SiteMapping
from core.catalog import Product
from core.stock import StockLevel
from core.sync import SyncIssue, SyncRun, check_connection, sync_now
from tests.connectors import sap_house
from tests.connectors.sap_house import access_to, nothing_known, order_out
from tongshang.connect import FixSettings, MovedLine, RetryLater, SkipRecord

gateway, client_of, link, house = (
    sap_house.gateway,
    sap_house.client_of,
    sap_house.link,
    sap_house.house,
)


def small(link, key, size=3):
    stream = link.stream(key)
    stream.size = size
    return stream


def all_of(stream, cursor=None, position=None):
    """Every row in the platform's words, rows left out by their code, and the last page."""
    made, left, last = [], [], None
    for last in stream.pull(cursor, position):
        for row in last.rows:
            try:
                made.append(stream.to_core(row))
            except SkipRecord as skipped:
                left.append(skipped.code)
    return made, left, last


def many(gateway, count=10, **more):
    rows = [{"number": f"M{n:03}", "zh": f"螺栓 {n}", "unit": "PC", **more} for n in range(count)]
    gateway.load({"materials": rows})


# -- products


@pytest.mark.parametrize("server_page", [None, 1, 2])
def test_products_come_page_by_page_however_the_server_cuts(gateway, link, server_page):
    many(gateway)
    gateway.page = server_page
    made, left, last = all_of(small(link, "products"))
    assert len(made) == 12 and len({each.code for each in made}) == 12 and not left
    assert json.loads(last.position) == ["RB-HRB400E-16", last.cursor]


def test_a_stopped_run_goes_on_behind_its_position(gateway, link):
    many(gateway)
    pages = small(link, "products").pull(None, None)
    first = next(pages)
    rest, _, _ = all_of(small(link, "products"), None, first.position)
    assert len(first.rows) + len(rest) == 12


def test_only_changes_come_again_with_an_overlap(gateway, link):
    many(gateway, changed="2026-10-01T08:00:00+08:00")
    _, _, last = all_of(small(link, "products"))
    gateway.load({"materials": [{"number": "M003", "zh": "新", "changed": "2026-11-22T10:00:00+00:00"}]})
    gateway.load({"materials": [{"number": "M004", "zh": "近", "changed": "2026-11-22T09:56:00+00:00"}]})
    for code, created in (("BRG-6204", date(2026, 11, 1)), ("RB-HRB400E-16", date(2026, 11, 22))):
        row = gateway.books.tables["A_Product"][(code,)]
        row |= {"LastChangeDateTime": None, "CreationDate": created}
    made, _, again = all_of(small(link, "products"), "2026-11-22T10:00:00Z")
    assert [each.code for each in made] == ["M003", "M004", "RB-HRB400E-16"]
    assert again.cursor == "2026-11-22T10:00:00Z" and last.cursor


def test_names_in_the_language_of_the_settings_and_then_any(gateway, client_of):
    both = {"number": "A1", "zh": "轴承", "en": "Bearing", "size": "20×47×14", "group": "L9"}
    gateway.load({"materials": [both, {"number": "A2", "en": "Only English"}, {"number": "A3"}]})
    gateway.load({"materials": [{"number": "A4", "zh": "删", "deleted": True}]})
    for language, names in (
        ("ZH", ["轴承", "Only English", "A3"]),
        ("EN", ["Bearing", "Only English", "A3"]),
    ):
        link = SapLink(client_of(), SiteMapping(access_to(gateway, language=language)))
        found = {each.code: each for each in all_of(small(link, "products"))[0]}
        assert [found[code].name for code in ("A1", "A2", "A3")] == names
    assert (found["A1"].specification, found["A1"].group, found["A1"].unit) == ("20×47×14", "L9", "pcs")
    assert not found["A4"].active and found["A3"].active


def test_a_unit_without_counterpart_leaves_out_one_product(gateway, link):
    gateway.load({"materials": [{"number": "X1", "unit": "XYZ"}]})
    made, left, _ = all_of(small(link, "products"))
    assert len(made) == 2 and left == ["sap.unit_missing"]


def test_a_server_that_ignores_the_filter_does_not_lead_in_circles(gateway, link, monkeypatch):
    many(gateway)
    monkeypatch.setattr(
        "connectors.sap.odata.simulator.query.condition_of", lambda text, of: lambda row: True
    )
    monkeypatch.setattr("connectors.sap.odata.simulator.reading.Reader._by_key", lambda self, of: False)
    with pytest.raises(RetryLater, match="sap.page"):
        all_of(small(link, "products"))


# -- partners


def test_partners_with_their_tax_numbers(gateway, link):
    gateway.load(
        {
            "customers": [
                {"number": "300", "name": "供应商", "tax_code": "91330100MA2XXXX00A", "supplier": True},
                {"number": "301", "name": "长", "tax_code": "91330100MA2XXXX00B", "long": True},
                {"number": "302", "name": "停", "blocked": True},
            ]
        }
    )
    found = {each.number: each for each in all_of(small(link, "partners"))[0]}
    assert found["300"].code == "91330100MA2XXXX00A" and found["301"].code == "91330100MA2XXXX00B"
    assert found["302"].code == "" and not found["302"].active
    assert found[sap_house.CUSTOMER].name == "锡安达机电"


def test_the_whole_last_day_of_partners_is_read_again(gateway, link):
    gateway.load(
        {
            "customers": [
                {"number": "401", "name": "旧", "changed": "2026-11-01"},
                {"number": "402", "name": "同日", "changed": "2026-11-20"},
                {"number": "403", "name": "新建", "created": "2026-11-21"},
            ]
        }
    )
    _, _, last = all_of(small(link, "partners", 9))
    assert last.cursor == "2026-11-21T00:00:00"
    made, _, _ = all_of(small(link, "partners"), "2026-11-20T11:30:00")
    assert [each.number for each in made] == ["402", "403"]


# -- stock


def test_stock_is_our_own_free_stock_of_the_plants_in_six_places(gateway, client_of):
    rows = [
        {"quantity": "1.12345678901234", "place": "101B"},
        {"quantity": "7", "place": "101A", "batch": "B1"},
        {"quantity": "1000", "kind": "02"},
        {"quantity": "2000", "special": "K"},
        {"quantity": "5", "plant": "1020"},
        {"quantity": "9", "plant": "1030"},
    ]
    gateway.load({"stock": [{"material": "BRG-6204", **row} for row in rows]})
    link = SapLink(client_of(), SiteMapping(access_to(gateway, plants="1010, 1020")))
    made, left, _ = all_of(small(link, "stock", 2))
    found = {(each.material, each.warehouse): each.quantity for each in made}
    assert found == {
        ("BRG-6204", "1010"): Decimal("488.123457"),
        ("RB-HRB400E-16", "1010"): Decimal("62.500000"),
        ("BRG-6204", "1020"): Decimal("5.000000"),
    }
    assert not left


def test_stock_goes_on_in_the_plant_and_behind_the_material_where_it_stopped(gateway, client_of):
    many(gateway, 5)
    gateway.load(
        {"stock": [{"material": f"M{n:03}", "quantity": "1", "plant": p} for n in range(5) for p in "AB"]}
    )
    link = SapLink(client_of(), SiteMapping(access_to(gateway, plants="A B")))
    pages = list(small(link, "stock").pull(None, None))
    whole = [(row["Plant"], row["Material"]) for page in pages for row in page.rows]
    assert len(whole) == len(set(whole)) == 10
    for at, page in enumerate(pages):
        rest = [row for later in small(link, "stock").pull(None, page.position) for row in later.rows]
        assert len(rest) == 10 - sum(len(one.rows) for one in pages[: at + 1])


@pytest.mark.parametrize("server_page", [1, 2, 3])
def test_a_material_that_fills_more_than_a_page_is_added_up_whole(gateway, link, server_page):
    gateway.load({"stock": [{"material": "BRG-6204", "quantity": "1", "batch": f"B{n}"} for n in range(7)]})
    gateway.page = server_page
    made, _, _ = all_of(small(link, "stock", 20))
    assert {each.material: each.quantity for each in made}["BRG-6204"] == 487


def test_without_plants_there_is_nothing_to_read(gateway, client_of):
    link = SapLink(client_of(), SiteMapping(access_to(gateway, plants="")))
    with pytest.raises(FixSettings, match="sap.plants_missing"):
        list(link.stream("stock").pull(None, None))


# -- deliveries and invoices


def ordered(link, reference, *lines):
    bill = link.bill(order_out(reference, *lines), nothing_known)
    return link.send(bill, None).number


def test_deliveries_name_our_order_and_its_lines(gateway, link):
    first, second = ordered(link, "TS-1"), ordered(link, "TS-2")
    third = ordered(link, "TS-3")
    gateway.admin_act("deliver", {"order": first, "tracking": "SF123", "day": "2026-11-20"})
    gateway.admin_act("deliver", {"order": second, "quantity": "1", "day": "2026-11-21"})
    gateway.admin_act("deliver", {"order": third, "status": "A"})
    gateway.books.tables["A_SalesOrder"][(second,)]["PurchaseOrderByCustomer"] = ""
    made, left, last = all_of(small(link, "deliveries"))
    (found,) = made
    assert (found.reference, found.tracking, found.day) == ("TS-1", "SF123", date(2026, 11, 20))
    assert found.lines == (
        MovedLine(1, "BRG-6204", Decimal(120), "pcs"),
        MovedLine(2, "RB-HRB400E-16", Decimal(2), "t"),
    )
    assert not left and last.cursor


def test_a_delivery_for_two_orders_is_two_records(gateway, link):
    first, second = ordered(link, "TS-1"), ordered(link, "TS-2")
    number = gateway.admin_act("deliver", {"order": first})["delivery"]
    items = gateway.books.groups["A_OutbDeliveryItem"][number]
    next(iter(items.values()))["ReferenceSDDocument"] = second
    made, _, _ = all_of(small(link, "deliveries"))
    assert {(each.reference, each.number) for each in made} == {("TS-1", number), ("TS-2", number)}
    assert len({each.external_id for each in made}) == 2


def test_a_replaced_line_still_tells_its_number(gateway, link):
    number = ordered(link, "TS-1", (1, "BRG-6204", "pcs", "5", "182.50"))
    changed = link.bill(order_out("TS-1", (1, "RB-HRB400E-16", "t", "1", "3968.00")), nothing_known)
    link.send(changed, link.find("TS-1"))
    gateway.admin_act("deliver", {"order": number})
    (found,) = all_of(small(link, "deliveries"))[0]
    assert found.lines == (MovedLine(1, "RB-HRB400E-16", Decimal(1), "t"),)


def test_deliveries_are_read_again_from_the_last_day(gateway, link):
    for day, reference in (("2026-11-19", "TS-1"), ("2026-11-20", "TS-2"), ("2026-11-21", "TS-3")):
        gateway.admin_act("deliver", {"order": ordered(link, reference), "day": day})
    made, _, last = all_of(small(link, "deliveries", 2), "2026-11-20T00:00:00")
    assert [each.reference for each in made] == ["TS-2", "TS-3"]
    assert last.cursor == "2026-11-21T00:00:00"


def test_invoices_of_ours_with_tax(gateway, link):
    number = ordered(link, "TS-1")
    invoice = gateway.admin_act("invoice", {"order": number, "day": "2026-11-22"})["invoice"]
    gateway.admin_act("invoice", {"order": number, "cancelled": True})
    gateway.admin_act("invoice", {"order": number, "category": "O"})
    gateway.admin_act("invoice", {"order": number, "cancels": invoice, "category": "N"})
    made, left, _ = all_of(small(link, "invoices"))
    (found,) = made
    assert (found.number, found.reference, found.day) == (invoice, "TS-1", date(2026, 11, 22))
    assert (found.total, found.currency) == (link.find("TS-1").total, "CNY")
    assert left == ["sap.invoice_cancelled"]


def test_a_field_of_the_wrong_kind_leaves_out_one_row(link):
    row = {"BillingDocument": "9", "PurchaseOrderByCustomer": "T", "TransactionCurrency": "CNY"}
    row |= {"BillingDocumentDate": "/Date(1763769600000)/", "TotalGrossAmount": "many"}
    with pytest.raises(SkipRecord, match="sap.unreadable"):
        link.stream("invoices").to_core(row)


# -- through the platform


def run(house, key):
    with house.app.system(house.seller, "test") as ctx:
        if key == "check":
            check_connection(ctx, house.connection_id)
        else:
            sync_now(ctx, house.connection_id, key)
    ended, puller = [], house.puller()
    while claimed := puller.claim():
        ended.append((claimed.key, puller.run(claimed)))
    return dict(ended)


def rows(house, model):
    with house.app.system(house.seller, "test") as ctx:
        return ctx.session.query(model).all()


def test_products_and_stock_land_in_the_platform(house, monkeypatch):
    monkeypatch.setattr(sap_streams.Keyed.__init__, "__defaults__", (3,))
    many(house.gateway, 7)
    run(house, "check")
    house.gateway.faults.set([{"mode": "drop_after", "match": {"kind": "A_Product"}, "times": 1}])
    assert run(house, "products")["products"] == "failed"
    assert run(house, "products")["products"] == "done"
    assert len(rows(house, Product)) == 9
    assert run(house, "stock")["stock"] == "done"
    assert sorted(level.on_hand for level in rows(house, StockLevel)) == [Decimal("62.5"), Decimal(480)]
    assert not rows(house, SyncIssue)
    assert {one.stream for one in rows(house, SyncRun)} >= {"products", "stock"}


def test_the_check_goes_from_the_address_to_the_first_product(house):
    assert run(house, "check")["check"] == "done"
    (checked,) = house.sql("SELECT checked FROM ts.erp_connection")[0]
    assert [step["name"] for step in checked["steps"]][-4:] == ["login", "service", "organisation", "read"]
    assert checked["steps"][-1]["said"] == "BRG-6204"


@pytest.mark.parametrize(
    ("values", "step", "said"),
    [
        ({"password": "wrong"}, "login", "sap.login_refused"),
        ({"user": ""}, "login", "sap.credentials_missing"),
        ({"sap_client": "200"}, "login", "sap.no_permission"),
        ({"rejection_reason": ""}, "organisation", "sap.rejection_reason_missing"),
    ],
)
def test_a_check_names_the_step_that_fails(gateway, client_of, values, step, said):
    from connectors.sap.odata.system import SapOData

    steps = list(SapOData().check(access_to(gateway, **values), client_of().http))
    assert (steps[-1].name, steps[-1].ok) == (step, False)
    assert steps[-1].said.startswith(said)


def test_a_check_tells_which_streams_the_site_cannot_feed(gateway, client_of, monkeypatch):
    from connectors.sap.odata.simulator import gateway as of_gateway
    from connectors.sap.odata.system import SapOData

    active = {name: one for name, one in of_gateway.SERVICES.items() if name != "API_BILLING_DOCUMENT_SRV"}
    monkeypatch.setattr(of_gateway, "SERVICES", active)
    steps = list(SapOData().check(access_to(gateway), client_of().http))
    assert all(step.ok for step in steps)
    assert steps[-1].said == "BRG-6204; cannot be read: invoices (sap.service_missing)"


def load(gateway, client_of, count):
    """`count` materials through the stream; rows that came."""
    gateway.load({"materials": [{"number": f"N{n:06}", "zh": f"螺栓 {n}"} for n in range(count)]})
    link = SapLink(client_of(timeout=(5, 30)), SiteMapping(access_to(gateway)))
    return sum(len(page.rows) for page in link.stream("products").pull(None, None))


def test_two_thousand_materials(gateway, client_of):
    assert load(gateway, client_of, 2000) == 2002


@pytest.mark.slow
def test_twenty_thousand_materials(gateway, client_of):
    assert load(gateway, client_of, 20_000) == 20_002

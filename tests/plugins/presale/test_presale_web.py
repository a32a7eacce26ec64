"""A presale over the whole application: as pages in both languages, as JSON, and in the slots of the core's pages."""

import io
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, select, text

import plugins.presale
from core import identity, rooms, tenancy
from core.app import Installation
from core.billing import wiring
from core.db import Database, roles
from core.kernel import uuid7
from core.orders import replay
from plugins.presale.model import Offer, OfferItem, Reservation
from plugins.presale.service.timing import Timers
from tests.conftest import Server, make_unit
from tests.orders.portal import Portal, Visitor, make_app
from tests.orders.trade import Trade
from tests.plugins.bringing import bring, migrate

D = Decimal


@pytest.fixture(scope="module")
def portal(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    name = server.clone()
    server.run(*roles.access_statements(name))
    migrate(server.url_for("ts_migrator", name), plugins.presale)
    host = bring(plugins.presale)
    owner = create_engine(server.url_for("ts_migrator", name))
    with owner.begin() as connection:
        identity.sync_roles(connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")])
    owner.dispose()
    url = server.url_for("ts_app", name)
    database = Database(url, pool_size=25)
    database.name = name  # type: ignore[attr-defined]
    wiring.wire()
    with database.session() as session:
        trade = Trade(make_unit(database, host.dispatch), session).set_up()
        for tenant in (trade.buyer_id, trade.seller_id):
            tenancy.enable_plugin(trade.system(tenant), "presale", version="0.1.0")
        trade.unit.finish(trade.system(trade.seller_id))
        app = make_app(url, host.dispatch, tmp_path_factory.mktemp("presale"))
        yield Portal(app, trade, database)
        app.extensions["ts"].unit.database.dispose()
    database.dispose()


@pytest.fixture(scope="module")
def sales(portal: Portal) -> Visitor:
    return portal.visitor("Li Min", "seller.sales", "seller.finance")


@pytest.fixture(scope="module")
def clerk(portal: Portal) -> Visitor:
    return portal.visitor("Wang Fang", "buyer.clerk", "buyer.finance")


def times(first: int = 0, last: int = 7) -> dict[str, str]:
    def local(days: int, minutes: int = 0) -> str:
        moment = datetime.now(UTC) + timedelta(days=days, hours=8, minutes=minutes)
        return moment.strftime("%Y-%m-%dT%H:%M")

    return {
        "opens_at": local(first, -2),
        "closes_at": local(last),
        "balance_opens": local(last + 7),
        "balance_closes": local(last + 10),
        "ship_by": local(last + 40)[:10],
    }


def published(portal: Portal, sales: Visitor, title: str, **more: str) -> tuple[str, str]:
    """The ids of a new offer of bars and of its product."""
    given = {"title": title, "code-0": "BAR", "price-0": "1000", "vat-0": "13", "price_kind": "fixed",
             "earnest_percent": "20", "earnest_kind": "earnest", **times(), **more}  # fmt: skip
    answer = sales.post("/presale/new", **given)
    assert answer.status_code == 303, re.findall(r'class="err[^>]*>.*?<', answer.text)
    offer_id = answer.headers["Location"].rpartition("/")[2]
    with portal.trade.unit.system(portal.trade.seller_id, "test") as ctx:
        item = ctx.session.scalar(select(OfferItem.id).where(OfferItem.offer_id == offer_id))
    return offer_id, str(item)


def reserved(portal: Portal, clerk: Visitor, offer: tuple[str, str], quantity: str = "100") -> str:
    answer = clerk.post(f"/presale/offers/{offer[0]}/reserve", item_id=offer[1], quantity=quantity)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def test_a_presale_from_its_publication_to_the_escrow(portal: Portal, sales: Visitor, clerk: Visitor) -> None:
    offer = published(portal, sales, "四月螺纹钢", min_total="50", max_total="500")
    page = clerk.get("/presale", "zh-CN")
    for shown in ("四月螺纹钢", "江南钢材有限公司", "预订中", "上限"):
        assert shown in page.text, shown
    page = clerk.get(f"/presale/offers/{offer[0]}", "zh-CN")
    for shown in ("20% 定金", "预订即生效", "BAR", "须卖方同意"):
        assert shown in page.text, shown
    reservation = reserved(portal, clerk, offer)
    page = clerk.get(f"/presale/reservations/{reservation}", "zh-CN")
    for shown in ("待付首款", "¥\u202f20,000.00", "放弃预订", "江南钢材有限公司"):
        assert shown in page.text, shown
    answer = clerk.post(
        "/presale/pay", seller_id=str(portal.trade.seller_id), amount="20000", bank_ref="ICBC-1", reservation_id=reservation
    )
    assert answer.status_code == 303
    with portal.trade.unit.system(portal.trade.buyer_id, "test") as ctx:
        order_id = ctx.session.get_one(Reservation, reservation).order_id
        order_number = ctx.session.get_one(Reservation, reservation).order_number
    (payment,) = sales.api("GET", f"/orders/{order_id}/payments").json["items"]
    assert sales.api("POST", f"/payments/{payment['id']}/confirm", {}).status_code == 200
    order = clerk.whole(f"/orders/{order_id}", "zh-CN")
    for shown in (order_number, "托管中", "¥\u202f20,000.00", "预售"):
        assert shown in order, shown
    for visitor in (clerk, sales):
        for lang in ("zh-CN", "en"):
            page = visitor.get(f"/presale/reservations/{reservation}", lang)
            assert page.status_code == 200
    assert "Into escrow" in clerk.get(f"/presale/reservations/{reservation}").text
    assert order_number in sales.get("/presale/reservations").text
    assert order_number in sales.get(f"/presale/offers/{offer[0]}").text


def test_what_is_wrong_with_an_offer_is_said_and_nothing_typed_is_lost(sales: Visitor) -> None:
    given = {**times(), "title": "五月盘螺", "code-0": "NOWHERE", "price-0": "1", "min_total": "9", "max_total": "8"}
    answer = sales.post("/presale/new", **given)
    assert answer.status_code == 422
    assert 'value="五月盘螺"' in answer.text and "The minimum is above the maximum" in answer.text
    assert sales.post("/presale/new", **{**given, "closes_at": "soon"}).status_code == 422
    assert sales.post("/presale/new", title="x").status_code == 422


def test_a_reservation_above_what_is_left_is_refused_and_one_can_wait(
    portal: Portal, sales: Visitor, clerk: Visitor
) -> None:
    offer = published(portal, sales, "少量", max_total="10")
    answer = clerk.post(f"/presale/offers/{offer[0]}/reserve", item_id=offer[1], quantity="11")
    assert answer.status_code == 422 and "at most 10" in answer.text
    reserved(portal, clerk, offer, "10")
    page = clerk.get(f"/presale/offers/{offer[0]}", "zh-CN")
    assert "已订满" in page.text
    assert clerk.post(f"/presale/offers/{offer[0]}/reserve", item_id=offer[1], quantity="4", wait="1").status_code == 303
    assert "退出候补" in clerk.get(f"/presale/offers/{offer[0]}", "zh-CN").text
    assert "North Machines" in sales.get(f"/presale/offers/{offer[0]}").text


def test_evidence_goes_with_a_release_and_the_other_side_answers(portal: Portal, sales: Visitor, clerk: Visitor) -> None:
    offer = published(portal, sales, "洪水")
    reservation = reserved(portal, clerk, offer)
    path = f"/presale/reservations/{reservation}"
    assert sales.post(f"{path}/release", reason="flood").status_code == 422
    handed = (io.BytesIO(b"the furnace stands under water"), "flood.txt")
    assert sales.post(f"{path}/release", reason="flood", force_majeure="1", file=handed).status_code == 303
    page = clerk.get(path)
    assert "asks to end it with nobody to blame" in page.text and "/files/" in page.text
    (plea,) = re.findall(r"/presale/pleas/([0-9a-f-]+)/answer", page.text)
    assert sales.post(f"/presale/pleas/{plea}/answer", agree="true").status_code == 303
    assert "Waits for an answer" in clerk.get(path).text  # one's own request is not one's own to answer
    assert clerk.post(f"/presale/pleas/{plea}/answer", agree="true").status_code == 303
    assert "Released" in clerk.get(path).text


def test_the_seller_says_what_it_cannot_deliver(portal: Portal, sales: Visitor, clerk: Visitor) -> None:
    reservation = reserved(portal, clerk, published(portal, sales, "停炉"))
    path = f"/presale/reservations/{reservation}"
    assert clerk.post(f"{path}/fail", reason="x").status_code == 422
    assert sales.post(f"{path}/cut", quantity="60", reason="one furnace").status_code == 303
    assert "60" in clerk.get(path).text
    assert sales.post(f"{path}/fail", reason="").status_code == 422
    assert sales.post(f"{path}/fail", reason="no furnace").status_code == 303
    assert "卖方违约" in clerk.get(path, "zh-CN").text


def test_index_values_are_entered_and_superseded(sales: Visitor, clerk: Visitor) -> None:
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    given = {"code": "HRB400-SH", "day": day, "value": "3655.00", "status": "prelim", "source": "Mysteel"}
    assert sales.post("/presale/indices", **given).status_code == 303
    assert "初值" in sales.get("/presale/indices", "zh-CN").text
    assert sales.post("/presale/indices", **{**given, "status": "final"}).status_code == 303
    assert sales.post("/presale/indices", **given).status_code == 422
    assert sales.post("/presale/indices", **{**given, "value": "-1"}).status_code == 422
    assert clerk.get("/presale/indices").status_code == 403


def test_the_catalogue_and_the_product_point_to_running_presales(portal: Portal, sales: Visitor, clerk: Visitor) -> None:
    published(portal, sales, "目录")
    sku = portal.trade.skus["bar"]
    page = clerk.get(f"/catalog/{sku}", "zh-CN")
    assert page.status_code == 200, page.status
    assert "/presale/offers/" in page.text


def test_everything_is_in_the_api(portal: Portal, sales: Visitor, clerk: Visitor) -> None:
    now = datetime.now(UTC)
    body = {
        "title": "API", "opens_at": (now - timedelta(minutes=1)).isoformat(), "closes_at": (now + timedelta(days=1)).isoformat(),
        "balance_opens": (now + timedelta(days=2)).isoformat(), "balance_closes": (now + timedelta(days=3)).isoformat(),
        "ship_by": (now + timedelta(days=9)).date().isoformat(), "max_total": "100",
        "items": [{"code": "BAR", "unit_price": "1234.5678"}],
    }  # fmt: skip
    made = sales.api("POST", "/presale/offers", body)
    assert made.status_code == 201, made.text
    offer = made.json
    item = offer["items"][0]["id"]
    assert clerk.api("POST", "/presale/offers", body).status_code == 403
    assert sales.api("POST", "/presale/offers", {**body, "items": []}).status_code == 422
    assert any(each["id"] == offer["id"] for each in clerk.api("GET", "/presale/offers").json["offers"])
    path = f"/presale/offers/{offer['id']}"
    first = clerk.api("POST", f"{path}/reservations", {"item_id": item, "quantity": "100"}, key="one")
    again = clerk.api("POST", f"{path}/reservations", {"item_id": item, "quantity": "100"}, key="one")
    assert (first.status_code, first.json["earnest"], first.json["total"]) == (201, "24691.36", "123456.78")
    assert again.json["id"] == first.json["id"]
    full = clerk.api("POST", f"{path}/reservations", {"item_id": item, "quantity": "1"})
    assert (full.status_code, full.json["code"]) == (409, "presale.full")
    assert sales.api("POST", f"{path}/reservations", {"item_id": item, "quantity": "1"}).status_code == 403
    entry = clerk.api("POST", f"{path}/waiting", {"item_id": item, "quantity": "5"})
    assert entry.status_code == 201
    assert clerk.api("POST", f"/presale/waiting/{entry.json['id']}/take", {}).status_code == 409
    assert clerk.api("DELETE", f"/presale/waiting/{entry.json['id']}").status_code == 204
    mine = f"/presale/reservations/{first.json['id']}"
    paid = {"seller_id": offer["seller_id"], "amount": "24691.37", "bank_ref": "R-9", "reservation_id": first.json["id"]}
    assert clerk.api("POST", "/presale/payments", {**paid, "amount": "999999.00"}).status_code == 422
    assert clerk.api("POST", "/presale/payments", paid).json["parts"][0]["amount"] == "24691.37"
    assert clerk.api("POST", f"{mine}/release", {"reason": "x", "file_name": "a.txt", "file_base64": "!"}).status_code == 422
    plea = clerk.api("POST", f"{mine}/cut", {"quantity": "50", "reason": "less"})
    assert plea.status_code == 200 and plea.json["quantity"] == "100"
    assert clerk.api("POST", f"{mine}/late-damages").status_code == 409
    assert clerk.api("GET", mine).json["state"] == "reserved"
    assert sales.api("POST", f"{mine}/fail", {"reason": "no furnace"}).json["state"] == "defaulted_seller"
    assert clerk.api("GET", "/presale/reservations").status_code == 200
    assert sales.api("POST", f"{path}/withdraw").json["state"] == "withdrawn"
    assert clerk.api("GET", path).status_code == 404


def test_a_third_enterprise_sees_offers_and_nothing_of_who_reserved(
    portal: Portal, sales: Visitor, clerk: Visitor
) -> None:
    offer = published(portal, sales, "第三方")
    reservation = reserved(portal, clerk, offer)
    with portal.trade.unit.system(other := uuid7(), "test") as ctx:
        tenancy.register_enterprise(ctx, name="第三家", name_en="Third", uscc="91110000802100433B", kind="trader")
        tenancy.enable_plugin(ctx, "presale", version="0.1.0")
    stranger = portal.visitor("Zhou Yu", "buyer.clerk", "seller.sales", at=other)
    assert stranger.get(f"/presale/offers/{offer[0]}").status_code == 200
    assert "North Machines" not in stranger.get(f"/presale/offers/{offer[0]}").text
    assert stranger.get(f"/presale/reservations/{reservation}").status_code == 404
    for act in ("leave", "fail"):
        assert stranger.api("POST", f"/presale/reservations/{reservation}/{act}", {"reason": "x"}).status_code == 404
    assert stranger.api("POST", f"/presale/offers/{offer[0]}/withdraw").status_code == 404
    assert stranger.api("POST", f"/presale/offers/{offer[0]}/price").status_code == 404


def test_the_worker_takes_what_is_due(portal: Portal, sales: Visitor, clerk: Visitor) -> None:
    reservation = reserved(portal, clerk, published(portal, sales, "逾期"))
    installation: Installation = portal.app.extensions["ts"]
    with portal.trade.unit.system(portal.trade.seller_id, "test") as ctx:
        row = ctx.session.get_one(Reservation, reservation)
        row.pay_by = datetime.now(UTC) - timedelta(seconds=1)
    assert Timers.run(installation) >= 1
    assert "作废" in clerk.get(f"/presale/reservations/{reservation}", "zh-CN").text
    with portal.trade.unit.system(portal.trade.seller_id, "test") as ctx:
        assert ctx.session.get_one(Offer, row.offer_id).taken == 0


def test_the_last_of_it_goes_to_as_many_as_it_reaches(portal: Portal, sales: Visitor, clerk: Visitor) -> None:
    """Twenty at once want three tons each of fifty: sixteen get them."""
    offer = published(portal, sales, "抢订", max_total="50")
    answers: list[int] = []

    def ask() -> None:
        own = Visitor(portal.app.test_client(), clerk.token)
        wanted = {"item_id": offer[1], "quantity": "3"}
        answers.append(own.api("POST", f"/presale/offers/{offer[0]}/reservations", wanted).status_code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers) == [201] * 16 + [409] * 4
    assert clerk.api("GET", f"/presale/offers/{offer[0]}").json["taken"] == "48"


def test_after_all_that_everything_ties_up(portal: Portal, server: Server) -> None:
    """What `verify` asks of the books, the escrows, the orders and their events."""
    engine = create_engine(server.url_for("ts_migrator", portal.db.name))  # type: ignore[attr-defined]
    with engine.connect() as owner:
        owner.execute(text("SET ROLE ts_owner"))
        assert owner.scalar(text("SELECT count(*) FROM ts.escrow_move")) > 0
        for name, sentence, query in rooms.collected("invariants", "CHECKS"):
            if name == "ID.admin":  # nobody here administers anything
                continue
            assert owner.execute(text(query)).all() == [], f"{name}: {sentence}"
        assert replay.unlike_their_events(owner) == []
    engine.dispose()

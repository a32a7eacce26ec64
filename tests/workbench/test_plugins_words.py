"""What plugins add to the portal: finds of a search, offers for an order and an invoice, reports."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from core import tenancy
from core.db import Database
from core.hooks import Dispatch, Hit, InvoiceFacts, Offer, OrderFacts, Report, hookimpl
from core.kernel import Context, Money
from core.tenancy.enablement import forget
from tests.conftest import Server, make_unit
from tests.orders.portal import Portal, Visitor, make_app
from tests.orders.trade import Trade, dispatch

seen: list[Any] = []


class Lender:
    """Finds loans, lends on orders and invoices, and reports what it lent."""

    @hookimpl
    def search(self, ctx: Context, query: str) -> list[Hit]:
        if query == "break":
            raise RuntimeError("no")
        return [Hit(f"Loan {query}", "<b>3 %</b>", "/lender/1", "Loans")]

    @hookimpl
    def offers_for(self, ctx: Context, subject: OrderFacts | InvoiceFacts) -> list[Offer]:
        seen.append(subject)
        return [
            Offer(
                "Pay in 90 days",
                "/lender/take",
                "3 % a year",
                Money(Decimal("12.30"), "CNY"),
                ctx.now + timedelta(days=3),
            ),
            Offer("For the boss", "/lender/boss", permission="lender.boss"),
        ]


def rows(ctx: Context, since: Any, until: Any) -> list[tuple[Any, ...]]:
    return [
        (since, Money(Decimal("1234.50"), "CNY"), "=1+1", None),
        (until, Money(Decimal(2), "CNY"), "plain", Decimal("3.5")),
    ]


@pytest.fixture(scope="module")
def portal(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    name = server.clone()
    url = server.url_for("ts_app", name)
    database = Database(url)
    plugins = dispatch()
    with database.session() as session:
        trade = Trade(make_unit(database, plugins), session).set_up()
        trade.unit.finish(trade.system(trade.seller_id))
        app = make_app(url, plugins, tmp_path_factory.mktemp("data"))
        here: Dispatch = app.extensions["ts.host"].dispatch
        here.register("lender", Lender(), {"zh": "放款人", "en": "Lender"})
        columns = ("Day", "Amount", "Text", "Rate")
        here.reports["lender"] = {
            "lent": Report("lent", "What was lent", columns, rows, "order.view", "By day")
        }
        ctx = trade.system(trade.buyer_id)
        tenancy.enable_plugin(ctx, "lender", version="1.0.0")
        trade.unit.finish(ctx)
        forget(session)
        yield Portal(app, trade, database)
        session.rollback()
        app.extensions["ts"].unit.database.dispose()
    database.dispose()


@pytest.fixture(scope="module")
def clerk(portal: Portal) -> Visitor:
    return portal.visitor("Wang Fang", "buyer.clerk")


@pytest.fixture(scope="module")
def order(portal: Portal) -> UUID:
    placed = portal.trade.place()
    portal.trade.unit.finish(portal.trade.buyer())
    return placed.id


def test_a_search_finds_orders_goods_partners_and_what_plugins_know(
    portal: Portal, clerk: Visitor, order: UUID
) -> None:
    found = clerk.get("/search?q=South").text
    assert "South Steel" in found and f"/orders/{order}" in found
    assert "Loan South" in found and "/lender/1" in found and "&lt;b&gt;3 %" in found
    assert "Nothing found" not in found
    assert "Numbers of orders" in clerk.get("/search").text


def test_a_plugin_that_fails_to_search_is_named_and_the_others_are_shown(clerk: Visitor) -> None:
    page = clerk.get("/search?q=break")
    assert page.status_code == 200
    assert "The panel Lender is not available right now." in page.text


def test_offers_stand_on_the_page_of_an_order(clerk: Visitor, order: UUID) -> None:
    page = clerk.get(f"/orders/{order}").text
    assert f"/-/offers/order:panel?of={order}" in page.replace("%3A", ":")
    offers = clerk.get(f"/-/offers/order:panel?of={order}").text
    assert "Pay in 90 days" in offers and "12.30" in offers and "For the boss" not in offers
    assert seen[-1].id == order


def test_offers_stand_on_the_page_of_an_invoice_and_foreign_ones_on_none(
    portal: Portal, clerk: Visitor
) -> None:
    assert clerk.get("/-/offers/invoice?of=01990000-0000-7000-8000-000000000000").status_code == 404
    assert clerk.get("/-/offers/invoice?of=x").status_code == 404
    assert clerk.get("/-/offers/nothing?of=x").status_code == 404


def test_whoever_enabled_no_such_plugin_sees_none_of_it(portal: Portal, order: UUID) -> None:
    sales = portal.visitor("Li Min", "seller.sales")
    assert "/-/offers/" not in sales.get(f"/orders/{order}").text
    assert "Loan" not in sales.get("/search?q=steel").text
    assert "What was lent" not in sales.get("/reports").text
    assert sales.get("/reports/lender/lent").status_code == 404


def test_a_report_is_drawn_for_a_period_and_taken_along(clerk: Visitor) -> None:
    assert "What was lent" in clerk.get("/reports").text
    page = clerk.get("/reports/lender/lent?since=2026-10-01&until=2026-10-31").text
    assert "1,234.50" in page and "2026-10-01" in page and "2026-11-01" in page
    file = clerk.get("/reports/lender/lent.csv?since=2026-10-01&until=2026-10-31")
    assert file.mimetype == "text/csv"
    assert file.get_data().decode("utf-8-sig").splitlines()[1] == "2026-10-01,1234.50,'=1+1,"


@pytest.mark.parametrize(
    ("asked", "field"), [("since=tomorrow", "since"), ("since=2026-02-02&until=2026-02-01", "since")]
)
def test_a_period_that_is_none_is_refused(clerk: Visitor, asked: str, field: str) -> None:
    page = clerk.get(f"/reports/lender/lent?{asked}")
    assert page.status_code == 422

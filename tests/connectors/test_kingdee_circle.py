"""The whole circle: an order of a trade lands in K/3 Cloud, goods leave there, money comes in there, and the trade knows."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import requests
from sqlalchemy import select

from connectors.kingdee.simulator import DEMO_ACCOUNT, Simulator
from connectors.kingdee.system import Kingdee, KingdeeLink
from core import orders
from core.billing import Invoice
from tests.sync.landing.conftest import Wired, wired  # noqa: F401  a fixture
from tongshang.connect import Access, LineOut, OrderOut, OutboundRule, session

MATERIALS = ("RB12", "RB16")


@pytest.fixture
def link(kingdee: Simulator) -> Iterator[KingdeeLink]:
    kingdee.world.merge({"materials": [{"number": code, "name": code, "unit": "t"} for code in MATERIALS]})
    http = session([OutboundRule.parse(f"127.0.0.1:{kingdee.port}")])
    values = {"way": "signed", "acct_id": DEMO_ACCOUNT.acct_id, "username": "demo", "saler": "XS01"}
    values |= {"app_id": DEMO_ACCOUNT.app_id}
    yield Kingdee().open(Access(kingdee.url, "100", values, {"app_secret": DEMO_ACCOUNT.app_secret}), http)
    http.close()


def test_an_order_goes_out_and_what_became_of_it_comes_back(kingdee, link, wired):  # noqa: F811
    wired: Wired = wired
    order = wired.trade.now
    lines = tuple(
        LineOut(
            line.no,
            line.sku_id,
            line.sku_code,
            line.name_zh,
            line.unit,
            line.quantity,
            line.vat_rate,
            line.gross,
        )
        for line in orders.lines(wired.trade.ctx, order.id)
    )
    out = OrderOut(
        object_id=order.id,
        reference=wired.reference,
        version=1,
        partner_id=order.buyer_id,
        partner_name="锡安达机电",
        partner_code="91320200MA1N2PQR3X",
        buyer_po="",
        currency="CNY",
        total=order.total,
        ordered_on=date(2026, 11, 22),
        delivery_on=None,
        ship_to="",
        note="",
        lines=lines,
    )
    assert link.send(link.bill(out, lambda *_: None), None).finished

    def act(what: str, **given: str) -> None:
        requests.post(f"{kingdee.admin}/{what}", json=given, timeout=5).raise_for_status()

    def landed(key: str, side: str = "seller") -> None:
        stream = link.stream(key)
        items = [stream.to_core(row) for page in stream.pull(None, None) for row in page.rows]
        assert len(items) == 1
        assert wired.land(side, *items) == []
        assert wired.land(side, *items) == []  # at least once

    act("ship", order=wired.reference, tracking="WB-9")
    landed("deliveries")
    shipped = [line.shipped for line in orders.lines(wired.trade.ctx, order.id)]
    assert shipped == [Decimal(100), Decimal(50)]
    bought = [
        {"material": code, "unit": "t", "quantity": quantity}
        for code, quantity in zip(MATERIALS, (100, 50), strict=True)
    ]
    purchase = {"number": wired.reference, "supplier": "S1", "lines": bought}
    kingdee.world.merge({"suppliers": [{"number": "S1"}], "purchase_orders": [purchase]})
    act("receive", order=wired.reference)
    landed("receipts", "buyer")

    act("invoice", order=wired.reference)
    landed("invoices")
    (invoice,) = wired.trade.ctx.session.scalars(select(Invoice))
    (billed,) = kingdee.store.all("AR_receivable")
    assert invoice.total == billed.head["FALLAMOUNTFOR"] == order.total

    payment = wired.trade.announce(str(order.total), "SK-1", invoice_ids=[invoice.id])
    act("pay", invoice=billed.number)
    landed("payments")
    wired.trade.ctx.session.refresh(payment)
    wired.trade.ctx.session.refresh(invoice)
    assert (payment.state, invoice.open) == ("confirmed", 0)

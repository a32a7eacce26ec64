"""Every event of a trade is told when its moment comes: an act, and the row that handlers hear of."""

from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from uuid import UUID

import pytest

from core import billing, catalog, fulfilment, orders, stock, tenancy
from core.orders import NewOrder, WantedLine
from tests.app.house import House
from tests.conftest import clock_shifted

BUYER, SELLER = "hengke", "lianhang"
D = Decimal
SEEDED = (
    "OrderDrafted", "OrderSubmitted", "OrderCountered", "OrderRejected", "OrderConfirmed", "OrderStarted", "GoodsShipped",
    "OrderDelivered", "GoodsReceived", "OrderAccepted", "InvoiceIssued", "PaymentAnnounced", "PaymentConfirmed", "OrderCompleted",
    "ProductsListed", "PricesSet", "StockReceived",
)  # fmt: skip


@pytest.mark.parametrize("name", SEEDED)
def test_a_plain_trade_tells_of_each_step(house: House, name: str) -> None:
    """From the first price to the last payment, as the house was seeded by the verbs."""
    assert name in told(house)


def told(house: House, since: object = None) -> set[str]:
    """Names of the events in the outbox, all or those about a subject."""
    rows = house.rows("SELECT name FROM ts.outbox_event WHERE CAST(:about AS text) IS NULL OR payload::text LIKE :like",
                      about=since and str(since), like=f"%{since}%")  # fmt: skip
    return {row.name for row in rows}


class Acts:
    """One trade more, as far as a test needs it."""

    def __init__(self, house: House) -> None:
        self.house = house

    def place(self, quantity: str = "4") -> UUID:
        wish = NewOrder(self.house.cast.ids[SELLER], [WantedLine(self.house.cast.skus[SELLER][0], D(quantity))])
        with self.house.acting(BUYER) as ctx:
            return orders.place(ctx, wish).id

    def confirmed(self) -> UUID:
        ident = self.place()
        with self.house.acting(SELLER) as ctx:
            orders.confirm(ctx, ident)
        return ident

    def received(self, rejected: str = "0", accepted: str | None = None) -> tuple[UUID, fulfilment.Receipt]:
        shipped, taken = D(4), None if accepted is None else D(accepted)
        ident = self.confirmed()
        with self.house.acting(SELLER) as ctx:
            line = orders.lines(ctx, ident)[0]
            shipment = fulfilment.ship(ctx, ident, [fulfilment.Portion(line.id, shipped)])
        with self.house.acting(BUYER) as ctx:
            count = fulfilment.Count(line.id, shipped, D(rejected), taken, "rust" if D(rejected) else "")
            return ident, fulfilment.receive(ctx, shipment.id, [count])

    def billed(self) -> tuple[UUID, billing.Invoice]:
        ident, _ = self.received()
        with self.house.acting(SELLER) as ctx:
            return ident, billing.issue_invoice(ctx, ident)


@pytest.fixture
def acts(house: House) -> Acts:
    return Acts(house)


def approval(acts: Acts) -> object:
    with acts.house.acting(BUYER) as ctx:
        tenancy.set_trade_settings(ctx, approval_threshold=D("0.01"))
    ident = acts.place()
    with acts.house.acting(BUYER) as ctx:
        orders.send_back(ctx, ident, "too dear")
        tenancy.set_trade_settings(ctx, approval_threshold=None)
    return ident


def expired(acts: Acts) -> object:
    ident = acts.place()
    with ExitStack() as stack:
        ctx = stack.enter_context(acts.house.acting(SELLER))
        stack.enter_context(clock_shifted(ctx, "400 days"))
        assert orders.expire(ctx, ident) is not None
    return ident


def cancelled(acts: Acts) -> object:
    ident = acts.place()
    with acts.house.acting(BUYER) as ctx:
        orders.cancel(ctx, ident, "no longer needed")
    return ident


def amended(acts: Acts) -> object:
    ident = acts.confirmed()
    with acts.house.acting(BUYER) as ctx:
        orders.propose_amendment(ctx, ident, {"lines": [], "delivery_date": ctx.now.date()}, "earlier")
    with acts.house.acting(SELLER) as ctx:
        orders.agree(ctx, ident)
    return ident


def terminated(acts: Acts) -> object:
    ident = acts.confirmed()
    with acts.house.acting(BUYER) as ctx:
        orders.propose_termination(ctx, ident, [], "the works burnt down")
    with acts.house.acting(SELLER) as ctx:
        orders.agree(ctx, ident)
    return ident


def closed(acts: Acts) -> object:
    ident, invoice = acts.billed()
    with acts.house.acting(BUYER) as ctx:
        payment = billing.announce_payment(ctx, invoice.total, f"CLOSE-{ident}", invoice_ids=[invoice.id])
    with acts.house.acting(SELLER) as ctx:
        billing.confirm_payment(ctx, payment.id)
    with ExitStack() as stack:
        ctx = stack.enter_context(acts.house.acting(SELLER))
        stack.enter_context(clock_shifted(ctx, "800 days"))
        orders.close(ctx, ident)
    return ident


def taken_back(acts: Acts) -> object:
    ident, receipt = acts.received(rejected="1")
    with acts.house.acting(SELLER) as ctx:
        line = fulfilment.receipt_lines(ctx, receipt.id)[0]
        fulfilment.take_back(ctx, line.id)
    return ident


def reversed_(acts: Acts) -> object:
    ident, receipt = acts.received(accepted="0")  # all of it still to be looked at
    with acts.house.acting(BUYER) as ctx:
        fulfilment.reverse_receipt(ctx, receipt.id, "counted twice")
    return ident


def short(acts: Acts) -> object:
    ident = acts.confirmed()
    for key in (SELLER, BUYER):
        with acts.house.acting(key) as ctx:
            line = orders.lines(ctx, ident)[0]
            fulfilment.short_close(ctx, ident, line.id, "sold out")
    return ident


def credited(acts: Acts) -> object:
    ident, invoice = acts.billed()
    with acts.house.acting(SELLER) as ctx:
        billing.credit_invoice(ctx, invoice.id, billing.Credit("wrong price"))
    return ident


def written_off(acts: Acts) -> object:
    ident, invoice = acts.billed()
    with acts.house.acting(SELLER) as ctx:
        billing.write_off(ctx, invoice.id, "not worth a letter")
    return ident


def rejected_and_refunded(acts: Acts) -> object:
    ident, invoice = acts.billed()
    with acts.house.acting(BUYER) as ctx:
        first = billing.announce_payment(ctx, invoice.total, f"NONE-{ident}", invoice_ids=[invoice.id])
    with acts.house.acting(SELLER) as ctx:
        billing.reject_payment(ctx, first.id, "not on our account")
    with acts.house.acting(BUYER) as ctx:
        second = billing.announce_payment(ctx, invoice.total + 5, f"MORE-{ident}", invoice_ids=[invoice.id])
    with acts.house.acting(SELLER) as ctx:
        billing.confirm_payment(ctx, second.id)
        billing.refund_payment(ctx, second.id, D(5), f"BACK-{ident}", "paid too much")
    return None


def goods(acts: Acts) -> object:
    with acts.house.acting(SELLER) as ctx:
        sku = acts.house.cast.skus[SELLER][3]
        catalog.withdraw_products(ctx, [sku])
        place = stock.warehouses(ctx)[0]
        stock.adjust(ctx, stock.Incoming(sku, place.id, D(-1), f"LOT-{SELLER}"), "one fell off")
    return acts.house.cast.skus[SELLER][3]


@pytest.mark.parametrize(
    ("act", "names"),
    [
        (approval, {"OrderApprovalRequested", "OrderSentBack"}),
        (expired, {"OrderExpired"}),
        (cancelled, {"OrderCancelled"}),
        (amended, {"OrderAmended"}),
        (terminated, {"OrderTerminated"}),
        (closed, {"OrderClosed"}),
        (taken_back, {"GoodsTakenBack"}),
        (reversed_, {"ReceiptReversed", "OrderReopened"}),
        (short, {"LineShortClosed"}),
        (credited, {"InvoiceCredited"}),
        (written_off, {"InvoiceWrittenOff"}),
        (rejected_and_refunded, {"PaymentRejected", "PaymentRefunded"}),
        (goods, {"ListingsWithdrawn", "StockAdjusted"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_happens_besides_is_told_as_well(
    house: House, acts: Acts, act: Callable[[Acts], object], names: set[str]
) -> None:
    before = told(house)
    about = act(acts)

    assert names <= told(house, about), told(house, about)
    if about is None:
        assert names - before

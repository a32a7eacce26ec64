"""Two enterprises, one article, and an order between them at any point of its life. For tests of goods and money."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from core import billing, catalog, fulfilment, orders, stock, tenancy
from core.billing.wiring import wire as wire_billing
from core.fulfilment.wiring import wire as wire_fulfilment
from core.hooks import Dispatch, MoneyMove, PlanItem, TradeMode
from core.hooks.dispatch import Mode
from core.hooks.facts import LineFacts, OrderFacts
from core.kernel import Context

D = Decimal
ADVANCE = D("0.30")


def _on_terms(ctx: Context, order: OrderFacts) -> list[PlanItem]:
    return [PlanItem("balance", order.total, "invoice", order.terms_days)]


def _part_in_advance(ctx: Context, order: OrderFacts) -> list[PlanItem]:
    """30 % before the start, the rest with the invoice."""
    advance = (order.total * ADVANCE).quantize(D("0.01"))
    return [
        PlanItem("prepay", advance, "confirm", 0, gate="start"),
        PlanItem("balance", order.total - advance, "invoice", order.terms_days),
    ]


def _free(ctx: Context, order: OrderFacts, by: str) -> list[MoneyMove]:
    return []


def _as_ordered(line: LineFacts, accepted: Decimal) -> tuple[Decimal, Decimal]:
    return accepted, line.unit_price


def dispatch_of_tests() -> Dispatch:
    """The modes these tests trade in: `terms` pays after the invoice, `advance` 30 % before the start."""
    dispatch = Dispatch()
    for key, plan in (("terms", _on_terms), ("advance", _part_in_advance)):
        dispatch.modes[key] = Mode(key, TradeMode(key, key, plan, _free, _as_ordered))
    wire_fulfilment()
    wire_billing()
    return dispatch


@dataclass
class Trade:
    """One order, played by whoever acts: `with trade.seller() as ctx` and `with trade.buyer() as ctx`."""

    ctx: Context
    seller_id: UUID
    buyer_id: UUID
    order_id: UUID = field(init=False, repr=False)
    skus: dict[str, UUID] = field(init=False, default_factory=dict)
    own_list: UUID | None = None

    @contextmanager
    def seller(self) -> Iterator[Context]:
        yield self.ctx

    @contextmanager
    def buyer(self) -> Iterator[Context]:
        with self.ctx.as_tenant(self.buyer_id, "buyer"):
            self.ctx.acting_side = None
            yield self.ctx

    def set_up(self, stock_of: dict[str, Decimal], price: str = "10.00", **terms: object) -> None:
        """Register both, stock and price the seller's goods (base unit t, VAT 13 % on top)."""
        tenancy.register_enterprise(
            self.ctx, name="江南钢材有限公司", uscc="91350100M000100Y43", kind="trader"
        )
        with self.buyer() as ctx:
            tenancy.register_enterprise(
                ctx, name="北方机械有限公司", uscc="91310000MA1FL4XY7W", kind="manufacturer"
            )
            for mode in ("terms", "advance"):
                tenancy.enable_plugin(ctx, mode, version="1.0")
        for mode in ("terms", "advance"):
            tenancy.enable_plugin(self.ctx, mode, version="1.0")
        if terms:
            tenancy.set_trade_settings(self.ctx, **terms)
        house = stock.add_warehouse(self.ctx, "W1", "一号库")
        opened = catalog.open_price_list(self.ctx, "public", tax_incl=False)
        for code, quantity in stock_of.items():
            product = catalog.add_product(
                self.ctx,
                catalog.ProductRow(code=code, name_zh="钢材", name_en="Steel", spec="", base_uom="t"),
            )
            catalog.publish_products(self.ctx, [product.id])
            catalog.set_prices(self.ctx, opened.id, [catalog.NewPrice(product.id, D("0.001"), D(price))])
            stock.receive_stock(
                self.ctx, [stock.Incoming(product.id, house.id, quantity, lot_no=f"L-{code}", heat_no="H1")]
            )
            self.skus[code] = product.id

    def reprice(self, code: str, gross: Decimal) -> None:
        """A new price of one article, VAT included, from now on."""
        if self.own_list is None:
            self.own_list = catalog.open_price_list(
                self.ctx, "own", audience="tenant", customer_id=self.buyer_id, tax_incl=True
            ).id
        catalog.set_prices(self.ctx, self.own_list, [catalog.NewPrice(self.skus[code], D(1), gross)])

    def order(self, wanted: dict[str, Decimal], mode: str = "terms") -> orders.TradeOrder:
        """Place and confirm an order; with `terms` it is in progress at once."""
        with self.buyer() as ctx:
            placed = orders.place(
                ctx,
                orders.NewOrder(
                    self.seller_id,
                    [orders.WantedLine(self.skus[code], quantity) for code, quantity in wanted.items()],
                    mode,
                ),
            )
        self.order_id = placed.id
        with self.seller() as ctx:
            return orders.confirm(ctx, placed.id)

    @property
    def now(self) -> orders.TradeOrder:
        """The order as it stands."""
        self.ctx.session.flush()
        self.ctx.session.expire_all()
        return self.ctx.session.get_one(orders.TradeOrder, self.order_id)

    @property
    def lines(self) -> list[orders.OrderLine]:
        self.ctx.session.flush()
        self.ctx.session.expire_all()
        return orders.lines(self.ctx, self.order_id)

    def ship(self, *quantities: Decimal | str) -> fulfilment.Shipment:
        """Send so much of each line; 0 leaves a line out."""
        portions = [
            fulfilment.Portion(line.id, D(quantity))
            for line, quantity in zip(self.lines, quantities, strict=False)
            if D(quantity)
        ]
        with self.seller() as ctx:
            return fulfilment.ship(ctx, self.order_id, portions, "中远", "WB-1")

    def receive(self, shipment: fulfilment.Shipment, *counts: tuple[str, str] | str) -> fulfilment.Receipt:
        """Count each line: "60", or ("60", "2") with 2 rejected."""
        rows = []
        for line, count in zip(self.lines, counts, strict=False):
            received, rejected = (count, "0") if isinstance(count, str) else count
            if D(received):
                reason = "裂纹" if D(rejected) else ""
                rows.append(fulfilment.Count(line.id, D(received), D(rejected), reason=reason))
        with self.buyer() as ctx:
            return fulfilment.receive(ctx, shipment.id, rows)

    def invoice(self) -> billing.Invoice:
        with self.seller() as ctx:
            return billing.issue_invoice(ctx, self.order_id)

    def announce(self, amount: str, bank_ref: str = "B-1", **what: object) -> billing.Payment:
        with self.buyer() as ctx:
            if not what:
                what = {"order_id": self.order_id}
            return billing.announce_payment(ctx, D(amount), bank_ref, **what)  # type: ignore[arg-type]

    def pay(self, amount: str, bank_ref: str = "B-1", **what: object) -> billing.Payment:
        """Announced by the buyer, confirmed by the seller."""
        payment = self.announce(amount, bank_ref, **what)
        with self.seller() as ctx:
            return billing.confirm_payment(ctx, payment.id)


MakeContext = Callable[..., Context]


def new_trade(make_ctx: MakeContext, seller_id: UUID, buyer_id: UUID) -> Trade:
    return Trade(make_ctx(seller_id, dispatch=dispatch_of_tests()), seller_id, buyer_id)

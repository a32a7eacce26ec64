"""A small presale: the steel seller offers bars before it has them, a machine maker and a second buyer reserve.

Time stands where `at` puts it. Money is announced by the buyer's finance and confirmed by the seller's, as always.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from core import billing, ledger, orders, tenancy
from core.billing.holding import Escrow
from core.kernel import Actor, Context, uuid7
from plugins.presale import following, service
from plugins.presale.model import Offer, OfferItem, Plea, Reservation, Waiting
from plugins.presale.service import timing
from tests.orders.trade import Trade

D = Decimal
OTHER_CODE = "91110000802100433B"
EARNEST = D("20000.00")
NOON = datetime(2027, 3, 1, 4, 0, tzinfo=UTC)
"""When the story begins: noon in Shanghai, after the goods and prices of the trade were made."""


@dataclass
class Fair:
    """The trade with presales switched on for everybody. Goods are 1,000.00 a ton; a hundred tons are 100,000.00."""

    trade: Trade
    other_id: UUID = field(default_factory=uuid7)
    serial: int = 0
    offer: Offer = field(init=False)

    def set_up(self) -> "Fair":
        trade = self.trade
        tenancy.register_enterprise(
            trade.system(self.other_id), name="东海造船有限公司", name_en="East Yards", uscc=OTHER_CODE, kind="manufacturer"
        )
        for tenant in (trade.buyer_id, trade.seller_id, self.other_id):
            tenancy.enable_plugin(trade.system(tenant), "presale", version="0.1.0")
        self.at(NOON)
        return self

    # who acts

    def as_(self, who: str, *roles: str, at: UUID | None = None) -> Context:
        ctx = self.trade.as_(who, *roles, at=at)
        mine = {
            "buyer.clerk": ("presale.offer.view", "presale.reservation.make", "presale.reservation.end"),
            "buyer.finance": ("presale.offer.view",),
            "seller.sales": ("presale.offer.view", "presale.offer.edit", "presale.reservation.end"),
            "seller.finance": ("presale.offer.view",),
        }
        ctx.grants = {**ctx.grants, **dict.fromkeys(code for role in roles for code in mine.get(role, ()))}
        return ctx

    def buyer(self) -> Context:
        return self.as_("Wang Fang", "buyer.clerk")

    def paying(self) -> Context:
        return self.as_("Qian Jin", "buyer.finance")

    def seller(self) -> Context:
        return self.as_("Li Min", "seller.sales")

    def cashier(self) -> Context:
        return self.as_("Sun Mei", "seller.finance")

    def other(self) -> Context:
        return self.as_("Zhou Yu", "buyer.clerk", at=self.other_id)

    def timer(self) -> Context:
        return self.trade.system(self.trade.seller_id)

    # when

    def at(self, moment: datetime) -> None:
        self.trade.session.flush()
        self.trade.shift_to(moment)

    # what

    def terms(self, **more: Any) -> service.NewOffer:
        given: dict[str, Any] = {
            "title": "三月螺纹钢预售",
            "opens_at": NOON,
            "closes_at": NOON + timedelta(days=7),
            "balance_opens": NOON + timedelta(days=14),
            "balance_closes": NOON + timedelta(days=17),
            "ship_by": date(2027, 4, 15),
            "items": [service.NewItem("BAR", D(1000))],
            **more,
        }
        return service.NewOffer(**given)

    def publish(self, **more: Any) -> Offer:
        self.offer = service.publish(self.seller(), self.terms(**more))
        return self.offer

    def item(self) -> OfferItem:
        found = self.trade.session.scalar(select(OfferItem).where(OfferItem.offer_id == self.offer.id))
        assert found is not None
        return found

    def reserve(self, quantity: str = "100", who: Context | None = None) -> Reservation:
        return service.reserve(who or self.buyer(), self.offer.id, self.item().id, D(quantity))

    def pay(self, reservation: Reservation, amount: Decimal | str) -> None:
        """Announced by the buyer, confirmed by the seller, heard by the plugin."""
        self.announce(reservation, amount)
        self.confirm_all()

    def announce(self, reservation: Reservation, amount: Decimal | str) -> None:
        home = reservation.buyer_id
        ctx = self.as_("Qian Jin", "buyer.finance", at=home)
        self.serial += 1
        service.pay(ctx, reservation.seller_id, D(amount), f"ICBC-{self.serial}", reservation.id)

    def confirm_all(self) -> None:
        ctx = self.cashier()
        for payment in ctx.session.scalars(select(billing.Payment).where(billing.Payment.state == "announced")).all():
            billing.confirm_payment(ctx, payment.id)
        for reservation in ctx.session.scalars(select(Reservation)).all():
            service.follow(self.timer(), reservation)

    def earnest_paid(self, **terms: Any) -> Reservation:
        """100,000.00 of goods, 20,000.00 of earnest money in escrow."""
        self.publish(**terms)
        reservation = self.reserve()
        self.pay(reservation, reservation.earnest + reservation.prepay)
        return reservation

    def balance_due(self, **terms: Any) -> Reservation:
        reservation = self.earnest_paid(**terms)
        self.at(self.offer.closes_at)
        assert timing.close_window(self.timer(), self.offer.id)
        self.at(self.offer.balance_opens)
        assert timing.open_balance(self.timer(), reservation.id)
        return reservation

    def running(self, **terms: Any) -> Reservation:
        reservation = self.balance_due(**terms)
        self.pay(reservation, reservation.total - reservation.earnest - reservation.prepay)
        return reservation

    # how it stands

    def order(self, reservation: Reservation) -> orders.TradeOrder:
        self.trade.session.flush()
        found = self.buyer().session.get(orders.TradeOrder, reservation.order_id, populate_existing=True)
        assert found is not None
        return found

    def escrow(self, reservation: Reservation) -> tuple[Decimal, Decimal, Decimal]:
        """Held, released to the seller, refunded to the buyer."""
        self.buyer()
        found = self.trade.session.scalar(
            select(Escrow)
            .where(Escrow.order_id == reservation.order_id)
            .execution_options(populate_existing=True)
        )
        return (D(0), D(0), D(0)) if found is None else (found.held, found.released, found.refunded)

    def books(self, whose: str) -> dict[str, Decimal]:
        """Every account of one side that is not empty; partners' ids cut off."""
        ctx = self.trade.system(self.trade.buyer_id if whose == "buyer" else self.trade.seller_id)
        return {each.code.partition(":")[0]: each.balance for each in ledger.accounts(ctx) if each.balance}

    def retold(self, event: Any) -> None:
        """Let the seller's ear of the plugin hear an order's end."""
        ctx = self.trade.unit.enter(
            self.trade.session, self.trade.seller_id, Actor("plugin", None, "presale"), everything=True
        )
        following.order_ended(ctx, event)

    def waiting(self, who: Context) -> list[Waiting]:
        return list(who.session.scalars(select(Waiting).execution_options(populate_existing=True)))

    def pleas(self, who: Context) -> list[Plea]:
        return list(who.session.scalars(select(Plea).execution_options(populate_existing=True)))

    def due(self) -> list[tuple[str, UUID]]:
        """What the worker would find due now, in its order."""
        self.trade.session.flush()
        rows = self.trade.session.execute(text("SELECT kind, id FROM plugin_presale.due(100)"))
        return [(row.kind, row.id) for row in rows]

    def taken(self) -> Decimal:
        self.timer()
        self.trade.session.refresh(self.offer)
        return self.offer.taken

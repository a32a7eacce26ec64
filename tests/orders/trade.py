"""A small trade: a steel seller and a machine maker with their people, goods, prices and stock, and the spot mode."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core import catalog, orders, rooms, stock, tenancy
from core.db import TenantSession, Unit
from core.hooks import Dispatch, Mode, MoneyMove, PlanItem, TradeMode
from core.kernel import Actor, Context, uuid7
from core.orders import NewOrder, TradeOrder, WantedLine

BUYER_CODE, SELLER_CODE = "91310000MA1FL4XY7W", "91350100M000100Y43"
D = Decimal


def on_account(ctx: Context, order: Any) -> list[PlanItem]:
    """Everything 30 days after the invoice."""
    return [PlanItem("balance", order.total, "invoice", order.terms_days)]


def half_first(ctx: Context, order: Any) -> list[PlanItem]:
    """Half before the order starts, the rest on the invoice."""
    half = (order.total / 2).quantize(D("0.01"))
    return [PlanItem("prepay", half, "confirm", 3, "start"), PlanItem("balance", order.total - half)]


def mode(
    key: str, plan: Callable[..., list[PlanItem]] = on_account, free_to_leave: bool = False
) -> TradeMode:
    return TradeMode(
        key=key,
        title=key.title(),
        payment_plan=plan,
        cancel_plan=lambda ctx, order, by: [] if free_to_leave else None,
        billable=lambda line, accepted: (accepted, line.unit_price),
    )


def dispatch() -> Dispatch:
    """The modes of these tests, as plugins would bring them."""
    found = Dispatch()
    found.modes["spot"] = Mode("spot", mode("spot"))
    found.modes["prepaid"] = Mode("spot", mode("prepaid", half_first))
    found.modes["loose"] = Mode("spot", mode("loose", free_to_leave=True))
    return found


def grants_of(*roles: str, limit: Decimal | None = None) -> dict[str, Decimal | None]:
    """What the built-in roles may do, limited permissions up to `limit`."""
    return {
        permission.code: limit if permission.limited else None
        for permission in rooms.collected("permissions", "PERMISSIONS")
        if set(permission.roles) & set(roles)
    }


@dataclass
class Trade:
    """Two enterprises on one session. Each `as_` points the transaction at an enterprise and answers a new context."""

    unit: Unit
    session: TenantSession
    buyer_id: UUID = field(default_factory=uuid7)
    seller_id: UUID = field(default_factory=uuid7)
    people: dict[str, Actor] = field(default_factory=dict)
    skus: dict[str, UUID] = field(default_factory=dict)

    def as_(self, who: str, *roles: str, at: UUID | None = None, limit: Decimal | None = None) -> Context:
        """As the named person, in the buyer's house unless the roles are a seller's."""
        self.session.flush()
        person = self.people.setdefault(who, Actor("person", uuid7(), who))
        actor = Actor("person", person.id, who, person.id)
        home = at or (self.seller_id if any(role.startswith("seller") for role in roles) else self.buyer_id)
        return self.unit.enter(self.session, home, actor, grants_of(*roles, limit=limit))

    def system(self, tenant: UUID) -> Context:
        self.session.flush()
        return self.unit.enter(self.session, tenant, Actor.system("test"), everything=True)

    def buyer(self, limit: Decimal | None = None) -> Context:
        return self.as_("Wang Fang", "buyer.clerk", limit=limit)

    def approver(self, limit: Decimal | None = None) -> Context:
        return self.as_("Zhao Lei", "buyer.approver", limit=limit)

    def seller(self, limit: Decimal | None = None) -> Context:
        return self.as_("Li Min", "seller.sales", limit=limit)

    def stranger(self) -> Context:
        return self.as_("Nobody", "admin", at=uuid7())

    def set_up(self) -> "Trade":
        """Enterprises, the mode, goods with prices and a thousand of each in stock."""
        ctx = self.system(self.buyer_id)
        tenancy.register_enterprise(
            ctx, name="北方机械有限公司", name_en="North Machines", uscc=BUYER_CODE, kind="manufacturer"
        )
        tenancy.enable_plugin(ctx, "spot", version="1.0.0")
        ctx = self.system(self.seller_id)
        tenancy.register_enterprise(
            ctx, name="江南钢材有限公司", name_en="South Steel", uscc=SELLER_CODE, kind="trader"
        )
        tenancy.enable_plugin(ctx, "spot", version="1.0.0")
        place = stock.add_warehouse(ctx, "W1", "一号库")
        prices = catalog.public_list(ctx)
        for name in ("bar", "plate", "bearing"):
            row = catalog.ProductRow(
                code=name.upper(), name_zh=name, name_en=name, base_uom="t", spec="12×12m"
            )
            self.skus[name] = catalog.add_product(ctx, row).id
        catalog.set_prices(ctx, prices.id, [
            catalog.NewPrice(self.skus[name], D(1), D(price))
            for name, price in (("bar", "100"), ("plate", "250.5"), ("bearing", "36.5"))
        ])  # fmt: skip
        catalog.publish_products(ctx, list(self.skus.values()))
        stock.receive_stock(ctx, [stock.Incoming(sku, place.id, D(1000), "L1") for sku in self.skus.values()])
        return self

    def wish(self, *wanted: tuple[str, str], **more: Any) -> NewOrder:
        """`wish(("bar", "10"), ("plate", "2"))`."""
        chosen = wanted or (("bar", "10"), ("plate", "2"))
        lines = [WantedLine(self.skus[name], D(quantity)) for name, quantity in chosen]
        return NewOrder(self.seller_id, lines, **more)

    def place(self, *wanted: tuple[str, str], **more: Any) -> TradeOrder:
        return orders.place(self.buyer(), self.wish(*wanted, **more))

    def confirmed(self, *wanted: tuple[str, str], **more: Any) -> TradeOrder:
        order = self.place(*wanted, **more)
        return orders.confirm(self.seller(), order.id)

    def shift(self, by: str) -> None:
        """Let the database's clock run ahead inside this transaction."""
        self.session.execute(text("SELECT set_config('ts.clock_shift', :by, true)"), {"by": by})

    def shift_to(self, moment: datetime, micros: int = 0) -> None:
        """Stop the database's clock at a moment: every reading from here on is that very instant."""
        self.session.execute(
            text("SELECT set_config('ts.clock_stop', :at, true)"),
            {"at": moment.isoformat()},
        )

    def stock_of(self, name: str) -> stock.Stock:
        sku = self.skus[name]
        return stock.available(self.system(self.seller_id), [sku])[sku]

    def states(self, order: TradeOrder) -> tuple[str, int]:
        """State and version as the database has them."""
        self.session.flush()
        found = self.session.execute(
            text("SELECT state, version FROM ts.trade_order WHERE id = :id"), {"id": order.id}
        ).one()
        return found.state, found.version

    def move(self, **settings: Any) -> None:
        """Change the buyer's trade settings."""
        tenancy.set_trade_settings(self.system(self.buyer_id), **settings)

    def credit(self, limit: str) -> None:
        tenancy.set_partner(self.system(self.seller_id), self.buyer_id, credit_limit=D(limit))


REFUND = MoneyMove("seller", "buyer", D("1.00"), "refund")

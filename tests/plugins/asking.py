"""A small market for requests: the buyer of the order tests, its seller, and a second one that must never see the first."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from core import catalog, tenancy
from core.kernel import Context, uuid7
from plugins.rfq import reading, service
from plugins.rfq.model import Invitation, Quote, Request
from tests.orders.trade import Trade

D = Decimal
RIVAL_CODE = "91110000802100433B"
BUYING = ("rfq.view", "rfq.request.view", "rfq.request.write", "rfq.award")
SELLING = ("rfq.view", "rfq.quote.view", "rfq.quote.write")


@dataclass
class Market:
    """The trade with the plugin switched on for everybody. `bar` and `plate` are sold by both sellers."""

    trade: Trade
    rival_id: UUID = field(default_factory=uuid7)

    def set_up(self) -> "Market":
        trade = self.trade
        ctx = trade.system(self.rival_id)
        tenancy.register_enterprise(ctx, name="西南金属有限公司", name_en="West Metals", uscc=RIVAL_CODE, kind="trader")
        for name in ("bar", "plate", "bearing"):
            row = catalog.ProductRow(code=f"W-{name.upper()}", name_zh=name, name_en=name, base_uom="t", spec="12×12m")
            catalog.add_product(ctx, row)
        for tenant in (trade.buyer_id, trade.seller_id, self.rival_id):
            tenancy.enable_plugin(trade.system(tenant), "rfq", version="0.1.0")
        return self

    def buyer(self, limit: Decimal | None = None, who: str = "Wang Fang", roles: str = "buyer.clerk") -> Context:
        ctx = self.trade.as_(who, roles, limit=limit)
        ctx.grants = {**ctx.grants, **dict.fromkeys(BUYING), "rfq.award": limit}
        return ctx

    def seller(self) -> Context:
        ctx = self.trade.as_("Li Min", "seller.sales")
        ctx.grants = {**ctx.grants, **dict.fromkeys(SELLING)}
        return ctx

    def rival(self) -> Context:
        ctx = self.trade.as_("Ma Chao", "seller.sales", at=self.rival_id)
        ctx.grants = {**ctx.grants, **dict.fromkeys(SELLING)}
        return ctx

    def wish(self, **more: Any) -> service.NewRequest:
        ctx = self.buyer()
        given: dict[str, Any] = {
            "title": "六月钢材",
            "lines": [
                service.WantedItem("螺纹钢", D(10), "t", "HRB400E 12", self.trade.skus["bar"]),
                service.WantedItem("中厚板 20mm", D(4), "t", "Q235B"),
            ],
            "closes_at": ctx.now + timedelta(days=3),
            "ship_to": "沈阳市铁西区",
            "sellers": (self.trade.seller_id, self.rival_id),
        }
        return service.NewRequest(**{**given, **more})

    def published(self, **more: Any) -> Request:
        drafted = service.draft(self.buyer(), self.wish(**more))
        return service.publish(self.buyer(), drafted.id)

    def invitation(self, request: Request, seller_id: UUID | None = None) -> Invitation:
        ctx = self.trade.system(self.trade.buyer_id)
        return next(
            each
            for each in ctx.session.query(Invitation).filter_by(request_id=request.id)
            if each.seller_id == (seller_id or self.trade.seller_id)
        )

    def offer(self, bar: str | None = "95", plate: str | None = "240", *, rival: bool = False, **more: Any) -> service.NewQuote:
        """Prices of a ton, VAT included; None leaves a line out."""
        prefix = "W-" if rival else ""
        lines = [
            service.Offered(no, f"{prefix}{code}", D(price))
            for no, code, price in ((1, "BAR", bar), (2, "PLATE", plate))
            if price is not None
        ]
        ctx = self.trade.system(self.trade.seller_id)
        given: dict[str, Any] = {"lines": lines, "valid_until": ctx.now + timedelta(days=14), **more}
        return service.NewQuote(**given)

    def quoted(
        self, request: Request, bar: str | None = "95", plate: str | None = "240", *, rival: bool = False, **more: Any
    ) -> Quote:
        invitation = self.invitation(request, self.rival_id if rival else None)
        new = self.offer(bar, plate, rival=rival, **more)
        return service.quote(self.rival() if rival else self.seller(), invitation.id, new)

    def line(self, quote: Quote, no: int, option: int = 0) -> UUID:
        """The id of a quoted line, as its seller knows it."""
        ctx = self.trade.system(quote.seller_id)
        found = next(each for each in reading.versions(ctx, quote.invitation_id) if each.id == quote.id)
        return next(line.id for line in found.lines if (line.line_no, line.option) == (no, option))

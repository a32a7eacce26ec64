"""One whole trade, step by step over the public API: each line says who did what and what is true afterwards."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.app import Installation
from core.config import Config
from core.db import Database
from core.demo.desk import Desk, Wrong
from core.demo.enterprises import enterprises
from core.demo.load import PASSWORD
from core.demo.wiring import wire_kingdee
from core.demo.world import BUYER, SELLER, ids_of, logins

PATIENCE = 60.0  # seconds for the ERP to take an order
Tell = Callable[..., None]


def play(config: Config, portal: str, simulator: str, tell: Any) -> dict[str, Any]:
    """Wire the seller's ERP, then buy, deliver, bill and pay. Answers the facts; raises `Wrong` when a step fails."""
    house = Installation(config, Database(config.url("app"), pool_size=2))
    try:
        wire_kingdee(house, config, ids_of(config), simulator)
    finally:
        house.database.dispose()
    tell("The seller's Kingdee is wired", address=simulator)
    trade = Trade(portal, simulator, tell, str(ids_of(config)[SELLER]))
    for step in (
        trade.look_around, trade.order, trade.approve, trade.confirm, trade.reach_the_erp,
        trade.ship_first, trade.ship_second, trade.close_short, trade.invoice, trade.pay, trade.finish, trade.presell,
    ):  # fmt: skip
        step()
    return {"order": trade.facts, "logins": logins(config)}


class Trade:
    """The people of the trade at their desks, and what they learn on the way."""

    def __init__(self, portal: str, simulator: str, tell: Tell, seller_id: str) -> None:
        people = {each.key: each for each in enterprises()}

        def desk(company: str, role: str) -> Desk:
            return Desk(portal, people[company].person(role).email, PASSWORD)

        self.tell, self.simulator, self.seller_id = tell, simulator, seller_id
        self.clerk, self.approver = desk(BUYER, "buyer.clerk"), desk(BUYER, "buyer.approver")
        self.goods_in, self.payables = desk(BUYER, "buyer.warehouse"), desk(BUYER, "buyer.finance")
        self.sales, self.warehouse = desk(SELLER, "seller.planner"), desk(SELLER, "seller.warehouse")
        self.receivables = desk(SELLER, "seller.finance")
        self.facts: dict[str, Any] = {}
        self.skus: list[dict[str, Any]] = []
        self.id = ""

    def look_around(self) -> None:
        wanted = (("25 HRB400E", "t"), ("6204", "pcs"), ("6308", "pcs"))
        for words, unit in wanted:
            found = self.clerk.get("/listings", q=words, limit=20)["rows"]
            mine = [
                each for each in found if each["seller_id"] == self.seller_id and each["base_uom"] == unit
            ]
            if not mine:
                raise Wrong(f"the catalogue has no {words}")
            self.skus.append(mine[0])
        self.facts["stock_before"] = self._stock()
        self.facts["ledger_before"] = self._balances()
        self.tell(
            f"{self.clerk.name} (buyer) finds three articles",
            articles=[each["code"] for each in self.skus],
            stock_free=self.facts["stock_before"],
        )

    def order(self) -> None:
        lines = [
            {"sku_id": sku["sku_id"], "quantity": quantity}
            for sku, quantity in zip(self.skus, ("64", "120", "40"), strict=True)
        ]
        placed = self.clerk.post(
            "/orders",
            {
                "seller_id": self.seller_id,
                "lines": lines,
                "buyer_po": f"PO-{int(time.time())}",
                "ship_to": "吴江厂区收货点",
            },
        )
        self.id = placed["id"]
        self.facts["total"] = placed["total"]
        self.tell(f"{self.clerk.name} places the order", total=placed["total"], state=placed["state"])

    def approve(self) -> None:
        if self._order()["state"] == "pending_approval":
            answer = self.approver.post(f"/orders/{self.id}/approve")
            self.tell(
                f"{self.approver.name} approves: above the threshold a second person must",
                state=answer["state"],
            )

    def confirm(self) -> None:
        answer = self.sales.post(f"/orders/{self.id}/confirm")
        self.facts["number"] = answer["number"]
        self.tell(
            f"{self.sales.name} (seller) confirms",
            number=answer["number"],
            state=answer["state"],
            stock_free=self._stock(),
        )

    def reach_the_erp(self) -> None:
        """Wait until exactly one sales order stands in Kingdee, audited, under our number."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            bills = self._in_kingdee()
            if len(bills) == 1 and bills[0]["status"] == "C":
                self.facts["kingdee_number"] = bills[0]["number"]
                self.tell("The order stands in Kingdee, once, audited", kingdee_number=bills[0]["number"])
                return
            if len(bills) > 1:
                raise Wrong(f"{len(bills)} documents in Kingdee for {self.facts['number']}")
            time.sleep(0.2)
        raise Wrong(f"Kingdee has no audited order for {self.facts['number']} after {PATIENCE:.0f} s")

    def ship_first(self) -> None:
        self._ship({0: "35", 1: "120"}, "first", rejected={1: "0"})

    def ship_second(self) -> None:
        self._ship({0: "29", 2: "38"}, "second", rejected={})

    def close_short(self) -> None:
        line = self._order()["lines"][2]
        self.clerk.post(
            f"/orders/{self.id}/short-close", {"line_id": line["id"], "reason": "只到 38 件，余量不再需要"}
        )
        self.sales.post(f"/orders/{self.id}/short-close", {"line_id": line["id"], "reason": "同意"})
        self.tell(
            "Both sides close the short line",
            ordered=line["quantity"],
            received=line["received"],
            state=self._order()["state"],
        )

    def invoice(self) -> None:
        made = self.receivables.post(f"/orders/{self.id}/invoices")
        self.facts["invoice"] = {"id": made["id"], "number": made["number"], "total": made["total"]}
        self.tell(
            f"{self.receivables.name} invoices what was accepted",
            invoice=made["number"],
            total=made["total"],
            due=made.get("due_on"),
        )

    def pay(self) -> None:
        invoice = self.facts["invoice"]
        paid = Decimal(invoice["total"]) - Decimal("0.50")
        announced = self.payables.post(
            f"/invoices/{invoice['id']}/payments",
            {"amount": str(paid), "bank_ref": f"ICBC-{int(time.time())}"},
        )
        self.tell(f"{self.payables.name} pays, fifty fen less than asked", amount=str(paid))
        self.receivables.post(f"/payments/{announced['id']}/confirm")
        self.receivables.post(f"/invoices/{invoice['id']}/write-off", {"reason": "尾差"})
        self.tell(f"{self.receivables.name} confirms the money and writes off 0.50")

    def finish(self) -> None:
        order = self._order()
        if order["state"] != "completed":
            raise Wrong(f"the order is {order['state']} and not completed")
        self.facts["state"] = order["state"]
        self.facts["stock_after"] = self._stock()
        self.facts["ledger_after"] = self._balances()
        self.tell(
            "The order is completed; every figure ties",
            stock_free=self.facts["stock_after"],
            money_before=self.facts["ledger_before"],
            money_after=self.facts["ledger_after"],
        )

    def _ship(self, quantities: Mapping[int, str], which: str, rejected: Mapping[int, str]) -> None:
        lines = self._order()["lines"]
        portions = [
            {"line_id": lines[index]["id"], "quantity": quantity} for index, quantity in quantities.items()
        ]
        shipment = self.warehouse.post(
            f"/orders/{self.id}/shipments",
            {"lines": portions, "carrier": "华东物流", "waybill": f"HD-{which}-{int(time.time())}"},
        )
        self.tell(f"{self.warehouse.name} ships the {which} part", shipment=shipment["number"])
        counts = [
            {"line_id": lines[index]["id"], "received": quantity, "rejected": rejected.get(index, "0")}
            for index, quantity in quantities.items()
        ]
        receipt = self.goods_in.post(f"/shipments/{shipment['id']}/receipts", {"lines": counts})
        self.tell(
            f"{self.goods_in.name} counts it in", receipt=receipt["number"], state=self._order()["state"]
        )

    def presell(self) -> None:
        """Something to reserve: the seller offers next month's rebar before it has it."""
        if self.sales.get("/presale/offers", side="own", state="open")["offers"]:
            return
        now = datetime.now(UTC)
        offer = self.sales.post(
            "/presale/offers",
            {
                "title": "下月螺纹钢预售",
                "opens_at": now.isoformat(),
                "closes_at": (now + timedelta(days=10)).isoformat(),
                "balance_opens": (now + timedelta(days=20)).isoformat(),
                "balance_closes": (now + timedelta(days=25)).isoformat(),
                "ship_by": (now + timedelta(days=60)).date().isoformat(),
                "min_total": "300",
                "max_total": "1500",
                "items": [{"code": self.skus[0]["code"], "unit_price": "3480.00"}],
            },
        )
        self.tell(f"{self.sales.name} publishes a presale", number=offer["number"], at_least="300 t", at_most="1500 t")

    def _order(self) -> dict[str, Any]:
        found: dict[str, Any] = self.clerk.get(f"/orders/{self.id}")
        return found

    def _stock(self) -> dict[str, str]:
        found = {}
        for sku in self.skus:
            rows = self.sales.get("/stock", q=sku["code"])["rows"]
            found[sku["code"]] = str(
                sum((Decimal(row["free"]) for row in rows if row["code"] == sku["code"]), Decimal(0))
            )
        return found

    def _balances(self) -> dict[str, str]:
        accounts = self.receivables.get("/ledger/accounts")["items"]
        return {each["code"]: each["balance"] for each in accounts if Decimal(each["balance"])}

    def _in_kingdee(self) -> list[dict[str, Any]]:
        """What stands in the ERP under our number, read past our own books: from the simulator's state."""
        answer = self.sales.http.get(f"{self.simulator}/_sim/state?form=SAL_SaleOrder", timeout=10).json()
        bills = answer["documents"].get("SAL_SaleOrder", [])
        return [
            {"number": bill["number"], "status": bill["head"].get("FDocumentStatus")}
            for bill in bills
            if self.facts["number"] in (bill["number"], *map(str, bill["head"].values()))
        ]

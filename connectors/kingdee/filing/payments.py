"""Payments: money received in the seller's books, money paid in the buyer's. A line says which of our invoices it settles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.kingdee.client import Client, literal
from connectors.kingdee.filing.bills import BillFiling
from connectors.kingdee.filing.partners import CUSTOMERS, SUPPLIERS, number_of_partner
from connectors.kingdee.filing.shape import Shape
from connectors.kingdee.mapping import (
    CUSTOMER,
    MARK,
    PAY_BILL,
    RECEIVE_BILL,
    SALES_ORDER,
    SUPPLIER,
    SiteMapping,
)
from connectors.kingdee.streams import Payments as Stream
from tongshang.connect import Ambiguous, Bill, Filing, Found, Lookup, MoneyOut, RemoteLine, SyncError

AHEAD, SETTLING = "ahead", "invoice"
ONE = Decimal(1)
REMARK = 250  # characters


class Money(BillFiling):
    """What money received and money paid have in common."""

    direction = ""

    def _parts(self, money: MoneyOut) -> list[tuple[str, str, Decimal]]:
        """What each line settles: purpose, text, amount. What no invoice takes is paid ahead."""
        parts = [(SETTLING, part.number, part.amount) for part in money.invoices if part.amount]
        rest = money.total - sum((amount for _, _, amount in parts), Decimal(0))
        if rest or not parts:
            parts.append((AHEAD, money.order_reference or money.reference, rest))
        return parts

    def _lines(
        self, money: MoneyOut, more: dict[str, Any]
    ) -> tuple[tuple[RemoteLine, ...], list[dict[str, Any]]]:
        site = self.site
        lines, entries = [], []
        for purpose, text, amount in self._parts(money):
            entry: dict[str, Any] = {
                "FEntryID": 0,
                "FSETTLETYPEID": {"FNumber": site.settle_type},
                "FPURPOSEID": {"FNumber": site.purposes[f"{self.direction}.{purpose}"]},
                self.shape.amount: amount,
                **({"FACCOUNTID": {"FNumber": site.bank_account}} if site.bank_account else {}),
                self.shape.item: text,
                **more,
            }
            lines.append(RemoteLine(text, ONE, "", amount, amount))
            entries.append(entry)
        return tuple(lines), entries

    def _remark(self, money: MoneyOut) -> str:
        return " ".join(filter(None, (MARK, money.bank_ref, money.note)))[:REMARK]


class Received(Money):
    """`AR_RECEIVEBILL`. Money for an order bears the number of the order there, by which the stream knows it again."""

    direction = "in"

    def shaped(self, site: SiteMapping) -> Shape:
        return Shape(
            form=RECEIVE_BILL,
            partner="FCONTACTUNIT.FNumber",
            currency="FCURRENCYID.FNumber",
            entry="FRECEIVEBILLENTRY",
            item="FCOMMENT",
            amount=site.fields["prepayment.amount"],
            house="FPAYORGID",
            day="FDATE",
            mark="FREMARK",
        )

    def referred(self, site: SiteMapping) -> str:
        return site.fields["payment.reference"]

    def remote_id(self, id: str) -> str:
        return Stream(self.client, self.site).comes_back_as(int(id))

    def bill(self, money: MoneyOut, lookup: Lookup) -> Bill:
        site = self.site
        customer, learned = number_of_partner(self.client, site, CUSTOMERS, money, lookup, "FCONTACTUNIT")
        currency = self._currency(money.currency)
        order = self._order(money.order_reference)
        lines, entries = self._lines(money, {site.fields["prepayment.order"]: order} if order else {})
        here = {"FNumber": site.organisation}
        body = {
            "FID": 0,
            "FBillTypeID": {"FNUMBER": site.bill_types["payment"]},
            self.reference: money.reference,
            "FDATE": money.paid_on.isoformat(),
            "FCONTACTUNITTYPE": CUSTOMER,
            "FCONTACTUNIT": {"FNumber": customer},
            "FPAYUNITTYPE": CUSTOMER,
            "FPAYUNIT": {"FNumber": customer},
            "FCURRENCYID": {"FNumber": currency},
            "FPAYORGID": here,
            "FSETTLEORGID": here,
            "FSALEORGID": here,
            "FREMARK": self._remark(money),
            "FRECEIVEBILLENTRY": entries,
        }
        return Bill(money.reference, customer, currency, money.total, lines, body, learned)

    def _order(self, reference: str) -> str:
        """The number there of a sales order of ours; "" when it is not there."""
        if not reference or self.site.reference == "FBillNo":
            return reference
        where = f"{self.site.reference} = {literal(reference)}"
        rows = self.client.query(SALES_ORDER, ("FBillNo",), where, "FID ASC", limit=1)
        return str(rows[0][0]) if rows else ""


class Paid(Money):
    """`AP_PAYBILL`. Ids of two forms may be the same number, so ours say which form it is."""

    direction = "out"

    def shaped(self, site: SiteMapping) -> Shape:
        return Shape(
            form=PAY_BILL,
            partner="FCONTACTUNIT.FNumber",
            currency="FCURRENCYID.FNumber",
            entry="FPAYBILLENTRY",
            item="FCOMMENT",
            amount="FPAYTOTALAMOUNTFOR",
            house="FPAYORGID",
            day="FDATE",
            mark="FREMARK",
        )

    def referred(self, site: SiteMapping) -> str:
        return site.fields["payout.reference"]

    def remote_id(self, id: str) -> str:
        return f"{PAY_BILL}/{id}"

    def id_of(self, found: Found) -> str:
        return found.remote_id.rpartition("/")[2]

    def bill(self, money: MoneyOut, lookup: Lookup) -> Bill:
        site = self.site
        supplier, learned = number_of_partner(self.client, site, SUPPLIERS, money, lookup, "FCONTACTUNIT")
        currency = self._currency(money.currency)
        order = site.fields["payout.order"]
        lines, entries = self._lines(
            money, {order: money.order_reference} if order and money.order_reference else {}
        )
        here = {"FNumber": site.organisation}
        body = {
            "FID": 0,
            "FBillTypeID": {"FNUMBER": site.bill_types["payout"]},
            self.reference: money.reference,
            "FDATE": money.paid_on.isoformat(),
            "FCONTACTUNITTYPE": SUPPLIER,
            "FCONTACTUNIT": {"FNumber": supplier},
            "FRECTUNITTYPE": SUPPLIER,
            "FRECTUNIT": {"FNumber": supplier},
            "FCURRENCYID": {"FNumber": currency},
            "FPAYORGID": here,
            "FSETTLEORGID": here,
            "FPURCHASEORGID": here,
            "FREMARK": self._remark(money),
            "FPAYBILLENTRY": entries,
        }
        return Bill(money.reference, supplier, currency, money.total, lines, body, learned)


class Payments(Filing):
    """Both directions: by its direction a payment becomes one bill or the other, and its reference is looked for in both."""

    def __init__(self, client: Client, site: SiteMapping) -> None:
        self.received, self.paid = Received(client, site), Paid(client, site)

    def bill(self, money: MoneyOut, lookup: Lookup) -> Bill:
        return (self.received if money.direction == "in" else self.paid).bill(money, lookup)

    def find(self, reference: str) -> Found | None:
        found = [each for side in (self.received, self.paid) if (each := side.find(reference))]
        if len(found) > 1:
            raise Ambiguous("kingdee.reference_twice", f"{reference}: {found[0].number}, {found[1].number}")
        return found[0] if found else None

    def count(self, reference: str) -> int:
        return self.received.count(reference) + self.paid.count(reference)

    def tally(self, day: date) -> list[tuple[str, Decimal, bool]]:
        return [each for side in (self.received, self.paid) for each in side.tally(day) or ()]

    def send(self, bill: Bill, found: Found | None) -> Found:
        side = self.paid if self.paid.shape.entry in bill.body else self.received
        if found is not None and self._side(found) is not side:
            # The same reference in the other direction is somebody else's money.
            raise Ambiguous("kingdee.reference_twice", f"{bill.reference}: {found.number}")
        return side.send(bill, found)

    def send_many(self, bills: Sequence[Bill]) -> Sequence[Found | SyncError]:
        """Each direction in a call of its own."""
        told: dict[int, Found | SyncError] = {}
        for side in (self.received, self.paid):
            mine = [no for no, bill in enumerate(bills) if side.shape.entry in bill.body]
            try:
                answers = side.send_many([bills[no] for no in mine]) if mine else []
            except SyncError as error:  # the other direction may be there already
                answers = [error] * len(mine)
            told |= dict(zip(mine, answers, strict=True))
        return [told[no] for no in range(len(bills))]

    def cancel(self, found: Found) -> Found:
        return self._side(found).cancel(found)

    def _side(self, found: Found) -> Money:
        return self.paid if found.remote_id.startswith(f"{PAY_BILL}/") else self.received

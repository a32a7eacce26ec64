"""Kingdee as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

import requests

from connectors.kingdee.client import (
    Account,
    Client,
    Credentials,
    LoginBySecret,
    LoginBySign,
    Password,
    SignedHeaders,
    literal,
)
from connectors.kingdee.filing import KINDS, filing, forms
from connectors.kingdee.mapping import COUNT, MATERIAL, SiteMapping
from connectors.kingdee.streams import (
    Deliveries,
    Invoices,
    Keyed,
    Materials,
    Partners,
    Payments,
    Prices,
    Receipts,
    Stocks,
    Units,
)
from tongshang.connect import (
    Access,
    Bill,
    CallerLink,
    Connector,
    Filing,
    FixSettings,
    Found,
    Lookup,
    OrderOut,
    Rejected,
    Setting,
    Step,
    Stream,
    SyncError,
    looked_at,
)

STREAMS: tuple[type[Keyed] | type[Stocks], ...] = (
    Units,
    Partners,
    Materials,
    Prices,
    Stocks,
    Deliveries,
    Receipts,
    Invoices,
    Payments,
)


class KingdeeLink(CallerLink):
    """One account in one data centre, working for one organisation."""

    def __init__(self, client: Client, mapping: SiteMapping) -> None:
        self.caller = client
        self.client = client
        self.mapping = mapping

    def filing(self, kind: str) -> Filing:
        return filing(kind, self.client, self.mapping)

    @property
    def sales(self) -> Filing:
        return self.filing("sales_order")

    def bill(self, document: OrderOut, lookup: Lookup) -> Bill:
        return self.sales.bill(document, lookup)

    def find(self, reference: str) -> Found | None:
        return self.sales.find(reference)

    def send(self, bill: Bill, found: Found | None) -> Found:
        return self.sales.send(bill, found)

    def send_many(self, bills: Sequence[Bill]) -> Sequence[Found | SyncError]:
        return self.sales.send_many(bills)

    def cancel(self, found: Found) -> Found:
        return self.sales.cancel(found)

    def stream(self, key: str) -> Stream:
        kinds = {kind.key: kind for kind in STREAMS}
        return kinds[key](self.client, self.mapping)

    def close(self) -> None:
        self.client.http.close()


class Kingdee(Connector):
    """K/3 Cloud over its WebAPI, one connection per data centre and organisation."""

    key: ClassVar[str] = "kingdee"
    title: ClassVar[str] = "Kingdee K/3 Cloud"
    summary: ClassVar[str] = (
        "Sales and purchase orders, receipts and payments out; base data, prices, stock, deliveries, invoices and "
        "payments in"
    )
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("acct_id", "Data centre id", required=True, hint="As GetDataCenterList shows it"),
        Setting("username", "User", required=True, hint="A user of its own, with rights on what is filed"),
        Setting(
            "way",
            "Way to sign in",
            kind="choice",
            required=True,
            default="signed",
            choices=(
                ("signed", "Application, every call signed"),
                ("sign", "Application, signed login"),
                ("secret", "Application, login with its secret"),
                ("password", "User and password"),
            ),
        ),
        Setting("app_id", "Application id", hint="As shown under third-party system login"),
        Setting("app_secret", "Application secret", kind="secret"),
        Setting("password", "Password", kind="secret"),
        Setting("saler", "Salesperson number", hint="Stands on every sales order from the platform"),
        Setting("bill_type", "Bill type", default="XSDD01_SYS"),
        Setting(
            "purchaser", "Purchaser number", hint="Stands on purchase orders, where Kingdee asks for one"
        ),
        Setting("warehouse", "Warehouse of receipts", hint="Number of the warehouse goods are counted into"),
        Setting(
            "receipt_rule",
            "Conversion rule of receipts",
            default="PUR_PurchaseOrder-STK_InStock",
            hint="By it a receipt hangs on its purchase order",
        ),
        Setting("settle_type", "Way of settlement", default="JSFS04_SYS", hint="Stands on payments"),
        Setting("bank_account", "Own bank account", hint="Number of the account payments are booked on"),
        Setting(
            "bill_types",
            "Further bill types",
            kind="pairs",
            hint="Only where they differ, one a line: purchase=CGDD01_SYS",
        ),
        Setting(
            "purposes",
            "Purposes of payments",
            kind="pairs",
            hint="Only where they differ, one a line: in.ahead=SFKYT02_SYS",
        ),
        Setting(
            "undo",
            "What becomes of a bill taken back",
            kind="choice",
            default="void",
            choices=(("void", "It is void"), ("delete", "It is deleted")),
        ),
        Setting(
            "count",
            "Field that counts rows",
            default=COUNT,
            hint="Asked once a run to show how far it is; leave empty where Kingdee refuses it",
        ),
        Setting("lcid", "Language id", kind="number", default="2052"),
        Setting("units", "Units", kind="pairs", hint="Only where they differ, one a line: pcs=Pcs"),
        Setting(
            "currencies", "Currencies", kind="pairs", hint="Only where they differ, one a line: CNY=PRE001"
        ),
        Setting(
            "fields",
            "Own fields",
            kind="pairs",
            hint="Only where they differ, one a line: delivery.order=F_PAEZ_Text",
        ),
        Setting(
            "foreign",
            "Bills of orders that are not from the platform",
            kind="choice",
            default="leave",
            choices=(("leave", "Leave them"), ("list", "List them as left out")),
        ),
    )
    streams: ClassVar[tuple[type[Stream], ...]] = STREAMS
    documents: ClassVar[tuple[str, ...]] = tuple(KINDS)
    together: ClassVar[int] = 10
    unique_reference: ClassVar[bool] = True
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=10)

    def open(self, access: Access, http: requests.Session) -> KingdeeLink:
        return KingdeeLink(self._client(access, http), SiteMapping(access))

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        looks = (
            ("service", self._look_for_data_centre),
            ("login", self._look_at_login),
            ("organisation", self._look_for_organisation),
            ("read", self._look_at_fields),
        )
        yield from looked_at(
            http, access.base_url, ((name, partial(look, access, http)) for name, look in looks)
        )

    def demo_values(self) -> Mapping[str, str]:
        from connectors.kingdee.simulator import DEMO_ACCOUNT  # only the demo needs the simulator

        return {
            "way": "signed",
            "acct_id": DEMO_ACCOUNT.acct_id,
            "username": "通商集成",
            "app_id": DEMO_ACCOUNT.app_id,
            "app_secret": DEMO_ACCOUNT.app_secret,
            "saler": "XS01",
            "warehouse": "CK001",
            "bank_account": "6222020200112345678",
        }

    def _look_for_data_centre(self, access: Access, http: requests.Session) -> str:
        centres = {
            str(row.get("Id")): str(row.get("Name")) for row in self._client(access, http).data_centres()
        }
        if centres and access["acct_id"] not in centres:
            there = ", ".join(f"{id} {name}" for id, name in centres.items())
            raise FixSettings("kingdee.data_centre_missing", there)
        return centres.get(access["acct_id"], "")

    def _look_at_login(self, access: Access, http: requests.Session) -> str:
        client = self._client(access, http)
        client.sign_in()
        client.query("BD_Currency", ["FNumber"], limit=1)
        return access["username"]

    def _look_for_organisation(self, access: Access, http: requests.Session) -> str:
        if not access.organisation:
            raise FixSettings(
                "kingdee.organisation_missing", "the number of the sales organisation is missing"
            )
        where = f"FNumber = {literal(access.organisation)}"
        rows = self._client(access, http).query("ORG_Organizations", ["FNumber", "FName"], where)
        if not rows:
            raise FixSettings("kingdee.organisation_missing", access.organisation)
        return str(rows[0][1])

    def _look_at_fields(self, access: Access, http: requests.Session) -> Step:
        client = self._client(access, http)
        rows = client.query(MATERIAL, ["FNumber"], "FDocumentStatus = 'C'", "FMATERIALID ASC", limit=1)
        first = str(rows[0][0]) if rows else ""
        shut = list(self._without(client, SiteMapping(access)))
        said = "; ".join(filter(None, (first, *(f"{key} {why}" for key, why in shut))))
        return Step("read", True, said, tuple(dict.fromkeys(key for key, _why in shut)))

    @staticmethod
    def _without(client: Client, mapping: SiteMapping) -> Iterator[tuple[str, str]]:
        """What cannot flow on this site, and why: no such form, no right to it, a field or a setting that is not there."""
        if not mapping.saler:
            yield "sales_order", "(SAL_SaleOrder): the number of the salesperson is missing"
        looks: list[tuple[str, str, Callable[[], None]]] = [
            *((kind, put.shape.form, put.look) for kind, put in forms(client, mapping)),
            *((kind.key, kind.form, kind(client, mapping).look) for kind in STREAMS),
        ]
        for key, form, look in looks:
            try:
                look()
            except (Rejected, FixSettings) as error:
                yield key, f"({form}): {error.message}"

    @staticmethod
    def _client(access: Access, http: requests.Session) -> Client:
        org = access.organisation
        account = Account(
            base_url=access.base_url,
            acct_id=access["acct_id"],
            username=access["username"],
            lcid=int(access["lcid"] or 2052),
            org=org if org.isdecimal() else "0",
        )
        return Client(http, account, _credentials(access))


def _credentials(access: Access) -> Credentials:
    way = access["way"] or "signed"
    needed = ("password",) if way == "password" else ("app_id", "app_secret")
    for key in needed:
        if not access[key]:
            raise FixSettings("kingdee.credentials_missing", f"{key} is missing for this way to sign in")
    if way == "password":
        return Password(access["password"])
    app_id, secret = access["app_id"], access["app_secret"]
    if way == "secret":
        return LoginBySecret(app_id, secret)
    return LoginBySign(app_id, secret) if way == "sign" else SignedHeaders(app_id, secret)

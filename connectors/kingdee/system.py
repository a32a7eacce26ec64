"""Kingdee as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import requests

from connectors.kingdee.client import (
    Account,
    Client,
    Credentials,
    LoginBySign,
    Password,
    SignedHeaders,
    literal,
)
from connectors.kingdee.mapping import (
    AUDITED,
    CUSTOMER,
    IN_AUDIT,
    MATERIAL,
    ORDER_BY,
    ORDER_FIELDS,
    SALES_ORDER,
    SiteMapping,
)
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
    FixSettings,
    Found,
    Lookup,
    OrderOut,
    Rejected,
    Setting,
    Step,
    Stream,
    SyncError,
    Uncertain,
    differences,
    looked_at,
)

NUMBER_TAKEN = "已存在"


class KingdeeLink(CallerLink):
    """One account in one data centre, working for one organisation."""

    def __init__(self, client: Client, mapping: SiteMapping) -> None:
        self.caller = client
        self.client = client
        self.mapping = mapping

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        learned: dict[tuple[str, str], str] = {}
        customer = lookup("partner", order.partner_id)
        if customer is None:
            customer = self._customer(order)
            learned["partner", str(order.partner_id)] = customer
        return self.mapping.bill(order, customer, lambda sku: lookup("product", sku), learned)

    def _customer(self, order: OrderOut) -> str:
        """The one customer with the buyer's tax code."""
        where = f"FTAXREGISTERCODE = {literal(order.partner_code)} and FDocumentStatus = 'C'"
        if self.mapping.organisation:
            where += f" and FUseOrgId.FNumber = {literal(self.mapping.organisation)}"
        rows = (
            self.client.query(CUSTOMER, ["FNumber"], where, "FCUSTID ASC", limit=2)
            if order.partner_code
            else []
        )
        if not rows:
            said = f"{order.partner_name} ({order.partner_code})"
            raise Rejected("kingdee.customer_missing", said, field="FCustId")
        if len(rows) > 1:
            said = f"{order.partner_code}: {rows[0][0]}, {rows[1][0]}"
            raise Rejected("kingdee.customer_ambiguous", said, field="FCustId")
        return str(rows[0][0])

    def find(self, reference: str) -> Found | None:
        return self._look(self.mapping.reference, reference)

    def _look(self, field: str, value: str) -> Found | None:
        where = f"{field} = {literal(value)}"
        rows = self.client.query(SALES_ORDER, ORDER_FIELDS, where, ORDER_BY)
        return self.mapping.found(rows)

    def send(self, bill: Bill, found: Found | None) -> Found:
        status = found.status if found else ""
        id = found.remote_id if found else ""
        if found is None or differences(bill, found):
            body = bill.body
            if found is not None:
                status = self._open(found)
                body = {**self._lines_kept(bill.body, found), "FID": int(found.remote_id)}
            id = self._save(body)
            status = status or "A"
        if status != AUDITED:
            if status != IN_AUDIT:
                self.client.submit(SALES_ORDER, id=id)
            self.client.audit(SALES_ORDER, id=id)
        return self._there(bill.reference)

    def cancel(self, found: Found) -> Found:
        self._open(found)
        self.client.operate(SALES_ORDER, "Cancel", id=found.remote_id)
        return self._there(found.number, "FBillNo")

    def _lines_kept(self, body: Mapping[str, Any], found: Found) -> dict[str, Any]:
        """The body with the ids of the lines that stay: a line sent without its id would be another line there."""
        keys = ("FSaleOrderEntry_FEntryID", "FMaterialId.FNumber", "FEntryNote")
        rows = self.client.query(SALES_ORDER, keys, f"FID = {int(found.remote_id)}", f"{keys[0]} ASC")
        there = {(str(material), str(note or "").strip()): id for id, material, note in rows}
        entries = [
            {**entry, "FEntryID": there.pop((entry["FMaterialId"]["FNumber"], entry["FEntryNote"]), 0)}
            for entry in body["FSaleOrderEntry"]
        ]
        return {**body, "FSaleOrderEntry": entries}

    def _save(self, model: Mapping[str, Any]) -> str:
        """The id it has there."""
        try:
            return self.client.save(SALES_ORDER, model).id
        except Rejected as refused:
            if refused.field == "FBillNo" or NUMBER_TAKEN in refused.message:
                raise Uncertain("kingdee.number_taken", refused.message) from refused
            raise

    def _open(self, found: Found) -> str:
        """Bring a document back to where it can be edited; its status then."""
        if found.status == IN_AUDIT:
            self.client.audit(SALES_ORDER, id=found.remote_id)
        if found.status in (IN_AUDIT, AUDITED):
            self.client.unaudit(SALES_ORDER, id=found.remote_id)
            return "D"
        return found.status

    def _there(self, reference: str, field: str = "") -> Found:
        try:
            found = self._look(field or self.mapping.reference, reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if found is None:
            raise Uncertain("kingdee.vanished", f"{reference} was saved and cannot be found")
        return found

    def stream(self, key: str) -> Stream:
        kinds = {kind.key: kind for kind in Kingdee.streams}
        return kinds[key](self.client, self.mapping)  # type: ignore[call-arg]

    def close(self) -> None:
        self.client.http.close()


class Kingdee(Connector):
    """K/3 Cloud over its WebAPI, one connection per data centre and organisation."""

    key: ClassVar[str] = "kingdee"
    title: ClassVar[str] = "Kingdee K/3 Cloud"
    summary: ClassVar[str] = (
        "Sales orders out; base data, prices, stock, deliveries, invoices and payments in"
    )
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("acct_id", "Data centre id", required=True, hint="As GetDataCenterList shows it"),
        Setting("username", "User", required=True, hint="A user of its own, with rights on sales orders"),
        Setting(
            "way",
            "Way to sign in",
            kind="choice",
            required=True,
            default="signed",
            choices=(
                ("signed", "Application, every call signed"),
                ("sign", "Application, signed login"),
                ("password", "User and password"),
            ),
        ),
        Setting("app_id", "Application id", hint="As shown under third-party system login"),
        Setting("app_secret", "Application secret", kind="secret"),
        Setting("password", "Password", kind="secret"),
        Setting("saler", "Salesperson number", required=True, hint="Stands on every order from the platform"),
        Setting("bill_type", "Bill type", default="XSDD01_SYS"),
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
    streams: ClassVar[tuple[type[Stream], ...]] = (
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

    def _look_at_fields(self, access: Access, http: requests.Session) -> str:
        client = self._client(access, http)
        client.query(SALES_ORDER, ORDER_FIELDS, "", ORDER_BY, limit=1)
        rows = client.query(MATERIAL, ["FNumber"], "FDocumentStatus = 'C'", "FMATERIALID ASC", limit=1)
        first = str(rows[0][0]) if rows else ""
        return "; ".join(filter(None, (first, *self._without(client, SiteMapping(access)))))

    @staticmethod
    def _without(client: Client, mapping: SiteMapping) -> Iterator[str]:
        """Streams that cannot flow on this site, and why: no such form, no right to it, a field that is not there."""
        for kind in Kingdee.streams:
            if not issubclass(kind, Keyed):
                continue
            stream = kind(client, mapping)
            try:
                client.query(
                    stream.form,
                    tuple(dict.fromkeys((stream.pk, *stream.needs()))),
                    "",
                    f"{stream.pk} ASC",
                    limit=1,
                )
            except (Rejected, FixSettings) as error:
                yield f"{kind.key} ({stream.form}): {error.message}"

    @staticmethod
    def _client(access: Access, http: requests.Session) -> Client:
        org = access.organisation
        account = Account(
            base_url=access.base_url,
            acct_id=access["acct_id"],
            username=access["username"],
            lcid=int(access["lcid"] or 2052),
            org=int(org) if org.isdecimal() else 0,
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
    kind = LoginBySign if way == "sign" else SignedHeaders
    return kind(access["app_id"], access["app_secret"])

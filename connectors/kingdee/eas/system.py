"""EAS as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import ClassVar

import requests

from connectors.kingdee.eas.facade import ERRORS, OPERATIONS, Facade, Names
from connectors.kingdee.eas.mapping import SiteMapping
from connectors.kingdee.eas.session import LOGIN, Account, Session
from connectors.kingdee.eas.soap import PATIENCE, Service, Wire
from connectors.kingdee.eas.streams import Customers, Materials, Stocks
from connectors.kingdee.eas.wsdls import FACADE, facade_wsdl, login_wsdl
from tongshang.connect import (
    Access,
    Ambiguous,
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

LOGIN_PATH, FACADE_PATH = "/ormrpc/services/EASLogin", f"/ormrpc/services/{FACADE}"
NEEDED = ("import", "query", "submit", "audit", "unaudit", "cancel", "customers")  # to send orders at all
LISTS = {"materials": "products", "customers": "partners", "stock": "stock"}  # and the streams they feed
NAMESAKES = 20  # customers with one tax number that are looked at: all but one may be out of use
NOBODY = "TS-CHECK-0"  # a number that no order of ours has


class EasLink(CallerLink):
    """One user in one data centre, working for one organisation."""

    def __init__(self, wire: Wire, facade: Facade, mapping: SiteMapping) -> None:
        self.caller = wire
        self.wire, self.facade, self.mapping = wire, facade, mapping

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        learned: dict[tuple[str, str], str] = {}
        customer = lookup("partner", order.partner_id)
        if customer is None:
            customer = self._customer(order)
            learned["partner", str(order.partner_id)] = customer
        return self.mapping.bill(order, customer, lambda sku: lookup("product", sku), learned)

    def _customer(self, order: OrderOut) -> str:
        """The one customer with the buyer's tax number that is not out of use."""
        who = f"{order.partner_name} ({order.partner_code})"
        if not order.partner_code:
            raise Rejected("eas.customer_missing", who, field="customer")
        ask = {"taxCode": order.partner_code, "orgUnit": self.mapping.organisation, "limit": NAMESAKES}
        rows = self.facade.listed("customers", ask)
        its = [str(row.get("number") or "") for row in rows if row.get("enabled") is not False]
        if any(row.get("taxCode") != order.partner_code for row in rows) or "" in its:
            raise Rejected("eas.customer_missing", f"{who}: the answer is about others", field="customer")
        if not its:
            raise Rejected("eas.customer_missing", who, field="customer")
        if len(its) > 1:
            raise Rejected(
                "eas.customer_ambiguous", f"{order.partner_code}: {', '.join(its)}", field="customer"
            )
        return its[0]

    def find(self, reference: str) -> Found | None:
        """The one bill with our number. EAS may let a number be given twice: of two, the one that is not void counts."""
        rows = self.facade.look_up(self.mapping.fields["reference"], reference)
        found = [self.mapping.found(row) for row in rows]
        alive = [one for one in found if not one.cancelled]
        if len(alive) > 1:
            both = ", ".join(one.remote_id for one in alive)
            raise Ambiguous("eas.number_twice", f"{reference} stands on {both}")
        return alive[0] if alive else found[-1] if found else None

    def send(self, bill: Bill, found: Found | None) -> Found:
        states = self.mapping.states
        status = found.status if found else ""
        if found is None or differences(bill, found):
            body = dict(bill.body)
            if found is not None:
                self._open(found)
                body = {self.mapping.fields["id"]: found.remote_id, **body}
            self.facade.take_in(body)
            status = states["saved"]
        if status != states["audited"]:
            # What is told of the bill goes by our number: the id is not known before the first look.
            named = {self.mapping.fields["reference"]: bill.reference}
            if status != states["submitted"]:
                self.facade.carry("submit", named)
            self.facade.carry("audit", named)
        return self._there(bill.reference)

    def cancel(self, found: Found) -> Found:
        self._open(found)
        self.facade.carry("cancel", self._named(found))
        return self._there(found.number)

    def _open(self, found: Found) -> None:
        """Bring a bill back to where it can be changed."""
        if found.status != self.mapping.states["saved"]:
            self.facade.carry("unaudit", self._named(found))

    def _named(self, found: Found) -> dict[str, str]:
        fields = self.mapping.fields
        return {fields["reference"]: found.number, fields["id"]: found.remote_id}

    def _there(self, reference: str) -> Found:
        try:
            found = self.find(reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if found is None:
            raise Uncertain("eas.not_seen", f"{reference} was imported and cannot be found yet")
        return found

    def stream(self, key: str) -> Stream:
        kinds = {kind.key: kind for kind in Eas.streams}
        return kinds[key](self.facade, self.mapping)  # type: ignore[call-arg]

    def close(self) -> None:
        self.wire.http.close()


class Eas(Connector):
    """EAS over its web services, one connection per data centre and sales organisation."""

    key: ClassVar[str] = "kingdee_eas"
    title: ClassVar[str] = "Kingdee EAS"
    summary: ClassVar[str] = (
        "Sales orders out; materials, customers and stock in, through the site's own facade"
    )
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("username", "User", required=True, hint="A user of its own, with rights on sales orders"),
        Setting("password", "Password", kind="secret", required=True),
        Setting("data_centre", "Data centre", required=True, hint="The dcName, as on EAS's login page"),
        Setting("solution", "Solution", default="eas", hint="The slnName, eas nearly everywhere"),
        Setting(
            "database",
            "Database of EAS",
            kind="choice",
            required=True,
            default="1",
            choices=(("0", "SQL Server"), ("1", "Oracle"), ("2", "DB2"), ("3", "PostgreSQL")),
        ),
        Setting(
            "language",
            "Language of EAS",
            kind="choice",
            required=True,
            default="L2",
            choices=(("L2", "Simplified Chinese"), ("L3", "Traditional Chinese"), ("L1", "English")),
        ),
        Setting("pattern", "Authentication pattern", default="BaseDB", hint="The authPattern of the login"),
        Setting("saler", "Salesperson number", required=True, hint="Stands on every order from the platform"),
        Setting("bill_type", "Bill type of importBill", default="003", hint="003 is the sales order"),
        Setting(
            "login_wsdl",
            "WSDL of EASLogin",
            kind="file",
            hint="Save /ormrpc/services/EASLogin?wsdl from a browser and upload it; empty: the usual one",
        ),
        Setting(
            "facade_wsdl",
            "WSDL of the facade",
            kind="file",
            hint="Save the facade's address with ?wsdl from a browser and upload it; empty: as in the guide",
        ),
        Setting("login_path", "Path of EASLogin", default=LOGIN_PATH, hint="Behind host and port"),
        Setting(
            "facade_path",
            "Path of the facade",
            default=FACADE_PATH,
            hint="Behind host and port",
        ),
        Setting(
            "operations",
            "Operations",
            kind="pairs",
            hint="Only where the facade names them otherwise, one a line: query=queryBill",
        ),
        Setting(
            "error_codes",
            "Error codes",
            kind="pairs",
            hint="Only where the facade answers other codes, one a line: locked=LOCKED",
        ),
        Setting(
            "fields",
            "Fields of the sales order",
            kind="pairs",
            hint="Only where the facade names them otherwise, one a line: customer=orderCustomer",
        ),
        Setting(
            "states",
            "States of a bill",
            kind="pairs",
            hint="Only where they differ, one a line: audited=4",
        ),
        Setting("units", "Units", kind="pairs", hint="Only where they differ, one a line: pcs=PCS"),
        Setting(
            "currencies", "Currencies", kind="pairs", hint="Only where they differ, one a line: CNY=BB01"
        ),
    )
    streams: ClassVar[tuple[type[Stream], ...]] = (Materials, Customers, Stocks)
    unique_reference: ClassVar[bool] = (
        False  # numbering rules of the site decide; so we look before we repeat
    )
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=30)

    def open(self, access: Access, http: requests.Session) -> EasLink:
        facade, mapping = _facade(access, http), SiteMapping(access)
        return EasLink(facade.service.wire, facade, mapping)

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        looks = (
            ("service", _look_at_wsdls),
            ("login", _look_at_login),
            ("organisation", _look_at_organisation),
            ("read", _look_at_records),
        )
        yield from looked_at(
            http, access.base_url, ((name, partial(look, access, http)) for name, look in looks)
        )

    def demo_values(self) -> Mapping[str, str]:
        from connectors.kingdee.eas.simulator import DEMO  # only the demo needs the simulator

        return {
            "username": DEMO.user,
            "password": DEMO.password,
            "data_centre": DEMO.data_centre,
            "database": str(DEMO.database),
            "language": "L2",
            "saler": "XS01",
        }


def _facade(access: Access, http: requests.Session, timeout: tuple[float, float] = PATIENCE) -> Facade:
    wire = Wire(http, timeout)
    base = access.base_url.rstrip("/")
    account = Account(
        user=access["username"],
        password=access["password"],
        solution=access["solution"] or "eas",
        data_centre=access["data_centre"],
        language=access["language"] or "L2",
        database=_whole(access["database"] or "1"),
        pattern=access["pattern"] or "BaseDB",
    )
    names = Names(
        operations=access.table("operations", OPERATIONS),
        errors=access.table("error_codes", ERRORS),
        bill_type=access["bill_type"] or "003",
        saved=_whole(SiteMapping(access).states["saved"]),
    )
    login = Service(
        wire, access["login_wsdl"] or login_wsdl(), base + _path(access["login_path"] or LOGIN_PATH)
    )
    path = _path(access["facade_path"] or FACADE_PATH)
    service = Service(wire, access["facade_wsdl"] or facade_wsdl(), base + path)
    return Facade(service, Session(login, account), names)


def _path(text: str) -> str:
    return "/" + text.lstrip("/")


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise FixSettings("eas.setting", f"{text!r} is no whole number")
    return int(text)


def _look_at_wsdls(access: Access, http: requests.Session) -> str:
    facade = _facade(access, http)
    facade.session.account.arguments(facade.session.service.parts(LOGIN))
    missing = facade.missing(NEEDED)
    if missing:
        raise FixSettings("eas.operation_missing", ", ".join(missing))
    return ", ".join(facade.service.described.operations)


def _look_at_login(access: Access, http: requests.Session) -> str:
    _facade(access, http).session.sign_in()
    return access["username"]


def _look_at_organisation(access: Access, http: requests.Session) -> str:
    if not access.organisation:
        raise FixSettings("eas.organisation_missing", "the number of the sales organisation is missing")
    return access.organisation


def _look_at_records(access: Access, http: requests.Session) -> Step:
    """A look-up of a number that no bill has, then the first row of each list; orders go out without a list that is refused."""
    facade, mapping = _facade(access, http), SiteMapping(access)
    facade.look_up(mapping.fields["reference"], NOBODY)
    said, without = [], []
    for what, stream in LISTS.items():
        try:
            rows = facade.listed(what, {"afterNumber": "", "limit": 1, "orgUnit": access.organisation})
        except (Rejected, FixSettings) as error:
            said.append(f"{stream}: {error.code}: {error.message}")
            without.append(stream)
            continue
        if what == "materials" and rows:
            said.append(str(rows[0].get("number") or ""))
    return Step("read", True, "; ".join(filter(None, said)), tuple(without))

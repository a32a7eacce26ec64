"""Cosmic as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import ClassVar

import requests

from connectors.kingdee.cosmic.client import Account, Client
from connectors.kingdee.cosmic.mapping import SiteMapping
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
    RetryLater,
    Setting,
    Step,
    Stream,
    SyncError,
    Uncertain,
    differences,
    looked_at,
)

ERRORS = {"locked": "", "busy": "", "duplicate": "", "exception": "", "permission": ""}
"""What can be wrong, and the site's errorCode for it; none is publicly known, so none is assumed."""
NOBODY = "TS-CHECK-0"  # a number that no order of ours has
PATH = "Its path behind the address, as the site's API page shows it: /kapi/v2/…"


class CosmicLink(CallerLink):
    """One application in one data centre, working for one organisation. `api` answers the path of an act."""

    def __init__(self, client: Client, mapping: SiteMapping, api: Callable[[str], str]) -> None:
        self.caller = client
        self.client, self.mapping, self.api = client, mapping, api

    def bill(self, order: OrderOut, lookup: Lookup) -> Bill:
        learned: dict[tuple[str, str], str] = {}
        customer = lookup("partner", order.partner_id)
        if customer is None:
            customer = self._customer(order)
            learned["partner", str(order.partner_id)] = customer
        return self.mapping.bill(order, customer, lambda sku: lookup("product", sku), learned)

    def _customer(self, order: OrderOut) -> str:
        """The one customer with the buyer's credit code, where the site has an API that finds it."""
        who, path = f"{order.partner_name} ({order.partner_code})", self.api("customer")
        if not path or not order.partner_code:
            raise Rejected("cosmic.customer_missing", who, field="customer")
        field = self.mapping.fields["tax_code"]
        rows = self.client.query(path, {field: order.partner_code}, size=2)
        its = [str(row.get("number") or "") for row in rows if row.get(field) == order.partner_code]
        if not its or len(its) != len(rows) or "" in its:
            raise Rejected("cosmic.customer_missing", who, field="customer")
        if len(its) > 1:
            raise Rejected(
                "cosmic.customer_ambiguous", f"{order.partner_code}: {', '.join(its)}", field="customer"
            )
        return its[0]

    def find(self, reference: str) -> Found | None:
        found = [
            self.mapping.found(row) for row in _bills(self.client, self.api("query"), self.mapping, reference)
        ]
        alive = [one for one in found if not one.cancelled]
        if len(alive) > 1:
            both = ", ".join(one.remote_id for one in alive)
            raise Ambiguous("cosmic.number_twice", f"{reference} stands on {both}")
        return alive[0] if alive else found[-1] if found else None

    def send(self, bill: Bill, found: Found | None) -> Found:
        states = self.mapping.states
        if found is None or differences(bill, found):
            body = dict(bill.body)
            if found is not None:
                self._open(found)
                body = {self.mapping.fields["id"]: found.remote_id, **body}
            self.client.write(self.api("save"), body)
            found = self._there(bill.reference)
        if found.status == states["saved"]:
            self.client.operate(self.api("submit"), {"id": [found.remote_id]})
        if found.status != states["audited"]:
            self.client.operate(self.api("audit"), {"id": [found.remote_id]})
        return self._there(bill.reference)

    def cancel(self, found: Found) -> Found:
        if not self.api("cancel"):
            raise Rejected("cosmic.no_cancel", f"{found.number} has to be voided there by hand")
        self._open(found)
        self.client.operate(self.api("cancel"), {"id": [found.remote_id]})
        return self._there(found.number)

    def _open(self, found: Found) -> None:
        """Bring a document back to where it can be changed."""
        if found.status == self.mapping.states["saved"]:
            return
        if not self.api("unaudit"):
            raise Rejected("cosmic.no_unaudit", f"{found.number} has to be opened there by hand")
        self.client.operate(self.api("unaudit"), {"id": [found.remote_id]})

    def _there(self, reference: str) -> Found:
        try:
            found = self.find(reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if found is None:
            raise Uncertain("cosmic.not_seen", f"{reference} was saved and cannot be found yet")
        return found

    def stream(self, key: str) -> Stream:
        raise KeyError(key)

    def close(self) -> None:
        self.client.http.close()


class Cosmic(Connector):
    """Cosmic over its OpenAPI, one connection per data centre and organisation."""

    key: ClassVar[str] = "kingdee_cosmic"
    title: ClassVar[str] = "Kingdee Cosmic"
    summary: ClassVar[str] = (
        "Sales orders out; built from public documents only, not yet tried on a Cosmic of Kingdee's"
    )
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "app_id", "Application id", required=True, hint="Of the third-party application (第三方应用)"
        ),
        Setting("app_secret", "Application secret", kind="secret", required=True),
        Setting("tenant", "Tenant id", required=True, hint="The tenantid"),
        Setting("account", "Data centre id", required=True, hint="The accountId"),
        Setting("user", "User", required=True, hint="A user of its own, with rights on sales orders"),
        Setting(
            "user_type",
            "Kind of user name",
            kind="choice",
            required=True,
            default="UserName",
            choices=(("UserName", "User name"), ("Mobile", "Mobile number"), ("Email", "E-mail address")),
        ),
        Setting("save_api", "API to save a sales order", required=True, hint=PATH),
        Setting("query_api", "API to query sales orders", required=True, hint=PATH),
        Setting("submit_api", "API to submit a sales order", required=True, hint=PATH),
        Setting("audit_api", "API to audit a sales order", required=True, hint=PATH),
        Setting("unaudit_api", "API to un-audit a sales order", hint=PATH),
        Setting("cancel_api", "API to void a sales order", hint=PATH),
        Setting("customer_api", "API to query customers", hint=PATH),
        Setting(
            "fields",
            "Fields of the sales order",
            kind="pairs",
            hint="Only where they differ, one a line: customer=customer",
        ),
        Setting(
            "states", "States of a bill", kind="pairs", hint="Only where they differ, one a line: audited=C"
        ),
        Setting("error_codes", "Error codes", kind="pairs", hint="What the site's errorCodes mean: locked=…"),
        Setting("units", "Units", kind="pairs", hint="Only where they differ, one a line: pcs=pcs"),
        Setting("currencies", "Currencies", kind="pairs", hint="Only where they differ, one a line: CNY=CNY"),
    )
    streams: ClassVar[
        tuple[type[Stream], ...]
    ] = ()  # no public description of the queries to read base data with
    unique_reference: ClassVar[bool] = False
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=30)

    def open(self, access: Access, http: requests.Session) -> CosmicLink:
        return CosmicLink(_client(access, http), SiteMapping(access), lambda act: access[f"{act}_api"])

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        looks = (
            ("login", _look_at_login),
            ("organisation", _look_at_organisation),
            ("read", _look_at_bills),
        )
        yield from looked_at(
            http, access.base_url, ((name, partial(look, access, http)) for name, look in looks)
        )

    def demo_values(self) -> Mapping[str, str]:
        from connectors.kingdee.cosmic.simulator import DEMO  # only the demo needs the simulator

        return dict(DEMO)


def _client(access: Access, http: requests.Session) -> Client:
    account = Account(
        base_url=access.base_url,
        app_id=access["app_id"],
        app_secret=access["app_secret"],
        tenant=access["tenant"],
        account=access["account"],
        user=access["user"],
        user_type=access["user_type"] or "UserName",
    )
    return Client(http, account, access.table("error_codes", ERRORS))


def _bills(
    client: Client, path: str, mapping: SiteMapping, reference: str
) -> tuple[Mapping[str, object], ...]:
    """The documents with that number. Raises RetryLater when the answer is about something else."""
    field = mapping.fields["reference"]
    rows = client.query(path, {field: reference})
    if any(row.get(field) != reference for row in rows):
        raise RetryLater("cosmic.query_ignored", f"asked for {reference}, got other documents")
    return rows


def _look_at_login(access: Access, http: requests.Session) -> str:
    _client(access, http).token()
    return access["user"]


def _look_at_organisation(access: Access, http: requests.Session) -> str:
    if not access.organisation:
        raise FixSettings("cosmic.organisation_missing", "the number of the sales organisation is missing")
    return access.organisation


def _look_at_bills(access: Access, http: requests.Session) -> str:
    """A look-up of a number that no document has, and of a customer nobody is, where the site has an API for that."""
    client, mapping = _client(access, http), SiteMapping(access)
    rows = _bills(client, access["query_api"], mapping, NOBODY)
    if access["customer_api"]:
        client.query(access["customer_api"], {mapping.fields["tax_code"]: NOBODY}, size=1)
    return str(len(rows))

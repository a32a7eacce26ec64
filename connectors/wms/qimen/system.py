"""A Qimen warehouse as the platform sees it: what it asks for, how it is checked, what flows.

An order there cannot be changed. A change cancels it and creates another one under another code, and a look-up
follows those codes until it finds the one that lives. Where look-ups show planned quantities, the codes count the
orders (`SO-1`, `SO-1_v2`, ...). Where they do not, the code has to tell what is in the order: it is then made of the
version of our order (`SO-1_v3`, `SO-1_v4`, ...), and the warehouse refuses a second order with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import requests

from connectors.wms.calls import Caller
from connectors.wms.checking import what_flows
from connectors.wms.goods import Exists, Goods, Missing, remedies, unknown_remedies
from connectors.wms.qimen.client import CODES, Account, Client
from connectors.wms.qimen.entries import Entries
from connectors.wms.qimen.mapping import Mapping as Words
from connectors.wms.qimen.mapping import numbered, version_of
from connectors.wms.qimen.push import Ear
from connectors.wms.qimen.settings import SETTINGS
from connectors.wms.qimen.streams import Stocks
from connectors.wms.xmltext import said
from tongshang.connect import (
    Access,
    Bill,
    CallerLink,
    Connector,
    Filing,
    FixSettings,
    Found,
    Heard,
    Lookup,
    Push,
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

LINES = 100  # of one page of a look-up; the most that the protocol allows
MOST_PAGES = 100
MOST_VERSIONS = 30
REMEMBERED = 1000  # versions of orders, so that a look-up asks for the likely one first
INBOUND = "inbound_order"
NOBODY = "TONGSHANG-CHECK"  # an order that no warehouse has


class QimenLink(CallerLink):
    """One owner's goods in one warehouse."""

    def __init__(self, client: Client, mapping: Words, look_up: str, items: tuple[str, ...], by: str) -> None:
        self.caller = client.caller
        self.client, self.mapping, self.items, self.by = client, mapping, items, by
        self.look_up = mapping.document if look_up in ("", "same") else look_up
        self._versions: dict[str, int] = {}
        self.entries: QimenLink | None = None  # the same for announcements, which the warehouse keeps apart

    def filing(self, kind: str) -> Filing:
        return self.entries if kind == INBOUND and self.entries is not None else super().filing(kind)

    def bill(self, order: Any, lookup: Lookup) -> Bill:
        if self.mapping.by_code:
            if order.version > MOST_VERSIONS:
                raise Rejected("qimen.too_many_versions", f"{order.reference}: version {order.version}")
            if len(self._versions) >= REMEMBERED:
                self._versions.clear()
            self._versions[order.reference] = order.version
        return self.mapping.bill(order, lookup)

    def find(self, reference: str) -> Found | None:
        """The order of ours that lives there; None also when every one was cancelled."""
        return self._version(reference) if self.mapping.by_code else self._living(reference)[0]

    def send(self, bill: Bill, found: Found | None) -> Found:
        if self.mapping.by_code:
            return self._send_version(bill, found)
        if found is not None:
            if not differences(bill, found):
                return found
            self.cancel(found)
            return self._create_again(bill, numbered(bill.reference, version_of(found.number) + 1))
        try:
            return self._create(bill, bill.reference)
        except Exists as error:
            living, free = self._living_after_write(bill.reference)
            if living is not None:
                return living
            if free == bill.reference:
                said = f"{error.message}, yet a look-up does not show it"
                raise Uncertain("qimen.not_visible", said) from error
        return self._create_again(bill, free)

    def _send_version(self, bill: Bill, found: Found | None) -> Found:
        code = bill.partner
        if found is not None:
            if not differences(bill, found):
                return found
            self.cancel(found)
        try:
            return self._create(bill, code)
        except Exists:
            held = self._there(code)
            if held.status in self.mapping.ends:
                raise Rejected("qimen.cancelled_there", f"{code} was cancelled by the warehouse") from None
            return held

    def cancel(self, found: Found) -> Found:
        try:
            self.client.call("order.cancel", self.mapping.cancel(found), write=True)
        except (Missing, Exists) as error:
            raise Uncertain("qimen.not_visible", error.message) from error
        left = self._there(found.number)
        if not left.cancelled:
            raise Uncertain("qimen.not_visible", f"{found.number}: cancelled, but still {left.status}")
        return left

    def stream(self, key: str) -> Stream:
        if key != Stocks.key:
            raise KeyError(key)
        return Stocks(self.client, self.mapping, self.items, self.by)

    def close(self) -> None:
        self.client.caller.http.close()

    # -- looking

    def _living(self, reference: str) -> tuple[Found | None, str]:
        """The order that was not cancelled, and the first code that is free behind the cancelled ones."""
        for version in range(1, MOST_VERSIONS + 1):
            code = numbered(reference, version)
            held = self.query(code)
            if held is None or held.status not in self.mapping.ends:
                return held, code
        raise Rejected("qimen.too_many_versions", f"{reference}: cancelled {MOST_VERSIONS} times")

    def _version(self, reference: str) -> Found | None:
        """The order that was not cancelled, of whatever version; the one sent last is asked for first."""
        likely = self._versions.get(reference, 1)
        for version in dict.fromkeys((likely, *range(1, MOST_VERSIONS + 1))):
            held = self.query(numbered(reference, version))
            if held is not None and held.status not in self.mapping.ends:
                return held
        return None

    def _living_after_write(self, reference: str) -> tuple[Found | None, str]:
        try:
            return self._living(reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error

    def query(self, code: str) -> Found | None:
        """The order with this code, whatever became of it."""
        head: Any = None
        rows: list[Any] = []
        stockout = self.look_up == "stockout"
        for page in range(1, MOST_PAGES + 1):
            asked = self.mapping.ask(code, page, LINES, stockout=stockout)
            try:
                answer = self.client.call(f"{self.look_up}.query", asked, write=False)
            except Missing:
                return None
            except Exists as error:
                raise RetryLater("qimen.unreadable", error.message) from None
            found = answer.find(self.mapping.head)
            if not said(found, f"{self.mapping.head}Code"):
                return None
            head = head if head is not None else found
            some = answer.findall("orderLines/orderLine")
            rows += some
            total = said(answer, "totalLines")
            if not some or len(rows) >= (int(total) if total.isdecimal() else 0):
                break
        told = said(head, f"{self.mapping.head}Code")
        if told != code:
            raise RetryLater("qimen.unreadable", f"asked for {code}, told of {told}")
        return self.mapping.found(head, rows)

    def _there(self, code: str) -> Found:
        """An order just written, as it is held there."""
        try:
            held = self.query(code)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if held is None:
            raise Uncertain("qimen.not_visible", f"{code}: taken, but a look-up does not show it yet")
        return held

    # -- writing

    def _create(self, bill: Bill, code: str) -> Found:
        request = self.mapping.create(bill, code, self.client.now())
        try:
            self.client.call(f"{self.mapping.document}.create", request, write=True)
        except Missing as error:
            raise Rejected("qimen.refused", error.message) from error
        return self._there(code)

    def _create_again(self, bill: Bill, code: str) -> Found:
        try:
            return self._create(bill, code)
        except Exists as error:
            raise Uncertain("qimen.not_visible", error.message) from error


class Qimen(Connector):
    """A warehouse that speaks Qimen, directly or through a router; one connection per owner and warehouse."""

    key: ClassVar[str] = "qimen"
    title: ClassVar[str] = "Qimen warehouse"
    summary: ClassVar[str] = "Outbound and inbound orders out; shipments, receipts, stock and its moves in"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    streams: ClassVar[tuple[type[Stream], ...]] = (Stocks,)
    unique_reference: ClassVar[bool] = True
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=30)
    documents: ClassVar[tuple[str, ...]] = ("sales_order", INBOUND)
    stock_counts: ClassVar[bool] = False
    hears: ClassVar[bool] = True

    def open(self, access: Access, http: requests.Session) -> QimenLink:
        account = _account(access)
        client = Client(Caller(http, (account.secret,)), account, remedies(access, CODES))
        mapping = Words(access)
        listed = [part.strip() for part in access["items"].replace("\n", ",").split(",") if part.strip()]
        items = tuple(dict.fromkeys([*listed, *mapping.goods.items.values()]))
        link = QimenLink(client, mapping, access["look_up"], items, access["stock_by"] or "stock")
        link.entries = QimenLink(client, Entries(access), "same", items, link.by)
        return link

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        looks = (
            ("organisation", self._look_at_settings),
            ("login", self._look_for_nobody),
            ("read", self._look_at_the_rest),
        )
        yield from looked_at(
            http, access.base_url, ((name, partial(look, access, http)) for name, look in looks)
        )

    def hear(self, access: Access, push: Push) -> Heard:
        return Ear(_account(access), Goods(access, "qimen"), access.organisation).hear(push)

    def demo_values(self) -> Mapping[str, str]:
        from connectors.wms.qimen.simulator import DEMO_ACCOUNT  # only the demo needs the simulator

        return {
            "app_key": DEMO_ACCOUNT.app_key,
            "secret": DEMO_ACCOUNT.secret,
            "customer_id": DEMO_ACCOUNT.customer_id,
            "owner": DEMO_ACCOUNT.owner,
        }

    def _look_at_settings(self, access: Access, http: requests.Session) -> str:
        if not access.organisation:
            raise FixSettings("qimen.warehouse_missing", "the code of the warehouse is missing")
        if wrong := unknown_remedies(access):
            raise FixSettings("qimen.codes_wrong", ", ".join(wrong))
        return access.organisation

    def _look_for_nobody(self, access: Access, http: requests.Session) -> str:
        """A signed look-up of an order that cannot be there: proves key, secret and the code for "no such order"."""
        held = self.open(access, http).query(NOBODY)
        return access["customer_id"] if held is None else f"{NOBODY}: {held.status}"

    def _look_at_the_rest(self, access: Access, http: requests.Session) -> Step:
        link = self.open(access, http)
        return what_flows({"stock": lambda: _first_item(link), INBOUND: lambda: _announced(link)})


def _first_item(link: QimenLink) -> str:
    page = next(link.stream("stock").pull(None, None), None)
    return str(page.rows[0]["item"]) if page else ""


def _announced(link: QimenLink) -> str:
    """A look-up of an announcement that nobody made: whether inbound orders can be looked for at all."""
    assert link.entries is not None
    link.entries.query(NOBODY)
    return ""


def _account(access: Access) -> Account:
    return Account(
        url=access.base_url.rstrip("/?"),
        app_key=access["app_key"],
        secret=access["secret"],
        customer_id=access["customer_id"],
        both_ends=(access["sign"] or "both") == "both",
        prefixed=(access["methods"] or "full") == "full",
    )

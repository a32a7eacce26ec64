"""A FLUX warehouse as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

import requests

from connectors.wms.calls import Caller
from connectors.wms.checking import what_flows
from connectors.wms.flux.client import CODES, Account, Client
from connectors.wms.flux.mapping import Announcements
from connectors.wms.flux.mapping import Mapping as Words
from connectors.wms.flux.push import Ear
from connectors.wms.flux.settings import SETTINGS
from connectors.wms.flux.wire import METHODS, rows, said
from connectors.wms.goods import Exists, Goods, Missing, remedies, unknown_remedies
from connectors.wms.shelves import Row, by_page, stock
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
    Page,
    Push,
    Record,
    Rejected,
    RetryLater,
    Setting,
    Step,
    StockIn,
    Stream,
    SyncError,
    Uncertain,
    looked_at,
)

PAGE = 100  # rows of stock
INBOUND = "inbound_order"
NOBODY = "TONGSHANG-CHECK"  # an order that no warehouse has


class Stocks(Stream):
    """Stock of the owner in the warehouse, lots of an item added up: the whole of it each run."""

    key: ClassVar[str] = "stock"
    title: ClassVar[str] = "Stock"
    every: ClassVar[timedelta] = timedelta(hours=1)

    def __init__(self, client: Client, mapping: Words) -> None:
        self.client, self.mapping = client, mapping

    def pull(self, cursor: str | None, position: str | None) -> Iterator[Page]:
        return by_page(self._page, position)

    def to_core(self, row: Record) -> StockIn:
        return stock(row, self.mapping.goods, self.mapping.warehouse)

    def _page(self, page: int) -> tuple[list[Row], bool]:
        try:
            answer = self.client.call("stock", self.mapping.shelves(page, PAGE), write=False)
        except (Missing, Exists) as error:
            raise RetryLater("flux.unreadable", error.message) from None
        found = rows(answer, "items", "item") or [row for row in rows(answer, "items") if said(row, "sku")]
        told = [
            {
                "item": said(row, "sku"),
                "warehouse": said(row, "warehouseid"),
                "quantity": said(row, "qty"),
                "free": "1",
            }
            for row in found
        ]
        return told, len(told) >= PAGE


class FluxLink(CallerLink):
    """One owner's goods in one warehouse."""

    def __init__(self, client: Client, mapping: Words) -> None:
        self.caller = client.caller
        self.client, self.mapping = client, mapping
        self.announcements: FluxLink | None = (
            None  # the same for inbound orders, which the warehouse keeps apart
        )

    def filing(self, kind: str) -> Filing:
        if kind == INBOUND and self.announcements is not None:
            return self.announcements
        return super().filing(kind)

    def _call(self, verb: str, data: Any, number: str, *, write: bool) -> Mapping[str, Any]:
        return self.client.call(f"{verb}{self.mapping.verbs}", data, number, write=write)

    def bill(self, order: Any, lookup: Lookup) -> Bill:
        return self.mapping.bill(order, lookup)

    def find(self, reference: str) -> Found | None:
        try:
            answer = self._call("state", self.mapping.named(reference), reference, write=False)
        except Missing:
            return None
        except Exists as error:
            raise RetryLater("flux.unreadable", error.message) from None
        told = rows(answer, "ordernos", "orderinfo") or rows(answer, "orderinfo")
        own = [row for row in told if said(row, "orderno", "omsorderno") == reference]
        if told and not own:
            raise RetryLater("flux.unreadable", f"asked for {reference}, told of another order")
        return self.mapping.found(own[0]) if own else None

    def send(self, bill: Bill, found: Found | None) -> Found:
        """Put the order; where it is there already, this replaces it, or is refused because it is in work."""
        try:
            self._call("put", self.mapping.put(bill, self.client.now()), bill.reference, write=True)
        except Exists as error:
            if found is not None:
                raise Rejected("flux.in_work", error.message) from error
            raise Uncertain("flux.exists", error.message) from error
        except Missing as error:
            raise Rejected("flux.refused", error.message) from error
        return self._there(bill.reference)

    def cancel(self, found: Found) -> Found:
        data = self.mapping.named(found.number, reason="订单变更或取消")
        try:
            self._call("cancel", data, found.number, write=True)
        except Exists as error:
            raise Rejected("flux.in_work", error.message) from error
        except Missing as error:
            raise Uncertain("flux.not_visible", error.message) from error
        left = self._there(found.number)
        if not left.cancelled:
            raise Uncertain("flux.not_visible", f"{found.number}: cancelled, but still {left.status}")
        return left

    def stream(self, key: str) -> Stream:
        if key != Stocks.key:
            raise KeyError(key)
        return Stocks(self.client, self.mapping)

    def close(self) -> None:
        self.client.caller.http.close()

    def _there(self, reference: str) -> Found:
        """An order just written, as it is held there."""
        try:
            held = self.find(reference)
        except SyncError as error:
            raise Uncertain(error.code, error.message) from error
        if held is None:
            raise Uncertain("flux.not_visible", f"{reference}: taken, but a look-up does not show it yet")
        return held


class Flux(Connector):
    """A FLUX warehouse; one connection per owner and warehouse."""

    key: ClassVar[str] = "flux"
    title: ClassVar[str] = "FLUX warehouse"
    summary: ClassVar[str] = "Outbound and inbound orders out; shipments, receipts, stock and its moves in"
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    streams: ClassVar[tuple[type[Stream], ...]] = (Stocks,)
    unique_reference: ClassVar[bool] = True
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=30)
    documents: ClassVar[tuple[str, ...]] = ("sales_order", INBOUND)
    stock_counts: ClassVar[bool] = False
    hears: ClassVar[bool] = True

    def open(self, access: Access, http: requests.Session) -> FluxLink:
        account = _account(access)
        caller = Caller(http, (account.secret, account.app_token))
        client = Client(caller, account, remedies(access, CODES))
        link = FluxLink(client, Words(access))
        link.announcements = FluxLink(client, Announcements(access))
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
        return Ear(_account(access), Goods(access, "flux"), access.organisation).hear(push)

    def demo_values(self) -> Mapping[str, str]:
        from connectors.wms.flux.simulator import DEMO_ACCOUNT  # only the demo needs the simulator

        return {
            "app_key": DEMO_ACCOUNT.app_key,
            "app_token": DEMO_ACCOUNT.app_token,
            "secret": DEMO_ACCOUNT.secret,
            "owner": DEMO_ACCOUNT.owner,
        }

    def _look_at_settings(self, access: Access, http: requests.Session) -> str:
        if not access.organisation:
            raise FixSettings("flux.warehouse_missing", "the code of the warehouse is missing")
        if wrong := unknown_remedies(access):
            raise FixSettings("flux.codes_wrong", ", ".join(wrong))
        return access.organisation

    def _look_for_nobody(self, access: Access, http: requests.Session) -> str:
        """A signed look-up of an order that cannot be there: proves the keys and the code for "no such order"."""
        held = self.open(access, http).find(NOBODY)
        return access["owner"] if held is None else f"{NOBODY}: {held.status}"

    def _look_at_the_rest(self, access: Access, http: requests.Session) -> Step:
        link = self.open(access, http)
        return what_flows({"stock": lambda: _first_item(link), INBOUND: lambda: _announced(link)})


def _first_item(link: FluxLink) -> str:
    page = next(link.stream("stock").pull(None, None), None)
    return str(page.rows[0]["item"]) if page else ""


def _announced(link: FluxLink) -> str:
    """A look-up of an announcement that nobody made: whether inbound orders can be looked for at all."""
    link.filing(INBOUND).find(NOBODY)
    return ""


def _account(access: Access) -> Account:
    gateway = access["gateway"] or "form"
    return Account(
        url=access.base_url.rstrip("?"),
        gateway=gateway,
        app_key=access["app_key"],
        app_token=access["app_token"],
        secret=access["secret"],
        customer=access["customer"] or access["owner"],
        database=access["database"],
        variant=access["sign"] or "base64",
        methods=access.table("methods", METHODS[gateway]),
    )

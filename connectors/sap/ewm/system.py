"""SAP EWM as the platform sees it: what it asks for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import ClassVar

import requests

from connectors.sap.ewm.arrivals import Arrivals
from connectors.sap.ewm.link import EwmLink
from connectors.sap.ewm.mapping import DELIVERIES, OUTBOUND, EwmMapping
from connectors.sap.ewm.settings import SETTINGS, client_of
from connectors.sap.ewm.streams import STREAMS, Issues, Stocks
from connectors.sap.odata import wire
from tongshang.connect import Access, Connector, FixSettings, Setting, Step, Stream, looked_at


class SapEwm(Connector):
    """A warehouse of SAP EWM, embedded in S/4HANA or beside it; one connection per warehouse number."""

    key: ClassVar[str] = "sap_ewm"
    title: ClassVar[str] = "SAP EWM (through S/4HANA)"
    summary: ClassVar[str] = (
        "Outbound and inbound deliveries out; physical stock, goods issues and receipts in"
    )
    settings: ClassVar[tuple[Setting, ...]] = SETTINGS
    streams: ClassVar[tuple[type[Stream], ...]] = STREAMS
    unique_reference: ClassVar[bool] = False
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=30)
    documents: ClassVar[tuple[str, ...]] = ("sales_order", "inbound_order")
    stock_counts: ClassVar[bool] = False

    def open(self, access: Access, http: requests.Session) -> EwmLink:
        client, mapping = client_of(access, http), EwmMapping(access)
        return EwmLink(client, mapping, Arrivals(client, mapping, access))

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        looks = (
            ("login", self._look_at_login),
            ("service", self._look_for_deliveries),
            ("organisation", self._look_at_warehouse),
            ("read", self._look_at_stock),
        )
        yield from looked_at(
            http, access.base_url, ((name, partial(look, access, http)) for name, look in looks)
        )

    def demo_values(self) -> Mapping[str, str]:
        from connectors.sap.ewm.simulator import DEMO  # only the demo needs the simulator

        return {"sap_client": DEMO.client, "user": DEMO.user, "password": DEMO.password, "issues": "here"}

    def _look_at_login(self, access: Access, http: requests.Session) -> str:
        """The token of the delivery service: proves the user, the service and that cookies come back."""
        client_of(access, http).csrf(DELIVERIES)
        return access["user"] or access["client_id"]

    def _look_for_deliveries(self, access: Access, http: requests.Session) -> str:
        query = {"$top": "1", "$orderby": "DeliveryDocument"}
        rows = client_of(access, http).page(DELIVERIES, "A_OutbDeliveryHeader", query).entities
        return wire.text(rows[0], "DeliveryDocument") if rows else DELIVERIES.name

    def _look_at_warehouse(self, access: Access, http: requests.Session) -> str:
        if not access.organisation:
            raise FixSettings("ewm.warehouse_missing", "the warehouse number is missing")
        where = f"Warehouse eq {wire.literal(access.organisation)}"
        query = {"$filter": where, "$top": "1", "$orderby": "OutboundDeliveryOrder"}
        rows = client_of(access, http).page(OUTBOUND, "WhseOutboundDeliveryOrderHead", query).entities
        seen = wire.text(rows[0], "OutboundDeliveryOrder") if rows else ""
        return f"{access.organisation} {seen}".strip()

    def _look_at_stock(self, access: Access, http: requests.Session) -> Step:
        """Some product in the warehouse. Goods issues that the connection to S/4 reads are not offered here."""
        mapping = EwmMapping(access)
        page = next(Stocks(client_of(access, http), mapping).pull(None, None), None)
        seen = wire.text(page.rows[0], "Product") if page else ""
        if mapping.reads_issues:
            return Step("read", True, seen)
        return Step("read", True, f"{seen}; not read here: deliveries (ewm.read_elsewhere)", (Issues.key,))

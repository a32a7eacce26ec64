"""Its table is a table of the platform; its routes and its permission have names that are taken."""

from sqlalchemy.orm import Mapped

import tongshang as ts
from tongshang import hookimpl


class Order(ts.TenantOwned, ts.Model):
    __tablename__ = "trade_order"
    __table_args__ = ({"schema": "ts"},)

    id: Mapped[ts.uuid_pk]


pages = ts.Pages("orders")


@pages.get("/collides", permission="order.view")
def index(ctx): ...


@hookimpl
def register_blueprints():
    return [pages]


@hookimpl
def register_permissions():
    return [ts.Permission("order.submit", "Submit orders", ("auditor",))]

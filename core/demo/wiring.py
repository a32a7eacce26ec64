"""Wires the seller's ERP in the demo: the operator allows the address, IT connects, and the first streams are asked for."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from core import sync
from core.app import Installation
from core.config import Config
from core.demo.world import SELLER
from core.sync import ErpConnection

SYSTEM = "kingdee"


def wire_kingdee(house: Installation, config: Config, ids: Mapping[str, UUID], simulator: str) -> None:
    """Connect, or follow the simulator to its new port. The account is the one the simulator ships with."""
    port = simulator.rsplit(":", 1)[1].rstrip("/")
    sync.allow(config.data, f"127.0.0.1:{port}")
    connector = sync.connectors()[SYSTEM]
    with house.unit.system(ids[SELLER], "demo") as ctx:
        given = sync.NewConnection(
            name="金蝶云·星空",
            base_url=f"{simulator}/k3cloud",
            organisation="100",
            values=connector.demo_values(),
        )
        found = ctx.session.scalar(select(ErpConnection).where(ErpConnection.tenant_id == ctx.tenant_id))
        if found is None:
            sync.connect(ctx, connector, given)
        elif found.base_url != given.base_url:
            sync.change_connection(ctx, connector, found.id, found.version, given)

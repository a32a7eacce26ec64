"""A house in which the witness is installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core import orders, rooms
from core.app import create_app
from core.hooks.places import SLOTS
from core.host import service
from core.identity import sync_roles
from core.orders import ORDER, NewOrder, WantedLine
from tests.app.house import House, open_house
from tests.conftest import Server
from tests.host.contract import witness

BUYER, SELLER = "hengke", "lianhang"
D = Decimal


@dataclass
class Stand:
    """A house in which the witness is installed, and switched on for a buyer and a seller."""

    house: House
    module: ModuleType

    def calls(self, hook: str) -> list[tuple[Any, ...]]:
        """What a hook was given, call by call."""
        return [given for name, given in self.module.CALLS if name == hook]

    def place(self) -> UUID:
        wish = NewOrder(
            self.house.cast.ids[SELLER], [WantedLine(self.house.cast.skus[SELLER][0], D(4))], mode="witnessed"
        )
        with self.house.acting(BUYER) as ctx:
            return orders.place(ctx, wish).id


@contextmanager
def opened(server: Server, folder: Path, data: Path) -> Iterator[Stand]:
    """The house with the witness, which is gone without a trace when it closes."""
    before = list(ORDER.transitions)
    witness.written(folder, list(SLOTS))
    sys.path.insert(0, str(folder))
    house = open_house(server, data)
    try:
        with house.owner.begin() as connection:
            connection.execute(
                text("INSERT INTO ts.plugin (name, version, installed_by) VALUES ('witness', '1.0', 'test')")
            )
        app = create_app(house.config)
        host = app.extensions["ts.host"]
        assert witness.NAME in host.loaded, host.broken
        with house.owner.begin() as connection:
            sync_roles(connection, [*rooms.collected("permissions", "PERMISSIONS"), *host.all("permissions")])
        open_ = replace(house, app=app)
        stand = Stand(open_, sys.modules["made_witness"])
        for key in (BUYER, SELLER):
            with app.app_context(), open_.acting(key) as ctx:
                service.switch_on(ctx, witness.NAME)
        yield stand
        open_.unit.database.dispose()
    finally:
        house.close()
        ORDER.transitions[:] = before
        sys.path.remove(str(folder))
        sys.modules.pop("made_witness", None)

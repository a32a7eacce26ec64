"""The connector for S/4HANA's asynchronous order service; everything of it lies in `connectors.sap.soap`."""

from typing import Any


def connector() -> Any:
    """The connector this package brings; loaded on demand, so that the simulator runs without the platform."""
    from connectors.sap.soap.system import SapBulk

    return SapBulk()

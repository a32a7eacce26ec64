"""The door for tests of plugins and connectors: inherit a class, name yours, run pytest.

As a pytest plugin (`pytest_plugins = ["tongshang.testing"]`) it gives the fixtures `trade`, `buyer`, `seller`, `plugin_app`,
`plugin_config` and `plugin_source`: a real installation on a real database with the plugin of the folder in it. Tests of
connectors need no database: `practising` wires one to its practice server, `ConnectorDrill` drives the engine over every trouble.
"""

from core.authoring.desk import Desk, practising, sample_of, sample_order
from core.authoring.drilling import ConnectorDrill
from core.authoring.fixtures import buyer, plugin_app, plugin_config, plugin_source, seller, trade
from core.authoring.trading import Side, Trade
from core.host.conformance import PluginConformance
from core.sync.conformance import ConnectorConformance

__all__ = [
    "ConnectorConformance",
    "ConnectorDrill",
    "Desk",
    "PluginConformance",
    "Side",
    "Trade",
    "buyer",
    "plugin_app",
    "plugin_config",
    "plugin_source",
    "practising",
    "sample_of",
    "sample_order",
    "seller",
    "trade",
]

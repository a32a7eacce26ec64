"""The door for tests of plugins and connectors: inherit the class, name yours, run pytest."""

from core.host.conformance import PluginConformance
from core.sync.conformance import ConnectorConformance

__all__ = ["ConnectorConformance", "PluginConformance"]

"""The door for tests of plugins: inherit the class, name the plugin, run pytest."""

from core.host.conformance import PluginConformance

__all__ = ["PluginConformance"]

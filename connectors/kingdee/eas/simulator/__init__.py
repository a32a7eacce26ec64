"""A server that speaks as EAS's web services do: login, sessions, bills through their life, base data, and trouble."""

from connectors.kingdee.eas.simulator.books import Books
from connectors.kingdee.eas.simulator.desk import DEMO, Account
from connectors.kingdee.eas.simulator.server import Simulator

__all__ = ["DEMO", "Account", "Books", "Simulator"]

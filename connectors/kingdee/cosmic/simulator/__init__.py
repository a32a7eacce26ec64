"""A server that answers as the public documents say Cosmic does: tokens, saves, queries, the life of an order, trouble."""

from connectors.kingdee.cosmic.simulator.server import DEMO, Simulator

__all__ = ["DEMO", "Simulator"]

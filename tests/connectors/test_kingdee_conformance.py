"""Kingdee keeps what every connector must keep."""

from connectors.kingdee.system import Kingdee
from core.sync.conformance import ConnectorConformance


class TestKingdee(ConnectorConformance):
    connector = Kingdee

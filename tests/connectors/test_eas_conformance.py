"""EAS keeps what every connector must keep."""

from connectors.kingdee.eas.system import Eas
from core.sync.conformance import ConnectorConformance


class TestEas(ConnectorConformance):
    connector = Eas

"""SAP EWM keeps what every connector must keep."""

from connectors.sap.ewm.system import SapEwm
from tongshang.testing import ConnectorConformance


class TestSapEwm(ConnectorConformance):
    connector = SapEwm

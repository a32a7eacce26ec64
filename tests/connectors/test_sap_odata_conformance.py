"""SAP over OData keeps what every connector must keep."""

from connectors.sap.odata.system import SapOData
from tongshang.testing import ConnectorConformance


class TestSapOData(ConnectorConformance):
    connector = SapOData

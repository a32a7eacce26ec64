"""An OData client we did not write works against the practice SAP: description, lists, and an order with its CSRF session."""

import pytest
import requests

pyodata = pytest.importorskip("pyodata")

from connectors.sap.odata.simulator import DEMO  # noqa: E402
from tests.connectors import sap_house  # noqa: E402

gateway = sap_house.gateway


@pytest.fixture
def http():
    with requests.Session() as made:
        made.trust_env = False
        made.auth = (DEMO.user, DEMO.password)
        made.headers["sap-client"] = DEMO.client
        yield made


@pytest.fixture
def service(gateway, http):
    def make(name):
        return pyodata.Client(f"{gateway.url}/sap/opu/odata/sap/{name}/", http)

    return make


def test_it_reads_the_description_of_every_service(gateway, service):
    from connectors.sap.odata.simulator.model import SERVICES

    for name, ours in SERVICES.items():
        schema = service(name).schema
        assert {each.name for each in schema.entity_sets} == set(ours.sets)
    order = service("API_SALES_ORDER_SRV").schema.entity_type("A_SalesOrderType")
    assert [key.name for key in order.key_proprties] == ["SalesOrder"]
    assert order.nav_proprty("to_Item").typ.name == "A_SalesOrderItemType"


def test_it_lists_with_filter_order_top_skip_and_count(gateway, service):
    gateway.load({"materials": [{"number": f"M{n:02}", "zh": f"螺栓 {n}", "unit": "PC"} for n in range(12)]})
    products = service("API_PRODUCT_SRV").entity_sets.A_Product
    found = (
        products.get_entities()
        .filter("startswith(Product,'M') and BaseUnit eq 'PC'")
        .order_by("Product desc")
        .skip(2)
        .top(3)
        .count(inline=True)
        .execute()
    )
    assert found.total_count == 12
    assert [each.Product for each in found] == ["M09", "M08", "M07"]
    with_texts = products.get_entity("M03").expand("to_Description").execute()
    assert [text.ProductDescription for text in with_texts.to_Description] == ["螺栓 3"]


def test_it_creates_an_order_in_a_csrf_session(gateway, service, http):
    root = f"{gateway.url}/sap/opu/odata/sap/API_SALES_ORDER_SRV/"
    token = http.head(root, headers={"x-csrf-token": "fetch"}).headers["x-csrf-token"]
    http.headers["x-csrf-token"] = token
    orders = service("API_SALES_ORDER_SRV").entity_sets.A_SalesOrder
    price = {"ConditionType": "PPR0", "ConditionRateValue": "32.30", "ConditionCurrency": "CNY"}
    made = (
        orders.create_entity()
        .set(
            SalesOrderType="OR",
            SalesOrganization="1010",
            SoldToParty="10100001",
            PurchaseOrderByCustomer="OTHER-1",
            TransactionCurrency="CNY",
            to_Item=[
                {"Material": "BRG-6204", "RequestedQuantity": "10", "to_PricingElement": [price]},
                {"Material": "RB-HRB400E-16", "RequestedQuantity": "1.5"},
            ],
        )
        .execute()
    )
    assert str(made.TotalNetAmount) == "323.000"
    held = orders.get_entity(made.SalesOrder).expand("to_Item").execute()
    assert [item.SalesOrderItem for item in held.to_Item] == ["10", "20"]
    assert gateway.books.rows("A_SalesOrder")[0]["PurchaseOrderByCustomer"] == "OTHER-1"


def test_without_the_token_it_is_refused(gateway, service, http):
    orders = service("API_SALES_ORDER_SRV").entity_sets.A_SalesOrder
    with pytest.raises(pyodata.exceptions.HttpError):
        orders.create_entity().set(SalesOrderType="OR").execute()
    assert gateway.books.rows("A_SalesOrder") == []

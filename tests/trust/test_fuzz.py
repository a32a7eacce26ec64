"""The API against its own description: whatever is sent, no failure of ours and no answer the description does not name.

Six requests go to each operation, with `TS_FUZZ=200` that many.
Own ids go into the paths, so a request meets real objects and not only absent ones.
"""

import os
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from tests.app.house import House

WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
EXAMPLES = int(os.environ.get("TS_FUZZ", "6"))
SEED = int(os.environ.get("TS_FUZZ_SEED", "7"))
ENDS_THE_KEY = {("DELETE", "/api/v1/session")}
"""Would end the session that asks; sign-in tests cover it."""


class Fuzz:
    """The description read from the running application, and everything wrong that was answered."""

    def __init__(self, house: House, key: str) -> None:
        self.house, self.token = house, house.cast.keys[key]
        self.schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", house.app)
        self.checks = CHECKS.get_by_names(list(WANTED))
        self.own = self._own_ids(key)

    def _own_ids(self, key: str) -> dict[str, list[str]]:
        """Ids of the enterprise's own rows, by the last word of their table (`order`, `shipment` ...)."""
        tenant, found = self.house.cast.ids[key], {}
        queries = {
            "order_id": "SELECT id FROM ts.trade_order WHERE buyer_id = :t OR seller_id = :t",
            "shipment_id": "SELECT id FROM ts.shipment WHERE buyer_id = :t OR seller_id = :t",
            "receipt_id": "SELECT id FROM ts.receipt WHERE buyer_id = :t OR seller_id = :t",
            "invoice_id": "SELECT id FROM ts.invoice WHERE buyer_id = :t OR seller_id = :t",
            "payment_id": "SELECT id FROM ts.payment WHERE buyer_id = :t OR seller_id = :t",
            "receipt_line_id": "SELECT id FROM ts.receipt_line WHERE buyer_id = :t OR seller_id = :t",
            "hold_id": "SELECT id FROM ts.hold WHERE buyer_id = :t OR seller_id = :t",
            "product_id": "SELECT id FROM ts.product WHERE tenant_id = :t",
            "sku_id": "SELECT id FROM ts.listing",
            "list_id": "SELECT id FROM ts.price_list WHERE tenant_id = :t",
            "account_id": "SELECT id FROM ts.account WHERE tenant_id = :t",
            "address_id": "SELECT id FROM ts.address WHERE tenant_id = :t",
            "partner_id": "SELECT tenant_id FROM ts.enterprise_card",
            "enterprise_id": "SELECT tenant_id FROM ts.enterprise_card",
        }
        for name, query in queries.items():
            found[name] = [str(row[0]) for row in self.house.rows(query, t=tenant)]
        return found

    def operations(self) -> Iterator[Any]:
        for found in self.schema.get_all_operations():
            operation = found.ok()
            if (operation.method.upper(), operation.path) not in ENDS_THE_KEY:
                yield operation

    def complaints(self, operation: Any, mode: GenerationMode, examples: int) -> list[str]:
        """What is wrong with the answers of one operation, each with the request that showed it."""
        wrong: dict[str, str] = {}

        @seed(SEED + examples)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(case=operation.as_strategy(generation_mode=mode), luck=st.integers(0, 2**16))
        def send(case: Any, luck: int) -> None:
            pick = random.Random(luck)
            for name in case.path_parameters or {}:
                if self.own.get(name) and pick.random() < 0.7 and mode is GenerationMode.POSITIVE:
                    case.path_parameters[name] = pick.choice(self.own[name])
            headers = {"Authorization": f"Bearer {self.token}"}
            try:
                response = case.call(headers=headers)
                case.validate_response(response, checks=self.checks, headers=headers)
            except FailureGroup as group:
                for failure in group.exceptions:
                    if not _was_sent(failure, case, response):
                        continue
                    line = f"{type(failure).__name__}: {failure}"
                    wrong.setdefault(type(failure).__name__, f"{line}\n    {case.as_curl_command()}\n    -> {_short(response)}")
            except schemathesis.errors.SchemathesisError as error:
                wrong.setdefault(type(error).__name__, f"{error}\n    {case.as_curl_command()}")

        send()
        return list(wrong.values())


def _was_sent(failure: BaseException, case: Any, response: Any) -> bool:
    """Whether what breaks the description reached the server: we put the headers right, and an address has no empty list."""
    if type(failure).__name__ != "AcceptedNegativeData":
        return True
    broken = re.findall(r"^Invalid component.*|^ *- .*", str(failure), re.MULTILINE)
    described = {parameter.name for parameter in case.operation.query}
    asked = set(parse_qs(urlsplit(response.request.url).query, keep_blank_values=True))
    nothing = [line for line in broken if "`additionalProperties`" in line and "query" in line and asked <= described]
    ours = [line for line in broken if "header" in line or line.startswith("  - violates") and "in header" in broken[0]]
    return not {line for line in broken if line.strip() not in ("Invalid component:", "Invalid components:")} <= {*nothing, *ours}


def _short(response: Any) -> str:
    return f"{response.status_code} {' '.join(response.text.split())[:400]}"


@pytest.fixture(scope="module", params=["lianhang", pytest.param("hengke", marks=[pytest.mark.slow, pytest.mark.long])])
def fuzz(request: pytest.FixtureRequest, house: House) -> Fuzz:
    return Fuzz(house, request.param)


def test_the_description_names_every_json_route(fuzz: Fuzz) -> None:
    described = {(operation.method.upper(), operation.path) for operation in fuzz.operations()} | ENDS_THE_KEY
    described.add(("GET", "/api/v1/openapi.json"))  # schemathesis leaves out the address it read
    routes = {
        (each.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", each.path))
        for each in fuzz.house.app.extensions["ts"].endpoints
        if each.kind == "api" and each.path.startswith("/api/v1/")  # where others call us they speak their own
    }
    assert described == routes


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "broken"])
def test_every_answer_is_one_the_description_names(fuzz: Fuzz, mode: GenerationMode) -> None:
    wrong = []
    for operation in fuzz.operations():
        for complaint in fuzz.complaints(operation, mode, EXAMPLES):
            wrong.append(f"{operation.method.upper()} {operation.path}: {complaint}")
    assert not wrong, f"{len(wrong)} complaints\n" + "\n\n".join(wrong)

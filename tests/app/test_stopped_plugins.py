"""A plugin that is stopped for everybody says so at its own doors, and the rest of the house goes on."""

from collections.abc import Iterator

import pytest

from core.hooks import Dispatch
from tests.app.house import House


@pytest.fixture
def dispatch(house: House) -> Iterator[Dispatch]:
    found: Dispatch = house.app.extensions["ts.host"].dispatch
    yield found
    found.stopped = {}


def test_pages_and_api_of_a_stopped_plugin_name_it_and_the_reason(house: House, dispatch: Dispatch) -> None:
    ask = house.api("hengke")
    before = ask("GET", "/api/v1/presale/offers")
    dispatch.stopped = {"presale": "the operator looks into it"}
    refused = ask("GET", "/api/v1/presale/offers")
    assert (refused.status_code, refused.json["code"]) == (409, "plugin.stopped")
    assert "the operator looks into it" in refused.get_data(as_text=True)
    page = house.browser("hengke").get("/presale")
    assert page.status_code == 409
    assert ask("GET", "/api/v1/orders").status_code == 200
    dispatch.stopped = {}
    assert ask("GET", "/api/v1/presale/offers").status_code == before.status_code

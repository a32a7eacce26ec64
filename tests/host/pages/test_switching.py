"""An enterprise switches plugins on its pages: what follows is said first, with the orders that are still open."""

import re
from collections.abc import Iterator

import pytest

from tests.app.house import House, open_house
from tests.conftest import Server


@pytest.fixture(scope="module")
def trade(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Enterprises with orders in every state, all of them in the mode of the plugin `spot`."""
    opened = open_house(server, tmp_path_factory.mktemp("trade"))
    yield opened
    opened.close()


@pytest.fixture
def lianhang(trade):
    browser = trade.browser("lianhang")
    browser.set_cookie("ts_lang", "en")

    def ask(path, **fields):
        page = browser.get(path).text
        if not fields:
            return page
        token = re.search(r'name="_csrf" value="([0-9a-f]+)"', page).group(1)
        return browser.post(fields.pop("to", path), data={**fields, "_csrf": token})

    return ask


def test_the_question_counts_open_orders_and_offers_to_let_them_finish(lianhang, trade):
    page = lianhang("/plugins/spot/disable")
    counted = re.search(r"(\d+) orders of yours are open in it, for example (\S+)\.", page)
    open_ones = trade.scalar(
        "SELECT count(*) FROM ts.trade_order WHERE seller_id = :me AND mode = 'spot' AND state NOT IN"
        " ('draft', 'completed', 'closed', 'rejected', 'expired', 'cancelled', 'terminated')",
        me=trade.cast.ids["lianhang"],
    )
    assert int(counted[1]) == open_ones and counted[2].startswith("SO-")
    assert 'action="/plugins/spot/drain"' in page and 'action="/plugins/spot/disable"' not in page


def test_it_finishes_open_orders_and_comes_back(lianhang):
    assert "It takes no new orders" in lianhang("/plugins/spot/drain")
    assert lianhang("/plugins/spot/drain", to="/plugins/spot/drain", go="1").status_code == 303
    assert "Finishing open orders" in lianhang("/plugins/spot")
    assert lianhang("/plugins/spot/enable", to="/plugins/spot/enable", go="1").status_code == 303
    assert "Switched on" in lianhang("/plugins/spot")


def test_a_plugin_without_open_orders_goes_and_says_what_it_brings_when_it_comes(lianhang):
    assert "No order of yours is open in it." in lianhang("/plugins/rfq/disable")
    lianhang("/plugins/rfq/disable", to="/plugins/rfq/disable", go="1")
    assert "Switched off" in lianhang("/plugins/rfq")
    question = lianhang("/plugins/rfq/enable")
    assert "It works for your enterprise only" in question and "It shows at: Navigation:" in question
    lianhang("/plugins/rfq/enable", to="/plugins/rfq/enable", go="1")
    assert "Switched on" in lianhang("/plugins/rfq")


def test_the_pages_say_what_it_may_do_and_what_it_keeps(lianhang):
    page = lianhang("/plugins/rfq/permissions")
    assert "Brings a mode of trade" in page and "rfq.quote.write" in page
    assert "It calls no other server." in page
    assert "Comes with the platform" in lianhang("/plugins/rfq/versions")
    assert "Part of the platform" in lianhang("/plugins?q=rfq")

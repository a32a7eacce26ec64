"""Two people trade in two browsers: she searches, fills the cart and orders; he confirms. Once with scripts, once without."""

import pytest

from core.demo.load import PASSWORD

pytestmark = pytest.mark.slow


def enter(chromium, portal, house, who, *, scripts):
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(portal + "/")
    page.fill("input[name=login]", house.cast.logins[who])
    page.fill("input[name=password]", PASSWORD)
    page.click("main button.pri")
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_she_orders_from_the_catalogue_and_he_confirms(house, portal, chromium, scripts):
    buyer = enter(chromium, portal, house, "hengke", scripts=scripts)
    buyer.goto(portal + "/catalog")
    buyer.click("table.tbl .name a >> nth=0")
    buyer.fill("#spot-quantity", "3")
    with buyer.expect_navigation():
        buyer.click("form[action*='/spot/cart'] button")
    buyer.goto(portal + "/spot/cart")
    with buyer.expect_navigation():
        buyer.click("form[action*='/spot/cart/order'] button.pri >> nth=0")
    buyer.wait_for_url("**/orders/**")
    address = buyer.url
    assert "SO-" in buyer.inner_text("h1")

    seller = enter(chromium, portal, house, "lianhang", scripts=scripts)
    seller.goto(address)
    if scripts:
        seller.click(".ph-a .pri")
        with seller.expect_navigation():
            seller.click("dialog[open] button.pri")
    else:
        seller.click(".ph-a .pri")
        with seller.expect_navigation():
            seller.click("main form button.pri")
    state = house.scalar("SELECT state FROM ts.trade_order WHERE id = :id", id=address.rpartition("/")[2])
    assert state == "in_progress"
    buyer.context.close()
    seller.context.close()

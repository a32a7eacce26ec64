"""An enterprise switches plugins for itself: with checked settings, refused while orders are open, drained, and back again."""


def put(house, who, path, body=None, key="1"):
    return house.api(who)(
        "POST", f"/api/v1/plugins/{path}", json=body or {}, headers={"Idempotency-Key": f"{path}{key}"}
    )


def test_a_plugin_with_an_open_order_cannot_be_switched_off_and_the_order_is_named(house):
    answer = put(house, "lianhang", "spot/disable")
    assert answer.status_code == 409
    assert answer.json["code"] == "plugin.has_open_orders"
    assert "SO-" in answer.json["detail"]


def test_draining_takes_no_new_order_and_switching_on_takes_them_again(house):
    buyer, seller = house.api("hengke"), house.cast.ids["lianhang"]
    wish = {
        "seller_id": str(seller),
        "lines": [{"sku_id": str(house.cast.skus["lianhang"][0]), "quantity": "1"}],
    }

    def order(key):
        return buyer("POST", "/api/v1/orders", json=wish, headers={"Idempotency-Key": key}).status_code

    assert order("before") == 201
    assert put(house, "lianhang", "spot/disable", {"drain": True}, key="2").json["state"] == "draining"
    assert order("draining") == 409
    assert put(house, "lianhang", "spot/enable", key="3").json["state"] == "enabled"
    assert order("after") == 201


def test_settings_are_checked_by_the_plugins_own_schema(house):
    answer = put(house, "lianhang", "spot/enable", {"settings": {"penalty_percent": "400"}}, key="4")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == "settings.penalty_percent"


def test_the_page_shows_state_and_settings(house):
    browser = house.browser("lianhang")
    assert "现货" in browser.get("/plugins").text
    assert "已启用" in browser.get("/plugins/spot").text
    assert "penalty_percent" in browser.get("/plugins/spot/settings").text

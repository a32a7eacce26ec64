"""The house stands: everybody signs in, every order is where the story left it, and the books agree."""

from core import verify
from tests.app.house import EVERYBODY, PAIRS, House

STATES = {
    "draft": "draft", "submitted": "submitted", "countered": "countered", "rejected": "rejected", "confirmed": "in_progress",
    "held": "in_progress", "amending": "in_progress", "shipped": "in_progress", "received": "accepted", "invoiced": "accepted",
    "paying": "accepted", "paid": "completed",
}  # fmt: skip


def test_everybody_is_somebody(house: House) -> None:
    for key in EVERYBODY:
        answer = house.api(key)("GET", "/api/v1/me")
        assert answer.status_code == 200, answer.text
        assert house.browser(key).get("/account").status_code == 200


def test_every_order_is_where_the_story_left_it(house: House) -> None:
    for buyer, seller in PAIRS:
        for what, state in STATES.items():
            for key in (buyer, seller):
                answer = house.api(key)("GET", f"/api/v1/orders/{house.cast.orders[buyer, what]}")
                if what == "draft" and key == seller:
                    assert answer.status_code == 404
                else:
                    assert answer.json["state"] == state, (what, answer.text)


def test_every_invariant_holds(house: House) -> None:
    assert verify.run(house.config) == []

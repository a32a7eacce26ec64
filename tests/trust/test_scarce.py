"""Sixty-four clients after goods that are not enough: nothing is sold twice, nothing stays on the shelf, nothing fails."""

import random
import threading
from collections import Counter
from decimal import Decimal
from uuid import UUID

import pytest

from core import catalog, stock, verify
from tests.app.house import House
from tests.trust.clients import Client
from tests.trust.serving import served

CLIENTS = 64
SHELF = {"SCARCE-A": Decimal(150), "SCARCE-B": Decimal(90), "SCARCE-C": Decimal(60)}


@pytest.fixture
def scarce(house: House) -> dict[str, UUID]:
    """Three products of one seller, in two warehouses, far too few of each."""
    with house.acting("lianhang") as ctx:
        places = stock.warehouses(ctx)[:2]
        rows = [catalog.ProductRow(code=code, name_zh=f"紧俏 {code}", name_en=code, base_uom="pcs") for code in SHELF]
        ids = catalog.upsert_products(ctx, rows).ids
        prices = [catalog.NewPrice(each, Decimal(1), Decimal("12.30")) for each in ids.values()]
        catalog.set_prices(ctx, catalog.public_list(ctx).id, prices)
        catalog.publish_products(ctx, list(ids.values()))
        there = [
            stock.Incoming(ids[code], place.id, amount / 2, f"L{number}")
            for code, amount in SHELF.items()
            for number, place in enumerate(places)
        ]
        stock.receive_stock(ctx, there, reason="scarce")
    return ids


@pytest.mark.slow
def test_scarce_goods_are_sold_out_and_never_oversold(house: House, scarce: dict[str, UUID]) -> None:
    statuses: Counter[int] = Counter()
    odd: list[object] = []
    gate = threading.Barrier(CLIENTS)

    def shop(number: int, port: int) -> None:
        pick = random.Random(number)
        client = Client(port, house.cast.keys["hengke" if number % 2 else "zhuda"])
        left = dict.fromkeys(scarce, 3)  # what to ask for next; a refusal asks for less, until nothing
        gate.wait()
        while wanted := [code for code, quantity in left.items() if quantity]:
            chosen = pick.sample(wanted, min(len(wanted), pick.choice((1, 2))))
            lines = [{"sku_id": str(scarce[code]), "quantity": str(left[code])} for code in chosen]
            answer = client.ask(
                "POST", "/api/v1/orders", {"seller_id": str(house.cast.ids["lianhang"]), "mode": "spot", "lines": lines}
            )
            statuses[answer.status] += 1
            if answer.status == 409 and answer.body["code"] == "stock.short":
                for code in chosen if len(chosen) == 1 else [pick.choice(chosen)]:
                    # one of two may still be there: only a line alone says that this one is gone
                    left[code] -= 1 if len(chosen) == 1 or left[code] > 1 else 0
            elif answer.status != 201:
                odd.append(answer)
                break
        client.close()

    with served(house.config, house.environ()) as port:
        threads = [threading.Thread(target=shop, args=(number, port)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert not odd, odd[:3]
    assert set(statuses) == {201, 409}
    for code, amount in SHELF.items():
        sold = house.scalar(
            "SELECT coalesce(sum(quantity), 0) FROM ts.order_line WHERE sku_id = :sku", sku=scarce[code]
        )
        held = house.rows(
            "SELECT sum(on_hand), sum(soft), sum(hard) FROM ts.stock_level WHERE product_id = :sku", sku=scarce[code]
        )[0]
        assert sold == amount, f"{code}: {sold} of {amount} sold"
        assert held[0] == amount
        assert held[1] + held[2] == amount
    assert verify.run(house.config) == []

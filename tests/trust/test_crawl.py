"""One enterprise walks every route with every id of the others: it learns nothing, and cannot even tell what exists.

The other enterprises have orders in every state, papers, people and keys. A foreign id must answer exactly like an id
that nobody has: same status, same headers, same body.
"""

import os
import random
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from core.kernel import uuid7
from core.web.endpoint import Endpoint
from tests.app.house import House
from tests.trust.bodies import body_for, names_ids
from tests.trust.foreign import Hidden, hidden_from, samples

pytestmark = pytest.mark.slow

CRAWLERS = ("hengke", pytest.param("lianhang", marks=[pytest.mark.slow, pytest.mark.long]))
PUBLISHED = {"ts.enterprise_card", "ts.listing"}
MEANT_FOR_ALL = {
    "sku_id": "listed goods may be read and ordered by everybody",
    "enterprise_id": "an enterprise's card is public",
    "partner_id": "one may have terms for any enterprise of the platform",
    "seller_id": "one may order from any seller",
    "customer_id": "one may have prices for any enterprise of the platform",
}
"""Names of parameters and fields under which somebody else's id may answer; never with more than is published."""
TABLE_OF = {
    "order_id": "ts.trade_order", "line_id": "ts.order_line", "hold_id": "ts.hold", "shipment_id": "ts.shipment",
    "receipt_id": "ts.receipt", "receipt_line_id": "ts.receipt_line", "invoice_id": "ts.invoice", "payment_id": "ts.payment",
    "product_id": "ts.product", "list_id": "ts.price_list", "run_id": "ts.import_run", "file_id": "ts.stored_file",
    "account_id": "ts.account", "address_id": "ts.address", "member_id": "auth.membership", "key_id": "auth.api_key",
    "session_id": "auth.session", "invitation_id": "auth.invitation", "warehouse_id": "ts.warehouse",
    "item_id": "plugin_spot.cart_item",
}  # fmt: skip
MOVING = re.compile(r'"trace_id": "[0-9a-f]+"|<code>[0-9a-f]{16}</code>|[0-9a-f]{16}(?=</)')


@pytest.fixture(scope="module", params=CRAWLERS)
def crawler(request: pytest.FixtureRequest, house: House) -> "Crawler":
    _more_to_hide(house)
    return Crawler(house, request.param)


def _more_to_hide(house: House) -> None:
    """Sessions of the others, which no seeding makes."""
    for key in house.cast.ids:
        if not hasattr(house, "crawled"):
            house.browser(key)
    house.crawled = True  # type: ignore[attr-defined]


class Crawler:
    """Asks as one enterprise, in JSON by its key and in HTML by its browser."""

    def __init__(self, house: House, key: str) -> None:
        self.house, self.key = house, key
        self.hidden: Hidden = hidden_from(house, key)
        self.few = samples(self.hidden, 8)
        self.meant = {*house.cast.ids.values(), *(sku for skus in house.cast.skus.values() for sku in skus[:-1])}
        self.api = house.api(key)
        self.client: FlaskClient = house.browser(key)
        self.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        found = re.search(r'name="_csrf" value="([0-9a-f]+)"', self.client.get("/account").text)
        assert found
        self.csrf = found.group(1)
        self.endpoints: list[Endpoint] = house.app.extensions["ts"].endpoints

    def ids_for(self, name: str, where: str = "") -> list[UUID]:
        """Hidden ids to try under a name: those it means, and of other tables (a different one each place)."""
        own = self.few.get(TABLE_OF.get(name, ""), [])
        others = [ids[0] for table, ids in sorted(self.few.items()) if table not in PUBLISHED]
        if os.environ.get("TS_CRAWL_ALL"):
            return [*own, *others]
        pick = random.Random(f"{name} {where}")
        return [*pick.sample(own, min(2, len(own))), *pick.sample(others, 1 if own else 3)]

    def ask(
        self, endpoint: Endpoint, path: str, body: dict[str, Any] | None = None, query: dict[str, Any] | None = None
    ) -> Any:
        if endpoint.kind == "api":
            headers = {"Idempotency-Key": str(uuid7()), "Accept-Language": "en"}
            if endpoint.if_match:
                headers["If-Match"] = '"1"'
            return self.api(endpoint.method, path, headers=headers, json=body if endpoint.body else None, query_string=query)
        for name in ("ts_flash", "ts_look"):
            self.client.delete_cookie(name)
        if endpoint.method == "GET":
            return self.client.get(path, query_string=query)
        fields = {name: value for name, value in (body or {}).items() if isinstance(value, str)}
        return self.client.post(path, data={**fields, "_csrf": self.csrf, "_key": str(uuid7())})

    def told(self, answer: Any, asked: list[UUID]) -> tuple[Any, ...]:
        """What the crawler could tell apart: status, headers and body, without what is different every time."""
        text = MOVING.sub("", answer.get_data(as_text=True))
        moved = answer.headers.get("Location", "")
        said = "; ".join(value for value in answer.headers.getlist("Set-Cookie") if not value.startswith("ts_session"))
        for each in asked:
            text, moved, said = (part.replace(str(each), "<id>").replace(each.hex, "<id>") for part in (text, moved, said))
        return answer.status_code, answer.mimetype, answer.headers.get("ETag"), moved, said.split(";")[0], text


def test_there_is_much_to_hide(crawler: Crawler) -> None:
    assert len(crawler.hidden.ids) > 30
    assert len(crawler.hidden.words) > 60
    assert len(crawler.few["ts.trade_order"]) == 8


def test_foreign_and_missing_answer_alike_in_every_path(crawler: Crawler) -> None:
    wrong = list(_differences(crawler))
    assert not wrong, "\n".join(wrong)


def _differences(crawler: Crawler) -> Iterator[str]:
    asked = 0
    for endpoint in crawler.endpoints:
        for which in re.findall(r"<uuid:(\w+)>", endpoint.path):
            missing = uuid7()
            nothing = crawler.ask(endpoint, _path(crawler, endpoint, which, missing), _body(crawler, endpoint, missing))
            for foreign in crawler.ids_for(which, f"{endpoint.method} {endpoint.path}"):
                path = _path(crawler, endpoint, which, foreign)
                answer = crawler.ask(endpoint, path, _body(crawler, endpoint, foreign))
                asked += 1
                where = f"{crawler.key}: {endpoint.kind} {endpoint.method} {endpoint.path} with {which}={foreign}"
                if leaks := crawler.hidden.leaks(answer.get_data(as_text=True), frozenset({str(foreign)})):
                    yield f"{where} shows {sorted(leaks)[:5]}"
                if answer.status_code >= 500:
                    yield f"{where} answers {answer.status_code}: {answer.get_data(as_text=True)[:300]}"
                if which in MEANT_FOR_ALL and foreign in crawler.meant:
                    continue
                if answer.status_code < 300 and endpoint.method != "DELETE":
                    yield f"{where} answers {answer.status_code}"
                first, second = (crawler.told(each, [foreign, missing]) for each in (answer, nothing))
                if first != second:
                    yield f"{where} can be told from a missing one: {_shown(first, second)}"
    assert asked > 150


def test_foreign_and_missing_answer_alike_in_every_body(crawler: Crawler) -> None:
    wrong = []
    unlisted = [skus[-1] for seller, skus in crawler.house.cast.skus.items() if seller != crawler.key]
    for endpoint in crawler.endpoints:
        schema = endpoint.body() if endpoint.body else None
        if endpoint.kind != "api" or not names_ids(schema):
            continue
        for path in _own_paths(crawler, endpoint):
            named = crawler.ids_for("line_id" if "order" in endpoint.path else "product_id", endpoint.path)
            for foreign in [*named, *unlisted]:
                missing = uuid7()
                answers = [crawler.ask(endpoint, path, _body(crawler, endpoint, chosen)) for chosen in (foreign, missing)]
                where = f"{crawler.key}: {endpoint.method} {path} with {foreign} in its body"
                if leaks := crawler.hidden.leaks(answers[0].get_data(as_text=True), frozenset({str(foreign)})):
                    wrong.append(f"{where} shows {sorted(leaks)[:5]}")
                first, second = (crawler.told(answer, [foreign, missing]) for answer in answers)
                if first != second:
                    wrong.append(f"{where} can be told from a missing one: {_shown(first, second)}")
                if answers[0].status_code >= 500:
                    wrong.append(f"{where}: {answers[0].text[:300]}")
    assert not wrong, "\n".join(wrong)


def test_no_list_shows_what_is_others(crawler: Crawler) -> None:
    """Every GET without an id in its path, plain, and asking for others' things by every filter it has."""
    wrong = []
    for endpoint in crawler.endpoints:
        if endpoint.method != "GET" or "<" in endpoint.path or endpoint.name.endswith("signout"):
            continue
        queries: list[dict[str, Any] | None] = [None]
        if endpoint.query:
            for name, field in endpoint.query().load_fields.items():
                given = str(crawler.few["ts.trade_order"][0]) if field.__class__.__name__ == "UUID" else "yongtai"
                queries.append({name: given})
        queries += [{"q": "zhuda"}, {"q": "PO-zhuda"}, {"q": "yongtai"}, {"limit": "200"}]
        for query in queries:
            answer = crawler.ask(endpoint, endpoint.path or "/", None, query)
            if answer.status_code >= 500:
                wrong.append(f"{endpoint.path} {query}: {answer.text[:300]}")
            if leaks := crawler.hidden.leaks(
                answer.get_data(as_text=True), frozenset(str(v) for v in (query or {}).values())
            ):
                wrong.append(f"{crawler.key}: GET {endpoint.path} {query} shows {sorted(leaks)[:5]}")
    assert not wrong, "\n".join(wrong)


def test_what_is_ones_own_is_shown(crawler: Crawler) -> None:
    """The crawl proves something only because the same walk with one's own ids does find them."""
    buyer = "hengke"
    for what in ("submitted", "shipped", "paid"):
        order = crawler.house.cast.orders[buyer, what]
        for path in (f"/api/v1/orders/{order}", f"/api/v1/orders/{order}/events"):
            assert crawler.api("GET", path).status_code == 200
        assert crawler.client.get(f"/orders/{order}").status_code == 200


def test_a_draft_is_its_buyers_alone(house: House) -> None:
    """The seller of an order may read its row, so here it is every route that must know better."""
    seller = Crawler(house, "lianhang")
    draft = house.cast.orders["hengke", "draft"]
    wrong = []
    for endpoint in seller.endpoints:
        if "<uuid:order_id>" in endpoint.path:
            answers = []
            for chosen in (draft, uuid7()):
                path = re.sub(r"<[^>]+>", "credit", endpoint.path.replace("<uuid:order_id>", str(chosen)))
                answers.append((chosen, seller.ask(endpoint, path, _body(seller, endpoint, uuid7()))))
            first, second = (seller.told(answer, [chosen]) for chosen, answer in answers)
            if first[:5] != second[:5] or (first != second and endpoint.kind == "api"):
                wrong.append(f"{endpoint.method} {endpoint.path}: {_shown(first, second)}")
        elif endpoint.method == "GET" and "<" not in endpoint.path:
            shown = seller.ask(endpoint, endpoint.path or "/").get_data(as_text=True)
            if str(draft) in shown or "PO-hengke-draft" in shown:
                wrong.append(f"{endpoint.method} {endpoint.path} shows the draft")
    assert not wrong, "\n".join(wrong)


def test_the_crawl_would_notice_a_hole(crawler: Crawler) -> None:
    """With the policies of one kind opened the same question is answered: the database keeps the secret, and we see it."""
    hole = "ALTER POLICY shared_read ON ts.{} USING ({})"
    hidden = f"/files/{crawler.few['ts.stored_file'][0]}"
    kept = "tenant_id = (SELECT ts.tenant()) OR other_id = (SELECT ts.tenant())"
    for table in ("stored_file", "file_content"):
        _as_owner(crawler.house, hole.format(table, "true"))
    try:
        answer = crawler.client.get(hidden)
        assert answer.status_code == 200
        assert b"secret of" in answer.data
    finally:
        for table in ("stored_file", "file_content"):
            _as_owner(crawler.house, hole.format(table, kept))
    assert crawler.client.get(hidden).status_code == 404


def _as_owner(house: House, statement: str) -> None:
    with house.owner.begin() as connection:
        connection.exec_driver_sql("SET ROLE ts_owner")
        connection.exec_driver_sql(statement)


def _own_paths(crawler: Crawler, endpoint: Endpoint) -> Iterator[str]:
    """The path filled with own ids, for every own order where it names one."""
    if "<uuid:order_id>" in endpoint.path:
        for (buyer, _), order in crawler.house.cast.orders.items():
            if buyer == "hengke":
                yield re.sub(r"<[^>]+>", str(uuid7()), endpoint.path.replace("<uuid:order_id>", str(order)))
    else:
        yield re.sub(r"<[^>]+>", str(uuid7()), endpoint.path)


def _path(crawler: Crawler, endpoint: Endpoint, which: str, chosen: UUID) -> str:
    """The path with `chosen` under `which` and an own order (or nothing that is there) under the others."""
    path = endpoint.path.replace(f"<uuid:{which}>", str(chosen))
    path = path.replace("<uuid:order_id>", str(crawler.house.cast.orders["hengke", "held"]))
    path = re.sub(r"<uuid:\w+>", str(UUID(int=7)), path)
    return re.sub(r"<[^>]+>", "credit", path)


def _body(crawler: Crawler, endpoint: Endpoint, chosen: UUID) -> dict[str, Any]:
    """A body that names `chosen` wherever it names anything."""
    own = {"seller_id": crawler.house.cast.ids["lianhang"], "customer_id": crawler.house.cast.ids["hengke"]}

    def ids(name: str) -> UUID:
        return own.get(name, chosen)

    if endpoint.body:
        return body_for(endpoint.body(), ids)
    if endpoint.kind == "page" and endpoint.method == "POST":
        return _form(crawler, chosen)
    return {}


def _form(crawler: Crawler, chosen: UUID) -> dict[str, Any]:
    """Every field that any schema of the house knows, for pages read only what they know."""
    found: dict[str, Any] = {}
    for endpoint in crawler.endpoints:
        if endpoint.body:
            found |= {k: v for k, v in body_for(endpoint.body(), lambda _: chosen).items() if isinstance(v, str)}
    return found | {"version": "1", "reason": "Reason enough", "quantity": "1"}


def _shown(first: tuple[Any, ...], second: tuple[Any, ...]) -> str:
    pairs = [(one, other) for one, other in zip(first, second, strict=True) if one != other]
    return "; ".join(f"{_around(str(one), str(other))}" for one, other in pairs)


def _around(one: str, other: str) -> str:
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"{one[max(0, start - 60) : start + 120]!r} / {other[max(0, start - 60) : start + 120]!r}"

"""Every form on an order's page, whichever room brings it, comes back from a refusal with what was typed and what is wrong."""

import re
from uuid import UUID, uuid4

import pytest

from core import orders
from tests.orders.portal import Portal, Visitor
from tests.orders.test_order_pages import placed, state


@pytest.fixture(scope="module")
def yard(portal: Portal) -> Visitor:
    return portal.visitor("Sun Li", "seller.sales", "seller.warehouse")


@pytest.fixture(scope="module")
def gate(portal: Portal) -> Visitor:
    return portal.visitor("Wu Gang", "buyer.clerk", "buyer.warehouse")


def running(portal: Portal, yard: Visitor) -> tuple[str, str]:
    """An order under way, and the id of its first line."""
    order_id = placed(portal)
    assert yard.post(f"/orders/{order_id}/confirm").status_code == 303
    ctx = portal.trade.buyer()
    line = orders.lines(ctx, order_id)[0].id
    portal.trade.session.commit()
    return f"/orders/{order_id}", str(line)


def field(html: str, name: str) -> str:
    found = re.search(rf'<(?:input|textarea|select)[^>]*name="{re.escape(name)}"[^>]*>', html)
    assert found, name
    return found[0]


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_a_refused_shipment_keeps_what_was_typed_and_says_which_quantity_is_too_much(
    portal: Portal, yard: Visitor, lang: str
) -> None:
    path, line = running(portal, yard)
    token = re.search(r'name="csrf-token" content="([^"]+)"', yard.get(path, lang).text)
    assert token
    typed = {f"qty-{line}": "1,000", "carrier": "中远 & Söhne", "note": "gate 3"}
    answer = yard.client.post(
        f"/fulfilment{path}/ship", data={"_csrf": token[1], "_key": uuid4().hex, "_act": "ship", **typed}
    )
    assert answer.status_code == 422 and answer.headers["Location"].endswith("/ask/ship")
    wrong = field(answer.text, f"qty-{line}")
    assert 'value="1,000"' in wrong and 'aria-invalid="true"' in wrong and "autofocus" in wrong and "data-focus" in wrong
    assert 'value="中远 &amp; Söhne"' in field(answer.text, "carrier") and 'value="gate 3"' in answer.text
    reason = "may still leave" if lang == "en" else "最多"
    assert answer.text.count(reason) >= 2, "in the summary and beside the field"
    ident = re.search(r'id="([^"]+)"', wrong)
    assert ident and f'<a href="#{ident[1]}">' in answer.text, "the summary leads to the field"


def test_every_wrong_figure_is_named_at_once(portal: Portal, yard: Visitor) -> None:
    path = f"/orders/{placed(portal)}"
    answer = yard.post(
        f"{path}/counter", _act="counter", **{"quantity-10": "ten", "price-20": "1e99", "reason": "the mill"}
    )
    assert answer.status_code == 422
    for name in ("quantity-10", "price-20"):
        assert 'aria-invalid="true"' in field(answer.text, name), name
    assert answer.text.count("autofocus") == 1


def test_an_empty_shipment_begins_at_the_first_quantity(portal: Portal, yard: Visitor) -> None:
    path, line = running(portal, yard)
    answer = yard.post(f"/fulfilment{path}/ship", _act="ship", **{f"qty-{line}": "", "carrier": "中远"})
    assert answer.status_code == 422 and "autofocus" in field(answer.text, f"qty-{line}")


def test_a_refused_count_keeps_every_figure_and_asks_why(portal: Portal, yard: Visitor, gate: Visitor) -> None:
    path, line = running(portal, yard)
    yard.post(f"/fulfilment{path}/ship", **{f"qty-{line}": "4"})
    page = gate.get(path).text
    key, document = re.search(r'name="_act" value="(receive-[^"]+)"', page), re.search(r'"document_id" value="([^"]+)"', page)
    assert key and document
    answer = gate.post(
        f"/fulfilment{path}/receive", _act=key[1], document_id=document[1], later="1",
        **{f"qty-{line}": "4", f"rejected-{line}": "1"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in field(answer.text, f"reason-{line}")
    assert 'value="1"' in field(answer.text, f"rejected-{line}") and " checked" in field(answer.text, "later")
    only_rejected = gate.post(
        f"/fulfilment{path}/receive", _act=key[1], document_id=document[1], **{f"rejected-{line}": "1"}
    )
    assert only_rejected.status_code == 422, "a rejection without a count is not passed over"


def test_an_act_that_is_over_is_refused_on_the_order_where_it_came_from(portal: Portal, yard: Visitor) -> None:
    path = f"/orders/{placed(portal)}"
    assert yard.post(f"{path}/reject", reason="no mill").status_code == 303
    late = yard.post(f"{path}/reject", reason="again")
    assert (late.status_code, late.headers["Location"]) == (303, "/orders")
    assert yard.post(f"{path}/confirm", _act="nonsense").status_code == 303


def test_somebody_faster_is_named_and_the_words_stay(portal: Portal, yard: Visitor) -> None:
    order_id = placed(portal)
    answer = yard.post(f"/orders/{order_id}/counter", _act="counter", version="1", reason="tin is dear", **{"price-10": "101"})
    assert answer.status_code == 409
    assert "Somebody changed this order just now" in answer.text
    assert "tin is dear</textarea>" in answer.text and 'value="101"' in field(answer.text, "price-10")
    assert state(portal, order_id) == "submitted"
    version = re.search(r'name="version" value="(\d+)"', answer.text)
    assert version and version[1] != "1", "sent again it is about the order as it is now"


def test_a_refused_form_sent_twice_leads_to_its_question(portal: Portal, yard: Visitor) -> None:
    path = f"/orders/{placed(portal)}"
    key = uuid4().hex
    first, second = (yard.post(f"{path}/reject", _key=key, reason=" ") for _ in range(2))
    assert (first.status_code, second.status_code) == (422, 303)
    assert yard.get(second.headers["Location"]).status_code == 200


def test_boxes_stay_ticked(portal: Portal, yard: Visitor) -> None:
    path, _line = running(portal, yard)
    answer = yard.post(f"{path}/hold", _act="hold", blocks="ship", reason=" ")
    assert answer.status_code == 422
    assert re.search(r'name="blocks" value="ship" checked', answer.text)
    assert not re.search(r'name="blocks" value="pay" checked', answer.text)
    nothing = yard.post(f"{path}/hold", _act="hold", reason="gate closed")
    assert nothing.status_code == 422 and re.search(r'<span class="err"[^>]*>.*?</span></fieldset>', nothing.text, re.S)


def test_what_a_plugin_refuses_or_a_draft_meets_is_no_reason_to_lose_the_form(portal: Portal, buying: Visitor) -> None:
    ctx = portal.trade.buyer()
    draft = orders.draft(ctx, portal.trade.wish())
    portal.trade.unit.finish(ctx)
    path = f"/orders/{UUID(str(draft.id))}/edit"
    answer = buying.post(path, version="99", note="call first", **{"quantity-10": "3"})
    assert answer.status_code == 409
    assert "call first</textarea>" in answer.text and 'value="3"' in field(answer.text, "quantity-10")

"""The pages of orders: what each side sees, every act without a script, and forms that keep what was typed."""

import re
import time
from uuid import UUID, uuid4

import pytest

from core import orders, tenancy
from core.hooks import SlotFragment, hookimpl
from core.tenancy.enablement import forget
from tests.orders.portal import Portal, Visitor


def placed(portal: Portal, *wanted: tuple[str, str], **more: str) -> UUID:
    ctx = portal.trade.buyer()
    order = orders.place(ctx, portal.trade.wish(*wanted, **more))
    portal.trade.unit.finish(ctx)
    return order.id


def state(portal: Portal, order_id: UUID) -> str:
    ctx = portal.trade.buyer()
    portal.trade.session.expire_all()
    found = orders.lock(ctx, order_id).state
    portal.trade.session.commit()
    return found


def test_each_side_sees_its_acts(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    path = f"/orders/{placed(portal, buyer_po='4500187736')}"
    mine, theirs = buying.get(path).text, selling.get(path).text
    assert "4500187736" in mine and "South Steel" in mine and "North Machines" in theirs
    assert "Confirm order" in theirs and "Confirm order" not in mine
    assert "Cancel order" in mine and "Cancel order" not in theirs


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_pages_speak_one_language(portal: Portal, selling: Visitor, lang: str) -> None:
    order = placed(portal)
    selling.post(f"/orders/{order}/confirm", follow=True)
    for path in ("/orders", f"/orders/{order}", f"/orders/{order}/ask/hold", "/"):
        answer = selling.get(path, lang)
        assert answer.status_code == 200, path
        chinese = re.sub(
            r"江南钢材有限公司|北方机械有限公司|简体中文|一号库",
            "",
            re.sub(r"<script.*?</script>", "", answer.text),
        )
        if lang == "en":
            assert not re.findall(r"[\u4e00-\u9fff]+", chinese), path
        else:
            assert "Order" not in re.sub(r"<[^>]+>", "", chinese), path


def test_every_act_has_a_page_of_its_own(portal: Portal, selling: Visitor) -> None:
    path = f"/orders/{placed(portal)}"
    links = set(re.findall(rf'href="({path}/ask/[^"]+)"', selling.get(path).text))
    assert {link.rpartition("/")[2] for link in links} == {"confirm", "counter", "reject", "hold"}
    for link in links:
        page = selling.get(link)
        assert page.status_code == 200
        assert f'action="{path}/{link.rpartition("/")[2]}"' in page.text
        assert "&lt;" not in page.text.split("<main")[1].split("</main")[0], (
            "the fields are fields, not text about them"
        )
    assert 'name="quantity-10"' in selling.get(f"{path}/ask/counter").text


def test_an_act_that_is_not_open_has_no_page(portal: Portal, buying: Visitor) -> None:
    assert buying.get(f"/orders/{placed(portal)}/ask/confirm").status_code == 404


def test_a_trade_by_forms_alone(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    order = placed(portal)
    path = f"/orders/{order}"
    unchanged = {"quantity-10": "10", "price-10": "100", "quantity-20": "2", "price-20": "250.5"}
    selling.post(
        f"{path}/counter", **{**unchanged, "price-10": "1,10"}, reason="dearer", delivery_date="2027-01-05"
    )
    assert state(portal, order) == "countered"
    page = buying.get(path).text
    assert "Counter-offer" in page and "Line 10, unit price" in page and "2027-01-05" in page
    assert "Line 20" not in page.split("h-prop")[1].split("</table>")[0]
    answer = buying.post(f"{path}/accept", follow=True)
    assert "Counter-offer accepted" in answer.text
    assert state(portal, order) == "in_progress"
    buying.post(f"{path}/amend", **{"quantity-10": "12", "quantity-20": "2"}, reason="more")
    selling.post(f"{path}/agree")
    portal.visitor("Zhao Lei", "buyer.approver").post(f"{path}/hold", blocks="ship", reason="gate closed")
    assert "On hold: Shipping" in selling.get(path).text


def test_what_was_typed_stays_when_something_is_wrong(portal: Portal, selling: Visitor) -> None:
    path = f"/orders/{placed(portal)}"
    answer = selling.post(f"{path}/counter", **{"quantity-10": "lots", "reason": "because of the mill"})
    assert answer.status_code == 422
    assert 'value="lots"' in answer.text and "because of the mill" in answer.text and "Error: " in answer.text
    empty = selling.post(f"{path}/reject", reason=" ")
    assert empty.status_code == 422 and state(portal, UUID(path[8:])) == "submitted"


def test_a_refused_act_says_why_and_changes_nothing(
    portal: Portal, buying: Visitor, selling: Visitor
) -> None:
    order = placed(portal)
    selling.post(f"/orders/{order}/confirm", version="1")
    assert state(portal, order) == "submitted"
    answer = selling.post(f"/orders/{order}/confirm", follow=True, version="1")
    assert "Somebody changed this order just now" in answer.text


def test_a_form_sent_twice_acts_once(portal: Portal, selling: Visitor) -> None:
    order = placed(portal)
    answers = [selling.post(f"/orders/{order}/confirm", _key="the-same") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]


def test_the_list_searches_filters_and_turns_pages(portal: Portal, buying: Visitor) -> None:
    placed(portal, buyer_po="PO-77-A")
    placed(portal)
    found = buying.get("/orders?q=po-77").text
    assert "PO-77-A" in found and found.count('class="name"') == 1
    assert "No orders match" in buying.get("/orders?q=nothing").text
    assert "No orders here yet" in buying.get("/orders?side=seller").text
    assert buying.get("/orders?q=po-77&state=confirmed").text.count('class="name"') == 0
    assert buying.get("/orders?after=broken").status_code == 400


def test_lists_and_the_workbench_cost_few_statements(
    portal: Portal, buying: Visitor, selling: Visitor
) -> None:
    def cost(path: str) -> int:
        """The cheapest of a few: which plugins are on is asked again once a second."""
        return min(int(selling.get(path).headers["X-Statements"]) for _ in range(3))

    for path, most in (("/orders", 6), ("/", 7)):
        before = cost(path)
        assert before <= most, path
        placed(portal)
        assert cost(path) == before


def test_a_draft_is_edited_by_its_form(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    ctx = portal.trade.buyer()
    order = orders.draft(ctx, portal.trade.wish()).id
    portal.trade.unit.finish(ctx)
    path = f"/orders/{order}"
    assert selling.get(path).status_code == 404
    page = buying.get(f"{path}/edit").text
    assert 'name="quantity-20"' in page
    buying.post(f"{path}/edit", **{"quantity-10": "4", "quantity-20": "", "buyer_po": "PO-1", "version": "1"})
    assert "PO-1" in buying.get(path).text
    assert buying.post(f"{path}/edit", **{"quantity-10": "x", "version": "2"}).status_code == 422
    buying.post(f"{path}/submit")
    assert state(portal, order) == "submitted"


def test_a_failing_panel_is_shown_as_failed_and_the_page_stands(portal: Portal, buying: Visitor) -> None:
    class Broken:
        @hookimpl
        def fill_slot(self, slot: str) -> SlotFragment | None:
            if slot == "order:panel":
                raise RuntimeError("no")
            return None

    dispatch = portal.app.extensions["ts.host"].dispatch
    dispatch.register("weather", Broken())
    ctx = portal.trade.system(portal.trade.buyer_id)
    tenancy.enable_plugin(ctx, "weather", version="1.0.0")
    portal.trade.unit.finish(ctx)
    with portal.app.extensions["ts"].unit.database.session() as session:
        forget(session)
    page = buying.whole(f"/orders/{placed(portal)}")
    dispatch.unregister("weather")
    assert "The panel weather is not available right now." in page and "Lines" in page


@pytest.mark.slow
def test_a_panel_that_sleeps_is_told_of_even_when_its_connection_was_cut(portal: Portal, buying: Visitor) -> None:
    class Sleeps:
        @hookimpl
        def fill_slot(self, slot: str) -> SlotFragment | None:
            time.sleep(4)
            return None

    dispatch, order = portal.app.extensions["ts.host"].dispatch, placed(portal)
    dispatch.register("dozes", Sleeps(), slots=("order:panel",))
    ctx = portal.trade.system(portal.trade.buyer_id)
    tenancy.enable_plugin(ctx, "dozes", version="1.0.0")
    portal.trade.unit.finish(ctx)
    with portal.app.extensions["ts"].unit.database.session() as session:
        forget(session)
    panel = buying.get(f"/-/slot/order:panel/dozes?of={order}")
    dispatch.unregister("dozes")
    assert panel.status_code == 200, panel.text
    assert "The panel dozes is not available right now." in panel.text


def test_a_panel_is_fetched_with_the_readers_own_rights(portal: Portal, buying: Visitor) -> None:
    order = placed(portal)
    path = f"/-/slot/order:panel/spot?of={order}"
    ctx = portal.trade.system(elsewhere := uuid4())
    tenancy.register_enterprise(
        ctx, name="别家有限公司", name_en="Elsewhere", uscc="91110000802100433B", kind="trader"
    )
    portal.trade.unit.finish(ctx)
    stranger = portal.visitor("Zhou Ke", "buyer.clerk", at=elsewhere)
    assert buying.get(path).status_code == 200
    assert stranger.get(path).status_code == 404
    assert buying.get("/-/slot/order:panel/spot?of=none").status_code == 404
    assert buying.get(f"/-/slot/order:line/spot?of={order}").status_code == 404
    assert (
        buying.get(f"/-/slot/order:panel/nobody?of={order}").status_code == 200
    )  # an empty answer: nothing to show
    assert portal.app.test_client().get(path, headers={"HX-Request": "true"}).status_code in (303, 401)

"""Saved views: one person's, in one enterprise; the address carries what they show, sorted pages lose no order."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import orders
from core.kernel import Invalid, NotFound, Refused
from core.orders import reading, saved
from core.orders.saved import Look
from core.orders.saved.look import COLUMNS, SORTS, USUAL
from core.orders.saved.sorting import orders_of
from core.web import Rejected
from tests.orders.portal import Portal, Visitor
from tests.orders.test_order_pages import placed
from tests.orders.trade import Trade

LARGEST = Look(side="buyer", open=True, q="4711", sort="-total", columns=("partner", "total"))


def names(ctx: Any) -> list[tuple[str, bool]]:
    ctx.session.flush()
    return [(view.name, view.is_default) for view in saved.views_of(ctx)]


def test_a_view_is_one_persons_in_one_enterprise(trade: Trade) -> None:
    view = saved.keep_view(trade.buyer(), "  Large   ones ", LARGEST, default=True)
    assert names(trade.buyer()) == [("Large ones", True)]
    assert Look.kept(saved.views_of(trade.buyer())[0]) == LARGEST
    assert names(trade.approver()) == [] and names(trade.seller()) == []
    for other in (trade.approver, trade.seller):
        for act in (
            lambda ctx: saved.rename_view(ctx, view.id, "mine"),
            lambda ctx: saved.change_view(ctx, view.id, Look()),
            lambda ctx: saved.set_default(ctx, view.id),
            lambda ctx: saved.drop_view(ctx, view.id),
        ):
            with pytest.raises(NotFound):
                act(other())
    same_person_elsewhere = trade.as_("Wang Fang", "seller.sales")
    assert names(same_person_elsewhere) == []


def test_a_name_is_given_once_however_it_is_spelt(trade: Trade) -> None:
    saved.keep_view(trade.buyer(), "Large", Look())
    second = saved.keep_view(trade.buyer(), "Small", Look(sort="total"))
    for wrong in ("large", "", "  ", "x" * 41, "a\x00b", "a\u202eb"):
        with pytest.raises(Invalid):
            saved.keep_view(trade.buyer(), wrong, Look())
        with pytest.raises(Invalid):
            saved.rename_view(trade.buyer(), second.id, wrong)
    saved.rename_view(trade.buyer(), second.id, "SMALL")
    assert names(trade.buyer()) == [("Large", False), ("SMALL", False)]


def test_one_view_at_most_is_the_default(trade: Trade) -> None:
    first = saved.keep_view(trade.buyer(), "one", Look(), default=True)
    second = saved.keep_view(trade.buyer(), "two", Look(), default=True)
    assert names(trade.buyer()) == [("one", False), ("two", True)]
    saved.set_default(trade.buyer(), first.id)
    assert names(trade.buyer()) == [("one", True), ("two", False)]
    saved.set_default(trade.buyer(), first.id, False)
    assert names(trade.buyer()) == [("one", False), ("two", False)]
    saved.drop_view(trade.buyer(), second.id)
    assert names(trade.buyer()) == [("one", False)]


def test_there_is_an_end_to_views_and_programs_have_none(trade: Trade) -> None:
    for number in range(20):
        saved.keep_view(trade.buyer(), f"view {number}", Look())
    with pytest.raises(Refused, match="order.too_many_views"):
        saved.keep_view(trade.buyer(), "one more", Look())
    with pytest.raises(Refused, match="order.views_are_personal"):
        saved.keep_view(trade.system(trade.buyer_id), "mine", Look())
    assert saved.views_of(trade.system(trade.buyer_id)) == []


def test_every_change_of_a_view_is_recorded(trade: Trade) -> None:
    ctx = trade.buyer()
    view = saved.keep_view(ctx, "one", Look())
    saved.rename_view(ctx, view.id, "two")
    saved.change_view(ctx, view.id, LARGEST)
    saved.set_default(ctx, view.id)
    saved.drop_view(ctx, view.id)
    assert [each["action"] for each in ctx.session.info["audit"]][-5:] == [
        "order_view.keep", "order_view.rename", "order_view.change", "order_view.default", "order_view.drop",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "look",
    [
        Look(),
        LARGEST,
        Look(waiting=True),
        Look(open=True),
        Look(state="confirmed", side="seller"),
        Look(q="a&b=c", columns=COLUMNS),
    ],
)
def test_an_address_says_a_look_whole(look: Look) -> None:
    said = look.args()
    assert said, "an address without a wish opens the default view"
    assert Look.asked(said, [said.get("cols", "")]) == look


def test_what_an_address_says_wrongly_is_left_out() -> None:
    wrong = {"side": "both", "state": "lost", "sort": "colour", "q": "a\x00" + "b" * 200}
    look = Look.asked(wrong, ["colour,partner", "total", "'; DROP"])
    assert (look.side, look.state, look.sort, look.columns) == ("all", None, "", ("partner", "total"))
    assert len(look.q) <= 100 and "\x00" not in look.q
    assert Look.asked({}, ["nothing"]).columns == USUAL
    assert Look.asked({"sort": "-placed"}).sort == ""


def test_sorted_pages_show_every_order_once_in_both_directions(trade: Trade) -> None:
    today = date(2027, 1, 4)
    for number in range(7):
        when = today + timedelta(days=number % 3) if number % 4 else None
        trade.place(("bar", str(1 + number % 3)), delivery_date=when)
    ctx = trade.buyer()
    value = {
        "placed": lambda row: row.created_at,
        "delivery": lambda row: row.delivery_date or date.max,
        "total": lambda row: row.total,
    }
    for sort in filter(None, SORTS):
        look = Look(sort=sort)
        whole = orders_of(ctx, look, limit=50).rows
        wanted = sorted(whole, key=lambda row: (value[sort.lstrip("-")](row), row.id), reverse=sort[0] == "-")
        assert list(whole) == wanted and len(whole) == 7, sort
        seen, cursor, last = [], None, None
        while True:
            last = orders_of(ctx, look, cursor, 3)
            seen += last.rows
            if not last.next:
                break
            cursor = last.next
        assert seen == wanted, sort
        back = orders_of(ctx, look, last.newer, 3, backwards=True)
        assert list(back.rows) == wanted[3:6] and back.next and back.newer, sort


def test_a_sorted_list_filters_like_the_usual_one(trade: Trade) -> None:
    trade.place(("bar", "1"), buyer_po="4711-A")
    confirmed = trade.confirmed(("bar", "2"), buyer_po="4711-B")
    orders.draft(trade.buyer(), trade.wish(("bar", "3")))
    for look, count in (
        (Look(), 3), (Look(waiting=True), 0), (Look(state="draft"), 1), (Look(q="4711"), 2), (Look(q="100%"), 0),
        (Look(open=True), 3), (Look(side="seller"), 0),
    ):  # fmt: skip
        for sort in SORTS:
            asked = Look(look.side, look.state, look.waiting, look.open, look.q, sort)
            assert len(orders_of(trade.buyer(), asked).rows) == count, asked
    theirs = orders_of(trade.seller(), Look(sort="-total")).rows
    assert [row.id for row in theirs][0] == confirmed.id and len(theirs) == 2, "a draft is its buyer's alone"
    assert orders_of(trade.stranger(), Look(sort="total")).rows == ()


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("cursor", ["nonsense", "WyJhIiwgImIiXQ", "WyIxZTk5IiwgIngiXQ", "e30"])
def test_a_mangled_cursor_is_refused(trade: Trade, sort: str, cursor: str) -> None:
    with pytest.raises(Rejected):
        orders_of(trade.buyer(), Look(sort=sort), cursor)


def test_views_by_forms_alone(portal: Portal) -> None:
    me = portal.visitor("Qian Yi", "buyer.clerk")
    placed(portal, buyer_po="4711-VIEW")
    asked = "/orders?side=buyer&q=4711-VIEW&sort=-total&cols=partner,total"
    page = me.get(asked).text
    assert 'aria-sort="descending"' in page and "Own number</th>" not in page and "4711" in page
    form = me.get("/orders/views/new?side=buyer&q=4711-VIEW&sort=-total&cols=partner,total").text
    form = form.split('action="/orders/views"')[1].split("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    fields = {name: value for name, value in fields.items() if not name.startswith("_")}
    assert fields == {"side": "buyer", "q": "4711-VIEW", "sort": "-total", "cols": "partner,total"}
    for name in ("", "x" * 41):
        again = me.post("/orders/views", **fields, name=name, default="1")
        assert again.status_code == 422 and 'value="4711-VIEW"' in again.text and 'name="default" value="1" checked' in again.text
    kept = me.post("/orders/views", **fields, name="Big <steel>", default="1", follow=True)
    assert kept.status_code == 200 and "Big &lt;steel&gt;" in kept.text
    opened = me.get("/orders")
    assert opened.status_code == 302 and "sort=-total" in opened.location and "cols=partner" in opened.location
    ident = re.search(r"view=([0-9a-f-]+)", opened.location)[1]  # type: ignore[index]
    changed = me.get(f"/orders?view={ident}&side=buyer&sort=total")
    assert "The list differs from the view" in changed.text
    me.post(f"/orders/views/{ident}/change", side="buyer", sort="total", follow=True)
    assert "sort=total" in me.get("/orders").location
    refused = me.post(f"/orders/views/{ident}/rename", name="y" * 41)
    assert refused.status_code == 422 and "y" * 41 in refused.text and "40 characters" in refused.text
    me.post(f"/orders/views/{ident}/rename", name="Small steel")
    me.post(f"/orders/views/{ident}/default", default="0")
    assert me.get("/orders").status_code == 200 and "Small steel" in me.get("/orders").text
    assert "Delete the view Small steel?" in me.get(f"/orders/views/{ident}/drop").text
    assert "deleted" in me.post(f"/orders/views/{ident}/drop", follow=True).text
    assert me.get(f"/orders/views/{ident}/drop").status_code == 404
    assert "No saved views yet" in me.get("/orders/views").text


def test_chosen_columns_end_up_in_one_address(portal: Portal, buying: Visitor) -> None:
    answer = buying.get("/orders?side=buyer&cols=state&cols=mode")
    assert answer.status_code == 302 and "cols=mode,state" in answer.location.replace("%2C", ",")
    shown = buying.get("/orders?side=buyer&cols=mode,state,invoiced").text
    assert "Mode of trade" in shown and ">Paid</th>" not in shown


@pytest.mark.parametrize(
    "path",
    [
        "/orders?view=nonsense",
        "/orders?view=01a207cc-134d-7689-9db7-392f6ff002f2",
        "/orders?sort=colour&cols=,,&state=x&side=y&q=%20",
        "/orders?cols=",
    ],
)
def test_nonsense_in_the_address_shows_the_list(portal: Portal, buying: Visitor, path: str) -> None:
    assert buying.get(path).status_code == 200


def test_a_list_takes_the_same_statements_however_many_rows_and_views(portal: Portal) -> None:
    me = portal.visitor("Sun Er", "buyer.clerk")
    path = "/orders?side=all&sort=-total&cols=partner,mode,total,state"
    before = int(me.get(path).headers["X-Statements"])
    for number in range(3):
        placed(portal, buyer_po=f"COUNT-{number}")
        me.api("POST", "/orders/views", {"name": f"view {number}", "sort": "total"})
    assert int(me.get(path).headers["X-Statements"]) == before <= 6


def test_views_over_json(portal: Portal) -> None:
    me = portal.visitor("Zhou San", "buyer.clerk")
    placed(portal, ("bar", "3"), buyer_po="JSON-1")
    placed(portal, ("bar", "1"), buyer_po="JSON-2")
    wish = {"name": "mine", "side": "buyer", "q": "JSON-", "sort": "total", "columns": ["total", "partner"], "default": True}
    made = me.api("POST", "/orders/views", wish)
    assert made.status_code == 201 and made.json is not None
    assert made.json["columns"] == ["partner", "total"] and made.json["default"] is True
    path = f"/orders/views/{made.json['id']}"
    rows = me.api("GET", f"{path}/orders").json["items"]
    assert [row["buyer_po"] for row in rows] == ["JSON-2", "JSON-1"]
    assert Decimal(rows[0]["total"]) < Decimal(rows[1]["total"])
    assert me.api("PUT", path, {**wish, "name": "ours", "default": False}).json["name"] == "ours"
    assert [(each["name"], each["default"]) for each in me.api("GET", "/orders/views").json["items"]] == [("ours", False)]
    assert me.api("DELETE", path).status_code == 204
    for method, where in (("DELETE", path), ("GET", f"{path}/orders")):
        assert me.api(method, where).status_code == 404
    assert me.api("PUT", path, wish).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 41},
        {"name": "a", "side": "both"},
        {"name": "a", "state": "lost"},
        {"name": "a", "sort": "colour"},
        {"name": "a", "columns": []},
        {"name": "a", "columns": ["colour"]},
        {"name": "a", "columns": "total"},
        {"name": "a", "q": "x" * 101},
        {"name": "a", "more": 1},
    ],
)
def test_bad_views_over_json_are_refused(buying: Visitor, body: dict[str, Any]) -> None:
    assert buying.api("POST", "/orders/views", body).status_code == 422


def test_the_usual_look_is_what_the_list_always_showed(trade: Trade) -> None:
    trade.place()
    ctx = trade.buyer()
    assert orders_of(ctx, Look()) == reading.list_orders(ctx)

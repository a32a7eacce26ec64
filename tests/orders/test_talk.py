"""What is said about an order: for the own side or for both, never changed, and the other side is told that it waits."""

import base64
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core import files, orders
from core.kernel import Conflict, Forbidden, Invalid, NotFound
from core.orders import waiting
from core.orders.talk.reading import talk_of
from tests.orders.portal import Portal, Visitor
from tests.orders.test_order_pages import placed
from tests.orders.trade import Trade


def heard(trade: Trade, ctx: Any, order_id: UUID) -> list[tuple[str, str, str]]:
    trade.session.flush()
    return [(each.author, each.text, each.audience) for each in talk_of(ctx, order_id).messages]


def unread(trade: Trade, ctx: Any) -> list[str]:
    trade.session.flush()
    return [each.what for each in waiting.todos(ctx, 10) if each.kind == "order.message"]


def test_a_note_stays_in_the_house_and_a_message_is_for_both(trade: Trade) -> None:
    order = trade.place()
    orders.write_message(trade.buyer(), order.id, "ask for a discount", "own")
    orders.write_message(trade.buyer(), order.id, "please send the slip", "both")
    both = [("Wang Fang", "please send the slip", "both")]
    assert heard(trade, trade.seller(), order.id) == both
    assert heard(trade, trade.approver(), order.id) == [*both, ("Wang Fang", "ask for a discount", "own")]
    with pytest.raises(NotFound):
        talk_of(trade.stranger(), order.id)


def test_the_other_side_is_asked_until_it_answers_or_has_read(trade: Trade) -> None:
    order = trade.place()
    orders.write_message(trade.buyer(), order.id, "internal", "own")
    assert unread(trade, trade.seller()) == []
    first = orders.write_message(trade.buyer(), order.id, "hello", "both")
    assert unread(trade, trade.seller()) == [order.number] and unread(trade, trade.buyer()) == []
    orders.write_message(trade.seller(), order.id, "hello to you", "both")
    assert unread(trade, trade.seller()) == [] and unread(trade, trade.buyer()) == [order.number]
    assert not orders.mark_read(trade.buyer(), order.id, first.id), "a newer one came in between"
    assert unread(trade, trade.buyer()) == [order.number]
    newest = talk_of(trade.buyer(), order.id).unread
    assert newest is not None and orders.mark_read(trade.buyer(), order.id, newest)
    assert unread(trade, trade.buyer()) == [] and talk_of(trade.buyer(), order.id).unread is None
    assert orders.mark_read(trade.buyer(), order.id, newest), "reading twice is no mistake"


def test_nothing_is_shared_about_an_order_the_seller_never_saw(trade: Trade) -> None:
    draft = orders.draft(trade.buyer(), trade.wish())
    orders.write_message(trade.buyer(), draft.id, "wait for the budget", "own")
    with pytest.raises(Conflict, match="order.not_shared_yet"):
        orders.write_message(trade.buyer(), draft.id, "hello", "both")
    with pytest.raises(NotFound):
        orders.write_message(trade.seller(), draft.id, "hello", "own")


@pytest.mark.parametrize(
    ("said", "audience", "path"),
    [
        ("", "own", "text"),
        (" \n ", "own", "text"),
        ("x" * 2001, "both", "text"),
        ("a\x00b", "own", "text"),
        ("hello", "everybody", "audience"),
        ("hello", "", "audience"),
    ],
)
def test_what_cannot_be_said_is_refused_and_leaves_nothing(trade: Trade, said: str, audience: str, path: str) -> None:
    order = trade.place()
    with pytest.raises(Invalid) as refused:
        orders.write_message(trade.buyer(), order.id, said, audience)
    assert [error.path for error in refused.value.errors] == [path]
    assert heard(trade, trade.buyer(), order.id) == []


def test_who_only_looks_does_not_write(trade: Trade) -> None:
    order = trade.place()
    auditor = trade.as_("Feng Yuan", "auditor")
    with pytest.raises(Forbidden):
        orders.write_message(auditor, order.id, "hello", "own")
    with pytest.raises(Forbidden):
        orders.mark_read(auditor, order.id, uuid4())
    assert heard(trade, auditor, order.id) == [] and unread(trade, auditor) == []


def test_a_file_is_seen_by_whoever_sees_its_message(trade: Trade) -> None:
    order = trade.place()
    for audience in ("own", "both"):
        slip = orders.Attachment(f"{audience}.csv", b"no,kg\n1,53180\n")
        orders.write_message(trade.buyer(), order.id, audience, audience, slip)
    trade.session.flush()
    seller = trade.as_("Li Min", "seller.sales")
    assert [each.name for each in files.files_of(seller, "order", order.id)] == ["both.csv"]
    assert [each.file_name for each in talk_of(trade.buyer(), order.id).messages] == ["both.csv", "own.csv"]
    with pytest.raises(Invalid):
        orders.write_message(trade.buyer(), order.id, "run this", "both", orders.Attachment("a.exe", b"MZ"))


@pytest.mark.parametrize("change", ["UPDATE ts.order_message SET text = 'other'", "DELETE FROM ts.order_message"])
def test_what_was_said_is_neither_changed_nor_removed(trade: Trade, change: str) -> None:
    orders.write_message(trade.buyer(), trade.place().id, "hello", "both")
    trade.session.flush()
    with pytest.raises(ProgrammingError, match="permission denied"), trade.session.begin_nested():
        trade.session.execute(text(change))


def test_a_message_is_recorded_and_heard_by_both_a_note_by_its_side(trade: Trade) -> None:
    ctx = trade.buyer()
    order = orders.place(ctx, trade.wish())
    ctx = trade.buyer()
    for audience in ("own", "both"):
        orders.write_message(ctx, order.id, f"for {audience}", audience)
    told = [each for each in ctx.session.info["events"] if each["name"] == "OrderMessageWritten"]
    assert [(each["payload"]["text"], each["other_id"]) for each in told] == [
        ("for own", None),
        ("for both", trade.seller_id),
    ]
    assert [each["action"] for each in ctx.session.info["audit"]][-2:] == ["order.message"] * 2


def test_messages_by_forms_alone(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    path = f"/orders/{placed(portal)}"
    note = buying.post(f"{path}/messages", follow=True, text="our secret", audience="own")
    assert note.status_code == 200 and "our secret" in note.text and "only for us" in note.text
    buying.post(f"{path}/messages", text="<b>please</b>\nreply", audience="both")
    theirs = selling.get(path).text
    assert "our secret" not in theirs and "&lt;b&gt;please&lt;/b&gt;\nreply" in theirs
    assert "waits for an answer" in theirs
    newest = theirs.split('name="message" value="')[1].split('"')[0]
    done = selling.post(f"{path}/messages/read", follow=True, message=newest)
    assert "Marked as read" in done.text and "waits for an answer" not in done.text
    assert selling.post(f"{path}/messages/read", message="nonsense").status_code == 303
    steps = buying.get(f"{path}?show=steps").text
    assert "our secret" not in steps and "placed the order" in steps
    assert "placed the order" not in buying.get(f"{path}?show=messages").text
    assert buying.get(f"{path}?show=nonsense&said=").status_code == 200
    assert buying.get(f"{path}?said=nonsense").status_code == 400


def test_a_refused_message_keeps_what_was_typed(portal: Portal, buying: Visitor) -> None:
    path = f"/orders/{placed(portal)}"
    again = buying.post(f"{path}/messages", text="y" * 2001, audience="both")
    assert again.status_code == 422 and "y" * 2001 in again.text and 'value="both" checked' in again.text
    assert "2001 characters" in again.text
    assert buying.get(f"{path}/messages/new").status_code == 200


def test_messages_over_json(portal: Portal, buying: Visitor, selling: Visitor) -> None:
    path = f"/orders/{placed(portal)}/messages"
    slip = {"name": "slip.csv", "content": base64.b64encode(b"no,kg\n1,2\n").decode()}
    said = buying.api("POST", path, {"text": "one", "audience": "both", "attachment": slip})
    assert said.status_code == 201 and said.json is not None and said.json["file_name"] == "slip.csv"
    buying.api("POST", path, {"text": "two", "audience": "own"})
    found = buying.api("GET", f"{path}?limit=1").json
    assert [each["text"] for each in found["items"]] == ["two"] and found["next"]
    assert [each["text"] for each in buying.api("GET", f"{path}?after={found['next']}").json["items"]] == ["one"]
    theirs = selling.api("GET", path).json
    assert [each["text"] for each in theirs["items"]] == ["one"] and theirs["unread"] == said.json["id"]
    assert selling.api("POST", f"{path}/read", {"message_id": theirs["unread"]}).json == {"done": True}
    assert selling.api("GET", path).json["unread"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "hi"},
        {"text": "", "audience": "own"},
        {"text": "hi", "audience": "all"},
        {"text": 5, "audience": "own"},
        {"text": "hi", "audience": "own", "attachment": {"name": "a.csv", "content": "%%%"}},
        {"text": "hi", "audience": "own", "attachment": {"name": "a.exe", "content": "TVo="}},
        {"text": "hi", "audience": "own", "more": 1},
    ],
)
def test_bad_messages_over_json_are_refused(portal: Portal, buying: Visitor, body: dict[str, Any]) -> None:
    path = f"/orders/{placed(portal)}/messages"
    assert buying.api("POST", path, body).status_code == 422
    assert buying.api("GET", path).json["items"] == []


def test_a_foreign_order_has_no_messages(buying: Visitor) -> None:
    path = f"/orders/{uuid4()}/messages"
    assert buying.api("GET", path).status_code == 404
    assert buying.api("POST", path, {"text": "hi", "audience": "own"}).status_code == 404
    assert buying.api("GET", f"{path}?after=nonsense").status_code == 404

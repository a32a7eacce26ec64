"""The suites for authors of connectors can fail: each of their usual mistakes, made in a good connector, is found out."""

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from core.authoring import making
from tongshang.connect import (
    Found,
    LeaseLost,
    Page,
    Rejected,
    RetryLater,
    StockIn,
    SyncError,
    Uncertain,
)
from tongshang.testing import ConnectorDrill

NAME = "found_out"


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The modules of a new connector."""
    folder = making.make_connector(NAME, tmp_path_factory.mktemp("connectors"))
    sys.path.insert(0, str(folder))
    try:
        names = ("client", "mapping", "streams", "system", "simulator.server")
        found = {name: importlib.import_module(f"tongshang_{NAME}.{name}") for name in names}
        found["server"] = found.pop("simulator.server")
        yield SimpleNamespace(**found)
    finally:
        sys.path.remove(str(folder))
        for name in [each for each in sys.modules if each.startswith(f"tongshang_{NAME}")]:
            del sys.modules[name]


@pytest.fixture
def suite(parts: SimpleNamespace) -> ConnectorDrill:
    told = {
        "connector": parts.system.System,
        "simulator": parts.server.Simulator,
        "holds": {"products": 2, "stock": 2},
    }
    return type("Suite", (ConnectorDrill,), told)()


def case(trouble: str, intent: str) -> Callable[[ConnectorDrill], None]:
    return lambda suite: suite.test_whatever_breaks_one_document_lies_there_in_the_end(trouble, intent)


def manner(name: str) -> Callable[[ConnectorDrill], None]:
    return lambda suite: getattr(suite, f"test_{name}")()


# -- the mistakes


def a_time_out_is_a_refusal(parts: Any, patch: Any) -> None:
    _every_doubt_becomes(parts, patch, Rejected)


def a_time_out_is_retried(parts: Any, patch: Any) -> None:
    _every_doubt_becomes(parts, patch, RetryLater)


def _every_doubt_becomes(parts: Any, patch: Any, kind: type[SyncError]) -> None:
    right = parts.client.Client._call

    def wrong(self: Any, operation: str, method: str, path: str, perhaps: Any, **more: Any) -> Any:
        return right(self, operation, method, path, kind if perhaps is Uncertain else perhaps, **more)

    patch.setattr(parts.client.Client, "_call", wrong)


def the_search_knows_beginnings_only(parts: Any, patch: Any) -> None:
    right = parts.server.Simulator._work

    def work(self: Any, call: Any) -> Any:
        if call.method == "GET" and call.path == "/orders":
            rows = [each for each in self.orders if each["ref"].startswith(call.query["ref"])]
            return parts.server._json({"rows": rows})
        return right(self, call)

    def find(self: Any, reference: str) -> Found | None:
        rows = self.client.read("find", "/orders", ref=reference)["rows"]
        return self.words.found(rows[0]) if rows else None

    patch.setattr(parts.server.Simulator, "_work", work)
    patch.setattr(parts.system.SystemLink, "find", find)


def a_price_is_a_float(parts: Any, patch: Any) -> None:
    right = parts.mapping.Words.bill

    def bill(self: Any, *told: Any) -> Any:
        made = right(self, *told)
        rows = [{**row, "price": str(row["price"]), "sum": float(row["sum"])} for row in made.body["rows"]]
        return replace(made, body={**made.body, "rows": rows})

    patch.setattr(parts.mapping.Words, "bill", bill)


def a_total_was_a_float(parts: Any, patch: Any) -> None:
    right = parts.mapping.Words.found
    patch.setattr(
        parts.mapping.Words,
        "found",
        lambda self, told: replace(right(self, told), total=Decimal(float(told["total"]))),
    )


def _pages(parts: Any, patch: Any, how: Callable[[list[Page]], list[Page]]) -> None:
    right = parts.streams.Paged.pull
    patch.setattr(
        parts.streams.Paged,
        "pull",
        lambda self, cursor, position: iter(how(list(right(self, cursor, position)))),
    )


def the_cursor_is_the_clock(parts: Any, patch: Any) -> None:
    def clocked(pages: list[Page]) -> list[Page]:
        return [replace(page, cursor=datetime.now().isoformat()) for page in pages]

    _pages(parts, patch, clocked)


def the_last_page_is_dropped(parts: Any, patch: Any) -> None:
    _pages(parts, patch, lambda pages: pages[:-1])


def a_position_is_behind_what_was_told(parts: Any, patch: Any) -> None:
    _pages(parts, patch, lambda pages: [replace(page, position="9") for page in pages])


def bad_rows_never_come(parts: Any, patch: Any) -> None:
    def fewer(pages: list[Page]) -> list[Page]:
        return [
            replace(page, rows=tuple(row for row in page.rows if row.get("uom") == "PCE")) for page in pages
        ]

    _pages(parts, patch, fewer)


def what_is_no_number_is_nothing(parts: Any, patch: Any) -> None:
    def number(row: Any, name: str) -> Decimal:
        told = str(row.get(name, ""))
        return Decimal(told) if told.replace(".", "").isdigit() else Decimal(0)

    patch.setattr(parts.streams, "number", number)


def a_row_is_believed(parts: Any, patch: Any) -> None:
    def to_core(self: Any, row: Any) -> StockIn:
        item, house = str(row.get("item")), str(row.get("house"))
        return StockIn(f"{item}|{house}", item, house, "pcs", Decimal(str(row["qty"])))

    patch.setattr(parts.streams.Stock, "to_core", to_core)


def a_write_goes_before_it_is_allowed(parts: Any, patch: Any) -> None:
    def write(self: Any, operation: str, method: str, path: str, body: Any = None) -> Any:
        sent = parts.client.json.dumps(body, default=parts.client.exact).encode() if body is not None else b""
        done = self._call(operation, method, path, Uncertain, sent=sent)
        self.before_write()
        return done

    patch.setattr(parts.client.Client, "write", write)


def a_lost_lease_is_swallowed(parts: Any, patch: Any) -> None:
    right = parts.client.Client.write

    def write(self: Any, *told: Any) -> Any:
        try:
            return right(self, *told)
        except LeaseLost as error:
            raise Uncertain("found_out.unreadable", "something happened") from error

    patch.setattr(parts.client.Client, "write", write)


def the_token_stands_in_what_people_look_at(parts: Any, patch: Any) -> None:
    patch.setattr(parts.client.Client, "_hide", lambda self, shown: f"{parts.server.TOKEN} says {shown}")


def no_call_is_shown(parts: Any, patch: Any) -> None:
    silent = property(lambda self: lambda _: None, lambda self, trace: None)
    patch.setattr(parts.client.Client, "trace", silent)


def a_cancellation_turns_back_and_forth(parts: Any, patch: Any) -> None:
    right = parts.server.Simulator._work

    def work(self: Any, call: Any) -> Any:
        if call.path.endswith("/void"):
            order = self.orders[int(call.path.split("/")[2]) - 1]
            order["state"] = "approved" if order["state"] == "void" else "void"
            return parts.server._json(order)
        return right(self, call)

    patch.setattr(parts.server.Simulator, "_work", work)


def a_write_is_sent_again_by_the_connector(parts: Any, patch: Any) -> None:
    right = parts.client.Client._call

    def again(self: Any, *told: Any, **more: Any) -> Any:
        try:
            return right(self, *told, **more)
        except Uncertain:
            return right(self, *told, **more)

    patch.setattr(parts.client.Client, "_call", again)


def what_was_found_is_not_gone_on_from(parts: Any, patch: Any) -> None:
    right = parts.system.SystemLink.send
    patch.setattr(parts.system.SystemLink, "send", lambda self, bill, found: right(self, bill, None))


def what_cannot_be_read_is_not_there(parts: Any, patch: Any) -> None:
    right = parts.system.SystemLink.find

    def find(self: Any, reference: str) -> Found | None:
        try:
            return right(self, reference)
        except RetryLater:
            return None

    patch.setattr(parts.system.SystemLink, "find", find)


def a_page_that_cannot_be_read_is_the_last(parts: Any, patch: Any) -> None:
    right = parts.streams.Paged.pull

    def pull(self: Any, cursor: str | None, position: str | None) -> Iterator[Page]:
        try:
            yield from right(self, cursor, position)
        except RetryLater:
            return

    patch.setattr(parts.streams.Paged, "pull", pull)


def a_lost_release_is_done(parts: Any, patch: Any) -> None:
    right = parts.client.Client.write

    def write(self: Any, operation: str, *told: Any) -> Any:
        try:
            return right(self, operation, *told)
        except Uncertain as error:
            if operation == "release":
                raise Rejected(error.code, error.message) from error
            raise

    patch.setattr(parts.client.Client, "write", write)


LOOKS = "a_look_finds_no_order_but_the_one_that_carries_the_reference"
EXACT = "amounts_stay_exact_on_the_way_out_and_back"
ALLOWED = "nothing_is_written_before_it_is_allowed"
LOST = "a_lost_answer_to_a_write_is_never_called_a_no"
WHOLE = "what_comes_in_is_whole_and_an_unfinished_run_is_taken_up"
ROWS = "a_row_that_cannot_be_used_is_left_out_by_name"
MISTAKES = [
    (a_time_out_is_a_refusal, case("cut_after", "create")),
    (a_time_out_is_a_refusal, manner(LOST)),
    (a_time_out_is_retried, manner(LOST)),
    (the_search_knows_beginnings_only, manner(LOOKS)),
    (a_price_is_a_float, manner(EXACT)),
    (a_total_was_a_float, manner(EXACT)),
    (the_cursor_is_the_clock, manner("a_cursor_comes_from_the_records_and_not_from_the_clock")),
    (the_last_page_is_dropped, manner(WHOLE)),
    (a_position_is_behind_what_was_told, manner(WHOLE)),
    (bad_rows_never_come, manner(WHOLE)),
    (what_is_no_number_is_nothing, manner(ROWS)),
    (a_row_is_believed, manner(ROWS)),
    (a_write_goes_before_it_is_allowed, manner(ALLOWED)),
    (a_lost_lease_is_swallowed, manner(ALLOWED)),
    (the_token_stands_in_what_people_look_at, manner("no_secret_is_shown")),
    (no_call_is_shown, manner("no_secret_is_shown")),
    (a_cancellation_turns_back_and_forth, manner("a_cancellation_can_come_twice")),
    (a_write_is_sent_again_by_the_connector, case("cut_after", "create")),
    (what_was_found_is_not_gone_on_from, case("none", "change")),
    (what_cannot_be_read_is_not_there, manner("a_look_without_a_readable_answer_is_no_proof_of_nothing")),
    (a_page_that_cannot_be_read_is_the_last, manner("a_page_that_cannot_be_read_does_not_end_a_run_well")),
    (a_lost_release_is_done, manner("what_breaks_at_a_later_write_leaves_one_document_too")),
]


@pytest.mark.parametrize(("mistake", "proof"), MISTAKES, ids=[mistake.__name__ for mistake, _ in MISTAKES])
def test_a_usual_mistake_is_found_out(mistake, proof, parts, suite, monkeypatch):
    mistake(parts, monkeypatch)
    with pytest.raises(AssertionError):
        proof(suite)


@pytest.mark.slow
def test_without_a_mistake_each_proof_holds(suite):
    for proof in dict(MISTAKES).values():
        proof(suite)

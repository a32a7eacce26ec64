"""What a connector must keep with a system that works, tried at its own practice server."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

import requests

from core.authoring.desk import Desk, Server, nobody, practising, sample_order
from core.authoring.soundness import inexact, is_now, measures, shapes_of, unsound, wounded
from core.kernel import uuid7
from core.sync.contract import Connector, Filing, Record, Stream
from core.sync.documents import differences
from core.sync.drill.rehearsal import CALLS, by_place, doubled
from core.sync.drill.trouble import Trouble, install
from core.sync.incoming import Incoming
from core.sync.outcome import MISTAKES, FixSettings, Found, LeaseLost, SkipRecord, SyncError, Uncertain
from core.sync.outgoing import Outgoing

PATIENCE = 10.0  # seconds until an order that was left must be seen as done
MOST_WRITES = 9  # of one order, and calls of one look
ODD = Decimal("12177.81")  # 333 times 36.57
LOST = ("cut_before", "cut_after", "silent_after", "gateway", "page", "half", "garbled", "empty")
"""Trouble after which nobody can know whether a call was carried out."""


class ConnectorManners:
    """Exact, whole, repeatable, and silent about secrets: inherit, name both, run pytest.

    `order` may answer another sample where the practice server knows other goods and buyers, or a document of another kind
    that the connector files (`sample_of`), in a suite of its own. `holds` says how many rows each
    stream of a fresh practice server has, those that cannot be used among them: so a page that is dropped is noticed.
    """

    connector: ClassVar[type[Connector]]
    simulator: ClassVar[Callable[[], AbstractContextManager[Any]]]
    organisation: ClassVar[str] = "100"
    values: ClassVar[
        Mapping[str, str]
    ] = {}  # settings and secrets that differ from those of the demonstration
    holds: ClassVar[Mapping[str, int]] = {}

    def order(self) -> Outgoing:
        return sample_order()

    # -- out

    def test_a_look_finds_no_order_but_the_one_that_carries_the_reference(self) -> None:
        with self._desk() as desk:
            neighbours = [
                self._filed(desk, doubled(self._order(name), 1)) for name in ("MANNERS-10", "XMANNERS-1")
            ]
            try:
                before = self._filing(desk).find("MANNERS-1")
            except SyncError:
                before = None  # that the search answers others is an error, and finds nothing
            assert before is None, f"MANNERS-1 was never filed, and {before} was found"
            ours = self._filed(desk, self._order("MANNERS-1"))
            found = self._found(desk, "MANNERS-1")
            told = f"filed {ours}, found {found}"
            assert found is not None and found.remote_id == ours.remote_id, told
            assert ours.remote_id not in {each.remote_id for each in neighbours}, "two orders have one id"

    def test_amounts_stay_exact_on_the_way_out_and_back(self) -> None:
        """No binary fraction is an odd amount, so whoever lets a float in between is found out."""
        with self._desk() as desk:
            order = replace(self._order("MANNERS-1"), total=ODD)
            if order.lines:
                order = replace(order, lines=(replace(order.lines[0], quantity=Decimal(333), gross=ODD),))
            bill = self._filing(desk).bill(order, nobody)
            wrong = inexact(bill, "bill")
            assert not wrong, f"no exact numbers: {wrong}"
            found = self._filed(desk, order)
            wrong = inexact(found, "found")
            assert not wrong, f"no exact numbers: {wrong}"
            told = differences(bill, found)
            assert not told, f"what lies there is not what was sent: {told}"

    def test_nothing_is_written_before_it_is_allowed(self) -> None:
        """`before_write` raises where another worker has the document by now: then nothing more may change there."""
        for allowed in range(MOST_WRITES):
            with self._desk() as desk:
                order = self._order("MANNERS-1")
                bill, stopped = self._filing(desk).bill(order, nobody), Counted(allowed)
                desk.link.before_write = stopped
                try:
                    self._filing(desk).send(bill, None)
                except LeaseLost:
                    pass
                except SyncError:
                    assert not stopped.fell, "LeaseLost of before_write has to come through as it is"
                desk.link.before_write = lambda: None
                if not stopped.fell:
                    assert allowed, "an order was sent, and before_write was never called"
                    break
                there = self._perhaps(desk, "MANNERS-1")
                assert allowed or there is None, f"written before before_write was called: {there}"
                whole = there is not None and there.finished and not differences(bill, there)
                assert not whole, (
                    f"before_write was called {allowed + 1} times, the last time when all was done"
                )
        with self._desk() as desk:
            found = self._filed(desk, self._order("MANNERS-1"))
            for name, act in self._acts(desk)[1:]:
                desk.link.before_write = stopped = Counted(0)
                try:
                    act()
                except LeaseLost:
                    pass
                except SyncError as error:
                    assert not stopped.fell, f"LeaseLost of before_write became {error!r}"
                    continue  # a system that offers no change or no cancellation
                there = self._perhaps(desk, "MANNERS-1")
                untouched = there is None or (there.total, there.cancelled) == (found.total, found.cancelled)
                assert untouched, f"{name}: written before before_write was called: {there}"

    def test_a_lost_answer_to_a_write_is_never_called_a_no(self) -> None:
        """Sent, and nobody knows: that is Uncertain. Any other error says that it was certainly not carried out."""
        for trouble in () if self._by_place else LOST:
            with self._desk() as desk:
                meeting = Meeting(trouble)
                install(desk.http, meeting)
                for name, act in self._acts(desk):
                    meeting.hit, desk.link.before_write = False, meeting.arm
                    try:
                        act()
                    except SyncError as error:
                        told = f"{name}: {CALLS[trouble]}, and {error!r} says that it was not carried out"
                        assert not meeting.hit or isinstance(error, Uncertain), told
                    desk.link.before_write = lambda: None
                    if self._perhaps(desk, "MANNERS-1") is None:
                        self._filed(desk, self._order("MANNERS-1"))

    def test_a_look_without_a_readable_answer_is_no_proof_of_nothing(self) -> None:
        """Whoever answers None then has the order sent a second time."""
        for trouble in () if self._by_place else LOST:
            with self._desk() as desk:
                meeting = Meeting(trouble)
                install(desk.http, meeting)
                self._filed(desk, self._order("MANNERS-1"))
                for at in range(1, MOST_WRITES):
                    meeting.hit, meeting.wait = False, at
                    try:
                        found = self._filing(desk).find("MANNERS-1")
                    except SyncError:
                        continue
                    assert found is not None, (
                        f"{CALLS[trouble]}, and MANNERS-1, which is there, was not found"
                    )
                    if not meeting.hit:
                        break

    def test_a_cancellation_can_come_twice(self) -> None:
        with self._desk() as desk:
            self._filed(desk, self._order("MANNERS-1"))
            for _ in range(2):
                found = self._found(desk, "MANNERS-1")
                if found is None or found.cancelled:
                    break
                self._settled(partial(self._filing(desk).cancel, found), desk, "MANNERS-1")
            assert found is None or self._gone(desk), "the order was cancelled and is alive"
            live = replace(found, cancelled=False) if found else None
            if live is not None:  # as somebody who looked a moment too early
                with suppress(SyncError):  # refused as done already
                    self._filing(desk).cancel(live)
                assert self._gone(desk), "a second cancellation brought it back"

    def test_no_secret_is_shown(self) -> None:
        """In no call that people can look at, in no step of a check, in no reason of an error."""
        with self._desk() as desk:
            seen = [f"{step.name} {step.said}" for step in desk.check()]
            self._filed(desk, self._order("MANNERS-1"))
            assert desk.trace.exchanges, "no call was handed to trace"
            for stream in self.connector.streams:
                try:
                    next(iter(desk.link.stream(stream.key).pull(None, None)), None)
                except SyncError as error:
                    seen.append(str(error))
            seen += [repr(each) for each in desk.trace.exchanges]
            for name, secret in desk.access.secrets.items():
                shown = next((text for text in seen for form in shapes_of(secret) if form in text), None)
                assert shown is None, f"the secret {name} is shown: {shown}"

    # -- in

    def test_what_comes_in_is_whole_and_an_unfinished_run_is_taken_up(self) -> None:
        for kind in self.connector.streams:
            with self._desk() as desk:
                pages = self._pages(desk, kind.key)
            rows = [row for page in pages for row in page.rows]
            told = max((page.total or 0 for page in pages), default=0)
            assert len(rows) >= told, f"{kind.key}: {told} rows are told of, {len(rows)} came"
            held = self.holds.get(kind.key)
            assert held in (None, len(rows)), f"{kind.key}: {held} rows are there, {len(rows)} came"
            for passed in range(1, min(len(pages), 3)):
                with self._desk() as desk:
                    run = desk.link.stream(kind.key).pull(None, None)
                    first = [next(run) for _ in range(passed)]
                    del run  # the worker was stopped here
                    rest = self._pages(desk, kind.key, first[-1].position)
                got = [_key(row) for page in (*first, *rest) for row in page.rows]
                lost = [row for row in rows if _key(row) not in got]
                assert not lost, (
                    f"{kind.key}: a run stopped behind page {passed} and taken up loses {lost[:3]}"
                )

    def test_a_page_that_cannot_be_read_does_not_end_a_run_well(self) -> None:
        """A run that ends as if that were all moves its cursor past what it never saw."""
        for trouble in () if self._by_place else LOST:
            with self._desk() as desk:
                meeting = Meeting(trouble)
                install(desk.http, meeting)
                for kind in self.connector.streams:
                    whole = sum(len(page.rows) for page in self._pages(desk, kind.key))
                    for at in (1, 2):
                        meeting.hit, meeting.wait = False, at
                        with suppress(SyncError):
                            got = sum(len(page.rows) for page in desk.link.stream(kind.key).pull(None, None))
                            assert got >= whole, (
                                f"{kind.key}: {CALLS[trouble]}; {got} of {whole} rows, and no error"
                            )
                        meeting.hit = True

    def test_a_cursor_comes_from_the_records_and_not_from_the_clock(self) -> None:
        """What changed while a run was under way would be passed over by a cursor that says when the run was."""
        if self._by_place:
            return  # files are moved away behind themselves
        with self._desk() as desk:
            ends = self._ends(desk)
            if any(is_now(end) for end in ends.values()):
                time.sleep(1.1)
            again = self._ends(desk)
        moved = {key: (end, again[key]) for key, end in ends.items() if again[key] != end}
        assert not moved, f"nothing changed there, and the cursor went on: {moved}"

    def test_a_row_that_cannot_be_used_is_left_out_by_name(self) -> None:
        """Whatever is broken in a row: a sound record or SkipRecord. What is no number never becomes one."""
        for kind in self.connector.streams:
            with self._desk() as desk:
                stream = desk.link.stream(kind.key)
                for row in [row for page in self._pages(desk, kind.key) for row in page.rows][:3]:
                    for where, what, worse in wounded(row):
                        _try(stream, f"{kind.key}: {where} = {what!r}", row, what, worse)

    # -- helpers

    def _acts(self, desk: Desk) -> list[tuple[str, Callable[[], Found]]]:
        """The three things a link can do with an order."""

        def change() -> Found:
            more = self._filing(desk).bill(doubled(self._order("MANNERS-1"), 2), nobody)
            return self._filing(desk).send(more, self._found(desk, "MANNERS-1"))

        def cancel() -> Found:
            found = self._found(desk, "MANNERS-1")
            assert found is not None
            return self._filing(desk).cancel(found)

        create = self._filing(desk).bill(self._order("MANNERS-1"), nobody)
        return [
            ("create", lambda: self._filing(desk).send(create, None)),
            ("change", change),
            ("cancel", cancel),
        ]

    def _filing(self, desk: Desk) -> Filing:
        return desk.link.filing(self.order().kind)

    @property
    def _by_place(self) -> bool:
        return by_place(self.connector())

    def _wired(self, server: Server) -> AbstractContextManager[Desk]:
        return practising(self.connector, server, organisation=self.organisation, **self.values)

    @contextmanager
    def _desk(self) -> Iterator[Desk]:
        """A link to a fresh practice server; both end together."""
        with type(self).simulator() as server, self._wired(server) as desk:
            yield desk

    def _order(self, reference: str) -> Outgoing:
        return replace(self.order(), object_id=uuid7(), reference=reference)

    def _filed(self, desk: Desk, order: Outgoing) -> Found:
        found = self._settled(
            lambda: self._filing(desk).send(self._filing(desk).bill(order, nobody), None),
            desk,
            order.reference,
        )
        assert found is not None, f"{order.reference} was sent and cannot be found"
        return found

    def _settled(self, act: Callable[[], Found], desk: Desk, reference: str) -> Found | None:
        """What an act came to; where its answer comes by itself, as with files, it is waited for."""
        try:
            return act()
        except Uncertain:
            return self._found(desk, reference)

    def _found(self, desk: Desk, reference: str) -> Found | None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._filing(desk).find(reference)
            except Uncertain:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def _perhaps(self, desk: Desk, reference: str) -> Found | None:
        try:
            return self._filing(desk).find(reference)
        except SyncError:
            return None

    def _gone(self, desk: Desk) -> bool:
        found = self._found(desk, "MANNERS-1")
        return found is None or found.cancelled

    def _ends(self, desk: Desk) -> dict[str, str | None]:
        """The last cursor of a whole run of each stream."""
        runs = {kind.key: self._pages(desk, kind.key) for kind in self.connector.streams}
        return {key: pages[-1].cursor for key, pages in runs.items() if pages}

    def _pages(self, desk: Desk, key: str, position: str | None = None) -> list[Any]:
        try:
            return list(desk.link.stream(key).pull(None, position))
        except FixSettings:
            if key in self.holds:
                raise
            return []  # a stream that these settings do not use


class Meeting(Trouble):
    """Trouble at the next call of a write once it is armed, or at the `wait`-th call from now."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind, 0.0)
        self.wait, self.hit = 0, True

    def arm(self) -> None:
        self.armed = not self.hit

    def befall(
        self, send: Callable[[], requests.Response], request: requests.PreparedRequest
    ) -> requests.Response:
        self.wait -= 1
        self.armed = self.armed or (self.wait == 0 and not self.hit)
        return super().befall(send, request)


class Counted:
    """A `before_write` that counts writes, and says that the lease is over where no more than `allowed` may be."""

    def __init__(self, allowed: int | None = None) -> None:
        self.allowed, self.count, self.fell = allowed, 0, False

    def __call__(self) -> None:
        if self.count == self.allowed:
            self.fell = True
            raise LeaseLost
        self.count += 1


def _try(stream: Stream, about: str, row: Record, what: Any, worse: Record) -> None:
    """Read a row in which `what` stands where something else stood."""
    try:
        made = stream.to_core(worse)
    except SkipRecord as error:
        assert error.code and error.message, about
        return
    except MISTAKES as error:  # the platform lists the row all the same, though not in words that help
        assert not isinstance(what, str), f"{about}: {error!r} instead of SkipRecord"
        return
    wrong = unsound(made)
    assert not wrong, f"{about}: {wrong}"
    good = _taken(stream.to_core, row)
    if isinstance(what, str) and what and good is not None:
        invented = measures(made) - measures(good)
        assert not invented, f"{about} became {invented}"


def _taken(to_core: Callable[[Record], Incoming], row: Record) -> Incoming | None:
    """The record of a row that nobody wounded, None for one that cannot be used."""
    try:
        return to_core(row)
    except SkipRecord:
        return None


def _key(row: Record) -> str:
    return repr(sorted(row.items(), key=lambda item: item[0]))

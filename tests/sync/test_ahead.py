"""Fetched ahead, in order, no further than one page, and never left behind."""

import threading
import time

import pytest

from core.sync.ahead import ahead
from core.sync.contract import Page


def pages(count, fetched, fault_at=None):
    for number in range(count):
        if number == fault_at:
            raise ConnectionError("gone")
        fetched.append(number)
        yield Page(({"n": number},), str(number), None)


def test_pages_come_in_their_order_and_only_one_waits():
    fetched, seen = [], []
    with ahead(pages(20, fetched)) as coming:
        for page in coming:
            seen.append(page.position)
            time.sleep(0.005)
            assert len(fetched) - len(seen) <= 2  # one that waits, one being handed on
    assert seen == [str(number) for number in range(20)]


def test_fetching_goes_on_while_a_page_is_stored():
    arrived = threading.Event()

    def two():
        yield Page((), "1", None)
        arrived.set()
        yield Page((), "2", None)

    with ahead(two()) as coming:
        next(coming)
        assert arrived.wait(2)


def test_what_breaks_comes_out_behind_the_pages_before_it():
    seen = []
    with pytest.raises(ConnectionError), ahead(pages(9, [], fault_at=3)) as coming:
        seen.extend(page.position for page in coming)
    assert seen == ["0", "1", "2"]


def test_who_stops_early_leaves_no_thread_behind():
    before = threading.active_count()
    with ahead(pages(1_000, [])) as coming:
        next(coming)
    assert threading.active_count() == before

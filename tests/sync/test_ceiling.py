"""How far a run that pages by id may say it has come."""

from datetime import UTC, datetime, timedelta

import pytest

from core.sync import Course

NOW = datetime.now(UTC)
PAST, LATER = (NOW - timedelta(hours=1)).isoformat(), (NOW + timedelta(hours=1)).isoformat()


def test_the_ceiling_of_the_first_page_holds_for_the_whole_run_and_for_who_takes_it_up():
    course = Course("2026-01-01", None)
    assert (course.last, course.begins, course.cursor) == ("", True, "2026-01-01")
    course.begin(["2026-03-01", "", "2026-02-01"])
    position = course.position("7")
    assert (course.last, course.begins, course.cursor) == ("7", False, "2026-03-01")
    taken = Course("2026-01-01", position)
    assert (taken.last, taken.begins, taken.cursor) == ("7", False, "2026-03-01")
    assert Course(None, taken.position("9")).last == "9" and taken.cursor == "2026-03-01"


def test_a_cursor_never_goes_back_and_stays_where_nothing_is_stamped():
    course = Course("2026-05-01", None)
    course.begin(["2026-03-01"])
    assert course.cursor == "2026-05-01"
    bare = Course(None, None)
    bare.begin(["", ""])
    assert (bare.cursor, bare.position("7")) == (None, "7")


@pytest.mark.parametrize(
    "old", ["100231", "BRG-6204", "0", "null", "[1, 2]", '["a"]', '"ab"', '{"a": "b"}', "[", "1710/M"]
)
def test_a_position_from_before_there_were_ceilings_is_the_key_alone(old):
    course = Course("2026-05-01", old)
    course.see([LATER, PAST])
    assert Course("2026-05-01", old).last == old and not course.begins
    assert Course("2026-05-01", old).cursor == course.cursor == "2026-05-01"
    assert Course(None, old).cursor is None


def test_a_key_may_be_any_text():
    course = Course(None, None)
    course.begin(["2026-03-01"])
    for key in ('轴承 "6204"', "a,b", "[", "https://erp/items?page=2"):
        assert Course(None, course.position(key)).last == key


def test_where_nobody_can_be_asked_later_pages_count_with_what_was_there_before_the_run():
    course = Course(None, None)
    course.see(["2020-01-01T00:00:00+08:00"])
    course.position("1")
    course.see([PAST, LATER, "2020-01-01"])
    assert course.cursor == PAST


def test_a_moment_of_the_first_page_counts_even_when_that_clock_is_ahead():
    course = Course(None, None)
    course.see([LATER])
    assert course.cursor == LATER


def number(marks):
    return max(filter(None, marks), key=int, default=None)


@pytest.mark.parametrize(
    ("second", "third", "end"), [("11", "12", "12"), ("11", "5", "11"), ("9", "12", "10")]
)
def test_marks_that_are_no_moments_count_while_they_rise(second, third, end):
    course = Course(None, None, number)
    for page in (["9", "10"], [second], [third]):
        course.see(page)
        course.position(page[-1])
    assert course.cursor == end

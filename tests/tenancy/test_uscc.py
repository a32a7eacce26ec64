"""The unified social credit code, with the standard's own arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel import Invalid
from core.tenancy import check_uscc
from core.tenancy.uscc import ALPHABET, check_character

VECTORS = [
    ("91350100M000100Y4", "3"),  # V-ID1
    ("91310000MA1FL4XY7", "W"),  # V-ID2
    ("91110108MA0012345", "5"),  # V-ID3
    ("12100000400000001", "0"),  # V-ID4
    ("91440300MA5000005", "0"),  # V-ID5, the sum is a multiple of 31
]


def code_of(typed: str) -> str:
    with pytest.raises(Invalid) as refused:
        check_uscc(typed)
    return refused.value.errors[0].code


@pytest.mark.parametrize(("body", "check"), VECTORS)
def test_the_check_character_follows_the_standard(body: str, check: str) -> None:
    assert check_character(body) == check
    assert check_uscc(body + check) == body + check


def test_a_wrong_check_character_is_named() -> None:
    assert code_of("91350100M000100Y4Z") == "uscc.wrong_character"  # V-ID1: Z is no character at all
    assert code_of("91350100M000100Y44") == "uscc.wrong_check"


def test_lower_case_blanks_and_full_width_are_one_spelling() -> None:
    assert check_uscc(" 91350100-m000100y 43 ") == "91350100M000100Y43"
    assert check_uscc("９１３５０１００Ｍ０００１００Ｙ４３") == "91350100M000100Y43"


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_too_like_digits_are_refused(letter: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_uscc(f"91350100{letter}000100Y43")
    assert refused.value.errors[0].values == {"character": letter, "position": 9}


def test_places_three_to_eight_are_digits() -> None:
    assert code_of("91A50100M000100Y43") == "uscc.region_not_digits"
    assert code_of("9135010") == "uscc.wrong_length"
    assert code_of("") == "uscc.wrong_length"


@given(
    st.integers(0, 999999),
    st.text(ALPHABET, min_size=9, max_size=9),
    st.integers(0, 17),
    st.sampled_from(ALPHABET),
)
def test_one_wrong_character_is_always_noticed(region: int, rest: str, place: int, other: str) -> None:
    body = f"91{region:06d}{rest}"
    code = body + check_character(body)
    assert check_uscc(code) == code
    if code[place] != other:
        with pytest.raises(Invalid):
            check_uscc(code[:place] + other + code[place + 1 :])

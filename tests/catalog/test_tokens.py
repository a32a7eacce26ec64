"""Tokens of Chinese, English and part numbers, and the queries made of them."""

from core.catalog.tokens import part_number, query, tokens, vector


def test_chinese_is_cut_into_overlapping_pairs() -> None:
    assert tokens("深沟球轴承", index=False) == ["深沟", "沟球", "球轴", "轴承"]


def test_an_index_also_holds_the_end_of_a_run() -> None:
    assert tokens("轴承", index=True) == ["轴承", "承"]


def test_full_width_and_capitals_make_no_difference() -> None:
    assert tokens("ＳＫＦ-6205", index=True) == ["skf", "6205"]


def test_a_part_number_is_its_letters_and_digits() -> None:
    assert part_number("6205-2RS1/C3") == "62052rs1c3"


def test_the_last_token_of_a_query_is_a_prefix_and_the_whole_may_be_a_part_number() -> None:
    assert query("阀") == "'阀':*"
    assert query("6205 2rs") == "('6205' & '2rs':*) | '62052rs':*"
    assert query("***") is None


def test_no_quote_of_the_user_reaches_the_query() -> None:
    assert query("o'ring \\ & | !") == "('o' & 'ring':*) | 'oring':*"
    assert vector(["it's"], "") == "'it' 's'"

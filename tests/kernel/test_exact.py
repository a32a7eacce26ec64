"""JSON whose numbers are exact, and of a size that a trade has."""

from decimal import Decimal

import pytest

from core.kernel import exact, read_json


def test_numbers_are_what_they_say():
    told = read_json('{"a": 0.10, "b": [1e3, 7], "c": 1E-20}')
    assert told == {"a": Decimal("0.10"), "b": [Decimal(1000), 7], "c": Decimal("1E-20")}
    assert str(read_json("36.50")) == "36.50" and read_json(b"0e999999999") == 0
    assert exact("-12.30") == Decimal("-12.30")


@pytest.mark.parametrize(
    "text", ["1e10000000", "-1e-10000000", "1.5e99999999999999999999", "NaN", "[-Infinity]", "9" * 5000, "[" * 100_000, "{", ""]
)
def test_what_is_no_number_of_a_trade_is_refused_before_anybody_writes_it_out(text):
    with pytest.raises(ValueError):
        read_json(text)

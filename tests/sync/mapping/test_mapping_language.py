"""The language of rules: what it answers, and that no text, however hostile, gets past it or costs much."""

import ast
import threading
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sync.mapping import faults
from core.sync.mapping.faults import ExpressionError
from core.sync.mapping.functions import FUNCTIONS, LONGEST_TEXT
from core.sync.mapping.kinds import FIELDS, format_fault, in_names, inward, out_names, outward
from core.sync.mapping.language import ANYTHING, LONGEST, OPERATORS, SYMBOLS, compiled
from core.sync.mapping.plain import plain

FACTS = {
    "order": {name: "" for name in out_names("sales_order")["order"]}
    | {"reference": "SO-1", "total": Decimal("12.30"), "delivery_on": date(2026, 12, 5), "buyer_po": "po-7", "note": None},
    "line": {"no": Decimal(2), "unit": "pcs", "quantity": Decimal("3")},
    "today": date(2026, 11, 23),
    "value": None,
}
PLAIN = (str, Decimal, bool, date, dict, list, type(None))


def value(source, facts=FACTS, names=None):
    return compiled(source, out_names("sales_order") if names is None else names).value(facts)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("order.reference", "SO-1"),
        ("order['reference']", "SO-1"),
        ("'通商 ' + order.reference", "通商 SO-1"),
        ("order.note + 'x'", "x"),
        ("0.1 + 0.2 == 0.3", True),
        ("order.total * 1.13", Decimal("13.8990")),
        ("round(1 / 3, 2)", Decimal("0.33")),
        ("round(2.5)", Decimal("3")),
        ("-line.no + 5 % 3", Decimal(0)),
        ("12345678901234567890.123456789", Decimal("12345678901234567890.123456789")),
        ("upper(order.buyer_po)", "PO-7"),
        ("left(order.reference, 2) + right(order.reference, 1)", "SO1"),
        ("replace(order.reference, 'SO', 'XS')", "XS-1"),
        ("strip('  a ')", "a"),
        ("pad(line.no, 6) + unpad('000120', '0')", "000002120"),
        ("length('中文')", Decimal(2)),
        ("join('/', order.reference, order.note, line.unit)", "SO-1/pcs"),
        ("first(order.note, '', order.buyer_po)", "po-7"),
        ("iif(order.total > 10, 'big', 'small')", "big"),
        ("'a' if line.unit == 'kg' else 'b'", "b"),
        ("order.note or 'none'", "none"),
        ("'O-' in order.reference and not order.note", True),
        ("line.unit not in 'pcs'", False),
        ("number(' 12.50 ')", Decimal("12.50")),
        ("number('')", None),
        ("text(order.total)", "12.3"),
        ("text(order.delivery_on, 'YYYYMMDD')", "20261205"),
        ("days(today, 10) == date('2026-12-03')", True),
        ("date('20261205') == order.delivery_on", True),
        ("date('/Date(1765000000000+0000)/')", date(2025, 12, 6)),
        ("order.delivery_on > today", True),
        ("True", True),
        ("None", None),
    ],
)
def test_what_an_expression_comes_to(source, expected):
    found = value(source)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("row['FName']", "螺栓"),
        ("row['FQty'] + 1", Decimal("1.5")),
        ("row['missing']", None),
        ("row['missing']['deeper'][3]", None),
        ("row['lines'][1]['no']", Decimal(7)),
        ("row['lines'][9]", None),
        ("row.FName", "螺栓"),
        ("item.code + row['FName']", "M1螺栓"),
    ],
)
def test_a_row_of_the_other_system_is_read_by_its_own_names(source, expected):
    row = plain({"FName": "螺栓", "FQty": 0.5, "lines": [{"no": 1}, {"no": 7}]})
    assert value(source, {"row": row, "item": {"code": "M1"}, "today": None}, in_names("products")) == expected


@pytest.mark.parametrize(
    ("source", "code", "at"),
    [
        ("", "empty", 1),
        ("  ", "empty", 1),
        ("a" * (LONGEST + 1), "long", LONGEST + 1),
        ("1 +", "syntax", None),
        ("order.reference 1", "syntax", 17),
        ("1if 1else 2", "syntax", 1),
        ("nobody", "name", 1),
        ("'中文' + nobody", "name", 8),
        ("order.nobody", "field", 1),
        ("order['nobody']", "field", 1),
        ("order.__class__", "field", 1),
        ("order.items", "field", 1),
        ("order.reference.upper", "field", 1),
        ("order.reference.upper()", "function", 1),
        ("today.replace", "field", 1),
        ("eval('1')", "function", 1),
        ("upper()", "arguments", 1),
        ("left('a', 1, 2)", "arguments", 1),
        ("left(*order)", "arguments", 1),
        ("upper(value='a')", "arguments", 1),
        ("9**9", "forbidden", 2),
        ("1 << 9", "forbidden", 3),
        ("1 // 2", "forbidden", 3),
        ("1 is 2", "forbidden", 3),
        ("[1]", "forbidden", 1),
        ("{1: 2}", "forbidden", 1),
        ("(1, 2)", "forbidden", 1),
        ("[a for a in order]", "forbidden", 1),
        ("lambda: 1", "forbidden", 1),
        ("(x := 1)", "forbidden", 2),
        ("f'{order}'", "forbidden", 1),
        ("b'a'", "forbidden", 1),
        ("1j", "forbidden", 1),
        ("...", "forbidden", 1),
        ("order.reference[1:2]", "forbidden", 1),
        ("value[1:2]", "forbidden", 1),
        ("'a\\x00'", "forbidden", 3),
        ("1\n2", "forbidden", 2),
        ("1\x00", "forbidden", 2),
        ("1" * 100, "large", 1),
        ("-" * 60 + "1", "complex", 26),
        ("+".join("1" * 120), "complex", None),
    ],
)
def test_what_is_wrong_is_said_before_it_runs_with_its_place(source, code, at):
    with pytest.raises(ExpressionError) as refused:
        compiled(source, out_names("sales_order"))
    assert refused.value.code == f"mapping.expr.{code}"
    assert at is None or refused.value.at == at


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("1 / 0", "division"),
        ("1 % (2 - 2)", "division"),
        ("'a' * 9", "number_expected"),
        ("'a' + 1", "number_expected"),
        ("'%s' % order.note", "number_expected"),
        ("-'a'", "number_expected"),
        ("upper(1)", "text_expected"),
        ("upper(order)", "text_expected"),
        ("text(order)", "text_expected"),
        ("number('1e9')", "not_a_number"),
        ("number('１２')", "not_a_number"),
        ("number('NaN')", "not_a_number"),
        ("date('31.12.2026')", "not_a_date"),
        ("date('/Date(999999999999999)/')", "not_a_date"),
        ("days('2026', 1)", "date_expected"),
        ("days(today, 99999999)", "large"),
        ("text(today, '%Y')", "date_format"),
        ("left('a', -1)", "whole_expected"),
        ("left('a', 1.5)", "whole_expected"),
        ("round(1, 11)", "whole_expected"),
        ("pad('a', 101)", "whole_expected"),
        ("1 < 'a'", "not_comparable"),
        ("None < 1", "not_comparable"),
        ("1 in 'a'", "not_comparable"),
        ("value['a'] or order.total['a']", "no_parts"),
        ("9999999999999999999999 * 9999999999999999999999", "large"),
        ("replace('" + "a" * 100 + "', 'a', '" + "b" * 100 + "')", "large"),
    ],
)
def test_what_fails_at_work_is_said_with_its_place(source, code):
    usual = out_names("sales_order")
    names = usual | {"order": {**usual["order"], "total": {"a": None}}}  # a field that turns out to be a number
    with pytest.raises(ExpressionError) as failed:
        compiled(source, names).value(FACTS)
    assert failed.value.code == f"mapping.expr.{code}" and failed.value.at >= 1
    assert str(failed.value.at) in str(failed.value)


PIECES = st.sampled_from(
    [*FUNCTIONS, *SYMBOLS.values(), "order", "line", "value", "today", "row", ".", "(", ")", "[", "]", "'", '"', ",", "+", "-",
     "*", "/", "%", "==", "<", " in ", " and ", " or ", " not ", " if ", " else ", "reference", "total", "__class__", "__mro__",
     "__globals__", "format", "mro", "0", "1", "9e99", "0.1", "'a'", "'%s'", "None", "True", " for x in ", "lambda:", "{",
     "}", ":"]
)  # fmt: skip
HOSTILE = st.one_of(
    st.lists(PIECES, max_size=40).map("".join),
    st.text(max_size=60),
    st.recursive(
        st.sampled_from(["order.total", "line.no", "'aaaa'", "order.reference", "value", "today", "1", "0", "None"]),
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=4)).map(
                lambda told: f"{told[0]}({', '.join(told[1])})"
            ),
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "%", "==", "<", " in ", " or "]), inner).map(
                lambda told: f"({told[0]}{told[1]}{told[2]})"
            ),
            st.tuples(inner, st.sampled_from(["a", "__class__", "total"])).map(lambda told: f"{told[0]}['{told[1]}']"),
        ),
        max_leaves=25,
    ),
)


@settings(max_examples=1500, deadline=None)
@given(source=HOSTILE)
def test_no_text_does_anything_but_answer_plain_data_or_say_what_is_wrong(source):
    began = time.thread_time()
    try:
        found = compiled(source, out_names("sales_order")).value(FACTS)
    except ExpressionError as fault:
        assert 1 <= fault.at <= len(source) + 1 or fault.code == "mapping.expr.empty"
        assert fault.code in sentences()
    else:
        assert isinstance(found, PLAIN)
        assert not isinstance(found, str) or len(found) <= LONGEST_TEXT
        for kind, form in (("text", ""), ("number", "2"), ("date", "YYYYMMDD"), ("flag", "X/")):
            for turned in (outward, inward):
                try:
                    turned(found, kind, form)
                except ExpressionError as fault:
                    assert fault.code in sentences()
    assert time.thread_time() - began < 0.5
    assert FACTS["order"]["reference"] == "SO-1"


def sentences():
    return _SENTENCES


def _read():
    path = faults.__file__.replace("faults.py", "words/en.po")
    with open(path, "rb") as file:
        return {str(message.id) for message in read_po(file)}


_SENTENCES = _read()


def test_every_fault_the_source_raises_has_its_sentence():
    folder = faults.__file__.replace("faults.py", "")
    codes = set()
    for name in ("language.py", "functions.py", "kinds.py"):
        for node in ast.walk(ast.parse(Path(folder + name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ExpressionError":
                codes.add(f"mapping.expr.{node.args[0].value}")
    assert len(codes) > 15 and codes <= sentences()


def test_the_longest_way_through_the_language_costs_little():
    source = "replace(" * 20 + "'" + "a" * 60 + "'" + ", 'a', 'aa')" * 5 + ", 'b', 'c')" * 15
    began = time.thread_time()
    for _ in range(50):
        assert len(value(source)) == 60 * 2**5
    assert time.thread_time() - began < 2.0


def test_threads_do_not_see_each_others_facts():
    expression, wrong = compiled("order.reference", out_names("sales_order")), []

    def work(n):
        for _ in range(2000):
            if expression.value({"order": {"reference": f"SO-{n}"}}) != f"SO-{n}":
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong


@pytest.mark.parametrize(
    ("value", "kind", "form", "expected"),
    [
        ("a", "text", "", "a"),
        (Decimal("1.50"), "text", "", "1.5"),
        (date(2026, 1, 2), "text", "", "2026-01-02"),
        (None, "text", "", None),
        ("12.345", "number", "2", Decimal("12.35")),
        (Decimal("1.005"), "number", "2", Decimal("1.01")),
        (Decimal("7"), "number", "", Decimal("7")),
        ("", "number", "2", None),
        (date(2026, 1, 2), "date", "", "2026-01-02"),
        ("2026-01-02 10:00:00", "date", "YYYY-MM-DD HH:mm:ss", "2026-01-02 00:00:00"),
        (date(2026, 1, 2), "date", "DD.MM.YY", "02.01.26"),
        (date(998, 1, 2), "date", "YYYYMMDD", "09980102"),
        ("", "date", "", None),
        (True, "flag", "", True),
        ("X", "flag", "X/", "X"),
        (Decimal(0), "flag", "X/", ""),
        ("no", "flag", "true/false", "false"),
    ],
)
def test_a_value_goes_out_as_its_type_and_format_say(value, kind, form, expected):
    found = outward(value, kind, form)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(("kind", "form"), [("text", "x"), ("number", "-1"), ("number", "a"), ("date", "%Y"), ("flag", "X")])
def test_a_format_that_does_not_fit_is_known(kind, form):
    assert format_fault(kind, form) and not format_fault(kind, "")


def test_every_field_a_rule_may_set_has_a_kind_and_none_tells_records_apart():
    for stream, known in FIELDS.items():
        assert known or stream in ("deliveries",), stream
        assert "external_id" not in known and "lines" not in known


def test_every_operator_of_the_language_is_one_that_people_write():
    assert not {each.__name__ for each in OPERATORS} & set(SYMBOLS)


@pytest.mark.parametrize(
    "source",
    [
        "days(today, value)",
        "text(value)",
        "round(value, 2)",
        "value + 1",
        "value * value",
        "left('abc', value)",
        "pad('a', value)",
        "row['rows'][value]",
        "value == 1 or value < 2",
        "text(first(value, 1)) + 'a'",
        "-value",
    ],
)
@pytest.mark.parametrize("told", ["1E+999999999", "-1E+999999999", "1E-999999999", "1E+999999999999999999"])
def test_a_number_of_a_peer_that_would_fill_the_memory_does_not(source, told):
    facts = {"row": {"rows": ["a"]}, "today": date(2026, 11, 22), "value": Decimal(told)}
    began = time.thread_time()
    try:
        found = compiled(source, dict.fromkeys(facts, ANYTHING)).value(facts)
    except ExpressionError as fault:
        assert fault.code in sentences()
        return
    for kind in ("text", "number", "date", "flag"):
        for turned in (outward, inward):
            try:
                turned(found, kind, "")
            except ExpressionError as fault:
                assert fault.code in sentences()
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    "source",
    [
        "9**9**9",
        "'a' * 1000000000",
        "1000000000 * 'a'",
        "(" * 250 + "1" + ")" * 249,
        "-" * 499 + "1",
        "not " * 120 + "1",
        "order" + "['a']" * 90,
        "order" + ".a" * 240,
        "1" * 499,
        "1e" + "9" * 400,
        "0x" + "f" * 490,
        "[1 for x in order]",
        "().__class__.__bases__[0].__subclasses__()",
        "order.__class__",
        "order.reference.__class__.__mro__",
        "''.join",
        "'{0.__class__}'.format(order)",
        "f'{order}'",
        "(lambda: 1)()",
        "__import__('os').system('id')",
        "open('/etc/passwd')",
        "text.__globals__",
        "upper.__self__",
        "(x := 1)",
        "order if order else __builtins__",
        "1 if 1 else" + " 1 if 1 else" * 40 + " 1",
    ],
)
def test_no_way_out_of_the_language_and_none_to_fill_the_memory(source):
    began = time.thread_time()
    try:
        found = compiled(source, out_names("sales_order")).value(FACTS)
    except ExpressionError as fault:
        assert fault.code in sentences()
    else:
        assert isinstance(found, PLAIN) and len(str(found)) <= LONGEST_TEXT
    assert time.thread_time() - began < 0.5

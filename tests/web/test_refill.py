"""A refused form comes back: what was typed stands in it, what is wrong is marked, and the focus is on the first of it."""

import re

import pytest
from flask import Flask, render_template_string

from core.web.refill import Refilled, refill
from tests.web.shell_samples import make_app

FORM = """
{% import 'macros/form.html' as form %}
{{ form.hidden('document_id', '7') }}
{{ form.number('qty', 'Count', '1', 't', 'At most 9', id='f-ship-qty') }}
{{ form.select('who', 'Who', [('buyer', 'B'), ('seller', 'S')], 'buyer', id='f-who') }}
{{ form.area('reason', 'Why', 'because', id='f-why') }}
{{ form.check('later', 'Later', checked=True, id='f-later') }}
{{ form.radios('decision', 'Answer', [('a', 'Agree', ''), ('r', 'Refuse', '')], 'a', id='f-decision') }}
<fieldset class="field"><legend>Stop</legend>{% for key in ('ship', 'pay') %}
<label class="opt"><input type="checkbox" name="blocks" value="{{ key }}">{{ key }}</label>{% endfor %}</fieldset>
{{ form.secret('password', 'Password') }}
<table><tr><td><input class="inp" name="price-10" value="5" aria-label="Line 10, price"></td></tr></table>
"""


@pytest.fixture(scope="module")
def app() -> Flask:
    return make_app()


def again(app: Flask, errors: dict[str, list[str]] | None = None, **typed: str | list[str]) -> Refilled:
    sent = {name: value if isinstance(value, list) else [value] for name, value in typed.items()}
    with app.test_request_context("/"):
        return refill(render_template_string(FORM), sent, errors or {})


def test_every_kind_of_field_keeps_what_was_typed(app: Flask) -> None:
    html = again(
        app, qty="1,2x", who="seller", reason="<b>late</b> & cold", decision="r", blocks=["pay"], **{"price-10": ""}
    ).html
    assert 'name="qty" type="text" value="1,2x"' in html
    assert '<option value="seller" selected>' in html and '<option value="buyer">' in html
    assert "&lt;b&gt;late&lt;/b&gt; &amp; cold</textarea>" in html and "because" not in html
    assert re.search(r'value="r"[^>]* checked', html) and not re.search(r'value="a"[^>]* checked', html)
    assert re.search(r'value="pay" checked', html) and not re.search(r'value="ship" checked', html)
    assert not re.search(r'name="later"[^>]* checked', html), "a box that was not sent is not ticked"
    assert 'name="price-10" value=""' in html


def test_nothing_sent_by_hand_gets_into_hidden_fields_or_passwords(app: Flask) -> None:
    html = again(app, document_id="8", password="secret").html
    assert 'name="document_id" value="7"' in html and "secret" not in html


def test_what_was_typed_cannot_leave_its_field(app: Flask) -> None:
    html = again(app, qty='"><script>alert(1)</script>', reason="</textarea><script>alert(1)</script>").html
    assert "<script" not in html


def test_the_field_at_fault_is_marked_described_and_focused(app: Flask) -> None:
    found = again(app, {"qty": ["Not a number"], "reason": ["Say why"]}, qty="many")
    (field,) = re.findall(r'<input[^>]*name="qty"[^>]*>', found.html)
    assert 'aria-invalid="true"' in field and 'aria-describedby="f-ship-qty-e f-ship-qty-h"' in field
    assert "autofocus" in field and "data-focus" in field
    assert found.html.count("autofocus") == 1, "the first one takes the focus, the others do not"
    after = found.html.split('name="qty"')[1]
    assert re.match(
        r'[^<]*<span class="aff">t</span></div><span class="err" id="f-ship-qty-e"><svg.*?Not a number</span>', after, re.S
    ), "the sentence stands below the whole input with its unit"
    assert [(fault.id, fault.label, fault.sentence) for fault in found.faults] == [
        ("f-ship-qty", "Count", "Not a number"), ("f-why", "Why", "Say why"),
    ]  # fmt: skip
    assert found.at_fault


def test_a_group_is_marked_once_and_named_by_its_legend(app: Flask) -> None:
    found = again(app, {"blocks": ["Choose one"], "decision": ["Choose"]})
    assert found.html.count("Choose one") == 1
    assert re.search(r"pay</label><span class=\"err\"[^>]*>.*?Choose one</span></fieldset>", found.html, re.S)
    assert [(fault.id, fault.label) for fault in found.faults] == [("f-decision", "Answer"), ("f-blocks", "Stop")]
    assert 'id="f-blocks"' in found.html


def test_a_bare_field_in_a_table_is_named_by_its_label_for_readers(app: Flask) -> None:
    found = again(app, {"price-10": ["Too much"]}, **{"price-10": "9"})
    assert re.search(r'name="price-10" value="9"[^>]*aria-invalid="true"[^>]*><span class="err"', found.html)
    assert (found.faults[0].id, found.faults[0].label) == ("f-price-10", "Line 10, price")


def test_what_concerns_no_field_is_said_in_the_summary_alone(app: Flask) -> None:
    found = again(app, {"_form": ["Somebody was faster"], "document_id": ["Unknown"]})
    assert [fault.sentence for fault in found.faults] == ["Somebody was faster", "Unknown"]
    assert not found.at_fault and "autofocus" not in found.html and "Unknown" not in found.html


def test_a_form_with_nothing_to_say_stays_as_it_was(app: Flask) -> None:
    with app.test_request_context("/"):
        drawn = render_template_string(FORM)
    kept = {
        "qty": ["1"], "who": ["buyer"], "reason": ["because"], "later": ["1"], "decision": ["a"], "price-10": ["5"],
    }  # fmt: skip
    with app.test_request_context("/"):
        html = refill(drawn, kept, {}).html
    assert re.sub(r'=""| selected| checked|\n', "", html) == re.sub(r'=""| selected| checked|\n', "", drawn)

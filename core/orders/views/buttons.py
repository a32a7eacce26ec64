"""The acts of an order as buttons with their questions, whoever brings them: this room or one above."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

from flask import url_for

from core.orders.panels import Act
from core.orders.reading import Allowed, Detail
from core.orders.views.frame import named
from core.orders.views.page import Button
from core.orders.views.wording import HOLD, KEEP, WORDINGS, stage
from core.web import gettext as _

ZERO = Decimal(0)


def buttons_of(found: Detail) -> Iterator[Button]:
    """Every act the reader may do, this room's and the others', the most pressing first."""
    own = [_button(found, act) for act in found.acts if act.verb in WORDINGS]
    others = [_foreign(found, act) for section in found.sections for act in section.acts]
    yield from sorted([*own, *others], key=lambda button: button.rank)


def _button(found: Detail, act: Allowed) -> Button:
    words, head = WORDINGS[act.verb], found.head
    named_by = {"lift": "hold_id", "waive": "gate_key"}
    target: dict[str, Any] = {named_by[act.verb]: act.target} if act.verb in named_by else {}
    key = f"{act.verb}.{act.target}" if act.target else act.verb
    return Button(
        key=key,
        text=str(words.text),
        icon=words.icon,
        title=f"{words.title} {head.number or ''}".strip(),
        consequences=words.consequences(found),
        action=url_for(f"orders.{act.verb}", order_id=head.id, **target),
        ask_url=url_for("orders.ask", order_id=head.id, key=key),
        verb=str(words.text),
        keep=str(KEEP.get(act.verb, _("Back"))),
        danger=words.danger,
        form=words.form,
        facts=_facts(found, act.verb),
        fields={"version": str(head.version), "_key": uuid4().hex, "_act": key},
        rank=words.rank + (100 if act.target else 0),
    )


def _foreign(found: Detail, act: Act) -> Button:
    ask = (
        url_for(act.ask, **act.values)
        if act.ask
        else url_for("orders.ask", order_id=found.head.id, key=act.key)
    )
    return Button(
        act.key, act.text, act.icon, act.title or act.text, act.consequences, url_for(act.endpoint, **act.values), ask,
        act.text, _("Back"), act.danger, act.form, act.facts, {"_key": uuid4().hex, "_act": act.key}, act.rank,
    )  # fmt: skip


def _facts(found: Detail, verb: str) -> Any:
    """What the form of an act starts from."""
    head = found.head
    if verb in ("counter", "counter_offer", "amend"):
        return {
            "lines": found.lines,
            "prices": verb != "amend",
            "delivery_date": head.delivery_date,
            "named": named,
        }
    if verb == "terminate":
        still = head.invoiced - head.paid - head.prepaid
        return {"outstanding": max(still, ZERO), "refund": max(-still, ZERO), "currency": head.currency}
    if WORDINGS[verb].form == HOLD:
        return {
            "stages": [(key, stage(key)) for key in ("confirm", "start", "ship", "receive", "invoice", "pay")]
        }
    return None

"""A question about money as a page of its own: its fields drawn from facts, and drawn again as typed when it is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import Response, render_template, request
from markupsafe import Markup

from core.kernel import Context
from core.web import form, render
from core.web.mending import mend
from core.web.page import Crumb
from core.web.refill import Fault, refill


@dataclass(frozen=True)
class Question:
    """What is asked: `sentences` before the fields, which `fields` (a template) draws from `facts`."""

    title: str
    sentences: tuple[str, ...]
    fields: str
    facts: Any
    action: str
    verb: str
    back_url: str
    crumbs: tuple[Crumb, ...] = ()
    danger: bool = False


@dataclass(frozen=True)
class QuestionPage:
    """The question with its fields drawn, and what its summary says. `key` makes a double click one act."""

    asked: Question
    fields: Markup
    key: str
    faults: tuple[Fault, ...] = ()
    at_fault: bool = False


def ask(question: Question) -> Response:
    """Ask for the first time."""
    return _page(question, QuestionPage(question, _drawn(question), uuid4().hex), 200)


def answer(ctx: Context, act: Callable[[dict[str, str]], Response], again: Callable[[], Question]) -> Response:
    """Do what was asked for; refused, it is undone and asked again. `again` reads the facts afresh."""
    done: list[Response] = []
    errors = mend(ctx, lambda: done.append(act(form())))
    if not errors:
        return done[0]
    question = again()
    found = refill(_drawn(question), request.form.to_dict(flat=False), errors)
    return _page(question, QuestionPage(question, found.html, uuid4().hex, found.faults, found.at_fault), 422)


def _drawn(question: Question) -> Markup:
    return Markup(render_template(question.fields, facts=question.facts))


def _page(question: Question, page: QuestionPage, status: int) -> Response:
    crumbs: Sequence[Crumb] = (*question.crumbs, Crumb(question.title))
    return render("billing/question.html", page, status, crumbs)

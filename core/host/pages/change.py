"""Changes of the plugin set: the list, one change as it goes, and the operator's word on what was asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, url_for

from core.host import rows
from core.host.api.platform import told
from core.host.life import changes as life
from core.host.pages.frame import pages
from core.host.store.offers import offers
from core.host.store.planned import PlanShown, shown
from core.host.store.saying import CHANGE_STATES, OPEN, ORDER, STEPS, VERBS, said
from core.host.store.tabs import tabs
from core.host.store.who import company_names
from core.identity import require_fresh_second_factor
from core.kernel import Context, NotFound
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb
from core.web.problem import sentence

SHOWN = 200


@dataclass(frozen=True)
class Change:
    """A change in a list. `enterprise` is empty where it was asked for at the terminal."""

    href: str
    verb: str
    plugin: str
    version: str | None
    state: tuple[str, str]
    asked_by: str
    enterprise: str
    asked_at: datetime
    reason: str


@dataclass(frozen=True)
class Step:
    """A step: its words, done, now, bad or empty while it is to come, and a word more."""

    text: str
    state: str
    hint: str


@dataclass(frozen=True)
class ChangePage:
    """One change. `over` ends the watching; `answer_url` leads the operator to the answer while it is asked for.

    `taken_over` says that processes were seen to run the new set, `unchanged` that it failed and left nothing behind.
    `next_acts` are (words, address, kind) of what follows from how it ended.
    """

    change: Change
    title: str
    url: str
    over: bool
    asked: bool
    done: bool
    steps: tuple[Step, ...]
    behind: int | None
    unchanged: bool
    started_at: datetime | None
    ended_at: datetime | None
    plan: PlanShown
    answer_url: str | None
    next_acts: tuple[tuple[str, str, str], ...]
    taken_over: bool


@dataclass(frozen=True)
class AnswerPage:
    """The operator's word on a wish, beside what it would do."""

    change: Change
    title: str
    plan: PlanShown
    action: str
    back_url: str
    reason: str = ""
    errors: Errors | None = None


@dataclass(frozen=True)
class ChangesPage:
    tabs: tuple[tuple[str, str, bool, int | None], ...]
    rows: tuple[Change, ...]
    whole: bool


@pages.get("/changes", permission="plugin.manage")
def changes(ctx: Context) -> Response:
    """What was asked for and done, newest first; an enterprise sees its own."""
    known = [each for each in rows.changes(ctx.session, None, 1000) if _mine(ctx, each)][:SHOWN]
    page = ChangesPage(tabs(ctx, offers(ctx), "changes"), change_rows(ctx, known), ctx.allows("plugin.install"))
    return render("host/changes.html", page)


@pages.get("/changes/<uuid:change_id>", permission="plugin.manage")
def change(ctx: Context, change_id: UUID) -> Response:
    """One change: how far it is, how it ended and why."""
    row = _find(ctx, change_id)
    (listed,) = change_rows(ctx, [row])
    page = ChangePage(
        listed, _title(listed), url_for("plugins.change", change_id=change_id), row.state not in (*OPEN, "asked"),
        row.state == "asked", row.state == "done", _steps(row), _behind(ctx, row), _unchanged(row), row.started_at, row.ended_at,
        shown(row.plan), _answer_url(ctx, row), _next_acts(ctx, row),
        any(each["step"] == "take_over" and each.get("processes") for each in row.steps),
    )  # fmt: skip
    return render("host/change.html", page, crumbs=_crumbs(_title(listed)))


@pages.get("/changes/<uuid:change_id>/answer", permission="plugin.install")
def ask_answer(ctx: Context, change_id: UUID) -> Response:
    """What the enterprise wants and what it would do, with yes and no."""
    require_fresh_second_factor(ctx)  # before anything is typed, so nothing typed is lost
    return _answer(ctx, change_id)


@pages.post("/changes/<uuid:change_id>/answer", permission="plugin.install")
def answer(ctx: Context, change_id: UUID) -> Response:
    """Yes lets the installer take it; no needs a reason, which the enterprise reads."""
    require_fresh_second_factor(ctx)
    typed = form()
    yes = typed.get("word") == "yes"
    _find(ctx, change_id)
    if errors := mend(ctx, lambda: life.answer(ctx, change_id, yes, typed.get("reason", "")[:500])):
        return _answer(ctx, change_id, typed.get("reason", ""), errors)
    flash(_("Carried out in a moment") if yes else _("The wish is refused"))
    return redirect("plugins.change", change_id=change_id)


def change_rows(ctx: Context, found: Iterable[Any]) -> tuple[Change, ...]:
    """Rows of the database as the lists show them."""
    known = list(found)
    names = _names(ctx, known)
    return tuple(
        Change(
            url_for("plugins.change", change_id=row.id), str(VERBS[row.verb]), said(row.plan.get("title")) or row.plugin,
            row.version, (str(CHANGE_STATES[row.state][0]), CHANGE_STATES[row.state][1]), row.asked_by,
            names.get(row.tenant_id, ""), row.asked_at, why(row.reason),
        )
        for row in known
    )  # fmt: skip


def why(reason: str | None) -> str:
    """Why a change ended as it did, in the reader's language."""
    found = told(reason)
    return sentence(found["code"], found["values"]) if found else ""


def _names(ctx: Context, known: Iterable[Any]) -> dict[UUID, str]:
    wanted = {row.tenant_id for row in known if row.tenant_id is not None}
    return company_names(ctx, wanted)


def _find(ctx: Context, change_id: UUID) -> Any:
    row = rows.change(ctx.session, change_id)
    if not _mine(ctx, row):
        raise NotFound("plugin.no_such_change")
    return row


def _mine(ctx: Context, row: Any) -> bool:
    return ctx.allows("plugin.install") or row.tenant_id == ctx.tenant_id


def _title(listed: Change) -> str:
    return f"{listed.verb} · {listed.plugin}" + (f" {listed.version}" if listed.version else "")


def _steps(row: Any) -> tuple[Step, ...]:
    """The steps of its act in order, with what the installer told of each; none of a wish that nobody granted."""
    if row.state in ("asked", "refused"):
        return ()
    heard = {each["step"]: each for each in row.steps}
    keys = [*ORDER.get(row.verb, ())]
    keys += [key for key in heard if key not in keys and key != "end"]
    over = row.state not in (*OPEN, "asked")
    return tuple(
        Step(str(STEPS.get(key, key)), _step_state(heard.get(key), over), _hint(heard.get(key), over)) for key in keys
    )


def _step_state(heard: Any, over: bool) -> str:
    if heard is None:
        return ""
    if heard["state"] == "running":
        return "bad" if over else "now"
    return {"done": "done", "refused": "bad", "late": "wait"}.get(heard["state"], "")


def _hint(heard: Any, over: bool) -> str:
    if heard is None or over and heard["state"] == "running":
        return ""
    if heard["state"] == "refused" and heard["step"] == "take_over":
        return _("It did not start everywhere, so it is taken back")
    if heard["state"] == "late":
        return _("Not every process has taken it over yet")
    if heard["state"] == "running":
        return _("Under way")
    if heard.get("processes"):
        return _("%(n)s processes run it", n=heard["processes"])
    return _("%(n)s steps", n=heard["steps"]) if heard.get("steps") else ""


def _behind(ctx: Context, row: Any) -> int | None:
    """How many processes still run the plugin set before, while they take the new one over."""
    if row.state != "running" or not any(each["step"] == "take_over" for each in row.steps):
        return None
    running = rows.processes(ctx.session)
    newest = max((each.epoch for each in running), default=0)
    return sum(each.epoch < newest for each in running)


def _unchanged(row: Any) -> bool:
    """Whether it failed before its transaction ended, so that nothing at all came of it."""
    return row.state == "failed" and not any(each["step"] == "take_over" for each in row.steps)


def _answer_url(ctx: Context, row: Any) -> str | None:
    if row.state != "asked" or not ctx.allows("plugin.install"):
        return None
    return url_for("plugins.ask_answer", change_id=row.id)


def _next_acts(ctx: Context, row: Any) -> tuple[tuple[str, str, str], ...]:
    acts = []
    operator = ctx.allows("plugin.install")
    if row.state == "done" and row.verb == "export" and operator:
        acts.append((_("Download the data"), url_for("plugins.download", name=row.plugin, change_id=row.id), "pri"))
    purged = row.verb == "purge" and row.state == "done"
    known = rows.plugin(ctx.session, row.plugin) is not None
    if row.state == "done" and row.verb == "archive" and operator and known:
        acts.append((_("Export data"), url_for("plugins.plan_page", name=row.plugin, verb="export"), ""))
    if row.state in ("failed", "rolled_back", "refused"):
        sha256 = row.plan.get("sha256") or None
        again = url_for("plugins.plan_page", name=row.plugin, verb=row.verb, sha256=sha256)
        acts.append((_("See a new plan"), again, ""))
    if known and not purged:
        acts.append((_("To the plugin"), url_for("plugins.detail", name=row.plugin), "" if acts else "pri"))
    else:
        acts.append((_("To the store"), url_for("plugins.index"), ""))
    return tuple(acts)


def _answer(ctx: Context, change_id: UUID, reason: str = "", errors: Errors | None = None) -> Response:
    row = _find(ctx, change_id)
    (listed,) = change_rows(ctx, [row])
    back = url_for("plugins.change", change_id=change_id)
    page = AnswerPage(
        listed, _title(listed), shown(row.plan), url_for("plugins.answer", change_id=change_id), back, reason, errors or {}
    )
    return render("host/answer.html", page, 422 if errors else 200, crumbs=_crumbs(_title(listed)))


def _crumbs(last: str) -> list[Crumb]:
    return [Crumb(_("Plugin store"), url_for("plugins.index")), Crumb(_("Changes"), url_for("plugins.changes")), Crumb(last)]

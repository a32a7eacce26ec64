"""The plan of a change before anybody consents, and the consent itself."""

from dataclasses import asdict, dataclass, field
from typing import Any

from flask import Response, request, url_for

from core.host import rows
from core.host.api.frame import data_folder
from core.host.life import changes
from core.host.life.plan import plan
from core.host.model import VERBS as KNOWN
from core.host.pages.frame import pages
from core.host.store.planned import PlanShown, shown
from core.host.store.saying import OPEN, VERBS, said
from core.identity import require_fresh_second_factor
from core.kernel import Context, Forbidden, Invalid, Refused
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb
from core.web.problem import sentence

COMING = ("install", "upgrade")


@dataclass(frozen=True)
class PlanPage:
    """A plan, or why there is none: then `plan` is None, `refusal` says it and `details` are its parts.

    `fields` go along with the consent; `asks` when the operator has the last word on it.
    """

    title: str
    act: str
    plan: PlanShown | None
    fields: dict[str, str]
    action: str
    back_url: str
    asks: bool
    refusal: str = ""
    details: tuple[str, ...] = ()
    errors: Errors = field(default_factory=dict)


@pages.get("/<name>/plan", permission="plugin.manage")
def plan_page(ctx: Context, name: str) -> Response:
    """What a change would do. The plugin is started once, in a process of its own, to see it."""
    wish = _wish(request.args)
    if wish["verb"] not in COMING or ctx.allows("plugin.install"):
        ctx.require("plugin.install")
        require_fresh_second_factor(ctx)
    return _shown(ctx, name, wish, {})


@pages.post("/<name>/plan", permission="plugin.manage")
def consent(ctx: Context, name: str) -> Response:
    """Have exactly the plan carried out that was shown; an enterprise asks the operator for it."""
    typed = form()
    wish = _wish(typed)
    if ctx.allows("plugin.install"):
        require_fresh_second_factor(ctx)
    asked: list[tuple[Any, str]] = []

    def act() -> None:
        asked.append(
            changes.consent(
                ctx, wish["verb"], name, data_folder(), digest=typed.get("digest", ""), sha256=wish["sha256"] or None,
                version=wish["version"] or None, typed_name=typed.get("typed_name"),
            )
        )  # fmt: skip

    if errors := mend(ctx, act):
        running = next((each for each in rows.changes(ctx.session, name, 5) if each.state in OPEN), None)
        if running is not None:  # sent twice, or somebody was faster: see that one
            return redirect("plugins.change", change_id=running.id)
        return _shown(ctx, name, wish, errors)
    ident, state = asked[0]
    if state == "asked":
        flash(_("The operator is asked for it"))
    return redirect("plugins.change", change_id=ident)


def _wish(given: Any) -> dict[str, str]:
    """What is wanted, as the address or the form says it. Raises Invalid for an act there is not."""
    wish = {key: str(given.get(key, ""))[:100] for key in ("verb", "sha256", "version")}
    wish["verb"] = wish["verb"] or "install"
    if wish["verb"] not in KNOWN:
        raise Invalid.one("verb", "plugin.no_such_verb", verb=wish["verb"])
    return wish


def _shown(ctx: Context, name: str, wish: dict[str, str], errors: Errors) -> Response:
    verb = wish["verb"]
    known = rows.plugin(ctx.session, name)
    back = url_for("plugins.detail", name=name) if known is not None else url_for("plugins.index")
    action = url_for("plugins.consent", name=name, **{key: value for key, value in wish.items() if value})
    try:
        found = plan(ctx, verb, name, data_folder(), wish["sha256"] or None, wish["version"] or None)
    except Forbidden:
        raise
    except Refused as refused:
        parts = _parts(refused)
        why = _("These versions do not go together:") if parts else sentence(refused.code, refused.values)
        page = PlanPage(_title(ctx, name), str(VERBS[verb]), None, {}, action, back, False, why, parts)
        return render("host/plan.html", page, 409, crumbs=_crumbs(page))
    seen = shown(asdict(found))
    fields = {**wish, "digest": found.digest}
    page = PlanPage(seen.title, seen.act, seen, fields, action, back, _asks(ctx, found), errors=errors)
    status = 409 if "_form" in errors else 422 if errors else 200
    return render("host/plan.html", page, status, crumbs=_crumbs(page))


def _asks(ctx: Context, found: Any) -> bool:
    """Whether the operator answers first: not where he opened the signer of everything in it to enterprises."""
    if ctx.allows("plugin.install"):
        return False
    open_ = {each.key_id for each in rows.publishers(ctx.session) if each.open_to_enterprises and each.revoked_at is None}
    signers = {each.sha256: each.signer for each in rows.packages(ctx.session)}
    return not all(signers.get(digest) in open_ for digest in found.packages)


def _title(ctx: Context, name: str) -> str:
    """What a plugin calls itself, as its packages tell."""
    package = next((each for each in rows.packages(ctx.session) if each.kind == "plugin" and each.plugin == name), None)
    return (said(package.manifest.get("title")) if package is not None else "") or name


def _parts(refused: Refused) -> tuple[str, ...]:
    """A conflict of versions, wish by wish."""
    if refused.code != "plugin.conflict":
        return ()
    wishes, _bar, there = str(refused.values.get("reason", "")).partition(" | ")
    return (*filter(None, wishes.split("; ")), *(_("There is %(what)s", what=each) for each in filter(None, there.split("; "))))


def _crumbs(page: PlanPage) -> list[Crumb]:
    return [Crumb(_("Plugin store"), url_for("plugins.index")), Crumb(page.title, page.back_url), Crumb(page.act)]

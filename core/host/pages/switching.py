"""Switching: an enterprise takes a plugin on, lets it finish, lets it go; the operator stops it for all and lifts that."""

from dataclasses import dataclass, field

from flask import Response, url_for

from core.host import service
from core.host.life import changes
from core.host.pages.frame import pages
from core.host.store.heading import crumbs
from core.host.store.offers import Offer, offer
from core.host.store.open_work import OpenWork, open_work
from core.host.store.places import mode_names, places
from core.identity import require_fresh_second_factor
from core.kernel import Context
from core.web import flash, form, redirect, render
from core.web.i18n import gettext as _
from core.web.i18n import ngettext
from core.web.mending import Errors, mend
from core.web.page import Confirmation, Crumb


@dataclass(frozen=True)
class StopPage:
    """The kill switch, with what follows and the reason that enterprises will read."""

    title: str
    consequences: tuple[str, ...]
    action: str
    back_url: str
    reason: str = ""
    errors: Errors = field(default_factory=dict)


@pages.get("/<name>/enable", permission="plugin.manage")
def ask_enable(ctx: Context, name: str) -> Response:
    """What the enterprise gets by switching it on."""
    found = offer(ctx, name)
    _view, loaded = service.plugin(ctx, name)
    told = [_("It works for your enterprise only; you can switch it off again.")]
    shows = [f"{each.page}{_(': ')}{each.where}" for each in places(loaded.manifest.slots, mode_names(loaded.modes), loaded.menu)]
    if shows:
        told.append(_("It shows at: %(places)s.", places=_(", ").join(shows)))
    if loaded.permissions:
        names = _(", ").join(_(str(each.title)) for each in loaded.permissions)
        told.append(_("The roles of your people may then: %(permissions)s.", permissions=names))
    if loaded.manifest.hosts:
        told.append(_("It calls: %(hosts)s", hosts=", ".join(loaded.manifest.hosts)))
    if loaded.settings_schema is not None:
        told.append(_("It begins with its present settings; you can change them at any time."))
    return _ask(found, _("Switch %(plugin)s on?", plugin=found.title), told, "enable", _("Switch on"), _("Leave it off"))


@pages.post("/<name>/enable", permission="plugin.manage")
def enable(ctx: Context, name: str) -> Response:
    """Switch on with the settings there are; where they will not do, the form for them comes first."""
    if errors := mend(ctx, lambda: service.switch_on(ctx, name)):
        flash("; ".join(each for said in errors.values() for each in said), tone="bad")
        return redirect("plugins.settings", name=name)
    flash(_("The plugin is on"))
    return redirect("plugins.detail", name=name)


@pages.get("/<name>/drain", permission="plugin.manage")
def ask_drain(ctx: Context, name: str) -> Response:
    """What finishing open orders means, with how many there are."""
    found = offer(ctx, name)
    told = [
        _counted(open_work(ctx, name)),
        _("It takes no new orders; the open ones go on to their end with it. Then you can switch it off."),
    ]
    title = _("Let %(plugin)s finish?", plugin=found.title)
    return _ask(found, title, told, "drain", _("Finish open orders only"), _("Keep it on"))


@pages.post("/<name>/drain", permission="plugin.manage")
def drain(ctx: Context, name: str) -> Response:
    """Take no new work, finish what is open."""
    service.switch_off(ctx, name, drain=True)
    flash(_("The plugin takes no new orders now"))
    return redirect("plugins.detail", name=name)


@pages.get("/<name>/disable", permission="plugin.manage")
def ask_disable(ctx: Context, name: str) -> Response:
    """What is lost by switching off, which is nothing; and what stands in the way."""
    found = offer(ctx, name)
    work = open_work(ctx, name)
    told = [_counted(work), _("Its settings and data stay. You can switch it on again at any time.")]
    if work.orders:
        told.append(_("While orders are open it cannot be switched off. Let it finish them first."))
        title = _("Let %(plugin)s finish first?", plugin=found.title)
        return _ask(found, title, told, "drain", _("Finish open orders only"), _("Keep it on"))
    return _ask(found, _("Switch %(plugin)s off?", plugin=found.title), told, "disable", _("Switch off"), _("Keep it on"), True)


@pages.post("/<name>/disable", permission="plugin.manage")
def disable(ctx: Context, name: str) -> Response:
    """Switch off; refused while orders of it are open."""
    service.switch_off(ctx, name)
    flash(_("Plugin switched off"))
    return redirect("plugins.detail", name=name)


@pages.get("/<name>/stop", permission="plugin.install")
def ask_stop(ctx: Context, name: str) -> Response:
    """The question before the kill switch."""
    return _stop(offer(ctx, name), "", {})


@pages.post("/<name>/stop", permission="plugin.install")
def stop(ctx: Context, name: str) -> Response:
    """Within two seconds no process calls it any more."""
    reason = form().get("reason", "")[:500]
    if errors := mend(ctx, lambda: changes.stop(ctx, name, reason)):
        return _stop(offer(ctx, name), reason, errors)
    flash(_("The plugin is stopped for everybody"))
    return redirect("plugins.detail", name=name)


@pages.get("/<name>/lift", permission="plugin.install")
def ask_lift(ctx: Context, name: str) -> Response:
    """Why it was stopped, before it acts again."""
    require_fresh_second_factor(ctx)
    found = offer(ctx, name)
    told = [
        _("It was stopped: %(reason)s", reason=found.reason or "—"),
        _("Every enterprise that has it on gets it back at once."),
    ]
    title = _("Let %(plugin)s act again?", plugin=found.title)
    return _ask(found, title, told, "lift", _("Let it act again"), _("Leave it stopped"))


@pages.post("/<name>/lift", permission="plugin.install")
def lift(ctx: Context, name: str) -> Response:
    """Let a stopped plugin act again."""
    require_fresh_second_factor(ctx)
    changes.lift(ctx, name)
    flash(_("The plugin acts again"))
    return redirect("plugins.detail", name=name)


def _ask(found: Offer, title: str, told: list[str], act: str, verb: str, keep: str, danger: bool = False) -> Response:
    """The question as a page; its crumbs lead back to the plugin."""
    back = url_for("plugins.detail", name=found.name)
    page = Confirmation(title, tuple(told), url_for(f"plugins.{act}", name=found.name), verb, keep, back, danger)
    return render("shell/confirm.html", page, crumbs=crumbs(found, Crumb(verb)))


def _counted(work: OpenWork) -> str:
    if not work.orders:
        return _("No order of yours is open in it.")
    return ngettext(
        "%(n)s order of yours is open in it, for example %(order)s.",
        "%(n)s orders of yours are open in it, for example %(order)s.", work.orders, order=work.example,
    )  # fmt: skip


def _stop(found: Offer, reason: str, errors: Errors) -> Response:
    told = (
        _("No process calls it any more, for any enterprise, within two seconds."),
        _("Its gates stay and orders wait at them; nothing it keeps is lost."),
        _("Enterprises read your reason on its page."),
    )
    page = StopPage(
        _("Stop %(plugin)s for everybody?", plugin=found.title), told, url_for("plugins.stop", name=found.name),
        url_for("plugins.detail", name=found.name), reason, errors,
    )  # fmt: skip
    return render("host/stop.html", page, 422 if errors else 200, crumbs=crumbs(found, Crumb(_("Stop for everybody"))))

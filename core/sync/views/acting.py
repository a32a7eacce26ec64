"""What a person does about a connection: pause, resume, check, replay, bind, fetch, settle."""

from uuid import UUID

from flask import Response, request, url_for

from core.kernel import Context, NotFound
from core.sync import reading, service
from core.sync.outgoing import PARTNER, SUPPLIER
from core.sync.views.frame import DRAINING, pages
from core.web import flash, form, redirect, render
from core.web import gettext as _
from core.web.i18n import ngettext
from core.web.page import Confirmation, Crumb

REPLAYED = "Each is looked up by its reference first. What is there already is not sent again."


@pages.post("/<uuid:connection_id>/pause", permission="connection.edit")
def pause(ctx: Context, connection_id: UUID) -> Response:
    """Send and fetch nothing for a while."""
    service.pause(ctx, connection_id, form().get("reason", ""))
    flash(_("Paused. Documents wait in their order."))
    return redirect("sync.connection", connection_id=connection_id)


@pages.get("/<uuid:connection_id>/drain", permission="connection.edit")
def ask_drain(ctx: Context, connection_id: UUID) -> Response:
    """What draining means, before it is done."""
    found = service.find_connection(ctx, connection_id)
    page = Confirmation(
        title=_("Drain %(name)s?", name=found.name),
        consequences=tuple(_(sentence) for sentence in DRAINING),
        action=url_for("sync.drain", connection_id=connection_id),
        verb=_("Drain"),
        keep=_("Back"),
        keep_url=url_for("sync.connection", connection_id=connection_id),
    )
    crumbs = [Crumb(_("Connections"), url_for("sync.connections")), Crumb(found.name, page.keep_url)]
    return render("shell/confirm.html", page, crumbs=crumbs)


@pages.post("/<uuid:connection_id>/drain", permission="connection.edit")
def drain(ctx: Context, connection_id: UUID) -> Response:
    """Finish what is there, then stand still."""
    service.drain(ctx, connection_id, form().get("reason", ""))
    flash(_("Draining. It stands still once nothing is left."), tone="acc")
    return redirect("sync.connection", connection_id=connection_id)


@pages.post("/<uuid:connection_id>/resume", permission="connection.edit")
def resume(ctx: Context, connection_id: UUID) -> Response:
    """Go on."""
    service.resume(ctx, connection_id)
    flash(_("Resumed"))
    return redirect("sync.connection", connection_id=connection_id)


@pages.post("/<uuid:connection_id>/check", permission="connection.edit")
def check(ctx: Context, connection_id: UUID) -> Response:
    """Check every step from the name to the first record."""
    service.check_connection(ctx, connection_id)
    flash(_("The check runs, its steps appear here in a few seconds."), tone="acc")
    return redirect("sync.connection", connection_id=connection_id)


@pages.get("/<uuid:connection_id>/replay", permission="connection.replay")
def ask_replay(ctx: Context, connection_id: UUID) -> Response:
    """How many documents would go out again, before they do."""
    found = service.find_connection(ctx, connection_id)
    count = next(each.stuck for each in reading.standings(ctx) if each.id == connection_id)
    page = Confirmation(
        title=ngettext("Replay %(n)s document?", "Replay %(n)s documents?", count),
        consequences=(_(REPLAYED),),
        action=url_for("sync.replay", connection_id=connection_id),
        verb=_("Replay all"),
        keep=_("Back"),
        keep_url=url_for("sync.connection", connection_id=connection_id),
    )
    crumbs = [Crumb(_("Connections"), url_for("sync.connections")), Crumb(found.name, page.keep_url)]
    return render("shell/confirm.html", page, crumbs=crumbs)


@pages.post("/<uuid:connection_id>/replay", permission="connection.replay")
def replay(ctx: Context, connection_id: UUID) -> Response:
    """Take failed documents up again: those ticked, those of one cause, or all."""
    given, ticked = form(), [UUID(each) for each in request.form.getlist("ids") if _is_id(each)]
    everything = not ticked and not given.get("cause")
    count = service.replay(
        ctx, connection_id, ticked or None, None if ticked or everything else given.get("cause")
    )
    flash(_("%(n)s documents are on their way again", n=count), tone="ok" if count else "warn")
    return redirect("sync.connection", connection_id=connection_id)


@pages.post("/<uuid:connection_id>/bind", permission="connection.edit")
def bind(ctx: Context, connection_id: UUID) -> Response:
    """Say which customer or supplier there an enterprise is, and take up what waited for that."""
    given = form()
    if not _is_id(given.get("partner_id", "")):
        raise NotFound("connection.no_document")
    kind = SUPPLIER if given.get("kind") == SUPPLIER else PARTNER
    service.bind(ctx, connection_id, kind, UUID(given["partner_id"]), given.get("number", ""))
    if ctx.allows("connection.replay"):
        service.replay(ctx, connection_id, cause=given.get("cause") or None)
    flash(_("Bound. The documents are on their way again."))
    return redirect("sync.connection", connection_id=connection_id)


@pages.post("/<uuid:connection_id>/streams/<key>/run", permission="connection.replay")
def run(ctx: Context, connection_id: UUID, key: str) -> Response:
    """Fetch a stream now."""
    service.sync_now(ctx, connection_id, key)
    flash(_("The sync starts in a few seconds"), tone="acc")
    return redirect("sync.connection", connection_id=connection_id)


@pages.post("/<uuid:connection_id>/streams/<key>/schedule", permission="connection.edit")
def schedule(ctx: Context, connection_id: UUID, key: str) -> Response:
    """Fetch a stream on a schedule, or stop doing so."""
    typed = form().get("every_minutes", "").strip()
    service.schedule(ctx, connection_id, key, int(typed) if typed.isdecimal() else None)
    flash(_("Schedule saved"))
    return redirect("sync.connection", connection_id=connection_id)


@pages.post("/runs/<uuid:run_id>/cancel", permission="connection.replay")
def cancel(ctx: Context, run_id: UUID) -> Response:
    """Stop a run after its current page."""
    service.cancel_run(ctx, run_id)
    flash(_("Cancelled. What is stored stays, the next run goes on from there."))
    return redirect("sync.connection", connection_id=reading.run(ctx, run_id).connection_id)


@pages.post("/documents/<uuid:document_id>/dismiss", permission="connection.replay")
def dismiss(ctx: Context, document_id: UUID) -> Response:
    """Settle a document by hand."""
    service.dismiss(ctx, document_id, form().get("reason", ""))
    flash(_("Settled by hand, it is not sent any more"))
    return redirect("sync.document", document_id=document_id)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

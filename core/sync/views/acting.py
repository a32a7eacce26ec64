"""What a person does about a connection: pause, resume, check, replay, bind, fetch, settle."""

from uuid import UUID

from flask import Response, request

from core.kernel import Context, NotFound
from core.sync import service
from core.sync.views.frame import pages
from core.web import flash, form, redirect
from core.web import gettext as _


@pages.post("/<uuid:connection_id>/pause", permission="connection.edit")
def pause(ctx: Context, connection_id: UUID) -> Response:
    """Send and fetch nothing for a while."""
    service.pause(ctx, connection_id, form().get("reason", ""))
    flash(_("Paused. Documents wait in their order."))
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
    """Say which customer there a buyer is, and take up what waited for that."""
    given = form()
    if not _is_id(given.get("partner_id", "")):
        raise NotFound("connection.no_document")
    service.bind(ctx, connection_id, "partner", UUID(given["partner_id"]), given.get("number", ""))
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
    return redirect("sync.connections")


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

"""The operator hands a wheel in. It is read, not run; the plan of what it would do comes next."""

from dataclasses import dataclass, field

from flask import Response, request, url_for
from werkzeug.datastructures import FileStorage

from core.host import rows
from core.host.packages.wheel import MOST_BYTES
from core.host.pages.frame import pages
from core.host.trust import intake
from core.identity import require_fresh_second_factor
from core.kernel import Context, Invalid
from core.web import flash, redirect, render
from core.web.i18n import gettext as _
from core.web.mending import Errors, mend
from core.web.page import Crumb

MOST_FRAME = 131_072  # bytes of the form around the wheel, its signature with it
MOST_SIGNATURE = 8_192


@dataclass(frozen=True)
class UploadPage:
    """The form. `most` is the largest wheel in megabytes."""

    most: int
    errors: Errors = field(default_factory=dict)


@pages.get("/upload", permission="plugin.install")
def upload(ctx: Context) -> Response:
    """The form for a wheel."""
    require_fresh_second_factor(ctx)  # before anything is chosen, so nothing chosen is lost
    return _form({})


@pages.post("/upload", permission="plugin.install", upload=True, most=MOST_BYTES + MOST_FRAME)
def hand_in(ctx: Context) -> Response:
    """Keep the wheel; a plugin goes on to its plan, a library waits for who needs it."""
    require_fresh_second_factor(ctx)
    kept: list[str] = []

    def keep() -> None:
        file = request.files.get("wheel")
        if file is None or not file.filename:
            raise Invalid.one("wheel", "field.required")
        content = file.read(MOST_BYTES + 1)
        kept.append(intake.hand_in(ctx, content, file.filename, _signature(request.files.get("signature"))))

    if errors := mend(ctx, keep):
        return _form(errors)
    package = rows.package(ctx.session, kept[0])
    if package.plugin is None:
        flash(_("%(name)s is kept for plugins that need it", name=package.filename))
        return redirect("plugins.installation")
    verb = "install" if rows.plugin(ctx.session, package.plugin) is None else "upgrade"
    return redirect("plugins.plan_page", name=package.plugin, verb=verb, sha256=package.sha256)


def _signature(file: FileStorage | None) -> str | None:
    """The text of a signature; None where none was chosen. Raises Invalid for what is no text."""
    if file is None or not file.filename:
        return None
    try:
        return file.read(MOST_SIGNATURE + 1).decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid.one("signature", "plugin.signature_no_text", name=file.filename) from None


def _form(errors: Errors) -> Response:
    crumbs = [Crumb(_("Plugin store"), url_for("plugins.index")), Crumb(_("Upload a package"))]
    return render("host/upload.html", UploadPage(MOST_BYTES // 1_048_576, errors), 422 if errors else 200, crumbs=crumbs)

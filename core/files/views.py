"""Serving a file: always as a download, in a sandbox, with a name that is safe in a header."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response

from core import files
from core.web import Pages

pages = Pages("files", prefix="/files")


@pages.get("/<uuid:file_id>", permission="file.view")
def download(ctx: Any, file_id: UUID) -> Response:
    """One file, as an attachment."""
    row, content = files.read(ctx, file_id)
    response = Response(content, mimetype=row.media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(row.name)}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response

"""Files of products over JSON: brought, watched, stopped, read back."""

import base64
import binascii
from typing import Any
from uuid import UUID

from flask import Response

from core.catalog import imports, schema
from core.catalog.api.frame import api, csv_file
from core.kernel import Context, Invalid
from core.web import Answer
from core.web.problem import sentence

MOST = 28 << 20  # bytes: a file of 20 MB in base64, and its frame


@api.post(
    "/imports",
    permission="product.import",
    body=schema.ImportBody,
    answer=schema.ImportAnswer,
    status=202,
    idempotent=True,
    most=MOST,
)
def import_products(ctx: Context, body: dict[str, Any]) -> Answer:
    """Bring a CSV file of products. It is read after the answer; `Location` says where to look how far it is."""
    try:
        content = base64.b64decode(body["content"], validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.one("content", "import.not_base64") from None
    started = imports.start_import(ctx, body["file_name"], content, body["charset"])
    return Answer(_import(started), headers=(("Location", f"/api/v1/imports/{started.id}"),))


@api.get("/imports", permission="product.import", answer=schema.ImportAnswer, many=True)
def list_imports(ctx: Context) -> list[dict[str, Any]]:
    """The latest imports."""
    return [_import(each) for each in imports.recent_imports(ctx)]


@api.get("/imports/<uuid:run_id>", permission="product.import", answer=schema.ImportDetailAnswer)
def import_run(ctx: Context, run_id: UUID) -> dict[str, Any]:
    """An import, how far it is, and the reasons of its refused rows so far."""
    found = imports.find_import(ctx, run_id)
    return {"run": _import(found), "issues": imports.import_reasons(ctx, run_id)}


@api.post(
    "/imports/<uuid:run_id>/cancel", permission="product.import", answer=schema.ImportAnswer, status=202
)
def cancel_import(ctx: Context, run_id: UUID) -> dict[str, Any]:
    """Stop an import after the rows under way; what has landed stays. 409 when it is over."""
    return _import(imports.cancel_import(ctx, run_id))


@api.get("/imports/<uuid:run_id>/refused", permission="product.import", raw="text/csv")
def refused_rows(ctx: Context, run_id: UUID) -> Response:
    """The rows that did not land, with their reasons, as a file that can be mended and brought again."""
    return csv_file("refused.csv", imports.refused_rows(ctx, run_id, sentence))


def _import(found: imports.Imported) -> dict[str, Any]:
    run = found.run
    return {
        "id": found.id,
        "file_name": run.title,
        "file_id": found.file_id,
        "charset": found.charset,
        "state": run.state,
        "stopping": run.stop_asked_at is not None and run.ended_at is None,
        "rows": run.total or 0,
        "done": run.done,
        "added": found.added,
        "changed": found.changed,
        "unchanged": found.unchanged,
        "refused": run.refused,
        "reason": run.reason,
        "by": run.actor_name,
        "at": run.asked_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }

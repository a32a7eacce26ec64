"""Drills over JSON: begin, follow, stop, fetch the sealed report."""

import json
from typing import Any
from uuid import UUID

from flask import Response

from core.kernel import Context
from core.sync.api import api
from core.sync.drill import schema, service
from core.sync.drill.model import SyncDrill


@api.get("/connections/<uuid:connection_id>/drills", permission="connection.view", answer=schema.DrillsAnswer)
def list_drills(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """The newest drills of a connection."""
    return {"rows": service.drills_of(ctx, connection_id)}


@api.post(
    "/connections/<uuid:connection_id>/drills",
    permission="connection.edit",
    body=schema.DrillIn,
    answer=schema.DrillAnswer,
    status=201,
    idempotent=True,
)
def start_drill(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> SyncDrill:
    """Rehearse every trouble against the connected system. It gets documents, which are taken back: never a productive one."""
    return service.start_drill(ctx, connection_id, body["name"])


@api.get("/drills/<uuid:drill_id>", permission="connection.view", answer=schema.DrillAnswer)
def drill(ctx: Context, drill_id: UUID) -> SyncDrill:
    """One drill, with the cases that are over."""
    return service.find_drill(ctx, drill_id)


@api.post("/drills/<uuid:drill_id>/stop", permission="connection.edit", answer=schema.DrillAnswer)
def stop_drill(ctx: Context, drill_id: UUID) -> SyncDrill:
    """Begin no further case."""
    return service.stop_drill(ctx, drill_id)


@api.get("/drills/<uuid:drill_id>/report", permission="connection.view", raw="application/json")
def report(ctx: Context, drill_id: UUID) -> Response:
    """The sealed report of a drill that is over; 404 before."""
    return as_file(service.report_of(ctx, drill_id), drill_id)


def as_file(report: dict[str, Any], drill_id: UUID) -> Response:
    """A report as the file one signs and keeps."""
    told = json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True)
    name = f"drill-{drill_id.hex[-8:]}.json"
    return Response(told, mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'})

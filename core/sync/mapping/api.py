"""The mapping of a connection over JSON: everything its pages do."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from core.kernel import Context, Refused
from core.sync.api import api
from core.sync.mapping import history, schema, service, trial, unmapped
from core.sync.mapping.document import from_lines
from core.sync.mapping.history import Version
from core.sync.mapping.plain import readable
from core.sync.operator import rules_of
from core.sync.outbound import OutboundRule
from core.web import Answer, platform
from core.web.problem import Rejected

HERE = "/connections/<uuid:connection_id>/mapping"


@api.get(HERE, permission="connection.view", query=schema.MappingQuery, answer=schema.MappingAnswer)
def read_mapping(ctx: Context, connection_id: UUID, query: dict[str, Any]) -> Answer:
    """The mapping in force, or one version of it; the ETag is what a change must name."""
    return _answer(service.read_mapping(ctx, connection_id, query.get("no")))


@api.put(
    HERE,
    permission="connection.edit",
    body=schema.MappingIn,
    answer=schema.MappingAnswer,
    if_match=True,
)
def save_mapping(ctx: Context, connection_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Keep a mapping as the next version. `If-Match: "0"` when there is none yet."""
    _current(ctx, connection_id, version)
    return _answer(service.save_mapping(ctx, connection_id, body["document"], version, body["note"]))


@api.get(HERE + "/versions", permission="connection.view", answer=schema.MappingVersionsAnswer)
def list_mappings(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """Who saved the mapping and when, newest first."""
    service.read_mapping(ctx, connection_id)
    return {"rows": history.versions(ctx, connection_id)}


@api.get(
    HERE + "/diff",
    permission="connection.view",
    query=schema.MappingDiffQuery,
    answer=schema.MappingDiffAnswer,
)
def compare_mappings(ctx: Context, connection_id: UUID, query: dict[str, Any]) -> dict[str, Any]:
    """What differs between two versions."""
    return {"rows": service.compare(ctx, connection_id, query["older"], query["newer"])}


@api.post(
    HERE + "/undo",
    permission="connection.edit",
    body=schema.MappingUndoIn,
    answer=schema.MappingAnswer,
    if_match=True,
)
def undo_mapping(ctx: Context, connection_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Keep what an older version said as the next one."""
    _current(ctx, connection_id, version)
    return _answer(service.undo_mapping(ctx, connection_id, body["no"], version, body["note"]))


@api.get(HERE + "/file", permission="connection.view", raw="application/json")
def export_mapping(ctx: Context, connection_id: UUID) -> Response:
    """The mapping in force as a file."""
    return as_file(ctx, connection_id, None)


@api.post(
    HERE + "/file",
    permission="connection.edit",
    body=schema.MappingFileIn,
    answer=schema.MappingAnswer,
    if_match=True,
)
def import_mapping(ctx: Context, connection_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Keep an exported mapping as the next version; refused whole with the paths of what is wrong."""
    _current(ctx, connection_id, version)
    return _answer(service.take(ctx, connection_id, body["file"], version, body["note"]))


@api.get(HERE + "/unmapped", permission="connection.view", answer=schema.UnmappedListAnswer)
def list_unmapped(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """Values that no table maps, the most frequent first."""
    return {"rows": unmapped.unmapped(ctx, connection_id)}


@api.post(
    HERE + "/fix",
    permission="connection.edit",
    body=schema.MappingFixIn,
    answer=schema.MappingFixAnswer,
    if_match=True,
)
def fix_unmapped(ctx: Context, connection_id: UUID, body: dict[str, Any], version: int) -> dict[str, int]:
    """Add rows to a table and take up what waited for them."""
    _current(ctx, connection_id, version)
    rows = {body["table"]: from_lines(body["rows"], "rows")}
    made, count = unmapped.fix(ctx, connection_id, rows, version, again=body["again"])
    return {"no": made.no, "count": count}


@api.post(
    HERE + "/preview/out",
    permission="connection.edit",
    body=schema.PreviewOutIn,
    answer=schema.SentAnswer,
)
def preview_out(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """What would be sent for one order. Nothing is written there or here."""
    found = asked(lambda: trial.preview_out(ctx, connection_id, body["document_id"], outbound(), body.get("document")))
    return _sent(found)


@api.post(
    HERE + "/preview/in",
    permission="connection.edit",
    body=schema.PreviewInIn,
    answer=schema.PreviewInAnswer,
)
def preview_in(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """What would be stored for the newest records of a stream. Nothing is written there or here."""
    found = asked(lambda: trial.preview_in(ctx, connection_id, body["stream"], outbound(), body.get("document")))
    return {"rows": [{**asdict(each), "row": readable(each.row), "item": readable(each.item)} for each in found]}


@api.post(
    HERE + "/dry-run",
    permission="connection.edit",
    body=schema.DryRunIn,
    answer=schema.DryRunAnswer,
)
def dry_run(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """What would be sent for the next documents, against what was sent last. Nothing is written there or here."""
    found = asked(lambda: trial.dry_run(ctx, connection_id, body["count"], outbound(), body.get("document")))
    return {"rows": [_sent(each) for each in found]}


def as_file(ctx: Context, connection_id: UUID, no: int | None) -> Response:
    """A version as a file to save."""
    told = service.exported(ctx, connection_id, no)
    name = f"mapping-{connection_id.hex[-8:]}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(told, mimetype="application/json", headers=headers)


def outbound() -> Sequence[OutboundRule]:
    return rules_of(platform().config.data)


def asked(act: Any) -> Any:
    """Run a trial; what the other system answers instead of a record is told as a refusal."""
    try:
        return act()
    except trial.Asked as fault:
        raise Refused("mapping.not_reached", cause=fault.code, said=fault.message[:300]) from None


def _sent(found: trial.Sent) -> dict[str, Any]:
    return {**asdict(found), "body": readable(found.body)}


def _current(ctx: Context, connection_id: UUID, version: int) -> None:
    if service.read_mapping(ctx, connection_id).no != version:
        raise Rejected(412, "version.changed")


def _answer(version: Version) -> Answer:
    names = ("no", "document", "author", "note", "at")
    return Answer({name: getattr(version, name) for name in names}, etag=version.no)

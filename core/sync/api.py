"""Connections over JSON: everything their pages do."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from core.kernel import Context
from core.sync import inbox as calls
from core.sync import reading, schema, service
from core.sync import transport as ways
from core.sync.contract import Connector
from core.sync.inbox.door import open_door
from core.sync.model import ErpConnection
from core.sync.registry import connectors
from core.web import Answer, Api
from core.web.pager import decode, encode
from core.web.problem import Rejected

api = Api("sync")
open_door(api)


@api.get("/connectors", permission="connection.view", answer=schema.ConnectorsAnswer)
def list_connectors(ctx: Context) -> dict[str, Any]:
    """The systems that can be wired, and the settings each asks for."""
    return {"rows": [_described(each) for each in connectors()]}


@api.get("/connections", permission="connection.view", answer=schema.ConnectionsAnswer)
def list_connections(ctx: Context) -> dict[str, Any]:
    """All connections of the enterprise, how they are and what waits."""
    return {"rows": reading.standings(ctx)}


@api.post(
    "/connections",
    permission="connection.edit",
    body=schema.NewConnectionBody,
    answer=schema.ConnectionAnswer,
    status=201,
    idempotent=True,
)
def connect(ctx: Context, body: dict[str, Any]) -> Answer:
    """Set up a connection; the worker checks it within seconds."""
    made = service.connect(ctx, connectors()[body.pop("connector")], service.NewConnection(**body))
    return _answer(ctx, made)


@api.get("/connections/<uuid:connection_id>", permission="connection.view", answer=schema.ConnectionAnswer)
def connection(ctx: Context, connection_id: UUID) -> Answer:
    """One connection; its ETag is what a change must name."""
    return _answer(ctx, service.find_connection(ctx, connection_id))


@api.put(
    "/connections/<uuid:connection_id>",
    permission="connection.edit",
    body=schema.ConnectionChange,
    answer=schema.ConnectionAnswer,
    if_match=True,
)
def change_connection(ctx: Context, connection_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Change a connection. With another address all secrets must be given again.

    Another address, another host key or a secret needs a fresh second factor, so it is a person's; a key changes the rest.
    """
    found = service.lock_connection(ctx, connection_id)
    if found.version != version:
        raise Rejected(412, "version.changed")
    given = service.NewConnection(**body)
    return _answer(
        ctx, service.change_connection(ctx, connectors()[found.connector], connection_id, version, given)
    )


@api.post(
    "/connections/<uuid:connection_id>/pause",
    permission="connection.edit",
    body=schema.PauseBody,
    answer=schema.ConnectionAnswer,
)
def pause(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> Answer:
    """Send and fetch nothing until it is resumed."""
    return _answer(ctx, service.pause(ctx, connection_id, body["reason"]))


@api.post(
    "/connections/<uuid:connection_id>/drain",
    permission="connection.edit",
    body=schema.PauseBody,
    answer=schema.ConnectionAnswer,
)
def drain(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> Answer:
    """Finish what is under way and queued, begin nothing new, then stand still; `left` counts down to 0."""
    return _answer(ctx, service.drain(ctx, connection_id, body["reason"]))


@api.post(
    "/connections/<uuid:connection_id>/resume", permission="connection.edit", answer=schema.ConnectionAnswer
)
def resume(ctx: Context, connection_id: UUID) -> Answer:
    """Go on; what has waited goes out in its order."""
    return _answer(ctx, service.resume(ctx, connection_id))


@api.post(
    "/connections/<uuid:connection_id>/check",
    permission="connection.edit",
    answer=schema.ConnectionAnswer,
    status=202,
)
def check(ctx: Context, connection_id: UUID) -> Answer:
    """Ask for a check, step by step; `checked` shows it once the worker has done it."""
    service.check_connection(ctx, connection_id)
    return _answer(ctx, service.find_connection(ctx, connection_id))


@api.post(
    "/connections/<uuid:connection_id>/replay",
    permission="connection.replay",
    body=schema.ReplayBody,
    answer=schema.SyncCount,
    idempotent=True,
)
def replay(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> dict[str, int]:
    """Take failed and held documents up again. What is there already is found and not sent twice."""
    return {"count": service.replay(ctx, connection_id, body.get("ids"), body.get("cause"))}


@api.put(
    "/connections/<uuid:connection_id>/refs",
    permission="connection.edit",
    body=schema.RefBody,
    answer=schema.RefBody,
)
def bind(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Say which object there stands for one of ours."""
    service.bind(ctx, connection_id, body["kind"], body["local_id"], body["number"])
    return body


@api.get("/connections/<uuid:connection_id>/causes", permission="connection.view", answer=schema.CausesAnswer)
def causes(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """Failed and held documents by cause."""
    service.find_connection(ctx, connection_id)
    return {"rows": reading.causes(ctx, connection_id)}


@api.get(
    "/connections/<uuid:connection_id>/documents",
    permission="connection.view",
    query=schema.DocumentQuery,
    answer=schema.DocumentsAnswer,
)
def documents(ctx: Context, connection_id: UUID, query: dict[str, Any]) -> dict[str, Any]:
    """Documents of a connection, newest first."""
    service.find_connection(ctx, connection_id)
    after = decode(query.get("after"), 1)
    rows = reading.documents(ctx, connection_id, query.get("state"), _id(after), query["limit"])
    more = len(rows) > query["limit"]
    kept = rows[: query["limit"]]
    return {"rows": kept, "next": encode(kept[-1].id) if more else None}


@api.get("/sync-documents/<uuid:document_id>", permission="connection.view", answer=schema.DocumentDetail)
def document(ctx: Context, document_id: UUID) -> Any:
    """One document with its last calls, as they went over the wire."""
    return reading.document(ctx, document_id)


@api.post(
    "/sync-documents/<uuid:document_id>/dismiss",
    permission="connection.replay",
    body=schema.DismissBody,
    answer=schema.DocumentRow,
)
def dismiss(ctx: Context, document_id: UUID, body: dict[str, Any]) -> Any:
    """Settle a failed or held document by hand: it is not sent any more."""
    return service.dismiss(ctx, document_id, body["reason"])


@api.get("/connections/<uuid:connection_id>/runs", permission="connection.view", answer=schema.RunsAnswer)
def runs(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """The last runs of the streams."""
    service.find_connection(ctx, connection_id)
    return {"rows": reading.runs(ctx, connection_id)}


@api.get("/connections/<uuid:connection_id>/issues", permission="connection.view", answer=schema.IssuesAnswer)
def issues(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """Records that were left out, newest first."""
    service.find_connection(ctx, connection_id)
    return {"rows": reading.issues(ctx, connection_id)}


@api.post(
    "/connections/<uuid:connection_id>/streams/<key>/run",
    permission="connection.replay",
    answer=schema.ConnectionAnswer,
    status=202,
)
def sync_now(ctx: Context, connection_id: UUID, key: str) -> Answer:
    """Ask for one run of a stream."""
    service.sync_now(ctx, connection_id, key)
    return _answer(ctx, service.find_connection(ctx, connection_id))


@api.put(
    "/connections/<uuid:connection_id>/streams/<key>",
    permission="connection.edit",
    body=schema.ScheduleBody,
    answer=schema.ConnectionAnswer,
)
def schedule(ctx: Context, connection_id: UUID, key: str, body: dict[str, Any]) -> Answer:
    """Fetch a stream on a schedule, or stop doing so."""
    service.schedule(ctx, connection_id, key, body["every_minutes"])
    return _answer(ctx, service.find_connection(ctx, connection_id))


@api.post("/sync-runs/<uuid:run_id>/cancel", permission="connection.replay", status=204)
def cancel_run(ctx: Context, run_id: UUID) -> Answer:
    """Stop a run after its current page."""
    service.cancel_run(ctx, run_id)
    return Answer(None)


@api.post(
    "/connections/<uuid:connection_id>/push-token",
    permission="connection.edit",
    answer=schema.PushTokenAnswer,
    status=201,
)
def renew_push_token(ctx: Context, connection_id: UUID) -> dict[str, str]:
    """A new address under which the other system may call; it is shown this once, the one before ends."""
    found = service.find_connection(ctx, connection_id)
    token = calls.renew_token(ctx, connectors()[found.connector], connection_id)
    return {"token": token, "path": f"/connect/{token}"}


@api.get(
    "/connections/<uuid:connection_id>/transport",
    permission="connection.edit",
    answer=schema.TransportAnswer,
)
def transport(ctx: Context, connection_id: UUID) -> Answer:
    """How the system is reached; the key of the client certificate is never shown."""
    return _transport(service.find_connection(ctx, connection_id))


@api.put(
    "/connections/<uuid:connection_id>/transport",
    permission="connection.edit",
    body=schema.TransportBody,
    answer=schema.TransportAnswer,
    if_match=True,
)
def set_transport(ctx: Context, connection_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Say whom its TLS trusts, who we are there, how much at once and how often. Needs a fresh second factor."""
    if service.lock_connection(ctx, connection_id).version != version:
        raise Rejected(412, "version.changed")
    return _transport(ways.set_transport(ctx, connection_id, version, ways.Transport(**body)))


def _transport(found: ErpConnection) -> Answer:
    names = "at_once per_minute settle_seconds ca_pem pinned_sha256 client_cert_pem"
    shown = [
        {"field": name, **asdict(each)}
        for name in ("ca_pem", "client_cert_pem")
        for each in ways.certificates(getattr(found, name))
    ]
    told = {name: getattr(found, name) for name in names.split()}
    return Answer({**told, "certificates": shown}, etag=found.version)


@api.delete("/connections/<uuid:connection_id>/push-token", permission="connection.edit", status=204)
def withdraw_push_token(ctx: Context, connection_id: UUID) -> Answer:
    """Nobody calls this connection any more, until a new token is made."""
    calls.withdraw_token(ctx, connection_id)
    return Answer(None)


@api.get(
    "/connections/<uuid:connection_id>/pushes",
    permission="connection.view",
    query=schema.PushQuery,
    answer=schema.PushesAnswer,
)
def pushes(ctx: Context, connection_id: UUID, query: dict[str, Any]) -> dict[str, Any]:
    """Calls of the other system, newest first."""
    service.find_connection(ctx, connection_id)
    rows = calls.pushes(ctx, connection_id, _id(decode(query.get("after"), 1)), query["limit"])
    kept = rows[: query["limit"]]
    return {"rows": kept, "next": encode(kept[-1].id) if len(rows) > len(kept) else None}


@api.post(
    "/sync-pushes/<uuid:push_id>/replay",
    permission="connection.replay",
    answer=schema.PushRow,
    status=202,
)
def replay_push(ctx: Context, push_id: UUID) -> Any:
    """Land a call again within seconds; what it landed before is known and left alone."""
    return calls.replay_push(ctx, push_id)


def _answer(ctx: Context, found: ErpConnection) -> Answer:
    ctx.session.flush()
    streams = [row for row in reading.streams(ctx, found.id) if row.key != service.CHECK]
    names = (
        "id connector name base_url organisation settings state state_reason draining_since version last_ok_at"
        " last_error open_until checked"
    )
    called = {"hears": _hears(found.connector), "push_open": found.push_hash is not None}
    data = {name: getattr(found, name) for name in names.split()}
    data["left"] = reading.left_to_finish(ctx, found.id)
    return Answer({**data, **called, "streams": streams}, etag=found.version)


def _hears(key: str) -> bool:
    return key in connectors() and connectors()[key].hears


def _described(connector: Connector) -> dict[str, Any]:
    settings = [
        {
            "key": each.key,
            "title": each.title,
            "kind": each.kind,
            "required": each.required,
            "default": each.default,
            "hint": each.hint,
            "choices": [{"value": value, "title": title} for value, title in each.choices],
        }
        for each in connector.settings
    ]
    return {
        "key": connector.key,
        "title": connector.title,
        "summary": connector.summary,
        "settings": settings,
        "streams": [stream.key for stream in connector.streams],
        "documents": list(connector.documents),
        "hears": connector.hears,
    }


def _id(after: list[str] | None) -> UUID | None:
    if not after:
        return None
    try:
        return UUID(after[0])
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None

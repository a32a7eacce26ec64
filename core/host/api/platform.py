"""The plugins of the whole installation over JSON: packages, plans, changes, and the kill switch."""

import base64
import binascii
import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from core.host import rows, schema
from core.host.api.frame import api, data_folder
from core.host.life import changes
from core.host.life.plan import plan
from core.host.model import VERBS
from core.host.trust.intake import hand_in
from core.identity import require_fresh_second_factor
from core.kernel import Context, Invalid
from core.web import Answer

MOST = 68 << 20  # bytes: a wheel of 50 MB in base64, and its frame


@api.get("/plugins/installed", permission="plugin.install", answer=schema.InstalledList)
def list_installed(ctx: Context) -> dict[str, Any]:
    """Every plugin of the installation, stopped ones with the reason, and the packages in store."""
    return {"plugins": rows.plugins(ctx.session), "packages": rows.packages(ctx.session)}


@api.post(
    "/plugins/packages",
    permission="plugin.install",
    body=schema.PackageIn,
    answer=schema.PackageAnswer,
    status=201,
    idempotent=True,
    most=MOST,
)
def keep_package(ctx: Context, body: dict[str, Any]) -> Any:
    """Hand a wheel in. It is read, not run; nothing is installed by it. A person's act, with a fresh second factor."""
    require_fresh_second_factor(ctx)
    try:
        content = base64.b64decode(str(body["content"]), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.one("content", "plugin.not_base64") from None
    return rows.package(ctx.session, hand_in(ctx, content, body["filename"], body["signature"]))


@api.post("/plugins/<name>/plan", permission="plugin.install", body=schema.PlanIn, answer=schema.PlanAnswer)
def plan_change(ctx: Context, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a change would do, before anybody consents. `digest` names exactly this plan. 409 where it cannot be done."""
    found = plan(ctx, _verb(body), name, data_folder(), body["sha256"], body["version"])
    return {**asdict(found), "digest": found.digest}


@api.post(
    "/plugins/<name>/changes",
    permission="plugin.install",
    body=schema.ChangeIn,
    answer=schema.ChangeAnswer,
    status=202,
    idempotent=True,
)
def consent_change(ctx: Context, name: str, body: dict[str, Any]) -> Answer:
    """Have a plan carried out. 409 when it is another plan by now; `Location` says where to look how far it is."""
    require_fresh_second_factor(ctx)
    ident, _ = changes.consent(
        ctx,
        _verb(body),
        name,
        data_folder(),
        digest=body["digest"],
        sha256=body["sha256"],
        version=body["version"],
        typed_name=body["typed_name"],
    )
    where = f"/api/v1/plugins/changes/{ident}"
    return Answer(_change(rows.change(ctx.session, ident)), headers=(("Location", where),))


@api.get("/plugins/changes", permission="plugin.install", answer=schema.ChangeList)
def list_changes(ctx: Context) -> dict[str, Any]:
    """The latest changes of the plugin set, newest first."""
    return {"items": [_change(each) for each in rows.changes(ctx.session)]}


@api.get("/plugins/changes/<uuid:change_id>", permission="plugin.install", answer=schema.ChangeAnswer)
def read_change(ctx: Context, change_id: UUID) -> dict[str, Any]:
    """One change: its steps so far, its state, and why it ended as it did."""
    return _change(rows.change(ctx.session, change_id))


@api.post(
    "/plugins/changes/<uuid:change_id>/answer",
    permission="plugin.install",
    body=schema.AnswerIn,
    answer=schema.ChangeAnswer,
    idempotent=True,
)
def answer_change(ctx: Context, change_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """The operator's word on what an enterprise asked for; no needs a reason."""
    require_fresh_second_factor(ctx)
    rows.change(ctx.session, change_id)
    return _change(changes.answer(ctx, change_id, body["yes"], body["reason"]))


@api.post(
    "/plugins/<name>/stop",
    permission="plugin.install",
    body=schema.StopIn,
    answer=schema.InstalledAnswer,
    idempotent=True,
)
def stop_plugin(ctx: Context, name: str, body: dict[str, Any]) -> Any:
    """The kill switch: no process calls the plugin any more, for any enterprise, until it is lifted."""
    changes.stop(ctx, name, body["reason"])
    return rows.plugin(ctx.session, name)


@api.post("/plugins/<name>/lift", permission="plugin.install", answer=schema.InstalledAnswer, idempotent=True)
def lift_plugin(ctx: Context, name: str) -> Any:
    """Let a stopped plugin act again."""
    require_fresh_second_factor(ctx)
    changes.lift(ctx, name)
    return rows.plugin(ctx.session, name)


def _verb(body: dict[str, Any]) -> str:
    verb: str = body["verb"]
    if verb not in VERBS:
        raise Invalid.one("verb", "plugin.no_such_verb", verb=verb)
    return verb


def _change(row: Any) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in schema.ChangeAnswer._declared_fields if name != "reason"}
    return {**found, "reason": told(row.reason)}


def told(reason: str | None) -> dict[str, Any] | None:
    """Why a change ended, as a code and values; an operator's own words become those of `plugin.refused`."""
    if not reason:
        return None
    try:
        found = json.loads(reason)
        return {"code": str(found["code"]), "values": dict(found["values"])}
    except (ValueError, TypeError, KeyError):
        return {"code": "plugin.refused", "values": {"reason": reason}}

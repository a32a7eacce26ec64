"""Reconciliation over JSON: count a day, read what differs, do what is suggested."""

from typing import Any
from uuid import UUID

from core.kernel import Context
from core.sync.api import api
from core.sync.reconciling import schema, service
from core.sync.reconciling.model import SyncDifference, SyncTally
from core.sync.service import find_connection


@api.get(
    "/connections/<uuid:connection_id>/tallies", permission="connection.view", answer=schema.TalliesAnswer
)
def tallies(ctx: Context, connection_id: UUID) -> dict[str, Any]:
    """The last days that were counted on both sides, newest first."""
    find_connection(ctx, connection_id)
    return {"rows": service.tallies(ctx, connection_id)}


@api.post(
    "/connections/<uuid:connection_id>/tallies",
    permission="connection.replay",
    body=schema.TallyBody,
    answer=schema.TallyRow,
    status=202,
)
def tally_day(ctx: Context, connection_id: UUID, body: dict[str, Any]) -> SyncTally:
    """Ask for a day to be counted, or counted again."""
    return service.tally_day(ctx, connection_id, body["day"], body["kind"])


@api.get("/sync-tallies/<uuid:tally_id>", permission="connection.view", answer=schema.TallyRow)
def tally(ctx: Context, tally_id: UUID) -> SyncTally:
    """One day and how far it is."""
    return service.find_tally(ctx, tally_id)


@api.get(
    "/sync-tallies/<uuid:tally_id>/differences", permission="connection.view", answer=schema.DifferencesAnswer
)
def differences(ctx: Context, tally_id: UUID) -> dict[str, Any]:
    """What differs on a day, by reference, each with what to do about it."""
    service.find_tally(ctx, tally_id)
    return {"rows": service.differences_of(ctx, tally_id)}


@api.post(
    "/sync-differences/<uuid:difference_id>/act", permission="connection.replay", answer=schema.DifferenceRow
)
def act_on_difference(ctx: Context, difference_id: UUID) -> SyncDifference:
    """Do what is suggested. The document is looked up there before anything is sent."""
    return service.act_on(ctx, difference_id)

"""Requests, quotes, awards and talk over JSON: everything the pages do."""

from typing import Any
from uuid import UUID

import tongshang as ts
from plugins.rfq import reading, schema, service

api = ts.Api("rfq")


def new_request(body: dict[str, Any]) -> service.NewRequest:
    return service.NewRequest(**{**body, "lines": [service.WantedItem(**line) for line in body["lines"]]})


def new_quote(body: dict[str, Any]) -> service.NewQuote:
    lines = [
        service.Offered(
            **{**line, "tiers": tuple((tier["min_quantity"], tier["unit_price"]) for tier in line["tiers"])}
        )
        for line in body["lines"]
    ]
    return service.NewQuote(**{**body, "lines": lines})


@api.get("/rfq/requests", permission="rfq.view", query=schema.ListQuery, answer=schema.RowsAnswer)
def list_requests(ctx: ts.Context, query: dict[str, Any]) -> dict[str, Any]:
    """Own requests (`side` buyer) or those sent to the enterprise (`side` seller), newest first."""
    find = reading.requests if query["side"] == "buyer" else reading.invited
    rows = find(ctx, query["state"], query["after"], reading.PAGE + 1)
    shown = rows[: reading.PAGE]
    return {"rows": shown, "next": (shown[-1].invitation_id or shown[-1].id) if len(rows) > len(shown) else None}


@api.post(
    "/rfq/requests",
    permission="rfq.request.write",
    body=schema.RequestIn,
    answer=schema.RequestAnswer,
    status=201,
    idempotent=True,
)
def draft_request(ctx: ts.Context, body: dict[str, Any]) -> Any:
    """A draft that nobody else sees."""
    return reading.request_facts(ctx, service.draft(ctx, new_request(body)).id)


@api.get("/rfq/requests/<uuid:request_id>", permission="rfq.view", answer=schema.RequestAnswer)
def show_request(ctx: ts.Context, request_id: UUID) -> ts.Answer:
    """A request with what its reader may see; the ETag is its version."""
    found = reading.request_facts(ctx, request_id)
    return ts.Answer(found, etag=found.version if found.buyer_id == ctx.tenant_id else None)


@api.put(
    "/rfq/requests/<uuid:request_id>",
    permission="rfq.request.write",
    body=schema.RequestIn,
    answer=schema.RequestAnswer,
)
def edit_request(ctx: ts.Context, request_id: UUID, body: dict[str, Any]) -> Any:
    """Replace a draft."""
    service.edit(ctx, request_id, new_request(body))
    return reading.request_facts(ctx, request_id)


@api.post(
    "/rfq/requests/<uuid:request_id>/publish",
    permission="rfq.request.write",
    answer=schema.RequestAnswer,
    idempotent=True,
)
def publish_request(ctx: ts.Context, request_id: UUID) -> Any:
    """Send a draft to its sellers."""
    service.publish(ctx, request_id)
    return reading.request_facts(ctx, request_id)


@api.post(
    "/rfq/requests/<uuid:request_id>/amend",
    permission="rfq.request.write",
    body=schema.RequestIn,
    answer=schema.RequestAnswer,
    idempotent=True,
    if_match=True,
)
def amend_request(ctx: ts.Context, request_id: UUID, body: dict[str, Any], version: int) -> Any:
    """A new version of a published request. Deadline, seal and sellers stay; they have verbs of their own."""
    service.amend(ctx, request_id, new_request(body), version)
    return reading.request_facts(ctx, request_id)


@api.post(
    "/rfq/requests/<uuid:request_id>/extend",
    permission="rfq.request.write",
    body=schema.ExtendIn,
    answer=schema.RequestAnswer,
    idempotent=True,
)
def extend_request(ctx: ts.Context, request_id: UUID, body: dict[str, Any]) -> Any:
    """Give more time."""
    service.extend(ctx, request_id, body["closes_at"])
    return reading.request_facts(ctx, request_id)


@api.post(
    "/rfq/requests/<uuid:request_id>/withdraw",
    permission="rfq.request.write",
    body=schema.ReasonIn,
    answer=schema.RequestAnswer,
    idempotent=True,
)
def withdraw_request(ctx: ts.Context, request_id: UUID, body: dict[str, Any]) -> Any:
    """Want it no more; the sellers are told why."""
    service.withdraw(ctx, request_id, body["reason"])
    return reading.request_facts(ctx, request_id)


@api.post(
    "/rfq/requests/<uuid:request_id>/sellers",
    permission="rfq.request.write",
    body=schema.SellersIn,
    answer=schema.RequestAnswer,
    idempotent=True,
)
def invite_sellers(ctx: ts.Context, request_id: UUID, body: dict[str, Any]) -> Any:
    """Invite more sellers; those invited already stay as they are."""
    service.invite(ctx, request_id, body["sellers"])
    return reading.request_facts(ctx, request_id)


@api.post(
    "/rfq/requests/<uuid:request_id>/award",
    permission="rfq.award",
    body=schema.AwardIn,
    answer=schema.AwardsAnswer,
    status=201,
    idempotent=True,
)
def award_request(ctx: ts.Context, request_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Award quoted lines: one order for each seller, all of them or none."""
    choices = [service.Choice(**choice) for choice in body["choices"]]
    made = service.award(ctx, request_id, choices, version=body["request_version"], finish=body["finish"])
    return {"awards": made}


@api.post(
    "/rfq/requests/<uuid:request_id>/finish",
    permission="rfq.award",
    answer=schema.RequestAnswer,
    idempotent=True,
)
def finish_request(ctx: ts.Context, request_id: UUID) -> Any:
    """Decide a request whose awards are all made."""
    service.finish(ctx, request_id)
    return reading.request_facts(ctx, request_id)


@api.post(
    "/rfq/invitations/<uuid:invitation_id>/quotes",
    permission="rfq.quote.write",
    body=schema.QuoteIn,
    answer=schema.QuoteAnswer,
    status=201,
    idempotent=True,
)
def give_quote(ctx: ts.Context, invitation_id: UUID, body: dict[str, Any]) -> Any:
    """Give a quote, or a newer version that replaces the one before."""
    version = body.pop("request_version")
    service.quote(ctx, invitation_id, new_quote(body), version)
    return reading.versions(ctx, invitation_id)[0]


@api.get(
    "/rfq/invitations/<uuid:invitation_id>/quotes",
    permission="rfq.view",
    answer=schema.QuoteAnswer,
    many=True,
)
def list_quotes(ctx: ts.Context, invitation_id: UUID) -> list[Any]:
    """Every version of a quote, newest first; for its seller, and for the buyer unless it is sealed still."""
    reading.of_invitation(ctx, invitation_id)
    return list(reading.versions(ctx, invitation_id))


@api.post(
    "/rfq/invitations/<uuid:invitation_id>/retract",
    permission="rfq.quote.write",
    body=schema.ReasonIn,
    answer=schema.RequestAnswer,
    idempotent=True,
)
def retract_quote(ctx: ts.Context, invitation_id: UUID, body: dict[str, Any]) -> Any:
    """Take the standing quote back while quotes are still taken."""
    found = service.retract(ctx, invitation_id, body["reason"])
    return reading.request_facts(ctx, found.request_id)


@api.post(
    "/rfq/invitations/<uuid:invitation_id>/decline",
    permission="rfq.quote.write",
    body=schema.ReasonIn,
    answer=schema.RequestAnswer,
    idempotent=True,
)
def decline_invitation(ctx: ts.Context, invitation_id: UUID, body: dict[str, Any]) -> Any:
    """Say that there will be no quote, and why."""
    found = service.decline(ctx, invitation_id, body["reason"])
    return reading.request_facts(ctx, found.request_id)


@api.post(
    "/rfq/invitations/<uuid:invitation_id>/better",
    permission="rfq.request.write",
    body=schema.BetterIn,
    answer=schema.RequestAnswer,
    idempotent=True,
)
def ask_for_better(ctx: ts.Context, invitation_id: UUID, body: dict[str, Any]) -> Any:
    """Ask one seller for a better offer."""
    found = service.ask_better(ctx, invitation_id, body["body"], body["until"])
    return reading.request_facts(ctx, found.request_id)


@api.get("/rfq/invitations/<uuid:invitation_id>/messages", permission="rfq.view", answer=schema.TalkAnswer)
def list_messages(ctx: ts.Context, invitation_id: UUID) -> dict[str, Any]:
    """What buyer and seller said, oldest first."""
    facts, part = reading.of_invitation(ctx, invitation_id)
    return {"messages": reading.messages(ctx, facts.id, part.id)}


@api.post(
    "/rfq/invitations/<uuid:invitation_id>/messages",
    permission="rfq.view",
    body=schema.TalkIn,
    answer=schema.MessageAnswer,
    status=201,
    idempotent=True,
)
def say(ctx: ts.Context, invitation_id: UUID, body: dict[str, Any]) -> Any:
    """Ask as the seller, answer as the buyer."""
    facts, part = reading.of_invitation(ctx, invitation_id)
    if facts.buyer_id == ctx.tenant_id:
        return service.answer(ctx, part.id, body["body"], to_all=body["to_all"])
    return service.ask(ctx, part.id, body["body"])

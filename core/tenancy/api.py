"""Enterprises over JSON: the own details, addresses, invoice details, trade settings, partners and their terms."""

from typing import Any
from uuid import UUID

from flask import url_for

from core.identity import Heads
from core.kernel import Context, NotFound
from core.tenancy import enablement, entering, schema, service, settings, terms
from core.tenancy.model import Address, Enterprise, EnterpriseCard, InvoiceDetails, PartnerRelation
from core.web import Answer, Api, Rejected
from core.web.pager import cut, decode

api = Api("tenancy")


@api.get("/enterprises", permission="me.view", answer=schema.ChoiceList)
def list_mine(ctx: Context) -> dict[str, Any]:
    """The enterprises one may work for."""
    return {"items": service.my_enterprises(ctx)}


@api.get("/enterprises/search", permission="partner.view", query=schema.SearchQuery, answer=schema.CardList)
def search_enterprises(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Find an enterprise by name or by its whole credit code; at most 20."""
    return {"items": service.find_enterprises(ctx, query["q"])}


@api.get("/enterprises/<uuid:enterprise_id>", permission="enterprise.view", answer=schema.CardAnswer)
def read_card(ctx: Context, enterprise_id: UUID) -> EnterpriseCard:
    """What anybody may read about an enterprise."""
    return service.card(ctx, enterprise_id)


@api.put(
    "/enterprises/<uuid:enterprise_id>/status",
    permission="enterprise.verify",
    body=schema.VerifyBody,
    status=204,
)
def verify_enterprise(ctx: Context, enterprise_id: UUID, body: dict[str, Any]) -> None:
    """Verify or suspend an enterprise: the operator of the platform only."""
    service.verify_enterprise(ctx, enterprise_id, status=body["status"], until=body["until"])


@api.get(
    "/operator/enterprises",
    permission="enterprise.verify",
    query=schema.PartnerQuery,
    answer=schema.OversightList,
)
def list_enterprises(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Every enterprise by name, with how many people and administrators it has: the operator of the platform only."""
    rows = entering.enterprises(ctx, query["q"], after=seen(query["after"]), limit=query["limit"] + 1)
    page = cut(rows, query["limit"], lambda row: (row[0].name, row[0].tenant_id))
    return {"items": [_overseen(card, heads) for card, heads in page.rows], "next": page.next}


@api.post(
    "/operator/enterprises",
    permission="enterprise.enter",
    body=schema.EnterBody,
    answer=schema.EnteredAnswer,
    status=201,
)
def enter_enterprise(ctx: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Enter an enterprise and invite its first administrator; wants the second factor fresh. The operator only."""
    made = entering.enter_enterprise(ctx, **body)
    return {"id": made.id, "url": _join_url(made.token)}


@api.post(
    "/operator/enterprises/<uuid:enterprise_id>/administrator",
    permission="enterprise.enter",
    body=schema.AdminBody,
    answer=schema.EnteredAnswer,
    status=201,
)
def invite_administrator(ctx: Context, enterprise_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Another link for the first administrator, while the enterprise has none. The operator only."""
    token = entering.invite_administrator(ctx, enterprise_id, **body)
    return {"id": enterprise_id, "url": _join_url(token)}


@api.get("/enterprise", permission="enterprise.view", answer=schema.EnterpriseAnswer)
def read_enterprise(ctx: Context) -> Answer:
    """The own enterprise."""
    found = service.enterprise(ctx)
    return Answer(found, etag=found.version)


@api.put(
    "/enterprise",
    permission="enterprise.edit",
    body=schema.DetailsBody,
    answer=schema.EnterpriseAnswer,
    if_match=True,
)
def edit_enterprise(ctx: Context, body: dict[str, Any], version: int) -> Answer:
    """Change details; what is left out stays."""
    changed: Enterprise = service.edit_enterprise(ctx, version=version, **body)
    return Answer(changed, etag=changed.version)


@api.get("/enterprise/addresses", permission="enterprise.view", answer=schema.AddressList)
def list_addresses(ctx: Context) -> dict[str, Any]:
    """The own addresses, the default one first."""
    return {"items": service.addresses(ctx)}


@api.post(
    "/enterprise/addresses",
    permission="enterprise.edit",
    body=schema.AddressBody,
    answer=schema.AddressAnswer,
    status=201,
    idempotent=True,
)
def add_address(ctx: Context, body: dict[str, Any]) -> Address:
    """Add an address."""
    return service.save_address(ctx, **body)


@api.put(
    "/enterprise/addresses/<uuid:address_id>",
    permission="enterprise.edit",
    body=schema.AddressBody,
    answer=schema.AddressAnswer,
    if_match=True,
)
def edit_address(ctx: Context, address_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Change an address."""
    changed = service.save_address(ctx, address_id, version=version, **body)
    return Answer(changed, etag=changed.version)


@api.delete("/enterprise/addresses/<uuid:address_id>", permission="enterprise.edit", status=204)
def remove_address(ctx: Context, address_id: UUID) -> None:
    """Take an address out."""
    service.remove_address(ctx, address_id)


@api.get("/enterprise/invoice-details", permission="enterprise.view", answer=schema.InvoiceAnswer)
def read_invoice_details(ctx: Context) -> Answer:
    """What an invoice to the enterprise must say (开票信息)."""
    found = service.invoice_details(ctx)
    if found is None:
        raise NotFound("invoice_details.not_found")
    return Answer(found, etag=found.version)


@api.put(
    "/enterprise/invoice-details",
    permission="enterprise.bank",
    body=schema.InvoiceBody,
    answer=schema.InvoiceAnswer,
)
def set_invoice_details(ctx: Context, body: dict[str, Any]) -> Answer:
    """Set them; wants the second factor fresh."""
    changed: InvoiceDetails = service.set_invoice_details(ctx, **body)
    return Answer(changed, etag=changed.version)


@api.get("/enterprise/trade-settings", permission="settings.view", answer=schema.SettingsAnswer)
def read_trade_settings(ctx: Context) -> Answer:
    """How the enterprise trades; what it never set is as the platform's defaults."""
    found = settings.trade_settings(ctx)
    return Answer(found, etag=found.version)


@api.put(
    "/enterprise/trade-settings",
    permission="settings.edit",
    body=schema.SettingsBody,
    answer=schema.SettingsAnswer,
    if_match=True,
)
def set_trade_settings(ctx: Context, body: dict[str, Any], version: int) -> Answer:
    """Change some of them; what is left out stays."""
    changed = settings.set_trade_settings(ctx, version=version, **body)
    return Answer(changed, etag=changed.version)


@api.get("/enterprise/plugins", permission="plugin.view", answer=schema.PluginStates)
def list_plugin_states(ctx: Context) -> dict[str, Any]:
    """Every plugin the enterprise ever switched on, and its state."""
    found = enablement.plugin_states(ctx, ctx.tenant_id)
    return {"items": [found[name] for name in sorted(found)]}


@api.get("/partners", permission="partner.view", query=schema.PartnerQuery, answer=schema.PartnerList)
def list_partners(ctx: Context, query: dict[str, Any]) -> dict[str, Any]:
    """Partners with terms, by name."""
    rows = terms.partners(ctx, query["q"], after=seen(query["after"]), limit=query["limit"] + 1)
    page = cut(rows, query["limit"], lambda row: (row[1].name, row[1].tenant_id))
    return {"items": [_shown(relation, card) for relation, card in page.rows], "next": page.next}


@api.get("/partners/<uuid:partner_id>", permission="partner.view", answer=schema.PartnerAnswer)
def read_partner(ctx: Context, partner_id: UUID) -> Answer:
    """The terms for one partner."""
    relation = terms.partner(ctx, partner_id)
    if relation is None:
        raise NotFound("partner.not_found")
    return Answer(_shown(relation, service.card(ctx, partner_id)), etag=relation.version)


@api.put(
    "/partners/<uuid:partner_id>",
    permission="partner.view",
    body=schema.PartnerBody,
    answer=schema.PartnerAnswer,
    if_match=True,
)
def set_partner(ctx: Context, partner_id: UUID, body: dict[str, Any], version: int) -> Answer:
    """Set terms; `If-Match: "0"` when there are none yet. Terms need partner.edit, the credit limit partner.credit."""
    relation: PartnerRelation = terms.set_partner(ctx, partner_id, version=version, **body)
    return Answer(_shown(relation, service.card(ctx, partner_id)), etag=relation.version)


def seen(cursor: str | None) -> tuple[str, UUID] | None:
    """The last name and id inside a cursor."""
    keys = decode(cursor, 2)
    if keys is None:
        return None
    try:
        return keys[0], UUID(keys[1])
    except ValueError:
        raise Rejected(400, "page.bad_cursor") from None


def _join_url(token: str) -> str:
    return url_for("identity.join", token=token, _external=True)


def _overseen(card: EnterpriseCard, heads: Heads) -> dict[str, Any]:
    names = ("tenant_id", "name", "name_en", "short_name", "uscc", "kind", "status")
    people = {"members": heads.members, "admins": heads.admins, "invited": heads.invited}
    return {**{name: getattr(card, name) for name in names}, **people}


def _shown(relation: PartnerRelation, card: EnterpriseCard) -> dict[str, Any]:
    terms = ("partner_id", "code", "price_group", "credit_limit", "terms_days", "blocked", "note", "version")
    return {"name": card.name, "uscc": card.uscc, **{name: getattr(relation, name) for name in terms}}

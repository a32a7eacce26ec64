"""The presale over JSON: everything its pages do."""

import base64
import binascii
from typing import Any
from uuid import UUID

import tongshang as ts
from plugins.presale import reading, schema, service
from plugins.presale.model import Offer
from plugins.presale.service.ending import Evidence
from plugins.presale.service.reserving import Wish

api = ts.Api("presale")
VIEW, EDIT = "presale.offer.view", "presale.offer.edit"
MAKE, END = "presale.reservation.make", "presale.reservation.end"


def _offer(ctx: ts.Context, offer: Offer) -> dict[str, Any]:
    names = schema.OfferAnswer().fields.keys() - {"seller_id", "items"}
    said = {name: getattr(offer, name) for name in names}
    return {**said, "seller_id": offer.tenant_id, "items": reading.items(ctx, [offer.id])[offer.id]}


@api.get("/presale/offers", permission=VIEW, query=schema.OfferQuery, answer=schema.OffersAnswer)
def list_offers(ctx: ts.Context, query: dict[str, Any]) -> dict[str, Any]:
    """Offers of others, or one's own; what closes first comes first, a hundred at most."""
    return {"offers": [_offer(ctx, each) for each in reading.offers(ctx, query["side"], query["state"])]}


@api.post("/presale/offers", permission=EDIT, body=schema.NewOffer, answer=schema.OfferAnswer, status=201, idempotent=True)
def publish_offer(ctx: ts.Context, body: dict[str, Any]) -> dict[str, Any]:
    """Publish a presale."""
    items = tuple(service.NewItem(**item) for item in body.pop("items"))
    return _offer(ctx, service.publish(ctx, service.NewOffer(items=items, **body)))


@api.get("/presale/offers/<uuid:offer_id>", permission=VIEW, answer=schema.OfferAnswer)
def show_offer(ctx: ts.Context, offer_id: UUID) -> dict[str, Any]:
    """One presale with its products."""
    return _offer(ctx, reading.offer(ctx, offer_id))


@api.post("/presale/offers/<uuid:offer_id>/withdraw", permission=EDIT, answer=schema.OfferAnswer, idempotent=True)
def withdraw_offer(ctx: ts.Context, offer_id: UUID) -> dict[str, Any]:
    """Take a presale back that nobody has reserved of."""
    return _offer(ctx, service.withdraw(ctx, offer_id))


@api.post("/presale/offers/<uuid:offer_id>/price", permission=EDIT, answer=schema.OfferAnswer, idempotent=True)
def fix_price(ctx: ts.Context, offer_id: UUID) -> dict[str, Any]:
    """Fix the final price by the formula, for the offer and all its reservations."""
    return _offer(ctx, service.fix_price(ctx, offer_id))


@api.post(
    "/presale/offers/<uuid:offer_id>/reservations",
    permission=MAKE,
    body=schema.NewReservation,
    answer=schema.ReservationAnswer,
    status=201,
    idempotent=True,
)
def reserve(ctx: ts.Context, offer_id: UUID, body: dict[str, Any]) -> Any:
    """Reserve: it becomes a binding order at once."""
    wish = Wish(body["buyer_po"], body["ship_to"], body["note"])
    return service.reserve(ctx, offer_id, body["item_id"], body["quantity"], wish)


@api.post(
    "/presale/offers/<uuid:offer_id>/waiting",
    permission=MAKE,
    body=schema.NewWaiting,
    answer=schema.WaitingAnswer,
    status=201,
    idempotent=True,
)
def wait(ctx: ts.Context, offer_id: UUID, body: dict[str, Any]) -> Any:
    """Stand in line for a place."""
    return service.wait(ctx, offer_id, body["item_id"], body["quantity"])


@api.post(
    "/presale/waiting/<uuid:entry_id>/take",
    permission=MAKE,
    body=schema.OrderWish,
    answer=schema.ReservationAnswer,
    status=201,
    idempotent=True,
)
def take_place(ctx: ts.Context, entry_id: UUID, body: dict[str, Any]) -> Any:
    """Take the place that was offered."""
    return service.take_place(ctx, entry_id, Wish(body["buyer_po"], body["ship_to"], body["note"]))


@api.delete("/presale/waiting/<uuid:entry_id>", permission=MAKE, status=204)
def leave_list(ctx: ts.Context, entry_id: UUID) -> None:
    """Stand in line no longer."""
    service.leave_list(ctx, entry_id)


@api.get("/presale/reservations", permission=VIEW, answer=schema.ReservationsAnswer)
def list_reservations(ctx: ts.Context) -> dict[str, Any]:
    """One's reservations on both sides, newest first, a hundred at most."""
    return {"reservations": [each.reservation for each in reading.reservations(ctx)]}


@api.get("/presale/reservations/<uuid:reservation_id>", permission=VIEW, answer=schema.ReservationAnswer)
def show_reservation(ctx: ts.Context, reservation_id: UUID) -> Any:
    """One reservation."""
    return reading.reservation(ctx, reservation_id).reservation


@api.post(
    "/presale/payments",
    permission="payment.announce",
    body=schema.NewPayment,
    answer=schema.PaidAnswer,
    status=201,
    idempotent=True,
)
def pay(ctx: ts.Context, body: dict[str, Any]) -> dict[str, Any]:
    """Announce a transfer for what is due to a seller, oldest deadline first."""
    parts = service.pay(ctx, body["seller_id"], body["amount"], body["bank_ref"], body["reservation_id"])
    return {"parts": [{"reservation_id": each.id, "amount": amount} for each, amount in parts]}


@api.post(
    "/presale/reservations/<uuid:reservation_id>/leave",
    permission=END,
    body=schema.Reason,
    answer=schema.ReservationAnswer,
    idempotent=True,
)
def leave(ctx: ts.Context, reservation_id: UUID, body: dict[str, Any]) -> Any:
    """The buyer gives it up: earnest money is lost, an advance comes back."""
    return service.leave(ctx, reservation_id, body["reason"])


@api.post(
    "/presale/reservations/<uuid:reservation_id>/fail",
    permission=END,
    body=schema.Reason,
    answer=schema.ReservationAnswer,
    idempotent=True,
)
def fail(ctx: ts.Context, reservation_id: UUID, body: dict[str, Any]) -> Any:
    """The seller cannot deliver: the earnest money comes back doubled."""
    return service.seller_fails(ctx, reservation_id, body["reason"])


@api.post(
    "/presale/reservations/<uuid:reservation_id>/cut",
    permission=END,
    body=schema.Cut,
    answer=schema.ReservationAnswer,
    idempotent=True,
)
def cut(ctx: ts.Context, reservation_id: UUID, body: dict[str, Any]) -> Any:
    """Less than was reserved: asked by the buyer, or all the seller can deliver."""
    found = reading.reservation(ctx, reservation_id).reservation
    act = service.seller_cut if found.seller_id == ctx.tenant_id else service.ask_cut
    return act(ctx, reservation_id, body["quantity"], body["reason"])


@api.post(
    "/presale/reservations/<uuid:reservation_id>/release",
    permission=END,
    body=schema.Release,
    answer=schema.PleaAnswer,
    status=201,
    idempotent=True,
)
def ask_release(ctx: ts.Context, reservation_id: UUID, body: dict[str, Any]) -> Any:
    """Ask for an end with nobody to blame; a file proves it."""
    try:
        content = base64.b64decode(body["file_base64"], validate=True)
    except (binascii.Error, ValueError):  # a letter outside ASCII is a ValueError of its own
        raise ts.Invalid.one("file_base64", "presale.not_base64") from None
    evidence = Evidence(body["file_name"], content)
    return service.ask_release(ctx, reservation_id, body["reason"], evidence, force_majeure=body["force_majeure"])


@api.post(
    "/presale/pleas/<uuid:plea_id>/answer",
    permission=END,
    body=schema.Verdict,
    answer=schema.ReservationAnswer,
    idempotent=True,
)
def answer(ctx: ts.Context, plea_id: UUID, body: dict[str, Any]) -> Any:
    """Say yes or no to what the other side asked."""
    return service.answer(ctx, plea_id, body["agree"], cost=body["cost"], reason=body["reason"])


@api.post("/presale/pleas/<uuid:plea_id>/take-back", permission=END, answer=schema.PleaAnswer, idempotent=True)
def take_back(ctx: ts.Context, plea_id: UUID) -> Any:
    """Take back what one asked."""
    return service.take_back(ctx, plea_id)


@api.post(
    "/presale/reservations/<uuid:reservation_id>/late-damages",
    permission=END,
    answer=schema.DamagesAnswer,
    status=201,
    idempotent=True,
)
def claim_late(ctx: ts.Context, reservation_id: UUID) -> dict[str, Any]:
    """Claim the damages for late shipment that have grown since the last claim."""
    return {"amount": service.claim_late(ctx, reservation_id)}


@api.get("/presale/index-values", permission=VIEW, query=schema.ValuesQuery, answer=schema.ValuesAnswer)
def list_values(ctx: ts.Context, query: dict[str, Any]) -> dict[str, Any]:
    """The valid value of each day of an index, one's own or a seller's."""
    owner = query["seller_id"] or ctx.tenant_id
    return {"values": service.index_values(ctx, owner, query["code"], query["first"], query["last"])}


@api.post(
    "/presale/index-values", permission=EDIT, body=schema.NewValue, answer=schema.ValueAnswer, status=201, idempotent=True
)
def enter_value(ctx: ts.Context, body: dict[str, Any]) -> Any:
    """Enter what an index said of a day."""
    return service.enter_value(ctx, **body)

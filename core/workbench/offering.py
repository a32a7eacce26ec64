"""What plugins offer for an order or an invoice: finance, freight, insurance. One panel, fetched after the page."""

from dataclasses import dataclass

from flask import Response, request

from core.hooks import Broken, Offer
from core.kernel import Context, NotFound
from core.web import render
from core.web.platform import platform
from core.workbench.frame import pages, title_of


@dataclass(frozen=True)
class Offered:
    """An offer and who makes it; `failed`: who should have answered is not available."""

    source: str
    offer: Offer | None
    failed: bool = False


@dataclass(frozen=True)
class OffersPage:
    offers: tuple[Offered, ...]
    whole: bool


@pages.get("/-/offers/<slot>", permission="account.own")
def offers(ctx: Context, slot: str) -> Response:
    """The offers for what a slot is about, looked up again with the reader's own rights."""
    find = platform().subjects.get(slot)
    if find is None:
        raise NotFound("http.404")
    found = []
    for plugin, answer in ctx.ports.dispatch.decorate(
        "offers_for", ctx, subject=find(ctx, request.args.get("of", ""))
    ):
        if isinstance(answer, Broken):
            found.append(Offered(title_of(ctx, plugin), None, failed=True))
            continue
        seen = (
            each
            for each in answer or ()
            if isinstance(each, Offer) and (each.permission is None or ctx.allows(each.permission))
        )
        found += [Offered(title_of(ctx, plugin), each) for each in seen]
    return render("workbench/offers.html", OffersPage(tuple(found), "HX-Request" not in request.headers))

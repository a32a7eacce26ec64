"""What an enterprise sets for its presales becomes the terms of the offers that say nothing else."""

from decimal import Decimal

from plugins.presale import service
from tests.plugins.presale.fair import Fair

D = Decimal
CHOSEN = {
    "earnest_percent": "10", "earnest_kind": "prepay", "pay_hours": 6, "late_rate": "0.10", "late_cap": "8", "wait_hours": 12,
}  # fmt: skip


def test_an_offer_takes_what_it_does_not_say_from_the_settings(fair: Fair) -> None:
    ctx = fair.seller()
    ctx.settings = CHOSEN

    offer = service.publish(ctx, fair.terms())

    assert (offer.earnest_percent, offer.earnest_kind, offer.pay_hours) == (D(10), "prepay", 6)
    assert (offer.late_rate, offer.late_cap, offer.wait_hours) == (D("0.10"), D(8), 12)


def test_what_an_offer_says_itself_goes_before_the_settings(fair: Fair) -> None:
    ctx = fair.seller()
    ctx.settings = CHOSEN

    offer = service.publish(ctx, fair.terms(earnest_percent=D(15), pay_hours=48))

    assert (offer.earnest_percent, offer.pay_hours, offer.wait_hours) == (D(15), 48, 12)

"""The enterprise's settings for its presales, with the defaults filled in."""

from dataclasses import dataclass
from decimal import Decimal

import tongshang as ts
from plugins.presale.schema import Settings


@dataclass(frozen=True)
class Rules:
    """Terms of offers that say nothing else. Rates in percent."""

    earnest_percent: Decimal
    earnest_kind: str
    pay_hours: int
    late_rate: Decimal
    late_cap: Decimal
    wait_hours: int


def rules(ctx: ts.Context) -> Rules:
    known = Settings().fields
    given = {name: value for name, value in dict(ctx.settings).items() if name in known}
    return Rules(**Settings().load(given))

"""How an enterprise trades: thresholds, deadlines, tolerances. What it never set is as the platform's defaults."""

import time
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine, bindparam, event, select
from sqlalchemy.orm import SessionTransaction

from core.db import TenantSession
from core.kernel import Conflict, Context, FieldError, Invalid, round2
from core.tenancy.model import TradeSettingsRow

CURRENCIES = ("CNY", "USD", "EUR", "HKD", "JPY")
SHARES = ("under_tol", "over_tol", "write_off_share")
"""Settings that are parts of a whole: 0 to 1, with at most six decimals."""
MOST_SMALL = 1_000_000


@dataclass(frozen=True)
class TradeSettings:
    """The trading rules of one enterprise.

    approval_threshold  amount (own currency) from which an order needs an approver; None: never
    offer_minutes       how long a seller's counter-offer stands (3 days)
    soft_reserve_minutes how long stock is held for an order that is being placed
    accept_days         days after which a receipt without objection counts as accepted
    under_tol, over_tol share of the ordered quantity that may be missing or too much (0.05 is 5 %)
    default_terms_days  days to pay after the invoice, unless the partner has terms of its own
    write_off_amount, write_off_share
                        what counts as a small remainder of an invoice, within both: an amount (in the invoice's own
                        currency) and a share of its total (0.001 is 0.1 %). Zero: nothing is small
    version             0 until something is set for the first time
    """

    approval_threshold: Decimal | None = None
    offer_minutes: int = 4320
    soft_reserve_minutes: int = 30
    accept_days: int = 7
    under_tol: Decimal = Decimal("0")
    over_tol: Decimal = Decimal("0")
    default_terms_days: int = 30
    write_off_amount: Decimal = Decimal("1.00")
    write_off_share: Decimal = Decimal("0.001")
    currency: str = "CNY"
    timezone: str = "Asia/Shanghai"
    version: int = 0


DEFAULTS = TradeSettings()
NAMES = tuple(one.name for one in fields(TradeSettings) if one.name != "version")

_READ = select(*(getattr(TradeSettingsRow, name) for name in (*NAMES, "version"))).where(
    TradeSettingsRow.tenant_id == bindparam("tenant")
)
_MEMO, _CHANGED = "trade_settings", "trade_settings_changed"
FRESH = 1.0  # seconds
_MOST = 5000  # enterprises remembered per engine
_memories: WeakKeyDictionary[Engine, dict[UUID, "_Known"]] = WeakKeyDictionary()
_RANGES = {
    "offer_minutes": (1, 525600),
    "soft_reserve_minutes": (1, 1440),
    "accept_days": (1, 90),
    "default_terms_days": (0, 365),
}


class _Known(NamedTuple):
    """Settings as they were read at a moment of this process's own clock."""

    at: float
    settings: TradeSettings


def trade_settings(ctx: Context) -> TradeSettings:
    """The rules of the acting enterprise (inside a crossing: of the counterparty), one set for a whole transaction.

    A change is seen at once in this process and within a second in the others; the transaction that changes them asks
    the database, so what it did stays unseen by others when it rolls back.
    """
    remembered: dict[UUID, TradeSettings] = ctx.session.info.setdefault(_MEMO, {})
    if ctx.tenant_id not in remembered:
        remembered[ctx.tenant_id] = _read(ctx) if _CHANGED in ctx.session.info else _recent(ctx)
    return remembered[ctx.tenant_id]


def _recent(ctx: Context) -> TradeSettings:
    memory = _memories.setdefault(ctx.session.get_bind().engine, {})
    known = memory.get(ctx.tenant_id)
    if known is None or time.monotonic() - known.at >= FRESH:
        at = time.monotonic()
        if len(memory) >= _MOST:
            memory.clear()
        known = memory[ctx.tenant_id] = _Known(at, _read(ctx))
    return known.settings


def _read(ctx: Context) -> TradeSettings:
    row = ctx.session.execute(_READ, {"tenant": ctx.tenant_id}).one_or_none()
    return DEFAULTS if row is None else TradeSettings(**row._mapping)


def set_trade_settings(ctx: Context, *, version: int | None = None, **changes: Any) -> TradeSettings:
    """Change some of the rules. `version`, when given, must be the one that was read, else Conflict."""
    ctx.require("settings.edit")
    if unknown := set(changes) - set(NAMES):
        raise TypeError(f"no such settings: {', '.join(sorted(unknown))}")
    row = ctx.session.get(TradeSettingsRow, ctx.tenant_id, with_for_update=True, populate_existing=True)
    current = _read(ctx)
    if version is not None and version != current.version:
        raise Conflict("version.changed", version=current.version)
    wanted = {**{name: getattr(current, name) for name in NAMES}, **changes}
    if errors := _wrong(wanted):
        raise Invalid(errors)
    changed = {name: wanted[name] for name in NAMES if wanted[name] != getattr(current, name)}
    if row is None:
        row = TradeSettingsRow(tenant_id=ctx.tenant_id, **wanted)
        ctx.session.add(row)
    else:
        for name, value in changed.items():
            setattr(row, name, value)
    ctx.session.flush()
    ctx.session.info.pop(_MEMO, None)
    ctx.session.info.setdefault(_CHANGED, set()).add(ctx.tenant_id)
    ctx.record("settings.edit", f"trade_settings:{ctx.tenant_id}", **changed)
    return TradeSettings(**wanted, version=row.version)


def _wrong(wanted: dict[str, Any]) -> list[FieldError]:
    errors = []
    threshold = wanted["approval_threshold"]
    if threshold is not None and (
        not threshold.is_finite() or threshold <= 0 or threshold != round2(threshold)
    ):
        errors.append(FieldError("approval_threshold", "settings.threshold", {}))
    for name, (least, most) in _RANGES.items():
        if not least <= wanted[name] <= most:
            errors.append(FieldError(name, "number.between", {"least": least, "most": most}))
    small = wanted["write_off_amount"]
    if not small.is_finite() or not 0 <= small < MOST_SMALL or small != round2(small):
        errors.append(FieldError("write_off_amount", "settings.write_off", {"most": MOST_SMALL}))
    for name in SHARES:
        if (
            not wanted[name].is_finite()
            or not 0 <= wanted[name] <= 1
            or wanted[name] != round(wanted[name], 6)
        ):
            errors.append(FieldError(name, "settings.tolerance", {}))
    if wanted["currency"] not in CURRENCIES:
        errors.append(FieldError("currency", "choice.unknown", {}))
    try:
        ZoneInfo(wanted["timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        errors.append(FieldError("timezone", "settings.timezone", {}))
    return errors


@event.listens_for(TenantSession, "after_transaction_end")
def _ended(session: TenantSession, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_MEMO, None)
        for tenant_id in session.info.pop(_CHANGED, ()):
            _memories.get(session.get_bind().engine, {}).pop(tenant_id, None)

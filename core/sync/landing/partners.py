"""Partners: who has a unified social credit code we know is bound to its enterprise; a binding by hand is never moved."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from core.kernel import Context
from core.sync.contract import Record
from core.sync.incoming import PartnerIn
from core.sync.landing import terms
from core.sync.landing.frame import Left
from core.sync.model import ExternalRef
from core.sync.refs import remember
from core.tenancy import EnterpriseCard

KIND = "partner"


def land(ctx: Context, connection_id: UUID, rows: Sequence[tuple[Record, PartnerIn]]) -> list[Left]:
    """Keep their partners, and bind those whose enterprise is here. A few statements, and one for each new binding."""
    terms.keep(ctx, connection_id, KIND, [item for _, item in rows])
    known = _enterprises(ctx, {_code(item) for _, item in rows})
    bound = _bound(ctx, connection_id, list(known.values()))
    left: list[Left] = []
    for record, item in rows:
        enterprise = known.get(_code(item))
        if not item.active:
            continue
        if enterprise is None:
            said = f"{item.number} {item.name} {_code(item)}".strip()
            left.append(Left(record, item.external_id, "sync.partner_unknown", said))
            continue
        before = bound.get(enterprise)
        same = (item.external_id, item.number)
        if before == same:
            continue
        if before is not None and item.external_id != before[0] and item.number != before[1]:
            said = f"{item.name}: {before[1]} / {item.number}"
            left.append(Left(record, item.external_id, "sync.partner_twice", said))
        elif remember(ctx, connection_id, KIND, enterprise, *same):
            bound[enterprise] = same
        else:
            left.append(Left(record, item.external_id, "sync.ref_taken", f"{KIND} {item.number}"))
    return left


def _code(item: PartnerIn) -> str:
    return item.code.strip().upper()


def _enterprises(ctx: Context, codes: set[str]) -> dict[str, UUID]:
    found = ctx.session.execute(
        select(EnterpriseCard.uscc, EnterpriseCard.tenant_id).where(EnterpriseCard.uscc.in_(codes - {""}))
    )
    return {code: id for code, id in found if id != ctx.tenant_id}


def _bound(ctx: Context, connection_id: UUID, enterprises: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    found = ctx.session.execute(
        select(ExternalRef.local_id, ExternalRef.external_id, ExternalRef.external_number).where(
            ExternalRef.tenant_id == ctx.tenant_id,
            ExternalRef.connection_id == connection_id,
            ExternalRef.kind == KIND,
            ExternalRef.local_id.in_(enterprises),
        )
    )
    return {local_id: (external_id, number) for local_id, external_id, number in found}

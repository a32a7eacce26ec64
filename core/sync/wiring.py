"""What connections lend to other rooms: their part of an order's page, and what waits on the workbench."""

from collections.abc import Sequence

from sqlalchemy import func, select

from core import workbench
from core.kernel import Context
from core.orders import OrderLine, TradeOrder, panels
from core.sync.drill import api as drill_api
from core.sync.mapping import api as mapping_api
from core.sync.model import ErpConnection, SyncDocument
from core.sync.reading import STUCK, remote_documents
from core.sync.reconciling import api as reconciling_api
from core.sync.stocktaking import api as stocktaking_api
from core.sync.views.frame import DOCUMENT_STATES, what_of
from core.web import gettext as _
from core.workbench import Todo

ROUTES = (drill_api.api, mapping_api.api, reconciling_api.api, stocktaking_api.api)


def wire() -> None:
    """Called once at start-up."""
    panels.register_section(section)
    workbench.register_todos(todos)


def section(ctx: Context, order: TradeOrder, lines: Sequence[OrderLine]) -> panels.Section | None:
    """Where the order stands in the seller's own systems; the buyer sees nothing of it."""
    if not ctx.allows("connection.view"):
        return None
    found = remote_documents(ctx, order.id)
    if not found:
        return None
    documents = tuple(
        panels.Document(
            kind=each.connection,
            id=each.id,
            number=each.number or each.reference,
            at=each.at,
            state=_(DOCUMENT_STATES[each.state][0]),
            tone=DOCUMENT_STATES[each.state][1],
            what=f"{each.connection} · {what_of(each.kind, each.intent)}",
            endpoint="sync.document",
            values={"document_id": each.id},
        )
        for each in found
        if each.state != "superseded" or each is found[0]
    )
    return panels.Section("erp", _("ERP"), "plug", documents, rank=80)


def todos(ctx: Context, limit: int) -> list[Todo]:
    """Connections with documents that need a person. One statement."""
    if not ctx.allows("connection.replay"):
        return []
    rows = ctx.session.execute(
        select(ErpConnection.id, ErpConnection.name, func.count().label("stuck"))
        .join(SyncDocument, SyncDocument.connection_id == ErpConnection.id)
        .where(ErpConnection.tenant_id == ctx.tenant_id, SyncDocument.state.in_(STUCK))
        .group_by(ErpConnection.id, ErpConnection.name)
        .order_by(func.count().desc())
        .limit(limit)
    )
    return [
        Todo(
            kind="sync",
            title=_("Mend %(n)s documents", n=row.stuck),
            what=row.name,
            endpoint="sync.connection",
            values={"connection_id": row.id},
            verb=_("Mend"),
            icon="plug",
            rank=20,
        )
        for row in rows
    ]

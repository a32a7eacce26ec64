"""Same key, same body: same answer. Same key, other body: refused. The key is taken first, so racers wait for the winner."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.kernel import Context, Refused, uuid7
from core.outbox.model import StoredAnswer


class KeyReused(Refused):
    """The key was used for another body."""

    status = 422


class Answers:
    """Idempotent answers, scoped by tenant, actor, route and key (ruling 11)."""

    def begin(self, ctx: Context, route: str, key: str, fingerprint: bytes) -> tuple[int, str] | None:
        """Take the key; the stored (status, body) when it was used before for the same request."""
        mine = {"tenant_id": ctx.tenant_id, "actor": str(ctx.actor.id), "route": route, "key": key}
        taken = ctx.session.execute(
            upsert(StoredAnswer.__table__)
            .values(id=uuid7(), fingerprint=fingerprint, **mine)
            .on_conflict_do_nothing()
            .returning(StoredAnswer.id)
        ).scalar()
        if taken is not None:
            ctx.session.info["answer_id"] = taken
            return None
        stored = ctx.session.execute(
            select(StoredAnswer.fingerprint, StoredAnswer.status, StoredAnswer.body).filter_by(**mine)
        ).one()
        if bytes(stored.fingerprint) != fingerprint:
            raise KeyReused("idempotency.key_reused")
        return stored.status, stored.body

    def finish(self, ctx: Context, route: str, key: str, status: int, body: str) -> None:
        """Store the answer in the command's own transaction."""
        table = StoredAnswer.__table__
        ctx.session.execute(
            update(table)
            .where(table.c.tenant_id == ctx.tenant_id, table.c.id == ctx.session.info.pop("answer_id"))
            .values(status=status, body=body)
        )


__all__ = ["Answers", "KeyReused"]

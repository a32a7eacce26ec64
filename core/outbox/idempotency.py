"""Same key, same body: same answer. Same key, other body: refused. The key is taken first, so racers wait for the winner."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.kernel import Context, Refused, uuid7
from core.outbox.model import StoredAnswer

_TABLE = StoredAnswer.__table__
_TAKE = (
    upsert(_TABLE)
    .values({name: bindparam(name) for name in ("id", "tenant_id", "actor", "route", "key", "fingerprint")})
    .on_conflict_do_nothing()
    .returning(_TABLE.c.id)
)
_KEEP = (
    update(_TABLE)
    .where(_TABLE.c.tenant_id == bindparam("tenant"), _TABLE.c.id == bindparam("answer"))
    .values(status=bindparam("status"), body=bindparam("body"))
)


class KeyReused(Refused):
    """The key was used for another body."""

    status = 422


class Answers:
    """Idempotent answers, scoped by tenant, actor, route and key (ruling 11)."""

    def begin(self, ctx: Context, route: str, key: str, fingerprint: bytes) -> tuple[int, str] | None:
        """Take the key; the stored (status, body) when it was used before for the same request."""
        mine = {"tenant_id": ctx.tenant_id, "actor": str(ctx.actor.id), "route": route, "key": key}
        taken = ctx.session.execute(_TAKE, {"id": uuid7(), "fingerprint": fingerprint, **mine}).scalar()
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
        ctx.session.execute(
            _KEEP, {"tenant": ctx.tenant_id, "answer": ctx.session.info.pop("answer_id"), "status": status, "body": body}
        )


__all__ = ["Answers", "KeyReused"]

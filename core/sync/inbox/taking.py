"""A call that comes in: told apart by its key, kept, landed, answered; all in one transaction.

The other system is answered "taken" only when its call is stored. What cannot land stands as an issue of the call: to refuse
the call for it would make the other system send the same again for ever.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from core.db import Unit
from core.kernel import Actor, Context, NotFound, uuid7
from core.sync.contract import Access, Connector, Record
from core.sync.inbox.model import SyncPush
from core.sync.inbox.tokens import hashed
from core.sync.inbox.wire import from_json, to_json
from core.sync.incoming import Incoming, PriceIn, ProductIn, StockIn
from core.sync.issues import LONGEST_ID, note
from core.sync.landing import Left, grants_of
from core.sync.mapping.applied import mapping_of, record
from core.sync.model import ErpConnection, SyncIssue
from core.sync.outcome import MISTAKES, SkipRecord, covered
from core.sync.pushed import Heard, Push, PushAnswer, PushRefused
from core.sync.registry import Registry
from core.sync.secrets import access_of, hidden
from core.sync.store import store

LONGEST_KEY = 200  # characters; a longer one is kept as its hash
REFUSED_A_MINUTE = 20  # refused calls of one connection that are noted
MOST_AT_ONCE = 500  # records that land while the other system waits for its answer; more are landed by the worker
REFUSED_KEPT = 200  # of one connection
LONGEST_REFUSED = 20_000  # characters of a call that is not landed: it shall not fill our disk
STATES = (ProductIn, PriceIn, StockIn)  # of which the newest word counts
BROKEN = PushAnswer(b"", 500, "text/plain; charset=utf-8")


class Inbox:
    """Takes calls. One for a process; it holds no state."""

    def __init__(self, unit: Unit, registry: Registry) -> None:
        self.unit, self.registry = unit, registry

    def take(self, token: str, push: Push) -> PushAnswer:
        """The answer for the other system. Raises NotFound for a token nobody has."""
        return Unit.retrying(lambda: self._take(token, push))

    def _take(self, token: str, push: Push) -> PushAnswer:
        with self.unit.database.session() as session:
            asked = text("SELECT tenant_id, connection_id, moment FROM ts.sync_knock(:hash)")
            entry = session.execute(asked, {"hash": hashed(token)}).one_or_none()
            if entry is None:
                raise NotFound("connection.not_found")
            nobody = Actor("connector", entry.connection_id, "")
            ctx = self.unit.enter(session, entry.tenant_id, nobody, {}, now=entry.moment)
            connection = session.get_one(ErpConnection, entry.connection_id)
            ctx.actor = replace(nobody, name=connection.name)
            if connection.connector not in self.registry:
                raise NotFound("connection.not_found")
            answer = self._answer(
                ctx, connection, self.registry[connection.connector], replace(push, at=ctx.now)
            )
            self.unit.finish(ctx)
            return answer

    def _answer(
        self, ctx: Context, connection: ErpConnection, connector: Connector, push: Push
    ) -> PushAnswer:
        access = access_of(connection)
        try:
            heard = connector.hear(access, push)
        except PushRefused as refused:
            said = f"{refused.code}: {refused.message}"
            _refuse(ctx, connection.id, push, access, said, refused.answer)
            return refused.answer
        except (*MISTAKES, RecursionError) as error:  # the connector is wrong: the other system keeps the call and tries again
            _refuse(
                ctx,
                connection.id,
                push,
                access,
                f"sync.connector_error: {type(error).__name__}: {error}",
                BROKEN,
            )
            return BROKEN
        key = _key(heard, push)
        row = _keep(ctx, connection.id, key, heard, push, access)
        if row is None:
            return _again(ctx, connection.id, key, heard)
        if connection.state == "active" and len(row.records) <= MOST_AT_ONCE and not _others_wait(ctx, row):
            # as stored, so that a replay is the same
            land(ctx, row, tuple(from_json(row.records)), connector)
        return heard.answer


def land(ctx: Context, row: SyncPush, records: tuple[Incoming, ...], connector: Connector) -> None:
    """Land what was heard in a call, mapped as the connection is now; whatever cannot stands as an issue of it.

    Of a call that landed before only what was left out then lands: the rest may have been told anew since.
    """
    whole = len(records)
    if row.landed_at is not None:
        records = _left_out(ctx, row, records)
    mapping = mapping_of(ctx.session, ctx.tenant_id, row.connection_id)
    good: list[tuple[Record, Incoming]] = []
    left: list[Left] = []
    for plain, item in zip(to_json(records), records, strict=True):
        try:
            good.append((plain, record(plain, item, mapping)))
        except SkipRecord as reason:
            left.append(Left(plain, reason.field, reason.code, reason.message))
    ctx.grants = grants_of(item for _, item in good)
    left += store(ctx, row.connection_id, good, stock_counts=connector.stock_counts)[1]
    note(ctx, row.connection_id, left, push_id=row.id)
    row.state, row.stored, row.skipped, row.landed_at = "landed", whole - len(left), len(left), ctx.now
    ctx.session.flush()
    ctx.record("sync.push", f"sync_push:{row.id}", kind=row.kind, stored=row.stored, skipped=row.skipped)


def _left_out(ctx: Context, row: SyncPush, records: tuple[Incoming, ...]) -> tuple[Incoming, ...]:
    """The records of a call to land once more: documents, which are known when they are here, and states that never landed.

    A figure that differed was told and compared; told again it would stand over a newer one.
    """
    issues = select(SyncIssue.external_id).where(
        SyncIssue.tenant_id == ctx.tenant_id,
        SyncIssue.push_id == row.id,
        SyncIssue.code != "sync.stock_differs",
    )
    named = set(ctx.session.scalars(issues))
    return tuple(
        item
        for item in records
        if not isinstance(item, STATES) or named & {item.external_id[:LONGEST_ID], getattr(item, "code", "") or None}
    )


def _keep(
    ctx: Context, connection_id: UUID, key: str, heard: Heard, push: Push, access: Access
) -> SyncPush | None:
    """The row of a call that was not here before. One with the same key waits here until the first is done."""
    values = _row(ctx, connection_id, key, push, access, heard.answer) | {
        "kind": _clean(heard.kind)[:100],
        "records": to_json(heard.records),
        "state": "waiting",
    }
    adding = insert(SyncPush).values(values).on_conflict_do_nothing().returning(SyncPush.id)
    id = ctx.session.scalar(adding)
    return ctx.session.get_one(SyncPush, id) if id else None


def _others_wait(ctx: Context, row: SyncPush) -> bool:
    """Whether older calls have yet to land: what they counted must not come after what this one counted."""
    older = select(SyncPush.id).where(
        SyncPush.tenant_id == ctx.tenant_id,
        SyncPush.connection_id == row.connection_id,
        SyncPush.state == "waiting",
        SyncPush.id < row.id,
    )
    return ctx.session.scalar(older.limit(1)) is not None


def _again(ctx: Context, connection_id: UUID, key: str, heard: Heard) -> PushAnswer:
    """The stored answer of a call that was here before. What else it says under its key is listed, and lands nothing."""
    row = ctx.session.execute(
        select(SyncPush.id, SyncPush.records, SyncPush.answer, SyncPush.answer_status, SyncPush.answer_type).where(
            SyncPush.tenant_id == ctx.tenant_id, SyncPush.connection_id == connection_id, SyncPush.key == key
        )
    ).one()
    told = to_json(heard.records)
    if told != row.records:
        words = json.dumps(told, ensure_ascii=False)[:LONGEST_REFUSED]
        digest = hashlib.sha256(words.encode()).hexdigest()[:12]
        note(ctx, connection_id, [Left({"records": words}, key, "sync.call_differs", digest)], push_id=row.id)
    return PushAnswer(row.answer, row.answer_status, row.answer_type)


def _refuse(
    ctx: Context, connection_id: UUID, push: Push, access: Access, said: str, answer: PushAnswer
) -> None:
    """Note a refused call, unless too many came; only the newest stay."""
    mine = (
        SyncPush.tenant_id == ctx.tenant_id,
        SyncPush.connection_id == connection_id,
        SyncPush.state == "refused",
    )
    lately = select(func.count()).where(*mine, SyncPush.at > ctx.now - timedelta(minutes=1))
    if (ctx.session.scalar(lately) or 0) >= REFUSED_A_MINUTE:
        return
    id = uuid7()
    values = _row(ctx, connection_id, f"refused {id}", push, access, answer)
    values |= {
        "id": id,
        "state": "refused",
        "said": _hidden(access.secrets, said)[:500],
        "body": values["body"][:LONGEST_REFUSED],
    }
    ctx.session.execute(insert(SyncPush).values(values))
    oldest = select(SyncPush.id).where(*mine).order_by(SyncPush.id.desc()).offset(REFUSED_KEPT)
    ctx.session.execute(delete(SyncPush).where(*mine, SyncPush.id.in_(oldest)))


def _row(
    ctx: Context, connection_id: UUID, key: str, push: Push, access: Access, answer: PushAnswer
) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "tenant_id": ctx.tenant_id,
        "connection_id": connection_id,
        "key": key,
        "path": _hidden(access.secrets, push.path)[:500],
        "body": _hidden(access.secrets, push.body.decode("utf-8", "replace")),
        "answer": answer.body,
        "answer_status": answer.status,
        "answer_type": answer.content_type,
        "at": ctx.now,
    }


def _key(heard: Heard, push: Push) -> str:
    """The sender's name of the call; without one the same words are the same call."""
    if not heard.key:
        return hashlib.sha256(push.path.encode() + b"\0" + push.body).hexdigest()
    key = _clean(heard.key)
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _hidden(secrets: Mapping[str, str], text: str) -> str:
    return _clean(covered(hidden(secrets, text)))

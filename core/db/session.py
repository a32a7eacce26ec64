"""Sessions that carry their tenant into the database, transaction by transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from core.db.keeping import AS_PLUGIN, CROSS, SET_TENANT, KeptConnection, LookingCursor, refuse_if_kept

_counter: ContextVar[list[str] | None] = ContextVar("statements", default=None)


class TenantSession(Session):
    """A session whose transactions start with `session.info['tenant_id']` set; without one it sees no rows.

    While strangers' code runs in its transaction, nobody ends it; see `keeping`.
    """

    def commit(self) -> None:
        refuse_if_kept(self, "commit()")
        super().commit()

    def rollback(self) -> None:
        refuse_if_kept(self, "rollback()")
        super().rollback()

    def close(self) -> None:
        refuse_if_kept(self, "close()")
        super().close()


@event.listens_for(TenantSession, "after_begin")
def _enter(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.nested:
        if session.info.get("plugin_role"):
            connection.exec_driver_sql(AS_PLUGIN)
            session.info["plugin_ran_sql"] = True
    elif (tenant := session.info.get("tenant_id")) is not None:
        connection.exec_driver_sql(SET_TENANT, (str(tenant),))


def set_tenant(session: Any, tenant_id: UUID | None, home: UUID | None = None) -> datetime:
    """Point the open transaction at a tenant (None = nobody) and answer the database's clock.

    `home` is the tenant a crossing came from: what is its own alone stays in reach on the other side.
    """
    session.info.pop("tenant_id", None)  # so that opening the transaction does not say it a second time
    connection = session.connection()
    session.info["tenant_id"] = tenant_id
    there = str(tenant_id) if tenant_id else ""
    said = connection.exec_driver_sql(*((CROSS, (there, str(home))) if home else (SET_TENANT, (there,))))
    now: datetime = said.one()[1]
    return now


class Database:
    """An engine and its sessions. `role` names who connects, for time limits and for messages."""

    def __init__(self, url: str, *, pool_size: int = 10, statement_timeout: str = "5s", echo: bool = False) -> None:
        self.engine: Engine = create_engine(
            url,
            echo=echo,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=5,
            pool_recycle=1800,
            connect_args={
                "application_name": "tongshang",
                "cursor_factory": LookingCursor,
                "options": f"-c statement_timeout={statement_timeout} -c lock_timeout=3s"
                " -c idle_in_transaction_session_timeout=10s -c timezone=UTC -c search_path=ts,pg_temp",
            },
        )
        event.listen(self.engine, "do_connect", _connect)
        event.listen(self.engine, "before_cursor_execute", _count)
        self.sessions = sessionmaker(self.engine, class_=TenantSession, expire_on_commit=False)

    def session(self, tenant_id: UUID | None = None) -> TenantSession:
        session = self.sessions()
        if tenant_id is not None:
            session.info["tenant_id"] = tenant_id
        return session

    def dispose(self) -> None:
        self.engine.dispose()


def _connect(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> KeptConnection:
    return KeptConnection.connect(*arguments, **options)


def _count(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
    seen = _counter.get()
    if seen is not None:
        # many rows in one statement come as one mapping, and are one statement
        seen.extend([statement] * (len(parameters) if many and isinstance(parameters, list | tuple) else 1))


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """Collect every statement that reaches the server in this thread, a row of an executemany counting as one."""
    seen: list[str] = []
    token = _counter.set(seen)
    try:
        yield seen
    finally:
        _counter.reset(token)

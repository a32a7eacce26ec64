"""Sessions that carry their tenant into the database, transaction by transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from core.db import border, counting
from core.db.keeping import CROSS, SET_TENANT, KeptConnection, LookingCursor, refuse_if_kept


class TenantSession(Session):
    """A session whose transactions start with `session.info['tenant_id']` set; without one it sees no rows.

    While strangers' code runs in its transaction, nobody ends it; see `keeping`. As soon as a plugin's call puts objects at
    stake, the session makes a savepoint of its own, so that a flush that fails loses that call's objects and no others.
    """

    def execute(self, statement: Any, *args: Any, **options: Any) -> Any:
        if self.info.get("kept") is not None and _loads_objects(statement):
            objects_at_stake(self)
        return super().execute(statement, *args, **options)

    def scalars(self, statement: Any, *args: Any, **options: Any) -> Any:
        if self.info.get("kept") is not None and _loads_objects(statement):
            objects_at_stake(self)
        return super().scalars(statement, *args, **options)

    def scalar(self, statement: Any, *args: Any, **options: Any) -> Any:
        if self.info.get("kept") is not None and _loads_objects(statement):
            objects_at_stake(self)
        return super().scalar(statement, *args, **options)

    def connection(self, *args: Any, **options: Any) -> Connection:
        found = super().connection(*args, **options)
        held = self.info.get("kept")
        if held is not None and held.lazy:
            held.raw = True
            if not held.entered:
                driver: Any = found.connection.driver_connection
                border.enter(driver, held)
                driver.unpack()
        return found

    def add(self, *args: Any, **options: Any) -> None:
        objects_at_stake(self)
        super().add(*args, **options)

    def delete(self, *args: Any, **options: Any) -> None:
        objects_at_stake(self)
        super().delete(*args, **options)

    def merge(self, *args: Any, **options: Any) -> Any:
        objects_at_stake(self)
        return super().merge(*args, **options)

    def commit(self) -> None:
        refuse_if_kept(self, "commit()")
        super().commit()

    def rollback(self) -> None:
        refuse_if_kept(self, "rollback()")
        super().rollback()

    def close(self) -> None:
        refuse_if_kept(self, "close()")
        super().close()

    def reset(self) -> None:
        refuse_if_kept(self, "reset()")
        super().reset()

    def invalidate(self) -> None:
        refuse_if_kept(self, "invalidate()")
        super().invalidate()


def _loads_objects(statement: Any) -> bool:
    """Whether a statement brings objects into the session: `select(Offer)` does, `select(Offer.price)` and text do not."""
    described = getattr(statement, "column_descriptions", ())
    return any(
        column.get("entity") is not None and column["entity"] is column["expr"] for column in described
    )


def objects_at_stake(session: Session) -> None:
    """Inside a plugin's call: from here on the session remembers what its objects were like."""
    held = session.info.get("kept")
    if held is None or not held.lazy or held.beginning:
        return
    if held.nested is None or not held.nested.is_active:  # a flush that failed has rolled its savepoint back
        held.beginning = True
        held.nested = session.begin_nested()
        held.beginning = False


@event.listens_for(TenantSession, "after_begin")
def _enter(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if not transaction.nested and (tenant := session.info.get("tenant_id")) is not None:
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

    def __init__(
        self, url: str, *, pool_size: int = 10, statement_timeout: str = "5s", echo: bool = False
    ) -> None:
        self.engine: Engine = create_engine(
            url,
            echo=echo,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=5,
            pool_recycle=1800,
            pool_use_lifo=True,
            connect_args={
                "application_name": "tongshang",
                "cursor_factory": LookingCursor,
                "options": f"-c statement_timeout={statement_timeout} -c lock_timeout=3s"
                " -c idle_in_transaction_session_timeout=10s -c timezone=UTC -c search_path=ts,pg_temp",
            },
        )
        event.listen(self.engine, "do_connect", _connect)
        event.listen(self.engine, "before_cursor_execute", counting.of_sqlalchemy)
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

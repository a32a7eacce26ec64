"""New rows of one table, inserted straight away: for the few places where the unit of work costs more than the insert.

SQLAlchemy sorts, compares and files every object of a flush. Where the order of things is known anyway, one statement
for each class does, and the session keeps the objects as if it had flushed them.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table, insert, inspect
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from core.db.base import Model


def insert_rows(session: Session, rows: Sequence[Model]) -> None:
    """Insert new objects of one class with the same attributes set, and let the session hold them until it ends.

    What the session still keeps back stays back: what the rows refer to must be there already. What the database fills in
    is read when it is asked for.
    """
    if not rows:
        return
    asked, columns, empty = _shape(type(rows[0]))
    values = [{name: row.__dict__[name] for name in columns if name in row.__dict__} for row in rows]
    with session.no_autoflush:
        session.execute(asked, values if len(values) > 1 else values[0])
    for row, given in zip(rows, values, strict=True):
        for name in empty:
            if name not in given:
                set_committed_value(row, name, None)
        make_transient_to_detached(row)
    session.add_all(rows)
    session.info.setdefault("inserted", []).extend(rows)  # a session forgets what nobody else holds, unless it has changed


@cache
def _shape(kind: type[Model]) -> tuple[Insert, tuple[str, ...], tuple[str, ...]]:
    """The statement, every column, and the columns that stay empty when nothing is said."""
    mapper: Any = inspect(kind)
    table: Table = mapper.local_table
    columns = tuple(table.columns.keys())
    empty = tuple(
        column.key for column in table.columns if column.nullable and column.default is None and column.server_default is None
    )
    return insert(table), columns, empty

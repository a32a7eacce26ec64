"""Statements of the busiest roads, said to the driver without the furniture that makes rows of objects.

SQLAlchemy finds out anew, for each execution, what a text's columns are called and how they are to be converted; psycopg
hands ids, moments and numbers over as they are to be, so there is nothing to convert. What is said this way is looked at,
counted, and fails exactly as any other statement does.
"""

from typing import Any

import psycopg
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

from core.db.counting import counted
from core.db.travelling import TravellingCursor

Values = tuple[Any, ...] | dict[str, Any]
_DIALECT = PGDialect_psycopg()


def rows(session: Session, statement: str, values: Values) -> list[tuple[Any, ...]]:
    """The rows of a text in psycopg's own words, in the session's transaction and after what it has not written yet."""
    session.flush()
    connection = Session.connection(session)
    counted(statement)
    cursor: Any = connection.connection.cursor()
    if isinstance(cursor, TravellingCursor):  # else an engine of somebody's own, such as a terminal command's
        cursor.reads = True
    try:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    except psycopg.Error as wrong:
        connection._handle_dbapi_exception(wrong, statement, values, cursor, None)
    return found


class Prepared:
    """A SELECT whose words are settled once. Its bound values come with each call; columns need types psycopg reads by itself.

    One of several values is `= any_(array)`: the words of an IN would depend on how many there are.
    """

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        self.text, self._given = str(compiled), dict(compiled.params)

    def rows(self, session: Session, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """As `rows`, with the values that the statement itself brings."""
        return rows(session, self.text, self._given | values)

"""BEGIN travels with the first statement of a transaction, and a reader does not wait to be told that its end was heard.

While a thread waits for the server, others take its place in the processor and its memory. A short request that waits four
times spends as much on coming back as on its work; this way it waits twice. What `border` has to say before a plugin's
statement, and after it, travels the same way.

Only a statement that the connection has prepared can share the way: libpq's pipeline takes one statement at a time, and
psycopg's own pipeline costs more than the wait it saves. What is overridden here is psycopg's inside; the lock file holds
its version, and `tests/db/test_travelling.py` fails where it should change.
"""

from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg._preparing import Prepare
from psycopg.errors import error_from_result
from psycopg.generators import execute, fetch, fetch_many
from psycopg.pq import ExecStatus, TransactionStatus

T = TypeVar("T")
Talk = Generator[Any, Any, T]
"""psycopg's way of waiting: what to wait for goes out, what is ready comes in."""


class TravellingConnection(psycopg.Connection[Any]):
    """Ends a transaction in which nothing but declared readers ran without waiting for the word that it ended."""

    only_read = True  # so far; see `TravellingCursor.reads`
    owed = False  # COMMIT was said and not yet answered
    together = False  # BEGIN is about to travel with a statement
    baggage: tuple[bytes, ...] = ()  # what is to be said before the next statement

    def commit(self) -> None:
        if self.owed:  # and nothing was said since
            return
        if self.only_read and self.pgconn.transaction_status == TransactionStatus.INTRANS:
            self.pgconn.send_query(b"COMMIT")
            self.owed = True
            if self.pgconn.flush():
                self._hear()
            return
        self.only_read = True
        super().commit()

    def rollback(self) -> None:
        self.only_read, self.baggage = True, ()
        if not self.owed and self.pgconn.transaction_status != TransactionStatus.IDLE:  # a pool asks after every transaction
            super().rollback()

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Everything that waits for the server comes by here; what is owed is heard first."""
        if self.owed:
            self._hear()
        return super().wait(gen, *args, **options)

    def pack(self, *commands: bytes) -> None:
        """Have these said before the next statement, in its message where that can be."""
        self.baggage += commands

    def unpack(self) -> None:
        """Say what did not travel, in a message of its own."""
        said, self.baggage = b"; ".join(self.baggage), ()
        if said and self.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            result = self.pgconn.exec_(said)
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, encoding=self.pgconn._encoding)

    def _hear(self) -> None:
        self.owed = False
        wire = self.pgconn
        wire.consume_input()
        if wire.is_busy():
            results = super().wait(execute(wire))
        else:  # as good as always: it was answered while somebody else was
            results = []
            while (result := wire.get_result()) is not None:
                results.append(result)
        if results[-1].status != ExecStatus.COMMAND_OK:  # nothing was written, so nothing is lost: the connection may be
            raise error_from_result(results[-1], encoding=wire._encoding)

    def _start_query(self) -> Talk[None]:
        if not self.together:
            yield from super()._start_query()


class TravellingCursor(psycopg.Cursor[Any]):
    """Says what is due and a prepared statement in one go. `reads` declares that what it says changes nothing of worth."""

    reads = False

    def _execute_gen(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Talk[None]:
        connection: Any = self._conn
        if not self.reads:
            connection.only_read = False
        first = self._due(connection)
        if first:
            connection.together = True
            try:
                yield from self._start_query(query)
            finally:
                connection.together = False
            asked = self._convert_query(query, params)
            prepared, name = self._get_prepared(asked, prepare)
            if prepared is Prepare.YES:
                connection._prepared.maybe_add_to_cache(asked, prepared, name)
                connection.baggage = ()
                results = yield from self._together(first, name, asked, binary)
                self._check_results(results)
                self._set_results(results)
                self._last_query = query
                return
            connection.unpack()
        yield from super()._execute_gen(query, params, prepare=prepare, binary=binary)

    @staticmethod
    def _due(connection: Any) -> tuple[bytes, ...]:
        """What is to be said before a statement, BEGIN among it."""
        if connection.autocommit or connection._pipeline is not None:
            return ()
        if connection.pgconn.transaction_status == TransactionStatus.IDLE:
            return (connection._get_tx_start_command(),)
        baggage: tuple[bytes, ...] = connection.baggage
        return baggage

    def _together(self, first: tuple[bytes, ...], name: bytes, asked: Any, binary: bool | None) -> Talk[list[Any]]:
        connection: Any = self._conn
        connection._check_connection_ok()
        wire = connection.pgconn
        wire.enter_pipeline_mode()
        for command in first:
            wire.send_query_params(command, None)
        self._send_query_prepared(name, asked, binary=binary)
        wire.pipeline_sync()
        said = yield from execute(wire)
        for _ in first[1:]:
            said += yield from fetch_many(wire)
        results: list[Any] = yield from fetch_many(wire)
        yield from fetch(wire)
        wire.exit_pipeline_mode()
        for result in said:
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, encoding=wire._encoding)
        return results

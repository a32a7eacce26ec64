"""What an enterprise may not learn: the ids and words of rows that row-level security hides from it.

Found by asking the database twice, as its administrator and as the application with that enterprise set, so a table added
tomorrow is part of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Text, Uuid, create_engine, select, text
from sqlalchemy.pool import NullPool
from sqlalchemy.types import String

from core.db import Model
from tests.app.house import House

PLAIN = re.compile(r"^([a-z_.]+|[0-9a-f-]{36}|\{\"\w+\":(true|false)\})$")


@dataclass(frozen=True)
class Hidden:
    """`ids` by table and key column, `words` that stand in no row the enterprise sees, `all_ids` of every hidden row."""

    ids: dict[str, list[UUID]]
    words: frozenset[str]
    all_ids: frozenset[str]

    def leaks(self, body: str, but: frozenset[str] = frozenset()) -> set[str]:
        """Hidden ids and words that a body shows, apart from what was asked with."""
        return {each for each in self.all_ids - but if each in body} | {word for word in self.words if word in body}


def hidden_from(house: House, key: str) -> Hidden:
    """Everything of the other enterprises that `key` does not see."""
    tenant = house.cast.ids[key]
    owner = create_engine(house.server.admin.set(database=house.database), poolclass=NullPool)
    app = create_engine(house.config.url("app"), poolclass=NullPool)
    ids: dict[str, list[UUID]] = {}
    everyone: set[str] = set()
    seen: set[str] = set()
    foreign_words: set[str] = set()
    with owner.connect() as theirs, app.connect() as mine:
        mine.execute(text("SELECT set_config('ts.tenant', :id, false)"), {"id": str(tenant)})
        for table in Model.metadata.sorted_tables:
            if (table.schema or "").startswith("plugin_") and not _there(theirs, table.fullname):
                continue
            all_rows = [dict(row) for row in theirs.execute(select(*_readable(table)).select_from(table)).mappings()]
            own = _own(mine, theirs, table, tenant, all_rows)
            keys = {_key(table, row) for row in own}
            for row in all_rows:
                if _key(table, row) in keys:
                    seen |= set(_words(row))
                    seen |= {str(value) for value in row.values() if isinstance(value, UUID)}
                else:
                    foreign_words |= set(_words(row))
                    if isinstance(row.get("id"), UUID):
                        ids.setdefault(table.fullname, []).append(row["id"])
                        everyone.add(str(row["id"]))
    owner.dispose()
    app.dispose()
    words = {word for word in foreign_words - seen if not any(word in own for own in seen)}
    unseen = {table: kept for table, found in ids.items() if (kept := [one for one in found if str(one) not in seen])}
    return Hidden(unseen, frozenset(words), frozenset(everyone - seen))


def _there(connection: Connection, name: str) -> bool:
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None


def _readable(table: Any) -> list[Any]:
    return [column for column in table.columns if isinstance(column.type, Uuid | String | Text) or column.primary_key]


def _key(table: Any, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[column.name]) for column in table.primary_key.columns)


def _own(mine: Connection, theirs: Connection, table: Any, tenant: UUID, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    model = next(mapper.class_ for mapper in Model.registry.mappers if mapper.local_table is table)
    if model.__access__ != "exempt":
        chosen = list(table.primary_key.columns)
        return [dict(row) for row in mine.execute(select(*chosen).select_from(table)).mappings()]
    if "tenant_id" in table.columns:
        return [row for row in rows if row["tenant_id"] == tenant]
    if "person_id" in table.columns or table.name == "person":
        of_us = select(text("person_id")).select_from(text("auth.membership")).where(text("tenant_id = :tenant"))
        people = set(theirs.execute(of_us, {"tenant": tenant}).scalars())
        return [row for row in rows if row.get("person_id", row.get("id")) in people]
    return rows  # the platform's own words: permissions, roles


def _words(row: dict[str, Any]) -> Iterator[str]:
    """Texts long enough to be nobody else's by chance; no words of the program (`price_list`), bare yes or no, or ids."""
    for value in row.values():
        if (
            isinstance(value, str)
            and (len(value) >= 8 or (len(value) >= 4 and not value.isascii()))
            and not PLAIN.match(value)
        ):
            yield value


def samples(hidden: Hidden, each: int = 1) -> dict[str, list[UUID]]:
    """A few ids of every table, the first and the last rows first."""
    found: dict[str, list[UUID]] = defaultdict(list)
    for table, ids in hidden.ids.items():
        ordered = [one for pair in zip(ids, reversed(ids), strict=True) for one in pair]
        found[table] = list(dict.fromkeys(ordered))[:each]
    return dict(found)

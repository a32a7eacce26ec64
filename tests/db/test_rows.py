"""Rows come as PostgreSQL holds them; what psycopg cannot read that way would come as bare bytes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from psycopg.pq import Format
from sqlalchemy import text

TYPES = """
SELECT CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END::bigint AS oid, format('%s.%s', c.relname, a.attname) AS place
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v')
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type y ON y.oid = a.atttypid
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND y.oid <> 'tsvector'::regtype  -- searched by, never read
   AND (n.nspname IN ('ts', 'auth', 'jobs') OR n.nspname LIKE 'plugin\\_%')
UNION
SELECT t.oid::bigint, p.proname
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 CROSS JOIN unnest(coalesce(p.proallargtypes, ARRAY[p.prorettype])) AS t(oid)
 WHERE p.prokind = 'f' AND n.nspname IN ('ts', 'auth', 'jobs')
   AND (SELECT y.typtype FROM pg_type y WHERE y.oid = t.oid) = 'b'
"""


def test_every_column_and_answer_of_the_schema_can_be_read_as_it_is_held(ctx):
    known = ctx.session.connection().connection.driver_connection.adapters
    rows = ctx.session.execute(text(TYPES)).all()
    assert len(rows) > 100
    assert [row.place for row in rows if known.get_loader(row.oid, Format.BINARY) is None] == []


def test_values_keep_their_type_and_their_digits(ctx):
    moment = datetime(2026, 11, 23, 8, 30, 0, 250, tzinfo=UTC)
    given = {
        "number": Decimal("1234567890.120000"),
        "small": Decimal("-0.000001"),
        "at": moment,
        "day": date(2026, 11, 23),
        "id": UUID(int=7),
        "words": ["螺纹钢", "𠮷"],
        "gap": timedelta(days=2, seconds=1),
        "digest": b"\x00\xff",
        "nothing": None,
    }
    casts = ("numeric", "numeric", "timestamptz", "date", "uuid", "text[]", "interval", "bytea", "text")
    asked = ", ".join(f"CAST(:{name} AS {cast}) AS {name}" for name, cast in zip(given, casts, strict=True))
    row = ctx.session.execute(text(f"SELECT {asked}"), given).mappings().one()
    assert dict(row) == given
    assert [str(row[name]) for name in ("number", "small")] == ["1234567890.120000", "-0.000001"]
    assert row["at"].utcoffset() == timedelta(0)
    assert ctx.session.scalar(text("SELECT '{\"total\": \"1.10\"}'::jsonb")) == {"total": "1.10"}

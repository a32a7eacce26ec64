"""What lists and pages read stays the same however much there is: few statements, and no more rows than are shown."""

from typing import Any

import pytest

from core.db import count_statements
from core.sync import reading
from tests.sync.test_sync_pages import app, signed_in, texts  # noqa: F401

DOCUMENTS = """
    INSERT INTO ts.sync_document (id, tenant_id, connection_id, kind, object_id, intent, version, idem_key, reference,
                                  partner, total, body, state, cause, cause_text, exchanges, created_at, changed_at)
    SELECT gen_random_uuid(), c.tenant_id, c.id, 'sales_order', gen_random_uuid(), 'create', 1, 'k' || n, 'SO-' || n, 'P',
           100, '{{"partner_id": "P"}}', {state}, 'kingdee.refused', 'no ' || n / 3,
           jsonb_build_array(jsonb_build_object('operation', 'Save', 'url', 'u', 'request', 'of ' || n, 'status', 200,
                                                'response', '', 'milliseconds', 3)),
           now() - n * interval '1 hour', now() - n * interval '1 hour'
    FROM ts.erp_connection c, generate_series(1, {count}) n WHERE c.name = '{name}'
"""


def seed(house: Any, count: int, state: str = "'failed'", name: str = "金蝶云·星空") -> None:
    house.sql(DOCUMENTS.format(count=count, state=state, name=name))


@pytest.mark.parametrize("count", [3, 200])
def test_failures_take_two_statements_however_many_causes_there_are(house: Any, count: int) -> None:
    seed(house, count)
    with house.app.system(house.seller, "test") as ctx, count_statements() as seen:
        found = reading.causes(ctx, house.connection_id, shown=2)
    assert len(seen) == 2
    assert len(found) == min(count // 3 + 1, reading.MOST_CAUSES)
    assert [each.count for each in found] == sorted((each.count for each in found), reverse=True)
    for each in found:
        newest = each.documents[0]
        assert len(each.documents) == min(each.count, 2)
        assert each.last_at == newest.at and each.first_at <= each.documents[-1].at
        assert each.newest.id == newest.id
        assert each.newest.exchanges[0]["request"] == f"of {newest.reference.removeprefix('SO-')}"


def test_the_page_of_a_connection_does_not_grow_with_its_failures(house: Any, signed_in: Any) -> None:  # noqa: F811
    seed(house, 60)
    browser = signed_in("it")
    few = len(texts(browser, f"/connections/{house.connection_id}"))
    house.sql("DELETE FROM ts.sync_document")
    seed(house, 900)
    assert len(texts(browser, f"/connections/{house.connection_id}")) < few * 1.7


def test_each_connection_is_told_by_its_own_figures(house: Any) -> None:
    house.connect("另一套")
    seed(house, 10, "(ARRAY['done', 'failed', 'held', 'new', 'unknown'])[mod(n, 5) + 1]")
    seed(house, 30, "'done'", "另一套")  # by the hour: 23 of the last day
    house.sql(
        "INSERT INTO ts.sync_run (id, tenant_id, connection_id, stream, trigger, started_at, stored)"
        " SELECT gen_random_uuid(), tenant_id, id, 'stock', 'schedule', now() - n * interval '10 hours', 7"
        " FROM ts.erp_connection, generate_series(1, 3) n WHERE name = '另一套'"
    )
    with house.app.system(house.seller, "test") as ctx, count_statements() as seen:
        found = {each.name: each for each in reading.standings(ctx)}
    assert len(seen) == 1
    told = {name: (each.waiting, each.stuck, each.out_today, each.in_today) for name, each in found.items()}
    assert told == {"金蝶云·星空": (4, 4, 2, 0), "另一套": (0, 0, 23, 14)}

"""Whatever is posted to the mapping of a connection is kept, refused with its place, or not found; it never breaks."""

from typing import Any

import pytest

FORMS: list[dict[str, Any]] = [
    {},
    {"seen": "x"},
    {"seen": "9" * 30, "tables.units": "a\tb"},
    {"tables.units": "a\x00\tb"},
    {"tables.units": "\ud7ff\tb" * 3, "tables." + "x" * 300: "a\tb"},
    {"tables.": "a\tb", "tables.__proto__": "a\tb"},
    {"new_name": "../x", "new_rows": "a\tb", "note": "n\x00"},
    {"out.sales_order.0.target": "A" * 500, "out.sales_order.0.value": "(" * 500, "act": "order", "sample": "x"},
    {"out.sales_order.0.target": "A.B[].C", "out.sales_order.0.value": "1", "out.sales_order.0.type": "\x00", "act": "run"},
    {"out.sales_order.0.target": "A\x00B", "out.sales_order.0.value": "1", "out.sales_order.0.type": "text", "act": "save"},
    {"in.products.0.field": "name", "in.products.0.value": "row" + "['a']" * 80, "act": "stream:../products"},
    {"in.products.0.field": "lines", "in.products.0.value": "row", "act": "stream:"},
    {"rows.units": "a\tb", "rows." + "y" * 90: "a\tb"},
    {"rows.units": "\t" * 100},
    {"act": "nothing:at:all"},
]  # fmt: skip
BODIES: list[Any] = [
    {"document": {}},
    {"document": {"tables": {"units": {"a": {"b": "c"}}}}},
    {"document": {"out": {"sales_order": [{"target": ["A"], "value": {"x": 1}}]}}},
    {"document": {"out": {"sales_order": [{"target": "A\x00", "value": "1", "default": "\x00"}]}}},
    {"document": {"out": [], "in": None, "tables": "x"}},
    {"document": {"in": {"products": [{"field": "name", "value": "1" * 501}]}}},
    {"document": {"tables": {"t" * 41: {}, "": {}, "A": {}}}},
    {"file": {"format": True}},
    {"no": 2**31 - 1},
    {"table": "units", "rows": "a"},
    {"stream": "\x00"},
    {"count": 51},
    {"document_id": "00000000-0000-0000-0000-000000000000", "document": {"out": 1}},
]


@pytest.mark.parametrize("path", ["", "/out", "/in", "/unmapped", "/file", "/versions/7/undo"])
def test_no_form_breaks_a_page(house: Any, signed_in: Any, post: Any, path: str) -> None:
    it, here = signed_in("it"), f"/connections/{house.connection_id}/mapping"
    for fields in FORMS:
        answer = post(it, here, here + path, **fields)
        assert answer.status_code in (200, 303, 400, 404, 422), (path, fields, answer.status_code)


@pytest.mark.parametrize("query", ["?older=x&newer=-1", "?older=9999999999&newer=1", "?older=5&newer=6", "?older=0&newer=0"])
def test_no_address_breaks_the_versions(house: Any, signed_in: Any, query: str) -> None:
    it, here = signed_in("it"), f"/connections/{house.connection_id}/mapping"
    assert it.get(f"{here}/versions{query}").status_code in (200, 404)
    assert it.get(f"{here}/file?no=99").status_code == 404
    assert it.get(f"{here}/versions/99/undo").status_code == 404


def test_no_body_breaks_the_api(house: Any, app: Any) -> None:
    from core import identity

    with house.app.system(house.seller, "test") as ctx:
        maker = identity.add_person(ctx, name="Key", email="k@acme.example", password="seven horses run", roles=("it",))
        scopes = ["connection.view", "connection.edit", "connection.replay"]
        key = identity.create_api_key(ctx, "it", scopes, created_by=getattr(maker, "id", maker)).token
    client, root = app.test_client(), f"/api/v1/connections/{house.connection_id}/mapping"
    for method, path in (
        ("PUT", ""), ("POST", "/undo"), ("POST", "/file"), ("POST", "/fix"), ("POST", "/preview/out"), ("POST", "/preview/in"),
        ("POST", "/dry-run"),
    ):  # fmt: skip
        for body in BODIES:
            told = {"Authorization": f"Bearer {key}", "If-Match": '"0"'}
            answer = client.open(root + path, method=method, json=body, headers=told)
            assert answer.status_code in (200, 404, 409, 412, 422), (path, body, answer.data[:300])

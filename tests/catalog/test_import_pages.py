"""A file brought in the portal and over JSON: taken at once, read by the worker, watched, stopped, read back."""

import base64
import io
from typing import Any
from uuid import UUID

from core import work
from core.db import Unit
from tests.catalog.portal import csrf_of
from tests.conftest import OTHER, TENANT

FILE = "编码,名称,单位\nF-1,甲,pcs\nF-2,乙,stone\n".encode("gb18030")


def bring(seller: Any, content: bytes = FILE, charset: str = "gb18030", name: str = "goods.csv") -> Any:
    token = csrf_of(seller, "/products/import")
    data = {"_csrf": token, "charset": charset, "file": (io.BytesIO(content), name)}
    return seller.post("/products/import", data=data, content_type="multipart/form-data")


def test_a_file_is_taken_at_once_and_read_by_the_worker(
    signed_in: Any, worker: Unit, goods: dict[str, UUID]
) -> None:
    seller = signed_in(TENANT, "admin")
    done = bring(seller)
    assert done.status_code == 303
    address = done.headers["Location"]
    waiting = seller.get(address).get_data(as_text=True)
    assert "Waiting for its turn" in waiting and 'hx-trigger="every 2s"' in waiting
    assert '<meta http-equiv="refresh"' in waiting, "without scripts the page renews itself"
    assert work.work(worker) == 1
    text = seller.get(address).get_data(as_text=True)
    assert "The unit stone is not known" in text and "hx-trigger=" not in text.partition("<main")[2]
    assert "http-equiv" not in text
    assert seller.get(address + "/file").get_data() == FILE
    refused = seller.get(address + "/refused.csv")
    assert refused.mimetype == "text/csv" and "F-2" in refused.get_data(as_text=True)
    assert "F-1" in seller.get("/products/export.csv").get_data(as_text=True)
    assert "goods.csv" in seller.get("/products/import").get_data(as_text=True)


def test_a_file_that_cannot_be_read_is_refused_at_once(signed_in: Any, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    refused = bring(seller, charset="utf-8")
    assert refused.status_code == 422 and "GB18030" in refused.get_data(as_text=True)
    assert bring(seller, b"", "utf-8").status_code == 422
    assert bring(seller, b"%PDF-1.4 code,name_zh\n", "utf-8").status_code == 422
    token = csrf_of(seller, "/products/import")
    assert seller.post("/products/import", data={"_csrf": token}).status_code == 422


def test_a_waiting_import_is_stopped_after_a_question(
    signed_in: Any, worker: Unit, goods: dict[str, UUID]
) -> None:
    seller = signed_in(TENANT, "admin")
    address = bring(seller).headers["Location"]
    asked = seller.get(f"{address}/cancel").get_data(as_text=True)
    assert "Stop importing goods.csv?" in asked
    token = csrf_of(seller, address)
    assert seller.post(f"{address}/cancel", data={"_csrf": token}).status_code == 303
    text = seller.get(address).get_data(as_text=True)
    assert "Cancelled" in text and "Import stopped" in text
    assert work.work(worker) == 0
    again = seller.post(f"{address}/cancel", data={"_csrf": token})
    assert again.status_code == 303
    assert "cannot be stopped" in seller.get(address).get_data(as_text=True)


def test_a_name_without_an_ending_is_kept_as_a_csv_file(signed_in: Any, goods: dict[str, UUID]) -> None:
    seller = signed_in(TENANT, "admin")
    address = bring(seller, name="..\\goods").headers["Location"]
    assert "goods.csv" in seller.get(address).get_data(as_text=True)


def test_the_api_takes_watches_and_stops_an_import(call: Any, worker: Unit) -> None:
    body = {"content": base64.b64encode(FILE).decode(), "charset": "gb18030", "file_name": "f.csv"}
    taken = call("POST", "/imports", body)
    assert (taken.status_code, taken.get_json()["state"]) == (202, "queued")
    address = taken.headers["Location"].removeprefix("/api/v1")
    assert call("GET", address).get_json()["issues"] == []
    work.work(worker)
    found = call("GET", address).get_json()
    assert {name: found["run"][name] for name in ("state", "rows", "done", "added", "refused")} == {
        "state": "done", "rows": 2, "done": 2, "added": 1, "refused": 1,
    }  # fmt: skip
    assert found["issues"] == [
        {"row_no": 3, "field": "base_uom", "code": "uom.unknown", "detail": {"uom": "stone"}}
    ]
    assert "stone" in call("GET", f"{address}/refused").get_data(as_text=True)
    over = call("POST", f"{address}/cancel")
    assert (over.status_code, over.get_json()["code"]) == (409, "work.over")
    second = call("POST", "/imports", body).headers["Location"].removeprefix("/api/v1")
    assert call("POST", f"{second}/cancel").get_json()["state"] == "cancelled"
    assert [each["state"] for each in call("GET", "/imports").get_json()] == ["cancelled", "done"]
    assert call("POST", "/imports", {"content": "not base64!"}).status_code == 422
    assert call("POST", "/imports", {"content": "bm9uc2Vuc2U="}).status_code == 422
    for path in ("", "/refused"):
        assert call("GET", f"/imports/{UUID(int=1)}{path}").status_code == 404
    assert call("POST", f"/imports/{UUID(int=1)}/cancel").status_code == 404


def test_another_enterprise_finds_no_import(signed_in: Any, goods: dict[str, UUID]) -> None:
    address = bring(signed_in(TENANT, "admin")).headers["Location"]
    stranger = signed_in(OTHER, "admin")
    for path in ("", "/file", "/refused.csv", "/cancel"):
        assert stranger.get(address + path).status_code == 404

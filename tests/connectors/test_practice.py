"""Practice servers: every common trouble as a caller on a real socket sees it, and the page it is steered by."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from tongshang.simulate import COMMON, Broken, Call, Fault, NoSuchAct, Practice, Reply, main

ROOT = Path(__file__).parents[2]


class Shop(Practice):
    """A server that takes notes."""

    title: ClassVar[str] = "Shop <1>"
    modes: ClassVar[dict[str, str]] = {"closed": "answers that it is closed", "seen": "only watches"}
    acts: ClassVar[dict[str, tuple[str, ...]]] = {"note": ("text",)}

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        self.notes: list[str] = []

    def name_of(self, call: Call) -> tuple[str, str, str]:
        body = call.json() if call.body else {}
        return call.method.title(), call.path.strip("/"), str(body.get("number", ""))

    def answer(self, call: Call) -> Reply:
        if call.path == "/cut":
            raise Broken
        if call.path == "/mistake":
            raise RuntimeError("a mistake of ours")
        if call.path == "/gone":
            return Reply(status=204)
        if call.method != "GET":
            self.notes.append(call.body.decode())
        said = json.dumps({"notes": self.notes, "query": call.query}, ensure_ascii=False)
        return Reply(said.encode(), headers={"Set-Cookie": ("a=1", "b=2"), "X-Kind": "shop"})

    def misbehave(self, fault: Fault, call: Call) -> Reply | None:
        return Reply(b"closed", 503) if fault.mode == "closed" else None

    def state(self) -> dict[str, object]:
        rows = [{"text": note, "weight": Decimal("1.50")} for note in self.notes]
        return {"notes": rows, "count": {"all": len(rows)}, "open": True}

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what != "note":
            raise NoSuchAct(what)
        self.notes.append(given["text"])
        return {"count": len(self.notes)}

    def logins(self) -> dict[str, object]:
        return {"user": "demo"}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as practice:
        yield practice


def post(shop: Shop, number: str = "1", timeout: float = 5) -> requests.Response:
    return requests.post(f"{shop.url}/orders", json={"number": number}, timeout=timeout)


def test_an_answer_comes_whole_with_its_headers(shop):
    answer = requests.get(f"{shop.url}/orders?$top=2&empty=&$top=3", timeout=5)
    assert answer.json() == {"notes": [], "query": {"$top": "3", "empty": ""}}
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
    assert (answer.headers["X-Kind"], answer.headers["Server"]) == ("shop", "practice")
    gone = requests.delete(f"{shop.url}/gone", timeout=5)
    assert (gone.status_code, gone.content, "Content-Type" in gone.headers) == (204, b"", False)


@pytest.mark.parametrize(
    ("mode", "done"),
    [("drop_before", 0), ("drop_after", 1), ("timeout_before", 0), ("timeout_after", 1)],
)
def test_a_connection_ends_without_an_answer(shop, mode, done):
    shop.faults.set([{"mode": mode, "times": 1, "seconds": 0.1}])
    with pytest.raises(requests.ConnectionError):
        post(shop)
    assert len(shop.notes) == done
    assert post(shop).status_code == 200
    assert [(one.status, one.fault) for one in shop.calls.last] == [(0, mode), (200, "")]
    assert shop.calls == {"Post orders": done + 1}


@pytest.mark.parametrize(("mode", "done"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_patient_server_outlasts_its_caller(shop, mode, done):
    shop.faults.set([{"mode": mode, "times": 1, "seconds": 30}])
    with pytest.raises(requests.Timeout):
        post(shop, timeout=0.2)
    assert len(shop.notes) == done


def test_the_call_is_done_and_something_in_between_answers(shop):
    shop.faults.set([{"mode": "status_500_after", "times": 1}])
    assert post(shop).status_code == 502
    shop.faults.set([{"mode": "html_200", "times": 1}])
    page = post(shop)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<form" in page.text and len(shop.notes) == 2


def test_a_login_page_may_stand_for_a_call_that_was_not_done(shop):
    shop.faults.set([{"mode": "html_200", "times": 1, "commit": False}])
    assert "<form" in post(shop).text
    assert shop.notes == []


def test_an_answer_that_lies_about_its_charset(shop):
    shop.faults.set([{"mode": "bad_charset", "times": 1}])
    answer = post(shop)
    assert "utf-8" in answer.headers["Content-Type"]
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("utf-8")
    assert answer.content.decode("gb18030").startswith("返回：")
    assert len(shop.notes) == 1


def test_an_answer_that_breaks_off(shop):
    shop.faults.set([{"mode": "cut_body", "times": 1}])
    with pytest.raises(ValueError, match="Unterminated|Expecting|Extra"):
        post(shop).json()
    assert len(shop.notes) == 1


def test_a_slow_answer_is_right(shop):
    shop.faults.set([{"mode": "slow", "times": 1, "seconds": 0.2}])
    began = time.monotonic()
    assert post(shop).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_nobody_listens_for_a_while_and_kept_connections_end_too(shop):
    with requests.Session() as kept:
        kept.get(shop.url, timeout=5)
        shop.faults.set([{"match": "Post", "mode": "refuse", "times": 1, "seconds": 0.4}])
        with pytest.raises(requests.ConnectionError):
            post(shop)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):  # cut before or in its answer
            kept.get(shop.url, timeout=5)
        time.sleep(0.6)
        assert kept.get(shop.url, timeout=5).status_code == 200


def test_a_mode_of_its_own_answers_or_goes_on(shop):
    shop.faults.set([{"mode": "closed", "times": 1}, {"mode": "seen"}])
    assert [post(shop).status_code for _ in range(2)] == [503, 200]
    assert [one.fault for one in shop.calls.last] == ["closed", "seen"]


def test_a_server_may_cut_by_itself_and_its_own_mistake_is_seen(shop, capfd):
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{shop.url}/cut", timeout=5)
    answer = requests.get(f"{shop.url}/mistake", timeout=5)
    assert (answer.status_code, "a mistake of ours" in answer.text) == (500, True)
    assert "a mistake of ours" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ("post", True),
        ("Get", False),
        ({"operation": "Post", "kind": "orders", "number": "7"}, True),
        ({"service": "Post", "form": "orders"}, True),
        ({"number": "8"}, False),
        ({"kind": "prices"}, False),
    ],
)
def test_a_fault_falls_on_the_calls_it_names(shop, match, hit):
    shop.faults.set([{"match": match, "mode": "closed"}])
    assert post(shop, "7").status_code == (503 if hit else 200)


def test_trouble_repeats_from_its_seed():
    def run(seed: int) -> list[int]:
        with Shop(seed=seed) as shop:
            shop.faults.set([{"mode": "closed", "probability": 0.5}])
            return [post(shop).status_code for _ in range(16)]

    assert run(3) == run(3) != run(4)


def test_a_body_may_come_in_chunks(shop):
    requests.post(f"{shop.url}/orders", data=iter([b'{"number":', b'"9"}']), timeout=5).raise_for_status()
    assert shop.notes == ['{"number":"9"}']


# -- the page


def test_the_page_shows_what_happened_and_sets_trouble_without_script(shop):
    post(shop, "<b>")
    form = {"mode": "closed", "operation": "Post", "times": "1", "probability": "1", "seconds": "1"}
    page = requests.post(f"{shop.admin}/faults", data=form, timeout=5)
    assert page.url == shop.admin and page.status_code == 200
    assert "<script" not in page.text and "&lt;b&gt;" in page.text and "<b>" not in page.text.split("Acts")[0]
    assert "Shop &lt;1&gt;" in page.text and "closed" in page.text
    for mode in COMMON:
        assert f"value='{mode}'" in page.text
    assert post(shop).status_code == 503
    requests.post(f"{shop.admin}/faults", data={"mode": "slow", "seconds": "0"}, timeout=5)
    assert [one["mode"] for one in shop.faults.as_json()] == ["closed", "slow"]
    requests.post(f"{shop.admin}/faults", data={"clear": "1"}, timeout=5)
    assert shop.faults.as_json() == []
    requests.post(f"{shop.admin}/note", data={"text": "by hand"}, timeout=5)
    assert shop.notes[-1] == "by hand"


def test_the_same_as_json(shop):
    post(shop, "4")
    json_only = {"Accept": "application/json"}
    seen = requests.get(shop.admin, headers=json_only, timeout=5)
    told = json.loads(seen.text, parse_float=Decimal)
    assert told["state"]["notes"] == [{"text": '{"number": "4"}', "weight": Decimal("1.50")}]
    assert told["calls"] == {"Post orders": 1}
    assert {**told["last"][0], "milliseconds": 0} == {
        "operation": "Post",
        "kind": "orders",
        "number": "4",
        "status": 200,
        "milliseconds": 0,
        "fault": "",
    }
    assert (told["title"], told["logins"], set(COMMON) < set(told["modes"])) == (
        "Shop <1>",
        {"user": "demo"},
        True,
    )
    assert requests.get(f"{shop.admin}/state", timeout=5).json()["count"] == {"all": 1}
    assert requests.post(f"{shop.admin}/note", json={"text": "x"}, timeout=5).json() == {"count": 2}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", [{"mode": "explode"}], 400),
        ("POST", "faults", [{"mode": "slow", "match": {"colour": "red"}}], 400),
        ("POST", "faults", [{"mode": "slow", "probability": 2}], 400),
        ("POST", "note", {}, 400),
        ("POST", "dance", {}, 404),
        ("GET", "dance", None, 404),
        ("DELETE", "note", None, 404),
    ],
)
def test_what_cannot_be_done_is_said(shop, method, path, body, status):
    shop.faults.set([{"mode": "slow", "seconds": 0}])
    assert requests.request(method, f"{shop.admin}/{path}", json=body, timeout=5).status_code == status
    assert [one["mode"] for one in shop.faults.as_json()] == ["slow"]


def test_json_that_says_it_is_a_form_is_taken_for_what_it_is(shop):
    """As `curl -d` sends it when nobody names a content type."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b'[{"match": "Post", "mode": "slow", "seconds": 0}]'
    answer = requests.post(f"{shop.admin}/faults", data=body, headers=form, timeout=5)
    assert answer.json()["faults"][0]["match"] == {"operation": "Post"}


def test_only_the_last_calls_are_kept_and_never_the_page_itself(shop):
    for number in range(60):
        post(shop, str(number))
    requests.get(shop.admin, timeout=5)
    assert [one.number for one in shop.calls.last] == [str(number) for number in range(10, 60)]


# -- as a process

PROGRAM = """
import sys
from tests.connectors.test_practice import Shop, main
sys.exit(main(Shop))
"""


def test_it_runs_by_itself_until_told_to_leave():
    command = [sys.executable, "-c", PROGRAM, "--fault", "closed:1", "--seed", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["user"] == "demo"
        assert requests.get(ready["url"], timeout=5).status_code == 503
        os.kill(process.pid, signal.SIGTERM)
    assert process.returncode == 0


def test_a_taken_port_and_an_unknown_fault_are_said_plainly(shop, capsys):
    assert main(Shop, ["--port", str(shop.port)]) == 1
    assert "try another --port" in capsys.readouterr().err
    assert main(Shop, ["--fault", "explode"]) == 2
    assert "unknown mode" in capsys.readouterr().err


def test_only_the_standard_library_is_needed():
    bad = set()
    for file in (ROOT / "tongshang/simulate").glob("*.py"):
        for line in file.read_text("utf-8").splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                top = words[1].partition(".")[0]
                if top not in sys.stdlib_module_names and not words[1].startswith("tongshang.simulate"):
                    bad.add((file.name, line))
    assert bad == set()

"""How a call can end before there is an answer: each end by its remedy, each in the trace, and no secret there."""

from functools import partial

import pytest
import requests

from core.sync.calling import SHOWN, Asked, call, perhaps
from core.sync.outbound import OutboundRule, session
from core.sync.outcome import Exchange, FixSettings, RetryLater, SyncError, Uncertain
from tongshang.simulate import Call, Practice, Reply

SECRET = "s3cr3t"


class Ledger(Practice):
    """Answers what it was sent."""

    title = "Ledger"

    def name_of(self, call: Call) -> tuple[str, str, str]:
        return "Post", "", ""

    def answer(self, call: Call) -> Reply:
        return Reply(call.body, 418)


@pytest.fixture
def ledger():
    with Ledger() as server:
        yield server


def ended(url: str, rules: str, *, write: bool = True, **sent) -> tuple[SyncError | int, Exchange]:
    """How one call ended: its status, or the error it raised; and the trace of it."""
    seen: list[Exchange] = []
    asked = Asked("Post", f"{url}/?key={SECRET}", f"say {SECRET}", lambda text: text.replace(SECRET, "•"))
    with session([OutboundRule.parse(rules)] if rules else []) as http:
        send = partial(http.post, f"{url}/", timeout=(1, 0.5), **{"data": b"say", **sent})
        try:
            how: SyncError | int = call(send, asked, seen.append, perhaps(write)).status_code
        except SyncError as error:
            how = error
    (exchange,) = seen
    assert SECRET not in f"{exchange.url} {exchange.request} {exchange.response}"
    return how, exchange


def test_an_answer_is_an_answer_whatever_its_status(ledger):
    how, seen = ended(ledger.url, f"127.0.0.1:{ledger.port}", data=f"told {SECRET}")
    assert (how, seen.status, seen.request, seen.response) == (418, 418, "say •", "told •")


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("mode, code", [("drop_after", "http.broken_off"), ("timeout_after", "http.timeout")])
def test_after_it_was_sent_nobody_knows_of_a_write_and_a_read_is_made_again(ledger, mode, code, write):
    ledger.faults.set([{"match": "Post", "mode": mode, "times": 1, "seconds": 1}])
    how, seen = ended(ledger.url, f"127.0.0.1:{ledger.port}", write=write)
    assert type(how) is (Uncertain if write else RetryLater)
    assert how.code == code and seen.status is None and seen.response


def test_what_certainly_was_not_sent_is_tried_later_or_mended_by_a_person(ledger):
    blocked, _ = ended(ledger.url, "")
    assert type(blocked) is FixSettings and blocked.code == "outbound.blocked"
    port = ledger.port
    ledger.stop()
    silent, seen = ended(f"http://127.0.0.1:{port}", f"127.0.0.1:{port}")
    assert type(silent) is RetryLater and silent.code == "unreachable.tcp" and seen.status is None
    header, _ = ended(f"http://127.0.0.1:{port}", f"127.0.0.1:{port}", headers={"X-Own": "a\r\nb: c"})
    assert type(header) is FixSettings and header.code == "http.header"


def test_a_long_text_is_cut_and_no_half_of_a_secret_is_left():
    seen: list[Exchange] = []
    long = "x" * (SHOWN - 3) + SECRET
    asked = Asked("Post", "http://h", long, lambda text: text.replace(SECRET, "•"))
    answer = requests.Response()
    answer.status_code, answer._content = 200, long.encode()
    assert call(lambda: answer, asked, seen.append, Uncertain) is answer
    assert seen[0].request == seen[0].response == "x" * (SHOWN - 3) + "•"

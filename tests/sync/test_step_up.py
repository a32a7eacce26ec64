"""Whoever may edit connections and has no second factor at hand moves no secret: not by an address, a host key or a secret."""

from collections.abc import Callable
from typing import Any

import pytest

from core.kernel import Actor, Context, Forbidden, Invalid
from core.sync import ErpConnection, NewConnection, Setting, change_connection, connect
from core.sync.inbox import renew_token
from core.sync.secrets import access_of
from core.sync.transport import Transport, set_transport
from tests.sync.test_pushes import Talker

HERE, TOKENS, KEY = "https://erp.example.com/api", "https://login.example.com/token", "SHA256:" + "A" * 43
SETTINGS = {"token_url": TOKENS, "fingerprint": KEY, "warehouse": "W1", "words": "pcs=Pcs\nt=T"}


class Guarded(Talker):
    settings = (
        Setting("secret", "Secret", "secret", required=True),
        Setting("token_url", "Where tokens are made"),
        Setting("fingerprint", "Fingerprint of the host key"),
        Setting("warehouse", "Warehouse"),
        Setting("words", "Words", "pairs"),
    )


@pytest.fixture
def wired(make_ctx: Callable[..., Context]) -> tuple[Context, ErpConnection]:
    """A connection, and a person who may edit it and showed no second factor."""
    ctx = make_ctx()
    row = connect(ctx, Guarded(), NewConnection("仓库", HERE, "", {"secret": "s3cr3t", **SETTINGS}))
    ctx.everything, ctx.grants = False, {"connection.edit": None}
    ctx.actor = Actor("person", row.id, "陈工", person_id=row.id)
    return ctx, row


def change(wired: tuple[Context, ErpConnection], url: str = HERE, **more: str) -> ErpConnection:
    ctx, row = wired
    return change_connection(ctx, Guarded(), row.id, row.version, NewConnection("仓库", url, "", {**SETTINGS, **more}))


@pytest.mark.parametrize(
    "more",
    [
        {"url": "https://erp.example.net/api"},
        {"url": "http://erp.example.com/api"},
        {"url": "https://erp.example.com:8443/api"},
        {"token_url": "https://login.example.net/token"},
        {"token_url": "HTTPS://login.example.net/token"},
        {"token_url": "  https://login.example.net/token"},
        {"token_url": ""},
        {"fingerprint": "SHA256:" + "B" * 43},
        {"fingerprint": f"{KEY}, SHA256:" + "B" * 43},
        {"secret": "another"},
        {"secret": "s3cr3t"},
        {"warehouse": "https://elsewhere.example.net/"},
        {"words": "https://elsewhere.example.net/\nb=c"},
    ],
)
def test_what_says_where_or_to_whom_secrets_go_asks_for_the_second_factor(wired: Any, more: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match="step_up"):
        change(wired, **more)
    assert (wired[1].base_url, wired[1].settings["token_url"], wired[1].version) == (HERE, TOKENS, 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda ctx, row: renew_token(ctx, Guarded(), row.id),
        lambda ctx, row: set_transport(ctx, row.id, 1, Transport()),
    ],
    ids=["push token", "transport"],
)
def test_so_do_the_token_of_calls_and_the_way(wired: Any, act: Callable[..., Any]) -> None:
    with pytest.raises(Forbidden, match="step_up"):
        act(*wired)


def test_the_rest_changes_without_it_and_keeps_the_secrets(wired: Any) -> None:
    row = change(wired, warehouse="W2", words="pcs=PCE\nt=TNE")
    assert (row.settings["warehouse"], access_of(row).secrets) == ("W2", {"secret": "s3cr3t"})


@pytest.mark.parametrize("between", ["\n", "\r", "\r\n", "\t\n"])
@pytest.mark.parametrize("key", ["token_url", "warehouse", "fingerprint"])
def test_an_address_is_not_hidden_behind_a_second_line(wired: Any, key: str, between: str) -> None:
    """Readers of addresses pass over the ends of lines, so a setting of two lines could lead elsewhere unseen."""
    ctx, row = wired
    ctx.everything = True  # the second factor was shown, and more
    with pytest.raises(Invalid) as refused:
        change(wired, **{key: f"https://login.example.net/to{between}ken", "secret": "s3cr3t"})
    assert [(each.path, each.code) for each in refused.value.errors] == [(key, "connection.text")]


def test_without_the_second_factor_that_address_is_not_even_looked_at(wired: Any) -> None:
    with pytest.raises(Forbidden, match="step_up"):
        change(wired, token_url="https://login.example.net/to\nken")


def test_another_address_leaves_the_secrets_behind(wired: Any) -> None:
    ctx, row = wired
    ctx.everything = True
    with pytest.raises(Invalid) as refused:
        change(wired, token_url="https://login.example.net/token")
    assert [each.path for each in refused.value.errors] == ["secret"]
    moved = change(wired, token_url="https://login.example.net/token", secret="new")
    assert access_of(moved).secrets == {"secret": "new"}


@pytest.mark.parametrize(
    ("setting", "leads"),
    [
        (Setting("fingerprint", "Fingerprint of the host key"), True),
        (Setting("token_url", "Where tokens are made"), True),
        (Setting("secret", "Secret", "secret"), True),
        (Setting("warehouse", "Warehouse"), False),
    ],
)
def test_the_form_asks_for_it_before_such_a_setting_is_typed(setting: Setting, leads: bool) -> None:
    from core.sync.views.settings import _leads

    assert _leads(setting, {}) == leads

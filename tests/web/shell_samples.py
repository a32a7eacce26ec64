"""A small application that shows every macro once: the bench on which the shell is tested."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, request
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from markupsafe import Markup

import core.web
import templates
from core.kernel import Money, Quantity, Refused
from core.web import formats
from core.web.headers import POLICY
from core.web.i18n import ENGLISH, Words, language, lazy
from core.web.navigation import NavEntry, Navigation
from core.web.page import (
    Blank,
    Company,
    Confirmation,
    Crumb,
    Fragment,
    Reading,
    Shell,
    Shortcut,
    Toast,
    error_page,
    install,
    prefer,
    reader,
    render,
)

WEB = Path(core.web.__file__).parent
SIGN_IN = """
{% extends 'shell/auth.html' %}
{% import 'macros/form.html' as form %}
{% import 'macros/ui.html' as ui %}
{% block title %}{{ _('Sign in') }}{% endblock %}
{% block main %}<h1>{{ _('Sign in') }}</h1>
<form method="post" action="/signin">{{ form.token() }}
{{ form.field('login', 'Email', autocomplete='username') }}{{ form.secret('password', 'Password') }}
{{ ui.button(_('Sign in'), 'pri lg block') }}</form>{% endblock %}
"""
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)

CHINESE_WORDS = [
    "打印", "发起变更", "导出", "取消订单", "安排发货", "处理差异", "第 20 行过磅超差", "订单进度",
    "本月成交额", "较上月", "待处理失败", "逾期应收", "交易条款", "动态", "单号", "订购量", "允差",
    "金额 (元)", "状态", "搜索订单", "品名、牌号、规格", "清除筛选", "没有符合条件的订单",
    "换一个条件，或清除筛选。", "收货信息",
]  # fmt: skip
ENGLISH_WORDS = [
    "Print", "Request a change", "Export", "Cancel order", "Arrange shipment", "Resolve", "Line 20 is over",
    "Order progress", "Deals this month", "than last month", "Failures waiting", "Overdue receivables",
    "Terms", "Activity", "Number", "Ordered", "Tolerance", "Amount (CNY)", "Status", "Search orders",
    "Name, grade, size", "Clear filters", "No orders match", "Try other words, or clear the filters.",
    "Delivery",
]  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """What shell/samples.html shows."""

    words: list[str]
    title: str = "SO-20261118-0042"
    number: str = "SO-20261118-0042"
    subtitle: str = "苏州恒力精密制造有限公司"
    state: str = "待发货"
    tag: str = "现货"
    notice: str = "53.18 / 52.50"
    money: Money = Money(Decimal("48263000"))
    ordered: Quantity = Quantity(Decimal("1842.6"), "t")
    low: Decimal = Decimal("-0.05")
    high: Decimal = Decimal("0.05")
    errors: dict[str, list[str]] = field(
        default_factory=lambda: {"quantity": ["52.50 < 53.18"], "_form": ["1 ≠ 2"]}
    )
    payload: str = '{"FNumber": "HRP-SPHC-3000"}\n' + "x" * 200

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        return [
            (w, "11-18 10:24" if s == "done" else "", s)
            for w, s in zip(self.words, ["done", "done", "now", "next", "next"], strict=False)
        ]

    @property
    def tabs(self) -> list[tuple[str, str, bool, int | None]]:
        return [(w, f"?view={i}", i == 1, (None, 128, 6, 0)[i]) for i, w in enumerate(self.words[12:16])]

    @property
    def facts(self) -> list[tuple[str, Any]]:
        return [*zip(self.words[12:19], self.words, strict=False), (self.words[20], None)]

    @property
    def rows(self) -> list[Any]:
        fine, over = Decimal("0.0155"), Decimal("0.0636")
        kinds = [("coil", fine, "ok"), ("plate", over, "bad"), ("bearing", None, "warn")]
        return [
            SimpleNamespace(
                number=f"SO-20261122-{n:04}",
                icon=icon,
                name=self.words[n],
                at=NOW,
                ordered=Quantity(Decimal("80.00"), "t"),
                ratio=ratio,
                amount=Money(Decimal("277190.88")),
                state=self.words[n],
                tone=tone,
            )
            for n, (icon, ratio, tone) in enumerate(kinds, 1)
        ]

    @property
    def options(self) -> list[tuple[str, str]]:
        return [("a", self.words[1]), ("b", self.words[2])]

    @property
    def ways(self) -> list[tuple[str, str, str]]:
        return [("net", self.words[1], self.notice), ("cap", self.words[2], "")]

    @property
    def events(self) -> list[Any]:
        return [
            SimpleNamespace(
                icon="scale",
                tone="bad",
                who=self.words[1],
                what=self.words[2],
                when=NOW,
                source="WMS",
                quote=None,
            ),
            SimpleNamespace(
                icon="cmt", tone="", who=self.words[3], what=self.words[4], when="11-18", source="", quote="…"
            ),
        ]

    @property
    def fragments(self) -> list[Fragment]:
        fine = [
            Fragment("qc", f"{self.words[n]} {n}", Markup("<p>268 MPa</p>"), "shield", "qc") for n in range(7)
        ]
        return [Fragment("bad", self.words[8], failed=True, retry_url="#retry"), *fine]

    @property
    def checks(self) -> list[tuple[str, str, str]]:
        return [(self.words[1], "done", ""), (self.words[2], "bad", self.words[3]), (self.words[4], "", "")]

    @property
    def tones(self) -> list[tuple[str, str]]:
        return list(zip(self.words, ("ok", "warn", "bad", "acc", ""), strict=False))

    @property
    def series(self) -> list[int]:
        return [22, 25, 21, 28, 30, 27]

    @property
    def figures(self) -> list[tuple[str, Any]]:
        now, ordered = reader(), Quantity(Decimal("50"), "t")
        return [
            ("money", formats.money(now, Money(Decimal("-12.30")))),
            ("price", formats.unit_price(now, Decimal("3968"), "t")),
            ("tolerance", formats.tolerance(now, ordered, Decimal("0.05"), Decimal("0.05"))),
            ("diff", formats.diff(now, Quantity(Decimal("53.18"), "t"), ordered)),
            ("none", formats.dash(now, None)),
        ]


NAVIGATION = Navigation(
    [
        NavEntry(
            "home", "home", "home", lazy("Tongshang"), count=lambda: 12, order=1, letter="w", bottom=True
        ),
        NavEntry(
            "orders",
            "orders.index",
            "order",
            lazy("Trade"),
            "trade",
            count=lambda: 38,
            letter="o",
            bottom=True,
        ),
        NavEntry("goods", "goods", "box", lazy("Results"), "trade", order=5, letter="p", bottom=True),
        NavEntry(
            "links", "links", "link", lazy("Commands"), "system", "connector.view", count=lambda: 7, hot=True
        ),
        NavEntry("secret", "secret", "lock", lazy("Recent"), "system", "secret.view"),
    ]
)


def make_app(person: bool = True) -> Flask:
    """The shell with invented data; nothing behind it."""
    app = Flask("samples", template_folder=str(templates.FOLDER), static_folder=str(WEB / "static"))

    app.jinja_loader = ChoiceLoader(
        [DictLoader({"signin.html": SIGN_IN}), FileSystemLoader(templates.FOLDER)]
    )

    def shell() -> Shell:
        look = dict(
            menu_url="/menu", keys_url="/keys", preferences_url="/preferences", sign_in_url="/signin", now=NOW
        )
        if not person:
            return Shell(csrf="token", **look)
        return Shell(
            person=Reading("李敏", "limin@hdlg.example"),
            company=Company("1", "华东联钢贸易有限公司"),
            companies=(Company("1", "华东联钢贸易有限公司"), Company("2", "苏南仓储")),
            nav=NAVIGATION.seen_by({"connector.view"}.__contains__, "/{}".format, "/orders.index/42"),
            create=(Shortcut("PO", "#new", "order"),),
            recent=(Shortcut("SO-20261118-0042", "#recent", "order", "SO"),),
            unread=3,
            inbox_url="/inbox",
            toasts=(Toast("2 ✓", undo_url="/undo"), Toast("80 > 50", "bad")),
            csrf="token",
            search_url="/search",
            switch_url="/switch",
            account_url="/account",
            sign_out_url="/signout",
            **look,
        )

    install(app, Words.load([WEB / "words"]), shell)

    @app.get("/samples")
    def samples() -> Response:
        words = ENGLISH_WORDS if language() == ENGLISH else CHINESE_WORDS
        return render(
            "shell/samples.html", Samples(words), crumbs=[Crumb(words[19], "/orders"), Crumb(words[14])]
        )

    @app.get("/signin")
    def signin() -> Response:
        return render("signin.html", Blank())

    @app.get("/menu")
    def menu() -> Response:
        return render("shell/menu.html", Blank())

    @app.get("/keys")
    def keys() -> Response:
        return render("shell/keys.html", Blank())

    @app.get("/ask")
    def ask() -> Response:
        return render(
            "shell/confirm.html", Confirmation("SO-1?", ("80 t",), "/cancel", "OK", "No", "/", danger=True)
        )

    @app.post("/preferences")
    def preferences() -> Response:
        return prefer(request.form.to_dict())

    @app.get("/wrong/<int:status>")
    def wrong(status: int) -> Response:
        return error_page(status, Refused("version.changed"))

    @app.after_request
    def strict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app

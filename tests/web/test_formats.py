"""Figures and dates read as a trader writes them, in both languages, and never come from a float."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from shell_samples import WEB

from core.kernel import Money, Quantity
from core.web import formats
from core.web.formats import Reader
from core.web.i18n import CHINESE, ENGLISH, Words

WORDS = Words.load([WEB / "words"])
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai


def reader(language: str, zone: str = "Asia/Shanghai") -> Reader:
    return Reader(
        language, lambda msgid, **values: WORDS.gettext(language, msgid, **values), NOON, ZoneInfo(zone)
    )


ZH, EN = reader(CHINESE), reader(ENGLISH)


def plain(text: str) -> str:
    """With ordinary spaces, so that the expectations can be read."""
    return str(text).replace("\u202f", " ").replace("\u00a0", " ")


def tonnes(value: str) -> Quantity:
    return Quantity(Decimal(value), "t")


def yuan(value: str) -> Money:
    return Money(Decimal(value))


@pytest.mark.parametrize(
    ("value", "options", "zh", "en"),
    [
        (yuan("211018.24"), {}, "¥ 211,018.24", "¥ 211,018.24"),
        (yuan("-12.3"), {}, "−¥ 12.30", "−¥ 12.30"),
        (yuan("2698.24"), {"signed": True}, "+¥ 2,698.24", "+¥ 2,698.24"),
        (yuan("211018.24"), {"code": True}, "CNY 211,018.24", "CNY 211,018.24"),
        (Money(Decimal("1200"), "JPY"), {"code": True}, "JPY 1,200", "JPY 1,200"),
        (Money(Decimal("99.5"), "USD"), {}, "US$ 99.50", "$ 99.50"),
        (None, {}, "—", "—"),
    ],
)
def test_money_carries_its_sign_two_decimals_and_a_true_minus(value, options, zh, en):
    assert plain(formats.money(ZH, value, **options)) == zh
    assert plain(formats.money(EN, value, **options)) == en


def test_the_gap_between_sign_and_figure_is_thin_and_does_not_break():
    assert formats.money(ZH, yuan("1")) == "¥\u202f1.00"


def test_a_column_with_the_currency_in_its_head_shows_the_figure_alone():
    assert formats.amount(ZH, yuan("703109.52")) == "703,109.52"


@pytest.mark.parametrize(
    ("price", "zh", "en"),
    [
        (Decimal("3968"), "3,968.00 元/吨", "¥ 3,968.00/t"),
        (Decimal("0.123456"), "0.123456 元/吨", "¥ 0.123456/t"),
        (Money(Decimal("640.5"), "USD"), "640.50 美元/吨", "$ 640.50/t"),
    ],
)
def test_a_unit_price_names_its_unit(price, zh, en):
    assert plain(formats.unit_price(ZH, price, "t")) == zh
    assert plain(formats.unit_price(EN, price, "t")) == en


@pytest.mark.parametrize(
    ("quantity", "zh", "en"),
    [
        (tonnes("53.18"), "53.18 吨", "53.18 t"),
        (tonnes("53.1"), "53.10 吨", "53.10 t"),
        (tonnes("53.1845"), "53.185 吨", "53.185 t"),
        (Quantity(Decimal("24000"), "pcs"), "24,000 件", "24,000 pcs"),
        (Quantity(Decimal("1.5"), "pcs"), "1.5 件", "1.5 pcs"),
        (Quantity(Decimal("12"), "reel"), "12 reel", "12 reel"),
    ],
)
def test_quantities_have_the_decimals_of_their_unit(quantity, zh, en):
    assert plain(formats.qty(ZH, quantity)) == zh
    assert plain(formats.qty(EN, quantity)) == en


def test_a_bare_quantity_leaves_the_unit_to_the_column_head():
    assert formats.qty(ZH, tonnes("53.18"), bare=True) == "53.18"


def test_tolerance_shows_the_range_and_not_only_the_percent():
    five, three = Decimal("0.05"), Decimal("0.03")
    assert plain(formats.tolerance(ZH, tonnes("50"), five, five)) == "±5% → 47.50–52.50 吨"
    assert plain(formats.tolerance(EN, tonnes("50"), three, five)) == "+5%/−3% → 48.50–52.50 t"


@pytest.mark.parametrize(
    ("actual", "zh", "en"),
    [
        ("53.18", "+6.36%，多 3.18 吨", "+6.36%, 3.18 t over"),
        ("48.95", "−2.10%，少 1.05 吨", "−2.10%, 1.05 t short"),
        ("50.00", "无差异", "No difference"),
    ],
)
def test_a_difference_says_how_much_and_which_way(actual, zh, en):
    assert plain(formats.diff(ZH, tonnes(actual), tonnes("50"))) == zh
    assert plain(formats.diff(EN, tonnes(actual), tonnes("50"))) == en


def test_quantities_of_two_units_do_not_compare():
    with pytest.raises(ValueError, match="do not compare"):
        formats.diff(ZH, Quantity(Decimal(1), "kg"), tonnes("1"))


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        ("48263000", ("¥ 4,826.3", "万"), ("¥ 48.26", "m")),
        ("-52000", ("−¥ 5.2", "万"), ("−¥ 52.00", "k")),
        ("316.80", ("¥ 316.80", ""), ("¥ 316.80", "")),
    ],
)
def test_only_key_figures_are_shortened_with_the_unit_shown(value, zh, en):
    for who, expected in ((ZH, zh), (EN, en)):
        short = formats.wan(who, yuan(value))
        assert (plain(short.figure), short.unit) == expected


@pytest.mark.parametrize(
    ("moment", "zh", "en"),
    [
        (datetime(2026, 11, 22, 8, 0, tzinfo=UTC), "今天 16:00", "today 16:00"),
        (datetime(2026, 11, 21, 16, 0, tzinfo=UTC), "今天 00:00", "today 00:00"),
        (datetime(2026, 11, 21, 9, 40, tzinfo=UTC), "昨天 17:40", "yesterday 17:40"),
        (datetime(2026, 11, 18, 7, 7, tzinfo=UTC), "11 月 18 日 15:07", "2026-11-18 15:07"),
        (datetime(2025, 11, 18, 7, 7, tzinfo=UTC), "2025-11-18 15:07", "2025-11-18 15:07"),
    ],
)
def test_only_today_and_yesterday_are_relative_and_the_moment_stays_machine_readable(moment, zh, en):
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert plain(formats.when(ZH, moment)) == f'<time datetime="{stamp}">{zh}</time>'
    assert plain(formats.when(EN, moment)) == f'<time datetime="{stamp}">{en}</time>'


def test_documents_show_absolute_dates():
    assert formats.date_(ZH, date(2026, 11, 22)) == "2026-11-22"
    assert formats.date_(ZH, datetime(2026, 11, 22, 17, 0, tzinfo=UTC)) == "2026-11-23"
    assert "2026-11-22 12:00" in formats.datetime_(EN, NOON)
    assert plain(formats.day(ZH, date(2026, 11, 22))) == "11 月 22 日"
    assert plain(formats.day(EN, date(2026, 11, 22))) == "22 Nov"


def test_the_zone_is_named_when_the_readers_clock_differs():
    assert "12:00 Asia/Shanghai</time>" in formats.datetime_(reader(ENGLISH, "Europe/Berlin"), NOON)
    assert "12:00</time>" in formats.datetime_(reader(ENGLISH, "Asia/Singapore"), NOON)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        formats.when(ZH, datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001 the naive moment is the point


def test_ids_are_marked_up_escaped_and_never_translated():
    assert formats.ident(ZH, "SO-1<b>") == '<span class="id" translate="no">SO-1&lt;b&gt;</span>'


@pytest.mark.parametrize("show", [formats.money, formats.amount, formats.number, formats.when, formats.ident])
def test_nothing_known_is_a_dash_and_never_a_zero(show):
    assert show(ZH, None) == "—"
    assert formats.dash(ZH, "") == "—"
    assert formats.dash(ZH, 0) == 0


@pytest.mark.parametrize("show", [formats.amount, formats.number, formats.percent, formats.qty])
def test_a_float_is_refused(show):
    with pytest.raises(TypeError, match="float"):
        show(ZH, 1.5)


def test_a_float_in_a_sentence_is_refused_too():
    with pytest.raises(TypeError, match="float"):
        formats.in_sentence(ZH, 0.1)


def test_values_in_sentences_read_like_values_on_pages():
    assert plain(formats.in_sentence(ZH, yuan("2698.24"))) == "¥ 2,698.24"
    assert plain(formats.in_sentence(EN, tonnes("0.68"))) == "0.68 t"
    assert plain(formats.in_sentence(ZH, datetime(2026, 11, 22, 8, 0, tzinfo=UTC))) == "今天 16:00"
    assert formats.in_sentence(ZH, "HRC-1") == "HRC-1"


def test_rounding_is_half_up():
    assert formats.percent(ZH, Decimal("0.000125"), places=2) == "0.01%"
    assert formats.amount(ZH, Decimal("2.345")) == "2.35"
    assert formats.amount(ZH, Decimal("-2.345")) == "−2.35"

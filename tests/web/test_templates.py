"""The shell and its macros: in both languages, safe under the strict policy, usable without scripts."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from markupsafe import Markup
from shell_samples import WEB, make_app

import core
import templates
from core.web.i18n import lazy
from core.web.navigation import NavEntry, Navigation
from core.web.page import own_path, render

ROOT = Path(core.__file__).parent.parent
PAGES = ["/samples", "/signin", "/menu", "/keys", "/ask", "/wrong/404", "/wrong/500"]
HTMX_SUBSET = {
    "hx-get", "hx-post", "hx-put", "hx-delete", "hx-trigger", "hx-target", "hx-swap", "hx-select",
    "hx-select-oob",
    "hx-include", "hx-push-url", "hx-indicator", "hx-sync", "hx-confirm",
}  # fmt: skip


class Seen(HTMLParser):
    """Every tag of a page with its attributes, and the text that stands in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def get(path: str, language: str = "zh-CN", person: bool = True, **cookies: str) -> str:
    client = make_app(person).test_client()
    for name, value in {"ts_lang": language, **cookies}.items():
        client.set_cookie(name, value)
    return client.get(path).text


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_its_language_has_one_heading_one_main_and_a_title(path, language):
    seen = Seen(get(path, language))
    assert seen.all("html")[0]["lang"] == language
    assert len(seen.all("h1")) == 1 and len(seen.all("main")) == 1
    assert re.search(r"<title>\S.* · (通商|Tongshang)</title>", get(path, language))


@pytest.mark.parametrize("path", PAGES)
def test_an_english_page_contains_no_chinese_but_names(path):
    text = " ".join(Seen(get(path, "en")).text)
    for name in (
        "李敏",
        "华东联钢贸易有限公司",
        "苏南仓储",
        "苏州恒力精密制造有限公司",
        "简体中文",
        "待发货",
        "现货",
    ):
        text = text.replace(name, "")
    text = re.sub("[华李]", "", text)
    assert not re.search("[\u4e00-\u9fff]+", text), re.findall("[\u4e00-\u9fff]+", text)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_on_a_page_needs_inline_scripts_or_styles(path):
    seen = Seen(get(path))
    for tag, attrs in seen.tags:
        assert "style" not in attrs, (tag, attrs)
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        assert tag != "style"
        if tag == "script":
            assert attrs.get("src"), attrs


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_unique_and_labels_descriptions_and_dialogs_point_at_them(path):
    seen = Seen(get(path))
    ids = [attrs["id"] for _tag, attrs in seen.tags if "id" in attrs]
    assert len(ids) == len(set(ids)), sorted(name for name in ids if ids.count(name) > 1)
    pointers = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
    wanted = [word for _, attrs in seen.tags for name in pointers for word in (attrs.get(name) or "").split()]
    assert set(wanted) <= set(ids)


@pytest.mark.parametrize("path", PAGES)
def test_every_posting_form_carries_the_token(path):
    html = get(path)
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", html, re.S)
    assert forms or path == "/wrong/500"
    assert all('name="_csrf"' in form for form in forms)


def test_everything_a_script_opens_has_an_address_without_scripts():
    for tag, attrs in Seen(get("/samples")).tags:
        if attrs.get("data-do") in ("dialog", "side"):
            assert tag == "a" and attrs.get("href"), attrs


def test_every_icon_named_on_the_sample_page_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (WEB / "static" / "icons.svg").read_text()))
    assert set(re.findall(r"icons\.svg\?v=\w+#([\w-]+)", get("/samples"))) <= drawn


def test_every_icon_a_template_names_is_in_the_sprite():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (WEB / "static" / "icons.svg").read_text()))
    for file in all_templates():
        for name in re.findall(r"ui\.icon\('([\w-]+)'", file.read_text(encoding="utf-8")):
            assert name in drawn, (file, name)


def all_templates() -> list[Path]:
    rooms = [
        folder for part in ("core", "plugins", "connectors") for folder in (ROOT / part).rglob("templates")
    ]
    return [file for folder in [templates.FOLDER, *rooms] for file in folder.rglob("*.html")]


@pytest.mark.parametrize("file", all_templates(), ids=lambda file: str(file.relative_to(ROOT)))
def test_templates_keep_to_the_subset_that_outlives_an_htmx_version(file):
    source = file.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=[\"']|hx-on|js:|javascript:", source), "inline code or style"
    assert not re.search(r"hx-trigger=\"[^\"]*\[", source), "a trigger filter needs eval"
    assert set(re.findall(r"\bhx-[a-z-]+", source)) <= HTMX_SUBSET
    assert not re.search(r"\|\s*safe\b", source), "a template that trusts a string"
    for tag in re.findall(r"<[a-z]+[^<>]*\bhx-(?:get|post)=[^<>]*>", source):
        assert "hx-swap" in tag or "hx-target" in tag, "inheritance is off: say it on the element"


@pytest.mark.parametrize("file", all_templates(), ids=lambda file: str(file.relative_to(ROOT)))
def test_templates_hold_no_chinese_of_their_own(file):
    assert not re.search("[\u4e00-\u9fff]", file.read_text(encoding="utf-8"))


def test_scripts_and_styles_hold_no_words():
    for file in [WEB / "static" / "portal.js", *(WEB / "static" / "css").glob("*.css")]:
        assert not re.search("[\u4e00-\u9fff]", file.read_text(encoding="utf-8")), file
    script = (WEB / "static" / "portal.js").read_text()
    assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|\.style\b", script)


def test_styles_take_every_colour_from_a_token():
    for file in (WEB / "static" / "css").glob("*.css"):
        if file.name not in ("tokens.css", "print.css"):
            found = re.findall(r"#[0-9a-f]{3,8}\b", re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S))
            assert not found, (file.name, found)


@pytest.mark.parametrize("folder", [WEB / "static" / "vendor", ROOT / "tests" / "e2e" / "vendor"], ids=str)
def test_foreign_files_are_the_ones_the_lock_names(folder):
    lock = json.loads((folder / "lock.json").read_text())
    for part in lock:
        file = folder / part["file"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == part["sha256"], file
        assert list(file.parent.glob("*LICEN*")), f"{part['name']} came without its licence"
    scripts = {str(file.relative_to(folder)) for file in folder.rglob("*.js")}
    assert scripts == {part["file"] for part in lock}


def test_a_reader_sees_only_the_destinations_they_may_open():
    html = get("/samples")
    assert 'href="/links"' in html and 'href="/secret"' not in html


def test_the_entry_of_the_room_one_is_in_is_marked():
    current = [attrs for attrs in Seen(get("/samples")).all("a") if attrs.get("aria-current") == "page"]
    assert "/orders.index" in {attrs["href"] for attrs in current}


def test_two_entries_cannot_share_a_name_a_key_or_invent_a_group():
    one = NavEntry("a", "a.index", "box", lazy("Trade"), letter="a")
    with pytest.raises(ValueError, match="called 'a'"):
        Navigation([one, NavEntry("a", "b.index", "box", "B")])
    with pytest.raises(ValueError, match="key 'a'"):
        Navigation([one, NavEntry("b", "b.index", "box", "B", letter="a")])
    with pytest.raises(ValueError, match="unknown group"):
        Navigation([NavEntry("c", "c.index", "box", "C", "moon")])


def test_a_slot_frames_six_panels_puts_the_rest_below_and_says_who_failed():
    html = get("/samples", "en")
    assert "2 more panels" in html
    assert re.search(r"The panel Deals this month is not available right now\..*?href=\"#retry\"", html, re.S)
    assert html.count('data-slot="order:panel"') == 8


def test_good_news_is_a_toast_and_trouble_stays_on_the_page():
    html = get("/samples")
    assert re.search(r'role="alert"[^>]*>.*?80 &gt; 50', html, re.S)
    assert html.count("80 &gt; 50") == 1 and 'class="toast ok"' in html


def test_what_a_person_typed_is_escaped():
    app = make_app()
    with app.test_request_context("/samples?q=%3Cscript%3E"):
        page = app.jinja_env.from_string(
            "{% import 'macros/ui.html' as ui %}{% import 'macros/form.html' as form %}"
            "{% import 'macros/table.html' as table %}{% autoescape true %}"
            "{{ ui.state(evil, 'ok') }}{{ ui.facts([(evil, evil)]) }}{{ ui.link(evil, evil) }}"
            "{{ ui.timeline([{'what': evil, 'when': evil, 'icon': 'x'}]) }}{{ table.chip(evil, '#') }}"
            "{{ form.field('a', evil, evil, hint=evil, errors={'a': [evil]}) }}"
            "{{ here(q=evil) }}{{ _('Go to %(name)s', name=evil) }}{% endautoescape %}"
        ).render(evil='"><script>x</script>')
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_a_field_with_an_error_says_so_to_everyone():
    html = get("/samples")
    field = re.search(r'<input[^>]*id="f-quantity"[^>]*>', html)[0]
    assert 'aria-invalid="true"' in field and 'aria-describedby="f-quantity-e"' in field
    assert 'href="#f-quantity"' in html and 'value="53.18"' in field


def test_sorting_is_a_link_that_keeps_the_rest_of_the_address():
    html = get("/samples?q=Q235B&sort=-number&after=x")
    assert 'href="/samples?q=Q235B&amp;sort=number"' in html
    assert 'aria-sort="descending"' in html


def test_the_look_comes_from_cookies_and_nonsense_is_ignored():
    html = Seen(get("/samples", ts_theme="dark", ts_density="compact", ts_keys="loud")).all("html")[0]
    assert (html["data-theme"], html["data-density"], html["data-keys"]) == ("dark", "compact", "on")


def test_a_choice_of_look_is_remembered_and_leads_back():
    client = make_app().test_client()
    answer = client.post(
        "/preferences", data={"theme": "dark", "lang": "en", "next": "/samples?q=1", "evil": "x"}
    )
    assert (answer.status_code, answer.location) == (303, "/samples?q=1")
    assert '<html lang="en" data-theme="dark"' in client.get("/samples").text
    assert client.get_cookie("ts_evil") is None and client.get_cookie("evil") is None


@pytest.mark.parametrize(
    "wish", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "", None, "evil"]
)
def test_a_way_back_never_leads_off_the_site(wish):
    assert own_path(wish, "/home") == "/home"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422, 429, 500, 503, 418])
def test_every_failure_has_a_page_that_says_what_next(status):
    answer = make_app().test_client().get(f"/wrong/{status}")
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(Seen(answer.text).all("h1")) == 1 and "给支持人员的编号" in answer.text


def test_a_failure_of_the_server_asks_nothing_of_the_shell():
    def broken():
        raise AssertionError("the shell was asked")

    app = make_app()
    app.extensions["ts.shell"] = broken
    assert app.test_client().get("/wrong/500").status_code == 500


def test_a_page_takes_one_dataclass_and_nothing_looser():
    with make_app().test_request_context("/samples"), pytest.raises(TypeError, match="one dataclass"):
        render("shell/menu.html", {"rows": []})


def test_pages_are_not_kept_and_assets_are():
    client = make_app().test_client()
    page = client.get("/samples")
    assert page.headers["Cache-Control"] == "no-store" and "HX-Request" in page.headers["Vary"]
    sheet = re.search(r'href="(/static/css/tokens\.css\?v=\w+)"', page.text)[1]
    with client.get(sheet) as asset:
        assert "max-age=31536000" in asset.headers["Cache-Control"]


def test_a_page_stays_small():
    import gzip

    assert len(gzip.compress(get("/samples").encode())) < 100_000


def test_plugin_markup_is_shown_as_it_was_rendered():
    assert isinstance(Markup("<p>"), str) and "<p>268 MPa</p>" in get("/samples")


def test_the_shell_stands_without_a_person():
    html = get("/signin", person=False)
    assert "auth-l" in html and 'data-do="side"' not in html


def test_filters_are_worked_out_for_each_reader_not_once():
    app: Flask = make_app()
    template = app.jinja_env.from_string("{{ 't'|unit }}")
    for language, unit in (("zh-CN", "吨"), ("en", "t")):
        with app.test_request_context("/", headers={"Cookie": f"ts_lang={language}"}):
            assert template.render() == unit

"""A page: one frozen dataclass, one template, one shell around it.

`render` gives the template `page` (the dataclass) and `shell` (what frames every page). What the shell knows
about the person and the enterprise comes from a provider that `core.app` lends: this room asks nobody above.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from flask import (
    Flask,
    Response,
    current_app,
    g,
    has_request_context,
    make_response,
    render_template,
    request,
    url_for,
)
from jinja2 import pass_context
from markupsafe import Markup

from core.kernel import Refused
from core.web import formats
from core.web.i18n import COOKIE, ENGLISH, LANGUAGES, Words, gettext, language, ngettext, words
from core.web.navigation import Destination, NavGroup
from core.web.problem import sentence

_YEAR = 365 * 24 * 3600
CHOICES: dict[str, tuple[str, ...]] = {
    "lang": tuple(LANGUAGES),
    "theme": ("auto", "light", "dark"),
    "density": ("comfortable", "compact"),
    "keys": ("on", "off"),
}
"""What a reader may choose about the look, kept in the cookies `ts_<name>`; the first is the default."""


@dataclass(frozen=True)
class Crumb:
    """One step of the way down to a page; the page itself has no address."""

    text: str
    url: str | None = None


@dataclass(frozen=True)
class Company:
    """An enterprise the person belongs to."""

    id: str
    name: str

    @property
    def initial(self) -> str:
        return self.name[:1]


@dataclass(frozen=True)
class Reading:
    """The signed-in person as the shell shows them."""

    name: str
    login: str = ""

    @property
    def initial(self) -> str:
        return self.name[:1]


@dataclass(frozen=True)
class Toast:
    """Something that has just happened, in the past tense; `undo_url` takes a POST while it can be undone.

    `tone` is ok, warn, bad or acc.
    """

    text: str
    tone: str = "ok"
    undo_url: str | None = None


@dataclass(frozen=True)
class Shortcut:
    """An entry of the New menu or of the palette's recent list."""

    text: str
    url: str
    icon: str = "right"
    kind: str = ""


@dataclass(frozen=True)
class Look:
    """What the reader chose: the theme, how close table rows stand, whether single keys act. See CHOICES."""

    theme: str = "auto"
    density: str = "comfortable"
    keys: str = "on"

    @classmethod
    def remembered(cls) -> "Look":
        if not has_request_context():
            return cls()
        wishes = {name: request.cookies.get(f"ts_{name}") for name in ("theme", "density", "keys")}
        return cls(**{name: wish for name, wish in wishes.items() if wish in CHOICES[name]})


@dataclass(frozen=True)
class Shell:
    """What frames every page. The provider fills it per request; the cookies add language and look.

    person, company   who reads, for which enterprise; None before signing in
    companies         every enterprise of the person, for the switcher
    nav               the sidebar's groups, only what the person may open
    create, recent    the New menu; the palette's list of documents looked at last
    unread, inbox_url messages waiting; no inbox, no bell
    toasts            what the last act has to say
    csrf              the token every POST form repeats; nonce: for a script the strict policy must allow
    *_url             addresses of the shell's own forms and links; None hides the control
    now, zone         the moment of this page and the reader's own time zone
    """

    lang: str = "zh-CN"
    look: Look = field(default_factory=Look)
    person: Reading | None = None
    company: Company | None = None
    companies: tuple[Company, ...] = ()
    nav: tuple[NavGroup, ...] = ()
    crumbs: tuple[Crumb, ...] = ()
    create: tuple[Shortcut, ...] = ()
    recent: tuple[Shortcut, ...] = ()
    unread: int = 0
    inbox_url: str | None = None
    toasts: tuple[Toast, ...] = ()
    csrf: str = ""
    nonce: str = ""
    here: str = "/"
    home_url: str = "/"
    search_url: str | None = None
    menu_url: str | None = None
    keys_url: str | None = None
    preferences_url: str | None = None
    switch_url: str | None = None
    account_url: str | None = None
    sign_out_url: str | None = None
    sign_in_url: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    zone: ZoneInfo = formats.HOUSE_ZONE

    @property
    def english(self) -> bool:
        return self.lang == ENGLISH

    @property
    def other_language(self) -> tuple[str, str]:
        """The language one would switch to: its tag and its own name."""
        return next((tag, name) for tag, name in LANGUAGES.items() if tag != self.lang)

    @property
    def destinations(self) -> tuple[Destination, ...]:
        return tuple(entry for group in self.nav for entry in group.entries)

    @property
    def bottom(self) -> tuple[Destination, ...]:
        """What a phone's bottom bar has room for beside More."""
        return tuple(entry for entry in self.destinations if entry.bottom)[:4]


@dataclass(frozen=True)
class Confirmation:
    """A question before an act, as a page of its own where scripts do not run. Template `shell/confirm.html`.

    `consequences` are sentences; `fields` are hidden fields that go along with the POST to `action`.
    """

    title: str
    consequences: tuple[str, ...]
    action: str
    verb: str
    keep: str
    keep_url: str
    danger: bool = False
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fragment:
    """What a plugin put into a slot, rendered with escaping on. A failed one shows only who failed.

    With `apart_url` it is a frame only, which the browser fills from there.
    """

    plugin: str
    title: str
    html: Markup = Markup("")
    icon: str = "plug"
    source: str = ""
    failed: bool = False
    retry_url: str | None = None
    apart_url: str | None = None


@dataclass(frozen=True)
class ErrorPage:
    """What went wrong, to what, and what to do next. `sentence` replaces the general words of the status."""

    status: int
    trace_id: str
    sentence: str | None = None
    details: tuple[str, ...] = ()
    retry_url: str | None = None
    home_url: str = "/"


@dataclass(frozen=True)
class Blank:
    """A page that knows nothing but its shell: the list of destinations, the list of keys."""


ShellProvider = Callable[[], Shell]


def shell() -> Shell:
    """The shell of this request, made once. Language and look always follow the reader's cookies."""
    if "ts_shell" not in g:
        provider: ShellProvider = current_app.extensions["ts.shell"]
        g.ts_shell = _dressed(provider())
    made: Shell = g.ts_shell
    return made


def _dressed(made: Shell) -> Shell:
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return replace(made, lang=language(), look=Look.remembered(), here=here)


def reader() -> formats.Reader:
    """Who reads this page, as the filters need it."""
    made: Shell | None = g.get("ts_shell") if has_request_context() else None
    return formats.Reader(
        language(),
        gettext,
        made.now if made else datetime.now(UTC),
        made.zone if made else formats.HOUSE_ZONE,
    )


def render(template: str, page: Any, status: int = 200, crumbs: Sequence[Crumb] = ()) -> Response:
    """Answer with a whole page. `page` is one frozen dataclass and all the template knows."""
    if not is_dataclass(page) or isinstance(page, type):
        raise TypeError(f"{template} wants one dataclass, not {type(page).__name__}")
    html = render_template(template, page=page, shell=replace(shell(), crumbs=tuple(crumbs)))
    return _private(make_response(html, status))


def render_fragment(template: str, page: Any, status: int = 200) -> Response:
    """Answer with a part of a page, for a request by htmx."""
    return _private(make_response(render_template(template, page=page, shell=shell()), status))


def error_page(status: int, refused: Refused, retry_url: str | None = None) -> Response:
    """Answer with the page of a failure.

    Where the server itself is at fault nothing is asked of it: the shell stays empty.
    """
    if status >= 500:
        g.ts_shell = _dressed(Shell())
    own_words = words().knows(language(), refused.code) or words().knows(ENGLISH, refused.code)
    page = ErrorPage(
        status=status,
        trace_id=g.get("trace_id", ""),
        sentence=sentence(refused.code, refused.values) if own_words and status < 500 else None,
        details=tuple(sentence(wrong.code, wrong.values) for wrong in getattr(refused, "errors", ())),
        retry_url=retry_url
        or (request.full_path.rstrip("?") if status >= 500 and request.method == "GET" else None),
        home_url=shell().home_url,
    )
    html = render_template([f"errors/{status}.html", "errors/400.html"], page=page, shell=shell())
    return _private(make_response(html, status))


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(("Cookie", "Accept-Language", "HX-Request"))
    return response


def here(**changes: Any) -> str:
    """This address with some query values changed; None takes one out. Filters and sorting are such links."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    added = [(name, str(value)) for name, value in changes.items() if value is not None]
    query = urlencode(kept + added)
    return f"{request.path}?{query}" if query else request.path


def remember(response: Response, wishes: dict[str, str]) -> Response:
    """Keep what the reader chose about language and look, for a year. What is unknown changes nothing."""
    for name, value in wishes.items():
        if value in CHOICES.get(name, ()):
            cookie = COOKIE if name == "lang" else f"ts_{name}"
            response.set_cookie(
                cookie, value, max_age=_YEAR, samesite="Lax", secure=request.is_secure, httponly=True
            )
    return response


def prefer(wishes: dict[str, str]) -> Response:
    """Answer to the forms of look and language: remember the choice and go back to where the reader was."""
    return remember(_private(make_response("", 303, {"Location": own_path(wishes.get("next"))})), wishes)


def own_path(wish: str | None, otherwise: str = "/") -> str:
    """A path of this site to go back to; anything that could lead elsewhere is replaced."""
    if (
        not wish
        or not wish.startswith("/")
        or wish.startswith(("//", "/\\"))
        or any(ord(char) < 33 for char in wish)
    ):
        return otherwise
    return wish if not urlsplit(wish).netloc else otherwise


@lru_cache(maxsize=256)
def _fingerprint(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def asset(name: str) -> str:
    """The address of a static file, carrying its fingerprint so that browsers may keep it for a year."""
    path = Path(current_app.static_folder or "") / name
    return url_for("static", filename=name, v=_fingerprint(path, path.stat().st_mtime_ns))


def install(app: Flask, spoken: Words, provider: ShellProvider) -> None:
    """Give an application its words, its formats and its shell. Called once, by the factory."""
    app.extensions["ts.words"] = replace(spoken, show=_shown)
    app.extensions["ts.shell"] = provider
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _YEAR
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    for name, show in formats.FILTERS.items():
        env.filters[name] = _for_the_reader(show)
    env.globals.update(_=gettext, ngettext=ngettext, here=here, asset=asset, csrf_token=lambda: shell().csrf)


def _for_the_reader(show: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context  # without it Jinja would work out `{{ 't'|unit }}` once, when it compiles the template
    @wraps(show)
    def filter_(_context: Any, value: Any, *args: Any, **options: Any) -> Any:
        return show(reader(), value, *args, **options)

    return filter_


def _shown(value: Any, wish: str) -> Any:
    return formats.in_sentence(formats.Reader(wish, partial(_say, wish), reader().now), value)


def _say(wish: str, msgid: str, **values: Any) -> str:
    return words().gettext(wish, msgid, **values)

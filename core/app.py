"""The factory: it knows every room and wires them together; nobody knows the factory."""

import logging
import os
import signal
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, json, request, url_for
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

import templates
from core import audit, identity, outbox, rooms, tenancy
from core.config import Config
from core.db import Database, Unit, keyring, roles
from core.db.session import set_tenant
from core.hooks import Dispatch
from core.host import Host, Standing, standing
from core.host import load as load_plugins
from core.host.pulse import Pulse
from core.kernel import Ports
from core.sync.registry import connectors
from core.web import (
    Api,
    Pages,
    Platform,
    form,
    headers,
    i18n,
    navigation,
    openapi,
    page,
    render,
)
from core.web.csrf import csrf_token
from core.web.flash import take_flash

log = logging.getLogger("tongshang.app")
ROOT = Path(__file__).parent.parent
DATABASE_BACK_WITHIN = 30.0  # seconds


class Portal(Flask):
    """Flask without coroutines: nothing of ours is one, and asking every function of every request costs more than it tells."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(config: Config | None = None) -> Flask:
    """A whole application: rooms, plugins, portal and API. Refuses a database role that would see everyone's rows."""
    config = config or Config.load()
    app = Portal(
        "tongshang",
        template_folder=str(templates.FOLDER),
        static_folder=str(Path(__file__).parent / "web" / "static"),
        static_url_path="/static",
    )
    app.secret_key = config.secret_key
    database = Database(config.url("app"), pool_size=int(os.environ.get("TS_POOL", "10")))
    house = Installation(config, database, safe_mode=config.safe_mode)
    app.extensions["ts"] = Platform(
        config=config,
        unit=house.unit,
        by_cookie=lambda session: identity.web.by_cookie(session),
        by_key=lambda session: identity.principal_from_key(session, request.headers.get("Authorization"), request.remote_addr),
        answers=outbox.Answers(),
        count_sql=bool(os.environ.get("TS_COUNT_SQL")),
    )
    app.extensions["ts.host"] = house.host
    app.extensions["ts.house"] = house
    headers.install(app)
    house.host.start(app)
    _routes(app, house)
    _words_and_shell(app, house)
    identity.web.install(app)
    return app


def end_in_order() -> None:
    """This process is to be replaced: it ends in order, and whoever started it begins another."""
    os.kill(os.getpid(), signal.SIGTERM)


class Installation:
    """What web and worker share: keys, ports, plugins, the unit of work."""

    def __init__(self, config: Config, database: Database, *, safe_mode: bool = False) -> None:
        keyring.load({1: config.master_key})
        _bound_only(database)
        self.config, self.database = config, database
        self.leave: Callable[[], None] = end_in_order
        self.pulse: Pulse | None = None
        self.standing, folders = _standing(database, config.data)
        only = os.environ.get("TS_ONLY")
        self.host: Host = load_plugins(
            Dispatch(replace=lambda: self.leave()),
            safe_mode=safe_mode,
            only=only.split(",") if only else None,
            standing=self.standing,
            folders=folders,
        )
        self.ports = Ports(
            record=audit.record,
            publish=outbox.publish,
            enabled=tenancy.enabled_plugins,
            settings=tenancy.settings_reader,
            dispatch=self.host.dispatch,
            set_tenant=set_tenant,
        )
        self.unit = Unit(database, self.ports, before_commit=(audit.write, outbox.write))
        for module in rooms.parts("wiring"):
            module.wire()

    def begin_pulse(self, kind: str, leave: Callable[[], None]) -> Pulse:
        """Report this process (`web` or `worker`) from now on. `leave` is called when it is to be replaced."""
        self.leave = leave
        url = self.database.engine.url.render_as_string(hide_password=False)
        self.pulse = Pulse(
            url,
            self.host,
            kind,
            self.standing.epoch,
            leave,
            one_by_one=kind == "web",
            memory=self.config.memory_limit * 1024 * 1024,
        )
        self.pulse.begin()
        return self.pulse

    @property
    def absent(self) -> frozenset[str]:
        """Installed plugins that this process runs without: broken ones, and all of them in safe mode."""
        return self.standing.running - self.host.loaded.keys()

    @property
    def permissions(self) -> list[Any]:
        return [*rooms.collected("permissions", "PERMISSIONS"), *self.host.all("permissions")]


def _bound_only(database: Database) -> None:
    """Refuse a role that row-level security does not bind, now and on every connection to come.

    A database that is just restarting does not keep a process from starting: gunicorn would give up for good.
    """
    event.listen(database.engine, "connect", _check_role)
    try:
        database.engine.connect().close()
    except OperationalError as away:
        log.warning("the database does not answer yet: %s", away)


def _standing(database: Database, data: Path) -> tuple[Standing, list[Path]]:
    """The installed plugins and where their packages lie. A database that is just restarting is waited for."""
    deadline = time.monotonic() + DATABASE_BACK_WITHIN
    while True:
        try:
            with database.engine.connect() as connection:
                found = standing.read(connection)
                folders = standing.placed(found, connection, data)
                connection.commit()
                return found, folders
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _check_role(connection: Any, _record: Any) -> None:
    roles.require_bound(connection)
    connection.rollback()


def _routes(app: Flask, house: Installation) -> None:
    for module in rooms.parts("api"):
        module.api.register(app)
    for module in rooms.parts("views"):
        module.pages.register(app)
    for plugin in house.host.loaded.values():
        for pages in plugin.pages:
            if not pages.prefix.startswith(f"/{plugin.manifest.name}"):
                raise ValueError(f"pages of {plugin.manifest.name} must live under /{plugin.manifest.name}")
            pages.register(app)
        for api in plugin.apis:
            api.register(app)
    shell_pages().register(app)
    platform_api().register(app)


def shell_pages() -> Pages:
    """The few pages that belong to no room: menu and keys for readers without scripts, the look, the API reference."""
    pages = Pages("shell")

    @pages.get("/menu", permission="account.own")
    def menu(ctx: Any) -> Response:
        return render("shell/menu.html", page.Blank())

    @pages.get("/keys", permission="account.own")
    def keys(ctx: Any) -> Response:
        return render("shell/keys.html", page.Blank())

    @pages.post("/preferences", public="language and look may be chosen before signing in")
    def preferences(visit: Any) -> Response:
        return page.prefer(form())

    @pages.get("/api/docs", public="the reference describes the API, not anybody's data")
    def api_docs(visit: Any) -> Response:
        return render("shell/api.html", openapi.reference(app_endpoints()))

    return pages


def platform_api() -> Api:
    """The description of the API, and the question whether all is well."""
    api = Api("platform")

    @api.get("/openapi.json", public="the description of the API, not anybody's data")
    def openapi_document(visit: Any) -> Response:
        """This document."""
        return Response(described(), mimetype="application/json")

    @cache
    def described() -> str:
        """The routes of a process never change, so its description is written once."""
        return json.dumps(openapi.document(app_endpoints()), ensure_ascii=False)

    return api


def app_endpoints() -> list[Any]:
    from core.web import platform

    return platform().endpoints


def _words_and_shell(app: Flask, house: Installation) -> None:
    folders = connectors().words  # first, so that a stranger's words take no place of ours
    folders = [*folders, *i18n.word_folders(ROOT / "core", ROOT / "plugins", ROOT / "connectors")]
    folders += [plugin.manifest.folder / "words" for plugin in house.host.loaded.values()]
    places = navigation.Navigation(
        [*rooms.collected("views", "NAV"), *house.host.all("menu")]
    )
    for views in reversed(rooms.parts("views")):  # so that a search names orders before goods
        app.extensions["ts"].subjects.update(getattr(views, "SUBJECTS", {}))
        app.extensions["ts"].searches.extend(getattr(views, "SEARCHES", ()))
    page.install(app, i18n.Words.load(dict.fromkeys(folders)), lambda: _shell(app, house, places))
    app.add_url_rule("/healthz", "healthz", _health(house), methods=["GET"])




def _health(house: Installation) -> Callable[[], Response]:
    def healthz() -> Response:
        with house.database.session() as session:
            session.connection().exec_driver_sql("SELECT 1")
            session.commit()
        return Response(json.dumps({"status": "ok"}), mimetype="application/json")

    return healthz


def _shell(app: Flask, house: Installation, places: navigation.Navigation) -> page.Shell:
    principal = g.get("principal")
    toasts = tuple(page.Toast(text, tone) for text, tone in take_flash())
    if principal is None:
        return page.Shell(
            toasts=toasts,
            csrf=csrf_token(None),
            preferences_url=url_for("shell.preferences"),
            sign_in_url=url_for("identity.signin"),
        )
    ctx = g.ctx
    enabled = house.ports.enabled(ctx, ctx.tenant_id)
    plugins = {entry.key: name for name, plugin in house.host.loaded.items() for entry in plugin.menu}
    companies = identity.web.companies(ctx)
    return page.Shell(
        person=page.Reading(principal.actor.name, getattr(principal, "login", "")),
        company=next((each for each in companies if each.id == str(ctx.tenant_id)), None),
        companies=companies,
        nav=places.seen_by(
            ctx.allows, url_for, current=request.path, enabled=lambda key: plugins.get(key, "") in {"", *enabled}
        ),
        toasts=toasts,
        csrf=csrf_token(principal),
        home_url=url_for("workbench.home"),
        search_url=url_for("workbench.search"),
        menu_url=url_for("shell.menu"),
        keys_url=url_for("shell.keys"),
        preferences_url=url_for("shell.preferences"),
        switch_url=url_for("identity.switch"),
        account_url=url_for("identity.account"),
        sign_out_url=url_for("identity.signout"),
        now=ctx.now,
    )

"""Bringing plugins in: each is imported, registered and asked for its declarations; one that fails is listed, not fatal."""

import importlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from core.hooks import Dispatch, Report, Subscription, TradeMode
from core.host.entering import counted, entered
from core.host.guard import clashes
from core.host.manifest import Manifest, ManifestError, discover
from core.host.packages import importable
from core.host.settings.reading import settings as settings_of
from core.host.standing import Standing
from core.kernel import Permission, Process
from core.orders import ORDER
from core.web import Api, NavEntry, Pages

log = logging.getLogger("tongshang.host")


@dataclass
class Loaded:
    """One plugin in this process, with what it declared."""

    manifest: Manifest
    module: Any
    permissions: list[Permission] = field(default_factory=list)
    pages: list[Pages] = field(default_factory=list)
    apis: list[Api] = field(default_factory=list)
    menu: list[NavEntry] = field(default_factory=list)
    jobs: list[Any] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    modes: list[TradeMode] = field(default_factory=list)
    providers: list[Any] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    @property
    def settings_schema(self) -> Any:
        return getattr(self.module, "Settings", None)


@dataclass
class Host:
    """The plugins of this process: those that run and those that are broken, with the reason."""

    dispatch: Dispatch
    loaded: dict[str, Loaded] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def all(self, concern: str) -> list[Any]:
        """Everything the loaded plugins declared for a concern, in load order."""
        return [entry for plugin in self.loaded.values() for entry in getattr(plugin, concern)]

    def start(self, app: Any) -> None:
        """Let every plugin begin in this application, before its routes are; one that cannot is broken like at import."""
        for name, begin in self.dispatch.implementers("startup"):
            given = {"app": app}
            try:
                begin.function(**{argument: given[argument] for argument in begin.argnames})
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as fault:  # whatever it raises, the platform starts
                self.put_out(name, fault)

    def put_out(self, name: str, fault: BaseException) -> None:
        """Write a plugin down as broken, and go on without it."""
        log.error("plugin %s is broken", name, exc_info=fault)
        self.broken[name] = f"{type(fault).__name__}: {fault}"[:300]
        self.loaded.pop(name, None)
        if self.dispatch.manager.has_plugin(name):
            self.dispatch.unregister(name)


def load(
    dispatch: Dispatch,
    *,
    safe_mode: bool = False,
    only: Iterable[str] | None = None,
    standing: Standing | None = None,
    folders: Iterable[Path] = (),
) -> Host:
    """Load the installation's plugins, in an order that respects `requires` and `after`.

    `standing` says which are installed and `folders` where their packages lie unpacked; without it everything that
    Python finds is loaded.
    """
    host = Host(dispatch)
    if safe_mode:
        return host
    importable(folders)
    manifests: dict[str, Manifest] = {}
    found = dict(discover())
    wanted = set(found) if standing is None else set(standing.running)
    for name in sorted(wanted if only is None else wanted & set(only)):
        manifest = found.get(name, ManifestError("its package is missing on this machine"))
        if isinstance(manifest, ManifestError):
            host.broken[name] = str(manifest)
        elif not manifest.fits():
            host.broken[name] = f"made for core {manifest.core}"
        else:
            manifests[name] = manifest
    for manifest in _ordered(manifests, host.broken):
        needed = [Requirement(each).name for each in manifest.requires]
        if lost := [name for name in needed if name not in host.loaded]:
            host.broken[manifest.name] = f"needs {', '.join(lost)}"
        else:
            bring_in(host, manifest)
    return host


def bring_in(host: Host, manifest: Manifest) -> None:
    """Import and register one plugin; any failure is written down with its reason and the platform goes on."""
    name = manifest.name
    try:
        before = clashes.columns()
        module = importlib.import_module(manifest.module)
        clashes.own_tables(manifest.schema, before)
        host.dispatch.register(name, module, manifest.title, manifest.slots)
        host.loaded[name] = _declared(host, manifest, module)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as fault:  # a stranger's import may raise anything, SystemExit too
        host.put_out(name, fault)


def _declared(host: Host, manifest: Manifest, module: Any) -> Loaded:
    name, dispatch = manifest.name, host.dispatch

    def ask(hook: str) -> list[Any]:
        return dispatch.declare(name, hook)

    plugin = Loaded(
        manifest,
        module,
        permissions=ask("register_permissions"),
        pages=[entered(dispatch, name, pages) for pages in ask("register_blueprints")],
        apis=[entered(dispatch, name, api) for api in ask("register_api")],
        menu=[counted(dispatch, name, entry) for entry in ask("register_menu")],
        jobs=ask("register_jobs"),
        subscriptions=ask("register_event_handlers"),
        modes=ask("register_trade_modes"),
        providers=ask("register_providers"),
        commands=ask("register_commands"),
        reports=ask("register_reports"),
    )
    settings_of(plugin.settings_schema)  # no form can be drawn of what this refuses
    clashes.own_permissions(name, plugin.permissions)
    brought = {each.room: other for other, by in host.loaded.items() for each in (*by.pages, *by.apis)}
    clashes.own_routes(name, [*plugin.pages, *plugin.apis], brought)
    if len(plugin.menu) > 1:
        raise ValueError("a plugin has at most one menu entry")
    dispatch.reports[name] = {each.key: each for each in plugin.reports}
    for mode in plugin.modes:
        if mode.key in dispatch.modes:
            raise ValueError(f"trade mode {mode.key} is already brought by {dispatch.modes[mode.key].plugin}")
    transitions = [each for each in ask("register_order_transitions") if each not in ORDER.transitions]
    merged = Process(ORDER.name, ORDER.initial, ORDER.ends, [*ORDER.transitions, *transitions])
    if complaints := merged.validate():
        raise ValueError("its order transitions do not fit: " + "; ".join(complaints))
    ORDER.add(transitions)
    for mode in plugin.modes:
        dispatch.add_mode(name, mode)
    return plugin


def _ordered(manifests: dict[str, Manifest], broken: dict[str, str]) -> list[Manifest]:
    """Those that are required or come before, first; what lacks a requirement or stands in a circle is broken."""
    done: list[Manifest] = []
    waiting = dict(manifests)
    while waiting:
        ready = []
        for name, manifest in waiting.items():
            wanted = [Requirement(each) for each in manifest.requires]
            needs = {each.name for each in wanted}
            if missing := [
                str(each) for each in wanted if each.name in broken or not _there(each, manifests)
            ]:
                broken[name] = f"needs {', '.join(missing)}"
                continue
            soft = {each for each in manifest.after if each in waiting and each != name}
            if not (needs | soft) & set(waiting):
                ready.append(name)
        lacking = [name for name in waiting if name in broken]
        for name in lacking:
            waiting.pop(name)
        if not ready and not lacking:
            for name in list(waiting):
                broken[name] = "stands in a circle of requirements"
                waiting.pop(name)
        done += [waiting.pop(name) for name in sorted(ready)]
    return done


def _there(wanted: Requirement, manifests: dict[str, Manifest]) -> bool:
    """Whether a required plugin is installed in a version that will do."""
    found = manifests.get(wanted.name)
    return found is not None and wanted.specifier.contains(found.version or "0", prereleases=True)

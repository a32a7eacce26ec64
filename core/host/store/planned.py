"""A plan in the reader's words: what comes, from whom, what it may do, what it touches, and what follows from consent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.host.store.places import Place, places
from core.host.store.saying import TIERS, VERBS, powers, said
from core.web.i18n import gettext as _
from core.web.i18n import ngettext
from core.web.problem import sentence


@dataclass(frozen=True)
class PlanShown:
    """A plan as its page shows it. `consequences` are sentences; `blocked` are those that stand in its way."""

    verb: str
    act: str
    plugin: str
    title: str
    from_version: str | None
    to_version: str | None
    publisher: str
    badge: tuple[str, str]
    signed: bool
    sha256: str
    licence: str
    core: str
    requires: tuple[str, ...]
    libraries: tuple[str, ...]
    permissions_new: tuple[str, ...]
    permissions_gone: tuple[str, ...]
    tables_new: tuple[str, ...]
    migrations: bool
    powers: tuple[tuple[str, str, str], ...]
    hosts: tuple[str, ...]
    places: tuple[Place, ...]
    routes: tuple[str, ...]
    enterprises: int
    open_orders: int
    open_gates: int
    warnings: tuple[str, ...]
    needs_typed_name: bool
    consequences: tuple[str, ...]
    blocked: tuple[str, ...]
    danger: bool

    @property
    def comes(self) -> bool:
        """Whether code comes in that was not there before."""
        return self.verb in ("install", "upgrade")

    @property
    def versions(self) -> str:
        """From which version to which."""
        if self.from_version and self.to_version and self.from_version != self.to_version:
            return f"{self.from_version} → {self.to_version}"
        return self.to_version or self.from_version or ""


def shown(plan: Mapping[str, Any]) -> PlanShown:
    """A plan, as a dictionary of its fields or as a change keeps it."""

    def many(name: str) -> tuple[str, ...]:
        return tuple(plan.get(name) or ())

    verb, tier = plan.get("verb", "install"), plan.get("tier") or ""
    by_platform = verb not in ("install", "upgrade")
    word, tone = TIERS.get(tier, TIERS[""])
    return PlanShown(
        verb, str(VERBS[verb]), plan.get("plugin", ""), said(plan.get("title")) or plan.get("plugin", ""),
        plan.get("from_version"), plan.get("to_version"), plan.get("publisher") or "", (str(word), tone),
        bool(plan.get("publisher")) or by_platform, plan.get("sha256") or "", plan.get("licence") or "", plan.get("core") or "",
        many("requires"), many("libraries"), many("permissions_new"), many("permissions_gone"), many("tables_new"),
        bool(plan.get("migrations")), tuple(powers(many("hooks"))), many("hosts"), places(many("slots"), many("modes")),
        many("routes"), plan.get("enterprises") or 0, plan.get("open_orders") or 0, plan.get("open_gates") or 0,
        tuple(_warnings(plan)), bool(plan.get("needs_typed_name")), tuple(_consequences(verb, plan)), tuple(_blocked(verb, plan)),
        verb in ("archive", "purge", "rollback"),
    )  # fmt: skip


def _warnings(plan: Mapping[str, Any]) -> list[str]:
    """What the operator should know before, with the names it is about. That the plugin itself is unsigned stands above."""
    named = {"plugin.warns_unsigned": plan.get("unsigned"), "plugin.warns_definers": plan.get("definers")}
    told = []
    for code in plan.get("warnings") or ():
        if code == "plugin.warns_unsigned" and not plan.get("publisher"):
            continue
        names = named.get(code) or ()
        told.append(" ".join([sentence(code, {}), ", ".join(names)]).strip())
    return told


def _consequences(verb: str, plan: Mapping[str, Any]) -> list[str]:
    n = plan.get("enterprises") or 0
    told = {
        "install": [_("It is brought in for the whole installation. No enterprise has it before it switches it on.")],
        "upgrade": [_("Every enterprise that uses it has the new version once the processes have taken it over.")],
        "rollback": [
            _("The code of version %(version)s returns; tables and rows stay as they are.", version=plan.get("to_version"))
        ],
        "archive": [
            _("Its pages, prices and panels go for everybody."),
            _("Its rows stay, can be read and not changed, and come back with it."),
        ],
        "restore": [
            _("Its rows are compared with what was archived; only if they are equal does it run again."),
            _("No enterprise has it before it switches it on."),
        ],
        "export": [_("All its rows are written to one file that only the operator can download. Nothing else changes.")],
        "purge": [
            _("Its tables with all rows, every enterprise's settings, its permissions and its packages are removed for good."),
            _("The files exported before stay. This cannot be undone."),
        ],
    }[verb]
    if verb in ("install", "upgrade") and plan.get("migrations"):
        told.append(_("Its tables are made or changed in one transaction: if anything fails, everything stays as it was."))
    if verb in ("upgrade", "rollback") and n:
        told.append(ngettext("%(n)s enterprise uses it now.", "%(n)s enterprises use it now.", n))
    if verb != "export":
        told.append(_("The processes replace themselves one after the other; nobody's work is interrupted."))
    return told


def _blocked(verb: str, plan: Mapping[str, Any]) -> list[str]:
    """What must be over first. The installer asks again when it begins."""
    if verb != "archive":
        return []
    found = []
    if n := plan.get("open_orders"):
        found.append(
            ngettext("%(n)s open order was made with it, for example %(order)s.",
                     "%(n)s open orders were made with it, for example %(order)s.", n, order=plan.get("an_order"))
        )  # fmt: skip
    if n := plan.get("open_gates"):
        found.append(ngettext("It holds %(n)s gate open.", "It holds %(n)s gates open.", n))
    if n := plan.get("enterprises"):
        found.append(ngettext("%(n)s enterprise has it on.", "%(n)s enterprises have it on.", n))
    return found

"""What a check of a plugin found: one line for each thing looked at, with what is wrong, where, and what to do."""

from dataclasses import asdict, dataclass, field
from typing import Any

HELP = {
    "plugin.migration_failed": "Mend the migration. It must run whole, in one transaction, as ts_plugin_owner.",
    "plugin.migration_outside": "A migration may touch the plugin's own schema only.",
    "plugin.tables_open": "Enable and force row-level security, with policies that ask for ts.tenant().",
    "plugin.tables_do_not_fit": "Make model.py and the migrations say the same.",
    "plugin.does_not_come_in": "Import the package in a Python of your own and mend what it raises.",
    "plugin.unhealthy": "check_health() says no on a fresh installation; make it say yes there.",
    "plugin.settings_no_longer_fit": "Give new fields of Settings a load_default, and keep the old ones readable.",
    "plugin.leftovers": "Keep everything of the plugin in its own schema.",
    "plugin.has_open_orders": "Finish or call off the open orders first.",
    "plugin.archive_changed": "Something wrote to the archived tables; nothing may.",
}
OTHERWISE = "Read what it says, mend it, and check again."


@dataclass(frozen=True)
class Finding:
    """One check. `ok` None: it could not be made, and `what` says why."""

    part: str
    check: str
    ok: bool | None
    what: str = ""
    where: str = ""
    do: str = ""


@dataclass
class Report:
    """All findings of a plugin, in the order in which they were made."""

    plugin: str = ""
    version: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(each.ok is False for each in self.findings)

    def facts(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "plugin": self.plugin,
            "version": self.version,
            "checks": [asdict(each) for each in self.findings],
        }

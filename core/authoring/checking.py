"""A plugin looked at from all sides before anybody else gets it: built, read, tried, installed, upgraded, removed.

Everything is done the way an installation would do it, in a database made for it. Strangers' code runs in child processes.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.authoring import building, scratch, source
from core.authoring.report import HELP, OTHERWISE, Finding, Report
from core.authoring.trial import Trial, fill
from core.config import UserError
from core.host import packages
from core.host.life.examination import ROOT
from core.kernel import Invalid, Refused

SECONDS = 300.0
USERS = "SELECT tenant_id FROM ts.plugin_enablement WHERE plugin = :name AND state <> 'disabled'"
FAILED = {"plugin.failed", "order.plan_does_not_sum", "plugin.ended_transaction", "plugin.out_of_order"}
"""Refusals of an order that are the plugin's own fault."""
Told = Callable[[Finding], None]
Say = Callable[[BaseException], str]


class Check:
    """One plugin being looked at. `told` hears each finding at once; `say` puts a refusal into words."""

    def __init__(
        self, path: Path, *, older: Path | None, beside: Sequence[Path], told: Told, say: Say
    ) -> None:
        self.path, self.older, self.beside = path, older, beside
        self.told, self.say = told, say
        self.report = Report()
        self.source: source.Source | None = None

    def run(self, into: Path | None = None) -> Report:
        """All of it; a check that stands on one that failed is not made. A wheel that passed is put `into` a folder."""
        with tempfile.TemporaryDirectory(prefix="ts-check-") as place:
            wheel = self._wheel(Path(place))
            if wheel is None:
                return self.report
            self._conforms(wheel, Path(place) / "unpacked")
            self._own_tests()
            with (
                scratch.try_server(Path(place)) as server,
                scratch.installation(server, Path(place) / "data") as config,
            ):
                _write_keys(config.data)
                trial = Trial(config)
                try:
                    self._life(trial, wheel)
                finally:
                    trial.close()
            if self.report.ok and into is not None and self.source is not None:
                into.mkdir(parents=True, exist_ok=True)
                self.found("package", "the wheel lies here", True, str(shutil.copy(wheel, into)))
        return self.report

    def found(
        self, part: str, check: str, ok: bool | None, what: str = "", where: str = "", do: str = ""
    ) -> bool:
        finding = Finding(part, check, ok, what, where, do if ok is not True else "")
        self.report.findings.append(finding)
        self.told(finding)
        return ok is True

    def _wheel(self, place: Path) -> Path | None:
        wheel = self.path
        try:
            if self.path.is_dir():
                self.source = source.find(self.path)
                wheel = building.build(self.source.folder, place / "wheels")
                self.found("package", "a wheel is built", True, wheel.name)
            elif self.path.suffix != ".whl" or not self.path.is_file():
                raise UserError("There is no such folder or wheel.", str(self.path), "Give one of both.")
            read = packages.read(wheel.read_bytes(), wheel.name)
        except UserError as wrong:
            self.found(
                "package",
                "a wheel is built",
                False,
                wrong.what,
                wrong.where or str(self.path),
                wrong.do or OTHERWISE,
            )
            return None
        except Invalid as wrong:
            self.found("package", "the wheel is sound", False, self.say(wrong), wheel.name, OTHERWISE)
            return None
        if read.manifest is None:
            do = 'Name it under [project.entry-points."tongshang.plugins"].'
            self.found("package", "the wheel is sound", False, "It brings no plugin.", wheel.name, do)
            return None
        self.report.plugin, self.report.version = read.manifest.name, str(read.version)
        self.found(
            "package", "the wheel is sound", True, f"{read.manifest.name} {read.version}, {read.size} bytes"
        )
        return wheel

    def _conforms(self, wheel: Path, unpacked: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        read = packages.read(wheel.read_bytes(), wheel.name)
        assert read.manifest is not None
        for told in self._lines(
            "conformance", "core.authoring.conforming", [read.manifest.module], [unpacked]
        ):
            where = str(told["where"]).replace(
                str(unpacked), str(self.source.root if self.source else wheel.name)
            )
            self.found("conformance", told["check"], told["ok"], told["what"], where, OTHERWISE)

    def _own_tests(self) -> None:
        if self.source is None:
            return
        if not self.source.tests.is_dir():
            do = "Write some: `from tongshang.testing import PluginConformance, Trade`."
            self.found("tests", "its own tests pass", False, "It has no tests.", str(self.source.tests), do)
        elif importlib.util.find_spec("pytest") is None:
            do = "Run `python3 run.py test --version` once: it makes the environment with the test tools."
            self.found("tests", "its own tests pass", None, "pytest is not installed here.", "", do)
        else:
            done = subprocess.run(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "pytest",
                    "-q",
                    "-p",
                    "no:cacheprovider",
                    "--color=no",
                    str(self.source.tests),
                ],
                cwd=self.source.folder,
                env=_environ([self.source.root]),
                capture_output=True,
                text=True,
                timeout=SECONDS * 4,
            )
            lines = [line for line in done.stdout.strip().splitlines() if line.strip()] or [
                done.stderr[-500:]
            ]
            failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
            what = "\n".join([lines[-1], *failed[:10]])
            do = f"Run pytest in {self.source.folder} and mend what fails."
            self.found("tests", "its own tests pass", done.returncode == 0, what, str(self.source.tests), do)

    def _life(self, trial: Trial, wheel: Path) -> None:
        name = self.report.plugin
        for each in self.beside:
            trial.hand_in(each.read_bytes(), each.name)
        first = self.older or wheel
        if not self._step(trial, "install", name, first):
            return
        row = trial.row(name)
        assert row is not None
        promised = len(row["manifest"]["permissions"])
        self.found("install", "its permissions are known", trial.permissions(name) == promised)
        self._visited(trial, name)
        with trial.looking() as connection:
            refused = fill(connection, name, trial.ids["hengke"])
        before = trial.sums(name)
        filled = [table for table, held in before.items() if held["rows"]]
        note = "; ".join(f"{table}: {why}" for table, why in refused.items())
        self.found(
            "upgrade",
            "there are rows to lose",
            bool(filled) or None if before else True,
            ", ".join(filled) or note,
        )
        if not self._upgraded(trial, name, wheel, before):
            return
        self._removed(trial, name)

    def _upgraded(self, trial: Trial, name: str, wheel: Path, before: dict[str, Any]) -> bool:
        with tempfile.TemporaryDirectory() as place:
            newer = wheel
            if self.older is None:
                content, filename = building.again(
                    wheel.read_bytes(), wheel.name, f"{self.report.version}.post1"
                )
                newer = Path(place) / filename
                newer.write_bytes(content)
            if not self._step(trial, "upgrade", name, newer):
                return False
        after = trial.sums(name)
        lost = [
            table for table, held in before.items() if after.get(table, {"rows": 0})["rows"] < held["rows"]
        ]
        do = "A migration only adds: keep tables and rows for the release before."
        if not self.found("upgrade", "no row is lost", not lost, ", ".join(lost), "", do):
            return False
        changed = [table for table, held in before.items() if self.older is None and after[table] != held]
        return self.found(
            "upgrade", "an upgrade to the same code changes nothing", not changed, ", ".join(changed), "", do
        )

    def _removed(self, trial: Trial, name: str) -> None:
        for row in trial.rows(USERS, name=name):
            trial.ids["user"] = row.tenant_id
            trial.switch(name, "user", "disabled")
        before = trial.sums(name)
        if not self._step(trial, "archive", name):
            return
        self.found("removal", "an archived plugin has no permissions", trial.permissions(name) == 0)
        if not self._step(trial, "restore", name):
            return
        self.found(
            "removal",
            "every row is back as it was",
            trial.sums(name) == before,
            "",
            "",
            HELP["plugin.archive_changed"],
        )
        for verb in ("archive", "export", "purge"):
            if not self._step(trial, verb, name):
                return
        left = trial.left(name)
        self.found(
            "removal", "nothing is left behind", not left, "; ".join(left), "", HELP["plugin.leftovers"]
        )

    def _step(self, trial: Trial, verb: str, name: str, wheel: Path | None = None) -> bool:
        """One act of the plugin's life; whatever refuses it is told with what helps."""
        part = verb if verb in ("install", "upgrade") else "removal"
        try:
            plan, outcome = trial.put(verb, wheel) if wheel else trial.do(verb, name)
        except Refused as refused:
            return self.found(part, verb, False, self.say(refused), "", HELP.get(refused.code, OTHERWISE))
        if outcome.state != "done":
            said = self.say(Refused(outcome.code, **(outcome.values or {})))
            return self.found(part, verb, False, said, "", HELP.get(outcome.code, OTHERWISE))
        what = f"{plan.from_version or '—'} → {plan.to_version or '—'}" if wheel else ""
        return self.found(part, verb, True, what)

    def _visited(self, trial: Trial, name: str) -> None:
        config = trial.config
        environ = {
            "TS_DATA": str(config.data),
            "DATABASE_URL": config.url("app"),
            "WORKER_DATABASE_URL": config.url("worker"),
            "MIGRATE_DATABASE_URL": config.url("migrate"),
        }
        answers = list(self._lines("pages", "core.authoring.visiting", [name], [], environ))
        if answers and "check" in answers[-1]:
            return
        addresses = [each for each in answers if "address" in each]
        bad = sorted({f"{each['address']}: {each['status']}" for each in addresses if each["status"] >= 500})
        pages = len({each["address"] for each in addresses})
        do = "Open the page with `run.py plugin dev` and read the terminal."
        self.found("pages", "every page and answer is made", not bad, "; ".join(bad) or str(pages), "", do)
        for each in answers:
            if "mode" in each:
                self._traded(each)

    def _traded(self, told: dict[str, str]) -> None:
        """An order of a mode: it came to its end, the plugin failed on the way, or something else is needed first."""
        what = " · ".join(filter(None, (told["mode"], told["state"], told["why"])))
        ok = True if told["state"] == "completed" else False if told["code"] in FAILED else None
        do = "Place one with `trade.place` in a test, and mend the mode's plans."
        self.found("trade", "an order comes to its end", ok, what, "", do if told["code"] else "")

    def _lines(
        self,
        part: str,
        module: str,
        arguments: list[str],
        folders: list[Path],
        environ: dict[str, str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """What a child process tells; one that dies or hangs is a finding."""
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", module, *arguments],
                env=_environ(folders, environ),
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            self.found(
                part,
                "it comes to an end",
                False,
                f"It did not end within {SECONDS:g} seconds.",
                "",
                OTHERWISE,
            )
            return
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                yield json.loads(line)
        if done.returncode:
            words = [line for line in done.stderr.strip().splitlines() if line.strip()][-6:]
            what = "\n".join(words) or f"exit code {done.returncode}"
            self.found(part, "it comes to an end", False, what, "", OTHERWISE)


def _environ(folders: Sequence[Path], more: dict[str, str] | None = None) -> dict[str, str]:
    """Without the addresses and keys of any installation, except those given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("DATABASE_URL") and (not name.startswith("TS_") or name == scratch.VARIABLE)
    }
    paths = [*map(str, folders), str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        **(more or {}),
    }


def _write_keys(data: Path) -> None:
    """So that a process of its own opens what this one sealed."""
    keys = {"secret_key": scratch.SECRET.hex(), "master_key": scratch.MASTER.hex()}
    (data / "keys").write_text(json.dumps(keys), encoding="utf-8")

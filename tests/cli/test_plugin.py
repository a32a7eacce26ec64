"""`plugin`: a wheel comes in by the terminal alone, and refusals are read in words."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.cli.group import COMMANDS
from core.db import roles
from core.migrate import upgrade
from tests.cli.test_command_line import tongshang
from tests.conftest import Server
from tests.host.wheels import tiny_wheel

pytestmark = pytest.mark.slow

CODE = "91310000MA1FL4XY7W"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(server: Server, keys: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """`plugin` with these arguments on one installation with an operator; its facts, or what it complained about."""
    name, data = f"{server.prefix}_plugin", tmp_path_factory.mktemp("data")
    roles.provision(server.admin.render_as_string(hide_password=False), name)
    server.made.append(name)
    upgrade(server.url_for("ts_migrator", name))
    environ = {
        f"{role}DATABASE_URL": server.url_for(login, name)
        for role, login in (("", "ts_app"), ("WORKER_", "ts_worker"), ("MIGRATE_", "ts_migrator"))
    }
    company = ("--company", "通商运营有限公司", "--uscc", CODE)
    made = tongshang("operator", "zhou.ning@platform.example", *company, data=data, **environ)
    assert made.returncode == 0, made.stderr

    def run(*arguments: str, **more: str) -> Any:
        if arguments[0] == "run":  # what follows belongs to the plugin
            return tongshang("plugin", "run", "--data", str(data), *arguments[1:], **environ, **more).stdout
        done = tongshang("plugin", *arguments, "--json", data=data, **environ, **more)
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    yield run


def written(folder: Path, **given: str) -> str:
    name, content = tiny_wheel(**given)
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_wheel_is_installed_stopped_and_examined(ask: Ask, tmp_path: Path) -> None:
    done = ask("install", written(tmp_path), "--yes")
    assert isinstance(done, dict), done
    assert (done["plugin"], done["version"], done["state"]) == ("tiny", "1.0", "done")
    listed = {each["name"]: each for each in ask("list")["plugins"]}
    assert listed["tiny"]["version"] == "1.0" and len(listed) > 1
    assert ask("stop", "tiny", "--reason", "It answers wrongly")["stopped"]
    assert ask("doctor")["stopped"] == {"tiny": "It answers wrongly"}
    assert not ask("lift", "tiny")["stopped"]
    assert ask("doctor")["ok"]


def test_refusals_are_sentences_in_the_reader_s_language(ask: Ask, tmp_path: Path) -> None:
    assert "is not installed" in ask("archive", "nothing", "--yes")
    assert "没有安装" in ask("archive", "nothing", "--yes", TS_LANG="zh")
    broken = ask("install", written(tmp_path, name="bad", code="raise ValueError('no luck')"), "--yes")
    assert "does not start" in broken and "no luck" in broken
    (tmp_path / "notes.whl").write_text("hello")
    assert "is not named like a wheel" in ask("plan", str(tmp_path / "notes.whl"))
    assert "There is no such file" in ask("plan", "none.whl")


def test_without_consent_nothing_happens(ask: Ask, tmp_path: Path) -> None:
    assert "Stopped" in ask("install", written(tmp_path, name="unasked"))
    assert "unasked" not in {each["name"] for each in ask("list")["plugins"]}
    assert ask("apply") == {"count": 0}


def test_it_stands_among_the_commands() -> None:
    assert "plugin" in COMMANDS


WHOLE = """
import click
import tongshang as ts
from tongshang import fields, hookimpl


class Settings(ts.Schema):
    hours = fields.Integer(load_default=24, metadata={"title": "Hours"})


@click.command("weigh")
@click.argument("what")
@click.pass_obj
def weigh(installation, what):
    click.echo(f"{what} weighs {len(what)} in {installation.config.data.name}")


@hookimpl
def register_commands():
    return [weigh]
"""


@pytest.mark.long
def test_a_whole_life_by_the_terminal(ask: Ask, tmp_path: Path) -> None:
    """Every verb once: plan, install, enable, drain, disable, upgrade, rollback, archive, restore, export, purge."""
    first, second = (written(tmp_path, name="whole", version=version, code=WHOLE) for version in ("1.0", "1.1"))
    mine = ("--enterprise", CODE)
    planned = ask("plan", first)
    assert (planned["verb"], planned["to_version"], planned["warnings"]) == (
        "install", "1.0", ["plugin.warns_unsigned", "plugin.warns_range"],
    )  # fmt: skip
    assert ask("install", first, "--yes")["state"] == "done"

    on = ask("enable", "whole", *mine, "--set", "hours=48")
    assert (on["state"], on["enterprise"], int(on["settings"]["hours"])) == ("enabled", "通商运营有限公司", 48)
    assert "hours" in ask("enable", "whole", *mine, "--set", "hours=many")
    assert ask("run", "whole", "weigh", "steel").startswith("steel weighs 5 in ")
    assert "通商运营有限公司" in ask("archive", "whole", "--yes")  # which has it on
    assert ask("drain", "whole", *mine)["state"] == "draining"
    assert ask("disable", "whole", *mine)["state"] == "disabled"
    assert "is not switched on" in ask("disable", "whole", *mine)

    assert ask("upgrade", second, "--yes")["version"] == "1.1"
    assert ask("rollback", "whole", "--yes")["version"] == "1.0"
    assert ask("archive", "whole", "--yes")["state"] == "done"
    assert ask("restore", "whole", "--yes")["state"] == "done"
    assert ask("archive", "whole", "--yes")["state"] == "done"
    assert "export" in ask("purge", "whole", "--yes").lower()
    assert ask("export", "whole", "--yes")["state"] == "done"
    assert ask("purge", "whole", "--yes")["state"] == "done"
    assert "whole" not in {each["name"] for each in ask("list")["plugins"]}
    assert ask("doctor")["ok"]


def test_an_enterprise_is_meant_exactly(ask: Ask) -> None:
    assert "There is no such enterprise" in ask("enable", "spot", "--enterprise", "Nobody Ltd")
    assert "name=value" in ask("enable", "spot", "--enterprise", CODE, "--set", "prepay")
    assert "没有这家企业" in ask("drain", "spot", "--enterprise", "Nobody Ltd", TS_LANG="zh")


def test_every_verb_is_there() -> None:
    from core.cli.plugin import plugin

    wanted = {"list", "install", "plan", "upgrade", "enable", "disable", "drain", "archive", "restore", "purge", "doctor"}
    assert wanted <= set(plugin.commands)
    assert all(command.help and command.help.endswith(".") for command in plugin.commands.values())

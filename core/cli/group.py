"""The list of commands, with what each is for; its module is imported only when it runs."""

import importlib

import click

import core
from core.cli.tongue import say

COMMANDS = {
    "demo": "Play one whole trade step by step, then serve the portal to look around in.",
    "init": "Make roles, database and tables; for an outside PostgreSQL print the SQL for its administrator.",
    "operator": "Invite who runs the platform; also the way back in for them.",
    "migrate": "Bring the tables to this release.",
    "serve": "Serve portal and API.",
    "work": "Do what happens after a commit: events, ERP documents, timers, sealing of the trail.",
    "connector": "List the connectors, run the simulator of one, or make a new one.",
    "plugin": "Install, upgrade, archive and remove plugins; stop one for everybody.",
    "verify": "Check every invariant on the real data; exit 1 on a breach and name the rows.",
    "doctor": "Say what is wrong with this installation and how to mend it.",
    "bench": "Measure against raw SQL on the same server.",
}


class LazyGroup(click.Group):
    """Commands by name of their module in this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"core.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("Commands")):
            formatter.write_dl([(name, say(text)) for name, text in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="In a clone, `run.py test` makes the environment with the test tools and runs the suite.",
)
@click.version_option(core.__version__, "--version", prog_name="tongshang")
def tongshang() -> None:
    """Tongshang 通商: trade between enterprises, wired to their ERP systems."""

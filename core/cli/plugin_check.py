"""`plugin check`: everything an installation would hold against a plugin, found out before anybody else has it."""

from pathlib import Path

import click

from core.cli.options import json_option
from core.cli.say import Teller
from core.cli.tongue import say, sentence_of

wheel_path = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("check")
@click.argument("path", type=click.Path(path_type=Path), metavar="FOLDER|WHEEL")
@click.option("--from", "older", type=wheel_path, metavar="WHEEL", help="An older release, to upgrade from.")
@click.option("--with", "beside", type=wheel_path, multiple=True, metavar="WHEEL", help="A package it needs; may be repeated.")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where the wheel is put when all is well."
)
@json_option
def check(path: Path, older: Path | None, beside: tuple[Path, ...], into: Path | None, as_json: bool) -> int:
    """Build a plugin, try it, install, upgrade and remove it in a database made for this, and say what is wrong."""
    from core.authoring.checking import Check
    from core.authoring.report import Finding

    tell = Teller(as_json)

    def told(finding: Finding) -> None:
        mark = {True: click.style("✓", fg="green"), False: click.style("✗", fg="red"), None: "–"}[finding.ok]
        first, *rest = finding.what.splitlines() or [""]
        shown = f" · {say(first)}" if first else ""
        click.echo(f"{mark} {say(finding.part):<14} {say(finding.check)}{shown}", err=as_json)
        for line in rest:
            click.echo(f"      {line}", err=as_json)
        if finding.ok is not True:
            for label, text in (("  Where: ", finding.where), ("     Do: ", finding.do)):
                if text:
                    click.echo(f"{say(label)}{say(text)}", err=as_json)

    report = Check(path, older=older, beside=beside, told=told, say=sentence_of).run(into)
    failed = sum(1 for each in report.findings if each.ok is False)
    tell.heading("Everything holds." if report.ok else f"{failed} checks failed.")
    tell.facts(report.facts())
    return 0 if report.ok else 1
